"""The same regression by statsmodels, one fit at a time: what stored betas are checked against."""

from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import FloatArray


class ReferenceFit(NamedTuple):
    """One ordinary least squares fit of ``y = alpha + beta x``."""

    beta: float
    alpha: float
    r_squared: float
    std_error: float
    p_value: float
    n_obs: int


def statsmodels_ols(y: FloatArray, x: FloatArray) -> ReferenceFit:
    """Fit ``y`` on ``x``, both (T,), over the rows where both are finite, with an intercept and classical errors.

    Units are those of `regression.rolling_ols`, which this is compared with.
    """
    import statsmodels.api as sm  # slow to import, and needed by few

    paired = np.isfinite(y) & np.isfinite(x)
    fit = sm.OLS(y[paired], sm.add_constant(x[paired])).fit()
    (alpha, beta), (_, std_error), (_, p_value) = fit.params, fit.bse, fit.pvalues
    return ReferenceFit(
        float(beta),
        float(alpha),
        float(fit.rsquared),
        float(std_error),
        float(p_value),
        int(paired.sum()),
    )

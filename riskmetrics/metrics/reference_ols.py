"""Reference regression by statsmodels, against which stored betas are checked."""

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
    """Regress ``y`` on ``x``, both (T,), with an intercept and classical standard errors.

    Uses the rows where both are finite. Units are those of `regression.rolling_ols`.

    Examples
    --------
    >>> fit = statsmodels_ols(np.array([1.0, 2, 2, 4]), np.array([0.0, 1, 2, 3]))
    >>> round(fit.beta, 9), round(fit.alpha, 9), fit.n_obs
    (0.9, 0.9, 4)
    """
    # late, and not statsmodels.api, which takes four times as long to import
    from statsmodels.regression.linear_model import OLS

    is_paired = np.isfinite(y) & np.isfinite(x)
    regressors = np.column_stack([np.ones(is_paired.sum()), x[is_paired]])
    fit = OLS(y[is_paired], regressors).fit()
    (alpha, beta), (_, std_error), (_, p_value) = fit.params, fit.bse, fit.pvalues
    return ReferenceFit(
        float(beta),
        float(alpha),
        float(fit.rsquared),
        float(std_error),
        float(p_value),
        int(is_paired.sum()),
    )

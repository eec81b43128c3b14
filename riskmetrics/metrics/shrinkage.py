"""Vasicek adjustment: betas shrunk toward a prior in proportion to their sampling error."""

from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import FloatArray

PRIOR_MEAN = 1.0
"""Prior mean: the average stock's beta to the market."""

PRIOR_SD = 0.35
"""Prior standard deviation of stocks' betas.

`benchmarks.beta_skill` compares the adjusted beta with the raw one as a forecast of the beta of the
next 90 sessions: 2 % less squared error on 34 symbols of 2020 to 2024, not significant (t -0.2).
"""


class AdjustedBeta(NamedTuple):
    """Posterior mean and standard deviation of betas, each of the shape of the estimates."""

    beta: FloatArray
    std_error: FloatArray


def vasicek(
    beta: FloatArray,
    std_error: FloatArray,
    *,
    prior_mean: float = PRIOR_MEAN,
    prior_sd: float = PRIOR_SD,
) -> AdjustedBeta:
    r"""Combine each estimated beta with a normal prior.

    Parameters
    ----------
    beta, std_error : arrays of one shape
        Estimates and their standard errors, dimensionless; NaN where undefined.
    prior_mean : float
        Prior mean of beta.
    prior_sd : float
        Prior standard deviation of beta, positive.

    Returns
    -------
    AdjustedBeta
        ``beta`` lies between the estimate and the prior mean; ``std_error`` is below both the
        estimate's and ``prior_sd``. An estimate with error 0 is kept. NaN where either input is
        NaN.

    Raises
    ------
    ValueError
        If the shapes differ, ``prior_sd`` is not positive or a standard error is negative.

    Notes
    -----
    .. math::

        \beta^* = \frac{\sigma_0^2 \hat\beta + s^2 \mu_0}{\sigma_0^2 + s^2}, \qquad
        s^{*2} = \frac{\sigma_0^2 s^2}{\sigma_0^2 + s^2}

    References
    ----------
    Vasicek (1973), A note on using cross-sectional information in Bayesian estimation of security
    betas, Journal of Finance 28(5).

    Examples
    --------
    An estimate as uncertain as the prior moves half the way to it:

    >>> found = vasicek(np.array([1.6]), np.array([0.35]))
    >>> found.beta.round(4), found.std_error.round(4)
    (array([1.3]), array([0.2475]))
    """
    if beta.shape != std_error.shape:
        raise ValueError(
            f"betas and standard errors must have one shape, not {beta.shape} and {std_error.shape}"
        )
    if not prior_sd > 0.0 or (std_error < 0.0).any():
        raise ValueError(
            "the prior's standard deviation must be positive and standard errors not negative"
        )
    ratio = std_error / prior_sd
    shrinkage_weight = 1.0 / (1.0 + ratio**2)
    adjusted = prior_mean + shrinkage_weight * (beta - prior_mean)
    return AdjustedBeta(
        np.where(std_error == 0.0, beta, adjusted),
        np.where(np.isnan(beta), np.nan, std_error * np.sqrt(shrinkage_weight)),
    )

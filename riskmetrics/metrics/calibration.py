"""Re-estimating the volatility forecast's coefficients from what followed past days."""

import math
from collections.abc import Iterable
from typing import NamedTuple, TypeAlias

import numpy as np

from riskmetrics.errors import CalibrationRejectedError
from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.forecast_score import NEWEY_WEST_LAGS
from riskmetrics.metrics.har import MAX_RATIO, MIN_RATIO, PROXIES, Coefficients, Regressors
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR

MIN_CALIBRATION_YEARS = 5
"""Of days with a pair: a panel of one year knows one state of the market, and its forecasts are harmful in the next."""

MIN_CALIBRATION_SYMBOLS = 20
"""With a year of pairs each: fewer do not average out what is particular to one."""

WEIGHT_SUM_BOUNDS = (0.9, 1.15)
"""Of all weights together: what a series that is as volatile as in its last year is forecast to be, in units of that."""

MIN_MONTH_RATIO = 0.2
"""Errors grow with the month's ratio, so pairs weigh 1/ratio², but none as if its month had been calmer than this."""

CalibrationBlock: TypeAlias = tuple[Regressors, FloatArray]
"""Regressors of some series, and the annualised volatility that followed each, both of shape (D, N)."""


class Calibration(NamedTuple):
    """A fit of one proxy's coefficients, and how it came about."""

    coefficients: Coefficients
    std_errors: FloatArray
    """Of the weights, (5,): Driscoll and Kraay's, over NEWEY_WEST_LAGS sessions; NaN for the market's weight where the proxy has none."""
    n_obs: int
    """Pairs of a day and a series."""
    n_days: int
    """Days with at least one pair."""
    n_symbols: int
    """Series with at least a year of pairs."""
    r_squared: float
    """In sample and weighted: of use for comparing fits to the same pairs, not for judging forecasts."""


def fit(blocks: Iterable[CalibrationBlock], *, proxy: str) -> Calibration:
    """Estimate one proxy's coefficients, and refuse those that would not be safe to forecast with.

    Takes and returns what `estimate` does.

    Raises
    ------
    CalibrationRejectedError
        If pairs cover less than 5 years of sessions or fewer than 20 series with a year each, if a
        weight is negative, or if their sum lies outside [0.9, 1.15].
    """
    calibration = estimate(blocks, proxy=proxy)
    needed = MIN_CALIBRATION_YEARS * SESSIONS_PER_YEAR
    if calibration.n_days < needed:
        raise CalibrationRejectedError(
            f"{calibration.n_days} sessions have pairs for {proxy}; {needed} required: import longer"
            " histories"
        )
    if calibration.n_symbols < MIN_CALIBRATION_SYMBOLS:
        raise CalibrationRejectedError(
            f"{calibration.n_symbols} series have a year of pairs for {proxy};"
            f" {MIN_CALIBRATION_SYMBOLS} required: import prices of more symbols"
        )
    weights = calibration.coefficients.weights
    if (weights < 0.0).any():
        listed = ", ".join(f"{weight:.3f}" for weight in weights)
        raise CalibrationRejectedError(
            f"the fit for {proxy} has a negative weight ({listed}); keep the version in use"
        )
    lowest, highest = WEIGHT_SUM_BOUNDS
    if not lowest <= weights.sum() <= highest:
        raise CalibrationRejectedError(
            f"the weights for {proxy} sum to {weights.sum():.3f}, outside {lowest} to {highest}; keep"
            " the version in use"
        )
    return calibration


def estimate(blocks: Iterable[CalibrationBlock], *, proxy: str) -> Calibration:
    r"""Estimate one proxy's coefficients by weighted least squares over all pairs of a day and a series at once.

    Parameters
    ----------
    blocks : iterable of (Regressors, (D, N) array)
        Regressors and what followed them, of the same D days and other series in each block; of a
        block only its pairs are kept. What followed is the annualised root mean square of the
        returns of the 21 sessions after each day; NaN leaves the pair out, so a calibration for day
        t has NaN after t - 21.
    proxy : str
        One of `PROXIES`: the pairs whose regressors are of it take part, if their level rests on at
        least 126 returns. Regressors made without ranges, or without a market, let all pairs serve
        a plainer proxy.

    Returns
    -------
    Calibration
        The target is realized / (sqrt(252) L), the weight :math:`1/\max(x_{month}, 0.2)^2`. The
        residual variance is the mean of (target/q)² - 1 over all pairs, q clipped as in a forecast:
        then the mean of (realized/risk)² is 1, which of all multiples of the forecast has the least
        QLIKE.

    Raises
    ------
    ValueError
        If the arrays of a block do not have one shape, or the proxy is not known.
    CalibrationRejectedError
        If no pair is left.

    Notes
    -----
    Targets of neighbouring days share 20 of 21 returns and all series share the market, so that
    classical standard errors would be too small by far: these are of sums over all series of a day,
    correlated over NEWEY_WEST_LAGS sessions.

    References
    ----------
    Driscoll and Kraay (1998), Consistent covariance matrix estimation with spatially dependent
    panel data, Review of Economics and Statistics 80(4). Patton (2011), Volatility forecast
    comparison using imperfect volatility proxies, Journal of Econometrics 160(1).
    """
    parts, n_symbols, n_rows = [], 0, 0
    for inputs, realized in blocks:
        pairs = _usable_pairs(inputs, realized, proxy)
        columns = [np.ones(inputs.level.shape), inputs.day, inputs.week, inputs.month]
        columns += [] if proxy == "close" else [inputs.market]
        target = realized[pairs] / (math.sqrt(SESSIONS_PER_YEAR) * inputs.level[pairs])
        parts.append(
            (np.column_stack([column[pairs] for column in columns]), target, np.nonzero(pairs)[0])
        )
        n_symbols += int((pairs.sum(axis=0) >= SESSIONS_PER_YEAR).sum())
        n_rows += len(target)
    if not n_rows:
        raise CalibrationRejectedError(
            f"no pair of a day and a series has the inputs of proxy {proxy}; import more prices"
        )
    return _weighted_least_squares(
        *(np.concatenate(of) for of in zip(*parts, strict=True)), n_symbols=n_symbols
    )


def _weighted_least_squares(
    x: FloatArray, target: FloatArray, day: IntArray, *, n_symbols: int
) -> Calibration:
    """Regress the targets (K,) on x (K, 4 or 5): a constant, the day's, the week's, the month's and the market's ratio."""
    import statsmodels.api as sm  # slow to import, and needed by few

    result = sm.WLS(target, x, weights=np.maximum(x[:, 3], MIN_MONTH_RATIO) ** -2.0).fit()
    robust = result.get_robustcov_results(
        "hac-groupsum", time=day - day.min(), maxlags=NEWEY_WEST_LAGS, use_correction=False
    )
    ratio = np.clip(result.fittedvalues, MIN_RATIO, MAX_RATIO)
    weights, std_errors = np.zeros(5), np.full(5, np.nan)
    weights[: x.shape[1]], std_errors[: x.shape[1]] = result.params, robust.bse
    return Calibration(
        Coefficients(weights, float(np.mean((target / ratio) ** 2) - 1.0)),
        std_errors,
        n_obs=len(target),
        n_days=len(np.unique(day)),
        n_symbols=n_symbols,
        r_squared=float(result.rsquared),
    )


def _usable_pairs(inputs: Regressors, realized: FloatArray, proxy: str) -> BoolArray:
    """Pairs that have a target and whose regressors, of this proxy, are all known."""
    if realized.shape != inputs.level.shape:
        raise ValueError(
            f"realized must have the regressors' shape {inputs.level.shape}, not {realized.shape}"
        )
    if proxy not in PROXIES:
        raise ValueError(f"proxy must be one of {', '.join(PROXIES)}, not {proxy!r}")
    usable: BoolArray = (
        (inputs.proxy == PROXIES.index(proxy))
        & (inputs.level > 0.0)
        & ~inputs.short_history
        & ~inputs.no_price_movement
    )
    for values in (realized, inputs.week, inputs.month):
        usable &= np.isfinite(values)
    return usable

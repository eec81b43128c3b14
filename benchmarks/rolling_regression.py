"""Time of a year of rolling betas with p-values: 5,000 symbols x 252 sessions x 90 returns.

Compares `rolling_ols` with the usual alternatives. Slower methods run on a sample and are
extrapolated, as the table states. Data are simulated, with 1% missing.
"""

import warnings
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
import statsmodels.api as sm
from statsmodels.regression.rolling import RollingOLS

from benchmarks import measure
from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.reference_ols import ReferenceFit, statsmodels_ols
from riskmetrics.metrics.regression import OLS, rolling_ols

WINDOW, MIN_OBS = 90, 60


class Size(NamedTuple):
    """Number of regressions, samples for slower methods, and repetitions."""

    symbols: int = 5_000
    sessions: int = 252
    sampled_fits: int = 400
    sampled_symbols: int = 4
    repeats: int = 5


QUICK = Size(symbols=20, sessions=10, sampled_fits=5, sampled_symbols=1, repeats=1)


def report(quick: bool) -> str:
    """Time all methods, and compare the results with statsmodels."""
    size = QUICK if quick else Size()
    returns, market = simulate_returns(size)
    rng = np.random.default_rng(1)
    days, symbols = (
        rng.integers(0, size.sessions, size.sampled_fits),
        rng.integers(0, size.symbols, size.sampled_fits),
    )
    spans = [
        (returns[day : day + WINDOW, symbol], market[day : day + WINDOW])
        for day, symbol in zip(days, symbols, strict=True)
    ]
    ours = partial(rolling_ols, returns, market, window=WINDOW, min_obs=MIN_OBS)
    fits, theirs = ours(), statsmodels_fits(spans)  # the first calls also import
    frame, series = pd.DataFrame(returns), pd.Series(market)
    ways: dict[str, tuple[Callable[[], object], float, str]] = {
        "riskmetrics": (ours, 1, "measured"),
        "pandas rolling cov/var, beta only": (
            partial(rolling_pandas, frame, series),
            1,
            "measured",
        ),
        "statsmodels RollingOLS": (
            partial(rolling_statsmodels, returns[:, : size.sampled_symbols], market),
            size.symbols / size.sampled_symbols,
            f"from {size.sampled_symbols} symbols",
        ),
        "statsmodels OLS in a loop": (
            partial(statsmodels_fits, spans),
            size.symbols * size.sessions / size.sampled_fits,
            f"from {size.sampled_fits} fits",
        ),
    }
    costs: dict[str, list[measure.Cost]] = {name: [] for name in ways}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # RollingOLS divides by zero before its first full window
        for _ in range(size.repeats):
            for name, (way, _, _) in ways.items():
                costs[name].append(measure.measure_cost(way))
    seconds = {
        name: measure.median_cost(costs[name]).client * times
        for name, (_, times, _) in ways.items()
    }
    lines = [
        (
            name,
            f"{seconds[name]:,.2f}",
            f"{seconds[name] / seconds['riskmetrics']:,.0f}x",
            f"{measure.median_cost(costs[name]).peak:,.0f}",
            basis,
        )
        for name, (_, _, basis) in ways.items()
    ]
    cost = measure.median_cost(costs["riskmetrics"])
    wanted = [
        measure.Target(
            "speedup over a statsmodels loop",
            300,
            seconds["statsmodels OLS in a loop"] / cost.client,
        ),
        measure.Target("seconds", 1.5, cost.client, is_upper_limit=True),
        measure.Target("peak memory, MB", 1_000, cost.peak, is_upper_limit=True),
    ]
    return f"""## Regressions

{size.symbols * size.sessions:,} regressions of {WINDOW} returns: {size.symbols:,} symbols on
{size.sessions} sessions, with p-values and 1% missing returns. CPU seconds of all threads, medians
of {size.repeats}; memory is the peak of the process, including interpreter and returns.
{_agreement(fits, theirs, days, symbols)}

{measure.markdown_table(["", "seconds", "ratio", "peak MB", "basis"], lines)}

{measure.targets_table(wanted)}
"""


def simulate_returns(size: Size) -> tuple[FloatArray, FloatArray]:
    """Return simulated daily returns of symbols, with gaps, and of the market."""
    rng = np.random.default_rng(252)
    periods = size.sessions + WINDOW - 1
    market = rng.normal(0.0004, 0.01, periods)
    returns = market[:, np.newaxis] * rng.normal(1.0, 0.4, size.symbols) + rng.normal(
        0.0, 0.018, (periods, size.symbols)
    )
    returns[rng.random(returns.shape) < 0.01] = np.nan
    return returns, market


def statsmodels_fits(spans: list[tuple[FloatArray, FloatArray]]) -> list[ReferenceFit]:
    """Fit each window separately with statsmodels."""
    return [statsmodels_ols(y, x) for y, x in spans]


def rolling_statsmodels(returns: FloatArray, market: FloatArray) -> None:
    """Fit symbols with RollingOLS of statsmodels, with p-values."""
    for each in returns.T:
        fit = RollingOLS(
            each, sm.add_constant(market), window=WINDOW, min_nobs=MIN_OBS, missing="drop"
        ).fit()
        _ = fit.params, fit.rsquared, fit.bse, fit.pvalues  # lazy properties


def rolling_pandas(returns: pd.DataFrame, market: "pd.Series[float]") -> pd.DataFrame:
    """Compute beta only, as rolling covariance over variance; inexact if returns are missing."""
    return (
        returns.rolling(WINDOW, min_periods=MIN_OBS)
        .cov(market)
        .div(market.rolling(WINDOW, min_periods=MIN_OBS).var(), axis=0)
    )


def _agreement(fits: OLS, theirs: list[ReferenceFit], days: IntArray, symbols: IntArray) -> str:
    names = [name for name in OLS._fields if name != "n_obs"]
    worst = {
        name: np.max(
            np.abs(
                getattr(fits, name)[days, symbols] / [getattr(fit, name) for fit in theirs] - 1.0
            )
        )
        for name in names
    }
    differences = ", ".join(f"{name} {value:.0e}" for name, value in worst.items())
    return f"Largest relative differences from statsmodels in {len(theirs)} fits: {differences}."

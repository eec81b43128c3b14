"""How long a year of rolling betas takes: 5,000 symbols x 252 sessions x 90 returns, p-values included.

    python benchmarks/regression.py

Ours is compared with what one would write otherwise. Slower ways run on a part and are extrapolated, as the
table says. Times are processor seconds (all threads), the medians of several runs; data are simulated, 1 % missing.
"""

# ruff: noqa: T201 — printing is what a benchmark is for
import os
import platform
import statistics
import time
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.api as sm
from statsmodels.regression.rolling import RollingOLS

from riskmetrics.metrics.regression import OLS, rolling_ols

SYMBOLS, SESSIONS, WINDOW, MIN_OBS = 5_000, 252, 90, 60
FITS = SYMBOLS * SESSIONS
SAMPLED_FITS, SAMPLED_SYMBOLS = 400, 4

Windows = list[tuple[int, int]]


def simulate() -> tuple[np.ndarray, np.ndarray]:
    """Daily returns of a market and of symbols that follow it, with gaps in the symbols."""
    rng = np.random.default_rng(252)
    periods = SESSIONS + WINDOW - 1
    market = rng.normal(0.0004, 0.01, periods)
    returns = market[:, np.newaxis] * rng.normal(1.0, 0.4, SYMBOLS) + rng.normal(0.0, 0.018, (periods, SYMBOLS))
    returns[rng.random(returns.shape) < 0.01] = np.nan
    return returns, market


def median_seconds(run: Callable[[], object], repeats: int) -> float:
    """Median processor time of ``run``."""
    seconds = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        seconds.append(time.process_time() - start)
    return statistics.median(seconds)


def statsmodels_fits(returns: np.ndarray, market: np.ndarray, windows: Windows) -> np.ndarray:
    """Fit each (date, symbol) with statsmodels: rows in the order of OLS, without the count."""
    rows = []
    for day, symbol in windows:
        span = slice(day, day + WINDOW)
        fit = sm.OLS(returns[span, symbol], sm.add_constant(market[span]), missing="drop").fit()
        rows.append((fit.params[1], fit.params[0], fit.rsquared, fit.bse[1], fit.pvalues[1]))
    return np.array(rows)


def rolling_statsmodels(returns: np.ndarray, market: np.ndarray) -> None:
    """Fit some symbols with statsmodels' own rolling estimator, p-values included."""
    for symbol in range(SAMPLED_SYMBOLS):
        fit = RollingOLS(returns[:, symbol], sm.add_constant(market), window=WINDOW, min_nobs=MIN_OBS, missing="drop").fit()
        _ = fit.params, fit.rsquared, fit.bse, fit.pvalues  # computed when asked for


def rolling_pandas(returns: pd.DataFrame, market: pd.Series) -> pd.DataFrame:
    """Divide rolling covariance by rolling variance: beta only, and with gaps not even of the same pairs."""
    return returns.rolling(WINDOW, min_periods=MIN_OBS).cov(market).div(market.rolling(WINDOW, min_periods=MIN_OBS).var(), axis=0)


def peak_megabytes(run: Callable[[], object]) -> float:
    """Memory that ``run`` allocates at its peak, results included."""
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def processor() -> str:
    """Name of the processor, where the system tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    names = (
        [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        if cpuinfo.exists()
        else []
    )
    return names[0] if names else platform.processor() or platform.machine()


def main() -> None:
    """Time every way, compare ours with statsmodels, print both."""
    returns, market = simulate()
    rng = np.random.default_rng(1)
    windows = list(zip(rng.integers(0, SESSIONS, SAMPLED_FITS).tolist(), rng.integers(0, SYMBOLS, SAMPLED_FITS).tolist(), strict=True))

    def ours() -> OLS:
        return rolling_ols(returns, market, window=WINDOW, min_obs=MIN_OBS)

    fits = ours()  # the first call also imports
    frame, series = pd.DataFrame(returns), pd.Series(market)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # RollingOLS divides by zero before its first full window
        timings = [
            ("riskmetrics", median_seconds(ours, 5), "measured"),
            ("pandas rolling cov/var, beta only", median_seconds(lambda: rolling_pandas(frame, series), 3), "measured"),
            (
                "statsmodels RollingOLS",
                median_seconds(lambda: rolling_statsmodels(returns, market), 3) / SAMPLED_SYMBOLS * SYMBOLS,
                f"from {SAMPLED_SYMBOLS} symbols",
            ),
            (
                "statsmodels OLS in a loop",
                median_seconds(lambda: statsmodels_fits(returns, market, windows), 3) / SAMPLED_FITS * FITS,
                f"from {SAMPLED_FITS} fits",
            ),
        ]
    theirs = statsmodels_fits(returns, market, windows)

    print(f"{FITS:,} regressions of {WINDOW} returns")
    print(f"{'':36}{'seconds':>10}{'ratio':>9}")
    for name, seconds, basis in timings:
        print(f"{name:36}{seconds:10,.2f}{seconds / timings[0][1]:8,.0f}x  {basis}")
    print(f"peak memory of ours: {peak_megabytes(ours):,.0f} MB, of it {sum(values.nbytes for values in fits) / 1e6:,.0f} MB results")
    print(f"largest relative difference to statsmodels in {SAMPLED_FITS} fits:")
    for index, name in enumerate(OLS._fields[:-1]):
        mine = np.array([fits[index][window] for window in windows])
        print(f"  {name:12}{np.max(np.abs(mine / theirs[:, index] - 1.0)):.1e}")
    print(f"python {platform.python_version()}, numpy {np.__version__}, {processor()}, {os.cpu_count()} cores")


if __name__ == "__main__":
    main()

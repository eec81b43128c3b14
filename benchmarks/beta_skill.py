"""Score of 90-session betas, raw and Vasicek-adjusted, as forecasts of next-window betas.

    python -m benchmarks.beta_skill PRICES [--market SPY] [--json FILE]

PRICES is a CSV or Parquet file in the format of `riskmetrics import prices`. Windows do not
overlap: the beta of each window is compared with the beta of the next 90 sessions. Prints the ratio
of mean squared errors, adjusted to raw, with the t statistic of the difference over windows, and
the share of next-window betas within 1.96 standard errors, unscaled and times 1.4.
"""

# ruff: noqa: T201 — a benchmark prints its results
import argparse
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from riskmetrics import panels, trading_calendar
from riskmetrics.metrics.regression import rolling_ols
from riskmetrics.metrics.shrinkage import vasicek
from riskmetrics.present.formatting import NEXT_WINDOW_STD_ERRORS
from riskmetrics.results.betas import BETA_WINDOW, MIN_PAIRED_RETURNS
from riskmetrics.sources import files

_Z_95 = 1.96
"""Two-sided 95% quantile of the standard normal distribution."""


class BetaForecastScore(NamedTuple):
    """Score of betas as forecasts of next-window betas."""

    pairs: int
    mse_ratio: float
    """Mean squared error of the adjusted beta over that of the raw beta."""
    t: float
    """t statistic of the difference of squared errors over windows; negative: adjusted wins."""
    within: float
    """Share of next-window betas within 1.96 standard errors of the raw beta."""
    within_scaled: float
    """The same share with standard errors times `formatting.NEXT_WINDOW_STD_ERRORS`."""


def score_beta_forecasts(prices: Path, market: str) -> BetaForecastScore:
    """Compare the beta of each symbol and window with that of the next window."""
    rows = files.read_prices(prices).rows
    days = trading_calendar.sessions_between(rows["date"].min(), rows["date"].max())
    closes = panels.pivot_to_panel(rows, days, sorted(set(rows["symbol"])), "adj_close")
    returns = panels.clean_returns(closes)
    stocks = [symbol for symbol in closes.columns if symbol != market]
    values = returns.frame[stocks].to_numpy()
    fits = rolling_ols(
        values, returns.column(market), window=BETA_WINDOW, min_obs=MIN_PAIRED_RETURNS
    )
    raw, error = fits.beta[::BETA_WINDOW], fits.std_error[::BETA_WINDOW]
    adjusted = vasicek(raw, error).beta
    next_beta = raw[1:]
    squared = [(of[:-1] - next_beta) ** 2 for of in (adjusted, raw)]
    difference = np.nanmean(squared[0] - squared[1], axis=1)
    distance = np.abs(next_beta - raw[:-1]) / error[:-1]
    is_finite = np.isfinite(distance)
    return BetaForecastScore(
        pairs=int(is_finite.sum()),
        mse_ratio=float(np.nanmean(squared[0]) / np.nanmean(squared[1])),
        t=float(difference.mean() / (difference.std(ddof=1) / np.sqrt(len(difference)))),
        within=float((distance[is_finite] <= _Z_95).mean()),
        within_scaled=float((distance[is_finite] <= NEXT_WINDOW_STD_ERRORS * _Z_95).mean()),
    )


def main() -> None:
    """Score the betas of a price file and print the result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("prices", type=Path)
    parser.add_argument("--market", default="SPY")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    skill = score_beta_forecasts(options.prices, options.market)
    print(f"{skill.pairs} pairs of consecutive windows of {BETA_WINDOW} sessions")
    print(f"MSE ratio, Vasicek-adjusted to raw beta: {skill.mse_ratio:.3f} (t = {skill.t:.1f})")
    print(
        f"next-window beta within 1.96 standard errors: {skill.within:.0%}; within"
        f" {NEXT_WINDOW_STD_ERRORS} times that: {skill.within_scaled:.0%}"
    )
    if options.json:
        options.json.write_text(json.dumps(skill._asdict()))


if __name__ == "__main__":
    main()

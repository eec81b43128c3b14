"""How well a 90-session beta tells the next window's: raw and Vasicek-adjusted, on any file of prices.

    python -m benchmarks.beta_skill PRICES [--market SPY] [--json FILE]

PRICES is a CSV or Parquet file that `riskmetrics import prices` takes. Windows do not overlap: the
beta of one is compared with the regression over the next 90 sessions. Prints the mean squared error
of the adjusted beta over that of the raw one, with a t of the difference over sessions, and how
often the next beta lies within 1.96 standard errors, as they are and times 1.4.
"""

# ruff: noqa: T201 — printing is what a benchmark is for
import argparse
import json
from pathlib import Path
from typing import NamedTuple

import numpy as np

from riskmetrics import panels, trading_calendar
from riskmetrics.metrics.regression import rolling_ols
from riskmetrics.metrics.shrinkage import vasicek
from riskmetrics.report.formatting import NEXT_WINDOW_STD_ERRORS
from riskmetrics.results.betas import BETA_WINDOW, MIN_PAIRED_RETURNS
from riskmetrics.sources import files

_Z_95 = 1.96
"""Standard errors within which 95 % of a normal lie."""


class BetaForecastScore(NamedTuple):
    """What the betas of one window tell of the next one's."""

    pairs: int
    mse_ratio: float
    """Mean squared error of the adjusted beta over that of the raw one."""
    t: float
    """Of the difference of squared errors, averaged over symbols, over windows; negative: adjusted is better."""
    within: float
    """Share of next betas within 1.96 standard errors of the raw beta."""
    within_scaled: float
    """The same with standard errors times `formatting.NEXT_WINDOW_STD_ERRORS`."""


def score_beta_forecasts(prices: Path, market: str) -> BetaForecastScore:
    """Compare each symbol's beta with that of the next window."""
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
    """Print what was measured."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("prices", type=Path)
    parser.add_argument("--market", default="SPY")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    skill = score_beta_forecasts(options.prices, options.market)
    print(f"{skill.pairs} pairs of neighboring windows of {BETA_WINDOW} sessions")
    print(
        f"squared error of the Vasicek-adjusted beta over the raw one's: {skill.mse_ratio:.3f} (t"
        f" {skill.t:.1f})"
    )
    print(
        f"next beta within 1.96 standard errors: {skill.within:.0%}; times"
        f" {NEXT_WINDOW_STD_ERRORS}: {skill.within_scaled:.0%}"
    )
    if options.json:
        options.json.write_text(json.dumps(skill._asdict()))


if __name__ == "__main__":
    main()

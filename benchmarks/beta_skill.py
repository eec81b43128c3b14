"""Score betas as forecasts of the betas of the next 90 sessions.

    python -m benchmarks.beta_skill PRICES [--market SPY] [--since 2021-01-01] [--json FILE]

PRICES is a CSV or Parquet file in the format of `riskmetrics import prices`. On every session the
exponentially weighted, the Vasicek-adjusted and the raw 90-session beta are compared with the raw
beta of the next 90 sessions. Prints the ratios of mean squared errors to the raw beta, with Diebold
and Mariano's t (Newey-West, 90 lags: neighboring targets overlap), and the share of next betas
within 1.96 standard errors.
"""

# ruff: noqa: T201 — a benchmark prints its results
import argparse
import json
from datetime import date
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from benchmarks.price_panels import pivot_rows
from riskmetrics import panels, trading_calendar
from riskmetrics.metrics._typing import FloatArray
from riskmetrics.metrics.decayed_beta import DECAYED_WINDOW, Z_95, decayed_beta
from riskmetrics.metrics.forecast_comparison import diebold_mariano
from riskmetrics.metrics.regression import rolling_ols
from riskmetrics.metrics.shrinkage import vasicek
from riskmetrics.results.betas import BETA_WINDOW, MIN_PAIRED_RETURNS
from riskmetrics.sources import files


class BetaForecastScore(NamedTuple):
    """Score of a beta as a forecast of the next beta."""

    forecasts: int
    mse_ratio: float
    """Mean squared error over that of the raw beta."""
    t: float
    """Statistic of Diebold and Mariano; negative: better than the raw beta."""
    within: float
    """Share of next betas within 1.96 standard errors of the forecast."""


def score_beta_forecasts(
    prices: Path, market: str, since: date | None = None
) -> dict[str, BetaForecastScore]:
    """Score the betas of every symbol and session, by method; all on the same forecasts."""
    rows = files.read_prices(prices).rows
    days = trading_calendar.sessions_between(rows["date"].min(), rows["date"].max())
    closes = pivot_rows(rows, days, sorted(set(rows["symbol"])), "adj_close")
    returns = panels.clean_returns(closes)
    symbols = [symbol for symbol in closes.columns if symbol != market]
    values, index = returns.frame[symbols].to_numpy(), returns.column(market)
    fits = rolling_ols(values, index, window=BETA_WINDOW, min_obs=MIN_PAIRED_RETURNS)
    padding = np.full((DECAYED_WINDOW - BETA_WINDOW, len(symbols)), np.nan)
    decayed = decayed_beta(
        np.vstack([padding, values]),
        np.concatenate([padding[:, 0], index]),
        min_obs=MIN_PAIRED_RETURNS,
    )
    days_of_forecasts = returns.frame.index[BETA_WINDOW - 1 : -BETA_WINDOW]
    is_scored = days_of_forecasts >= pd.Timestamp(since or days[0])
    actual = np.where(np.isfinite(decayed.beta[:-BETA_WINDOW]), fits.beta[BETA_WINDOW:], np.nan)

    def score(beta: FloatArray, std_error: FloatArray) -> BetaForecastScore:
        errors, of_raw = (
            (forecast[:-BETA_WINDOW] - actual)[is_scored] for forecast in (beta, fits.beta)
        )
        spread, known = Z_95 * std_error[:-BETA_WINDOW][is_scored], np.isfinite(errors)
        return BetaForecastScore(
            forecasts=int(known.sum()),
            mse_ratio=float(np.nanmean(errors**2) / np.nanmean(of_raw**2)),
            t=diebold_mariano(errors**2, of_raw**2, lags=BETA_WINDOW).t,
            within=float((np.abs(errors) <= spread)[known].mean()),
        )

    return {
        "raw": score(fits.beta, fits.std_error),
        "vasicek": score(*vasicek(fits.beta, fits.std_error)),
        "decayed": score(decayed.beta, decayed.forecast_std_error),
    }


def main() -> None:
    """Score the betas of a price file and print the result."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("prices", type=Path)
    parser.add_argument("--market", default="SPY")
    parser.add_argument("--since", type=date.fromisoformat)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    scores = score_beta_forecasts(options.prices, options.market, options.since)
    print(f"{scores['raw'].forecasts:,} forecasts of the beta of the next {BETA_WINDOW} sessions")
    print("| beta | MSE / raw | t | within 1.96 std errors |")
    print("| --- | ---: | ---: | ---: |")
    for method, score in scores.items():
        print(f"| {method} | {score.mse_ratio:.3f} | {score.t:.1f} | {score.within:.1%} |")
    if options.json:
        found = {method: score._asdict() for method, score in scores.items()}
        options.json.write_text(json.dumps(found))


if __name__ == "__main__":
    main()

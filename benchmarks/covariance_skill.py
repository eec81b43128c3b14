"""Score ex-ante volatilities of portfolios by covariance, on any file of prices.

    python -m benchmarks.covariance_skill PRICES [--market SPY] [--portfolios 40] [--exclude SPY]

PRICES is a CSV or Parquet file in the format of `riskmetrics import prices`. Random portfolios are
held at constant weights, a fifth of them with short positions. The variance of each by the sample
covariance of 252 sessions, and by the exponentially weighted one with and without shrinkage, is
compared with the realized variance of the next 21 sessions. Prints the mean QLIKE, its ratio to
that of equal weights with Diebold and Mariano's t, and the bias of the variance.
"""

# ruff: noqa: T201 — a benchmark prints its results
import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.forecast_models import random_weights
from benchmarks.forecast_skill import load_history
from riskmetrics.errors import RiskmetricsError
from riskmetrics.metrics._typing import FloatArray
from riskmetrics.metrics.decayed_covariance import COVARIANCE_HALF_LIFE, decayed_risk_contributions
from riskmetrics.metrics.forecast_comparison import diebold_mariano
from riskmetrics.metrics.forecast_score import FORECAST_HORIZON
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR
from riskmetrics.results.pro_forma import MIN_YEAR_OBS, YEAR_WINDOW


class CovarianceScore(NamedTuple):
    """Score of the variances by one covariance."""

    qlike: float
    ratio: float
    """QLIKE over that of equal weights."""
    t: float
    """Statistic of Diebold and Mariano; negative: better than equal weights."""
    bias: float
    """Sum of the forecast variances over that of the realized ones, minus 1."""


def forecast_variances(returns: FloatArray, weights: FloatArray) -> dict[str, FloatArray]:
    """Return variances per session of portfolios (P,), by covariance.

    ``returns`` (T, S) are those of a window, ``weights`` (P, S) those of the portfolios.
    """
    series = returns @ weights.T
    portfolio, column = np.nonzero(weights)
    shrunk = decayed_risk_contributions(
        series,
        np.ones_like(series),
        returns,
        weights[portfolio, column],
        column=column,
        portfolio=portfolio,
        min_obs=MIN_YEAR_OBS,
    )
    decay = 0.5 ** (np.arange(len(returns))[::-1] / COVARIANCE_HALF_LIFE)
    deviations = series - np.average(series, axis=0, weights=decay)
    return {
        "equal weights": series.var(axis=0, ddof=1),
        "exponentially weighted": np.average(deviations**2, axis=0, weights=decay),
        "exponentially weighted, shrunk": shrunk.volatility**2 / SESSIONS_PER_YEAR,
    }


def score_covariances(returns: FloatArray, weights: FloatArray) -> dict[str, CovarianceScore]:
    """Score the variances that every session of the returns (T, S) after the first year forecasts.

    Missing returns count as 0.
    """
    returns = np.nan_to_num(returns)
    squares = (returns @ weights.T) ** 2
    days = range(YEAR_WINDOW, len(returns) - FORECAST_HORIZON + 1)
    realized = np.array([squares[day : day + FORECAST_HORIZON].mean(axis=0) for day in days])
    found = [forecast_variances(returns[day - YEAR_WINDOW : day], weights) for day in days]
    forecasts = {name: np.array([by_name[name] for by_name in found]) for name in found[0]}
    losses = {
        name: realized / variance - np.log(realized / variance) - 1.0
        for name, variance in forecasts.items()
    }
    base = losses["equal weights"]
    return {
        name: CovarianceScore(
            float(loss.mean()),
            float(loss.mean() / base.mean()),
            diebold_mariano(loss, base).t,
            float(forecasts[name].sum() / realized.sum() - 1.0),
        )
        for name, loss in losses.items()
    }


def main(arguments: list[str] | None = None) -> None:
    """Score the covariances on a file of prices, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("prices", type=Path, help="daily prices, CSV or Parquet")
    parser.add_argument("--market", default="SPY", help="symbol of the market")
    parser.add_argument("--exclude", default="SPY,TLT", help="symbols that no portfolio holds")
    parser.add_argument("--portfolios", type=int, default=40, help="number of random portfolios")
    options = parser.parse_args(arguments)
    try:
        history = load_history(options.prices, options.market, set(options.exclude.split(",")))
    except RiskmetricsError as error:
        parser.exit(error.exit_code, f"{error}\n")
    weights = random_weights(len(history.symbols), options.portfolios)
    scores = score_covariances(history.returns, weights)
    print(
        f"{options.portfolios} portfolios of {len(history.symbols)} symbols of"
        f" {options.prices.name}, {history.days[YEAR_WINDOW]} to {history.days[-1]}\n"
    )
    print("| covariance | QLIKE | ratio | t | bias of variance |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, (qlike, ratio, t, bias) in scores.items():
        print(f"| {name} | {qlike:.4f} | {ratio:.3f} | {t:.1f} | {bias:+.1%} |")


if __name__ == "__main__":
    main()

"""Fit the versions of the volatility forecast that riskmetrics ships.

    python -m benchmarks.shipped_versions --closes CLOSES --bars BARS [BARS ...] [--out FILE]

CLOSES is a file of closes of 20 stocks and their index (`--market`) from 1990 on: the data sets
`sp500_dataset` and `sp500_index` of the library skfolio, as one long file. BARS are files with
opens, highs, lows, closes and volumes, each with SPY or another fund of the index; those of the
first count until the second begins. Each version is fitted to what ended before it is used: the
regression and the corrections of stocks and portfolios to CLOSES, the correction of series with
bars to BARS. Regressors from ranges have the weights of regressors from closes: histories of bars
are too short for a regression of their own, and these weights forecast as well (decision 43).
"""

# ruff: noqa: T201 — a benchmark prints its results
import argparse
import json
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import riskmetrics
from benchmarks.price_panels import pivot_rows
from riskmetrics import trading_calendar
from riskmetrics.errors import CalibrationRejectedError
from riskmetrics.metrics import calibration, har
from riskmetrics.metrics.forecast_score import HORIZONS
from riskmetrics.results.calibration_panels import CalibrationPanel
from riskmetrics.results.correction_fits import fit_corrections
from riskmetrics.results.model_versions import (
    STD_ERROR_COLUMNS,
    WEIGHT_COLUMNS,
    HorizonModel,
    ModelVersions,
    correction_row,
    parse_versions,
    version_digest,
)
from riskmetrics.sources import files

LAST_TARGETS = tuple(
    date.fromisoformat(day)
    for day in (
        *("2004-12-31", "2009-12-31", "2014-12-31", "2017-11-30"),
        *("2020-12-31", "2021-12-31", "2022-12-30", "2023-12-29", "2024-12-06"),
    )
)
"""Last session of the data of each version."""

EDITION = 2
"""Number in the names of versions. Rows of a version never change: new numbers need new names."""

OUT = Path(__file__).parents[1] / "migrations" / "data" / "l2d5a7c41e90.json"

_FORMER_NAMES = {"level": "constant"}
"""Columns whose name was another one when the file was written."""

_DECIMALS = 10
_PRICES = ("open", "high", "low", "close", "adj_close", "volume")


def load() -> ModelVersions:
    """Return the versions that riskmetrics ships, from the file of the migration."""
    content = json.loads(OUT.read_text())
    rows = pd.DataFrame(content["har_coefficients"]).assign(created_at="")
    for name in ("first_day", "last_target"):
        rows[name] = pd.to_datetime(rows[name])
    corrections = pd.DataFrame(content["variance_corrections"])
    return parse_versions(rows, corrections.rename(columns=_FORMER_NAMES))


def read_bars(path: Path, symbols: Sequence[str] | None = None) -> dict[str, pd.DataFrame]:
    """Return panels of a file of prices, sessions x symbols."""
    rows = files.read_prices(path).rows
    sessions = trading_calendar.sessions_between(rows["date"].min(), rows["date"].max())
    held = sorted(symbols or set(rows["symbol"]))
    return {name: pivot_rows(rows, sessions, held, name) for name in _PRICES}


def build_panel(
    bars: dict[str, pd.DataFrame], market: str, last: date, first: date | None = None
) -> CalibrationPanel | None:
    """Return the panel of the sessions from ``first`` to ``last``; None if there are too few."""
    chosen = {
        name: prices[(prices.index <= pd.Timestamp(last))
                     & (prices.index >= pd.Timestamp(first or date.min.replace(year=1970)))]
        for name, prices in bars.items()
    }  # fmt: skip
    if len(chosen["close"]) < har.LEVEL_WINDOW:
        return None
    return CalibrationPanel.build(chosen, market)


def fit_version(
    closes: CalibrationPanel, bars: Sequence[CalibrationPanel], last_target: date
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Fit a version; return its rows of `har_coefficients` and of `variance_corrections`."""
    rows: list[dict[str, Any]] = []
    correction_rows: list[dict[str, Any]] = []
    horizons: dict[int, HorizonModel] = {}
    for horizon in HORIZONS:
        fits = {proxy: _fit_proxy(closes, proxy, horizon) for proxy in ("close_market", "close")}
        of_ranges = fits["close_market"]._replace(std_errors=np.full(5, np.nan))
        fits["range_market"] = of_ranges
        coefficients = {proxy: _round(fit.coefficients) for proxy, fit in fits.items()}
        found = fit_corrections(closes, bars, coefficients, horizon)
        rows += [
            {"proxy": proxy, "horizon": horizon} | _fit_row(fit) for proxy, fit in fits.items()
        ]
        rows[-1] |= {"n_obs": None, "n_symbols": None}  # of ranges, which nothing was fitted to
        correction_rows += [
            {"series_class": name, "horizon": horizon, "n_obs": found.n_obs[name]}
            | {key: round(value, _DECIMALS) for key, value in correction_row(one).items()}
            for name, one in found.corrections.items()
        ]
        for name, why in found.rejections.items():
            print(f"{last_target}, {horizon} sessions: no correction of {name}: {why}")
        horizons[horizon] = HorizonModel(coefficients, _rounded(found.corrections))
    closes_days = closes.returns.frame.index[closes.returns.frame.notna().any(axis=1)]
    first_day = closes_days[0].date()
    digest = version_digest(horizons[21].coefficients, first_day, last_target, horizons)
    version = {
        "version": f"shipped-{last_target:%Y-%m}.{EDITION}",
        "first_day": first_day.isoformat(),
        "last_target": last_target.isoformat(),
        "digest": digest,
        "code_version": riskmetrics.__version__,
    }
    return [version | row for row in rows], [
        {"version": version["version"]} | row for row in correction_rows
    ]


def _fit_proxy(panel: CalibrationPanel, proxy: str, horizon: int) -> calibration.Calibration:
    """Return the fit of a proxy."""
    blocks = ((block.inputs, block.outcomes[horizon]) for block in panel.stock_blocks(proxy))
    return calibration.fit(blocks, proxy=proxy, horizon=horizon)


def _round(coefficients: har.Coefficients) -> har.Coefficients:
    return har.Coefficients(
        np.round(coefficients.weights, _DECIMALS), round(coefficients.residual_variance, _DECIMALS)
    )


def _rounded(corrections: dict[str, Any]) -> dict[str, Any]:
    return {
        name: type(one)(*(np.round(value, _DECIMALS) for value in one))
        for name, one in corrections.items()
    }


def _fit_row(fit: calibration.Calibration) -> dict[str, Any]:
    numbers = dict(zip(WEIGHT_COLUMNS, _round(fit.coefficients).weights.tolist(), strict=True))
    errors = {
        name: None if np.isnan(error) else round(float(error), _DECIMALS)
        for name, error in zip(STD_ERROR_COLUMNS, fit.std_errors, strict=True)
    }
    variance = _round(fit.coefficients).residual_variance
    return numbers | {"residual_variance": variance, **errors, "n_obs": fit.n_obs,
                      "n_symbols": fit.n_symbols}  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit every version and write them to a file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--closes", type=Path, required=True)
    parser.add_argument("--market", default="SPX", help="symbol of the index in CLOSES")
    parser.add_argument("--bars", type=Path, nargs="*", default=[])
    parser.add_argument("--bars-markets", nargs="*", default=["IVV", "SPY"])
    parser.add_argument("--bars-funds", default="TLT", help="other symbols that are no stocks")
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args(arguments)
    funds = set(options.bars_funds.split(","))
    closes = read_bars(options.closes)
    of_bars = [
        {name: prices.drop(columns=list(funds & set(prices))) for name, prices in bars.items()}
        for bars in map(read_bars, options.bars)
    ]
    coefficients: list[dict[str, Any]] = []
    corrections: list[dict[str, Any]] = []
    for last in LAST_TARGETS:
        own = _bar_panels(of_bars, options.bars_markets, last)
        panel = build_panel(closes, options.market, last)
        if panel is None:
            raise CalibrationRejectedError(f"{options.closes} has too few sessions up to {last}")
        rows, correction_rows = fit_version(panel, own, last)
        coefficients += rows
        corrections += correction_rows
        print(f"{last}: {len(rows)} rows of coefficients, {len(correction_rows)} corrections")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    content = {"har_coefficients": coefficients, "variance_corrections": corrections}
    options.out.write_text(json.dumps(content, indent=0, sort_keys=True) + "\n")


def _bar_panels(
    of_bars: list[dict[str, pd.DataFrame]], markets: Sequence[str], last: date
) -> list[CalibrationPanel]:
    """Return the panels of the files of bars; a file ends where the features of the next begin."""
    found = []
    for at, (bars, market) in enumerate(zip(of_bars, markets, strict=False)):
        end = last
        if at + 1 < len(of_bars):
            following = of_bars[at + 1]["close"].index
            end = min(last, following[har.LEVEL_WINDOW + 1].date())
        panel = build_panel(bars, market, end)
        if panel is not None:
            found.append(panel)
    return found


if __name__ == "__main__":
    main()

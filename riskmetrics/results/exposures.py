"""Sector weights relative to the benchmark, and concentration."""

import json
from collections.abc import Sequence
from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd

from riskmetrics.metrics import concentration as metrics
from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.results.snapshots import DAY_COLUMN
from riskmetrics.results.undefined_reasons import Reason, first_reason_texts, undefined_rows
from riskmetrics.results.valuation import Valuation

ETF, UNCLASSIFIED = "ETF", "Unclassified"
"""Sectors in addition to the GICS ones: funds, and symbols without a profile."""

_COLUMNS = (
    "sector_exposure",
    "hhi",
    "effective_num_positions",
    "top_3_concentration",
    "top_10_concentration",
)
EXPOSURE_METRICS = [
    *(f"portfolio_snapshots.{name}" for name in _COLUMNS),
    *(f"portfolio_sector_weights.{name}" for name in ("net_weight", "active_weight")),
]


def sector_rows(
    valuation: Valuation, profiles: pd.DataFrame, benchmark: pd.DataFrame, benchmark_code: str
) -> pd.DataFrame:
    """Return rows of `portfolio_sector_weights` for the sectors of portfolios and benchmark.

    Parameters
    ----------
    valuation : Valuation
        Holdings without a value are left out.
    profiles : DataFrame by symbol
        sector, is_etf, is_fund.
    benchmark : DataFrame
        Weights as fractions, as-of dates x sectors, in order; may be empty.
    benchmark_code : str
        Code of the benchmark.

    Returns
    -------
    DataFrame
        Weights as fractions: gross weight in gross value, net weight in
        `Valuation.weight_denominator` (NaN where it is NaN), benchmark weight, and active weight
        (net less benchmark); the last two are NaN before the first as-of date. A portfolio with too
        few prices has no row.
    """
    sector_names = instrument_sectors(valuation.instruments, profiles)
    names = sorted(set(sector_names) | set(benchmark.columns))
    sector = pd.Index(names).get_indexer(pd.Index(sector_names)).astype(np.int64)
    values, cell, n_cells = _cells(valuation)
    cell_sectors = np.repeat(sector, len(valuation.sessions))
    counts = {"n_portfolios": n_cells, "n_sectors": len(names)}
    gross = metrics.sector_weights(values, cell, cell_sectors, **counts)
    net = metrics.sector_values(values, cell, cell_sectors, **counts)
    benchmark_weights, asof_dates = _latest_benchmark_weights(valuation.sessions, benchmark, names)
    # no row for a sector of neither the portfolio nor the benchmark, or a portfolio without value
    cell_index, sector_index = np.nonzero(
        (gross > 0)
        | ((np.tile(benchmark_weights, (len(valuation.portfolios), 1)) > 0) & ~np.isnan(gross))
    )
    portfolio, day = np.divmod(cell_index, len(valuation.sessions))
    net_weight = net[cell_index, sector_index] / valuation.weight_denominator[portfolio, day]
    weight = benchmark_weights[day, sector_index]
    rows = pd.DataFrame(
        {
            "portfolio_id": valuation.portfolios["portfolio_id"].to_numpy()[portfolio],
            "day": pd.to_datetime(valuation.sessions).to_numpy()[day],
            "sector": np.array(names, dtype=object)[sector_index],
            "gross_weight": gross[cell_index, sector_index],
            "net_weight": net_weight,
            "benchmark_weight": weight,
            "active_weight": net_weight - weight,
            "benchmark_asof": asof_dates[day],
        }
    ).astype({"sector": "str"})
    rows["benchmark_code"] = pd.Series(benchmark_code, index=rows.index, dtype="str").where(
        rows["benchmark_asof"].notna()
    )
    return rows


def concentration_rows(
    valuation: Valuation, sectors: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the sector and concentration columns of snapshots, and reasons of undefined values.

    ``sectors`` are the `sector_rows` of the same valuation.
    """
    values, cell, n_cells = _cells(valuation)
    found = metrics.concentration(values, cell, n_cells)
    rows = valuation.to_frame(
        {
            name: values.reshape(valuation.net.shape)
            for name, values in zip(_COLUMNS[1:], found, strict=True)
        },
        DAY_COLUMN,
    )
    rows["sector_exposure"] = pd.Series(
        _gross_weights_json(sectors), index=rows.index[rows["hhi"].notna()], dtype="str"
    ).reindex(rows.index)
    *gates, too_little_equity = valuation.common_reasons
    empty = Reason("the portfolio holds nothing with a value")
    reasons = valuation.undefined_reasons(found.hhi.reshape(valuation.net.shape), *gates, empty)
    undefined = undefined_rows(
        rows,
        "portfolio_snapshots",
        dict.fromkeys(_COLUMNS, reasons),
        subject="portfolio_id",
        day=DAY_COLUMN,
    )
    unmatched = sectors[sectors["active_weight"].isna()].drop_duplicates(["portfolio_id", "day"])
    no_benchmark = "no benchmark sector weights are stored for the day or earlier"
    portfolio = pd.Index(valuation.portfolios["portfolio_id"]).get_indexer(
        pd.Index(unmatched["portfolio_id"])
    )
    day = pd.DatetimeIndex(pd.to_datetime(valuation.sessions)).get_indexer(
        pd.DatetimeIndex(unmatched["day"])
    )
    equity = first_reason_texts(np.ones(valuation.net.shape, dtype=bool), too_little_equity)[
        portfolio, day
    ]
    net = pd.Series(equity, index=unmatched.index, dtype="str").where(
        unmatched["net_weight"].isna()
    )
    weight_reasons = {"net_weight": net, "active_weight": net.fillna(no_benchmark)}
    active = undefined_rows(
        unmatched,
        "portfolio_sector_weights",
        weight_reasons,
        subject="portfolio_id",
        day="day",
    )
    return rows, pd.concat([undefined, active], ignore_index=True)


def _gross_weights_json(sectors: pd.DataFrame) -> list[str]:
    """Return the gross weights of each portfolio and day as JSON, in the order of the rows."""
    held = sectors[sectors["gross_weight"] > 0]
    quoted = {name: json.dumps(name) for name in held["sector"].unique()}
    pairs = [
        f"{quoted[name]}: {weight!r}"
        for name, weight in zip(held["sector"], held["gross_weight"].tolist(), strict=True)
    ]
    first = np.flatnonzero(~held.duplicated(["portfolio_id", "day"]))
    return [f"{{{', '.join(pairs[start:end])}}}" for start, end in pairwise([*first, len(pairs)])]


def instrument_sectors(instruments: pd.DataFrame, profiles: pd.DataFrame) -> list[str]:
    """Return the sector of each instrument; an option has the sector of its underlying."""
    known = profiles.reindex(instruments["underlying"])
    fund = known["is_etf"].eq(other=True) | known["is_fund"].eq(other=True)
    return known["sector"].fillna(UNCLASSIFIED).mask(fund, ETF).tolist()


def _cells(valuation: Valuation) -> tuple[FloatArray, IntArray, int]:
    """Flatten instruments x sessions into values with the cell (portfolio and day) of each.

    Values are NaN where too few instruments have a price.
    """
    n_days = len(valuation.sessions)
    cell = valuation.instrument_portfolio[:, None] * n_days + np.arange(n_days)
    is_shown = valuation.has_prices & valuation.is_valued
    values = np.where(is_shown[valuation.instrument_portfolio], valuation.values, np.nan)
    return values.ravel(), cell.ravel(), len(valuation.portfolios) * n_days


def _latest_benchmark_weights(
    sessions: Sequence[date], benchmark: pd.DataFrame, names: list[str]
) -> tuple[FloatArray, "pd.DatetimeIndex"]:
    """Return the latest weights (D, S) at or before each day, and their dates; NaN, NaT if none."""
    latest = (
        pd.DatetimeIndex(benchmark.index).searchsorted(pd.to_datetime(list(sessions)), side="right")
        - 1
    )
    known = np.vstack(
        [
            benchmark.reindex(columns=names).fillna(0.0).to_numpy(float),
            np.full((1, len(names)), np.nan),
        ]
    )
    return known[latest], pd.DatetimeIndex([*benchmark.index, pd.NaT])[latest]

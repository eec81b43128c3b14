"""Sector weights beside the benchmark's, and concentration."""

import json

import numpy as np
import pandas as pd

from riskmetrics import panels
from riskmetrics.metrics import concentration as metrics
from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.results.snapshots import DAY
from riskmetrics.results.valuation import Valuation

ETF, UNCLASSIFIED = "ETF", "Unclassified"
"""Sectors of our own, apart from the GICS ones: funds, and what has no profile."""

_COLUMNS = ("sector_exposure", "hhi", "effective_num_positions", "top_3_concentration", "top_10_concentration")
METRICS = [*(f"portfolio_snapshots.{name}" for name in _COLUMNS), "portfolio_sector_weights.active_weight"]


def sector_rows(valuation: Valuation, profiles: pd.DataFrame, benchmark: pd.DataFrame, code: str) -> pd.DataFrame:
    """Return rows of `portfolio_sector_weights`: each sector that a portfolio, or the benchmark of the day, holds.

    Parameters
    ----------
    profiles : DataFrame by symbol
        sector, is_etf, is_fund.
    benchmark : DataFrame
        Weights, as-of dates x sectors, in order; may be empty.
    """
    own = _sectors(valuation.instruments, profiles)
    names = sorted(set(own) | set(benchmark.columns))
    sector = pd.Index(names).get_indexer(pd.Index(own)).astype(np.int64)
    values, cell, n_cells = _cells(valuation)
    sectors_of_cells = np.repeat(sector, len(valuation.days))
    counts = {"n_portfolios": n_cells, "n_sectors": len(names)}
    gross = metrics.sector_weights(values, cell, sectors_of_cells, **counts)
    with np.errstate(divide="ignore", invalid="ignore"):
        net = metrics.sector_values(values, cell, sectors_of_cells, **counts) / valuation.weight_base.reshape(-1, 1)
    weights, as_of = _benchmark_on(valuation, benchmark, names)
    rows = pd.DataFrame(
        {
            "cell": np.repeat(np.arange(n_cells), len(names)),
            "sector": np.tile(names, n_cells),
            "gross_weight": gross.ravel(),
            "net_weight": net.ravel(),
            "benchmark_weight": weights.ravel(),
            "active_weight": (net - weights).ravel(),
        }
    )
    day = rows["cell"] % len(valuation.days)
    rows["portfolio_id"] = valuation.portfolios["portfolio_id"].to_numpy()[rows["cell"] // len(valuation.days)]
    rows["day"] = pd.to_datetime(valuation.days).to_numpy()[day]
    rows["benchmark_asof"] = as_of[day]
    rows["benchmark_code"] = pd.Series(code, index=rows.index, dtype="str").where(rows["benchmark_asof"].notna())
    shown = rows["gross_weight"].notna() & ((rows["gross_weight"] > 0) | (rows["benchmark_weight"] > 0))
    return rows[shown].drop(columns="cell").reset_index(drop=True)


def concentration_rows(valuation: Valuation, sectors: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the sector and concentration columns of the snapshots, and the reasons of what is undefined."""
    values, cell, n_cells = _cells(valuation)
    found = metrics.concentration(values, cell, n_cells)
    rows = valuation.rows({name: of.reshape(valuation.net.shape) for name, of in zip(_COLUMNS[1:], found, strict=True)}, DAY)
    held = sectors[sectors["gross_weight"] > 0]
    exposure = {
        key: json.dumps(dict(zip(group["sector"], group["gross_weight"].round(6), strict=True)))
        for key, group in held.groupby(["portfolio_id", "day"])
    }
    keys = zip(rows["portfolio_id"], rows[DAY], strict=True)
    rows["sector_exposure"] = pd.Series([exposure.get(key) for key in keys], index=rows.index, dtype="str")
    why = pd.Series("the portfolio holds nothing with a value", index=rows.index)
    undefined = panels.undefined_rows(rows, "portfolio_snapshots", dict.fromkeys(_COLUMNS, why), subject="portfolio_id", day=DAY)
    unmatched = sectors[sectors["active_weight"].isna()].drop_duplicates(["portfolio_id", "day"])
    no_benchmark = pd.Series("no benchmark weights are stored for the day or before", index=unmatched.index)
    active = panels.undefined_rows(
        unmatched, "portfolio_sector_weights", {"active_weight": no_benchmark}, subject="portfolio_id", day="day"
    )
    return rows, pd.concat([undefined, active], ignore_index=True)


def _sectors(instruments: pd.DataFrame, profiles: pd.DataFrame) -> list[str]:
    known = profiles.reindex(instruments["symbol"])
    fund = (known["is_etf"].fillna(value=False) | known["is_fund"].fillna(value=False)).to_numpy(bool)
    return [ETF if is_fund else str(sector) for is_fund, sector in zip(fund, known["sector"].fillna(UNCLASSIFIED), strict=True)]


def _cells(valuation: Valuation) -> tuple[FloatArray, IntArray, int]:
    """Flatten instruments x days into entries that belong to a cell, one per portfolio and day."""
    n_days = len(valuation.days)
    cell = valuation.portfolio[:, None] * n_days + np.arange(n_days)
    return valuation.values.ravel(), cell.ravel(), len(valuation.portfolios) * n_days


def _benchmark_on(valuation: Valuation, benchmark: pd.DataFrame, names: list[str]) -> tuple[FloatArray, "pd.Index[pd.Timestamp]"]:
    """Return the latest weights at or before each day, per cell, (P x D, S), and the date they are of; NaN and NaT if there are none."""
    latest = pd.Index(benchmark.index).searchsorted(pd.to_datetime(valuation.days), side="right") - 1
    known = np.vstack([benchmark.reindex(columns=names).fillna(0.0).to_numpy(float), np.full((1, len(names)), np.nan)])
    as_of = pd.DatetimeIndex([*benchmark.index, pd.NaT])
    return np.tile(known[latest], (len(valuation.portfolios), 1)), as_of[latest]

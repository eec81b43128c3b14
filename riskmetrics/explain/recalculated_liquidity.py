"""Recalculated liquidity of holdings and portfolios."""

import math

import pandas as pd

from riskmetrics.db import tables
from riskmetrics.explain.compute_once import compute_once
from riskmetrics.explain.portfolio_holdings import Holdings, value_holdings
from riskmetrics.explain.recalculation import MetricGroup, Recalculation, Row, first_and_last_day
from riskmetrics.explain.source_rows import SourceRows
from riskmetrics.metrics.liquidity import HORIZONS, MIN_VOLUME_OBS, VOLUME_WINDOW
from riskmetrics.metrics.minimums import MIN_COVERAGE, meets_minimum


def _recalculate_holding(sources: SourceRows, row: Row) -> Recalculation:
    holdings, symbol = value_holdings(sources), row["symbol"]
    frame = holdings.instruments
    (held,) = frame[frame["listed"] & (frame["symbol"] == symbol)].to_dict("records")
    volumes = sources.daily_bars(symbol, VOLUME_WINDOW)["volume"].iloc[-VOLUME_WINDOW:]
    median = volumes.rolling(VOLUME_WINDOW, min_periods=MIN_VOLUME_OBS).median().iloc[-1]
    units = math.nan if math.isnan(held["value"]) else abs(held["units"])
    values = {
        "holding_days": units / (row["participation"] * median) if median > 0 else math.nan,
        "median_volume": median,
        "observations": int(volumes.count()),
    }
    inputs = {"units": held["units"], "value": held["value"]}
    return Recalculation(values, inputs, first_and_last_day(volumes), int(volumes.count()))


@compute_once
def _days_by_holding(sources: SourceRows, participation: float) -> "pd.DataFrame":
    """Return size and days to liquidate of each instrument; NaN days without a volume."""
    holdings: Holdings = value_holdings(sources)
    rows = []
    for held in holdings.instruments.to_dict("records"):
        days = math.nan
        if held["listed"]:
            row = {"symbol": held["symbol"], "participation": participation}
            days = _recalculate_holding(sources, row).values["holding_days"]
        size = held["last"] if math.isnan(held["value"]) else held["value"]
        rows.append((0.0 if math.isnan(size) else abs(size), days))
    return pd.DataFrame(rows, columns=["size", "days"], dtype=float)


def _recalculate_portfolio(sources: SourceRows, row: Row) -> Recalculation:
    held = _days_by_holding(sources, row["participation"])
    known = held[held["days"].notna() & (held["size"] > 0)]
    size, total = known["size"].sum(), held["size"].sum()
    coverage = size / total if total > 0 else math.nan
    is_covered = bool(meets_minimum(coverage, MIN_COVERAGE))
    sold = {
        f"sold_in_{horizon}d": (known["size"] * (horizon / known["days"]).clip(upper=1)).sum()
        for horizon in HORIZONS
    }
    values = {
        "days_to_liquidate": known["days"].max() if is_covered else math.nan,
        **{name: amount / size if is_covered else math.nan for name, amount in sold.items()},
        "coverage": coverage,
    }
    return Recalculation(values, {"gross value": total, "gross value with a volume": size})


METRIC_GROUPS = [
    MetricGroup(
        tables.portfolio_liquidity,
        "holding by holding, from units and the median of volumes by pandas",
        _recalculate_portfolio,
    ),
    MetricGroup(
        tables.holding_liquidity, "units, and the median of volumes by pandas", _recalculate_holding
    ),
]

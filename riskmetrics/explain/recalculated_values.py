"""Recalculated values, P&L, sectors and concentration of portfolios."""

import math
from datetime import date

import pandas as pd

from riskmetrics.catalog.concentration import FIGURES as CONCENTRATION_FIGURES
from riskmetrics.catalog.values import FIGURES as VALUE_FIGURES
from riskmetrics.db import tables
from riskmetrics.explain.day_pnl import (
    LOT_METHOD,
    cash_pnl,
    daily_pnl,
    day_income,
    day_inflows,
    lot_pnl,
    pnl_coverage,
)
from riskmetrics.explain.portfolio_holdings import (
    Holdings,
    income,
    previous_holdings,
    value_holdings,
)
from riskmetrics.explain.recalculation import MetricGroup, Recalculation, Row
from riskmetrics.explain.source_rows import SourceRows
from riskmetrics.funds import NOT_LOOKED_THROUGH, fund_class, load_funds
from riskmetrics.gics import UNCLASSIFIED
from riskmetrics.metrics.minimums import MIN_COVERAGE, MIN_EQUITY_SHARE, meets_minimum
from riskmetrics.results.snapshots import EQUITY_SOURCES


def _recalculate_values(sources: SourceRows, _: Row) -> Recalculation:
    holdings, yesterday = value_holdings(sources), previous_holdings(sources)
    daily = daily_pnl(sources)[0]
    unpriced_before = len(yesterday.instruments) > 0 and yesterday.instruments["value"].isna().all()
    equity_before = math.nan if unpriced_before else yesterday.equity
    inflow, size = day_inflows(sources)
    start, gross = equity_before + inflow, yesterday.gross_value + size
    is_enough = start > 0 and (gross == 0 or meets_minimum(start / gross, MIN_EQUITY_SHARE))
    received = day_income(sources)
    held = holdings.instruments
    values = {
        "total_value": holdings.equity,
        "cash_value": holdings.cash,
        "stated_value": holdings.stated_value,
        "long_value": held["value"].clip(lower=0).sum(),
        "short_value": held["value"].clip(upper=0).sum(),
        "gross_exposure": holdings.gross_value,
        "net_exposure": holdings.net_value,
        "daily_pnl": daily,
        "daily_return": (
            daily / start
            if is_enough and meets_minimum(pnl_coverage(sources), MIN_COVERAGE)
            else math.nan
        ),
        "cumulative_pnl": (
            sum(total for _, _, total in lot_pnl(sources))
            + income(sources, date.min, sources.day, needs_entry_date=True)
            + cash_pnl(sources, date.min)
        ),
        "income": received,
        "equity_source": EQUITY_SOURCES[
            2 if sources.is_cash_from_transactions else int(sources.cash_anchor is None)
        ],
        "num_positions": len(held),
        "num_long_positions": int((held["units"] > 0).sum()),
        "num_short_positions": int((held["units"] < 0).sum()),
        "equity_balance": sources.portfolio_row["equity_balance"],
    }
    inputs = {
        "equity on the session before": equity_before,
        "purchases of the day": inflow,
    }
    anchor = {} if sources.cash_anchor is None else {"cash is known on": sources.cash_anchor}
    return Recalculation(values, holdings.weight_inputs() | inputs | anchor)


def _gross_weights(holdings: Holdings) -> "pd.Series[float]":
    """Return the absolute values of priced instruments as shares of gross value, descending."""
    sizes = holdings.instruments["value"].abs().dropna().sort_values(ascending=False)
    return (
        sizes / holdings.gross_value
        if holdings.gross_value and holdings.has_price_coverage
        else sizes.iloc[:0]
    )


def _recalculate_concentration(sources: SourceRows, _: Row) -> Recalculation:
    holdings = value_holdings(sources)
    shares = _gross_weights(holdings)
    has_weights = len(shares) > 0
    hhi = float((shares**2).sum()) if has_weights else math.nan
    gross = {
        sector: weight
        for sector, weight in _sector_weights(sources, holdings, sources.benchmark_code())[
            "gross"
        ].items()
        if weight > 0
    }
    values = {
        "hhi": hhi,
        "effective_num_positions": 1 / hhi,
        "top_3_concentration": float(shares.head(3).sum()) if has_weights else math.nan,
        "top_10_concentration": float(shares.head(10).sum()) if has_weights else math.nan,
        "sector_exposure": gross if has_weights else None,
    }
    return Recalculation(values, holdings.weight_inputs() | {"gross value": holdings.gross_value})


def _sector_weights(
    sources: SourceRows, holdings: Holdings, benchmark_code: str, name: str | None = None
) -> pd.DataFrame:
    """Return gross and net weights by sector, or of one sector, and those through funds."""
    held = holdings.instruments[holdings.instruments["value"].notna()]
    known = sources.profiles(held["underlying"].dropna())
    parts = [
        {
            "sector": sector,
            "gross": abs(value) * share,
            "net": value * share,
            "through": abs(value) * share * is_fund,
        }
        for symbol, value in zip(held["underlying"], held["value"], strict=True)
        for sector, share, is_fund in _split_by_sector(sources, symbol, known, benchmark_code)
    ]
    columns = ["sector", "gross", "net", "through"]
    values = pd.DataFrame(parts, columns=columns).groupby("sector").sum()
    values = values if name is None else values.reindex([name]).fillna(0.0)
    return pd.DataFrame(
        {
            "gross": values["gross"] / (holdings.gross_value or math.nan),
            "net": values["net"] / holdings.weight_denominator,
            "through": values["through"] / (holdings.gross_value or math.nan),
        }
    )


def _split_by_sector(
    sources: SourceRows, symbol: str, profiles: pd.DataFrame, benchmark_code: str
) -> list[tuple[str, float, bool]]:
    """Return sectors of a symbol with their shares, and whether a fund is looked through."""
    profile = profiles.loc[symbol] if symbol in profiles.index else None
    flags = [] if profile is None else [profile[name] for name in ("is_etf", "is_fund")]
    is_fund = None if all(pd.isna(flag) for flag in flags) else True in flags
    code = load_funds().benchmark_codes.get(symbol)
    weights = None
    if is_fund is not False and not pd.isna(symbol):
        weights = sources.benchmark(benchmark_code if code == benchmark_code else symbol)
    if weights is not None:
        return [(str(name), weight / weights.sum(), True) for name, weight in weights.items()]
    if found := fund_class(symbol, is_fund=is_fund):
        return [(found, 1.0, found != NOT_LOOKED_THROUGH)]
    sector = None if profile is None else profile["sector"]
    return [(UNCLASSIFIED if pd.isna(sector) else str(sector), 1.0, False)]


def _recalculate_sector(sources: SourceRows, row: Row) -> Recalculation:
    holdings, name = value_holdings(sources), row["sector"]
    code = row["benchmark_code"] or sources.benchmark_code()
    benchmark = sources.benchmark(code)
    own = _sector_weights(sources, holdings, code, name).loc[name]
    weight = math.nan if benchmark is None else float(benchmark.get(name, 0.0))
    values = {
        "gross_weight": own["gross"],
        "net_weight": own["net"],
        "benchmark_weight": weight,
        "active_weight": math.nan if name == NOT_LOOKED_THROUGH else own["net"] - weight,
        "look_through_weight": own["through"],
        "benchmark_asof": None if benchmark is None else pd.Timestamp(str(benchmark.name)).date(),
        "benchmark_code": None if benchmark is None else code,
    }
    return Recalculation(values, holdings.weight_inputs() | {"sector": name})


METRIC_GROUPS = [
    MetricGroup(tables.portfolio_snapshots, LOT_METHOD, _recalculate_values, VALUE_FIGURES),
    MetricGroup(
        tables.portfolio_snapshots, LOT_METHOD, _recalculate_concentration, CONCENTRATION_FIGURES
    ),
    MetricGroup(tables.portfolio_sector_weights, LOT_METHOD, _recalculate_sector),
]

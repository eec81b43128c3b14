"""Recalculated coverage: the share of a portfolio that each figure covers."""

import math
from typing import Any

from riskmetrics import trading_calendar
from riskmetrics.db import tables
from riskmetrics.explain.day_pnl import LOT_METHOD, daily_pnl, instrument_pnl, lots_held_overnight
from riskmetrics.explain.portfolio_holdings import (
    Holdings,
    delta_holdings,
    pro_forma_returns,
    value_holdings,
)
from riskmetrics.explain.recalculated_betas import (
    decayed_portfolio_beta,
    portfolio_beta,
    vendor_portfolio_beta,
)
from riskmetrics.explain.recalculation import MetricGroup, Recalculation, Row
from riskmetrics.explain.source_rows import SourceRows
from riskmetrics.metrics import har
from riskmetrics.metrics.price_quality import SUSPECT_MOVE
from riskmetrics.results.portfolio_volatility_results import PORTFOLIO_WINDOW
from riskmetrics.results.snapshots import VALUE_COVERAGE


def _has_confirmed_price(sources: SourceRows, symbol: str) -> bool:
    """Return whether no suspect move ends on the day, or ended the session before and reverts."""
    found = [
        sources.close(symbol, day)
        for day in trading_calendar.sessions_with_lookback([sources.day], 2)
    ]
    first, second, third = (math.nan if stale else close for close, stale in found)
    given_back = (
        abs(second / first - 1) > SUSPECT_MOVE
        and abs(math.log(third / first)) < abs(math.log(second / first)) / 4
    )
    return not given_back and not abs(third / second - 1) > SUSPECT_MOVE


def _price_counts(sources: SourceRows, holdings: Holdings, metric: str) -> dict[str, Any]:
    held = holdings.instruments
    priced = held["value"].notna()
    if metric == "prices":
        n_covered = int(priced.sum())
    elif metric == "current_prices":
        n_covered = int((priced & ~held["stale"].astype(bool)).sum())
    else:
        of_options = [
            math.isfinite(sources.close(symbol, sources.day)[0])
            for symbol in held["underlying"][held["right"] != ""]
        ]
        n_covered = sum(of_options) + int(priced[held["right"] == ""].sum())
    return {"n_covered": n_covered}


def _confirmed_price_counts(sources: SourceRows) -> dict[str, Any]:
    traded = instrument_pnl(sources)
    unconfirmed = [
        row["symbol"]
        for row in traded.to_dict("records")
        if row["over_split"] or (row["listed"] and not _has_confirmed_price(sources, row["symbol"]))
    ]
    return {"n_covered": len(traded) - len(unconfirmed), "n_total": len(traded)}


def _income_counts(sources: SourceRows) -> dict[str, Any]:
    symbols = {lot.symbol for lot in lots_held_overnight(sources)}
    n_known = sum(sources.has_known_income(symbol) for symbol in symbols)
    return {"n_covered": n_known, "n_total": len(symbols)}


def _volatility_counts(sources: SourceRows, holdings: Holdings) -> dict[str, Any]:
    held, year = holdings.instruments, slice(-har.LEVEL_WINDOW, None)
    coverage = pro_forma_returns(sources, PORTFOLIO_WINDOW)["coverage"].iloc[year]
    symbols = {*holdings.exposed_instruments["underlying"], sources.market}
    n_obs = sources.returns(symbols, PORTFOLIO_WINDOW).iloc[year].count()
    followed = held["underlying"][held["has_return_series"]]
    return {
        "coverage": (coverage * holdings.price_coverage).mean(),
        "n_covered": int((followed.map(n_obs).fillna(0) >= har.MIN_LEVEL_OBS).sum()),
    }


def _beta_counts(sources: SourceRows, holdings: Holdings, metric: str) -> dict[str, Any]:
    market, rate = sources.market, sources.rate
    if metric == "beta":
        found = portfolio_beta(sources, holdings, market)
    elif metric == "provider_beta":
        found = vendor_portfolio_beta(sources, holdings)
    elif metric == "decayed_beta":
        found = decayed_portfolio_beta(sources, holdings)
    elif metric == "rate_beta":
        found = portfolio_beta(sources, holdings, rate)
    else:
        found = portfolio_beta(sources, holdings, market, rate, factor=1)
    return {name: found[name] for name in ("coverage", "n_covered")}


def _recalculate_coverage(sources: SourceRows, row: Row) -> Recalculation:
    """Recalculate the share of a portfolio that a figure covers."""
    metric = row["metric"]
    holdings = (value_holdings if metric in VALUE_COVERAGE else delta_holdings)(sources)
    counts: dict[str, Any] = {"n_total": len(holdings.instruments)}
    if metric in ("prices", "current_prices", "price_sources"):
        counts |= _price_counts(sources, holdings, metric)
    elif metric == "validated_prices":
        counts = _confirmed_price_counts(sources)
    elif metric == "daily_pnl":
        _, n_known, n_traded = daily_pnl(sources)
        counts = {"n_covered": n_known, "n_total": n_traded}
    elif metric == "income":
        counts = _income_counts(sources)
    elif metric == "volatility":
        counts |= _volatility_counts(sources, holdings)
    elif metric.endswith("beta"):
        counts |= _beta_counts(sources, holdings, metric)
    else:
        raise KeyError(metric)
    by_number = counts["n_covered"] / counts["n_total"] if counts["n_total"] else math.nan
    return Recalculation(
        {"coverage": by_number} | counts, holdings.weight_inputs() | {"figure": metric}
    )


METRIC_GROUPS = [
    MetricGroup(
        tables.portfolio_coverage, f"{LOT_METHOD}; betas by statsmodels", _recalculate_coverage
    ),
]

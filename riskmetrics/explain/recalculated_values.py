"""Recalculated values, P&L, sectors, concentration and coverage of portfolios."""

import math
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.db import tables
from riskmetrics.explain.portfolio_holdings import (
    Holdings,
    Lot,
    income,
    lot_price,
    lots,
    previous_holdings,
    pro_forma_returns,
    value_holdings,
)
from riskmetrics.explain.recalculated_betas import portfolio_beta, vendor_portfolio_beta
from riskmetrics.explain.recalculation import MetricGroup, Recalculation, Row
from riskmetrics.explain.source_rows import SourceRows
from riskmetrics.metrics import har
from riskmetrics.metrics.minimums import MIN_COVERAGE, MIN_EQUITY_SHARE, meets_minimum
from riskmetrics.metrics.price_quality import SUSPECT_MOVE
from riskmetrics.results.exposures import ETF, UNCLASSIFIED
from riskmetrics.results.snapshots import EQUITY_SOURCES, VALUE_COVERAGE
from riskmetrics.results.volatility_results import PORTFOLIO_WINDOW


def _lot_pnl(sources: SourceRows) -> "list[tuple[Lot, float, float]]":
    """Return each lot entered by the day with its P&L of the day and since entry.

    The P&L of the day is 0 for a lot that was exited earlier.
    """
    day, previous, found = sources.day, trading_calendar.previous_session(sources.day), []
    for lot in lots(sources):
        if lot.entry_date <= day:
            is_exited = lot.exit_date is not None and lot.exit_date <= day
            end = lot.exit_price if is_exited else lot_price(sources, lot, day)[0]
            start = (
                lot_price(sources, lot, previous)[0]
                if lot.entry_date <= previous
                else lot.entry_price
            )
            is_held = not (is_exited and lot.exit_date <= previous)
            moves = _suspected_moves(sources, lot)
            over_split = any(row["date"].date() == day for row in moves)
            is_unknown = over_split or _starts_at_tick(sources, lot)
            daily = lot.units * (math.nan if is_unknown else end - start)
            total = lot.units * (
                math.nan if _is_held_over_split(sources, lot) else end - lot.entry_price_stated
            )
            found.append((lot, daily if is_held else 0.0, total))
    return found


def _suspected_moves(sources: SourceRows, lot: Lot) -> "list[dict[Any, Any]]":
    """Return suspected splits in the closes of a lot's symbol while it was held."""
    return [
        row
        for row in sources.suspects.to_dict("records")
        if row["symbol"] == lot.underlying
        and not math.isnan(row["in_close"])
        and lot.entry_date < row["date"].date() <= sources.day
        and (lot.exit_date is None or lot.exit_date >= row["date"].date())
    ]


def _starts_at_tick(sources: SourceRows, lot: Lot) -> bool:
    """Return whether a lot was held at the previous close and that close is a bad tick."""
    previous = trading_calendar.previous_session(sources.day)
    ticks = sources.suspects[sources.suspects["close_reverts"].astype(bool)]
    is_tick = (ticks["symbol"] == lot.underlying) & (ticks["date"] == pd.Timestamp(previous))
    return lot.entry_date <= previous and bool(is_tick.any())


def _is_held_over_split(sources: SourceRows, lot: Lot) -> bool:
    """Return whether a lot was held over a suspected split that is not known to be a bad tick."""
    moves = _suspected_moves(sources, lot)
    return any(not row["close_reverts"] or row["date"].date() == sources.day for row in moves)


def _instrument_pnl(sources: SourceRows) -> pd.DataFrame:
    """Return the instruments held or traded on the day, with their P&L.

    P&L is NaN unless it is known for every lot.
    """
    previous = trading_calendar.previous_session(sources.day)
    keys = ["symbol", "underlying", "listed", "right", "strike_price", "expiration_date"]
    rows = [
        {name: getattr(lot, name) for name in keys}
        | {
            "pnl": daily + _lot_income(sources, lot),
            "size": (
                lot.units
                * (
                    lot_price(sources, lot, previous)[0]
                    if lot.entry_date <= previous
                    else lot.entry_price
                )
            ),
            "over_split": _is_held_over_split(sources, lot),
        }
        for lot, daily, _ in _lot_pnl(sources)
        if lot.exit_date is None or lot.exit_date > previous
    ]
    frame = pd.DataFrame(rows, columns=[*keys, "pnl", "size", "over_split"]).groupby(
        keys, dropna=False
    )
    return (
        frame.agg(
            pnl=("pnl", lambda of: of.sum(skipna=False)),
            size=("size", lambda of: abs(of.sum())),
            over_split=("over_split", "any"),
        )
        .astype({"pnl": float, "size": float, "over_split": bool})
        .reset_index()
    )


def _daily_pnl(sources: SourceRows) -> tuple[float, int, int]:
    """Return the known P&L of the day, and the numbers of known and of all instruments."""
    pnl = _instrument_pnl(sources)["pnl"]
    known = pnl.dropna()
    return (float(known.sum()) if len(known) or not len(pnl) else math.nan), len(known), len(pnl)


def _pnl_coverage(sources: SourceRows) -> float:
    """Return the share of instruments with a known P&L: the smaller of by number and by value."""
    traded = _instrument_pnl(sources)
    known, sizes = traded["pnl"].notna(), traded["size"]
    by_value = sizes[known].sum() / sizes.sum() if sizes.sum() > 0 else 1.0
    return float(min(known.mean(), by_value)) if len(traded) else 1.0


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


def _recompute_values(sources: SourceRows, _: Row) -> Recalculation:
    holdings, yesterday = value_holdings(sources), previous_holdings(sources)
    daily = _daily_pnl(sources)[0]
    unpriced_before = len(yesterday.instruments) > 0 and yesterday.instruments["value"].isna().all()
    equity_before = math.nan if unpriced_before else yesterday.equity
    inflow, size = _day_purchases(sources)
    start, gross = equity_before + inflow, yesterday.gross_value + size
    is_enough = start > 0 and (gross == 0 or meets_minimum(start / gross, MIN_EQUITY_SHARE))
    received = _day_income(sources)
    held = holdings.instruments
    values = {
        "total_value": holdings.equity,
        "cash_value": holdings.cash,
        "long_value": held["value"].clip(lower=0).sum(),
        "short_value": held["value"].clip(upper=0).sum(),
        "gross_exposure": holdings.gross_value,
        "net_exposure": holdings.net_value,
        "daily_pnl": daily,
        "daily_return": (
            daily / start
            if is_enough and meets_minimum(_pnl_coverage(sources), MIN_COVERAGE)
            else math.nan
        ),
        "cumulative_pnl": (
            sum(total for _, _, total in _lot_pnl(sources))
            + income(sources, date.min, sources.day, needs_entry_date=True)
        ),
        "income": received,
        "weight_base": EQUITY_SOURCES[int(sources.cash_anchor is None)],
        "num_positions": len(held),
        "num_long_positions": int((held["units"] > 0).sum()),
        "num_short_positions": int((held["units"] < 0).sum()),
        "equity_balance": sources.portfolio_row["equity_balance"],
    }
    inputs = {
        "equity on the session before": equity_before,
        "purchases of the day": inflow,
        "cash is known on": sources.cash_anchor,
    }
    return Recalculation(values, holdings.weight_inputs() | inputs)


def _lot_income(sources: SourceRows, lot: Lot) -> float:
    """Return the day's distribution to a lot; 0 if it is unknown."""
    amount = (
        sources.distributions(lot.symbol).get(sources.day, 0.0)
        if lot in _lots_held_overnight(sources)
        else 0.0
    )
    return 0.0 if math.isnan(amount) else amount * lot.units


def _lots_held_overnight(sources: SourceRows) -> list[Lot]:
    """Return the listed lots that receive a distribution of the day."""
    held = (lot for lot in lots(sources) if lot.listed and lot.entry_date < sources.day)
    return [lot for lot in held if lot.exit_date is None or lot.exit_date >= sources.day]


def _day_income(sources: SourceRows) -> float:
    """Return the distributions of the day; NaN if none is known for any listed holding."""
    symbols = {lot.symbol for lot in _lots_held_overnight(sources)}
    if symbols and not any(sources.has_known_income(symbol) for symbol in symbols):
        return math.nan
    return income(sources, trading_calendar.previous_session(sources.day), sources.day)


def _day_purchases(sources: SourceRows) -> tuple[float, float]:
    """Return net and gross purchases of the day; 0 if a stated equity funds them."""
    if sources.cash_anchor is not None:
        return 0.0, 0.0
    previous = trading_calendar.previous_session(sources.day)
    entered = [lot for lot in lots(sources) if previous < lot.entry_date <= sources.day]
    costs = np.nan_to_num([lot.units * lot.entry_price for lot in entered])
    exited = [
        lot
        for lot in lots(sources)
        if lot.exit_date is not None and previous < lot.exit_date <= sources.day
    ]
    proceeds = np.nan_to_num([lot.units * lot.exit_price for lot in exited])
    shorted = float(np.minimum(costs, 0.0).sum())
    paid_in = max(float(np.maximum(costs, 0.0).sum() - np.maximum(proceeds, 0.0).sum()), 0.0)
    return paid_in + shorted, paid_in - shorted


def _gross_weights(holdings: Holdings) -> "pd.Series[float]":
    """Return the absolute values of priced instruments as shares of gross value, descending."""
    sizes = holdings.instruments["value"].abs().dropna().sort_values(ascending=False)
    return (
        sizes / holdings.gross_value
        if holdings.gross_value and holdings.has_price_coverage
        else sizes.iloc[:0]
    )


def _recompute_concentration(sources: SourceRows, _: Row) -> Recalculation:
    holdings = value_holdings(sources)
    shares = _gross_weights(holdings)
    has_weights = len(shares) > 0
    hhi = float((shares**2).sum()) if has_weights else math.nan
    gross = {
        sector: weight
        for sector, weight in _sector_weights(sources, holdings)["gross"].items()
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
    sources: SourceRows, holdings: Holdings, name: str | None = None
) -> pd.DataFrame:
    """Return gross and net weights by sector, or of one sector.

    Funds are ETF; instruments without a profile are Unclassified.
    """
    held = holdings.instruments[holdings.instruments["value"].notna()]
    known = sources.profiles(held["underlying"].dropna()).reindex(held["underlying"])
    fund = (
        (known["is_etf"].eq(other=True) | known["is_fund"].eq(other=True))
        .fillna(value=False)
        .to_numpy(bool)
    )
    sector = np.where(fund, ETF, known["sector"].fillna(UNCLASSIFIED).to_numpy(object))
    values = (
        pd.DataFrame({"gross": held["value"].abs(), "net": held["value"]}).groupby(sector).sum()
    )
    values = values if name is None else values.reindex([name]).fillna(0.0)
    return pd.DataFrame(
        {
            "gross": values["gross"] / (holdings.gross_value or math.nan),
            "net": values["net"] / holdings.weight_denominator,
        }
    )


def _recompute_sector(sources: SourceRows, row: Row) -> Recalculation:
    holdings, name = value_holdings(sources), row["sector"]
    code = row["benchmark_code"] or sources.benchmark_code()
    benchmark = sources.benchmark(code)
    own = _sector_weights(sources, holdings, name).loc[name]
    weight = math.nan if benchmark is None else float(benchmark.get(name, 0.0))
    values = {
        "gross_weight": own["gross"],
        "net_weight": own["net"],
        "benchmark_weight": weight,
        "active_weight": own["net"] - weight,
        "benchmark_asof": None if benchmark is None else pd.Timestamp(str(benchmark.name)).date(),
        "benchmark_code": None if benchmark is None else code,
    }
    return Recalculation(values, holdings.weight_inputs() | {"sector": name})


def _recompute_coverage(sources: SourceRows, row: Row) -> Recalculation:
    """Recalculate the share of a portfolio that a figure covers."""
    metric, holdings = (
        row["metric"],
        value_holdings(sources, is_delta_adjusted=row["metric"] not in VALUE_COVERAGE),
    )
    held, n_total = holdings.instruments, len(holdings.instruments)
    priced = held["value"].notna()
    counts: dict[str, Any] = {"n_total": n_total}
    if metric == "prices":
        counts |= {"n_covered": int(priced.sum())}
    elif metric == "current_prices":
        counts |= {"n_covered": int((priced & ~held["stale"].astype(bool)).sum())}
    elif metric == "sources":
        of_options = [
            math.isfinite(sources.close(symbol, sources.day)[0])
            for symbol in held["underlying"][held["right"] != ""]
        ]
        counts |= {"n_covered": sum(of_options) + int(priced[held["right"] == ""].sum())}
    elif metric == "believed_prices":
        traded = _instrument_pnl(sources)
        unconfirmed = [
            row["symbol"]
            for row in traded.to_dict("records")
            if row["over_split"]
            or (row["listed"] and not _has_confirmed_price(sources, row["symbol"]))
        ]
        counts = {"n_covered": len(traded) - len(unconfirmed), "n_total": len(traded)}
    elif metric == "daily_pnl":
        _, n_known, n_traded = _daily_pnl(sources)
        counts = {"n_covered": n_known, "n_total": n_traded}
    elif metric == "income":
        symbols = {lot.symbol for lot in _lots_held_overnight(sources)}
        counts = {
            "n_covered": sum(sources.has_known_income(symbol) for symbol in symbols),
            "n_total": len(symbols),
        }
    elif metric == "volatility":
        share = (
            pro_forma_returns(sources, PORTFOLIO_WINDOW)["coverage"].iloc[-har.LEVEL_WINDOW :]
            * holdings.price_coverage
        )
        known = (
            sources.returns({*holdings.exposed["underlying"], sources.market}, PORTFOLIO_WINDOW)
            .iloc[-har.LEVEL_WINDOW :]
            .count()
        )
        followed = held["underlying"][held["has_return_series"]]
        counts |= {
            "coverage": share.mean(),
            "n_covered": int((followed.map(known).fillna(0) >= har.MIN_LEVEL_OBS).sum()),
        }
    else:
        found = {
            "beta": lambda: portfolio_beta(sources, holdings, sources.market),
            "provider_beta": lambda: vendor_portfolio_beta(sources, holdings),
            "rate_beta": lambda: portfolio_beta(sources, holdings, sources.rate),
            "two_factor_rate_beta": lambda: portfolio_beta(
                sources, holdings, sources.market, sources.rate, factor=1
            ),
        }[metric]()
        counts |= {name: found[name] for name in ("coverage", "n_covered")}
    share_of_count = counts["n_covered"] / counts["n_total"] if counts["n_total"] else math.nan
    return Recalculation(
        {"coverage": share_of_count} | counts, holdings.weight_inputs() | {"figure": metric}
    )


_SNAPSHOT = {
    "total_value": "equity: net value + cash, at closes of the day or at most 5 sessions old",
    "cash_value": (
        "equity balance - net value on the last priced session up to its date + sales - purchases"
        " + income since"
    ),
    "long_value": "sum of the values of instruments held long, units * price, lots netted",
    "short_value": "sum of the values of instruments held short",
    "gross_exposure": "long value - short value",
    "net_exposure": "long value + short value",
    "daily_pnl": (
        "sum(units * (P(t) - P(t-1))) + income; entry price on the opening day, exit price on the"
        " closing day"
    ),
    "daily_return": (
        "daily_pnl / (equity of the previous session + purchases of the day if no equity is stated)"
    ),
    "cumulative_pnl": (
        "sum(units * (price or exit price - entry price)) + income since entry, over all lots"
        " entered by the day"
    ),
    "income": (
        "sum(units * D) over the lots held overnight; D = C(t-1) - C(t) * A(t-1) / A(t), C close,"
        " A adjusted close"
    ),
    "weight_base": "stated_equity if an equity balance is stated, else net_value",
    "num_positions": "instruments held, lots netted",
    "num_long_positions": "instruments held long",
    "num_short_positions": "instruments held short",
    "equity_balance": "as imported with the portfolio",
}
_CONCENTRATION = {
    "hhi": "sum(w²), w = |value| / gross value of each instrument",
    "effective_num_positions": "1 / HHI",
    "top_3_concentration": "sum of the 3 largest w",
    "top_10_concentration": "sum of the 10 largest w",
    "sector_exposure": "sum of w by sector",
}
_SECTORS = {
    "gross_weight": "sum(|value|) of the sector / gross value",
    "net_weight": "sum(value) of the sector / equity",
    "benchmark_weight": "the benchmark's latest weight on or before the day",
    "active_weight": "net_weight - benchmark_weight",
    "benchmark_asof": ("date of the benchmark's latest weights on or before the session"),
    "benchmark_code": "code of the benchmark in use",
}
_COVERAGE = {
    "coverage": ("covered exposure / exposure; prices and P&L: covered instruments / instruments"),
    "n_covered": "instruments that the figure covers",
    "n_total": "instruments that the figure applies to",
}
_METHOD = "lot by lot in Python, netted by pandas"

METRIC_GROUPS = [
    MetricGroup(tables.portfolio_snapshots, _SNAPSHOT, _METHOD, _recompute_values),
    MetricGroup(tables.portfolio_snapshots, _CONCENTRATION, _METHOD, _recompute_concentration),
    MetricGroup(tables.portfolio_sector_weights, _SECTORS, _METHOD, _recompute_sector),
    MetricGroup(
        tables.portfolio_coverage,
        _COVERAGE,
        f"{_METHOD}; betas by statsmodels",
        _recompute_coverage,
    ),
]

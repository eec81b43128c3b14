"""Values, profit, sectors, concentration and coverage of portfolios: lot by lot in Python, and by pandas."""

import math
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.db import tables
from riskmetrics.explain.book import Book, Lot, before, book, income, lots, price, series
from riskmetrics.explain.evidence import Chapter, Evidence, Row
from riskmetrics.explain.regressions import of_portfolio, of_vendor
from riskmetrics.explain.sources import Sources
from riskmetrics.metrics import har
from riskmetrics.metrics.minimums import MIN_COVERAGE, MIN_EQUITY, reaches
from riskmetrics.metrics.price_quality import MOVE
from riskmetrics.results.exposures import ETF, UNCLASSIFIED
from riskmetrics.results.snapshots import VALUE_COVERAGE, WEIGHT_BASES
from riskmetrics.results.volatility import PORTFOLIO_WINDOW


def _profits(sources: Sources) -> "list[tuple[Lot, float, float]]":
    """Each lot entered by the day with its profit of the day and since its entry; the first is 0 where it was left before."""
    day, previous, found = sources.day, trading_calendar.previous(sources.day), []
    for lot in lots(sources):
        if lot.entry_date <= day:
            left = lot.exit_date is not None and lot.exit_date <= day
            end = lot.exit_price if left else price(sources, lot, day)[0]
            start = price(sources, lot, previous)[0] if lot.entry_date <= previous else lot.entry_price
            held = not (left and lot.exit_date <= previous)
            moves = _suspected_moves(sources, lot)
            over_split = any(row["date"].date() == day for row in moves)
            is_unknown = over_split or _starts_at_tick(sources, lot)
            daily = lot.units * (math.nan if is_unknown else end - start)
            total = lot.units * (math.nan if _is_held_over_split(sources, lot) else end - lot.entry_price_stated)
            found.append((lot, daily if held else 0.0, total))
    return found


def _suspected_moves(sources: Sources, lot: Lot) -> "list[dict[Any, Any]]":
    """Return suspected splits in the close of a lot's symbol, up to the day, while it was held."""
    return [
        row
        for row in sources.suspects.to_dict("records")
        if row["symbol"] == lot.underlying
        and not math.isnan(row["in_close"])
        and lot.entry_date < row["date"].date() <= sources.day
        and (lot.exit_date is None or lot.exit_date >= row["date"].date())
    ]


def _starts_at_tick(sources: Sources, lot: Lot) -> bool:
    """Return whether a lot was held at the last session's close, a bad tick as the day shows."""
    previous = trading_calendar.previous(sources.day)
    ticks = sources.suspects[sources.suspects["close_reverts"].astype(bool)]
    is_tick = (ticks["symbol"] == lot.underlying) & (ticks["date"] == pd.Timestamp(previous))
    return lot.entry_date <= previous and bool(is_tick.any())


def _is_held_over_split(sources: Sources, lot: Lot) -> bool:
    """Return whether a lot was held over a suspected split that is not known to be a bad tick."""
    moves = _suspected_moves(sources, lot)
    return any(not row["close_reverts"] or row["date"].date() == sources.day for row in moves)


def _traded(sources: Sources) -> pd.DataFrame:
    """Instruments held at either end of the day or traded in it: profit, NaN unless it is known of every lot."""
    previous = trading_calendar.previous(sources.day)
    keys = ["symbol", "underlying", "listed", "right", "strike_price", "expiration_date"]
    rows = [
        {name: getattr(lot, name) for name in keys}
        | {
            "profit": daily + _lot_income(sources, lot),
            "size": lot.units * (price(sources, lot, previous)[0] if lot.entry_date <= previous else lot.entry_price),
            "over_split": _is_held_over_split(sources, lot),
        }
        for lot, daily, _ in _profits(sources)
        if lot.exit_date is None or lot.exit_date > previous
    ]
    frame = pd.DataFrame(rows, columns=[*keys, "profit", "size", "over_split"]).groupby(keys, dropna=False)
    return (
        frame.agg(
            profit=("profit", lambda of: of.sum(skipna=False)),
            size=("size", lambda of: abs(of.sum())),
            over_split=("over_split", "any"),
        )
        .astype({"profit": float, "size": float, "over_split": bool})
        .reset_index()
    )


def _daily(sources: Sources) -> tuple[float, int, int]:
    """Profit of the day of the instruments of which it is known; how many those are, and how many were traded or held."""
    profits = _traded(sources)["profit"]
    known = profits.dropna()
    return (float(known.sum()) if len(known) or not len(profits) else math.nan), len(known), len(profits)


def _covered(sources: Sources) -> float:
    """Share of the instruments with a profit of the day: the smaller of number and value at its start."""
    traded = _traded(sources)
    known, sizes = traded["profit"].notna(), traded["size"]
    by_value = sizes[known].sum() / sizes.sum() if sizes.sum() > 0 else 1.0
    return float(min(known.mean(), by_value)) if len(traded) else 1.0


def _is_believed(sources: Sources, symbol: str) -> bool:
    """Whether no move over MOVE ends on the day, or ended the session before and is given back on the day."""
    found = [sources.close(symbol, day) for day in trading_calendar.window([sources.day], 2)]
    first, second, third = (math.nan if stale else close for close, stale in found)
    given_back = abs(second / first - 1) > MOVE and abs(math.log(third / first)) < abs(math.log(second / first)) / 4
    return not given_back and not abs(third / second - 1) > MOVE


def _values(sources: Sources, _: Row) -> Evidence:
    of, yesterday = book(sources), before(sources)
    daily = _daily(sources)[0]
    unpriced_before = len(yesterday.instruments) > 0 and yesterday.instruments["value"].isna().all()
    equity_before = math.nan if unpriced_before else yesterday.equity
    inflow, size = _purchases(sources)
    start, gross = equity_before + inflow, yesterday.gross + size
    is_enough = start > 0 and (gross == 0 or reaches(start / gross, MIN_EQUITY))
    received = _income(sources)
    held = of.instruments
    values = {
        "total_value": of.equity,
        "cash_value": of.cash,
        "long_value": held["value"].clip(lower=0).sum(),
        "short_value": held["value"].clip(upper=0).sum(),
        "gross_exposure": of.gross,
        "net_exposure": of.net,
        "daily_pnl": daily,
        "daily_return": daily / start if is_enough and reaches(_covered(sources), MIN_COVERAGE) else math.nan,
        "cumulative_pnl": sum(total for _, _, total in _profits(sources)) + income(sources, date.min, sources.day, dated=True),
        "income": received,
        "weight_base": WEIGHT_BASES[int(sources.cash_anchor is None)],
        "num_positions": len(held),
        "num_long_positions": int((held["units"] > 0).sum()),
        "num_short_positions": int((held["units"] < 0).sum()),
        "equity_balance": sources.stated["equity_balance"],
    }
    inputs = {"equity on the session before": equity_before, "purchases of the day": inflow, "cash is known on": sources.cash_anchor}
    return Evidence(values, of.inputs() | inputs)


def _lot_income(sources: Sources, lot: Lot) -> float:
    """What is known of the day's distribution to a lot."""
    amount = sources.distributions(lot.symbol).get(sources.day, 0.0) if lot in _held_overnight(sources) else 0.0
    return 0.0 if math.isnan(amount) else amount * lot.units


def _held_overnight(sources: Sources) -> list[Lot]:
    """Listed lots that a distribution of the day would be paid to."""
    held = (lot for lot in lots(sources) if lot.listed and lot.entry_date < sources.day)
    return [lot for lot in held if lot.exit_date is None or lot.exit_date >= sources.day]


def _income(sources: Sources) -> float:
    """Distributions of the day; NaN if those of no listed holding are known."""
    symbols = {lot.symbol for lot in _held_overnight(sources)}
    if symbols and not any(sources.has_known_income(symbol) for symbol in symbols):
        return math.nan
    return income(sources, trading_calendar.previous(sources.day), sources.day)


def _purchases(sources: Sources) -> tuple[float, float]:
    """Money paid in since the session before, signed and in size, where no equity is stated for purchases to come from."""
    if sources.cash_anchor is not None:
        return 0.0, 0.0
    previous = trading_calendar.previous(sources.day)
    of_day = [lot for lot in lots(sources) if previous < lot.entry_date <= sources.day]
    costs = np.nan_to_num([lot.units * lot.entry_price for lot in of_day])
    left = [lot for lot in lots(sources) if lot.exit_date is not None and previous < lot.exit_date <= sources.day]
    proceeds = np.nan_to_num([lot.units * lot.exit_price for lot in left])
    shorted = float(np.minimum(costs, 0.0).sum())
    paid_in = max(float(np.maximum(costs, 0.0).sum() - np.maximum(proceeds, 0.0).sum()), 0.0)
    return paid_in + shorted, paid_in - shorted


def _shares(of: Book) -> "pd.Series[float]":
    """Sizes of priced instruments as shares of gross value, the largest first."""
    sizes = of.instruments["value"].abs().dropna().sort_values(ascending=False)
    return sizes / of.gross if of.gross and of.has_prices else sizes.iloc[:0]


def _concentration(sources: Sources, _: Row) -> Evidence:
    of = book(sources)
    shares = _shares(of)
    some = len(shares) > 0
    hhi = float((shares**2).sum()) if some else math.nan
    gross = {sector: weight for sector, weight in _sector_values(sources, of)["gross"].items() if weight > 0}
    values = {
        "hhi": hhi,
        "effective_num_positions": 1 / hhi,
        "top_3_concentration": float(shares.head(3).sum()) if some else math.nan,
        "top_10_concentration": float(shares.head(10).sum()) if some else math.nan,
        "sector_exposure": gross if some else None,
    }
    return Evidence(values, of.inputs() | {"gross value": of.gross})


def _sector_values(sources: Sources, of: Book, name: str | None = None) -> pd.DataFrame:
    """Gross and net weights by sector, or of one: funds are ETF, what has no profile is Unclassified."""
    held = of.instruments[of.instruments["value"].notna()]
    known = sources.profiles(held["underlying"].dropna()).reindex(held["underlying"])
    fund = (known["is_etf"].eq(other=True) | known["is_fund"].eq(other=True)).fillna(value=False).to_numpy(bool)
    sector = np.where(fund, ETF, known["sector"].fillna(UNCLASSIFIED).to_numpy(object))
    values = pd.DataFrame({"gross": held["value"].abs(), "net": held["value"]}).groupby(sector).sum()
    values = values if name is None else values.reindex([name]).fillna(0.0)
    return pd.DataFrame({"gross": values["gross"] / (of.gross or math.nan), "net": values["net"] / of.base})


def _sector(sources: Sources, row: Row) -> Evidence:
    of, name = book(sources), row["sector"]
    code = row["benchmark_code"] or sources.benchmark_code()
    benchmark = sources.benchmark(code)
    own = _sector_values(sources, of, name).loc[name]
    weight = math.nan if benchmark is None else float(benchmark.get(name, 0.0))
    values = {
        "gross_weight": own["gross"],
        "net_weight": own["net"],
        "benchmark_weight": weight,
        "active_weight": own["net"] - weight,
        "benchmark_asof": None if benchmark is None else pd.Timestamp(str(benchmark.name)).date(),
        "benchmark_code": None if benchmark is None else code,
    }
    return Evidence(values, of.inputs() | {"sector": name})


def _coverage(sources: Sources, row: Row) -> Evidence:
    """How much of a portfolio a figure covers, by the figure's own rules."""
    metric, of = row["metric"], book(sources, by_delta=row["metric"] not in VALUE_COVERAGE)
    held, n_total = of.instruments, len(of.instruments)
    priced = held["value"].notna()
    counts: dict[str, Any] = {"n_total": n_total}
    if metric == "prices":
        counts |= {"n_covered": int(priced.sum())}
    elif metric == "current_prices":
        counts |= {"n_covered": int((priced & ~held["stale"].astype(bool)).sum())}
    elif metric == "sources":
        of_options = [math.isfinite(sources.close(symbol, sources.day)[0]) for symbol in held["underlying"][held["right"] != ""]]
        counts |= {"n_covered": sum(of_options) + int(priced[held["right"] == ""].sum())}
    elif metric == "believed_prices":
        traded = _traded(sources)
        doubted = [
            row["symbol"]
            for row in traded.to_dict("records")
            if row["over_split"] or (row["listed"] and not _is_believed(sources, row["symbol"]))
        ]
        counts = {"n_covered": len(traded) - len(doubted), "n_total": len(traded)}
    elif metric == "daily_pnl":
        _, n_known, n_traded = _daily(sources)
        counts = {"n_covered": n_known, "n_total": n_traded}
    elif metric == "income":
        symbols = {lot.symbol for lot in _held_overnight(sources)}
        counts = {"n_covered": sum(sources.has_known_income(symbol) for symbol in symbols), "n_total": len(symbols)}
    elif metric == "volatility":
        share = series(sources, PORTFOLIO_WINDOW)["coverage"].iloc[-har.LEVEL_WINDOW :] * of.priced_share
        known = sources.returns({*of.moving["underlying"], sources.market}, PORTFOLIO_WINDOW).iloc[-har.LEVEL_WINDOW :].count()
        followed = held["underlying"][held["follows"]]
        counts |= {"coverage": share.mean(), "n_covered": int((followed.map(known).fillna(0) >= har.MIN_LEVEL_OBS).sum())}
    else:
        found = {
            "beta": lambda: of_portfolio(sources, of, sources.market),
            "provider_beta": lambda: of_vendor(sources, of),
            "rate_beta": lambda: of_portfolio(sources, of, sources.rate),
            "two_factor_rate_beta": lambda: of_portfolio(sources, of, sources.market, sources.rate, factor=1),
        }[metric]()
        counts |= {name: found[name] for name in ("coverage", "n_covered")}
    share_of_count = counts["n_covered"] / counts["n_total"] if counts["n_total"] else math.nan
    return Evidence({"coverage": share_of_count} | counts, of.inputs() | {"figure": metric})


_SNAPSHOT = {
    "total_value": "equity: net value + cash, at the closes of the day or up to 5 sessions before",
    "cash_value": "equity balance - net value on the last priced session it was stated for + sales - purchases + income since",
    "long_value": "sum of the values of instruments held long, units * price, lots netted",
    "short_value": "sum of the values of instruments held short",
    "gross_exposure": "long value - short value",
    "net_exposure": "long value + short value",
    "daily_pnl": "sum(units * (P(t) - P(t-1))) + income, from the entry price on the opening day and to the exit price on the closing day",
    "daily_return": "daily_pnl / (equity on the session before + purchases of the day where no equity is stated)",
    "cumulative_pnl": "sum(units * (price or exit price - entry price)) over all lots entered by the day, and their income since",
    "income": "sum(units * D) over the lots held overnight, D = C(t-1) - C(t) * A(t-1) / A(t) of close C and adjusted close A",
    "weight_base": "stated_equity where an equity balance is stated, else net_value",
    "num_positions": "instruments held, lots netted",
    "num_long_positions": "instruments held long",
    "num_short_positions": "instruments held short",
    "equity_balance": "as stated with the portfolio",
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
    "benchmark_weight": "the benchmark's latest weight at or before the day",
    "active_weight": "net_weight - benchmark_weight",
    "benchmark_asof": "the latest day at or before the session that the benchmark's weights describe",
    "benchmark_code": "the code of the benchmark that was in use",
}
_COVERAGE = {
    "coverage": "covered exposure / exposure; of prices and profit, instruments covered / instruments",
    "n_covered": "instruments that the figure covers",
    "n_total": "instruments that it is about",
}
_BY = "lots one by one in Python, netted by pandas"

CHAPTERS = [
    Chapter(tables.portfolio_snapshots, _SNAPSHOT, _BY, _values),
    Chapter(tables.portfolio_snapshots, _CONCENTRATION, _BY, _concentration),
    Chapter(tables.portfolio_sector_weights, _SECTORS, _BY, _sector),
    Chapter(tables.portfolio_coverage, _COVERAGE, f"{_BY}; betas by statsmodels", _coverage),
]

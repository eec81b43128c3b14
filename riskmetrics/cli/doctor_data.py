"""What `riskmetrics doctor` looks at in stored prices, profiles, weights and results."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from riskmetrics.cli.findings import MAX_NAMED, Finding
from riskmetrics.cli.output import counted
from riskmetrics.text import name_some

if TYPE_CHECKING:
    import sqlalchemy as sa

    from riskmetrics.db.health import Freshness
    from riskmetrics.settings import Settings

_OLD_BENCHMARK = 35
"""Days after which sector weights, which are published once a month, count as old."""


def check_data(connection: "sa.Connection", configured: "Settings") -> Iterator[Finding]:
    """Find what is missing or late of prices, profiles, sector weights and results, and which splits are undecided."""
    from riskmetrics import trading_calendar
    from riskmetrics.db import health, read

    market = read.market_index(connection, configured.market_index)
    benchmark = read.benchmark_code(connection, configured.benchmark)
    found, ended = health.freshness(connection, market, benchmark), trading_calendar.last_ended()
    fetch = "riskmetrics run" if configured.fmp_api_key else "riskmetrics import prices FILE"
    if found.market_close is None:
        yield Finding(
            "warn", "prices", f"no close of the market index {market} is stored", f"{fetch}, or riskmetrics db setting market_index SYMBOL"
        )
        return
    behind = len(trading_calendar.between(found.market_close, ended)) - 1
    state, advice = ("warn", fetch) if behind else ("ok", "")
    yield Finding(state, "prices", f"{market} until {found.market_close}, {counted(behind, 'session')} behind the last that ended", advice)
    for what, lacking, how in (
        ("prices", found.without_price, fetch),
        ("profiles", found.without_profile, "riskmetrics import profiles FILE: what has none is Unclassified"),
    ):
        text = f"of {counted(found.n_held, 'symbol')} held then {len(lacking)} lack one"
        yield Finding(
            "warn" if lacking else "ok", what, text + (f": {name_some(lacking, MAX_NAMED)}" if lacking else ""), how if lacking else ""
        )
    yield _suspects(connection)
    yield _benchmark(found, benchmark)
    yield from _results(found)


def _suspects(connection: "sa.Connection") -> Finding:
    """Return which suspected splits no user has decided about."""
    from riskmetrics import trading_calendar
    from riskmetrics.db.suspects import suspected_moves
    from riskmetrics.results import price_quality

    latest = trading_calendar.last_known()
    suspects = price_quality.open_suspects(suspected_moves(connection), latest)
    if suspects.empty:
        return Finding("ok", "splits", "no price moves like a split that it is not adjusted for")
    days = suspects["date"].dt.strftime("%Y-%m-%d")
    moves = name_some([f"{symbol} {day}" for symbol, day in zip(suspects["symbol"], days, strict=True)], MAX_NAMED)
    verb = "waits" if len(suspects) == 1 else "wait"
    text = f"{counted(len(suspects), 'suspected split')} {verb} for a decision: {moves}"
    return Finding("warn", "splits", text, "riskmetrics prices list shows what to do about each")


def _benchmark(found: "Freshness", code: str) -> Finding:
    from riskmetrics.settings import DEFAULT_BENCHMARK

    is_fetched = code == DEFAULT_BENCHMARK
    fill = f"{'riskmetrics seed benchmark, or ' if is_fetched else ''}riskmetrics import benchmark FILE"
    if found.benchmark is None:
        return Finding("warn", "benchmark", f"no sector weights of {code} are stored", fill)
    old = (found.market_close - found.benchmark).days > _OLD_BENCHMARK if found.market_close else False
    text = f"sector weights of {code} as of {found.benchmark}"
    return Finding("warn" if old else "ok", "benchmark", text, fill if old else "")


def _results(found: "Freshness") -> Iterator[Finding]:
    of = found.results
    if of.results_to is None:
        yield Finding("warn", "results", "none yet", "riskmetrics run")
        return
    late = found.market_close is not None and of.results_to < found.market_close
    text = f"{counted(of.sessions_computed, 'session')}, {of.results_from} to {of.results_to}"
    yield Finding("warn" if late else "ok", "results", text, "riskmetrics run" if late else "")
    for lacking, what in ((of.sessions_missing, "have none between them"), (of.sessions_incomplete, "lack a portfolio")):
        if lacking:
            how = f"riskmetrics backfill --from {lacking[0]} --to {lacking[-1]}"
            yield Finding("warn", "results", f"{counted(len(lacking), 'session')} {what}: {name_some(lacking, MAX_NAMED)}", how)

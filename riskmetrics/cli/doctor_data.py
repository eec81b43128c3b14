"""Checks of `riskmetrics doctor` on stored prices, profiles, sector weights and results."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from riskmetrics.cli.findings import MAX_NAMES_PER_LINE, Finding
from riskmetrics.cli.output import pluralize
from riskmetrics.text import join_names

if TYPE_CHECKING:
    import sqlalchemy as sa

    from riskmetrics.db.health import Freshness
    from riskmetrics.settings import Settings

_MAX_BENCHMARK_AGE_DAYS = 35
"""Days after which sector weights, which are published once a month, count as outdated."""


def check_data(connection: "sa.Connection", configured: "Settings") -> Iterator[Finding]:
    """Find missing or outdated prices, profiles, sector weights and results, and open splits."""
    from riskmetrics import trading_calendar
    from riskmetrics.db import health, stored_settings

    market = stored_settings.read_market_index(connection, configured.market_index)
    benchmark = stored_settings.read_benchmark_code(connection, configured.benchmark)
    freshness, last_session = (
        health.read_freshness(connection, market, benchmark),
        trading_calendar.last_completed_session(),
    )
    fetch = "riskmetrics run" if configured.fmp_api_key else "riskmetrics import prices FILE"
    if freshness.last_market_session is None:
        yield Finding(
            "warn",
            "prices",
            f"no close of the market index {market} is stored",
            f"{fetch}, or riskmetrics db setting market_index SYMBOL",
        )
        return
    n_sessions_behind = (
        len(trading_calendar.sessions_between(freshness.last_market_session, last_session)) - 1
    )
    state, advice = ("warn", fetch) if n_sessions_behind else ("ok", "")
    yield Finding(
        state,
        "prices",
        f"{market} until {freshness.last_market_session}, {pluralize(n_sessions_behind, 'session')}"
        " behind the latest ended session",
        advice,
    )
    for what, missing, fix in (
        ("prices", freshness.symbols_without_price, fetch),
        (
            "profiles",
            freshness.symbols_without_profile,
            "riskmetrics import profiles FILE; symbols without a profile are Unclassified",
        ),
    ):
        held = f"{pluralize(freshness.n_held, 'symbol')} held on that session"
        text = f"missing for {len(missing)} of {held}" if missing else f"complete for {held}"
        yield Finding(
            "warn" if missing else "ok",
            what,
            text + (f": {join_names(missing, MAX_NAMES_PER_LINE)}" if missing else ""),
            fix if missing else "",
        )
    yield _check_suspected_splits(connection)
    yield _check_benchmark(freshness, benchmark)
    yield from _check_results(freshness)


def _check_suspected_splits(connection: "sa.Connection") -> Finding:
    """List suspected splits that are not decided yet."""
    from riskmetrics import trading_calendar
    from riskmetrics.db.split_suspects import find_suspected_splits
    from riskmetrics.results import price_faults

    latest = trading_calendar.calendar_end()
    suspects = price_faults.select_open_suspects(find_suspected_splits(connection), latest)
    if suspects.empty:
        return Finding("ok", "splits", "no suspected split waits for a decision")
    days = suspects["date"].dt.strftime("%Y-%m-%d")
    moves = join_names(
        [f"{symbol} {day}" for symbol, day in zip(suspects["symbol"], days, strict=True)],
        MAX_NAMES_PER_LINE,
    )
    verb = "waits" if len(suspects) == 1 else "wait"
    text = f"{pluralize(len(suspects), 'suspected split')} {verb} for a decision: {moves}"
    return Finding("warn", "splits", text, "riskmetrics prices list shows the options for each")


def _check_benchmark(freshness: "Freshness", code: str) -> Finding:
    from riskmetrics.settings import DEFAULT_BENCHMARK

    is_fetched = code == DEFAULT_BENCHMARK
    fix = (
        f"{'riskmetrics seed benchmark, or ' if is_fetched else ''}riskmetrics import benchmark"
        " FILE"
    )
    if freshness.benchmark_day is None:
        return Finding("warn", "benchmark", f"no sector weights of {code} are stored", fix)
    is_old = (
        (freshness.last_market_session - freshness.benchmark_day).days > _MAX_BENCHMARK_AGE_DAYS
        if freshness.last_market_session
        else False
    )
    text = f"sector weights of {code} as of {freshness.benchmark_day}"
    return Finding("warn" if is_old else "ok", "benchmark", text, fix if is_old else "")


def _check_results(freshness: "Freshness") -> Iterator[Finding]:
    sessions = freshness.stored_sessions
    if sessions.results_to is None:
        yield Finding("warn", "results", "none yet", "riskmetrics run")
        return
    is_late = (
        freshness.last_market_session is not None
        and sessions.results_to < freshness.last_market_session
    )
    text = (
        f"{pluralize(sessions.sessions_computed, 'session')}, {sessions.results_from} to"
        f" {sessions.results_to}"
    )
    yield Finding(
        "warn" if is_late else "ok", "results", text, "riskmetrics run" if is_late else ""
    )
    for incomplete, what in (
        (sessions.sessions_missing, "without results in that range"),
        (sessions.sessions_incomplete, "without results of some portfolio"),
    ):
        if incomplete:
            fix = f"riskmetrics backfill --from {incomplete[0]} --to {incomplete[-1]}"
            yield Finding(
                "warn",
                "results",
                f"{pluralize(len(incomplete), 'session')} {what}:"
                f" {join_names(incomplete, MAX_NAMES_PER_LINE)}",
                fix,
            )

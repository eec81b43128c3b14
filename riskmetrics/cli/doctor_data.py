"""Checks of `riskmetrics doctor` on stored prices, profiles, sector weights and results."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from riskmetrics.cli.findings import MAX_NAMES_PER_LINE, Check, Finding, run_checks
from riskmetrics.cli.output import pluralize
from riskmetrics.errors import DataQualityError
from riskmetrics.text import join_names

if TYPE_CHECKING:
    import pandas as pd
    import sqlalchemy as sa

    from riskmetrics.db.health import Freshness
    from riskmetrics.settings import Settings

_DATA_EXIT_CODE = DataQualityError.exit_code
_MAX_BENCHMARK_AGE_DAYS = 35
"""Days after which sector weights, which are published once a month, count as outdated."""


class _Data(NamedTuple):
    """The state of the data, and what the checks of it name."""

    connection: "sa.Connection"
    freshness: "Freshness"
    market: str
    benchmark: str
    fetch_command: str
    configured: "Settings"


def check_data(connection: "sa.Connection", configured: "Settings") -> Iterator[Finding]:
    """Find missing or outdated prices, profiles, sector weights and results, and open splits."""
    from riskmetrics.db import health, stored_settings

    market = stored_settings.read_market_index(connection, configured.market_index)
    benchmark = stored_settings.read_benchmark_code(connection, configured.benchmark)
    freshness = health.read_freshness(connection, market, benchmark)
    fetch = "riskmetrics run" if configured.source_names else "riskmetrics import prices FILE"
    checks = _CHECKS if freshness.last_market_session else _CHECKS[:1]
    found = run_checks(checks, _Data(connection, freshness, market, benchmark, fetch, configured))
    return (finding._replace(exit_code=_DATA_EXIT_CODE) for finding in found)


def _check_market_prices(data: _Data) -> Iterator[tuple[str, ...]]:
    from riskmetrics import trading_calendar
    from riskmetrics.db import input_queries, missing_indices, stored_settings

    last, fetch = data.freshness.last_market_session, data.fetch_command
    if last is None:
        text = f"no close of the market index {data.market} is stored"
        override = data.configured.market_index
        correction = missing_indices.suggest_index(
            data.connection, stored_settings.MARKET_INDEX, override
        )
        files = ", or riskmetrics import prices FILE" if data.configured.source_names else ""
        is_stuck = not (  # else a run fetches what is missing
            data.configured.source_names or input_queries.read_portfolios(data.connection).empty
        )
        yield "fail" if is_stuck else "warn", text, f"{fetch}{files}, or {correction}"
        return
    sessions = trading_calendar.sessions_between(last, trading_calendar.last_completed_session())
    n_behind = len(sessions) - 1
    text = (
        f"{data.market} until {last}, {pluralize(n_behind, 'session')} behind the latest"
        " ended session"
    )
    yield "warn" if n_behind else "ok", text, fetch


def _check_rate_index(data: _Data) -> Iterator[tuple[str, ...]]:
    """Find a rate index without closes, if one was chosen: the default need not be stored."""
    from riskmetrics.db import missing_indices, stored_prices, stored_settings

    override = data.configured.rate_index
    rate = stored_settings.read_rate_index(data.connection, override)
    is_chosen = override or rate != stored_settings.DEFAULT_SETTINGS[stored_settings.RATE_INDEX]
    if is_chosen and stored_prices.read_price_coverage(data.connection, [rate]).empty:
        correction = missing_indices.suggest_index(
            data.connection, stored_settings.RATE_INDEX, override
        )
        text = f"no close of the rate index {rate} is stored: interest-rate betas are undefined"
        yield "warn", text, f"{data.fetch_command}, or {correction}"


def _check_factors(data: _Data) -> Iterator[tuple[str, ...]]:
    """Find chosen factors whose fund has no close, or whose returns are not imported."""
    from riskmetrics.db import factor_queries, stored_prices
    from riskmetrics.factor_sets import parse_factors
    from riskmetrics.settings import Settings

    if data.configured.factors == Settings.model_fields["factors"].default:
        return
    factors = parse_factors(data.configured.factors)
    funds = {factor.fund for factor in factors if factor.fund}
    priced = set(stored_prices.read_price_coverage(data.connection, funds)["symbol"])
    if missing := sorted(funds - priced):
        named = stored_prices.suggest_symbols(data.connection, missing)
        text = f"no close is stored of the factor funds {join_names(named, MAX_NAMES_PER_LINE)}"
        yield "warn", text, f"{data.fetch_command}, or correct RISKMETRICS_FACTORS"
    imported = factor_queries.read_factor_names(data.connection)
    names = {factor.name for factor in factors if factor.fund is None}
    if unknown := sorted(names - imported):
        text = f"no returns are imported of the factors {join_names(unknown, MAX_NAMES_PER_LINE)}"
        known = (
            f" (imported: {join_names(sorted(imported), MAX_NAMES_PER_LINE)})" if imported else ""
        )
        advice = "riskmetrics import factors FILE, or correct RISKMETRICS_FACTORS"
        yield "warn", f"{text}{known}", advice


def _check_held(data: _Data, *, what: str) -> Iterator[tuple[str, ...]]:
    freshness = data.freshness
    missing = getattr(freshness, f"symbols_without_{what}")
    held = f"{pluralize(freshness.n_held, 'symbol')} held on that session"
    if not missing:
        yield "ok", f"complete for {held}"
        return
    advice = []
    if what == "price":
        from riskmetrics.db import stored_prices

        named = stored_prices.suggest_symbols(data.connection, missing)
        correction = ", or riskmetrics symbols rename OLD NEW" if named != missing else ""
        missing, advice = named, [f"{data.fetch_command}{correction}"]
    names = join_names(missing, MAX_NAMES_PER_LINE)
    yield "warn", f"missing for {len(missing)} of {held}: {names}", *advice


def _check_suspected_splits(data: _Data) -> Iterator[tuple[str, ...]]:
    from riskmetrics import trading_calendar
    from riskmetrics.db.split_suspects import find_suspected_splits
    from riskmetrics.results import price_moves

    latest = trading_calendar.calendar_end()
    suspects = price_moves.select_open_suspects(find_suspected_splits(data.connection), latest)
    if suspects.empty:
        yield "ok", "no suspected split waits for a decision"
        return
    days = suspects["date"].dt.strftime("%Y-%m-%d")
    moves = join_names(
        [f"{symbol} {day}" for symbol, day in zip(suspects["symbol"], days, strict=True)],
        MAX_NAMES_PER_LINE,
    )
    verb = "waits" if len(suspects) == 1 else "wait"
    yield "warn", f"{pluralize(len(suspects), 'suspected split')} {verb} for a decision: {moves}"


def _check_large_moves(data: _Data) -> Iterator[tuple[str, ...]]:
    from riskmetrics.inputs.stored_faults import read_faults

    day = data.freshness.last_market_session
    assert day is not None  # noqa: S101  # the check runs only with closes of the market index
    found = read_faults(data.connection, day, [data.market]).found
    large = found[found["fault"] == "large_moves"]
    unconfirmed = found[(found["fault"] == "bad_ticks") & (found["day"].dt.date == day)]
    if len(large):
        n_moves = pluralize(len(large), "large move")
        yield "warn", f"{n_moves} in the year to {day} to confirm: {_name_findings(large)}"
    if len(unconfirmed):
        closes = pluralize(len(unconfirmed), "unconfirmed close")
        advice = "check it, and import the correct close; the next session confirms a real move"
        yield "warn", f"{closes} on {day}: {_name_findings(unconfirmed)}", advice
    if large.empty and unconfirmed.empty:
        yield "ok", f"no large move in the year to {day} waits for confirmation"


def _name_findings(found: "pd.DataFrame") -> str:
    named = [f"{row.symbol} {row.finding}" for row in found.itertuples()]
    return join_names(named, MAX_NAMES_PER_LINE, "; ")


def _check_benchmark(data: _Data) -> Iterator[tuple[str, ...]]:
    from riskmetrics.settings import DEFAULT_BENCHMARK

    code, freshness = data.benchmark, data.freshness
    fetch = "riskmetrics seed benchmark, or " if code == DEFAULT_BENCHMARK else ""
    fix = f"{fetch}riskmetrics import benchmark FILE"
    day, last = freshness.benchmark_day, freshness.last_market_session
    if day is None:
        yield "warn", f"no sector weights of {code} are stored", fix
        return
    is_old = last is not None and (last - day).days > _MAX_BENCHMARK_AGE_DAYS
    yield "warn" if is_old else "ok", f"sector weights of {code} as of {day}", fix


def _check_results(data: _Data) -> Iterator[tuple[str, ...]]:
    freshness, sessions = data.freshness, data.freshness.stored_sessions
    if sessions.results_to is None:
        yield "warn", "none yet"
        return
    last = freshness.last_market_session
    is_late = last is not None and sessions.results_to < last
    computed = pluralize(sessions.sessions_computed, "session")
    text = f"{computed}, {sessions.results_from} to {sessions.results_to}"
    yield "warn" if is_late else "ok", text
    for incomplete, what in (
        (sessions.sessions_missing, "without results in that range"),
        (sessions.sessions_incomplete, "without results of some portfolio"),
    ):
        if incomplete:
            names = join_names(incomplete, MAX_NAMES_PER_LINE)
            yield (
                "warn",
                f"{pluralize(len(incomplete), 'session')} {what}: {names}",
                f"riskmetrics backfill --from {incomplete[0]} --to {incomplete[-1]}",
            )


def _check_outdated(data: _Data) -> Iterator[tuple[str, ...]]:
    from riskmetrics.db.outdated_results import read_outdated

    if outdated := read_outdated(data.connection):
        text = f"inputs changed after results from {outdated.first} to {outdated.last} were stored"
        yield "warn", text, str(outdated)


_CHECKS = (
    Check("prices", _check_market_prices),
    Check("prices", partial(_check_held, what="price")),
    Check("prices", _check_rate_index),
    Check("prices", _check_factors),
    Check(
        "profiles",
        partial(_check_held, what="profile"),
        "riskmetrics import profiles FILE; symbols without a profile are Unclassified",
    ),
    Check("splits", _check_suspected_splits, "riskmetrics prices list shows the options for each"),
    Check("moves", _check_large_moves, "riskmetrics prices list shows the options for each"),
    Check("benchmark", _check_benchmark),
    Check("results", _check_results, "riskmetrics run"),
    Check("results", _check_outdated),
)
"""Only the first one runs if no close of the market index is stored."""

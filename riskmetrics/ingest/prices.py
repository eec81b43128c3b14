"""Daily prices from the vendor: full history at first and after restatements, else updates."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import (
    input_queries,
    input_writes,
    outdated_results,
    stored_prices,
    used_closes,
    vendor,
    write,
)
from riskmetrics.db.used_closes import UsedCloses
from riskmetrics.db.vendor import VendorAnswer
from riskmetrics.errors import (
    DataQualityError,
    EntitlementError,
    InvalidResponseError,
    SourceError,
    UnknownSymbolError,
    VendorUnavailableError,
)
from riskmetrics.ingest.vendor_client import (
    NO_SOURCE_WARNING,
    RefreshResult,
    VendorClient,
    fetch_concurrently,
)
from riskmetrics.metrics.minimums import MIN_COVERAGE, meets_minimum
from riskmetrics.results import price_history, tail_risk_results
from riskmetrics.text import agree_with_number

if TYPE_CHECKING:
    from riskmetrics.sources.row_validation import ParseResult

HISTORY_SESSIONS = 5 * 250
"""Sessions of history fetched for a new symbol; just within the five years of small plans."""
LOOKBACK_SESSIONS = tail_risk_results.TAIL_RISK_WINDOW + 1
"""Longest lookback of any result, in sessions; with less stored, earlier history is fetched."""
SETTLEMENT_DELAY = timedelta(hours=4)
"""Time after the close of a session from which on the prices of the vendor are final."""
RETRY_AFTER = timedelta(minutes=15)
"""Minimum time between two identical requests before prices are final."""

KIND = "prices"


class FetchPlan(NamedTuple):
    """Request for a symbol and sessions from ``first`` on: an update, or else its history."""

    symbol: str
    first: date
    history_start: date
    update_start: date | None


def needed_symbols(connection: sa.Connection, market: str) -> dict[str, date | None]:
    """Return the day up to which each symbol needs prices; None: up to the present.

    Includes open and closed positions and the market index.
    """
    return input_queries.read_price_end_dates(connection) | {market: None}


def refresh(
    client: VendorClient | None, symbols: Mapping[str, date | None], days: Sequence[date]
) -> RefreshResult:
    """Fetch and store the missing prices of each symbol; a failure affects no other symbol.

    Parameters
    ----------
    client : VendorClient or None
        None without a source: the result has a warning.
    symbols : mapping
        Day up to which each symbol needs prices; None: up to the last of ``days``.
    days : sequence of date
        Sessions to be computed, ascending.

    Returns
    -------
    RefreshResult
        ``errors`` has the symbols with missing prices: those that failed now, and those that the
        vendor did not know at the last request.
    """
    if client is None:
        return RefreshResult(warnings=(NO_SOURCE_WARNING,))
    now = datetime.now(UTC)
    with client.engine.connect() as connection:
        answers = vendor.read_answers(connection, client.name, KIND, symbols)
        stored = spans(stored_prices.read_price_coverage(connection, symbols))
        started = connection.execute(sa.select(sa.func.now())).scalar_one()
        used = used_closes.read_used_closes(connection)  # not by symbol: it reads all results
    plans: dict[str, FetchPlan] = {}
    errors: dict[str, SourceError] = {}
    for symbol, until in symbols.items():
        answer, span = answers.get(symbol), stored.get(symbol)
        through = min(days[-1], trading_calendar.previous_or_same_session(until or days[-1]))
        plan = _plan_fetch(
            symbol, through, days[0], span, answer, is_settled=_is_settled(answer, now)
        )
        if plan is not None:
            plans[symbol] = plan
        elif answer is not None and answer.problem and (span is None or span[1] < through):
            errors[symbol] = UnknownSymbolError(answer.problem)
    # a run that a rate limit ends must not leave out the same symbols every time
    by_age = sorted(plans, key=lambda symbol: stored[symbol][1] if symbol in stored else date.min)
    warnings_by_symbol, fetch_errors = fetch_concurrently(
        by_age,
        lambda symbol: _fetch_and_store(
            client, plans[symbol], trading_calendar.last_completed_session(now), used
        ),
    )
    with client.engine.begin() as connection:  # another run may have stored results meanwhile
        late = outdated_results.record_closes_since(connection, plans, started, used)
    warnings = dict.fromkeys(
        note for of_symbol in [*warnings_by_symbol.values(), late] for note in of_symbol
    )
    return RefreshResult(len(plans), errors | fetch_errors, tuple(warnings))


def require_price_coverage(result: RefreshResult, symbols: Collection[str]) -> None:
    """Raise an error if fewer than 80% of ``symbols`` have their prices.

    Raises
    ------
    VendorUnavailableError
        If the vendor was unavailable for every symbol without prices.
    DataQualityError
        In all other cases.
    """
    if has_price_coverage(result, symbols):
        return
    errors = {symbol: error for symbol, error in result.errors.items() if symbol in symbols}
    first = next(iter(errors.values()))
    sentence = (
        f"{len(errors)} of {len(symbols)} symbols have missing prices (maximum"
        f" {1 - MIN_COVERAGE:.0%}): {first}"
    )
    raise (
        VendorUnavailableError(sentence)
        if all(isinstance(error, VendorUnavailableError) for error in errors.values())
        else DataQualityError(sentence)
    )


def has_price_coverage(result: RefreshResult, symbols: Collection[str]) -> bool:
    """Return whether at least 80% of ``symbols`` have their prices."""
    n_errors = len(result.errors.keys() & set(symbols))
    return not symbols or bool(meets_minimum(1 - n_errors / len(symbols), MIN_COVERAGE))


def spans(coverage: pd.DataFrame) -> dict[str, tuple[date, date]]:
    """Return the first and last price day of each symbol that has prices."""
    days = (pd.DatetimeIndex(coverage[name]).date for name in ("first", "last"))
    return dict(zip(coverage["symbol"], zip(*days, strict=True), strict=True))


def _plan_fetch(
    symbol: str,
    through: date,
    first: date,
    stored: tuple[date, date] | None,
    answer: VendorAnswer | None,
    *,
    is_settled: bool,
) -> FetchPlan | None:
    """Return the request for a symbol, None if its prices are complete or recently fetched."""
    history_start = trading_calendar.previous_session(first, HISTORY_SESSIONS)
    if stored is None:
        return (
            None
            if is_settled and answer is not None and answer.problem
            else FetchPlan(symbol, first, history_start, None)
        )
    lookback_start = trading_calendar.previous_session(first, LOOKBACK_SESSIONS)
    requested_from = answer.first_day if answer is not None else None
    needs_history = stored[0] > lookback_start and (
        requested_from is None or requested_from > lookback_start
    )
    needs_update = stored[1] < through and not is_settled
    history_start = min(history_start, stored[0])
    # an imported history that is up to date is not replaced by the vendor's
    if needs_history and (needs_update or requested_from is not None):
        return FetchPlan(symbol, first, history_start, None)
    return (
        FetchPlan(
            symbol,
            first,
            history_start,
            trading_calendar.previous_session(stored[1], price_history.OVERLAP_SESSIONS),
        )
        if needs_update
        else None
    )


def _is_settled(answer: VendorAnswer | None, now: datetime) -> bool:
    if answer is None:
        return False
    return answer.received_at >= min(
        trading_calendar.session_close(trading_calendar.last_completed_session(now))
        + SETTLEMENT_DELAY,
        now - RETRY_AFTER,
    )


def _fetch_and_store(
    client: VendorClient, plan: FetchPlan, last: date, used: UsedCloses | None
) -> list[str]:
    """Fetch one symbol, compare it with the stored prices, store it, and return warnings."""
    symbol, warnings = plan.symbol, list[str]()
    with client.engine.connect() as connection:
        other = _find_other_source(connection, client, symbol)
    if plan.update_start is not None and not (other and other.is_vendor):
        parsed = fetch(client, symbol, plan.update_start, last)
        notes = (
            [] if parsed.rows.empty else _store(client, plan, parsed, used, is_full_history=False)
        )
        if notes is not None:
            _record_answer(client, symbol, plan.update_start)
            return notes + _describe_rows(client, symbol, parsed)
        warnings.append(
            f"prices of {symbol} were restated (split or dividend); fetching the full history"
        )
    try:
        parsed = fetch(client, symbol, plan.history_start, last)
    except EntitlementError:
        recent = trading_calendar.previous_session(last, HISTORY_SESSIONS)
        if plan.history_start >= recent:
            raise
        # the plan may include the symbol with a shorter history
        parsed = fetch(client, symbol, recent, last)
    if parsed.rows.empty:
        problem = (
            f"{client.name} has no price of {symbol}. Check the symbol, rename it with `riskmetrics"
            f" symbols rename {symbol} NEW`, or import its prices from a file"
        )
        _record_answer(client, symbol, plan.history_start, problem)
        raise UnknownSymbolError(problem)
    notes = _store(client, plan, parsed, used, is_full_history=True)
    if notes is None:
        raise InvalidResponseError(
            f"{client.name} prices of {symbol} neither cover nor continue the stored prices, which"
            " are kept. Import its full history from one source"
        )
    _record_answer(client, symbol, plan.history_start)
    return warnings + notes + _describe_rows(client, symbol, parsed)


def _describe_rows(client: VendorClient, symbol: str, parsed: "ParseResult") -> list[str]:
    """Return warnings of rejected rows, and of closes that no adjusted ones come with."""
    warnings = list[str]()
    if parsed.rejected:
        n_rows = len(parsed.rejected)
        warnings.append(
            agree_with_number(f"{n_rows} rows of {client.name} prices of {symbol} rejected")
            + f" ({parsed.rejected[0].reason}): see `riskmetrics show rejected`, and import the"
            " correct prices"
        )
    if not parsed.rows.empty and not parsed.rows["has_adj_close"].all():
        from riskmetrics.sources.price_files import UNADJUSTED_NOTE  # slow to import

        warnings.append(
            f"your {client.name} plan does not include adjusted closes: {UNADJUSTED_NOTE}"
        )
    return warnings


def fetch(client: VendorClient, symbol: str, first: date, last: date) -> "ParseResult":
    """Fetch prices and store rejected rows, and return only those that were not stored before.

    Raises InvalidResponseError if no row is valid.
    """
    parsed = client.api.fetch_prices(symbol, first, last)
    if parsed.rejected:
        with client.engine.begin() as connection:
            n_known = input_writes.count_rejected_rows(connection, client.name)
            input_writes.store_rejected_rows(connection, KIND, client.name, parsed.rejected)
            is_known = n_known == input_writes.count_rejected_rows(connection, client.name)
        if parsed.rows.empty:
            count, reason = len(parsed.rejected), parsed.rejected[0].reason
            raise InvalidResponseError(
                f"{client.name} returned no valid row of {symbol}. All {count} rows are in"
                f" rejected_rows; the first: {reason}"
            )
        if is_known:  # an update repeats the rows of the sessions before it
            return parsed._replace(rejected=[])
    return parsed


def _store(
    client: VendorClient,
    plan: FetchPlan,
    parsed: "ParseResult",
    used: UsedCloses | None,
    *,
    is_full_history: bool,
) -> list[str] | None:
    """Store prices if they continue the stored prices, under the lock.

    Returns
    -------
    list of str or None
        Warnings; None if the prices do not continue the stored prices, and nothing is stored.
    """
    symbol = plan.symbol
    with client.engine.begin() as connection:
        write.lock_asset(connection, KIND)
        stored = stored_prices.read_price_history(connection, symbol)
        source = _find_other_source(connection, client, symbol)
        warnings = list[str]()
        if stored["has_adj_close"].any() and not parsed.rows["has_adj_close"].any():
            is_same_source = source is None or not source.is_vendor
            rows = price_history.scale_to_stored(stored, parsed.rows) if is_same_source else None
        elif is_full_history:
            warnings = _compare_sources(client, symbol, source, stored, parsed.rows)
            if day := price_history.partial_split_date(stored, parsed.rows):
                raise InvalidResponseError(
                    f"{client.name} prices of {symbol} have a new jump on {day}, as if a split were"
                    " applied only in part. The stored prices are kept; the next run fetches again"
                )
            rows = price_history.splice(stored, parsed.rows)
            ratio = price_history.find_split_ratio(stored, parsed.rows)
            if ratio and symbol in input_queries.read_price_end_dates(connection):
                warnings.append(_describe_split(symbol, ratio))
        else:
            rows = parsed.rows if price_history.matches_stored(stored, parsed.rows) else None
        if rows is None:
            return None
        changed = outdated_results.find_changed_closes(connection, rows, used)
        ex_days = price_history.find_changed_returns(stored, rows)
        _, mixed = input_writes.store_prices(connection, rows, client.name)
        if mixed:
            return None
        return [
            *warnings,
            *outdated_results.record_changed_closes(connection, changed, plan.first),
            *outdated_results.record_changed_returns(connection, symbol, ex_days, used),
        ]


def _describe_split(symbol: str, ratio: float) -> str:
    """Return a warning that quantities may be from before a split, of new shares per old share."""
    split = f"{ratio:.4g}:1" if ratio > 1 else f"1:{1 / ratio:.4g}"
    return (
        f"earlier closes of {symbol} are restated as after a split of {split}: if a quantity is"
        " from before it, import the holdings again"
    )


def _find_other_source(
    connection: sa.Connection, client: VendorClient, symbol: str
) -> stored_prices.PriceSource | None:
    """Return the other source that the stored prices of a symbol are from, or None."""
    source = stored_prices.read_price_sources(connection, [symbol]).get(symbol)
    return None if source is None or source.name == client.name else source


def _compare_sources(
    client: VendorClient,
    symbol: str,
    other: stored_prices.PriceSource | None,
    stored: pd.DataFrame,
    fetched: pd.DataFrame,
) -> list[str]:
    """Return a warning if prices differ from those stored from a file, which they replace.

    Raises InvalidResponseError if they differ from those stored from another vendor.
    """
    if other is None or (found := price_history.find_disagreement(stored, fetched)) is None:
        return []
    sentence = (
        f"{client.name} prices of {symbol} differ from the stored prices of {other.name}:"
        f" {found.column} of {found.day} is {found.fetched:.4f} instead of {found.stored:.4f}"
    )
    if other.is_vendor:
        raise InvalidResponseError(
            f"{sentence}. The stored prices are kept; to replace them, run `riskmetrics symbols"
            f" refetch {symbol}`"
        )
    return [f"{sentence}. The stored prices are replaced"]


def _record_answer(
    client: VendorClient, symbol: str, first_day: date, problem: str | None = None
) -> None:
    with client.engine.begin() as connection:
        vendor.record_answer(
            connection, client.name, KIND, symbol, first_day=first_day, problem=problem
        )

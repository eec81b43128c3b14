"""Daily prices: the first years of a symbol, then what is new of it, and all of it anew when the vendor has restated it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import input_queries, input_writes, stored_prices, vendor, write
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
    NO_API_KEY_WARNING,
    VENDOR,
    RefreshResult,
    VendorClient,
    fetch_concurrently,
)
from riskmetrics.metrics.minimums import MIN_COVERAGE, meets_minimum
from riskmetrics.panels import MAX_STALE_SESSIONS
from riskmetrics.results import price_history, tail_risk_results

if TYPE_CHECKING:
    from riskmetrics.sources.row_validation import ParseResult

HISTORY_SESSIONS = 5 * 250
"""Sessions before the first one to be computed that a symbol's first question reaches back: just within the five years of small plans."""
LOOKBACK_SESSIONS = tail_risk_results.TAIL_RISK_WINDOW + 1
"""Sessions that results look back, at most: with fewer than that stored, an earlier history is asked for."""
SETTLEMENT_DELAY, RETRY_AFTER = timedelta(hours=4), timedelta(minutes=15)
"""How long after a session's close the vendor's word on it is final; and how long it is not asked the same again before that."""

KIND = "prices"


class FetchPlan(NamedTuple):
    """What to ask of a symbol: all from ``history_start``, or first of all only what is new."""

    symbol: str
    history_start: date
    update_start: date | None


def needed_symbols(connection: sa.Connection, market: str) -> dict[str, date | None]:
    """Return until when prices are needed: of what is held, of what was, and of the market index; None: to the present."""
    return input_queries.read_price_end_dates(connection) | {market: None}


def refresh(
    client: VendorClient | None, symbols: Mapping[str, date | None], days: Sequence[date]
) -> RefreshResult:
    """Fetch and store what is missing of each symbol to compute the sessions ``days``; what fails leaves the others and what is stored.

    Parameters
    ----------
    symbols : mapping
        Until when prices are needed of each; None: until the last of ``days``.

    Returns
    -------
    RefreshResult
        ``errors`` of symbols that lack prices they should have: what failed now, and what the
        vendor did not know when last asked.
    """
    if client is None:
        return RefreshResult(warnings=(NO_API_KEY_WARNING,))
    now = datetime.now(UTC)
    with client.engine.connect() as connection:
        answers = vendor.read_answers(connection, VENDOR, KIND, symbols)
        stored = _spans(stored_prices.read_price_coverage(connection, symbols))
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
    warnings_by_symbol, fetch_errors = fetch_concurrently(
        plans,
        lambda symbol: _fetch_and_store(
            client, plans[symbol], trading_calendar.last_completed_session(now)
        ),
    )
    warnings = dict.fromkeys(
        note for of_symbol in warnings_by_symbol.values() for note in of_symbol
    )
    return RefreshResult(len(plans), errors | fetch_errors, tuple(warnings))


def refresh_market_index(client: VendorClient | None, override: str | None) -> tuple[str, ...]:
    """Bring the market index up to the latest ended session; returns what is to be said.

    Raises
    ------
    SourceError
        If the vendor did not answer; not if it does not have the index, which may be imported.
    """
    if client is None:
        return (NO_API_KEY_WARNING,)
    with client.engine.connect() as connection:
        index = input_queries.read_market_index(connection, override)
    result = refresh(client, {index: None}, [trading_calendar.last_completed_session()])
    for error in result.errors.values():
        if not isinstance(error, (EntitlementError, UnknownSymbolError)):
            raise error
    return (*result.warnings, *map(str, result.errors.values()))


def require_price_coverage(result: RefreshResult, symbols: Collection[str]) -> None:
    """Raise an error if fewer than 80 % of ``symbols`` have their prices: VendorUnavailableError if that is why, else DataQualityError."""
    errors = {symbol: error for symbol, error in result.errors.items() if symbol in symbols}
    if not symbols or meets_minimum(1 - len(errors) / len(symbols), MIN_COVERAGE):
        return
    first = next(iter(errors.values()))
    sentence = (
        f"{len(errors)} of {len(symbols)} symbols lack prices, more than a run can do without:"
        f" {first}"
    )
    raise (
        VendorUnavailableError(sentence)
        if all(isinstance(error, VendorUnavailableError) for error in errors.values())
        else DataQualityError(sentence)
    )


def ended_histories(
    coverage: pd.DataFrame,
    symbols: Collection[str],
    market: str,
) -> dict[str, date]:
    """Return the last day of each symbol whose prices end before the market's, as of one day.

    Parameters
    ----------
    coverage : DataFrame
        What `stored_prices.read_price_coverage` gives of the prices up to that day.
    symbols : collection of str
        Held on that day.
    """
    last = {symbol: span[1] for symbol, span in _spans(coverage).items()}
    if market not in last:
        return {}
    late = trading_calendar.previous_session(last[market], MAX_STALE_SESSIONS)
    return {name: last[name] for name in sorted(symbols) if name in last and last[name] < late}


def _spans(coverage: pd.DataFrame) -> dict[str, tuple[date, date]]:
    """First and last day of each symbol that has prices."""
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
    """Return what to ask of a symbol, None if nothing: what the vendor has answered is not asked again before it can have news."""
    history_start = trading_calendar.previous_session(first, HISTORY_SESSIONS)
    if stored is None:
        return (
            None
            if is_settled and answer is not None and answer.problem
            else FetchPlan(symbol, history_start, None)
        )
    lookback_start = trading_calendar.previous_session(first, LOOKBACK_SESSIONS)
    requested_from = answer.first_day if answer is not None else None
    needs_history = stored[0] > lookback_start and (
        requested_from is None or requested_from > lookback_start
    )
    needs_update = stored[1] < through and not is_settled
    history_start = min(history_start, stored[0])
    if needs_history and (
        needs_update or requested_from is not None
    ):  # a file's history that is up to date stays the file's
        return FetchPlan(symbol, history_start, None)
    return (
        FetchPlan(
            symbol,
            history_start,
            trading_calendar.previous_session(stored[1], price_history.OVERLAP_SESSIONS),
        )
        if needs_update
        else None
    )


def _is_settled(answer: VendorAnswer | None, now: datetime) -> bool:
    if answer is None:
        return False
    return answer.answered_at >= min(
        trading_calendar.session_close(trading_calendar.last_completed_session(now))
        + SETTLEMENT_DELAY,
        now - RETRY_AFTER,
    )


def _fetch_and_store(client: VendorClient, plan: FetchPlan, last: date) -> list[str]:
    """Ask, compare and store one symbol; returns notes on it."""
    symbol, warnings = plan.symbol, list[str]()
    if plan.update_start is not None:
        parsed = _fetch(client, symbol, plan.update_start, last)
        if parsed.rows.empty or _store(client, symbol, parsed, is_full_history=False):
            _record_answer(client, symbol, plan.update_start)
            return _adjustment_warnings(parsed)
        warnings.append(
            f"{symbol} was restated, by a split or a dividend: its whole history is fetched anew"
        )
    try:
        parsed = _fetch(client, symbol, plan.history_start, last)
    except EntitlementError:
        recent = trading_calendar.previous_session(last, HISTORY_SESSIONS)
        if plan.history_start >= recent:
            raise
        parsed = _fetch(
            client, symbol, recent, last
        )  # the plan may have the symbol, and not so long ago
    if parsed.rows.empty:
        sentence = (
            f"{VENDOR} knows no price of {symbol}: is it spelled so? Import its prices from a file,"
            " or correct the holding"
        )
        _record_answer(client, symbol, plan.history_start, sentence)
        raise UnknownSymbolError(sentence)
    if not _store(client, symbol, parsed, is_full_history=True):
        raise InvalidResponseError(
            f"{VENDOR} answers of {symbol} what neither covers nor continues the prices that are"
            " stored; those stay as they are: import its whole history from one source"
        )
    _record_answer(client, symbol, plan.history_start)
    return warnings + _adjustment_warnings(parsed)


def _adjustment_warnings(parsed: "ParseResult") -> list[str]:
    if parsed.rows.empty or parsed.rows["has_adj_close"].all():
        return []
    return [
        "the plan has no dividend-adjusted history: adj_close := close, and returns leave out"
        " dividends"
    ]


def _fetch(client: VendorClient, symbol: str, first: date, last: date) -> "ParseResult":
    """Fetch prices and keep what was rejected of them; InvalidResponseError if that is all."""
    parsed = client.api.fetch_prices(symbol, first, last)
    if parsed.rejected:
        with client.engine.begin() as connection:
            input_writes.store_rejected_rows(connection, KIND, VENDOR, parsed.rejected)
        if parsed.rows.empty:
            count, reason = len(parsed.rejected), parsed.rejected[0].reason
            raise InvalidResponseError(
                f"{VENDOR} answers of {symbol} with nothing that fits; all {count} rows are kept in"
                f" rejected_rows, the first: {reason}"
            )
    return parsed


def _store(
    client: VendorClient, symbol: str, parsed: "ParseResult", *, is_full_history: bool
) -> bool:
    """Store prices if they continue what is stored; under the lock, so that no other process changes it in between."""
    with client.engine.begin() as connection:
        write.lock_asset(connection, KIND)
        stored = stored_prices.read_price_history(connection, symbol)
        if stored["has_adj_close"].any() and not parsed.rows["has_adj_close"].any():
            rows = price_history.scale_to_stored(stored, parsed.rows)
        elif is_full_history:
            if day := price_history.partial_split_date(stored, parsed.rows):
                raise InvalidResponseError(
                    f"{VENDOR} tells of {symbol} a move on {day} of which it told nothing before,"
                    " as if a split were applied in part: what is stored stays, and the next run"
                    " asks again"
                )
            rows = price_history.splice(stored, parsed.rows)
        else:
            rows = parsed.rows if price_history.matches_stored(stored, parsed.rows) else None
        if rows is None:
            return False
        _, mixed = input_writes.store_prices(connection, rows, VENDOR)
        return not mixed


def _record_answer(
    client: VendorClient, symbol: str, first_day: date, problem: str | None = None
) -> None:
    with client.engine.begin() as connection:
        vendor.record_answer(connection, VENDOR, KIND, symbol, first_day=first_day, problem=problem)

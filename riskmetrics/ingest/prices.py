"""Daily prices: the first years of a symbol, then what is new of it, and all of it anew when the vendor has restated it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import imports, read, stored_prices, vendor, write
from riskmetrics.db.vendor import Answered
from riskmetrics.errors import BadAnswer, DataQualityError, NotInPlan, SourceError, UnknownSymbol, Unreachable
from riskmetrics.ingest.feed import NO_KEY, VENDOR, Feed, Refreshed, side_by_side
from riskmetrics.metrics.minimums import MIN_COVERAGE, reaches
from riskmetrics.panels import STALE_AFTER
from riskmetrics.results import price_history, tail_risk

if TYPE_CHECKING:
    from riskmetrics.sources.review import Parsed

HISTORY = 5 * 250
"""Sessions before the first one to be computed that a symbol's first question reaches back: just within the five years of small plans."""
LOOKBACK = tail_risk.WINDOW + 1
"""Sessions that results look back, at most: with fewer than that stored, an earlier history is asked for."""
FINAL, SOON = timedelta(hours=4), timedelta(minutes=15)
"""How long after a session's close the vendor's word on it is final; and how long it is not asked the same again before that."""

KIND = "prices"


class Question(NamedTuple):
    """What to ask of a symbol: all from ``since``, or first of all only what is new."""

    symbol: str
    since: date
    news_from: date | None


def needed(connection: sa.Connection, market: str) -> dict[str, date | None]:
    """Return until when prices are needed: of what is held, of what was, and of the market index; None: to the present."""
    return read.needed_prices(connection) | {market: None}


def refresh(feed: Feed | None, symbols: Mapping[str, date | None], days: Sequence[date]) -> Refreshed:
    """Fetch and store what is missing of each symbol to compute the sessions ``days``; what fails leaves the others and what is stored.

    Parameters
    ----------
    symbols : mapping
        Until when prices are needed of each; None: until the last of ``days``.

    Returns
    -------
    Refreshed
        ``problems`` of symbols that lack prices they should have: what failed now, and what the vendor did not know when last asked.
    """
    if feed is None:
        return Refreshed(notes=(NO_KEY,))
    now = datetime.now(UTC)
    with feed.engine.connect() as connection:
        answers = vendor.answers(connection, VENDOR, KIND, symbols)
        stored = _spans(stored_prices.price_coverage(connection, symbols))
    questions: dict[str, Question] = {}
    problems: dict[str, SourceError] = {}
    for symbol, until in symbols.items():
        answer, span = answers.get(symbol), stored.get(symbol)
        through = min(days[-1], trading_calendar.at_or_before(until or days[-1]))
        question = _question(symbol, through, days[0], span, answer, settled=_is_settled(answer, now))
        if question is not None:
            questions[symbol] = question
        elif answer is not None and answer.problem and (span is None or span[1] < through):
            problems[symbol] = UnknownSymbol(answer.problem)
    notes, failed = side_by_side(questions, lambda symbol: _bring(feed, questions[symbol], trading_calendar.last_ended(now)))
    said = dict.fromkeys(note for of_symbol in notes.values() for note in of_symbol)
    return Refreshed(len(questions), problems | failed, tuple(said))


def refresh_index(feed: Feed | None, override: str | None) -> tuple[str, ...]:
    """Bring the market index up to the latest ended session; returns what is to be said.

    Raises
    ------
    SourceError
        If the vendor did not answer; not if it does not have the index, which may be imported.
    """
    if feed is None:
        return (NO_KEY,)
    with feed.engine.connect() as connection:
        index = read.market_index(connection, override)
    found = refresh(feed, {index: None}, [trading_calendar.last_ended()])
    for error in found.problems.values():
        if not isinstance(error, (NotInPlan, UnknownSymbol)):
            raise error
    return (*found.notes, *map(str, found.problems.values()))


def require(refreshed: Refreshed, symbols: Collection[str]) -> None:
    """Raise an error if fewer than 80 % of ``symbols`` have their prices: Unreachable if that is why, else DataQualityError."""
    problems = {symbol: error for symbol, error in refreshed.problems.items() if symbol in symbols}
    if not symbols or reaches(1 - len(problems) / len(symbols), MIN_COVERAGE):
        return
    first = next(iter(problems.values()))
    sentence = f"{len(problems)} of {len(symbols)} symbols lack prices, more than a run can do without: {first}"
    raise Unreachable(sentence) if all(isinstance(error, Unreachable) for error in problems.values()) else DataQualityError(sentence)


def ended_histories(
    coverage: pd.DataFrame,
    symbols: Collection[str],
    market: str,
) -> dict[str, date]:
    """Return the last day of each symbol whose prices end before the market's, as of one day.

    Parameters
    ----------
    coverage : DataFrame
        What `stored_prices.price_coverage` gives of the prices up to that day.
    symbols : collection of str
        Held on that day.
    """
    last = {symbol: span[1] for symbol, span in _spans(coverage).items()}
    if market not in last:
        return {}
    late = trading_calendar.previous(last[market], STALE_AFTER)
    return {name: last[name] for name in sorted(symbols) if name in last and last[name] < late}


def _spans(coverage: pd.DataFrame) -> dict[str, tuple[date, date]]:
    """First and last day of each symbol that has prices."""
    days = (pd.DatetimeIndex(coverage[name]).date for name in ("first", "last"))
    return dict(zip(coverage["symbol"], zip(*days, strict=True), strict=True))


def _question(
    symbol: str, through: date, first: date, stored: tuple[date, date] | None, answer: Answered | None, *, settled: bool
) -> Question | None:
    """Return what to ask of a symbol, None if nothing: what the vendor has answered is not asked again before it can have news."""
    since = trading_calendar.previous(first, HISTORY)
    if stored is None:
        return None if settled and answer is not None and answer.problem else Question(symbol, since, None)
    enough = trading_calendar.previous(first, LOOKBACK)
    asked_from = answer.first_day if answer is not None else None
    lacks_past = stored[0] > enough and (asked_from is None or asked_from > enough)
    lacks_news = stored[1] < through and not settled
    since = min(since, stored[0])
    if lacks_past and (lacks_news or asked_from is not None):  # a file's history that is up to date stays the file's
        return Question(symbol, since, None)
    return Question(symbol, since, trading_calendar.previous(stored[1], price_history.OVERLAP)) if lacks_news else None


def _is_settled(answer: Answered | None, now: datetime) -> bool:
    if answer is None:
        return False
    return answer.at >= min(trading_calendar.closed_at(trading_calendar.last_ended(now)) + FINAL, now - SOON)


def _bring(feed: Feed, question: Question, last: date) -> list[str]:
    """Ask, compare and store one symbol; returns notes on it."""
    symbol, notes = question.symbol, list[str]()
    if question.news_from is not None:
        parsed = _ask(feed, symbol, question.news_from, last)
        if parsed.rows.empty or _store(feed, symbol, parsed, whole=False):
            _note(feed, symbol, question.news_from)
            return _adjustment_notes(parsed)
        notes.append(f"{symbol} was restated, by a split or a dividend: its whole history is fetched anew")
    try:
        parsed = _ask(feed, symbol, question.since, last)
    except NotInPlan:
        recent = trading_calendar.previous(last, HISTORY)
        if question.since >= recent:
            raise
        parsed = _ask(feed, symbol, recent, last)  # the plan may have the symbol, and not so long ago
    if parsed.rows.empty:
        sentence = f"{VENDOR} knows no price of {symbol}: is it spelled so? Import its prices from a file, or correct the holding"
        _note(feed, symbol, question.since, sentence)
        raise UnknownSymbol(sentence)
    if not _store(feed, symbol, parsed, whole=True):
        raise BadAnswer(
            f"{VENDOR} answers of {symbol} what neither covers nor continues the prices that are stored; those stay as they are: "
            "import its whole history from one source"
        )
    _note(feed, symbol, question.since)
    return notes + _adjustment_notes(parsed)


def _adjustment_notes(parsed: "Parsed") -> list[str]:
    if parsed.rows.empty or parsed.rows["has_adj_close"].all():
        return []
    return ["the plan has no dividend-adjusted history: adj_close := close, and returns leave out dividends"]


def _ask(feed: Feed, symbol: str, first: date, last: date) -> "Parsed":
    """Fetch prices and keep what was rejected of them; BadAnswer if that is all."""
    parsed = feed.fmp.prices(symbol, first, last)
    if parsed.rejected:
        with feed.engine.begin() as connection:
            imports.reject(connection, KIND, VENDOR, parsed.rejected)
        if parsed.rows.empty:
            count, reason = len(parsed.rejected), parsed.rejected[0].reason
            raise BadAnswer(
                f"{VENDOR} answers of {symbol} with nothing that fits; all {count} rows are kept in rejected_rows, the first: {reason}"
            )
    return parsed


def _store(feed: Feed, symbol: str, parsed: "Parsed", *, whole: bool) -> bool:
    """Store prices if they continue what is stored; under the lock, so that no other process changes it in between."""
    with feed.engine.begin() as connection:
        write.lock(connection, KIND)
        stored = stored_prices.history(connection, symbol)
        if stored["has_adj_close"].any() and not parsed.rows["has_adj_close"].any():
            rows = price_history.without_dividends(stored, parsed.rows)
        elif whole:
            if day := price_history.torn_on(stored, parsed.rows):
                raise BadAnswer(
                    f"{VENDOR} tells of {symbol} a move on {day} of which it told nothing before, as if a split were applied in part: "
                    "what is stored stays, and the next run asks again"
                )
            rows = price_history.continued(stored, parsed.rows)
        else:
            rows = parsed.rows if price_history.agrees(stored, parsed.rows) else None
        if rows is None:
            return False
        _, mixed = imports.prices(connection, rows, VENDOR)
        return not mixed


def _note(feed: Feed, symbol: str, first_day: date, problem: str | None = None) -> None:
    with feed.engine.begin() as connection:
        vendor.answered(connection, VENDOR, KIND, symbol, first_day=first_day, problem=problem)

"""Volatility: what it is, why it moved, what is expected, and how the last forecast came out."""

from collections.abc import Iterator
from datetime import date

from riskmetrics.insights.claims import View, form
from riskmetrics.insights.form_shapes import changed_figure, compared_figures, mirrored_forms
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.limits_reached import limit_in_force
from riskmetrics.insights.severity import LEVELS
from riskmetrics.insights.slots import (
    below_all,
    day,
    distinct_slots,
    is_shown_apart,
    level,
    percent,
    return_size,
    size,
)

_CLEAR_MOVE, _CLEAR_DRIFT = 0.10, 0.25
"""Relative move of the volatility in a session, and over several, that is worth a sentence."""

_NOTABLE = 0.01
"""Volatility from which a change of it is worth a sentence."""

_CLEAR_DIFFERENCE = 0.20
"""Relative difference of the two windows that is worth a sentence."""

_EXPLAINED = (0.7, 1.3)
"""Share of the change in variance that the return which left the window must explain."""

_CALM, _UNUSUAL = 0.20, 0.80
"""Percentiles of the past year that are worth a sentence."""

_LIKELY, _NOT_SURE = 0.6, 0.15
"""Probability from which a rise, or a fall, is likely, and what its salience is below it."""

_LISTED, _SECOND = 0.4, 2
"""Salience of what the list of alerts states, and sessions in a row from which it does."""

_KEPT = 0.45
"""Salience of an outcome within the range of its forecast: notes tell only one that missed."""

_CLEARLY_IN = 0.98
"""Part of the low end, and its inverse of the high end, beyond which a forecast has missed."""

_MISSED = 2
"""Size of the sign of an outcome outside of the range of its forecast."""

_SESSIONS_PER_YEAR, _WINDOW = 252, 21


def _return_left_window(view: View, sign: int) -> Iterator[Instance]:
    """Yield a large return that left the window and explains the fall in variance."""
    facts = view.facts_of(
        "volatility_21d", "volatility_21d_change", "left_return", "left_day", "daily_return"
    )
    if facts is None:
        return
    now, change, left, new = (float(facts[at].value) for at in (0, 1, 2, 4))
    before = now - change
    fall = (before**2 - now**2) * _WINDOW / _SESSIONS_PER_YEAR
    explained = left**2 - new**2
    is_explained = fall > 0 and _EXPLAINED[0] * fall <= explained <= _EXPLAINED[1] * fall
    if sign * left > 0 and change <= -_CLEAR_MOVE * before and is_explained:
        earlier, later = distinct_slots("percent", before, now)
        left_day = date.fromisoformat(str(facts[3].value))
        slots = {
            "before": earlier,
            "now": later,
            "left": return_size(left),
            "day": day(left_day, view.sheet.day),
        }
        yield Instance(slots, facts[:4], 2.5 + abs(change) / before, sign=1, context=facts[4:])


_LEFT = (
    "Twenty-one-day volatility fell from {{before}} to {{now}} because the {0} of {{left}} on"
    " {{day}} dropped out of the window.",
    "The {0} of {{left}} on {{day}} dropped out of the window: because of a single day,"
    " twenty-one-day volatility fell from {{before}} to {{now}}.",
)
left_window = mirrored_forms(
    "volatility", "before: percent, now: percent, left: percent, day: day", _return_left_window,
    {
        sign: (f"{word}_left_window", *(text.format(word) for text in _LEFT))
        for sign, word in ((-1, "loss"), (1, "gain"))
    },
    connectives=("because",), is_event=True,
)  # fmt: skip


def _is_clear(change: float, before: float, least: float = _CLEAR_MOVE) -> bool:
    return before >= _NOTABLE and change >= least * before


def _is_drift(change: float, before: float) -> bool:
    return _is_clear(change, before, _CLEAR_DRIFT)


moves = mirrored_forms(
    "volatility", "before: percent, now: percent",
    changed_figure("volatility_21d", _is_clear, lambda change, before: 1.2 + change / before),
    {
        -1: ("volatility_fell",
            "Twenty-one-day volatility fell from {before} to {now} on the day."),
        1: ("volatility_rose",
            "Twenty-one-day volatility rose from {before} to {now} on the day."),
    }, is_event=True,
)  # fmt: skip

mirrored_forms(
    "volatility", "before: percent, now: percent",
    changed_figure("volatility_21d", _is_drift, lambda change, before: 0.6 + min(change / before, 0.8),
        over="_21d", is_steady=True),
    {
        -1: ("volatility_fell_21d",
            "Over the past month twenty-one-day volatility fell from {before} to {now}."),
        1: ("volatility_rose_21d",
            "Over the past month twenty-one-day volatility rose from {before} to {now}."),
    },
)  # fmt: skip

forecast_moves = mirrored_forms(
    "volatility", "before: percent, now: percent",
    changed_figure("expected_volatility", _is_clear, lambda change, before: 1.0 + change / before),
    {
        -1: ("forecast_fell", "The volatility forecast fell from {before} to {now} on the day."),
        1: ("forecast_rose", "The volatility forecast rose from {before} to {now} on the day."),
    }, is_event=True,
)  # fmt: skip


def _both_moved(view: View, sign: int) -> Iterator[Instance]:
    """Yield volatility and forecast if both clearly rose, or fell, in the session."""
    found = [next(iter(view.instances(each[sign])), None) for each in (moves, forecast_moves)]
    if all(found):
        past, expected = (each for each in found if each)
        slots = dict(past.slots)
        slots |= {"earlier": expected.slots["before"], "expected": expected.slots["now"]}
        yield Instance(slots, (*past.facts, *expected.facts), past.salience + 0.1, sign=-sign)


both_moved = mirrored_forms(
    "volatility", "before: percent, now: percent, earlier: percent, expected: percent", _both_moved,
    {
        -1: ("volatility_and_forecast_fell",
            "Twenty-one-day volatility fell from {before} to {now} on the day, and the forecast"
            " from {earlier} to {expected}."),
        1: ("volatility_and_forecast_rose",
            "Twenty-one-day volatility rose from {before} to {now} on the day, and the forecast"
            " from {earlier} to {expected}."),
    }, is_event=True,
)  # fmt: skip


@form(
    "volatility_calm",
    "volatility",
    "volatility: percent, days: percent",
    "The past twenty-one sessions were calm for the portfolio: volatility of {volatility}, higher"
    " than on only {days} of the days on record in the past year.",
    "Twenty-one-day volatility of {volatility} is low for the portfolio: higher than on only"
    " {days} of the days on record in the past year.",
)
def volatility_calm(view: View) -> Iterator[Instance]:
    """Volatility is low among the past year's, and did not clearly rise over five sessions."""
    facts = view.facts_of("volatility_21d", "volatility_percentile")
    if facts and 0 < float(facts[1].value) <= _CALM:
        volatility, rank = (float(fact.value) for fact in facts)
        week = view.fact("volatility_21d_change_5d")
        change = float(week.value) if week else 0.0
        if change > 0 and _is_clear(change, volatility - change):
            return
        slots = {"volatility": size(volatility), "days": percent(rank)}
        yield Instance(slots, facts, 0.9 + _CALM - rank, sign=1, is_steady=True,
            context=(week,) if week else ())  # fmt: skip


@form(
    "volatility_high",
    "volatility",
    "volatility: percent, days: percent",
    "The past twenty-one sessions were rough for the portfolio: volatility of {volatility}, higher"
    " than on {days} of the days on record in the past year.",
    "Twenty-one-day volatility of {volatility} is high for the portfolio: higher than on {days} of"
    " the days on record in the past year.",
)
def volatility_high(view: View) -> Iterator[Instance]:
    """Volatility is high among the past year's."""
    facts = view.facts_of("volatility_21d", "volatility_percentile")
    if facts and _UNUSUAL <= float(facts[1].value) < 1:
        volatility, rank = (float(fact.value) for fact in facts)
        reached = limit_in_force(view, "volatility_percentile")
        severity = reached.level if reached else "info"
        slots = {"volatility": size(volatility), "days": below_all(rank)}
        salience = _LISTED if is_listed(view) else 1.0 + rank - _UNUSUAL
        yield Instance(slots, facts, salience, sign=-1, level=severity, is_steady=True,
            remembered=(LEVELS.index(severity),))  # fmt: skip


@form(
    "volatility_alert",
    "volatility",
    "level: level, limit: percent",
    "Volatility reached the {level} level: higher than on at least {limit} of the days on record in"
    " the past year.",
    is_event=True,
)
def volatility_alert(view: View) -> Iterator[Instance]:
    """Volatility reached its alert level by a rise in the session, which has its own sentence."""
    facts = view.facts_of("volatility_percentile", "volatility_percentile_alert")
    reached = limit_in_force(view, "volatility_percentile")
    if facts and reached and facts[1].value in ("reached", "back") and view.instances(moves[1]):
        slots = {"level": level(reached.level), "limit": percent(reached.limit)}
        yield Instance(slots, facts[:1], 1.9, sign=-1, level=reached.level, context=facts[1:])


def is_listed(view: View) -> bool:
    """Return whether a high volatility is in the list of alerts: one the session before as well."""
    return (view.number("volatility_percentile_streak") or 0.0) >= _SECOND


def _extreme_volatility(view: View, sign: int) -> Iterator[Instance]:
    """Yield a volatility above, or below, all others of the past year."""
    facts = view.facts_of("volatility_21d", "volatility_percentile")
    if facts and float(facts[1].value) == (1 if sign > 0 else 0):
        slots = {"volatility": size(float(facts[0].value))}
        reached = limit_in_force(view, "volatility_percentile")
        severity = reached.level if reached else "info"
        salience = _LISTED if sign > 0 and is_listed(view) else 1.2
        yield Instance(slots, facts, salience, sign=-sign, level=severity, is_steady=True)


extremes = mirrored_forms("volatility", "volatility: percent", _extreme_volatility, {
    -1: ("volatility_lowest",
        "Twenty-one-day volatility of {volatility} is the lowest on record in the past year."),
    1: ("volatility_highest",
        "Twenty-one-day volatility of {volatility} is the highest on record in the past year."),
})  # fmt: skip


@form(
    "volatility_level",
    "volatility",
    "volatility: percent",
    "Twenty-one-day volatility is {volatility}.",
)
def volatility_level(view: View) -> Iterator[Instance]:
    """The volatility, stated if there is no result."""
    facts = view.facts_of("volatility_21d")
    if facts:
        slots = {"volatility": size(float(facts[0].value))}
        yield Instance(slots, facts, 0.3 if view.fact("daily_pnl") else 0.9)


windows_compared = form(
    "windows_compared",
    "volatility",
    "short: percent, long: percent",
    "Volatility is {short} over twenty-one sessions, against {long} over sixty-three.",
)(
    compared_figures(
        ("volatility_21d", "volatility_63d"), ("short", "long"),
        lambda short, long: abs(short - long) >= _CLEAR_DIFFERENCE * max(short, long) > 0,
        lambda *_: 0.7, is_steady=True,
    )
)  # fmt: skip


def _forecast_change(view: View, sign: int) -> Iterator[Instance]:
    """Yield the forecast if it is above, or below, the past volatility, and a move is likely."""
    facts = view.facts_of(
        "expected_volatility", "expected_low", "expected_high", "rise_probability"
    )
    past = view.fact("volatility_21d")
    if facts is None or past is None:
        return
    expected, low, high, rise = (float(fact.value) for fact in facts)
    odds = rise if sign > 0 else 1 - rise
    if sign * (expected - float(past.value)) > 0 and odds >= _LIKELY and low < high:
        ends = distinct_slots("percent", low, high)
        slots = {"expected": size(expected), "low": ends[0], "high": ends[1], "odds": percent(odds)}
        yield Instance(slots, facts, odds - _NOT_SURE, sign=-sign, context=(past,))


mirrored_forms(
    "volatility", "expected: percent, low: percent, high: percent, odds: percent", _forecast_change,
    {
        -1: ("expected_fall",
            "The model expects volatility of {expected} over the next twenty-one sessions (likely"
            " range {low} to {high}), with odds of {odds} for a fall.",
            "Volatility is likely to fall: the model expects {expected} over the next twenty-one"
            " sessions (likely range {low} to {high}), with odds of {odds}."),
        1: ("expected_rise",
            "The model expects volatility of {expected} over the next twenty-one sessions (likely"
            " range {low} to {high}), with odds of {odds} for a rise.",
            "Volatility is likely to rise: the model expects {expected} over the next twenty-one"
            " sessions (likely range {low} to {high}), with odds of {odds}."),
    },
)  # fmt: skip


def _forecast_outcome(view: View, sign: int) -> Iterator[Instance]:
    """Yield what followed the last forecast: below its range (-2), in a part of it, above it (2).

    The parts of the range meet midway between the forecast and its ends. An outcome that is just
    outside is neither in the range nor a miss: one that hovers there would come and go.
    """
    facts = view.facts_of("past_forecast", "past_outcome", "past_low", "past_high")
    if facts is None:
        return
    forecast, outcome, low, high = values = [float(fact.value) for fact in facts]
    is_missed = not low <= outcome <= high
    if is_missed and _CLEARLY_IN * low <= outcome <= high / _CLEARLY_IN:
        return
    place = (outcome > (forecast + high) / 2) - (outcome < (forecast + low) / 2)
    if sign == (((outcome > high) - (outcome < low)) * _MISSED if is_missed else place):
        figures = distinct_slots("percent", *values, most=1)
        if is_missed and not is_shown_apart(figures[1], figures[2 if outcome < low else 3]):
            figures = distinct_slots("percent", *values)
        shown = dict(zip(("forecast", "outcome", "low", "high"), figures, strict=True))
        salience = 1.3 if is_missed else _KEPT
        yield Instance(shown, facts, salience, sign=-sign, is_steady=True)


mirrored_forms(
    "volatility", "forecast: percent, outcome: percent, low: percent, high: percent", _forecast_outcome,
    {
        -_MISSED: ("forecast_missed_high",
            "The volatility forecast of twenty-one sessions ago, {forecast}, was too high:"
            " {outcome} followed, below the range of {low} to {high}."),
        -1: ("forecast_low_part",
            "The volatility forecast of twenty-one sessions ago was {forecast}: {outcome} followed,"
            " in the lower part of the range of {low} to {high}."),
        0: ("forecast_held",
            "The volatility forecast of twenty-one sessions ago, {forecast}, held: {outcome}"
            " followed, well within the range of {low} to {high}."),
        1: ("forecast_high_part",
            "The volatility forecast of twenty-one sessions ago was {forecast}: {outcome} followed,"
            " in the upper part of the range of {low} to {high}."),
        _MISSED: ("forecast_missed_low",
            "The volatility forecast of twenty-one sessions ago, {forecast}, was too low:"
            " {outcome} followed, above the range of {low} to {high}."),
    },
)  # fmt: skip

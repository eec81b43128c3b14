"""Volatility: what it is, why it moved, what is expected, and how the last forecast came out."""

from collections.abc import Iterator
from datetime import date

from riskmetrics.insights.claims import Instance, View, form
from riskmetrics.insights.severity import highest_reached
from riskmetrics.insights.slots import apart, day, is_told_apart, percent, size

_CLEAR_MOVE = 0.10
"""Relative move of the volatility in a session that is worth a sentence."""

_EXPLAINED = (0.7, 1.3)
"""Share of the change in variance that the return which left the window must explain."""

_CALM, _UNUSUAL = 0.20, 0.80
"""Percentiles of the past year that are worth a sentence."""

_LIKELY = 0.6
"""Probability from which a rise, or a fall, is likely."""

_SESSIONS_PER_YEAR, _WINDOW = 252, 21


@form(
    "gain_left_window",
    "volatility",
    "before: percent, now: percent, left: percent, day: day",
    "Volatility over twenty-one sessions fell from {before} to {now} because the gain of {left} on"
    " {day} left the window.",
    "The gain of {left} on {day} left the window: because of a single day, volatility over"
    " twenty-one sessions fell from {before} to {now}.",
    connectives=("because",),
    is_event=True,
)
def gain_left_window(view: View) -> Iterator[Instance]:
    """A large gain left the window and explains the fall in variance."""
    yield from _left(view, 1)


@form(
    "loss_left_window",
    "volatility",
    "before: percent, now: percent, left: percent, day: day",
    "Volatility over twenty-one sessions fell from {before} to {now} because the loss of {left} on"
    " {day} left the window.",
    "The loss of {left} on {day} left the window: because of a single day, volatility over"
    " twenty-one sessions fell from {before} to {now}.",
    connectives=("because",),
    is_event=True,
)
def loss_left_window(view: View) -> Iterator[Instance]:
    """A large loss left the window and explains the fall in variance."""
    yield from _left(view, -1)


def _left(view: View, sign: int) -> Iterator[Instance]:
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
        earlier, later = apart("percent", before, now)
        left_day = date.fromisoformat(str(facts[3].value))
        slots = {
            "before": earlier,
            "now": later,
            "left": size(left),
            "day": day(left_day, view.sheet.day),
        }
        yield Instance(slots, facts[:4], 2.5 + abs(change) / before, sign=1, context=facts[4:])


@form(
    "volatility_rose",
    "volatility",
    "before: percent, now: percent",
    "Volatility over twenty-one sessions rose from {before} to {now} in the session.",
    "In the session volatility over twenty-one sessions rose from {before} to {now}.",
    is_event=True,
)
def volatility_rose(view: View) -> Iterator[Instance]:
    """Volatility rose clearly in the session."""
    yield from _moved(view, 1)


@form(
    "volatility_fell",
    "volatility",
    "before: percent, now: percent",
    "Volatility over twenty-one sessions fell from {before} to {now} in the session.",
    "In the session volatility over twenty-one sessions fell from {before} to {now}.",
    is_event=True,
)
def volatility_fell(view: View) -> Iterator[Instance]:
    """Volatility fell clearly in the session."""
    yield from _moved(view, -1)


def _moved(view: View, sign: int) -> Iterator[Instance]:
    facts = view.facts_of("volatility_21d", "volatility_21d_change")
    if facts:
        now, change = (float(fact.value) for fact in facts)
        before = now - change
        if before > 0 and sign * change >= _CLEAR_MOVE * before:
            shown = dict(zip(("before", "now"), apart("percent", before, now), strict=True))
            yield Instance(shown, facts, 1.2 + abs(change) / before, sign=-sign)


@form(
    "volatility_calm",
    "volatility",
    "volatility: percent, days: percent",
    "The past twenty-one sessions were calm for the portfolio: volatility was {volatility}, lower"
    " on only {days} of the past year's days.",
    "Volatility over twenty-one sessions is {volatility}, lower on only {days} of the past year's"
    " days.",
)
def volatility_calm(view: View) -> Iterator[Instance]:
    """Volatility is low among the past year's."""
    facts = view.facts_of("volatility_21d", "volatility_percentile")
    if facts and float(facts[1].value) <= _CALM:
        volatility, rank = (float(fact.value) for fact in facts)
        slots = {"volatility": size(volatility), "days": percent(rank)}
        yield Instance(slots, facts, 0.9 + _CALM - rank, sign=1)


@form(
    "volatility_high",
    "volatility",
    "volatility: percent, days: percent",
    "Volatility over twenty-one sessions is {volatility}, higher than on {days} of the past year's"
    " days.",
    "On {days} of the past year's days the portfolio was calmer: volatility over twenty-one"
    " sessions is {volatility}.",
)
def volatility_high(view: View) -> Iterator[Instance]:
    """Volatility is high among the past year's."""
    facts = view.facts_of("volatility_21d", "volatility_percentile")
    if facts and float(facts[1].value) >= _UNUSUAL:
        volatility, rank = (float(fact.value) for fact in facts)
        reached = highest_reached(view.sheet.limits, "volatility_percentile", rank)
        level = reached.level if reached else "info"
        slots = {"volatility": size(volatility), "days": percent(rank)}
        yield Instance(slots, facts, 1.0 + rank - _UNUSUAL, sign=-1, level=level)


@form(
    "volatility_level",
    "volatility",
    "volatility: percent",
    "Volatility over twenty-one sessions is {volatility}.",
)
def volatility_level(view: View) -> Iterator[Instance]:
    """The volatility alone."""
    facts = view.facts_of("volatility_21d")
    if facts:
        yield Instance({"volatility": size(float(facts[0].value))}, facts, 0.3)


@form(
    "windows_compared",
    "volatility",
    "short: percent, long: percent",
    "Volatility is {short} over twenty-one sessions and {long} over sixty-three.",
)
def windows_compared(view: View) -> Iterator[Instance]:
    """The two windows differ clearly; that is a comparison, not a change."""
    facts = view.facts_of("volatility_21d", "volatility_63d")
    if facts:
        short, long = (float(fact.value) for fact in facts)
        if abs(short - long) >= 2 * _CLEAR_MOVE * max(short, long) > 0:
            shown = apart("percent", short, long)
            yield Instance(dict(zip(("short", "long"), shown, strict=True)), facts, 0.7)


@form(
    "expected_rise",
    "volatility",
    "expected: percent, low: percent, high: percent, odds: percent",
    "The model expects a volatility of {expected} over the next twenty-one sessions, most likely"
    " {low} to {high}, with odds of a rise of {odds}.",
    "With odds of {odds} volatility will rise: the model expects {expected} over the next"
    " twenty-one sessions, most likely {low} to {high}.",
)
def expected_rise(view: View) -> Iterator[Instance]:
    """The forecast is above the past volatility, and a rise is likely."""
    yield from _expected(view, 1)


@form(
    "expected_fall",
    "volatility",
    "expected: percent, low: percent, high: percent, odds: percent",
    "The model expects a volatility of {expected} over the next twenty-one sessions, most likely"
    " {low} to {high}, with odds of a fall of {odds}.",
    "With odds of {odds} volatility will fall: the model expects {expected} over the next"
    " twenty-one sessions, most likely {low} to {high}.",
)
def expected_fall(view: View) -> Iterator[Instance]:
    """The forecast is below the past volatility, and a fall is likely."""
    yield from _expected(view, -1)


def _expected(view: View, sign: int) -> Iterator[Instance]:
    facts = view.facts_of(
        "expected_volatility", "expected_low", "expected_high", "rise_probability"
    )
    past = view.fact("volatility_21d")
    if facts is None or past is None:
        return
    expected, low, high, rise = (float(fact.value) for fact in facts)
    odds = rise if sign > 0 else 1 - rise
    if sign * (expected - float(past.value)) > 0 and odds >= _LIKELY and low < high:
        ends = apart("percent", low, high)
        slots = {"expected": size(expected), "low": ends[0], "high": ends[1], "odds": percent(odds)}
        yield Instance(slots, facts, 0.5 + odds - 0.5, sign=-sign, context=(past,))


@form(
    "forecast_missed_high",
    "volatility",
    "forecast: percent, outcome: percent, low: percent, high: percent",
    "The forecast of twenty-one sessions ago, {forecast}, was followed by {outcome}, below the"
    " range of {low} to {high}.",
)
def forecast_missed_high(view: View) -> Iterator[Instance]:
    """What followed the last forecast is below its range."""
    yield from _scored(view, -1)


@form(
    "forecast_missed_low",
    "volatility",
    "forecast: percent, outcome: percent, low: percent, high: percent",
    "The forecast of twenty-one sessions ago, {forecast}, was followed by {outcome}, above the"
    " range of {low} to {high}.",
)
def forecast_missed_low(view: View) -> Iterator[Instance]:
    """What followed the last forecast is above its range."""
    yield from _scored(view, 1)


@form(
    "forecast_held",
    "volatility",
    "forecast: percent, outcome: percent, low: percent, high: percent",
    "The forecast of twenty-one sessions ago, {forecast}, was followed by {outcome}, within the"
    " range of {low} to {high}.",
)
def forecast_held(view: View) -> Iterator[Instance]:
    """What followed the last forecast is in its range."""
    yield from _scored(view, 0)


def _scored(view: View, side: int) -> Iterator[Instance]:
    facts = view.facts_of("past_forecast", "past_outcome", "past_low", "past_high")
    if facts is None:
        return
    _, outcome, low, high = values = [float(fact.value) for fact in facts]
    if side == (outcome > high) - (outcome < low):
        shown = dict(zip(("forecast", "outcome", "low", "high"), apart("percent", *values),
            strict=True))  # fmt: skip
        edge = shown["high" if side > 0 else "low"]
        if side == 0 or is_told_apart(shown["outcome"], edge):
            yield Instance(shown, facts, 1.3 if side else 0.55, sign=-side)

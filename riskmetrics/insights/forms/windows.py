"""Answers about windows: statistics, tails, earlier values, returns and extreme sessions."""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial
from typing import Final

from riskmetrics.catalog import Figure, Unit, all_statistics
from riskmetrics.insights.claims import Topic, View, form
from riskmetrics.insights.form_shapes import mirrored_forms
from riskmetrics.insights.forms.levels import SALIENCE, answer, distinct_percentages
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.question_fact_types import statistic_fact_names
from riskmetrics.insights.slots import (
    Slot,
    count,
    day,
    distinct_slots,
    money,
    number,
    percent,
    size,
)

_mirrored_answers = partial(mirrored_forms, is_answer=True)

_EPONYMS: Final = ("Sharpe", "Sortino", "Calmar", "Kelly", "Martin", "Treynor")
"""First words of labels that keep their capital."""

_PHRASINGS: Final[Mapping[str, str]] = {
    "annual_return": "today's holdings would have returned {value} annualized",
    "sharpe_ratio": "the Sharpe ratio of today's holdings is {value}, at a risk-free rate of zero",
    "sortino_ratio": "the Sortino ratio of today's holdings is {value}, at a target of zero",
    "win_rate": "today's holdings would have gained on {value} of the sessions",
    "losing_streak": "the longest losing streak of today's holdings, in sessions, is {value}",
    "probabilistic_sharpe": (
        "the probability of a positive Sharpe ratio of today's holdings is {value}"
    ),
    "time_under_water": (
        "today's holdings would have been below an earlier high on {value} of the sessions"
    ),
    "longest_drawdown": "the longest drawdown of today's holdings, in sessions, is {value}",
    "alpha": "the alpha of today's holdings is {value} annualized, at a risk-free rate of zero",
    "alpha_std_error": "the alpha of today's holdings has a standard error of {value}",
    "year_beta": "the beta of today's holdings is {value}",
    "market_correlation": "the correlation of today's holdings with the market index is {value}",
}
"""Column of a statistic to what is said of it, unless its label and value say it."""

_SHOWN: Final = {
    **dict.fromkeys(
        (Unit.FRACTION, Unit.LOSS, Unit.ACTIVE_FRACTION, Unit.PROBABILITY), ("percent", percent)
    ),
    Unit.COUNT: ("count", count),
}


def _statistic(figure: Figure) -> None:
    """Add the form of a figure of the trailing window of today's holdings, with its length."""
    kind, show = _SHOWN.get(figure.unit, ("number", number))
    label = figure.label
    if not label.startswith(_EPONYMS):
        label = label[0].lower() + label[1:]
    said = _PHRASINGS.get(figure.column, f"the {label} of today's holdings is {{value}}")
    answer(figure.column, "active", f"value: {kind}, span: span",
        f"Over the past {{span}} {said}.", figure.column, show)  # fmt: skip


for _each in all_statistics():
    for _figure in _each.figures if not _each.facts else ():
        if _figure.column in statistic_fact_names(_each):
            _statistic(_figure)


def _tail(form_id: str, measure: str, fact: str, level: int, phrasing: str) -> None:
    """Add the form of a tail risk, as a share of equity, or in money."""

    def show(value: float, currency: str = "") -> tuple[Slot, ...]:
        return money(value, currency) if currency else size(value), percent(level / 100)

    kind = "money" if fact.endswith("_amount") else "percent"
    answer(form_id, "tail", f"{measure}: {kind}, level: percent", phrasing, fact, show)


for _level, _suffix, _often in ((95, "", "one {0} in twenty"), (99, "_99", "one {0} in a hundred")):
    for _over, _adjective, _noun in (("", "one-day", "day"),
            ("_10d", "ten-session", "period of ten sessions")):  # fmt: skip
        if _suffix or _over:  # levels.py and tail.py have those of a day at one in twenty
            _tail(f"var_level{_suffix}{_over}", "var", f"var_{_level}{_over}", _level,
                f"The {_adjective} value at risk at {{level}} confidence is {{var}} of equity:"
                f" {_often.format(_noun)} should lose more.")  # fmt: skip
            _tail(f"shortfall{_suffix}{_over}", "shortfall", f"shortfall_{_level}{_over}", _level,
                f"The {_adjective} expected shortfall at {{level}} confidence is {{shortfall}} of"
                " equity.")  # fmt: skip
    _tail(f"var_amount{_suffix}", "var", f"var_{_level}_amount", _level,
        "The one-day value at risk at {level} confidence amounts to {var}:"
        f" {_often.format('day')} should lose more.")  # fmt: skip
    _tail(f"shortfall_amount{_suffix}", "shortfall", f"shortfall_{_level}_amount", _level,
        "The one-day expected shortfall at {level} confidence amounts to {shortfall}.")  # fmt: skip


@form("var_level_historical", "tail", "var: percent",
    "The one-day historical value at risk is {var} of equity: one day in twenty should lose more.",
    is_answer=True)  # fmt: skip
def var_level_historical(view: View) -> Iterator[Instance]:
    """The historical value at risk, where the one that is stated is undefined."""
    facts = view.facts_of("var_95_historical")
    if facts and view.fact("var_95") is None:
        yield Instance({"var": size(float(facts[0].value))}, facts, SALIENCE)


answer("var_record", "tail", "count: count, exceptions: count, expected: number",
    "Of {count} tested sessions, {exceptions} lost more than the historical value at risk;"
    " {expected} are expected.",
    "var_tested var_exceptions var_expected",
    lambda tested, found, expected: (count(tested), count(found), number(expected, 1)))  # fmt: skip
answer("var_day", "tail", "before: percent, now: percent",
    "The one-day value at risk was {before} the session before and is {now}.",
    "previous_var_95 var_95", distinct_percentages)  # fmt: skip

_MOVED: Final[tuple[tuple[str, Topic, str, str, str], ...]] = (
    ("beta", "factors", "number", "beta", "Beta"),
    ("volatility_21d", "volatility", "percent", "volatility", "Twenty-one-day volatility"),
    ("expected_volatility", "volatility", "percent", "forecast", "The volatility forecast"),
    ("top_3", "concentration", "percent", "top_three",
        "The weight of the three largest positions"),
)  # fmt: skip
"""Fact with changes, topic, unit, stem of the form, and words."""

for _kind, _topic, _unit, _stem, _words in _MOVED:
    for _over, _when in (("", "the session before"), ("_5d", "five sessions before"),
            ("_21d", "twenty-one sessions before")):  # fmt: skip
        _is_day = (_stem, _over) == ("volatility", "")
        answer("volatility_day" if _is_day else f"{_stem}_before{_over}", _topic,
            f"before: {_unit}, now: {_unit}", f"{_words} was {{before}} {_when} and is {{now}}.",
            f"{_kind} {_kind}_change{_over}", partial(distinct_slots, _unit),
            holds=partial(lambda now, change, unit: unit == "number" or now >= change, unit=_unit),
            derive=lambda now, change: (now - change, now))  # fmt: skip

for _over, _words in (("", "On the day"), ("_5d", "Over five sessions"),
        ("_21d", "Over twenty-one sessions"), ("_mtd", "In the month to date"),
        ("_ytd", "In the year to date"), ("_252d", "Over the past year")):  # fmt: skip
    _own = f"return{_over}" if _over else "daily_return"
    if _over:
        answer(_own, "result", "rate: percent", f"{_words} the portfolio returned {{rate}}.",
            _own, percent)  # fmt: skip
    answer(f"returns_compared{_over}", "result", "own: percent, market: percent",
        f"{_words} the portfolio returned {{own}}, against {{market}} for the market index.",
        f"{_own} market_return{_over}", distinct_percentages)  # fmt: skip


def _extreme_day(view: View, sign: int) -> Iterator[Instance]:
    """Yield the session of the past year with the worst, or best, return."""
    which = "best" if sign > 0 else "worst"
    facts = view.facts_of(f"{which}_return", f"{which}_day")
    if facts and facts[0].n_obs and sign * float(facts[0].value) > 0:
        found = date.fromisoformat(str(facts[1].value))
        slots = {"count": count(facts[0].n_obs), "day": day(found, view.sheet.day)}
        slots["rate"] = size(float(facts[0].value))
        yield Instance(slots, facts, SALIENCE, sign=sign)


_mirrored_answers("result", "count: count, day: day, rate: percent", _extreme_day, {
    -1: ("worst_day",
        "Of the past {count} sessions with a return, {day} was the worst, with a loss of {rate}."),
    1: ("best_day",
        "Of the past {count} sessions with a return, {day} was the best, with a gain of {rate}."),
})  # fmt: skip


def _rank_session(view: View, sign: int) -> Iterator[Instance]:
    """Yield how often in the past year a loss, or gain, was larger than that of the session."""
    facts = view.facts_of("gain_rank" if sign > 0 else "loss_rank", "daily_return")
    if facts and facts[0].n_obs and sign * float(facts[1].value) > 0:
        slots = {"rate": size(float(facts[1].value)), "count": count(facts[0].n_obs)}
        slots["larger"] = count(float(facts[0].value) - 1)
        yield Instance(slots, facts, SALIENCE, sign=sign)


_mirrored_answers("result", "rate: percent, larger: count, count: count", _rank_session, {
    -1: ("loss_ranked",
        "The day's loss of {rate} was exceeded on {larger} of the past {count} sessions."),
    1: ("gain_ranked",
        "The day's gain of {rate} was exceeded on {larger} of the past {count} sessions."),
})  # fmt: skip

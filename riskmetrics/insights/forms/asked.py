"""Answers to questions that no note states: statistics, other levels, earlier values, returns."""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial
from typing import Final

from riskmetrics.catalog import Figure, Unit, all_statistics
from riskmetrics.insights.claims import Instance, View, form
from riskmetrics.insights.form_shapes import Evaluate, compared, mirrored, single
from riskmetrics.insights.forms import own_limits
from riskmetrics.insights.forms.levels import SALIENCE
from riskmetrics.insights.limits import NO_SECTORS
from riskmetrics.insights.question_fact_types import statistic_fact_names
from riskmetrics.insights.slots import (
    Slot,
    apart,
    count,
    day,
    label,
    money,
    name,
    number,
    percent,
    size,
)

_form = partial(form, is_answer=True)
_mirrored = partial(mirrored, is_answer=True)

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
    **dict.fromkeys((Unit.FRACTION, Unit.ACTIVE_FRACTION, Unit.PROBABILITY), ("percent", percent)),
    Unit.COUNT: ("count", count),
}


def _statistic(figure: Figure, fact: str) -> None:
    """Add the form of a figure of the trailing window of today's holdings, with its length."""
    kind, show = _SHOWN.get(figure.unit, ("number", number))
    label = figure.label
    if not label.startswith(_EPONYMS):
        label = label[0].lower() + label[1:]
    said = _PHRASINGS.get(figure.column, f"the {label} of today's holdings is {{value}}")
    _form(fact, "active", f"value: {kind}, span: span", f"Over the past {{span}} {said}.")(
        single(fact, "value", show, lambda _: True, SALIENCE, has_span=True)
    )


for _each in all_statistics():
    if not _each.facts:
        for _figure in _each.figures:
            if _figure.column in statistic_fact_names(_each):
                _statistic(_figure, _figure.column)

_HORIZONS: Final = (("", "one-day", "day"), ("_10d", "ten-session", "period of ten sessions"))
_LEVELS: Final = ((95, "", "one {0} in twenty"), (99, "_99", "one {0} in a hundred"))


def _tail(measure: str, form_id: str, fact: str, level: int, *phrasings: str) -> None:
    """Add the form of a tail risk, as a share of equity, or in money."""
    is_money = fact.endswith("_amount")

    def evaluate(view: View) -> Iterator[Instance]:
        facts = view.facts_of(fact)
        if facts:
            value = float(facts[0].value)
            shown = money(value, view.currency) if is_money else size(value)
            slots = {"level": percent(level / 100), measure: shown}
            yield Instance(slots, facts, SALIENCE)

    kinds = f"level: percent, {measure}: {'money' if is_money else 'percent'}"
    _form(form_id, "tail", kinds, *phrasings)(evaluate)


for _level, _suffix, _often in _LEVELS:
    for _over, _adjective, _noun in _HORIZONS:
        if _suffix or _over:  # levels.py and tail.py have those of a day at one in twenty
            _tail("var", f"var_level{_suffix}{_over}", f"var_{_level}{_over}", _level,
                f"The {_adjective} value at risk at {{level}} confidence is {{var}} of equity:"
                f" {_often.format(_noun)} should lose more.")  # fmt: skip
            _tail("shortfall", f"shortfall{_suffix}{_over}", f"shortfall_{_level}{_over}", _level,
                f"The {_adjective} expected shortfall at {{level}} confidence is {{shortfall}} of"
                " equity.")  # fmt: skip
    _tail("var", f"var_amount{_suffix}", f"var_{_level}_amount", _level,
        "The one-day value at risk at {level} confidence amounts to {var}:"
        f" {_often.format('day')} should lose more.")  # fmt: skip
    _tail("shortfall", f"shortfall_amount{_suffix}", f"shortfall_{_level}_amount", _level,
        "The one-day expected shortfall at {level} confidence amounts to {shortfall}.")  # fmt: skip


@_form(
    "var_level_historical",
    "tail",
    "var: percent",
    "The one-day historical value at risk is {var} of equity: one day in twenty should lose more.",
)
def var_level_historical(view: View) -> Iterator[Instance]:
    """The historical value at risk, where the one that is stated is undefined."""
    facts = view.facts_of("var_95_historical")
    if facts and view.fact("var_95") is None:
        yield Instance({"var": size(float(facts[0].value))}, facts, SALIENCE)


@_form(
    "var_record",
    "tail",
    "count: count, exceptions: count, expected: number",
    "Of {count} tested sessions, {exceptions} lost more than the historical value at risk;"
    " {expected} are expected.",
)
def var_record(view: View) -> Iterator[Instance]:
    """The losses beyond the value at risk, whatever their test says."""
    facts = view.facts_of("var_exceptions", "var_expected", "var_tested")
    if facts:
        found, expected, tested = (float(fact.value) for fact in facts)
        slots = {"exceptions": count(found), "expected": number(expected, 1)}
        yield Instance(slots | {"count": count(tested)}, facts, SALIENCE)


_form(
    "var_day",
    "tail",
    "before: percent, now: percent",
    "The one-day value at risk was {before} the session before and is {now}.",
)(
    compared(
        ("previous_var_95", "var_95"), ("before", "now"), lambda *_: True, lambda *_: SALIENCE
    )
)  # fmt: skip

_MOVED: Final = (
    ("beta", "factors", "number", "beta", "Beta"),
    ("volatility_21d", "volatility", "percent", "volatility", "Twenty-one-day volatility"),
    ("expected_volatility", "volatility", "percent", "forecast", "The volatility forecast"),
    ("top_3", "concentration", "percent", "top_three",
        "The weight of the three largest positions"),
)  # fmt: skip
"""Fact with changes, topic, unit, stem of the form, and words."""

_BEFORE: Final = (
    ("", "the session before"),
    ("_5d", "five sessions before"),
    ("_21d", "twenty-one sessions before"),
)


def _earlier(kind: str, over: str, unit: str) -> Evaluate:
    """Return the evaluation of a figure some sessions before, and now."""

    def evaluate(view: View) -> Iterator[Instance]:
        facts = view.facts_of(kind, f"{kind}_change{over}")
        if facts:
            now, change = (float(fact.value) for fact in facts)
            if unit == "number" or now - change >= 0:
                before, after = apart(unit, now - change, now)
                yield Instance({"before": before, "now": after}, facts, SALIENCE)

    return evaluate


for _kind, _topic, _unit, _stem, _words in _MOVED:
    for _over, _when in _BEFORE:
        if (_kind, _over) != ("volatility_21d", ""):  # volatility_day
            _form(
                f"{_stem}_before{_over}",
                _topic,  # type: ignore[arg-type]
                f"before: {_unit}, now: {_unit}",
                f"{_words} was {{before}} {_when} and is {{now}}.",
            )(_earlier(_kind, _over, _unit))

_RETURNS: Final = (
    ("5d", "Over five sessions"),
    ("21d", "Over twenty-one sessions"),
    ("mtd", "In the month to date"),
    ("ytd", "In the year to date"),
    ("252d", "Over the past year"),
)

for _window, _words in _RETURNS:
    _form(f"return_{_window}", "result", "rate: percent",
        f"{_words} the portfolio returned {{rate}}.")(
        single(f"return_{_window}", "rate", percent, lambda _: True, SALIENCE)
    )  # fmt: skip
    if _window not in ("5d", "21d"):  # levels.py
        _form(f"returns_compared_{_window}", "result", "own: percent, market: percent",
            f"{_words} the portfolio returned {{own}}, against {{market}} for the market index.")(
            compared((f"return_{_window}", f"market_return_{_window}"), ("own", "market"),
                lambda *_: True, lambda *_: SALIENCE)
        )  # fmt: skip


def _extreme_day(view: View, sign: int) -> Iterator[Instance]:
    """Yield the session of the past year with the worst, or best, return."""
    which = "best" if sign > 0 else "worst"
    facts = view.facts_of(f"{which}_return", f"{which}_day")
    if facts and facts[0].n_obs and sign * float(facts[0].value) > 0:
        found = date.fromisoformat(str(facts[1].value))
        slots = {"count": count(facts[0].n_obs), "day": day(found, view.sheet.day)}
        slots["rate"] = size(float(facts[0].value))
        yield Instance(slots, facts, SALIENCE, sign=sign)


_mirrored("result", "count: count, day: day, rate: percent", _extreme_day, {
    -1: ("worst_day",
        "Of the past {count} sessions with a return, {day} was the worst, with a loss of {rate}."),
    1: ("best_day",
        "Of the past {count} sessions with a return, {day} was the best, with a gain of {rate}."),
})  # fmt: skip


def _ranked(view: View, sign: int) -> Iterator[Instance]:
    """Yield how often in the past year a loss, or gain, was larger than that of the session."""
    facts = view.facts_of("gain_rank" if sign > 0 else "loss_rank", "daily_return")
    if facts and facts[0].n_obs and sign * float(facts[1].value) > 0:
        slots = {"rate": size(float(facts[1].value)), "count": count(facts[0].n_obs)}
        slots["larger"] = count(float(facts[0].value) - 1)
        yield Instance(slots, facts, SALIENCE, sign=sign)


_mirrored("result", "rate: percent, larger: count, count: count", _ranked, {
    -1: ("loss_ranked",
        "The day's loss of {rate} was exceeded on {larger} of the past {count} sessions."),
    1: ("gain_ranked",
        "The day's gain of {rate} was exceeded on {larger} of the past {count} sessions."),
})  # fmt: skip

_form(
    "volatility_against_market",
    "volatility",
    "own: percent, market: percent",
    "Twenty-one-day volatility is {own}, against {market} for the market index.",
)(
    compared(("volatility_21d", "market_volatility_21d"), ("own", "market"), lambda *_: True,
        lambda *_: SALIENCE)
)  # fmt: skip

_form(
    "top_three_level", "concentration", "share: percent",
    "The three largest positions make up {share} of gross exposure.",
)(single("top_3", "share", percent, lambda _: True, SALIENCE))  # fmt: skip

_form(
    "volatility_level_63d", "volatility", "volatility: percent",
    "Sixty-three-day volatility is {volatility}.",
)(single("volatility_63d", "volatility", size, lambda _: True, SALIENCE))  # fmt: skip


@_form(
    "volatility_outlook",
    "volatility",
    "expected: percent, now: percent, odds: percent",
    "The model expects volatility of {expected} over the next twenty-one sessions, against {now}"
    " over the past twenty-one, with odds of {odds} for a rise.",
)
def volatility_outlook(view: View) -> Iterator[Instance]:
    """The forecast against the present, with the odds of a rise, whatever they are."""
    facts = view.facts_of("expected_volatility", "volatility_21d", "rise_probability")
    if facts:
        expected, now, odds = (float(fact.value) for fact in facts)
        shown = apart("percent", expected, now)
        slots = {"expected": shown[0], "now": shown[1], "odds": percent(odds)}
        yield Instance(slots, facts, SALIENCE)


@_form(
    "position_beta",
    "factors",
    "name: name, beta: number, error: number",
    "The beta of {name} is {beta}, with a standard error of {error}.",
)
def position_beta(view: View) -> Iterator[Instance]:
    """The beta of each position of the sheet, with its error."""
    for alias in view.aliases("POS"):
        facts = view.facts_of("position_beta", "position_beta_error", alias=alias)
        if facts:
            beta, error = (number(float(fact.value)) for fact in facts)
            slots = {"name": name(alias), "beta": beta, "error": error}
            yield Instance(slots, facts, SALIENCE, alias)


def _of_position(form_id: str, phrasing: str) -> None:
    """Add the form of a volatility of a position; fact and form have one name."""

    @_form(form_id, "volatility", "name: name, volatility: percent", phrasing)
    def evaluate(view: View) -> Iterator[Instance]:
        for alias in view.aliases("POS"):
            fact = view.fact(form_id, alias)
            if fact:
                slots = {"name": name(alias), "volatility": size(float(fact.value))}
                yield Instance(slots, (fact,), SALIENCE, alias)


_of_position("position_volatility", "Twenty-one-day volatility of {name} is {volatility}.")
_of_position(
    "position_expected",
    "The model expects volatility of {volatility} for {name} over the next twenty-one sessions.",
)


def _in_market_move(view: View, sign: int) -> Iterator[Instance]:
    """Yield what each scenario with a move of the market would cost, or bring."""
    for alias in view.aliases("SCN"):
        facts = view.facts_of("result", "market_move", alias=alias)
        if facts and sign * float(facts[0].value) > 0:
            result, move = (float(fact.value) for fact in facts)
            slots: dict[str, Slot] = {"name": name(alias), "move": percent(move)}
            slots["amount"] = size(result)
            yield Instance(slots, facts, SALIENCE * min(abs(result), 1), alias, sign)


_mirrored("stress", "name: name, move: percent, amount: percent", _in_market_move, {
    -1: ("scenario_market_loss",
        "In the scenario “{name}”, with a market move of {move}, the portfolio would lose {amount}"
        " of equity."),
    1: ("scenario_market_gain",
        "In the scenario “{name}”, with a market move of {move}, the portfolio would gain {amount}"
        " of equity."),
})  # fmt: skip


@_form("position_weight", "concentration", "name: name, weight: percent",
    "{name} has a weight of {weight} of equity.")  # fmt: skip
def position_weight(view: View) -> Iterator[Instance]:
    """The weight of each position of the sheet."""
    for alias in view.aliases("POS"):
        facts = view.facts_of("weight", alias=alias)
        if facts:
            weight = float(facts[0].value)
            slots = {"name": name(alias), "weight": size(weight)}
            yield Instance(slots, facts, SALIENCE * min(weight, 1), alias)


@_form(
    "var_used",
    "tail",
    "loss: percent, share: percent, var: percent",
    "The day's loss of {loss} was {share} of the prior day's filtered value at risk of {var}.",
)
def var_used(view: View) -> Iterator[Instance]:
    """The loss of the session as a share of the value at risk of the session before."""
    facts = view.facts_of("daily_return", "previous_var_95")
    if facts and float(facts[0].value) < 0 < float(facts[1].value):
        loss, var = -float(facts[0].value), float(facts[1].value)
        shown = apart("percent", loss, var)
        slots = {"loss": shown[0], "share": percent(loss / var), "var": shown[1]}
        yield Instance(slots, facts, SALIENCE, sign=-1)


def _limit_kept(view: View, *, has_subject: bool) -> Iterator[Instance]:
    """Yield each limit that is kept, of the portfolio or of the largest of several things."""
    for alias in view.aliases("LIM"):
        subject = view.sheet.aliases[alias].get("of", "")
        for kind, unit in own_limits.UNITS.items():
            facts = view.facts_of(kind, f"{kind}_limit", "limit_status", alias=alias)
            if facts and facts[2].value == own_limits.KEPT and bool(subject) == has_subject:
                value, limit = (float(fact.value) for fact in facts[:2])
                if value <= limit:
                    shown = apart(unit, value, limit)
                    slots: dict[str, Slot] = {"value": shown[0], "limit": shown[1]}
                    slots |= {"name": label(alias)} | ({"of": name(subject)} if subject else {})
                    yield Instance(slots, facts[:2], SALIENCE, alias, 1, context=facts[2:])


for _end, _slots, _sentence in (
    ("", "name: label, value: figure, limit: figure",
        "The portfolio's {name} of {value} is within the limit of {limit}."),
    ("_of", "name: label, value: figure, limit: figure, of: name",
        "{of} at {value} is within the portfolio's limit of {limit} on {name}."),
):  # fmt: skip
    _form(f"limit_kept{_end}", "limits", _slots, _sentence)(
        partial(_limit_kept, has_subject=bool(_end))
    )


def _over_sessions(view: View, sign: int, over: str) -> Iterator[Instance]:
    """Yield what each of the largest winners, or losers, over some sessions made."""
    for alias in view.aliases("POS"):
        fact = view.fact(f"pnl{over}", alias)
        if fact and sign * float(fact.value) > 0:
            slots = {"name": name(alias), "amount": money(float(fact.value), view.currency)}
            yield Instance(slots, (fact,), SALIENCE, alias, sign)


for _over, _words in (("_5d", "five"), ("_21d", "twenty-one")):
    _mirrored("result", "name: name, amount: money", partial(_over_sessions, over=_over), {
        -1: (f"position_lost{_over}", f"{{name}} lost {{amount}} in {_words} sessions."),
        1: (f"position_gained{_over}", f"{{name}} gained {{amount}} in {_words} sessions."),
    })  # fmt: skip


def _against_benchmark(view: View, sign: int) -> Iterator[Instance]:
    """Yield the sectors of the sheet that are above, or below, their weight in the benchmark."""
    for alias in view.aliases("SEC"):
        facts = view.facts_of("active", "net", "benchmark", alias=alias)
        is_sector = view.sheet.aliases[alias].get("sector") not in NO_SECTORS
        if facts and is_sector and sign * float(facts[0].value) > 0:
            active, net, benchmark = (float(fact.value) for fact in facts)
            shown = apart("percent", net, benchmark)
            slots = {"name": name(alias), "net": shown[0], "benchmark": shown[1]}
            salience = SALIENCE * min(abs(active), 1)
            yield Instance(slots, facts[1:], salience, alias, context=facts[:1])


_mirrored("sectors", "name: name, net: percent, benchmark: percent", _against_benchmark, {
    -1: ("sector_below", "{name} is {net} of equity net, below {benchmark} in the benchmark."),
    1: ("sector_above", "{name} is {net} of equity net, above {benchmark} in the benchmark."),
})  # fmt: skip

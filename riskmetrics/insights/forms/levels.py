"""Levels of figures: answers to questions. A note does not tell them; the tables show them."""

from collections.abc import Iterator
from functools import partial

from riskmetrics.insights.claims import Instance, View, form
from riskmetrics.insights.form_shapes import compared, mirrored, single
from riskmetrics.insights.limits import NO_SECTORS
from riskmetrics.insights.slots import apart, count, money, name, number, percent, size, times

SALIENCE = 0.3
"""Salience of a level: it is stated if it is asked for."""

_form = partial(form, is_answer=True)
_mirrored = partial(mirrored, is_answer=True)

_form(
    "var_level",
    "tail",
    "var: percent",
    "The one-day value at risk is {var} of equity: one day in twenty should lose more.",
)(single("var_95", "var", size, lambda _: True, SALIENCE))


@_form(
    "hhi_level",
    "concentration",
    "hhi: number, effective: number",
    "The HHI of the weights is {hhi}, as if {effective} equal positions were held.",
)
def hhi_level(view: View) -> Iterator[Instance]:
    """The concentration index, and its reciprocal."""
    facts = view.facts_of("hhi", "effective_positions")
    if facts:
        hhi, effective = (float(fact.value) for fact in facts)
        slots = {"hhi": number(hhi, 4), "effective": number(effective, 1)}
        yield Instance(slots, facts, SALIENCE)


_form(
    "max_drawdown",
    "stress",
    "drawdown: percent, span: span",
    "The deepest drawdown of today's holdings in the past {span} is {drawdown}.",
)(single("max_drawdown", "drawdown", size, lambda _: True, SALIENCE, has_span=True))

_form(
    "drawdown_level",
    "stress",
    "drawdown: percent, span: span",
    "Today's holdings would stand {drawdown} below the high of the past {span}.",
)(single("drawdown", "drawdown", size, lambda depth: depth > 0, SALIENCE, has_span=True))

_form("positions_held", "concentration", "count: count", "The portfolio holds {count} positions.")(
    single("num_positions", "count", count, lambda held: held != 1, SALIENCE)
)


@_form("position_held", "concentration", "", "The portfolio holds one position.")
def position_held(view: View) -> Iterator[Instance]:
    """A single position is held."""
    facts = view.facts_of("num_positions")
    if facts and float(facts[0].value) == 1:
        yield Instance({}, facts, SALIENCE)


for _over, _words in (("", "On the day"), ("_5d", "Over five sessions"),
        ("_21d", "Over twenty-one sessions")):  # fmt: skip
    _form(
        f"returns_compared{_over}",
        "result",
        "own: percent, market: percent",
        f"{_words} the portfolio returned {{own}}, against {{market}} for the market index.",
    )(
        compared(
            ("daily_return" if not _over else f"return{_over}", f"market_return{_over}"),
            ("own", "market"), lambda *_: True, lambda *_: SALIENCE,
        )
    )  # fmt: skip


@_form(
    "volatility_day",
    "volatility",
    "before: percent, now: percent",
    "Twenty-one-day volatility was {before} the session before and is {now}.",
)
def volatility_day(view: View) -> Iterator[Instance]:
    """Volatility the session before and now."""
    facts = view.facts_of("volatility_21d", "volatility_21d_change")
    if facts:
        now, change = (float(fact.value) for fact in facts)
        if now - change >= 0:
            before, after = apart("percent", now - change, now)
            yield Instance({"before": before, "now": after}, facts, SALIENCE)


@_form("no_shorts", "hedge", "", "No position is short.")
def no_shorts(view: View) -> Iterator[Instance]:
    """Only long positions are held."""
    facts = view.facts_of("num_short_positions")
    if facts and float(facts[0].value) == 0:
        yield Instance({}, facts, SALIENCE)


_form(
    "exposure_level",
    "hedge",
    "gross: times, net: times",
    "Gross exposure is {gross} equity and net exposure {net}.",
)(
    compared(("gross_to_equity", "net_to_equity"), ("gross", "net"), lambda _, net: net >= 0,
        lambda *_: SALIENCE, unit="times")
)  # fmt: skip


@_form("sector_level", "sectors", "name: name, share: percent",
    "{name} is {share} of gross exposure.")  # fmt: skip
def sector_level(view: View) -> Iterator[Instance]:
    """The gross weight of each sector that is held."""
    for alias in view.aliases("SEC"):
        fact = view.fact("gross", alias)
        is_sector = view.sheet.aliases[alias].get("sector") not in NO_SECTORS
        if fact and is_sector and float(fact.value) > 0:
            slots = {"name": name(alias), "share": size(float(fact.value))}
            yield Instance(slots, (fact,), SALIENCE * float(fact.value), alias)


@_form(
    "position_level",
    "concentration",
    "name: name, weight: percent, share: percent",
    "{name} has a weight of {weight} of equity and a share of {share} of the volatility.",
)
def position_level(view: View) -> Iterator[Instance]:
    """Weight and share of the volatility of each position of the sheet."""
    for alias in view.aliases("POS"):
        facts = view.facts_of("weight", "share", alias=alias)
        if facts:
            weight, share = (float(fact.value) for fact in facts)
            slots = {"name": name(alias), "weight": size(weight), "share": percent(share)}
            yield Instance(slots, facts, SALIENCE * min(weight, 1), alias)


def _position_result(view: View, sign: int) -> Iterator[Instance]:
    """Yield what each of the largest winners, or losers, of the session made."""
    for alias in view.aliases("POS"):
        fact = view.fact("pnl", alias)
        if fact and sign * float(fact.value) > 0:
            pnl = float(fact.value)
            slots = {"name": name(alias), "amount": money(pnl, view.currency)}
            salience = SALIENCE * abs(pnl) / (1 + abs(pnl))
            yield Instance(slots, (fact,), salience, alias, sign)


_mirrored("result", "name: name, amount: money", _position_result, {
    -1: ("position_lost", "{name} lost {amount} on the day."),
    1: ("position_gained", "{name} gained {amount} on the day."),
})  # fmt: skip


def _cash(view: View, sign: int) -> Iterator[Instance]:
    """Yield the cash, or the debt."""
    facts = view.facts_of("cash_value")
    if facts and (float(facts[0].value) >= 0) == (sign > 0):
        slots = {"amount": money(float(facts[0].value), view.currency)}
        yield Instance(slots, facts, SALIENCE)


_mirrored("result", "amount: money", _cash, {
    -1: ("cash_debt", "Cash is {amount} below zero."),
    1: ("cash_level", "Cash is {amount}."),
})  # fmt: skip


@_form(
    "forecast_level",
    "volatility",
    "expected: percent, low: percent, high: percent",
    "The model expects volatility of {expected} over the next twenty-one sessions (likely range"
    " {low} to {high}).",
)
def forecast_level(view: View) -> Iterator[Instance]:
    """The volatility forecast with its interval."""
    facts = view.facts_of("expected_volatility", "expected_low", "expected_high")
    if facts:
        expected, low, high = (float(fact.value) for fact in facts)
        if low < high:
            ends = apart("percent", low, high)
            slots = {"expected": size(expected), "low": ends[0], "high": ends[1]}
            yield Instance(slots, facts, SALIENCE)


def _scenario_result(view: View, sign: int) -> Iterator[Instance]:
    """Yield what each scenario would cost, or bring."""
    for alias in view.aliases("SCN"):
        fact = view.fact("result", alias)
        if fact and sign * float(fact.value) > 0:
            result = float(fact.value)
            slots = {"name": name(alias), "amount": size(result)}
            yield Instance(slots, (fact,), SALIENCE * min(abs(result), 1), alias, sign)


_mirrored("stress", "name: name, amount: percent", _scenario_result, {
    -1: ("scenario_loss", "The scenario “{name}” would cost {amount} of equity."),
    1: ("scenario_gain", "The scenario “{name}” would bring a gain of {amount} of equity."),
})  # fmt: skip

_form(
    "correlation_level",
    "concentration",
    "correlation: number",
    "The average correlation of the holdings is {correlation}, over a year at most.",
)(single("average_correlation", "correlation", number, lambda _: True, SALIENCE))

_form(
    "information_ratio",
    "active",
    "span: span, ratio: number",
    "Over the past {span} the information ratio of today's holdings is {ratio}.",
)(single("information_ratio", "ratio", number, lambda _: True, SALIENCE, has_span=True))

_form(
    "rate_beta_level",
    "factors",
    "beta: number",
    "The beta to the rate index is {beta}.",
)(single("rate_beta", "beta", number, lambda _: True, SALIENCE))

_form(
    "top_ten",
    "concentration",
    "share: percent",
    "The ten largest positions hold {share} of gross exposure.",
)(single("top_10", "share", percent, lambda _: True, SALIENCE))


@_form("sector_largest", "sectors", "name: name, share: percent",
    "{name} is the largest sector, at {share} of gross exposure.")  # fmt: skip
def sector_largest(view: View) -> Iterator[Instance]:
    """The sector with the largest gross weight, if the largest group is a sector."""
    for alias in view.aliases("SEC"):
        fact = view.fact("gross", alias)
        is_sector = view.sheet.aliases[alias].get("sector") not in NO_SECTORS
        if fact and is_sector and fact.rank == 1 and float(fact.value) > 0:
            slots = {"name": name(alias), "share": size(float(fact.value))}
            yield Instance(slots, (fact,), SALIENCE, alias)


_form(
    "explained_level",
    "factors",
    "share: percent",
    "The market and the factors explain {share} of the volatility.",
)(
    single("specific_share", "share", lambda share: percent(1 - share), lambda share: share <= 1,
        SALIENCE)
)  # fmt: skip


@_form(
    "sold_in_week",
    "liquidity",
    "share: percent",
    "Within five sessions {share} of the portfolio could be sold at the assumed share of volume.",
)
def sold_in_week(view: View) -> Iterator[Instance]:
    """The part that can be sold in a week; all of gross value has a volume."""
    fact = view.fact("sold_in_5d")
    if fact and fact.quality == "ok":
        yield Instance({"share": percent(float(fact.value))}, (fact,), SALIENCE)


@_form("cash_part", "result", "share: percent", "Cash makes up {share} of equity.")
def cash_part(view: View) -> Iterator[Instance]:
    """Cash as a part of equity."""
    facts = view.facts_of("cash_value", "total_value")
    if facts and 0 <= float(facts[0].value) <= float(facts[1].value) != 0:
        share = float(facts[0].value) / float(facts[1].value)
        yield Instance({"share": size(share)}, (), SALIENCE, context=facts)


def _since_entry(view: View, sign: int) -> Iterator[Instance]:
    """Yield the result of the holdings since their entry."""
    facts = view.facts_of("cumulative_pnl")
    if facts and sign * float(facts[0].value) > 0:
        slots = {"amount": money(float(facts[0].value), view.currency)}
        yield Instance(slots, facts, SALIENCE, sign=sign)


_mirrored("result", "amount: money", _since_entry, {
    -1: ("lost_since_entry", "The positions have lost {amount} from entry to date."),
    1: ("gained_since_entry", "The positions have gained {amount} from entry to date."),
})  # fmt: skip


@_form(
    "shortfall_multiple",
    "tail",
    "shortfall: percent, multiple: times",
    "The one-day expected shortfall of {shortfall} is {multiple} the value at risk.",
)
def shortfall_multiple(view: View) -> Iterator[Instance]:
    """How much farther the worst losses go than the value at risk."""
    facts = view.facts_of("shortfall_95", "var_95")
    if facts and float(facts[1].value) > 0:
        shortfall, var = (float(fact.value) for fact in facts)
        slots = {"shortfall": size(shortfall), "multiple": times(shortfall / var)}
        yield Instance(slots, facts[:1], SALIENCE, context=facts[1:])

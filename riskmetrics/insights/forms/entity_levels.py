"""Answers about single positions, sectors, scenarios and limits."""

from collections.abc import Iterator
from functools import partial

from riskmetrics.insights.claims import View, form
from riskmetrics.insights.forms.levels import (
    SALIENCE,
    SIGNS,
    amount,
    answer,
    distinct_percentages,
    is_positive,
    share,
)
from riskmetrics.insights.forms.own_limits import KEPT, UNITS
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.slots import (
    Slot,
    distinct_slots,
    label,
    money,
    name,
    number,
    percent,
    size,
)
from riskmetrics.metrics.minimums import is_within

answer("position_weight", "concentration", "name: name, weight: percent",
    "{name} has a weight of {weight} of equity.", "weight", size, prefix="POS",
    scale=share)  # fmt: skip
answer("position_level", "concentration", "name: name, weight: percent, share: percent",
    "{name} has a weight of {weight} of equity and a share of {share} of the volatility.",
    "weight share", lambda weight, part: (size(weight), percent(part)), prefix="POS",
    scale=share)  # fmt: skip
answer("position_beta", "factors", "name: name, beta: number, error: number",
    "The beta of {name} is {beta}, with a standard error of {error}.",
    "position_beta position_beta_error", lambda beta, error: (number(beta), number(error)),
    prefix="POS")  # fmt: skip
answer("position_volatility", "volatility", "name: name, volatility: percent",
    "Twenty-one-day volatility of {name} is {volatility}.", "position_volatility", size,
    prefix="POS")  # fmt: skip
answer("position_expected", "volatility", "name: name, volatility: percent",
    "The model expects volatility of {volatility} for {name} over the next twenty-one sessions.",
    "position_expected", size, prefix="POS")  # fmt: skip

for _sign, _verb in SIGNS:
    _has_sign = partial(lambda value, *_, sign: sign * value > 0, sign=_sign)
    for _over, _when in (("", "on the day"), ("_5d", "in five sessions"),
            ("_21d", "in twenty-one sessions")):  # fmt: skip
        answer(f"position_{_verb}{_over}", "result", "name: name, amount: money",
            f"{{name}} {_verb} {{amount}} {_when}.", f"pnl{_over}", money, prefix="POS",
            holds=_has_sign, scale=amount, sign=_sign)  # fmt: skip
    _end, _would, _would_in = (
        ("loss", "cost", "lose") if _sign < 0 else ("gain", "bring a gain of", "gain")
    )
    answer(f"scenario_{_end}", "stress", "name: name, amount: percent",
        f"The scenario “{{name}}” would {_would} {{amount}} of equity.", "result", size,
        prefix="SCN", holds=_has_sign, scale=share, sign=_sign)  # fmt: skip
    answer(f"scenario_market_{_end}", "stress", "name: name, amount: percent, move: percent",
        "In the scenario “{name}”, with a market move of {move}, the portfolio would"
        f" {_would_in} {{amount}} of equity.",
        "result market_move", lambda result, move: (size(result), percent(move)), prefix="SCN",
        holds=_has_sign, scale=share, sign=_sign)  # fmt: skip
    _side = "below" if _sign < 0 else "above"
    answer(f"sector_{_side}", "sectors", "name: name, net: percent, benchmark: percent",
        f"{{name}} is {{net}} of equity net, {_side} {{benchmark}} in the benchmark.",
        "net benchmark", distinct_percentages, prefix="SEC", context="active",
        holds=partial(lambda *values, sign: sign * values[-1] > 0, sign=_sign),
        derive=lambda *values: values[:2],
        scale=lambda *values: share(values[-1]))  # fmt: skip

answer("sector_level", "sectors", "name: name, share: percent",
    "{name} is {share} of gross exposure.", "gross", size, prefix="SEC", holds=is_positive,
    scale=lambda gross: gross)  # fmt: skip
answer("sector_largest", "sectors", "name: name, share: percent",
    "{name} is the largest sector, at {share} of gross exposure.", "gross", size, prefix="SEC",
    holds=is_positive, rank=1)  # fmt: skip


def _limit_kept(view: View, *, has_subject: bool) -> Iterator[Instance]:
    """Yield each limit that is kept, of the portfolio or of the largest of several things."""
    for alias in view.aliases("LIM"):
        subject = view.sheet.aliases[alias].get("of", "")
        for kind, unit in UNITS.items():
            facts = view.facts_of(kind, f"{kind}_limit", "limit_status", alias=alias)
            if facts and facts[2].value == KEPT and bool(subject) == has_subject:
                value, limit = (float(fact.value) for fact in facts[:2])
                if is_within(value, limit):
                    shown = distinct_slots(unit, value, limit)
                    slots: dict[str, Slot] = {"value": shown[0], "limit": shown[1]}
                    slots |= {"name": label(alias)} | ({"of": name(subject)} if subject else {})
                    yield Instance(slots, facts[:2], SALIENCE, alias, 1, context=facts[2:])


for _end, _slots, _sentence in (
    ("", "", "The portfolio's {name} of {value} is within the limit of {limit}."),
    ("_of", ", of: name",
        "{of} at {value} is within the portfolio's limit of {limit} on {name}."),
):  # fmt: skip
    form(f"limit_kept{_end}", "limits", f"name: label, value: figure, limit: figure{_slots}",
        _sentence, is_answer=True)(partial(_limit_kept, has_subject=bool(_end)))  # fmt: skip

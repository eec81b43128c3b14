"""Levels of figures: answers to questions. A note does not tell them; the tables show them."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from riskmetrics.insights.claims import Form, Topic, View, form
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.severity import NO_SECTORS
from riskmetrics.insights.slots import (
    Slot,
    count,
    distinct_slots,
    label,
    money,
    name,
    number,
    percent,
    size,
    span,
    times,
)

SALIENCE = 0.3
"""Salience of a level: it is stated if it is asked for."""

Show = Callable[..., "Slot | tuple[Slot, ...]"]

distinct_percentages = partial(distinct_slots, "percent")
"""Shows percentages with as many decimals as tell them apart."""


def share(value: float, *_: float) -> float:
    """Return the factor of the salience of a thing by a fraction: that of all is 1."""
    return min(abs(value), 1.0)


def amount(value: float, *_: float) -> float:
    """Return the factor of the salience of a thing by an amount."""
    return abs(value) / (1 + abs(value))


def answer(
    form_id: str,
    topic: Topic,
    slots: str,
    phrasing: str,
    kinds: str,
    show: Show,
    *,
    prefix: str = "",
    context: str = "",
    holds: Callable[..., bool] = lambda *_: True,
    derive: Callable[..., tuple[float, ...]] = lambda *values: values,
    scale: Callable[..., float] = lambda *_: 1.0,
    sign: int = 0,
    rank: int | None = None,
) -> Form:
    """Add a form that states figures whatever they are; only answers tell it.

    Parameters
    ----------
    kinds : str
        Types of the facts that it states, separated by spaces.
    show : callable
        Function of the derived values, and the currency of an amount, that makes the slots besides
        the name and the span.
    prefix : str
        Prefix of the aliases of the things that it is about, such as POS; default: the portfolio.
    context : str
        Types of further facts: evidence that is not shown.
    holds, scale : callable
        Functions of the values of all facts: whether it is true, and the factor of its salience.
    derive : callable
        Function from the values of all facts to those that are shown.
    rank : int, optional
        Rank of the first fact, if only one thing is meant.
    """
    names = [each.partition(":")[0] for each in slots.split(", ") if slots]
    shown_names = [each for each in names if each not in ("name", "span")]
    shown_kinds, context_kinds = kinds.split(), context.split()

    def evaluate(view: View) -> Iterator[Instance]:
        for alias in _things(view, prefix) if prefix else (None,):
            facts = view.facts_of(*shown_kinds, *context_kinds, alias=alias)
            if facts is None or (rank is not None and facts[0].rank != rank):
                continue
            values = [float(fact.value) for fact in facts]
            if not holds(*values):
                continue
            more = {"currency": view.currency} if "money" in slots else {}
            shown = show(*derive(*values), **more) if shown_names else ()
            found = shown if type(shown) is tuple else (shown,)
            name_of = label if "name: label" in slots else name
            filled = {"name": name_of(alias)} if alias else {}
            filled |= dict(zip(shown_names, found, strict=True))
            filled |= {"span": span(facts[0].n_obs)} if "span" in names else {}
            yield Instance(
                filled, facts[: len(shown_kinds)], SALIENCE * scale(*values), alias or "", sign,
                context=facts[len(shown_kinds) :],
            )  # fmt: skip

    return form(form_id, topic, slots, phrasing, is_answer=True)(evaluate)


def _things(view: View, prefix: str) -> list[str]:
    """Return the aliases of things; of sectors, those that are none of assets without one."""
    entities = view.sheet.aliases
    return [each for each in view.aliases(prefix) if entities[each].get("sector") not in NO_SECTORS]


def is_positive(value: float, *_: float) -> bool:
    """Return whether the first value is above zero."""
    return value > 0


SIGNS: Final = ((-1, "lost"), (1, "gained"))
"""Sign of a result to its verb."""

answer("var_level", "tail", "var: percent",
    "The one-day value at risk is {var} of equity: one day in twenty should lose more.",
    "var_95", size)  # fmt: skip
answer("shortfall_multiple", "tail", "shortfall: percent, multiple: times",
    "The one-day expected shortfall of {shortfall} is {multiple} the value at risk.",
    "shortfall_95", lambda loss, multiple: (size(loss), times(multiple)), context="var_95",
    holds=lambda _, var: var > 0, derive=lambda loss, var: (loss, loss / var))  # fmt: skip
answer("var_used", "tail", "loss: percent, var: percent, share: percent",
    "The day's loss of {loss} was {share} of the prior day's filtered value at risk of {var}.",
    "daily_return previous_var_95", lambda loss, var: (*distinct_percentages(loss, var), percent(loss / var)),
    holds=lambda rate, var: rate < 0 < var, derive=lambda rate, var: (-rate, var),
    sign=-1)  # fmt: skip
answer("positions_moved", "result", "winners: count, losers: count",
    "On the day {winners} of the positions gained and {losers} lost.", "n_winners n_losers",
    lambda winners, losers: (count(winners), count(losers)))  # fmt: skip

answer("max_drawdown", "stress", "drawdown: percent, span: span",
    "The deepest drawdown of today's holdings, rebalanced daily to today's weights, in the past"
    " {span} is {drawdown}.",
    "max_drawdown", size)  # fmt: skip
answer("drawdown_level", "stress", "drawdown: percent, span: span",
    "Today's holdings, rebalanced daily to today's weights, would stand {drawdown} below the high"
    " of the past {span}.",
    "drawdown", size, holds=is_positive)  # fmt: skip

answer("volatility_ranked", "volatility", "volatility: percent, days: percent",
    "Twenty-one-day volatility of {volatility} is higher than on {days} of days in up to a year.",
    "volatility_21d volatility_percentile", lambda value, days: (size(value), percent(days)),
    holds=lambda _, days: 0 < days < 1)  # fmt: skip
answer("factor_level", "factors", "name: label, exposure: number, error: number",
    "The exposure to the {name} factor is {exposure}, with a standard error of {error}.",
    "factor_exposure factor_error", lambda *values: tuple(map(number, values)), prefix="FAC",
    scale=share)  # fmt: skip
answer("volatility_level_63d", "volatility", "volatility: percent",
    "Sixty-three-day volatility is {volatility}.", "volatility_63d", size)  # fmt: skip
answer("volatility_against_market", "volatility", "own: percent, market: percent",
    "Twenty-one-day volatility is {own}, against {market} for the market index.",
    "volatility_21d market_volatility_21d", distinct_percentages)  # fmt: skip
answer("forecast_level", "volatility", "expected: percent, low: percent, high: percent",
    "The model expects volatility of {expected} over the next twenty-one sessions (likely range"
    " {low} to {high}).",
    "expected_volatility expected_low expected_high",
    lambda expected, *ends: (size(expected), *distinct_percentages(*ends)),
    holds=lambda _, low, high: low < high)  # fmt: skip
answer("volatility_outlook", "volatility", "expected: percent, now: percent, odds: percent",
    "The model expects volatility of {expected} over the next twenty-one sessions, against {now}"
    " over the past twenty-one, with odds of {odds} for a rise.",
    "expected_volatility volatility_21d rise_probability",
    lambda expected, now, odds: (*distinct_percentages(expected, now), percent(odds)))  # fmt: skip

answer("hhi_level", "concentration", "hhi: number, effective: number",
    "The HHI of the weights is {hhi}, as if {effective} equal positions were held.",
    "hhi effective_positions",
    lambda hhi, effective: (number(hhi, 4), number(effective, 1)))  # fmt: skip
answer(
    "top_three_level",
    "concentration",
    "share: percent",
    "The three largest positions make up {share} of gross exposure.",
    "top_3",
    percent,
)
answer(
    "top_ten",
    "concentration",
    "share: percent",
    "The ten largest positions hold {share} of gross exposure.",
    "top_10",
    percent,
)
answer("positions_held", "concentration", "count: count", "The portfolio holds {count} positions.",
    "num_positions", count, holds=lambda held: held != 1)  # fmt: skip
answer("position_held", "concentration", "", "The portfolio holds one position.",
    "num_positions", count, holds=lambda held: held == 1)  # fmt: skip
answer("correlation_level", "concentration", "correlation: number",
    "The average correlation of the holdings is {correlation}, over a year at most.",
    "average_correlation", number)  # fmt: skip

answer("information_ratio", "active", "span: span, ratio: number",
    "Over the past {span} the information ratio of today's holdings is {ratio}.",
    "information_ratio", number)  # fmt: skip
answer("rate_beta_level", "factors", "beta: number",
    "The beta to the price of the rate index is {beta}; bond prices fall as interest rates rise.",
    "rate_beta", number)  # fmt: skip
answer("explained_level", "factors", "share: percent",
    "The market and the factors explain {share} of the volatility.", "specific_share", percent,
    holds=lambda rest: rest <= 1, derive=lambda rest: (1 - rest,))  # fmt: skip

answer("no_shorts", "hedge", "", "No position is short.", "num_short_positions", count,
    holds=lambda held: held == 0)  # fmt: skip
answer("exposure_level", "hedge", "gross: times, net: times",
    "Gross exposure is {gross} equity and net exposure {net}.", "gross_to_equity net_to_equity",
    partial(distinct_slots, "times"), holds=lambda _, net: net >= 0)  # fmt: skip
answer("cash_debt", "result", "amount: money", "Cash is {amount} below zero.", "cash_value", money,
    holds=lambda cash: cash < 0)  # fmt: skip
answer("cash_level", "result", "amount: money", "Cash is {amount}.", "cash_value", money,
    holds=lambda cash: cash >= 0)  # fmt: skip
answer("cash_part", "result", "share: percent", "Cash makes up {share} of equity.", "", size,
    context="cash_value total_value", holds=lambda cash, equity: 0 <= cash <= equity != 0,
    derive=lambda cash, equity: (cash / equity,))  # fmt: skip
for _sign, _verb in SIGNS:
    answer(f"{_verb}_since_entry", "result", "amount: money",
        f"The positions have {_verb} {{amount}} from entry to date.", "cumulative_pnl", money,
        holds=partial(lambda pnl, sign: sign * pnl > 0, sign=_sign), sign=_sign)  # fmt: skip


@form("sold_in_week", "liquidity", "share: percent",
    "Within five sessions {share} of the portfolio could be sold at the assumed share of volume.",
    is_answer=True)  # fmt: skip
def sold_in_week(view: View) -> Iterator[Instance]:
    """The part that can be sold in a week; all of gross value has a volume."""
    fact = view.fact("sold_in_5d")
    if fact and fact.quality == "ok":
        yield Instance({"share": percent(float(fact.value))}, (fact,), SALIENCE)

"""Shapes that many forms share: one figure, two figures compared, a change.

Each returns the function that evaluates a form, so that the form itself is its phrasings and its
threshold.
"""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from riskmetrics.insights.claims import Form, Topic, View, form
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.slots import Slot, distinct_slots, span

Evaluate = Callable[[View], Iterator[Instance]]


def mirrored_forms(
    topic: Topic,
    slots: str,
    evaluate: Callable[..., Iterator[Instance]],
    phrasings: Mapping[int, tuple[str, ...]],
    **more: Any,
) -> dict[int, Form]:
    """Add forms that state one thing by sign, such as a loss and a gain.

    Parameters
    ----------
    evaluate : callable
        Function of a view and ``sign`` that yields instances.
    phrasings : mapping
        Sign to the id of the form and its phrasings.
    """
    return {
        sign: form(form_id, topic, slots, *texts, **more)(partial(evaluate, sign=sign))
        for sign, (form_id, *texts) in phrasings.items()
    }


def single_figure(
    kind: str,
    slot: str,
    show: Callable[[float], Slot],
    holds: Callable[[float], bool],
    salience: "float | Callable[[float], float]",
    *,
    needs: tuple[str, ...] = (),
    has_span: bool = False,
    **more: Any,
) -> Evaluate:
    """Return the evaluation of a form about one figure.

    Parameters
    ----------
    kind : str
        Type of the fact.
    show : callable
        Function that makes the slot of its value.
    holds : callable
        Whether the form is true of the value.
    needs : tuple of str
        Further types that must be facts: evidence that is not shown.
    has_span : bool
        Whether the form states how many sessions the figure is of, in a slot named span.
    more
        Further values of the instance, such as its sign.
    """

    def evaluate(view: View) -> Iterator[Instance]:
        facts, context = view.facts_of(kind), view.facts_of(*needs)
        if facts and context is not None and holds(value := float(facts[0].value)):
            weight = salience(value) if callable(salience) else salience
            slots = {slot: show(value)} | ({"span": span(facts[0].n_obs)} if has_span else {})
            yield Instance(slots, facts, weight, context=context, **more)

    return evaluate


def compared_figures(
    kinds: tuple[str, str],
    slots: tuple[str, str],
    holds: Callable[[float, float], bool],
    salience: Callable[[float, float], float],
    *,
    unit: str = "percent",
    signs: tuple[int, int] = (1, 1),
    has_span: bool = False,
    has_decimal: bool = False,
    **more: Any,
) -> Evaluate:
    """Return the evaluation of a form about two figures that are shown apart.

    Parameters
    ----------
    signs : tuple of int
        Factors of the figures before they are compared: -1 makes a loss of a return.
    has_span : bool
        Whether the form states how many sessions the second figure is of.
    has_decimal : bool
        Whether the figures have one decimal at least, as returns do.
    more
        Further values of the instance, such as sign and level.
    """

    def evaluate(view: View) -> Iterator[Instance]:
        facts = view.facts_of(*kinds)
        if facts:
            one, other = (sign * float(fact.value) for sign, fact in zip(signs, facts, strict=True))
            if holds(one, other):
                figures = distinct_slots(unit, one, other, has_decimal=has_decimal)
                shown = dict(zip(slots, figures, strict=True))
                shown |= {"span": span(facts[1].n_obs)} if has_span else {}
                yield Instance(shown, facts, salience(one, other), **more)

    return evaluate


def changed_figure(
    kind: str,
    is_clear: Callable[[float, float], bool],
    salience: Callable[[float, float], float],
    *,
    over: str = "",
    unit: str = "percent",
    is_steady: bool = False,
) -> Callable[..., Iterator[Instance]]:
    """Return the evaluation, by sign, of forms about a figure before and now.

    Parameters
    ----------
    is_clear : callable
        Whether a change, in the direction of the form, from an earlier value is worth a sentence.
    over : str
        Suffix of the change's window; default: since the session before.
    """
    change_kind = f"{kind}_change{over}"

    def evaluate(view: View, sign: int) -> Iterator[Instance]:
        facts = view.facts_of(kind, change_kind)
        if facts:
            now, change = (float(fact.value) for fact in facts)
            if is_clear(sign * change, now - change):
                shown = dict(
                    zip(("before", "now"), distinct_slots(unit, now - change, now), strict=True)
                )
                weight = salience(abs(change), now - change)
                yield Instance(shown, facts, weight, sign=-sign, is_steady=is_steady)

    return evaluate

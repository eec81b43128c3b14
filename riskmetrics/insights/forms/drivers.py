"""Why a position that made most of the result matters: it carries more risk than its weight."""

from collections.abc import Iterator
from typing import Final

from riskmetrics.insights import novelty
from riskmetrics.insights.claims import View
from riskmetrics.insights.form_shapes import mirrored_forms
from riskmetrics.insights.forms import contributors
from riskmetrics.insights.forms.concentration import position_risk_heavy
from riskmetrics.insights.instances import Instance

_MIN_RISK = 0.25
"""Share of the volatility from which the risk of such a position is stated again."""


def _risk(view: View, sign: int) -> Iterator[Instance]:
    """Yield the weight and risk of the position that made most of a loss (-1), or a gain.

    They are known if they were nearly the same in a remembered session.
    """
    for of in contributors.MAIN[sign]:
        for made in view.instances(of):
            is_result = sign * (view.number("daily_pnl") or 0.0) > 0
            if not is_result or contributors.driver_impact(view, made) is None:
                continue
            for found in view.instances(position_risk_heavy):
                if found.subject == made.subject and float(found.facts[1].value) >= _MIN_RISK:
                    evidence = (*made.facts, *made.context)
                    is_new = novelty.is_new(
                        found,
                        position_risk_heavy.id,
                        view.sheet,
                        view.sheet.before,
                        is_background=position_risk_heavy.is_background,
                    )
                    yield Instance(found.slots, found.facts, 1.3, found.subject, -1,
                        is_known=not is_new, context=evidence)  # fmt: skip


_SLOTS = "name: name, weight: percent, share: percent"
_WORDS = "With {weight} of equity, {name} carries {share} of the volatility."

DRIVERS: Final = mirrored_forms("result", _SLOTS, _risk, {
    -1: ("driver_of_loss", _WORDS),
    1: ("driver_of_gain", _WORDS),
}, place=2, is_event=True)  # fmt: skip
"""Sign of the result to the form."""

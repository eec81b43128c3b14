"""Which positions gained and lost most over several sessions."""

from collections.abc import Iterator, Sequence

from riskmetrics.insights.claims import View
from riskmetrics.insights.form_shapes import mirrored_forms
from riskmetrics.insights.forms.contributors import MAX_SPREAD
from riskmetrics.insights.forms.result import is_clear_result, largest_contribution
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.slots import money, name, size

_CONTRIBUTORS: Sequence[tuple[str, str]] = (("_5d", "five"), ("_21d", "twenty-one"))


def _contributor(over: str, words: str) -> None:
    """Add the forms of the largest detractor and contributor of several sessions.

    They count changes of prices: dividends are left out of both the position and the sum.
    """

    def evaluate(view: View, sign: int) -> Iterator[Instance]:
        found = largest_contribution(view, sign, over)
        counted = view.number(("n_winners" if sign > 0 else "n_losers") + over) or 0
        total = view.number("return" + over)
        if found and counted >= 2 and found[2] >= MAX_SPREAD:
            alias, pnl, share, facts = found
            slots = {"name": name(alias), "amount": money(pnl, view.currency), "share": size(share)}
            is_clear = total is not None and sign * total >= 0.02 and is_clear_result(view)
            is_clear &= sign * (view.number("daily_pnl") or 0.0) >= 0
            salience = 0.9 if is_clear else 0.4
            yield Instance(
                slots, facts[:1], salience, alias, sign, context=facts[1:], is_steady=True
            )

    mirrored_forms("result", "name: name, amount: money, share: percent", evaluate, {
        -1: (f"detractor{over}",
            f"The largest detractor of the past {words} sessions was {{name}}, which cost"
            " {amount} before dividends, {share} of gross losses."),
        1: (f"contributor{over}",
            f"The largest contributor of the past {words} sessions was {{name}}, which made"
            " {amount} before dividends, {share} of gross gains."),
    }, place=3)  # fmt: skip


for _over, _words in _CONTRIBUTORS:
    _contributor(_over, _words)

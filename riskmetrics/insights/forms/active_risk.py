"""Return and risk against the market index."""

from collections.abc import Iterator

from riskmetrics.insights.claims import View, form
from riskmetrics.insights.form_shapes import compared_figures, mirrored_forms, single_figure
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.slots import number, percent, points, size, span

_CLEAR_CHANGE = 0.2
"""Relative difference of the expected from the past tracking error that is worth a sentence."""

_CLEAR_ERROR = 0.005
"""Tracking error below which a portfolio is the index, but for rounding."""

_CLEAR_ACTIVE_RETURN = 0.02
"""Active return of the past year that is worth a sentence."""

_CLEAR_RATIO = 0.5
"""Information ratio from which an active return is more than noise of the tracking error."""

_MOSTLY = 0.5
"""Share of the active variance from which the beta makes most of it."""


def _tracking_error_change(view: View, sign: int) -> Iterator[Instance]:
    """Yield the expected tracking error if it is clearly above, or below, the past one."""
    yield from compared_figures(
        ("expected_tracking_error", "tracking_error"), ("expected", "past"),
        lambda expected, past: (
            max(expected, past) >= _CLEAR_ERROR
            and past > 0
            and sign * (expected - past) >= _CLEAR_CHANGE * past
        ),
        lambda expected, past: 0.5 + min(abs(expected / past - 1), 1) / 2, sign=-sign,
        has_span=True, is_steady=True,
    )(view)  # fmt: skip


mirrored_forms("active", "expected: percent, past: percent, span: span", _tracking_error_change, {
    -1: ("tracking_error_falls",
        "The expected tracking error of {expected} is below the {past} of the past {span}."),
    1: ("tracking_error_rises",
        "The expected tracking error of {expected} is above the {past} of the past {span}."),
})  # fmt: skip

form(
    "tracking_error",
    "active",
    "span: span, error: percent",
    "Over the past {span} the tracking error against the market index is {error}.",
)(
    single_figure(
        "tracking_error", "error", size, lambda error: error >= _CLEAR_ERROR, 0.4, has_span=True
    )
)


def _return(view: View, sign: int) -> Iterator[Instance]:
    """Yield a clear active return of the past year, with the information ratio.

    Holdings that did well are held: unasked, a note would state hindsight as a result.
    """
    facts = view.facts_of("active_return", "information_ratio")
    if facts:
        rate, ratio = (float(fact.value) for fact in facts)
        if sign * rate >= _CLEAR_ACTIVE_RETURN and sign * ratio >= _CLEAR_RATIO:
            slots = {"gap": points(rate), "ratio": number(ratio), "span": span(facts[0].n_obs)}
            yield Instance(slots, facts, 0.5, sign=sign, is_steady=True)


mirrored_forms("active", "span: span, gap: points, ratio: number", _return, {
    -1: ("active_loss",
        "Over the past {span} today's holdings would have averaged {gap} a year less than the"
        " market index, without compounding; the information ratio is {ratio}."),
    1: ("active_gain",
        "Over the past {span} today's holdings would have averaged {gap} a year more than the"
        " market index, without compounding; the information ratio is {ratio}."),
}, is_answer=True)  # fmt: skip


@form(
    "active_beta",
    "active",
    "share: percent, beta: number",
    "Against the market index, {share} of active variance comes from the beta of {beta}.",
    is_background=True,
)
def active_beta(view: View) -> Iterator[Instance]:
    """The beta makes most of the active variance."""
    facts = view.facts_of("active_market_share", "own_beta")
    if facts and float(facts[0].value) >= _MOSTLY:
        share, beta = (float(fact.value) for fact in facts)
        yield Instance({"share": percent(share), "beta": number(beta)}, facts[:1], 0.7, sign=-1,
            context=facts[1:])  # fmt: skip

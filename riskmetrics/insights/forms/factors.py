"""Sensitivity to the market, to factors and to interest rates, and what they explain."""

from collections.abc import Iterator

from riskmetrics.insights.claims import View, form
from riskmetrics.insights.form_shapes import (
    changed_figure,
    compared_figures,
    mirrored_forms,
    single_figure,
)
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.slots import label, number, percent, size

_CLEAR_MOVE, _CLEAR_DRIFT = 0.05, 0.1
"""Change of the beta in a session, and over a month, that is worth a sentence; the former also
relative to a beta above 1.
"""

_BADLY_EXPLAINED = 0.4
"""R² up to which the fit is worth a sentence of its own."""

_ONE_FOR_ONE, _TRACKED = (0.98, 1.02), 0.99
"""Betas, and R² from which, a holding moves one for one with the market."""

_CLEAR_RATE_BETA = 0.2
"""Rate beta that is worth a sentence."""

_COMPLETE = 0.995
"""Coverage that is shown as complete."""

_CLEAR_TILT, _CLEAR_T = 0.2, 2.0
"""Factor exposure that is worth a sentence, and its multiple of the standard error."""

_CLEAR_FACTOR = 0.1
"""Share of the volatility of a factor that is worth a sentence."""

_SPECIFIC, _EXPLAINED = 0.5, 0.8
"""Share of the volatility that is specific, or explained by factors, that is worth a sentence."""


@form(
    "beta_level",
    "factors",
    "beta: number, share: percent",
    "Beta is {beta}; over ninety sessions the market explains {share} of the variance.",
)
def beta_level(view: View) -> Iterator[Instance]:
    """The beta of the portfolio's own returns, and its fit."""
    facts = view.facts_of("own_beta", "market_r_squared")
    if facts:
        beta, fit = (float(fact.value) for fact in facts)
        slots = {"beta": number(beta), "share": percent(fit)}
        yield Instance(slots, facts, 0.8, is_steady=True)


@form(
    "holding_tracks_market",
    "factors",
    "share: percent",
    "The only holding moves one for one with the market, which explains {share} of the variance"
    " over ninety sessions.",
    is_background=True,
)
def holding_tracks_market(view: View) -> Iterator[Instance]:
    """The only position, no fund as far as is known, has a beta of about 1 and nearly no rest."""
    if not _is_fund_alone(view):
        yield from _tracks_market(view)


@form(
    "fund_tracks_market",
    "factors",
    "share: percent",
    "The only holding is a fund moving one for one with the market, which explains {share} of the"
    " variance over ninety sessions.",
    is_background=True,
)
def fund_tracks_market(view: View) -> Iterator[Instance]:
    """The only position is a fund with a beta of about 1 and nearly no rest."""
    if _is_fund_alone(view):
        yield from _tracks_market(view)


def _is_fund_alone(view: View) -> bool:
    found = [view.fact("fund", alias) for alias in view.aliases("POS")]
    kinds = {fact.value for fact in found if fact is not None}
    return kinds == {"fund"}


def _tracks_market(view: View) -> Iterator[Instance]:
    facts = view.facts_of("own_beta", "market_r_squared")
    if facts and view.number("num_positions") == 1:
        beta, fit = (float(fact.value) for fact in facts)
        if _ONE_FOR_ONE[0] <= beta <= _ONE_FOR_ONE[1] and fit >= _TRACKED:
            context = view.facts_of("num_positions") or ()
            yield Instance({"share": percent(fit)}, facts, 0.9, context=context, is_steady=True)


form(
    "beta_error",
    "factors",
    "beta: number, error: number",
    "The beta of {beta} has a standard error of {error}.",
)(
    compared_figures(
        ("own_beta", "own_beta_error"), ("beta", "error"), lambda *_: True, lambda *_: 0.4,
        unit="number",
    )
)  # fmt: skip


beta_moves = mirrored_forms(
    "factors", "before: number, now: number",
    changed_figure("beta", lambda change, before: change >= _CLEAR_MOVE * max(1.0, abs(before)),
        lambda change, _: 1.2 + change, unit="number"),
    {
        -1: ("beta_fell", "Beta fell from {before} to {now} on the day."),
        1: ("beta_rose", "Beta rose from {before} to {now} on the day."),
    }, is_event=True,
)  # fmt: skip

beta_drifts = mirrored_forms(
    "factors", "before: number, now: number",
    changed_figure("beta", lambda change, _: change >= _CLEAR_DRIFT, lambda change, _: 0.7 + change,
        over="_21d", unit="number"),
    {
        -1: ("beta_fell_21d", "Over twenty-one sessions beta fell from {before} to {now}."),
        1: ("beta_rose_21d", "Over twenty-one sessions beta rose from {before} to {now}."),
    },
)  # fmt: skip

market_explains_little = form(
    "market_explains_little",
    "factors",
    "share: percent",
    "The market explains only {share} of the portfolio's variance over ninety sessions.",
    is_background=True,
)(single_figure("market_r_squared", "share", percent, lambda fit: fit <= _BADLY_EXPLAINED, 0.9, sign=-1,
    is_steady=True))  # fmt: skip


@form(
    "beta_partial",
    "factors",
    "beta: number, coverage: percent",
    "The beta of {beta} covers {coverage} of priced gross exposure.",
)
def beta_partial(view: View) -> Iterator[Instance]:
    """The beta leaves out a part of gross exposure."""
    facts = view.facts_of("beta", "beta_coverage")
    if facts and float(facts[1].value) < _COMPLETE:
        beta, coverage = (float(fact.value) for fact in facts)
        slots = {"beta": number(beta), "coverage": percent(coverage)}
        yield Instance(slots, facts, 1.5 - coverage, sign=-1)


def _rates(view: View, sign: int) -> Iterator[Instance]:
    """Yield a clear rate beta."""
    yield from single_figure(
        "rate_beta", "beta", lambda beta: number(abs(beta)),
        lambda beta: sign * beta >= _CLEAR_RATE_BETA, 0.6,
    )(view)  # fmt: skip


mirrored_forms("factors", "beta: number", _rates, {
    -1: ("rate_beta_negative",
        "A rise of one percent in the price of the rate index has gone with a loss of about {beta}"
        " percent."),
    1: ("rate_beta",
        "A rise of one percent in the price of the rate index has gone with a gain of about {beta}"
        " percent."),
})  # fmt: skip


def _tilt(view: View, sign: int) -> Iterator[Instance]:
    """Yield the factors besides the market with a clear exposure of at least two errors."""
    for alias in view.aliases("FAC"):
        facts = view.facts_of("factor_exposure", "factor_error", alias=alias)
        if facts:
            exposure, error = (float(fact.value) for fact in facts)
            if sign * exposure >= max(_CLEAR_TILT, _CLEAR_T * error):
                slots = {"name": label(alias), "exposure": number(exposure)}
                salience = 0.5 + min(abs(exposure), 1) / 4
                yield Instance(slots, facts[:1], salience, alias, context=facts[1:],
                    is_steady=True)  # fmt: skip


mirrored_forms("factors", "name: label, exposure: number", _tilt, {
    -1: ("factor_tilt_away",
        "The portfolio is tilted away from the {name} factor, with an exposure of"
        " {exposure}."),
    1: ("factor_tilt",
        "The portfolio is tilted toward the {name} factor, with an exposure of"
        " {exposure}."),
}, is_background=True)  # fmt: skip


def _largest(view: View, sign: int) -> Iterator[Instance]:
    """Yield the factor that adds most to the volatility, by the sign of its exposure."""
    for alias in view.aliases("FAC"):
        share, exposure = (view.fact(kind, alias) for kind in ("factor_share", "factor_exposure"))
        is_away = exposure is not None and float(exposure.value) < 0
        value = float(share.value) if share and share.rank == 1 else 0.0
        if share and value >= _CLEAR_FACTOR and is_away == (sign < 0):
            slots = {"name": label(alias), "share": size(value)}
            yield Instance(slots, (share,), 0.6 + value, alias, -1, is_steady=True,
                context=(exposure,) if exposure else ())  # fmt: skip


mirrored_forms("factors", "name: label, share: percent", _largest, {
    -1: ("factor_largest_away",
        "Besides the market, a tilt away from the {name} factor matters most, at {share} of the"
        " volatility."),
    1: ("factor_largest",
        "Besides the market, the {name} factor matters most, at {share} of the volatility."),
}, is_background=True)  # fmt: skip


risk_specific = form(
    "risk_specific",
    "factors",
    "share: percent",
    "Stock-specific moves, not the market or factors, make up {share} of the volatility.",
    is_background=True,
)(single_figure("specific_share", "share", size, lambda share: share >= _SPECIFIC, 0.75, sign=-1,
    is_steady=True))  # fmt: skip

form(
    "risk_explained",
    "factors",
    "share: percent",
    "The market and the factors together explain {share} of the volatility.",
    is_background=True,
)(
    single_figure(
        "specific_share", "share", lambda share: size(1 - share),
        lambda share: 0 <= share <= 1 - _EXPLAINED, 0.5, sign=1,
    )
)  # fmt: skip

"""Sensitivity to the market and to interest rates."""

from collections.abc import Iterator

from riskmetrics.insights.claims import Instance, View, form
from riskmetrics.insights.slots import apart, number, percent

_NEUTRAL = (0.9, 1.1)
"""Betas that count as moving with the market."""

_CLEAR_MOVE = 0.05
"""Change of the beta in a session that is worth a sentence."""

_WELL_EXPLAINED, _BADLY_EXPLAINED = 0.8, 0.4
"""R² from which, and up to which, the fit is worth a sentence."""

_CLEAR_RATE_BETA = 0.2
"""Rate beta that is worth a sentence."""

_COMPLETE = 0.995
"""Coverage that is shown as complete."""


@form(
    "beta_high",
    "factors",
    "beta: number, error: number",
    "With a beta of {beta}, give or take {error}, the portfolio moves more than the market.",
    "The portfolio moves more than the market: a beta of {beta}, give or take {error}.",
)
def beta_high(view: View) -> Iterator[Instance]:
    """The portfolio's own beta is above one by more than its standard error."""
    yield from _beta(view, 1)


@form(
    "beta_low",
    "factors",
    "beta: number, error: number",
    "With a beta of {beta}, give or take {error}, the portfolio moves less than the market.",
    "The portfolio moves less than the market: a beta of {beta}, give or take {error}.",
)
def beta_low(view: View) -> Iterator[Instance]:
    """The portfolio's own beta is positive and below one by more than its standard error."""
    yield from _beta(view, -1)


@form(
    "beta_neutral",
    "factors",
    "beta: number, error: number",
    "With a beta of {beta}, give or take {error}, the portfolio moves about as the market does.",
)
def beta_neutral(view: View) -> Iterator[Instance]:
    """The portfolio's own beta is close to one."""
    yield from _beta(view, 0)


def _beta(view: View, side: int) -> Iterator[Instance]:
    facts = view.facts_of("own_beta", "own_beta_error")
    if facts is None:
        return
    beta, error = (float(fact.value) for fact in facts)
    is_neutral = _NEUTRAL[0] <= beta <= _NEUTRAL[1]
    found = 0 if is_neutral else (beta - 1 > error) - (beta > 0 and 1 - beta > error)
    if found == side and (is_neutral or found) and beta > 0:
        shown = dict(zip(("beta", "error"), (number(beta), number(error)), strict=True))
        yield Instance(shown, facts, 0.6 + 0.3 * abs(beta - 1), sign=-side)


@form(
    "beta_rose",
    "factors",
    "before: number, now: number",
    "Beta rose from {before} to {now} in the session.",
    "In the session beta rose from {before} to {now}.",
    is_event=True,
)
def beta_rose(view: View) -> Iterator[Instance]:
    """The beta rose clearly in the session."""
    yield from _moved(view, 1)


@form(
    "beta_fell",
    "factors",
    "before: number, now: number",
    "Beta fell from {before} to {now} in the session.",
    "In the session beta fell from {before} to {now}.",
    is_event=True,
)
def beta_fell(view: View) -> Iterator[Instance]:
    """The beta fell clearly in the session."""
    yield from _moved(view, -1)


def _moved(view: View, sign: int) -> Iterator[Instance]:
    facts = view.facts_of("beta", "beta_change")
    if facts:
        now, change = (float(fact.value) for fact in facts)
        if sign * change >= _CLEAR_MOVE:
            shown = apart("number", now - change, now)
            slots = dict(zip(("before", "now"), shown, strict=True))
            yield Instance(slots, facts, 1.2 + abs(change), sign=-sign)


@form(
    "market_explains",
    "factors",
    "share: percent",
    "The market explains {share} of the portfolio's variance over ninety sessions.",
    "Over ninety sessions {share} of the portfolio's variance is the market's.",
)
def market_explains(view: View) -> Iterator[Instance]:
    """The regression explains most of the variance."""
    facts = view.facts_of("market_r_squared")
    if facts and float(facts[0].value) >= _WELL_EXPLAINED:
        yield Instance({"share": percent(float(facts[0].value))}, facts, 0.55, sign=1)


@form(
    "market_explains_little",
    "factors",
    "share: percent",
    "The market explains only {share} of the portfolio's variance over ninety sessions.",
)
def market_explains_little(view: View) -> Iterator[Instance]:
    """The regression explains little of the variance: the beta tells little."""
    facts = view.facts_of("market_r_squared")
    if facts and float(facts[0].value) <= _BADLY_EXPLAINED:
        yield Instance({"share": percent(float(facts[0].value))}, facts, 0.9, sign=-1)


@form(
    "beta_partial",
    "factors",
    "coverage: percent",
    "The beta is based on {coverage} of gross exposure.",
)
def beta_partial(view: View) -> Iterator[Instance]:
    """The beta leaves out a part of the portfolio."""
    facts = view.facts_of("beta_coverage", "beta")
    if facts and float(facts[0].value) < _COMPLETE:
        coverage = float(facts[0].value)
        yield Instance(
            {"coverage": percent(coverage)}, facts[:1], 1.5 - coverage, sign=-1, context=facts[1:]
        )


@form(
    "rate_beta",
    "factors",
    "beta: number",
    "For each percent gained by the rate index, the portfolio has gained about {beta} percent.",
)
def rate_beta(view: View) -> Iterator[Instance]:
    """The rate beta is positive and clear."""
    facts = view.facts_of("rate_beta")
    if facts and float(facts[0].value) >= _CLEAR_RATE_BETA:
        yield Instance({"beta": number(float(facts[0].value))}, facts, 0.6)

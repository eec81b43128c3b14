"""Sensitivity to the market, to factors and to interest rates, and what they explain."""

from collections.abc import Iterator

from riskmetrics.insights.claims import Instance, View, form
from riskmetrics.insights.form_shapes import changed, mirrored, single
from riskmetrics.insights.slots import label, number, percent, size

_NEUTRAL = (0.9, 1.1)
"""Betas that count as moving with the market."""

_CLEAR_MOVE, _CLEAR_DRIFT = 0.05, 0.1
"""Change of the beta in a session, and over a month, that is worth a sentence."""

_WELL_EXPLAINED, _BADLY_EXPLAINED = 0.8, 0.4
"""R² from which, and up to which, the fit is worth a sentence."""

_CLEAR_RATE_BETA = 0.2
"""Rate beta that is worth a sentence."""

_COMPLETE = 0.995
"""Coverage that is shown as complete."""

_CLEAR_TILT, _CLEAR_T = 0.2, 2.0
"""Factor exposure that is worth a sentence, and its multiple of the standard error."""

_CLEAR_FACTOR, _CLEAR_OFFSET = 0.1, -0.05
"""Share of the volatility of a factor, added or offset, that is worth a sentence."""

_SPECIFIC, _EXPLAINED = 0.5, 0.8
"""Share of the volatility that is specific, or explained by factors, that is worth a sentence."""


def _beta(view: View, sign: int) -> Iterator[Instance]:
    """Yield the portfolio's own beta: near one, or apart from it by more than its error."""
    facts = view.facts_of("own_beta", "own_beta_error")
    if facts is None:
        return
    beta, error = (float(fact.value) for fact in facts)
    is_neutral = _NEUTRAL[0] <= beta <= _NEUTRAL[1]
    found = 0 if is_neutral else (beta - 1 > error) - (beta > 0 and 1 - beta > error)
    if found == sign and (is_neutral or found) and beta > 0:
        shown = dict(zip(("beta", "error"), (number(beta), number(error)), strict=True))
        yield Instance(shown, facts, 0.6 + 0.3 * abs(beta - 1), sign=-sign)


mirrored("factors", "beta: number, error: number", _beta, {
    -1: ("beta_low",
        "With a beta of {beta} (±{error}), the portfolio moves less than the market.",
        "The portfolio is less sensitive than the market, with a beta of {beta} (±{error})."),
    0: ("beta_neutral",
        "With a beta of {beta} (±{error}), the portfolio moves about as much as the market."),
    1: ("beta_high",
        "With a beta of {beta} (±{error}), the portfolio moves more than the market.",
        "The portfolio is more sensitive than the market, with a beta of {beta} (±{error})."),
})  # fmt: skip

mirrored(
    "factors", "before: number, now: number",
    changed("beta", lambda change, _: change >= _CLEAR_MOVE, lambda change, _: 1.2 + change,
        unit="number"),
    {
        -1: ("beta_fell", "Beta fell from {before} to {now} in a single day."),
        1: ("beta_rose", "Beta rose from {before} to {now} in a single day."),
    }, is_event=True,
)  # fmt: skip

mirrored(
    "factors", "before: number, now: number",
    changed("beta", lambda change, _: change >= _CLEAR_DRIFT, lambda change, _: 0.7 + change,
        over="_21d", unit="number"),
    {
        -1: ("beta_fell_21d", "Over twenty-one sessions beta fell from {before} to {now}."),
        1: ("beta_rose_21d", "Over twenty-one sessions beta rose from {before} to {now}."),
    },
)  # fmt: skip

market_explains = form(
    "market_explains",
    "factors",
    "share: percent",
    "The market explains {share} of the portfolio's variance over ninety sessions.",
    "Over ninety sessions the market accounts for {share} of the portfolio's variance.",
)(single("market_r_squared", "share", percent, lambda fit: fit >= _WELL_EXPLAINED, 0.55, sign=1))

market_explains_little = form(
    "market_explains_little",
    "factors",
    "share: percent",
    "The market explains only {share} of the portfolio's variance over ninety sessions.",
)(single("market_r_squared", "share", percent, lambda fit: fit <= _BADLY_EXPLAINED, 0.9, sign=-1))

beta_partial = form(
    "beta_partial",
    "factors",
    "coverage: percent",
    "The beta covers only {coverage} of gross exposure.",
)(
    single(
        "beta_coverage", "coverage", percent, lambda covered: covered < _COMPLETE,
        lambda covered: 1.5 - covered, sign=-1, needs=("beta",),
    )
)  # fmt: skip


def _rates(view: View, sign: int) -> Iterator[Instance]:
    """Yield a clear rate beta."""
    yield from single(
        "rate_beta", "beta", lambda beta: number(abs(beta)),
        lambda beta: sign * beta >= _CLEAR_RATE_BETA, 0.6,
    )(view)  # fmt: skip


mirrored("factors", "beta: number", _rates, {
    -1: ("rate_beta_negative",
        "A rise of one percent in the rate index has gone with a loss of about {beta} percent."),
    1: ("rate_beta",
        "A rise of one percent in the rate index has gone with a gain of about {beta} percent."),
})  # fmt: skip


def _tilt(view: View, sign: int) -> Iterator[Instance]:
    """Yield the factors besides the market with a clear exposure of at least two errors."""
    for alias in view.aliases("FAC"):
        facts = view.facts_of("factor_exposure", "factor_error", alias=alias)
        if facts:
            exposure, error = (float(fact.value) for fact in facts)
            if sign * exposure >= max(_CLEAR_TILT, _CLEAR_T * error):
                slots = {"name": label(alias), "exposure": number(exposure), "error": number(error)}
                yield Instance(slots, facts, 0.5 + min(abs(exposure), 1) / 4, alias)


mirrored("factors", "name: label, exposure: number, error: number", _tilt, {
    -1: ("factor_tilt_away",
        "The portfolio is tilted away from the {name} factor, with an exposure of {exposure}"
        " (±{error})."),
    1: ("factor_tilt",
        "The portfolio is tilted toward the {name} factor, with an exposure of {exposure}"
        " (±{error})."),
})  # fmt: skip


def _factor_share(view: View, sign: int) -> Iterator[Instance]:
    """Yield the factor that adds most, or what factors offset clearly."""
    for alias in view.aliases("FAC"):
        share = view.fact("factor_share", alias)
        if share is None:
            continue
        value = float(share.value)
        is_largest = value >= _CLEAR_FACTOR and share.rank == 1
        if is_largest if sign > 0 else value <= _CLEAR_OFFSET:
            slots = {"name": label(alias), "share": size(value)}
            yield Instance(slots, (share,), 0.6 + abs(value), alias, -sign)


mirrored("factors", "name: label, share: percent", _factor_share, {
    -1: ("factor_offsets", "Exposure to the {name} factor offsets {share} of the volatility."),
    1: ("factor_largest",
        "Besides the market, the {name} factor matters most, at {share} of the volatility."),
})  # fmt: skip

risk_specific = form(
    "risk_specific",
    "factors",
    "share: percent",
    "Stock-specific moves, not the market or factors, make up {share} of the volatility.",
)(single("specific_share", "share", size, lambda share: share >= _SPECIFIC, 0.75, sign=-1))

form(
    "risk_explained",
    "factors",
    "share: percent",
    "The market and the factors together explain {share} of the volatility.",
)(
    single(
        "specific_share", "share", lambda share: size(1 - share),
        lambda share: 0 <= share <= 1 - _EXPLAINED, 0.5, sign=1,
    )
)  # fmt: skip

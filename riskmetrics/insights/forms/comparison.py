"""How a session compares: earlier sessions, the past year, the market index, usual moves."""

from collections.abc import Iterator
from math import sqrt

from riskmetrics.insights.claims import Form, View, form
from riskmetrics.insights.form_shapes import compared_figures, mirrored_forms, single_figure
from riskmetrics.insights.forms import factors, own_limits, volatility
from riskmetrics.insights.forms.result import RARE, is_clear_result, is_market_made
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.limits_reached import has_alert_news
from riskmetrics.insights.slots import (
    number,
    ordinal,
    percent,
    return_points,
    return_size,
    window,
    with_decimal,
)

CLEAR_MARKET_MOVE, _MINOR = 0.01, 0.4
"""Return of the market that is worth a sentence, and salience of what is not worth one."""

_CLEAR_RETURNS = {"_5d": 0.02, "_21d": 0.06}
"""Suffix of several sessions to the return over them that is worth a sentence."""

_CLEAR_GAPS = {"": 0.005, "_5d": 0.01, "_21d": 0.025}
"""Suffix to the difference from the market index that is worth a sentence."""

_MIN_IMPLIED = 0.003
"""Return that beta and market imply from which the session is compared with it."""

_NEAR_IMPLIED, _NEAR_IMPLIED_SHARE, _MAX_NEAR_IMPLIED = 0.001, 0.2, 0.005
"""Difference from the implied return, or share of it, up to which the session is in line, and the
largest such difference.
"""

AGAINST = 2
"""Outcome of a session that gained where beta and market imply a loss, or the reverse."""

_CLEAR_T = 2.0
"""Beta over its standard error from which it implies a return."""

_CLEAR_REST = 0.002
"""Difference from the implied return from which the rest is worth a sentence."""

_CLEAR_SIGMA, _SESSIONS_PER_YEAR = 1.5, 252
"""Residual volatilities of a session from which the rest is more than noise."""

_IMPLIED_BY_BETA = (0.5, 2.0)
"""Result over what the beta implies between which the beta explains it."""


def _differs(view: View, sign: int, own: float, market: float, least: float) -> bool:
    """Return whether a return clearly differs from the market's, and from what the beta implies.

    A portfolio with half of the market's risk is not behind because it made half of the rise.
    """
    beta = view.number("previous_own_beta")
    is_explained = beta is not None and sign * (own - beta * market) < least
    return sign * (own - market) >= least and not is_explained


def _over_sessions(over: str, words: str, down: str, up: str) -> None:
    """Add the forms of the return over several sessions, alone and against the market index."""
    kind, least, gap = f"return{over}", _CLEAR_RETURNS[over], _CLEAR_GAPS[over]

    def evaluate(view: View, sign: int) -> Iterator[Instance]:
        yield from single_figure(
            kind, "rate", return_size, lambda rate: sign * rate >= least,
            lambda rate: 0.5 + 2 * abs(rate), sign=sign, is_steady=True,
        )(view)  # fmt: skip

    mirrored_forms("result", "rate: percent", evaluate, {
        -1: (down, f"Over {words} sessions the portfolio is down {{rate}}.",
            f"The portfolio is down {{rate}} over the past {words} sessions."),
        1: (up, f"Over {words} sessions the portfolio is up {{rate}}.",
            f"The portfolio is up {{rate}} over the past {words} sessions."),
    }, place=3)  # fmt: skip

    def against_market(view: View, sign: int) -> Iterator[Instance]:
        yield from compared_figures(
            (kind, f"market_return{over}"), ("rate", "market"),
            lambda own, market: _differs(view, sign, own, market, gap),
            lambda own, market: 0.65 + 2 * max(abs(own), abs(own - market)), sign=_sign(view, sign),
            is_steady=True, has_decimal=True,
        )(view)  # fmt: skip

    def _sign(view: View, sign: int) -> int:
        """Return the sign of the comparison; none if the portfolio itself went the other way."""
        return sign if sign * (view.number(kind) or 0.0) > 0 else 0

    mirrored_forms("result", "rate: percent, market: percent", against_market, {
        -1: (f"behind_market{over}",
            f"Over {words} sessions the portfolio returned {{rate}}, behind the market index at"
            " {market}."),
        1: (f"ahead_of_market{over}",
            f"Over {words} sessions the portfolio returned {{rate}}, ahead of the market index at"
            " {market}."),
    }, place=3)  # fmt: skip


_over_sessions("_5d", "five", "five_sessions_down", "five_sessions_up")
_over_sessions("_21d", "twenty-one", "month_down", "month_up")


def _week_and_month(view: View, sign: int) -> Iterator[Instance]:
    """Yield the returns over five and twenty-one sessions, if both are clear and of one sign."""
    facts = view.facts_of("return_5d", "return_21d")
    if facts:
        week, month = (float(fact.value) for fact in facts)
        if sign * week >= _CLEAR_RETURNS["_5d"] and sign * month >= _CLEAR_RETURNS["_21d"]:
            slots = {"week": return_size(week), "month": return_size(month)}
            salience = 0.7 + 2 * max(abs(week), abs(month))
            yield Instance(slots, facts, salience, sign=sign, is_steady=True)


mirrored_forms("result", "week: percent, month: percent", _week_and_month, {
    -1: ("week_and_month_down",
        "The portfolio is down {week} over five sessions and {month} over twenty-one."),
    1: ("week_and_month_up",
        "The portfolio is up {week} over five sessions and {month} over twenty-one."),
}, place=3)  # fmt: skip


def _extreme_session(view: View, sign: int) -> Iterator[Instance]:
    """Yield the session if it is the worst, or best, of the past year."""
    facts = view.facts_of("gain_rank" if sign > 0 else "loss_rank", "daily_return")
    if facts and facts[0].value == 1 and facts[0].n_obs and sign * float(facts[1].value) > 0:
        yield Instance(
            {"window": window(facts[0].n_obs)}, facts[:1], 2.2, sign=sign, context=facts[1:]
        )


def _rare_session(view: View, sign: int) -> Iterator[Instance]:
    """Yield the session if it is among the worst, or best, five of the past year, but not first."""
    facts = view.facts_of("gain_rank" if sign > 0 else "loss_rank", "daily_return")
    if facts and facts[0].n_obs and sign * float(facts[1].value) > 0:
        rank = int(float(facts[0].value))
        if 1 < rank <= RARE:
            slots = {"rank": ordinal(rank), "window": window(facts[0].n_obs)}
            yield Instance(slots, facts[:1], 1.5, sign=sign, context=facts[1:])


extremes = mirrored_forms("result", "window: window", _extreme_session, {
    -1: ("largest_loss", "The loss is the largest of {window}."),
    1: ("largest_gain", "The gain is the largest of {window}."),
}, place=1, is_event=True)  # fmt: skip

rare = mirrored_forms("result", "rank: ordinal, window: window", _rare_session, {
    -1: ("rare_loss", "The loss is the {rank} largest of {window}."),
    1: ("rare_gain", "The gain is the {rank} largest of {window}."),
}, place=1, is_event=True)  # fmt: skip


def _market(view: View, sign: int) -> Iterator[Instance]:
    """Yield a clear move of the market."""
    facts, own = view.facts_of("market_return"), view.number("daily_return")
    if facts and own is not None and sign * float(facts[0].value) >= CLEAR_MARKET_MOVE:
        rate = float(facts[0].value)
        is_opposed = rate * own < 0
        yield Instance({"rate": return_size(rate)}, facts, 0.7 if is_opposed else 0.55, sign=sign)


mirrored_forms("result", "rate: percent", _market, {
    -1: ("market_fell", "The market index fell {rate}."),
    1: ("market_rose", "The market index rose {rate}."),
}, place=4)  # fmt: skip


def _gap(view: View, sign: int) -> Iterator[Instance]:
    """Yield a clear difference of the session's return from the market's.

    It is worth a sentence if result or market moved clearly.
    """
    facts = view.facts_of("market_return", "daily_return")
    if facts:
        market, own = (float(fact.value) for fact in facts)
        gap, is_clear = own - market, is_clear_result(view) or abs(market) >= CLEAR_MARKET_MOVE
        if _differs(view, sign, own, market, _CLEAR_GAPS[""]):
            slots = {"gap": return_points(gap), "market": with_decimal(percent(market))}
            weight = 0.75 if is_clear else _MINOR
            yield Instance(slots, facts[:1], weight, sign=sign, context=facts[1:])


mirrored_forms("result", "gap: points, market: percent", _gap, {
    -1: ("behind_market", "The market index returned {market}, {gap} more than the portfolio."),
    1: ("ahead_of_market", "The market index returned {market}, {gap} less than the portfolio."),
}, place=2, is_event=True)  # fmt: skip


def residual_volatility(view: View) -> float | None:
    """Return the volatility of a session that the market does not explain, if it is known."""
    specific = view.number("specific_volatility")
    if specific is None:
        volatility, fit = view.number("volatility_21d"), view.number("market_r_squared")
        if volatility is None or fit is None:
            return None
        specific = volatility * sqrt(max(1.0 - fit, 0.0))
    return specific / sqrt(_SESSIONS_PER_YEAR)


def is_beyond_noise(view: View, gap: float) -> bool:
    """Return whether a difference from the implied return is known to be more than noise."""
    sigma = residual_volatility(view)
    return sigma is not None and abs(gap) >= _CLEAR_SIGMA * sigma


def implied_gap(view: View) -> float:
    """Return the session's return beyond what beta and market imply; 0 if that is unknown."""
    facts = view.facts_of("previous_own_beta", "market_return", "daily_return")
    beta, market, own = (float(fact.value) for fact in facts) if facts else (0.0, 0.0, 0.0)
    return own - beta * market


def is_implied_by_beta(view: View) -> bool:
    """Return whether the result is between half and twice what beta and market imply."""
    facts = view.facts_of("previous_own_beta", "market_return", "daily_return")
    beta, market, own = (float(fact.value) for fact in facts) if facts else (0.0, 0.0, 0.0)
    least, most = _IMPLIED_BY_BETA
    return beta * market != 0 and least <= own / (beta * market) <= most


def _add_beta_forms(direction: int) -> dict[int, Form]:
    """Add the forms of the session against what the market's move times the beta implies.

    They are in line with it (0), worse (-1), better (1), or of the other sign (AGAINST);
    ``direction`` is that of the market. A beta within two standard errors of zero implies nothing.
    """

    def evaluate(view: View, sign: int) -> Iterator[Instance]:
        facts = view.facts_of("previous_own_beta", "market_return", "daily_return")
        if facts is None:
            return
        beta, market, own = (float(fact.value) for fact in facts)
        error = view.number("previous_own_beta_error") or 0.0
        if beta < _CLEAR_T * error:
            return
        implied = beta * market
        gap = own - implied
        near = max(_NEAR_IMPLIED, min(_NEAR_IMPLIED_SHARE * abs(implied), _MAX_NEAR_IMPLIED))
        outcome = 0 if abs(gap) <= near else 1 if gap > 0 else -1
        if outcome and own * implied < 0 and abs(own) >= _NEAR_IMPLIED:
            outcome = AGAINST
        if near < abs(gap) < _CLEAR_REST:
            return
        if beta > 0 and direction * implied >= _MIN_IMPLIED and outcome == sign:
            show = return_points if outcome == direction else return_size
            good = -direction if outcome == AGAINST else outcome or direction
            slots = {"beta": number(beta), "market": return_size(market), "implied": show(implied)}
            is_clear = outcome == AGAINST or is_beyond_noise(view, gap)
            salience = 1.1 + min(20 * abs(gap), 0.5) if outcome and is_clear else 1.0
            is_cause = is_clear_result(view) and is_market_made(view)
            if not (is_clear or is_cause or abs(market) >= CLEAR_MARKET_MOVE):
                salience = _MINOR
            yield Instance(slots, facts[:2], salience, sign=good, context=facts[2:])

    move, result, went = ("fall", "loss", "lost") if direction < 0 else ("rise", "gain", "gained")
    start = f"At the prior day's beta of {{beta}}, the market's {move} of {{market}}"
    implies = f"{start} implies a {result} of {{implied}}"
    words = {
        0: f"{implies}, about what the portfolio {went}.",
        direction: f"{start} explains {{implied}} of the {result}.",
        -direction: f"{implies}: the portfolio "
        + ("held up better." if direction < 0 else "fell short."),
        AGAINST: f"{implies}, but the portfolio {'gained' if direction < 0 else 'lost'}.",
    }
    name = {0: "in_line", -1: "worse", 1: "better", AGAINST: "against"}
    forms: dict[int, Form] = {}
    for each, text in words.items():
        unit = "points" if each == direction else "percent"
        forms |= mirrored_forms(
            "result", f"beta: number, market: percent, implied: {unit}", evaluate,
            {each: (f"market_{move}_{name[each]}", text)}, place=2, is_event=True,
            connectives=("but",) if each == AGAINST else (),
        )  # fmt: skip
    return forms


def _inverse(view: View, sign: int) -> Iterator[Instance]:
    """Yield a clear negative beta on a day of a market move of a sign, and what the two imply."""
    facts, error = (
        view.facts_of("previous_own_beta", "market_return"),
        view.number("previous_own_beta_error") or 0.0,
    )
    if facts:
        beta, market = (float(fact.value) for fact in facts)
        if beta < 0 and beta <= -_CLEAR_T * error and sign * market > 0:
            implied = beta * market
            if abs(implied) >= _MIN_IMPLIED:
                slots = {
                    "beta": number(beta),
                    "market": return_size(market),
                    "implied": return_size(implied),
                }
                yield Instance(slots, facts, 1.4, sign=-sign)


inverse = mirrored_forms("result", "beta: number, market: percent, implied: percent", _inverse, {
    -1: ("market_fall_inverse",
        "At the prior day's beta of {beta}, the market's fall of {market} implies a gain of"
        " {implied}."),
    1: ("market_rise_inverse",
        "At the prior day's beta of {beta}, the market's rise of {market} implies a loss of"
        " {implied}."),
}, place=2, is_event=True)  # fmt: skip

implied = {direction: _add_beta_forms(direction) for direction in (-1, 1)}
"""Direction of the market to the forms by outcome."""


@form(
    "no_change",
    "result",
    "",
    "Beta, volatility and the volatility forecast stayed within the usual range.",
    place=4,
)
def no_change(view: View) -> Iterator[Instance]:
    """No headline figure moved by more than twice its usual change, and no limit is new."""
    own = own_limits.NEWS
    news = (*own, *volatility.moves.values(), *factors.beta_moves.values())
    if has_alert_news(view) or any(any(view.instances(each)) for each in news):
        return
    moves = [
        view.facts_of(f"{kind}_change", f"{kind}_usual_change")
        for kind in ("beta", "volatility_21d", "expected_volatility")
    ]
    known = [each for each in moves if each]
    if len(known) == len(moves) and all(
        abs(float(change.value)) <= 2 * float(usual.value) for change, usual in known
    ):
        salience = 0.4 if is_clear_result(view) else 1.6
        yield Instance({}, (), salience, context=tuple(fact for each in known for fact in each))

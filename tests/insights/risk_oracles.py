"""Oracles of forms about factors, correlations, liquidity, active risk and limits of users."""

from collections.abc import Callable, Mapping
from datetime import date
from functools import partial

from tests.insights.figures import Expected, Figures, expect, known


def _beta_drifted(f: Figures, sign: int) -> Expected:
    change = f.beta_change_21d
    return expect(sign * change >= 0.1, before=f.beta - change, now=f.beta) if known(f.beta) else {}


def _tilt(f: Figures, sign: int) -> Expected:
    """Return factors with an exposure of at least 0.2 and two standard errors."""
    return {
        alias: {
            "name": alias,
            "exposure": f.of(alias, "factor_exposure"),
        }
        for alias in f.things("FAC")
        if sign * f.of(alias, "factor_exposure") >= 0.2
        and sign * f.of(alias, "factor_exposure") >= 2 * f.of(alias, "factor_error")
    }


def _factor_share(f: Figures, holds: Callable[[str, float], bool]) -> Expected:
    shares = {alias: f.of(alias, "factor_share") for alias in f.things("FAC")}
    return {
        alias: {"name": alias, "share": abs(share)}
        for alias, share in shares.items()
        if holds(alias, share)
    }


def _diversified(f: Figures, *, is_much: bool) -> Expected:
    """Return what is taken off: two fifths and more is much, a fifth and less is little."""
    ratio = f.diversification_ratio
    holds = 3 * ratio >= 5 if is_much else 1 <= ratio <= 1.25
    holds = holds and f.num_short_positions == 0 and f.num_positions != 1
    return expect(holds, share=1 - 1 / ratio) if holds else {}


def _pair(f: Figures, *, has_offset: bool = False) -> Expected:
    named = [alias for alias in f.things("POS") if known(f.of(alias, "highest_correlation"))]
    if len(named) != 2 or not f.of(named[0], "highest_correlation") >= 0.8:
        return {}
    first, second = named
    correlation = f.of(first, "highest_correlation")
    is_offset = {_side(f, alias) for alias in named} == {"long", "short"}
    if not has_offset:
        return expect(not is_offset, first, first=first, second=second, correlation=correlation)
    short, long = sorted(named, key=lambda alias: _side(f, alias) == "long")
    return expect(is_offset, first, short=short, long=long, correlation=correlation)


def _side(f: Figures, alias: str) -> str:
    return f.text(f"{alias.lower()}_side")


def _quality(f: Figures, name: str) -> str:
    fact = f.sheet.facts.get(name)
    return fact.quality if fact else ""


def _sold(f: Figures, holds: bool, **slots: object) -> Expected:
    return expect(holds and _quality(f, "days_to_liquidate") == "ok", **slots)


def _own_limit(
    f: Figures,
    holds: Callable[[str, str, str, float, float], bool],
    *,
    has_subject: bool,
    has_earlier: bool = False,
) -> Expected:
    """Return the limits in a state: status, the one before, what happened, value and limit."""
    found: Expected = {}
    for alias in f.things("LIM"):
        subject = f.sheet.aliases[alias].get("of")
        if (subject is not None) != has_subject:
            continue
        status = f.text(f"{alias.lower()}_limit_status")
        before = f.text(f"{alias.lower()}_limit_status_before")
        event = f.text(f"{alias.lower()}_limit_alert")
        for kind in ("checked", "checked_number"):
            value, limit = f.of(alias, kind), f.of(alias, f"{kind}_limit")
            earlier = f.of(alias, f"{kind}_stated")
            on = f.text(f"{alias.lower()}_limit_stated_day")
            if has_earlier and not (known(earlier) and on):
                continue
            if known(value, limit) and status and holds(status, before, event, value, limit):
                found[alias] = {"name": alias, "value": value, "limit": limit}
                if has_earlier:
                    found[alias] |= {"earlier": earlier, "day": date.fromisoformat(on)}
                found[alias] |= {"of": subject} if subject else {}
    return found


_STATES: Mapping[str, Callable[[str, str, str, float, float], bool]] = {
    "breached": lambda status, before, _, value, limit: (
        (status, before) == ("exceeded", "kept") and value > limit
    ),
    "exceeded": lambda status, before, event, value, limit: (
        status == "exceeded"
        and value > limit
        and before in ("", "undefined", "exceeded")
        and event in ("", "stands")
    ),
    "changed": lambda status, before, event, value, limit: (
        status == "exceeded"
        and before in ("", "undefined", "exceeded")
        and (event in ("reached", "back") or (event == "known" and before != ""))
        and value > limit
    ),
    "first": lambda status, before, event, value, limit: (
        (status, before, event) == ("exceeded", "", "known") and value > limit
    ),
    "worse": lambda status, before, event, value, limit: (
        (status, event) == ("exceeded", "worse")
        and before in ("", "undefined", "exceeded")
        and value > limit
    ),
    "ended": lambda status, before, _, value, limit: (
        (status, before) == ("kept", "exceeded") and value <= limit
    ),
    "close": lambda status, before, _, value, limit: (
        status == "kept" and before != "exceeded" and 0.9 * limit <= value <= limit
    ),
}


def _exceeded_since(f: Figures, *, has_subject: bool) -> Expected:
    found = _own_limit(f, lambda status, *_: status == "exceeded", has_subject=has_subject)
    return {
        alias: slots | {"day": date.fromisoformat(day)}
        for alias, slots in found.items()
        if (day := f.text(f"{alias.lower()}_exceeded_since"))
    }


def _other_positions(f: Figures) -> Expected:
    """Return the limits on single positions that others than the largest are beyond."""
    found: Expected = {}
    for alias in f.things("LIM"):
        entity, limit = f.sheet.aliases[alias], f.of(alias, "checked_limit")
        others = {each for each in f.things("POS") if f.of(each, "weight") > limit}
        largest = entity.get("of")
        if entity["limit"] == "single positions" and largest and others - {largest}:
            found[alias] = {"limit": limit, "name": alias, "of": largest}
    return found


def _all_kept(f: Figures) -> Expected:
    found = [f.text(f"{alias.lower()}_limit_status") for alias in f.things("LIM")]
    checked = [status for status in found if status]
    has_ended = any(
        _own_limit(f, _STATES[state], has_subject=has_subject)
        for state in ("ended", "close")
        for has_subject in (False, True)
    )
    holds = bool(checked) and {*checked} == {"kept"} and not has_ended
    return expect(holds, count=len(checked))


RISK_STATEMENTS: Mapping[str, Callable[[Figures], Expected]] = {
    "beta_rose_21d": lambda f: _beta_drifted(f, 1),
    "beta_fell_21d": lambda f: _beta_drifted(f, -1),
    "rate_beta_negative": lambda f: expect(f.rate_beta <= -0.2, beta=-f.rate_beta),
    "factor_tilt": lambda f: _tilt(f, 1),
    "factor_tilt_away": lambda f: _tilt(f, -1),
    "factor_largest": lambda f: _factor_share(
        f,
        lambda alias, share: (
            share >= 0.1
            and f.rank(alias, "factor_share") == 1
            and not f.of(alias, "factor_exposure") < 0
        ),
    ),
    "factor_largest_away": lambda f: _factor_share(
        f,
        lambda alias, share: (
            share >= 0.1
            and f.rank(alias, "factor_share") == 1
            and f.of(alias, "factor_exposure") < 0
        ),
    ),
    "risk_specific": lambda f: expect(f.specific_share >= 0.5, share=f.specific_share),
    "risk_explained": lambda f: expect(
        0 <= f.specific_share <= 1 - 0.8, share=1 - f.specific_share
    ),
    "holdings_move_together": lambda f: expect(
        f.average_correlation >= 0.6, correlation=f.average_correlation
    ),
    "holdings_move_apart": lambda f: expect(
        f.average_correlation <= 0.3, correlation=f.average_correlation
    ),
    "diversified_little": lambda f: _diversified(f, is_much=False),
    "diversified_much": lambda f: _diversified(f, is_much=True),
    "pair_alike": _pair,
    "pair_offset": partial(_pair, has_offset=True),
    "liquidity_slow": lambda f: _sold(f, f.days_to_liquidate >= 5, days=f.days_to_liquidate),
    "liquidity_fast": lambda f: _sold(f, f.days_to_liquidate <= 1),
    "liquidity_partial": lambda f: expect(
        f.sold_in_5d < 0.8 and _quality(f, "sold_in_5d") == "ok", share=f.sold_in_5d
    ),
    "tracking_error": lambda f: expect(
        f.tracking_error >= 0.005, error=f.tracking_error, span=f.count("tracking_error")
    ),
    "tracking_error_rises": lambda f: expect(
        f.tracking_error > 0
        and (f.tracking_error >= 0.005 or f.expected_tracking_error >= 0.005)
        and f.expected_tracking_error - f.tracking_error >= 0.2 * f.tracking_error,
        expected=f.expected_tracking_error,
        past=f.tracking_error,
        span=f.count("tracking_error"),
    ),
    "tracking_error_falls": lambda f: expect(
        f.tracking_error > 0
        and (f.tracking_error >= 0.005 or f.expected_tracking_error >= 0.005)
        and f.tracking_error - f.expected_tracking_error >= 0.2 * f.tracking_error,
        expected=f.expected_tracking_error,
        past=f.tracking_error,
        span=f.count("tracking_error"),
    ),
    "active_gain": lambda f: expect(
        f.active_return >= 0.02 and f.information_ratio >= 0.5,
        span=f.count("active_return"),
        gap=f.active_return,
        ratio=f.information_ratio,
    ),
    "active_loss": lambda f: expect(
        f.active_return <= -0.02 and f.information_ratio <= -0.5,
        span=f.count("active_return"),
        gap=-f.active_return,
        ratio=f.information_ratio,
    ),
    "active_beta": lambda f: expect(
        f.active_market_share >= 0.5 and known(f.own_beta),
        share=f.active_market_share,
        beta=f.own_beta,
    ),
    **{
        f"own_limit_{state}{suffix}": partial(
            _own_limit, holds=holds, has_subject=bool(suffix), has_earlier=state == "worse"
        )
        for state, holds in _STATES.items()
        for suffix in ("", "_of")
    },
    **{
        f"limit_kept{suffix}": partial(
            _own_limit,
            holds=lambda status, _, __, value, limit: status == "kept" and value <= limit,
            has_subject=bool(suffix),
        )
        for suffix in ("", "_of")
    },
    **{
        f"own_limit_since{suffix}": partial(_exceeded_since, has_subject=bool(suffix))
        for suffix in ("", "_of")
    },
    "own_limit_others": _other_positions,
    "own_limits_kept": _all_kept,
}  # fmt: skip
"""Form to its expected instances."""

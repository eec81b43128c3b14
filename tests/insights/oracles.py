"""What each form of the catalog says, written again from its meaning: values by subject.

Nothing of `riskmetrics.insights.forms` is used.
"""

from collections.abc import Callable, Mapping
from datetime import date
from functools import lru_cache, partial
from math import isnan, nan, sqrt

from tests.insights.figures import Expected, Figures, expect, known
from tests.insights.level_oracles import LEVEL_STATEMENTS
from tests.insights.name_oracles import unpriced_instruments, with_positions
from tests.insights.question_oracles import QUESTION_STATEMENTS
from tests.insights.risk_oracles import RISK_STATEMENTS
from tests.insights.trade_oracles import TRADE_STATEMENTS, traded_share


def _largest(f: Figures, sign: int, over: str = "") -> tuple[str, float, float]:
    """Return the largest winner or loser, its P&L, and its share of the sum of that sign."""
    total = getattr(f, ("winners_pnl" if sign > 0 else "losers_pnl") + over)
    signed = {alias: sign * f.of(alias, f"pnl{over}") for alias in f.things("POS")}
    signed = {alias: value for alias, value in signed.items() if value > 0}
    if not signed or not sign * total > 0:
        return "", nan, nan
    alias = max(signed, key=lambda each: (signed[each], each))
    return alias, sign * signed[alias], signed[alias] / abs(total)


def _main_position(f: Figures, sign: int) -> Expected:
    """Return the position with half of its side: alone on it, or with what offsets it."""
    alias, pnl, share = _largest(f, sign)
    own, other = (f.winners_pnl, f.losers_pnl) if sign > 0 else (f.losers_pnl, f.winners_pnl)
    others = f.n_winners if sign > 0 else f.n_losers
    total = 0.0 if isnan(f.daily_pnl) else f.daily_pnl
    matters = sign * total > 0 or _is_surprise(f, sign) or abs(pnl) >= 0.4 * abs(total)
    stated = (
        {"share": share}
        if abs(other) < 0.01 * abs(own)
        else {"side": abs(own), "other": abs(other)}
    )
    holds = share >= 0.5 and others >= 2 and matters and known(other)
    return expect(holds, alias, name=alias, amount=abs(pnl), **stated)


def _main(f: Figures, sign: int, *, is_offset: bool) -> Expected:
    found = _main_position(f, sign)
    return {alias: slots for alias, slots in found.items() if ("other" in slots) == is_offset}


def _is_surprise(f: Figures, sign: int) -> bool:
    """Return whether a rise made less than the beta implies (-1), or a fall cost less (1).

    The losers, or winners, must have made half of the difference.
    """
    gap = (f.daily_return - f.previous_own_beta * f.market_return) * f.total_value
    side = f.winners_pnl if sign > 0 else f.losers_pnl
    return bool(_implied(f, -sign, sign)) and abs(side) >= 0.5 * abs(gap)


def _sole(f: Figures, sign: int) -> Expected:
    """Return the only position whose result has the sign of the day's; others have the other."""
    alias, pnl, _ = _largest(f, sign)
    counts = (f.n_winners, f.n_losers) if sign > 0 else (f.n_losers, f.n_winners)
    other = f.losers_pnl if sign > 0 else f.winners_pnl
    is_surprise = _is_surprise(f, sign) and counts[1] > 1  # of two, one is stated with both amounts
    holds = counts[0] == 1 and counts[1] > 0 and known(other)
    holds = holds and (sign * f.daily_pnl > 0 or is_surprise)
    return expect(holds and known(pnl), alias, name=alias, amount=abs(pnl), other=abs(other))


def _only_holding(f: Figures, sign: int) -> Expected:
    """Return the return of the one long position: its result over its value the day before."""
    alias, pnl, _ = _largest(f, sign)
    if not alias or f.text(f"{alias.lower()}_side") != "long":
        return {}
    before = f.of(alias, "weight") * f.total_value - pnl
    rate = pnl / before if before > 0 else nan
    is_only = f.num_positions == 1 and f.n_winners + f.n_losers == 1
    is_kept = f.n_opened == 0 and f.n_closed == 0 and f.n_resized == 0
    return expect(is_only and is_kept and sign * rate >= 0.005, alias, name=alias, rate=abs(rate))


def _largest_below_half(f: Figures, sign: int) -> Expected:
    """Return the largest of several on the side of the result: a tenth to half of that side."""
    alias, pnl, share = _largest(f, sign)
    others = f.n_winners if sign > 0 else f.n_losers
    is_told = sign * f.daily_pnl > 0 or (_is_surprise(f, sign) and known(f.daily_pnl))
    holds = 0.1 <= share < 0.5 and is_told and others > 1
    return expect(holds, alias, name=alias, amount=abs(pnl), share=share)


def _result(f: Figures, sign: int, holds: bool, **more: object) -> Expected:
    """Return the result against the value at risk of the day before."""
    holds = holds and sign * f.daily_pnl > 0 and sign * f.daily_return > 0
    slots = {"amount": abs(f.daily_pnl), "rate": abs(f.daily_return), "var": f.previous_var_95}
    return expect(holds, **slots, **more)


def _used(f: Figures) -> float:
    """Return the part of the filtered value at risk that was lost."""
    return -f.daily_return / f.previous_var_95 if f.previous_var_95 else nan


def _is_small(f: Figures) -> bool:
    """Return whether a result is below a quarter of the value at risk, or five basis points."""
    var, rate = f.previous_var_95, abs(f.daily_return)
    return not var < -f.daily_return and (rate < var / 4 or (rate < 0.0005 and known(var)))


def _is_within(f: Figures) -> bool:
    """Return whether a loss that is not small is within both values at risk."""
    is_held = f.previous_var_95 >= -f.daily_return > 0
    return is_held and not _is_small(f)


def _small_result(f: Figures, sign: int) -> Expected:
    holds = _is_small(f)
    holds = holds and sign * f.daily_pnl > 0 and sign * f.daily_return > 0
    return expect(holds, amount=abs(f.daily_pnl), rate=abs(f.daily_return))


def _is_large_loss(f: Figures) -> bool:
    """Return whether a loss is nine tenths of the value at risk, or more."""
    is_loss = f.daily_pnl < 0 and f.daily_return < 0
    is_beyond = -f.daily_return > f.previous_var_95 > 0
    is_near = _is_within(f) and _used(f) >= 0.9
    return is_loss and (is_beyond or is_near)


_LIMITS = {
    "weight": {"elevated": 0.1, "warning": 0.2, "critical": 0.5},
    "gross": {"elevated": 0.4, "warning": 0.6},
    "beta": {"elevated": 1.2, "warning": 1.5, "critical": 2.0},
    "drawdown": {"elevated": 0.1, "warning": 0.2, "critical": 0.35},
    "gross_to_equity": {"elevated": 1.5, "warning": 2.0, "critical": 3.0},
    "volatility_percentile": {"elevated": 0.95},
}


def _figure(f: Figures, kind: str, alias: str = "") -> float:
    """Return a figure of a thing, or of the portfolio."""
    return f.of(alias, kind) if alias else getattr(f, kind)


@lru_cache(maxsize=512)  # asked by many oracles of the same figures
def _has_own_limit(f: Figures, kind: str) -> bool:
    """Return whether a checked limit of the user replaces the levels of a kind."""
    own = {"weight": "single positions", "beta": "beta"}.get(kind)
    return any(
        f.sheet.aliases[each]["limit"] == own
        and (known(f.of(each, "checked")) or known(f.of(each, "checked_number")))
        for each in f.things("LIM")
    )


@lru_cache(maxsize=512)
def _limit(f: Figures, kind: str, alias: str = "") -> float:
    """Return the highest limit of `severity.yaml` that is reached, else NaN."""
    value = _figure(f, kind, alias)
    limits = _LIMITS[kind].values()
    if _has_own_limit(f, kind):
        return nan
    if kind == "weight" and f.text(f"{alias.lower()}_fund") == "fund":
        return nan
    if kind == "gross" and (f.num_positions == 1 or f.gross_to_equity < 0.5):
        return nan
    if kind == "gross" and f.sheet.aliases[alias]["sector"] in (
        "Bonds",
        "Fund, not looked through",
        "Unclassified",
    ):
        return nan
    if kind == "drawdown" and f.drawdown < 1.25 * f.market_drawdown:
        return nan
    kept = _figure(f, f"{kind}_kept", alias)
    is_in_force = _event(f, kind, alias) == "stands" and 0.95 * kept <= value
    return max(
        (limit for limit in limits if value >= limit or (is_in_force and limit <= kept)),
        default=nan,
    )


def _event(f: Figures, kind: str, alias: str = "") -> str:
    """Return what happened to the alert of a limit that is reached, as far as is known."""
    return f.text(f"{alias.lower()}_{kind}_alert" if alias else f"{kind}_alert") or "known"


def _session_of_alert(f: Figures, kind: str, *, is_known: bool) -> Expected:
    """Return the alerts of a kind with their value and session, by whether the first is known."""
    found: Expected = {}
    for each, alias in _reached(f):
        streak = f.sheet.facts.get(f"{alias.lower()}_{kind}_streak" if alias else f"{kind}_streak")
        is_start_known = streak is not None and streak.quality == "ok"
        if each == kind and is_start_known == is_known:
            found[alias] = {"value": _figure(f, kind, alias), "session": 1}
            found[alias] |= {"session": streak.value} if streak else {}
            found[alias] |= {"name": alias} if alias else {}
    return found


def _happened(f: Figures, *events: str) -> list[tuple[str, str]]:
    """Return the limits that are reached and of which one of some things has happened."""
    return [each for each in _reached(f) if _event(f, *each) in events]


def _new_limit(f: Figures, kind: str, slot: str, prefix: str = "") -> Expected:
    found: Expected = {}
    for alias in f.things(prefix) if prefix else [""]:
        limit = _limit(f, kind, alias)
        if isnan(limit) or _event(f, kind, alias) != "reached":
            continue
        (level,) = (name for name, each in _LIMITS[kind].items() if each == limit)
        found[alias] = {"limit": limit, slot: _figure(f, kind, alias), "level": level}
        found[alias] |= {"name": alias} if alias else {}
    return found


def _limited(f: Figures) -> list[tuple[str, str]]:
    """Return kinds and things with alert levels."""
    things = [("weight", alias) for alias in f.things("POS")]
    things += [("gross", alias) for alias in f.things("SEC")]
    return things + [(kind, "") for kind in ("beta", "drawdown", "gross_to_equity")]


@lru_cache(maxsize=8)
def _reached(f: Figures) -> tuple[tuple[str, str], ...]:
    return tuple(each for each in _limited(f) if not isnan(_limit(f, *each)))


_FIRST = ("weight", "gross", "beta", "drawdown", "gross_to_equity")
"""Kinds of alerts, the first of which leads, if nothing else tells them apart."""


def _level(f: Figures, kind: str, alias: str) -> str:
    (level,) = (name for name, each in _LIMITS[kind].items() if each == _limit(f, kind, alias))
    return level


def _lead(f: Figures, kind: str, alias: str) -> float:
    """Return how much a new alert matters as a title: a critical one before all others.

    The lowest level counts 0.3, 0.15 next to a clear result, as does a position with little of the
    risk, and 0.4 next to a result beyond the value at risk. Barely reached, it counts 0.9 of that.
    """
    base, level = 8.5 - _FIRST.index(kind) / 10, _level(f, kind, alias)
    if level == "critical":
        return base + 0.45
    rate, var = abs(f.daily_return), f.previous_var_95
    is_minor = level == "elevated" or (kind == "weight" and 0 < f.of(alias, "share") < 0.15)
    if is_minor and rate >= 0.25 * var:
        return 0.15 * base
    if rate > var:
        return 0.4 * base
    if _figure(f, kind, alias) < 1.02 * _limit(f, kind, alias):  # only just reached
        base *= 0.9
    return 0.3 * base if level == "elevated" else base


def _new_alerts(f: Figures) -> list[tuple[str, str]]:
    """Return the alerts that were reached in the session, the one that leads first."""
    levels = ("critical", "warning", "elevated")

    def order(of: tuple[str, str]) -> tuple[float, int, float, str, str]:
        beyond = _figure(f, *of) / _limit(f, *of)
        return (-round(_lead(f, *of), 9), levels.index(_level(f, *of)), -beyond, *of)

    return sorted(_happened(f, "reached"), key=order)


def _by_trade(f: Figures) -> Expected:
    """Return the new alerts on positions that the quantity before the day's trades had not made."""
    found: Expected = {}
    for kind, alias in _happened(f, "reached", "back"):
        increase, limit = f.of(alias, "quantity_increase") if alias else nan, _limit(f, kind, alias)
        if (
            kind == "weight"
            and increase > f.of(alias, kind) / limit - 1
            and not _is_opened(f, alias)
            and not _has_options(f, alias)
        ):
            found[alias] = {"name": alias, "increase": increase, "limit": limit}
            found[alias] |= {"weight": f.of(alias, kind), "level": _level(f, kind, alias)}
    return found


def _is_opened(f: Figures, alias: str) -> bool:
    return f.text(f"{alias.lower()}_opened") != ""


def _has_options(f: Figures, alias: str) -> bool:
    """Return whether the weight of a traded position includes options."""
    return f.text(f"{alias.lower()}_with_options") != ""


def _by_opening(f: Figures) -> Expected:
    """Return the new alerts on positions that were not held the session before."""
    return {
        alias: {"name": alias, "limit": _limit(f, kind, alias), "level": _level(f, kind, alias)}
        | {"weight": f.of(alias, kind)}
        for kind, alias in _happened(f, "reached", "back")
        if kind == "weight" and _is_opened(f, alias) and not _has_options(f, alias)
    }


def _traded_past(f: Figures) -> Expected:
    """Return the new alerts that trades made."""
    return _by_trade(f) | _by_opening(f)


def _led_by(f: Figures, kind: str, *, has_share: bool | None = None) -> set[str]:
    """Return the thing whose new alert of a kind leads all others."""
    for first, alias in _new_alerts(f)[:1]:
        if first == kind and has_share in (None, f.of(alias, "share") >= 0):
            return {alias}
    return set()


def _led_by_sector(f: Figures, form_id: str) -> set[str]:
    return _led_by(f, "gross") & STATEMENTS[form_id](f).keys()


def _has_alert_news(f: Figures) -> bool:
    """Return whether an alert is reached that is not known to have stood the session before."""
    own = ("breached", "changed", "first", "worse")
    exceeded = [RISK_STATEMENTS[f"own_limit_{state}{of}"](f) for state in own for of in ("", "_of")]
    return any(exceeded) or bool(_happened(f, "reached", "back", "worse", "known"))


def _left_limits(f: Figures, *, is_below: bool) -> list[tuple[str, str]]:
    """Return what has left a limit: it is a twentieth below, or no alert for another reason."""
    things = [("weight", alias) for alias in f.things("POS")]
    things += [("gross", alias) for alias in f.things("SEC")]
    things += [(kind, "") for kind in _LIMITS if kind not in ("weight", "gross")]
    found = []
    for kind, alias in things:
        if _has_own_limit(f, kind):
            continue
        value, left = _figure(f, kind, alias), _figure(f, f"{kind}_left", alias)
        if isnan(value) and alias:
            value = _figure(f, f"{kind}_now", alias)
        is_unknown = kind == "weight" and value == 0
        if is_unknown and f.text(f"{alias.lower()}_closed"):
            continue
        if known(value, left) and (value < 0.95 * left and not is_unknown) == is_below:
            found.append((kind, alias))
    return found


def _sold(f: Figures) -> Expected:
    """Return the positions with an alert that were closed, without a weight."""
    found: Expected = {}
    for alias in () if _has_own_limit(f, "weight") else f.things("POS"):
        value, left = f.of(alias, "weight"), f.of(alias, "weight_left")
        value = f.of(alias, "weight_now") if isnan(value) else value
        if value == 0 and known(left) and f.text(f"{alias.lower()}_closed"):
            limits = {limit: level for level, limit in _LIMITS["weight"].items() if left >= limit}
            limit = max(limits)
            found[alias] = {"name": alias, "limit": limit, "level": limits[limit]}
    return found


def _is_rising(f: Figures) -> bool:
    """Return whether the volatility rose by a tenth over five sessions, from at least 1%."""
    before = f.volatility_21d - f.volatility_21d_change_5d
    return before >= 0.01 and f.volatility_21d_change_5d >= 0.1 * before


def _cost_of_alert(f: Figures) -> Expected:
    """Return the position that lost most on a day with a gain, if its alert has news."""
    alias, pnl, _ = _largest(f, -1)
    moved = ("weight", alias) in _happened(f, "reached", "back", "worse")
    return expect(f.daily_pnl > 0 and moved, alias, name=alias, amount=abs(pnl))


def _test_fails(f: Figures) -> bool:
    return f.var_p_value < 0.01 and f.var_exceptions > round_half_even(f.var_expected)


def round_half_even(value: float) -> float:
    """Return the nearest whole number, NaN for NaN."""
    return nan if isnan(value) else round(value)


def _no_risk(f: Figures) -> bool:
    figures = (f.beta, f.volatility_21d, f.expected_volatility, f.var_95, f.drawdown)
    return known(f.total_value) and not any(known(value) for value in figures)


def _test(f: Figures, holds: bool) -> Expected:
    found = known(f.var_tested, f.var_exceptions, f.var_expected, f.var_p_value) and holds
    found = found and not _no_risk(f)
    return expect(
        found,
        count=f.var_tested,
        exceptions=f.var_exceptions,
        expected=round_half_even(f.var_expected),
    )


def _left(f: Figures, sign: int) -> Expected:
    before = f.volatility_21d - f.volatility_21d_change
    fall = (before**2 - f.volatility_21d**2) / 12
    left = f.left_return**2 - f.daily_return**2
    holds = (
        f.volatility_21d <= before - 0.1 * before
        and fall > 0
        and 0.7 * fall <= left <= 1.3 * fall
        and sign * f.left_return > 0
        and bool(f.text("left_day"))
    )
    return expect(
        holds,
        before=before,
        now=f.volatility_21d,
        left=abs(f.left_return),
        day=date.fromisoformat(f.text("left_day")) if holds else None,
    )


def _volatility_moved(f: Figures, sign: int) -> Expected:
    before = f.volatility_21d - f.volatility_21d_change
    holds = before >= 0.01 and sign * f.volatility_21d_change >= 0.1 * before
    return expect(holds, before=before, now=f.volatility_21d)


def _drifted(f: Figures, sign: int) -> Expected:
    before = f.volatility_21d - f.volatility_21d_change_21d
    holds = before >= 0.01 and sign * f.volatility_21d_change_21d >= 0.25 * before
    return expect(holds, before=before, now=f.volatility_21d)


def _forecast_moved(f: Figures, sign: int) -> Expected:
    before = f.expected_volatility - f.expected_volatility_change
    holds = before >= 0.01 and sign * f.expected_volatility_change >= 0.1 * before
    return expect(holds, before=before, now=f.expected_volatility)


def _both_moved(f: Figures, sign: int) -> Expected:
    """Return volatility and forecast before and now, if both moved by a tenth in a direction."""
    earlier = f.expected_volatility - f.expected_volatility_change
    more = {"earlier": earlier, "expected": f.expected_volatility}
    holds = bool(_forecast_moved(f, sign))
    return {alias: slots | more for alias, slots in _volatility_moved(f, sign).items() if holds}


def _expected(f: Figures, sign: int) -> Expected:
    odds = f.rise_probability if sign > 0 else 1 - f.rise_probability
    holds = (
        sign * (f.expected_volatility - f.volatility_21d) > 0
        and odds >= 0.6
        and f.expected_low < f.expected_high
    )
    return expect(
        holds,
        expected=f.expected_volatility,
        low=f.expected_low,
        high=f.expected_high,
        odds=odds,
    )


def _in_part(f: Figures, part: int) -> Expected:
    """Return an outcome within the range: nearer to the low end than to the forecast (-1), ..."""
    is_low = 2 * f.past_outcome < f.past_low + f.past_forecast
    is_high = 2 * f.past_outcome > f.past_high + f.past_forecast
    is_within = f.past_low <= f.past_outcome <= f.past_high
    return _scored(f, is_within and part == is_high - is_low)


def _scored(f: Figures, holds: bool) -> Expected:
    is_known = known(f.past_forecast, f.past_outcome, f.past_low, f.past_high)
    return expect(
        is_known and holds,
        forecast=f.past_forecast,
        outcome=f.past_outcome,
        low=f.past_low,
        high=f.past_high,
    )


def _shares(f: Figures, holds: Callable[[str, float, float], bool]) -> Expected:
    found: Expected = {}
    for alias in f.things("POS"):
        weight, share = f.of(alias, "weight"), f.of(alias, "share")
        if weight > 0 and not isnan(share) and holds(alias, weight, share):
            found[alias] = {"name": alias, "weight": weight, "share": share}
    return found


def _pair(f: Figures) -> Expected:
    ranked = {
        f.rank(alias, "share"): alias
        for alias in f.things("POS")
        if f.of(alias, "weight") > 0 and known(f.of(alias, "share"))
    }
    if not {1, 2} <= ranked.keys():
        return {}
    one, other = f.of(ranked[1], "share"), f.of(ranked[2], "share")
    holds = one + other >= 0.6 and one < 0.5 and other > 0
    return expect(holds, ranked[1], first=ranked[1], second=ranked[2], share=one + other)


def _active(f: Figures) -> dict[str, float]:
    return {
        alias: f.of(alias, "active")
        for alias in f.things("SEC")
        if f.sheet.aliases[alias]["sector"]
        not in ("Bonds", "Fund, not looked through", "Unclassified")
        and known(f.of(alias, "active"), f.of(alias, "net"), f.of(alias, "benchmark"))
    }


def _sector(f: Figures, alias: str, holds: bool) -> Expected:
    holds = holds and f.of(alias, "net") > 0
    return expect(
        holds, alias, name=alias, net=f.of(alias, "net"), benchmark=f.of(alias, "benchmark")
    )


def _over(f: Figures) -> Expected:
    active = _active(f)
    alias = max(active, key=lambda each: (active[each], each), default="")
    return _sector(f, alias, active[alias] >= 0.1) if alias else {}


def _under(f: Figures) -> Expected:
    active = _active(f)
    alias = min(active, key=lambda each: (active[each], each), default="")
    return _sector(f, alias, active[alias] <= -0.1) if alias else {}


def _sector_named(f: Figures, found: Expected, *, is_named: bool) -> Expected:
    """Return sectors with their positions, which the sentence on a new alert has, or without."""
    named = {alias for kind, alias in _happened(f, "reached") if kind == "gross"}
    rest = {alias: slots for alias, slots in found.items() if alias not in named}
    return with_positions(f, rest, is_named=is_named) | (
        {} if is_named else {alias: slots for alias, slots in found.items() if alias in named}
    )


def _absent(f: Figures) -> Expected:
    active = _active(f)
    alias = min(active, key=lambda each: (active[each], each), default="")
    holds = bool(alias) and active[alias] <= -0.1 and f.of(alias, "gross") == 0
    return expect(holds, alias, name=alias, benchmark=f.of(alias, "benchmark") if holds else nan)


def _scenario(f: Figures, side: int | None = None) -> Expected:
    """Return the worst scenario, or that if it costs more (-1) or less (1) than the market."""
    found: Expected = {}
    for alias in f.things("SCN"):
        result, move = f.of(alias, "result"), f.of(alias, "market_move")
        if f.rank(alias, "result") == 1 and result < 0:
            if side is None:
                found[alias] = {"name": alias, "loss": -result}
            elif move < 0 and (result >= 0.9 * move if side > 0 else result <= 1.1 * move):
                found[alias] = {"name": alias, "loss": -result, "market": -move}
                found[alias]["multiple"] = result / move
    return found


def _as_beta(f: Figures) -> Expected:
    """Return the worst scenario if it costs what beta and market imply, but for a tenth."""
    found: Expected = {}
    for alias in f.things("SCN"):
        result, implied = f.of(alias, "result"), f.own_beta * f.of(alias, "market_move")
        is_near = result < 0 and implied < 0 and abs(result / implied - 1) <= 0.1
        if f.rank(alias, "result") == 1 and is_near:
            move = f.of(alias, "market_move")
            found[alias] = {"name": alias, "loss": -result, "beta": f.own_beta}
            found[alias] |= {"market": -move, "multiple": result / move}
    return found


def _var_moved(f: Figures, sign: int) -> Expected:
    """Return a value at risk that moved by a tenth since the session before."""
    before, now = f.previous_var_95, f.var_95
    holds = before > 0 and sign * (now - before) >= 0.1 * before
    return expect(holds, before=before, now=now)


def _drawdown(f: Figures) -> Expected:
    peak = f.text("drawdown_peak")
    holds = bool(peak) and peak < f.day.isoformat() and f.drawdown >= 0.03
    peak_day = date.fromisoformat(peak) if holds else None
    return expect(holds, drawdown=f.drawdown, day=peak_day, span=f.count("drawdown"))


def _is_clear_beta(f: Figures, sign: int) -> bool:
    """Return whether beta moved by a twentieth: of 1, or of itself above 1."""
    before = abs(f.beta - f.beta_change)
    return sign * f.beta_change >= 0.05 * (before if before > 1 else 1) and known(f.beta)


def _quiet_moves(f: Figures) -> bool:
    """Return whether beta, volatility and forecast moved little, and no limit was crossed."""
    crossed = [
        _exceeded_since(f, alias, kind)
        for alias in f.things("LIM")
        for kind in ("checked", "checked_number")
    ]
    is_clear = _is_clear_beta(f, 1) or _is_clear_beta(f, -1)
    is_clear = is_clear or bool(_volatility_moved(f, 1) or _volatility_moved(f, -1))
    return not (any(crossed) or is_clear or _has_alert_news(f)) and all(
        abs(getattr(f, f"{kind}_change")) <= 2 * getattr(f, f"{kind}_usual_change")
        for kind in ("beta", "volatility_21d", "expected_volatility")
    )


def _exceeded_since(f: Figures, alias: str, kind: str) -> bool:
    """Return whether a limit of a user was kept the session before and is exceeded."""
    status, before = (
        f.text(f"{alias.lower()}_{name}") for name in ("limit_status", "limit_status_before")
    )
    is_beyond = f.of(alias, kind) > f.of(alias, f"{kind}_limit")
    return (status, before) == ("exceeded", "kept") and is_beyond


def _has_both_sides(f: Figures) -> bool:
    """Return whether there are shorts, and they are not all positions that are counted."""
    return f.num_short_positions > 0 and f.num_short_positions != f.num_positions


def _netting(f: Figures) -> Expected:
    gains, losses = f.winners_pnl, -f.losers_pnl
    holds = gains >= 0.4 * losses > 0 and losses >= 0.4 * gains
    return expect(holds, gains=gains, losses=losses)


def _longs_and_shorts(f: Figures, holds: bool) -> Expected:
    """Return the results of longs and shorts, of which each is a tenth of the other."""
    longs, shorts = abs(f.long_pnl), abs(f.short_pnl)
    is_both = (
        known(f.num_positions) and _has_both_sides(f) and f.num_short_positions < (f.num_positions)
    )
    is_both = is_both and longs >= 0.1 * shorts and shorts >= 0.1 * longs
    return expect(holds and is_both, longs=longs, shorts=shorts)


def _spread(f: Figures, sign: int) -> Expected:
    alias, pnl, share = _largest(f, sign)
    many, few = (f.n_losers, f.n_winners) if sign < 0 else (f.n_winners, f.n_losers)
    holds = sign * f.daily_pnl > 0 and many >= 5 and few >= 1 and share <= 0.25
    counts = {"losers": f.n_losers, "winners": f.n_winners}
    return expect(holds, alias, name=alias, amount=abs(pnl), share=share, **counts)


def _contributor(f: Figures, sign: int, over: str) -> Expected:
    """Return the largest detractor or contributor over some sessions: a quarter of its side."""
    alias, pnl, share = _largest(f, sign, over)
    others = getattr(f, ("n_winners" if sign > 0 else "n_losers") + over)
    return expect(share >= 0.25 and others >= 2, alias, name=alias, amount=abs(pnl), share=share)


def _against_market(f: Figures, sign: int, over: str, least: float) -> Expected:
    own = getattr(f, f"return{over}" if over else "daily_return")
    market = getattr(f, f"market_return{over}")
    is_explained = sign * (own - f.previous_own_beta * market) < least
    holds = sign * (own - market) >= least and not is_explained
    return expect(holds, rate=own, market=market)


def _implied(f: Figures, direction: int, outcome: int) -> Expected:
    """Return the session against beta times the market: in line within 20%, or half a point.

    Outcome 2 is a session of the other sign than what is implied.
    """
    implied = f.previous_own_beta * f.market_return
    near = max(0.001, min(0.2 * abs(implied), 0.005))
    gap = f.daily_return - implied
    clear = abs(gap) >= 0.002
    is_other = f.daily_return * implied < 0 and abs(f.daily_return) >= 0.001
    holds = {
        -1: gap < -near and clear and not is_other,
        0: -near <= gap <= near,
        1: gap > near and clear and not is_other,
        2: abs(gap) > near and clear and is_other,
    }[outcome]
    is_sure = not f.previous_own_beta < 2 * f.previous_own_beta_error
    return expect(
        is_sure and f.previous_own_beta > 0 and direction * implied >= 0.003 and holds,
        beta=f.previous_own_beta,
        market=abs(f.market_return),
        implied=abs(implied),
    )


def _inverse(f: Figures, direction: int) -> Expected:
    """Return a negative beta of two errors whose product with the market's move is clear."""
    implied = f.previous_own_beta * f.market_return
    error = 0.0 if isnan(f.previous_own_beta_error) else f.previous_own_beta_error
    holds = (
        f.previous_own_beta < 0
        and f.previous_own_beta + 2 * error <= 0
        and -direction * implied >= 0.003
    )
    return expect(
        holds, beta=f.previous_own_beta, market=abs(f.market_return), implied=abs(implied)
    )


def _is_short_only(f: Figures) -> bool:
    return f.num_positions > 0 and f.num_positions == f.num_short_positions


def _undefined(f: Figures, holds: bool, **slots: object) -> Expected:
    return expect(_no_risk(f) and f.total_value >= 0 and holds, equity=f.total_value, **slots)


def _weights_unknown(f: Figures) -> Expected:
    has_weights = any(known(f.of(alias, "weight")) for alias in f.things("POS"))
    return expect(f.num_positions > 0 and not has_weights and not _no_risk(f))


def _has_further_alerts(f: Figures) -> bool:
    """Return whether a test, the volatility, or a user's limit is an alert for a second session."""
    tests = _test_fails(f) and f.previous_var_p_value < 0.01 and bool(_test(f, True))
    is_high = not isnan(_limit(f, "volatility_percentile")) and f.volatility_percentile_streak > 1
    is_high = is_high and known(f.volatility_21d)
    own = (*RISK_STATEMENTS["own_limit_exceeded"](f), *RISK_STATEMENTS["own_limit_exceeded_of"](f))
    is_old = any(f.text(f"{alias.lower()}_limit_status_before") == "exceeded" for alias in own)
    return tests or is_high or is_old


def _unchanged(f: Figures) -> Expected:
    """Return whether something is an alert for a second session, and another came or went."""
    own = (RISK_STATEMENTS[f"own_limit_{state}{of}"](f)
        for state in ("breached", "changed", "first", "ended") for of in ("", "_of"))  # fmt: skip
    left = [*_left_limits(f, is_below=True), *_left_limits(f, is_below=False), *_sold(f)]
    is_changed = any(own) or bool(left) or bool(_happened(f, "reached", "back"))
    stands = [each for each in _happened(f, "stands") if each not in _left_limits(f, is_below=True)]
    return expect(is_changed and (bool(stands) or _has_further_alerts(f)))


def _standing(f: Figures) -> Expected:
    """Return whether something is an alert that is not known to be new, nor to be worse."""
    return expect(bool(_happened(f, "stands", "known")) or _has_further_alerts(f))


def _driver(f: Figures, sign: int) -> Expected:
    """Return the position that made most of the result, with a quarter of the risk or more."""
    heavy = STATEMENTS["position_risk_heavy"](f)
    what = "loss" if sign < 0 else "gain"
    made = {
        each
        for suffix in ("", "_offset", "_sole")
        for each in _cause_of(f, sign, f"{what}{suffix}")
    }
    return {
        alias: slots
        for alias, slots in heavy.items()
        if alias in made and f.of(alias, "share") >= 0.25
    }


def _tracks_market(f: Figures, *, is_fund: bool) -> Expected:
    kinds = [f.text(f"{alias.lower()}_fund") for alias in f.things("POS")]
    is_known_fund = {*filter(None, kinds)} == {"fund"}
    holds = f.num_positions == 1 and 0.98 <= f.own_beta <= 1.02 and f.market_r_squared >= 0.99
    return expect(holds and is_known_fund == is_fund, share=f.market_r_squared)


def _unusual(f: Figures, sign: int) -> Expected:
    """Return a move of two daily volatilities; a loss beyond the value at risk is none."""
    before = f.volatility_21d - f.volatility_21d_change
    is_beyond = f.daily_pnl < 0 and -f.daily_return > f.previous_var_95 > 0
    holds = before > 0 and sign * f.daily_return > 0 and not is_beyond
    holds = holds and sign * f.daily_return >= 2 * before / sqrt(252)
    return expect(True, multiple=abs(f.daily_return) / before * sqrt(252)) if holds else {}


STATEMENTS: Mapping[str, Callable[[Figures], Expected]] = {
    **RISK_STATEMENTS,
    **LEVEL_STATEMENTS,
    **QUESTION_STATEMENTS,
    **{
        f"{name}{over}": partial(_contributor, sign=sign, over=over)
        for name, sign in (("detractor", -1), ("contributor", 1))
        for over in ("_5d", "_21d")
    },
    **{
        f"{name}{over}": partial(_against_market, sign=sign, over=over, least=least)
        for name, sign in (("behind_market", -1), ("ahead_of_market", 1))
        for over, least in (("_5d", 0.01), ("_21d", 0.025))
    },
    **{
        f"market_{move}_{name}": partial(_implied, direction=direction, outcome=outcome)
        for move, direction in (("fall", -1), ("rise", 1))
        for name, outcome in (("worse", -1), ("in_line", 0), ("better", 1), ("against", 2))
    },
    "behind_market": lambda f: expect(
        bool(_against_market(f, -1, "", 0.005)),
        gap=f.market_return - f.daily_return,
        market=f.market_return,
    ),
    "ahead_of_market": lambda f: expect(
        bool(_against_market(f, 1, "", 0.005)),
        gap=f.daily_return - f.market_return,
        market=f.market_return,
    ),
    "breadth": lambda f: expect(
        f.n_winners >= 2 and f.n_losers >= 2 and f.n_winners + f.n_losers >= 5,
        winners=f.n_winners,
        losers=f.n_losers,
    ),
    "unusual_loss": lambda f: _unusual(f, -1),
    "unusual_gain": lambda f: _unusual(f, 1),
    "cash_share": lambda f: expect(
        f.total_value > 0 and 0.1 * f.total_value <= f.cash_value <= f.total_value,
        share=f.cash_value / f.total_value if f.total_value else nan,
    ),
    "shortfall": lambda f: expect(f.shortfall_95 > 0, shortfall=f.shortfall_95),
    "volatility_rose_21d": lambda f: _drifted(f, 1),
    "volatility_fell_21d": lambda f: _drifted(f, -1),
    "forecast_rose": lambda f: _forecast_moved(f, 1),
    "forecast_fell": lambda f: _forecast_moved(f, -1),
    "volatility_and_forecast_rose": lambda f: _both_moved(f, 1),
    "volatility_and_forecast_fell": lambda f: _both_moved(f, -1),
    "top_three_grew": lambda f: expect(f.top_3_change_21d >= 0.03, change=f.top_3_change_21d),
    "session_loss": lambda f: expect(
        f.daily_pnl < 0 and f.daily_return < 0, amount=-f.daily_pnl, rate=-f.daily_return
    ),
    "session_gain": lambda f: expect(
        f.daily_pnl > 0 and f.daily_return > 0, amount=f.daily_pnl, rate=f.daily_return
    ),
    "session_loss_amount": lambda f: expect(f.daily_pnl < 0, amount=-f.daily_pnl),
    "session_gain_amount": lambda f: expect(f.daily_pnl > 0, amount=f.daily_pnl),
    **{
        f"position_{what}{'_offset' * is_offset}": partial(_main, sign=sign, is_offset=is_offset)
        for what, sign in (("loss", -1), ("gain", 1))
        for is_offset in (False, True)
    },
    "position_loss_sole": lambda f: _sole(f, -1),
    "position_gain_sole": lambda f: _sole(f, 1),
    "largest_detractor": lambda f: _largest_below_half(f, -1),
    "largest_contributor": lambda f: _largest_below_half(f, 1),
    "not_split": lambda f: expect(
        f.num_positions > 1
        and f.daily_pnl != 0
        and known(f.daily_pnl)
        and not {"winners_pnl", "losers_pnl"} & f.sheet.facts.keys()
    ),
    "losses_spread": lambda f: _spread(f, -1),
    "gains_spread": lambda f: _spread(f, 1),
    "netting": _netting,
    "longs_lost_shorts_made": lambda f: _longs_and_shorts(f, f.long_pnl < 0 < f.short_pnl),
    "longs_made_shorts_lost": lambda f: _longs_and_shorts(f, f.short_pnl < 0 < f.long_pnl),
    "longs_and_shorts_lost": lambda f: _longs_and_shorts(f, f.long_pnl < 0 > f.short_pnl),
    "longs_and_shorts_made": lambda f: _longs_and_shorts(f, f.long_pnl > 0 < f.short_pnl),
    "five_sessions_down": lambda f: expect(f.return_5d <= -0.02, rate=-f.return_5d),
    "five_sessions_up": lambda f: expect(f.return_5d >= 0.02, rate=f.return_5d),
    "month_down": lambda f: expect(f.return_21d <= -0.06, rate=-f.return_21d),
    "month_up": lambda f: expect(f.return_21d >= 0.06, rate=f.return_21d),
    "largest_loss": lambda f: (
        expect(True, window=f.count("loss_rank")) if f.loss_rank == 1 and f.daily_return < 0 else {}
    ),
    "largest_gain": lambda f: (
        expect(True, window=f.count("gain_rank")) if f.gain_rank == 1 and f.daily_return > 0 else {}
    ),
    "rare_loss": lambda f: (
        expect(True, rank=f.loss_rank, window=f.count("loss_rank"))
        if 2 <= f.loss_rank <= 5 and f.daily_return < 0
        else {}
    ),
    "rare_gain": lambda f: (
        expect(True, rank=f.gain_rank, window=f.count("gain_rank"))
        if 2 <= f.gain_rank <= 5 and f.daily_return > 0
        else {}
    ),
    "market_rose": lambda f: expect(
        f.market_return >= 0.01 and known(f.daily_return), rate=f.market_return
    ),
    "market_fell": lambda f: expect(
        f.market_return <= -0.01 and known(f.daily_return), rate=-f.market_return
    ),
    "no_change": lambda f: expect(_quiet_moves(f)),
    "equity": lambda f: expect(
        f.total_value > 0 and not f.price_coverage < 1, equity=f.total_value
    ),
    "equity_priced": lambda f: expect(
        f.total_value > 0 and f.price_coverage < 1, equity=f.total_value
    ),
    "only_holding_fell": lambda f: _only_holding(f, -1),
    "only_holding_rose": lambda f: _only_holding(f, 1),
    "var_exceeded": lambda f: _result(
        f, -1, 2 * f.previous_var_95 > -f.daily_return > f.previous_var_95 > 0
    ),
    "var_exceeded_far": lambda f: (
        _result(f, -1, True, multiple=-f.daily_return / f.previous_var_95)
        if -f.daily_return >= 2 * f.previous_var_95 > 0
        else {}
    ),
    "var_held": lambda f: _result(f, -1, _is_within(f) and _used(f) < 0.9),
    "var_held_nearly": lambda f: _result(f, -1, _is_within(f) and _used(f) >= 0.9),
    "small_loss": lambda f: _small_result(f, -1),
    "small_gain": lambda f: _small_result(f, 1),
    "var_too_low": lambda f: _test(f, _test_fails(f)),
    "var_too_high": lambda f: _test(
        f, f.var_p_value < 0.01 and f.var_exceptions < round_half_even(f.var_expected)
    ),
    "var_often_exceeded": lambda f: _test(
        f, 0.01 <= f.var_p_value < 0.05 and f.var_exceptions > round_half_even(f.var_expected)
    ),
    "gain_left_window": lambda f: _left(f, 1),
    "loss_left_window": lambda f: _left(f, -1),
    "volatility_rose": lambda f: _volatility_moved(f, 1),
    "volatility_fell": lambda f: _volatility_moved(f, -1),
    "volatility_calm": lambda f: expect(
        0 < f.volatility_percentile <= 0.2 and known(f.volatility_21d) and not _is_rising(f),
        volatility=f.volatility_21d,
        days=f.volatility_percentile,
    ),
    "volatility_high": lambda f: expect(
        0.8 <= f.volatility_percentile < 1 and known(f.volatility_21d),
        volatility=f.volatility_21d,
        days=f.volatility_percentile,
    ),
    "volatility_alert": lambda f: expect(
        f.volatility_percentile >= 0.95
        and f.text("volatility_percentile_alert") in ("reached", "back")
        and bool(_volatility_moved(f, 1)),
        level="elevated",
        limit=0.95,
    ),
    "volatility_highest": lambda f: expect(
        f.volatility_percentile == 1 and known(f.volatility_21d), volatility=f.volatility_21d
    ),
    "volatility_lowest": lambda f: expect(
        f.volatility_percentile == 0 and known(f.volatility_21d), volatility=f.volatility_21d
    ),
    "volatility_level": lambda f: expect(known(f.volatility_21d), volatility=f.volatility_21d),
    "windows_compared": lambda f: expect(
        abs(f.volatility_21d - f.volatility_63d) >= 0.2 * max(f.volatility_21d, f.volatility_63d)
        and max(f.volatility_21d, f.volatility_63d) > 0,
        short=f.volatility_21d,
        long=f.volatility_63d,
    ),
    "expected_rise": lambda f: _expected(f, 1),
    "expected_fall": lambda f: _expected(f, -1),
    "forecast_missed_high": lambda f: _scored(f, f.past_outcome < 0.98 * f.past_low),
    "forecast_missed_low": lambda f: _scored(f, 0.98 * f.past_outcome > f.past_high),
    "forecast_held": lambda f: _in_part(f, 0),
    "forecast_low_part": lambda f: _in_part(f, -1),
    "forecast_high_part": lambda f: _in_part(f, 1),
    "position_dominates": lambda f: _shares(
        f,
        lambda alias, _, share: (
            f.rank(alias, "share") == 1
            and 0.5 <= share <= 1
            and f.text(f"{alias.lower()}_fund") != "fund"
            and f.num_positions != 1
        ),
    ),
    "position_exceeds": lambda f: {
        alias: {"name": alias, "weight": f.of(alias, "weight")}
        for alias in f.things("POS")
        if f.rank(alias, "share") == 1
        and f.of(alias, "share") > 1
        and f.of(alias, "weight") > 0
        and f.text(f"{alias.lower()}_fund") != "fund"
        and f.num_positions != 1
    },
    "position_risk_heavy": lambda f: _shares(
        f,
        lambda alias, weight, share: (
            f.rank(alias, "share") in (1, 2) and share >= 1.3 * weight and 0.15 <= share < 0.5
        ),
    ),
    "position_risk_light": lambda f: _shares(
        f,
        lambda alias, weight, share: (
            f.rank(alias, "weight") == 1 and weight >= 0.15 and 0 <= 1.3 * share <= weight
        ),
    ),
    "position_in_line": lambda f: _shares(
        f,
        lambda alias, weight, share: (
            f.rank(alias, "weight") == 1
            and 0.85 * weight <= share <= 1.15 * weight
            and 0.15 <= share < 0.5
        ),
    ),
    "pair_share": _pair,
    "effective_positions": lambda f: expect(
        f.num_positions > 1 and f.effective_positions <= f.num_positions * 2 / 3,
        count=f.num_positions,
        effective=f.effective_positions,
    ),
    "largest_weight": lambda f: {
        alias: {"name": alias, "weight": f.of(alias, "weight")}
        for alias in f.things("POS")
        if f.rank(alias, "weight") == 1
    },
    "top_three": lambda f: expect(f.num_positions >= 5 and f.top_3 >= 0.5, share=f.top_3),
    "sector_over": lambda f: _sector_named(f, _over(f), is_named=False),
    "sector_under": lambda f: _sector_named(f, _under(f), is_named=False),
    "sector_over_of": lambda f: _sector_named(f, _over(f), is_named=True),
    "sector_under_of": lambda f: _sector_named(f, _under(f), is_named=True),
    "sector_absent": _absent,
    "beta_level": lambda f: expect(
        known(f.own_beta, f.market_r_squared), beta=f.own_beta, share=f.market_r_squared
    ),
    "holding_tracks_market": lambda f: _tracks_market(f, is_fund=False),
    "fund_tracks_market": lambda f: _tracks_market(f, is_fund=True),
    "beta_error": lambda f: expect(
        known(f.own_beta, f.own_beta_error), beta=f.own_beta, error=f.own_beta_error
    ),
    "beta_rose": lambda f: expect(_is_clear_beta(f, 1), before=f.beta - f.beta_change, now=f.beta),
    "beta_fell": lambda f: expect(_is_clear_beta(f, -1), before=f.beta - f.beta_change, now=f.beta),
    "market_explains_little": lambda f: expect(f.market_r_squared <= 0.4, share=f.market_r_squared),
    "beta_partial": lambda f: expect(
        f.beta_coverage < 0.995 and known(f.beta), beta=f.beta, coverage=f.beta_coverage
    ),
    "rate_beta": lambda f: expect(f.rate_beta >= 0.2, beta=f.rate_beta),
    "shorts_reduce": lambda f: expect(
        f.short_share <= -0.02 and _has_both_sides(f), share=f.short_share
    ),
    "shorts_add": lambda f: expect(
        f.short_share >= 0.02 and _has_both_sides(f), share=f.short_share
    ),
    "gross_and_net": lambda f: expect(
        f.gross_to_equity >= 1.05 and f.net_to_equity > 0 and f.num_short_positions >= 2,
        gross=f.gross_to_equity,
        net=f.net_to_equity,
        shorts=f.num_short_positions,
    ),
    "scenario_cost": _scenario,
    "scenario_less_than_market": lambda f: _scenario(f, 1),
    "scenario_more_than_market": lambda f: _scenario(f, -1),
    "scenario_in_line": _as_beta,
    "var_rose": lambda f: _var_moved(f, 1),
    "var_fell": lambda f: _var_moved(f, -1),
    "net_short": lambda f: expect(
        f.net_to_equity <= -0.05 and not _is_short_only(f), net=-f.net_to_equity
    ),
    "all_short": lambda f: expect(
        f.net_to_equity < 0 and _is_short_only(f) and f.num_positions > 1,
        net=-f.net_to_equity,
        count=f.num_positions,
    ),
    "all_short_one": lambda f: expect(
        f.net_to_equity < 0 and _is_short_only(f) and f.num_positions == 1, net=-f.net_to_equity
    ),
    "market_fall_inverse": lambda f: _inverse(f, -1),
    "market_rise_inverse": lambda f: _inverse(f, 1),
    "at_peak": lambda f: expect(f.drawdown == 0, span=f.count("drawdown")),
    "drawdown_compared": lambda f: expect(
        f.drawdown >= 0.03 and 2 * f.drawdown <= f.max_drawdown,
        drawdown=f.drawdown,
        deepest=f.max_drawdown,
        span=f.count("drawdown"),
    ),
    "drawdown": _drawdown,
    "drawdown_with_market": lambda f: expect(
        f.drawdown >= 0.03 and f.market_drawdown >= 0.03,
        drawdown=f.drawdown,
        market=f.market_drawdown,
        span=f.count("drawdown"),
    ),
    "drawdown_deepest": lambda f: expect(
        f.drawdown == f.max_drawdown and f.drawdown >= 0.05,
        drawdown=f.drawdown,
        span=f.count("drawdown"),
    ),
    "limit_position": lambda f: {
        alias: slots
        for alias, slots in _new_limit(f, "weight", "weight", "POS").items()
        if not f.of(alias, "share") >= 0
    },
    "limit_position_share": lambda f: {
        alias: {**slots, "share": f.of(alias, "share")}
        for alias, slots in _new_limit(f, "weight", "weight", "POS").items()
        if f.of(alias, "share") >= 0
    },
    **TRADE_STATEMENTS,
    "no_opened": lambda f: expect(f.n_opened == 0),
    "no_closed": lambda f: expect(f.n_closed == 0),
    "no_resized": lambda f: expect(f.n_resized == 0),
    "no_trades": lambda f: expect(f.n_opened == f.n_closed == f.n_resized == 0),
    "sector_holds": lambda f: with_positions(
        f, {alias: {"name": alias} for alias in f.things("SEC")}, is_named=True
    ),
    "limit_by_trade": _by_trade,
    "limit_by_opening": _by_opening,
    "risk_after_trades": lambda f: expect(
        traded_share(f, "opened", "closed", "resized") >= 0.05
        and any(
            moved(f, sign)
            for moved in (_is_clear_beta, _volatility_moved, _forecast_moved)
            for sign in (-1, 1)
        )
    ),
    "limit_sector": lambda f: with_positions(
        f, _new_limit(f, "gross", "weight", "SEC"), is_named=False
    ),
    "limit_sector_of": lambda f: with_positions(
        f, _new_limit(f, "gross", "weight", "SEC"), is_named=True
    ),
    "limit_beta": lambda f: _new_limit(f, "beta", "beta"),
    "limit_drawdown": lambda f: _new_limit(f, "drawdown", "drawdown"),
    "limit_leverage": lambda f: _new_limit(f, "gross_to_equity", "gross"),
    "limits_new": lambda f: expect(
        any(each[1] not in _traded_past(f) for each in _new_alerts(f)[1:])
    ),
    "limits_standing": _standing,
    "limits_back": lambda f: expect(
        any(
            known(_figure(f, f"{kind}_away", alias))
            for kind, alias in _happened(f, "back")
            if alias not in _traded_past(f)
        )
    ),
    **{
        f"alert_since_{kind}{suffix}": partial(_session_of_alert, kind=kind, is_known=is_known)
        for kind in _FIRST
        for suffix, is_known in (("", True), ("_at_least", False))
    },
    "limits_worse": lambda f: expect(bool(_happened(f, "worse"))),
    "limit_sold": _sold,
    "alert_position_cost": _cost_of_alert,
    "limits_left": lambda f: expect(bool(_left_limits(f, is_below=True))),
    "limits_ended": lambda f: expect(bool(_left_limits(f, is_below=False))),
    "driver_of_loss": lambda f: _driver(f, -1),
    "driver_of_gain": lambda f: _driver(f, 1),
    "week_and_month_down": lambda f: expect(
        f.return_5d <= -0.02 and f.return_21d <= -0.06, week=-f.return_5d, month=-f.return_21d
    ),
    "week_and_month_up": lambda f: expect(
        f.return_5d >= 0.02 and f.return_21d >= 0.06, week=f.return_5d, month=f.return_21d
    ),
    "var_not_rejected": lambda f: _test(f, f.previous_var_p_value < 0.01 <= f.var_p_value),
    "undefined_because": lambda f: (
        expect(" required" not in f.text("undefined_reason"), reason=f.text("undefined_reason"))
        if _undefined(f, f.num_positions >= 1) and f.text("undefined_reason")
        else {}
    ),
    "beta_not_yet": lambda f: (
        expect(
            " required" in f.text("undefined_reason"),
            found=int(f.text("undefined_reason").split()[0]),
            required=int(f.text("undefined_reason").split()[-2]),
        )
        if _undefined(f, f.num_positions >= 1) and " required" in f.text("undefined_reason")
        else {}
    ),
    "prices_missing": lambda f: expect(
        f.price_coverage < 1 and unpriced_instruments(f) is None, coverage=f.price_coverage
    ),
    "prices_missing_of": lambda f: expect(
        f.price_coverage < 1 and unpriced_instruments(f) is not None,
        coverage=f.price_coverage,
        positions=unpriced_instruments(f),
    ),
    "alerts_unchanged": _unchanged,
    "risk_undefined": lambda f: _undefined(f, f.num_positions > 1, count=f.num_positions),
    "risk_undefined_one": lambda f: _undefined(f, f.num_positions == 1),
    "weights_unknown": _weights_unknown,
    "equity_negative": lambda f: expect(f.total_value < 0, amount=-f.total_value),
}
"""Form to its expected instances."""

BECAUSE: Mapping[str, str] = {
    "headline_var_exceeded": "var_exceeded",
    "headline_var_exceeded_far": "var_exceeded_far",
    "headline_var_held_nearly": "var_held_nearly",
    "headline_limits_back": "limits_back",
    "headline_limits_worse": "limits_worse",
    "headline_gain_left": "gain_left_window",
    "headline_loss_left": "loss_left_window",
    "headline_prices_missing": "prices_missing",
    "headline_prices_missing_of": "prices_missing_of",
    "headline_largest_loss": "largest_loss",
    "headline_largest_gain": "largest_gain",
    "headline_var_too_low": "var_too_low",
    "headline_risk_undefined": "risk_undefined",
    "headline_risk_undefined_one": "risk_undefined_one",
    "headline_exceeds": "position_exceeds",
    "headline_volatility_highest": "volatility_highest",
    "headline_volatility_lowest": "volatility_lowest",
    "headline_equity_negative": "equity_negative",
    "headline_unusual_loss": "unusual_loss",
    "headline_unusual_gain": "unusual_gain",
    "headline_fall_against": "market_fall_against",
    "headline_rise_against": "market_rise_against",
    "headline_dominates": "position_dominates",
    "headline_risk_heavy": "position_risk_heavy",
    "headline_shorts_add": "shorts_add",
    "headline_shorts_reduce": "shorts_reduce",
    "headline_deepest": "drawdown_deepest",
    "headline_fall_in_line": "market_fall_in_line",
    "headline_rise_in_line": "market_rise_in_line",
    "headline_own_limit": "own_limit_breached",
    "headline_own_limit_of": "own_limit_breached_of",
    "headline_own_limit_changed": "own_limit_changed",
    "headline_own_limit_changed_of": "own_limit_changed_of",
    "headline_own_limit_first": "own_limit_first",
    "headline_own_limit_first_of": "own_limit_first_of",
    "headline_own_limit_worse": "own_limit_worse",
    "headline_own_limit_worse_of": "own_limit_worse_of",
    "headline_limit_sold": "limit_sold",
    "headline_own_limit_ended": "own_limit_ended",
    "headline_own_limit_ended_of": "own_limit_ended_of",
    "headline_pair": "pair_share",
    "headline_explains_little": "market_explains_little",
    "headline_specific": "risk_specific",
    "headline_loss": "session_loss_amount",
    "headline_gain": "session_gain_amount",
    "headline_calm": "volatility_calm",
    "headline_high": "volatility_high",
    "headline_volatility": "volatility_level",
    "headline_weights": "largest_weight",
    "headline_scenario": "scenario_cost",
    "headline_drawdown": "drawdown",
    "headline_equity": "equity",
    "headline_var_held": "var_held",
    "headline_not_split": "not_split",
    "headline_unchecked": "weights_unknown",
    "look_at_run": "weights_unknown",
    "headline_own_limit_others": "own_limit_others",
    "headline_losses_spread": "losses_spread",
    "headline_gains_spread": "gains_spread",
    "headline_modest_loss": "small_loss",
    "headline_modest_gain": "small_gain",
    "look_at_driver": "driver_of_loss",
    "look_at_var": "var_too_low",
    "look_at_pair": "pair_share",
    "look_at_equity": "equity_negative",
}
"""Headline or advice to the statement whose truth it shares, with its subject."""


def _is_market_made(f: Figures) -> bool:
    """Return whether beta and market imply more than half of the result, with the same sign.

    Not if a position made more of it than that, more than its weight, and more than its risk.
    """
    implied, own = f.previous_own_beta * f.market_return, f.daily_return
    if not (implied * own > 0 and abs(implied) > abs(own) / 2):
        return False
    alias, pnl, _ = _largest(f, 1 if f.daily_pnl > 0 else -1)
    part = pnl / f.daily_pnl if alias and f.daily_pnl else 0.0
    least = (implied / own, f.of(alias, "weight"), f.of(alias, "share")) if alias else (1.0,)
    return not part > max(each for each in least if known(each))


def _is_market_cause(f: Figures) -> bool:
    """Return whether the market made the result, and half of the risk as far as is known."""
    return _is_market_made(f) and not (f.market_r_squared < 0.5 or f.specific_share > 0.5)


def _is_quiet(f: Figures) -> bool:
    """Return whether result, market and volatility moved little, and no alert has news."""
    least = 0.005 * abs(f.total_value)
    has_large_offsets = abs(f.winners_pnl) >= least and abs(f.losers_pnl) >= least
    return _is_uneventful(f) and not (_is_market_notable(f) or has_large_offsets)


def _is_market_notable(f: Figures) -> bool:
    """Return whether the market moved by 1%, or 0.5% with 0.6 points between beta and result."""
    gap, market = f.daily_return - f.previous_own_beta * f.market_return, abs(f.market_return)
    return market >= 0.01 or (market >= 0.005 and abs(gap) > 0.006)


def _flat(f: Figures, direction: int) -> set[str]:
    is_flat = abs(f.daily_return) < 0.0025 and direction * f.market_return > 0
    return {""} if is_flat and _is_uneventful(f) and _is_market_notable(f) else set()


def _is_uneventful(f: Figures) -> bool:
    """Return whether the result is small, volatility moved little, and no alert has news."""
    rate, var = abs(f.daily_return), f.previous_var_95
    is_small = rate < 0.005 and (rate < 0.25 * var or (known(var) and rate < 0.0005))
    has_moved = _volatility_moved(f, 1) or _volatility_moved(f, -1)
    has_news = _has_alert_news(f) or bool(_sold(f))
    return is_small and not (has_moved or has_news)


def _is_beyond_noise(f: Figures) -> bool:
    """Return whether the rest is 1.5 residual volatilities of a day, or more."""
    yearly = f.specific_volatility
    if isnan(yearly):
        yearly = sqrt(f.volatility_21d**2 * (1 - f.market_r_squared))
    rest = f.daily_return - f.previous_own_beta * f.market_return
    return sqrt(252) * abs(rest) >= 1.5 * yearly


def _rest(f: Figures, form_id: str, *, is_better: bool = False) -> set[str]:
    """Return the portfolio if a result differs from the implied one, and not by noise."""
    holds = STATEMENTS[form_id](f) and _is_beyond_noise(f)
    if is_better and (_is_large_loss(f) or f.daily_return < f.market_return):
        return set()
    return {""} if holds else set()


def _inverse_implied(f: Figures, direction: int) -> set[str]:
    implied = f.previous_own_beta * f.market_return
    holds = _inverse(f, direction) and 0.5 <= f.daily_return / implied <= 2
    return {""} if holds else set()


def _leads(f: Figures, sign: int, found: Expected) -> set[str]:
    """Return a position with a quarter of its side, which did not make most of the result."""
    _, pnl, share = _largest(f, sign)
    is_most = share >= 0.55 and abs(pnl) <= abs(f.daily_pnl)
    is_more = abs(pnl) > abs(f.daily_pnl)
    leads = share >= 0.25 and sign * f.daily_pnl > 0 and not is_most and not is_more
    return set(found) if leads else set()


def _led(f: Figures, sign: int, found: Expected) -> set[str]:
    """Return a position that leads a result that is not trivial."""
    return set() if abs(f.daily_return) < 0.0005 else _leads(f, sign, found)


def _all_leads(f: Figures, sign: int) -> set[str]:
    return _leads(f, sign, {**_largest_below_half(f, sign), **_main_position(f, sign)})


def _cause(f: Figures, sign: int, main: Expected) -> set[str]:
    """Return the position that drove the result: clearly more than half of it.

    ``main`` is that position. It made half of the sum of its sign, and more than its weight and
    risk; the result is at least a tenth of a percent of equity, and not mainly that of a market
    that moved by a fiftieth.
    """
    alias, pnl, _ = _largest(f, sign)
    part = pnl / f.daily_pnl if f.daily_pnl else nan
    holds = main and sign * f.daily_pnl > 0 and part >= 0.55
    holds = holds and not (abs(f.market_return) >= 0.02 and _is_market_made(f))
    holds = holds and not abs(f.daily_pnl) < 0.001 * abs(f.total_value)
    is_usual = part <= f.of(alias, "weight") or part <= f.of(alias, "share")
    return {alias} if holds and not is_usual else set()


def _cause_of(f: Figures, sign: int, what: str) -> set[str]:
    return _cause(f, sign, STATEMENTS[f"position_{what}"](f))


def _most_of(f: Figures, sign: int, what: str) -> set[str]:
    """Return the position that drove the result, of which it made most, and not more than all.

    Others offset a part of the result, so that most is counted of the sum of its own sign.
    """
    _, pnl, share = _largest(f, sign)
    is_most = share >= 0.55 and abs(pnl) <= abs(f.daily_pnl)
    return _cause_of(f, sign, what) if is_most else set()


def _more_than(f: Figures, sign: int, what: str) -> set[str]:
    """Return the position that drove the result, and made more than the others lost together."""
    own = _largest(f, sign)[1]
    others = f.winners_pnl + f.losers_pnl - own
    return _cause_of(f, sign, what) if sign * others < 0 and abs(own) > abs(others) else set()


def _sharp(f: Figures, sign: int) -> set[str]:
    """Return the portfolio if its volatility moved by a fifth, not by a day that left."""
    before = f.volatility_21d - f.volatility_21d_change
    is_sharp = abs(f.volatility_21d_change) >= 0.2 * before
    is_explained = bool(_left(f, 1) or _left(f, -1))
    return {""} if _volatility_moved(f, sign) and is_sharp and not is_explained else set()


def _severe(f: Figures, kind: str, prefix: str = "") -> set[str]:
    """Return the things, or the portfolio, from the limit of a kind that is looked at."""
    second = {"weight": 0.2, "gross": 0.6, "beta": 1.5, "drawdown": 0.2, "gross_to_equity": 1.5}
    return {
        alias
        for alias in (f.things(prefix) if prefix else [""])
        if _limit(f, kind, alias) >= second[kind]
    }


def _large(f: Figures, form_id: str, cause: str) -> set[str]:
    """Return whose a large result is that a form states: the market's, or a position's."""
    sign = -1 if form_id.endswith("loss") else 1
    if not STATEMENTS[form_id](f):
        return set()
    if cause == "market":
        return _made_by_market(f, sign, "worse" if sign < 0 else "better", "in_line")
    if cause == "less":
        return _made_by_market(f, sign, "better" if sign < 0 else "worse")
    if _is_market_made(f):
        return set()
    if cause == "led":
        return _all_leads(f, sign)
    return _made_most(f, sign)


def _made_most(f: Figures, sign: int) -> set[str]:
    """Return the position with most of the sum of its sign, and at most the result."""
    _, pnl, share = _largest(f, sign)
    holds = share >= 0.55 and abs(pnl) <= sign * f.daily_pnl
    return {*_main_position(f, sign), *_sole(f, sign)} if holds else set()


def _made_by_market(f: Figures, direction: int, *names: str) -> set[str]:
    """Return the portfolio if a statement about beta and market holds, and they made most."""
    move = "fall" if direction < 0 else "rise"
    holds = any(STATEMENTS[f"market_{move}_{name}"](f) for name in names)
    return {""} if holds and _is_market_made(f) else set()


def _beyond_var(f: Figures, form_id: str, cause: str) -> set[str]:
    """Return whose a loss beyond the value at risk is: the market's, or a position's."""
    if not STATEMENTS[form_id](f):
        return set()
    if cause == "market":
        return _made_by_market(f, -1, "worse", "in_line")
    if cause == "less":
        return _made_by_market(f, -1, "better")
    if _is_market_made(f):
        return set()
    if cause == "led":
        return _all_leads(f, -1)
    return _made_most(f, -1)


def _half_of_loss(f: Figures) -> set[str]:
    """Return the largest loser if it made half of the loss, of several positions with a result."""
    counted = sum(each for each in (f.n_losers, f.n_winners) if known(each))
    alias, pnl, _ = _largest(f, -1)
    return {alias} if counted >= 2 and 2 * pnl <= f.daily_pnl < 0 else set()


def _drawdown_to_look_at(f: Figures, *, is_named: bool) -> set[str]:
    """Return the riskiest position if it makes a quarter of the risk, else the portfolio."""
    first = {alias for alias in f.things("POS") if f.rank(alias, "share") == 1}
    has_much = any(0.25 <= f.of(alias, "share") <= 1 for alias in first)
    return _severe(f, "drawdown") if has_much == is_named else set()


def _large_trade(f: Figures, form_id: str) -> set[str]:
    """Return the portfolio if a twentieth of equity was opened, closed or resized."""
    is_large = traded_share(f, form_id) >= 0.05
    return {""} if TRADE_STATEMENTS[form_id](f) and is_large else set()


SUBJECTS: Mapping[str, Callable[[Figures], set[str]]] = {
    "look_at_prices": lambda f: {""} if f.price_coverage < 1 else set(),
    "look_at_trade": lambda f: set(_traded_past(f)),
    "headline_by_trade": lambda f: set(_traded_past(f)),
    **{
        f"headline_{form_id}": partial(_large_trade, form_id=form_id)
        for form_id in TRADE_STATEMENTS
    },
    "headline_limit_position": lambda f: _led_by(f, "weight", has_share=False),
    "headline_limit_position_share": lambda f: _led_by(f, "weight", has_share=True),
    **{
        f"headline_{form_id}": partial(_led_by_sector, form_id=form_id)
        for form_id in ("limit_sector", "limit_sector_of")
    },
    "headline_limit_beta": lambda f: _led_by(f, "beta"),
    "headline_limit_drawdown": lambda f: _led_by(f, "drawdown"),
    "headline_limit_leverage": lambda f: _led_by(f, "gross_to_equity"),
    "headline_limits_known": lambda f: {""} if _happened(f, "known") else set(),
    "headline_fall_made": lambda f: _made_by_market(f, -1, "worse"),
    "headline_rise_made": lambda f: _made_by_market(f, 1, "better"),
    "headline_fall_less": lambda f: _made_by_market(f, -1, "better"),
    "headline_rise_less": lambda f: _made_by_market(f, 1, "worse"),
    **{
        f"headline_{form_id}_{cause}": partial(_beyond_var, form_id=form_id, cause=cause)
        for form_id in ("var_exceeded", "var_exceeded_far")
        for cause in ("market", "less", "position", "led")
    },
    **{
        f"headline_{kind}_{what}_{cause}": partial(_large, form_id=f"{kind}_{what}", cause=cause)
        for kind in ("unusual", "largest")
        for what in ("loss", "gain")
        for cause in ("market", "less", "position", "led")
    },
    **{
        f"headline_one_{what}{suffix}": partial(_most_of, sign=sign, what=f"{what}{suffix}")
        for what, sign in (("loss", -1), ("gain", 1))
        for suffix in ("", "_offset", "_sole")
    },
    **{
        f"headline_outweighed_{others}{suffix}": partial(
            _more_than, sign=sign, what=f"{what}{suffix}"
        )
        for what, others, sign in (("loss", "gains", -1), ("gain", "losses", 1))
        for suffix in ("", "_offset", "_sole")
    },
    "headline_led_loss": lambda f: _led(f, -1, _largest_below_half(f, -1)),
    "headline_led_gain": lambda f: _led(f, 1, _largest_below_half(f, 1)),
    "headline_led_loss_main": lambda f: _led(f, -1, _main(f, -1, is_offset=False)),
    "headline_led_gain_main": lambda f: _led(f, 1, _main(f, 1, is_offset=False)),
    "headline_led_loss_offset": lambda f: _led(f, -1, _main(f, -1, is_offset=True)),
    "headline_led_gain_offset": lambda f: _led(f, 1, _main(f, 1, is_offset=True)),
    "headline_fall_inverse": lambda f: {""} if f.daily_return > 0 and _inverse(f, -1) else set(),
    "headline_rise_inverse": lambda f: {""} if f.daily_return < 0 and _inverse(f, 1) else set(),
    "headline_fall_worse": lambda f: _rest(f, "market_fall_worse"),
    "headline_fall_better": lambda f: _rest(f, "market_fall_better", is_better=True),
    "headline_rise_better": lambda f: _rest(f, "market_rise_better"),
    "headline_rise_worse": lambda f: _rest(f, "market_rise_worse"),
    "headline_fall_inverse_implied": lambda f: _inverse_implied(f, -1),
    "headline_rise_inverse_implied": lambda f: _inverse_implied(f, 1),
    "headline_volatility_rose": lambda f: _sharp(f, 1),
    "headline_volatility_fell": lambda f: _sharp(f, -1),
    "headline_quiet": lambda f: {""} if _is_quiet(f) else set(),
    "headline_quiet_critical": lambda f: (
        {""} if _is_quiet(f) and "critical" in [_level(f, *each) for each in _reached(f)] else set()
    ),
    "headline_flat_rise": lambda f: _flat(f, 1),
    "headline_flat_fall": lambda f: _flat(f, -1),
    "headline_week_down": lambda f: {""} if _is_quiet(f) and f.return_5d <= -0.04 else set(),
    "headline_week_up": lambda f: {""} if _is_quiet(f) and f.return_5d >= 0.04 else set(),
    "headline_cash": lambda f: (
        {""}
        if 0.9 * f.total_value <= f.cash_value <= f.total_value
        and f.total_value > 0
        and abs(f.market_return) >= 0.01
        and abs(f.daily_return) <= 0.1 * abs(f.market_return)
        else set()
    ),
    "look_at_split": lambda f: (
        {""}
        if STATEMENTS["not_split"](f)
        and f.daily_pnl < 0
        and f.daily_return < 0
        and (-f.daily_return > f.previous_var_95 > 0 or _is_within(f))
        else set()
    ),
    "headline_answer": lambda f: {""} if known(f.total_value) else set(),
    "headline_no_result": lambda f: (
        {""}
        if known(f.total_value) and "daily_pnl" not in f.sheet.facts and f.sheet.before
        else set()
    ),
    "headline_first": lambda f: (
        {""}
        if known(f.total_value) and "daily_pnl" not in f.sheet.facts and not f.sheet.before
        else set()
    ),
    "headline_beta": lambda f: {""} if known(f.beta) else set(),
    "headline_factors": lambda f: {""} if known(f.specific_share) else set(),
    "headline_rates": lambda f: {""} if known(f.rate_beta) else set(),
    "headline_correlation": lambda f: {""} if known(f.average_correlation) else set(),
    "headline_liquidity": lambda f: {""} if known(f.days_to_liquidate) else set(),
    "headline_active": lambda f: {""} if known(f.tracking_error) else set(),
    "headline_drawdown_level": lambda f: {""} if known(f.drawdown) else set(),
    "headline_exposure": lambda f: {""} if f.num_short_positions > 0 else set(),
    "look_at_beta": lambda f: _severe(f, "beta"),
    "look_at_market_loss": lambda f: (
        {""}
        if _is_large_loss(f)
        and f.own_beta >= 0.5
        and f.market_return < 0
        and _is_market_cause(f)
        and not _half_of_loss(f)
        and (
            (known(f.beta) and abs(f.beta_change_21d) >= 0.1)
            or -f.daily_return > f.previous_var_95 > 0
        )
        else set()
    ),
    "look_at_detractor": lambda f: _half_of_loss(f) if _is_large_loss(f) else set(),
    "look_at_common": lambda f: (
        {""}
        if _is_large_loss(f)
        and known(f.previous_own_beta, f.market_return)
        and f.n_losers >= 3
        and 2 * _largest(f, -1)[1] > f.daily_pnl
        and not _is_market_cause(f)
        else set()
    ),
    "look_at_trades": lambda f: (
        {""}
        if _is_large_loss(f)
        and STATEMENTS["not_split"](f)
        and any(each > 0 for each in (f.n_opened, f.n_closed, f.n_resized))
        else set()
    ),
    "look_at_history": lambda f: (
        {""} if STATEMENTS["risk_undefined"](f) or STATEMENTS["risk_undefined_one"](f) else set()
    ),
    "look_at_leverage": lambda f: _severe(f, "gross_to_equity"),
    "look_at_drawdown": lambda f: _drawdown_to_look_at(f, is_named=False),
    "look_at_drawdown_position": lambda f: _drawdown_to_look_at(f, is_named=True),
}
"""Headline or advice to the subjects for which it is true."""


def _riskiest(f: Figures) -> set[str]:
    """Return the position with most of the risk, of those that make much for their size.

    The first of equals: what is looked at, size or risk, is that of one position.
    """
    found = {
        alias: f.of(alias, "share")
        for form_id in ("position_dominates", "position_exceeds", "position_risk_heavy")
        for alias in STATEMENTS[form_id](f)
        if f.of(alias, "share") >= 0.25
    }
    equals = sorted(alias for alias, share in found.items() if share == max(found.values()))
    return set(equals[:1])


def _own_limit_to_look_at(f: Figures, *, has_subject: bool) -> set[str]:
    """Return the exceeded limits: new before old, of the portfolio before those of a thing."""
    for state in ("breached", "changed", "first", "worse", "exceeded"):
        for suffix in ("", "_of"):
            if found := set(RISK_STATEMENTS[f"own_limit_{state}{suffix}"](f)):
                return found if bool(suffix) == has_subject else set()
    return set()


def _size_to_look_at(f: Figures) -> set[str]:
    """Return the positions from 20% with an alert that does not stand, or the largest of them."""
    severe = _severe(f, "weight", "POS")
    moved = {alias for alias in severe if _event(f, "weight", alias) != "stands"}
    first = sorted(
        moved or (set() if _riskiest(f) else severe),
        key=lambda alias: (
            _event(f, "weight", alias) == "worse",
            ("critical", "warning").index(_level(f, "weight", alias)),
            -f.of(alias, "weight") / _limit(f, "weight", alias),
            alias,
        ),
    )
    return set(first[:1])


CHOICES: Mapping[str, Callable[[Figures], set[str]]] = {
    "look_at_position": lambda f: (
        {alias for alias in _riskiest(f) if f.of(alias, "weight") >= 0.4} - _size_to_look_at(f)
    ),
    "look_at_size": _size_to_look_at,
    "look_at_risk": lambda f: {
        alias
        for alias in _riskiest(f)
        if 0.05 <= f.of(alias, "weight") < 0.4
        and f.num_positions >= 3
        and f.of(alias, "share") <= 1
    },
    "look_at_own_limit": lambda f: _own_limit_to_look_at(f, has_subject=False),
    "look_at_own_limit_others": lambda f: set(RISK_STATEMENTS["own_limit_others"](f)),
    "look_at_own_limit_of": lambda f: _own_limit_to_look_at(f, has_subject=True),
    "look_at_sector": lambda f: _severe(f, "gross", "SEC"),
}
"""Advice about one of several things: exactly one of them, if there are any."""

"""Fact sheets with random and boundary figures, consistent in themselves."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, timedelta
from random import Random

from riskmetrics.insights.alert_facts import UNKNOWN_START
from riskmetrics.insights.fact_sheet import Sheet, without_broken_facts
from riskmetrics.insights.fact_types import FACT_TYPES
from riskmetrics.insights.facts import Fact, make_fact
from riskmetrics.insights.severity import default_limits

DAY = date(2022, 12, 28)
KEY = {"portfolio_id": "p", "day": DAY.isoformat()}
ALIASES: Mapping[str, dict[str, str]] = {
    **{f"POS_{n:02}": {"symbol": f"SYM{n}"} for n in range(1, 7)},
    "SEC_01": {"sector": "Energy"},
    "SEC_02": {"sector": "Health Care"},
    "SEC_03": {"sector": "Fund, not looked through"},
    "SEC_04": {"sector": "Utilities"},
    **{f"SCN_{n:02}": {"scenario": f"scenario {n}"} for n in range(1, 4)},
    "FAC_01": {"factor": "momentum"},
    "FAC_02": {"factor": "low volatility"},
    "LIM_01": {"limit": "beta"},
    "LIM_02": {"limit": "single positions", "of": "POS_01"},
    "LIM_03": {"limit": "tracking error"},
}
ABOUT = {
    **dict.fromkeys(("weight", "share", "side", "fund", "pnl", "weight_streak"), "POS"),
    **dict.fromkeys(("weight_alert", "weight_away", "weight_left", "weight_now"), "POS"),
    "weight_kept": "POS",
    "gross_kept": "SEC",
    **dict.fromkeys(("quantity_increase", "quantity_decrease", "turned"), "POS"),
    **dict.fromkeys(("opened", "closed", "traded_from", "traded_to"), "POS"),
    **dict.fromkeys(("unpriced", "in_sector", "with_options"), "POS"),
    **dict.fromkeys(("n_in_sector", "through_funds"), "SEC"),
    **dict.fromkeys(("gross_alert", "gross_away", "gross_left", "gross_now"), "SEC"),
    **dict.fromkeys(("pnl_5d", "pnl_21d", "highest_correlation"), "POS"),
    **dict.fromkeys(("position_beta", "position_beta_error"), "POS"),
    **dict.fromkeys(("position_volatility", "position_expected"), "POS"),
    **dict.fromkeys(("factor_exposure", "factor_error", "factor_share"), "FAC"),
    **dict.fromkeys(("checked", "checked_limit", "checked_number", "checked_number_limit"), "LIM"),
    **dict.fromkeys(("limit_status", "limit_status_before", "limit_alert"), "LIM"),
    **dict.fromkeys(("exceeded_since", "limit_sessions", "limit_stated_day"), "LIM"),
    **dict.fromkeys(("checked_stated", "checked_number_stated"), "LIM"),
    **dict.fromkeys(("weight_stated", "weight_stated_day"), "POS"),
    **dict.fromkeys(("gross_stated", "gross_stated_day"), "SEC"),
    **dict.fromkeys(("gross", "net", "benchmark", "active", "gross_streak"), "SEC"),
    **dict.fromkeys(("result", "market_move"), "SCN"),
}
"""Types about positions, sectors, scenarios, factors or limits, and the prefix of their aliases."""

RANKED = {
    **dict.fromkeys(("weight", "share", "gross", "active", "factor_share"), -1),
    "result": 1,
}
"""Types with a rank; -1: the largest has rank 1."""

_EDGES = (
    *(0.0, 0.001, 0.0095, 0.01, 0.02, 0.03, 0.05, 0.06, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4),
    *(0.5, 0.6, 0.8, 0.85, 0.9, 0.95, 0.995, 1.0),
)
_NUMBER_EDGES = (0.0, 0.2, 0.9, 1.0, 1.05, 1.1, 1.2, 1.5, 2.0, 3.0)
_EVENTS = ("reached", "back", "worse", "stands", "known")
_WORDS: Mapping[str, tuple[str | float, ...]] = {
    "volatility_trend": ("increasing", "stable"),
    "side": ("long", "short"),
    "fund": ("fund", "other", "other"),
    **dict.fromkeys(("loss_rank", "gain_rank"), (1, 2, 5, 6, 100)),
    **dict.fromkeys(("limit_status", "limit_status_before"), ("kept", "exceeded", "undefined")),
    **dict.fromkeys((name for name in FACT_TYPES if name.endswith("_streak")), (1, 2, 40)),
    **dict.fromkeys((name for name in FACT_TYPES if name.endswith("_away")), (1, 3, 5)),
    **dict.fromkeys((f"{name}_alert" for name in default_limits()), _EVENTS),
    "limit_alert": (*_EVENTS, *["known"] * 8),
    **{
        f"{name}_{what}": (*limits.values(),)
        for name, limits in default_limits().items()
        for what in ("left", "kept")
    },
    "unpriced": ("no price",),
    "in_sector": ("Energy", "Health Care", "Utilities"),
    "opened": ("opened",),
    "closed": ("closed",),
    "turned": ("long", "short"),
    "with_options": ("with options",),
    "undefined_reason": (
        "12 paired returns in the trailing 90 sessions; 60 required",
        "the market index did not move in the window",
    ),
}
_NUMBERS = {"days_to_liquidate": (0.2, 1.0, 1.01, 4.99, 5.0, 9.96, 12.0)}
_SIGNED = ("net_to_equity", "rate_beta", "factor_exposure", "information_ratio")
"""Types of either sign whose unit does not say so."""

_COUNTS = (0, 1, 2, 3, 4, 5, 12, 13, 60, 252)


def build_sheet(
    facts: Mapping[str, float | str],
    *,
    ranks: Mapping[str, int] | None = None,
    n_obs: int = 252,
    qualities: Mapping[str, str] | None = None,
    aliases: Mapping[str, dict[str, str]] = ALIASES,
) -> Sheet:
    """Return a sheet of facts by id, such as beta or pos_01_weight; ranks follow the values."""
    found = {}
    given = dict(qualities or {})
    for fact_id, value in (_alerts_of_streaks(facts, given) | dict(facts)).items():
        alias = fact_id[:6].upper() if fact_id[:6].upper() in aliases else None
        kind = FACT_TYPES[fact_id[7:] if alias else fact_id]
        found[fact_id] = make_fact(
            kind, value, DAY, KEY, "USD", entity=alias, n_obs=n_obs,
            quality=given.get(fact_id, "ok"), rank=(ranks or {}).get(fact_id),
        )  # fmt: skip
    return Sheet("p", DAY, _ranked(found, ranks or {}), dict(aliases))


def _alerts_of_streaks(
    facts: Mapping[str, float | str], qualities: Mapping[str, str]
) -> dict[str, float | str]:
    """Return what happened to the alerts of which only the number of sessions is given."""
    found: dict[str, float | str] = {}
    for fact_id in (each for each in facts if each.endswith("_streak") and "losing" not in each):
        stem = fact_id.removesuffix("_streak")
        first = "back" if f"{stem}_away" in facts else "reached"
        if qualities.get(fact_id) == UNKNOWN_START:
            first = "known"
        found[f"{stem}_alert"] = first if facts[fact_id] == 1 else "stands"
    return found


def _ranked(facts: Mapping[str, Fact], given: Mapping[str, int]) -> dict[str, Fact]:
    found = dict(facts)
    for kind, sign in RANKED.items():
        of_kind = [fact for fact in facts.values() if fact.fact_type.name == kind]
        of_kind.sort(key=lambda fact: (sign * float(fact.value), fact.id))
        for rank, fact in enumerate(of_kind, start=1):
            if fact.id not in given:
                found[fact.id] = replace(fact, rank=rank)
    return found


def random_sheet(random: Random) -> Sheet:
    """Return a sheet of random and boundary figures, some of them missing."""
    dropped = random.choice((0.0, 0.05, 0.3))
    facts: dict[str, float | str] = {}
    for name in FACT_TYPES:
        prefix = ABOUT.get(name)
        entities = [alias for alias in ALIASES if alias[:3] == prefix] if prefix else [None]
        for alias in entities:
            if random.random() >= dropped:
                fact_id = f"{alias.lower()}_{name}" if alias else name
                facts[fact_id] = _random_value(random, name)
    _relate(random, facts)
    if random.random() < 0.05:
        kept = ("total_value", "num_positions", "undefined_reason")
        facts = {name: facts[name] for name in kept if name in facts}
    for debt in ("total_value", "cash_value"):
        if debt in facts and random.random() < 0.05:
            facts[debt] = -100.0
    streaks = [name for name in facts if name.endswith("_streak")]
    qualities = {name: UNKNOWN_START for name in streaks if random.random() < 0.3}
    if random.random() < 0.3:
        qualities |= dict.fromkeys(("days_to_liquidate", "sold_in_5d"), "covers 90% of gross value")
    n_obs = random.choice((60, 126, 252))
    return without_broken_facts(build_sheet(facts, qualities=qualities, n_obs=n_obs))


def _random_value(random: Random, name: str) -> float | str:
    unit = FACT_TYPES[name].unit
    if name.endswith(("_day", "_peak", "_since")):
        return (DAY - timedelta(days=random.choice((0, 1, 30, 400)))).isoformat()
    choices = _WORDS.get(name) or _NUMBERS.get(name) or (_COUNTS if unit == "count" else ())
    if choices:
        return random.choice(choices)
    if unit.endswith("money"):
        size = random.choice((0.0, 0.5, 12.0, random.uniform(1, 90_000)))
        return round(size * (random.choice((-1, 1)) if unit.startswith("signed") else 1), 2)
    is_signed = "signed" in unit or "points" in unit or name in _SIGNED
    edges = _NUMBER_EDGES if unit.endswith("number") else _EDGES
    size = random.choice((random.choice(edges), random.uniform(0.0, 1.0), random.uniform(0, 0.1)))
    return size * (random.choice((-1, 1)) if is_signed else 1)


def _relate(random: Random, facts: dict[str, float | str]) -> None:
    """Make figures consistent, and some equal to the figure that they are compared with."""

    def has(*names: str) -> bool:
        return all(name in facts for name in names)

    if has("daily_pnl", "daily_return"):
        sign = 1 if float(facts["daily_pnl"]) > 0 else -1
        facts["daily_return"] = sign * abs(float(facts["daily_return"]))
    _relate_tail(random, facts, has)
    if random.random() < 0.1:  # a session of usual moves, and a sector that is not held
        facts |= {name: 1.0 for name in facts if name.endswith("_usual_change")}
        facts |= {name: "stands" for name in facts if name.endswith("_alert")}
        facts |= {"sec_02_gross": 0.0, "sec_02_net": 0.0, "sec_02_benchmark": 1.0}
        facts["sec_02_active"] = -1.0
    _relate_trades(random, facts)
    _relate_names(random, facts)
    _relate_rare(random, facts, has)
    _relate_intervals(random, facts, has)
    _relate_limits(random, facts)
    _keep_one_pair(facts)
    if has("drawdown", "max_drawdown"):
        facts["drawdown"] = min(float(facts["drawdown"]), float(facts["max_drawdown"]))
    if has("volatility_21d", "volatility_21d_change", "left_return", "daily_return"):
        _let_a_return_leave(random, facts)
    if has("pos_01_pnl", "total_value", "winners_pnl", "losers_pnl") and random.random() < 0.08:
        _keep_one_holding(random, facts)
    if has("winners_pnl", "losers_pnl", "daily_pnl"):
        _add_up(random, facts)
    if has("daily_return", "previous_own_beta", "market_return") and random.random() < 0.3:
        implied = float(facts["daily_return"]) / random.choice((0.5, 0.79, 0.81, 1.0, 1.19, 1.21))
        facts["market_return"] = implied / max(float(facts["previous_own_beta"]), 0.1)
    for over in ("_5d", "_21d"):
        facts |= {name: each for name, each in _sums(facts, over).items() if name in facts}


def _relate_trades(random: Random, facts: dict[str, float | str]) -> None:
    """Leave at most one thing that trades did to each position, and count the positions."""
    kinds = ("opened", "closed", "quantity_increase", "quantity_decrease", "turned")
    for number in range(1, 7):
        if random.random() < 0.8:
            facts.pop(f"pos_{number:02}_with_options", None)
        kept = random.choice((*kinds, *[""] * 5))
        for kind in kinds:
            if kind != kept:
                facts.pop(f"pos_{number:02}_{kind}", None)
    traded = [name[7:] for name in facts if name[7:] in kinds]
    for counted in ("n_opened", "n_closed", "n_resized"):
        of_kind = kinds[2:] if counted == "n_resized" else (counted[2:],)
        _count_at_least(random, facts, counted, sum(each in of_kind for each in traded))


def _relate_names(random: Random, facts: dict[str, float | str]) -> None:
    """Leave few positions without a price, and count those and the positions of sectors."""
    for name in [each for each in facts if each.endswith("_unpriced") and each != "n_unpriced"]:
        if random.random() < 0.6:
            del facts[name]
    unpriced = sum(each.startswith("pos") and each.endswith("_unpriced") for each in facts)
    _count_at_least(random, facts, "n_unpriced", unpriced)
    for alias in ("SEC_01", "SEC_02", "SEC_03", "SEC_04"):
        sector = ALIASES[alias]["sector"]
        held = sum(name.endswith("_in_sector") and facts[name] == sector for name in facts)
        _count_at_least(random, facts, f"{alias.lower()}_n_in_sector", held)


def _count_at_least(
    random: Random, facts: dict[str, float | str], counted: str, named: int
) -> None:
    """Let a number be that of what is named, or more; in a tenth of the sheets, any number."""
    if counted in facts and random.random() < 0.9:
        facts[counted] = named + random.choice((0, 0, 1, 7))


def _relate_tail(random: Random, facts: dict[str, float | str], has: Callable[..., bool]) -> None:
    """Set values at risk just below, at, or just above the size of the return."""
    if has("daily_return", "previous_var_95") and random.random() < 0.3:
        facts["previous_var_95"] = abs(float(facts["daily_return"])) * random.choice(
            (0.99999, 1.0, 1.00001, 2.0, 4.0)
        )
    if has("daily_return", "previous_var_95_historical"):
        facts["previous_var_95_historical"] = abs(float(facts["daily_return"])) * random.choice(
            (0.9, 0.99999, 1.0, 1.00001, 2.0)
        )


def _keep_one_pair(facts: dict[str, float | str]) -> None:
    """Leave the highest correlation to the first two positions."""
    ids = [f"pos_{number:02}_highest_correlation" for number in range(1, 7)]
    found = [each for each in ids if each in facts]
    for each in found[2:]:
        del facts[each]
    for each in found[1:2]:
        facts[each] = facts[found[0]]


def _relate_limits(random: Random, facts: dict[str, float | str]) -> None:
    """Set some limits just above, at, or just below the checked value; half have none."""
    if random.random() < 0.5:
        for name in [each for each in facts if each.startswith("lim_")]:
            del facts[name]
        return
    for alias in ("lim_01", "lim_02", "lim_03"):
        for kind in ("checked", "checked_number"):
            if f"{alias}_{kind}" in facts and random.random() < 0.5:
                scale = random.choice((0.9, 0.99999, 1.0, 1.00001, 1.1, 1.2))
                facts[f"{alias}_{kind}_limit"] = float(facts[f"{alias}_{kind}"]) * scale


def _sums(facts: Mapping[str, float | str], over: str) -> dict[str, float | str]:
    """Return the sums of the gains and losses of positions over some sessions."""
    end = f"_pnl{over}"
    pnl = [float(each) for name, each in facts.items() if name[:3] == "pos" and name[6:] == end]
    gains, losses = sum(max(each, 0.0) for each in pnl), sum(min(each, 0.0) for each in pnl)
    return {f"winners{end}": gains, f"losers{end}": losses}


def _relate_rare(random: Random, facts: dict[str, float | str], has: Callable[..., bool]) -> None:
    """Let the value at risk fail its test, or the worst scenario cost what the beta implies."""
    if has("var_exceptions", "var_p_value") and random.random() < 0.1:
        facts |= {"var_exceptions": random.choice((0, 3, 24)), "var_p_value": 0.001}
        facts |= {"var_expected": 12.6, "var_tested": 252}
    beta = "previous_own_beta"
    if has(beta, f"{beta}_error") and random.random() < 0.1:  # a beta that is clear or not
        error = random.choice((0.0, 0.05, 0.4))
        facts |= {f"{beta}_error": error, beta: -random.choice((1.99, 2.0, 3.0)) * error or -0.3}
    if has("own_beta", "market_r_squared", "num_positions") and random.random() < 0.1:
        facts |= {
            "num_positions": random.choice((1, 1, 2)),
            "own_beta": random.choice((0.99, 1.05)),
        }
        facts["market_r_squared"] = random.choice((0.98, 0.99, 1.0))
        if random.random() < 0.5:
            facts |= {name: "fund" for name in facts if name.endswith("_fund")}
    if has("pos_01_share") and random.random() < 0.1:  # the others offset a part
        facts["pos_01_share"] = random.choice((1.0, 1.00001, 1.2))
    if has("own_beta", "scn_01_market_move") and random.random() < 0.1:
        implied = float(facts["own_beta"]) * float(facts["scn_01_market_move"])
        facts |= {"scn_01_result": implied * random.choice((0.9001, 1.0, 1.0999, 1.2))}
        facts |= {name: 0.0 for name in ("scn_02_result", "scn_03_result") if name in facts}


def _keep_one_holding(random: Random, facts: dict[str, float | str]) -> None:
    """Leave one long position with a result, small or large for its value, and no trade."""
    for name in [each for each in facts if each.startswith("pos_") and each.endswith("_pnl")]:
        if name != "pos_01_pnl":
            del facts[name]
    gain = random.choice((-1, 1)) * float(facts["total_value"]) * random.choice((0.001, 0.05))
    facts |= dict.fromkeys(("n_opened", "n_closed", "n_resized"), 0)
    facts |= {"num_positions": 1, "pos_01_side": "long", "pos_01_weight": 0.6}
    facts |= {"pos_01_pnl": gain, "n_winners": int(gain > 0), "n_losers": int(gain < 0)}


def _relate_intervals(
    random: Random, facts: dict[str, float | str], has: Callable[..., bool]
) -> None:
    """Order the ends of intervals, with the middle within or at an end, or missed."""
    for low, middle, high in (
        ("expected_low", "expected_volatility", "expected_high"),
        ("past_low", "past_outcome", "past_high"),
    ):
        if has(low, middle, high):
            ends = sorted((float(facts[low]), float(facts[high])))
            facts[low], facts[high] = ends
            if low == "expected_low" or random.random() < 0.6:
                between = ends[0] + random.choice((0.0, 0.5, 1.0)) * (ends[1] - ends[0])
                facts[middle] = min(max(between, ends[0]), ends[1])


def _add_up(random: Random, facts: dict[str, float | str]) -> None:
    """Make the P&L of positions add up to that of the session."""
    if random.random() < 0.1:  # a loss that is spread
        facts |= {f"pos_{number:02}_pnl": -100.0 - number for number in range(1, 7)}
        facts["n_losers"] = 6
    gains, losses = map(float, _sums(facts, "").values())
    gains += random.choice((0.0, 0.0, 5_000.0))
    facts["winners_pnl"], facts["losers_pnl"] = gains, losses
    facts["daily_pnl"] = gains + losses
    if "daily_return" in facts:
        sign = 1 if gains + losses > 0 else -1
        facts["daily_return"] = sign * abs(float(facts["daily_return"]))


def _let_a_return_leave(random: Random, facts: dict[str, float | str]) -> None:
    """Make the volatility fall by what a return explains, to a random share."""
    now = float(facts["volatility_21d"])
    left, new = float(facts["left_return"]), float(facts["daily_return"])
    fall = (left**2 - new**2) / random.choice((0.69, 0.71, 1.0, 1.29, 1.31)) * 12
    if fall > 0:
        facts["volatility_21d_change"] = now - (now**2 + fall) ** 0.5

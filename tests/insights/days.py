"""Simulated days of a portfolio, plain or with one planted event."""

from collections.abc import Callable, Mapping
from random import Random

from riskmetrics.insights.fact_sheet import Sheet
from tests.insights.fact_sheets import build_sheet

EVENTS: Mapping[str, frozenset[str]] = {
    "value at risk exceeded": frozenset(
        {
            f"headline_var_exceeded{far}{cause}"
            for far in ("", "_far")
            for cause in ("", "_market", "_less", "_position", "_led")
        }
    ),
    "limit of a position": frozenset({"headline_limit_position_share"}),
    "limit of the beta": frozenset({"headline_limit_beta"}),
    "day left the window": frozenset({"headline_gain_left", "headline_loss_left"}),
    "one position's loss": frozenset({"headline_one_loss", "headline_one_loss_offset"}),
}
"""Planted event to the headlines that tell it."""

_N_POSITIONS = 6


def plain_day(random: Random) -> Sheet:
    """Return a day without event: a moderate portfolio, and a result of several positions."""
    return build_sheet(_plain(random))


def planted_day(random: Random, event: str) -> Sheet:
    """Return a plain day with one event, of a random size just or far beyond its edge."""
    facts = _plain(random)
    facts |= _PLANTED[event](random, facts)
    return build_sheet(facts)


def _plain(random: Random) -> dict[str, float | str]:
    volatility, equity = random.uniform(0.1, 0.4), random.uniform(20_000, 2_000_000)
    var = 1.65 * volatility / 252**0.5
    rate = random.uniform(-0.9, 0.9) * var
    pnl = [random.uniform(-1, 1) for _ in range(_N_POSITIONS)]
    shift = (sum(pnl) - (1 if rate > 0 else -1)) / _N_POSITIONS
    pnl = [(each - shift) * abs(rate) * equity for each in pnl]
    facts: dict[str, float | str] = _profit(pnl, equity)
    facts |= {
        "total_value": equity,
        "previous_var_95": var,
        "num_positions": 12,
        "num_short_positions": 0,
        "price_coverage": 1.0,
        "beta": random.uniform(0.5, 1.1),
        "beta_change": random.gauss(0, 0.005),
        "own_beta": random.uniform(0.5, 1.1),
        "previous_own_beta": random.uniform(0.5, 1.1),
        "own_beta_error": 0.05,
        "previous_own_beta_error": 0.05,
        "market_r_squared": 0.7,
        "beta_usual_change": 0.01,
        "volatility_21d": volatility,
        "volatility_21d_change": random.gauss(0, 0.003),
        "volatility_21d_usual_change": 0.01,
        "volatility_percentile": random.random() * 0.9,
        "expected_volatility": volatility * 1.05,
        "rise_probability": random.uniform(0.3, 0.7),
        "expected_low": volatility * 0.7,
        "expected_high": volatility * 1.5,
        "drawdown": random.uniform(0.0, 0.09),
        "max_drawdown": 0.2,
        "drawdown_peak": "2022-11-30",
        "loss_rank": 100,
        "gain_rank": 100,
        "return_5d": random.gauss(0, 0.01),
        "return_21d": random.gauss(0, 0.03),
        "market_return": random.gauss(0, 0.01),
        "effective_positions": 10.0,
        "var_exceptions": 13,
        "var_expected": 12.6,
        "var_tested": 252,
        "var_p_value": 0.9,
    }
    for number in range(1, _N_POSITIONS + 1):
        facts |= {
            f"pos_{number:02}_weight": 0.095 - number / 1000,
            f"pos_{number:02}_share": 0.1 - number / 1000,
        }
    return facts


def _profit(pnl: list[float], equity: float) -> dict[str, float | str]:
    facts: dict[str, float | str] = {
        f"pos_{number:02}_pnl": value for number, value in enumerate(pnl, start=1)
    }
    return facts | {
        "daily_pnl": sum(pnl),
        "daily_return": sum(pnl) / equity,
        "winners_pnl": sum(max(each, 0.0) for each in pnl),
        "losers_pnl": sum(min(each, 0.0) for each in pnl),
        "n_winners": sum(each > 0 for each in pnl),
        "n_losers": sum(each < 0 for each in pnl),
    }


def _exceed(random: Random, facts: Mapping[str, float | str]) -> dict[str, float | str]:
    equity, var = float(facts["total_value"]), float(facts["previous_var_95"])
    loss = var * random.choice((1.0001, 1.02, random.uniform(1.0, 3.0))) * equity
    return _profit([-loss / _N_POSITIONS] * _N_POSITIONS, equity)


def _cross(random: Random, _: Mapping[str, float | str]) -> dict[str, float | str]:
    limit = random.choice((0.2, 0.5))
    return {
        "pos_01_weight": limit * random.choice((1.0, 1.001, 1.05)),
        "pos_01_share": limit * 0.9,
        "pos_01_weight_streak": 1,
    }


def _raise_beta(random: Random, _: Mapping[str, float | str]) -> dict[str, float | str]:
    return {"beta": 1.5 * random.choice((1.0, 1.001, 1.1)), "beta_streak": 1}


def _leave(random: Random, facts: Mapping[str, float | str]) -> dict[str, float | str]:
    """Return a large return that leaves the window on a day of a small result."""
    equity, now = float(facts["total_value"]), float(facts["volatility_21d"])
    rate = random.uniform(-0.2, 0.2) * float(facts["previous_var_95"])
    small = _profit([rate * equity / _N_POSITIONS] * _N_POSITIONS, equity)
    before = now * random.uniform(1.15, 1.6)
    fall = (before**2 - now**2) / 12
    left = (fall * random.uniform(0.75, 1.25) + rate**2) ** 0.5
    return small | {
        "volatility_21d_change": now - before,
        "left_return": left * random.choice((-1, 1)),
        "left_day": "2022-11-28",
    }


def _lose(random: Random, facts: Mapping[str, float | str]) -> dict[str, float | str]:
    equity, var = float(facts["total_value"]), float(facts["previous_var_95"])
    loss = random.uniform(0.3, 0.95) * var * equity
    share = random.uniform(0.6, 0.9)
    others = _N_POSITIONS - 1
    return _profit([-share * loss, *([-(1 - share) * loss / others] * others)], equity)


_PLANTED: Mapping[str, Callable[[Random, Mapping[str, float | str]], dict[str, float | str]]] = {
    "value at risk exceeded": _exceed,
    "limit of a position": _cross,
    "limit of the beta": _raise_beta,
    "day left the window": _leave,
    "one position's loss": _lose,
}

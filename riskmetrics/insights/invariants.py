"""Invariants of fact sheets: facts that contradict each other are removed."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from riskmetrics.insights.facts import Fact

_TOLERANCE = 1e-9

_MAX_SHARE = 5.0
"""Largest share of volatility, in size, that hedged portfolios reach."""


class Invariant(NamedTuple):
    """A condition on numeric facts of the same thing, or of the portfolio."""

    facts: tuple[str, ...]
    """Types; the condition is checked if all of them exist."""
    holds: Callable[..., bool]
    reason: str


def _is_fraction(value: float) -> bool:
    return -_TOLERANCE <= value <= 1 + _TOLERANCE


INVARIANTS: Final = (
    Invariant(
        ("daily_pnl", "daily_return"),
        lambda pnl, rate: pnl * rate >= 0,
        "P&L and return of the session have opposite signs",
    ),
    Invariant(
        ("expected_low", "expected_volatility", "expected_high"),
        lambda low, middle, high: low <= middle + 1e-4 and middle <= high + 1e-4,
        "the expected volatility is outside its interval",
    ),
    Invariant(
        ("past_low", "past_high"),
        lambda low, high: low <= high,
        "the interval of the past forecast is empty",
    ),
    Invariant(
        ("drawdown", "max_drawdown"),
        lambda current, largest: current <= largest + _TOLERANCE,
        "the current drawdown exceeds the maximum",
    ),
    Invariant(
        ("winners_pnl", "losers_pnl", "daily_pnl"),
        lambda gains, losses, total: gains >= 0 >= losses and abs(gains + losses - total) <= 0.01,
        "P&L by position does not add up to the P&L of the session",
    ),
    *(
        Invariant(
            (f"winners_pnl{over}", f"losers_pnl{over}"),
            lambda gains, losses: gains >= 0 >= losses,
            "the sum of gains is a loss, or that of losses a gain",
        )
        for over in ("_5d", "_21d")
    ),
    Invariant(
        ("var_exceptions", "var_expected", "var_tested"),
        lambda found, expected, tested: 0 <= found <= tested and 0 <= expected <= tested,
        "the test of the value at risk counts more losses than sessions",
    ),
    Invariant(
        ("net", "gross"),
        lambda net, gross: net == 0 or gross > 0,
        "a sector without gross weight has a net weight",
    ),
    Invariant(
        ("share",), lambda share: abs(share) <= _MAX_SHARE, "a share of volatility is absurd"
    ),
    Invariant(("losers_pnl",), lambda total: total <= 0, "the sum of losses is a gain"),
    *(
        Invariant(
            (name,),
            lambda found: -1 - _TOLERANCE <= found <= 1 + _TOLERANCE,
            "a correlation is outside -1 to 1",
        )
        for name in ("average_correlation", "highest_correlation")
    ),
    Invariant(("diversification_ratio",), lambda ratio: ratio > 0, "a ratio is not positive"),
    *(
        Invariant((name,), _is_fraction, "a share or probability is outside 0 to 1")
        for name in (
            *("rise_probability", "volatility_percentile", "market_r_squared"),
            *("var_p_value", "previous_var_p_value"),
            *("beta_r_squared", "price_coverage", "beta_coverage", "drawdown", "max_drawdown"),
            *("top_3", "top_10", "gross", "hhi", "sold_in_5d", "active_market_share"),
        )
    ),
    *(
        Invariant((name,), lambda value: value >= 0, "a size is negative")
        for name in (
            *("weight", "volatility_21d", "volatility_63d", "expected_volatility", "expected_low"),
            *("past_forecast", "past_outcome", "past_low", "own_beta_error", "effective_positions"),
            *("previous_var_95", "previous_var_95_historical", "previous_own_beta_error"),
            *("market_drawdown", "traded_from", "traded_to", "through_funds"),
            *("gross_to_equity", "winners_pnl"),
            *("factor_error", "days_to_liquidate", "tracking_error", "expected_tracking_error"),
        )
    ),
)


def find_broken(facts: Mapping[str, Fact]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the ids of facts that break an invariant together, with the reason."""
    by_entity: dict[str | None, dict[str, Fact]] = {}
    for fact in facts.values():
        if not isinstance(fact.value, str):
            by_entity.setdefault(fact.entity, {})[fact.fact_type.name] = fact
    for named in by_entity.values():
        for invariant in INVARIANTS:
            if invariant.facts[0] not in named:
                continue
            found = [named[name] for name in invariant.facts if name in named]
            values = [float(fact.value) for fact in found]
            if len(found) == len(invariant.facts) and not invariant.holds(*values):
                yield tuple(fact.id for fact in found), invariant.reason

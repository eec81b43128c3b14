"""Oracles of forms that answer questions: levels of figures."""

from collections.abc import Callable, Mapping
from functools import partial

from tests.insights.figures import Expected, Figures, expect, known


def _level(f: Figures, kind: str, slot: str) -> Expected:
    """Return a figure whatever it is."""
    value = getattr(f, kind)
    return expect(known(value), **{slot: value})


def _of_each(
    f: Figures, prefix: str, kind: str, slot: str, holds: Callable[[float], bool]
) -> Expected:
    """Return the things of a prefix whose figure holds, with its size."""
    return {
        alias: {"name": alias, slot: abs(f.of(alias, kind))}
        for alias in f.things(prefix)
        if holds(f.of(alias, kind))
    }


def _returns(f: Figures, over: str) -> Expected:
    own = getattr(f, f"return{over}" if over else "daily_return")
    market = getattr(f, f"market_return{over}")
    return expect(known(own, market), own=own, market=market)


LEVEL_STATEMENTS: Mapping[str, Callable[[Figures], Expected]] = {
    "var_level": lambda f: _level(f, "var_95", "var"),
    "hhi_level": lambda f: expect(
        known(f.hhi, f.effective_positions), hhi=f.hhi, effective=f.effective_positions
    ),
    "max_drawdown": lambda f: expect(
        known(f.max_drawdown), drawdown=f.max_drawdown, span=f.count("max_drawdown")
    ),
    "drawdown_level": lambda f: expect(
        f.drawdown > 0, drawdown=f.drawdown, span=f.count("drawdown")
    ),
    "positions_held": lambda f: expect(
        known(f.num_positions) and f.num_positions != 1, count=f.num_positions
    ),
    "position_held": lambda f: expect(f.num_positions == 1),
    **{f"returns_compared{over}": partial(_returns, over=over) for over in ("", "_5d", "_21d")},
    "volatility_day": lambda f: expect(
        f.volatility_21d >= f.volatility_21d_change,
        before=f.volatility_21d - f.volatility_21d_change,
        now=f.volatility_21d,
    ),
    "no_shorts": lambda f: expect(f.num_short_positions == 0),
    "exposure_level": lambda f: expect(
        known(f.gross_to_equity) and f.net_to_equity >= 0,
        gross=f.gross_to_equity,
        net=f.net_to_equity,
    ),
    "sector_level": lambda f: {
        alias: slots
        for alias, slots in _of_each(f, "SEC", "gross", "share", lambda share: share > 0).items()
        if f.sheet.aliases[alias]["sector"]
        not in ("Bonds", "Fund, not looked through", "Unclassified")
    },
    "position_level": lambda f: {
        alias: {"name": alias, "weight": f.of(alias, "weight"), "share": f.of(alias, "share")}
        for alias in f.things("POS")
        if known(f.of(alias, "weight"), f.of(alias, "share"))
    },
    "position_lost": lambda f: _of_each(f, "POS", "pnl", "amount", lambda pnl: pnl < 0),
    "position_gained": lambda f: _of_each(f, "POS", "pnl", "amount", lambda pnl: pnl > 0),
    "cash_level": lambda f: expect(f.cash_value >= 0, amount=f.cash_value),
    "cash_debt": lambda f: expect(f.cash_value < 0, amount=-f.cash_value),
    "forecast_level": lambda f: expect(
        known(f.expected_volatility) and f.expected_low < f.expected_high,
        expected=f.expected_volatility,
        low=f.expected_low,
        high=f.expected_high,
    ),
    "scenario_loss": lambda f: _of_each(f, "SCN", "result", "amount", lambda found: found < 0),
    "scenario_gain": lambda f: _of_each(f, "SCN", "result", "amount", lambda found: found > 0),
    "top_ten": lambda f: _level(f, "top_10", "share"),
    "sector_largest": lambda f: {
        alias: {"name": alias, "share": f.of(alias, "gross")}
        for alias in f.things("SEC")
        if f.rank(alias, "gross") == 1
        and f.of(alias, "gross") > 0
        and f.sheet.aliases[alias]["sector"]
        not in ("Bonds", "Fund, not looked through", "Unclassified")
    },
    "explained_level": lambda f: expect(f.specific_share <= 1, share=1 - f.specific_share),
    "sold_in_week": lambda f: (
        _level(f, "sold_in_5d", "share")
        if "sold_in_5d" in f.sheet.facts and f.sheet.facts["sold_in_5d"].quality == "ok"
        else {}
    ),
    "cash_part": lambda f: (
        expect(True, share=f.cash_value / f.total_value)
        if f.total_value > 0 and 0 <= f.cash_value <= f.total_value
        else {}
    ),
    "lost_since_entry": lambda f: expect(f.cumulative_pnl < 0, amount=-f.cumulative_pnl),
    "gained_since_entry": lambda f: expect(f.cumulative_pnl > 0, amount=f.cumulative_pnl),
    "shortfall_multiple": lambda f: (
        expect(known(f.shortfall_95), shortfall=f.shortfall_95, multiple=f.shortfall_95 / f.var_95)
        if f.var_95 > 0
        else {}
    ),
    "correlation_level": lambda f: _level(f, "average_correlation", "correlation"),
    "information_ratio": lambda f: expect(
        known(f.information_ratio),
        ratio=f.information_ratio,
        span=f.count("information_ratio"),
    ),
    "rate_beta_level": lambda f: _level(f, "rate_beta", "beta"),
}
"""Form to its expected instances."""

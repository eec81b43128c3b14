"""Oracles of forms that only answers to questions state."""

from collections.abc import Callable, Mapping
from datetime import date
from functools import partial

from tests.insights.figures import Expected, Figures, expect, known

_STATISTICS = (
    *("annual_return", "sharpe_ratio", "sortino_ratio", "calmar_ratio", "up_capture"),
    *("down_capture", "win_rate", "payoff_ratio", "omega_ratio", "skewness", "excess_kurtosis"),
    *("tail_ratio", "losing_streak", "probabilistic_sharpe", "kelly_leverage", "ulcer_index"),
    *("average_drawdown", "time_under_water", "longest_drawdown", "martin_ratio", "alpha"),
    *("alpha_std_error", "year_beta", "market_correlation", "treynor_ratio"),
)
_WINDOWS = ("", "_5d", "_21d")


def _known(f: Figures, kind: str, slot: str, **more: object) -> Expected:
    value = getattr(f, kind)
    return expect(known(value), **{slot: value}, **more)


def _statistic(f: Figures, kind: str) -> Expected:
    return _known(f, kind, "value", span=f.count(kind))


def _pair(f: Figures, kinds: tuple[str, str], slots: tuple[str, str]) -> Expected:
    values = [getattr(f, kind) for kind in kinds]
    return expect(known(*values), **dict(zip(slots, values, strict=True)))


def _before(f: Figures, kind: str, over: str, *, is_signed: bool = False) -> Expected:
    """Return a figure less its change; a negative volatility is none."""
    now, change = getattr(f, kind), getattr(f, f"{kind}_change{over}")
    holds = known(now, change) if is_signed else now - change >= 0
    return expect(holds, before=now - change, now=now)


def _extreme(f: Figures, which: str, sign: int) -> Expected:
    rate, day = getattr(f, f"{which}_return"), f.text(f"{which}_day")
    if not day or not sign * rate > 0:
        return {}
    found = date.fromisoformat(day)
    return expect(True, count=f.count(f"{which}_return"), day=found, rate=abs(rate))


def _ranked(f: Figures, kind: str, sign: int) -> Expected:
    if not sign * f.daily_return > 0 or kind not in f.sheet.facts:
        return {}
    larger = getattr(f, kind) - 1
    return expect(True, rate=abs(f.daily_return), larger=larger, count=f.count(kind))


def _in_scenarios(f: Figures, sign: int) -> Expected:
    return {
        alias: {"name": alias, "move": move, "amount": abs(result)}
        for alias in f.things("SCN")
        if sign * (result := f.of(alias, "result")) > 0
        and known(move := f.of(alias, "market_move"))
    }


def _of_positions(f: Figures, kind: str) -> Expected:
    return {
        alias: {"name": alias, "volatility": volatility}
        for alias in f.things("POS")
        if known(volatility := f.of(alias, kind))
    }


def _shorts(f: Figures) -> list[str]:
    return [
        alias
        for alias in f.things("POS")
        if f.text(f"{alias.lower()}_side") == "short" and known(f.of(alias, "weight"))
    ]


def _has_larger(f: Figures, rank: int) -> bool:
    """Return whether the sheet has all positions up to a rank by weight."""
    ranks = [f.rank(alias, "weight") for alias in f.things("POS")]
    return rank > 0 and all(each in ranks for each in range(1, rank))


def _short_results(f: Figures, sign: int) -> Expected:
    return {
        alias: {"name": alias, "amount": abs(pnl)}
        for alias in _shorts(f)
        if sign * (pnl := f.of(alias, "pnl")) > 0
    }


def _no_short(f: Figures, sign: int) -> Expected:
    results = [f.of(alias, "pnl") for alias in _shorts(f)]
    is_complete = 0 < len(results) == f.num_short_positions
    return expect(is_complete and all(sign * each <= 0 for each in results))


def _position_results(f: Figures, over: str, sign: int) -> Expected:
    return {
        alias: {"name": alias, "amount": abs(pnl)}
        for alias in f.things("POS")
        if sign * (pnl := f.of(alias, f"pnl{over}")) > 0
    }


def _against_benchmark(f: Figures, sign: int) -> Expected:
    return {
        alias: {"name": alias, "net": net, "benchmark": benchmark}
        for alias in f.things("SEC")
        if f.sheet.aliases[alias]["sector"]
        not in ("Bonds", "Fund, not looked through", "Unclassified")
        and sign * f.of(alias, "active") > 0
        and known(net := f.of(alias, "net"), benchmark := f.of(alias, "benchmark"))
    }


QUESTION_STATEMENTS: Mapping[str, Callable[[Figures], Expected]] = {
    **{name: partial(_statistic, kind=name) for name in _STATISTICS},
    **{
        f"var_level{name}": partial(_known, kind=f"var_{fact}", slot="var", level=level)
        for name, fact, level in (("_99", "99", 0.99), ("_10d", "95_10d", 0.95),
            ("_99_10d", "99_10d", 0.99))
    },
    **{
        f"shortfall{name}": partial(_known, kind=f"shortfall_{fact}", slot="shortfall", level=level)
        for name, fact, level in (("_99", "99", 0.99), ("_10d", "95_10d", 0.95),
            ("_99_10d", "99_10d", 0.99), ("_amount", "95_amount", 0.95),
            ("_amount_99", "99_amount", 0.99))
    },
    **{
        f"var_amount{name}": partial(_known, kind=f"var_{fact}_amount", slot="var", level=level)
        for name, fact, level in (("", "95", 0.95), ("_99", "99", 0.99))
    },
    "var_level_historical": lambda f: (
        {} if known(f.var_95) else _known(f, "var_95_historical", "var")
    ),
    "var_record": lambda f: expect(
        known(f.var_exceptions, f.var_expected, f.var_tested),
        count=f.var_tested, exceptions=f.var_exceptions, expected=f.var_expected,
    ),
    "var_day": partial(_pair, kinds=("previous_var_95", "var_95"), slots=("before", "now")),
    **{
        f"{stem}_before{over}": partial(_before, kind=kind, over=over, is_signed=kind == "beta")
        for stem, kind in (("beta", "beta"), ("volatility", "volatility_21d"),
            ("forecast", "expected_volatility"), ("top_three", "top_3"))
        for over in _WINDOWS
        if (stem, over) != ("volatility", "")
    },
    **{
        f"return_{window}": partial(_known, kind=f"return_{window}", slot="rate")
        for window in ("5d", "21d", "mtd", "ytd", "252d")
    },
    **{
        f"returns_compared_{window}": partial(
            _pair, kinds=(f"return_{window}", f"market_return_{window}"), slots=("own", "market")
        )
        for window in ("mtd", "ytd", "252d")
    },
    "worst_day": partial(_extreme, which="worst", sign=-1),
    "best_day": partial(_extreme, which="best", sign=1),
    "loss_ranked": partial(_ranked, kind="loss_rank", sign=-1),
    "gain_ranked": partial(_ranked, kind="gain_rank", sign=1),
    "volatility_against_market": partial(
        _pair, kinds=("volatility_21d", "market_volatility_21d"), slots=("own", "market")
    ),
    "top_three_level": partial(_known, kind="top_3", slot="share"),
    "volatility_level_63d": partial(_known, kind="volatility_63d", slot="volatility"),
    "volatility_outlook": lambda f: expect(
        known(f.expected_volatility, f.volatility_21d, f.rise_probability),
        expected=f.expected_volatility, now=f.volatility_21d, odds=f.rise_probability,
    ),
    "positions_moved": lambda f: expect(
        known(f.n_winners, f.n_losers), winners=f.n_winners, losers=f.n_losers
    ),
    "position_beta": lambda f: {
        alias: {"name": alias, "beta": beta, "error": error}
        for alias in f.things("POS")
        if known(
            beta := f.of(alias, "position_beta"), error := f.of(alias, "position_beta_error")
        )
    },
    **{
        kind: partial(_of_positions, kind=kind)
        for kind in ("position_volatility", "position_expected")
    },
    "position_weight": lambda f: {
        alias: {"name": alias, "weight": weight}
        for alias in f.things("POS")
        if known(weight := f.of(alias, "weight"))
    },
    **{
        f"position_{verb}{over}": partial(_position_results, over=over, sign=sign)
        for verb, sign in (("lost", -1), ("gained", 1))
        for over in ("_5d", "_21d")
    },
    "sector_above": partial(_against_benchmark, sign=1),
    "sector_below": partial(_against_benchmark, sign=-1),
    "var_used": lambda f: expect(
        f.daily_return < 0 < f.previous_var_95,
        loss=-f.daily_return,
        share=-f.daily_return / f.previous_var_95 if f.previous_var_95 > 0 else 0.0,
        var=f.previous_var_95,
    ),
    "volatility_ranked": lambda f: expect(
        0 < f.volatility_percentile < 1 and known(f.volatility_21d),
        volatility=f.volatility_21d, days=f.volatility_percentile,
    ),
    "factor_level": lambda f: {
        alias: {"name": alias, "exposure": exposure, "error": error}
        for alias in f.things("FAC")
        if known(exposure := f.of(alias, "factor_exposure"),
            error := f.of(alias, "factor_error"))
    },
    "short_level": lambda f: {
        alias: {"name": alias, "weight": f.of(alias, "weight")} for alias in _shorts(f)
    },
    "short_largest": lambda f: {
        alias: {"name": alias, "weight": f.of(alias, "weight")}
        for alias in sorted(_shorts(f), key=lambda each: (-f.of(each, "weight"), each))[:1]
        if f.num_short_positions == len(_shorts(f)) or _has_larger(f, f.rank(alias, "weight"))
    },
    "shorts_listed": lambda f: expect(
        f.num_short_positions > len(_shorts(f)),
        count=f.num_short_positions, listed=len(_shorts(f)),
    ),
    "short_results_listed": lambda f: expect(
        f.num_short_positions > (n := sum(known(f.of(each, "pnl")) for each in _shorts(f))),
        count=f.num_short_positions, listed=n,
    ),
    **{
        name: partial(_no_short, sign=sign)
        for name, sign in (("no_short_lost", -1), ("no_short_gained", 1))
    },
    "short_lost": partial(_short_results, sign=-1),
    "short_gained": partial(_short_results, sign=1),
    "scenario_market_loss": partial(_in_scenarios, sign=-1),
    "scenario_market_gain": partial(_in_scenarios, sign=1),
}  # fmt: skip
"""Form to its expected instances."""

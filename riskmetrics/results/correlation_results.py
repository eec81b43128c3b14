"""Correlations of the largest holdings of portfolios, and how far these are diversified."""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmetrics import panels
from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.correlation import (
    diversification_ratio,
    first_component_share,
    pairwise_correlation,
)
from riskmetrics.metrics.volatility import realized_volatility
from riskmetrics.results.contribution_results import net_by_underlying
from riskmetrics.results.pro_forma import (
    MIN_YEAR_OBS,
    YEAR_WINDOW,
    insufficient_observations,
    pro_forma_windows,
)
from riskmetrics.results.undefined_reasons import Reason, count_texts, first_reasons
from riskmetrics.results.valuation import Valuation

MAX_CORRELATED = 30
"""Largest holdings of a portfolio that are correlated: 435 pairs."""

PAIR = "{} / {}"
_FIGURES = (
    *("average_correlation", "first_component_share", "diversification_ratio"),
    *("highest_correlation", "lowest_correlation"),
)
_PAIR_NAMES = ("highest_pair", "lowest_pair")


class _Holdings(NamedTuple):
    """Holdings of a portfolio with returns, the largest first: weight and column of returns."""

    weight: FloatArray
    column: IntArray


class _Pairs(NamedTuple):
    """Pairs of symbols, by their columns of returns, each of shape (K,)."""

    portfolio: IntArray
    day: IntArray
    first: IntArray
    second: IntArray
    correlation: FloatArray
    n_obs: IntArray


def correlation_rows(
    valuation: Valuation, returns: panels.Returns, max_stored: int = MAX_CORRELATED
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return rows of `portfolio_diversification`, and of `portfolio_correlations`.

    There is one per portfolio and session, and one per pair of its ``max_stored`` largest symbols;
    options count with their underlying. ``valuation`` is on D sessions, ``returns`` are of the
    YEAR_WINDOW sessions that end on each of them.
    """
    net = net_by_underlying(valuation)
    column = returns.frame.columns.get_indexer(pd.Index(net.lines["underlying"]))
    symbols = returns.frame.columns.to_numpy()
    owner, shape = net.portfolio, valuation.net.shape
    found: dict[str, NDArray[Any]] = {name: np.full(shape, np.nan) for name in _FIGURES}
    found |= {name: np.full(shape, None, object) for name in _PAIR_NAMES}
    n_symbols, n_days = (np.zeros(shape, np.int64) for _ in range(2))
    stored: list[_Pairs] = []
    for window in pro_forma_windows(valuation, returns, YEAR_WINDOW):
        day, year = window.day, {"window": YEAR_WINDOW, "min_obs": MIN_YEAR_OBS}
        volatility = realized_volatility(window.symbol_returns, **year).volatility[0]
        portfolio_volatility = realized_volatility(window.series, **year).volatility[0]
        n_days[:, day] = np.isfinite(window.series).sum(axis=0)
        held = np.where(net.is_held[:, day], net.weight[:, day], np.nan)
        for number, own in enumerate(_holdings(held, column, owner, shape[0])):
            at, largest = (number, day), own.column[:MAX_CORRELATED]
            n_symbols[at] = len(largest)
            if not valuation.is_valued[at] or not len(largest):
                continue
            found["diversification_ratio"][at] = diversification_ratio(
                own.weight, volatility[own.column], portfolio_volatility[number]
            )
            pairs, share = _correlate(window.symbol_returns, largest, at)
            found["first_component_share"][at] = share
            known = np.flatnonzero(np.isfinite(pairs.correlation))
            if len(known):
                found["average_correlation"][at] = pairs.correlation[known].mean()
                for name, choose in (("highest", np.argmax), ("lowest", np.argmin)):
                    pair = known[choose(pairs.correlation[known])]
                    found[f"{name}_correlation"][at] = pairs.correlation[pair]
                    found[f"{name}_pair"][at] = PAIR.format(
                        symbols[pairs.first[pair]], symbols[pairs.second[pair]]
                    )
            kept = largest[:max_stored]
            is_kept = np.isin(pairs.first, kept) & np.isin(pairs.second, kept)
            stored.append(_Pairs._make(values[is_kept] for values in pairs))
    rows = _diversification_rows(valuation, found, n_symbols, n_days)
    return rows, _pair_rows(valuation, symbols, stored)


def _holdings(
    weight: FloatArray, column: IntArray, owner: IntArray, n_portfolios: int
) -> "list[_Holdings]":
    """Return the holdings of each portfolio with a weight and returns, the largest first."""
    known = np.flatnonzero((column >= 0) & np.isfinite(weight) & (weight != 0.0))
    order = known[np.lexsort((column[known], -np.abs(weight[known]), owner[known]))]
    first = np.searchsorted(owner[order], np.arange(n_portfolios + 1))
    return [
        _Holdings(weight[order[start:end]], column[order[start:end]])
        for start, end in pairwise(first)
    ]


def _correlate(returns: FloatArray, column: IntArray, at: tuple[int, int]) -> tuple[_Pairs, float]:
    """Return the pairs of columns, and the share of their first component."""
    ordered = np.sort(column)
    found = pairwise_correlation(returns[:, ordered], min_obs=MIN_YEAR_OBS)
    first, second = np.triu_indices(len(ordered), 1)
    portfolio, day = at
    pairs = _Pairs(
        np.full(len(first), portfolio),
        np.full(len(first), day),
        ordered[first],
        ordered[second],
        found.correlation[first, second],
        found.n_obs[first, second],
    )
    share = first_component_share(found.correlation) if len(ordered) > 1 else np.nan
    return pairs, share


def _pair_rows(
    valuation: Valuation,
    symbols: "NDArray[Any]",
    stored: "list[_Pairs]",
) -> pd.DataFrame:
    """Return the rows of pairs; one without a correlation has a reason."""
    none = np.zeros(0, np.int64)
    columns = zip(_Pairs(none, none, none, none, np.zeros(0), none), *stored, strict=True)
    pairs = _Pairs._make(np.concatenate(values) for values in columns)
    missing = np.flatnonzero(np.isnan(pairs.correlation))
    n_obs = pd.Series(pairs.n_obs[missing], index=missing)
    too_few = count_texts(
        n_obs, f" common sessions in the trailing {YEAR_WINDOW}; {MIN_YEAR_OBS} required"
    )
    reasons = too_few.where(n_obs < MIN_YEAR_OBS, "one of the two did not move in the window")
    return pd.DataFrame(
        {
            **valuation.keys(pairs.portfolio, pairs.day),
            "symbol_a": symbols[pairs.first],
            "symbol_b": symbols[pairs.second],
            "correlation": pairs.correlation,
            "observations": pairs.n_obs,
            "undefined_reason": reasons.reindex(range(len(pairs.first))),
        }
    )


def _diversification_rows(
    valuation: Valuation, found: "dict[str, NDArray[Any]]", n_symbols: IntArray, n_days: IntArray
) -> pd.DataFrame:
    """Return the rows of `portfolio_diversification`, each with its first reason."""
    rows = valuation.to_frame(found | {"symbols": n_symbols}, "day")
    rows = rows.astype(dict.fromkeys(_PAIR_NAMES, "str"))
    one = Reason("{:.0f} symbols with returns; 2 required", n_symbols < 2, n_symbols.astype(float))
    few = Reason(f"a pair has fewer than {MIN_YEAR_OBS} common sessions, or does not move")
    first = first_reasons(
        valuation.risk_reasons(found["first_component_share"], one, few),
        valuation.risk_reasons(
            found["diversification_ratio"],
            insufficient_observations(n_days, YEAR_WINDOW, MIN_YEAR_OBS),
            Reason("the portfolio's value did not move in the window"),
        ),
    )
    return rows.assign(undefined_reason=first)

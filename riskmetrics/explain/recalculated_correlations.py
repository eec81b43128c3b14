"""Recalculated correlations and diversification, by pandas and numpy."""

import math
from typing import Any

import numpy as np
import pandas as pd

from riskmetrics.db import tables
from riskmetrics.explain.portfolio_holdings import delta_holdings, pro_forma_returns
from riskmetrics.explain.recalculation import MetricGroup, Recalculation, Row, first_and_last_day
from riskmetrics.explain.source_rows import SourceRows
from riskmetrics.results.correlation_results import MAX_CORRELATED, PAIR
from riskmetrics.results.pro_forma import MIN_YEAR_OBS, YEAR_WINDOW


def _recalculate_correlation(sources: SourceRows, row: Row) -> Recalculation:
    pair = [row["symbol_a"], row["symbol_b"]]
    returns = sources.returns({*pair, sources.market}, YEAR_WINDOW)[pair]
    common = returns.dropna()
    matrix = returns.corr(min_periods=MIN_YEAR_OBS)
    values = {"correlation": matrix.iloc[0, 1], "observations": len(common)}
    return Recalculation(
        values, {"symbols": PAIR.format(*pair)}, first_and_last_day(returns), len(common)
    )


def _recalculate_diversification(sources: SourceRows, _: Row) -> Recalculation:
    weights = delta_holdings(sources).symbol_weights.dropna()
    weights = weights[weights != 0]
    returns = sources.returns({*weights.index, sources.market}, YEAR_WINDOW)[list(weights.index)]
    size = pd.DataFrame({"symbol": weights.index, "size": weights.abs().to_numpy()})
    largest = size.sort_values(["size", "symbol"], ascending=[False, True])["symbol"]
    chosen = sorted(largest[:MAX_CORRELATED])
    matrix = returns[chosen].corr(min_periods=MIN_YEAR_OBS)
    first, second = np.triu_indices(len(chosen), 1)
    pairs = pd.Series(
        matrix.to_numpy()[first, second],
        index=[PAIR.format(chosen[a], chosen[b]) for a, b in zip(first, second, strict=True)],
    )
    values: dict[str, Any] = {
        "average_correlation": float(pairs.mean()) if len(pairs) else math.nan,
        "first_component_share": _first_component_share(matrix),
        "diversification_ratio": _diversification_ratio(sources, weights, returns),
        "symbols": len(chosen),
    }
    for name, found in (("highest", pairs.nlargest(1)), ("lowest", pairs.nsmallest(1))):
        values[f"{name}_correlation"] = float(found.iloc[0]) if len(found) else math.nan
        values[f"{name}_pair"] = found.index[0] if len(found) else None
    return Recalculation(
        values, {"largest symbols": ", ".join(chosen)}, first_and_last_day(returns), len(returns)
    )


def _first_component_share(matrix: pd.DataFrame) -> float:
    """Return the largest singular value over its size; that of a correlation is an eigenvalue."""
    if len(matrix) < 2 or matrix.isna().to_numpy().any():
        return math.nan
    return float(np.linalg.norm(matrix.to_numpy(), 2) / len(matrix))


def _diversification_ratio(
    sources: SourceRows, weights: "pd.Series[float]", returns: pd.DataFrame
) -> float:
    own = pro_forma_returns(sources, YEAR_WINDOW)["return"]
    deviation = returns.std().where(returns.count() >= MIN_YEAR_OBS)
    known = weights.abs()[deviation.notna()]
    if own.count() < MIN_YEAR_OBS or not own.std() > 0 or not known.sum() > 0:
        return math.nan
    mean = (known * deviation[known.index]).sum() * weights.abs().sum() / known.sum()
    return float(mean / own.std())


METRIC_GROUPS = [
    MetricGroup(tables.portfolio_correlations, "pandas corr", _recalculate_correlation),
    MetricGroup(
        tables.portfolio_diversification,
        "pandas corr and std, and the spectral norm of numpy",
        _recalculate_diversification,
    ),
]

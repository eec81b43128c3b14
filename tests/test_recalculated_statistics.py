"""Statistics of returns: their functions and their explanations agree, without a database."""

import math
import pkgutil
from datetime import date

import numpy as np
import pandas as pd
import pytest

from riskmetrics import trading_calendar
from riskmetrics.catalog import Statistic, Unit, all_statistics
from riskmetrics.explain.recalculated_statistics import _FORMULAS

EXPLAINED = [statistic for statistic in all_statistics() if statistic.table in _FORMULAS]


def draw_returns(kind: str, n: int) -> tuple["pd.Series[float]", "pd.Series[float]"]:
    """Return returns of a portfolio and of an index, both with gaps, on sessions to 2022-12-28."""
    generator = np.random.default_rng(20)
    sessions = trading_calendar.sessions_with_lookback([date(2022, 12, 28)], n - 1)
    market = generator.normal(0.0004, 0.01, n)
    own = 1.2 * market + generator.normal(0.0, 0.008, n)
    own[3], own[-1], market[5] = math.nan, math.nan, math.nan
    if kind == "ruin":  # more than everything is lost, as leverage allows
        own[n // 2] = -1.3
    if kind == "rising":
        own = np.abs(own)
    if kind == "tiny loss":
        own = np.where(np.isnan(own), math.nan, 2e-4)
        own[7] = -1e-6
    index = pd.DatetimeIndex(pd.to_datetime(sessions))
    return pd.Series(own, index), pd.Series(market, index)


@pytest.mark.parametrize("kind", ["ordinary", "ruin", "rising", "tiny loss"])
@pytest.mark.parametrize("statistic", EXPLAINED, ids=lambda each: each.table)
def test_a_statistic_is_what_its_explanation_recalculates(statistic: Statistic, kind: str) -> None:
    own, market = draw_returns(kind, statistic.sessions)
    inputs = (market.to_numpy(),) if statistic.uses_market else ()
    compute = pkgutil.resolve_name(statistic.function)
    found = compute(own.to_numpy()[:, np.newaxis], *inputs, min_obs=statistic.min_obs)._asdict()
    series = [own.where(market.notna()), market] if statistic.uses_market else [own]
    expected = _FORMULAS[statistic.table][1](*series)
    closes = trading_calendar.sessions_with_lookback([date(2022, 12, 28)], len(own))
    for figure in statistic.figures:
        if figure.column == "observations":
            continue
        (value,), other = found[figure.column], expected.get(figure.column, math.nan)
        if figure.unit is Unit.DATE:
            assert (closes[value] if value >= 0 else math.nan) == pytest.approx(other, nan_ok=True)
        else:
            assert value == pytest.approx(other, rel=1e-9, abs=1e-12, nan_ok=True), figure.column
    assert any(not math.isnan(found[figure.column][0]) for figure in statistic.figures[:1])

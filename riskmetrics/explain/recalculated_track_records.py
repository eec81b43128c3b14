"""Recalculated outcomes and losses of forecasts, which are compared with the stored ones."""

import math
from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.catalog.track_records import TRACKED_FORECASTS, ForecastKind, TrackedForecast
from riskmetrics.db import tables
from riskmetrics.explain.portfolio_holdings import pro_forma_returns
from riskmetrics.explain.recalculation import MetricGroup, Recalculation, Row
from riskmetrics.explain.source_rows import SourceRows
from riskmetrics.explain.volatility_figures import annualized_rms
from riskmetrics.metrics.decayed_beta import Z_95


def _recalculate_outcome(sources: SourceRows, row: Row) -> Recalculation:
    """Recalculate outcome and loss; the other columns are those of the stored forecast."""
    completed_on = trading_calendar.sessions_with_lookback(
        [sources.day, trading_calendar.calendar_end()], 0
    )[row["horizon"]]
    tracked = next(
        (
            each
            for each in TRACKED_FORECASTS
            if (each.kind.value, each.method, each.horizon)
            == (row["kind"], row["method"], row["horizon"])
        ),
        None,
    )
    values: dict[str, Any] = {}
    if tracked:
        stored = _stored_forecast(sources, tracked, row["subject"], float(row["level"]))
        is_in_sample = bool(sources.har_versions.is_in_sample([sources.day])[0])
        values = _forecast_values(tracked, stored) | {
            "in_sample": bool(tracked.in_sample) and is_in_sample
        }
    n_obs: int | None = None
    if row["kind"] == ForecastKind.BETA.value:
        outcome = sources.stored_beta(row["subject"], completed_on)
    else:
        outcome, n_obs = _next_return(sources, row, completed_on)
    values |= {"completed_on": completed_on, "outcome": outcome}
    if tracked:
        values["forecast_loss"] = _loss(tracked, values, float(row["level"]))
    first = trading_calendar.previous_session(completed_on, row["horizon"] - 1)
    return Recalculation(values, {"forecast of": sources.day}, (first, completed_on), n_obs)


def _stored_forecast(
    sources: SourceRows, tracked: TrackedForecast, subject: str, level: float
) -> dict[str, Any]:
    """Return the stored row of a forecast; empty if there is none.

    ``level`` is the confidence of a value at risk.
    """
    table = tables.metadata.tables[tracked.table]
    if "position_id" in table.c:
        return sources.stored_position_forecast(tracked, subject)
    found = [
        row
        for row in sources.stored_rows(table, subject)
        if row[tracked.value] is not None
        and all(row[name] == value for name, value in tracked.condition.items())
        and (not tracked.level or float(row[tracked.level]) == level)
    ]
    sources.record_use(tracked.table, pd.DataFrame(found[:1]))
    return found[0] if found else {}


def _next_return(sources: SourceRows, row: Row, completed_on: date) -> tuple[float, int]:
    """Return the volatility of a subject, or the loss of a portfolio, and its observations."""
    horizon, symbol = row["horizon"], row["subject"]
    after = pd.Series(
        pro_forma_returns(sources, horizon, completed_on)["return"]
        if row["portfolio_id"]
        else sources.returns([symbol], horizon, completed_on)[symbol],
        dtype=float,
    )
    if row["kind"] == ForecastKind.VALUE_AT_RISK.value:
        return 1.0 - float(np.prod(1.0 + after.to_numpy(float))), int(after.count())
    minimum = math.ceil(horizon * 5 / 7)
    realized = annualized_rms(after.rolling(horizon, min_periods=minimum)).iloc[-1]
    return float(realized), int(after.count())


def _forecast_values(tracked: TrackedForecast, stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of the stored forecast under their names in `forecast_outcomes`."""

    def number(column: str) -> float | None:
        value = stored.get(column) if column else None
        return None if value is None else float(value)

    values = {
        "forecast": number(tracked.value),
        "root_variance": number(tracked.root_variance),
        "shortfall_forecast": number(tracked.expected_shortfall),
        "low": number(tracked.low),
        "high": number(tracked.high),
    }
    error, forecast = number(tracked.std_error), values["forecast"]
    if error is not None and forecast is not None:
        values["low"] = forecast - Z_95 * error
        values["high"] = forecast + Z_95 * error
    return values


def _loss(tracked: TrackedForecast, values: Mapping[str, Any], level: float) -> float:
    outcome, forecast = values["outcome"], values["forecast"]
    if forecast is None or math.isnan(outcome):
        return math.nan
    if tracked.kind is ForecastKind.BETA:
        return float((outcome - forecast) ** 2)
    if tracked.kind is ForecastKind.VALUE_AT_RISK:
        excess = outcome - forecast
        return float(max(level * excess, (level - 1) * excess))
    if outcome == 0:
        return math.nan
    ratio = (outcome / (values["root_variance"] or forecast)) ** 2
    return float(ratio - math.log(ratio) - 1)


METRIC_GROUPS = [
    MetricGroup(
        tables.forecast_outcomes,
        "pandas over the source returns; forecasts and betas are compared with the stored ones",
        _recalculate_outcome,
    ),
]

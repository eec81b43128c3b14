"""Track records: each forecast that completes, as it was stored, with its outcome and loss."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from riskmetrics import panels, trading_calendar
from riskmetrics.catalog.track_records import ForecastKind
from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.decayed_beta import Z_95
from riskmetrics.metrics.forecast_score import forward_realized_volatility, min_outcome_obs, qlike
from riskmetrics.metrics.minimums import MIN_COVERAGE
from riskmetrics.metrics.price_quality import point_in_time_estimates
from riskmetrics.metrics.var_backtests import quantile_loss
from riskmetrics.metrics.windows import window_counts
from riskmetrics.results.pro_forma import pro_forma_blocks
from riskmetrics.results.undefined_reasons import count_texts
from riskmetrics.results.valuation import Valuation
from riskmetrics.text import agree_with_number

NO_MOVE = "the price did not move in the horizon"
"""Reason of a missing QLIKE: it needs the logarithm of the outcome."""

_KEYS = ["subject", "made_on", "kind", "method", "horizon", "level"]
_COLUMNS = [
    *_KEYS,
    *("portfolio_id", "completed_on", "forecast", "root_variance", "shortfall_forecast"),
    *("low", "high", "outcome", "forecast_loss", "in_sample", "undefined_reason"),
]


class Outcomes(NamedTuple):
    """Outcomes of N subjects for forecasts made on D sessions, and their observations, (D, N)."""

    values: FloatArray
    n_obs: IntArray
    subjects: "pd.Index[str]"


def forecast_sessions(sessions: Sequence[date], horizon: int) -> list[date]:
    """Return the sessions whose forecasts for ``horizon`` sessions complete on ``sessions``.

    Examples
    --------
    >>> forecast_sessions([date(2022, 12, 28)], 1)
    [datetime.date(2022, 12, 27)]
    """
    return trading_calendar.sessions_with_lookback(sessions, horizon)[: len(sessions)]


def symbol_volatility_outcomes(returns: panels.Returns, horizon: int) -> Outcomes:
    """Return the volatility of each symbol over the horizon after each session.

    ``returns`` are those of the ``horizon`` sessions that complete each forecast.
    """

    def estimate(values: FloatArray, _: slice, __: slice | IntArray) -> tuple[FloatArray, IntArray]:
        return _realized_volatility(values, horizon), window_counts(np.isfinite(values), horizon)

    values, n_obs = point_in_time_estimates(
        estimate, returns.values(), returns.unconfirmed, horizon
    )
    return Outcomes(values, n_obs, returns.frame.columns)


def portfolio_volatility_outcomes(
    returns: panels.Returns, valuation: Valuation, horizon: int
) -> Outcomes:
    """Return the volatility of each session's holdings over the horizon after it."""
    return _portfolio_outcomes(
        returns, valuation, horizon, lambda series: _realized_volatility(series, horizon)[0]
    )


def portfolio_loss_outcomes(
    returns: panels.Returns, valuation: Valuation, horizon: int
) -> Outcomes:
    """Return the loss of each session's holdings over the horizon after it, compounded.

    It is a fraction of equity; NaN if a session of the horizon has no return.
    """
    return _portfolio_outcomes(
        returns, valuation, horizon, lambda series: 1.0 - np.prod(1.0 + series, axis=0)
    )


def _portfolio_outcomes(
    returns: panels.Returns,
    valuation: Valuation,
    horizon: int,
    measure: Callable[[FloatArray], FloatArray],
) -> Outcomes:
    values, n_obs = [], []
    for block in pro_forma_blocks(valuation, returns, horizon):
        values.append(block.by_day(measure(block.series)).T)
        n_obs.append(block.by_day(np.isfinite(block.series).sum(axis=0)).T)
    subjects = pd.Index(valuation.portfolios["portfolio_id"].astype("str"))
    return Outcomes(np.concatenate(values), np.concatenate(n_obs), subjects)


def _realized_volatility(returns: FloatArray, horizon: int) -> FloatArray:
    """Return realized volatility over windows of ``horizon`` rows of returns, (T, N)."""
    before = np.full((1, returns.shape[1]), np.nan)
    return forward_realized_volatility(np.vstack([before, returns]), horizon)


def beta_outcomes(betas: pd.DataFrame, sessions: Sequence[date]) -> Outcomes:
    """Return the stored raw betas of symbols on the sessions that complete forecasts.

    ``betas`` are those of `db.track_record_queries.read_betas`.
    """
    table = betas.pivot(index="made_on", columns="subject", values="value")
    values = table.reindex(pd.to_datetime(list(sessions))).to_numpy(float)
    return Outcomes(values, np.isfinite(values).astype(np.int64), table.columns)


def look_up(
    stored: pd.DataFrame, sessions: Sequence[date], outcomes: Outcomes
) -> tuple[FloatArray, IntArray]:
    """Return the outcome of each forecast made on ``sessions`` and its observations, (R,)."""
    at = pd.Index(pd.to_datetime(list(sessions))).get_indexer(pd.Index(stored["made_on"]))
    column = outcomes.subjects.get_indexer(pd.Index(stored["subject"]))
    known = column >= 0
    values, n_obs = np.full(len(stored), np.nan), np.zeros(len(stored), np.int64)
    values[known] = outcomes.values[at[known], column[known]]
    n_obs[known] = outcomes.n_obs[at[known], column[known]]
    return values, n_obs


def outcome_rows(
    stored: pd.DataFrame, sessions: Sequence[date], outcome: FloatArray, n_obs: IntArray
) -> pd.DataFrame:
    """Return rows of `forecast_outcomes` for forecasts of one kind and horizon.

    Parameters
    ----------
    stored : DataFrame
        R forecasts, as from `db.track_record_queries.read_forecasts`.
    sessions : sequence of date
        Sessions that complete those made on `forecast_sessions`.
    outcome, n_obs : (R,) arrays
        Outcomes, and the returns behind them.
    """
    if stored.empty:
        return pd.DataFrame(columns=_COLUMNS)
    kind, horizon = ForecastKind(stored["kind"].iloc[0]), int(stored["horizon"].iloc[0])
    made_on = pd.to_datetime(forecast_sessions(sessions, horizon))
    at = made_on.get_indexer(pd.Index(stored["made_on"]))
    half = Z_95 * stored["std_error"]
    rows = stored.assign(
        forecast=stored["value"],
        shortfall_forecast=stored["expected_shortfall"],
        level=stored["level"].fillna(0.0),
        low=stored["low"].fillna(stored["value"] - half),
        high=stored["high"].fillna(stored["value"] + half),
        completed_on=pd.to_datetime(list(sessions)).to_numpy()[at],
        outcome=outcome,
    )
    loss = _LOSSES[kind](rows)
    reason = pd.Series(None, rows.index, dtype="object")
    reason[np.isnan(loss)] = NO_MOVE
    missing = np.isnan(outcome)
    reason[missing] = _missing_reasons(kind, rows[missing], n_obs[missing])
    return rows.assign(forecast_loss=loss, undefined_reason=reason)[_COLUMNS]


def _volatility_loss(rows: pd.DataFrame) -> FloatArray:
    forecast = rows["root_variance"].fillna(rows["forecast"])
    return qlike(rows["outcome"].to_numpy(float), forecast.to_numpy(float))


def _value_at_risk_loss(rows: pd.DataFrame) -> FloatArray:
    outcome, forecast, level = (
        rows[name].to_numpy(float) for name in ("outcome", "forecast", "level")
    )
    return quantile_loss(outcome, forecast, level=level)


def _beta_loss(rows: pd.DataFrame) -> FloatArray:
    error: FloatArray = rows["outcome"].to_numpy(float) - rows["forecast"].to_numpy(float)
    return error**2


_LOSSES: dict[ForecastKind, Callable[[pd.DataFrame], FloatArray]] = {
    ForecastKind.VOLATILITY: _volatility_loss,
    ForecastKind.VALUE_AT_RISK: _value_at_risk_loss,
    ForecastKind.BETA: _beta_loss,
}


def _missing_reasons(kind: ForecastKind, rows: pd.DataFrame, n_obs: IntArray) -> "pd.Series[str]":
    texts: pd.Series[str]
    if kind is ForecastKind.BETA:
        day = rows["completed_on"].dt.strftime("%Y-%m-%d")
        texts = "no beta of " + rows["subject"] + " is stored on " + day
        return texts
    after = " returns in the " + count_texts(rows["horizon"], " sessions after the forecast; ")
    required = rows["horizon"].map(
        min_outcome_obs if kind is ForecastKind.VOLATILITY else lambda sessions: sessions
    )
    covered = f", each of {MIN_COVERAGE:.0%} of gross exposure"
    tail = rows["portfolio_id"].notna().map({True: covered, False: ""})
    texts = (
        pd.Series(n_obs, rows.index).astype("str")
        + after
        + required.astype("str")
        + " required"
        + tail
    )
    return texts.map(agree_with_number)

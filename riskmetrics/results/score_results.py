"""Scores of volatility forecasts: each with its realized volatility, and summary statistics."""

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from riskmetrics import panels, trading_calendar
from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.forecast_comparison import diebold_mariano
from riskmetrics.metrics.forecast_score import (
    FORECAST_HORIZON,
    Score,
    forward_realized_volatility,
    pooled_score,
    qlike,
    score,
)
from riskmetrics.metrics.price_quality import point_in_time_estimates
from riskmetrics.metrics.volatility import MIN_MONTH_OBS
from riskmetrics.metrics.windows import window_counts
from riskmetrics.results.pro_forma import pro_forma_windows
from riskmetrics.results.valuation import Valuation

_FORECAST_COLUMNS = [
    "subject",
    "day",
    "portfolio_id",
    "volatility_forecast",
    "root_variance_forecast",
    "low",
    "high",
    "trailing_21d",
    "ewma_94",
    "ewma_97",
    "coefficients",
    "in_sample",
]
"""Columns of a forecast that its score keeps."""

MODEL_COLUMNS = {
    "forecast": "volatility_forecast",
    "trailing_21d": "trailing_21d",
    "ewma_94": "ewma_94",
    "ewma_97": "ewma_97",
}
"""Compared models, with the column of each forecast."""

POOLED = "(all)"
"""Subject of scores over all pairs."""


def forecast_sessions(sessions: Sequence[date]) -> list[date]:
    """Return the sessions whose forecasts are completed on ``sessions``."""
    return trading_calendar.sessions_with_lookback(sessions, FORECAST_HORIZON)[: len(sessions)]


def score_rows(
    forecasts: pd.DataFrame,
    sessions: Sequence[date],
    returns: panels.Returns,
    valuation: Valuation,
) -> pd.DataFrame:
    """Return a row of `har_forecast_scores` for each forecast completed on one of ``sessions``.

    Parameters
    ----------
    forecasts : DataFrame
        Rows of `volatility_forecasts` on `forecast_sessions`; rows without a forecast are left
        out.
    returns : Returns
        Returns of the FORECAST_HORIZON sessions that end on each of ``sessions``.
    valuation : Valuation
        Valuation on `forecast_sessions`: the scored volatility is that of the holdings then.
    """
    complete = forecasts[forecasts["volatility_forecast"].notna()][_FORECAST_COLUMNS].reset_index(
        drop=True
    )
    at = pd.DatetimeIndex(pd.to_datetime(forecast_sessions(sessions))).get_indexer(
        pd.DatetimeIndex(complete["day"])
    )
    is_portfolio = complete["portfolio_id"].notna().to_numpy()
    symbol = returns.frame.columns.get_indexer(pd.Index(complete["subject"]))
    portfolio = pd.Index(valuation.portfolios["portfolio_id"]).get_indexer(
        pd.Index(complete["portfolio_id"])
    )
    realized, n_obs = np.full(len(complete), np.nan), np.zeros(len(complete), dtype=np.int64)
    for has_kind, column, (figures, counts) in (
        (~is_portfolio, symbol, _symbol_outcomes(returns)),
        (is_portfolio, portfolio, _portfolio_outcomes(returns, valuation)),
    ):
        known = has_kind & (column >= 0)
        realized[known], n_obs[known] = (
            figures[at[known], column[known]],
            counts[at[known], column[known]],
        )
    missing = np.isnan(realized)
    reasons = (
        pd.Series(n_obs)[missing].astype("str")
        + f" returns in the {FORECAST_HORIZON} sessions after the forecast;"
        f" {MIN_MONTH_OBS} required"
    )
    completed_on = pd.to_datetime(list(sessions)).to_numpy()[at]
    return complete.assign(
        completed_on=completed_on,
        realized=realized,
        undefined_reason=reasons.reindex(complete.index),
    )


def _symbol_outcomes(returns: panels.Returns) -> tuple[FloatArray, IntArray]:
    """Return realized volatility and observations of symbols over the horizon, each (D, S)."""

    def estimate(values: FloatArray, _: slice, __: slice | IntArray) -> tuple[FloatArray, IntArray]:
        return _realized_by_window(values), window_counts(np.isfinite(values), FORECAST_HORIZON)

    return point_in_time_estimates(
        estimate, returns.values(), returns.unconfirmed, FORECAST_HORIZON
    )


def _portfolio_outcomes(
    returns: panels.Returns, valuation: Valuation
) -> tuple[FloatArray, IntArray]:
    """Return realized volatility and observations of each forecast session's holdings, (D, P)."""
    realized, n_obs = [], []
    for window in pro_forma_windows(valuation, returns, FORECAST_HORIZON):
        realized.append(_realized_by_window(window.series)[0])
        n_obs.append(np.isfinite(window.series).sum(axis=0))
    return np.stack(realized), np.stack(n_obs)


def _realized_by_window(returns: FloatArray) -> FloatArray:
    """Return realized volatility over windows of FORECAST_HORIZON rows of returns, (T, N)."""
    return forward_realized_volatility(np.vstack([np.full((1, returns.shape[1]), np.nan), returns]))


def summarize_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """Return summary scores: a row per kind, subject and model, with in-sample forecasts apart.

    Subject `POOLED` covers all pairs. Columns: kind, subject, in_sample, model, n_obs, n_zero
    (pairs without price movement, left out of QLIKE), qlike, rmse, bias, coverage. Pooled rows also
    have n_incomplete (pairs without an outcome or a model's forecast, left out of all scores),
    qlike_ratio (the forecast's QLIKE over the model's) and t (the Diebold-Mariano statistic of the
    difference; below 0 the forecast is better).
    """
    kind = scores["portfolio_id"].isna().map({True: "symbol", False: "portfolio"})
    parts = [
        _summarize_kind(group, str(name), bool(in_sample))
        for (name, in_sample), group in scores.groupby([kind, "in_sample"])
    ]
    columns = [
        *("kind", "subject", "in_sample", "model", "n_obs", "n_zero", "n_incomplete"),
        *("qlike", "rmse", "bias", "coverage", "qlike_ratio", "t"),
    ]
    if not parts:
        return pd.DataFrame(columns=columns)
    return pd.concat(parts)[columns].sort_values(
        ["kind", "in_sample", "subject"], kind="stable", ignore_index=True
    )


def _summarize_kind(scores: pd.DataFrame, kind: str, in_sample: bool) -> pd.DataFrame:
    # all models are compared on the same pairs
    complete = scores.dropna(subset=["realized", *MODEL_COLUMNS.values()])
    panel = {
        name: complete.pivot(index="day", columns="subject", values=name)
        for name in ("realized", "root_variance_forecast", "low", "high", *MODEL_COLUMNS.values())
    }
    subjects = [POOLED, *panel["realized"].columns]
    arrays = {name: frame.to_numpy(float) for name, frame in panel.items()}
    realized, none = arrays["realized"], np.full_like(arrays["realized"], np.nan)
    forecast_losses, parts = qlike(realized, arrays["root_variance_forecast"]), []
    mean_forecast_loss = pooled_score(
        realized, arrays["volatility_forecast"], arrays["root_variance_forecast"], none, none
    ).qlike[0]
    for model, column in MODEL_COLUMNS.items():
        is_forecast = model == "forecast"
        risk, low, high = (
            (arrays["root_variance_forecast"], arrays["low"], arrays["high"])
            if is_forecast
            else (arrays[column], none, none)
        )
        pooled, each = (
            measure(realized, arrays[column], risk, low, high) for measure in (pooled_score, score)
        )
        frame = pd.DataFrame(
            {
                name: np.concatenate([getattr(pooled, name), getattr(each, name)])
                for name in Score._fields
            }
        )
        comparison = diebold_mariano(forecast_losses, qlike(realized, risk))
        first = np.arange(len(frame)) == 0
        with np.errstate(divide="ignore", invalid="ignore"):  # a model without errors
            ratio = mean_forecast_loss / pooled.qlike[0]
        parts.append(
            frame.assign(
                kind=kind,
                subject=subjects,
                in_sample=in_sample,
                model=model,
                n_incomplete=pd.array(
                    [len(scores) - len(complete), *[pd.NA] * (len(frame) - 1)], dtype="Int64"
                ),
                qlike_ratio=np.where(first & np.isfinite(ratio), ratio, np.nan),
                t=np.where(first & (not is_forecast), comparison.t, np.nan),
            )
        )
    return pd.concat(parts, ignore_index=True)

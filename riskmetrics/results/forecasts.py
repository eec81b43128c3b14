"""Volatility rows of positions and portfolios, and forecasts to be scored later."""

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd

from riskmetrics.metrics import har, volatility
from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.results import option_results, snapshots
from riskmetrics.results.lot_frames import (
    NO_RETURN_SERIES,
    is_listed,
    is_option,
    open_positions,
    open_symbols,
    underlying,
)
from riskmetrics.results.model_versions import ModelVersions
from riskmetrics.results.portfolio_volatility_results import PortfolioVolatility
from riskmetrics.results.pro_forma import insufficient_observations
from riskmetrics.results.undefined_reasons import Reason, count_texts, undefined_rows
from riskmetrics.results.valuation import Valuation
from riskmetrics.results.volatility_results import (
    MIN_QUARTER_OBS,
    OOS_R_SQUARED_WINDOW,
    QUARTER,
    Figures,
    SymbolVolatility,
)

POSITION_TABLE, POSITION_DAY = "position_volatility", "calculation_date"
_VOLATILITIES = {
    "realized_vol_21d": "realized_21d",
    "realized_vol_63d": "realized_63d",
    "vol_daily": "daily",
    "vol_weekly": "weekly",
    "vol_monthly": "monthly",
    "expected_vol_21d": "volatility_forecast",
}
"""Columns of `position_volatility` to fields of `Figures`.

Those of an option are those of its underlying times its elasticity; others, such as the percentile,
are those of the underlying.
"""
_POSITION_COLUMNS = _VOLATILITIES | {
    "vol_trend": "direction",
    "vol_trend_strength": "strength",
    "vol_percentile": "percentile",
}
_SNAPSHOT_COLUMNS = {
    "realized_volatility_21d": "realized_21d",
    "realized_volatility_63d": "realized_63d",
    "expected_volatility_21d": "volatility_forecast",
    "volatility_trend": "direction",
    "volatility_percentile": "percentile",
}
POSITION_METRICS = [f"{POSITION_TABLE}.{name}" for name in (*_POSITION_COLUMNS, "model_r_squared")]
SNAPSHOT_METRICS = [f"portfolio_snapshots.{name}" for name in _SNAPSHOT_COLUMNS]
VOLATILITY_COVERAGE = ("volatility",)
_MIN_COMPLETED_FORECASTS = 126


def position_rows(
    symbol_volatility: SymbolVolatility,
    lots: pd.DataFrame,
    sessions: Sequence[date],
    option_rows: pd.DataFrame,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return one row per open position and day, and the reasons of undefined values.

    ``option_rows`` are the `option_results.position_rows` of the options in ``lots`` on the same
    sessions.
    """
    lot, day = open_positions(lots, sessions)
    column = symbol_volatility.symbols.get_indexer(pd.Index(underlying(lots)))[lot]
    scale = np.where(is_listed(lots)[lot], 1.0, np.nan)
    no_series_reason = pd.Series(NO_RETURN_SERIES, index=range(len(lot)), dtype="str")
    option_positions = np.flatnonzero(is_option(lots)[lot])
    scale[option_positions], no_series_reason.iloc[option_positions] = option_results.elasticity(
        option_rows
    )
    is_known = np.isfinite(scale)

    def per_position(figure: FloatArray | IntArray | BoolArray) -> FloatArray:
        return np.where(is_known, figure[day, column], np.nan)

    f = Figures._make(per_position(figure) for figure in symbol_volatility.figures)
    f = f._replace(**{name: getattr(f, name) * scale for name in _VOLATILITIES.values()})
    rows = pd.DataFrame(
        {
            "portfolio_id": lots["portfolio_id"].to_numpy()[lot],
            "position_id": lots["position_id"].to_numpy()[lot],
            POSITION_DAY: pd.to_datetime(list(sessions)).to_numpy()[day],
            **{column: getattr(f, name) for column, name in _POSITION_COLUMNS.items()},
            "vol_trend": _trend_names(f.direction),
            "observations": pd.array(np.nan_to_num(f.observations).astype(np.int64)),
            "model_r_squared": per_position(symbol_volatility.oos_r_squared),
        }
    )
    missing = np.flatnonzero(rows.isna().any(axis=1))
    reasons = _reasons(
        Figures._make(figure[missing] for figure in f),
        per_position(symbol_volatility.n_completed)[missing],
        missing,
    )
    reasons = {
        name: reason.where(is_known[missing], no_series_reason.iloc[missing])
        for name, reason in reasons.items()
    }
    n_obs = _count_position_observations(f, per_position(symbol_volatility.n_completed))
    return rows, undefined_rows(
        rows, POSITION_TABLE, reasons, subject="position_id", day=POSITION_DAY, n_obs=n_obs
    )


def _count_position_observations(
    f: Figures, n_completed: FloatArray
) -> dict[str, FloatArray | IntArray]:
    """Return the observations behind each column of `position_volatility`."""
    n_expected, n_percentile = _reason_counts(f)
    return {
        **dict.fromkeys(("realized_vol_21d", "vol_monthly"), f.n_month),
        "realized_vol_63d": f.n_quarter,
        **dict.fromkeys(("expected_vol_21d", "vol_trend", "vol_trend_strength"), n_expected),
        "vol_percentile": n_percentile,
        "model_r_squared": n_completed,
    }


def _reason_counts(f: Figures) -> tuple[FloatArray, FloatArray]:
    """Return the numbers quoted by the reasons of missing forecasts and of missing percentiles."""
    n_month, n_level, n_earlier = (
        count.astype(np.float64) for count in (f.n_month, f.observations, f.n_earlier)
    )
    no_month = np.isnan(f.realized_21d)
    return np.where((n_level >= har.MIN_LEVEL_OBS) & no_month, n_month, n_level), np.where(
        no_month, n_month, n_earlier
    )


def _reasons(f: Figures, n_completed: FloatArray, index: IntArray) -> "dict[str, pd.Series[str]]":
    """Return the reasons of missing values by column, for the rows of ``index``."""

    def count_text(n: FloatArray | IntArray, text: str) -> "pd.Series[str]":
        return count_texts(pd.Series(np.nan_to_num(n), index=index).astype(int), text)

    month = count_text(
        f.n_month,
        f" returns in the trailing {volatility.MONTH} sessions;"
        f" {volatility.MIN_MONTH_OBS} required",
    )
    week = pd.Series(
        f"fewer than {volatility.MIN_WEEK_OBS} returns in the trailing {volatility.WEEK} sessions",
        index=month.index,
        dtype="str",
    )
    level = count_text(
        f.observations,
        f" returns in the trailing {har.LEVEL_WINDOW} sessions; {har.MIN_LEVEL_OBS} required",
    )
    expected = month.where(np.isnan(f.monthly), week)
    expected = expected.where(
        ~(f.no_price_movement > 0),
        f"the price did not move in the trailing {volatility.MONTH} sessions",
    )
    expected = expected.where(f.observations >= har.MIN_LEVEL_OBS, level)
    trend = expected.where(np.isnan(f.volatility_forecast), month)
    earlier = count_text(
        f.n_earlier,
        f" earlier volatilities in the {volatility.PERCENTILE_WINDOW} sessions before;"
        f" {volatility.PERCENTILE_MIN_OBS} required",
    )
    return {
        "realized_vol_21d": month,
        "realized_vol_63d": count_text(
            f.n_quarter,
            f" returns in the trailing {QUARTER} sessions; {MIN_QUARTER_OBS} required",
        ),
        "vol_daily": pd.Series(
            f"no return on the day or the {volatility.MAX_DAILY_LAG_AGE} sessions before",
            index=month.index,
            dtype="str",
        ),
        "vol_weekly": week,
        "vol_monthly": month,
        "expected_vol_21d": expected,
        "vol_trend": trend,
        "vol_trend_strength": trend,
        "vol_percentile": month.where(np.isnan(f.realized_21d), earlier),
        "model_r_squared": count_text(
            n_completed,
            f" of the last {OOS_R_SQUARED_WINDOW} completed forecasts are defined;"
            f" {_MIN_COMPLETED_FORECASTS} required",
        ),
    }


def symbol_forecasts(
    symbol_volatility: SymbolVolatility, lots: pd.DataFrame, sessions: Sequence[date]
) -> pd.DataFrame:
    """Return rows of `volatility_forecasts`, one per day and symbol held directly or by options."""
    day, column = open_symbols(lots, sessions, symbol_volatility.symbols)
    f = Figures._make(figure[day, column] for figure in symbol_volatility.figures)
    missing = np.flatnonzero(np.isnan(f.direction))
    reasons = _reasons(
        Figures._make(figure[missing].astype(float) for figure in f),
        np.zeros(len(missing)),
        missing,
    )["vol_trend"]
    keys = {
        "subject": symbol_volatility.symbols[column],
        "day": pd.to_datetime(list(sessions)).to_numpy()[day],
        "portfolio_id": pd.NA,
    }
    return _forecast_rows(keys, f, symbol_volatility.versions, day, sessions, reasons).assign(
        thin_coverage_sessions=pd.array([pd.NA] * len(day), dtype="Int64")
    )


def _forecast_rows(
    keys: Mapping[str, object],
    f: Figures,
    versions: ModelVersions,
    day: IntArray,
    sessions: Sequence[date],
    reasons: "pd.Series[str]",
) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            **keys,
            "volatility_forecast": f.volatility_forecast,
            "root_variance_forecast": f.root_variance_forecast,
            "low": f.low,
            "high": f.high,
            "rise_probability": f.rise_probability,
            "trailing_21d": f.realized_21d,
            "ewma_94": f.ewma_94,
            "ewma_97": f.ewma_97,
            "observations": f.observations.astype(np.int64),
            "proxy": np.array(har.PROXIES, dtype=object)[f.proxy.astype(np.int64)],
            "coefficients_version": np.array(versions.names, dtype=object)[
                versions.version_on(sessions)[day]
            ],
            "in_sample": versions.is_in_sample(sessions)[day],
            "clipped": f.clipped.astype(bool),
            "short_history": f.short_history.astype(bool),
            "daily_lag_imputed": f.daily_lag_imputed.astype(bool),
            "undefined_reason": reasons.reindex(range(len(day))).to_numpy(),
        }
    )
    return frame.astype(
        dict.fromkeys(
            ("subject", "portfolio_id", "proxy", "coefficients_version", "undefined_reason"), "str"
        )
    )


def portfolio_rows(
    valuation: Valuation, portfolio_volatility: PortfolioVolatility
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return volatility columns of snapshots, their coverage, and reasons of undefined values."""
    f = portfolio_volatility.figures
    columns = {column: getattr(f, name) for column, name in _SNAPSHOT_COLUMNS.items()}
    rows = valuation.to_frame(columns, snapshots.DAY_COLUMN)
    rows["volatility_trend"] = _trend_names(rows["volatility_trend"].to_numpy())
    month, expected = _portfolio_reasons(f)
    quarter = insufficient_observations(f.n_quarter, QUARTER, MIN_QUARTER_OBS)
    earlier = Reason(
        f"{{:.0f}} earlier volatilities in the {volatility.PERCENTILE_WINDOW} sessions before;"
        f" {volatility.PERCENTILE_MIN_OBS} required",
        number=f.n_earlier.astype(float),
    )
    reasons = {
        "realized_volatility_21d": valuation.risk_reasons(f.realized_21d, month),
        "realized_volatility_63d": valuation.risk_reasons(f.realized_63d, quarter),
        "expected_volatility_21d": valuation.risk_reasons(f.volatility_forecast, *expected),
        "volatility_trend": valuation.risk_reasons(f.direction, *expected, month),
        "volatility_percentile": valuation.risk_reasons(f.percentile, month, earlier),
    }
    covered = portfolio_volatility.n_covered, valuation.n_held, portfolio_volatility.coverage
    coverage = snapshots.coverage_rows(valuation, {VOLATILITY_COVERAGE[0]: covered})
    n_obs = {
        name: count[valuation.is_valued] for name, count in _count_portfolio_observations(f).items()
    }
    return rows, coverage, snapshots.undefined_snapshots(rows, reasons, n_obs)


def _count_portfolio_observations(f: Figures) -> dict[str, FloatArray | IntArray]:
    """Return the observations behind each volatility column of snapshots, (P, D)."""
    n_expected, n_percentile = _reason_counts(f)
    return {
        "realized_volatility_21d": f.n_month,
        "realized_volatility_63d": f.n_quarter,
        **dict.fromkeys(("expected_volatility_21d", "volatility_trend"), n_expected),
        "volatility_percentile": n_percentile,
    }


def portfolio_forecasts(
    valuation: Valuation, portfolio_volatility: PortfolioVolatility
) -> pd.DataFrame:
    """Return rows of `volatility_forecasts`, one per day and portfolio that can be valued."""
    portfolio, day = np.nonzero(valuation.is_valued)
    keys = valuation.keys(portfolio, day)
    keys["subject"] = keys["portfolio_id"]
    _, expected = _portfolio_reasons(portfolio_volatility.figures)
    reasons = valuation.risk_reasons(portfolio_volatility.figures.direction, *expected)
    f = Figures._make(figure[portfolio, day] for figure in portfolio_volatility.figures)
    return _forecast_rows(
        keys, f, portfolio_volatility.versions, day, valuation.sessions, reasons
    ).assign(thin_coverage_sessions=portfolio_volatility.n_thin[portfolio, day].astype(np.int64))


def _portfolio_reasons(f: Figures) -> tuple[Reason, tuple[Reason, ...]]:
    """Return the reason of no monthly volatility, and the reasons of no forecast."""
    month = insufficient_observations(f.n_month, volatility.MONTH, volatility.MIN_MONTH_OBS)
    expected = (
        insufficient_observations(f.observations, har.LEVEL_WINDOW, har.MIN_LEVEL_OBS),
        Reason(
            f"the portfolio's value did not move in the trailing {volatility.MONTH} sessions",
            f.no_price_movement,
        ),
        month,
        Reason(
            f"fewer than {volatility.MIN_WEEK_OBS} of the trailing {volatility.WEEK} sessions have"
            " returns of enough of the portfolio"
        ),
    )
    return month, expected


def _trend_names(direction: FloatArray) -> "pd.Series[str]":
    return pd.Series(direction).map(volatility.DIRECTIONS.get).astype("str")

"""Rules that stored results keep, whatever the prices: sums, orders and ranges of figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import tables
from riskmetrics.db.copy import fetch_frame
from riskmetrics.db.result_tables import day_column

_MAX_BROKEN_ROWS = 20
"""Broken rows that are read; all are counted."""

_SUM = "abs({total} - {whole}) <= 1e-9 * greatest(1, abs({whole}))"
"""Rounding of float64 in sums of up to thousands of figures."""


@dataclass(frozen=True)
class ResultRule:
    """What each row of an asset's results fulfills; a row where it is undefined does, too."""

    asset: str
    name: str
    description: str
    rows: "sa.Select[Any]"
    """Rows to check, each with its ``day``."""
    holds: str
    """Condition on the columns of ``rows``."""
    columns: tuple[str, ...]
    """Columns that say which row is broken and how."""
    is_bug: bool = True
    """Whether a broken row is an error of the computation, not a rare but possible value."""


def find_broken_rows(
    connection: sa.Connection, rule: ResultRule, days: Sequence[date]
) -> tuple[int, int, pd.DataFrame]:
    """Return the numbers of rows and of broken rows of ``days``, and the first broken rows."""
    rows = rule.rows.subquery("checked")
    is_checked, is_broken = rows.c.day.in_(days), sa.text(f"({rule.holds}) IS FALSE")
    counts = sa.select(sa.func.count(), sa.func.count().filter(is_broken)).where(is_checked)
    n_rows, n_broken = connection.execute(counts).one()
    shown = [rows.c[name] for name in ("day", *rule.columns)]
    first = sa.select(*shown).where(is_checked, is_broken).order_by(*shown).limit(_MAX_BROKEN_ROWS)
    return n_rows, n_broken, fetch_frame(connection, first)


def _rows_of(table: sa.Table, *conditions: sa.ColumnElement[bool]) -> "sa.Select[Any]":
    """Select the rows of a table, each with its day, portfolio's name and symbol if it has them."""
    columns: list[sa.ColumnElement[Any]] = [*table.c]
    if (day := day_column(table)).name != "day":
        columns.append(day.label("day"))
    source: sa.FromClause = table
    if "position_id" in table.c:
        source = source.join(tables.positions, tables.positions.c.id == table.c.position_id)
        columns.append(tables.positions.c.symbol)
    if "portfolio_id" in table.c:
        portfolios = tables.portfolios
        source = source.outerjoin(portfolios, portfolios.c.id == table.c.portfolio_id)
        columns.append(portfolios.c.name.label("portfolio"))
    return sa.select(*columns).select_from(source).where(*conditions)


def _sums(
    table: sa.Table,
    whole: "sa.ColumnElement[Any]",
    *totals: str,
    source: sa.FromClause | None = None,
) -> "sa.Select[Any]":
    """Select the sums of columns over the rows of each portfolio and session, and the ``whole``."""
    portfolios = tables.portfolios
    joined = (table if source is None else source).join(
        portfolios, portfolios.c.id == table.c.portfolio_id
    )
    keys = (portfolios.c.id, portfolios.c.name.label("portfolio"), table.c.day)
    sums = [sa.func.sum(table.c[column]).label(column) for column in totals]
    # `max` of what is the same in all rows of a group
    return (
        sa.select(*keys, sa.func.max(whole).label("whole"), *sums)
        .select_from(joined)
        .group_by(*keys)
    )


def _contribution_sums(method: str, column: str) -> "sa.Select[Any]":
    parts, volatility = tables.portfolio_risk_contributions, tables.portfolio_ex_ante_volatility
    joined = parts.join(
        volatility,
        sa.and_(
            volatility.c.portfolio_id == parts.c.portfolio_id,
            volatility.c.day == parts.c.day,
            volatility.c.method == method,
        ),
    )
    return _sums(parts, volatility.c.volatility, column, source=joined)


def _tail_by_level() -> "sa.Select[Any]":
    """Select the values at risk, each with that of the next lower level."""
    rows = _rows_of(tables.portfolio_tail_risk).subquery()
    keys = [rows.c[name] for name in ("portfolio_id", "day", "method", "horizon_days")]
    lower = sa.func.lag(rows.c.value_at_risk).over(partition_by=keys, order_by=rows.c.level)
    return sa.select(rows, lower.label("lower_level"))


def _sums_to(column: str) -> str:
    return _SUM.format(total=column, whole="whole")


def _share(*columns: str) -> str:
    """Return the condition that columns are shares of a whole, up to rounding."""
    return " AND ".join(f"{column} BETWEEN -1e-9 AND 1 + 1e-9" for column in columns)


_ONE = sa.literal(1.0)
_REGRESSION = f"{_share('r_squared', 'p_value')} AND std_error >= 0"
_BAND = "low > 0 AND low <= volatility_forecast AND volatility_forecast <= high"
_BAND_COLUMNS = ("low", "volatility_forecast", "high")
_OF_SYMBOLS = tables.volatility_forecasts.c.portfolio_id.is_(None)
_HORIZONS_OF_SYMBOLS = tables.volatility_horizon_forecasts.c.portfolio_id.is_(None)

RESULT_RULES = (
    ResultRule(
        "position_betas",
        "regressions_in_range",
        "R² and p-value of each market beta are in [0, 1], and its standard error is not negative.",
        _rows_of(tables.position_market_betas),
        _REGRESSION,
        ("portfolio", "symbol", "r_squared", "p_value", "std_error"),
    ),
    ResultRule(
        "interest_rate_betas",
        "regressions_in_range",
        "R² and p-value of each rate beta are in [0, 1], and its standard error is not negative.",
        _rows_of(tables.position_interest_rate_betas),
        _REGRESSION,
        ("portfolio", "symbol", "r_squared", "p_value", "std_error"),
    ),
    ResultRule(
        "symbol_factor_exposures",
        "regressions_in_range",
        "R² of each symbol is in [0, 1], and standard errors are not negative.",
        _rows_of(tables.symbol_factor_exposures),
        f"{_share('r_squared')} AND std_error >= 0",
        ("symbol", "factor", "r_squared", "std_error"),
    ),
    ResultRule(
        "position_volatility",
        "bands_contain_forecast",
        "The band of each symbol's volatility forecast is positive and contains the forecast.",
        _rows_of(tables.volatility_forecasts, _OF_SYMBOLS),
        f"{_BAND} AND {_share('rise_probability')}",
        ("subject", *_BAND_COLUMNS, "rise_probability"),
    ),
    ResultRule(
        "position_volatility",
        "horizon_bands_contain_forecast",
        "The band of each symbol's forecast of 1, 5 and 63 sessions contains the forecast.",
        _rows_of(tables.volatility_horizon_forecasts, _HORIZONS_OF_SYMBOLS),
        _BAND,
        ("subject", "horizon", *_BAND_COLUMNS),
    ),
    ResultRule(
        "portfolio_values",
        "values_sum",
        "Long value, short value and cash of each portfolio sum to its equity, up to cents.",
        _rows_of(tables.portfolio_snapshots),
        "abs(long_value + short_value + cash_value - total_value) <= 0.02",
        ("portfolio", "long_value", "short_value", "cash_value", "total_value"),
    ),
    ResultRule(
        "portfolio_betas",
        "errors_ordered",
        "No error is negative, and that of a beta as a forecast is at least that of the fit.",
        _rows_of(tables.portfolio_decayed_betas),
        "std_error >= 0 AND forecast_std_error >= std_error",
        ("portfolio", "std_error", "forecast_std_error"),
    ),
    ResultRule(
        "portfolio_volatility",
        "bands_contain_forecast",
        "The band of each portfolio's volatility forecast is positive and contains the forecast.",
        _rows_of(tables.volatility_forecasts, ~_OF_SYMBOLS),
        f"{_BAND} AND {_share('rise_probability')}",
        ("portfolio", *_BAND_COLUMNS, "rise_probability"),
    ),
    ResultRule(
        "portfolio_volatility",
        "horizon_bands_contain_forecast",
        "The band of each portfolio's forecast of 1, 5 and 63 sessions contains the forecast.",
        _rows_of(tables.volatility_horizon_forecasts, ~_HORIZONS_OF_SYMBOLS),
        _BAND,
        ("portfolio", "horizon", *_BAND_COLUMNS),
    ),
    ResultRule(
        "sector_concentration",
        "concentration_in_range",
        "HHI is in [0, 1], positions count as at least one, and the top 10 include the top 3.",
        _rows_of(tables.portfolio_snapshots),
        "hhi BETWEEN 0 AND 1 AND effective_num_positions >= 1"
        " AND top_3_concentration <= top_10_concentration",
        (
            "portfolio",
            "hhi",
            "effective_num_positions",
            "top_3_concentration",
            "top_10_concentration",
        ),
    ),
    ResultRule(
        "option_exposures",
        "sensitivities_in_range",
        "Each option's delta is in [-1, 1]; its value, gamma and vega are not negative.",
        _rows_of(tables.position_option_exposures),
        "delta BETWEEN -1 AND 1 AND value >= 0 AND gamma >= 0 AND vega >= 0",
        ("portfolio", "symbol", "value", "delta", "gamma", "vega"),
    ),
    ResultRule(
        "portfolio_rate_betas",
        "r_squared_in_range",
        "R² of each portfolio's rate beta is in [0, 1].",
        _rows_of(tables.portfolio_rate_betas),
        _share("r_squared"),
        ("portfolio", "r_squared"),
    ),
    ResultRule(
        "portfolio_tail_risk",
        "losses_ordered",
        "Expected shortfall is at least the value at risk, which grows with its level.",
        _tail_by_level(),
        "expected_shortfall >= value_at_risk - 1e-12 AND value_at_risk >= lower_level - 1e-12",
        ("portfolio", "method", "level", "horizon_days", "value_at_risk", "expected_shortfall"),
    ),
    ResultRule(
        "portfolio_tail_risk",
        "values_at_risk_are_losses",
        "No value at risk is negative: that would be a gain on nearly all days.",
        _rows_of(tables.portfolio_tail_risk),
        "value_at_risk >= 0",
        ("portfolio", "method", "level", "horizon_days", "value_at_risk"),
        is_bug=False,
    ),
    ResultRule(
        "risk_contributions",
        "contributions_sum",
        "Contributions sum to the ex-ante volatility of their portfolio.",
        _contribution_sums("equal_weighted", "component"),
        _sums_to("component"),
        ("portfolio", "component", "whole"),
    ),
    ResultRule(
        "risk_contributions",
        "decayed_contributions_sum",
        "Age-decayed contributions sum to the age-decayed volatility of their portfolio.",
        _contribution_sums("decayed", "decayed_component"),
        _sums_to("decayed_component"),
        ("portfolio", "decayed_component", "whole"),
    ),
    ResultRule(
        "risk_contributions",
        "active_sector_shares_sum",
        "The shares of the sectors in the expected tracking error sum to 1.",
        _sums(tables.portfolio_active_sectors, _ONE, "sector_share"),
        _sums_to("sector_share"),
        ("portfolio", "sector_share", "whole"),
    ),
    ResultRule(
        "correlations",
        "correlations_in_range",
        "Each correlation is in [-1, 1].",
        _rows_of(tables.portfolio_correlations),
        "correlation BETWEEN -1 - 1e-9 AND 1 + 1e-9",
        ("portfolio", "symbol_a", "symbol_b", "correlation"),
    ),
    ResultRule(
        "portfolio_factor_exposures",
        "factor_shares_sum",
        "The shares of the factors and of the rest in the variance of each portfolio sum to 1.",
        _sums(tables.portfolio_factor_risk, _ONE, "share"),
        _sums_to("share"),
        ("portfolio", "share", "whole"),
    ),
    ResultRule(
        "portfolio_market_regressions",
        "regressions_in_range",
        "R² of each portfolio is in [0, 1]; error and specific volatility are not negative.",
        _rows_of(tables.STATISTIC_TABLES["portfolio_market_regressions"]),
        f"{_share('r_squared')} AND std_error >= 0 AND specific_volatility >= 0",
        ("portfolio", "r_squared", "std_error", "specific_volatility"),
    ),
    ResultRule(
        "portfolio_active_risk",
        "tracking_error_in_range",
        "No tracking error is negative.",
        _rows_of(tables.STATISTIC_TABLES["portfolio_active_risk"]),
        "tracking_error >= 0",
        ("portfolio", "tracking_error"),
    ),
    ResultRule(
        "portfolio_expected_active_risk",
        "tracking_error_in_range",
        "No expected tracking error is negative, and the market's share of it is in [0, 1].",
        _rows_of(tables.STATISTIC_TABLES["portfolio_expected_active_risk"]),
        f"expected_tracking_error >= 0 AND {_share('market_share')}",
        ("portfolio", "expected_tracking_error", "market_share"),
    ),
    ResultRule(
        "portfolio_drawdowns",
        "drawdowns_ordered",
        "The current drawdown is in [0, 1] and at most the maximum drawdown.",
        _rows_of(tables.STATISTIC_TABLES["portfolio_drawdowns"]),
        f"{_share('current_drawdown', 'max_drawdown')} AND current_drawdown <= max_drawdown",
        ("portfolio", "current_drawdown", "max_drawdown"),
    ),
    ResultRule(
        "portfolio_performance",
        "return_in_range",
        "No portfolio lost more than all: the annual return is at least -1.",
        _rows_of(tables.STATISTIC_TABLES["portfolio_performance"]),
        "annual_return >= -1",
        ("portfolio", "annual_return"),
    ),
    ResultRule(
        "liquidity",
        "sales_ordered",
        "What is sold grows from 1 to 5 and 20 sessions, and is at most all.",
        _rows_of(tables.portfolio_liquidity),
        "sold_in_1d >= 0 AND sold_in_1d <= sold_in_5d AND sold_in_5d <= sold_in_20d"
        " AND sold_in_20d <= 1 + 1e-9 AND days_to_liquidate >= 0",
        ("portfolio", "sold_in_1d", "sold_in_5d", "sold_in_20d", "days_to_liquidate"),
    ),
    ResultRule(
        "stress_tests",
        "stress_in_range",
        "Coverage and proxied share of each result are in [0, 1]; no margin is negative.",
        _rows_of(tables.portfolio_stress),
        f"{_share('coverage', 'proxied_share')} AND loss_margin >= 0",
        ("portfolio", "scenario", "coverage", "proxied_share", "loss_margin"),
    ),
)

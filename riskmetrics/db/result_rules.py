"""Invariants of stored results: sums, orders and ranges of figures."""

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


@dataclass(frozen=True)
class ResultRule:
    """Invariant of each row of an asset's results; NULL passes."""

    asset: str
    name: str
    description: str
    rows: "sa.Select[Any]"
    """Rows to check, each with its ``day``."""
    condition: str
    """SQL condition on the columns of ``rows``."""
    columns: tuple[str, ...]
    """Columns that identify a broken row and show its values."""
    is_error: bool = True
    """Whether a broken row is an error of the computation, not a rare but possible value."""


def find_broken_rows(
    connection: sa.Connection, rule: ResultRule, days: Sequence[date]
) -> tuple[int, int, pd.DataFrame]:
    """Return the numbers of rows and of broken rows of ``days``, and the first broken rows."""
    rows = rule.rows.subquery("checked")
    is_checked, is_broken = rows.c.day.in_(days), sa.text(f"({rule.condition}) IS FALSE")
    counts = sa.select(sa.func.count(), sa.func.count().filter(is_broken)).where(is_checked)
    n_rows, n_broken = connection.execute(counts).one()
    shown = [rows.c[name] for name in ("day", *rule.columns)]
    first = sa.select(*shown).where(is_checked, is_broken).order_by(*shown).limit(_MAX_BROKEN_ROWS)
    return n_rows, n_broken, fetch_frame(connection, first)


def _select_rows(table: sa.Table, *conditions: sa.ColumnElement[bool]) -> "sa.Select[Any]":
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


def _select_part_sums(
    totals: "sa.Select[Any] | sa.CompoundSelect[Any]", parts: sa.Table, part_column: str
) -> "sa.Select[Any]":
    """Select each total (portfolio_id, day, total) with the sum of its parts.

    The sum is 0 if all parts are NULL or missing, and breaks the rule of a defined total.
    """
    sums, portfolios = totals.subquery("totals"), tables.portfolios
    part_sum = sa.func.coalesce(sa.func.sum(parts.c[part_column]), 0.0)
    is_part = sa.and_(parts.c.portfolio_id == sums.c.portfolio_id, parts.c.day == sums.c.day)
    keys = (
        sums.c.portfolio_id,
        portfolios.c.name.label("portfolio"),
        sums.c.day,
        sums.c.total,
    )
    return (
        sa.select(*keys, part_sum.label(part_column))
        .select_from(sums)
        .join(portfolios, portfolios.c.id == sums.c.portfolio_id)
        .outerjoin(parts, is_part)
        .group_by(sums.c.portfolio_id, portfolios.c.name, sums.c.day, sums.c.total)
    )


def _select_volatilities(method: str) -> "sa.Select[Any]":
    """Select the ex-ante volatilities of a method as totals."""
    volatility = tables.portfolio_ex_ante_volatility
    return sa.select(
        volatility.c.portfolio_id, volatility.c.day, volatility.c.volatility.label("total")
    ).where(volatility.c.method == method)


def _select_ones(*columns: sa.Column[Any]) -> "sa.CompoundSelect[Any]":
    """Select a total of 1 for each portfolio and session where a column is not NULL in any row."""
    return sa.union(
        *(
            sa.select(
                column.table.c.portfolio_id, column.table.c.day, sa.literal(1.0).label("total")
            ).where(column.is_not(None))
            for column in columns
        )
    )


def _select_tail_risk() -> "sa.Select[Any]":
    """Select the values at risk, each with that of the next lower level."""
    rows = _select_rows(tables.portfolio_tail_risk).subquery()
    keys = [rows.c[name] for name in ("portfolio_id", "day", "method", "horizon_days")]
    lower = sa.func.lag(rows.c.value_at_risk).over(partition_by=keys, order_by=rows.c.level)
    return sa.select(rows, lower.label("var_at_lower_level"))


def _share(*columns: str) -> str:
    """Return the condition that columns are shares of a total, up to rounding."""
    return " AND ".join(f"{column} BETWEEN -1e-9 AND 1 + 1e-9" for column in columns)


def _regression_rule(asset: str, table: sa.Table, kind: str) -> ResultRule:
    return ResultRule(
        asset,
        "regressions_in_range",
        f"R² and p-value of each {kind} beta are in [0, 1], and its standard error is not"
        " negative.",
        _select_rows(table),
        f"{_share('r_squared', 'p_value')} AND std_error >= 0",
        ("portfolio", "symbol", "r_squared", "p_value", "std_error"),
    )


def _band_rules(asset: str, subject: str) -> tuple[ResultRule, ResultRule]:
    """Return the rules of the forecasts of symbols or portfolios, of 21 sessions and of others."""
    forecasts, others = tables.volatility_forecasts, tables.volatility_horizon_forecasts
    band = "low > 0 AND low <= volatility_forecast AND volatility_forecast <= high"
    is_portfolio = subject == "portfolio"
    name = "portfolio" if is_portfolio else "subject"
    columns = ("low", "volatility_forecast", "high")

    def select(table: sa.Table) -> "sa.Select[Any]":
        is_symbol = table.c.portfolio_id.is_(None)
        return _select_rows(table, ~is_symbol if is_portfolio else is_symbol)

    return (
        ResultRule(
            asset,
            "bands_contain_forecast",
            f"The band of each {subject}'s volatility forecast is positive and contains the"
            " forecast.",
            select(forecasts),
            f"{band} AND {_share('rise_probability')}",
            (name, *columns, "rise_probability"),
        ),
        ResultRule(
            asset,
            "horizon_bands_contain_forecast",
            f"The band of each {subject}'s forecast of 1, 5 and 63 sessions contains the forecast.",
            select(others),
            band,
            (name, "horizon", *columns),
        ),
    )


def _sum_rule(
    name: str,
    description: str,
    totals: "sa.Select[Any] | sa.CompoundSelect[Any]",
    part: sa.Column[Any],
    asset: str = "risk_contributions",
) -> ResultRule:
    """Return the rule that parts sum to totals, up to rounding of thousands of float64."""
    return ResultRule(
        asset,
        name,
        description,
        _select_part_sums(totals, part.table, part.name),
        f"abs({part.name} - total) <= 1e-9 * greatest(1, abs(total))",
        ("portfolio", part.name, "total"),
    )


_CONTRIBUTIONS = tables.portfolio_risk_contributions.c
_SECTORS = tables.portfolio_active_sectors.c
_FACTORS = tables.portfolio_factor_risk.c

RESULT_RULES = (
    _regression_rule("position_betas", tables.position_market_betas, "market"),
    _regression_rule("interest_rate_betas", tables.position_interest_rate_betas, "rate"),
    ResultRule(
        "symbol_factor_exposures",
        "regressions_in_range",
        "R² of each symbol is in [0, 1], and standard errors are not negative.",
        _select_rows(tables.symbol_factor_exposures),
        f"{_share('r_squared')} AND std_error >= 0",
        ("symbol", "factor", "r_squared", "std_error"),
    ),
    *_band_rules("position_volatility", "symbol"),
    ResultRule(
        "portfolio_values",
        "values_sum",
        "Long, short and stated value and cash of each portfolio sum to its equity, up to cents.",
        _select_rows(tables.portfolio_snapshots),
        "abs(long_value + short_value + cash_value + coalesce(stated_value, 0) - total_value)"
        " <= 0.02",
        ("portfolio", "long_value", "short_value", "cash_value", "stated_value", "total_value"),
    ),
    ResultRule(
        "portfolio_betas",
        "errors_ordered",
        "No error is negative, and that of a beta as a forecast is at least that of the fit.",
        _select_rows(tables.portfolio_decayed_betas),
        "std_error >= 0 AND forecast_std_error >= std_error",
        ("portfolio", "std_error", "forecast_std_error"),
    ),
    *_band_rules("portfolio_volatility", "portfolio"),
    ResultRule(
        "sector_concentration",
        "concentration_in_range",
        "HHI is in [0, 1], positions count as at least one, and the top 10 include the top 3.",
        _select_rows(tables.portfolio_snapshots),
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
        _select_rows(tables.position_option_exposures),
        "delta BETWEEN -1 AND 1 AND value >= 0 AND gamma >= 0 AND vega >= 0",
        ("portfolio", "symbol", "value", "delta", "gamma", "vega"),
    ),
    ResultRule(
        "portfolio_rate_betas",
        "r_squared_in_range",
        "R² of each portfolio's rate beta is in [0, 1].",
        _select_rows(tables.portfolio_rate_betas),
        _share("r_squared"),
        ("portfolio", "r_squared"),
    ),
    ResultRule(
        "portfolio_tail_risk",
        "losses_ordered",
        "Expected shortfall is at least the value at risk, which grows with its level.",
        _select_tail_risk(),
        "expected_shortfall >= value_at_risk - 1e-12"
        " AND value_at_risk >= var_at_lower_level - 1e-12",
        ("portfolio", "method", "level", "horizon_days", "value_at_risk", "expected_shortfall"),
    ),
    ResultRule(
        "portfolio_tail_risk",
        "values_at_risk_are_losses",
        "No value at risk is negative: that would be a gain on nearly all days.",
        _select_rows(tables.portfolio_tail_risk),
        "value_at_risk >= 0",
        ("portfolio", "method", "level", "horizon_days", "value_at_risk"),
        is_error=False,
    ),
    _sum_rule(
        "contributions_sum",
        "Contributions sum to the ex-ante volatility of their portfolio.",
        _select_volatilities("equal_weighted"),
        _CONTRIBUTIONS.component,
    ),
    _sum_rule(
        "decayed_contributions_sum",
        "Age-decayed contributions sum to the age-decayed volatility of their portfolio.",
        _select_volatilities("decayed"),
        _CONTRIBUTIONS.decayed_component,
    ),
    _sum_rule(
        "active_sector_shares_sum",
        "The shares of the sectors in the expected tracking error sum to 1.",
        _select_ones(_CONTRIBUTIONS.active_component, _SECTORS.sector_share),
        _SECTORS.sector_share,
    ),
    ResultRule(
        "correlations",
        "correlations_in_range",
        "Each correlation is in [-1, 1].",
        _select_rows(tables.portfolio_correlations),
        "correlation BETWEEN -1 - 1e-9 AND 1 + 1e-9",
        ("portfolio", "symbol_a", "symbol_b", "correlation"),
    ),
    _sum_rule(
        "factor_shares_sum",
        "The shares of the factors and of the rest in the variance of each portfolio sum to 1.",
        _select_ones(tables.portfolio_factor_exposures.c.t_statistic, _FACTORS.share),
        _FACTORS.share,
        asset="portfolio_factor_exposures",
    ),
    ResultRule(
        "portfolio_market_regressions",
        "regressions_in_range",
        "R² of each portfolio is in [0, 1]; error and specific volatility are not negative.",
        _select_rows(tables.STATISTIC_TABLES["portfolio_market_regressions"]),
        f"{_share('r_squared')} AND std_error >= 0 AND specific_volatility >= 0",
        ("portfolio", "r_squared", "std_error", "specific_volatility"),
    ),
    ResultRule(
        "portfolio_active_risk",
        "tracking_error_in_range",
        "No tracking error is negative.",
        _select_rows(tables.STATISTIC_TABLES["portfolio_active_risk"]),
        "tracking_error >= 0",
        ("portfolio", "tracking_error"),
    ),
    ResultRule(
        "portfolio_expected_active_risk",
        "tracking_error_in_range",
        "No expected tracking error is negative, and the market's share of it is in [0, 1].",
        _select_rows(tables.STATISTIC_TABLES["portfolio_expected_active_risk"]),
        f"expected_tracking_error >= 0 AND {_share('market_share')}",
        ("portfolio", "expected_tracking_error", "market_share"),
    ),
    ResultRule(
        "portfolio_drawdowns",
        "drawdowns_ordered",
        "The current drawdown is in [0, 1] and at most the maximum drawdown.",
        _select_rows(tables.STATISTIC_TABLES["portfolio_drawdowns"]),
        f"{_share('current_drawdown', 'max_drawdown')} AND current_drawdown <= max_drawdown",
        ("portfolio", "current_drawdown", "max_drawdown"),
    ),
    ResultRule(
        "portfolio_performance",
        "return_in_range",
        "No portfolio lost more than 100%: the annual return is at least -1.",
        _select_rows(tables.STATISTIC_TABLES["portfolio_performance"]),
        "annual_return >= -1",
        ("portfolio", "annual_return"),
    ),
    ResultRule(
        "portfolio_return_distribution",
        "shares_in_range",
        "Shares and probabilities are in [0, 1]; no ratio of gains to losses is negative.",
        _select_rows(tables.STATISTIC_TABLES["portfolio_return_distribution"]),
        f"{_share('win_rate', 'probabilistic_sharpe')} AND payoff_ratio >= 0 AND omega_ratio >= 0",
        ("portfolio", "win_rate", "probabilistic_sharpe", "payoff_ratio", "omega_ratio"),
    ),
    ResultRule(
        "portfolio_underwater",
        "drawdowns_ordered",
        "The average drawdown is in [0, 1] and at most the ulcer index.",
        _select_rows(tables.STATISTIC_TABLES["portfolio_underwater"]),
        f"{_share('average_drawdown', 'ulcer_index')} AND average_drawdown <= ulcer_index + 1e-9",
        ("portfolio", "average_drawdown", "ulcer_index"),
    ),
    ResultRule(
        "portfolio_alpha",
        "correlation_in_range",
        "The correlation with the index is in [-1, 1]; no standard error is negative.",
        _select_rows(tables.STATISTIC_TABLES["portfolio_alpha"]),
        "market_correlation BETWEEN -1 - 1e-9 AND 1 + 1e-9 AND alpha_std_error >= 0",
        ("portfolio", "market_correlation", "alpha_std_error"),
    ),
    ResultRule(
        "liquidity",
        "sales_ordered",
        "The share sold is non-decreasing over 1, 5 and 20 sessions, and at most 1.",
        _select_rows(tables.portfolio_liquidity),
        "sold_in_1d >= 0 AND sold_in_1d <= sold_in_5d AND sold_in_5d <= sold_in_20d"
        " AND sold_in_20d <= 1 + 1e-9 AND days_to_liquidate >= 0",
        ("portfolio", "sold_in_1d", "sold_in_5d", "sold_in_20d", "days_to_liquidate"),
    ),
    ResultRule(
        "stress_tests",
        "stress_in_range",
        "Coverage and proxied share of each result are in [0, 1]; no margin is negative.",
        _select_rows(tables.portfolio_stress),
        f"{_share('coverage', 'proxied_share')} AND loss_margin >= 0",
        ("portfolio", "scenario", "coverage", "proxied_share", "loss_margin"),
    ),
)

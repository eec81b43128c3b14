"""Invariants of stored results: sums, orders and ranges of figures."""

import re
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
    rows: sa.Subquery
    """Rows to check, each with its ``day``."""
    condition: str
    """SQL condition on the columns of ``rows``."""
    keys: tuple[str, ...] = ("portfolio",)
    """Columns that identify a row, next to its session."""
    is_error: bool = True
    """Whether a broken row is an error of the computation, not a rare but possible value."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the columns that identify a broken row, and those that the condition compares."""
        names = re.findall(r"\b[a-z]\w*", self.condition)
        return (*self.keys, *dict.fromkeys(name for name in names if name in self.rows.c))


def find_broken_rows(
    connection: sa.Connection, rule: ResultRule, days: Sequence[date]
) -> tuple[int, int, pd.DataFrame]:
    """Return the numbers of rows and of broken rows of ``days``, and the first broken rows."""
    rows = rule.rows
    is_checked, is_broken = rows.c.day.in_(days), sa.text(f"({rule.condition}) IS FALSE")
    counts = sa.select(sa.func.count(), sa.func.count().filter(is_broken)).where(is_checked)
    n_rows, n_broken = connection.execute(counts).one()
    names = ("day", *rule.columns)
    if not n_broken:  # nearly always: the rows, often sums of others, are not read again
        return n_rows, 0, pd.DataFrame(columns=names)
    shown = [rows.c[name] for name in names]
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
    keys = sums.c.portfolio_id, portfolios.c.name, sums.c.day, sums.c.total
    return (
        sa.select(keys[1].label("portfolio"), *keys[2:], part_sum.label(part_column))
        .select_from(sums)
        .join(portfolios, portfolios.c.id == sums.c.portfolio_id)
        .outerjoin(parts, is_part)
        .group_by(*keys)
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
    """Return the condition that columns are in [0, 1], up to rounding in their last digits."""
    return " AND ".join(f"{column} BETWEEN -1e-9 AND 1 + 1e-9" for column in columns)


def _rule(
    table: sa.Table,
    name: str,
    description: str,
    condition: str,
    keys: tuple[str, ...] = ("portfolio",),
    *,
    asset: str = "",
    is_error: bool = True,
) -> ResultRule:
    """Return a rule of the rows of a table, by default of the asset with its name."""
    rows = _select_rows(table).subquery("checked")
    return ResultRule(asset or table.name, name, description, rows, condition, keys, is_error)


def _regression_rule(asset: str, table: sa.Table, kind: str) -> ResultRule:
    return _rule(
        table, "regressions_in_range",
        f"R² and p-value of each {kind} beta are in [0, 1], and its standard error is not"
        " negative.",
        f"{_share('r_squared', 'p_value')} AND std_error >= 0", ("portfolio", "symbol"),
        asset=asset,
    )  # fmt: skip


def _band_rules(asset: str, subject: str) -> tuple[ResultRule, ResultRule]:
    """Return the rules of the forecasts of symbols or of portfolios, and of other horizons."""
    band = "low > 0 AND low <= volatility_forecast AND volatility_forecast <= high"
    is_portfolio = subject == "portfolio"
    name = "portfolio" if is_portfolio else "subject"

    def select(table: sa.Table) -> sa.Subquery:
        is_symbol = table.c.portfolio_id.is_(None)
        return _select_rows(table, ~is_symbol if is_portfolio else is_symbol).subquery("checked")

    return (
        ResultRule(
            asset,
            "bands_contain_forecast",
            f"The band of each {subject}'s volatility forecast is positive and contains the"
            " forecast.",
            select(tables.volatility_forecasts),
            f"{band} AND {_share('rise_probability')}",
            (name,),
        ),
        ResultRule(
            asset,
            "horizon_bands_contain_forecast",
            f"The band of each {subject}'s forecast of 1, 5 and 63 sessions contains the forecast.",
            select(tables.volatility_horizon_forecasts),
            band,
            (name, "horizon"),
        ),
    )


def _sum_rule(
    name: str,
    description: str,
    totals: "sa.Select[Any] | sa.CompoundSelect[Any]",
    part: sa.Column[Any],
    asset: str = "risk_contributions",
) -> ResultRule:
    """Return the rule that parts sum to ``totals`` of their portfolio and session."""
    rows = _select_part_sums(totals, part.table, part.name).subquery("checked")
    condition = f"abs({part.name} - total) <= 1e-9 * greatest(1, abs(total))"
    return ResultRule(asset, name, description, rows, condition)


_CONTRIBUTIONS = tables.portfolio_risk_contributions.c
_SECTORS = tables.portfolio_active_sectors.c
_FACTORS = tables.portfolio_factor_risk.c
_STATISTICS = tables.STATISTIC_TABLES

RESULT_RULES = (
    _regression_rule("position_betas", tables.position_market_betas, "market"),
    _regression_rule("interest_rate_betas", tables.position_interest_rate_betas, "rate"),
    _rule(tables.symbol_factor_exposures, "regressions_in_range",
        "R² of each symbol is in [0, 1], and standard errors are not negative.",
        f"{_share('r_squared')} AND std_error >= 0", ("symbol", "factor")),
    *_band_rules("position_volatility", "symbol"),
    _rule(tables.portfolio_snapshots, "values_sum",
        "Long, short and stated value and cash of each portfolio sum to its equity, up to cents.",
        "abs(long_value + short_value + cash_value + coalesce(stated_value, 0) - total_value)"
        " <= 0.02", asset="portfolio_values"),
    _rule(tables.portfolio_decayed_betas, "errors_ordered",
        "No error is negative, and that of a beta as a forecast is at least that of the fit.",
        "std_error >= 0 AND forecast_std_error >= std_error", asset="portfolio_betas"),
    *_band_rules("portfolio_volatility", "portfolio"),
    _rule(tables.portfolio_snapshots, "concentration_in_range",
        "HHI is in [0, 1], positions count as at least one, and the top 10 include the top 3.",
        "hhi BETWEEN 0 AND 1 AND effective_num_positions >= 1"
        " AND top_3_concentration <= top_10_concentration", asset="sector_concentration"),
    _rule(tables.position_option_exposures, "sensitivities_in_range",
        "Each option's delta is in [-1, 1]; its value, gamma and vega are not negative.",
        "delta BETWEEN -1 AND 1 AND value >= 0 AND gamma >= 0 AND vega >= 0",
        ("portfolio", "symbol"), asset="option_exposures"),
    _rule(tables.portfolio_rate_betas, "r_squared_in_range",
        "R² of each portfolio's rate beta is in [0, 1].", _share("r_squared")),
    ResultRule("portfolio_tail_risk", "losses_ordered",
        "Expected shortfall is at least the value at risk, which grows with its level.",
        _select_tail_risk().subquery("checked"),
        "expected_shortfall >= value_at_risk - 1e-12"
        " AND value_at_risk >= var_at_lower_level - 1e-12",
        ("portfolio", "method", "level", "horizon_days")),
    _rule(tables.portfolio_tail_risk, "values_at_risk_are_losses",
        "No value at risk is negative: that would be a gain on nearly all days.",
        "value_at_risk >= 0", ("portfolio", "method", "level", "horizon_days"), is_error=False),
    _sum_rule("contributions_sum",
        "Contributions sum to the ex-ante volatility of their portfolio.",
        _select_volatilities("equal_weighted"), _CONTRIBUTIONS.component),
    _sum_rule("decayed_contributions_sum",
        "Exponentially weighted contributions sum to the volatility of their portfolio.",
        _select_volatilities("decayed"), _CONTRIBUTIONS.decayed_component),
    _sum_rule("active_sector_shares_sum",
        "The shares of the sectors in the expected tracking error sum to 1.",
        _select_ones(_CONTRIBUTIONS.active_component, _SECTORS.sector_share),
        _SECTORS.sector_share),
    _rule(tables.portfolio_correlations, "correlations_in_range",
        "Each correlation is in [-1, 1].", "correlation BETWEEN -1 - 1e-9 AND 1 + 1e-9",
        ("portfolio", "symbol_a", "symbol_b"), asset="correlations"),
    _sum_rule("factor_shares_sum",
        "The shares of the factors and of the rest in the variance of each portfolio sum to 1.",
        _select_ones(tables.portfolio_factor_exposures.c.t_statistic, _FACTORS.share),
        _FACTORS.share, "portfolio_factor_exposures"),
    _rule(_STATISTICS["portfolio_market_regressions"], "regressions_in_range",
        "R² of each portfolio is in [0, 1]; error and specific volatility are not negative.",
        f"{_share('r_squared')} AND std_error >= 0 AND specific_volatility >= 0"),
    _rule(_STATISTICS["portfolio_active_risk"], "tracking_error_in_range",
        "No tracking error is negative.", "tracking_error >= 0"),
    _rule(_STATISTICS["portfolio_expected_active_risk"], "tracking_error_in_range",
        "No expected tracking error is negative, and the market's share of it is in [0, 1].",
        f"expected_tracking_error >= 0 AND {_share('market_share')}"),
    _rule(_STATISTICS["portfolio_drawdowns"], "drawdowns_ordered",
        "The current drawdown is in [0, 1] and at most the maximum drawdown.",
        f"{_share('current_drawdown', 'max_drawdown')} AND current_drawdown <= max_drawdown"),
    _rule(_STATISTICS["portfolio_performance"], "return_in_range",
        "No portfolio lost more than 100%: the annual return is at least -1.",
        "annual_return >= -1"),
    _rule(_STATISTICS["portfolio_return_distribution"], "shares_in_range",
        "Shares and probabilities are in [0, 1]; no ratio of gains to losses is negative.",
        f"{_share('win_rate', 'probabilistic_sharpe')} AND payoff_ratio >= 0"
        " AND omega_ratio >= 0"),
    _rule(_STATISTICS["portfolio_underwater"], "drawdowns_ordered",
        "The average drawdown is in [0, 1] and at most the ulcer index.",
        f"{_share('average_drawdown', 'ulcer_index')}"
        " AND average_drawdown <= ulcer_index + 1e-9"),
    _rule(_STATISTICS["portfolio_alpha"], "correlation_in_range",
        "The correlation with the index is in [-1, 1]; no standard error is negative.",
        "market_correlation BETWEEN -1 - 1e-9 AND 1 + 1e-9 AND alpha_std_error >= 0"),
    _rule(tables.portfolio_liquidity, "sales_ordered",
        "The share sold is non-decreasing over 1, 5 and 20 sessions, and at most 1.",
        "sold_in_1d >= 0 AND sold_in_1d <= sold_in_5d AND sold_in_5d <= sold_in_20d"
        " AND sold_in_20d <= 1 + 1e-9 AND days_to_liquidate >= 0", asset="liquidity"),
    _rule(tables.portfolio_stress, "stress_in_range",
        "Coverage and proxied share of each result are in [0, 1]; no margin is negative.",
        f"{_share('coverage', 'proxied_share')} AND loss_margin >= 0", ("portfolio", "scenario"),
        asset="stress_tests"),
)  # fmt: skip

"""Portfolio risk assets: tail risk, contributions, drawdowns, stress tests and options."""

from collections.abc import Sequence
from datetime import date
from functools import partial

import dagster as dg
import pandas as pd
import sqlalchemy as sa

from riskmetrics.assets import inputs, reports
from riskmetrics.assets.har_calibration import har_coefficients
from riskmetrics.assets.partitions import run_sessions, session_asset
from riskmetrics.assets.portfolios import (
    SNAPSHOT_KEY,
    portfolio_betas,
    portfolio_rate_betas,
    portfolio_values,
    portfolio_volatility,
)
from riskmetrics.assets.positions import position_volatility
from riskmetrics.db import input_queries, tables, write
from riskmetrics.db.write import Provenance, WriteCounts
from riskmetrics.resources import Warehouse, provenance
from riskmetrics.results import (
    contribution_results,
    drawdowns,
    option_results,
    pro_forma,
    stress_results,
    tail_risk_results,
)
from riskmetrics.results.snapshots import DAY_COLUMN

_portfolio_asset = partial(session_asset, "portfolios")


@_portfolio_asset(
    portfolio_values,
    portfolio_volatility,
    writes=(tables.portfolio_tail_risk, tables.portfolio_var_backtests),
)
def portfolio_tail_risk(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Value at risk and expected shortfall of every portfolio, and VaR backtests."""
    days = run_sessions(context)
    with warehouse.begin("portfolio_tail_risk") as connection:
        valuation = inputs.value_option_adjusted(warehouse, connection, days)
        volatility_estimates = inputs.estimate_portfolio_volatility(warehouse, connection, days)
        returns = inputs.read_clean_returns(
            warehouse, connection, days, tail_risk_results.TAIL_RISK_WINDOW
        )
        rows, backtests = tail_risk_results.compute_tail_risk(
            valuation,
            returns,
            volatility_estimates.root_variance_amount,
            volatility_estimates.figures.observations,
        )
        written = _replace_rows(
            connection, tables.portfolio_tail_risk, rows, days, provenance(context)
        )
        _replace_rows(
            connection, tables.portfolio_var_backtests, backtests, days, provenance(context)
        )
    reports.log_materialization(
        context, days, rows, written, day_column="day", median_column="value_at_risk"
    )


@_portfolio_asset(portfolio_values, har_coefficients, writes=(tables.portfolio_risk_contributions,))
def risk_contributions(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Contribution of each symbol to its portfolio's volatility."""
    days = run_sessions(context)
    with warehouse.begin("risk_contributions") as connection:
        valuation = inputs.value_option_adjusted(warehouse, connection, days)
        rows = contribution_results.compute_contributions(
            valuation, inputs.read_clean_returns(warehouse, connection, days, pro_forma.YEAR_WINDOW)
        )
        written = _replace_rows(
            connection, tables.portfolio_risk_contributions, rows, days, provenance(context)
        )
    reports.log_materialization(
        context, days, rows, written, day_column="day", median_column="component"
    )


@_portfolio_asset(portfolio_values, har_coefficients, writes=(tables.portfolio_drawdowns,))
def portfolio_drawdowns(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Current and maximum drawdown of every portfolio over one year."""
    days = run_sessions(context)
    with warehouse.begin("portfolio_drawdowns") as connection:
        valuation = inputs.value_option_adjusted(warehouse, connection, days)
        rows = drawdowns.compute_drawdowns(
            valuation, inputs.read_clean_returns(warehouse, connection, days, pro_forma.YEAR_WINDOW)
        )
        written = _replace_rows(
            connection, tables.portfolio_drawdowns, rows, days, provenance(context)
        )
    reports.log_materialization(
        context, days, rows, written, day_column="day", median_column="current_drawdown"
    )


@_portfolio_asset(portfolio_betas, portfolio_rate_betas, writes=(tables.portfolio_stress,))
def stress_tests(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Loss of every portfolio in each scenario of `stress_scenarios`."""
    days = run_sessions(context)
    with warehouse.begin("stress_tests") as connection:
        valuation = inputs.value_option_adjusted(warehouse, connection, days)
        betas, scenarios = (
            inputs.estimate_stress_betas(warehouse, connection, days),
            input_queries.read_stress_scenarios(connection),
        )
        symbols = inputs.list_open_symbols(inputs.read_lots(warehouse, connection), days)
        closes = input_queries.read_adjusted_closes(
            connection, symbols, stress_results.window_ends(scenarios)
        )
        suspected = inputs.read_suspected_splits(warehouse, connection)
        rows = stress_results.compute_stress_losses(valuation, scenarios, betas, closes, suspected)
        written = _replace_rows(
            connection, tables.portfolio_stress, rows, days, provenance(context)
        )
    reports.log_materialization(
        context, days, rows, written, day_column="day", median_column="loss"
    )


@_portfolio_asset(
    portfolio_values,
    position_volatility,
    writes=(tables.position_option_exposures, tables.portfolio_snapshots),
)
def option_exposures(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Black-Scholes values and sensitivities of options, and their sums by portfolio."""
    days = run_sessions(context)
    with warehouse.begin("option_exposures") as connection:
        rows = inputs.value_options(warehouse, connection, days)
        written = _replace_rows(
            connection, tables.position_option_exposures, rows, days, provenance(context)
        )
        option_lots = option_results.option_lots(inputs.read_lots(warehouse, connection))
        sums, undefined = option_results.portfolio_rows(
            inputs.value_portfolios(warehouse, connection, days), option_lots, rows
        )
        sums, undefined = write.null_out_of_range(
            tables.portfolio_snapshots, sums, undefined, subject="portfolio_id", day=DAY_COLUMN
        )
        write.update_rows(
            connection,
            tables.portfolio_snapshots,
            sums,
            key=SNAPSHOT_KEY,
            provenance=provenance(context),
        )
        write.replace_undefined_reasons(
            connection,
            undefined,
            metrics=option_results.GREEK_METRICS,
            days=days,
            provenance=provenance(context),
        )
    reports.log_materialization(
        context, days, rows, written, day_column="day", median_column="exposure"
    )


def _replace_rows(
    connection: sa.Connection,
    table: sa.Table,
    rows: pd.DataFrame,
    days: Sequence[date],
    run_provenance: Provenance,
) -> WriteCounts:
    """Make ``rows`` the whole of a table of portfolios on ``days``."""
    key = [column.name for column in table.primary_key]
    return write.replace_rows(
        connection,
        table,
        rows,
        key=key,
        scope=write.scope_of_days(table.c.day, days),
        provenance=run_provenance,
    )

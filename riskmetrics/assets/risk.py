"""What each portfolio may lose: tail risk, contributions, drawdowns, stress and options, each in a table of its own."""

from collections.abc import Sequence
from datetime import date
from functools import partial

import dagster as dg
import pandas as pd
import sqlalchemy as sa

from riskmetrics.assets import inputs, reports
from riskmetrics.assets.model import har_coefficients
from riskmetrics.assets.partitions import of_sessions, run_sessions
from riskmetrics.assets.portfolios import SNAPSHOT, portfolio_betas, portfolio_rate_betas, portfolio_values, portfolio_volatility
from riskmetrics.assets.positions import position_volatility
from riskmetrics.db import read, tables, write
from riskmetrics.db.write import Provenance, Written
from riskmetrics.resources import Warehouse, provenance
from riskmetrics.results import as_of, contributions, drawdowns, options, stress, tail_risk
from riskmetrics.results.snapshots import DAY

_of_portfolios = partial(of_sessions, "portfolios")


@_of_portfolios(portfolio_values, portfolio_volatility, writes=(tables.portfolio_tail_risk, tables.portfolio_var_backtests))
def portfolio_tail_risk(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Value at risk and expected shortfall of every portfolio, and how they held (`portfolio_tail_risk`, `portfolio_var_backtests`)."""
    days = run_sessions(context)
    with warehouse.begin("portfolio_tail_risk") as connection:
        valuation = inputs.exposed(warehouse, connection, days)
        expected = inputs.portfolio_volatility(warehouse, connection, days)
        returns = inputs.returns(warehouse, connection, days, tail_risk.WINDOW)
        rows, backtests = tail_risk.rows(valuation, returns, expected.risk_in_money, expected.figures.observations)
        written = _replace(connection, tables.portfolio_tail_risk, rows, days, provenance(context))
        _replace(connection, tables.portfolio_var_backtests, backtests, days, provenance(context))
    reports.materialized(context, days, rows, written, day="day", figure="value_at_risk")


@_of_portfolios(portfolio_values, har_coefficients, writes=(tables.portfolio_risk_contributions,))
def risk_contributions(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """What each symbol adds to the volatility of the portfolio that holds it (`portfolio_risk_contributions`)."""
    days = run_sessions(context)
    with warehouse.begin("risk_contributions") as connection:
        valuation = inputs.exposed(warehouse, connection, days)
        rows = contributions.rows(valuation, inputs.returns(warehouse, connection, days, as_of.YEAR))
        written = _replace(connection, tables.portfolio_risk_contributions, rows, days, provenance(context))
    reports.materialized(context, days, rows, written, day="day", figure="component")


@_of_portfolios(portfolio_values, har_coefficients, writes=(tables.portfolio_drawdowns,))
def portfolio_drawdowns(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """How far every portfolio is, and was, below its high of a year (`portfolio_drawdowns`)."""
    days = run_sessions(context)
    with warehouse.begin("portfolio_drawdowns") as connection:
        valuation = inputs.exposed(warehouse, connection, days)
        rows = drawdowns.rows(valuation, inputs.returns(warehouse, connection, days, as_of.YEAR))
        written = _replace(connection, tables.portfolio_drawdowns, rows, days, provenance(context))
    reports.materialized(context, days, rows, written, day="day", figure="current")


@_of_portfolios(portfolio_betas, portfolio_rate_betas, writes=(tables.portfolio_stress,))
def stress_tests(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """What every portfolio would lose in each scenario of `stress_scenarios` (`portfolio_stress`)."""
    days = run_sessions(context)
    with warehouse.begin("stress_tests") as connection:
        valuation = inputs.exposed(warehouse, connection, days)
        betas, scenarios = inputs.stress_betas(warehouse, connection, days), read.stress_scenarios(connection)
        symbols = inputs.open_symbols(inputs.lots(warehouse, connection), days)
        closes = read.adjusted_closes(connection, symbols, stress.ends(scenarios))
        suspected = inputs.suspects(warehouse, connection)
        rows = stress.rows(valuation, scenarios, betas, closes, suspected)
        written = _replace(connection, tables.portfolio_stress, rows, days, provenance(context))
    reports.materialized(context, days, rows, written, day="day", figure="loss")


@_of_portfolios(portfolio_values, position_volatility, writes=(tables.position_option_exposures, tables.portfolio_snapshots))
def option_exposures(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Every option by Black-Scholes (`position_option_exposures`), and their sums (`portfolio_snapshots`: sensitivities)."""
    days = run_sessions(context)
    with warehouse.begin("option_exposures") as connection:
        rows = inputs.valued_options(warehouse, connection, days)
        written = _replace(connection, tables.position_option_exposures, rows, days, provenance(context))
        held = options.options(inputs.lots(warehouse, connection))
        sums, undefined = options.portfolio_rows(inputs.valued(warehouse, connection, days), held, rows)
        sums, undefined = write.fit(tables.portfolio_snapshots, sums, undefined, subject="portfolio_id", day=DAY)
        write.update(connection, tables.portfolio_snapshots, sums, key=SNAPSHOT, provenance=provenance(context))
        write.undefined(connection, undefined, metrics=options.METRICS, days=days, provenance=provenance(context))
    reports.materialized(context, days, rows, written, day="day", figure="exposure")


def _replace(connection: sa.Connection, table: sa.Table, rows: pd.DataFrame, days: Sequence[date], by: Provenance) -> Written:
    """Make ``rows`` the whole of a table of portfolios on ``days``."""
    key = [column.name for column in table.primary_key]
    return write.replace(connection, table, rows, key=key, scope=write.of_days(table.c.day, days), provenance=by)

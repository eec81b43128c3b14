"""Read the stored results that insights are based on, as records by portfolio and day.

Each function reads one kind of result for many days with one query.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

import sqlalchemy as sa

from riskmetrics.db import tables
from riskmetrics.db.copy import fetch_frame
from riskmetrics.db.result_queries import filter_by_portfolio

Record = dict[str, Any]
Records = dict[tuple[str, date], list[Record]]
"""Rows by portfolio_id and day; missing values are None."""

_portfolios = tables.portfolios


def snapshots(
    connection: sa.Connection, days: Sequence[date], portfolio: str | None = None
) -> Records:
    """Return all numbers and names of the snapshots, with the portfolio's currency."""
    table = tables.portfolio_snapshots
    columns = [
        column for column in table.c if isinstance(column.type, sa.Numeric | sa.Integer | sa.String)
    ]
    return _read(
        connection, table, table.c.snapshot_date, days, portfolio, _portfolios.c.currency, *columns
    )


def forecasts(
    connection: sa.Connection, days: Sequence[date], portfolio: str | None = None
) -> Records:
    """Return band, probability of a rise, observations and caveats of portfolio forecasts."""
    table = tables.volatility_forecasts
    names = ("low", "high", "rise_probability", "observations", "in_sample", "short_history")
    return _read(
        connection, table, table.c.day, days, portfolio, *(table.c[name] for name in names)
    )


def scores(
    connection: sa.Connection, days: Sequence[date], portfolio: str | None = None
) -> Records:
    """Return the portfolio forecasts completed on each day, with the realized volatility."""
    table = tables.har_forecast_scores
    names = ("volatility_forecast", "realized", "low", "high", "in_sample")
    return _read(
        connection,
        table,
        table.c.completed_on,
        days,
        portfolio,
        table.c.day.label("made_on"),
        *(table.c[name] for name in names),
    )


def rate_betas(
    connection: sa.Connection, days: Sequence[date], portfolio: str | None = None
) -> Records:
    """Return the portfolios' betas to the rate index."""
    table = tables.portfolio_rate_betas
    names = ("rate_beta", "two_factor_rate_beta", "observations")
    return _read(
        connection, table, table.c.day, days, portfolio, *(table.c[name] for name in names)
    )


def sectors(
    connection: sa.Connection, days: Sequence[date], portfolio: str | None = None
) -> Records:
    """Return sector weights, largest first."""
    table = tables.portfolio_sector_weights
    names = ("sector", "gross_weight", "benchmark_weight", "active_weight")
    order = table.c.gross_weight.desc(), table.c.sector
    return _read(
        connection,
        table,
        table.c.day,
        days,
        portfolio,
        *(table.c[name] for name in names),
        order=order,
    )


def stress(
    connection: sa.Connection, days: Sequence[date], portfolio: str | None = None
) -> Records:
    """Return the defined scenario losses, largest first."""
    table = tables.portfolio_stress
    order = table.c.loss.desc(), table.c.scenario
    has_loss = table.c.loss.is_not(None)
    return _read(
        connection,
        table,
        table.c.day,
        days,
        portfolio,
        table.c.scenario,
        table.c.loss,
        table.c.coverage,
        order=order,
        condition=has_loss,
    )


def tail_risk(
    connection: sa.Connection, days: Sequence[date], portfolio: str | None = None
) -> Records:
    """Return historical one-day value at risk and expected shortfall."""
    table = tables.portfolio_tail_risk
    names = ("level", "value_at_risk", "expected_shortfall", "observations")
    one_day = sa.and_(table.c.method == "historical", table.c.horizon_days == 1)
    return _read(
        connection,
        table,
        table.c.day,
        days,
        portfolio,
        *(table.c[name] for name in names),
        condition=one_day,
    )


def drawdowns(
    connection: sa.Connection, days: Sequence[date], portfolio: str | None = None
) -> Records:
    """Return current and maximum drawdowns of the trailing year."""
    table = tables.portfolio_drawdowns
    return _read(
        connection,
        table,
        table.c.day,
        days,
        portfolio,
        table.c.current_drawdown,
        table.c.max_drawdown,
        table.c.observations,
    )


def coverage(
    connection: sa.Connection, days: Sequence[date], portfolio: str | None = None
) -> Records:
    """Return the coverage of each metric."""
    table = tables.portfolio_coverage
    columns = (table.c[name] for name in ("metric", "coverage", "n_covered", "n_total"))
    return _read(connection, table, table.c.day, days, portfolio, *columns)


def undefined(
    connection: sa.Connection, days: Sequence[date], portfolio: str | None = None
) -> Records:
    """Return the undefined metrics of the portfolios themselves, with reasons."""
    table = tables.undefined_metrics
    is_of_portfolio = table.c.subject == table.c.portfolio_id
    return _read(
        connection,
        table,
        table.c.day,
        days,
        portfolio,
        table.c.metric,
        table.c.reason,
        order=(table.c.metric,),
        condition=is_of_portfolio,
    )


def positions(
    connection: sa.Connection, days: Sequence[date], portfolio: str | None = None, *, count: int
) -> Records:
    """Return the ``count`` symbols with the largest weights, and with the largest risk shares.

    Each row has its rank by absolute weight and by share of volatility, among all symbols of the
    portfolio and day with a value, and the share of volatility of all short positions.
    """
    table, profile = tables.portfolio_risk_contributions, tables.company_profiles
    group, short = (table.c.portfolio_id, table.c.day), table.c.weight < 0
    by_size = sa.func.row_number(type_=sa.Integer).over(
        partition_by=group,
        order_by=(sa.func.abs(table.c.weight).desc().nulls_last(), table.c.symbol),
    )
    by_share = sa.func.row_number(type_=sa.Integer).over(
        partition_by=group, order_by=(table.c.share.desc().nulls_last(), table.c.symbol)
    )
    short_share = sa.func.sum(table.c.share, type_=sa.Double).filter(short).over(partition_by=group)
    columns = table.c.symbol, table.c.weight, table.c.share, table.c.observations
    ranked = (
        sa.select(
            *group,
            *columns,
            by_size.label("weight_rank"),
            by_share.label("share_rank"),
            short_share.label("short_share"),
        )
        .where(table.c.day.in_(days), table.c.weight.is_not(None))
        .subquery()
    )
    statement = (
        sa.select(ranked, profile.c.company_name.label("company"))
        .join(_portfolios, _portfolios.c.id == ranked.c.portfolio_id)
        .outerjoin(profile, profile.c.symbol == ranked.c.symbol)
        .where(sa.or_(ranked.c.weight_rank <= count, ranked.c.share_rank <= count))
        .order_by(ranked.c.weight_rank)
    )
    return _group_records(connection, filter_by_portfolio(statement, portfolio))


def _read(
    connection: sa.Connection,
    table: sa.Table,
    day: "sa.Column[Any]",
    days: Sequence[date],
    portfolio: str | None,
    *columns: "sa.ColumnElement[Any]",
    order: "tuple[sa.ColumnElement[Any], ...]" = (),
    condition: "sa.ColumnElement[bool] | None" = None,
) -> Records:
    statement = (
        sa.select(
            table.c.portfolio_id,
            day.label("day"),
            *(column for column in columns if column.name not in ("portfolio_id", "day")),
        )
        .join(_portfolios, _portfolios.c.id == table.c.portfolio_id)
        .where(day.in_(days), sa.true() if condition is None else condition)
        .order_by(*order)
    )
    return _group_records(connection, filter_by_portfolio(statement, portfolio))


def _group_records(connection: sa.Connection, statement: "sa.Select[Any]") -> Records:
    rows = fetch_frame(connection, statement)
    found: Records = defaultdict(list)
    columns = {
        str(name): rows[name].astype(object).where(rows[name].notna(), None).tolist()
        for name in rows.columns
    }
    for values in zip(*columns.values(), strict=True):
        row = dict(zip(columns, values, strict=True))
        found[row["portfolio_id"], row["day"].date()].append(row)
    return found

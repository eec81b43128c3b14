"""What insights are made of: stored results of all portfolios on many days, one query for each kind, as records by portfolio and day."""

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
"""Rows by portfolio_id and day; what is missing in a row is None."""

_portfolios = tables.portfolios


def snapshots(
    connection: sa.Connection, days: Sequence[date], portfolio: str | None = None
) -> Records:
    """Every figure of the snapshots, with the portfolio's currency."""
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
    """What the volatility forecasts of portfolios say beside the snapshot: band, probability of a rise, observations, remarks."""
    table = tables.volatility_forecasts
    names = ("low", "high", "rise_probability", "observations", "in_sample", "short_history")
    return _read(
        connection, table, table.c.day, days, portfolio, *(table.c[name] for name in names)
    )


def scores(
    connection: sa.Connection, days: Sequence[date], portfolio: str | None = None
) -> Records:
    """The forecasts of portfolios that are complete on each day, beside what happened."""
    table = tables.har_forecast_scores
    names = ("expected", "realized", "low", "high", "in_sample")
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
    """Betas to the rate index."""
    table = tables.portfolio_rate_betas
    names = ("rate_beta", "two_factor_rate_beta", "observations")
    return _read(
        connection, table, table.c.day, days, portfolio, *(table.c[name] for name in names)
    )


def sectors(
    connection: sa.Connection, days: Sequence[date], portfolio: str | None = None
) -> Records:
    """Sector weights, the largest first."""
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
    """Losses in scenarios, the largest first; those that are undefined are left out."""
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
    """Historical value at risk and expected shortfall of one day."""
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
    """Falls from a high of the year."""
    table = tables.portfolio_drawdowns
    return _read(
        connection,
        table,
        table.c.day,
        days,
        portfolio,
        table.c.current,
        table.c.largest,
        table.c.observations,
    )


def coverage(
    connection: sa.Connection, days: Sequence[date], portfolio: str | None = None
) -> Records:
    """How much of the portfolio each metric speaks for."""
    table = tables.portfolio_coverage
    columns = (table.c[name] for name in ("metric", "coverage", "n_covered", "n_total"))
    return _read(connection, table, table.c.day, days, portfolio, *columns)


def undefined(
    connection: sa.Connection, days: Sequence[date], portfolio: str | None = None
) -> Records:
    """What of the portfolio itself has no value, and why."""
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
    """The ``count`` symbols of each portfolio and day with the largest weights, and as many with the largest shares of volatility.

    Each row has its ranks by both, among all symbols that have the figure, and sums over all short
    positions: their number, and their share of volatility.
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

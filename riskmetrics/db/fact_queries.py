"""Read the stored results that insights are based on, as records by portfolio and day.

One query reads one kind of result for many days. Every order is complete, sums included: the same
stored rows give the same facts to the last digit, whatever plan Postgres chooses, so that no
insight is paid for twice.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from riskmetrics.catalog import all_statistics, figures_of
from riskmetrics.catalog.tail_risk import HEADLINE_TAIL
from riskmetrics.catalog.track_records import ForecastKind, compared_method
from riskmetrics.db import tables
from riskmetrics.db.copy import fetch_frame
from riskmetrics.db.portfolio_limits import first_of_status
from riskmetrics.db.result_queries import filter_by_portfolio

Record = dict[str, Any]
Records = dict[tuple[str, date], list[Record]]
"""Rows by portfolio_id and day; missing values are None."""

_PORTFOLIOS = tables.portfolios
_SCENARIOS = tables.stress_scenarios


class _Query(NamedTuple):
    """The rows of a result table that facts are based on: keys, and all figures of the catalog."""

    table: sa.Table
    keys: tuple[str, ...] = ()
    order: "tuple[sa.ColumnElement[Any], ...]" = ()
    condition: "sa.ColumnElement[bool]" = sa.true()
    more: "tuple[sa.ColumnElement[Any], ...]" = ()
    """Further columns."""
    day: str = "day"
    """Column of the session."""

    @property
    def columns(self) -> list[str]:
        """Return the columns that are read."""
        return [*self.keys, *(figure.column for figure in figures_of(self.table.name))]


MONTH = 21
"""Sessions ahead of the volatility forecasts."""

_SECTORS = tables.portfolio_sector_weights
_LOSSES = tables.portfolio_stress
_TAIL = tables.portfolio_tail_risk
_REASONS = tables.undefined_metrics
_OUTCOMES = tables.forecast_outcomes
_QUERIES = {
    "forecasts": _Query(tables.volatility_forecasts),
    "scores": _Query(
        _OUTCOMES,
        condition=sa.and_(
            _OUTCOMES.c.kind == ForecastKind.VOLATILITY.value,
            _OUTCOMES.c.method == compared_method(ForecastKind.VOLATILITY, MONTH),
            _OUTCOMES.c.horizon == MONTH,
        ),
        day="completed_on",
    ),
    "rate_betas": _Query(tables.portfolio_rate_betas),
    "sectors": _Query(_SECTORS, ("sector",), (_SECTORS.c.gross_weight.desc(), _SECTORS.c.sector)),
    "stress": _Query(
        _LOSSES,
        ("scenario",),
        (_LOSSES.c.loss.desc(), _LOSSES.c.scenario),
        _LOSSES.c.loss.is_not(None),
        tuple(
            sa.select(column)
            .where(_SCENARIOS.c.name == _LOSSES.c.scenario)
            .scalar_subquery()
            .label(label)
            for label, column in (
                ("market_move", _SCENARIOS.c.market_move),
                (
                    "has_other_moves",
                    sa.func.num_nonnulls(_SCENARIOS.c.rate_move, _SCENARIOS.c.factor_moves) > 0,
                ),
            )
        ),
    ),
    "tail_risk": _Query(
        _TAIL,
        ("level",),
        condition=sa.and_(
            *(_TAIL.c[name] == HEADLINE_TAIL[name] for name in ("method", "horizon_days"))
        ),
    ),
    "historical_tail_risk": _Query(
        _TAIL,
        condition=sa.and_(
            *(
                _TAIL.c[name] == value
                for name, value in {**HEADLINE_TAIL, "method": "historical"}.items()
            )
        ),
    ),
    "factor_exposures": _Query(tables.portfolio_factor_exposures, ("factor",)),
    "factor_risk": _Query(tables.portfolio_factor_risk, ("factor",)),
    "liquidity": _Query(tables.portfolio_liquidity),
    "diversification": _Query(tables.portfolio_diversification),
    "var_tests": _Query(tables.portfolio_var_backtests, ("level",)),
    "coverage": _Query(tables.portfolio_coverage, ("metric",)),
    "undefined": _Query(
        _REASONS,
        ("metric", "reason"),
        (_REASONS.c.metric,),
        _REASONS.c.subject == _REASONS.c.portfolio_id,
    ),
    **{
        statistic.key: _Query(tables.STATISTIC_TABLES[statistic.table])
        for statistic in all_statistics()
    },
}
"""Largest sectors and losses first; the one-day tail risk of tables; reasons of portfolios."""

_CHECKS = tables.portfolio_limit_checks
_QUESTION_QUERIES = {
    "exceeded_limits": _Query(
        _CHECKS,
        ("limit_name",),
        condition=_CHECKS.c.status == "exceeded",
        more=(first_of_status(),),
    ),
    **{name: _QUERIES[name] for name in ("factor_exposures", "factor_risk", "sectors", "stress")},
    "tail_levels": _Query(_TAIL, ("level", "horizon_days", "method")),
    **{statistic.key: _QUERIES[statistic.key] for statistic in all_statistics()},
}
"""All tail risks, factors, sectors, scenarios, statistics, and since when limits are exceeded: what
only questions ask for.
"""


def read_portfolio_ids(
    connection: sa.Connection, days: Sequence[date], portfolio: str | None
) -> list[UUID]:
    """Return the ids of portfolios, or of the one of a name, with a snapshot on ``days``."""
    snapshot = tables.portfolio_snapshots
    statement = (
        sa.select(_PORTFOLIOS.c.id)
        .where(
            sa.exists().where(
                snapshot.c.portfolio_id == _PORTFOLIOS.c.id, snapshot.c.snapshot_date.in_(days)
            )
        )
        .order_by(_PORTFOLIOS.c.id)
    )
    return list(connection.scalars(filter_by_portfolio(statement, portfolio)))


def read_snapshots(
    connection: sa.Connection, days: Sequence[date], portfolios: Collection[UUID]
) -> Records:
    """Return all figures of the snapshots, with the portfolio's currency."""
    query = _Query(tables.portfolio_snapshots, day="snapshot_date")
    return _read(connection, query, days, portfolios, _PORTFOLIOS.c.currency)


def read_records(
    connection: sa.Connection, days: Sequence[date], portfolios: Collection[UUID]
) -> dict[str, Records]:
    """Return the rows that facts of portfolios are based on, by kind of result."""
    return {name: _read(connection, query, days, portfolios) for name, query in _QUERIES.items()}


def read_question_records(
    connection: sa.Connection, day: date, portfolio: UUID
) -> dict[str, Records]:
    """Return the rows that only facts of questions are based on, by kind of result."""
    queries = _QUESTION_QUERIES.items()
    return {name: _read(connection, query, [day], [portfolio]) for name, query in queries} | {
        "position_risk": read_position_risk(connection, day, portfolio)
    }


def read_position_risk(connection: sa.Connection, day: date, portfolio: UUID) -> Records:
    """Return beta and volatility of each symbol that is held, if they are those of all its lots."""
    lots, betas, volatility = (
        tables.positions,
        tables.position_market_betas,
        tables.position_volatility,
    )
    of_lots = sa.and_(betas.c.position_id == lots.c.id, betas.c.calc_date == day)
    moves = sa.and_(volatility.c.position_id == lots.c.id, volatility.c.calculation_date == day)
    figures = (
        *(betas.c[name] for name in ("beta", "std_error")),
        *(volatility.c[name] for name in ("realized_vol_21d", "expected_vol_21d")),
    )
    one_value = sa.and_(*(sa.func.count(figure.distinct()) <= 1 for figure in figures))
    statement = (
        sa.select(
            lots.c.portfolio_id,
            sa.literal(day, sa.Date).label("day"),
            lots.c.symbol,
            *(sa.func.min(figure, type_=sa.Double).label(figure.name) for figure in figures),
            sa.func.min(betas.c.observations).label("observations"),
        )
        .select_from(lots.join(betas, of_lots).outerjoin(volatility, moves))
        .where(lots.c.portfolio_id == portfolio, lots.c.underlying_symbol.is_(None))
        .group_by(lots.c.portfolio_id, lots.c.symbol)
        .having(one_value)
        .order_by(lots.c.symbol)
    )
    return group_records(connection, statement)


def read_positions(
    connection: sa.Connection, days: Sequence[date], portfolios: Collection[UUID], *, count: int
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
    short_share = (
        sa.func.sum(table.c.share, type_=sa.Double)
        .filter(short)
        .over(partition_by=group, order_by=table.c.symbol, rows=(None, None))
    )
    columns = table.c.symbol, table.c.weight, table.c.share, table.c.observations
    ranked = (
        sa.select(
            *group,
            *columns,
            by_size.label("weight_rank"),
            by_share.label("share_rank"),
            short_share.label("short_share"),
        )
        .where(
            table.c.day.in_(days),
            table.c.portfolio_id.in_(portfolios),
            table.c.weight.is_not(None),
        )
        .subquery()
    )
    statement = (
        sa.select(
            ranked,
            profile.c.company_name.label("company"),
            sa.or_(profile.c.is_etf, profile.c.is_fund).label("is_fund"),
        )
        .outerjoin(profile, profile.c.symbol == ranked.c.symbol)
        .where(sa.or_(ranked.c.weight_rank <= count, ranked.c.share_rank <= count))
        .order_by(ranked.c.portfolio_id, ranked.c.day, ranked.c.weight_rank)
    )
    return group_records(connection, statement)


def _read(
    connection: sa.Connection,
    query: _Query,
    days: Sequence[date],
    portfolios: Collection[UUID],
    *more: "sa.ColumnElement[Any]",
) -> Records:
    table, day = query.table, query.table.c[query.day]
    statement = (
        sa.select(
            table.c.portfolio_id,
            day.label("day"),
            *(table.c[name] for name in query.columns),
            *query.more,
            *more,
        )
        .join(_PORTFOLIOS, _PORTFOLIOS.c.id == table.c.portfolio_id)
        .where(day.in_(days), table.c.portfolio_id.in_(portfolios), query.condition)
        .order_by(*query.order, *table.primary_key)
    )
    return group_records(connection, statement)


def group_records(connection: sa.Connection, statement: "sa.Select[Any]") -> Records:
    """Return the rows of a query with portfolio_id and day, by both."""
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

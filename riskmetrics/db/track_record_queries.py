"""Read stored forecasts when they complete, and sums over the outcomes of completed ones."""

from collections.abc import Iterable, Sequence
from datetime import date
from functools import partial, reduce
from typing import Any

import pandas as pd
import sqlalchemy as sa

from riskmetrics.catalog.track_records import (
    TRACKED_FORECASTS,
    ForecastKind,
    TrackedForecast,
    compared_method,
)
from riskmetrics.db import result_tables, tables
from riskmetrics.db.copy import fetch_frame
from riskmetrics.db.shards import Shard, has_portfolio
from riskmetrics.db.sql_expressions import IS_LISTED, any_of
from riskmetrics.results.track_records import forecast_sessions

_PORTFOLIOS, _OUTCOMES = tables.portfolios, tables.forecast_outcomes
_FORECAST_COLUMNS = (
    *("value", "root_variance", "expected_shortfall", "low", "high", "std_error", "level"),
)
"""Attributes of a tracked forecast that name columns of its table."""

_CLASS = sa.case(
    (_OUTCOMES.c.portfolio_id.is_not(None), "portfolios"),
    (
        sa.or_(tables.company_profiles.c.is_etf, tables.company_profiles.c.is_fund),
        "funds",
    ),
    else_="stocks",
).label("subject")
"""Class of a subject; a symbol without a profile is a stock."""


def read_forecasts(
    connection: sa.Connection,
    table_name: str,
    tracked: Iterable[TrackedForecast],
    days: Sequence[date],
    shard: Shard | None = None,
) -> pd.DataFrame:
    """Return the forecasts of a table made on ``days``, one row per subject, day and method.

    Rows without a forecast are left out, and so are those of deleted portfolios. A shard of
    portfolios has the forecasts of its portfolios, and the first one those of symbols.

    Returns
    -------
    DataFrame
        Columns subject, portfolio_id, made_on, kind, method, horizon, in_sample, and
        `_FORECAST_COLUMNS`, NaN where a forecast has no such column.
    """
    tracked = list(tracked)
    stored = fetch_frame(connection, _select_forecasts(table_name, tracked, days, shard))
    parts = []
    for forecast in tracked:
        rows = stored[
            reduce(
                lambda mask, item: mask & (stored[f"condition_{item[0]}"] == item[1]),
                forecast.condition.items(),
                stored[f"forecast_{forecast.value}"].notna(),
            )
        ]
        found = rows[["subject", "portfolio_id", "made_on"]].assign(
            kind=forecast.kind.value,
            method=forecast.method,
            horizon=forecast.horizon,
            in_sample=rows["in_sample"].eq(other=True) if forecast.in_sample else False,
        )
        for name in _FORECAST_COLUMNS:
            column = getattr(forecast, name)
            found[name] = rows[f"forecast_{column}"].astype(float) if column else float("nan")
        # portfolios computed in different runs may have different figures of a symbol
        parts.append(
            found.sort_values("value", kind="stable").drop_duplicates(
                ["subject", "made_on", "level"]
            )
        )
    return pd.concat(parts, ignore_index=True)


def find_unscored_forecasts(
    connection: sa.Connection, days: Sequence[date]
) -> tuple[int, pd.DataFrame]:
    """Return the number of volatility forecasts that complete on ``days``, and those not scored.

    They are the forecasts of 21 sessions; columns subject, made_on and value of those without a row
    in forecast_outcomes.
    """
    tracked = [
        forecast
        for forecast in TRACKED_FORECASTS
        if (forecast.table, forecast.method) == ("volatility_forecasts", "har")
    ]
    (horizon,) = {forecast.horizon for forecast in tracked}
    made_on = forecast_sessions(days, horizon)
    found = read_forecasts(connection, "volatility_forecasts", tracked, made_on)
    scored = fetch_frame(
        connection,
        sa.select(_OUTCOMES.c.subject, _OUTCOMES.c.made_on).where(
            _OUTCOMES.c.kind == tracked[0].kind.value,
            _OUTCOMES.c.method == tracked[0].method,
            _OUTCOMES.c.horizon == horizon,
            _OUTCOMES.c.completed_on.in_(days),
        ),
    )
    has_outcome = pd.MultiIndex.from_frame(found[["subject", "made_on"]]).isin(
        pd.MultiIndex.from_frame(scored)
    )
    return len(found), found.loc[~has_outcome, ["subject", "made_on", "value"]]


def _select_forecasts(
    table_name: str,
    tracked: Sequence[TrackedForecast],
    days: Sequence[date],
    shard: Shard | None,
) -> "sa.Select[Any]":
    table = tables.metadata.tables[table_name]
    day = result_tables.day_column(table)
    source: sa.FromClause = table
    portfolio: sa.ColumnElement[Any]
    if "portfolio_id" in table.c and "position_id" not in table.c:
        portfolio = table.c.portfolio_id
        subject = table.c.get("subject", sa.cast(portfolio, sa.String))
    else:
        portfolio = sa.cast(sa.null(), sa.Uuid)
        subject = table.c.get("symbol", tables.positions.c.symbol)
    conditions: list[sa.ColumnElement[bool]] = [day == any_of(days, sa.Date)]
    if "position_id" in table.c:  # the figures of a symbol are those of each of its positions
        source = table.join(tables.positions, tables.positions.c.id == table.c.position_id)
        conditions.append(IS_LISTED)
    conditions.append(
        sa.or_(
            *(
                sa.and_(
                    sa.true(), *(table.c[key] == value for key, value in each.condition.items())
                )
                for each in tracked
            )
        )
    )
    columns = {getattr(forecast, name) for forecast in tracked for name in _FORECAST_COLUMNS} - {""}
    chosen = {name for forecast in tracked for name in forecast.condition}
    statement = (
        sa.select(
            subject.label("subject"),
            portfolio.label("portfolio_id"),
            day.label("made_on"),
            _select_in_sample(table, tracked, portfolio, day).label("in_sample"),
            *(table.c[name].label(f"forecast_{name}") for name in sorted(columns)),
            *(table.c[name].label(f"condition_{name}") for name in sorted(chosen)),
        )
        .select_from(source.outerjoin(_PORTFOLIOS, _PORTFOLIOS.c.id == portfolio))
        .where(*conditions, _PORTFOLIOS.c.deleted_at.is_(None), _is_of_shard(portfolio, shard))
    )
    return statement.distinct() if "position_id" in table.c else statement


def _select_in_sample(
    table: sa.Table,
    tracked: Sequence[TrackedForecast],
    portfolio: "sa.ColumnElement[Any]",
    day: "sa.ColumnElement[Any]",
) -> "sa.ColumnElement[Any]":
    """Return the flag of the rows, or that of the volatility forecast that they depend on."""
    names = {forecast.in_sample for forecast in tracked} - {""}
    if not names:
        return sa.false()
    (name,) = names
    if name.partition(".")[0] == table.name:
        return table.c[name.partition(".")[2]]
    source = tables.metadata.tables[name.partition(".")[0]]
    return (
        sa.select(sa.func.bool_or(source.c[name.partition(".")[2]], type_=sa.Boolean))
        .where(
            source.c.subject == sa.cast(portfolio, sa.String),
            result_tables.day_column(source) == day,
        )
        .correlate(table)
        .scalar_subquery()
    )


def _is_of_shard(portfolio: "sa.ColumnElement[Any]", shard: Shard | None) -> sa.ColumnElement[bool]:
    is_included = has_portfolio(shard)
    if shard is None:
        return is_included
    if shard.has_subjects_without_portfolio:
        return sa.or_(portfolio.is_(None), is_included)
    return sa.and_(portfolio.is_not(None), is_included)


def read_betas(connection: sa.Connection, days: Sequence[date]) -> pd.DataFrame:
    """Return the raw betas of symbols stored on ``days``: columns subject, made_on and value."""
    raw = [
        forecast
        for forecast in TRACKED_FORECASTS
        if (forecast.kind, forecast.method) == (ForecastKind.BETA, "raw")
    ]
    found = read_forecasts(connection, raw[0].table, raw, days)
    return found[["subject", "made_on", "value"]]


def read_daily_sums(
    connection: sa.Connection,
    kind: ForecastKind,
    last_day: date | None = None,
    *,
    portfolio: str | None = None,
    by_subject: bool = False,
) -> pd.DataFrame:
    """Return sums over the forecasts of a kind completed by ``last_day``, default all, by day.

    Parameters
    ----------
    portfolio : str, optional
        Name: only its forecasts.
    by_subject : bool
        Whether rows are by symbol and name of the portfolio, instead of by class: portfolios,
        funds and stocks.

    Returns
    -------
    DataFrame
        One row per subject, horizon, level, method, in_sample and made_on, in this order, with

        - ``n_outcomes``, ``n_losses``: forecasts with an outcome, and with a loss;
        - ``loss``: sum of the losses;
        - ``forecast``, ``outcome``: sums, of the squares for volatility, whose variance is scored;
        - ``n_bands``, ``n_inside``: bands with an outcome, and those that contain it;
        - ``n_shared``, ``shared_loss``, ``compared_loss``: forecasts with a loss if the
          compared method has one too, and the sums of both.
    """
    scored = _select_scored(kind, last_day, portfolio, by_subject=by_subject).subquery()
    column, count = scored.c, partial(sa.func.count, type_=sa.Integer)
    keys = [column[name] for name in _SUM_KEYS]
    has_outcome, is_shared = column.outcome.is_not(None), column.compared_loss.is_not(None)

    total = partial(_ordered_sum, column.key)
    power = 2 if kind is ForecastKind.VOLATILITY else 1
    statement = sa.select(
        *keys,
        count(column.outcome).label("n_outcomes"),
        count(column.loss).label("n_losses"),
        total(column.loss).label("loss"),
        total(sa.func.power(column.scored, power)).filter(has_outcome).label("forecast"),
        total(sa.func.power(column.outcome, power)).label("outcome"),
        count(column.upper).filter(has_outcome).label("n_bands"),
        count(column.upper)
        .filter(
            column.outcome <= column.upper,
            sa.func.coalesce(column.outcome >= column.low, sa.true()),
        )
        .label("n_inside"),
        count(column.loss).filter(is_shared).label("n_shared"),
        total(column.loss).filter(is_shared).label("shared_loss"),
        total(column.compared_loss).filter(column.loss.is_not(None)).label("compared_loss"),
    )
    return fetch_frame(connection, statement.group_by(*keys).order_by(*keys))


_SUM_KEYS = ("subject", "horizon", "level", "method", "in_sample", "made_on")


def _select_scored(
    kind: ForecastKind, last_day: date | None, portfolio: str | None, *, by_subject: bool
) -> "sa.Select[Any]":
    """Select the forecasts of a kind, with the loss of the compared method next to each."""
    other, column = _OUTCOMES.alias("other"), _OUTCOMES.c
    name = sa.func.coalesce(_PORTFOLIOS.c.name, column.subject).label("subject")
    horizons = {forecast.horizon for forecast in TRACKED_FORECASTS if forecast.kind is kind}
    compared = sa.case(
        *(
            (column.horizon == horizon, compared_method(kind, horizon))
            for horizon in sorted(horizons)
        )
    )
    keys = ("subject", "made_on", "kind", "horizon", "level")
    is_same = sa.and_(*(other.c[key] == column[key] for key in keys), other.c.method == compared)
    is_bound = kind is ForecastKind.VALUE_AT_RISK
    return (
        sa.select(
            (name if by_subject or portfolio is not None else _CLASS),
            column.subject.label("key"),
            *(column[key] for key in ("horizon", "level", "method", "in_sample", "made_on")),
            column.outcome,
            column.forecast_loss.label("loss"),
            column.low,
            (column.forecast if is_bound else column.high).label("upper"),
            sa.func.coalesce(column.root_variance, column.forecast).label("scored"),
            other.c.forecast_loss.label("compared_loss"),
        )
        .select_from(
            _OUTCOMES.outerjoin(_PORTFOLIOS, _PORTFOLIOS.c.id == column.portfolio_id)
            .outerjoin(tables.company_profiles, tables.company_profiles.c.symbol == column.subject)
            .outerjoin(other, is_same)
        )
        .where(column.kind == kind.value, _is_selected(last_day, portfolio))
    )


def _is_selected(last_day: date | None, portfolio: str | None) -> sa.ColumnElement[bool]:
    conditions: list[sa.ColumnElement[bool]] = [_PORTFOLIOS.c.deleted_at.is_(None)]
    if last_day is not None:
        conditions.append(_OUTCOMES.c.completed_on <= last_day)
    if portfolio is not None:
        conditions.append(_PORTFOLIOS.c.name == portfolio)
    return sa.and_(*conditions)


def read_exception_counts(
    connection: sa.Connection, last_day: date | None = None, portfolio: str | None = None
) -> pd.DataFrame:
    """Return counts of VaR exceptions completed by ``last_day``, by portfolio, method and level.

    Returns
    -------
    DataFrame
        Columns subject (name), horizon, level, method, ``n_tested``, ``exceptions``; ``n_00`` to
        ``n_11``, the pairs of consecutive sessions by whether each had an exception;
        ``losses_beyond`` and ``shortfalls``, the sums of losses and of expected shortfalls over
        the exceptions; ``relative_losses``, the sum of their ratios.
    """
    tested = _select_tested(last_day, portfolio).subquery()
    found = tested.c
    count, is_exception = partial(sa.func.count, type_=sa.Integer), found.exceeded == 1
    groups = [found[name] for name in ("subject", "horizon", "level", "method")]

    def total(value: "sa.ColumnElement[Any]", name: str) -> "sa.ColumnElement[Any]":
        return _ordered_sum(found.made_on, value).filter(is_exception).label(name)

    statement = sa.select(
        *groups,
        count().label("n_tested"),
        count().filter(is_exception).label("exceptions"),
        *(
            count()
            .filter(found.before == before, found.exceeded == after)
            .label(f"n_{before}{after}")
            for before in (0, 1)
            for after in (0, 1)
        ),
        total(found.outcome, "losses_beyond"),
        total(found.shortfall_forecast, "shortfalls"),
        total(found.outcome / sa.func.nullif(found.shortfall_forecast, 0), "relative_losses"),
    )
    return fetch_frame(connection, statement.group_by(*groups).order_by(*groups))


def _select_tested(last_day: date | None, portfolio: str | None) -> "sa.Select[Any]":
    """Select the tested values at risk, with whether the sessions before had an exception."""
    column = _OUTCOMES.c
    exceeded = sa.cast(column.outcome > column.forecast, sa.Integer)
    keys = (_PORTFOLIOS.c.name.label("subject"), column.horizon, column.level, column.method)

    def previous(value: "sa.ColumnElement[Any]") -> "sa.ColumnElement[Any]":
        return sa.func.lag(value).over(
            partition_by=(column.subject, *keys[1:]), order_by=column.made_on
        )

    return (
        sa.select(
            *keys,
            column.made_on,
            column.outcome,
            column.shortfall_forecast,
            exceeded.label("exceeded"),
            sa.case((previous(column.completed_on) == column.made_on, previous(exceeded))).label(
                "before"
            ),
        )
        .join(_PORTFOLIOS, _PORTFOLIOS.c.id == column.portfolio_id)
        .where(
            column.kind == ForecastKind.VALUE_AT_RISK.value,
            column.outcome.is_not(None),
            _is_selected(last_day, portfolio),
        )
    )


def _ordered_sum(
    order: "sa.ColumnElement[Any]", value: "sa.ColumnElement[Any]"
) -> "sa.Function[Any]":
    """Return a sum in a fixed order: its last digit does not depend on the plan of the query."""
    ordered = sa.dialects.postgresql.aggregate_order_by(value, order)
    return sa.func.sum(ordered, type_=sa.Double)

"""Read the names that an answer may show or replace: of portfolios, symbols and scenarios."""

import re
from collections import defaultdict
from typing import Any, NamedTuple

import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import tables

_PORTFOLIOS, _POSITIONS = tables.portfolios, tables.positions
_UUID_PATTERN = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class StoredNames(NamedTuple):
    """Names by the id of the portfolio that they belong to."""

    portfolios: dict[str, tuple[str, str]]
    """Name and currency of the portfolios that are not deleted, in the order of names."""
    symbols: dict[str, set[str]]
    """Symbols of each portfolio's positions, of their underlyings and of the funds of factors."""
    scenarios: dict[str, set[str]]
    """Stress scenarios with a result of the portfolio."""


def read_names(connection: sa.Connection) -> StoredNames:
    """Return the names of all portfolios that are not deleted."""
    live = _PORTFOLIOS.c.deleted_at.is_(None)
    portfolios = connection.execute(
        sa.select(_PORTFOLIOS.c.id, _PORTFOLIOS.c.name, _PORTFOLIOS.c.currency)
        .where(live)
        .order_by(_PORTFOLIOS.c.name, _PORTFOLIOS.c.id)
    )
    names = {str(portfolio): (name, currency) for portfolio, name, currency in portfolios}
    symbols: dict[str, set[str]] = defaultdict(set)
    for column in (_POSITIONS.c.symbol, _POSITIONS.c.underlying_symbol):
        _add(connection, sa.select(_POSITIONS.c.portfolio_id, column).distinct(), symbols)
    factors = tables.portfolio_factor_exposures
    fund = sa.func.split_part(factors.c.definition, " ", 1)
    _add(connection, sa.select(factors.c.portfolio_id, fund).distinct(), symbols)
    scenarios: dict[str, set[str]] = defaultdict(set)
    stress = tables.portfolio_stress
    _add(connection, sa.select(stress.c.portfolio_id, stress.c.scenario).distinct(), scenarios)
    return StoredNames(names, symbols, scenarios)


def replace_ids_with_names(connection: sa.Connection, rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with names of portfolios and symbols of lots in place of their ids.

    An id in the column subject becomes a name, too; one that is not known stays.
    """
    named = rows.drop(columns="id", errors="ignore")
    for column, name, shown in (
        ("portfolio_id", _PORTFOLIOS.c.name, "portfolio"),
        ("position_id", _POSITIONS.c.symbol, "symbol"),
        ("subject", _PORTFOLIOS.c.name, "subject"),
    ):
        if column not in named:
            continue
        ids = [key for key in named[column].map(str) if _UUID_PATTERN.fullmatch(key)]
        known = connection.execute(
            sa.select(sa.cast(name.table.c.id, sa.String), name).where(name.table.c.id.in_(ids))
        )
        names = {str(key): str(value) for key, value in known}
        named[column] = [names.get(str(key), key) for key in named[column]]
        if shown not in named:
            named = named.rename(columns={column: shown})
    return named


def _add(connection: sa.Connection, statement: "sa.Select[Any]", to: dict[str, set[str]]) -> None:
    for portfolio, name in connection.execute(statement):
        if name:
            to[str(portfolio)].add(name)

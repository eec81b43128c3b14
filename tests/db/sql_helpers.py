"""Run statements in separate transactions, for tests of the schema."""

from typing import Any

import sqlalchemy as sa


def execute(engine: sa.Engine, sql: str) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql(sql)


def query(engine: sa.Engine, sql: str) -> list[tuple[Any, ...]]:
    with engine.begin() as connection:
        return [tuple(row) for row in connection.exec_driver_sql(sql)]

"""Average the forecasts of portfolios with exponential weights; ship the versions with them.

The versions that the revision k1a7f30b52c9 shipped are deleted where no stored forecast used them.
"""

import json
from datetime import date
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "l2d5a7c41e90"
down_revision = "k9c8e48fda07"

DATA = Path(__file__).parents[1] / "data"
EWMA_WEIGHTS = ("ewma_94_weight", "ewma_97_weight")
TABLES = ("har_coefficients", "variance_corrections")


def upgrade() -> None:
    for name in EWMA_WEIGHTS:
        op.add_column(
            "variance_corrections",
            sa.Column(name, sa.Double, nullable=False, server_default="0"),
        )
    delete([version for version in versions(shipped("k1a7f30b52c9")) if not is_used(version)])
    insert(shipped(revision))


def downgrade() -> None:
    delete(versions(shipped(revision)))
    former = shipped("k1a7f30b52c9")
    stored = sa.table("har_coefficients", sa.column("version"))
    left = set(op.get_bind().scalars(sa.select(stored.c.version)))
    insert(
        {
            table: [row for row in rows if row["version"] not in left]
            for table, rows in former.items()
        }
    )
    for name in EWMA_WEIGHTS:
        op.drop_column("variance_corrections", name)


def shipped(of_revision: str) -> dict[str, list[dict[str, Any]]]:
    """Return the rows that `python -m benchmarks.shipped_versions` wrote for a revision."""
    content: dict[str, list[dict[str, Any]]] = json.loads(
        (DATA / f"{of_revision}.json").read_text()
    )
    return content


def versions(content: dict[str, list[dict[str, Any]]]) -> list[str]:
    return sorted({row["version"] for row in content["har_coefficients"]})


def is_used(version: str) -> bool:
    forecasts = sa.table("volatility_forecasts", sa.column("coefficients"))
    used = sa.select(sa.exists().where(forecasts.c.coefficients == version))
    return bool(op.get_bind().scalar(used))


def delete(names: list[str]) -> None:
    for name in TABLES:
        table = sa.table(name, sa.column("version"))
        op.execute(sa.delete(table).where(table.c.version.in_(names)))


def insert(content: dict[str, list[dict[str, Any]]]) -> None:
    for name in TABLES:
        rows = [
            row
            | {
                key: date.fromisoformat(row[key])
                for key in ("first_day", "last_target")
                if key in row
            }
            for row in content[name]
        ]
        table = sa.table(name, *(sa.column(key) for key in (rows[0] if rows else ())))
        if name == "har_coefficients" and rows:
            table.c.first_day.type = table.c.last_target.type = sa.Date()
        op.bulk_insert(table, rows)

"""Widening of positions.quantity in databases with granted views and views of users."""

import pytest
import sqlalchemy as sa

from riskmetrics.db import migrate
from riskmetrics.errors import SchemaError
from tests.db.sql_helpers import execute, query

BEFORE, WIDENED = "7c2e59d0a4b1", "5d2f8a1c7e36"


@pytest.fixture
def earlier(engine: sa.Engine) -> sa.Engine:
    """Return an engine for a database at the revision before."""
    migrate.downgrade(engine, BEFORE)
    return engine


def test_grants_and_comments_of_views_stay(earlier: sa.Engine) -> None:
    execute(earlier, "GRANT SELECT ON v_positions TO PUBLIC")
    described = (
        "SELECT col_description('v_positions'::regclass, attnum) FROM pg_attribute WHERE attrelid ="
        " 'v_positions'::regclass"
    )
    before = query(earlier, f"{described} ORDER BY attnum")
    migrate.upgrade(earlier, WIDENED)
    assert query(earlier, f"{described} ORDER BY attnum") == before
    granted = (
        "SELECT has_table_privilege(oid, 'SELECT') FROM pg_class CROSS JOIN aclexplode(relacl)"
        " WHERE relname = 'v_positions'"
    )
    assert (True,) in query(earlier, f"{granted} AND grantee = 0")
    kind = (
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid ="
        " 'positions'::regclass AND attname = 'quantity'"
    )
    assert query(earlier, kind) == [("numeric(28,10)",)]


def test_a_view_without_a_comment_is_created_again(earlier: sa.Engine) -> None:
    execute(earlier, "COMMENT ON VIEW v_positions IS NULL")
    migrate.upgrade(earlier, WIDENED)
    assert query(earlier, "SELECT obj_description('v_positions'::regclass)") == [(None,)]


@pytest.mark.parametrize("read", ["v_positions", "positions"])
def test_a_view_of_the_users_own_is_named_and_nothing_is_changed(
    earlier: sa.Engine, read: str
) -> None:
    execute(earlier, f"CREATE VIEW mine AS SELECT symbol, quantity FROM {read}")
    with pytest.raises(
        SchemaError, match=r"views of your own read positions\.quantity, whose type changes: mine"
    ):
        migrate.upgrade(earlier, WIDENED)
    assert query(earlier, "SELECT version_num FROM alembic_version") == [(BEFORE,)]
    execute(earlier, "DROP VIEW mine")
    migrate.upgrade(earlier, WIDENED)


def test_a_view_that_reads_other_columns_is_in_nobodys_way(earlier: sa.Engine) -> None:
    execute(earlier, "CREATE VIEW mine AS SELECT symbol FROM positions")
    migrate.upgrade(earlier, WIDENED)
    assert query(earlier, "SELECT symbol FROM mine") == []

"""Comments of stored columns: those of the catalog, written by every upgrade."""

import founding_schema
import sqlalchemy as sa

from riskmetrics.catalog import all_figures
from riskmetrics.db import migrate, tables
from tests.db.sql_helpers import execute, query

ADDED_TO_FOUNDING_TABLES = {
    "portfolio_snapshots.income",
    "portfolio_snapshots.equity_source",
    "position_interest_rate_betas.alpha",
    "position_interest_rate_betas.std_error",
    "position_interest_rate_betas.p_value",
    "position_interest_rate_betas.observations",
}
STORED = """
    SELECT attrelid::regclass::text || '.' || attname, col_description(attrelid, attnum)
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND attnum > 0
"""


def read_comments(engine: sa.Engine) -> dict[str, str | None]:
    """Return the comment of every stored column, by 'table.column'."""
    return {str(name): comment for name, comment in query(engine, STORED)}


def test_every_stored_figure_has_the_comment_of_its_record(engine: sa.Engine) -> None:
    stored = read_comments(engine)
    n_compared = 0
    for figure in all_figures():
        name = f"{figure.table}.{figure.stored_column}"
        comment = stored[name]
        if figure.table in founding_schema.COLUMNS and name not in ADDED_TO_FOUNDING_TABLES:
            assert comment is None, name
            continue
        assert comment is not None, name
        assert comment.startswith(f"{figure.label}: {figure.formula}. Unit: {figure.unit.value}.")
        column = tables.metadata.tables[figure.table].c[figure.stored_column]
        assert ("NULL: " in comment) == bool(column.nullable or "NULL: " in figure.formula), name
        n_compared += 1
    assert n_compared > 80


def test_an_upgrade_at_the_head_writes_what_the_catalog_says_now(engine: sa.Engine) -> None:
    before = read_comments(engine)
    execute(
        engine,
        "COMMENT ON COLUMN portfolio_drawdowns.max_drawdown IS 'of an earlier version';"
        " COMMENT ON COLUMN portfolio_stress.loss IS NULL;"
        " COMMENT ON TABLE portfolio_stress IS NULL",
    )
    assert migrate.upgrade(engine) is False
    assert read_comments(engine) == before
    assert query(engine, "SELECT obj_description('portfolio_stress'::regclass)") == [
        (tables.portfolio_stress.comment,)
    ]


def test_comments_of_other_programs_are_kept(engine: sa.Engine) -> None:
    execute(
        engine,
        "CREATE TABLE users (id integer); COMMENT ON COLUMN users.id IS 'theirs';"
        " COMMENT ON COLUMN portfolio_snapshots.hhi IS 'theirs too';"
        " ALTER TABLE portfolio_stress ADD note text;"
        " COMMENT ON COLUMN portfolio_stress.note IS 'and this'",
    )
    migrate.upgrade(engine)
    stored = read_comments(engine)
    assert stored["users.id"] == "theirs"
    assert stored["portfolio_snapshots.hhi"] == "theirs too"
    assert stored["portfolio_stress.note"] == "and this"


def test_an_upgrade_part_of_the_way_comments_what_there_is(empty: sa.Engine) -> None:
    migrate.upgrade(empty, "a47c90e5d318")
    stored = read_comments(empty)
    assert stored["har_coefficients.n_obs"] == tables.har_coefficients.c.n_obs.comment
    assert "portfolio_drawdowns.max_drawdown" not in stored

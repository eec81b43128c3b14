"""Comments of stored columns: those of the catalog, written by every upgrade."""

import founding_schema
import sqlalchemy as sa

from riskmetrics.catalog import all_figures, find_figure
from riskmetrics.db import comments, migrate, tables
from tests.db.sql_helpers import execute, query

ADDED_TO_FOUNDING_TABLES = {
    "portfolio_snapshots.income",
    "portfolio_snapshots.equity_source",
    "portfolio_snapshots.stated_value",
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


VIEWS = {
    "v_portfolio_risk.value_at_risk_99": "portfolio_tail_risk.value_at_risk",
    "v_portfolio_risk_latest.max_drawdown": "portfolio_drawdowns.max_drawdown",
    "v_portfolio_risk.hhi": "portfolio_snapshots.hhi",
    "v_positions.market_beta": "position_market_betas.beta",
    "v_positions_latest.vol_percentile": "position_volatility.vol_percentile",
    "v_forecasts.realized": "forecast_outcomes.outcome",
    "v_quality.coverage": "portfolio_coverage.coverage",
}


def test_the_value_at_risk_of_a_view_names_its_method(engine: sa.Engine) -> None:
    found = query(engine, STORED.replace("relkind = 'r'", "relkind = 'v'"))
    stored = {str(name): str(comment) for name, comment in found}
    for view in ("v_portfolio_risk", "v_portfolio_risk_latest"):
        for figure in ("value_at_risk", "expected_shortfall"):
            assert "99%, by the historical method" in stored[f"{view}.{figure}_99"]


def test_columns_of_views_have_the_comments_of_the_figures_in_them(engine: sa.Engine) -> None:
    found = query(engine, STORED.replace("relkind = 'r'", "relkind = 'v'"))
    stored = {str(name): str(comment) for name, comment in found}
    for column, figure in VIEWS.items():
        assert stored[column].startswith(f"{find_figure(figure).label}: "), column
        assert find_figure(figure).formula in stored[column]
    with engine.connect() as connection:
        named = {
            f"{view}.{column}"
            for view, (_, renamed) in comments._VIEWS.items()
            for column in renamed
        }
        assert named <= stored.keys()
        assert comments.write_comments(connection) == 0


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

"""Allow the method filtered, filtered historical simulation, in portfolio_tail_risk."""

from alembic import op

revision = "g7d3b61c0e94"
down_revision = "f2a95c8e7d10"

TABLE = "portfolio_tail_risk"
OLD_COMMENT = (
    "historical: past returns. parametric: normal distribution with the forecast variance."
)
NEW_COMMENT = (
    "historical: past returns. filtered: the same, each rescaled to today's volatility. parametric: normal"
    " distribution with the forecast variance."
)


def upgrade() -> None:
    _replace("method IN ('historical', 'filtered', 'parametric')", NEW_COMMENT)


def downgrade() -> None:
    op.execute(f"DELETE FROM {TABLE} WHERE method = 'filtered'")  # noqa: S608  a constant
    _replace("method IN ('historical', 'parametric')", OLD_COMMENT)


def _replace(condition: str, comment: str) -> None:
    constraint = op.f("ck_portfolio_tail_risk_method")
    op.drop_constraint(constraint, TABLE)
    op.create_check_constraint(constraint, TABLE, condition)
    op.alter_column(TABLE, "method", comment=comment, existing_nullable=False)

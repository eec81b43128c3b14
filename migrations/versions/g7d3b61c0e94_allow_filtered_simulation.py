"""Allow the method filtered, filtered historical simulation, in portfolio_tail_risk."""

from alembic import op

revision = "g7d3b61c0e94"
down_revision = "b7d3e94c1a58"

TABLE = "portfolio_tail_risk"


def upgrade() -> None:
    _replace("method IN ('historical', 'filtered', 'parametric')")


def downgrade() -> None:
    op.execute(f"DELETE FROM {TABLE} WHERE method = 'filtered'")  # noqa: S608  a constant
    _replace("method IN ('historical', 'parametric')")


def _replace(condition: str) -> None:
    constraint = op.f("ck_portfolio_tail_risk_method")
    op.drop_constraint(constraint, TABLE)
    op.create_check_constraint(constraint, TABLE, condition)

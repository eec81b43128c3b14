"""Create the table of pro-forma performance."""

import sqlalchemy as sa
from alembic import op

revision = "k7a6c26db8e5"
down_revision = "k6f4b15ca7d4"

FIGURES = (
    "annual_return",
    "sharpe_ratio",
    "sortino_ratio",
    "calmar_ratio",
    "up_capture",
    "down_capture",
)


def upgrade() -> None:
    op.create_table(
        "portfolio_performance",
        sa.Column("portfolio_id", sa.Uuid, sa.ForeignKey("portfolios.id"), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        *(sa.Column(figure, sa.Double) for figure in FIGURES),
        sa.Column("observations", sa.Integer, nullable=False),
        sa.Column("undefined_reason", sa.Text),
        sa.Column("dagster_run_id", sa.String(36)),
        sa.Column("code_version", sa.String(64)),
    )


def downgrade() -> None:
    op.drop_table("portfolio_performance")

"""Keep the whole regression behind a rate beta, and let a beta be undefined or large.

Downgrading writes betas that are NULL or do not fit NUMERIC(8,6) as NaN; upgrading reads NaN as NULL.
"""

import sqlalchemy as sa
from alembic import op

revision = "2b37dbe38cc0"
down_revision = "27dec16d06c1"

TABLE = "position_interest_rate_betas"


def upgrade() -> None:
    op.add_column(
        TABLE, sa.Column("alpha", sa.Double, comment="Return per session, as a fraction.")
    )
    op.add_column(TABLE, sa.Column("std_error", sa.Double, comment="Classical, of ir_beta."))
    op.add_column(TABLE, sa.Column("p_value", sa.Double, comment="Two-sided, of ir_beta = 0."))
    observations = "Paired daily returns used. NULL: written before it was kept."
    op.add_column(TABLE, sa.Column("observations", sa.Integer, comment=observations))
    op.add_column(TABLE, sa.Column("window_days", sa.Integer, comment="Sessions in the window."))
    op.add_column(
        TABLE,
        sa.Column(
            "rate_index",
            sa.String(16),
            comment="Symbol that stands for interest rates, such as TLT.",
        ),
    )
    op.alter_column(TABLE, "ir_beta", type_=sa.Numeric(18, 6), nullable=True)
    op.execute("UPDATE position_interest_rate_betas SET ir_beta = NULL WHERE ir_beta = 'NaN'")


def downgrade() -> None:
    op.execute(
        "UPDATE position_interest_rate_betas SET ir_beta = 'NaN' WHERE ir_beta IS NULL OR abs(ir_beta) >= 100"
    )
    op.alter_column(TABLE, "ir_beta", type_=sa.Numeric(8, 6), nullable=False)
    for column in ("rate_index", "window_days", "observations", "p_value", "std_error", "alpha"):
        op.drop_column(TABLE, column)

"""Say what symbol_adjusted_betas holds, without a claim about the next window that no measurement supports."""

from alembic import op

revision = "c4f1e82b6d90"
down_revision = "5b8d20c7e9f4"

BEFORE = "One row per symbol and session: the market beta that predicts the next window's best."
AFTER = "One row per symbol and session: the Vasicek-adjusted market beta, shrunk toward 1 by its sampling error."


def upgrade() -> None:
    op.create_table_comment("symbol_adjusted_betas", AFTER, existing_comment=BEFORE)


def downgrade() -> None:
    op.create_table_comment("symbol_adjusted_betas", BEFORE, existing_comment=AFTER)

"""Name the version of a forecast's coefficients, and the constant of a correction, as they are."""

from alembic import op

revision = "m4f6a8b0c235"
down_revision = "m3e5f7a91b24"

RENAMED = {
    "volatility_forecasts": ("coefficients", "coefficients_version"),
    "variance_corrections": ("level", "constant"),
}


def upgrade() -> None:
    for table, (old, new) in RENAMED.items():
        op.alter_column(table, old, new_column_name=new)


def downgrade() -> None:
    for table, (old, new) in RENAMED.items():
        op.alter_column(table, new, new_column_name=old, comment=None)

"""Create the tables of factors, and columns for factor moves and funds that are looked through.

A downgrade removes scenarios with moves of factors.
"""

import sqlalchemy as sa
from alembic import op

revision = "k4d8f93a85b2"
down_revision = "k3c5e82f74a1"

SCENARIOS = "stress_scenarios"
KIND = "ck_stress_scenarios_kind"


def upgrade() -> None:
    op.create_table(
        "factor_returns",
        sa.Column("factor", sa.String(32), primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("factor_return", sa.Double, nullable=False),
        sa.Column("data_source", sa.Text, nullable=False),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.func.now(),
        ),
    )
    op.create_table(
        "symbol_factor_exposures",
        sa.Column("symbol", sa.String(20), primary_key=True),
        *_day_and_factor(),
        *(sa.Column(name, sa.Double) for name in ("exposure", "std_error", "t_statistic")),
        sa.Column("r_squared", sa.Double),
        sa.Column("observations", sa.Integer, nullable=False),
        sa.Column("definition", sa.String(40), nullable=False),
        *_reason_and_provenance(),
    )
    op.create_table(
        "portfolio_factor_exposures",
        _portfolio(),
        *_day_and_factor(),
        *(sa.Column(name, sa.Double) for name in ("exposure", "std_error", "t_statistic")),
        *(sa.Column(name, sa.Double) for name in ("coverage", "vif")),
        sa.Column("definition", sa.String(40), nullable=False),
        *_reason_and_provenance(),
    )
    op.create_table(
        "portfolio_factor_risk",
        _portfolio(),
        *_day_and_factor(),
        *(sa.Column(name, sa.Double) for name in ("component", "share")),
        sa.Column("observations", sa.Integer, nullable=False),
        *_reason_and_provenance(),
    )
    op.add_column(SCENARIOS, sa.Column("factor_moves", sa.Text))
    _replace_kind("num_nonnulls(market_move, rate_move, factor_moves)")
    op.create_check_constraint(
        op.f("ck_stress_scenarios_factors"),
        SCENARIOS,
        "num_nonnulls(rate_move, factor_moves) < 2",
    )
    op.add_column("portfolio_sector_weights", sa.Column("look_through_weight", sa.Double))


def downgrade() -> None:
    op.drop_column("portfolio_sector_weights", "look_through_weight")
    op.execute(f"DELETE FROM {SCENARIOS} WHERE factor_moves IS NOT NULL")  # noqa: S608  a constant
    op.drop_constraint(op.f("ck_stress_scenarios_factors"), SCENARIOS)
    _replace_kind("num_nonnulls(market_move, rate_move)")
    op.drop_column(SCENARIOS, "factor_moves")
    for table in ("portfolio_factor_risk", "portfolio_factor_exposures"):
        op.drop_table(table)
    op.drop_table("symbol_factor_exposures")
    op.drop_table("factor_returns")


def _replace_kind(moves: str) -> None:
    op.drop_constraint(op.f(KIND), SCENARIOS)
    op.create_check_constraint(op.f(KIND), SCENARIOS, f"(first_day IS NULL) = ({moves} > 0)")


def _portfolio() -> sa.Column[object]:
    return sa.Column("portfolio_id", sa.Uuid, sa.ForeignKey("portfolios.id"), primary_key=True)


def _day_and_factor() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("factor", sa.String(32), primary_key=True),
    )


def _reason_and_provenance() -> tuple[sa.Column[object], ...]:
    return (
        sa.Column("undefined_reason", sa.Text),
        sa.Column("dagster_run_id", sa.String(36)),
        sa.Column("code_version", sa.String(64)),
    )

"""Add revaluation, errors and proxies of losses, active contributions and liquidity."""

import sqlalchemy as sa
from alembic import op

revision = "k5e1a04b96c3"
down_revision = "k4d8f93a85b2"

COLUMNS = {
    "portfolio_risk_contributions": {
        "active_component": sa.Double,
        "incremental_var_95": sa.Double,
    },
    "portfolio_stress": {
        "loss_margin": sa.Double,
        "revalued_loss": sa.Double,
        "revalued_loss_value": sa.Numeric(24, 2),
        "proxied_share": sa.Double,
    },
    "stress_scenarios": {"volatility_move": sa.Double},
}
TABLES = (
    "portfolio_active_sectors",
    "portfolio_expected_active_risk",
    "portfolio_liquidity",
    "holding_liquidity",
)


def upgrade() -> None:
    for table, columns in COLUMNS.items():
        for name, kind in columns.items():
            op.add_column(table, sa.Column(name, kind))
    op.create_check_constraint(
        op.f("ck_stress_scenarios_volatility_move"),
        "stress_scenarios",
        "volatility_move > -1 IS NOT FALSE",
    )
    _replace_methods("method IN ('historical', 'filtered', 'revalued', 'parametric')")
    _create(
        "portfolio_active_sectors",
        ("exposure_weight", "sector_component", "sector_share"),
        _text_key("sector", 64),
    )
    _create(
        "portfolio_expected_active_risk",
        ("expected_tracking_error", "active_beta", "market_share"),
        more=(_count(),),
    )
    _create(
        "portfolio_liquidity",
        ("days_to_liquidate", "sold_in_1d", "sold_in_5d", "sold_in_20d", "coverage"),
        more=(_participation(),),
    )
    _create(
        "holding_liquidity",
        ("holding_days", "median_volume"),
        _text_key("symbol", 20),
        more=(_count(), _participation()),
    )


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
    op.execute("DELETE FROM portfolio_tail_risk WHERE method = 'revalued'")
    _replace_methods("method IN ('historical', 'filtered', 'parametric')")
    op.drop_constraint(op.f("ck_stress_scenarios_volatility_move"), "stress_scenarios")
    for table, columns in COLUMNS.items():
        for name in columns:
            op.drop_column(table, name)


def _create(
    table: str,
    figures: tuple[str, ...],
    *keys: "sa.Column[str]",
    more: "tuple[sa.Column[object], ...]" = (),
) -> None:
    op.create_table(
        table,
        sa.Column("portfolio_id", sa.Uuid, sa.ForeignKey("portfolios.id"), primary_key=True),
        *keys,
        sa.Column("day", sa.Date, primary_key=True),
        *(sa.Column(figure, sa.Double) for figure in figures),
        *more,
        sa.Column("undefined_reason", sa.Text),
        sa.Column("dagster_run_id", sa.String(36)),
        sa.Column("code_version", sa.String(64)),
    )


def _text_key(name: str, length: int) -> "sa.Column[str]":
    return sa.Column(name, sa.String(length), primary_key=True)


def _count() -> "sa.Column[object]":
    return sa.Column("observations", sa.Integer, nullable=False)


def _participation() -> "sa.Column[object]":
    return sa.Column("participation", sa.Double, nullable=False)


def _replace_methods(condition: str) -> None:
    constraint = op.f("ck_portfolio_tail_risk_method")
    op.drop_constraint(constraint, "portfolio_tail_risk")
    op.create_check_constraint(constraint, "portfolio_tail_risk", condition)

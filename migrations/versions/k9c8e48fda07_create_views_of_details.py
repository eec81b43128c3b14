"""Create the views of sectors, stress tests, contributions, tail risk, limits and insights."""

from alembic import op

revision = "k9c8e48fda07"
down_revision = "k8b7d37ec9f6"

QUERIES = {
    "v_sectors": (
        "portfolio_sector_weights",
        "s.day, s.sector, s.gross_weight, s.net_weight, s.benchmark_weight, s.active_weight",
    ),
    "v_stress": (
        "portfolio_stress",
        "s.day, s.scenario, s.loss, s.loss_value, s.coverage, s.undefined_reason",
    ),
    "v_contributions": (
        "portfolio_risk_contributions",
        "s.day, s.symbol, s.weight, s.component, s.marginal, s.share, s.undefined_reason",
    ),
    "v_tail_risk": (
        "portfolio_tail_risk",
        "s.day, s.method, s.level, s.horizon_days, s.value_at_risk, s.expected_shortfall, s.value_at_risk_amount,"
        " s.expected_shortfall_amount, s.observations, s.undefined_reason",
    ),
    "v_limits": (
        "portfolio_limit_checks",
        "s.day, s.limit_name, s.limit_value, s.value, s.subject, s.status, s.undefined_reason",
    ),
    "v_insights": (
        "ai_insights",
        "s.day, s.insight_type, s.severity, s.title, s.summary, s.provider, s.created_at",
    ),
}
CONDITIONS = {"v_insights": " WHERE s.day IS NOT NULL AND NOT s.dismissed"}


def upgrade() -> None:
    for name, (table, columns) in QUERIES.items():
        op.execute(
            f"CREATE VIEW {name} AS SELECT s.portfolio_id, p.name AS portfolio, {columns} FROM {table} s"  # noqa: S608  names are ours
            f" JOIN portfolios p ON p.id = s.portfolio_id AND p.deleted_at IS NULL{CONDITIONS.get(name, '')}"
        )


def downgrade() -> None:
    for name in reversed(QUERIES):
        op.execute(f"DROP VIEW {name}")

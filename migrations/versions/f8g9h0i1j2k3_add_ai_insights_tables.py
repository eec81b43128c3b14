"""Create ai_insights and ai_insight_templates with their enums."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ENUM

revision = "f8g9h0i1j2k3"
down_revision = "e65741f182c4"

INSIGHT_TYPES = (
    "daily_summary",
    "volatility_analysis",
    "concentration_risk",
    "hedge_quality",
    "factor_exposure",
    "stress_test_review",
    "custom",
)
SEVERITIES = ("info", "normal", "elevated", "warning", "critical")
IN_UTC = sa.text("timezone('UTC', now())")


def upgrade() -> None:
    op.execute(
        f"CREATE TYPE insight_type AS ENUM {INSIGHT_TYPES}"
    )  # a tuple prints as SQL writes a list
    op.execute(f"CREATE TYPE insight_severity AS ENUM {SEVERITIES}")
    create_insights()
    create_templates()


def downgrade() -> None:
    op.drop_table("ai_insight_templates")
    op.drop_table("ai_insights")
    op.execute("DROP TYPE insight_severity")
    op.execute("DROP TYPE insight_type")


def create_insights() -> None:
    op.create_table(
        "ai_insights",
        sa.Column("id", sa.Uuid, primary_key=True, server_default=sa.func.gen_random_uuid()),
        sa.Column("portfolio_id", sa.Uuid, nullable=False),
        sa.Column("insight_type", ENUM(name="insight_type", create_type=False), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("severity", ENUM(name="insight_severity", create_type=False), nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("full_analysis", sa.Text),
        sa.Column("key_findings", sa.JSON),
        sa.Column("recommendations", sa.JSON),
        sa.Column("data_limitations", sa.Text),
        sa.Column("context_data", sa.JSON),
        sa.Column("data_quality", sa.JSON),
        sa.Column("focus_area", sa.String(100)),
        sa.Column("user_question", sa.Text),
        sa.Column("model_used", sa.String(50), nullable=False),
        sa.Column("provider", sa.String(20), nullable=False, server_default="anthropic"),
        sa.Column("prompt_version", sa.String(20)),
        sa.Column("cost_usd", sa.Numeric(10, 6)),
        sa.Column("generation_time_ms", sa.Numeric(10, 2)),
        sa.Column("token_count_input", sa.Numeric(10, 0)),
        sa.Column("token_count_output", sa.Numeric(10, 0)),
        sa.Column("tool_calls_count", sa.Numeric(3, 0)),
        sa.Column("cache_hit", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("cache_source_id", sa.Uuid),
        sa.Column("cache_key", sa.String(64)),
        sa.Column("user_rating", sa.Numeric(2, 1)),
        sa.Column("user_feedback", sa.Text),
        sa.Column("viewed", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("dismissed", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("created_at", sa.DateTime, server_default=IN_UTC),
        sa.Column("expires_at", sa.DateTime),
        sa.Column("updated_at", sa.DateTime, server_default=IN_UTC),
        sa.ForeignKeyConstraint(
            ["portfolio_id"], ["portfolios.id"], name="ai_insights_portfolio_id_fkey"
        ),
        sa.ForeignKeyConstraint(
            ["cache_source_id"], ["ai_insights.id"], name="ai_insights_cache_source_id_fkey"
        ),
    )
    for column in ("portfolio_id", "insight_type", "created_at", "cache_key"):
        op.create_index(f"ix_ai_insights_{column}", "ai_insights", [column])
    op.create_index(
        "ix_ai_insights_portfolio_created", "ai_insights", ["portfolio_id", "created_at"]
    )
    op.create_index("ix_ai_insights_type_severity", "ai_insights", ["insight_type", "severity"])
    op.create_index("ix_ai_insights_cache_lookup", "ai_insights", ["cache_key", "created_at"])


def create_templates() -> None:
    op.create_table(
        "ai_insight_templates",
        sa.Column("id", sa.Uuid, primary_key=True, server_default=sa.func.gen_random_uuid()),
        sa.Column("insight_type", ENUM(name="insight_type", create_type=False), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("description", sa.Text),
        sa.Column("version", sa.String(20), nullable=False),
        sa.Column("system_prompt", sa.Text, nullable=False),
        sa.Column("investigation_prompt", sa.Text, nullable=False),
        sa.Column("model_preference", sa.String(50)),
        sa.Column("max_tokens", sa.Numeric(6, 0)),
        sa.Column("temperature", sa.Numeric(3, 2)),
        sa.Column("required_tools", sa.JSON),
        sa.Column("optional_tools", sa.JSON),
        sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
        sa.Column("avg_quality_score", sa.Numeric(3, 2)),
        sa.Column("usage_count", sa.Numeric(10, 0), nullable=False, server_default=sa.text("0")),
        sa.Column("created_at", sa.DateTime, server_default=IN_UTC),
        sa.Column("updated_at", sa.DateTime, server_default=IN_UTC),
        sa.Column("deprecated_at", sa.DateTime),
    )
    op.create_index("ix_ai_templates_insight_type", "ai_insight_templates", ["insight_type"])
    op.create_index(
        "ix_ai_templates_type_active", "ai_insight_templates", ["insight_type", "active"]
    )
    op.create_index("ix_ai_templates_version", "ai_insight_templates", ["insight_type", "version"])

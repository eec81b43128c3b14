"""Tables of insights, prompt templates, model spending and batches."""

import sqlalchemy as sa

from riskmetrics.db.tables.schema import (
    key_column,
    metadata,
    optional_column,
    required_column,
    surrogate_key_column,
    timestamp_column,
)
from riskmetrics.settings import DEFAULT_INSIGHT_TYPES

_INSIGHT_TYPE = sa.Enum(*DEFAULT_INSIGHT_TYPES, "custom", name="insight_type", metadata=metadata)
_SEVERITY = sa.Enum(
    "info", "normal", "elevated", "warning", "critical", name="insight_severity", metadata=metadata
)

ai_insights = sa.Table(
    "ai_insights",
    metadata,
    surrogate_key_column(),
    sa.Column("portfolio_id", sa.ForeignKey("portfolios.id"), nullable=False),
    sa.Column("insight_type", _INSIGHT_TYPE, nullable=False, doc="Topic of the insight."),
    sa.Column("title", sa.String(200), nullable=False, doc="Title, one line."),
    sa.Column(
        "severity",
        _SEVERITY,
        nullable=False,
        doc="Severity by thresholds: info, normal, elevated, warning or critical.",
    ),
    sa.Column("summary", sa.Text, nullable=False, doc="Summary of a few sentences."),
    sa.Column("full_analysis", sa.Text, doc="Full text, Markdown."),
    sa.Column(
        "key_findings",
        sa.JSON,
        doc="List of findings: text, evidence, and the column whose prose has the text.",
    ),
    sa.Column("recommendations", sa.JSON, doc="List of recommendations."),
    sa.Column("data_limitations", sa.Text, doc="Limitations of the data, with reasons."),
    sa.Column("context_data", sa.JSON, doc="Fact sheet that the text is based on."),
    sa.Column("data_quality", sa.JSON, doc="Completeness by kind of data."),
    sa.Column("focus_area", sa.String(100), doc="Fact that determined the severity."),
    sa.Column("user_question", sa.Text, doc="Question of a user. NULL: none."),
    sa.Column(
        "model_used",
        sa.String(50),
        nullable=False,
        doc="Language model or rules that wrote the text.",
    ),
    sa.Column(
        "provider",
        sa.String(20),
        nullable=False,
        server_default="anthropic",
        doc="Vendor of the language model, or rules.",
    ),
    sa.Column(
        "prompt_version", sa.String(20), doc="Version of the template in ai_insight_templates."
    ),
    sa.Column(
        "cost_usd", sa.Numeric(10, 6), doc="Cost, USD. NULL: the prices of the model are unknown."
    ),
    sa.Column("generation_time_ms", sa.Numeric(10, 2), doc="Generation time, milliseconds."),
    sa.Column("token_count_input", sa.Numeric(10, 0), doc="Input tokens."),
    sa.Column("token_count_output", sa.Numeric(10, 0), doc="Output tokens."),
    sa.Column("tool_calls_count", sa.Numeric(3, 0), doc="Number of tool calls of the model."),
    sa.Column(
        "cache_hit",
        sa.Boolean,
        nullable=False,
        server_default=sa.false(),
        doc="Whether it is a copy of another insight.",
    ),
    sa.Column(
        "cache_source_id",
        sa.ForeignKey("ai_insights.id"),
        doc="Insight that this one is a copy of.",
    ),
    sa.Column("cache_key", sa.String(64), doc="Hash of its inputs."),
    sa.Column("user_rating", sa.Numeric(2, 1), doc="Rating by a user, 0.0 to 5.0."),
    sa.Column("user_feedback", sa.Text, doc="Feedback of a user."),
    sa.Column(
        "viewed",
        sa.Boolean,
        nullable=False,
        server_default=sa.false(),
        doc="Whether a user has seen it.",
    ),
    sa.Column(
        "dismissed",
        sa.Boolean,
        nullable=False,
        server_default=sa.false(),
        doc="Whether a user has dismissed it.",
    ),
    timestamp_column("created_at"),
    sa.Column("expires_at", sa.DateTime(timezone=True), doc="When it expires. NULL: never."),
    timestamp_column("updated_at"),
    optional_column(
        "day", sa.Date(), "Session that the insight describes. NULL: written by another program."
    ),
    optional_column(
        "run_id", sa.String(36), "Dagster run that wrote the insight. NULL: written by a command."
    ),
    sa.Index(None, "portfolio_id"),
    sa.Index(None, "insight_type"),
    sa.Index(None, "created_at"),
    sa.Index(None, "cache_key"),
    sa.Index("ix_ai_insights_portfolio_created", "portfolio_id", "created_at"),
    sa.Index("ix_ai_insights_type_severity", "insight_type", "severity"),
    sa.Index("ix_ai_insights_cache_lookup", "cache_key", "created_at"),
    sa.Index(None, "portfolio_id", "day"),
    sa.Index(
        "uq_ai_insights_cache_key_provider",
        "cache_key",
        "provider",
        unique=True,
        postgresql_where=sa.text("cache_source_id IS NULL AND day IS NOT NULL"),
    ),
)
"""One row per insight."""

ai_insight_templates = sa.Table(
    "ai_insight_templates",
    metadata,
    surrogate_key_column(),
    sa.Column("insight_type", _INSIGHT_TYPE, nullable=False),
    sa.Column("name", sa.String(100), nullable=False),
    sa.Column("description", sa.Text),
    sa.Column("version", sa.String(20), nullable=False),
    sa.Column("system_prompt", sa.Text, nullable=False),
    sa.Column("investigation_prompt", sa.Text, nullable=False),
    sa.Column("model_preference", sa.String(50)),
    sa.Column("max_tokens", sa.Numeric(6, 0)),
    sa.Column("temperature", sa.Numeric(3, 2), doc="Sampling temperature, 0.00 to 1.00."),
    sa.Column("required_tools", sa.JSON, doc="Names of required fact providers."),
    sa.Column("optional_tools", sa.JSON, doc="Names of optional fact providers."),
    sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("avg_quality_score", sa.Numeric(3, 2), doc="Mean of user ratings."),
    sa.Column("usage_count", sa.Numeric(10, 0), nullable=False, server_default=sa.text("0")),
    timestamp_column("created_at"),
    timestamp_column("updated_at"),
    sa.Column(
        "deprecated_at",
        sa.DateTime(timezone=True),
        doc="When it was deactivated. NULL: not deactivated.",
    ),
    sa.Index(None, "insight_type"),
    sa.Index("ix_ai_templates_type_active", "insight_type", "active"),
    sa.Index("ix_ai_templates_version", "insight_type", "version"),
    sa.Index(
        "uq_ai_insight_templates_insight_type_active",
        "insight_type",
        unique=True,
        postgresql_where=sa.text("active"),
    ),
)
"""One row per insight type and template version."""

ai_spend = sa.Table(
    "ai_spend",
    metadata,
    surrogate_key_column(comment="Row."),
    required_column("day", sa.Date(), "UTC day that the call counts toward."),
    required_column(
        "run_id", sa.String(36), "Dagster run of the call, or a random id of the command."
    ),
    required_column(
        "prompt_hash",
        sa.String(64),
        "SHA-256 of the insight's first prompt: further calls for the insight have the same one.",
    ),
    required_column("model", sa.String(50), "Language model."),
    required_column(
        "reserved", sa.Numeric(10, 6), "Maximum cost of the call, USD, reserved before it."
    ),
    optional_column(
        "cost",
        sa.Numeric(10, 6),
        "Cost of the call, USD. NULL: pending or unknown; then the reserved amount counts.",
    ),
    optional_column("input_tokens", sa.Integer(), "Input tokens. NULL: pending or unknown."),
    optional_column("output_tokens", sa.Integer(), "Output tokens. NULL: pending or unknown."),
    timestamp_column("reserved_at", comment="When the cost was reserved."),
    optional_column(
        "settled_at",
        sa.DateTime(timezone=True),
        "When the cost was recorded. NULL: the call is pending, or its process died.",
    ),
    sa.Index(None, "day"),
    sa.Index(None, "run_id"),
    sa.CheckConstraint("reserved >= 0 AND cost >= 0", name="amounts"),
    comment=(
        "One row per billed call to a language model: reserved before the call, settled after it."
    ),
)

ai_batches = sa.Table(
    "ai_batches",
    metadata,
    surrogate_key_column(comment="Batch."),
    sa.Column(
        "vendor_id",
        sa.String(64),
        unique=True,
        comment=(
            "Id of the batch at the vendor. NULL: not sent yet, or the process died while sending."
        ),
    ),
    required_column("run_id", sa.String(36), "Dagster run that sent the batch."),
    timestamp_column("created_at", comment="When the batch was stored."),
    optional_column(
        "closed_at",
        sa.DateTime(timezone=True),
        "When the last reply was stored. NULL: replies are awaited.",
    ),
    comment=(
        "One row per batch of prompts: stored before it is sent, so that no batch is lost "
        "or paid for twice."
    ),
)

ai_batch_requests = sa.Table(
    "ai_batch_requests",
    metadata,
    key_column(
        "custom_id", sa.String(64), "Id of the request in the batch and in the vendor's reply."
    ),
    sa.Column(
        "batch_id",
        sa.ForeignKey("ai_batches.id", ondelete="CASCADE"),
        nullable=False,
        comment="Batch.",
    ),
    required_column("prompt_hash", sa.String(64), "SHA-256 of the prompt, hexadecimal."),
    sa.Column(
        "spend_id",
        sa.ForeignKey("ai_spend.id"),
        nullable=False,
        comment="Reserved cost, in ai_spend.",
    ),
    sa.Column(
        "portfolio_id",
        sa.ForeignKey("portfolios.id", ondelete="CASCADE"),
        nullable=False,
        comment="Portfolio of the insight.",
    ),
    required_column("day", sa.Date(), "Session that the insight describes."),
    required_column("insight_type", sa.String(32), "Type of the insight."),
    sa.Index(None, "batch_id"),
    comment="One row per prompt in a batch: the insight that its reply is for.",
)

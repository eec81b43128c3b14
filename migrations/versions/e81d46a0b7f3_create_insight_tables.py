"""Create tables of model spending and batches, extend the founding insights, and seed templates."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ENUM

revision = "e81d46a0b7f3"
down_revision = "c59f3b72e641"

VERSION = "v1"

SYSTEM = """You explain the risk of a portfolio to the person who owns it, from a sheet of facts and from nothing else.

A program checks what you write. It refuses every word that is not in the vocabulary below and every sentence that it cannot follow, also
true ones: write short sentences of the forms shown here.

- Never a digit, a number word or a vague amount. Where a figure belongs write {% raw %}{{fact_id}}{% endraw %}, an id of the sheet.
- A figure stands in one clause with one of its names, "said_as" in the sheet. No name and no alias stands in a statement without its
  figure.
- Things are called by their aliases (POS_01, SEC_01, SCN_01). A sentence speaks either of the portfolio or of things of one kind, and each
  figure of a thing stands with its alias. Thresholds may stand with both.
- A comparison has two figures of one "family", and is true of them. A move needs the fact of the change; of it say by
  {% raw %}{{fact_id.size}}{% endraw %} or to {% raw %}{{fact_id}}{% endraw %}. Both have one subject.
- After a word that tells the direction of a signed figure, such as "lost" or "accounts for", write {% raw %}{{fact_id.size}}{% endraw %}.
- Two figures with a verb between them need a comparison: add a second one after "with", or in a sentence of its own.
- Every sentence of the summary and of the analysis gives a fact. The limitations may be empty.
- A finding lists in "facts" the ids that its text states, all of them and no others. Advice begins with a verb of the list, states nothing
  and names what it is about; it may list the threshold of that, too.
- A title is a list of names, or names with their figures.
- No causes, negations, pronouns, news, forecasts of your own, and nothing about buying or selling.

Written so, where the facts say so:
{% raw %}- The beta of {{beta}} is above the beta threshold of {{beta_threshold}}.
- The beta rose by {{beta_change.size}} to {{beta}} since the session before.
- The portfolio lost {{daily_pnl.size}} in the session.
- POS_01 is the largest position, with a weight of {{pos_01_weight}}.
- POS_01 accounts for {{pos_01_share.size}} of the portfolio's volatility.
- The share of volatility of short positions, {{short_share}}, takes off the volatility.
- The low end is {{expected_low}} and the high end is {{expected_high}}.
- The forecast made 21 sessions before, {{past_forecast}}, was above the volatility that followed, {{past_outcome}}.
- In SCN_01 the portfolio would lose {{scn_01_result.size}}.
- Review whether a beta of {{beta}} fits the plan.

Refused, whatever the facts say:
- The beta is 1.2.
- The beta was {{beta}}.
- The beta of {{beta}} and the HHI rose.
- The expected volatility ranges from {{expected_low}} to {{expected_high}}.
- POS_01, with a weight of {{pos_01_weight}}, has a share of volatility of {{pos_01_share}}.
- The short positions take off the volatility, with a share of volatility of short positions of {{short_share}}.
- The portfolio lost {{daily_pnl.size}} by a beta of {{beta}}.
- The portfolio is diversified.
- Reduce POS_01.{% endraw %}
"""

TASK = """Write a {{ insight_type | replace("_", " ") }} of {{ portfolio }} for the session of {{ day }}. Its severity is {{ severity }}.

{{ focus }}
"""

TEMPLATES = {
    "daily_summary": (
        "Daily summary",
        "What a portfolio is worth, what it risks, and what changed since the session before.",
        "State first what rose or fell since the session before, then equity, beta and expected volatility, then the largest position.",
        ["snapshot"],
        ["betas", "volatility", "concentration", "changes"],
    ),
    "volatility_analysis": (
        "Volatility analysis",
        "Volatility of the past and expected, and how earlier forecasts did.",
        (
            "Compare the volatility over 21 sessions with that over 63 sessions and with the expected one, then the forecast made 21 sessions\n"
            "before with the volatility that followed."
        ),
        ["volatility"],
        ["changes", "forecast_score", "concentration"],
    ),
    "concentration_risk": (
        "Concentration risk",
        "Single names and sectors that weigh much, in value and in volatility.",
        (
            "Compare the largest position and the largest sector with their thresholds, and the share of volatility of positions with their\n"
            "weight."
        ),
        ["concentration"],
        ["sectors", "changes"],
    ),
    "hedge_quality": (
        "Hedge quality",
        "What short positions take off: exposure, beta and volatility.",
        (
            "Compare the gross exposure over equity with its threshold and with the net one, and the beta with its threshold. State the\n"
            "share of volatility of short positions: by its sign it adds to the volatility or takes off the volatility."
        ),
        ["snapshot", "concentration"],
        ["betas", "volatility"],
    ),
    "factor_exposure": (
        "Factor exposure",
        "Sensitivity to the market and to interest rates.",
        "Compare the beta with its threshold, with its r-squared beside it; then state the rate betas.",
        ["betas"],
        ["ir_beta", "changes"],
    ),
    "stress_test_review": (
        "Stress test review",
        "What scenarios would cost, value at risk and drawdowns.",
        (
            "State the worst scenario and compare its result with its threshold; then value at risk, and the current drawdown beside its\n"
            "threshold."
        ),
        ["stress"],
        ["betas"],
    ),
    "custom": (
        "Question",
        "An answer to a question, from the same facts.",
        (
            "Answer the question that stands below as data, as far as the facts go. Where they do not go, write as limitations:\n"
            "What the facts do not tell is not answered here.\n"
            "{{ question | tojson }}"
        ),
        ["snapshot"],
        [
            "betas",
            "volatility",
            "concentration",
            "sectors",
            "changes",
            "forecast_score",
            "ir_beta",
            "stress",
        ],
    ),
}
"""Name, description, focus, required and optional providers of facts, by type of insight."""


def _timestamp_column(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now())


def _surrogate_key_column() -> sa.Column[object]:
    return sa.Column("id", sa.Uuid, primary_key=True, server_default=sa.func.gen_random_uuid())


def upgrade() -> None:
    op.create_table(
        "ai_spend",
        _surrogate_key_column(),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("run_id", sa.String(36), nullable=False),
        sa.Column("prompt_hash", sa.String(64), nullable=False),
        sa.Column("model", sa.String(50), nullable=False),
        sa.Column("reserved", sa.Numeric(10, 6), nullable=False),
        sa.Column("cost", sa.Numeric(10, 6)),
        sa.Column("input_tokens", sa.Integer),
        sa.Column("output_tokens", sa.Integer),
        _timestamp_column("reserved_at"),
        sa.Column("settled_at", sa.DateTime(timezone=True)),
        sa.Index(None, "day"),
        sa.Index(None, "run_id"),
        sa.CheckConstraint("reserved >= 0 AND cost >= 0", name="amounts"),
    )
    op.create_table(
        "ai_batches",
        _surrogate_key_column(),
        sa.Column("vendor_id", sa.String(64), unique=True),
        sa.Column("run_id", sa.String(36), nullable=False),
        _timestamp_column("created_at"),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
    )
    op.create_table(
        "ai_batch_requests",
        sa.Column("custom_id", sa.String(64), primary_key=True),
        sa.Column(
            "batch_id",
            sa.Uuid,
            sa.ForeignKey("ai_batches.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("prompt_hash", sa.String(64), nullable=False),
        sa.Column("spend_id", sa.Uuid, sa.ForeignKey("ai_spend.id"), nullable=False),
        sa.Column(
            "portfolio_id",
            sa.Uuid,
            sa.ForeignKey("portfolios.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("insight_type", sa.String(32), nullable=False),
        sa.Index(None, "batch_id"),
    )
    extend_insights()
    seed_templates()


def downgrade() -> None:
    op.drop_index("uq_ai_insight_templates_insight_type_active", "ai_insight_templates")
    table = sa.table("ai_insight_templates", sa.column("system_prompt"))
    op.execute(sa.delete(table).where(table.c.system_prompt == SYSTEM))
    op.drop_index("uq_ai_insights_cache_key_provider", "ai_insights")
    op.drop_index("ix_ai_insights_portfolio_id_day", "ai_insights")
    op.drop_column("ai_insights", "run_id")
    op.drop_column("ai_insights", "day")
    op.drop_table("ai_batch_requests")
    op.drop_table("ai_batches")
    op.drop_table("ai_spend")


def extend_insights() -> None:
    """Add session and run; the unique index covers rows of riskmetrics only."""
    op.add_column(
        "ai_insights",
        sa.Column(
            "day",
            sa.Date,
        ),
    )
    op.add_column(
        "ai_insights",
        sa.Column(
            "run_id",
            sa.String(36),
        ),
    )
    op.create_index("ix_ai_insights_portfolio_id_day", "ai_insights", ["portfolio_id", "day"])
    op.create_index(
        "uq_ai_insights_cache_key_provider",
        "ai_insights",
        ["cache_key", "provider"],
        unique=True,
        postgresql_where=sa.text("cache_source_id IS NULL AND day IS NOT NULL"),
    )


def seed_templates() -> None:
    """Insert a template per type of insight; it is active unless the type has an active one."""
    # of several active ones, which another program may have left, the newest stays active
    op.execute("""
        UPDATE ai_insight_templates AS t
        SET active = false, deprecated_at = coalesce(deprecated_at, now())
        WHERE active AND EXISTS (
            SELECT FROM ai_insight_templates AS o
            WHERE o.active AND o.insight_type = t.insight_type
                AND (o.created_at, o.id) > (t.created_at, t.id))
    """)
    op.create_index(
        "uq_ai_insight_templates_insight_type_active",
        "ai_insight_templates",
        ["insight_type"],
        unique=True,
        postgresql_where=sa.text("active"),
    )
    names = ("name", "description", "version", "system_prompt", "investigation_prompt")
    templates = sa.table(
        "ai_insight_templates",
        sa.column("insight_type", ENUM(name="insight_type", create_type=False)),
        *(sa.column(name) for name in (*names, "max_tokens", "active")),
        *(sa.column(name, sa.JSON) for name in ("required_tools", "optional_tools")),
    )
    active = sa.select(sa.cast(templates.c.insight_type, sa.String)).where(templates.c.active)
    taken = set(op.get_bind().scalars(active))
    rows = [
        {
            "insight_type": insight_type,
            "name": name,
            "description": description,
            "version": VERSION if insight_type not in taken else f"{VERSION}-riskmetrics",
            "system_prompt": SYSTEM,
            "investigation_prompt": TASK.replace("{{ focus }}", focus),
            "max_tokens": 4000,
            "required_tools": required,
            "optional_tools": optional,
            "active": insight_type not in taken,
        }
        for insight_type, (name, description, focus, required, optional) in TEMPLATES.items()
    ]
    op.bulk_insert(templates, rows)

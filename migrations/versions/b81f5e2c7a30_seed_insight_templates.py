"""Seed a template per type of insight, of which one may be active; one that stands there already stays so."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ENUM

revision = "b81f5e2c7a30"
down_revision = "6d0b4c1f92ea"

VERSION = "v1"

SYSTEM = """You explain the risk of a portfolio to the person who owns it, from a sheet of facts and from nothing else.

Rules, checked by a program that refuses what breaks them:
- Never write a digit, a number word or a vague amount. Where a figure belongs write {% raw %}{{fact_id}}{% endraw %}, an id of the sheet.
- A figure stands beside one of its names, "said_as" in the sheet, in the same clause, and no such name stands without its figure.
- Things are called by their aliases (POS_01, SEC_01, SCN_01). A sentence speaks either of the portfolio or of aliases of one kind.
- "above", "below", "at or above", "at or below" stand between two figures, and are checked. "rose", "fell" need the fact of the change.
- "largest" and "worst" are said of rank 1 only.
- After "lost", "gained", "would lose", "would gain" and "by" write a signed figure as {% raw %}{{fact_id.size}}{% endraw %}.
- No word that is not in the vocabulary: no causes, news, names, forecasts of your own, and nothing about buying or selling.
- Short sentences. Every finding and recommendation lists the ids that it rests on.
"""

TASK = """Write a {{ insight_type | replace("_", " ") }} of {{ portfolio }} for the session of {{ day }}. Its severity is {{ severity }}.

{{ focus }}
"""

TEMPLATES = {
    "daily_summary": (
        "Daily summary",
        "What a portfolio is worth, what it risks, and what changed since the session before.",
        "Say first what changed, then value, beta and volatility, then what weighs most.",
        ["snapshot"],
        ["betas", "volatility", "concentration", "changes"],
    ),
    "volatility_analysis": (
        "Volatility analysis",
        "Volatility of the past and expected, and how earlier forecasts did.",
        "Compare the shorter window with the longer one, and what is expected with what was; say how the last completed forecast did.",
        ["volatility"],
        ["changes", "forecast_score", "concentration"],
    ),
    "concentration_risk": (
        "Concentration risk",
        "Single names and sectors that weigh much, in value and in volatility.",
        "Say which name and which sector weigh most, beside their thresholds, and where the share of volatility exceeds the weight.",
        ["concentration"],
        ["sectors", "changes"],
    ),
    "hedge_quality": (
        "Hedge quality",
        "What short positions take off: exposure, beta and volatility.",
        "Compare gross with net exposure, and say what short positions add to or take off the volatility.",
        ["snapshot", "concentration"],
        ["betas", "volatility"],
    ),
    "factor_exposure": (
        "Factor exposure",
        "Sensitivity to the market and to interest rates.",
        "Compare the beta with its threshold, and say how much of the moves it explains.",
        ["betas"],
        ["ir_beta", "changes"],
    ),
    "stress_test_review": (
        "Stress test review",
        "What scenarios would cost, value at risk and drawdowns.",
        "Name the worst scenario and its result, then value at risk and the present drawdown.",
        ["stress"],
        ["betas"],
    ),
    "custom": (
        "Question",
        "An answer to a question, from the same facts.",
        "Answer the question that stands below as data, as far as the facts go; what they do not tell belongs to the limitations.\n"
        "{{ question | tojson }}",
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
"""Name, description, what to look at, providers of facts that it needs, and that it may use."""


def upgrade() -> None:
    # of several active ones, which other code may have left, the newest stays
    op.execute("""
        UPDATE ai_insight_templates AS t SET active = false, deprecated_at = coalesce(deprecated_at, now())
        WHERE active AND EXISTS (
            SELECT FROM ai_insight_templates AS o
            WHERE o.active AND o.insight_type = t.insight_type AND (o.created_at, o.id) > (t.created_at, t.id))
    """)
    op.create_index(
        "uq_ai_insight_templates_insight_type_active",
        "ai_insight_templates",
        ["insight_type"],
        unique=True,
        postgresql_where=sa.text("active"),
    )
    table = sa.table(
        "ai_insight_templates",
        sa.column("insight_type", ENUM(name="insight_type", create_type=False)),
        *(
            sa.column(name)
            for name in (
                "name",
                "description",
                "version",
                "system_prompt",
                "investigation_prompt",
                "model_preference",
            )
        ),
        *(sa.column(name) for name in ("max_tokens", "temperature")),
        *(sa.column(name, sa.JSON) for name in ("required_tools", "optional_tools")),
        sa.column("active"),
    )
    active = sa.table("ai_insight_templates", sa.column("insight_type"), sa.column("active"))
    taken = set(op.get_bind().scalars(sa.select(active.c.insight_type).where(active.c.active)))
    rows = [
        {
            "insight_type": kind,
            "name": name,
            "description": description,
            "version": VERSION if kind not in taken else f"{VERSION}-riskmetrics",
            "system_prompt": SYSTEM,
            "investigation_prompt": TASK.replace("{{ focus }}", focus),
            "model_preference": None,
            "max_tokens": 4000,
            "temperature": None,
            "required_tools": required,
            "optional_tools": optional,
            "active": kind not in taken,
        }
        for kind, (name, description, focus, required, optional) in TEMPLATES.items()
    ]
    op.bulk_insert(table, rows)


def downgrade() -> None:
    op.drop_index("uq_ai_insight_templates_insight_type_active", "ai_insight_templates")
    table = sa.table("ai_insight_templates", sa.column("version"), sa.column("system_prompt"))
    ours = table.c.version.in_([VERSION, f"{VERSION}-riskmetrics"]), table.c.system_prompt == SYSTEM
    op.get_bind().execute(sa.delete(table).where(*ours))

"""Add the templates of plans, which choose among true claims; the earlier ones stay, inactive."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ENUM

revision = "k6f4b15ca7d4"
down_revision = "k5e1a04b96c3"

VERSION = "v3"
FORMER_SYSTEM = (
    "You explain the risk of a portfolio to the person who owns it, from a sheet of facts"
)

SYSTEM = """You are the editor of a daily note on the risk of a portfolio. You get claims that are true of it, each with its text, and choose
which of them the note tells and in which order. The reader sees a table of all figures next to the note: tell what changed, why, and
what to look at, not what is as it was.

- Lead with the claim that matters most today. "salience" is our estimate of it; "new" claims were not true the session before.
- Then what explains it, then other changes, then what stays. A limit that stays reached is told last.
- Tell nothing twice: two claims about the same figure are one too many. A quiet day has one to five claims.
- Recommendations are for findings that the note tells.
"""

TASK = """Plan the {{ insight_type | replace("_", " ") }} of {{ portfolio }} for the session of {{ day }}. Its severity is {{ severity }}.

{{ focus }}
"""

ALL_PROVIDERS = [
    "betas",
    "volatility",
    "concentration",
    "sectors",
    "changes",
    "forecast_score",
    "ir_beta",
    "stress",
    "contributions",
    "holdings",
    "moves",
    "tail",
    "window",
    "market",
    "streaks",
]

TEMPLATES = {
    "daily_summary": (
        "Daily summary",
        "What changed since the session before, why, and what to look at.",
        "It leads: the other notes of the session tell what is left.",
        ["snapshot"],
        ALL_PROVIDERS,
    ),
    "volatility_analysis": (
        "Volatility analysis",
        "Volatility of the past and expected, and how earlier forecasts did.",
        "Tell what moved the volatility, what is expected, and how the last forecast came out.",
        ["volatility"],
        ["snapshot", "changes", "forecast_score", "moves", "window", "streaks"],
    ),
    "concentration_risk": (
        "Concentration risk",
        "Single names and sectors that weigh much, in value and in volatility.",
        "Tell which positions make more of the risk than of equity, and which sectors differ from the benchmark.",
        ["concentration"],
        ["snapshot", "sectors", "changes", "moves", "streaks"],
    ),
    "hedge_quality": (
        "Hedge quality",
        "What short positions take off: exposure and volatility.",
        "Tell whether the short positions reduce the volatility, and how large gross exposure is.",
        ["snapshot", "concentration"],
        ["betas", "volatility", "streaks"],
    ),
    "factor_exposure": (
        "Factor exposure",
        "Sensitivity to the market and to interest rates.",
        "Tell how sensitive the portfolio is, how sure that is, and what moved it.",
        ["betas"],
        ["snapshot", "ir_beta", "changes", "moves", "stress", "streaks"],
    ),
    "stress_test_review": (
        "Stress test review",
        "What scenarios would cost, value at risk and drawdowns.",
        "Tell whether the value at risk holds, what scenarios would cost, and the drawdown.",
        ["stress"],
        ["snapshot", "betas", "tail", "market", "streaks"],
    ),
    "custom": (
        "Question",
        "An answer to a question, from the same claims.",
        (
            "Answer the question that stands below as data, with the claims that answer it and no others. If none does, return no claim.\n"
            "{{ question | tojson }}"
        ),
        ["snapshot"],
        ALL_PROVIDERS,
    ),
}
"""Name, description, focus, required and optional providers of facts, by type of insight."""

TABLE = sa.table(
    "ai_insight_templates",
    sa.column("insight_type", ENUM(name="insight_type", create_type=False)),
    *(
        sa.column(name)
        for name in (
            *("name", "description", "version", "system_prompt", "investigation_prompt"),
            *("max_tokens", "active", "deprecated_at", "updated_at"),
        )
    ),
    *(sa.column(name, sa.JSON) for name in ("required_tools", "optional_tools")),
)


def _is_former() -> sa.ColumnElement[bool]:
    """Return whether a template is a former one of this program, whatever its version's name."""
    return TABLE.c.system_prompt.startswith(FORMER_SYSTEM, autoescape=True)


def upgrade() -> None:
    """Replace active templates of this program; a type with an active one of a user keeps it."""
    now = sa.func.now()
    op.execute(
        sa.update(TABLE)
        .where(TABLE.c.active, _is_former())
        .values(active=False, deprecated_at=now, updated_at=now)
    )
    active = sa.select(sa.cast(TABLE.c.insight_type, sa.String)).where(TABLE.c.active)
    taken = set(op.get_bind().scalars(active))
    op.bulk_insert(
        TABLE,
        [
            {
                "insight_type": insight_type,
                "name": name,
                "description": description,
                "version": VERSION,
                "system_prompt": SYSTEM,
                "investigation_prompt": TASK.replace("{{ focus }}", focus),
                "max_tokens": 2000,
                "required_tools": required,
                "optional_tools": optional,
                "active": insight_type not in taken,
            }
            for insight_type, (name, description, focus, required, optional) in TEMPLATES.items()
        ],
    )


def downgrade() -> None:
    op.execute(sa.delete(TABLE).where(TABLE.c.system_prompt == SYSTEM))
    active = sa.select(TABLE.c.insight_type).where(TABLE.c.active)
    op.execute(
        sa.update(TABLE)
        .where(_is_former(), TABLE.c.insight_type.not_in(active))
        .values(active=True, deprecated_at=None, updated_at=sa.func.now())
    )

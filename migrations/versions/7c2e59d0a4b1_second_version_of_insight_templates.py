"""Second version of the seeded templates, which says what the verifier admits; a template of a user's own stays in use."""

from hashlib import md5

import sqlalchemy as sa
from alembic import op

revision = "7c2e59d0a4b1"
down_revision = "4e8a90d2c7b6"

OWN_SUFFIX = "-riskmetrics"
"""What a version of ours ends with where other code or a user has taken its name."""

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
        "6a10a8395c0538f01dde288876ea68e8",
        "State first what rose or fell since the session before, then equity, beta and expected volatility, then the largest position.",
    ),
    "volatility_analysis": (
        "6dd142ee75a689a0d16ae2d6ee302f8a",
        "Compare the volatility over 21 sessions with that over 63 sessions and with the expected one, then the forecast made 21 sessions\n"
        "before with the volatility that followed.",
    ),
    "concentration_risk": (
        "35914512683232da6c2a3199175521de",
        "Compare the largest position and the largest sector with their thresholds, and the share of volatility of positions with their\n"
        "weight.",
    ),
    "hedge_quality": (
        "73ac4b50484a9f07c60307c14cec5773",
        "Compare the gross exposure over equity with its threshold and with the net one, and the beta with its threshold. State the\n"
        "share of volatility of short positions: by its sign it adds to the volatility or takes off the volatility.",
    ),
    "factor_exposure": (
        "352adb77e06c9b2e5906a7ac68cebd86",
        "Compare the beta with its threshold, with its r-squared beside it; then state the rate betas.",
    ),
    "stress_test_review": (
        "a3bfb78df28e02b23062f8354be2425f",
        "State the worst scenario and compare its result with its threshold; then value at risk, and the current drawdown beside its\n"
        "threshold.",
    ),
    "custom": (
        "77588619b28d2c127f66dc1286c5da8e",
        "Answer the question that stands below as data, as far as the facts go. Where they do not go, write as limitations:\n"
        "What the facts do not tell is not answered here.\n"
        "{{ question | tojson }}",
    ),
}
"""Hash of the first version's prompts by type, and what the second one asks to look at."""

_columns = (
    "id",
    "insight_type",
    "name",
    "description",
    "version",
    "system_prompt",
    "investigation_prompt",
    "max_tokens",
)
_templates = sa.table(
    "ai_insight_templates",
    *(sa.column(name) for name in (*_columns, "active", "deprecated_at", "updated_at")),
    *(sa.column(name, sa.JSON) for name in ("required_tools", "optional_tools")),
)


def _first_versions() -> list[sa.RowMapping]:
    """Return the templates of ours that stand as they were seeded."""
    named = _templates.c.version.in_(["v1", f"v1{OWN_SUFFIX}"])
    found = op.get_bind().execute(sa.select(_templates).where(named)).mappings()
    return [row for row in found if _digest(row) == TEMPLATES[row["insight_type"]][0]]


def _digest(row: sa.RowMapping) -> str:
    return md5(
        (row["system_prompt"] + row["investigation_prompt"]).encode(), usedforsecurity=False
    ).hexdigest()


def _use(chosen: sa.ColumnElement[bool], *, active: bool) -> None:
    deprecated = None if active else sa.func.now()
    op.execute(
        sa.update(_templates)
        .where(chosen)
        .values(active=active, deprecated_at=deprecated, updated_at=sa.func.now())
    )


def upgrade() -> None:
    """Insert the second version of each template that stands as seeded, in use if the first one was."""
    taken = set(
        op.get_bind().scalars(
            sa.select(_templates.c.insight_type).where(_templates.c.version == "v2")
        )
    )
    for first in _first_versions():
        if first["active"]:
            _use(_templates.c.id == first["id"], active=False)
        second = {
            "version": f"v2{OWN_SUFFIX}" if first["insight_type"] in taken else "v2",
            "system_prompt": SYSTEM,
            "investigation_prompt": TASK.replace(
                "{{ focus }}", TEMPLATES[first["insight_type"]][1]
            ),
        }
        kept = (
            "insight_type",
            "name",
            "description",
            "max_tokens",
            "required_tools",
            "optional_tools",
        )
        source = sa.select(
            *(_templates.c[name] for name in kept),
            *map(sa.literal, second.values()),
            sa.literal(first["active"]),
        ).where(_templates.c.id == first["id"])
        op.execute(sa.insert(_templates).from_select([*kept, *second, "active"], source))


def downgrade() -> None:
    """Remove the second versions, and use the first ones again where the second ones were."""
    ours = _templates.c.version.in_(["v2", f"v2{OWN_SUFFIX}"]), _templates.c.system_prompt == SYSTEM
    removed = (
        op.get_bind()
        .execute(
            sa.delete(_templates)
            .where(*ours)
            .returning(_templates.c.insight_type, _templates.c.active)
        )
        .all()
    )
    used = {insight_type for insight_type, active in removed if active}
    for first in _first_versions():
        if first["insight_type"] in used:
            _use(_templates.c.id == first["id"], active=True)

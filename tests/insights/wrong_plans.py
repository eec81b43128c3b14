"""Plans as no planner should make them: unknown ids, duplicates, wrong roles and connectives."""

from collections.abc import Sequence
from random import Random

from riskmetrics.insights.plan import Plan, Step

CONNECTIVES = ("and", "but", "while", "mainly because", "although")
_UNKNOWN = ("", "no_form", "session_loss:POS_99", "limits_standing; DROP", "{loss}")


def wrong_plan(random: Random, ids: Sequence[str]) -> Plan:
    """Return a plan of true and unknown claims in any role, often with duplicates."""

    def pick() -> str:
        return random.choice(_UNKNOWN) if random.random() < 0.2 or not ids else random.choice(ids)

    def step() -> Step:
        return Step(claim=pick(), connective=random.choice(("", *CONNECTIVES[:-1])))

    n_steps = random.choice((0, 1, 3, 12, 200))
    paragraphs = [
        [step() for _ in range(random.randint(0, n_steps))] for _ in range(random.randint(0, 8))
    ]
    paragraphs += paragraphs[: random.choice((0, 1))]
    return Plan(
        headline=pick(),
        paragraphs=paragraphs,
        findings=[pick() for _ in range(random.randint(0, 12))],
        recommendations=[pick() for _ in range(random.randint(0, 6))],
    )

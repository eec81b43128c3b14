"""Try the sentence catalog on many sheets and plans: false claims, wrong plans, planted events.

Run `python -m benchmarks.insight_claims` from the repository, with the packages of its tests.
"""

# ruff: noqa: T201 — a benchmark prints its results

import sys
from argparse import ArgumentParser
from collections.abc import Sequence
from random import Random

from riskmetrics.insights.claims import claims_of
from riskmetrics.insights.plan import LEADING_TYPE, plan_by_rules, prune
from riskmetrics.insights.realize import realize_note
from tests.insights.days import EVENTS, planted_day
from tests.insights.fact_sheets import random_sheet
from tests.insights.figures import Figures
from tests.insights.oracles import BECAUSE, CHOICES, STATEMENTS, SUBJECTS
from tests.insights.wrong_plans import wrong_plan


def count_false_claims(random: Random, n_sheets: int) -> tuple[int, int]:
    """Return claims, and those that an oracle does not make or that it makes and are missing."""
    total = wrong = 0
    for _ in range(n_sheets):
        sheet = random_sheet(random)
        figures = Figures(sheet)
        found: dict[str, set[str]] = {}
        for claim in claims_of(sheet, {}).values():
            found.setdefault(claim.form.id, set()).add(claim.instance.subject)
            total += 1
        expected = {name: set(oracle(figures)) for name, oracle in STATEMENTS.items()}
        expected |= {name: expected[statement] for name, statement in BECAUSE.items()}
        expected |= {name: subjects(figures) for name, subjects in SUBJECTS.items()}
        wrong += sum(len(subjects ^ found.get(name, set())) for name, subjects in expected.items())
        wrong += sum(
            not found.get(name, set()) <= choice(figures) for name, choice in CHOICES.items()
        )
    return total, wrong


def count_wrong_plans(random: Random, n_plans: int) -> int:
    """Return pruned plans that still state a false claim, or a figure twice."""
    wrong = 0
    for _ in range(n_plans):
        sheet = random_sheet(random)
        claims = claims_of(sheet)
        kept = prune(wrong_plan(random, sorted(claims)), claims)
        stated = kept.statements()
        figures = [fact for each in stated if each in claims for fact in claims[each].shown_ids]
        is_true = {*stated, *kept.recommendations, *([kept.headline] * bool(kept.headline))} <= {
            *claims
        }
        wrong += not (is_true and len(figures) == len(set(figures)))
        if is_true and kept.headline:
            realize_note(kept, claims, sheet)
    return wrong


def count_leading(random: Random, event: str, n_days: int) -> int:
    """Return the simulated days with a planted event whose headline states it."""
    led = 0
    for _ in range(n_days):
        plan = plan_by_rules(claims_of(planted_day(random, event)), LEADING_TYPE)
        led += plan is not None and plan.headline.partition(":")[0] in EVENTS[event]
    return led


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the counts; 1 if a claim or a plan is wrong, or an event is not stated."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--sheets", type=int, default=10_000)
    parser.add_argument("--plans", type=int, default=10_000)
    parser.add_argument("--days", type=int, default=1_000, help="days with each event")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args(arguments)
    random = Random(chosen.seed)  # noqa: S311  # sheets, not secrets
    total, wrong = count_false_claims(random, chosen.sheets)
    print(f"{chosen.sheets} sheets: {total} claims, {wrong} not as their oracles")
    plans = count_wrong_plans(random, chosen.plans)
    print(f"{chosen.plans} wrong plans: {plans} not pruned to true claims stated once")
    shares = {event: count_leading(random, event, chosen.days) / chosen.days for event in EVENTS}
    for event, share in shares.items():
        print(f"{event}: the headline on {share:.1%} of {chosen.days} days")
    return int(bool(wrong or plans or min(shares.values()) < 0.95))


if __name__ == "__main__":
    sys.exit(main())

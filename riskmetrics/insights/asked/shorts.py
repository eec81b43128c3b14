"""Single short positions: which there are, the largest, and what each gained or lost."""

from typing import Final

from riskmetrics.insights.asked.answers import DAY, HOLDINGS, Answer, AskedFigure
from riskmetrics.insights.claims import Claim

_WHICH: Final = r"(which|what)( are| of)?( the| my| our)? (short positions|shorts)"
_HELD: Final = ("short_level", "shorts_listed", "no_shorts")


def _size(claim: Claim) -> float:
    """Return the order of a short position by weight: the largest is first."""
    return -float(claim.instance.facts[0].value) if claim.instance.subject else 0.0


SHORTS: Final = (
    *(
        AskedFigure(
            f"shorts_{verb}", HOLDINGS,
            rf"{_WHICH}( have| has| did)? {words}( (me|us))?( the)?( most)?( money)?",
            {"": Answer(f"Which shorts {verb} money?",
                (f"short_{verb}", "short_results_listed", "no_shorts"), most=12)},
            DAY | {"money", "max"},
            is_flow=True,
            is_part=True,
        )
        for verb, words in (
            ("lost", r"(lost|lose|cost|hurt)"), ("gained", r"(gained|gain|made|make|earned)"),
        )
    ),
    AskedFigure(
        "largest_short", HOLDINGS, r"(largest|biggest) shorts?( positions?)?",
        {"": Answer("What is the largest short position?",
            ("short_largest", "shorts_listed", "no_shorts"))},
        DAY | {"max"},
        is_part=True,
    ),
    AskedFigure(
        "single_shorts", HOLDINGS,
        rf"{_WHICH}( are there| do (i|we) (have|hold)| are held)?(?=\W*$)",
        {"": Answer("What are the short positions?", _HELD, most=12, place=_size)},
        DAY,
        is_part=True,
    ),
)  # fmt: skip
"""Figures whose words begin with those of results."""

"""What an asked figure is: its words, and an answer for each set of qualifiers.

An answer belongs to one set of qualifiers, such as a confidence level, a window or a comparison. A
question with other qualifiers is not answered by it.
"""

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from riskmetrics.insights.claims import Claim
from riskmetrics.insights.plan import MissingFact

RESULT, RISK, TAIL, MARKET, HOLDINGS, CHECKS = (
    "Result and returns",
    "Volatility, drawdown and stress",
    "Value at risk",
    "Market, benchmark and factors",
    "Holdings",
    "Limits, changes and data",
)
"""Groups in which questions are offered."""


class Answer(NamedTuple):
    """The answer to a figure with some qualifiers."""

    example: str
    """A question as it is offered; empty: it is not."""
    forms: tuple[str, ...] = ("*",)
    """Patterns of forms in the order in which they are stated."""
    nothing: MissingFact = "undefined_figures"
    """What the answer states if no claim belongs to it."""
    tells: Callable[[Claim], bool] = lambda _: True
    """Whether a claim of these forms belongs to the answer."""
    most: int = 4
    """Claims at most."""
    place: Callable[[Claim], float] = lambda claim: -claim.instance.salience
    """Place of a claim among those of one form: the smallest is stated first."""


class AskedFigure(NamedTuple):
    """A figure, or a subject of several figures, that a question asks for."""

    key: str
    group: str
    words: str
    """Regular expression of its names in questions, lower case."""
    answers: Mapping[str, Answer]
    """Qualifiers, sorted and separated by spaces, to the answer."""
    default: frozenset[str] = frozenset()
    """Qualifiers that say what the answer is anyway."""
    is_weak: bool = False
    """Whether its words, such as positions, name no figure next to the name of another one."""
    is_flow: bool = False
    """Whether it is of a window, so that today is one; else it is as of the session."""
    is_part: bool = False
    """Whether it names a part of the portfolio, of which another figure may be asked."""
    is_ahead: bool = False
    """Whether a number of sessions is a horizon, not a window of the past."""
    is_counted: bool = False
    """Whether its count of the past year is stated if that of another window is asked for."""
    absorbs: frozenset[str] = frozenset()
    """Figures whose words say nothing more next to its own."""


DAY: Final = frozenset({"1d", "1d-past"})
YEAR: Final = frozenset({"252d"})
"""Qualifiers that say the session, and the past year."""

POSITION_FORMS: Final = (
    *("position_dominates", "position_risk_*", "position_in_line", "position_level"),
    "largest_weight",
)
"""Forms about the size and the risk of a position."""


def by_window(example: str, *windows: tuple[str, str, tuple[str, ...]]) -> dict[str, Answer]:
    """Return answers by window; each has an example of its own."""
    return {key: Answer(example.format(words), forms) for key, words, forms in windows}

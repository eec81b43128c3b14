"""A form of the sentence catalog that is true of a fact sheet for certain values."""

from collections.abc import Mapping
from dataclasses import dataclass

from riskmetrics.insights.facts import Fact
from riskmetrics.insights.slots import Slot


@dataclass(frozen=True)
class Instance:
    """A form that is true of a sheet for certain values."""

    slots: Mapping[str, Slot]
    facts: tuple[Fact, ...]
    """Facts whose figures are in the text; each is stated once per note."""
    salience: float
    """How much it matters: about 1 for a figure worth a sentence, 3 and more for an alarm."""
    subject: str = ""
    """Alias of the thing that it is about; empty for the portfolio."""
    sign: int = 0
    """1 good or more, -1 bad or less, 0 neither; "but" joins opposite signs."""
    level: str = "info"
    """Severity, if the claim is an alarm."""
    is_known: bool = False
    """Whether its alarm was one the session before as well: it is not new."""
    supports: str = ""
    """Form whose statement it explains by contributions: "mainly because" may join the two."""
    context: tuple[Fact, ...] = ()
    """Other facts that the precondition uses: evidence that the text does not show."""
    is_steady: bool = False
    """Whether it is old as soon as it was true the session before, whatever its figures were."""
    remembered: tuple[float, ...] = ()
    """Of a steady one: what is new if it rose, such as the levels of alerts."""

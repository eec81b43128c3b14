"""The record of a figure, and the units that determine its format."""

from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import NamedTuple

EXTENSION_TABLE = "portfolio_figures"
"""Table of the figures that other packages add, one row for each figure."""


class Unit(Enum):
    """Unit of a figure; its value is the unit in words."""

    MONEY = "amount in the portfolio's currency"
    GAIN = "gain or loss in the portfolio's currency"
    PRICE = "amount per share"
    DELTA = "amount per unit of the underlying's price"
    SENSITIVITY = "amount per share and unit of the input"
    FRACTION = "fraction, 0.01 is 1%"
    ACTIVE_FRACTION = "fraction with a sign, 0.01 is +1%"
    LOSS = "loss as a fraction, 0.01 is a loss of 1%"
    LOSS_AMOUNT = "loss in the portfolio's currency"
    SESSION_RETURN = "fraction per session"
    VOLATILITY = "annualized volatility, as a fraction"
    MARGINAL_VOLATILITY = "annualized volatility per unit of weight"
    PROBABILITY = "probability, in [0, 1]"
    P_VALUE = "p-value, in [0, 1]"
    BETA = "return per unit return of the index"
    R_SQUARED = "share of explained variance, at most 1"
    SKILL = "share of squared error removed, at most 1"
    CORRELATION = "correlation, in [-1, 1]"
    INDEX = "index, in [0, 1]"
    NUMBER = "number"
    EXPECTED_COUNT = "expected number"
    COUNT = "number of observations or instruments"
    SHARES = "number of shares"
    SESSIONS = "sessions"
    YEARS = "years of 365 days"
    DATE = "session"
    FLAG = "yes or no"
    TEXT = "text"


class Place(StrEnum):
    """Places where figures are stated, next to the data dictionary, which has all of them."""

    SHOW = "show"
    """A table of `riskmetrics show`, at least in its JSON."""
    REPORT = "report"
    EXPLAIN = "explain"
    """Recalculated by `riskmetrics explain`."""
    FACTS = "facts"
    """Facts that insights may state."""


class Absence(NamedTuple):
    """A place that does not state a figure, and the reason."""

    place: Place
    reason: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A stored figure: a column of a result table that is computed."""

    table: str
    column: str
    label: str
    """Name of the row in a table of figures."""
    unit: Unit
    formula: str
    window: str | None = None
    """Data window; None: the session alone."""
    minimum: str = ""
    """Observations and coverage below which the figure is NULL."""
    reference: str = ""
    """Paper or standard that defines the figure."""
    short: str = ""
    """Column heading in a table whose title states the rest; default: the label."""
    null: str = ""
    """Meaning of NULL; default: undefined, if there is a minimum."""
    absent: tuple[Absence, ...] = ()
    """Places that do not state it."""

    @property
    def name(self) -> str:
        """Return the qualified name, 'table.column'."""
        return f"{self.table}.{self.column}"

    @property
    def stored_column(self) -> str:
        """Return the column of the table: rows of extensions name their figure."""
        return "value" if self.table == EXTENSION_TABLE else self.column

    @property
    def is_nullable(self) -> bool:
        """Return whether its column can be NULL, in a table of riskmetrics."""
        return bool(self.minimum or self.null)

    @property
    def heading(self) -> str:
        """Return the column heading."""
        return self.short or self.label

    def comment(self, *, is_nullable: bool) -> str:
        """Return the comment of the column: formula, unit, window and the meaning of NULL.

        Examples
        --------
        >>> Figure("t", "hhi", "HHI", Unit.INDEX, "sum(w²)", minimum="a price").comment(
        ...     is_nullable=True
        ... )
        'HHI: sum(w²). Unit: index, in [0, 1]. NULL: undefined. Required: a price.'
        """
        parts = [f"{self.label}: {self.formula}", f"Unit: {self.unit.value}"]
        if self.window:
            parts.append(f"Window: {self.window}")
        if is_nullable:
            parts.append(f"NULL: {self.null or 'undefined'}")
        if self.minimum:
            parts.append(f"Required: {self.minimum}")
        return ". ".join(parts) + "."


PRICED = "80% of the instruments have a price"
EQUITY = f"{PRICED}, equity is at least 5% of gross exposure"
COVERED = f"80% of gross exposure is covered, {EQUITY}"
PRO_FORMA = "R = sum(exposure * r) / equity / coverage"
"""Return of a portfolio with the weights of the session, in formulas."""

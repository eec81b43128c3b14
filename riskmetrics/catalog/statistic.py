"""The record of a statistic of pro-forma returns: a table, its computation and its outputs."""

from dataclasses import dataclass

from riskmetrics.catalog.absences import COVERAGE_COUNT
from riskmetrics.catalog.figure import COVERED, Absence, Figure, Unit
from riskmetrics.catalog.listing import Listing


@dataclass(frozen=True, slots=True)
class StatisticFigure:
    """A figure of a statistic; window and minimum are those of the statistic."""

    column: str
    label: str
    unit: Unit
    formula: str
    null: str = ""
    """Meaning of NULL; default: undefined."""
    reference: str = ""
    """Paper or standard that defines the figure; default: that of the statistic."""
    short: str = ""
    """Column heading in a table whose title states the rest; default: the label."""
    note: str | None = None
    """Note in its row of the report, with {column} for another figure; None: it has no row."""
    fact: str = ""
    """Name of its fact in insights; in prose it is its label. Empty: none."""
    absent: tuple[Absence, ...] = ()
    """Places that do not state it."""


@dataclass(frozen=True, slots=True)
class Statistic:
    """A table of statistics of the portfolios' pro-forma returns over a window.

    It has one row per portfolio and session. Everything else derives from the record: table, asset,
    rows, reasons, and where the figures are shown; only the function and a migration are written.
    """

    table: str
    content: str
    """Content of a row, as in a sentence."""
    function: str
    """Function of returns (T, N) and ``min_obs``, as 'module:name'.

    With ``uses_market`` it also takes those of the market index, (T,), after them. It returns a
    named tuple of arrays (N,): the figures by column, and ``n_obs``. Figures with the
    unit of a session are numbers of closes: 0 is the one before the first return, -1 is none.
    """
    columns: tuple[StatisticFigure, ...]
    """Figures in order, without the observations; the first one is NULL if there is a reason."""
    key: str
    """Name of the table in JSON of `riskmetrics show risk`, and among the records of insights."""
    title: str
    """Title in `riskmetrics show risk`; {session} is the session."""
    heading: str
    """Heading in the report."""
    family: str = ""
    """Family of the facts; only figures of one family are compared."""
    reference: str = ""
    """Paper or standard that defines the figures."""
    sessions: int = 252
    """Length of the window."""
    min_obs: int = 126
    """Minimum number of returns in it."""
    uses_market: bool = False
    """Whether the function compares with the returns of the market index."""

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Return the figures in the order of the columns; the last are the observations."""
        window, minimum = f"{self.sessions} sessions", f"{self.min_obs} returns, {COVERED}"
        observed = (
            "sessions on which R and the index have a return"
            if self.uses_market
            else f"returns of the portfolio in the {window}"
        )
        return (
            *(
                Figure(
                    self.table, each.column, each.label, each.unit, each.formula, window, minimum,
                    each.reference or self.reference, each.short, each.null,
                    each.absent,
                )
                for each in self.columns
            ),
            Figure(
                self.table, "observations", "Observations", Unit.COUNT, observed, window,
                absent=COVERAGE_COUNT,
            ),
        )  # fmt: skip

    @property
    def rows(self) -> dict[str, str]:
        """Return the rows of the report: column of the figure to its note."""
        return {each.column: each.note for each in self.columns if each.note is not None}

    @property
    def facts(self) -> dict[str, str]:
        """Return the facts of insights: column of the figure to the name of the fact."""
        return {each.column: each.fact for each in self.columns if each.fact}

    @property
    def listing(self) -> Listing:
        """Return the listing of the table."""
        return Listing(self.table, self.title, "risk", self.key, is_optional=True)

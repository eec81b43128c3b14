"""The record of a statistic of pro-forma returns: a table, its computation and its outputs."""

from dataclasses import dataclass

from riskmetrics.catalog.figure import Figure
from riskmetrics.catalog.listing import Listing


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
    sessions: int
    """Length of the window."""
    min_obs: int
    """Minimum number of returns in it."""
    figures: tuple[Figure, ...]
    """Figures in the order of the columns; the first one is NULL if there is a reason for it."""
    key: str
    """Name of the table in JSON of `riskmetrics show risk`, and among the records of insights."""
    title: str
    """Title in `riskmetrics show risk`; {session} is the session."""
    heading: str
    """Heading in the report."""
    rows: dict[str, str]
    """Rows of the report: column of the figure to its note, with {column} for another figure."""
    facts: dict[str, str]
    """Facts of insights: column of the figure to the name of the fact; in prose it is its label."""
    family: str
    """Family of the facts; only figures of one family are compared."""
    uses_market: bool = False
    """Whether the function compares with the returns of the market index."""

    @property
    def listing(self) -> Listing:
        """Return the listing of the table."""
        return Listing(self.table, self.title, "risk", self.key, is_optional=True)

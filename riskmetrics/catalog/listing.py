"""The record of a listing: how the rows of a result table are read and shown."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Listing:
    """The rows of a result table on a session, as `riskmetrics show` and the report list them."""

    table: str
    title: str = ""
    """Title of the printed table; {session} is the session."""
    view: str = ""
    """Command of `riskmetrics show` that prints it; empty: none does."""
    key: str = ""
    """Name among the tables of the view in JSON; empty: the view's only table."""
    columns: tuple[str, ...] = ()
    """Columns in order; default: all but ids, session and provenance.

    Those of a table of positions may be columns of `positions`, and figures of the position's
    symbol in a table of symbols, as 'name=table.column'. `undefined_reason` is the stored reason of
    the first figure if the table has no such column.
    """
    order: tuple[str, ...] = ()
    """Columns that order the rows of a portfolio; '-column': largest first."""
    additive: tuple[str, ...] = ("quantity",)
    """Columns of positions to sum over the lots of an instrument."""
    is_optional: bool = False
    """Whether the view is shown without rows of this table, if portfolios have values."""
    hidden: tuple[str, ...] = ()
    """Columns that only JSON shows."""

    @property
    def name(self) -> str:
        """Return the name of the table of rows: its key, or that of a view with one table."""
        return self.key or self.view

    @property
    def joined_figures(self) -> dict[str, str]:
        """Return the figures of other tables, as 'table.column', by their names here."""
        return dict(column.split("=") for column in self.columns if "=" in column)

"""Read stored results as pandas, Arrow or polars tables with their units."""

import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

import pandas as pd
import pyarrow as pa
import sqlalchemy as sa

from riskmetrics import settings
from riskmetrics.catalog import Figure, all_listings, figures_of, find_figure
from riskmetrics.db import (
    embedded,
    input_queries,
    listed_rows,
    migrate,
    result_queries,
    volatility_queries,
)
from riskmetrics.db.engine import create_engine, normalize_url
from riskmetrics.db.roles import DATABASE, Role
from riskmetrics.errors import UsageError
from riskmetrics.notebook.frames import ResultFrame

if TYPE_CHECKING:
    import polars as pl

    from riskmetrics.notebook.drawing import Drawing

FrameKind = Literal["pandas", "arrow", "polars"]
_Answer = TypeVar("_Answer")


@dataclass(frozen=True)
class Source:
    """A table of results: the query of a session, and the figures of its columns."""

    query: Callable[..., pd.DataFrame]
    """Returns the rows of a connection, a session and a portfolio, or of all for None."""
    tables: tuple[str, ...] = ()
    """Result tables of the figures; the first one that has a column."""
    renamed: dict[str, str] = field(default_factory=dict)
    """Column to the figure in it, if it has another name there."""

    @property
    def figures(self) -> dict[str, Figure]:
        """Return the figures by column."""
        stored = (figures_of(table) for table in reversed(self.tables))
        return {figure.column: figure for figures in stored for figure in figures} | {
            column: find_figure(name) for column, name in self.renamed.items()
        }


@cache
def sources() -> dict[str, Source]:
    """Return the tables of results by name.

    A table that the catalog lists has the name of its listing, or where several listings have that
    name, the name of the database's table.

    Examples
    --------
    >>> sources()["betas"].figures["beta"].label
    'Beta'
    """
    listings = all_listings()
    names = [listing.name for listing in listings]
    listed = {
        (name if name and names.count(name) == 1 else listing.table): Source(
            partial(listed_rows.read_rows, listing.table), (listing.table,), listing.joined_figures
        )
        for name, listing in zip(names, listings, strict=True)
    }
    return {
        "snapshots": Source(result_queries.read_snapshots, ("portfolio_snapshots",)),
        "volatility": Source(
            volatility_queries.read_portfolio_volatility,
            ("portfolio_snapshots", "volatility_forecasts"),
        ),
        "position_volatility": Source(
            volatility_queries.read_position_volatility,
            ("position_volatility", "volatility_forecasts"),
        ),
        "undefined": Source(result_queries.read_undefined_metrics),
        **listed,
    }


class Results:
    """The stored results of a database, read-only.

    Every table is a method of its name, such as `betas`, with the arguments of `table`. An embedded
    server that this starts stops when it is closed, or when the program ends.

    Examples
    --------
    >>> import riskmetrics as rm
    >>> with rm.connect() as results:  # doctest: +SKIP
    ...     results.betas("Growth", "2022-12-28")
    ...     results.snapshots("Growth", since="2022-01-01").set_index("session")["volatility_21d"]
    """

    def __init__(self, url: str | None = None) -> None:
        configured = settings.load()
        if url is None and configured.database_url is not None:
            url = configured.database_url.get_secret_value()
        self._resources = ExitStack()
        self._is_closed = False
        if url is None:
            embedded.require_cluster(configured.home_directory)
            server = embedded.connect_or_start(configured.home_directory)
            self._resources.enter_context(server)
            owner = partial(create_engine, server.database_url(DATABASE, Role.OWNER))
            self._engine = create_engine(server.database_url(DATABASE, Role.READER))
        else:
            owner = partial(create_engine, normalize_url(url))
            self._engine = owner()
        self._resources.callback(self._engine.dispose)
        try:
            migrate.ensure_head(self._engine, owner)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Disconnect; stop the embedded server if nothing else uses it. Safe to repeat."""
        self._is_closed = True
        self._resources.close()

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *sources()]

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return the reader of a table of results."""
        if name.startswith("_") or name not in sources():
            raise AttributeError(
                f"there is no table of results {name}; there are {', '.join(sources())}"
            )
        return partial(self.table, name)

    def portfolios(self) -> list[str]:
        """Return the names of the portfolios."""
        return self._read(_portfolio_names)

    def sessions(self, portfolio: str | None = None) -> list[date]:
        """Return the sessions with results of a portfolio, or of any, oldest first.

        Raises
        ------
        UsageError
            If there is no such portfolio.
        """
        return self._read(lambda connection: _stored_sessions(connection, portfolio))

    def tables(self) -> pd.DataFrame:
        """Return the figures of all tables: table, column, label, unit, formula and window."""
        return ResultFrame(
            [
                (table, column, figure.label, figure.unit.value, figure.formula, figure.window)
                for table, source in sources().items()
                for column, figure in source.figures.items()
            ],
            columns=["table", "column", "label", "unit", "formula", "window"],
        )

    def table(
        self,
        name: str,
        portfolio: str | None = None,
        day: date | str | None = None,
        *,
        since: date | str | None = None,
        until: date | str | None = None,
        kind: FrameKind = "pandas",
    ) -> "pd.DataFrame | pa.Table | pl.DataFrame":
        """Return the rows of a table of results.

        Parameters
        ----------
        name : str
            Table of `tables`, such as 'betas'.
        portfolio : str, optional
            Default: all portfolios.
        day : date or str, optional
            Session, such as '2022-12-28'. Default: the latest with results.
        since, until : date or str, optional
            Every stored session in this range instead.
        kind : {'pandas', 'arrow', 'polars'}
            polars must be installed for 'polars'.

        Returns
        -------
        DataFrame or Table
            Columns session, portfolio, then those of the table. Undefined figures are missing. In
            pandas, ``attrs`` has the dictionaries 'units' and 'formulas' by column; in Arrow, the
            metadata of a field has unit and formula.

        Raises
        ------
        UsageError
            If there is no such table or portfolio, or no results in the range.
        """
        if name not in sources():
            raise UsageError(f"there is no table of results {name}: choose {', '.join(sources())}")
        chosen = _to_date(day), _to_date(since), _to_date(until)
        rows = self._read(
            lambda connection: _read_sessions(connection, sources()[name].query, portfolio, *chosen)
        )
        return _convert(rows, sources()[name].figures, kind)

    def charts(self) -> pd.DataFrame:
        """Return the charts of `chart`: name, title and what each shows."""
        from riskmetrics.charts.chart_records import CHARTS

        rows = [(chart.name, chart.full_title, chart.caption) for chart in CHARTS]
        return ResultFrame(rows, columns=["chart", "title", "caption"])

    def chart(
        self,
        name: str,
        portfolio: str | None = None,
        day: date | str | None = None,
        *,
        history: int = 252,
    ) -> "Drawing":
        """Return a chart of the report, which a notebook shows.

        Parameters
        ----------
        name : str
            Chart of `charts`, such as 'underwater'.
        portfolio : str, optional
            May be left out if there is one portfolio.
        day : date or str, optional
            Session, such as '2022-12-28'. Default: the latest with results.
        history : int
            Sessions that charts over time show.

        Raises
        ------
        UsageError
            If there is no such chart or portfolio, or too little is stored for it.
        """
        from riskmetrics.notebook.drawing import draw

        chosen = _to_date(day)

        def read(connection: sa.Connection) -> "Drawing":
            names = _portfolio_names(connection)
            if portfolio is None and len(names) != 1:
                raise UsageError(f"which portfolio? There are {', '.join(names)}")
            shown = portfolio or names[0]
            sessions = _stored_sessions(connection, shown)
            if not sessions or (chosen is not None and chosen not in sessions):
                raise UsageError(f"no results of {shown} are stored on {chosen or 'any session'}")
            stored = input_queries.read_portfolios(connection).set_index("name")
            currency = str(stored.loc[shown, "currency"])
            return draw(connection, name, shown, currency, chosen or sessions[-1], history)

        return self._read(read)

    def _read(self, query: Callable[[sa.Connection], _Answer]) -> _Answer:
        if self._is_closed:
            raise UsageError("these results are closed: open them again with riskmetrics.connect()")
        with self._engine.connect() as connection, connection.begin():
            connection.execute(
                sa.text("SET LOCAL TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            )
            return query(connection)


def connect(url: str | None = None) -> Results:
    """Open the stored results for reading.

    Parameters
    ----------
    url : str, optional
        Database, as postgresql://USER:PASSWORD@HOST/DATABASE. Default: that of the settings, which
        is the embedded server in RISKMETRICS_HOME unless RISKMETRICS_DATABASE_URL is set.

    Raises
    ------
    ConfigurationError
        If a setting or the URL is invalid.

    Examples
    --------
    >>> connect("postgresql://reader@db.example/risk").betas("Growth")  # doctest: +SKIP
    """
    return Results(url)


def _portfolio_names(connection: sa.Connection) -> list[str]:
    names: list[str] = input_queries.read_portfolios(connection)["name"].tolist()
    return names


def _stored_sessions(connection: sa.Connection, portfolio: str | None) -> list[date]:
    names = _portfolio_names(connection)
    if portfolio is not None and portfolio not in names:
        known = f"there are {', '.join(names)}" if names else "none is stored"
        raise UsageError(f"there is no portfolio {portfolio}: {known}")
    return result_queries.read_sessions(connection, portfolio)


def _read_sessions(
    connection: sa.Connection,
    query: Callable[..., pd.DataFrame],
    portfolio: str | None,
    day: date | None,
    since: date | None,
    until: date | None,
) -> pd.DataFrame:
    """Return the rows of a session, or of all in a range, with the session first."""
    stored = _stored_sessions(connection, portfolio)
    if since or until:
        if day:
            raise UsageError("a day and a range are given: give one of them")
        chosen = [one for one in stored if (since or one) <= one <= (until or one)]
    else:
        chosen = [one for one in stored if one == day] if day else stored[-1:]
    if not chosen:
        period = f"from {since or 'the first'} to {until or 'the last'}" if not day else f"on {day}"
        known = f"there are some from {stored[0]} to {stored[-1]}" if stored else "there are none"
        raise UsageError(f"no results of {portfolio or 'any portfolio'} {period}: {known}")
    frames = [query(connection, one, portfolio) for one in chosen]
    for one, frame in zip(chosen, frames, strict=True):
        frame.insert(0, "session", pd.Timestamp(one))
    filled = [frame for frame in frames if len(frame)] or frames[:1]
    return pd.concat(filled, ignore_index=True)


def _to_date(day: date | str | None) -> date | None:
    if not isinstance(day, str):
        return day
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", day):
        raise UsageError(f"{day} is not a date: write it as 2022-12-28")
    try:
        return date.fromisoformat(day)
    except ValueError:
        raise UsageError(f"{day} is not a date of the calendar") from None


def _convert(
    rows: pd.DataFrame, figures: dict[str, Figure], kind: FrameKind
) -> "pd.DataFrame | pa.Table | pl.DataFrame":
    """Return rows in a kind of table, with unit and formula of each figure."""
    shown = {column: figure for column, figure in figures.items() if column in rows}
    rows.attrs = {
        "units": {column: figure.unit.value for column, figure in shown.items()},
        "formulas": {column: figure.formula for column, figure in shown.items()},
    }
    if kind == "pandas":
        shown_in_full = ResultFrame(rows)
        shown_in_full.attrs = rows.attrs
        return shown_in_full
    if kind not in {"arrow", "polars"}:
        raise UsageError(f"{kind} is no kind of table: choose pandas, arrow or polars")
    table = pa.Table.from_pandas(rows, preserve_index=False).replace_schema_metadata()
    if kind == "polars":
        try:
            import polars as pl
        except ImportError:
            raise UsageError("polars is not installed: pip install polars") from None
        return pl.DataFrame(table)
    fields = [
        one.with_metadata({"unit": shown[one.name].unit.value, "formula": shown[one.name].formula})
        if one.name in shown
        else one
        for one in table.schema
    ]
    return table.cast(pa.schema(fields))

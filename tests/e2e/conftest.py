"""Databases with the bundled sample, and real runs of the job on them."""

import io
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager, redirect_stderr
from datetime import date
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest
import sqlalchemy as sa

from riskmetrics import settings
from riskmetrics.catalog import all_figures
from riskmetrics.cli import launch
from riskmetrics.cli.demo import load_sample
from riskmetrics.computations.forecast_scores import TRACK_RECORD_ASSET
from riskmetrics.db import (
    explain_queries,
    input_queries,
    result_tables,
    stored_settings,
    tables,
)
from riskmetrics.db.engine import create_engine
from riskmetrics.explain import explainer
from riskmetrics.explain.price_rows import PriceRows
from riskmetrics.explain.source_rows import SourceRows
from tests.conftest import clear_settings, open_connection

Run = Callable[..., launch.RunOutcome]

COMPUTED_DAY = date(2022, 12, 28)
"""The last session of the sample, which is computed once for all tests that begin after its run."""

FORECASTS = ("portfolio_values", "option_exposures", *TRACK_RECORD_ASSET.upstream)
"""Assets whose rows later sessions need to score forecasts."""


@pytest.fixture(scope="session")
def sample_template(create_database: Callable[..., str], template: str) -> str:
    """Return the name of a database with the sample and without results."""
    url = create_database(template)
    with open_connection(url) as connection:
        load_sample(connection)
    name = sa.make_url(url).database
    assert name
    return name


@pytest.fixture(scope="session")
def home_template(fast_folder: Path) -> Path:
    """Return a home with an empty storage of Dagster, which is faster to copy than to create."""
    home = Path(tempfile.mkdtemp(dir=fast_folder))
    with use_database("", home), launch._open_instance(settings.load()):
        return home


@pytest.fixture
def sample(
    sample_template: str,
    home_template: Path,
    new_database: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    fast_folder: Path,
) -> str:
    """Return the URL of a fresh database with the sample; the settings point to it."""
    url = new_database(sample_template)
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", url)
    monkeypatch.setenv("RISKMETRICS_HOME", copy_home(home_template, fast_folder))
    return url


def copy_home(home: Path, folder: Path) -> str:
    """Return a new folder with the files of a home."""
    return shutil.copytree(home, tempfile.mkdtemp(dir=folder), dirs_exist_ok=True)


@contextmanager
def use_database(url: str, home: Path) -> Iterator[pytest.MonkeyPatch]:
    """Point the settings to a database and a home, as the only settings."""
    with pytest.MonkeyPatch.context() as patch:
        clear_settings(patch)
        patch.setenv("RISKMETRICS_DATABASE_URL", url)
        patch.setenv("RISKMETRICS_HOME", str(home))
        yield patch


class ComputedSample(NamedTuple):
    """A database with the sample after a run, the home of that run, and what the run said."""

    url: str
    home: Path
    run_id: str = ""
    said: str = ""

    def copy(
        self, new_database: Callable[..., str], monkeypatch: pytest.MonkeyPatch, folder: Path
    ) -> str:
        """Return the URL of a fresh copy; the settings point to it and a copy of the home."""
        url = new_database(sa.make_url(self.url).database)
        monkeypatch.setenv("RISKMETRICS_DATABASE_URL", url)
        monkeypatch.setenv("RISKMETRICS_HOME", copy_home(self.home, folder))
        return url


@pytest.fixture(scope="session")
def computed_template(
    sample_template: str, create_database: Callable[..., str], fast_folder: Path
) -> ComputedSample:
    """Return the sample after the run of COMPUTED_DAY, which must succeed, for tests to copy."""
    url, home = create_database(sample_template), Path(tempfile.mkdtemp(dir=fast_folder))
    with use_database(url, home), redirect_stderr(io.StringIO()) as said:
        outcome = launch.run(settings.load(), [COMPUTED_DAY])
    assert outcome.exit_code == 0
    return ComputedSample(url, home, outcome.run_id, said.getvalue())


@pytest.fixture
def computed_sample(
    computed_template: ComputedSample,
    new_database: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    fast_folder: Path,
) -> str:
    """Return the URL of a fresh database with the sample and the results of COMPUTED_DAY."""
    return computed_template.copy(new_database, monkeypatch, fast_folder)


@pytest.fixture
def run() -> Run:
    """Return a function that runs the job in this process for days of the settings' database."""

    def run(days: Sequence[date], assets: Sequence[str] = ()) -> launch.RunOutcome:
        return launch.run(settings.load(), days, assets)

    return run


def replace_with_unpriced(url: str, portfolio: str) -> None:
    """Replace a portfolio's holdings with symbols that have no price."""
    statement = (
        "UPDATE positions SET symbol = 'GHOST' WHERE portfolio_id = (SELECT id FROM portfolios"
        " WHERE name = :portfolio)"
    )
    with open_connection(url) as connection:
        connection.execute(sa.text(statement), {"portfolio": portfolio})


def _key_columns(table: sa.Table) -> list[str]:
    """Return the natural key of a table: its primary key, or else its unique constraint."""
    if "id" not in table.c:
        return table.primary_key.columns.keys()
    (key,) = (one for one in table.constraints if isinstance(one, sa.UniqueConstraint))
    return key.columns.keys()


RESULT_KEYS = {
    result.table.name: _key_columns(result.table) for result in result_tables.list_result_tables()
}
"""Result tables and their key columns."""

OPTIONAL_TABLES = {"portfolio_figures", "portfolio_limit_checks"}
"""Result tables that are empty without an extension or a limit."""

_PROVENANCE_COLUMNS = ["id", "created_at", "updated_at", "dagster_run_id", "code_version"]


def query_frame(url: str, statement: str) -> pd.DataFrame:
    """Return the rows of a statement."""
    with open_connection(url) as connection:
        return pd.read_sql_query(sa.text(statement), connection)


def read_results(url: str) -> dict[str, pd.DataFrame]:
    """Return every stored result row, without the columns that describe the write."""
    with open_connection(url) as connection:
        tables = {
            name: pd.read_sql_query(sa.text(f"SELECT * FROM {name}"), connection)
            for name in RESULT_KEYS
        }
    return {
        name: (
            table.drop(columns=[column for column in _PROVENANCE_COLUMNS if column in table])
            .sort_values(RESULT_KEYS[name])
            .reset_index(drop=True)
            .astype(str)
        )
        for name, table in tables.items()
    }


_FOUNDING_TABLE_KEYS = {
    result.table.name: (
        "position_id" if "position_id" in result.table.c else "portfolio_id",
        result.day.name,
    )
    for result in result_tables.list_result_tables()
    if "id" in result.table.c
}
"""Key columns of the wide tables, whose reasons are in undefined_metrics.

Narrow tables have reasons in their own rows.
"""


UNDEFINED = {"", "undefined"}
"""What the catalog says of figures whose NULL has no other meaning than an undefined value."""

_MAY_NOT_APPLY = {
    (figure.table, figure.column) for figure in all_figures() if figure.null not in UNDEFINED
}


def assert_nulls_have_reasons(
    url: str, without_rows: Set[str] = frozenset()
) -> set[tuple[object, ...]]:
    """Check that results are NULL exactly where a reason is stored.

    Returns metric, subject and day of the NULL results of the wide tables.

    ``without_rows`` are the narrow tables that are empty.
    """
    with open_connection(url) as connection:
        statement = sa.text("SELECT metric, subject, day FROM undefined_metrics WHERE reason <> ''")
        stored = [tuple(row) for row in connection.execute(statement)]
        reasons = {row for row in stored if row[0].partition(".")[0] in _FOUNDING_TABLE_KEYS}
        nulls = {
            (f"{table}.{name}", row[subject], row[day])
            for table, (subject, day) in _FOUNDING_TABLE_KEYS.items()
            for row in connection.execute(sa.text(f"SELECT * FROM {table}")).mappings()
            for name, value in row.items()
            if value is None
        }
        empty = set()
        by_meaning = {figure.name for figure in all_figures() if figure.null not in UNDEFINED}
        for table in (
            table for table in tables.metadata.sorted_tables if "undefined_reason" in table.c
        ):
            figures = [
                column
                for column in table.c
                if isinstance(column.type, sa.Double)
                and column.nullable
                and f"{table.name}.{column.name}" not in by_meaning
            ]
            rows = connection.execute(sa.select(*figures, table.c.undefined_reason)).all()
            empty |= set() if rows else {table.name}
            # NULL may also mean that a figure does not apply
            always = [
                at
                for at, column in enumerate(figures)
                if (table.name, column.name) not in _MAY_NOT_APPLY
            ]
            for *values, reason in rows:
                assert None in values or not reason, table.name
                assert reason or None not in [values[at] for at in always], table.name
    assert empty - OPTIONAL_TABLES == without_rows
    assert nulls == reasons
    return nulls


def recalculate_explanations(
    url: str, day: date, portfolios: Sequence[str] = (), table: str | None = None
) -> list[explainer.Explanation]:
    """Recalculate every number stored for a day, of the named portfolios or of all.

    ``table`` limits them to those of a table. The rows of a symbol are those of all portfolios that
    hold it, and are recalculated once.
    """
    engine, found, done = create_engine(url), [], set[str | None]()
    with engine.connect() as connection:
        market, rate = (
            stored_settings.read_market_index(connection),
            stored_settings.read_rate_index(connection),
        )
        prices = PriceRows(connection)
        for portfolio in input_queries.read_portfolios(connection).itertuples():
            if portfolios and portfolio.name not in portfolios:
                continue
            sources = SourceRows(connection, str(portfolio.portfolio_id), day, market, rate, prices)
            symbols = [None, *sorted(set(sources.lots["symbol"]) - done)]
            done.update(symbols)
            for group in explainer.METRIC_GROUPS:
                if table not in (None, group.table.name):
                    continue
                requested_symbols = symbols if "subject" in group.table.c else [None]
                rows = [
                    row
                    for symbol in requested_symbols
                    for row in explain_queries.read_rows(
                        connection, group.table, day, sources.portfolio, symbol
                    )
                ]
                for row in rows:
                    found += explainer.explain_row(connection, sources, group.figures, row, group)
    engine.dispose()
    return found


def list_differences(explanations: Sequence[explainer.Explanation]) -> list[tuple[object, ...]]:
    """Return the explanations whose recalculated number differs from the stored one."""
    return [
        (one.figure.name, dict(one.key), one.stored, one.recalculated)
        for one in explanations
        if not one.is_equal
    ]

"""Disk space of a year of nightly runs for 63 and 10,000 positions, including that of Dagster."""

import os
import shutil
from collections.abc import Sequence
from typing import NamedTuple
from unittest.mock import patch

import sqlalchemy as sa

from benchmarks import measure
from benchmarks.job import LAST_SESSION, simulated_home
from riskmetrics import settings, trading_calendar
from riskmetrics.cli import launch
from riskmetrics.db import result_tables, tables

NIGHTS_PER_YEAR = 252
FOUNDING_ESTIMATES_MB = {"position_market_betas": 5.5, "position_volatility": 7.3}
"""MB per year at 63 positions, as estimated in the founding document."""


class BookSize(NamedTuple):
    """Size of a simulated market, number of nightly runs, and assets (none: all)."""

    portfolios: int
    lots: int
    symbols: int
    nights: int
    assets: tuple[str, ...] = ()


BOOKS = (
    BookSize(portfolios=3, lots=21, symbols=60, nights=10),
    BookSize(portfolios=100, lots=100, symbols=3_000, nights=3),
)
QUICK = (
    BookSize(
        portfolios=1,
        lots=3,
        symbols=10,
        nights=1,
        assets=("position_betas", "position_volatility"),
    ),
)

Sizes = dict[str, float]


def report(quick: bool) -> str:
    """Run each book in a separate process, and scale the added size to a year."""
    books = QUICK if quick else BOOKS
    return _text(books, [measure.run_in_child(measure_yearly_megabytes, book) for book in books])


def measure_yearly_megabytes(book: BookSize) -> Sizes:
    """Return MB added per year, with indexes, by result table and for the Dagster database."""
    first, *days = trading_calendar.sessions_between(trading_calendar.FIRST_SESSION, LAST_SESSION)[
        -book.nights - 1 :
    ]
    with simulated_home(book.symbols, 300, book.portfolios, book.lots) as (home, engine):
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("CREATE DATABASE dagster")
        dagster = engine.url.set(database="dagster", drivername="postgresql+psycopg2")
        (home / "dagster").mkdir()
        shutil.copy(settings.bundled_path("deploy") / "dagster.yaml", home / "dagster")
        with patch.dict(
            os.environ, DAGSTER_DATABASE_URL=dagster.render_as_string(hide_password=False)
        ):
            launch.run(settings.load(), [first], book.assets)  # creates what is stored only once
            before = _sizes(engine)
            for day in days:
                launch.run(settings.load(), [day], book.assets)
        after = _sizes(engine)
    return {
        name: (size - before[name]) * NIGHTS_PER_YEAR / book.nights / 1e6
        for name, size in after.items()
    }


def _sizes(engine: sa.Engine) -> Sizes:
    """Return bytes by result table, with indexes, and of the Dagster database."""
    with engine.connect() as connection:
        size = sa.text("SELECT pg_total_relation_size(to_regclass(:name))")
        names = [
            *(result.table.name for result in result_tables.list_result_tables()),
            tables.ai_insights.name,
        ]
        sizes = {
            name: float(connection.execute(size, {"name": name}).scalar_one()) for name in names
        }
        return {
            **sizes,
            "Dagster database": float(
                connection.execute(sa.text("SELECT pg_database_size('dagster')")).scalar_one()
            ),
        }


def _text(books: Sequence[BookSize], sizes: Sequence[Sizes]) -> str:
    names = sorted(sizes[0], key=lambda name: -sizes[-1][name])
    positions = [book.portfolios * book.lots for book in books]
    lines = [
        (
            name,
            *(f"{by_table[name]:,.1f}" for by_table in sizes),
            f"{FOUNDING_ESTIMATES_MB[name]}" if name in FOUNDING_ESTIMATES_MB else "",
        )
        for name in names
    ]
    total = ("total", *(f"{sum(by_table.values()):,.1f}" for by_table in sizes), "")
    targets = [
        measure.Target(
            f"MB per year in {name}, {positions[0]} positions",
            limit,
            sizes[0][name],
            is_upper_limit=True,
        )
        for name, limit in FOUNDING_ESTIMATES_MB.items()
    ]
    head = [
        "MB per year, with indexes",
        *(f"{count:,} positions" for count in positions),
        "estimate for 63",
    ]
    nights = " and ".join(str(book.nights) for book in books)
    return f"""## Size

Growth in a year of {NIGHTS_PER_YEAR} sessions, scaled from {nights} nightly runs of a simulated
market. Prices are not included.

{measure.markdown_table(head, [*lines, total])}

{measure.targets_table(targets)}
"""

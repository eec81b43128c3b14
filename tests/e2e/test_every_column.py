"""Two runs on a simulated market with complete inputs: every column is filled, and shown."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from riskmetrics import settings, trading_calendar
from riskmetrics.catalog import Place, all_figures, all_listings
from riskmetrics.charts.renderer import ChartRenderer
from riskmetrics.cli import launch, views
from riskmetrics.db import tables
from riskmetrics.db.engine import create_engine
from riskmetrics.explain import explainer
from riskmetrics.inputs.snapshot import read_terms
from riskmetrics.insights.fact_types import FACT_TYPES
from riskmetrics.metrics.forecast_score import FORECAST_HORIZON
from riskmetrics.report import page, sections
from riskmetrics.report.report_options import ReportOptions
from riskmetrics.results import tail_risk_results
from riskmetrics.sources import simulate
from tests.commands import invoke
from tests.conftest import NewDatabase, open_connection
from tests.e2e.conftest import (
    OPTIONAL_TABLES,
    RESULT_KEYS,
    assert_nulls_have_reasons,
    list_differences,
    recalculate_explanations,
)

DAY = date(2024, 12, 6)
DAYS = [trading_calendar.previous_session(DAY, FORECAST_HORIZON), DAY]
"""Two sessions; forecasts of the first complete on the second."""

HISTORY = trading_calendar.sessions_with_lookback(DAYS, tail_risk_results.TAIL_RISK_WINDOW)
N_STOCKS, N_PORTFOLIOS, N_LOTS = 40, 3, 12
SIZE = [
    *("--stocks", f"{N_STOCKS}", "--sessions", f"{len(HISTORY)}", "--last-session", f"{DAY}"),
    *("--portfolios", f"{N_PORTFOLIOS}", "--lots", f"{N_LOTS}"),
]
OPTION = {
    "symbol": "SIM00001C",
    "position_type": "LC",
    "quantity": 3,
    "entry_price": 4,
    "entry_date": HISTORY[0],
    "investment_class": "OPTIONS",
    "underlying_symbol": "SIM00001",
    "expiration_date": DAY + timedelta(days=180),
    "last_price": 5,
}


REGRESSIONS = {
    "position_market_betas": ("beta", "alpha", "r_squared", "std_error", "p_value"),
    "position_interest_rate_betas": ("ir_beta", "alpha", "r_squared", "std_error", "p_value"),
}
"""Columns that are NULL for an option, which has no return series."""

NULL_BY_MEANING = {
    "volatility_forecasts.portfolio_id",
    "volatility_forecasts.thin_coverage_sessions",
    *("portfolio_stress.loss_margin", "portfolio_stress.proxied_share"),
    *("portfolio_stress.revalued_loss", "portfolio_stress.revalued_loss_value"),
    *(
        f"forecast_outcomes.{name}"
        for name in ("portfolio_id", "root_variance", "shortfall_forecast", "low", "high")
    ),
    "volatility_horizon_forecasts.portfolio_id",
}
"""Columns whose comments define NULL: the row belongs to a symbol, to a replay or to moves of
factors, or to a portfolio without options."""


@pytest.fixture(scope="module")
def database_url(
    template: str, create_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """Return the URL of a database after runs for DAYS, with an option and a full benchmark."""
    url, folder = create_database(template), tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RISKMETRICS_DATABASE_URL", url)
        patch.setenv("RISKMETRICS_HOME", str(folder))
        patch.setenv("RISKMETRICS_FACTORS", "noise")
        _simulate(folder / "benchmark.csv")
        _import_factor(folder / "factor.csv")
        with open_connection(url) as connection:
            strike = (
                "SELECT close FROM market_data_cache WHERE symbol = 'SIM00001' ORDER BY date DESC"
                " LIMIT 1"
            )
            owner = "SELECT id FROM portfolios ORDER BY name LIMIT 1"
            found = {
                "strike_price": connection.scalar(sa.text(strike)),
                "portfolio_id": connection.scalar(sa.text(owner)),
            }
            connection.execute(sa.insert(tables.positions).values(OPTION | found))
        for day in DAYS:
            assert launch.run(settings.load(), [day]).exit_code == 0
    return url


def _simulate(benchmark: Path) -> None:
    """Fill the database by commands; replace the simulated benchmark by one with sizes."""
    weights = simulate.benchmark(HISTORY[0])
    weights.assign(
        market_cap=weights["weight"] * 5e13, num_constituents=range(20, 20 + len(weights))
    ).to_csv(benchmark, index=False)
    for command in (["simulate", *SIZE], ["import", "benchmark", str(benchmark)]):
        assert invoke(*command).exit_code == 0


def _import_factor(file: Path) -> None:
    """Import random returns, because the simulated market has no factor funds."""
    returns = np.random.default_rng(0).normal(0, 0.005, len(HISTORY))
    pd.DataFrame({"date": HISTORY, "noise": returns}).to_csv(file, index=False)
    assert invoke("import", "factors", str(file)).exit_code == 0


@pytest.fixture(scope="module")
def stored(database_url: str) -> dict[str, pd.DataFrame]:
    """Return all rows of this package's results and benchmark; of positions the class too."""
    engine, frames = create_engine(database_url), {}
    with engine.connect() as connection:
        written = RESULT_KEYS.keys() - OPTIONAL_TABLES - {"undefined_metrics"}
        for name in (*written, "benchmarks_sector_weights"):
            of_position = "position_id" in tables.metadata.tables[name].c
            joined = (
                f"SELECT t.*, p.investment_class FROM {name} t JOIN positions p ON p.id ="
                " t.position_id"
            )
            frames[name] = pd.read_sql_query(
                sa.text(joined if of_position else f"SELECT * FROM {name}"), connection
            )
    engine.dispose()
    return frames


def test_every_column_of_every_result_is_filled_but_a_regression_of_the_option(
    stored: dict[str, pd.DataFrame],
) -> None:
    """Historical scenarios replay windows that were not simulated; their rows give that reason."""
    n_lots = N_PORTFOLIOS * N_LOTS + 1
    for name in ("position_market_betas", "position_interest_rate_betas", "position_volatility"):
        assert len(stored[name]) == len(DAYS) * n_lots
    assert len(stored["portfolio_snapshots"]) == len(DAYS) * N_PORTFOLIOS
    assert len(stored["benchmarks_sector_weights"]) == len(simulate.SECTOR_WEIGHTS)
    assert len(stored["forecast_outcomes"]) == (
        4 * len(stored["volatility_forecasts"]) / 2 + 2 * N_PORTFOLIOS  # by two covariances
    )
    assert stored["forecast_outcomes"]["portfolio_id"].notna().sum() == 6 * N_PORTFOLIOS
    replayed = ~stored["portfolio_stress"]["undefined_reason"].fillna("").str.startswith(
        "holdings with closes on "
    )
    of_stocks = {
        name: stored[name][stored[name]["investment_class"] == "PUBLIC"] for name in REGRESSIONS
    }
    complete = stored | of_stocks | {"portfolio_stress": stored["portfolio_stress"][replayed]}
    assert not any(table.empty for name, table in complete.items())
    nulls = {
        f"{name}.{column}"
        for name, table in complete.items()
        for column in table.columns[table.isna().any()]
    }
    assert {name for name in nulls if not name.endswith(".undefined_reason")} == NULL_BY_MEANING


def test_stocks_are_forecast_from_their_highs_and_lows_and_portfolios_of_several_from_closes(
    stored: dict[str, pd.DataFrame],
) -> None:
    forecasts = stored["volatility_forecasts"]
    of_symbol = forecasts["portfolio_id"].isna()
    assert set(forecasts.loc[of_symbol, "proxy"]) == {"range_market"}
    assert set(forecasts.loc[~of_symbol, "proxy"]) == {"close_market"}


def test_what_is_null_of_the_option_has_its_reason(
    database_url: str, stored: dict[str, pd.DataFrame]
) -> None:
    (option,) = set(stored["position_option_exposures"]["position_id"])
    lacking = {f"{table}.{name}" for table, names in REGRESSIONS.items() for name in names}
    assert assert_nulls_have_reasons(database_url) == {
        (metric, option, day) for metric in lacking for day in DAYS
    }


def test_every_number_of_a_portfolio_is_the_same_when_it_is_computed_another_way(
    database_url: str,
) -> None:
    """Oracle: `riskmetrics.explain`, with statsmodels, pandas, numpy and scipy on source rows."""
    with_option = (
        "SELECT p.name FROM portfolios p JOIN positions l ON l.portfolio_id = p.id WHERE"
        " l.position_type = 'LC'"
    )
    with open_connection(database_url) as connection:
        name = connection.execute(sa.text(with_option)).scalar_one()
    found = [one for day in DAYS for one in recalculate_explanations(database_url, day, [name])]
    assert list_differences(found) == []
    assert {one.figure.name for one in found} == {
        figure.name for group in explainer.METRIC_GROUPS for figure in group.figures
    }


class _Recorded(dict[str, Any]):
    """A row that records which of its columns are read."""

    read: ClassVar[set[tuple[str, str]]] = set()
    """Names of the queries of rows, with the columns that were read."""

    def __init__(self, query: str, row: Mapping[str, Any]) -> None:
        super().__init__(row)
        self.query = query

    def __getitem__(self, name: str) -> Any:
        self.read.add((self.query, name))
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.read.add((self.query, name))
        return super().get(name, default)


_QUERIED_TABLES = {
    "snapshots": ("portfolio_snapshots",),
    "sectors": ("portfolio_sector_weights",),
    "coverage": ("portfolio_coverage",),
    "volatility": ("portfolio_snapshots", "volatility_forecasts"),
    "rates": ("portfolio_rate_betas",),
    "diversification": ("portfolio_diversification",),
    "betas": ("position_market_betas",),
    "position_volatility": ("position_volatility", "volatility_forecasts"),
    "rate_betas": ("position_interest_rate_betas",),
    **{listing.name: (listing.table,) for listing in all_listings() if listing.view},
}
"""Tables of the report's queries, by the names of the queries."""


def _figures_of_view(connection: sa.Connection, table: views.Table) -> set[str]:
    columns = table.query(connection, DAY, None).columns
    return {table.figures[name].name for name in columns if name in table.figures}


def _figures_of_report(
    connection: sa.Connection, folder: Path, patch: pytest.MonkeyPatch
) -> set[str]:
    """Render the page, and return the figures that it reads or formats."""
    formatted = set[str]()

    def name_rows(query: Callable[..., pd.DataFrame], name: str) -> Callable[..., pd.DataFrame]:
        def read(*arguments: Any) -> pd.DataFrame:
            rows = query(*arguments)
            rows.attrs["query"] = name
            return rows

        return read

    def record(rows: pd.DataFrame) -> dict[str, list[Mapping[str, Any]]]:
        query = rows.attrs.get("query", "")
        return {
            name: [_Recorded(query, row) for row in found] for name, found in by_name(rows).items()
        }

    def record_format(name: str) -> Callable[[Any], str]:
        formatted.add(name)
        return page_format(name)

    by_name, page_format = sections.records_by_portfolio, page.page_format
    for queries in (sections._BOOK_QUERIES, sections._POSITION_QUERIES):
        for name, query in list(queries.items()):
            patch.setitem(queries, name, name_rows(query, name))
    patch.setattr(sections, "records_by_portfolio", record)
    patch.setattr(page, "page_format", record_format)
    options = ReportOptions(read_terms(connection, settings.load()), renderer=ChartRenderer(folder))
    page.render_page(connection, DAY, options)
    joined = {listing.table: listing.joined_figures for listing in all_listings()}
    return formatted | {
        joined.get(table, {}).get(column, f"{table}.{column}")
        for query, column in _Recorded.read
        for table in _QUERIED_TABLES.get(query, ())
    }


def test_a_figure_is_everywhere_but_where_its_record_says_why_not(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", database_url)
    with open_connection(database_url) as connection:
        shown = {
            name
            for view in views.VIEWS.values()
            for table in view.tables.values()
            for name in _figures_of_view(connection, table)
        }
        reported = _figures_of_report(connection, tmp_path, monkeypatch)
    present = {
        Place.SHOW: shown,
        Place.REPORT: reported,
        Place.EXPLAIN: {
            figure.name for group in explainer.METRIC_GROUPS for figure in group.figures
        },
        Place.FACTS: {kind.source for kind in FACT_TYPES.values()},
    }
    names = {figure.name for figure in all_figures()}
    for place, found in present.items():
        absent = {
            figure.name
            for figure in all_figures()
            if place in {absence.place for absence in figure.absent}
        }
        assert names - found == absent, place

"""The catalog of figures against the tables, and against the constants of the methods."""

import subprocess
import sys
from string import Formatter

import pytest
import sqlalchemy as sa

from riskmetrics.catalog import (
    Listing,
    Statistic,
    all_figures,
    all_listings,
    all_statistics,
    data_dictionary,
    find_figure,
)
from riskmetrics.db import tables
from riskmetrics.db.result_tables import ResultTable, list_result_tables, parameter_columns
from riskmetrics.db.tables.schema import provenance_columns, undefined_reason_column
from riskmetrics.errors import UsageError
from riskmetrics.metrics import har, tail_risk, volatility
from riskmetrics.metrics.forecast_score import FORECAST_HORIZON
from riskmetrics.results import volatility_results
from riskmetrics.results.betas import BETA_WINDOW, MIN_PAIRED_RETURNS
from riskmetrics.results.pro_forma import MIN_YEAR_OBS, YEAR_WINDOW
from riskmetrics.results.tail_risk_results import MIN_BACKTEST_DAYS


def figure_columns(result: ResultTable) -> list[str]:
    """Return the columns that are figures: no key, timestamp, provenance, reason or parameter."""
    described = {column.name for column in (*provenance_columns(), undefined_reason_column())}
    return [
        column.name
        for column in result.table.c
        if not (column.primary_key or column.foreign_keys or column is result.day)
        and not isinstance(column.type, sa.DateTime)
        and column.name not in described | {*parameter_columns(result.table)}
    ]


def test_every_figure_of_a_result_table_has_one_record() -> None:
    """The tables are the source: a column that is added needs a record."""
    stored = [
        f"{result.table.name}.{column}"
        for result in list_result_tables()
        # reasons and outcomes of comparisons, no figures
        if result.table not in (tables.undefined_metrics, tables.portfolio_limit_checks)
        for column in figure_columns(result)
    ]
    assert sorted(figure.name for figure in all_figures()) == sorted(stored)


def test_the_data_dictionary_is_complete() -> None:
    rows = data_dictionary()
    assert len(rows) == len(all_figures())
    for row in rows:
        assert row["label"], row
        assert row["unit"], row
        assert row["formula"], row


@pytest.mark.parametrize(
    ("name", "window", "minimum"),
    [
        ("position_market_betas.beta", BETA_WINDOW, f"{MIN_PAIRED_RETURNS} paired returns"),
        ("beta_portfolio_regression", BETA_WINDOW, f"{MIN_PAIRED_RETURNS} paired returns"),
        ("realized_vol_21d", volatility.MONTH, f"{volatility.MIN_MONTH_OBS} returns"),
        (
            "realized_volatility_63d",
            volatility_results.QUARTER,
            f"{volatility_results.MIN_QUARTER_OBS} returns",
        ),
        ("vol_weekly", volatility.WEEK, f"{volatility.MIN_WEEK_OBS} returns"),
        (
            "vol_percentile",
            volatility.PERCENTILE_WINDOW,
            f"{volatility.PERCENTILE_MIN_OBS} previous values",
        ),
        ("ewma_94", har.LEVEL_WINDOW, f"{har.MIN_LEVEL_OBS} returns in {har.LEVEL_WINDOW}"),
        ("trailing_21d", FORECAST_HORIZON, f"{volatility.MIN_MONTH_OBS} returns"),
        ("value_at_risk", tail_risk.VAR_WINDOW, f"{tail_risk.MIN_OBS_95} returns at 95%"),
        ("current_drawdown", YEAR_WINDOW, f"{MIN_YEAR_OBS} returns"),
        ("marginal", YEAR_WINDOW, f"{MIN_YEAR_OBS} returns"),
        ("likelihood_ratio", tail_risk.BACKTEST_WINDOW, f"{MIN_BACKTEST_DAYS} tested sessions"),
    ],
)
def test_windows_and_minimums_are_those_of_the_methods(
    name: str, window: int, minimum: str
) -> None:
    found = [figure for figure in all_figures() if name in (figure.name, figure.column)]
    assert found[0].window == f"{window} sessions"
    assert found[0].minimum.startswith(minimum)


@pytest.mark.parametrize("statistic", all_statistics(), ids=lambda statistic: statistic.table)
def test_notes_of_a_statistic_name_its_columns(statistic: Statistic) -> None:
    columns = {figure.column for figure in statistic.figures}
    assert statistic.rows
    for note in statistic.rows.values():
        assert {name for _, name, _, _ in Formatter().parse(note) if name} <= columns


@pytest.mark.parametrize("listing", all_listings(), ids=lambda listing: listing.table)
def test_a_listing_names_columns_that_exist(listing: Listing) -> None:
    table = tables.metadata.tables[listing.table]
    known = {*table.c.keys(), "undefined_reason"}
    if "position_id" in table.c:
        known |= {*tables.positions.c.keys(), *listing.joined_figures}
    named = {name.partition("=")[0] for name in (*listing.columns, *listing.hidden)}
    assert named | {name.removeprefix("-") for name in listing.order} <= known
    for name in listing.joined_figures.values():
        assert find_figure(name).name == name


def test_a_figure_is_found_by_its_column_unless_several_tables_have_it() -> None:
    assert find_figure("hhi") is find_figure("portfolio_snapshots.hhi")
    with pytest.raises(UsageError, match=r"specify one of: .*position_market_betas\.r_squared"):
        find_figure("r_squared")
    with pytest.raises(UsageError, match="no figure wisdom"):
        find_figure("wisdom")


@pytest.mark.integration
def test_the_catalog_is_cheap_to_import() -> None:
    """Commands that only show import it."""
    script = "import sys, riskmetrics.catalog; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert {"numpy", "pandas", "sqlalchemy", "scipy", "statsmodels"}.isdisjoint(done.stdout.split())

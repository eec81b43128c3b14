"""A figure of another package: computed, stored, shown, explained and documented."""

import json
import os
import subprocess
import tempfile
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from riskmetrics import Figure, PortfolioFigure, RunInputs, Unit, build_definitions
from riskmetrics.db import tables
from riskmetrics.errors import ConfigurationError
from riskmetrics.metrics._typing import FloatArray
from tests.conftest import COMMAND, NewDatabase, open_connection
from tests.e2e.conftest import ComputedSample, query_frame, read_results, use_database
from tests.forked_commands import PATIENCE

DAY = date(2022, 12, 28)
TOY = '''
"""Leverage: a figure that riskmetrics does not have."""

import numpy as np

from riskmetrics import Figure, PortfolioFigure, Unit


def compute(inputs):
    valuation = inputs.valuation
    return np.where(valuation.equity > 100_000, valuation.gross_value / valuation.equity, np.nan)


LEVERAGE = PortfolioFigure(
    Figure(
        "portfolio_figures", "leverage", "Leverage", Unit.NUMBER, "gross value / equity",
        minimum="equity above 100,000", reference="Basel III",
    ),
    compute,
)
'''
READER = '''
"""The number of stored rows of leverage: a figure that reads another extension."""

from dataclasses import replace

import numpy as np
import sqlalchemy as sa

from riskmetrics import Figure, PortfolioFigure, Unit
from riskmetrics.computations.result_asset import Edge
from riskmetrics.db.tables import portfolio_figures


class Reader(PortfolioFigure):
    @property
    def asset(self):
        return replace(super().asset, upstream={"leverage": Edge.READS})


def compute(inputs):
    is_leverage = portfolio_figures.c.figure == "leverage"
    rows = sa.select(sa.func.count()).select_from(portfolio_figures).where(is_leverage)
    n_stored = inputs.snapshot.connection.scalar(rows)
    return np.full((len(inputs.valuation.portfolios), len(inputs.sessions)), float(n_stored))


ROWS = Reader(Figure("portfolio_figures", "rows", "Rows", Unit.NUMBER, "rows of leverage"), compute)
'''


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return a folder with an installed package that adds a figure."""
    return install(tmp_path / "site")


def install(folder: Path) -> Path:
    """Write a package that adds a figure into a new folder, and return the folder."""
    information = folder / "toy_figure-1.0.dist-info"
    information.mkdir(parents=True)
    (folder / "toy_figure.py").write_text(TOY)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-figure\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(
        "[riskmetrics.metrics]\nleverage = toy_figure:LEVERAGE\n"
    )
    return folder


@pytest.fixture(scope="module")
def leverage_template(
    sample_template: str,
    create_database: NewDatabase,
    tmp_path_factory: pytest.TempPathFactory,
    fast_folder: Path,
) -> ComputedSample:
    """Return the sample after a run with the package installed, for tests to copy."""
    url, home = create_database(sample_template), Path(tempfile.mkdtemp(dir=fast_folder))
    with use_database(url, home):
        outcome = call(
            install(tmp_path_factory.mktemp("toy") / "site"), "run", "--date", str(DAY), "--offline"
        )
    assert outcome.returncode == 0, outcome.stderr
    return ComputedSample(url, home)


@pytest.fixture
def leverage(
    leverage_template: ComputedSample,
    new_database: NewDatabase,
    monkeypatch: pytest.MonkeyPatch,
    fast_folder: Path,
) -> str:
    """Return the URL of a fresh copy of the database; the settings point to it."""
    return leverage_template.copy(new_database, monkeypatch, fast_folder)


def call(package: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call the command line with the package installed."""
    return subprocess.run(
        [COMMAND, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env={**os.environ, "PYTHONPATH": str(package)},
    )


def test_a_figure_of_an_installed_package_is_computed_stored_shown_explained_and_listed(
    leverage: str, package: Path
) -> None:
    day = ("--date", str(DAY))
    stored = query_frame(
        leverage,
        "SELECT name, value, gross_exposure, total_value, undefined_reason, f.dagster_run_id"
        " FROM portfolio_figures f JOIN portfolio_snapshots USING (portfolio_id)"
        " JOIN portfolios p ON p.id = portfolio_id WHERE figure = 'leverage' AND"
        " snapshot_date = day ORDER BY name",
    ).set_index("name")
    assert len(stored) == 3
    defined = stored[stored["total_value"] > 100_000]
    assert 0 < len(defined) < 3
    expected = defined["gross_exposure"].astype(float) / defined["total_value"].astype(float)
    assert (defined["value"] - expected).abs().max() < 1e-9
    undefined = stored.drop(defined.index)
    assert undefined["value"].isna().all()
    assert set(undefined["undefined_reason"]) == {"required: equity above 100,000"}
    assert stored["dagster_run_id"].notna().all()

    shown = call(package, "show", "figures", *day).stdout
    assert "Leverage" in shown
    assert f"{expected['Core Equity']:.2f}" in shown
    assert "required: equity above 100,000" in shown
    rows = json.loads(call(package, "show", "figures", *day, "--json").stdout)
    assert {(row["portfolio"], row["value"]) for row in rows} == {
        (name, None if name in undefined.index else value)
        for name, value in stored["value"].items()
    }

    explained = call(package, "explain", "Core Equity", "leverage", *day)
    assert explained.returncode == 0, explained.stderr
    assert "gross value / equity" in explained.stdout
    assert "Basel III" in explained.stdout
    assert "portfolio_figures.leverage" in call(package, "explain", "--list").stdout


def test_its_rows_are_replaced_by_the_next_run_and_others_are_kept(
    leverage: str, package: Path
) -> None:
    day = ("--date", str(DAY), "--offline")
    first = query_frame(leverage, "SELECT portfolio_id, value FROM portfolio_figures")
    other = {"figure": "other", "day": DAY, "value": 1.0}
    with open_connection(leverage) as connection:
        owner = {"portfolio_id": first["portfolio_id"][0]}
        connection.execute(sa.insert(tables.portfolio_figures).values(other | owner))
        connection.execute(
            sa.update(tables.portfolio_figures)
            .where(tables.portfolio_figures.c.figure == "leverage")
            .values(value=9.0, undefined_reason=None)
        )
    assert call(package, "run", *day, "--assets", "leverage").returncode == 0
    second = query_frame(leverage, "SELECT * FROM portfolio_figures")
    assert set(second["figure"]) == {"leverage", "other"}
    assert not (second.loc[second["figure"] == "leverage", "value"] == 9.0).any()


def test_an_extension_that_reads_another_is_computed_after_it_is_stored(
    sample: str, package: Path
) -> None:
    (package / "toy_reader.py").write_text(READER)
    with (package / "toy_figure-1.0.dist-info" / "entry_points.txt").open("a") as entry_points:
        entry_points.write("rows = toy_reader:ROWS\n")
    only = ("--assets", "rows,leverage")
    outcome = call(package, "run", "--date", str(DAY), "--offline", *only)
    assert outcome.returncode == 0, outcome.stderr
    stored = query_frame(sample, "SELECT value FROM portfolio_figures WHERE figure = 'rows'")
    assert stored["value"].tolist() == [3, 3, 3]


def test_a_package_that_does_not_load_is_named_with_its_error(sample: str, package: Path) -> None:
    (package / "toy_figure.py").write_text("import missing_library\n")
    outcome = call(package, "run", "--date", str(DAY), "--offline")
    assert outcome.returncode == 6
    (line,) = outcome.stderr.strip().splitlines()[-1:]
    assert "the extension leverage (toy_figure:LEVERAGE) cannot be loaded" in line
    assert "missing_library" in line


CARELESS = """
    for name in ("values", "exposures", "cash", "direction"):
        getattr(valuation, name)[...] = 0
    inputs.snapshot.connection.close()
"""


def test_a_figure_that_spoils_its_inputs_changes_no_other(leverage: str, package: Path) -> None:
    before = read_results(leverage)
    line = "    valuation = inputs.valuation\n"
    (package / "toy_figure.py").write_text(TOY.replace(line, line + CARELESS))
    call(package, "run", "--date", str(DAY), "--offline")
    after = read_results(leverage)
    for name in before.keys() - {"portfolio_figures"}:
        assert after[name].equals(before[name]), name


def figure_named(name: str, table: str = "portfolio_figures") -> PortfolioFigure:
    """Return a figure of another package."""

    def compute(inputs: RunInputs) -> FloatArray:
        return inputs.valuation.gross

    return PortfolioFigure(Figure(table, name, "Gross", Unit.MONEY, "gross value"), compute)


@pytest.mark.parametrize("name", ["", "gross value", "gross-value", "größe", "x" * 65, "gross\n"])
def test_a_name_that_cannot_be_stored_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="cannot be the name of a figure"):
        figure_named(name)


def test_the_longest_name_fits_its_column() -> None:
    column = tables.portfolio_figures.c.figure.type
    assert isinstance(column, sa.String)
    assert figure_named("x" * 64).asset.name == "x" * (column.length or 0)


def test_another_table_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="must be portfolio_figures"):
        figure_named("gross", "portfolio_snapshots")


@pytest.mark.parametrize("taken", ["portfolio_tail_risk", "market_prices", "ai_insights", "twice"])
def test_a_name_of_another_asset_is_refused(taken: str) -> None:
    figures = [figure_named("twice"), figure_named(taken)]
    with pytest.raises(ConfigurationError, match=f"two assets are named {taken}:"):
        build_definitions(extra_metrics=figures)

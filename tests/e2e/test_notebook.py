"""Stored results as tables for notebooks, against what the commands print."""

import json
import struct
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sqlalchemy as sa

import riskmetrics as rm
from riskmetrics.charts.chart_records import CHARTS
from riskmetrics.db import embedded
from riskmetrics.errors import UsageError
from riskmetrics.notebook.reader import sources
from tests.commands import invoke
from tests.conftest import open_connection
from tests.e2e.conftest import ComputedSample, Run

DAY = date(2022, 12, 28)


@pytest.fixture
def results(computed_sample: str) -> Iterator[rm.Results]:
    """Yield the results of the computed sample, whose URL the settings have."""
    with rm.connect() as opened:
        yield opened


def test_tables_have_the_rows_that_the_commands_print(results):
    printed = json.loads(invoke("show", "betas", "--portfolio", "Core Equity", "--json").stdout)
    read = results.betas("Core Equity", DAY)
    assert list(read.columns) == ["session", *printed[0]]
    assert read["session"].eq(pd.Timestamp(DAY)).all()
    assert read["beta"].tolist() == [row["beta"] for row in printed]
    assert read["symbol"].tolist() == [row["symbol"] for row in printed]


def test_every_table_is_read_with_units_of_its_figures(results):
    described = results.tables()
    for name in sources():
        frame = results.table(name)
        assert list(frame.columns[:2]) == ["session", "portfolio"]
        known = set(described.loc[described["table"] == name, "column"])
        assert set(frame.attrs["units"]) == known & set(frame.columns)
        assert name == "undefined" or known & set(frame.columns), name
    assert results.betas().attrs["units"]["beta"] == "return per unit return of the index"
    assert set(sources()) <= set(dir(results))


def test_a_range_is_its_sessions_one_after_the_other(results, run: Run):
    run([date(2022, 12, 27)])
    days = results.sessions("Core Equity")
    assert days == [date(2022, 12, 27), DAY]
    both = results.contributions("Core Equity", since="2022-12-01")
    single = [results.contributions("Core Equity", day) for day in days]
    pd.testing.assert_frame_equal(both, pd.concat(single, ignore_index=True))
    assert len(results.snapshots("Core Equity", until=date(2022, 12, 27))) == 1


def test_arrow_and_polars_have_the_same_rows(results):
    frame = results.sectors("Core Equity")
    arrow = results.sectors("Core Equity", kind="arrow")
    polars = results.sectors("Core Equity", kind="polars")
    assert isinstance(arrow, pa.Table)
    assert isinstance(polars, pl.DataFrame)
    for table in (arrow.to_pandas(), polars.to_pandas()):
        assert table["gross_weight"].tolist() == frame["gross_weight"].tolist()
        assert table["sector"].tolist() == frame["sector"].tolist()
    unit = arrow.schema.field("gross_weight").metadata[b"unit"].decode()
    assert unit == frame.attrs["units"]["gross_weight"]


def test_undefined_figures_are_missing_with_their_reasons(results, computed_sample):
    with open_connection(computed_sample) as connection:
        connection.execute(sa.text("UPDATE position_market_betas SET beta = NULL"))
    assert results.betas()["beta"].isna().all()
    assert list(results.undefined().columns[2:]) == ["subject", "metric", "reason", "n_obs"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("betas", "Growth"), "there is no portfolio Growth: there are"),
        (("beta",), "there is no table of results beta: choose"),
        (("betas", None, "28.12.2022"), "28.12.2022 is not a date: write it as 2022-12-28"),
        (("betas", None, "2022-02-30"), "2022-02-30 is not a date of the calendar"),
        (("betas", None, "2021-12-28"), "no results of any portfolio on 2021-12-28: there are"),
    ],
)
def test_mistakes_say_what_there_is(results, arguments, message):
    with pytest.raises(UsageError, match=message):
        results.table(*arguments)


def test_a_wrong_range_or_kind_is_refused(results):
    with pytest.raises(UsageError, match="from 2023-01-01 to the last"):
        results.betas(since="2023-01-01")
    with pytest.raises(UsageError, match="give one of them"):
        results.betas(day=DAY, since="2022-01-01")
    with pytest.raises(UsageError, match="choose pandas, arrow or polars"):
        results.betas(kind="dask")
    with pytest.raises(AttributeError, match="there is no table of results beta;"):
        _ = results.beta


def test_charts_are_those_of_the_report_and_can_be_shown_and_saved(results, tmp_path):
    names = set(results.charts()["chart"])
    assert {record.name for record in CHARTS} == names
    drawing = results.chart("underwater", "Concentrated", DAY, history=60)
    assert drawing.title == "Drawdown, pro forma"
    assert len(drawing.rows) == 60
    shown = drawing._repr_mimebundle_()
    assert shown["image/svg+xml"].startswith("<svg")
    assert shown["application/vnd.vegalite.v6+json"]["data"]["values"]
    drawing.save(tmp_path / "drawdown.svg")
    picture = (tmp_path / "drawdown.svg").read_text()
    assert 'fill="white"' in picture
    assert all(text in picture for text in (f">{drawing.title}<", ">portfolio<", ">market index<"))
    for written in (picture, drawing.svg):
        assert ElementTree.fromstring(written).tag == "{http://www.w3.org/2000/svg}svg"
    for arguments, message in (
        (("drawdowns", "Concentrated"), "there is no chart drawdowns: choose equity"),
        (("underwater",), "which portfolio"),
        (("equity", "Concentrated"), "too little is stored of Concentrated"),
        (("underwater", "Concentrated", "2021-12-28"), "no results of Concentrated are stored on"),
    ):
        with pytest.raises(UsageError, match=message):
            results.chart(*arguments)
    with pytest.raises(UsageError, match=r"choose a name in \.svg, \.png, \.json"):
        drawing.save(tmp_path / "drawdown.pdf")
    drawing.save(tmp_path / "drawdown.png")
    assert struct.unpack(">II", (tmp_path / "drawdown.png").read_bytes()[16:24]) == (800, 380)
    assert repr(drawing) == "Drawing(title='Drawdown, pro forma')"


def test_results_that_are_closed_say_so(results):
    results.close()
    for read in (results.portfolios, results.betas, lambda: results.chart("underwater", "Income")):
        with pytest.raises(UsageError, match=r"closed: open them again with riskmetrics\.connect"):
            read()


def test_nothing_can_be_written(results):
    with pytest.raises(sa.exc.DBAPIError, match="read-only transaction"):
        results._read(lambda connection: connection.execute(sa.text("DELETE FROM positions")))


def test_the_embedded_server_starts_for_the_reader_and_stops_after_it(
    computed_template: ComputedSample, tmp_path: Path
):
    """In a process of its own: it starts, answers and stops; a home without data is named."""
    environment = {"RISKMETRICS_HOME": "home", "PATH": "/usr/bin:/bin"}
    refused = subprocess.run(
        [sys.executable, "-c", "import riskmetrics as rm\nrm.connect()"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"there is no database in {tmp_path}/home: use the directory of" in refused.stderr
    assert list(tmp_path.iterdir()) == []
    with embedded.connect_or_start(tmp_path / "home", is_durable=False):
        pass
    code = (
        "import riskmetrics as rm\n"
        "from riskmetrics.db import embedded\n"
        "from pathlib import Path\n"
        "with rm.connect() as results: print(results.portfolios())\n"
        "print(embedded.is_running(Path('home')))\n"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout.split("\n")[:2] == ["[]", "False"]

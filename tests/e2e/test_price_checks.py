"""Faults planted in the sample's prices: the run, the command and the report name the same."""

import io
import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import redirect_stderr
from datetime import date
from pathlib import Path
from typing import NamedTuple

import dagster as dg
import pytest
import sqlalchemy as sa

from riskmetrics import settings
from riskmetrics.cli import launch
from riskmetrics.cli.launch import prepare_instance
from riskmetrics.db.engine import create_engine
from riskmetrics.results.price_faults import FAULT_KINDS
from tests.commands import invoke
from tests.conftest import NewDatabase, open_connection
from tests.e2e.conftest import ComputedSample, Run, use_database
from tests.report_options import render

DAY = date(2022, 12, 28)
PLANTS = {
    "stale_prices": (
        "XOM",
        "close = 100.25, adj_close = 100.25",
        "date BETWEEN '2022-11-10' AND '2022-11-17'",
    ),
    "bad_ticks": ("AAPL", "adj_close = 10 * adj_close", "date = '2022-12-14'"),
    "unadjusted_splits": (
        "PG",
        "close = 4 * close, adj_close = 4 * adj_close",
        "date < '2022-06-01'",
    ),
    "large_moves": (
        "JPM",
        "close = 1.6 * close, adj_close = 1.6 * adj_close",
        "date >= '2022-08-10'",
    ),
    "adjustment_breaks": ("JNJ", "adj_close = 1.02 * adj_close", "date < '2022-03-01'"),
}
"""Symbol, session and change of each planted fault, by kind of fault."""
FINDINGS = {
    "stale_prices": "the same close on 6 sessions in a row to 2022-11-17",
    "bad_ticks": "on 2022-12-14, and back",
    "unadjusted_splits": "close and adj_close move as if one share became 4 on 2022-06-01",
    "large_moves": "on 2022-08-10, and stays there",
    "adjustment_breaks": "adj_close / close falls by 1.96% on 2022-03-01",
    "short_histories": "104 of 252 returns: no volatility percentile",
}
ADVICE = {
    "unadjusted_splits": (
        "import corrected prices; "
        "or `riskmetrics prices split PG 2022-06-01 4:1` if it was a split; "
        "or `riskmetrics prices accept PG 2022-06-01` if the price move is real"
    ),
    "large_moves": (
        "`riskmetrics prices accept JPM 2022-08-10` if the move is real; "
        "`riskmetrics prices split JPM 2022-08-10 RATIO` if it was a split; "
        "or import corrected prices"
    ),
}
"""Advice of findings, for kinds of fault whose advice varies."""
SYMBOLS = {name: symbol for name, (symbol, _, _) in PLANTS.items()} | {"short_histories": "WMT"}


class FaultyRun(NamedTuple):
    """A run of a database with faults: what it said, found and left as it was."""

    database: ComputedSample
    exit_code: int
    evaluations: dict[str, dg.AssetCheckEvaluation]
    prices: tuple[set[tuple[object, ...]], set[tuple[object, ...]]]
    """Before and after the run."""


@pytest.fixture(scope="module")
def faulty_run(sample_template: str, create_database: NewDatabase, fast_folder: Path) -> FaultyRun:
    """Plant one fault of every kind in the sample, each in its own symbol, and run DAY."""
    url, home = create_database(sample_template), Path(tempfile.mkdtemp(dir=fast_folder))
    with open_connection(url) as connection:
        for symbol, change, days in PLANTS.values():
            connection.execute(
                sa.text(f"UPDATE market_data_cache SET {change} WHERE symbol = :symbol AND {days}"),
                {"symbol": symbol},
            )
        connection.execute(
            sa.text("DELETE FROM market_data_cache WHERE symbol = 'WMT' AND date < '2022-08-01'")
        )
    before = _prices(url)
    with use_database(url, home), redirect_stderr(io.StringIO()) as said:
        outcome = launch.run(settings.load(), [DAY])
        evaluations = _evaluations(outcome.run_id)
    database = ComputedSample(url, home, outcome.run_id, said.getvalue())
    return FaultyRun(database, outcome.exit_code, evaluations, (before, _prices(url)))


@pytest.fixture
def faulty(
    faulty_run: FaultyRun,
    new_database: NewDatabase,
    monkeypatch: pytest.MonkeyPatch,
    fast_folder: Path,
) -> Iterator[sa.Engine]:
    """Yield an engine of a copy of the database with faults and results."""
    engine = create_engine(faulty_run.database.copy(new_database, monkeypatch, fast_folder))
    yield engine
    engine.dispose()


def _prices(url: str) -> set[tuple[object, ...]]:
    with open_connection(url) as connection:
        return {
            tuple(row)
            for row in connection.execute(
                sa.text("SELECT symbol, date, close, adj_close FROM market_data_cache")
            )
        }


def _evaluations(run_id: str) -> dict[str, dg.AssetCheckEvaluation]:
    with dg.DagsterInstance.from_config(str(prepare_instance(settings.load()))) as instance:
        events = instance.get_records_for_run(
            run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
        ).records
    found = [record.event_log_entry.dagster_event.event_specific_data for record in events]
    return {evaluation.check_name: evaluation for evaluation in found}


def test_the_sample_runs_without_a_warning(
    computed_sample: str, computed_template: ComputedSample
) -> None:
    evaluations = _evaluations(computed_template.run_id)
    assert evaluations.keys() >= {*FAULT_KINDS, "beta_extreme"}
    assert all(evaluation.passed for evaluation in evaluations.values())
    assert "warn" not in computed_template.said


def test_a_run_names_every_planted_fault_and_deletes_nothing(faulty_run: FaultyRun) -> None:
    """The run succeeds: price faults are warnings; affected values are excluded or undefined."""
    assert faulty_run.exit_code == 0
    before, after = faulty_run.prices
    assert after == before
    for name, fault in FAULT_KINDS.items():
        evaluation = faulty_run.evaluations[name]
        assert not evaluation.passed
        assert evaluation.severity == dg.AssetCheckSeverity.WARN
        assert evaluation.metadata["symbols_affected"].value == 1
        assert evaluation.metadata["symbols_checked"].value == 25
        assert f"| {SYMBOLS[name]} |" in evaluation.metadata["preview"].value
        (sentence,) = [
            line
            for line in faulty_run.database.said.splitlines()
            if f"market_prices: {fault.label} in 1 of 25 symbols ({SYMBOLS[name]}: " in line
        ]
        assert FINDINGS[name] in sentence
        assert sentence.endswith(ADVICE.get(name, fault.what_to_do))


def test_a_bad_tick_changes_no_beta(sample: str, run: Run) -> None:
    """The two affected returns are missing; the statsmodels check confirms the others."""
    engine = create_engine(sample)
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE market_data_cache SET adj_close = 10 * adj_close WHERE symbol = 'AAPL' AND"
                " date = '2022-12-14'"
            )
        )
    assert run([DAY], ["position_betas"]).exit_code == 0
    with engine.connect() as connection:
        rows = connection.execute(
            sa.text(
                "SELECT b.beta, b.observations FROM position_market_betas b JOIN positions p ON"
                " p.id = b.position_id WHERE symbol = 'AAPL'"
            )
        ).all()
    engine.dispose()
    assert rows
    assert all(row.observations == 88 and 0.5 < row.beta < 2 for row in rows)


def test_the_command_and_the_report_list_what_the_run_found(faulty: sa.Engine) -> None:
    listed = invoke("show", "quality", "--json")
    assert listed.exit_code == 0
    rows = json.loads(listed.stdout)
    assert {row["fault"]: row["symbol"] for row in rows} == SYMBOLS
    assert len(rows) == len(FINDINGS)
    for row in rows:
        name = row["fault"]
        assert FINDINGS[name] in row["finding"]
        assert row["what_to_do"] == ADVICE.get(name, FAULT_KINDS[name].what_to_do)
    table = invoke("show", "quality").stdout
    assert all(text in table for text in FINDINGS.values())
    with faulty.connect() as connection:
        page = " ".join(render(connection, DAY).split())
        held = connection.execute(
            sa.text(
                "SELECT name, array_agg(symbol) FROM positions p JOIN portfolios f ON f.id ="
                " portfolio_id GROUP BY 1"
            )
        )
        for name, symbols in held:
            section = page.partition(f">{name}</h2>")[2].partition("</section>")[0]
            for fault, symbol in SYMBOLS.items():
                assert (f"{fault.replace('_', ' ').capitalize()}: {symbol}." in section) == (
                    symbol in symbols
                )
            for command in ("prices split PG 2022-06-01 4:1", "prices accept PG 2022-06-01"):
                assert (f"riskmetrics {command} if " in section) == ("PG" in symbols)


def test_prices_after_a_day_do_not_change_what_is_found_on_it(faulty: sa.Engine) -> None:
    """On 2022-12-14 itself the tick can only be suspected, not confirmed."""
    on_the_day = invoke("show", "quality", "--date", "2022-12-14", "--json").stdout
    with faulty.begin() as connection:
        connection.execute(sa.text("DELETE FROM market_data_cache WHERE date > '2022-12-14'"))
    rows = json.loads(invoke("show", "quality", "--json").stdout)
    assert rows == json.loads(on_the_day)
    (tick,) = [row["finding"] for row in rows if row["fault"] == "bad_ticks"]
    assert tick.endswith("on 2022-12-14: unconfirmed until the next session")


def test_an_extreme_beta_is_a_warning_with_its_symbol(
    sample: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """A price that moves ten times as much as the market, day by day."""
    with open_connection(sample) as connection:
        connection.execute(
            sa.text(
                "WITH moves AS (SELECT date, ln(adj_close / lag(adj_close) OVER (ORDER BY date)) AS"
                " move FROM market_data_cache WHERE symbol = 'SPX' AND date > '2022-08-01') UPDATE"
                " market_data_cache p SET adj_close = 100 * exp(7 * (SELECT sum(move) FROM moves m"
                " WHERE m.date <= p.date)) WHERE symbol = 'AAPL' AND date > '2022-08-02'"
            )
        )
    outcome = run([DAY], ["position_betas"])
    assert outcome.exit_code == 0
    evaluation = _evaluations(outcome.run_id)["beta_extreme"]
    assert not evaluation.passed
    assert (
        evaluation.metadata["betas_affected"].value,
        evaluation.metadata["betas_checked"].value,
    ) == (1, 37)
    assert "of AAPL on 2022-12-28" in evaluation.description
    assert evaluation.description in capsys.readouterr().err


@pytest.mark.parametrize(("as_of", "is_fresh"), [("2021-12-27", True), ("2021-12-26", False)])
def test_sector_weights_over_a_year_old_are_a_warning(
    sample: str, run: Run, as_of: str, is_fresh: bool
) -> None:
    with open_connection(sample) as connection:
        connection.execute(
            sa.text(
                "DELETE FROM benchmarks_sector_weights WHERE asof_date < (SELECT max(asof_date)"
                " FROM benchmarks_sector_weights)"
            )
        )
        connection.execute(
            sa.text("UPDATE benchmarks_sector_weights SET asof_date = :day"), {"day": as_of}
        )
    outcome = run([DAY], ["benchmark_weights"])
    assert outcome.exit_code == 0
    evaluation = _evaluations(outcome.run_id)["benchmark_complete"]
    assert evaluation.passed is is_fresh
    text = "they are older than a year: import those of 2022"
    assert (text in evaluation.description) is not is_fresh


def test_without_any_price_the_checks_say_so(
    database: str, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", database)
    monkeypatch.setenv("RISKMETRICS_HOME", str(tmp_path / "home"))
    outcome = run([DAY], ["market_prices"])
    assert outcome.exit_code == 0
    assert _evaluations(outcome.run_id)["bad_ticks"].description.startswith(
        "no bad ticks in 0 symbols"
    )
    refused = invoke("show", "quality")
    assert "no close of the market index" in str(refused.exception)


def test_a_value_from_an_unconfirmed_close_has_a_caveat_wherever_it_is_shown(
    sample: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """A close of three times the previous one, on the last day, is used in values unchanged.

    What nobody holds moves no value.
    """
    engine = create_engine(sample)
    with engine.begin() as connection:
        tick = (
            "UPDATE market_data_cache SET close = 3 * close WHERE symbol = :symbol AND date = :day"
        )
        connection.execute(
            sa.text(tick), [{"symbol": "LLY", "day": DAY}, {"symbol": "TLT", "day": DAY}]
        )
        of = (
            "SELECT DISTINCT name FROM positions p JOIN portfolios f ON f.id = portfolio_id WHERE"
            " symbol = 'LLY'"
        )
        holders = set(connection.scalars(sa.text(of)))
    assert run([DAY]).exit_code == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "rest on unconfirmed closes" in said
    shown = invoke("show", "snapshot")
    lines = [
        line
        for line in shown.stderr.splitlines()
        if "instruments has an unconfirmed close that affects value or P&L" in line
    ]
    assert {line.partition(",")[0] for line in lines} == holders
    with engine.connect() as connection:
        page = " ".join(render(connection, DAY).split())
        weight = (
            "SELECT n_total - n_covered FROM portfolio_coverage WHERE metric = 'validated_prices'"
            " ORDER BY 1"
        )
        assert connection.scalars(sa.text(weight)).all() == [0] * (3 - len(holders)) + [1] * len(
            holders
        )
    engine.dispose()
    caveats = re.findall(r"<li>1 of \d+ instruments has an unconfirmed close", page)
    assert len(caveats) == 2 * len(holders)  # of the portfolio, and on the cover of its PDF

"""`riskmetrics simulate`, and the real job on the simulated data."""

import tempfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from typer.testing import Result

from riskmetrics import settings, trading_calendar
from riskmetrics.cli import launch
from riskmetrics.db.engine import create_engine
from riskmetrics.errors import InvalidSessionError, UsageError
from riskmetrics.ingest import simulation
from riskmetrics.sources import simulate
from tests.commands import invoke

DAY = date(2024, 12, 6)
SIZE = (
    "--stocks",
    "60",
    "--sessions",
    "120",
    "--portfolios",
    "6",
    "--lots",
    "40",
    "--seed",
    "3",
    "--last-session",
    f"{DAY}",
)
COUNTS = {
    "market_data_cache": 62 * 120,
    "company_profiles": 62,
    "benchmarks_sector_weights": 11,
    "portfolios": 6,
    "positions": 240,
}


@pytest.fixture
def call(
    database: str, monkeypatch: pytest.MonkeyPatch, fast_folder: Path
) -> Callable[..., Result]:
    """Call the command on a database at head."""
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", database)
    monkeypatch.setenv("RISKMETRICS_HOME", tempfile.mkdtemp(dir=fast_folder))
    return lambda *arguments: invoke("simulate", *arguments)


@pytest.fixture
def query(database: str) -> Iterator[Callable[[str], pd.DataFrame]]:
    engine = create_engine(database)

    def query(text: str) -> pd.DataFrame:
        with engine.connect() as connection:
            return pd.read_sql_query(sa.text(text), connection)

    yield query
    engine.dispose()


def _versions(query: Callable[[str], pd.DataFrame]) -> dict[str, list[str]]:
    return {
        table: sorted(query(f"SELECT ctid::text || xmin::text AS version FROM {table}")["version"])
        for table in COUNTS
    }


def test_the_job_finds_the_simulated_betas_within_four_standard_errors(call, query) -> None:
    """With constant volatility, 99.99% of t values would lie within 4; here volatility clusters."""
    assert call(*SIZE).exit_code == 0
    assert launch.run(settings.load(), [DAY]).exit_code == 0
    betas = query(
        "SELECT DISTINCT p.symbol, b.beta, b.std_error FROM position_market_betas b JOIN positions"
        " p ON p.id = b.position_id"
    )
    known = simulate.true_parameters(60, seed=3)["beta"]
    stocks = betas[~betas["symbol"].isin(["SPY", "TLT"])].set_index("symbol").astype(float)
    z = (stocks["beta"] - known[stocks.index]) / stocks["std_error"]
    assert len(z) > 55
    assert (z.abs() < 4).mean() > 0.97
    assert 0.8 < z.std() < 1.3
    snapshots = query(
        "SELECT p.name, s.* FROM portfolio_snapshots s JOIN portfolios p ON p.id = s.portfolio_id"
        " ORDER BY p.name"
    )
    assert (snapshots["equity_balance"] == snapshots["total_value"]).all()
    net = (snapshots["net_exposure"] / snapshots["total_value"]).astype(float)
    assert net.to_numpy() == pytest.approx([0.98, 1.0, 0.0] * 2, abs=0.02)


def test_what_is_stored_is_what_was_simulated(call, query, monkeypatch: pytest.MonkeyPatch) -> None:
    """The result does not depend on the blocks of symbols and portfolios, to the last digit."""
    monkeypatch.setattr(simulation, "MAX_ROWS_PER_BLOCK", 1000)
    assert call(*SIZE).exit_code == 0
    assert {table: query(f"SELECT count(*) FROM {table}").iloc[0, 0] for table in COUNTS} == COUNTS
    market = simulate.simulate_market(
        60, trading_calendar.sessions_between(trading_calendar.FIRST_SESSION, DAY)[-120:], 3
    )
    expected = (
        market.prices.drop(columns="has_adj_close")
        .sort_values(["symbol", "date"])
        .reset_index(drop=True)
    )
    columns = "open::float8, high::float8, low::float8, close::float8, adj_close, volume"
    stored = query(
        f'SELECT symbol, date, {columns} FROM market_data_cache ORDER BY symbol COLLATE "C", date'
    ).astype({"symbol": "str"})
    stored["date"] = pd.to_datetime(stored["date"])
    pd.testing.assert_frame_equal(stored, expected, check_dtype=False, check_exact=True)
    assert query("SELECT DISTINCT data_source FROM market_data_cache")["data_source"].tolist() == [
        "simulated"
    ]
    lots = simulate.simulate_portfolios(range(6), 40, market.closes, 3).lots
    assert set(query("SELECT id::text FROM positions")["id"]) == set(lots["id"])


def test_the_same_simulation_again_writes_nothing_and_another_is_refused(call, query) -> None:
    assert call(*SIZE).exit_code == 0
    before = _versions(query)
    assert call(*SIZE).exit_code == 0
    assert _versions(query) == before
    refused = call(*SIZE, "--seed", "4")
    assert isinstance(refused.exception, UsageError)
    assert "seed 3" in str(refused.exception)
    assert _versions(query) == before


@pytest.mark.parametrize(
    ("file", "text", "arguments", "named"),
    [
        (
            "bars.csv",
            "symbol,date,close\nAAPL,2022-12-28,126.04\n",
            ("import", "prices"),
            "market_data_cache",
        ),
        (
            "mine.csv",
            "symbol,quantity\nAAPL,10\n",
            ("import", "portfolio", "--name", "Simulated 0001"),
            "Simulated 0001",
        ),
    ],
)
def test_a_database_with_anything_real_is_refused(
    call, query, tmp_path: Path, file: str, text: str, arguments, named: str
) -> None:
    (tmp_path / file).write_text(text)
    assert invoke(*arguments, file).exit_code == 0
    before = _versions(query)
    refused = call(*SIZE)
    assert isinstance(refused.exception, UsageError)
    assert named in str(refused.exception)
    assert _versions(query) == before


def test_sessions_must_have_ended_and_be_in_the_calendar(call) -> None:
    assert isinstance(call("--last-session", "2024-12-07").exception, InvalidSessionError)
    error = str(call("--last-session", "1990-01-04").exception)
    assert "the calendar has 3 up to 1990-01-04. Use --sessions 3 or fewer" in error
    assert call("--stocks", "0").exit_code == 2


@pytest.mark.parametrize(
    "size",
    [
        ("--stocks", "1000000000"),
        ("--stocks", "49999", "--sessions", "2000"),
        ("--portfolios", "1000000000"),
        ("--portfolios", "1000001", "--lots", "10"),
    ],
)
def test_a_size_that_no_machine_holds_is_refused_at_once(call, size) -> None:
    result = call(*size)
    assert isinstance(result.exception, UsageError)
    assert "100,000,000 prices and 10,000,000 lots" in str(result.exception)


def test_the_largest_size_is_allowed(monkeypatch: pytest.MonkeyPatch, call) -> None:
    """Exactly at the limit, with both proxies; one more stock, or one more lot, is refused."""
    monkeypatch.setattr(simulation, "MAX_PRICES", 12)
    monkeypatch.setattr(simulation, "MAX_LOTS", 4)
    size = ("--stocks", "2", "--sessions", "3", "--portfolios", "2", "--lots", "2")
    assert call(*size).exit_code == 0
    assert isinstance(call(*size, "--stocks", "3").exception, UsageError)
    assert isinstance(call(*size, "--lots", "3").exception, UsageError)

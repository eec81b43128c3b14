"""A range of sessions stores in every table the bits of its sessions run one by one."""

import tempfile
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pandas as pd
import pytest
import sqlalchemy as sa

from riskmetrics import settings, trading_calendar
from riskmetrics.catalog.limits import LIMITED_FIGURES
from riskmetrics.cli import launch
from riskmetrics.computations import forecast_scores
from riskmetrics.db import portfolio_limits, tables
from riskmetrics.db.engine import create_engine
from riskmetrics.inputs.run_inputs import RunInputs
from riskmetrics.inputs.snapshot import open_snapshot
from riskmetrics.results import valuation
from tests.conftest import NewDatabase, open_connection
from tests.e2e.conftest import FORECASTS, RESULT_KEYS, read_results, use_database

LAST = date(2022, 12, 28)
DAYS = trading_calendar.sessions_with_lookback([LAST], 3)
"""Sessions on which everything below happens."""

ENTRY, JUNE = date(2022, 1, 3), date(2023, 6, 16)
OPTION: Mapping[str, Any] = {"investment_class": "OPTIONS", "expiration_date": JUNE}
LOTS: Sequence[Mapping[str, Any]] = (
    *({"symbol": symbol, "quantity": 50} for symbol in ("AAPL", "GONE", "PEP", "JPM", "MRK")),
    {"symbol": "XOM", "position_type": "SHORT", "quantity": -30, "entry_price": None},
    {"symbol": "MSFT", "quantity": 20, "entry_date": DAYS[1]},
    {"symbol": "KO", "quantity": 40, "exit_date": DAYS[2], "exit_price": 63},
    {"symbol": "NONE", "quantity": 1},
    {"symbol": "HOUSE", "quantity": 1, "investment_class": "PRIVATE", "market_value": 900},
    {
        **OPTION,
        "symbol": "AAPLC",
        "position_type": "SC",
        "quantity": -1,
        "underlying_symbol": "AAPL",
        "strike_price": 130,
        "last_price": 9,
    },
    {
        **OPTION,
        "symbol": "MSFTP",
        "position_type": "LP",
        "quantity": 2,
        "underlying_symbol": "MSFT",
        "strike_price": 240,
    },
)
"""Long, short, bought and sold meanwhile, without prices, private, and options."""

HORIZONS = (90, 63, 21, 5)
"""Sessions before DAYS whose forecasts complete on them."""


@pytest.fixture(scope="module")
def prepared(
    sample_template: str, create_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """Return the sample with such a portfolio, gaps, a split, events, and earlier forecasts."""
    url = create_database(sample_template)
    with open_connection(url) as connection:
        _add_portfolio(connection)
        _change_prices(connection)
        events = [
            {"symbol": "AAPL", "day": day, "known_on": day - timedelta(days=30)}
            for day in (*(LAST - timedelta(days=91 * ago) for ago in range(1, 6)), date(2023, 1, 9))
        ]
        events[-1]["known_on"] = DAYS[2]
        connection.execute(
            sa.insert(tables.symbol_events).values(
                [event | {"data_source": "test"} for event in events]
            )
        )
    with use_database(url, tmp_path_factory.mktemp("home")):
        for horizon in HORIZONS:
            made = trading_calendar.previous_session(DAYS[0], horizon)
            run([made, trading_calendar.next_session(made)], FORECASTS)
    return url


def _add_portfolio(connection: sa.Connection) -> None:
    """Add a portfolio with LOTS, and a limit on each figure that can be limited."""
    stated = {
        "name": "Mixed",
        "currency": "USD",
        "equity_balance": 60_000,
        "equity_as_of": DAYS[1],
    }
    key = connection.scalar(
        sa.insert(tables.portfolios).values(stated).returning(tables.portfolios.c.id)
    )
    terms: Mapping[str, Any] = {
        "portfolio_id": key,
        "position_type": "LONG",
        "entry_date": ENTRY,
        "entry_price": 100,
        "investment_class": "PUBLIC",
    }
    for lot in LOTS:
        connection.execute(sa.insert(tables.positions).values({**terms, **lot}))
    for figure in LIMITED_FIGURES:
        portfolio_limits.set_limit(connection, key, figure.name, 0.1)


def _change_prices(connection: sa.Connection) -> None:
    """Add a symbol whose prices end meanwhile, gaps, and moves like splits."""
    for statement in (
        "INSERT INTO market_data_cache (symbol, date, close, adj_close, data_source)"
        " SELECT 'GONE', date, 30 + close / 1000, 30 + close / 1000, 'test'"
        f" FROM market_data_cache WHERE symbol = 'SPX' AND date <= '{DAYS[1]}'",
        "DELETE FROM market_data_cache WHERE symbol = 'PEP' AND EXTRACT(day FROM date) = 7",
        f"DELETE FROM market_data_cache WHERE symbol = 'PEP' AND date = '{DAYS[1]}'",
        "UPDATE market_data_cache SET close = close / 4, adj_close = adj_close / 4"
        f" WHERE symbol = 'JPM' AND date >= '{DAYS[2]}'",
        "UPDATE market_data_cache SET close = close * 10, adj_close = adj_close * 10"
        f" WHERE symbol = 'MRK' AND date = '{DAYS[1]}'",
    ):
        assert connection.execute(sa.text(statement)).rowcount > 0, statement


def run(days: Sequence[date], assets: Sequence[str] = ()) -> None:
    """Run sessions at once; checks fail on the prices that are wrong on purpose."""
    assert launch.run(settings.load(), list(days), assets).exit_code in (0, 3)


def run_copy(
    prepared: str, new_database: NewDatabase, folder: Path, *ranges: Sequence[date]
) -> dict[str, pd.DataFrame]:
    """Return the results of a copy of the database after runs of ranges."""
    url = new_database(str(sa.make_url(prepared).database))
    with use_database(url, Path(tempfile.mkdtemp(dir=folder))):
        for days in ranges:
            run(days)
    return read_results(url)


@pytest.mark.slow(60)
def test_a_range_stores_the_bits_of_its_sessions_in_every_table(
    prepared: str, new_database: NewDatabase, fast_folder: Path
) -> None:
    at_once = run_copy(prepared, new_database, fast_folder, DAYS)
    one_by_one = run_copy(prepared, new_database, fast_folder, *([day] for day in DAYS))
    for name in RESULT_KEYS:
        pd.testing.assert_frame_equal(one_by_one[name], at_once[name], obj=name)
    assert_comparison_is_worth_it(at_once)


def test_a_book_has_the_same_outcomes_whether_it_is_valued_once_or_for_each_horizon(
    prepared: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Up to MAX_LOT_SESSIONS it is valued once, on the sessions between forecasts too."""
    engine, found = create_engine(prepared), []
    valued = Mock(wraps=valuation.value_portfolios)
    monkeypatch.setattr(valuation, "value_portfolios", valued)
    with open_snapshot(engine, settings.load()) as snapshot:
        n_sessions = 63 - 5 + len(DAYS)
        limit = len(snapshot.lots) * n_sessions
        for max_lot_sessions, lengths in ((limit, [n_sessions]), (limit - 1, 3 * [len(DAYS)])):
            monkeypatch.setattr(forecast_scores, "MAX_LOT_SESSIONS", max_lot_sessions)
            computed = forecast_scores.score_forecasts(RunInputs(snapshot, DAYS))
            found.append(computed.tables[0].rows)
            assert [len(call.args[0]) for call in valued.call_args_list] == lengths
            valued.reset_mock()
    engine.dispose()
    pd.testing.assert_frame_equal(*found)
    is_portfolio = found[0]["portfolio_id"].notna()
    assert set(found[0]["horizon"][is_portfolio & found[0]["outcome"].notna()]) == {5, 21, 63}


def assert_comparison_is_worth_it(stored: Mapping[str, pd.DataFrame]) -> None:
    """Every table has rows, and there are gaps, splits and every kind of forecast."""
    assert {name for name, table in stored.items() if table.empty} == {"portfolio_figures"}
    outcomes = stored["forecast_outcomes"]
    completed = outcomes[outcomes["completed_on"].isin([str(day) for day in DAYS])]
    kinds = set(completed[["kind", "horizon"]].itertuples(index=False, name=None))
    assert kinds == {
        *(("volatility", f"{horizon}") for horizon in (1, 5, 21, 63)),
        ("value_at_risk", "1"),
        ("beta", "90"),
    }
    reasons = stored["undefined_metrics"]["reason"]
    assert reasons.str.contains("suspected split").any()
    assert (stored["position_option_exposures"]["delta"] != "nan").any()

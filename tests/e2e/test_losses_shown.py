"""Tail risk and stress results as printed after a real run, with own scenarios and an option."""

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from riskmetrics import settings
from riskmetrics.catalog import all_statistics
from riskmetrics.cli import launch
from riskmetrics.db import tables
from tests.commands import invoke
from tests.conftest import open_connection
from tests.e2e.conftest import ComputedSample, use_database

DAY = date(2022, 12, 28)


def shown(*arguments: str) -> str:
    result = invoke(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def read(what: str, *arguments: str) -> Any:
    return json.loads(shown("show", what, "--json", *arguments))


@pytest.fixture(scope="module")
def computed(
    sample_template: str,
    create_database: Callable[..., str],
    tmp_path_factory: pytest.TempPathFactory,
) -> ComputedSample:
    """Return the sample with a scenario and 3 calls on AAPL, after the day at a rate of 4 %."""
    url, home = create_database(sample_template), tmp_path_factory.mktemp("home")
    with use_database(url, home) as patch:
        _add_scenario_and_option(url, home / "scenarios.csv")
        patch.setenv("RISKMETRICS_RISK_FREE_RATE", "0.04")
        assert launch.run(settings.load(), [DAY]).exit_code == 0
    return ComputedSample(url, home)


def _add_scenario_and_option(url: str, file: Path) -> None:
    file.write_text(
        "name,market_move,first_day,last_day,description\nmine,-0.15,,,My"
        " own\nJune,,2022-06-08,2022-06-13,A bad week\n"
    )
    shown("import", "scenarios", str(file))
    with open_connection(url) as connection:
        portfolio = connection.scalar(
            sa.select(tables.portfolios.c.id).where(tables.portfolios.c.name == "Concentrated")
        )
        option = {
            "symbol": "AAPL230616C130",
            "underlying_symbol": "AAPL",
            "strike_price": 130,
            "expiration_date": date(2023, 6, 16),
        }
        lot = {
            "portfolio_id": portfolio,
            "position_type": "LC",
            "quantity": 3,
            "entry_date": date(2022, 12, 1),
            "last_price": 11,
        }
        connection.execute(
            sa.insert(tables.positions).values(
                option | lot | {"investment_class": "OPTIONS", "entry_price": 11}
            )
        )


@pytest.fixture
def ran(computed: ComputedSample) -> Iterator[str]:
    """Yield the URL of the computed database, which is only read; the settings point to it."""
    with use_database(computed.url, computed.home) as patch:
        patch.setenv("RISKMETRICS_RISK_FREE_RATE", "0.04")
        yield computed.url


def test_results_are_shown_as_tables_and_as_json(ran: str) -> None:
    with open_connection(ran) as connection:
        delta = connection.scalar(
            sa.text(
                "SELECT portfolio_delta FROM portfolio_snapshots ORDER BY portfolio_delta DESC"
                " LIMIT 1"
            )
        )
        close = connection.scalar(
            sa.text(
                "SELECT close::float8 FROM market_data_cache WHERE symbol = 'AAPL' ORDER BY date"
                " DESC LIMIT 1"
            )
        )
    risk = read("risk", "--portfolio", "Long-Short")
    assert {name: len(rows) for name, rows in risk.items()} == {
        "tail_risk": 12,
        "var_backtests": 2,
        "ex_ante_volatility": 2,
        "decayed_betas": 1,
        "active_sectors": 7,
        "realized": 1,
        **{statistic.key: 1 for statistic in all_statistics()},
    }
    (realized,) = risk["realized"]
    assert (realized["max_drawdown"], realized["observations"]) == (None, 1)
    assert realized["undefined_reason"] == (
        "1 of 252 sessions has a stored daily return; 126 are needed"
    )
    assert sum(
        row["share"] for row in read("contributions", "--portfolio", "Long-Short")
    ) == pytest.approx(1.0)
    losses = {row["scenario"]: row["loss"] for row in read("stress", "--portfolio", "Long-Short")}
    assert losses["mine"] == pytest.approx(0.75 * losses["market -20%"])
    assert losses["June"] is not None
    assert {row["name"] for row in read("scenarios")} == losses.keys()
    (option,) = read("options")
    assert (option["underlying_price"], option["risk_free_rate"], option["quantity"]) == (
        close,
        0.04,
        3,
    )
    assert option["exposure"] == pytest.approx(option["delta"] * 300 * close)
    assert float(delta) == pytest.approx(300 * option["delta"], abs=0.005)
    for what, words in {
        "risk": "parametric",
        "contributions": "AMD",
        "stress": "June",
        "scenarios": "My own",
        "options": "130",
    }.items():
        assert words in shown("show", what)


def test_days_without_results_and_portfolios_without_options_are_reported(ran: str) -> None:
    assert "no options are held on 2022-12-28" in shown(
        "show", "options", "--portfolio", "Long-Short"
    )
    for what in ("risk", "contributions", "stress", "options"):
        result = invoke("show", what, "--date", "2022-12-27")
        assert result.exit_code == 1
        assert "no results are stored for 2022-12-27" in result.stderr

"""Printed volatility and rate betas, against other libraries and hand calculations."""

import json
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
import statsmodels.api as sm

from riskmetrics import settings
from riskmetrics.cli import launch
from riskmetrics.db import tables
from tests.commands import invoke
from tests.conftest import NewDatabase, open_connection
from tests.e2e.conftest import use_database

DAY = date(2022, 12, 28)
RATES = "KO"
"""Replaces a bond fund, which the sample does not have."""


class Book(NamedTuple):
    """Database and home of a run for DAY, and the daily returns of its prices by symbol."""

    url: str
    home: Path
    returns: pd.DataFrame


@pytest.fixture(scope="module")
def book(
    sample_template: str, create_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Book:
    """Run the job for DAY with RATES and an option on AAPL."""
    url, home = create_database(sample_template), tmp_path_factory.mktemp("home")
    with open_connection(url) as connection:
        owner = connection.scalar(
            sa.select(tables.portfolios.c.id).where(tables.portfolios.c.name == "Core Equity")
        )
        option = {
            "symbol": "AAPL",
            "position_type": "LC",
            "quantity": 1,
            "investment_class": "OPTIONS",
            "entry_date": DAY,
        }
        connection.execute(sa.insert(tables.positions).values(portfolio_id=owner, **option))
        prices = pd.read_sql_query(
            sa.text("SELECT symbol, date, adj_close FROM market_data_cache"), connection
        )
    with use_database(url, home) as patch:
        patch.setenv("RISKMETRICS_RATE_INDEX", RATES)
        assert launch.run(settings.load(), [DAY]).exit_code == 0
    closes = prices.pivot(index="date", columns="symbol", values="adj_close").sort_index()
    return Book(url, home, closes.pct_change().iloc[1:])


@pytest.fixture
def returns(book: Book, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    """Point the settings to the book, which tests only read; return daily returns by symbol."""
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", book.url)
    monkeypatch.setenv("RISKMETRICS_HOME", str(book.home))
    monkeypatch.setenv("RISKMETRICS_RATE_INDEX", RATES)
    return book.returns


def _shown(what: str) -> Any:
    result = invoke("show", what, "--json")
    assert result.exit_code == 0
    return json.loads(result.stdout)


def _listed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    (option,) = [row for row in rows if row["position_type"] == "LC"]
    assert {name for name, value in option.items() if isinstance(value, float)} <= {
        "quantity"
    }  # nothing of its underlying's
    return [row for row in rows if row is not option]


def test_every_rate_beta_shown_is_that_of_statsmodels(returns: pd.DataFrame) -> None:
    shown, window = _shown("rate-betas"), returns.iloc[-90:]
    rows = _listed(shown["positions"])
    assert len(rows) > 30
    for row in [row for row in rows if row["symbol"] != RATES]:
        alone = sm.OLS(window[row["symbol"]], sm.add_constant(window[RATES])).fit()
        both = sm.OLS(window[row["symbol"]], sm.add_constant(window[[RATES, "SPX"]])).fit()
        assert row["ir_beta"] == pytest.approx(alone.params[RATES], abs=5.01e-7)
        assert (row["std_error"], row["p_value"]) == pytest.approx(
            (alone.bse[RATES], alone.pvalues[RATES])
        )
        assert (row["two_factor_rate_beta"], row["two_factor_std_error"]) == pytest.approx(
            (both.params[RATES], both.bse[RATES])
        )
    assert {row["rate_index"] for row in shown["portfolios"]} == {RATES}
    text = invoke("show", "rate-betas").stdout
    assert "an option or a private holding has no return series of its own" in text
    assert "a positive beta gains when yields fall" in text


def test_volatility_shown_is_the_standard_deviation_of_returns_and_nothing_is_in_sample(
    returns: pd.DataFrame,
) -> None:
    """To the four stored decimals; each forecast lies in the interval of its symbol."""
    rows = _listed(_shown("volatility")["positions"])
    for row in rows:
        for name, window in (("realized_vol_21d", 21), ("realized_vol_63d", 63)):
            assert row[name] == pytest.approx(
                returns[row["symbol"]].iloc[-window:].std() * np.sqrt(252), abs=5.1e-5
            )
        assert row["low"] < row["expected_vol_21d"] < row["high"]
        assert not row["in_sample"]
    assert len({(row["symbol"], row["low"], row["high"]) for row in rows}) == len(
        {row["symbol"] for row in rows}
    )
    result = invoke("show", "volatility", "--portfolio", "Long-Short")
    assert result.exit_code == 0
    lines = [line for line in result.stdout.splitlines() if line.startswith("Long-Short")]
    assert len(lines) == 1 + 11 + 3  # the portfolio, its instruments (16 lots), and horizons
    (xom,) = [line for line in lines if " XOM " in line]
    assert xom.split()[:5] == ["Long-Short", "XOM", "LONG", "500", "2"]  # 300 and 200
    (ge,) = [line for line in lines if " GE " in line]
    assert ge.split()[:5] == ["Long-Short", "GE", "SHORT", "−400", "2"]
    assert "strike" not in result.stdout
    assert [line.split()[1] for line in lines[-3:]] == ["1", "5", "63"]
    assert "in-sample" not in result.stdout
    (portfolio,) = [
        row for row in _shown("volatility")["portfolios"] if row["portfolio"] == "Long-Short"
    ]
    assert f"{portfolio['expected_volatility_21d'] * 100:.1f}%" in lines[0]


@pytest.mark.parametrize("what", ["betas", "rate-betas", "volatility", "options"])
def test_lots_of_one_instrument_are_one_row_and_no_two_rows_are_equal(
    returns: pd.DataFrame, book: Book, what: str
) -> None:
    """Oracle: sums of the stored lots by SQL."""
    found = _shown(what)
    rows = found if isinstance(found, list) else found["positions"]
    keys = [(row["portfolio"], row["symbol"], row["position_type"]) for row in rows]
    assert len(set(keys)) == len(keys) > 0
    is_option = "=" if what == "options" else "<>"
    with open_connection(book.url) as connection:
        query = (
            "SELECT name, symbol, position_type, sum(quantity)::float8, count(*) FROM positions p "
            "JOIN portfolios f ON f.id = p.portfolio_id "
            f"WHERE position_type {is_option} 'LC' GROUP BY 1, 2, 3"
        )
        sums = {tuple(row[:3]): tuple(row[3:]) for row in connection.execute(sa.text(query))}
    of_lots = dict(zip(keys, ((row["quantity"], row["lots"]) for row in rows), strict=True))
    assert {key: of_lots[key] for key in sums} == sums
    assert any(lots > 1 for _, lots in sums.values()) or what == "options"


def test_a_beta_is_adjusted_by_how_uncertain_it_is(returns: pd.DataFrame) -> None:
    """The mean of the estimate and of the prior 1 ± 0.35, weighted by precision."""
    for row in _listed(_shown("betas")):
        precision, prior = row["std_error"] ** -2, 0.35**-2
        assert row["adjusted_beta"] == pytest.approx(
            (precision * row["beta"] + prior) / (precision + prior), abs=1e-5
        )
        assert row["adjusted_std_error"] == pytest.approx((precision + prior) ** -0.5, abs=1e-5)


def test_without_results_the_commands_say_what_to_run(sample: str) -> None:
    for what in ("volatility", "rate-betas"):
        result = invoke("show", what, "--date", f"{DAY}")
        assert result.exit_code == 1
        assert f"riskmetrics run --date {DAY}" in result.stderr

"""A portfolio of options through the real job. Oracles: scipy and pandas on stored prices."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from scipy import stats

from riskmetrics.db import tables
from riskmetrics.db.engine import create_engine
from tests.commands import invoke
from tests.conftest import open_connection
from tests.e2e.conftest import Run, query_frame

DAYS = [date(2022, 12, 27), date(2022, 12, 28)]
JUNE = date(2023, 6, 16)
LOTS: list[Mapping[str, Any]] = [
    *({"symbol": symbol, "quantity": 200} for symbol in ("AAPL", "PEP", "XOM")),
    {
        "symbol": "AAPL230616C130",
        "quantity": -1,
        "position_type": "SC",
        "underlying_symbol": "AAPL",
        "last_price": 11,
    },
    {
        "symbol": "MSFT230616P240",
        "quantity": 5,
        "position_type": "LP",
        "underlying_symbol": "MSFT",
    },  # no price is known
]
STRIKES = {"AAPL": 130.0, "MSFT": 240.0}


@pytest.fixture
def portfolio(sample: str) -> str:
    """Replace the portfolios by a stock and options on it and another; equity 100,000."""
    with open_connection(sample) as connection:
        connection.execute(sa.text("UPDATE portfolios SET deleted_at = now()"))
        stated = {
            "name": "Options",
            "currency": "USD",
            "equity_balance": 100_000,
            "equity_as_of": DAYS[-1],
        }
        key = connection.scalar(
            sa.insert(tables.portfolios).values(stated).returning(tables.portfolios.c.id)
        )
        for lot in LOTS:
            terms: dict[str, Any] = {
                "position_type": "LONG",
                "investment_class": "PUBLIC",
                "entry_price": 10,
            }
            if "underlying_symbol" in lot:
                terms |= {
                    "investment_class": "OPTIONS",
                    "strike_price": STRIKES[lot["underlying_symbol"]],
                    "expiration_date": JUNE,
                }
            lived = {"portfolio_id": key, "entry_date": date(2022, 1, 3)}
            connection.execute(sa.insert(tables.positions).values(terms | lived | lot))
    return sample


def test_figures_stored_and_shown_are_those_of_options_as_shares_of_their_underlyings(
    portfolio: str, run: Run, tmp_path: Path
) -> None:
    assert run(DAYS[1:]).exit_code == 0
    prices = query_frame(
        portfolio, "SELECT symbol, date, close::float8, adj_close FROM market_data_cache"
    )
    last = prices[prices["date"] == DAYS[1]].set_index("symbol")["close"]
    returns = (
        prices.pivot(index="date", columns="symbol", values="adj_close")
        .sort_index()
        .pct_change()
        .loc[: DAYS[1]]
    )
    forecasts = query_frame(
        portfolio, "SELECT * FROM volatility_forecasts WHERE portfolio_id IS NULL"
    ).set_index("subject")
    assert set(forecasts.index) == {"AAPL", "MSFT", "PEP", "XOM"}

    years, sigma, strike = (
        (JUNE - DAYS[1]).days / 365,
        forecasts["volatility_forecast"],
        pd.Series(STRIKES),
    )
    d1 = ((np.log(last / strike) + sigma**2 / 2 * years) / (sigma * np.sqrt(years)))[
        ["AAPL", "MSFT"]
    ]
    call, put = stats.norm.cdf(d1) - [0, 1]
    shares = pd.Series({"AAPL": 200 - 100 * call, "MSFT": 500 * put, "PEP": 200.0, "XOM": 200.0})
    weights = shares * last[shares.index] / 100_000
    own = (returns[weights.index] * weights).sum(axis=1)

    contributions = (
        query_frame(portfolio, "SELECT * FROM portfolio_risk_contributions")
        .set_index("symbol")
        .sort_index()
    )
    assert contributions["weight"].to_dict() == pytest.approx(weights.to_dict(), rel=1e-9)
    assert contributions["component"].sum() == pytest.approx(
        own.iloc[-252:].std() * np.sqrt(252), rel=1e-9
    )
    snapshot = query_frame(portfolio, "SELECT * FROM portfolio_snapshots").iloc[0]
    assert float(snapshot["realized_volatility_21d"]) == pytest.approx(
        own.iloc[-21:].std() * np.sqrt(252), abs=1e-4
    )
    assert float(snapshot["gross_exposure"]) == pytest.approx(
        200 * last[["AAPL", "PEP", "XOM"]].sum() + 1100, abs=0.01
    )
    tail = query_frame(
        portfolio, "SELECT * FROM portfolio_tail_risk WHERE horizon_days = 1"
    ).set_index(["method", "level"])
    assert tail.loc[("historical", 0.95), "value_at_risk"] == pytest.approx(
        np.quantile(-own.iloc[-504:], 0.95), rel=1e-9
    )
    betas = query_frame(
        portfolio,
        "SELECT symbol, beta FROM position_market_betas b JOIN positions p ON p.id = b.position_id",
    )
    assert set(betas.loc[betas["beta"].isna(), "symbol"]) == {"AAPL230616C130", "MSFT230616P240"}
    covered = query_frame(
        portfolio, "SELECT metric, coverage, n_covered, n_total FROM portfolio_coverage"
    ).set_index("metric")
    assert covered.loc["beta"].tolist() == pytest.approx([1.0, 5, 5])
    assert covered.loc["prices"].tolist() == pytest.approx([0.8, 4, 5])

    of_positions = (
        "SELECT p.symbol, v.* FROM position_volatility v JOIN positions p ON p.id = v.position_id"
    )
    volatility = query_frame(portfolio, of_positions).set_index("symbol")["realized_vol_21d"]
    share = last["MSFT"] * stats.norm.cdf(-d1["MSFT"])
    value = 240 * stats.norm.cdf(-d1["MSFT"] + sigma["MSFT"] * np.sqrt(years)) - share
    of_put = returns["MSFT"].iloc[-21:].std() * np.sqrt(252) * share / value
    assert float(volatility["MSFT230616P240"]) == pytest.approx(of_put, abs=1e-4)

    shown = json.loads(invoke("show", "volatility", "--json").stdout)["positions"]
    row = next(row for row in shown if row["symbol"] == "MSFT230616P240")
    assert (row["in_sample"], row["low"], row["rise_probability"]) == (
        False,
        None,
        forecasts.loc["MSFT", "rise_probability"],
    )
    assert "volatility of the underlying" in invoke("show", "volatility").stdout
    page = tmp_path / "report.html"
    assert invoke("report", "--out", str(page)).exit_code == 0
    assert "Option volatility: the underlying’s × elasticity" in page.read_text()


def test_options_need_closes_of_their_underlyings_and_missing_entry_prices_are_reported(
    portfolio: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    engine = create_engine(portfolio)
    with engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE positions SET deleted_at = now() WHERE position_type = 'LONG'")
        )
        connection.execute(sa.text("UPDATE positions SET last_price = NULL"))
    assert run(DAYS[-1:]).exit_code == 0
    said = " ".join(capsys.readouterr().err.split())
    assert (
        "too few holdings have a price of their own in Options (0 of 2 instruments on 2022-12-28):"
        " state the prices" in said
    )
    assert (
        len(
            query_frame(
                portfolio, "SELECT * FROM position_option_exposures WHERE delta IS NOT NULL"
            )
        )
        == 2
    )
    with engine.begin() as connection:
        connection.execute(
            sa.text("DELETE FROM market_data_cache WHERE symbol = 'MSFT' AND date > '2022-12-01'")
        )
    engine.dispose()
    assert run(DAYS[-1:]).exit_code == 3
    said = " ".join(capsys.readouterr().err.split())
    assert (
        "too few holdings have a close (options: of their underlying) in Options (1 of 2"
        " instruments on 2022-12-28); 80% are needed" in said
    )

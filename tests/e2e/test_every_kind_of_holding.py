"""A portfolio with every kind of holding, through the real job, against hand calculations."""

from datetime import date
from decimal import Decimal

import pytest
import sqlalchemy as sa

from riskmetrics.db import tables
from riskmetrics.db.engine import create_engine
from tests.commands import invoke
from tests.conftest import open_connection
from tests.e2e.conftest import Run

DAY = date(2022, 12, 28)
LOTS = [
    {"symbol": "AAPL", "quantity": 100},
    {"symbol": "AAPL", "quantity": 50},  # another lot of the same
    {"symbol": "XOM", "quantity": -20, "position_type": "SHORT"},
    {"symbol": "MTUM", "quantity": 10},  # a fund
    {"symbol": "JPM", "quantity": 30, "exit_date": date(2022, 12, 27)},  # closed
    {"symbol": "PEP", "quantity": 30, "deleted_at": "2022-12-01"},  # entered in error
    {"symbol": "KO", "quantity": 30, "entry_date": date(2022, 12, 29)},  # not yet opened
    {"symbol": "NEW", "quantity": 5},  # too little history
    {"symbol": "GONE", "quantity": 7},  # no close on the day, one two sessions old
    {"symbol": "NONE", "quantity": 9},  # no price at all
    {
        "symbol": "AAPL",
        "quantity": 2,
        "position_type": "LC",
        "investment_class": "OPTIONS",
        "last_price": 3,
        "strike_price": 130,
    },
    {"symbol": "HOUSE", "quantity": 1, "investment_class": "PRIVATE", "market_value": 5000},
]


@pytest.fixture
def portfolio(sample: str) -> str:
    """Replace the portfolios by one with LOTS; NEW has 30 closes, GONE ends two sessions early."""
    with open_connection(sample) as connection:
        connection.execute(sa.text("UPDATE portfolios SET deleted_at = now()"))
        created = (
            sa.insert(tables.portfolios)
            .values(name="Everything", currency="USD")
            .returning(tables.portfolios.c.id)
        )
        portfolio_id = connection.scalar(created)
        for lot in LOTS:
            defaults = {
                "position_type": "LONG",
                "entry_date": date(2020, 1, 2),
                "entry_price": 10,
                "investment_class": "PUBLIC",
            }
            connection.execute(
                sa.insert(tables.positions).values(defaults | {"portfolio_id": portfolio_id} | lot)
            )
        copy = (
            "INSERT INTO market_data_cache (symbol, date, close, adj_close, data_source) SELECT"
            " '{}', date, 100 + close / 1000, 100 + close / 1000, 'test' FROM market_data_cache"
            " WHERE symbol = 'SPX' AND {}"
        )
        connection.execute(sa.text(copy.format("NEW", "date >= '2022-11-15'")))
        connection.execute(sa.text(copy.format("GONE", "date <= '2022-12-23'")))
    return sample


def test_each_kind_of_holding_is_right_in_the_stored_rows(portfolio: str, run: Run) -> None:
    assert run([DAY]).exit_code == 0
    with open_connection(portfolio) as connection:
        prices = (
            "SELECT DISTINCT ON (symbol) symbol, close FROM market_data_cache WHERE date <= :day"
            " ORDER BY symbol, date DESC"
        )
        close = {row.symbol: row.close for row in connection.execute(sa.text(prices), {"day": DAY})}
        snapshot = connection.execute(sa.text("SELECT * FROM portfolio_snapshots")).mappings().one()
        betas = (
            "SELECT symbol, position_type, beta, observations FROM position_market_betas b JOIN"
            " positions p ON p.id = b.position_id"
        )
        rows = connection.execute(sa.text(betas)).all()
        why = dict(
            connection.execute(
                sa.text("SELECT metric, reason FROM undefined_metrics WHERE subject = portfolio_id")
            ).all()
        )
        undefined = (
            "SELECT p.symbol, u.reason FROM undefined_metrics u JOIN positions p ON p.id ="
            " u.subject WHERE u.metric LIKE '%.beta'"
        )
        of_positions = dict(connection.execute(sa.text(undefined)).all())
        coverage = dict(
            connection.execute(
                sa.text("SELECT metric, n_covered || ' of ' || n_total FROM portfolio_coverage")
            ).all()
        )

    values = {
        "AAPL": 150 * close["AAPL"],
        "XOM": -20 * close["XOM"],
        "MTUM": 10 * close["MTUM"],
        "NEW": 5 * close["NEW"],
        "GONE": 7 * close["GONE"],
        "option": Decimal(2 * 100 * 3),
        "HOUSE": Decimal(5000),
    }
    gross = sum(abs(value) for value in values.values())
    assert snapshot["long_value"] == pytest.approx(
        sum(value for value in values.values() if value > 0), abs=Decimal("0.006")
    )
    assert snapshot["short_value"] == pytest.approx(values["XOM"], abs=Decimal("0.006"))
    assert snapshot["hhi"] == pytest.approx(
        sum((value / gross) ** 2 for value in values.values()), abs=Decimal("0.0001")
    )
    assert (
        snapshot["num_positions"],
        snapshot["num_long_positions"],
        snapshot["num_short_positions"],
    ) == (8, 7, 1)
    assert snapshot["sector_exposure"]["Fund, not looked through"] == pytest.approx(
        float(values["MTUM"] / gross), abs=1e-9
    )
    assert snapshot["sector_exposure"]["Information Technology"] == pytest.approx(
        float((values["AAPL"] + 600) / gross), abs=1e-9
    )
    assert sum(snapshot["sector_exposure"].values()) == pytest.approx(1)
    assert coverage["prices"] == "7 of 8"
    assert coverage["current_prices"] == "6 of 8"
    assert coverage["beta"] == "4 of 8"

    held = {(row.symbol, row.position_type) for row in rows}
    assert held == {
        *((symbol, "LONG") for symbol in ("AAPL", "MTUM", "NEW", "GONE", "NONE", "HOUSE")),
        ("XOM", "SHORT"),
        ("AAPL", "LC"),
    }
    known = {
        (row.symbol, row.position_type): row.observations for row in rows if row.beta is not None
    }
    assert known == {
        ("AAPL", "LONG"): 90,
        ("XOM", "SHORT"): 90,
        ("MTUM", "LONG"): 90,
        ("GONE", "LONG"): 88,
    }
    assert of_positions["NEW"].startswith("29 paired returns")
    assert of_positions["NONE"].startswith("0 paired returns")
    assert "option" in of_positions["AAPL"]
    assert "private" in of_positions["HOUSE"]
    assert {
        "portfolio_snapshots.portfolio_delta",
        "portfolio_snapshots.cumulative_pnl",
    } <= why.keys()


def test_results_of_a_removed_portfolio_stay_when_the_day_runs_again(
    computed_sample: str, run: Run
) -> None:
    engine = create_engine(computed_sample)
    with engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE portfolios SET deleted_at = now() WHERE name = 'Concentrated'")
        )
    assert run([DAY], ["portfolio_values", "position_betas"]).exit_code == 0
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM portfolio_snapshots")) == 3
        assert connection.scalar(sa.text("SELECT count(*) FROM position_market_betas")) == 37
    engine.dispose()


def test_an_extreme_price_makes_only_its_own_figures_undefined(sample: str, run: Run) -> None:
    """Two closes of a billionth of a dollar cause a return and a beta that exceed their columns."""
    engine = create_engine(sample)
    with engine.begin() as connection:
        wild = (
            "UPDATE market_data_cache SET adj_close = 1e-9 WHERE symbol = 'AAPL' AND date BETWEEN"
            " '2022-12-22' AND '2022-12-23'"
        )
        connection.execute(sa.text(wild))
    assert run([DAY]).exit_code == 0
    with engine.connect() as connection:
        betas = (
            "SELECT p.symbol = 'AAPL' AS wild, b.beta IS NULL AS undefined, count(*) FROM"
            " position_market_betas b JOIN positions p "
        )
        counts = {
            tuple(row)
            for row in connection.execute(sa.text(betas + "ON p.id = b.position_id GROUP BY 1, 2"))
        }
        reasons = connection.scalars(
            sa.text(
                "SELECT reason FROM undefined_metrics WHERE metric = 'position_market_betas.beta'"
            )
        ).all()
    engine.dispose()
    assert counts == {(True, True, len(reasons)), (False, False, 37 - len(reasons))}
    assert all("exceeds its column" in reason for reason in reasons)


def test_equity_that_is_not_positive_is_no_base_of_weights(
    sample: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """Equity of −10,000: sums of weights would be meaningless."""
    engine = create_engine(sample)
    with engine.begin() as connection:
        connection.execute(
            sa.text("UPDATE portfolios SET equity_balance = -10000 WHERE name = 'Core Equity'")
        )
    assert run([DAY]).exit_code == 0
    said = capsys.readouterr().err
    assert (
        "equity is below 5% of gross exposure in Core Equity (equity −10,000.00, gross 186,249.59"
        " on 2022-12-28)" in said
    )
    with engine.connect() as connection:
        statement = (
            "SELECT count(net_weight) FROM portfolio_sector_weights w JOIN portfolios p ON p.id ="
            " w.portfolio_id WHERE name = 'Core Equity'"
        )
        assert connection.scalar(sa.text(statement)) == 0
    engine.dispose()
    for name in (
        "snapshot",
        "sectors",
        "risk",
        "contributions",
        "stress",
        "volatility",
        "rate-betas",
    ):
        shown = invoke("show", name)
        said = (
            "Core Equity, 2022-12-28: equity is −10,000, −5.4% of gross exposure; below 5% weights"
            " and all figures in units of equity are undefined"
        )
        assert (shown.exit_code, shown.stderr.splitlines()) == (0, [said]), name
    others = invoke("show", "snapshot", "--portfolio", "Concentrated")
    assert others.stderr == ""

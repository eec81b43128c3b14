"""The job for a session of the sample. Oracles: other libraries and hand calculations."""

import math
from collections import defaultdict
from datetime import date

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
import statsmodels.api as sm

from riskmetrics import trading_calendar
from riskmetrics.db.engine import create_engine
from tests.conftest import NewDatabase, open_connection
from tests.e2e.conftest import (
    COMPUTED_DAY,
    FORECASTS,
    RESULT_KEYS,
    ComputedSample,
    Run,
    assert_nulls_have_reasons,
    read_results,
)

DAY = COMPUTED_DAY


def _frames(url: str) -> dict[str, pd.DataFrame]:
    queries = {
        "betas": (
            "SELECT p.symbol, b.* FROM position_market_betas b JOIN positions p ON p.id ="
            " b.position_id"
        ),
        "snapshots": (
            "SELECT f.name, s.* FROM portfolio_snapshots s JOIN portfolios f ON f.id ="
            " s.portfolio_id"
        ),
        "lots": "SELECT f.name, p.* FROM positions p JOIN portfolios f ON f.id = p.portfolio_id",
        "prices": "SELECT symbol, date, close::float8 AS close, adj_close FROM market_data_cache",
        "profiles": "SELECT symbol, sector, is_etf FROM company_profiles",
        "benchmark": "SELECT sector, weight::float8 AS weight FROM benchmarks_sector_weights",
        "sectors": (
            "SELECT f.name, w.* FROM portfolio_sector_weights w JOIN portfolios f ON f.id ="
            " w.portfolio_id"
        ),
        "undefined": "SELECT * FROM undefined_metrics",
        "contributions": "SELECT * FROM portfolio_risk_contributions",
    }
    with open_connection(url) as connection:
        return {
            name: pd.read_sql_query(sa.text(query), connection) for name, query in queries.items()
        }


def test_every_stored_beta_is_that_of_statsmodels(computed_sample: str) -> None:
    frames = _frames(computed_sample)
    closes = frames["prices"].pivot(index="date", columns="symbol", values="adj_close").sort_index()
    returns = closes.pct_change().iloc[-90:]
    assert len(frames["betas"]) == len(frames["lots"]) > 30
    for row in frames["betas"].itertuples():
        fit = sm.OLS(
            returns[row.symbol].to_numpy(), sm.add_constant(returns["SPX"].to_numpy())
        ).fit()
        expected = {
            "alpha": fit.params[0],
            "beta": fit.params[1],
            "std_error": fit.bse[1],
            "r_squared": fit.rsquared,
            "p_value": fit.pvalues[1],
        }
        for name, value in expected.items():
            assert getattr(row, name) == pytest.approx(value, abs=5.01e-7), (
                row.symbol,
                name,
            )  # six decimals are stored
        assert (row.observations, row.window_days, row.method, row.market_index) == (
            90,
            90,
            "OLS_SIMPLE",
            "SPX",
        )


def test_concentration_and_sectors_are_those_of_a_hand_calculation(computed_sample: str) -> None:
    frames = _frames(computed_sample)
    last = frames["prices"][frames["prices"]["date"] == DAY].set_index("symbol")["close"]
    sector_of = {
        row.symbol: "Fund, not looked through" if row.is_etf else row.sector
        for row in frames["profiles"].itertuples()
    }
    benchmark = dict(zip(frames["benchmark"]["sector"], frames["benchmark"]["weight"], strict=True))
    for snapshot in frames["snapshots"].itertuples():
        values: dict[str, float] = defaultdict(float)
        for lot in frames["lots"][frames["lots"]["name"] == snapshot.name].itertuples():
            values[lot.symbol] += float(lot.quantity) * last[lot.symbol]
        gross = sum(abs(value) for value in values.values())
        weights = sorted((abs(value) / gross for value in values.values()), reverse=True)
        hhi = sum(weight**2 for weight in weights)
        assert snapshot.gross_exposure == pytest.approx(gross, abs=0.005)
        assert snapshot.net_exposure == pytest.approx(sum(values.values()), abs=0.005)
        assert snapshot.hhi == pytest.approx(hhi, abs=5.1e-5)
        assert snapshot.effective_num_positions == pytest.approx(1 / hhi, abs=5.1e-3)
        assert snapshot.top_3_concentration == pytest.approx(sum(weights[:3]), abs=5.1e-5)
        assert snapshot.top_10_concentration == pytest.approx(sum(weights[:10]), abs=5.1e-5)
        by_sector: dict[str, float] = defaultdict(float)
        net_by_sector: dict[str, float] = defaultdict(float)
        for symbol, value in values.items():
            by_sector[sector_of[symbol]] += abs(value) / gross
            net_by_sector[sector_of[symbol]] += value / float(snapshot.total_value)
        assert snapshot.sector_exposure == pytest.approx(dict(by_sector), abs=1e-6)
        own = frames["sectors"][frames["sectors"]["name"] == snapshot.name].set_index("sector")
        assert set(own.index) == set(by_sector) | set(benchmark)
        for sector in own.itertuples():
            assert sector.gross_weight == pytest.approx(by_sector[sector.Index], abs=1e-12)
            active = net_by_sector[sector.Index] - benchmark.get(sector.Index, 0.0)
            if sector.Index == "Fund, not looked through":  # what its holdings are is not known
                active = math.nan
            assert sector.active_weight == pytest.approx(active, abs=1e-9, nan_ok=True)


def test_the_two_ways_to_a_portfolio_beta_agree(computed_sample: str) -> None:
    """Without missing data, the weighted sum of betas is the beta of the weighted returns."""
    snapshots = _frames(computed_sample)["snapshots"]
    assert len(snapshots) == 3
    assert (snapshots["beta_calculated_90d"] == snapshots["beta_portfolio_regression"]).all()


def test_stored_contributions_sum_to_the_volatility_of_the_portfolios_own_returns(
    computed_sample: str,
) -> None:
    """Oracle: pandas, from stored prices and lots, at the weights of the day."""
    frames = _frames(computed_sample)
    prices = frames["prices"]
    last = prices[prices["date"] == DAY].set_index("symbol")["close"]
    returns = (
        prices.pivot(index="date", columns="symbol", values="adj_close")
        .sort_index()
        .pct_change()
        .iloc[-252:]
    )
    for snapshot in frames["snapshots"].itertuples():
        lots = frames["lots"][frames["lots"]["name"] == snapshot.name].astype({"quantity": float})
        weights = lots.groupby("symbol")["quantity"].sum() * last / float(snapshot.total_value)
        volatility = (returns * weights).sum(axis=1).std() * np.sqrt(252)
        own = frames["contributions"][
            frames["contributions"]["portfolio_id"] == snapshot.portfolio_id
        ]
        assert own["component"].sum() == pytest.approx(
            volatility, rel=1e-6
        )  # equity is stated in cents
        assert own["share"].sum() == pytest.approx(1.0, rel=1e-12)


def test_nothing_is_null_without_a_stored_reason(computed_sample: str) -> None:
    """No forecast is complete after one session, and no option is held."""
    assert assert_nulls_have_reasons(
        computed_sample, without_rows={"forecast_outcomes", "position_option_exposures"}
    )


def test_running_a_session_again_rewrites_no_row(computed_sample: str, run: Run) -> None:
    before = _versions(computed_sample)
    assert run([DAY]).exit_code == 0
    assert _versions(computed_sample) == before


def _versions(url: str) -> dict[str, set[object]]:
    """Return the rows' physical versions, which change on every write, even of equal values."""
    with open_connection(url) as connection:
        return {
            name: {
                tuple(row)
                for row in connection.execute(sa.text(f"SELECT ctid::text, xmin::text FROM {name}"))
            }
            for name in RESULT_KEYS
        }


def test_an_asset_can_be_materialized_alone(computed_sample: str, run: Run) -> None:
    """Lost columns are filled again, and no other column changes."""
    before = read_results(computed_sample)
    with open_connection(computed_sample) as connection:
        connection.execute(
            sa.text("UPDATE portfolio_snapshots SET hhi = NULL, sector_exposure = NULL")
        )
        connection.execute(sa.text("DELETE FROM portfolio_sector_weights"))
    assert run([DAY], ["sector_concentration"]).exit_code == 0
    after = read_results(computed_sample)
    assert all(after[name].equals(before[name]) for name in RESULT_KEYS)


def test_rows_of_a_position_that_is_gone_are_removed(computed_sample: str, run: Run) -> None:
    engine = create_engine(computed_sample)
    with engine.begin() as connection:
        gone = connection.scalar(
            sa.text("UPDATE positions SET deleted_at = now() WHERE symbol = 'AAPL' RETURNING id")
        )
    assert run([DAY], ["position_betas"]).exit_code == 0
    with engine.connect() as connection:
        left = connection.scalar(
            sa.text("SELECT count(*) FROM position_market_betas WHERE position_id = :id"),
            {"id": gone},
        )
    engine.dispose()
    assert left == 0


_DAY_COLUMNS = ("completed_on", "snapshot_date", "calc_date", "calculation_date", "day")
"""Names of the session column; the first that a table has counts."""


@pytest.mark.slow(22)
def test_a_backfill_equals_the_same_days_run_one_by_one(
    sample: str, new_database: NewDatabase, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty sessions in one run equal single runs of the first and of the last two.

    The single runs see no later data.

    Every row is the same, to the last digit; the forecasts of the twenty before are there in both,
    for their scores.
    """
    days = trading_calendar.sessions_between(date(2022, 6, 1), date(2022, 6, 29))
    alone = [days[0], days[-2], days[-1]]
    assert len(days) == 20
    earlier = trading_calendar.sessions_with_lookback(days, 21)[:20]
    assert run(earlier, FORECASTS).exit_code == 0
    other = new_database(sa.make_url(sample).database)
    assert run(days).exit_code == 0
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", other)
    for day in alone:
        assert run([day]).exit_code == 0
    at_once, one_by_one = read_results(sample), read_results(other)
    for name, table in at_once.items():
        # position and portfolio ids are the same: one database is a copy of the other
        day_of = next(column for column in _DAY_COLUMNS if column in table)
        made_on = table["made_on"] if "made_on" in table else table[day_of]  # on a day that ran
        known = table[
            np.logical_and.reduce(
                [
                    day.isin([f"{session}" for session in alone]) | (day < f"{days[0]}")
                    for day in (table[day_of], made_on)
                ]
            )
        ]
        pd.testing.assert_frame_equal(known.reset_index(drop=True), one_by_one[name], obj=name)
    assert len(at_once["portfolio_snapshots"]) == 120
    for results, sessions in ((one_by_one, alone), (at_once, days)):
        rows = results["forecast_outcomes"]
        completed = rows[rows["completed_on"] >= f"{days[0]}"].groupby("kind")["completed_on"]
        assert set(completed.get_group("volatility")) == {f"{day}" for day in sessions}
        n_after_another = sum(
            trading_calendar.previous_session(day) in sessions for day in sessions
        )
        assert completed.get_group("value_at_risk").nunique() == n_after_another


_INPUTS = (
    "market_data_cache",
    "company_profiles",
    "benchmarks_sector_weights",
    "stress_scenarios",
    "har_coefficients",
    "positions",
)


def test_the_order_in_which_inputs_are_stored_changes_no_bit_of_a_result(
    computed_template: ComputedSample, sample: str, run: Run
) -> None:
    """Rewrite the same rows in another physical order."""
    with open_connection(sample) as connection:
        for name in _INPUTS:
            before = connection.scalars(sa.text(f"SELECT t::text FROM {name} t")).all()
            connection.execute(
                sa.text(f"CREATE TEMP TABLE moved ON COMMIT DROP AS SELECT * FROM {name}")
            )
            connection.execute(sa.text(f"DELETE FROM {name}"))
            connection.execute(
                sa.text(f"INSERT INTO {name} SELECT * FROM moved t ORDER BY md5(ctid::text)")
            )
            connection.execute(sa.text("DROP TABLE moved"))
            after = connection.scalars(sa.text(f"SELECT t::text FROM {name} t")).all()
            assert sorted(before) == sorted(after), name
            assert before != after, name
    assert run([DAY]).exit_code == 0
    shuffled = read_results(sample)
    for name, table in read_results(computed_template.url).items():
        pd.testing.assert_frame_equal(table, shuffled[name], obj=name)

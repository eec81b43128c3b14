"""Track records in Postgres: what is read when forecasts complete, and sums over outcomes."""

from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
import statsmodels.api as sm
from numpy.testing import assert_allclose

from riskmetrics import trading_calendar
from riskmetrics.catalog.track_records import TRACKED_FORECASTS, ForecastKind
from riskmetrics.db import result_writes, tables, track_record_queries, write
from riskmetrics.metrics.tail_risk import kupiec
from riskmetrics.present.track_record import read_track_record

LAST = date(2024, 12, 6)
DAYS = trading_calendar.sessions_with_lookback([LAST], 300)
BEFORE, DAY = date(2024, 12, 4), date(2024, 12, 5)
METHODS = ("filtered", "historical")


@pytest.fixture
def portfolios(connection: sa.Connection) -> dict[str, str]:
    """Create three portfolios, of which one is deleted; return their ids by name."""
    found = {}
    for name in ("P", "Q", "deleted"):
        statement = (
            sa.insert(tables.portfolios)
            .values(
                name=name,
                currency="USD",
                deleted_at=sa.func.now() if name == "deleted" else None,
            )
            .returning(tables.portfolios.c.id)
        )
        found[name] = str(connection.scalar(statement))
    return found


def store(connection: sa.Connection, rows: pd.DataFrame, table: sa.Table) -> None:
    write.upsert_rows(connection, table, rows, key=result_writes.row_key(table))


def outcomes(portfolios: dict[str, str], kind: str, **columns: object) -> pd.DataFrame:
    """Rows of every portfolio and method, one for each session."""
    frames = [
        pd.DataFrame(
            {
                "subject": key,
                "portfolio_id": key,
                "made_on": pd.to_datetime(DAYS[:-1]),
                "completed_on": pd.to_datetime(DAYS[1:]),
                "kind": kind,
                "method": method,
                "horizon": 1,
                "in_sample": False,
            }
            | columns
        )
        for key in portfolios.values()
        for method in METHODS
    ]
    return pd.concat(frames, ignore_index=True)


@pytest.fixture
def value_at_risk(connection: sa.Connection, portfolios: dict[str, str]) -> pd.DataFrame:
    """Store random values at risk and losses; ten outcomes of P are missing."""
    rng = np.random.default_rng(7)
    rows = outcomes(portfolios, "value_at_risk", level=0.95)
    n_days = len(DAYS) - 1
    losses = np.tile(0.01 * rng.standard_normal((len(portfolios), 1, n_days)), (1, 2, 1)).ravel()
    rows = rows.assign(
        forecast=0.0165 * np.exp(0.2 * rng.standard_normal(len(rows))),
        outcome=losses,
        shortfall_forecast=0.0206,
    )
    rows.loc[(rows["subject"] == portfolios["P"]) & (rows.index % n_days < 10), "outcome"] = np.nan
    excess = rows["outcome"] - rows["forecast"]
    rows["forecast_loss"] = np.maximum(0.95 * excess, -0.05 * excess).where(excess.notna())
    store(connection, rows, tables.forecast_outcomes)
    names = {key: name for name, key in portfolios.items()}
    return rows.assign(name=rows["subject"].map(names))[rows["subject"] != portfolios["deleted"]]


@pytest.mark.usefixtures("value_at_risk")
def test_forecasts_that_complete_later_do_not_count(connection: sa.Connection) -> None:
    sums = track_record_queries.read_daily_sums(connection, ForecastKind.VALUE_AT_RISK, DAYS[100])
    assert sums["made_on"].max() == pd.Timestamp(DAYS[99])
    assert track_record_queries.read_exception_counts(connection, DAYS[0]).empty


def test_scores_are_those_of_pandas_and_t_is_that_of_statsmodels(
    connection: sa.Connection, value_at_risk: pd.DataFrame
) -> None:
    """Oracle: a regression of the daily differences on 1 with a HAC covariance."""
    scores = read_track_record(connection, LAST).scores.set_index("method")
    assert scores["subject"].eq("portfolios").all()
    daily = value_at_risk.pivot_table(index="made_on", columns="method", values="forecast_loss")
    difference = (daily["filtered"] - daily["historical"]).to_numpy()
    fitted = sm.OLS(difference, np.ones(len(difference))).fit(
        cov_type="HAC", cov_kwds={"maxlags": 3, "use_correction": False}
    )
    assert_allclose(scores.loc["historical", "t"], fitted.tvalues[0], rtol=1e-9)
    assert np.isnan(scores.loc["filtered", "t"])
    known = value_at_risk[value_at_risk["outcome"].notna()]
    for method, own in known.groupby("method"):
        row = scores.loc[method]
        exceeded = own["outcome"] > own["forecast"]
        assert row["n_obs"] == len(own) == 2 * 300 - 10
        assert_allclose(row["loss"], own["forecast_loss"].mean(), rtol=1e-12)
        assert_allclose(row["coverage"], 1 - exceeded.mean(), rtol=1e-12)
        assert_allclose(row["bias"], exceeded.mean() / 0.05 - 1, rtol=1e-9)
    losses = known.groupby("method")["forecast_loss"].sum()
    assert_allclose(
        scores.loc["historical", "loss_ratio"], losses["filtered"] / losses["historical"]
    )


def test_exceptions_are_those_of_a_loop_over_days(
    connection: sa.Connection, value_at_risk: pd.DataFrame
) -> None:
    record = read_track_record(connection, portfolio="P")
    counts = track_record_queries.read_exception_counts(connection)
    assert set(counts["subject"]) == {"P", "Q"}
    for row in counts.itertuples():
        own = value_at_risk[
            (value_at_risk["name"] == row.subject) & (value_at_risk["method"] == row.method)
        ]
        exceeded = [
            None if np.isnan(loss) else loss > limit
            for loss, limit in zip(own["outcome"], own["forecast"], strict=True)
        ]
        pairs = [f"n_{int(a)}{int(b)}" for a, b in pairwise(exceeded) if None not in (a, b)]
        for name in ("n_00", "n_01", "n_10", "n_11"):
            assert getattr(row, name) == pairs.count(name)
        beyond = own[own["outcome"] > own["forecast"]]
        assert row.n_tested == own["outcome"].notna().sum()
        assert row.exceptions == len(beyond)
        assert_allclose(row.losses_beyond, beyond["outcome"].sum(), rtol=1e-12)
        assert_allclose(row.shortfalls, 0.0206 * len(beyond), rtol=1e-12)
        assert_allclose(row.relative_losses, beyond["outcome"].sum() / 0.0206, rtol=1e-12)
    assert set(record.tests["subject"]) == set(record.scores["subject"]) == {"P"}
    tested = record.tests.set_index("method").loc["filtered"]
    own = counts[(counts["subject"] == "P") & (counts["method"] == "filtered")].iloc[0]
    oracle = kupiec(np.array([own["exceptions"]]), np.array([own["n_tested"]]), level=0.95)
    assert_allclose(tested["kupiec_p"], oracle.p_value[0])
    assert_allclose(tested["z2"], 1 - own["relative_losses"] / (own["n_tested"] * 0.05))
    assert_allclose(tested["shortfall_ratio"], own["losses_beyond"] / own["shortfalls"])


def test_a_gap_between_sessions_is_no_pair(
    connection: sa.Connection, portfolios: dict[str, str]
) -> None:
    """Exceptions on Monday and Wednesday; Tuesday was not computed."""
    rows = outcomes({"P": portfolios["P"]}, "value_at_risk", level=0.99, forecast=0.01)
    rows = rows.assign(outcome=0.02, forecast_loss=0.0099, shortfall_forecast=0.012)
    rows = rows[(rows["method"] == "filtered")].iloc[[0, 2, 3]]
    store(connection, rows, tables.forecast_outcomes)
    (found,) = track_record_queries.read_exception_counts(connection).to_dict("records")
    assert [found[name] for name in ("n_tested", "exceptions")] == [3, 3]
    assert [found[f"n_{pair}"] for pair in ("00", "01", "10", "11")] == [0, 0, 0, 1]


@pytest.mark.parametrize(("n_tested", "is_tested"), [(125, False), (126, True)])
def test_a_test_needs_126_sessions_and_says_so(
    connection: sa.Connection, portfolios: dict[str, str], n_tested: int, is_tested: bool
) -> None:
    rows = outcomes({"P": portfolios["P"]}, "value_at_risk", level=0.99, forecast=0.03)
    rows = rows.assign(outcome=0.001, forecast_loss=0.0003)[rows["method"] == "filtered"]
    store(connection, rows.iloc[:n_tested], tables.forecast_outcomes)
    row = read_track_record(connection).tests.iloc[0]
    assert pd.notna(row["kupiec_p"]) == is_tested
    assert row["traffic_light"] == ("green" if is_tested else "")
    required = f"{n_tested} sessions are completed; 126 required for a test"
    assert row["remark"] == ("" if is_tested else required)


def test_no_exception_in_a_year_at_99_is_called_no_evidence(
    connection: sa.Connection, portfolios: dict[str, str]
) -> None:
    rows = outcomes({"P": portfolios["P"]}, "value_at_risk", level=0.99, forecast=0.03)
    rows = rows.assign(outcome=0.001, forecast_loss=0.0003)[rows["method"] == "filtered"]
    store(connection, rows.iloc[-252:], tables.forecast_outcomes)
    row = read_track_record(connection).tests.iloc[0]
    assert row["remark"] == (
        "a p-value of 0.024 is no evidence: a correct model has at most 0 exceptions in 252"
        " sessions with a probability of 7.9%"
    )


def test_volatility_is_judged_by_class_and_by_its_variance(connection: sa.Connection) -> None:
    """By hand: (0.1² + 0.3²) / (0.2² + 0.2²) - 1 = 25 %; a fund is apart from a stock."""
    connection.execute(
        sa.insert(tables.company_profiles).values(
            symbol="FUND", is_etf=True, is_fund=False, data_source="test"
        )
    )
    rows = pd.DataFrame(
        {
            "subject": ["X", "Y", "FUND"],
            "made_on": pd.Timestamp(BEFORE),
            "completed_on": pd.Timestamp(DAY),
            "kind": "volatility",
            "method": "har",
            "horizon": 21,
            "level": 0.0,
            "forecast": 0.05,
            "root_variance": [0.1, 0.3, 0.2],
            "low": 0.15,
            "high": [0.25, 0.15, 0.2],
            "outcome": 0.2,
            "forecast_loss": [1.0, 0.5, 0.0],
            "in_sample": False,
        }
    )
    rows = pd.concat(
        [rows.assign(made_on=pd.Timestamp(day)) for day in DAYS[:20]], ignore_index=True
    )
    store(connection, rows, tables.forecast_outcomes)
    scores = read_track_record(connection).scores.set_index("subject")
    assert_allclose(
        scores.loc["stocks", ["loss", "bias", "coverage"]].astype(float), [0.75, 0.25, 0.5]
    )
    assert_allclose(
        scores.loc["funds", ["loss", "bias", "coverage"]].astype(float), [0, 0, 1], atol=1e-12
    )
    assert scores["nominal"].eq(0.8).all()
    each = read_track_record(connection, by_subject=True).scores
    assert each["subject"].tolist() == ["FUND", "X", "Y"]


@pytest.mark.parametrize(("n_forecasts", "is_scored"), [(1, False), (19, False), (20, True)])
def test_scores_need_20_forecasts_and_say_so(
    connection: sa.Connection, portfolios: dict[str, str], n_forecasts: int, is_scored: bool
) -> None:
    """One exception of a value at risk at 95% is 20 times the expected number in one session."""
    rows = outcomes({"P": portfolios["P"]}, "value_at_risk", level=0.95, forecast=0.01)
    rows = rows.assign(outcome=0.02, forecast_loss=0.0095, shortfall_forecast=0.016)
    rows = rows[rows["method"] == "filtered"]
    store(connection, rows.iloc[:n_forecasts], tables.forecast_outcomes)
    record = read_track_record(connection)
    score = record.scores.iloc[0]
    assert score["n_obs"] == n_forecasts
    assert score[["loss", "bias", "coverage"]].notna().tolist() == [is_scored] * 3
    for tests in (record.tests, record.pooled_tests):
        assert pd.notna(tests["shortfall_ratio"].iloc[0]) == is_scored
    reason = "scores need 20 forecasts with an outcome"
    assert record.describe_missing() == ("" if is_scored else reason)


def test_stored_forecasts_are_read_by_method_when_they_complete(
    connection: sa.Connection, portfolios: dict[str, str]
) -> None:
    """The normal value at risk is in sample as the volatility forecast that it is made of."""
    owners = pd.Series(portfolios.values())
    common = {"observations": 504, "day": pd.Timestamp(DAY)}
    tail = pd.concat(
        pd.DataFrame(
            {"portfolio_id": owners, "method": method, "level": 0.99, "horizon_days": horizon}
            | common
            | {"value_at_risk": value, "expected_shortfall": 2 * value if value else None}
        )
        for method, horizon, value in (
            ("filtered", 1, 0.02),
            ("filtered", 10, 0.06),
            ("parametric", 1, 0.03),
            ("historical", 1, None),
        )
    )
    store(connection, tail, tables.portfolio_tail_risk)
    flags = dict.fromkeys(("clipped", "short_history", "daily_lag_imputed"), False)
    forecast = pd.DataFrame(
        {"subject": owners, "portfolio_id": owners, "in_sample": True, "proxy": "close"}
        | common
        | flags
        | {"coefficients_version": "shipped-1", "volatility_forecast": 0.2}
    )
    store(connection, forecast, tables.volatility_forecasts)
    tracked = [each for each in TRACKED_FORECASTS if each.kind is ForecastKind.VALUE_AT_RISK]
    found = track_record_queries.read_forecasts(connection, tracked[0].table, tracked, [DAY])
    assert set(found["subject"]) == {portfolios["P"], portfolios["Q"]}
    rows = found.set_index("method").sort_index()
    assert rows["in_sample"].to_dict() == {"filtered": False, "parametric": True}
    assert rows.loc["filtered", "value"].tolist() == [0.02, 0.02]
    assert rows.loc["parametric", "expected_shortfall"].tolist() == [0.06, 0.06]
    assert rows["level"].eq(0.99).all()
    assert track_record_queries.read_forecasts(
        connection, tracked[0].table, tracked, [BEFORE]
    ).empty


def test_a_beta_is_read_once_however_many_positions_have_it(
    connection: sa.Connection, portfolios: dict[str, str]
) -> None:
    for name in ("P", "Q"):
        for kind, investment_class in (("LONG", "PUBLIC"), ("LC", "OPTIONS")):
            position = connection.scalar(
                sa.insert(tables.positions)
                .values(
                    portfolio_id=portfolios[name],
                    symbol="X",
                    underlying_symbol="X",
                    position_type=kind,
                    investment_class=investment_class,
                    quantity=1,
                    entry_date=BEFORE,
                )
                .returning(tables.positions.c.id)
            )
            is_option = kind == "LC"
            connection.execute(
                sa.insert(tables.position_market_betas).values(
                    portfolio_id=portfolios[name],
                    position_id=position,
                    calc_date=DAY,
                    beta=None if is_option else 1.25,
                    observations=0 if is_option else 90,
                    market_index="SPY",
                )
            )
    found = track_record_queries.read_betas(connection, [DAY])
    assert found.to_dict("records") == [
        {"subject": "X", "made_on": pd.Timestamp(DAY), "value": 1.25}
    ]

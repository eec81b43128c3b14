"""What became of forecasts: the outcome and the loss that belong to each."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from small_books import SESSIONS, book, lot, random_closes

from riskmetrics.catalog.track_records import TRACKED_FORECASTS, ForecastKind
from riskmetrics.metrics.forecast_score import FORECAST_HORIZON
from riskmetrics.results import track_records

MADE = SESSIONS[150:153]
DAYS = SESSIONS[171:174]


@pytest.fixture
def closes() -> pd.DataFrame:
    """Ten months of two symbols and the market."""
    return random_closes(["X", "Y"], np.random.default_rng(17))


def stored(kind: str, **columns: object) -> pd.DataFrame:
    """One forecast of symbol X made on the first day, as it is read when it completes."""
    names = ("root_variance", "expected_shortfall", "low", "high", "std_error", "level")
    row = dict.fromkeys(names, np.nan) | {
        "subject": "X",
        "portfolio_id": None,
        "made_on": pd.Timestamp(MADE[0]),
        "kind": kind,
        "method": "m",
        "in_sample": False,
    }
    return pd.DataFrame([row | columns])


def test_forecasts_are_complete_on_the_21st_session_after_them():
    assert track_records.forecast_sessions(DAYS, FORECAST_HORIZON) == MADE


def test_the_outcome_is_the_volatility_of_the_21_sessions_after_the_day(closes):
    """Root mean square returns by hand: of the symbol, and of the day's weights."""
    small = book(lot("X", 10), lot("Y", -5, position_type="SHORT"), closes=closes)
    rows = small.volatility_outcomes(*DAYS)
    assert set(rows["method"]) == {"har", "trailing_21d", "ewma_94", "ewma_97"}
    rows = rows[rows["method"] == "har"].set_index(["subject", "made_on"])
    returns = closes.pct_change()
    for made, day in zip(MADE, DAYS, strict=True):
        after = returns.loc[(returns.index > str(made)) & (returns.index <= str(day))]
        assert len(after) == 21
        values = closes.loc[str(made), ["X", "Y"]] * [10, -5]
        portfolio = after[["X", "Y"]] @ (values / values.sum())
        for subject, own in (("X", after["X"]), ("Y", after["Y"]), ("A", portfolio)):
            row = rows.loc[subject, pd.Timestamp(made)]
            assert_allclose(row["outcome"], np.sqrt(252 * np.mean(own**2)), rtol=1e-9)
            ratio = (row["outcome"] / row["root_variance"]) ** 2
            assert_allclose(row["forecast_loss"], ratio - np.log(ratio) - 1, rtol=1e-9)
            assert row["completed_on"] == pd.Timestamp(day)
    assert rows["undefined_reason"].isna().all()


def test_the_loss_of_a_portfolio_is_that_of_the_holdings_of_the_forecast(closes):
    """By hand, over one session and compounded over two."""
    small = book(lot("X", 10), lot("Y", 5), closes=closes)
    made = MADE[0]
    valued = small.value_with_deltas(made)
    values = closes.loc[str(made), ["X", "Y"]] * [10, 5]
    returns = closes.pct_change()[["X", "Y"]] @ (values / values.sum())
    after = returns[returns.index > str(made)]
    for horizon in (1, 2):
        last = SESSIONS[150 + horizon]
        found = track_records.portfolio_loss_outcomes(small.returns(horizon, last), valued, horizon)
        expected = 1 - np.prod(1 + after.iloc[:horizon])
        assert_allclose(found.values, [[expected]], rtol=1e-9)


def test_a_price_that_ends_leaves_no_outcome_and_says_so(closes):
    closes.loc[str(SESSIONS[161]) :, "X"] = np.nan
    rows = book(lot("X", 10), closes=closes).volatility_outcomes(*DAYS)
    rows = rows[rows["method"] == "har"].set_index(["subject", "made_on"])
    row = rows.loc["X", pd.Timestamp(MADE[0])]
    assert np.isnan(row["outcome"])
    assert np.isnan(row["forecast_loss"])
    assert (
        row["undefined_reason"] == "10 returns in the 21 sessions after the forecast; 15 required"
    )


@pytest.mark.parametrize(("n_returns", "is_defined"), [(14, False), (15, True)])
def test_an_outcome_needs_just_enough_returns(closes, n_returns, is_defined):
    closes.loc[str(SESSIONS[151 + n_returns]) :, "X"] = np.nan
    rows = book(lot("X", 10), closes=closes).volatility_outcomes(*DAYS)
    first = rows[(rows["subject"] == "X") & (rows["made_on"] == pd.Timestamp(MADE[0]))]
    assert len(first) == 4
    assert first["outcome"].notna().eq(is_defined).all()


def test_a_price_that_does_not_move_has_an_outcome_and_no_loss():
    rows = track_records.outcome_rows(
        stored("volatility", horizon=21, value=0.2), DAYS, np.array([0.0]), np.array([21])
    )
    assert rows["outcome"].tolist() == [0.0]
    assert np.isnan(rows["forecast_loss"]).all()
    assert rows["undefined_reason"].tolist() == [track_records.NO_MOVE]


def test_a_beta_is_judged_by_the_beta_that_is_stored_when_its_window_ends():
    """By hand: band 1.1 ± 1.96 × 0.1, squared error 0.04; the other symbol has none."""
    days = SESSIONS[90:91]
    forecasts = pd.concat(
        stored("beta", horizon=90, value=1.1, std_error=0.1, subject=subject)
        for subject in ("X", "Y")
    ).assign(made_on=pd.Timestamp(SESSIONS[0]))
    betas = pd.DataFrame({"subject": ["X"], "made_on": pd.to_datetime(days), "value": [1.3]})
    found = track_records.look_up(forecasts, SESSIONS[:1], track_records.beta_outcomes(betas, days))
    rows = track_records.outcome_rows(forecasts.reset_index(drop=True), days, *found)
    assert_allclose(rows["forecast_loss"], [0.04, np.nan])
    assert_allclose(rows["low"], 1.1 - 0.196)
    assert_allclose(rows["high"], 1.1 + 0.196)
    assert rows["undefined_reason"].tolist()[1] == f"no beta of Y is stored on {days[0]}"


def test_a_value_at_risk_costs_by_its_level_and_says_what_is_missing():
    """By hand: 0.99 × (0.03 - 0.02)."""
    var = stored(
        "value_at_risk", horizon=1, value=0.02, expected_shortfall=0.025, level=0.99,
        portfolio_id="P",
    )  # fmt: skip
    days = SESSIONS[151:152]
    row = track_records.outcome_rows(var, days, np.array([0.03]), np.array([1])).iloc[0]
    assert_allclose([row["forecast_loss"], row["shortfall_forecast"]], [0.0099, 0.025])
    assert row["level"] == 0.99
    missing = track_records.outcome_rows(var, days, np.array([np.nan]), np.array([0]))
    assert missing["undefined_reason"].tolist() == [
        "0 returns in the 1 session after the forecast; 1 required, each of 80% of gross exposure"
    ]


def test_every_kind_has_methods_to_compare_the_first_one_with():
    first = {ForecastKind.VOLATILITY: "har", ForecastKind.VALUE_AT_RISK: "filtered"}
    for kind in ForecastKind:
        own = [tracked for tracked in TRACKED_FORECASTS if tracked.kind is kind]
        assert own[0].method == first.get(kind, "decayed")
        assert len(own) > 1
        keys = [(tracked.method, tracked.horizon) for tracked in own]
        assert len(set(keys)) == len(keys)

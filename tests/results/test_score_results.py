"""What became of forecasts: the outcome that belongs to each, and how they did on the whole."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from small_books import SESSIONS, book, lot, random_closes

from riskmetrics.metrics.forecast_score import FORECAST_HORIZON
from riskmetrics.results import forecasts, score_results

MADE = SESSIONS[150:153]
DAYS = SESSIONS[171:174]


@pytest.fixture
def closes() -> pd.DataFrame:
    """Ten months of two symbols and the market."""
    return random_closes(["X", "Y"], np.random.default_rng(17))


def scored(closes: pd.DataFrame, *lots: dict[str, object]) -> pd.DataFrame:
    """Forecasts of symbols and portfolios made on three days, scored on the days on which they are
    complete.
    """
    of = book(*lots, closes=closes)
    made = pd.concat(
        [
            forecasts.symbol_forecasts(of.symbol_volatility(*MADE), of.lots, MADE),
            forecasts.portfolio_forecasts(of.value_book(*MADE), of.portfolio_volatility(*MADE)),
        ]
    )
    return score_results.score_rows(
        made, DAYS, of.returns(FORECAST_HORIZON, *DAYS), of.value_book(*MADE)
    )


def test_forecasts_are_complete_on_the_21st_session_after_them():
    assert score_results.forecast_sessions(DAYS) == MADE


def test_the_outcome_is_the_volatility_of_the_21_sessions_after_the_day(closes):
    """Root mean square returns by hand: of the symbol, and of the day's weights."""
    rows = scored(closes, lot("X", 10), lot("Y", -5, position_type="SHORT")).set_index(
        ["subject", "day"]
    )
    returns = closes.pct_change()
    for made, day in zip(MADE, DAYS, strict=True):
        after = returns.loc[(returns.index > str(made)) & (returns.index <= str(day))]
        assert len(after) == 21
        values = closes.loc[str(made), ["X", "Y"]] * [10, -5]
        portfolio = after[["X", "Y"]] @ (values / values.sum())
        for subject, own in (("X", after["X"]), ("Y", after["Y"]), ("A", portfolio)):
            row = rows.loc[subject, pd.Timestamp(made)]
            assert_allclose(row["realized"], np.sqrt(252 * np.mean(own**2)), rtol=1e-9)
            assert row["completed_on"] == pd.Timestamp(day)
    assert rows["undefined_reason"].isna().all()


def test_a_price_that_ends_leaves_no_outcome_and_says_so(closes):
    closes.loc[str(SESSIONS[161]) :, "X"] = np.nan
    rows = scored(closes, lot("X", 10)).set_index(["subject", "day"])
    row = rows.loc["X", pd.Timestamp(MADE[0])]
    assert np.isnan(row["realized"])
    assert (
        row["undefined_reason"] == "10 returns in the 21 sessions after the forecast; 15 required"
    )


def test_a_summary_pools_every_pair_and_keeps_what_was_seen_apart():
    """By hand: QLIKE of x = 4 is 4 - ln 4 - 1; forecasts twice too low have a bias of -50 %."""
    days = pd.to_datetime(SESSIONS[:80])
    table = pd.DataFrame(
        {
            "subject": np.tile(["X", "Y"], 80),
            "day": days.repeat(2),
            "portfolio_id": None,
            "in_sample": np.arange(160) < 80,
            "realized": 0.2,
            "low": 0.05,
            "high": 0.15,
            **dict.fromkeys(("volatility_forecast", "root_variance_forecast"), 0.1),
            **dict.fromkeys(("trailing_21d", "ewma_94", "ewma_97"), 0.2),
        }
    )
    found = score_results.summarize_scores(table).set_index(["in_sample", "model", "subject"])
    assert len(found) == 2 * 4 * 3
    for in_sample in (True, False):
        ours = found.loc[in_sample, "forecast", "(all)"]
        assert_allclose(
            ours[["qlike", "rmse", "bias", "coverage"]].astype(float),
            [3 - np.log(4), 0.1, -0.5, 0.0],
            rtol=1e-12,
        )
        assert found.loc[in_sample, "ewma_94", "X"]["qlike"] == 0
        assert ours["n_obs"] == 80


def test_pairs_that_are_left_out_are_counted():
    """Of ten pairs one has no outcome and two lack a model; of the other seven, one outcome is 0:
    it has no QLIKE.
    """
    figures = dict.fromkeys(
        (
            "realized",
            "volatility_forecast",
            "root_variance_forecast",
            "low",
            "high",
            "trailing_21d",
            "ewma_94",
            "ewma_97",
        ),
        0.2,
    )
    table = pd.DataFrame(
        {
            "subject": "X",
            "day": pd.to_datetime(SESSIONS[:10]),
            "portfolio_id": None,
            "in_sample": False,
            **figures,
        }
    )
    table.loc[0, "realized"] = np.nan
    table.loc[1, "trailing_21d"] = np.nan
    table.loc[2, "ewma_97"] = np.nan
    table.loc[3, "realized"] = 0.0
    found = score_results.summarize_scores(table).set_index(["model", "subject"])
    assert found.loc[
        ("forecast", score_results.POOLED), ["n_obs", "n_zero", "n_incomplete"]
    ].tolist() == [7, 1, 3]
    assert found["qlike"].eq(0).all()


def test_no_forecast_at_all_has_an_empty_summary(closes):
    assert score_results.summarize_scores(scored(closes).iloc[:0]).empty

"""Betas of positions and portfolios."""

from datetime import date

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from small_books import MARKET, SESSIONS, book, lot, random_closes

from riskmetrics.errors import MissingPricesError
from riskmetrics.results import betas, snapshots
from riskmetrics.results.beta_reference_check import max_abs_difference

DAY = SESSIONS[150]
_CALL = {"position_type": "LC", "investment_class": "OPTIONS", "strike_price": 10.0}


@pytest.fixture
def closes():
    return random_closes(["X", "Y", "Z"], np.random.default_rng(7))


def of_positions(of, *days):
    return betas.position_rows(of.betas(*days), of.lots, days, betas.MARKET_BETA_TABLE)


def of_portfolio(of, day=DAY):
    rows, coverage, undefined = snapshots.beta_rows(of.value_book(day), of.betas(day), of.profiles)
    return (
        rows.iloc[0],
        coverage.set_index("metric"),
        undefined.set_index("metric")["reason"].rename(lambda name: name.partition(".")[2]),
    )


def test_a_position_has_the_beta_of_its_symbol_over_the_ninety_sessions_to_the_day(closes):
    """Oracle: scipy's linregress on the last 90 returns."""
    rows, undefined = of_positions(book(lot("Y", 3), closes=closes), DAY)
    window = closes.loc[: str(DAY)].iloc[-91:]
    expected = stats.linregress(
        *(window[name].to_numpy()[1:] / window[name].to_numpy()[:-1] - 1 for name in (MARKET, "Y"))
    )
    found = rows.iloc[0][["beta", "alpha", "std_error", "p_value", "r_squared"]].tolist()
    assert_allclose(
        found,
        [expected.slope, expected.intercept, expected.stderr, expected.pvalue, expected.rvalue**2],
        rtol=1e-9,
    )
    assert rows.iloc[0][["observations", "window_days", "method", "market_index"]].tolist() == [
        90,
        90,
        "OLS_SIMPLE",
        MARKET,
    ]
    assert undefined.empty


def test_only_positions_open_on_a_day_have_a_row_for_it(closes):
    """Entered on the second day, left on the third: held at the close of the second alone."""
    rows, _ = of_positions(
        book(lot("X", 1, entry_date=SESSIONS[151], exit_date=SESSIONS[152]), closes=closes),
        *SESSIONS[150:153],
    )
    assert rows["calc_date"].dt.date.tolist() == [SESSIONS[151]]


def test_too_few_returns_leave_a_beta_undefined_with_their_number(closes):
    """60 closes are 59 returns; one more is enough."""
    closes.loc[: str(SESSIONS[90]), "X"] = np.nan
    rows, undefined = of_positions(book(lot("X", 1), closes=closes), DAY, SESSIONS[151])
    assert rows["observations"].tolist() == [59, 60]
    assert_array_equal(rows["beta"].isna(), [True, False])
    assert set(undefined["reason"]) == {
        "59 paired returns in the trailing 90 sessions; 60 required"
    }
    assert undefined["n_obs"].tolist() == [59] * 5


def test_an_option_has_no_beta_of_its_own_and_says_so(closes):
    rows, undefined = of_positions(book(lot("X", 1, **_CALL), lot("X", 1), closes=closes), DAY)
    assert_array_equal(rows["beta"].isna(), [True, False])
    assert set(undefined["reason"]) == {
        "an option or a private holding has no return series of its own"
    }
    assert undefined["n_obs"].isna().all()  # there is nothing to count


def test_a_price_that_does_not_move_has_beta_zero_and_no_r_squared(closes):
    rows, undefined = of_positions(book(lot("X", 1), closes=closes.assign(X=5.0)), DAY)
    assert rows[["beta", "std_error"]].to_numpy().tolist() == [[0, 0]]
    assert undefined["metric"].tolist() == [
        "position_market_betas.r_squared",
        "position_market_betas.p_value",
    ]
    assert set(undefined["reason"]) == {"the price did not move in the window"}


def test_a_market_that_does_not_move_leaves_all_undefined(closes):
    of = book(lot("X", 1), closes=closes.assign(**{MARKET: 5.0}))
    _, undefined = of_positions(of, DAY)
    assert set(undefined["reason"]) == {"the market index did not move in the window"}
    _, _, reasons = of_portfolio(of)
    assert reasons["beta_portfolio_regression"] == "the market index did not move in the window"


def test_a_day_without_the_markets_close_is_refused_by_name(closes):
    closes.loc[str(DAY), MARKET] = np.nan
    with pytest.raises(MissingPricesError, match=f"no close of {MARKET} on {DAY}"):
        book(lot("X", 1), closes=closes).betas(DAY)


def test_a_portfolio_of_one_position_without_cash_has_the_beta_of_its_symbol(closes):
    of = book(lot("X", 7), closes=closes)
    position = of_positions(of, DAY)[0].iloc[0]
    row, coverage, _ = of_portfolio(of)
    found = row[
        [
            "beta_calculated_90d",
            "beta_calculated_90d_r_squared",
            "beta_calculated_90d_observations",
            "beta_portfolio_regression",
        ]
    ]
    assert_allclose(
        found.tolist(), position[["beta", "r_squared", "observations", "beta"]].tolist(), rtol=1e-9
    )
    assert coverage.loc["beta", ["coverage", "n_covered", "n_total"]].tolist() == [1, 1, 1]


def test_weighted_betas_equal_the_regression_of_the_portfolio_with_complete_data(closes):
    """Sum of w x beta is exact for least squares; long, short and cash."""
    of = book(
        lot("X", 100),
        lot("Y", -40, position_type="SHORT"),
        lot("Z", 5),
        closes=closes,
        equity={"A": (20_000.0, SESSIONS[100])},
    )
    row, _, _ = of_portfolio(of)
    assert_allclose(row["beta_calculated_90d"], row["beta_portfolio_regression"], rtol=1e-9)


def test_half_in_cash_is_half_the_beta(closes):
    value = float(closes.loc[str(DAY), "X"])
    invested, _, _ = of_portfolio(book(lot("X", 1), closes=closes))
    half, _, _ = of_portfolio(book(lot("X", 1), closes=closes, equity={"A": (2 * value, DAY)}))
    columns = ["beta_calculated_90d", "beta_portfolio_regression"]
    assert_allclose(half[columns].tolist(), (invested[columns] / 2).tolist(), rtol=1e-12)


def test_without_positive_equity_there_is_no_beta(closes):
    """A short position alone: equity is -100 % of gross exposure."""
    row, coverage, undefined = of_portfolio(
        book(lot("X", -7, position_type="SHORT"), closes=closes)
    )
    assert row[list(snapshots._BETA_COLUMNS)].isna().all()
    assert coverage.loc["beta", "coverage"] == 1
    assert set(undefined) == {"equity is -100.0% of gross exposure; 5% required"}


def test_positions_without_a_beta_are_left_out_and_the_rest_stands_for_them(closes):
    """A private holding of 10 % of gross: the beta is that of the other 90 %."""
    value = float(closes.loc[str(DAY), "X"])
    private = lot("FUND", 1, investment_class="PRIVATE", market_value=value)
    row, coverage, _ = of_portfolio(book(lot("X", 9), private, closes=closes))
    alone, _, _ = of_portfolio(book(lot("X", 9), closes=closes))
    assert_allclose(row["beta_calculated_90d"], alone["beta_calculated_90d"], rtol=1e-4)
    assert_allclose(row["beta_portfolio_regression"], alone["beta_portfolio_regression"], rtol=1e-4)
    assert_allclose(coverage.loc["beta", "coverage"], 0.9, rtol=1e-4)
    assert coverage.loc["beta", ["n_covered", "n_total"]].tolist() == [1, 2]


def test_below_four_fifths_of_gross_a_portfolio_has_no_beta_but_its_coverage(closes):
    """A private holding of a quarter of gross."""
    value = float(closes.loc[str(DAY), "X"])
    private = lot("FUND", 1, investment_class="PRIVATE", market_value=round(value, 2))
    row, coverage, reasons = of_portfolio(book(lot("X", 3), private, closes=closes))
    assert row.drop(["portfolio_id", "snapshot_date"]).isna().all()
    assert (
        reasons["beta_calculated_90d"]
        == "positions with a beta make up 75.0% of gross exposure; 80% required"
    )
    assert (
        reasons["beta_provider_1y"]
        == "positions with a vendor's beta make up 0.0% of gross exposure; 80% required"
    )
    assert (
        reasons["beta_portfolio_regression"]
        == "0 of the trailing 90 sessions have returns of the market index and of 80% of gross"
        " exposure; 60 required"
    )
    assert_allclose(coverage.loc["beta", "coverage"], 0.75, rtol=1e-3)


def test_a_portfolio_whose_history_starts_within_the_window_counts_its_days(closes):
    closes.loc[: str(SESSIONS[110]), "X"] = np.nan
    _, _, reasons = of_portfolio(book(lot("X", 1), closes=closes))
    assert reasons["beta_portfolio_regression"].startswith(
        "39 of the trailing 90 sessions have returns"
    )
    assert (
        reasons["beta_calculated_90d"]
        == "positions with a beta make up 0.0% of gross exposure; 80% required"
    )


def test_holdings_that_do_not_move_have_beta_zero_and_say_why_r_squared_is_missing(closes):
    row, _, reasons = of_portfolio(book(lot("X", 1), closes=closes.assign(X=5.0)))
    assert row["beta_calculated_90d"] == 0
    assert (
        reasons["beta_calculated_90d_r_squared"]
        == "no position with a beta has an R²: none of their prices moved in the window"
    )


def test_an_empty_portfolio_has_no_beta_and_no_coverage(closes):
    row, coverage, reasons = of_portfolio(book(closes=closes, equity={"A": (1000.0, SESSIONS[0])}))
    assert row.drop(["portfolio_id", "snapshot_date"]).isna().all()
    assert set(reasons) == {"the portfolio holds nothing with a value"}
    assert coverage.empty


def test_the_vendors_betas_are_weighted_by_value_and_not_given_to_options():
    """100 in X (beta 1.2) and 300 in Y (0.8): 0.9; the option on X has no beta, 10 of 410."""
    flat = random_closes(["X", "Y"], np.random.default_rng(1)).assign(X=10.0, Y=30.0)
    option = lot("X", 1, last_price=0.1, **_CALL)
    of = book(
        lot("X", 10),
        lot("Y", 10),
        option,
        closes=flat,
        profiles={"X": ("Energy", False, 1.2), "Y": (None, False, 0.8)},
    )
    row, coverage, _ = of_portfolio(of)
    assert_allclose(
        row["beta_provider_1y"], (100 * 1.2 + 300 * 0.8) / 410 / (400 / 410), rtol=1e-12
    )
    assert coverage.loc["provider_beta", ["n_covered", "n_total"]].tolist() == [2, 3]


def test_statsmodels_agrees_with_stored_betas_and_finds_a_wrong_one():
    closes = random_closes(["X", "Y"], np.random.default_rng(3), missing=0.05)
    of = book(lot("X", 1), lot("Y", 1), closes=closes)
    rows, _ = of_positions(of, SESSIONS[150], SESSIONS[151])
    rows["symbol"] = rows["position_id"].map(of.lots.set_index("position_id")["symbol"])
    assert max_abs_difference(rows, closes) < 1e-12
    rows.loc[2, "std_error"] += 1e-3
    assert_allclose(max_abs_difference(rows, closes), 1e-3, rtol=1e-6)


def test_days_that_do_not_follow_each_other_are_refused(closes):
    with pytest.raises(ValueError, match="2 sessions need 2 windows, not 11"):
        of_positions(book(lot("X", 1), closes=closes), SESSIONS[150], SESSIONS[160])


def test_a_price_that_nobody_paid_moves_no_beta_whatever_is_known_of_it(closes):
    """A tick of a tenth is unconfirmed on its own day, and known to be bad from the next on."""
    clean = book(lot("X", 1), closes=closes.copy())
    closes.loc[str(SESSIONS[140]), "X"] /= 10
    ticked = book(lot("X", 1), closes=closes)
    on_the_day, later = (
        of_positions(ticked, SESSIONS[140])[0],
        of_positions(ticked, SESSIONS[141])[0],
    )
    assert on_the_day["observations"].tolist() == [89]
    assert later["observations"].tolist() == [88]
    assert_allclose(later["beta"], of_positions(clean, SESSIONS[141])[0]["beta"], atol=0.1)


def test_no_position_at_all_gives_no_row(closes):
    rows, undefined = of_positions(book(closes=closes), date(2024, 1, 3))
    assert rows.empty
    assert undefined.empty

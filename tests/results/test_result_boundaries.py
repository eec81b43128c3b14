"""Thresholds of results on their boundary: what is just enough counts, and one less does not."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from small_books import SESSIONS, book, contribution_rows, drawdown_rows, lot
from test_comparison import session

from riskmetrics.metrics.filtered_simulation import MIN_FILTER_OBS
from riskmetrics.metrics.tail_risk import MIN_OBS_95
from riskmetrics.results import (
    betas,
    comparison,
    price_history,
    pro_forma,
    tail_risk_results,
)

LAST = 207
DAY = SESSIONS[LAST - 1]


def moving(n_returns: int) -> dict[str, dict[date, float]]:
    """Return closes of X that give so many returns up to DAY, and all closes of the market."""
    market, own = np.random.default_rng(5).normal(0, 0.01, (2, len(SESSIONS)))
    closes = {name: 100 * np.cumprod(1 + moves) for name, moves in (("X", own), ("SPY", market))}
    first = LAST - 1 - n_returns
    return {
        "X": {SESSIONS[at]: closes["X"][at] for at in range(first, LAST)},
        "SPY": dict(zip(SESSIONS, closes["SPY"], strict=True)),
    }


@pytest.mark.parametrize(
    ("n_returns", "is_enough"),
    [(betas.MIN_PAIRED_RETURNS, True), (betas.MIN_PAIRED_RETURNS - 1, False)],
)
def test_a_beta_needs_just_enough_pairs_and_says_how_many_there_were(
    n_returns: int, is_enough: bool
) -> None:
    of = book(lot("X", 1), closes=moving(n_returns))
    rows, undefined = betas.position_rows(of.betas(DAY), of.lots, [DAY], betas.MARKET_BETA_TABLE)
    assert rows["beta"].notna().all() == is_enough
    if not is_enough:
        assert set(undefined["reason"]) == {
            f"{n_returns} paired returns in the trailing 90 sessions; {betas.MIN_PAIRED_RETURNS}"
            " required"
        }


@pytest.mark.parametrize(
    ("n_returns", "is_enough"),
    [(pro_forma.MIN_YEAR_OBS, True), (pro_forma.MIN_YEAR_OBS - 1, False)],
)
def test_contributions_and_drawdowns_need_just_half_a_year(n_returns: int, is_enough: bool) -> None:
    of = book(lot("X", 1), closes=moving(n_returns))
    valued, returns = of.value_book(DAY), of.returns(pro_forma.YEAR_WINDOW, DAY)
    for rows, figure in (
        (contribution_rows(valued, returns), "component"),
        (drawdown_rows(valued, returns), "current_drawdown"),
    ):
        assert rows[figure].notna().all() == is_enough
        assert rows["undefined_reason"].isna().all() == is_enough


@pytest.mark.parametrize(
    ("method", "n_returns", "defined"),
    [
        ("historical", MIN_OBS_95 - 1, set()),
        ("historical", MIN_OBS_95, {0.95}),
        ("filtered", MIN_FILTER_OBS + MIN_OBS_95 - 1, set()),
        ("filtered", MIN_FILTER_OBS + MIN_OBS_95, {0.95}),
    ],
)
def test_value_at_risk_needs_just_enough_losses(
    method: str, n_returns: int, defined: set[float]
) -> None:
    of = book(lot("X", 1), closes=moving(n_returns))
    valued, volatility = of.value_book(DAY), of.portfolio_volatility(DAY).figures
    rows, _ = tail_risk_results.tail_risk_rows(
        valued,
        of.returns(tail_risk_results.TAIL_RISK_WINDOW, DAY),
        volatility.root_variance_forecast,
        volatility.observations,
    )
    found = rows[(rows["method"] == method) & rows["value_at_risk"].notna()]
    assert set(found["level"].astype(float)) == defined


@pytest.mark.parametrize(("factor", "is_defined"), [(1.0, True), (1.0 - 1e-9, False)])
def test_a_simulated_loss_beyond_a_multiple_of_the_gross_value_is_undefined(
    factor: float, is_defined: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = book(lot("X", 1), closes=moving(MIN_OBS_95))
    valued, volatility = of.value_book(DAY), of.portfolio_volatility(DAY).figures

    def historical() -> pd.Series:
        rows, _ = tail_risk_results.tail_risk_rows(
            valued,
            of.returns(tail_risk_results.TAIL_RISK_WINDOW, DAY),
            volatility.root_variance_forecast,
            volatility.observations,
        )
        keys = (rows["method"] == "historical") & (rows["level"] == 0.95)
        return rows[keys & (rows["horizon_days"] == 1)].iloc[0]

    loss = historical()["expected_shortfall_amount"] / valued.gross_value[0, 0]
    monkeypatch.setattr(tail_risk_results, "MAX_LOSS_TO_GROSS", loss * factor)
    found = historical()
    assert np.isfinite(found["value_at_risk"]) == is_defined
    assert ("exceeds" in str(found["undefined_reason"])) == (not is_defined)


@pytest.mark.parametrize(
    ("n_tested", "is_tested"),
    [(tail_risk_results.MIN_BACKTEST_DAYS, True), (tail_risk_results.MIN_BACKTEST_DAYS - 1, False)],
)
def test_a_backtest_has_an_answer_from_half_a_year_of_days_on(
    n_tested: int, is_tested: bool
) -> None:
    of = book(lot("X", 1), closes=moving(50)).value_book(DAY)
    rows = tail_risk_results._backtest_rows(of, 0.95, np.array([[3]]), np.array([[n_tested]]))
    assert rows["p_value"].notna().all() == is_tested
    assert rows["undefined_reason"].isna().all() == is_tested


@pytest.mark.parametrize(("change", "is_listed"), [(0.25, False), (0.250001, True)])
def test_a_beta_has_moved_beyond_two_standard_errors_and_not_by_two(
    change: float, is_listed: bool
) -> None:
    before = session({"P": 1.0}, [("P", "A", 1, 0.0, 0.125)])
    after = session({"P": 1.0}, [("P", "A", 1, change, 0.125)])
    assert comparison.MIN_BETA_MOVE_STD_ERRORS == 2
    assert len(comparison.compare(before, after).betas) == is_listed


def history(days: list[date], factor: float = 1.0) -> pd.DataFrame:
    closes = [100.0 * factor + at * factor for at, _ in enumerate(days)]
    frame = pd.DataFrame(
        {"symbol": "A", "date": pd.Series(days, dtype=object), "close": closes, "adj_close": closes}
    )
    unknown = pd.array([pd.NA] * len(days), dtype="Int64")
    return frame.assign(open=np.nan, high=np.nan, low=np.nan, volume=unknown, has_adj_close=True)


@pytest.mark.parametrize(
    ("overlap", "is_continued"),
    [(price_history.OVERLAP_SESSIONS, True), (price_history.OVERLAP_SESSIONS - 1, False)],
)
def test_a_history_is_continued_from_as_many_days_that_both_have_as_are_asked_for(
    overlap: int, is_continued: bool
) -> None:
    """The stored years lie before; a split has halved all closes."""
    days = SESSIONS[:60]
    fetched = history(days, 0.5).iloc[40 - overlap :]
    found = price_history.splice(history(days[:40]), fetched)
    assert (found is not None) == is_continued
    if found is not None:
        assert (
            found.set_index("date")["close"].sort_index().to_list()
            == history(days, 0.5)["close"].to_list()
        )


@pytest.mark.parametrize(
    ("before", "after", "ratio"),
    [(104, 100, 1.04), (103.99, 100, None), (100, 104, 1 / 1.04), (100, 103.99, None)],
)
def test_closes_that_differ_by_four_percent_are_those_of_a_split(
    before: float, after: float, ratio: float | None
) -> None:
    stored, fetched = (history(SESSIONS[:2]).assign(close=close) for close in (before, after))
    assert price_history.MIN_SPLIT == 1.04
    assert price_history.find_split_ratio(stored, fetched) == (ratio and pytest.approx(ratio))
    assert price_history.find_split_ratio(stored, fetched.iloc[:0]) is None


@pytest.mark.parametrize(
    ("close", "cents", "is_changed"),
    [(50.0, 1.99, False), (50.0, 2.01, True), (1000.0, 29.9, False), (1000.0, 30.1, True)],
)
def test_returns_differ_if_rounding_of_closes_and_of_factors_does_not_explain_it(
    close: float, cents: float, is_changed: bool
) -> None:
    """Half a cent in each of four closes at 50, and a factor of four decimals at 1,000."""
    stored = history(SESSIONS[:3]).assign(close=close, adj_close=close)
    fetched = stored.assign(adj_close=[close - cents / 100, close, close])
    found = price_history.find_changed_returns(stored, fetched)
    assert found == ([SESSIONS[1]] if is_changed else [])
    both = fetched.assign(close=fetched["adj_close"])  # a corrected close is told as such
    assert price_history.find_changed_returns(stored, both) == []
    unadjusted = stored.assign(has_adj_close=False)
    assert price_history.find_changed_returns(unadjusted, fetched) == found  # dividends are new

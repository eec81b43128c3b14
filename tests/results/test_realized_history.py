"""What portfolios realized, from stored daily returns, against a library and by hand."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmetrics import trading_calendar
from riskmetrics.catalog import find_figure
from riskmetrics.catalog.realized import REALIZED_FIGURES, REALIZED_SESSIONS
from riskmetrics.results.realized_history import realized_rows

LAST = date(2022, 12, 28)
SESSIONS = trading_calendar.sessions_with_lookback([LAST], REALIZED_SESSIONS)


def stored(portfolio: str, returns: np.ndarray) -> pd.DataFrame:
    """Return daily returns of the last sessions as they are read."""
    days = pd.to_datetime(SESSIONS[-len(returns) :])
    return pd.DataFrame(
        {"portfolio_id": portfolio, "portfolio": portfolio, "day": days, "daily_return": returns}
    )


def test_two_portfolios_of_one_name_have_a_row_each() -> None:
    both = [stored("A", np.full(252, rate)).assign(portfolio_id=rate) for rate in (0.001, 0.002)]
    found = realized_rows(pd.concat(both), SESSIONS)
    assert found["portfolio"].tolist() == ["A", "A"]
    assert found["worst_return"].tolist() == [0.001, 0.002]


def test_a_year_by_hand() -> None:
    """A fall from 1.1 to 0.88, of which 0.924 is left."""
    returns = np.zeros(252)
    returns[[10, 20, 30]] = 0.1, -0.2, 0.05
    row = realized_rows(stored("A", returns), SESSIONS).iloc[0]
    assert row["portfolio"] == "A"
    assert row["annual_return"] == pytest.approx(0.924 - 1.0)
    assert (row["max_drawdown"], row["current_drawdown"]) == pytest.approx((0.2, 0.16))
    assert (row["worst_return"], row["observations"]) == (-0.2, 252)
    peak, trough, worst = (
        row[name].date() for name in ("max_drawdown_peak", "max_drawdown_trough", "worst_session")
    )
    assert (peak, trough, worst) == (SESSIONS[11], SESSIONS[21], SESSIONS[21])
    assert row["undefined_reason"] is None


@pytest.mark.parametrize(("count", "is_long_enough"), [(126, True), (125, False)])
def test_half_of_the_sessions_are_needed(count: int, is_long_enough: bool) -> None:
    returns = np.full(count, -0.001)
    found = realized_rows(pd.concat([stored("A", np.zeros(252)), stored("B", returns)]), SESSIONS)
    short = found.set_index("portfolio").loc["B"]
    assert short["observations"] == count
    if is_long_enough:
        assert short["annual_return"] == pytest.approx(0.999**252 - 1.0)
        return
    names = [*REALIZED_FIGURES, "worst_session"]
    assert short[names].isna().all()
    assert short["undefined_reason"] == (
        "125 of 252 sessions have a stored daily return; 126 are needed"
    )


def test_no_fall_has_no_drawdown_and_no_portfolio_no_row() -> None:
    row = realized_rows(stored("A", np.full(252, 0.001)), SESSIONS).iloc[0]
    assert (row["max_drawdown"], row["worst_return"]) == (0.0, 0.001)
    assert pd.isna(row["max_drawdown_peak"])
    assert pd.isna(row["max_drawdown_trough"])
    assert realized_rows(stored("A", np.zeros(252)).iloc[:0], SESSIONS).empty


@given(st.lists(st.floats(-0.3, 0.3) | st.just(np.nan), min_size=126, max_size=252))
def test_a_history_is_that_of_pandas(values: list[float]) -> None:
    """Oracle: cumulative products and expanding maxima of pandas; missing returns are no change."""
    returns = np.array(values)
    row = realized_rows(stored("A", returns), SESSIONS).iloc[0]
    known = pd.Series(returns).dropna()
    if len(known) < 126:
        assert pd.isna(row["max_drawdown"])
        return
    wealth = pd.concat([pd.Series([1.0]), (1.0 + known).cumprod()])
    below = 1.0 - wealth / wealth.cummax()
    assert row["max_drawdown"] == pytest.approx(below.max(), abs=1e-12)
    assert row["current_drawdown"] == pytest.approx(below.iloc[-1], abs=1e-12)
    assert row["annual_return"] == pytest.approx(wealth.iloc[-1] ** (252 / len(known)) - 1.0)
    assert row["worst_return"] == known.min()
    assert row["worst_session"].date() == SESSIONS[-len(returns) :][known.idxmin()]


def test_every_column_has_the_definition_of_a_figure() -> None:
    row = realized_rows(stored("A", np.zeros(252)), SESSIONS)
    assert REALIZED_FIGURES.keys() <= set(row.columns)
    assert all(find_figure(name) for name in REALIZED_FIGURES.values())

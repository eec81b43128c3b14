"""Returns to date and extremes at the edges of what is stored."""

from datetime import date
from functools import partial

import numpy as np
import pandas as pd
import pytest

from riskmetrics import trading_calendar
from riskmetrics.db.fact_history import MAX_YEAR_SESSIONS
from riskmetrics.insights.facts import make_fact
from riskmetrics.insights.history_facts import MIN_RANKED, History
from riskmetrics.insights.question_facts import return_facts

MAKE = partial(make_fact, as_of=date(2022, 3, 4), key={})


def facts(returns: "pd.Series[float]") -> dict[str, float | str]:
    """Return the facts of a series of returns."""
    history = History(pd.DataFrame({"daily_return": returns}))
    history = History(history.figures, market=pd.Series([1.0], index=returns.index[:1]))
    return {fact.id: fact.value for fact in return_facts(MAKE, history)}


def series(n: int, end: str = "2022-03-04") -> "pd.Series[float]":
    """Return n returns of business days: a rise of a hundredth, then falls of a thousandth."""
    days = pd.bdate_range(end=end, periods=n)
    return pd.Series([0.01, *[-0.001] * (n - 1)], index=days)


def test_a_year_to_date_needs_a_session_of_the_year_before() -> None:
    of_year = len(pd.bdate_range("2022-01-01", "2022-03-04"))
    assert "return_ytd" not in facts(series(of_year))
    found = facts(series(of_year + 1))
    assert found["return_ytd"] == pytest.approx(0.999**of_year - 1)
    of_month = len(pd.bdate_range("2022-03-01", "2022-03-04"))
    assert found["return_mtd"] == pytest.approx(0.999**of_month - 1)


def test_a_return_with_a_missing_session_is_no_fact() -> None:
    returns = series(60)
    returns.iloc[-2] = np.nan
    assert not {"return_mtd", "return_ytd"} & facts(returns).keys()


@pytest.mark.parametrize(("n", "is_fact"), [(MIN_RANKED - 1, False), (MIN_RANKED, True)])
def test_extremes_need_some_returns(n: int, is_fact: bool) -> None:
    found = facts(series(n))
    assert ("best_return" in found) == is_fact
    if is_fact:
        assert (found["best_return"], found["best_day"]) == (0.01, f"{series(n).index[0]:%Y-%m-%d}")
        assert found["worst_return"] == -0.001


@pytest.mark.parametrize(("n", "is_fact"), [(251, False), (252, True)])
def test_the_past_year_has_252_returns(n: int, is_fact: bool) -> None:
    assert ("return_252d" in facts(series(n))) == is_fact


def test_no_year_has_more_sessions_than_are_read() -> None:
    years = trading_calendar.sessions_index().year
    assert years.value_counts().max() == MAX_YEAR_SESSIONS


@pytest.mark.parametrize("year", [1996, 2020, 2022])
def test_a_year_to_date_is_known_on_the_last_session_of_the_year(year: int) -> None:
    last = trading_calendar.previous_or_same_session(date(year, 12, 31))
    read = trading_calendar.sessions_with_lookback([last], MAX_YEAR_SESSIONS)
    n_sessions = sum(day.year == year for day in read)
    found = facts(pd.Series(0.001, index=pd.DatetimeIndex(read)))
    assert found["return_ytd"] == pytest.approx(1.001**n_sessions - 1)

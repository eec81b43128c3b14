"""Panels: what is missing stays missing, and what stands in for it is not older than it may be."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from riskmetrics import panels
from riskmetrics.errors import MissingPricesError

WEEK = [date(2024, 1, day) for day in (2, 3, 4, 5, 8, 9, 10, 11, 12)]


def closes(values, symbol="X"):
    return pd.DataFrame(
        {symbol: np.array(values, float)}, index=pd.to_datetime(WEEK[: len(values)])
    )


def test_a_return_exists_only_between_closes_of_consecutive_sessions():
    """100 → 110 is 10 %; the gap costs two returns, and is not bridged."""
    returns = panels.simple_returns(closes([100, 110, np.nan, 121, 121]))
    assert_array_equal(returns["X"].round(12), [0.1, np.nan, np.nan, 0.0])
    assert list(returns.index.date) == WEEK[1:5]


def test_a_close_stands_in_for_five_sessions_and_no_longer():
    known, older = panels.forward_fill(closes([7, *[np.nan] * 6]), WEEK[:7])
    assert_array_equal(known["X"], [7, 7, 7, 7, 7, 7, np.nan])
    assert_array_equal(older["X"], [False, True, True, True, True, True, False])


def test_the_latest_of_several_older_closes_stands_in():
    known, older = panels.forward_fill(closes([7, 8, np.nan, 9]), [WEEK[2], WEEK[3]])
    assert_array_equal(known["X"], [8, 9])
    assert_array_equal(older["X"], [True, False])


def test_a_later_close_never_stands_in():
    known, _ = panels.forward_fill(closes([np.nan, 7]), [WEEK[0]])
    assert np.isnan(known["X"].iloc[0])


def test_a_day_that_was_not_loaded_is_refused_and_not_mistaken_for_another():
    with pytest.raises(KeyError, match="2024-01-12"):
        panels.forward_fill(closes([7, 8]), [WEEK[8]])


def test_required_closes_that_are_missing_are_named_with_their_days():
    with pytest.raises(
        MissingPricesError, match="no close of X on 2024-01-03, 2024-01-12"
    ) as caught:
        panels.require_closes(closes([7, np.nan, 8]), [WEEK[0], WEEK[1], WEEK[8]], "X")
    assert caught.value.days == (WEEK[1], WEEK[8])


def test_a_range_is_valid_on_a_day_as_it_was_before_the_next_session():
    """Alternating closes: each move reverses the previous one and is reversed by the next."""
    days = pd.bdate_range("2024-01-01", periods=8)
    close = pd.DataFrame({"X": [10.0, 10.0, 30.0, 10.0, 30.0, 10.0, 10.0, 10.0]}, index=days)
    _, together = panels.clean_bars(close, close * 1.01, close * 0.99)
    for rows in range(3, 9):
        _, alone = panels.clean_bars(
            *(prices.iloc[:rows] for prices in (close, close * 1.01, close * 0.99))
        )
        pd.testing.assert_frame_equal(alone, together.iloc[: rows - 2], check_exact=True)
    assert together["X"].isna().any()
    assert together["X"].notna().any()


def test_returns_know_the_sessions_of_the_closes_between_which_they_are():
    returns = panels.clean_returns(closes([7.0, 8.0, 9.0, 8.0, 9.0, 10.0]))
    for shown in (returns, returns.last(2), returns.last(4)):
        assert len(shown.sessions) == len(shown.frame) + 1
        assert shown.sessions[1:].equals(shown.frame.index)
    assert returns.sessions[0] == pd.Timestamp(WEEK[1])
    assert returns.last(2).sessions[0] == pd.Timestamp(WEEK[3])

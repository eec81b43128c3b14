"""When the history of another vendor differs by more than rounding: both sides of each limit."""

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest

from riskmetrics.results.price_history import Disagreement, find_disagreement

DAYS = [date(2024, 1, 2) + timedelta(days=number) for number in range(20)]
CLOSES = np.round(50 + 5 * np.sin(np.arange(20.0)), 2)


def history(close: np.ndarray = CLOSES, adjusted: object = None, **changed: object) -> pd.DataFrame:
    """Return a history whose adjusted closes are 0.9 times the closes unless given."""
    columns = {
        "date": DAYS,
        "close": close,
        "adj_close": close * 0.9 if adjusted is None else adjusted,
        "has_adj_close": True,
    }
    return pd.DataFrame(columns | changed)


def moved(values: np.ndarray, row: int, by: float) -> np.ndarray:
    """Return values of which one is moved."""
    changed = values.copy()
    changed[row] += by
    return changed


@pytest.mark.parametrize(("by", "differs"), [(0.01, False), (-0.01, False), (0.0102, True)])
def test_a_close_may_differ_by_a_cent(by, differs):
    found = find_disagreement(history(), history(moved(CLOSES, 7, by), CLOSES * 0.9))
    expected = Disagreement(DAYS[7], "close", CLOSES[7], CLOSES[7] + by) if differs else None
    assert found == expected


@pytest.mark.parametrize(("by", "differs"), [(1.99e-3, False), (2.3e-3, True)])
def test_an_adjusted_close_may_differ_by_two_thousandths(by, differs):
    """0.2 % of 45 dollars and a cent: 2.22e-3 of it."""
    adjusted = CLOSES * 0.9
    found = find_disagreement(history(), history(adjusted=moved(adjusted, 7, adjusted[7] * by)))
    assert (found is not None and (found.day, found.column) == (DAYS[7], "adj_close")) == differs


@pytest.mark.parametrize("ratio", [0.25, 4.0, 1 / 1.5])
def test_a_split_since_then_is_no_difference_and_an_error_in_it_is(ratio):
    """Prices that are rounded after the split still agree."""
    split = np.round(CLOSES * ratio, 2)
    assert find_disagreement(history(), history(split)) is None
    found = find_disagreement(history(), history(moved(split, 7, 0.05 * max(ratio, 1))))
    assert found is not None
    assert found.day == DAYS[7]


def test_a_dividend_since_then_is_no_difference():
    assert find_disagreement(history(), history(adjusted=CLOSES * 0.9 * 0.97)) is None


def test_a_small_difference_of_all_days_is_found():
    """One per mille is no split, and no rounding."""
    found = find_disagreement(history(), history(CLOSES * 1.001, CLOSES * 0.9))
    assert found is not None
    assert found.column == "close"


def test_the_latest_stored_day_may_be_provisional():
    assert find_disagreement(history(), history(moved(CLOSES, 19, 1.0), CLOSES * 0.9)) is None
    found = find_disagreement(history(), history(moved(CLOSES, 18, 1.0), CLOSES * 0.9))
    assert found is not None
    assert found.day == DAYS[18]


def test_a_single_common_day_can_be_a_restatement():
    one = history().iloc[-1:]
    assert find_disagreement(one, history(moved(CLOSES, 19, 1.0), CLOSES * 0.9)) is None


def test_adjusted_closes_are_compared_only_if_both_have_them():
    close_only = history(adjusted=CLOSES, has_adj_close=False)
    assert find_disagreement(close_only, history()) is None
    assert find_disagreement(history(), close_only) is None


def test_the_first_day_of_either_close_is_told():
    adjusted = moved(CLOSES * 0.9, 3, 1.0)
    found = find_disagreement(history(), history(moved(CLOSES, 7, 1.0), adjusted))
    assert found is not None
    assert (found.day, found.column) == (DAYS[3], "adj_close")


def test_histories_without_a_common_day_do_not_differ():
    assert find_disagreement(history(), history(date=[day + timedelta(99) for day in DAYS])) is None

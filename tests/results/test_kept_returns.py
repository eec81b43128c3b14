"""Pro-forma returns that are kept for the windows of other figures."""

from datetime import date

import numpy as np
import pytest

from riskmetrics.results import pro_forma
from tests.results.small_books import Book, book, lot, random_closes

DAYS = [date(2024, 3, 20), date(2024, 3, 21), date(2024, 3, 22)]


@pytest.fixture
def of() -> Book:
    closes = random_closes(["S0", "S1", "S2"], np.random.default_rng(7), missing=0.1)
    lots = lot("S0", 10.0), lot("S1", -2.0, position_type="SHORT"), lot("S2", 5.0, portfolio_id="B")
    return book(*lots, closes=closes, equity={"A": (9000.0, DAYS[0]), "B": (None, None)})


@pytest.mark.parametrize("is_in_currency", [False, True])
def test_a_shorter_window_has_the_bits_that_it_has_without_a_longer_one(
    of: Book, is_in_currency: bool
) -> None:
    kept = of.value_with_deltas(*DAYS)
    for length in (21, 90, 63, 90, 1):
        returns = of.returns(length, *DAYS)
        alone = of.value_with_deltas(*DAYS)
        for found, expected in zip(
            pro_forma.pro_forma_windows(kept, returns, length, is_in_currency=is_in_currency),
            pro_forma.pro_forma_windows(alone, returns, length, is_in_currency=is_in_currency),
            strict=True,
        ):
            for one, other in zip(found, expected, strict=True):
                np.testing.assert_array_equal(one, other)
            assert found.series.shape == (length, 2)


def test_other_returns_have_windows_of_their_own(of: Book) -> None:
    valuation, returns = of.value_with_deltas(*DAYS), of.returns(90, *DAYS)
    first = list(pro_forma.pro_forma_windows(valuation, returns, 90))
    doubled = returns._replace(frame=2 * returns.frame)
    for once, twice in zip(first, pro_forma.pro_forma_windows(valuation, doubled, 90), strict=True):
        np.testing.assert_array_equal(2 * once.series, twice.series)
        assert np.isfinite(once.series).any()
    masked = np.ones_like(returns.unconfirmed)
    last = returns._replace(unconfirmed=masked)
    for window in pro_forma.pro_forma_windows(valuation, last, 90):
        assert np.isnan(window.series[-1]).all()


def test_a_large_book_keeps_nothing_and_has_the_same_bits(
    of: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    returns = of.returns(90, *DAYS)
    small, large = of.value_with_deltas(*DAYS), of.value_with_deltas(*DAYS)
    expected = list(pro_forma.pro_forma_windows(small, returns, 90))
    monkeypatch.setattr(pro_forma, "_MAX_KEPT_RETURNS", 2 * len(DAYS) * 90 - 1)
    found = list(pro_forma.pro_forma_windows(large, returns, 90))
    assert small.kept_returns.sums is not None
    assert small.kept_returns.sums.length == 90
    assert large.kept_returns.sums is None
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one.series, other.series)
        np.testing.assert_array_equal(one.coverage, other.coverage)

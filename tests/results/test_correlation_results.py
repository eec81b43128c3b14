"""Stored correlations and diversification of small portfolios."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from small_books import SESSIONS, Book, book, lot, random_closes

from riskmetrics.results import pro_forma
from riskmetrics.results.correlation_results import MAX_CORRELATED, correlation_rows

DAY = SESSIONS[150]


@pytest.fixture
def closes():
    return random_closes(["X", "Y", "Z"], np.random.default_rng(12))


def found(of: Book, max_stored: int = MAX_CORRELATED):
    rows, pairs = correlation_rows(
        of.value_book(DAY), of.returns(pro_forma.YEAR_WINDOW, DAY), max_stored
    )
    return rows.iloc[0], pairs


def test_every_pair_has_the_correlation_of_its_returns(closes):
    """Oracle: pandas; 150 returns exist."""
    row, pairs = found(book(lot("Y", 3), lot("X", 1), lot("Z", -2), closes=closes))
    returns = closes.loc[: str(DAY), ["X", "Y", "Z"]].pct_change()
    matrix = returns.corr()
    assert pairs[["symbol_a", "symbol_b"]].to_numpy().tolist() == [
        ["X", "Y"],
        ["X", "Z"],
        ["Y", "Z"],
    ]
    expected = [matrix.loc[a, b] for a, b in pairs[["symbol_a", "symbol_b"]].to_numpy()]
    assert_allclose(pairs["correlation"], expected, rtol=1e-9)
    assert pairs["observations"].tolist() == [150] * 3
    assert_allclose(row["average_correlation"], np.mean(expected), rtol=1e-9)
    highest, lowest = int(np.argmax(expected)), int(np.argmin(expected))
    for name, at in (("highest", highest), ("lowest", lowest)):
        assert row[f"{name}_pair"] == " / ".join(pairs.loc[at, ["symbol_a", "symbol_b"]])
        assert_allclose(row[f"{name}_correlation"], expected[at], rtol=1e-9)
    share = np.linalg.eigvalsh(matrix)[-1] / 3
    assert_allclose(row["first_component_share"], share, rtol=1e-9)


def test_the_diversification_ratio_is_that_of_the_weights(closes):
    """Oracle: numpy's covariance; the weights of the day."""
    row, _ = found(book(lot("X", 10), lot("Y", 20), closes=closes))
    value = closes.loc[str(DAY), ["X", "Y"]] * [10, 20]
    weight = (value / value.sum()).to_numpy()
    covariance = np.cov(closes.loc[: str(DAY), ["X", "Y"]].pct_change().iloc[1:].T)
    ratio = weight @ np.sqrt(np.diag(covariance)) / np.sqrt(weight @ covariance @ weight)
    assert_allclose(row["diversification_ratio"], ratio, rtol=1e-9)


@pytest.mark.parametrize(("max_stored", "n_pairs"), [(30, 435), (3, 3), (1, 0), (0, 0)])
def test_only_pairs_of_the_largest_holdings_are_stored(max_stored, n_pairs):
    symbols = [f"S{number:02d}" for number in range(32)]
    closes = random_closes(symbols, np.random.default_rng(13))
    price = closes.loc[str(DAY)]
    lots = [lot(name, (40 - at) / price[name]) for at, name in enumerate(symbols)]
    row, pairs = found(book(*lots, closes=closes), max_stored)
    assert row["symbols"] == MAX_CORRELATED
    assert len(pairs) == n_pairs
    assert set(pairs["symbol_a"]) | set(pairs["symbol_b"]) == (
        set(symbols[:max_stored]) if n_pairs else set()
    )


def test_one_symbol_has_no_pair_and_says_so(closes):
    row, pairs = found(book(lot("X", 10), closes=closes))
    assert pairs.empty
    assert row["undefined_reason"] == "1 symbol with returns; 2 required"
    assert_allclose(row["diversification_ratio"], 1.0, rtol=1e-12)
    assert pd.isna(row["highest_pair"])


@pytest.mark.parametrize(("n_closes", "is_defined"), [(126, False), (127, True)])
def test_a_pair_needs_half_a_year_of_common_sessions(closes, n_closes, is_defined):
    closes.loc[: str(SESSIONS[150 - n_closes]), "Y"] = np.nan
    row, pairs = found(book(lot("X", 10), lot("Y", 1), closes=closes))
    assert np.isfinite(pairs["correlation"].iloc[0]) == is_defined
    if not is_defined:
        reason = "125 common sessions in the trailing 252; 126 required"
        assert pairs["undefined_reason"].tolist() == [reason]
        assert row["undefined_reason"] == (
            "a pair has fewer than 126 common sessions, or does not move"
        )


def test_a_price_that_does_not_move_is_named(closes):
    of = book(lot("X", 10), lot("Y", 1), closes=closes.assign(Y=5.0))
    row, pairs = found(of)
    assert pairs["undefined_reason"].tolist() == ["one of the two did not move in the window"]
    assert np.isnan(row["first_component_share"])
    assert row["diversification_ratio"] == pytest.approx(1.0)

"""Caveats of a portfolio's values, on the boundary of each rule."""

import pandas as pd
import pytest

from riskmetrics.present.caveats import list_caveats, portfolio_caveats

NO_COVERAGE = pd.DataFrame(
    {"portfolio": [], "metric": [], "coverage": [], "n_covered": [], "n_total": []}
)


@pytest.mark.parametrize(
    ("equity", "gross", "is_expected"),
    [
        (-1.0, 1000.0, True),
        (0.0, 1000.0, True),
        (1000.0, 1000.0, False),
        (0.0, 0.0, False),
        (-1.0, 0.0, False),
    ],
)
def test_zero_equity_has_a_caveat_only_with_holdings(
    equity: float, gross: float, is_expected: bool
) -> None:
    snapshots = pd.DataFrame(
        {"portfolio": ["P"], "total_value": [equity], "gross_exposure": [gross]}
    )
    found = portfolio_caveats(snapshots, NO_COVERAGE)
    assert ("P" in found) == is_expected
    assert all("equity is" in text for texts in found.values() for text in texts)


@pytest.mark.parametrize(
    ("equity", "gross", "is_expected"),
    [(49.9, 1000.0, True), (50.0, 1000.0, False), (50.1, 1000.0, False), (1.155, 23.1, False)],
    ids=["below", "at the minimum", "above", "at the minimum but for rounding"],
)
def test_equity_of_five_percent_of_gross_exposure_is_enough(
    equity: float,
    gross: float,
    is_expected: bool,
) -> None:
    values = {"total_value": [equity], "gross_exposure": [gross]}
    snapshots = pd.DataFrame({"portfolio": ["P"]} | values)
    assert ("P" in portfolio_caveats(snapshots, NO_COVERAGE)) == is_expected


@pytest.mark.parametrize(("n_current", "is_expected"), [(2, False), (1, True)])
def test_a_price_of_an_earlier_session_has_a_caveat(n_current: int, is_expected: bool) -> None:
    counts = {"prices": (2, 3), "current_prices": (n_current, 3)}
    texts = list(list_caveats(counts, 1000.0, 1000.0))
    expected = "1 of 3 instruments are valued at the close of an earlier session"
    assert any(text.startswith(expected) for text in texts) is is_expected
    assert len(texts) == 1 + is_expected


@pytest.mark.parametrize(("n_covered", "is_expected"), [(3, False), (2, True), (0, True)])
def test_a_single_unconfirmed_close_has_a_caveat(n_covered: int, is_expected: bool) -> None:
    snapshots = pd.DataFrame({"portfolio": ["P"], "total_value": [1.0], "gross_exposure": [1.0]})
    share = {
        "metric": ["validated_prices"],
        "coverage": [n_covered / 3],
        "n_covered": [n_covered],
        "n_total": [3],
    }
    found = portfolio_caveats(snapshots, pd.DataFrame({"portfolio": ["P"], **share}))
    assert ("P" in found) == is_expected
    if is_expected:
        start = "1 of 3 instruments has" if n_covered == 2 else "3 of 3 instruments have"
        assert found["P"][0].startswith(f"{start} an unconfirmed")

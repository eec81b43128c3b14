"""Holdings without a price stay in the denominator: below 80 % no risk figure is defined."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from small_books import MARKET, SESSIONS, book, contribution_rows, drawdown_rows, lot, random_closes

from riskmetrics.metrics.minimums import MIN_COVERAGE, SHARE_TOLERANCE, meets_minimum
from riskmetrics.metrics.portfolio import weighted_beta
from riskmetrics.results import (
    exposures,
    forecasts,
    pro_forma,
    snapshots,
    tail_risk_results,
)

DAY = SESSIONS[-1]


@pytest.fixture(scope="module")
def closes() -> pd.DataFrame:
    return random_closes(["X", "Y", "Z", "V", "W"], np.random.default_rng(5))


def held(closes, n_priced: int, n_held: int, **fields):
    """A book of equal lots, of which some have never had a price."""
    priced = [lot(symbol, 10) for symbol in ("X", "Y", "Z", "V", "W")[:n_priced]]
    gone = [
        lot(f"GONE{at}", 10, **{"entry_price": None} | fields) for at in range(n_held - n_priced)
    ]
    stated = {"A": (10_000.0, DAY)}
    return book(
        *priced,
        *gone,
        closes=closes.reindex(columns=[*closes, *(of["symbol"] for of in gone)]),
        equity=stated,
    )


def risk_frames(of) -> dict[str, pd.DataFrame]:
    """Every risk figure of the book's portfolio on the day, with the reasons."""
    exposed, volatility = of.value_with_deltas(DAY), of.portfolio_volatility(DAY)
    beta, _, why_beta = snapshots.beta_rows(exposed, of.betas(DAY), of.profiles)
    snapshot, _, why_snapshot = forecasts.portfolio_rows(exposed, volatility)
    sectors = exposures.sector_rows(exposed, of.profiles, of.benchmark, "SP500")
    concentration, why_concentration = exposures.concentration_rows(exposed, sectors)
    returns = of.returns(tail_risk_results.TAIL_RISK_WINDOW, DAY)
    tail, backtests = tail_risk_results.tail_risk_rows(
        exposed, returns, volatility.root_variance_amount, volatility.figures.observations
    )
    return {
        "beta": beta,
        "volatility": snapshot,
        "concentration": concentration,
        "tail": tail,
        "backtests": backtests,
        "contributions": contribution_rows(exposed, of.returns(pro_forma.YEAR_WINDOW, DAY)),
        "drawdowns": drawdown_rows(exposed, of.returns(pro_forma.YEAR_WINDOW, DAY)),
        "stress": of.stress(DAY),
        "undefined": pd.concat([why_beta, why_snapshot, why_concentration]),
    }


FIGURES = {
    "beta": ["beta_calculated_90d", "beta_calculated_90d_r_squared", "beta_portfolio_regression"],
    "volatility": ["realized_volatility_21d", "expected_volatility_21d", "volatility_percentile"],
    "concentration": ["hhi", "top_3_concentration", "sector_exposure"],
    "tail": ["value_at_risk", "expected_shortfall", "value_at_risk_amount"],
    "backtests": ["p_value"],
    "contributions": ["weight", "component", "share"],
    "drawdowns": ["current_drawdown", "max_drawdown"],
    "stress": ["loss", "loss_value"],
}


def test_one_priced_holding_of_five_is_twenty_per_cent(closes):
    found = risk_frames(held(closes, 1, 5))
    why = "1 of 5 instruments has a price; 80% required"
    for name, columns in FIGURES.items():
        assert found[name][columns].isna().all(axis=None), name
        if "undefined_reason" in found[name]:
            assert set(found[name]["undefined_reason"]) == {why}, name
    assert set(found["undefined"]["reason"]) == {why}


@pytest.mark.parametrize(
    ("n_priced", "n_held", "is_defined"), [(4, 5, True), (3, 4, False), (5, 6, True), (1, 1, True)]
)
def test_four_of_five_holdings_with_a_price_are_enough(closes, n_priced, n_held, is_defined):
    """Unknown last values count as the mean of the others, so 4 of 5 are exactly 80 %."""
    of = held(closes, n_priced, n_held)
    exposed = of.value_with_deltas(DAY)
    assert exposed.priced_share.item() == pytest.approx(n_priced / n_held, rel=1e-12)
    assert exposed.has_prices.item() == is_defined
    beta, coverage, _ = snapshots.beta_rows(exposed, of.betas(DAY), of.profiles)
    assert beta["beta_calculated_90d"].notna().item() == is_defined
    assert coverage.set_index("metric").loc["beta", "coverage"] == pytest.approx(n_priced / n_held)


def test_small_holdings_without_a_price_count_by_number(closes):
    """Four of six have a price, and the other two cost next to nothing: 67 % by number, 100 % by
    value.
    """
    of = held(closes, 4, 6, entry_price=1e-6)
    exposed = of.value_with_deltas(DAY)
    assert exposed.priced_share.item() == pytest.approx(1.0, abs=1e-6)
    found = risk_frames(of)
    for name, columns in FIGURES.items():
        assert found[name][columns].isna().all(axis=None), name
    autumn = found["stress"].set_index("scenario").loc["autumn"]
    assert autumn["coverage"] == pytest.approx(1.0, abs=1e-6)
    assert autumn["undefined_reason"] == "4 of 6 instruments have a price; 80% required"


def test_a_holding_without_a_price_counts_by_its_last_known_or_stated_value(closes):
    """Five of six by number, but the sixth was bought for as much as the others are worth
    together.
    """
    worth = float((closes.loc[str(DAY), ["X", "Y", "Z", "V", "W"]] * 10).sum())
    of = held(closes, 5, 6, entry_price=worth / 10)
    exposed = of.value_with_deltas(DAY)
    assert exposed.priced_share.item() == pytest.approx(0.5, rel=1e-9)
    assert not exposed.has_prices.item()
    _, _, undefined = snapshots.beta_rows(exposed, of.betas(DAY), of.profiles)
    assert set(undefined["reason"]) == {
        "holdings with a price make up 50.0% of the last known value; 80% required"
    }


def test_the_last_close_counts_however_old_and_whatever_else_is_in_the_run(closes):
    """Y has no close for 30 sessions; the days of a range know what each knows alone."""
    closes = closes.copy()
    closes.iloc[-30:, closes.columns.get_loc("Y")] = np.nan
    of = book(lot("X", 1), lot("Y", 1), closes=closes)
    days = SESSIONS[-40:]
    together = of.value_book(*days)
    last = closes["Y"].dropna().iloc[-1]
    assert together.unpriced_value[1, -1] == last
    assert together.unpriced_value[1, -26] == 0  # five sessions old: it still stands in
    assert_array_equal(together.unpriced_value[:, -1:], of.value_book(DAY).unpriced_value)
    assert_array_equal(together.priced_share[:, -1:], of.value_book(DAY).priced_share)


def test_rescaling_is_to_what_has_a_price(closes):
    """A beta of 9 priced holdings of 10 is their mean, not 10/9 of it: the net value leaves the
    tenth out, too.
    """
    of = book(
        *(lot("X", 1, entry_date=day) for day in SESSIONS[:1]),
        lot("GONE", 0.1, entry_price=1.0),
        closes=closes.assign(GONE=np.nan),
    )
    value = float(closes.loc[str(DAY), "X"])
    exposed = of.value_with_deltas(DAY)
    assert exposed.priced_share.item() == pytest.approx(value / (value + 0.1))
    assert not exposed.has_prices.item()  # one of two by number
    many = book(
        *(lot(name, 1) for name in ("X", "Y", "Z", "V")),
        lot("GONE", 0.1, entry_price=1.0),
        closes=closes.assign(GONE=np.nan),
    )
    alone = book(*(lot(name, 1) for name in ("X", "Y", "Z", "V")), closes=closes)
    found, expected = (
        snapshots.beta_rows(each.value_with_deltas(DAY), each.betas(DAY), each.profiles)[0][
            "beta_calculated_90d"
        ].item()
        for each in (many, alone)
    )
    assert found == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("n", [5, 10])
def test_eighty_per_cent_of_equal_positions_are_enough_whatever_their_value(n):
    """On the boundary sums of shares round either way: of 2,000 random values none is undefined."""
    rng = np.random.default_rng(1)
    without = n // 5
    for value in rng.uniform(1, 1e6, 2000):
        exposures_ = np.full((n, 1), value)
        beta = np.where(np.arange(n)[:, None] < without, np.nan, 1.0)
        found = weighted_beta(
            exposures_,
            beta,
            beta,
            np.ones((n, 1)),
            np.zeros(n, np.int64),
            np.full((1, 1), n * value),
        )
        assert found.beta.item() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("share", "is_enough"),
    [
        (MIN_COVERAGE, True),
        (MIN_COVERAGE - SHARE_TOLERANCE, True),
        (MIN_COVERAGE - 2 * SHARE_TOLERANCE, False),
        (0.79, False),
        (np.nan, False),
        (1.0, True),
    ],
)
def test_a_minimum_is_reached_up_to_rounding(share, is_enough):
    assert meets_minimum(share, MIN_COVERAGE) == is_enough
    assert meets_minimum(np.array([share]), MIN_COVERAGE).tolist() == [is_enough]


def test_a_coverage_just_below_the_minimum_is_not_printed_as_the_minimum(closes):
    """79.96 % is printed as 79.9 %, not as 80.0 %, since 80 % are required."""
    why = snapshots.insufficient_coverage("positions", np.array([[0.7996]]))
    assert (
        why.text.format(why.number.item())
        == "positions make up 79.9% of gross exposure; 80% required"
    )


def test_money_figures_stay_where_equity_is_too_small(closes):
    """Equity of 1 % of gross exposure: losses and value at risk are defined in money, and as those
    of a richer owner.
    """
    lots = lot("X", 10), lot("Y", 5), lot("Z", -3, position_type="SHORT")
    gross = float((closes.loc[str(DAY), ["X", "Y", "Z"]] * [10, 5, 3]).sum())
    poor, rich = (
        book(*lots, closes=closes, equity={"A": (share * gross, DAY)}) for share in (0.01, 2.0)
    )
    found, expected = risk_frames(poor), risk_frames(rich)
    for name, columns in FIGURES.items():
        kept = {
            "stress": ["loss_value"],
            "concentration": columns,
            "backtests": ["p_value"],
            "tail": ["value_at_risk_amount"],
        }.get(name, [])
        gone = [column for column in columns if column not in kept]
        assert found[name][gone].isna().all(axis=None), name
        for column in set(kept) - {"sector_exposure"}:
            assert_allclose(
                found[name][column].astype(float),
                expected[name][column].astype(float),
                rtol=1e-9,
                err_msg=column,
            )
    why = "equity is 1.0% of gross exposure; 5% required"
    stress = found["stress"]
    assert set(stress["undefined_reason"][stress["loss_value"].notna()]) == {why}
    assert set(found["drawdowns"]["undefined_reason"]) == {why}
    assert set(found["contributions"]["undefined_reason"]) == {why}
    assert MARKET in closes

"""Options in figures of return series: as shares of their underlying, by hand, scipy and numpy."""

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from small_books import (
    MARKET,
    PRICING_PARAMETERS,
    SESSIONS,
    Book,
    book,
    contribution_rows,
    drawdown_rows,
    lot,
    random_closes,
)

from riskmetrics.results import (
    forecasts,
    option_results,
    pro_forma,
    rate_sensitivity,
    snapshots,
    tail_risk_results,
)

DAY = SESSIONS[200]
AT = pd.Timestamp(DAY)
JUNE = date(2024, 6, 21)
CALL: dict[str, Any] = {
    "position_type": "LC",
    "investment_class": "OPTIONS",
    "underlying_symbol": "X",
    "strike_price": 50.0,
    "expiration_date": JUNE,
    "last_price": 3.0,
}
PUT = CALL | {"position_type": "SP", "underlying_symbol": "Y"}
SHARE = CALL | {"strike_price": 1e-6, "expiration_date": DAY}
"""A call that is exercised today at next to nothing: a hundred shares, of delta 1 and without time
value."""


@pytest.fixture
def closes() -> pd.DataFrame:
    """Ten months of three symbols and of the market."""
    return random_closes(["X", "Y", "Z"], np.random.default_rng(4))


def figures(of: Book) -> dict[str, Any]:
    """What is made of return series and betas for portfolio A on DAY."""
    valued, volatility, (one, two) = (
        of.value_with_deltas(DAY),
        of.portfolio_volatility(DAY),
        of.rate_betas(DAY),
    )
    tail, tested = tail_risk_results.tail_risk_rows(
        valued,
        of.returns(tail_risk_results.TAIL_RISK_WINDOW, DAY),
        volatility.figures.root_variance_forecast,
        volatility.figures.observations,
    )
    year = of.returns(pro_forma.YEAR_WINDOW, DAY)
    tables = {
        "beta": snapshots.beta_rows(valued, of.betas(DAY), of.profiles)[0],
        "rates": rate_sensitivity.portfolio_rows(valued, one, two)[0],
        "volatility": forecasts.portfolio_rows(valued, volatility)[0],
        "forecasts": forecasts.portfolio_forecasts(valued, volatility),
        "tail": tail[tail["level"] == 0.95],
        "tested": tested[tested["level"] == 0.95],
        "drawdowns": drawdown_rows(valued, year),
        "contributions": contribution_rows(valued, year),
        "stress": of.stress(DAY)[lambda rows: rows["scenario"] != "spring"],
    }
    return {
        f"{name}.{column}.{at}": value
        for name, table in tables.items()
        for column in table.columns[table.dtypes == "float64"]
        for at, value in enumerate(table[column])
        if np.isfinite(value) and not column.startswith("revalued")
    }


@pytest.mark.parametrize(("position_type", "contracts"), [("LC", 3.0), ("SC", -3.0)])
def test_a_call_of_delta_one_is_a_hundred_shares(closes, position_type, contracts):
    """The book of shares is the oracle; equity is the same, whatever the option is said to cost."""
    others, equity = (lot("Y", 80), lot("Z", -40, position_type="SHORT")), {"A": (9000.0, DAY)}
    call = lot("X240322C", contracts, **SHARE | {"position_type": position_type})
    shares = lot("X", 100 * contracts, position_type="LONG" if contracts > 0 else "SHORT")
    profiles = {
        "X": ("Energy", False, 1.5),
        "Y": ("Energy", False, 0.5),
        "Z": ("Energy", False, 0.7),
    }
    found, expected = (
        figures(book(of, *others, closes=closes, equity=equity, profiles=profiles))
        for of in (call, shares)
    )
    assert len(expected) > 50
    assert found.keys() == expected.keys()
    assert_allclose(list(found.values()), list(expected.values()), rtol=1e-6)


def test_a_stock_whose_options_undo_it_has_no_volatility_and_says_why(closes):
    of = book(
        lot("X", 100),
        lot("X240322C", -1, **SHARE | {"position_type": "SC"}),
        closes=closes,
        equity={"A": (9000.0, DAY)},
    )
    valued, volatility = of.value_with_deltas(DAY), of.portfolio_volatility(DAY)
    rows, _, undefined = forecasts.portfolio_rows(valued, volatility)
    assert rows["realized_volatility_21d"].iloc[0] == pytest.approx(0.0, abs=1e-9)
    (window,) = pro_forma.pro_forma_windows(
        valued, of.returns(pro_forma.MIN_YEAR_OBS, DAY), pro_forma.MIN_YEAR_OBS
    )
    assert_allclose(window.coverage, 1.0)
    why = undefined.set_index("metric")["reason"]
    assert (
        why["portfolio_snapshots.expected_volatility_21d"]
        == "the portfolio's value did not move in the trailing 21 sessions"
    )
    betas, *_ = snapshots.beta_rows(valued, of.betas(DAY), of.profiles)
    assert betas[["beta_calculated_90d", "beta_portfolio_regression"]].to_numpy() == pytest.approx(
        0.0, abs=1e-9
    )
    (row,) = contribution_rows(valued, of.returns(pro_forma.YEAR_WINDOW, DAY)).itertuples()
    assert row.weight == pytest.approx(0.0, abs=1e-9)
    assert row.undefined_reason == "the portfolio's value did not move in the window"


def hedged(closes: pd.DataFrame, **fields: object) -> Book:
    """Shares of X and two lots of calls on it, three short puts on Y, of which nothing else is
    held; equity is 20,000.
    """
    calls = lot("X240621C50", 2, **CALL), lot("X240621C50", -1, **CALL | {"position_type": "SC"})
    puts = lot("Y240621P50", -3, **PUT | fields)
    return book(lot("X", 120), *calls, puts, closes=closes, equity={"A": (20_000.0, DAY)})


def exposures_by_hand(of: Book) -> pd.Series:
    """Oracle: N(d1) by scipy at the underlyings' forecasts; 120 shares and 1 call on X net, 3 puts
    short on Y.
    """
    symbols = of.symbol_volatility(DAY)
    sigma = pd.Series(symbols.figures.volatility_forecast[0], index=symbols.symbols)[["X", "Y"]]
    spot, years = of.closes.loc[AT, ["X", "Y"]], (JUNE - DAY).days / 365
    d1 = (
        np.log(spot / 50)
        + (PRICING_PARAMETERS.risk_free_rate - PRICING_PARAMETERS.dividend_yield + sigma**2 / 2)
        * years
    ) / (sigma * np.sqrt(years))
    call, put = np.exp(-PRICING_PARAMETERS.dividend_yield * years) * (stats.norm.cdf(d1) - [0, 1])
    return spot * [120 + 100 * call, -300 * put]


def test_the_series_of_a_book_with_options_is_that_of_its_exposures(closes):
    """Oracle: numpy and scipy on returns weighted by hand."""
    of = hedged(closes)
    weights = exposures_by_hand(of) / 20_000
    own = (closes[["X", "Y"]].pct_change().iloc[1:201] * weights).sum(axis=1).to_numpy()
    market = closes[MARKET].pct_change().iloc[1:201].to_numpy()
    found = figures(of)
    assert weights.min() > 0.1
    assert found["volatility.realized_volatility_21d.0"] == pytest.approx(
        own[-21:].std(ddof=1) * np.sqrt(252), rel=1e-9
    )
    assert found["tail.value_at_risk.0"] == pytest.approx(np.quantile(-own, 0.95), rel=1e-9)
    slope = stats.linregress(market[-90:], own[-90:]).slope
    assert found["beta.beta_portfolio_regression.0"] == pytest.approx(slope, rel=1e-9)
    assert found["beta.beta_calculated_90d.0"] == pytest.approx(slope, rel=1e-9)
    wealth = np.cumprod(np.append(1.0, 1.0 + own))
    assert found["drawdowns.max_drawdown.0"] == pytest.approx(
        (1 - wealth / np.maximum.accumulate(wealth)).max(), rel=1e-9
    )
    first, last = (closes.loc[day, ["X", "Y"]] for day in ("2023-09-01", "2023-10-27"))
    replayed = of.stress(DAY).set_index("scenario").loc["autumn"]
    assert (replayed["loss"], replayed["coverage"]) == pytest.approx(
        (-((last / first - 1) * weights).sum(), 1.0), rel=1e-9
    )


def test_contributions_of_a_book_with_options_sum_to_its_volatility_in_a_row_per_symbol(closes):
    of = hedged(closes)
    weights = exposures_by_hand(of) / 20_000
    own = (closes[["X", "Y"]].pct_change().iloc[1:201] * weights).sum(axis=1)
    rows = contribution_rows(
        of.value_with_deltas(DAY), of.returns(pro_forma.YEAR_WINDOW, DAY)
    ).set_index("symbol")
    assert rows.index.tolist() == ["X", "Y"]
    assert_allclose(rows["weight"], weights, rtol=1e-9)
    assert rows["component"].sum() == pytest.approx(own.std(ddof=1) * np.sqrt(252), rel=1e-9)
    assert rows["share"].sum() == pytest.approx(1.0, rel=1e-12)


def test_an_option_without_a_delta_is_gross_exposure_that_is_not_covered(closes):
    """Its stated value stays in gross: 3 contracts x 100 x 3 of money that no return series stands
    for.
    """
    of = hedged(closes, strike_price=None)
    valued = of.value_with_deltas(DAY)
    *_, coverage = rate_sensitivity.portfolio_rows(valued, *of.rate_betas(DAY))
    shares = 120 * closes.loc[AT, "X"]
    call = exposures_by_hand(of)["X"] - shares  # of the two lots, netted
    assert coverage["coverage"].iloc[0] == pytest.approx(
        (shares + call) / (shares + call + 900), rel=1e-9
    )
    assert coverage[["n_covered", "n_total"]].iloc[0].tolist() == [2, 3]
    assert contribution_rows(valued, of.returns(pro_forma.YEAR_WINDOW, DAY))["symbol"].tolist() == [
        "X"
    ]


def test_an_option_without_a_price_counts_by_its_delta_and_has_no_value(closes):
    of, priced = hedged(closes, last_price=None), hedged(closes)
    assert_array_equal(of.value_with_deltas(DAY).exposures, priced.value_with_deltas(DAY).exposures)
    assert np.isnan(of.value_with_deltas(DAY).values[-1, 0])
    found, expected = figures(of), figures(priced)
    assert_allclose(list(found.values()), list(expected.values()), rtol=1e-12)


def test_a_delta_may_be_known_on_one_day_and_not_on_the_next(closes):
    """Y has no close for three sessions, and so no volatility on the last: there its options follow
    nothing and count by their value.
    """
    closes.iloc[198:201, closes.columns.get_loc("Y")] = np.nan
    valued = hedged(closes).value_with_deltas(*SESSIONS[199:201])
    assert valued.has_return_series[-1].tolist() == [True, False]
    assert valued.exposures[-1, 0] > 0
    assert valued.exposures[-1, 1] == valued.values[-1, 1] == -900


def test_values_and_profit_do_not_know_of_deltas(closes):
    of = hedged(closes)
    plain, exposed = of.value_book(DAY), of.value_with_deltas(DAY)
    for name in ("values", "gross_value", "equity", "weight_denominator"):
        assert_array_equal(getattr(exposed, name), getattr(plain, name))


def test_a_book_without_options_counts_by_its_values(closes):
    of = book(
        lot("X", 3),
        lot("Y", -2, position_type="SHORT"),
        lot("HOUSE", 1, investment_class="PRIVATE", market_value=9.0),
        closes=closes,
    )
    plain = of.value_book(DAY)
    exposed = option_results.apply_delta_exposures(plain, of.lots, of.options(DAY))
    assert_array_equal(exposed.exposures, plain.values)
    assert_array_equal(exposed.has_return_series, [[True], [True], [False]])


def test_a_portfolio_of_nothing_but_expired_options_says_that_nothing_has_a_value(closes):
    of = book(lot("X230901C50", 2, **CALL | {"expiration_date": date(2023, 9, 1)}), closes=closes)
    valued = of.value_with_deltas(DAY)
    _, _, undefined = snapshots.beta_rows(valued, of.betas(DAY), of.profiles)
    assert set(undefined["reason"]) == {"the portfolio holds nothing with a value"}
    (row,) = drawdown_rows(valued, of.returns(pro_forma.YEAR_WINDOW, DAY)).itertuples()
    assert row.undefined_reason == "the portfolio holds nothing with a value"


def test_an_option_is_as_volatile_as_its_underlying_times_its_elasticity(closes):
    """Oracle: |N(d1) - 1| S / V of the put by scipy; what is no volatility is the underlying's."""
    of = book(lot("Y", 1), lot("Y240621P50", -3, **PUT), closes=closes)
    estimates = of.symbol_volatility(DAY)
    rows, undefined = forecasts.position_rows(estimates, of.lots, [DAY], of.options(DAY))
    stock, put = (row for _, row in rows.iterrows())
    spot, sigma, years = closes.loc[AT, "Y"], stock["expected_vol_21d"], (JUNE - DAY).days / 365
    rate, dividend = PRICING_PARAMETERS
    d1 = (np.log(spot / 50) + (rate - dividend + sigma**2 / 2) * years) / (sigma * np.sqrt(years))
    share = spot * np.exp(-dividend * years) * stats.norm.cdf(-d1)
    value = 50 * np.exp(-rate * years) * stats.norm.cdf(-d1 + sigma * np.sqrt(years)) - share
    for name in (
        "realized_vol_21d",
        "realized_vol_63d",
        "vol_daily",
        "vol_weekly",
        "vol_monthly",
        "expected_vol_21d",
    ):
        assert put[name] == pytest.approx(stock[name] * share / value, rel=1e-9)
    for name in ("vol_trend", "vol_trend_strength", "vol_percentile", "observations"):
        assert put[name] == stock[name]
    assert (
        undefined["metric"].tolist() == ["position_volatility.model_r_squared"] * 2
    )  # ten months have too few completed forecasts
    assert undefined["reason"].nunique() == 1


def test_an_option_without_an_elasticity_has_no_volatility_and_says_why(closes):
    lots = (
        lot("X230901C50", 1, **CALL | {"expiration_date": date(2023, 9, 1)}),
        lot("X240322C900", 1, **CALL | {"strike_price": 900.0, "expiration_date": DAY}),
        lot("X240621C", 1, **CALL | {"strike_price": None}),
        lot("N240621C50", 1, **CALL | {"underlying_symbol": "N"}),
    )
    of = book(*lots, closes=closes)
    rows, undefined = forecasts.position_rows(
        of.symbol_volatility(DAY), of.lots, [DAY], of.options(DAY)
    )
    assert undefined.groupby("subject")["reason"].unique().str.join("; ").tolist() == [
        "the option has expired",
        "the Black-Scholes value of the option is 0",
        "the strike price is missing",
        "N has no close on the day or the 5 sessions before",
    ]
    assert rows["observations"].tolist() == [0, 0, 0, 0]
    assert len(undefined) == 4 * len(forecasts.POSITION_METRICS)


def test_the_underlying_of_an_option_has_a_forecast_and_betas_of_its_own(closes):
    of = book(lot("Y240621P50", -3, **PUT), closes=closes)
    assert forecasts.symbol_forecasts(of.symbol_volatility(DAY), of.lots, [DAY])[
        "subject"
    ].tolist() == ["Y"]
    assert rate_sensitivity.symbol_rows(of.rate_betas(DAY)[1], of.lots, [DAY])[
        "symbol"
    ].tolist() == ["Y"]

"""Factor exposures and risk of small books: known exposures, statsmodels, and by hand."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from scipy import stats
from small_books import MARKET, SCENARIOS, Book, book, lot

from riskmetrics import trading_calendar
from riskmetrics.factor_sets import parse_factors
from riskmetrics.results import factor_results, factor_stress, pro_forma

DAY = date(2024, 1, 23)
HISTORY = trading_calendar.sessions_with_lookback([DAY], 260)
EXPOSURES = pd.DataFrame(
    {"A": [1.2, 0.5, 0.0], "B": [0.8, -0.3, 0.4], "C": [1.0, 0.0, -0.6]},
    index=["market", "size", "value"],
)
"""Of the simulated symbols; SMALL and CHEAP are the funds of size and value."""
NOISE = 0.004


def simulated(seed: int = 0, days: "list[date] | None" = None, noise: float = NOISE) -> Book:
    """A long and short book of symbols that move with the market and two factors."""
    rng = np.random.default_rng(seed)
    sessions = days or HISTORY
    factors = rng.normal(0, [0.01, 0.004, 0.005], (len(sessions), 3))
    own = factors @ EXPOSURES.to_numpy() + noise * rng.standard_normal((len(sessions), 3))
    market = factors[:, [0]]
    returns = np.hstack([own, market + factors[:, 1:], market])
    closes = pd.DataFrame(
        100 * np.cumprod(1 + returns, axis=0),
        pd.to_datetime(sessions),
        pd.Index(["A", "B", "C", "SMALL", "CHEAP", MARKET], dtype="str"),
    )
    lots = (
        lot("A", 50, entry_date=sessions[0]),
        lot("B", 30, entry_date=sessions[0]),
        lot("C", -20, position_type="SHORT", entry_date=sessions[0]),
    )
    return book(*lots, closes=closes, equity={"A": (10_000.0, sessions[-1])})


FACTORS = "size=SMALL, value=CHEAP"


def estimated(of: Book, *days: date, factors: str = FACTORS, imported=None):
    returns = of.returns(pro_forma.YEAR_WINDOW, *days)
    model = factor_results.build_model(
        parse_factors(factors), MARKET, returns, pd.DataFrame() if imported is None else imported
    )
    return factor_results.estimate_symbol_factors(returns, model)


def tables(of: Book, *days: date, **settings):
    found, valued = estimated(of, *days, **settings), of.value_book(*days)
    exposures, risk = factor_results.portfolio_rows(
        valued, found, of.returns(pro_forma.YEAR_WINDOW, *days)
    )
    return factor_results.symbol_rows(found, of.lots, days), exposures, risk


def test_exposures_of_a_simulated_market_are_recovered() -> None:
    """Within four errors each, and within two on average."""
    symbols, exposures, _ = tables(simulated(), DAY)
    known = symbols.pivot(index="factor", columns="symbol", values="exposure")
    errors = symbols.pivot(index="factor", columns="symbol", values="std_error")
    distance = ((known - EXPOSURES) / errors).abs().to_numpy()
    assert distance.max() < 4
    assert distance.mean() < 2
    assert_allclose(known, EXPOSURES, atol=0.3)
    assert symbols["undefined_reason"].isna().all()
    assert symbols.set_index("factor")["definition"].to_dict() == {
        "market": MARKET,
        "size": f"SMALL - {MARKET}",
        "value": f"CHEAP - {MARKET}",
    }
    assert exposures["coverage"].tolist() == [1, 1, 1]


def test_portfolio_figures_are_those_of_its_own_regression_where_data_is_complete() -> None:
    """Bottom-up exposures are the coefficients of statsmodels on the weighted sum of returns."""
    of = simulated(1)
    _, exposures, risk = tables(of, DAY)
    returns = of.closes.pct_change().iloc[-252:]
    valued = of.value_book(DAY)
    own = returns[["A", "B", "C"]] @ (valued.values[:, 0] / 10_000)
    factors = pd.DataFrame(
        {
            "market": returns[MARKET],
            "size": returns["SMALL"] - returns[MARKET],
            "value": returns["CHEAP"] - returns[MARKET],
        }
    )
    weights = 0.5 ** (np.arange(252)[::-1] / 126)
    fit = sm.WLS(own, sm.add_constant(factors), weights).fit(cov_type="HC1")
    by_factor = exposures.set_index("factor")
    for column, expected in (
        ("exposure", fit.params),
        ("std_error", fit.bse),
        ("t_statistic", fit.tvalues),
    ):
        assert_allclose(by_factor[column], expected[by_factor.index], rtol=1e-7)
    shares = risk.set_index("factor")
    assert shares.loc["specific", "share"] == pytest.approx(1 - fit.rsquared, rel=1e-9)
    volatility = own.ewm(halflife=126).std(bias=False).iloc[-1] * np.sqrt(252)
    assert shares["component"].sum() == pytest.approx(volatility, rel=1e-9)
    assert shares["share"].sum() == pytest.approx(1, rel=1e-12)
    assert shares["observations"].tolist() == [252] * 4


@pytest.mark.parametrize(("n_known", "is_defined"), [(126, True), (125, False)])
def test_a_symbol_and_a_factor_need_half_a_year_of_returns(n_known: int, is_defined: bool) -> None:
    of = simulated(2)
    of.closes.iloc[: -n_known - 1, of.closes.columns.get_indexer(["A"])] = np.nan
    symbols, _, _ = tables(of, DAY)
    rows = symbols[symbols["symbol"] == "A"]
    assert rows["exposure"].notna().tolist() == [is_defined] * 3
    if not is_defined:
        assert set(rows["undefined_reason"]) == {
            "125 of the trailing 252 sessions have returns of the price and of the factors;"
            " 126 required"
        }
    of = simulated(2)
    of.closes.iloc[: -n_known - 1, of.closes.columns.get_indexer(["SMALL"])] = np.nan
    symbols, exposures, risk = tables(of, DAY)
    assert ("size" in set(symbols["factor"])) == is_defined
    assert ("size" in set(risk["factor"])) == is_defined
    row = exposures.set_index("factor").loc["size"]
    assert pd.notna(row["exposure"]) == is_defined
    assert symbols["exposure"].notna().all()
    if not is_defined:
        assert row["undefined_reason"] == (
            f"125 of the trailing 252 sessions have a return of the factor (SMALL - {MARKET});"
            " 126 required: import prices, or set RISKMETRICS_FACTORS"
        )


def test_a_factor_that_shares_too_few_sessions_is_left_out_with_the_reason() -> None:
    of = simulated(2)
    size, value = of.closes.columns.get_indexer(["SMALL", "CHEAP"])
    of.closes.iloc[:-131, size] = np.nan
    of.closes.iloc[-5:, value] = np.nan
    symbols, exposures, risk = tables(of, DAY)
    without = tables(of, DAY, factors="value=CHEAP")
    assert set(risk["factor"]) == {"market", "value", "specific"}
    for found, expected, key in ((symbols, without[0], "symbol"), (risk, without[2], "factor")):
        for column in found.columns.intersection(["exposure", "std_error", "component"]):
            assert found.set_index([key, "factor"])[column].equals(
                expected.set_index([key, "factor"])[column]
            )
    row = exposures.set_index("factor").loc["size"]
    assert np.isnan(row["exposure"])
    assert row["undefined_reason"] == (
        f"125 of the trailing 252 sessions have a return of the factor (SMALL - {MARKET}) and of"
        " those with more returns; 126 required: import prices, or set RISKMETRICS_FACTORS"
    )


def test_a_collinear_factor_is_left_out_with_its_inflation() -> None:
    of = simulated(3)
    noise = np.random.default_rng(4).normal(0, 0.0002, len(HISTORY))
    of = of._replace(closes=of.closes.assign(TWIN=of.closes["SMALL"] * (1 + noise)))
    _, exposures, risk = tables(of, DAY, factors=f"{FACTORS}, twin=TWIN, same=CHEAP")
    rows = exposures.set_index("factor")
    (left_out,) = {"size", "twin"} - set(risk["factor"])
    assert set(risk["factor"]) == {"market", "same", "size", "twin", "specific"} - {left_out}
    assert rows.loc[left_out, "vif"] > 10
    assert rows.loc[left_out, "undefined_reason"] == (
        "left out as collinear: the variance inflation factor is"
        f" {rows.loc[left_out, 'vif']:.1f}, above 10"
    )
    assert pd.isna(rows.loc["value", "vif"])
    assert rows.loc["value", "undefined_reason"] == (
        "left out as collinear: an exact combination of other factors"
    )


def test_without_the_market_there_is_no_exposure_and_one_reason() -> None:
    of = simulated(5)
    of.closes[MARKET] = np.nan
    for rows in tables(of, DAY):
        figures = rows.columns.intersection(["exposure", "component", "std_error", "share"])
        assert rows[figures].isna().all(axis=None)
        assert rows["undefined_reason"].notna().all()
    symbols, _, risk = tables(of, DAY)
    assert set(symbols["factor"]) == {"market"}
    assert set(risk["factor"]) == {"market", "specific"}


def test_imported_returns_are_a_factor() -> None:
    of = simulated(6, noise=0.0)
    returns = of.closes.pct_change()
    imported = pd.DataFrame({"SMB": returns["SMALL"] - returns[MARKET]})
    symbols, exposures, _ = tables(of, DAY, factors="SMB, value=CHEAP", imported=imported)
    known = symbols.pivot(index="factor", columns="symbol", values="exposure")
    assert_allclose(
        known.loc[["market", "SMB", "value"]], EXPOSURES, atol=1e-9
    )  # without noise, exactly
    assert exposures.set_index("factor").loc["SMB", "definition"] == "imported"
    assert set(symbols["undefined_reason"]) == {
        "the factors explain the returns completely, so that the standard error is 0"
    }


def test_a_range_of_days_equals_its_days_one_by_one() -> None:
    days = HISTORY[-4:]
    of = simulated(7)
    of.closes.iloc[100, 0] = of.closes.iloc[-2, 1] = np.nan
    of.closes.iloc[-1, 2] *= 1.7  # confirmed by the next session only
    of.closes.loc[: pd.Timestamp(HISTORY[-128]), "SMALL"] = np.nan  # enough from the last day on
    together = tables(of, *days)
    for day in days:
        for whole, alone in zip(together, tables(of, day), strict=True):
            rows = whole[whole["day"] == pd.Timestamp(day)].reset_index(drop=True)
            pd.testing.assert_frame_equal(rows, alone, check_exact=True)


def test_a_scenario_of_factor_moves_by_hand() -> None:
    of = simulated(8, noise=0.0)
    valued, found = of.value_book(DAY), estimated(of, DAY)
    moves = ["value=-0.05; size=0.02", "value=-0.05", "carry=0.1"]
    scenarios = SCENARIOS.head(3).assign(
        factor_moves=moves, market_move=[-0.1, np.nan, np.nan], name=["all", "value", "unknown"]
    )
    rows = factor_stress.factor_stress_rows(valued, scenarios, found).set_index("scenario")
    values = valued.values[:, 0]  # of A, B and C
    for name, shock in (("all", [-0.1, 0.02, -0.05]), ("value", [0, 0, -0.05])):
        loss = -float(values @ (EXPOSURES.to_numpy().T @ shock))
        assert rows.loc[name, "loss_value"] == pytest.approx(loss, rel=1e-9)
        assert rows.loc[name, "loss"] == pytest.approx(loss / 10_000, rel=1e-9)
        assert rows.loc[name, "coverage"] == 1
    assert pd.isna(rows.loc["unknown", "loss"])
    assert rows.loc["unknown", "undefined_reason"] == (
        "RISKMETRICS_FACTORS does not have the factor carry"
    )


def test_a_scenario_of_factor_moves_revalues_options_by_the_formula_of_black_and_scholes() -> None:
    closes, units = simulated(9, noise=0.0).closes, 200
    spot = float(closes["A"].iloc[-1])
    call = lot(
        "A240621C",
        units / 100,
        position_type="LC",
        investment_class="OPTIONS",
        underlying_symbol="A",
        strike_price=round(spot),
        expiration_date=date(2024, 6, 21),
    )
    stock = lot("B", 30, entry_date=HISTORY[0])
    of = book(stock, call, closes=closes, equity={"A": (10_000.0, HISTORY[-1])})
    valued, found = of.value_with_deltas(DAY), estimated(of, DAY)
    scenarios = SCENARIOS.head(1).assign(
        factor_moves="value=-0.05; size=0.02", market_move=-0.1, volatility_move=0.5
    )
    options = of.option_book(valued, DAY)
    (row,) = factor_stress.factor_stress_rows(valued, scenarios, found, options).to_dict("records")
    (held,) = of.options(DAY).to_dict("records")
    move = float(EXPOSURES["A"] @ [-0.1, 0.02, -0.05])
    years, sigma = held["years_to_expiration"], held["volatility"]

    def value(price: float, sigma: float) -> float:
        root, strike = sigma * np.sqrt(years), round(spot)
        d1 = (np.log(price / strike) + (0.04 - 0.01 + sigma**2 / 2) * years) / root
        paid = strike * np.exp(-0.04 * years) * stats.norm.cdf(d1 - root)
        return float(price * np.exp(-0.01 * years) * stats.norm.cdf(d1) - paid)

    gained = value(spot * (1 + move), 1.5 * sigma) - value(spot, sigma)
    by_delta = held["delta"] * spot * move
    assert abs(gained - by_delta) > 0.5
    assert row["revalued_loss_value"] == pytest.approx(
        row["loss_value"] - units * (gained - by_delta), rel=1e-9
    )

"""Tail risk, contributions, drawdowns, stress and options of portfolios, by hand and by scipy."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from scipy import stats
from small_books import (
    PRICING_PARAMETERS,
    SESSIONS,
    Book,
    book,
    contribution_rows,
    drawdown_rows,
    lot,
)

from riskmetrics import panels, trading_calendar
from riskmetrics.results import (
    option_results,
    pro_forma,
    stress_results,
    tail_risk_results,
)
from riskmetrics.sources import simulate

DAY = date(2024, 12, 6)
HISTORY = trading_calendar.sessions_with_lookback([DAY], tail_risk_results.TAIL_RISK_WINDOW + 1)


def simulated(seed: int, n_portfolios: int = 8) -> Book:
    """Portfolios of two long and one short holding each, no symbol in two of them, on the market
    that `riskmetrics simulate` makes.
    """
    closes = simulate.simulate_market(3 * n_portfolios, HISTORY, seed).closes
    symbols = iter(closes.columns[2:])
    names = [f"P{at}" for at in range(n_portfolios)]
    bought = {"entry_date": HISTORY[0], "entry_price": 1.0}
    lots = [
        lot(
            symbol,
            round(money / closes[symbol].iloc[-1], 4),
            portfolio_id=name,
            position_type="LONG" if money > 0 else "SHORT",
            **bought,
        )
        for name in names
        for money, symbol in zip((700.0, 500.0, -400.0), symbols, strict=False)
    ]
    return book(*lots, closes=closes, equity=dict.fromkeys(names, (1000.0, DAY)))


def tails(of: Book, *days: date, volatility: float = 0.2) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows of tail risk and backtests; ``volatility`` is the forecast, a fraction of gross
    exposure.
    """
    valued = of.value_book(*days)
    returns, n_obs = (
        of.returns(tail_risk_results.TAIL_RISK_WINDOW, *days),
        np.full(valued.net.shape, 252),
    )
    return tail_risk_results.tail_risk_rows(
        valued,
        returns,
        volatility * np.where(valued.equity > 0, valued.equity, valued.gross_value),
        n_obs,
    )


def own_returns(of: Book, name: str) -> pd.Series:
    """Oracle: returns of a portfolio's holdings at the weights of DAY, by pandas."""
    lots = of.lots[of.lots["portfolio_id"] == name].set_index("symbol")
    weights = lots["quantity"] * of.closes.loc[pd.Timestamp(DAY), lots.index] / 1000.0
    return (of.closes[lots.index].pct_change().iloc[1:] * weights).sum(axis=1)


def filtered_losses(returns: pd.Series) -> np.ndarray:
    """Oracle: two years of losses at today's volatility, weighted by numpy."""
    weights = 0.94 ** np.arange(251, -1, -1)
    volatility = (returns**2).rolling(252).apply(
        lambda year: np.average(year, weights=weights)
    ) ** 0.5
    return (-returns / volatility.shift(1) * volatility.iloc[-1]).iloc[-504:].to_numpy()


def test_tail_risk_is_that_of_the_portfolios_own_returns():
    """Oracle: pandas' quantile and mean of two years, and scipy's normal distribution."""
    of = simulated(1, 3)
    rows, _ = tails(of, DAY)
    rows = rows.set_index(["portfolio_id", "method", "level", "horizon_days"]).sort_index()
    assert len(rows) == 3 * 3 * 2 * 2
    assert rows["undefined_reason"].isna().all()
    for name in of.portfolios["name"]:
        losses = -own_returns(of, name).iloc[-504:]
        for level in (0.95, 0.99):
            quantile = losses.quantile(level)
            found = rows.loc[(name, "historical", level)]
            expected = np.array([quantile, losses[losses >= quantile].mean()])
            assert_allclose(
                found.loc[1, ["value_at_risk", "expected_shortfall"]].astype(float),
                expected,
                rtol=1e-9,
            )
            assert_allclose(
                found.loc[10, ["value_at_risk", "expected_shortfall"]].astype(float),
                expected * np.sqrt(10),
                rtol=1e-9,
            )
            assert found.loc[1, "observations"] == 504
            assert_allclose(
                rows.loc[(name, "filtered", level, 1), "value_at_risk"],
                np.quantile(filtered_losses(own_returns(of, name)), level),
                rtol=1e-9,
            )
            normal = rows.loc[(name, "parametric", level, 1), "value_at_risk"]
            assert normal == pytest.approx(stats.norm.ppf(level) * 0.2 / np.sqrt(252), rel=1e-9)


def test_exceptions_of_a_stored_backtest_are_those_of_a_loop_over_days():
    """Oracle: pandas, each of 252 days against the quantile of the 504 before it; scipy for the
    test.
    """
    of = simulated(2, 2)
    _, rows = tails(of, DAY)
    for row in rows.itertuples():
        losses = -own_returns(of, row.portfolio_id)
        known = losses.rolling(504).quantile(row.level).shift(1)
        exceptions = int((losses > known).iloc[-252:].sum())
        assert (row.exceptions, row.n_tested) == (exceptions, 252)
        assert row.expected_exceptions == pytest.approx(252 * (1 - row.level))
        free, held = (
            stats.binom.logpmf(exceptions, 252, p) for p in (exceptions / 252, 1 - row.level)
        )
        assert row.p_value == pytest.approx(stats.chi2.sf(2 * (free - held), 1), rel=1e-6)


def test_exceptions_in_a_few_sessions_are_counted_and_not_tested():
    """The last 600 sessions have prices: 99 of them have the 500 returns before them that 99 %
    needs.
    """
    of = simulated(2, 2)
    of.closes.iloc[:-600] = np.nan
    _, rows = tails(of, DAY)
    few = rows[rows["level"] == 0.99]
    assert few["n_tested"].tolist() == [99, 99]
    assert few[["likelihood_ratio", "p_value"]].isna().all(axis=None)
    assert few["undefined_reason"].str.endswith("126 required").all()


def test_a_short_history_counts_the_returns_that_each_method_can_use():
    """101 closes: 100 returns, of which 37 have the 63 before them that filtering needs."""
    of = simulated(2, 1)
    of.closes.iloc[:-101] = np.nan
    found = tails(of, DAY)[0].set_index(["method", "level", "horizon_days"])["undefined_reason"]
    assert found["historical", 0.95, 10] == (
        "100 of the trailing 504 sessions have returns of 80% of gross exposure; 126 required"
    )
    assert found["filtered", 0.95, 10] == found["filtered", 0.95, 1]
    assert found["filtered", 0.95, 1] == (
        "37 of the trailing 504 sessions have a return, and a volatility above 0 from 63 returns"
        " in the 252 sessions before; 126 required"
    )


def test_losses_on_the_simulated_market_pass_the_value_at_risk_as_often_as_its_level_says():
    """Sixteen markets of eight portfolios; the standard error is that of the markets, whose
    portfolios move together.

    An interpolated quantile of 504 independent losses is passed a little more often than its level
    says: by (504 - .95 x 503) / 505 and (504 - .99 x 503) / 505.
    """
    rows = pd.concat(
        [tails(simulated(seed), DAY)[1].assign(market=seed) for seed in range(100, 116)]
    )
    assert (rows["n_tested"] == 252).all()
    for level, of_level in rows.groupby("level"):
        shares = of_level.groupby("market")["exceptions"].sum() / (8 * 252)
        known = (504 - level * 503) / 505
        assert abs(shares.mean() - known) < 4 * shares.std() / np.sqrt(len(shares))
        assert shares.mean() == pytest.approx(1 - level, rel=0.35)


def test_contributions_sum_to_the_volatility():
    """Oracle: the standard deviation of the portfolio's own returns of a year, by pandas."""
    of = simulated(3)
    rows = contribution_rows(of.value_book(DAY), of.returns(pro_forma.YEAR_WINDOW, DAY)).set_index(
        "portfolio_id"
    )
    assert len(rows) == 24
    for name, own in rows.groupby(level=0):
        volatility = own_returns(of, name).iloc[-252:].std() * np.sqrt(252)
        assert own["component"].sum() == pytest.approx(volatility, rel=1e-9)
        assert own["share"].sum() == pytest.approx(1.0, rel=1e-12)
        assert_allclose(own["component"], own["weight"] * own["marginal"], rtol=1e-12)
        assert (own["observations"] == 252).all()


def test_contributions_say_why_they_are_undefined():
    """GONE has no close, its weight is unknown; the portfolio of NEW has 40 returns."""
    closes = {symbol: dict.fromkeys(SESSIONS, 10.0) for symbol in ("FLAT", "SPY")}
    closes |= {"GONE": {}, "NEW": {day: 10.0 + at for at, day in enumerate(SESSIONS[160:])}}
    house = lot("HOUSE", 1, investment_class="PRIVATE", market_value=5.0)
    more = [
        lot(
            "FLAT",
            1,
            position_type="LC",
            strike_price=at,
            last_price=0.01,
            investment_class="OPTIONS",
        )
        for at in (8.0, 9.0)
    ]
    lots = lot("FLAT", 9), lot("GONE", 1), house, *more, lot("NEW", 1, portfolio_id="B")
    of = book(*lots, closes=closes, equity={"A": (None, None), "B": (None, None)})
    rows = contribution_rows(
        of.value_book(SESSIONS[200]), of.returns(pro_forma.YEAR_WINDOW, SESSIONS[200])
    ).set_index("symbol")
    assert rows["component"].isna().all()
    assert dict(rows["undefined_reason"]) == {
        "FLAT": "the portfolio's value did not move in the window",
        "GONE": "the symbol has no price, and so no weight",
        "NEW": (
            "40 of the trailing 252 sessions have returns of 80% of gross exposure; 126 required"
        ),
    }


def test_hand_calculated_drawdown_and_its_sessions():
    """From 100 to 200, down to 120 (40 %), up to 150: a quarter below the high; 200 sessions have
    199 returns.
    """
    prices = np.interp(range(200), [0, 100, 150, 199], [100.0, 200.0, 120.0, 150.0])
    of = book(lot("X", 1), closes={"X": dict(zip(SESSIONS[:200], prices, strict=True))})
    (row,) = drawdown_rows(
        of.value_book(SESSIONS[199]), of.returns(pro_forma.YEAR_WINDOW, SESSIONS[199])
    ).itertuples()
    assert (row.current_drawdown, row.max_drawdown) == pytest.approx((0.25, 0.4), rel=1e-12)
    days = (
        row.current_drawdown_peak.date(),
        row.max_drawdown_peak.date(),
        row.max_drawdown_trough.date(),
    )
    assert days == (SESSIONS[100], SESSIONS[100], SESSIONS[150])
    assert row.observations == 199
    assert pd.isna(row.undefined_reason)


def test_a_portfolio_that_never_fell_has_no_days_of_a_fall():
    rising = {day: 100.0 + at for at, day in enumerate(SESSIONS)}
    of = book(lot("X", 1), closes={"X": rising})
    (row,) = drawdown_rows(
        of.value_book(SESSIONS[199]), of.returns(pro_forma.YEAR_WINDOW, SESSIONS[199])
    ).itertuples()
    assert (row.current_drawdown, row.max_drawdown, row.current_drawdown_peak.date()) == (
        0.0,
        0.0,
        SESSIONS[199],
    )
    assert pd.isna(row.max_drawdown_peak)
    assert pd.isna(row.max_drawdown_trough)


def moved(seed: int = 5) -> Book:
    """One long and one short holding of betas 1.5 and .5 to the market, and -.2 and .4 to rates,
    without noise; equity 1,000.
    """
    rng = np.random.default_rng(seed)
    market, rates = rng.normal(0, 0.01, (2, len(SESSIONS)))
    returns = {
        "A": 1.5 * market - 0.2 * rates,
        "B": 0.5 * market + 0.4 * rates,
        "S0": rates,
        "SPY": market,
    }
    closes = pd.DataFrame(
        {name: 10 * np.cumprod(1 + of) for name, of in returns.items()},
        index=pd.to_datetime(SESSIONS),
    )
    closes.columns = closes.columns.astype("str")
    units = 800 / closes["A"].iloc[200], -400 / closes["B"].iloc[200]
    return book(
        lot("A", units[0]),
        lot("B", units[1], position_type="SHORT"),
        closes=closes,
        equity={"A": (1000.0, SESSIONS[200])},
    )


def test_a_scenario_of_both_factors_takes_each_beta_with_the_other_held_fixed():
    """By hand: .8 x 1.5 - .4 x .5 = 1 to the market and .8 x -.2 - .4 x .4 = -.32 to rates; -10 %
    and +5 % lose .1 + .016.
    """
    rows = moved().stress(SESSIONS[200]).set_index("scenario")
    assert rows.loc["both", "loss"] == pytest.approx(0.116, rel=1e-9)
    assert rows.loc["both", "loss_value"] == pytest.approx(116.0, rel=1e-9)
    assert rows.loc["both", "coverage"] == pytest.approx(1.0)


def test_a_scenario_of_one_factor_is_the_portfolios_own_beta_times_its_move():
    """Oracles: regressions of the portfolio's own returns on each index, by statsmodels and scipy.

    The margin of a move of the market is four standard errors of the exponentially weighted beta,
    times 1.96.
    """
    of = moved()
    rows = of.stress(SESSIONS[200]).set_index("scenario")
    history = of.closes.pct_change().iloc[1:201]
    fit = sm.WLS(
        0.8 * history["A"] - 0.4 * history["B"],
        sm.add_constant(history["SPY"]),
        weights=0.5 ** (np.arange(199, -1, -1) / 89),
    ).fit(cov_type="HC0")
    assert rows.loc["fall", "loss_margin"] == pytest.approx(
        0.2 * 4 * 1.96 * fit.bse["SPY"], rel=1e-9
    )
    returns = of.closes.pct_change().iloc[111:201]
    own = 0.8 * returns["A"] - 0.4 * returns["B"]
    assert rows.loc["fall", "loss"] == pytest.approx(0.2 * fit.params["SPY"], rel=1e-9)
    assert rows.loc["rates", "loss"] == pytest.approx(
        0.1 * stats.linregress(returns["S0"], own).slope, rel=1e-9
    )


def test_a_replay_compounds_what_happened_and_says_when_it_has_not_yet():
    of = moved()
    rows = of.stress(SESSIONS[200]).set_index("scenario")
    first, last = (of.closes.loc[day] for day in ("2023-09-01", "2023-10-27"))
    assert rows.loc["autumn", "loss"] == pytest.approx(
        -(0.8 * (last / first - 1)["A"] - 0.4 * (last / first - 1)["B"]), rel=1e-12
    )
    before = of.stress(SESSIONS[180]).set_index("scenario").loc["spring"]
    assert SESSIONS[180] < date(2024, 3, 22)
    assert np.isnan(before["loss"])
    assert before["undefined_reason"] == "the replayed window ends on 2024-03-22, after the day"


def test_a_replay_without_closes_of_the_index_says_that_no_beta_is_used():
    of = moved()
    of.closes.loc["2023-09-01", ["A", "B"]] = np.nan
    assert of.stress(SESSIONS[200]).set_index("scenario").loc["autumn", "proxied_share"] == 1.0
    of.closes.loc["2023-09-01", "SPY"] = np.nan
    row = of.stress(SESSIONS[200]).set_index("scenario").loc["autumn"]
    assert row["undefined_reason"] == (
        "holdings with closes on 2023-09-01 and 2023-10-27 (SPY has no return between them, so no"
        " beta is used) make up 0.0% of gross exposure; 80% required"
    )


def test_without_a_scenario_there_is_no_row():
    of, day = moved(), SESSIONS[200]
    none = pd.DataFrame(
        {
            name: pd.Series(dtype="datetime64[s]")
            for name in (
                *("name", "market_move", "rate_move", "volatility_move"),
                *("first_day", "last_day"),
            )
        }
    )
    assert stress_results.window_ends(none) == []
    rows = stress_results.stress_rows(
        of.value_book(day),
        none,
        of.stress_betas(day),
        of.stress_history(day),
    )
    assert rows.empty
    assert "loss_value" in rows


@pytest.fixture
def with_options() -> Book:
    """Two long calls and three short puts on A, one put that has expired, a call without a strike,
    one on what has no price.
    """
    of = moved()
    option = {
        "investment_class": "OPTIONS",
        "underlying_symbol": "A",
        "expiration_date": date(2024, 6, 21),
        "strike_price": 11.0,
        "last_price": 1.0,
    }
    lots = pd.DataFrame(
        [
            lot("A240621C11", 2, position_type="LC", portfolio_id="C", **option),
            lot("A240621P11", -3, position_type="SP", portfolio_id="C", **option),
            lot(
                "A230901P11",
                5,
                position_type="LP",
                portfolio_id="C",
                **option | {"expiration_date": date(2023, 9, 1)},
            ),
            lot(
                "A240621C",
                1,
                position_type="LC",
                portfolio_id="D",
                **option | {"strike_price": None},
            ),
            lot(
                "Z240621C11",
                1,
                position_type="LC",
                portfolio_id="D",
                **option | {"underlying_symbol": "Z"},
            ),
        ]
    )
    return book(
        *lots.astype(object).where(lots.notna(), None).to_dict("records"),
        closes=of.closes,
        equity={"C": (None, None), "D": (None, None)},
    )


def test_options_are_those_of_the_textbook_formula(with_options: Book):
    """Oracle: Black and Scholes written out with scipy's normal distribution; sensitivities as
    differences of it.
    """
    day = SESSIONS[200]
    call, put, *_ = with_options.options(day).itertuples()
    spot, volatility = float(with_options.closes.loc[pd.Timestamp(day), "A"]), call.volatility
    years = (date(2024, 6, 21) - day).days / 365
    assert (call.underlying_price, call.years_to_expiration) == (spot, years)
    assert volatility > 0

    def value(
        sign: float, spot: float, years: float = years, volatility: float = volatility
    ) -> float:
        d1 = (
            (
                np.log(spot / 11)
                + (
                    PRICING_PARAMETERS.risk_free_rate
                    - PRICING_PARAMETERS.dividend_yield
                    + volatility**2 / 2
                )
                * years
            )
            / volatility
            / np.sqrt(years)
        )
        share = (
            spot * np.exp(-PRICING_PARAMETERS.dividend_yield * years) * stats.norm.cdf(sign * d1)
        )
        return sign * (
            share
            - 11
            * np.exp(-PRICING_PARAMETERS.risk_free_rate * years)
            * stats.norm.cdf(sign * (d1 - volatility * np.sqrt(years)))
        )

    for sign, row, contracts in ((1, call, 2), (-1, put, -3)):
        assert row.value == pytest.approx(value(sign, spot), rel=1e-9)
        assert row.delta == pytest.approx(
            (value(sign, spot + 1e-4) - value(sign, spot - 1e-4)) / 2e-4, rel=1e-6
        )
        assert row.theta == pytest.approx(
            (value(sign, spot, years - 1e-5) - value(sign, spot, years + 1e-5)) / 2e-5 / 365,
            rel=1e-5,
        )
        assert row.vega == pytest.approx(
            (value(sign, spot, volatility=volatility + 1e-6) - value(sign, spot)) / 1e-6 / 100,
            rel=1e-4,
        )
        assert row.exposure == pytest.approx(row.delta * contracts * 100 * spot, rel=1e-12)


def test_options_that_cannot_be_valued_say_why_and_one_that_has_expired_is_worth_nothing(
    with_options: Book,
):
    rows = with_options.options(SESSIONS[200])
    expired, no_strike, no_price = (row for _, row in rows.iloc[2:].iterrows())
    assert (expired[["value", "delta", "gamma", "theta", "vega", "exposure"]] == 0).all()
    assert expired["years_to_expiration"] < 0
    assert no_strike["undefined_reason"] == "the strike price is missing"
    assert no_price["undefined_reason"] == "Z has no close on the day or the 5 sessions before"
    assert rows["undefined_reason"].isna().tolist() == [True, True, True, False, False]


def test_sensitivities_of_a_portfolio_are_sums_over_its_options(with_options: Book):
    """By hand: 2 calls less 3 puts, of 100 shares each; the two options of D are not known."""
    day, of = SESSIONS[200], with_options
    rows = of.options(day)
    greeks, undefined = option_results.portfolio_rows(
        of.value_book(day), option_results.option_lots(of.lots), rows
    )
    greeks = greeks.set_index("portfolio_id")
    for greek in ("delta", "gamma", "theta", "vega"):
        assert greeks.loc["C", f"portfolio_{greek}"] == pytest.approx(
            200 * rows.loc[0, greek] - 300 * rows.loc[1, greek], rel=1e-12
        )
    assert set(undefined["portfolio_id"]) == {"D"}
    assert set(undefined["metric"]) == set(option_results.GREEK_METRICS)
    assert set(undefined["reason"]) == {"options with unknown sensitivities: 2"}


def test_a_portfolio_without_options_has_sensitivities_of_zero():
    of, day = moved(), SESSIONS[200]
    greeks, undefined = option_results.portfolio_rows(
        of.value_book(day), option_results.option_lots(of.lots), of.options(day)
    )
    assert (greeks.drop(columns=["portfolio_id", "snapshot_date"]) == 0).all(axis=None)
    assert undefined.empty


def test_a_window_that_reaches_before_the_calendar_is_missing_and_not_short():
    closes = pd.DataFrame(
        {"A": [1.0, 2.0, 3.0]}, index=pd.to_datetime(["1990-01-02", "1990-01-03", "1990-01-04"])
    )
    longer = panels.pad_history(closes, 10)
    assert len(longer) == 10
    assert longer.index.is_monotonic_increasing
    assert longer["A"].notna().sum() == 3
    assert panels.pad_history(closes, 2) is closes
    of = panels.clean_returns(longer)
    assert len(list(of.windows(8))) == 1


def test_a_window_that_ends_on_the_day_itself_is_replayed_and_the_session_before_it_is_not():
    """By hand: units times closes of the day are the weights, cash is what is left of equity."""
    of, last = moved(), date(2024, 3, 22)
    closes = of.closes
    row = of.stress(last).set_index("scenario").loc["spring"]
    held = of.lots.set_index("symbol")["quantity"].astype(float)
    anchor, day = closes.loc[str(SESSIONS[200])], closes.loc[str(last)]
    equity = 1000.0 + float(((day - anchor)[["A", "B"]] * held).sum())
    moves = (day / closes.loc["2024-02-01"] - 1)[["A", "B"]]
    expected = -float((moves * day[["A", "B"]] * held).sum()) / equity
    assert row["loss"] == pytest.approx(expected, rel=1e-9)
    assert pd.isna(row["undefined_reason"])
    before = of.stress(trading_calendar.previous_session(last)).set_index("scenario").loc["spring"]
    assert np.isnan(before["loss"])
    assert before["undefined_reason"] == "the replayed window ends on 2024-03-22, after the day"

"""Rows of charts: pandas, numpy and hand calculations as oracles."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from chart_data import DAY, N_SESSIONS, portfolio_data, pro_forma, sessions

from riskmetrics import trading_calendar
from riskmetrics.charts import rows
from riskmetrics.charts.labels import SIDES, place_labels
from riskmetrics.charts.pro_forma_data import ProForma


def test_stored_returns_start_on_the_pro_forma_line() -> None:
    """Of four sessions the last two are stored, +10% and -50%."""
    series = ProForma(sessions(4), np.array([0.1, 0.2, 0.0, 0.5]), np.array([0.0, 0.1, np.nan, 0]))
    history = portfolio_data().history.iloc[-2:].assign(daily_return=[0.1, -0.5])
    found = rows.cumulative_returns(portfolio_data(pro_forma=series, history=history, n_sessions=4))
    assert found["portfolio"].tolist() == pytest.approx([0.1, 0.32, 0.32, 0.98])
    assert found["market"].tolist() == pytest.approx([0.0, 0.1, 0.1, 0.1])
    assert found["realized"].isna().tolist() == [True, True, False, False]
    assert found["realized"].tolist()[2:] == pytest.approx([1.32 * 1.1 - 1, 1.32 * 1.1 * 0.5 - 1])


def test_stored_returns_break_where_a_session_is_missing() -> None:
    """Of five sessions the third has no result: what was earned on it is unknown."""
    own = np.array([0.1, 0.1, 0.1, 0.1, 0.1])
    series = ProForma(sessions(5), own, np.zeros(5))
    history = portfolio_data().history.iloc[[-5, -4, -2, -1]].assign(daily_return=[0.2, 0, 0.5, 0])
    found = rows.cumulative_returns(portfolio_data(pro_forma=series, history=history, n_sessions=5))
    expected = [0.2, 0.2, np.nan, 1.1**3 * 1.5 - 1, 1.1**3 * 1.5 - 1]
    assert found["realized"].tolist() == pytest.approx(expected, nan_ok=True)


def test_drawdowns_start_at_the_first_value() -> None:
    series = ProForma(sessions(3), np.array([-0.1, 0.2, -0.5]), np.zeros(3))
    found = rows.underwater(portfolio_data(pro_forma=series, n_sessions=3))
    assert found["portfolio"].tolist() == pytest.approx([-0.1, 0.0, -0.5])


def test_forecasts_stand_where_their_sessions_end() -> None:
    found = rows.volatility_fan(portfolio_data())
    made = trading_calendar.sessions_with_lookback([DAY], N_SESSIONS - 1)
    assert found["made_on"].tolist() == [f"{day}" for day in made]
    last = DAY
    for _ in range(21):
        last = trading_calendar.next_session(last)
    assert found["day"].iloc[-1].date() == last
    assert found["day"].iloc[0].date() == made[21]
    assert found["is_outside"].sum() == N_SESSIONS - 21  # each is 0.06 above, the band 0.05


def test_the_value_at_risk_is_the_quantile_of_the_sessions_before() -> None:
    series = pro_forma()
    found = rows.value_at_risk(portfolio_data(n_sessions=252))
    assert len(found) == 252
    for place in (0, 100, 251):
        window = series.returns[place : place + 504]
        assert found["threshold"].iloc[place] == pytest.approx(np.quantile(window, 0.05))
    is_beyond = series.returns[504:] < found["threshold"].to_numpy()
    assert found["exception"].tolist() == is_beyond.astype(int).tolist()


def test_a_history_longer_than_the_backtest_is_clipped_to_it() -> None:
    assert len(rows.value_at_risk(portfolio_data(n_sessions=700))) == 252


def test_rolling_figures_are_those_of_pandas_and_statsmodels() -> None:
    data = portfolio_data()
    series = pd.Series(pro_forma().returns)
    window = series.rolling(126)
    volatility = (window.std() * np.sqrt(252)).iloc[-N_SESSIONS:]
    sharpe = (window.mean() / window.std() * np.sqrt(252)).iloc[-N_SESSIONS:]
    assert rows.rolling_volatility(data)["volatility"].to_numpy() == pytest.approx(
        volatility.to_numpy()
    )
    assert rows.rolling_sharpe(data)["sharpe_ratio"].to_numpy() == pytest.approx(sharpe.to_numpy())
    fit = sm.OLS(pro_forma().returns[-90:], sm.add_constant(pro_forma().market[-90:])).fit()
    last = rows.beta(data).iloc[-1]
    assert [last["beta"], last["low"]] == pytest.approx(
        [fit.params[1], fit.params[1] - 1.96 * fit.bse[1]]
    )


def test_monthly_returns_are_those_of_pandas() -> None:
    series = pro_forma()
    growth = pd.Series(1 + series.returns, series.days)
    expected = growth.resample("ME").prod() - 1
    found = rows.monthly_returns(portfolio_data())
    assert found["monthly_return"].to_numpy() == pytest.approx(expected.to_numpy())
    assert (found["year"].iloc[-1], found["month"].iloc[-1]) == (2022, 12)
    assert found["sessions"].sum() == 756


def test_a_distribution_counts_every_known_return() -> None:
    returns = pro_forma(100).returns
    returns[:3] = np.nan
    series = ProForma(sessions(100), returns, np.zeros(100))
    found = rows.distribution(portfolio_data(pro_forma=series, n_sessions=100))
    assert found["sessions"].sum() == 97


@pytest.mark.parametrize(("count", "n_bars"), [(15, 15), (16, 16), (17, 16)])
def test_contributions_beyond_fifteen_are_one_bar(count: int, n_bars: int) -> None:
    shares = np.full(count, 1 / count)
    contributions = pd.DataFrame(
        {"symbol": [f"S{each}" for each in range(count)], "weight": shares, "share": shares}
    )
    found = rows.risk_shares(portfolio_data(contributions=contributions))
    assert len(found) == n_bars
    assert found["weight"].sum() == pytest.approx(1)
    if n_bars < count:
        assert found["symbol"].iloc[-1] == "2 others: 11.8%"
        assert found["share"].isna().sum() == 1


def test_losses_of_scenarios_are_negative_and_undefined_ones_left_out() -> None:
    found = rows.stress(portfolio_data())
    assert found.to_dict("list") == {"scenario": ["fall", "rise"], "result": [-0.3, 0.1]}


def test_contributors_are_the_largest_gains_and_losses() -> None:
    symbols = [f"S{each}" for each in range(20)]
    positions = pd.DataFrame({"underlying": symbols, "daily_pnl": np.arange(-9.0, 11.0)})
    found = rows.pnl_contributors(portfolio_data(positions=positions))
    assert len(found) == 13
    assert found["symbol"].iloc[6] == "7 others: +4"  # 4 + 3 + 2 + 1 - 1 - 2 - 3
    assert np.isnan(found["daily_pnl"].iloc[6])
    assert found["daily_pnl"].iloc[[0, -1]].tolist() == [10.0, -9.0]


@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        ([1.0] * 20, [20, 19, 18, 17, 16, 15, "14 others: +105"]),
        ([-1.0] * 20, ["14 others: −105", -15, -16, -17, -18, -19, -20]),
        ([1.0] * 18 + [-1.0] * 2, [18, 17, 16, 15, 14, 13, "12 others: +78", -19, -20]),
        ([1.0] * 13, list(range(13, 0, -1))),
    ],
)
def test_a_gain_is_no_loss_however_small(signs: list[float], expected: list[object]) -> None:
    gains = np.array(signs) * np.arange(1, len(signs) + 1)
    positions = pd.DataFrame({"underlying": [f"S{n}" for n in gains], "daily_pnl": gains})
    found = rows.pnl_contributors(portfolio_data(positions=positions))
    is_rest = found["symbol"].str.contains("others")
    assert found["daily_pnl"].where(~is_rest, found["symbol"]).tolist() == expected


def test_trades_of_a_closed_day_stand_on_the_next_session() -> None:
    days = sessions(3)
    trades = pd.DataFrame(
        {
            "day": [days[1] - pd.Timedelta(hours=12), days[1], days[2] + pd.Timedelta(days=9)],
            "symbol": ["A", "B", "C"],
            "action": "opened",
        }
    )
    history = portfolio_data().history.iloc[-3:].reset_index(drop=True)
    found = rows.equity(portfolio_data(trades=trades, history=history))
    assert found["trades"].fillna("").tolist() == ["", "opened A, opened B", ""]


def test_trades_before_the_first_result_of_a_portfolio_are_left_out() -> None:
    """One on the closed days before its session is shown on that."""
    days = pd.DatetimeIndex([pd.Timestamp(2022, 12, each) for each in (22, 23, 24, 27)])
    trades = pd.DataFrame({"day": days, "symbol": list("ABCD"), "action": "opened"})
    history = portfolio_data().history
    history = history[history["day"] >= "2022-12-27"].reset_index(drop=True)
    found = rows.equity(portfolio_data(trades=trades, history=history))
    assert found["trades"].fillna("").tolist() == ["opened C, opened D", ""]
    assert rows.equity(portfolio_data(trades=trades, history=history.iloc[:0])).empty


def test_without_a_benchmark_sectors_are_their_net_weight() -> None:
    sectors = portfolio_data().sectors.assign(benchmark_weight=np.nan, active_weight=np.nan)
    data = portfolio_data(sectors=sectors)
    assert rows.has_no_benchmark(data)
    assert not rows.has_benchmark(data)
    found = rows.sector_weights(data)
    assert found["net_weight"].tolist() == [0.6, 0.4, 0.5, 0.5]
    latest = found[found["session"] == found["session"].max()]
    texts = dict(zip(latest["sector"], latest["label"], strict=True))
    assert set(found["label"]) == set(texts.values())
    assert all(text == f"{sector}  +50.0%" for sector, text in texts.items())


def test_a_sector_that_is_never_held_is_left_out_without_a_benchmark() -> None:
    sectors = portfolio_data().sectors.assign(benchmark_weight=np.nan, active_weight=np.nan)
    none = sectors.drop_duplicates("day").assign(sector="Real Estate", net_weight=0.0)
    data = portfolio_data(sectors=pd.concat([sectors, none], ignore_index=True))
    assert "Real Estate" not in set(rows.sector_weights(data)["sector"])


@pytest.mark.parametrize("read_rows", [rows.sector_drift, rows.sector_weights])
def test_sectors_of_one_session_are_nothing_over_time(read_rows) -> None:
    sectors = portfolio_data().sectors
    last = sectors[sectors["day"] == sectors["day"].max()]
    assert not read_rows(portfolio_data(sectors=sectors)).empty
    assert read_rows(portfolio_data(sectors=last)).empty


def test_correlations_are_in_both_orders_the_largest_weights_first() -> None:
    found = rows.correlations(portfolio_data())
    assert list(zip(found["first"], found["second"], found["correlation"], strict=True)) == [
        ("A<b>", "A<b>", 1.0),
        ("A<b>", "B", 0.5),
        ("A<b>", "C", -0.25),
        ("B", "A<b>", 0.5),
        ("B", "B", 1.0),
        ("C", "A<b>", -0.25),
        ("C", "C", 1.0),
    ]


@pytest.mark.parametrize(("count", "n_symbols"), [(15, 15), (16, 15)])
def test_correlations_are_of_fifteen_symbols_at_most(count: int, n_symbols: int) -> None:
    symbols = [f"S{each:02}" for each in range(count)]
    contributions = pd.DataFrame(
        {"symbol": symbols, "weight": np.linspace(0.2, 0.1, count), "share": 0.1}
    )
    pairs = [(one, other) for one in symbols for other in symbols if one < other]
    correlations = pd.DataFrame(pairs, columns=["symbol_a", "symbol_b"]).assign(correlation=0.5)
    found = rows.correlations(
        portfolio_data(contributions=contributions, correlations=correlations)
    )
    assert found["first"].nunique() == n_symbols
    assert len(found) == n_symbols**2


def test_factor_exposures_have_the_interval_of_their_standard_error() -> None:
    found = rows.factor_exposures(portfolio_data())
    assert found["factor"].tolist() == ["market", "value"]
    assert found.loc[0, ["low", "high"]].tolist() == pytest.approx([1.1 - 0.098, 1.1 + 0.098])


def test_labels_do_not_cover_each_other_or_leave_the_plot() -> None:
    """Of eight, every point has its label, near ones on other sides."""
    contributions = pd.DataFrame(
        {
            "symbol": ["AAPL", "MSFT", "XOM", "JPM", "KO", "LLY", "WMT", "AMD"],
            "weight": [0.30, 0.29, 0.28, 0.10, 0.09, 0.05, 0.05, 0.30],
            "share": [0.32, 0.32, 0.31, 0.05, 0.05, 0.02, 0.02, 0.60],
        }
    )
    found = rows.risk_against_weight(replace(portfolio_data(), contributions=contributions))
    sides = found.set_index("symbol")["side"]
    assert sides.notna().all()
    assert sides["AMD"] != "right"  # the largest weight is at the right edge
    assert sides["AAPL"] != sides["MSFT"]


@pytest.mark.parametrize(("n_covered", "side"), [(0, "right"), (1, "right"), (2, None)])
def test_a_label_covers_one_point_at_most(n_covered: int, side: str | None) -> None:
    """The other sides of the first point have two points each."""
    around = [(0.441, 0.5), (0.465, 0.5), *((x, y) for x in (0.485, 0.515) for y in (0.42, 0.58))]
    right = [(0.544, 0.5), (0.568, 0.5)][:n_covered]
    points = [(0.5, 0.5), *around, *right, (1.0, 1.0)]
    names = ["ABCD"] + [""] * (len(points) - 1)
    assert place_labels(names, *map(list, zip(*points, strict=True)))[0] == side


def test_a_label_is_left_out_without_room_and_beyond_ten() -> None:
    same = [*[0.5] * 7, 1.0]
    assert place_labels([*["A"] * 7, ""], same, same)[:7].count(None) == 7 - len(SIDES)
    spread = [number / 12 for number in range(12)]
    sides = place_labels(["AB"] * 12, spread, spread)
    assert [side is None for side in sides] == [False] * 10 + [True] * 2


def test_the_axis_of_labels_spans_the_line_and_no_label_is_above_it() -> None:
    """The line of weights ends at 0.6, so the point at 0.5 is not at the upper edge."""
    beside = [(0.30, 0.5), (0.34, 0.5), (0.26, 0.5), (0.22, 0.5)]
    x, y = map(list, zip((0.28, 0.5), *beside, (0.6, 0.3), strict=True))
    names = ["ABCD"] + [""] * 5
    assert place_labels(names, x, y, also_y=x)[0] == "above"
    assert place_labels(names, x, y)[0] == "below"


def test_sessions_without_a_cumulative_pnl_are_left_out_of_its_chart() -> None:
    """A lot without an entry price has none: an empty panel would say nothing."""
    history = portfolio_data().history
    found = rows.cumulative_pnl(portfolio_data(history=history))
    assert found["cumulative_pnl"].notna().all()
    assert len(found) == len(history)
    unknown = history.assign(cumulative_pnl=[np.nan] * (len(history) - 1) + [5.0])
    found = rows.cumulative_pnl(portfolio_data(history=unknown))
    assert found["cumulative_pnl"].tolist() == [5.0]

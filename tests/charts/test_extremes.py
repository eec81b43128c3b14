"""Best and worst days and months, and drawdowns, by hand."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest
from chart_data import portfolio_data, pro_forma, sessions

from riskmetrics.charts.extremes import (
    DrawdownSpell,
    list_drawdowns,
    list_extremes,
    list_periods,
)
from riskmetrics.charts.pro_forma_data import ProForma


def of(*returns: float):
    """Return data with the returns of the last sessions, the first of which is not shown."""
    values = np.array([9.0, *returns])
    series = ProForma(sessions(len(values)), values, np.zeros(len(values)))
    return portfolio_data(pro_forma=series, n_sessions=len(returns))


def test_drawdowns_are_from_peak_to_recovery_the_deepest_first() -> None:
    """Values 1, 0.9, 1.08, 0.864, 0.95, 1.14, 1.026: the last one lasts."""
    data = of(-0.1, 0.2, -0.2, 0.0995370370, 0.2, -0.1)
    days = [day.date() for day in sessions(7)]
    found = list_drawdowns(data)
    assert [spell.depth for spell in found] == pytest.approx([-0.2, -0.1, -0.1])
    assert found[0] == DrawdownSpell(days[2], days[3], days[5], found[0].depth, 3)
    assert {found[1][:3], found[2][:3]} == {
        (days[0], days[1], days[2]),
        (days[5], days[6], None),
    }
    assert sorted(spell.sessions for spell in found) == [1, 2, 3]


def test_no_fall_is_no_drawdown_and_a_missing_return_is_no_change() -> None:
    assert list_drawdowns(of(0.1, np.nan, 0.2)) == []
    (spell,) = list_drawdowns(of(0.1, -0.1, np.nan))
    assert (spell.recovered, spell.sessions) == (None, 2)


def test_the_deepest_drawdown_is_that_of_the_stored_measure() -> None:
    from riskmetrics.metrics.drawdown import drawdown

    data = portfolio_data(n_sessions=252)
    stored = drawdown(pro_forma().returns[-252:, np.newaxis], min_obs=126)
    spell = list_drawdowns(data)[0]
    assert -spell.depth == pytest.approx(stored.max_drawdown[0])
    days = sessions(253)
    assert spell.peak == days[stored.max_drawdown_peak[0]].date()
    assert spell.trough == days[stored.max_drawdown_trough[0]].date()


def test_extremes_are_those_of_the_sessions_shown() -> None:
    """Nine before the sessions shown is the largest return, and not among them."""
    found = {extreme.label: extreme for extreme in list_extremes(of(0.01, -0.02, 0.03))}
    days = [f"{day:%Y-%m-%d}" for day in sessions(3)]
    assert found["Best session"][1:3] == (days[2], 0.03)
    assert found["Worst session"][1:3] == (days[1], -0.02)
    assert found["Best month"].period == f"{date(2022, 12, 28):%Y-%m}"
    assert list_extremes(portfolio_data(pro_forma=None)) == []
    assert list_extremes(of(np.nan, np.nan)) == []
    assert list_drawdowns(portfolio_data(pro_forma=None)) == []


def test_months_are_counted_and_averaged_by_their_sign() -> None:
    found = {each.label: each for each in list_extremes(portfolio_data(n_sessions=252))}
    frame = pro_forma().frame(252).set_index("day")["portfolio"]
    months = (1 + frame).groupby([frame.index.year, frame.index.month]).prod() - 1
    gain, loss = found["Average monthly gain"], found["Average monthly loss"]
    assert gain.period.endswith(f"of {len(months)} months")
    assert int(gain.period.split()[0]) + int(loss.period.split()[0]) == len(months)
    assert 0 < gain.value <= found["Best month"].value
    assert found["Worst month"].value <= loss.value < 0


def test_returns_by_period_compound_the_sessions_since_a_close() -> None:
    series = pro_forma()
    found = {each.label: each for each in list_periods(portfolio_data(pro_forma=series))}
    own, market = (pd.Series(each, series.days) for each in (series.returns, series.market))
    for label, n in (("3 months", 63), ("6 months", 126), ("1 year", 252)):
        period = found[label]
        assert period.portfolio == pytest.approx((1 + own.iloc[-n:].fillna(0)).prod() - 1)
        assert period.market == pytest.approx((1 + market.iloc[-n:].fillna(0)).prod() - 1)
        assert period.since == series.days[-n - 1].date()
    year = own[own.index.year == series.days[-1].year].fillna(0)
    assert found["Year to date"].portfolio == pytest.approx((1 + year).prod() - 1)
    assert found["Year to date"].since < date(series.days[-1].year, 1, 1)


def test_a_period_has_what_was_realized_if_each_of_its_sessions_is_stored() -> None:
    data = portfolio_data()
    known = data.history.set_index("day")["daily_return"]
    last = known.index[-1]
    month = known[(known.index.year == last.year) & (known.index.month == last.month)]
    found = {each.label: each for each in list_periods(data)}
    assert found["Month to date"].realized == pytest.approx((1 + month).prod() - 1)
    assert found["1 year"].realized is None  # fewer sessions are stored
    missing = data.history.assign(daily_return=known.mask(known.index == month.index[0]).to_numpy())
    found = {each.label: each for each in list_periods(replace(data, history=missing))}
    assert found["Month to date"].realized is None


@pytest.mark.parametrize(("n_sessions", "is_known"), [(63, True), (62, False)])
def test_a_period_is_left_out_without_its_sessions(n_sessions: int, is_known: bool) -> None:
    series = ProForma(sessions(n_sessions), np.full(n_sessions, 0.001), np.zeros(n_sessions))
    found = {each.label: each for each in list_periods(portfolio_data(pro_forma=series))}
    assert ("3 months" in found) == is_known
    if is_known:
        assert found["3 months"].since < sessions(63)[0].date()
        assert found["3 months"].portfolio == pytest.approx(1.001**63 - 1)
    assert list_periods(portfolio_data(pro_forma=None)) == []


@pytest.mark.parametrize(("count", "is_long_enough"), [(30, True), (29, False)])
def test_extremes_of_what_was_realized_need_half_of_the_sessions(
    count: int, is_long_enough: bool
) -> None:
    data = portfolio_data()
    stored = data.history.assign(
        daily_return=data.history["daily_return"].where(np.arange(len(data.history)) >= 60 - count)
    )
    found = list_extremes(replace(data, history=stored))
    sessions_found = found[:2]
    if not is_long_enough:
        assert {(one.realized, one.realized_period) for one in found} == {(None, "")}
        return
    known = stored.set_index("day")["daily_return"]
    assert [one.realized for one in sessions_found] == [known.max(), known.min()]
    assert [one.realized_period for one in sessions_found] == [
        f"{known.idxmax():%Y-%m-%d}",
        f"{known.idxmin():%Y-%m-%d}",
    ]


def test_realized_months_are_those_whose_returns_are_all_stored() -> None:
    """Stored from 2022-10-04 to 2022-12-28: October is not complete, and December is to date."""
    data = portfolio_data()
    is_stored = data.history["day"] >= pd.Timestamp(2022, 10, 4)
    stored = data.history.assign(daily_return=data.history["daily_return"].where(is_stored))
    own = stored.set_index("day")["daily_return"]
    november, december = ((1 + own[f"2022-{month}"]).prod() - 1 for month in (11, 12))
    found = {each.label: each for each in list_extremes(replace(data, history=stored))}
    best, worst = found["Best month"], found["Worst month"]
    assert best.realized == pytest.approx(max(november, december))
    assert worst.realized == pytest.approx(min(november, december))
    assert {best.realized_period, worst.realized_period} == {"2022-11", "2022-12"}


def test_realized_months_are_those_of_the_sessions_shown() -> None:
    """The last 30 sessions begin on 2022-11-16: October, the best month by far, is not shown."""
    data = portfolio_data(n_sessions=30)
    is_best = data.history["day"] == pd.Timestamp(2022, 10, 10)
    stored = data.history.assign(daily_return=data.history["daily_return"].mask(is_best, 1.0))
    own = stored.set_index("day")["daily_return"]
    months = {f"2022-{month}": (1 + own[f"2022-{month}"]).prod() - 1 for month in (11, 12)}
    found = {each.label: each for each in list_extremes(replace(data, history=stored))}
    for label in ("Best month", "Worst month"):
        each = found[label]
        assert {each.period, each.realized_period} <= set(months)
        assert each.realized == pytest.approx(months[each.realized_period])
    counts = [
        each.realized_period
        for label, each in found.items()
        if "Average" in label and each.realized
    ]
    assert counts
    assert all(text.endswith("of 2 months") for text in counts)

"""Returns of a portfolio by period, best and worst days and months, and worst drawdowns."""

from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.charts.portfolio_data import PortfolioData
from riskmetrics.charts.rows import monthly_returns
from riskmetrics.metrics.volatility import SESSIONS_PER_YEAR
from riskmetrics.results.realized_history import min_realized_returns

N_DRAWDOWNS = 5

PERIODS = {"3 months": 63, "6 months": 126, "1 year": 252, "3 years, annualized": 756}
"""Periods of the table of returns, in sessions."""


class Extreme(NamedTuple):
    """The best or the worst return of a period."""

    label: str
    period: str
    value: float
    realized_period: str = ""
    realized: float | None = None
    """That of the portfolio's own daily returns; None if too few are stored."""


class PeriodReturn(NamedTuple):
    """Compounded returns of the holdings and of the market index over a period."""

    label: str
    since: date
    """Session of the close that the period starts with."""
    portfolio: float
    """That of today's holdings, pro forma."""
    market: float
    realized: float | None = None
    """That of the portfolio's own daily returns; None if one of them is not stored."""


class DrawdownSpell(NamedTuple):
    """A fall from a highest value, and its recovery; `recovered` is None while it lasts."""

    peak: date
    trough: date
    recovered: date | None
    depth: float
    """Loss from the peak, a negative fraction."""
    sessions: int
    """Sessions from the peak to the recovery, or to the last one."""


def list_extremes(data: PortfolioData) -> list[Extreme]:
    """Return the best and worst session and month of the pro-forma returns; none without them.

    Next to them is what the portfolio realized: of months, those whose returns are all stored.
    """
    if data.pro_forma is None:
        return []
    daily = data.pro_forma.frame(data.n_sessions).dropna(subset=["portfolio"])
    if daily.empty:
        return []
    first = daily["day"].iloc[0]
    months = monthly_returns(data)
    months = months[months["year"] * 12 + months["month"] >= first.year * 12 + first.month]
    days = daily.set_index(daily["day"].dt.strftime("%Y-%m-%d"))["portfolio"]
    names = [f"{row.year}-{row.month:02}" for row in months.itertuples()]
    by_month = pd.Series(months["monthly_return"].to_numpy(), names)
    realized = _realized_returns(data)
    realized_months = _realized_months(data, realized, first.replace(day=1))
    found = [
        *_name_extremes("session", days, realized),
        *_name_extremes("month", by_month, realized_months),
    ]
    for word, sign in (("gain", 1), ("loss", -1)):
        if average := _average(by_month, sign):
            realized_average = _average(realized_months, sign)
            found.append(Extreme(f"Average monthly {word}", *average, *realized_average))
    return found


def _name_extremes(
    label: str, series: "pd.Series[float]", realized: "pd.Series[float]"
) -> tuple[Extreme, Extreme]:
    best, worst = _best_and_worst(series)
    own_best, own_worst = _best_and_worst(realized) or ((), ())
    return Extreme(f"Best {label}", *best, *own_best), Extreme(f"Worst {label}", *worst, *own_worst)


def _average(months: "pd.Series[float]", sign: int) -> tuple[()] | tuple[str, float]:
    """Return how many months have a return of a sign, and the mean of these; nothing of none."""
    values = months[months * sign > 0]
    return (f"{len(values)} of {len(months)} months", float(values.mean())) if len(values) else ()


def _best_and_worst(series: "pd.Series[float]") -> tuple[tuple[str, float], ...]:
    """Return period and value of the largest and of the smallest value; nothing of no value."""
    values = series.to_numpy()
    if not len(values):
        return ()
    places = int(values.argmax()), int(values.argmin())
    return tuple((str(series.index[place]), float(values[place])) for place in places)


def _realized_returns(data: PortfolioData) -> "pd.Series[float]":
    """Return the stored daily returns of the sessions shown by day; none if they are too few."""
    if data.pro_forma is None:
        return pd.Series(dtype=float)
    shown = data.pro_forma.days[-data.n_sessions :]
    stored = data.history.set_index("day")["daily_return"].reindex(shown).dropna()
    if len(stored) < min_realized_returns(len(shown)):
        return pd.Series(dtype=float)
    return stored.set_axis(pd.DatetimeIndex(stored.index).strftime("%Y-%m-%d"))


def _realized_months(
    data: PortfolioData, realized: "pd.Series[float]", first: pd.Timestamp
) -> "pd.Series[float]":
    """Return what was realized by month since ``first``, the beginning of a month.

    Months with a missing return are left out; the last one is to date.
    """
    if data.pro_forma is None or realized.empty:
        return pd.Series(dtype=float)
    days = data.pro_forma.days[data.pro_forma.days >= first]
    stored = data.history.set_index("day")["daily_return"].reindex(days).to_numpy(float)
    names: list[str] = days.strftime("%Y-%m").tolist()
    months = pd.Series(1.0 + stored, names).groupby(level=0)
    growth: pd.Series[float] = months.prod().where(months.count() == months.size())
    return (growth - 1.0).dropna()


def list_periods(data: PortfolioData) -> list[PeriodReturn]:
    """Return the pro-forma returns of the month, the year and of `PERIODS` that are known.

    A missing return counts as 0; half of them have to be known, as for realized histories. What
    the portfolio realized is next to them if all its daily returns of the period are stored.
    """
    if data.pro_forma is None:
        return []
    rows = data.pro_forma.frame(len(data.pro_forma.days))
    stored = data.history.set_index("day")["daily_return"].reindex(rows["day"]).to_numpy()
    day, first = rows["day"].iloc[-1], rows["day"].iloc[0].date()
    starts = {
        "Month to date": int((rows["day"] < day.replace(day=1)).sum()),
        "Year to date": int((rows["day"] < day.replace(month=1, day=1)).sum()),
        **{label: len(rows) - sessions for label, sessions in PERIODS.items()},
    }
    returns = rows[["portfolio", "market"]].to_numpy()
    found = []
    for label, start in starts.items():
        known = returns[max(start, 0) :]
        n_known = int(np.isfinite(known).sum(axis=0).min())
        if start < 0 or not 0 < min_realized_returns(len(known)) <= n_known:
            continue
        growth = np.prod(1.0 + np.where(np.isfinite(known), known, 0.0), axis=0)
        growth = np.append(growth, np.prod(1.0 + stored[start:]))
        years = len(known) / SESSIONS_PER_YEAR if "annualized" in label else 1.0
        since = rows["day"].iloc[start - 1] if start else trading_calendar.previous_session(first)
        portfolio, market, own = (growth ** (1.0 / years) - 1.0).tolist()
        realized = own if np.isfinite(own) else None
        found.append(PeriodReturn(label, pd.Timestamp(since).date(), portfolio, market, realized))
    return found


def list_drawdowns(data: PortfolioData) -> list[DrawdownSpell]:
    """Return the deepest drawdowns of the pro-forma returns, the deepest first.

    The value before the first return is the first that can be a peak.
    """
    if data.pro_forma is None:
        return []
    n = min(data.n_sessions, len(data.pro_forma.days) - 1)
    days = [day.date() for day in data.pro_forma.days[-n - 1 :]]
    returns = data.pro_forma.returns[-n:]
    wealth = np.cumprod(np.append(1.0, 1.0 + np.where(np.isfinite(returns), returns, 0.0)))
    below = wealth / np.maximum.accumulate(wealth) - 1.0
    is_below = np.append(below < 0.0, False)
    starts: list[int] = np.flatnonzero(is_below[1:] & ~is_below[:-1]).tolist()
    found = []
    for start in starts:
        length = int(np.flatnonzero(~is_below[start + 1 :])[0])
        end = start + 1 + length
        trough = start + 1 + int(below[start + 1 : end].argmin())
        is_over = end < len(below)
        found.append(
            DrawdownSpell(
                days[start],
                days[trough],
                days[end] if is_over else None,
                float(below[trough]),
                end - start - (not is_over),
            )
        )
    return sorted(found, key=lambda spell: spell.depth)[:N_DRAWDOWNS]

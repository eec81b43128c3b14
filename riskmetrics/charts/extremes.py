"""Best and worst days and months of a portfolio, and its worst drawdowns."""

from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from riskmetrics.charts.portfolio_data import PortfolioData
from riskmetrics.charts.rows import monthly_returns
from riskmetrics.results.realized_history import min_realized_returns

N_DRAWDOWNS = 5


class Extreme(NamedTuple):
    """The best or the worst return of a period."""

    label: str
    period: str
    value: float
    realized_period: str = ""
    realized: float | None = None
    """That of the portfolio's own daily returns; None of a month, or if too few are stored."""


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

    Those of sessions have what the portfolio realized next to them.
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
    best, worst = _best_and_worst(_realized_returns(data)) or ((), ())
    return [
        Extreme(f"{word} {label}", *extreme, *realized)
        for label, series, of_portfolio in (
            ("session", days, (best, worst)),
            ("month", by_month, ((), ())),
        )
        for word, extreme, realized in zip(
            ("Best", "Worst"), _best_and_worst(series), of_portfolio, strict=True
        )
    ]


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

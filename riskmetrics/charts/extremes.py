"""Best and worst days and months of a portfolio, and its worst drawdowns."""

from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from riskmetrics.charts.portfolio_data import PortfolioData
from riskmetrics.charts.rows import monthly_returns

N_DRAWDOWNS = 5


class Extreme(NamedTuple):
    """The best or the worst return of a period."""

    label: str
    period: str
    value: float


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
    """Return the best and worst session and month of the pro-forma returns; none without them."""
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
    found = []
    for label, series in (("session", days), ("month", by_month)):
        values = series.to_numpy()
        for word, place in (("Best", int(values.argmax())), ("Worst", int(values.argmin()))):
            period = str(series.index[place])
            found.append(Extreme(f"{word} {label}", period, float(values[place])))
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

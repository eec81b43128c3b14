"""Facts that only answers to questions state: other levels of tail risk, returns, the market."""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import pandas as pd

from riskmetrics.catalog.tail_risk import HEADLINE_TAIL
from riskmetrics.db.fact_queries import Record
from riskmetrics.insights.asked_fact_types import ASKED, CALENDAR_WINDOWS, TESTED_METHOD
from riskmetrics.insights.fact_types import FACT_TYPES
from riskmetrics.insights.facts import Fact, defined_facts
from riskmetrics.insights.history_facts import MIN_RANKED, VOLATILITY_WINDOW, History
from riskmetrics.metrics._typing import FloatArray
from riskmetrics.metrics.volatility import realized_volatility

_YEAR = 252


def tail_level_facts(make: "partial[Fact]", rows: Sequence[Record]) -> Iterator[Fact]:
    """Yield value at risk and shortfall in money, over ten sessions, and at other levels.

    Parameters
    ----------
    rows : sequence of dict
        Rows of `portfolio_tail_risk` of all levels, horizons and methods.
    """
    for row in rows:
        level, days = f"{row['level']:.2f}".removeprefix("0."), row["horizon_days"]
        over = "" if days == 1 else f"_{days}d"
        figures = {
            f"var_{level}{over}": row["value_at_risk"],
            f"shortfall_{level}{over}": row["expected_shortfall"],
            f"var_{level}_amount{over}": row["value_at_risk_amount"],
            f"shortfall_{level}_amount{over}": row["expected_shortfall_amount"],
        }
        if row["method"] == TESTED_METHOD:
            figures = {f"var_{level}{over}_historical": row["value_at_risk"]}
        elif row["method"] != HEADLINE_TAIL["method"]:
            continue
        asked = {name: value for name, value in figures.items() if _is_asked(name)}
        yield from defined_facts(make, asked, n_obs=row["observations"])


def _is_asked(name: str) -> bool:
    return name in FACT_TYPES and FACT_TYPES[name].provider == ASKED


def return_facts(make: "partial[Fact]", history: History) -> Iterator[Fact]:
    """Yield the worst and best return of the past year, and returns to date.

    A return over several sessions is a fact if that of each session is known.
    """
    returns = history.figures["daily_return"]
    yield from _extremes(make, returns.iloc[-_YEAR:])
    closes = history.market
    market = pd.Series(closes.to_numpy()[1:] / closes.to_numpy()[:-1] - 1, index=closes.index[1:])
    for of, series in (("", returns), ("market_", market)):
        for name in CALENDAR_WINDOWS:
            found = _window(series, name)
            if len(found) and np.isfinite(found).all():
                facts = {f"{of}return_{name}": float(np.prod(1 + found) - 1)}
                yield from defined_facts(make, facts, n_obs=len(found))
    last = market.to_numpy()[-VOLATILITY_WINDOW:]
    if len(last) == VOLATILITY_WINDOW and np.isfinite(last).all():
        found = realized_volatility(
            last[:, None], window=VOLATILITY_WINDOW, min_obs=VOLATILITY_WINDOW
        ).volatility
        yield from defined_facts(make, {"market_volatility_21d": float(found[0, 0])})


def _extremes(make: "partial[Fact]", year: "pd.Series[float]") -> Iterator[Fact]:
    known = year[np.isfinite(year)]
    if len(known) >= MIN_RANKED:
        for name, at in (("worst", known.idxmin()), ("best", known.idxmax())):
            facts = {f"{name}_return": float(known[at]), f"{name}_day": f"{at:%Y-%m-%d}"}
            yield from defined_facts(make, facts, n_obs=len(known))


def _window(series: "pd.Series[float]", name: str) -> FloatArray:
    """Return the returns of a window of `CALENDAR_WINDOWS`; none if it begins before the series."""
    if not len(series):
        return np.empty(0)
    if name == "252d":
        return series.to_numpy()[-_YEAR:] if len(series) >= _YEAR else np.empty(0)
    last, days = series.index[-1], pd.DatetimeIndex(series.index)
    is_in = days.year == last.year
    if name == "mtd":
        is_in &= days.month == last.month
    return series.to_numpy()[is_in] if not is_in.all() else np.empty(0)

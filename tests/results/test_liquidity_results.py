"""Rows of liquidity against hand calculations, and that a range has the bits of single days."""

import numpy as np
import pandas as pd
import pytest

from riskmetrics import panels, trading_calendar
from riskmetrics.results import liquidity_results
from tests.results.small_books import SESSIONS, Book, book, lot

DAYS = SESSIONS[100:103]


def _liquidity(of: Book, *days, volume: float = 1000.0) -> tuple[pd.DataFrame, pd.DataFrame]:
    sessions = trading_calendar.sessions_with_lookback(days, liquidity_results.HISTORY)
    close = of.closes.reindex(pd.to_datetime(sessions))
    traded = close * 0.0 + volume * np.arange(1, 3)
    market = liquidity_results.Market(close, traded)
    return liquidity_results.liquidity_rows(of.value_book(*days), market, 0.2)


def _book() -> Book:
    rng = np.random.default_rng(1)
    closes = pd.DataFrame(
        50.0 * np.exp(np.cumsum(rng.normal(0, 0.01, (len(SESSIONS), 2)), axis=0)),
        index=pd.to_datetime(SESSIONS),
        columns=pd.Index(["A", "B"], dtype="str"),
    )
    closes["SPY"] = closes["A"]
    closes = closes[["A", "B"]]
    return book(lot("A", 300.0), lot("B", -100.0, position_type="SHORT"), closes=closes)


def test_days_are_units_over_a_fifth_of_the_volume() -> None:
    """300 of 1,000 and 100 of 2,000 a day, at a fifth: 1.5 days and a quarter of one."""
    rows, holdings = _liquidity(_book(), DAYS[0])
    found = holdings.set_index("symbol")
    assert found["holding_days"].tolist() == pytest.approx([1.5, 0.25])
    assert found["median_volume"].tolist() == [1000.0, 2000.0]
    (row,) = rows.to_dict("records")
    assert row["days_to_liquidate"] == pytest.approx(1.5)
    price = _book().closes.loc[pd.Timestamp(DAYS[0])]
    sold = (200 * price["A"] + 100 * price["B"]) / (300 * price["A"] + 100 * price["B"])
    assert row["sold_in_1d"] == pytest.approx(sold)
    assert (row["sold_in_5d"], row["coverage"], row["participation"]) == (1.0, 1.0, 0.2)
    assert pd.isna(row["undefined_reason"])


def test_without_volume_everything_is_undefined_with_a_reason() -> None:
    rows, holdings = _liquidity(_book(), DAYS[0], volume=np.nan)
    assert rows["days_to_liquidate"].isna().all()
    assert rows["undefined_reason"].tolist() == [
        "holdings with a volume make up 0.0% of gross value; 80% required"
    ]
    assert set(holdings["undefined_reason"]) == {
        "0 of the trailing 20 sessions have a volume; 10 required"
    }
    _, halted = _liquidity(_book(), DAYS[0], volume=0.0)
    assert set(halted["undefined_reason"]) == {"the median volume is 0"}


def test_a_range_has_the_bits_of_single_days() -> None:
    together = _liquidity(_book(), *DAYS)
    alone = [_liquidity(_book(), day) for day in DAYS]
    for at, rows in enumerate(together):
        keys = [name for name in ("portfolio_id", "symbol", "day") if name in rows]
        expected = pd.concat([each[at] for each in alone]).sort_values(keys)
        pd.testing.assert_frame_equal(
            rows.sort_values(keys).reset_index(drop=True),
            expected.reset_index(drop=True),
            check_exact=True,
        )


def test_the_history_covers_closes_and_volumes() -> None:
    assert liquidity_results.HISTORY >= panels.MAX_STALE_SESSIONS

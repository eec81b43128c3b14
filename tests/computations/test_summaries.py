"""Summaries of shards add up to that of the whole; the oracle is pandas."""

import pickle
import statistics
from datetime import date

import numpy as np
import pandas as pd
import pytest

from riskmetrics.computations.summaries import (
    MAX_VALUES,
    PREVIEW_ROWS,
    SessionSummary,
    Summary,
    add_summaries,
    summarize,
)
from riskmetrics.db import tables
from riskmetrics.db.result_writes import TableRows
from riskmetrics.db.write import WriteCounts

DAYS = [date(2022, 12, 27), date(2022, 12, 28), date(2022, 12, 29)]


def simulate_rows(n: int, seed: int) -> pd.DataFrame:
    """Return rows on the first two days, a tenth of them undefined."""
    rng = np.random.default_rng(seed)
    loss = np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n))
    reason = pd.Series(np.where(np.isnan(loss), rng.choice(["no price", "few"], n), None))
    day = pd.to_datetime(rng.choice(DAYS[:2], n))
    return pd.DataFrame({"day": day, "loss": loss, "undefined_reason": reason.astype("str")})


def describe(rows: pd.DataFrame, changed: int = 0) -> Summary:
    computed = TableRows(tables.portfolio_stress, rows)
    return summarize(computed, WriteCounts(changed, 1, 2), "loss", DAYS)


@pytest.mark.parametrize("n_shards", [1, 2, 5])
def test_shards_add_up_to_the_whole(n_shards: int) -> None:
    rows = simulate_rows(1_000, n_shards)
    parts = [rows.iloc[first::n_shards].reset_index(drop=True) for first in range(n_shards)]
    found = add_summaries([describe(part, changed=10) for part in parts])
    assert found.written == (10 * n_shards, n_shards, 2 * n_shards)
    for day in DAYS[:2]:
        session, own = found.sessions[day], rows[rows["day"] == pd.Timestamp(day)]
        assert session.n_rows == len(own)
        assert session.median == own["loss"].median()
        assert session.coverage == pytest.approx(own["loss"].notna().mean())
        counts = own["undefined_reason"].value_counts()
        assert {reason: n for (reason, _), n in session.undefined.items()} == counts.to_dict()
    assert found.sessions[DAYS[2]].n_rows == 0
    assert found.sessions[DAYS[2]].median is found.sessions[DAYS[2]].coverage is None


@pytest.mark.parametrize("n", [MAX_VALUES, MAX_VALUES + 1, 30 * MAX_VALUES])
def test_a_summary_is_small_and_its_median_close(n: int) -> None:
    """Up to MAX_VALUES it is exact; above, it is within one kept value of the middle."""
    values = np.random.default_rng(1).permutation(np.arange(float(n)))
    rows = pd.DataFrame({"day": pd.Timestamp(DAYS[0]), "loss": values, "undefined_reason": pd.NA})
    summary = describe(rows)
    assert len(pickle.dumps(summary)) < 32 * MAX_VALUES
    median = summary.sessions[DAYS[0]].median
    assert median is not None
    error = abs(median - float(np.median(values)))
    assert error == 0 if n <= MAX_VALUES else error <= n / MAX_VALUES + 1


@pytest.mark.parametrize("n", [1, 2, 3, 4, 41])
def test_the_median_has_the_bits_of_another_implementation(n: int) -> None:
    """Values of two shards are not in order, and some stand for several."""
    rng = np.random.default_rng(n)
    values, weights = rng.normal(size=n), rng.integers(1, 4, n)
    every = [value for value, k in zip(values.tolist(), weights, strict=True) for _ in range(k)]
    assert SessionSummary(values=values, weights=weights).median == statistics.median(every)


def test_the_preview_is_of_the_first_shard_with_rows_of_the_last_session() -> None:
    rows = simulate_rows(50, 3)
    last = rows.assign(day=pd.Timestamp(DAYS[2]))
    preview = add_summaries([describe(rows), describe(last), describe(rows)]).preview
    pd.testing.assert_frame_equal(preview, last.head(PREVIEW_ROWS))

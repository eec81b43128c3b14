"""Mutated FMP responses: no crash, no wrong row is accepted, and no row is lost."""

import json
import math
import re
from collections.abc import Mapping

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riskmetrics.errors import SourceError
from tests.sources.fmp_answers import FRIDAY, GOOD, MONDAY, asked

MUTATIONS = {
    "historical-price-eod/full": 1000,
    "historical-price-eod/dividend-adjusted": 500,
    "profile": 2000,
    "sp500-constituent": 2500,
    "etf/sector-weightings": 4000,
}
"""How many are tried: ten thousand together, fewer where one takes longer."""
COMPARED = {
    "historical-price-eod/full": {
        name: name for name in ("symbol", "date", "open", "high", "low", "close", "volume")
    },
    "historical-price-eod/dividend-adjusted": {"date": "date", "adj_close": "adjClose"},
    "profile": {
        "symbol": "symbol",
        "market_cap": "marketCap",
        "beta": "beta",
        "is_etf": "isEtf",
        "is_fund": "isFund",
    },
    "sp500-constituent": {"symbol": "symbol", "sector": "sector"},
    "etf/sector-weightings": {"sector": "sector", "weight": "weightPercentage"},
}
"""Names of the rows that are taken, and of the answer."""


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(
        [
            "AAPL",
            "2024-12-05",
            "2024-02-30",
            "NaN",
            "1e400",
            "1,5",
            "\x00",
            "=1+1",
            [],
            {},
            "\ud800",
        ]
    ),
)


@st.composite
def mutated(draw: st.DrawFn, content: list[dict[str, object]]) -> bytes:
    """Return a response with one to three mutations of a value, a key, a row, or bytes."""
    rows: list[object] = json.loads(json.dumps(content))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(rows) - 1))
        row = rows[at]
        what = draw(st.sampled_from(["value", "drop", "repeat", "replace"]))
        if what == "repeat":
            rows.append(row)
        elif what == "replace" or not isinstance(row, dict) or not row:
            rows[at] = draw(ODD)
        elif what == "value":
            row = rows[at] = dict(row)
            row[draw(st.sampled_from(sorted(row)))] = draw(ODD)
        else:
            row = rows[at] = dict(row)
            del row[draw(st.sampled_from(sorted(row)))]
    body = bytearray(json.dumps(rows).encode())
    for _ in range(draw(st.sampled_from([0, 0, 1, 4]))):
        at = draw(st.integers(0, max(len(body) - 1, 0)))
        body[at : at + draw(st.integers(0, 3))] = draw(st.binary(max_size=2))
    return bytes(body[: draw(st.sampled_from([None, None, None, len(body) // 2]))])


def faults(endpoint: str, body: bytes) -> list[str]:
    """What is wrong with how an answer was read; a refused one has no fault.

    Every row that is taken stands in the answer as it was taken, and every other one is handed
    back.
    """
    try:
        rows, rejected = asked({endpoint: body}, endpoint)
    except SourceError:
        return []
    content = json.loads(body)
    adjusted = endpoint == "historical-price-eod/dividend-adjusted"
    origin = (
        [*content, *GOOD["historical-price-eod/full"]] if adjusted else content
    )  # days of one history alone are handed back too
    lost = (
        len(content)
        - len(rows)
        - sum(_stands_in(json.loads(text), origin) for _, text, _ in rejected)
    )
    wrong = [
        row
        for row in rows
        if not any(_same(row, item, COMPARED[endpoint]) for item in content) or not _priced(row)
    ]
    return [f"{lost} rows are lost"] * (lost > 0) + [
        f"not what the answer says: {row}" for row in wrong
    ]


def _priced(row: dict[str, object]) -> bool:
    """Whether a row, if it is one of prices, has one, and is of a day that both histories have."""
    return "close" not in row or (row["close"] > 0 and str(row["date"]) in (FRIDAY, MONDAY))


def _stands_in(text: object, content: list[object]) -> bool:
    return any(json.dumps(text) == json.dumps(item) for item in content)


def _same(row: dict[str, object], item: object, names: Mapping[str, str]) -> bool:
    """Whether each number and key of a row that was taken is what an item of the answer says."""
    return isinstance(item, dict) and all(
        _equal(name, row[name], item.get(theirs)) for name, theirs in names.items()
    )


def _equal(name: str, ours: object, theirs: object) -> bool:
    if name == "symbol":  # taken in capitals, with one spelling of classes of shares
        return isinstance(theirs, str) and re.sub(r"\W", "", str(ours)) == re.sub(
            r"\W", "", theirs.upper()
        )
    if name == "volume" and isinstance(theirs, float) and math.isfinite(theirs):  # whole shares
        return ours == round(theirs)
    return (str(ours) if name == "date" else ours) == theirs or (pd.isna(ours) and theirs is None)


@pytest.mark.slow(5)
@pytest.mark.parametrize(("endpoint", "count"), MUTATIONS.items())
def test_no_mutation_of_an_answer_crashes_stores_a_wrong_row_or_loses_one(endpoint, count):
    @settings(
        max_examples=count,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(mutated(GOOD[endpoint]))
    def answer_with(body: bytes) -> None:
        assert faults(endpoint, body) == []

    answer_with()

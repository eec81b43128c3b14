"""Facts about positions that trades changed since the session before."""

from decimal import Decimal
from functools import partial

import pandas as pd
import pytest

from riskmetrics.insights.facts import make_fact
from riskmetrics.insights.history_facts import History, holding_facts
from tests.insights.fact_sheets import DAY

ROWS = [
    {"symbol": symbol, "before": Decimal(before), "after": Decimal(after)}
    for symbol, before, after in (
        ("LONG", 100, 150),  # raised by half
        ("SHORT", -250, -450),  # a short raised by four fifths
        ("CUT", 100, 40),
        ("TURNED", 100, -300),  # from long to short: no increase of what was held
        ("NEW", 0, 10),
        ("SOLD", 10, 0),
        ("UNNAMED", 1, 2),  # has no alias, as it is too small to be listed
    )
]


HISTORY = History(pd.DataFrame(), {("weight", "SOLD"): {DAY: 0.2}, ("weight", "CUT"): {}})
"""Positions that had a weight near an alert level."""


def test_only_an_increase_of_what_was_held_is_one() -> None:
    aliases = {f"POS_{at:02}": {"symbol": row["symbol"]} for at, row in enumerate(ROWS[:-1], 1)}
    make = partial(make_fact, as_of=DAY, key={})
    facts = {fact.id: fact.value for fact in holding_facts(make, ROWS, 9, aliases, HISTORY)}
    assert facts == {
        "n_opened": 1,
        "n_closed": 1,
        "n_resized": 5,
        "pos_01_quantity_increase": pytest.approx(0.5),
        "pos_02_quantity_increase": pytest.approx(0.8),
        "pos_06_closed": "closed",
    }

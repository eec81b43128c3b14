"""Facts about positions that trades changed since the session before."""

from datetime import date
from decimal import Decimal
from functools import partial

import pandas as pd
import pytest

from riskmetrics.insights.claims import claims_of
from riskmetrics.insights.fact_types import FACT_TYPES
from riskmetrics.insights.facts import make_fact
from riskmetrics.insights.history_facts import History
from riskmetrics.insights.realize import display_names, realize_claim
from riskmetrics.insights.trade_facts import traded_facts
from tests.insights.fact_sheets import DAY, build_sheet

ROWS = [
    {
        "symbol": symbol,
        "before": Decimal(before),
        "after": Decimal(after),
        "weight_before": weight_before,
        "weight_after": weight_after,
        "has_options": symbol == "COVERED",
    }
    for symbol, before, after, weight_before, weight_after in (
        ("LONG", 100, 150, 0.2, 0.3),  # raised by half
        ("SHORT", -250, -450, -0.1, -0.18),  # a short raised by four fifths
        ("CUT", 100, 40, 0.05, 0.02),
        ("TURNED", 100, -300, 0.01, -0.03),  # from long to short: no increase of what was held
        ("NEW", 0, 10, None, 0.004),
        ("SOLD", -10, 0, -0.02, 0.0),
        ("NEAR", 10, 0, None, None),  # had a weight near an alert level
        ("SMALL", 1, 2, 0.001, 0.002),
        ("SMALLER", 1, 2, None, None),  # the sixth by size, and not on the sheet
        ("COVERED", 100, 200, None, None),  # next to options: the query returns no weights
    )
]

HISTORY = History(pd.DataFrame(), {("weight", "NEAR"): {DAY: 0.2}, ("weight", "CUT"): {}})
"""Positions that had a weight near an alert level."""

BEFORE = date(2022, 12, 27)


def _facts(n_held: int, rows: list[dict[str, object]] = ROWS) -> dict[str, object]:
    aliases = {"POS_01": {"symbol": "LONG"}, "POS_02": {"symbol": "COVERED"}}
    make = partial(make_fact, as_of=DAY, key={})
    weighed = {"POS_01": make(FACT_TYPES["weight"], 0.3, entity="POS_01")}
    found = [
        *traded_facts(make, partial(make, as_of=BEFORE), rows, n_held, aliases, weighed, HISTORY)
    ]
    # a weight the day before is of that day, and so is the side of what was closed
    earlier = {fact.id for fact in found if fact.as_of == BEFORE}
    is_earlier = [name for name in earlier if not name.endswith("_traded_from")]
    assert {aliases[each[:6].upper()]["symbol"] for each in is_earlier} <= {"SOLD", "NEAR"}
    return {
        f"{aliases[fact.entity]['symbol']} {fact.fact_type.name}"
        if fact.entity
        else fact.id: fact.value
        for fact in found
    }


def test_positions_that_trades_changed_are_named_with_their_weights() -> None:
    assert _facts(9) == {
        "n_opened": 1,
        "n_closed": 2,
        "n_resized": 7,
        "COVERED quantity_increase": pytest.approx(1.0),
        "COVERED with_options": "with options",
        "NEW opened": "opened",
        "NEW traded_to": pytest.approx(0.004),
        "NEW side": "long",
        "SOLD closed": "closed",
        "SOLD traded_from": pytest.approx(0.02),
        "SOLD side": "short",
        "NEAR closed": "closed",
        "NEAR side": "long",
        "LONG quantity_increase": pytest.approx(0.5),
        "LONG traded_from": pytest.approx(0.2),
        "SHORT quantity_increase": pytest.approx(0.8),
        "SHORT traded_from": pytest.approx(0.1),
        "SHORT traded_to": pytest.approx(0.18),
        "SHORT side": "short",
        "CUT quantity_decrease": pytest.approx(0.6),
        "CUT traded_from": pytest.approx(0.05),
        "CUT traded_to": pytest.approx(0.02),
        "CUT side": "long",
        "TURNED turned": "short",
        "TURNED traded_from": pytest.approx(0.01),
        "TURNED traded_to": pytest.approx(0.03),
        "TURNED side": "short",
        "SMALL quantity_increase": pytest.approx(1.0),
        "SMALL traded_from": pytest.approx(0.001),
        "SMALL traded_to": pytest.approx(0.002),
        "SMALL side": "long",
    }


def test_trades_are_named_unless_nothing_was_held_before() -> None:
    by_symbol = {str(row["symbol"]): row for row in ROWS}
    opened, sold = by_symbol["NEW"], by_symbol["SOLD"]
    assert _facts(1, [opened]) == {}  # the portfolio begins
    one_for_another = _facts(1, [opened, sold])
    assert one_for_another["n_opened"] == one_for_another["n_closed"] == 1
    assert {"NEW opened", "SOLD closed"} <= one_for_another.keys()
    assert _facts(0, [sold])["n_closed"] == 1  # all closed


def _says(facts: dict[str, float | str], claim_id: str) -> str:
    sheet = build_sheet(facts)
    return realize_claim(claims_of(sheet, {})[claim_id], display_names(sheet))


def test_a_note_says_which_positions_were_traded() -> None:
    opened: dict[str, float | str] = {f"pos_{n:02}_opened": "opened" for n in range(1, 7)}
    opened |= {f"pos_{n:02}_weight": 0.1 - n / 100 for n in range(1, 6)} | {"n_opened": 9}
    assert _says(opened, "opened") == (
        "Opened: SYM1 at 9.0% of equity, SYM2 at 8.0% of equity, SYM3 at 7.0% of equity, SYM4 at"
        " 6.0% of equity, SYM5 at 5.0% of equity and 4 others."
    )
    assert _says(opened, "headline_opened") == (
        "Opened on the day: SYM1, SYM2, SYM3, SYM4, SYM5 and 4 others"
    )
    assert _says({"n_closed": 2, "pos_01_closed": "closed", "pos_01_side": "short"}, "closed") == (
        "Closed: SYM1 (short) and one other."
    )
    resized: dict[str, float | str] = {
        "n_resized": 3,
        "pos_01_quantity_increase": 0.9,
        "pos_01_weight": 0.12,
        "pos_02_quantity_decrease": 0.4,
        "pos_02_traded_to": 0.03,
        "pos_03_turned": "short",
        "pos_03_side": "short",
    }
    assert _says(resized, "resized") == (
        "Quantity changed: SYM1 up 90% to 12% of equity, SYM2 down 40% to 3.0% of equity and SYM3"
        " (short) from long."
    )


def test_a_leftover_is_no_decrease_by_all() -> None:
    left: dict[str, float | str] = {"n_resized": 1, "pos_01_quantity_decrease": 0.999}
    left["pos_01_traded_to"] = 0.002
    assert _says(left, "resized") == "Quantity changed: SYM1 down 99.9% to 0.2% of equity."


def test_a_trade_next_to_options_has_neither_their_weight_nor_their_side() -> None:
    """10 shares bought next to calls with a delta of 30% of equity are not 31% that was opened."""
    bought: dict[str, float | str] = {
        "n_opened": 1,
        "pos_01_opened": "opened",
        "pos_01_with_options": "with options",
        "pos_01_weight": 0.31,
        "pos_01_weight_streak": 1,
    }
    assert _says(bought, "opened") == "Opened: SYM1."
    claims = claims_of(build_sheet(bought), {}).keys()
    assert "limit_position:POS_01" in claims
    assert not claims & {"limit_by_opening:POS_01", "headline_by_trade:POS_01"}
    # stock of a covered call, which its calls make a short position
    doubled: dict[str, float | str] = {
        "n_resized": 1,
        "pos_01_quantity_increase": 1.0,
        "pos_01_with_options": "with options",
        "pos_01_weight": 0.02,
        "pos_01_side": "short",
    }
    assert _says(doubled, "resized") == "Quantity changed: SYM1 up 100%."

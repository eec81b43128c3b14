"""Facts about holdings that are named outside the list of the largest."""

from functools import partial

from riskmetrics.insights.facts import make_fact
from riskmetrics.insights.holding_facts import sector_holding_facts, unpriced_facts
from tests.insights.fact_sheets import DAY

MAKE = partial(make_fact, as_of=DAY, key={})


def test_a_short_that_is_named_in_a_list_is_known_as_one() -> None:
    aliases = {"POS_01": {"symbol": "LARGE"}, "SEC_01": {"sector": "Energy"}}
    rows = [
        {"sector": "Energy", "symbol": symbol, "is_long": is_long, "rank": rank}
        | {"n_holdings": 3, "size": 0.3}
        for rank, (symbol, is_long) in enumerate(
            [("LARGE", True), ("HELD", True), ("SOLD", False)], start=1
        )
    ]
    sector = {"sector": "Energy", "look_through_weight": None, "gross_weight": 0.3}
    snapshot = {"total_value": 100.0, "gross_exposure": 100.0}
    unpriced = [{"symbol": "GONE", "is_long": False}, {"symbol": "HELD", "is_long": True}]
    facts = [
        *sector_holding_facts(MAKE, rows, [sector], snapshot, aliases),
        *unpriced_facts(MAKE, unpriced, (3, 5), aliases),
    ]
    sides = {
        aliases[str(each.entity)]["symbol"]: each.value
        for each in facts
        if each.fact_type.name == "side"
    }
    # that of the largest is stated with its weight
    assert sides == {"HELD": "long", "SOLD": "short", "GONE": "short"}
    assert len({each.id for each in facts}) == len(facts)

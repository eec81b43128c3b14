"""Facts that name holdings: those without a price, and the largest of each sector."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from riskmetrics.db.fact_queries import Record
from riskmetrics.insights.facts import Fact, defined_facts
from riskmetrics.insights.history_facts import aliases_by_name, position_alias

_MAX_UNPRICED: Final = 5
"""Holdings without a price that are named."""

_MAX_DIFFERENCE = 1e-6
"""Difference of weights up to which the holdings of a sector add up to it."""


def unpriced_facts(
    make: "partial[Fact]",
    rows: Sequence[Record],
    counted: tuple[int, int] | None,
    aliases: dict[str, dict[str, str]],
) -> Iterator[Fact]:
    """Yield the holdings without a price, unless they are not as many as results count.

    Parameters
    ----------
    rows : sequence of dict
        Symbols without a price, the first of which are named.
    counted : tuple of int
        Instruments with a price, and all of them.
    """
    n_unpriced = counted[1] - counted[0] if counted else 0
    if n_unpriced and len(rows) == n_unpriced:
        yield from defined_facts(make, {"n_unpriced": n_unpriced})
        for place, row in enumerate(rows[:_MAX_UNPRICED], start=1):
            yield from _side(make, row, aliases)
            alias = position_alias(aliases, row["symbol"])
            yield from defined_facts(make, {"unpriced": "no price"}, entity=alias, rank=place)


def _side(make: "partial[Fact]", row: Record, aliases: dict[str, dict[str, str]]) -> Iterator[Fact]:
    """Yield the side of a holding that no other fact is about."""
    if all(each.get("symbol") != row["symbol"] for each in aliases.values()):
        side = "long" if row["is_long"] else "short"
        yield from defined_facts(
            make, {"side": side}, entity=position_alias(aliases, row["symbol"])
        )


def sector_holding_facts(
    make: "partial[Fact]",
    rows: Sequence[Record],
    sectors: Sequence[Record],
    snapshot: Record,
    aliases: dict[str, dict[str, str]],
) -> Iterator[Fact]:
    """Yield the largest holdings of the sectors of a sheet, and how many each has.

    Unless their weights do not add up to the weight of the sector: options, holdings without a
    profile of their own, or a profile that changed make a difference, and then a holding's part of
    it is unknown. Funds that are looked through are a part of their own.
    """
    equity, gross = float(snapshot["total_value"]), float(snapshot["gross_exposure"])
    named = aliases_by_name(aliases, "sector")
    for sector in sectors if equity > 0 else ():
        alias, through = named.get(sector["sector"]), sector["look_through_weight"] or 0.0
        found = [row for row in rows if row["sector"] == sector["sector"]]
        direct = (sector["gross_weight"] - through) * gross / equity
        if alias and found and abs(found[0]["size"] - direct) <= _MAX_DIFFERENCE:
            counts = {"n_in_sector": found[0]["n_holdings"], "through_funds": through}
            yield from defined_facts(make, counts, entity=alias)
            for row in found:
                yield from _side(make, row, aliases)
                held = position_alias(aliases, row["symbol"])
                within = {"in_sector": sector["sector"]}
                yield from defined_facts(make, within, entity=held, rank=row["rank"])

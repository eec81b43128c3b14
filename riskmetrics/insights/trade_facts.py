"""Facts about trades: how many positions were opened, closed and resized, and which ones."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from riskmetrics.db.fact_queries import Record
from riskmetrics.insights.facts import Fact, defined_facts
from riskmetrics.insights.history_facts import History, position_alias

MAX_NAMED: Final = 5
"""Positions that are named of those opened, closed or resized: the largest by weight."""


def traded_facts(
    make: "partial[Fact]",
    make_earlier: "partial[Fact]",
    rows: Sequence[Record],
    n_held: int,
    aliases: dict[str, dict[str, str]],
    weighed: Mapping[str, Fact],
    history: History,
) -> Iterator[Fact]:
    """Yield the numbers of new, closed and resized positions, and the largest of each.

    Nothing if none was held before: the portfolio begins. A closed position that had a weight near
    a limit is named in any case.

    Parameters
    ----------
    make, make_earlier : callable
        Make facts of the session, and of the one before.
    rows : sequence of dict
        Symbols whose quantity changed, with quantity and weight before and after.
    weighed : mapping
        Alias to its fact of the weight after the trades: the others get one here.
    """
    kinds = {
        "n_opened": [row for row in rows if not row["before"]],
        "n_closed": [row for row in rows if not row["after"]],
        "n_resized": [row for row in rows if row["before"] and row["after"]],
    }
    is_first = len(rows) == len(kinds["n_opened"]) >= n_held
    if not is_first:
        yield from defined_facts(make, {name: len(found) for name, found in kinds.items()})
    for of_kind in kinds.values():
        for place, row in enumerate(sorted(of_kind, key=_by_size)):
            symbol = row["symbol"]
            was_limited = not row["after"] and ("weight", symbol) in history.entities
            is_listed = any(each.get("symbol") == symbol for each in aliases.values())
            if was_limited or (not is_first and (place < MAX_NAMED or is_listed)):
                alias = position_alias(aliases, symbol)
                yield from _trade_facts(make, make_earlier, row, alias, weighed)


def _by_size(row: Record) -> tuple[float, str]:
    """Return the order: the largest weight before or after first, unknown ones last."""
    weights = (row["weight_before"], row["weight_after"])
    return -max((abs(each) for each in weights if each is not None), default=0.0), row["symbol"]


def _trade_facts(
    make: "partial[Fact]",
    make_earlier: "partial[Fact]",
    row: Record,
    alias: str,
    weighed: Mapping[str, Fact],
) -> Iterator[Fact]:
    """Yield what trades did to a position, and its weights; its side, if no fact states it.

    Neither next to options on it: weight and side of the position include these.
    """
    before, after = float(row["before"]), float(row["after"])
    ratio = after / before if before else None
    side = "long" if (after or before) > 0 else "short"
    yield from defined_facts(
        make,
        {
            "opened": None if before else "opened",
            "closed": None if after else "closed",
            "turned": side if ratio is not None and ratio < 0 else None,
            "quantity_increase": ratio - 1 if ratio is not None and ratio > 1 else None,
            "quantity_decrease": 1 - ratio if ratio is not None and 0 < ratio < 1 else None,
        },
        entity=alias,
    )
    if row["has_options"]:
        yield from defined_facts(make, {"with_options": "with options"}, entity=alias)
        return
    earlier, now = (
        abs(weight) if quantity and weight is not None else None
        for quantity, weight in ((before, row["weight_before"]), (after, row["weight_after"]))
    )
    yield from defined_facts(make_earlier, {"traded_from": earlier}, entity=alias)
    if alias not in weighed:
        yield from defined_facts(make if after else make_earlier, {"side": side}, entity=alias)
        yield from defined_facts(make, {"traded_to": now}, entity=alias)

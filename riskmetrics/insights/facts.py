"""Facts: the figures that an insight may state, with id, unit, window and source."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property, partial
from typing import Any

from riskmetrics.insights.fact_shapes import FactType, format_value
from riskmetrics.insights.fact_types import FACT_TYPES


@dataclass(frozen=True)
class Fact:
    """A figure that an insight may state."""

    id: str
    fact_type: FactType
    value: float | str
    formatted: str
    as_of: date
    source_key: dict[str, str]
    entity: str | None = None
    """Alias of the position, sector or scenario; None for the portfolio."""
    rank: int | None = None
    """1 is the largest, or the worst stress result."""
    n_obs: int | None = None
    quality: str = "ok"
    currency: str = ""

    @property
    def unsigned_text(self) -> str:
        """Formatted value without its sign."""
        return format_value(self.value, self.fact_type.unit, self.currency, is_unsigned=True)

    @property
    def table_text(self) -> str:
        """Value as tables show it: of a loss, with its negative sign."""
        if not self.fact_type.is_loss or isinstance(self.value, str):
            return self.formatted
        unit = f"signed {self.fact_type.unit}"
        return format_value(-self.value, unit, self.currency)

    @property
    def reformatted_text(self) -> str:
        """Value formatted again, to compare with `formatted`."""
        return format_value(self.value, self.fact_type.unit, self.currency)

    @cached_property
    def record(self) -> dict[str, Any]:
        """Record of the fact in `context_data`."""
        shown = {
            "id": self.id,
            "kind": self.fact_type.name,
            "value": self.value,
            "unit": self.fact_type.unit,
            "shown_as": self.formatted,
        }
        table = {
            "source": self.fact_type.source,
            "key": self.source_key,
            "as_of": self.as_of.isoformat(),
            "quality": self.quality,
        }
        optional = {
            "window": self.fact_type.window,
            "about": self.entity,
            "rank": self.rank,
            "n_obs": self.n_obs,
            "currency": self.currency,
        }
        return (
            shown
            | table
            | {name: value for name, value in optional.items() if value not in (None, "")}
        )

    @classmethod
    def from_record(
        cls, record: Mapping[str, Any], types: Mapping[str, FactType] = FACT_TYPES
    ) -> "Fact":
        """Return the fact of a record."""
        kept = {name: record[name] for name in ("rank", "n_obs", "currency") if name in record} | {
            "entity": record.get("about")
        }
        return cls(
            record["id"],
            types[record["kind"]],
            record["value"],
            record["shown_as"],
            date.fromisoformat(record["as_of"]),
            record["key"],
            quality=record["quality"],
            **kept,
        )


def make_fact(
    fact_type: FactType,
    value: float | str,
    as_of: date,
    key: dict[str, str],
    currency: str = "",
    **more: Any,
) -> Fact:
    """Return a fact with its formatted value; the id is prefixed by the entity's alias."""
    entity = more.get("entity")
    name = f"{entity.lower()}_{fact_type.name}" if entity else fact_type.name
    more.setdefault("currency", currency if fact_type.unit.endswith("money") else "")
    return Fact(
        name, fact_type, value, format_value(value, fact_type.unit, currency), as_of, key, **more
    )


def defined_facts(
    make: "partial[Fact]", figures: Mapping[str, float | str | None], **more: Any
) -> Iterator[Fact]:
    """Yield facts of the figures that are defined."""
    return (
        make(FACT_TYPES[name], value, **more)
        for name, value in figures.items()
        if value is not None
    )

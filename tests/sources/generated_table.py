"""A generated table of holdings while it is built, and the lines around it."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from tests.sources.generated_notation import Cell, Day, Notation, Number, Row, format_day
from tests.sources.generated_truth import GeneratedFile, Sheet, Truth, round_decimal
from tests.sources.generated_words import Language

SECTION = "section"
"""Key of the asset class of a row, which is written as a line above the rows of the class."""


@dataclass
class HoldingsTable:
    """A table of holdings while it is built."""

    rng: Random
    notation: Notation
    headers: dict[str, str]
    truth: Truth
    is_plain: bool
    account: str = ""
    money_currency: str = "USD"
    """Currency of all amounts of money, which their cells or the headers tell."""
    has_sections: bool = False
    """Whether lines between the rows name the asset class of those below."""
    rows: list[dict[str, Cell]] = field(default_factory=list)
    traits: list[str] = field(default_factory=list)
    values: list[Decimal] = field(default_factory=list)

    @property
    def language(self) -> Language:
        """Return the language of the file."""
        return self.notation.language

    def has(self, *roles: str) -> bool:
        """Return whether the table has all of these columns."""
        return all(role in self.headers for role in roles)

    def tells_class(self) -> bool:
        """Return whether a column or a line above the row names its asset class."""
        return self.has("class") or self.has_sections

    def asset_class(self, name: str) -> str:
        """Return a name of an asset class."""
        words = self.language.classes[name]
        return words[0] if self.is_plain else self.rng.choice(words)

    def add(
        self,
        written: str,
        name: str,
        quantity: Decimal,
        price: Decimal,
        asset_class: str,
        *,
        currency: str = "USD",
        size: Decimal = Decimal(1),
        option: dict[str, Cell] | None = None,
    ) -> Decimal:
        """Append a row and return its entry price; ``option`` has the terms of an option."""
        is_usd = currency == "USD"
        entry = round_decimal(price * Decimal(self.rng.randrange(60, 140)) / 100, 2)
        value = round_decimal(quantity * price * size, 2)
        cells: dict[str, Cell] = {
            "symbol": written,
            "description": name,
            "quantity": Number(abs(quantity) if self.has("side") else quantity),
            "side": "Short" if quantity < 0 else "Long",
            "last_price": Number(price, is_usd),
            "market_value": Number(value, is_usd),
            "entry_price": Number(entry, is_usd),
            "cost_basis": Number(round_decimal(abs(quantity) * entry * size, 2), is_usd),
            "currency": currency,
            "class": self.asset_class(asset_class),
            "account": self.account,
            "entry_date": Day(date(2022, 1, 3) + timedelta(days=self.rng.randrange(700))),
            "noise": Number(round_decimal(Decimal(self.rng.randrange(-900, 900)) / 100, 2)),
        }
        cells |= option or {}
        self.rows.append(
            {role: cell for role, cell in cells.items() if role in self.headers}
            | {SECTION: self.asset_class(asset_class)}
        )
        if is_usd:
            self.values.append(value)
        return entry


def finish_file(table: HoldingsTable, kind: str) -> GeneratedFile:
    """Add the lines around a table and write the file."""
    rng, notation, language = table.rng, table.notation, table.language
    above, below = list[Row](), list[Row]()
    if not table.is_plain:
        if rng.random() < 0.25:
            above.append([rng.choice(language.titles)])
            table.traits.append("title line")
        if rng.random() < 0.2:
            (above if rng.random() < 0.7 else below).append([_state_day(table)])
        if above and rng.random() < 0.5:
            above.append([])
        if table.has_sections:
            _add_sections(table)
        _add_total(table)
        if below or rng.random() < 0.15:
            below = [[], *below]
        if rng.random() < 0.15:
            below.append([rng.choice(language.footers)])
            table.traits.append("footer")
    blank = "" if table.is_plain else rng.choice(["", "", "", "--", "n/a"])
    content = Sheet(table.headers, table.rows, above, below).write(notation, blank=blank)
    suffix = "xlsx" if notation.delimiter == "xlsx" else "csv"
    return GeneratedFile(
        f"{kind}.{suffix}",
        content,
        table.truth,
        tuple(dict.fromkeys([*notation.traits, *table.traits])),
        table.headers,
        table.is_plain,
    )


def _add_sections(table: HoldingsTable) -> None:
    """Order the rows by asset class, each class below a line with its name."""
    by_class: dict[Cell, list[dict[str, Cell]]] = {}
    for row in table.rows:
        by_class.setdefault(row.get(SECTION, ""), []).append(row)
    table.rows = by_class.pop("", [])  # cash
    for name, rows in by_class.items():
        table.rows += [dict.fromkeys(table.headers, "") | {next(iter(table.headers)): name}, *rows]
    table.traits.append("sections")


def _state_day(table: HoldingsTable) -> str:
    """Return a sentence that states the day of the holdings."""
    rng, language = table.rng, table.language
    day = date(2024, 1, 2) + timedelta(days=rng.randrange(300))
    name = rng.choice(["iso", "mdy", "long"]) if language.code == "en" else table.notation.dates
    table.truth.day = day
    table.traits.append(f"day stated as {name}")
    return rng.choice(language.days).format(format_day(day, name, language.months))


def _add_total(table: HoldingsTable) -> None:
    """Append a total, with its word in the first column or in that of the symbol."""
    rng = table.rng
    if rng.random() >= 0.25:
        return
    row: dict[str, Cell] = {rng.choice([next(iter(table.headers)), "symbol"]): ""}
    row = dict.fromkeys(row, rng.choice(table.language.totals))
    role = next((role for role in ("market_value", "weight") if table.has(role)), "quantity")
    if role not in row:
        amounts = [cell for cell in (line.get(role) for line in table.rows) if cell]
        numbers = [cell for cell in amounts if isinstance(cell, Number)]
        unit = numbers[0].unit if numbers else ""
        row[role] = Number(sum((n.value for n in numbers), Decimal(0)), unit=unit)
    table.rows.append(row)
    table.traits.append("total line")

"""Files with known truth: what a reader must find, or that it must refuse the file."""

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from random import Random

from tests.sources.generated_notation import Cell, Notation, Row, write_rows
from tests.sources.generated_words import Language


@dataclass(frozen=True)
class Bar:
    """Prices of a symbol on a day."""

    close: float
    """Close, adjusted for splits."""
    adj_close: float | None = None
    """Close, adjusted for splits and dividends; None if the file does not state it."""
    volume: int | None = None


@dataclass(frozen=True)
class Trade:
    """A transaction."""

    day: date
    symbol: str
    quantity: float
    """Change of the holding: negative for a sale, 0 for a dividend."""
    amount: float | None
    """Change of the cash net of fees, dollars; None if the file does not state it."""


@dataclass
class Truth:
    """Content of a generated file."""

    kind: str
    """holdings, weights, values, transactions or prices."""
    positions: dict[tuple[str, str], float] = field(default_factory=dict)
    """Signed quantity, weight as a fraction, or value by account and symbol."""
    written: dict[tuple[str, str], str] = field(default_factory=dict)
    """Symbol of a position as the file writes it, where that differs."""
    optional: dict[tuple[str, str], float] = field(default_factory=dict)
    """Positions that may be read with this amount or rejected, such as VOD.L without a currency."""
    entry_prices: dict[tuple[str, str], float] = field(default_factory=dict)
    """Entry price in USD; NaN if it is in another currency, so that none may be read."""
    unsupported: dict[str, str] = field(default_factory=dict)
    """Why a symbol, as written, is not a position in USD."""
    cash: dict[str, float] = field(default_factory=dict)
    """Cash in USD by account, if the file states it."""
    cash_labels: set[str] = field(default_factory=set)
    """Texts in the symbol column of the lines of cash."""
    value: float | None = None
    """Market value of all positions in USD, if the file states it; NaN in another currency."""
    day: date | None = None
    bars: dict[tuple[str, date], Bar] = field(default_factory=dict)
    trades: list[Trade] = field(default_factory=list)
    foreign_listings: set[str] = field(default_factory=set)
    """Symbols whose prices may be stored only with a note on the currency."""


@dataclass(frozen=True)
class GeneratedFile:
    """A file, what it contains, and the properties by which results are grouped."""

    name: str
    content: bytes
    truth: Truth
    traits: tuple[str, ...]
    headers: dict[str, str]
    """Header text by the meaning of the column."""
    is_plain: bool
    """Whether the file is in English with the usual words and notation."""


def pick_header(rng: Random, language: Language, role: str, *, is_plain: bool) -> str:
    """Choose a header for a column; the first synonym in a plain file."""
    text = language.headers[role][0 if is_plain else rng.randrange(len(language.headers[role]))]
    if not is_plain and rng.random() < 0.15:
        return rng.choice([text.upper(), text.lower(), f" {text} "])
    return text


def pick_headers(
    rng: Random, language: Language, roles: list[str], *, is_plain: bool
) -> dict[str, str]:
    """Choose distinct headers for columns."""
    while True:
        headers = {role: pick_header(rng, language, role, is_plain=is_plain) for role in roles}
        if len({text.strip().lower() for text in headers.values()}) == len(headers):
            return headers


@dataclass(frozen=True)
class Sheet:
    """A table with the lines around it."""

    headers: dict[str, str]
    rows: list[dict[str, Cell]]
    above: list[Row] = field(default_factory=list)
    below: list[Row] = field(default_factory=list)

    def write(self, notation: Notation, *, blank: str = "") -> bytes:
        """Return the content of the file; ``blank`` is the text of cells without a value."""
        roles = list(self.headers)
        body: list[Row] = [[row.get(role, blank) for role in roles] for row in self.rows]
        return write_rows([*self.above, list(self.headers.values()), *body, *self.below], notation)


def round_decimal(value: Decimal, places: int) -> Decimal:
    """Round to a number of decimal places."""
    return value.quantize(Decimal(1).scaleb(-places))

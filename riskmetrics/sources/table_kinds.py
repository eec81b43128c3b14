"""The kind of one table: holdings, transactions, prices and others, with the evidence.

The words are those of `vocabulary`.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from riskmetrics.sources.holdings_columns import header_spellings
from riskmetrics.sources.table_headers import header_key
from riskmetrics.sources.vocabulary import is_action, is_trade, load_vocabulary
from riskmetrics.symbols import normalize_symbol
from riskmetrics.text import truncate

MAX_ROWS = 5_000
"""Rows that are looked at; the kind of a longer file shows in its first rows."""
MIN_ACTION_SHARE = 0.6
"""Share of the filled cells of a column that must name transactions."""
MIN_DATE_SHARE = 0.8
"""Share of the filled cells of a column that must be dates, or numbers, to count as such."""
_MAX_QUOTED_CHARS = 40
_NUMBER_OF_EXAMPLES = 3

DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}\b.*|\d{1,2}[/.-]\d{1,2}[/.-](\d{4}|\d{2})\b.*|(19|20)\d{6}"
    r"|\d{1,2}[- ./][^\W\d]{3,9}\.?[- ./,]+(\d{4}|\d{2})\b.*|[^\W\d]{3,9}\.? \d{1,2},? \d{4}\b.*"
)
NUMBER = re.compile(
    r"[-+(]?[$€£]?[-+(]?\d[\d.,'’ \u00a0]*[)%]?[KMB]?|-|null|nan|n/a", re.IGNORECASE
)
_PERCENT = re.compile(r".*\d.*%")
_NEGATIVE = re.compile(r"\s*[$€£]?\s*[-\u2212(].*\d")


class FileKind(StrEnum):
    """What a table states."""

    HOLDINGS = "holdings"
    TRANSACTIONS = "transactions"
    PRICES_LONG = "prices, one row per symbol and day"
    PRICES_WIDE = "prices, one column per symbol"
    SALES = "sold positions"
    WEIGHTS = "weights"
    VALUES = "values without quantities"


HOLDINGS_KINDS = frozenset({FileKind.HOLDINGS, FileKind.WEIGHTS, FileKind.VALUES})
"""Kinds that state what a portfolio holds on a day."""
PRICE_KINDS = frozenset({FileKind.PRICES_LONG, FileKind.PRICES_WIDE})

TITLES = {
    FileKind.HOLDINGS: "a table of holdings",
    FileKind.TRANSACTIONS: "a list of transactions",
    FileKind.PRICES_LONG: "a table of prices",
    FileKind.PRICES_WIDE: "a table of prices",
    FileKind.SALES: "a list of sold positions, such as of realized gains",
    FileKind.WEIGHTS: "a table of weights",
    FileKind.VALUES: "a table of values",
}
_MAX_ACTION_WORDS = 2
"""Words of an action in a column of remarks; a longer text is a remark."""
_OPENED = ("open", "erff", "eroff", "ouvert", "apert", "abert")
"""Parts of the headers of the day on which a position was opened, by a purchase or a sale."""
_LETTERS_OF_SIDES = frozenset("BSKVACbskvac")
_TRANSACTION_COLUMNS = ("transaction_date", "commission", "net_amount", "order_id")
_NO_ACTION_COLUMNS = (
    *("symbol", "identifier", "description", "account", "account_number", "status"),
)
_PURCHASE_COLUMNS = ("cost_basis", "entry_price", "entry_date")
_BARS = ("high", "low", "adj_close", "volume")
"""Names of prices that, unlike Open and Close, are no states."""
_HOLDINGS_COLUMNS = ("market_value", "cost_basis", "last_price", "entry_price")


class FileClassification(NamedTuple):
    """Kind of a table, and why."""

    kinds: tuple[FileKind, ...]
    """Kinds of the tables in the file; several only if it has several tables. Empty: unknown."""
    evidence: tuple[str, ...]
    """Reasons, such as ``column Action has Buy, Sell``."""
    alternatives: tuple[FileKind, ...] = ()
    """Kinds that the table can be if the evidence leaves several possible."""

    def describe(self) -> str:
        """Return the kind and its evidence as text."""
        named = " and ".join(dict.fromkeys(TITLES[kind] for kind in self.kinds))
        if self.alternatives:
            named = " or ".join(dict.fromkeys(TITLES[kind] for kind in self.alternatives))
        because = f" ({'; '.join(self.evidence)})" if self.evidence else ""
        return f"{named or 'a table of unknown kind'}{because}"


def classify_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> FileClassification:
    """Classify a table by its header and rows; its kind is unknown without rows.

    Parameters
    ----------
    header : sequence of str
        Headers as written.
    rows : iterable of sequences of str
        Cells as written; rows may be shorter than the header.

    Examples
    --------
    >>> found = classify_table(["Ticker", "Type", "Units"], [["KO", "Buy", "5"]])
    >>> found.describe()
    'a list of transactions (column Type has Buy)'
    """
    first_rows = list(itertools.islice(rows, MAX_ROWS))
    if not first_rows:
        return FileClassification((), ())
    evidence = _TableEvidence(header, first_rows)
    if sold := evidence.find_sales():
        return FileClassification((FileKind.SALES,), sold)
    return evidence.classify()


@cache
def known_headers() -> frozenset[str]:
    """Return the keys of all headers of the vocabulary."""
    return frozenset(key for keys in load_vocabulary().columns.values() for key in keys)


class _TableEvidence:
    """Columns of a table by meaning, and the evidence that they give."""

    def __init__(self, header: Sequence[str], rows: list[Sequence[str]]) -> None:
        self._header = [cell.strip() for cell in header]
        keys = [known_key(cell) for cell in self._header]
        self._columns = [
            [row[place].strip() for row in rows if place < len(row) and row[place].strip()]
            for place in range(len(keys))
        ]
        self._rows = rows
        self._places = {
            name: next(
                (
                    place
                    for key in words
                    for place, found in enumerate(keys)
                    if found == key and (name == "weight" or "%" not in header[place])
                ),
                None,
            )
            for name, words in load_vocabulary().columns.items()
        }

    def classify(self) -> FileClassification:
        """Return the kind that the evidence shows."""
        transactions, is_conclusive = self._transaction_evidence()
        if is_conclusive:
            return FileClassification((FileKind.TRANSACTIONS,), tuple(transactions))
        if not transactions and (prices := self._price_kind()):
            return prices
        has_security = self._has("symbol") or self._has("identifier")
        is_ledger = not self._has("description") or bool(self._date_columns())
        if is_ledger and not has_security:
            return FileClassification((), tuple(transactions))
        if self._has("quantity"):
            return self._classify_quantities(transactions)
        return self._classify_sizes()

    def _classify_sizes(self) -> FileClassification:
        """Return the kind of a table of securities without quantities."""
        for name, kind in (("weight", FileKind.WEIGHTS), ("market_value", FileKind.VALUES)):
            if self._has(name) and (dated := self._snapshots()):
                return FileClassification((), dated, (kind, FileKind.PRICES_LONG))
            if self._has(name):
                is_percent = _share(self._cells(name), _PERCENT)
                stated = FileKind.WEIGHTS if is_percent else kind
                return FileClassification((stated,), self._name_columns("symbol", name))
        return FileClassification((), ())

    def _classify_quantities(self, transactions: list[str]) -> FileClassification:
        holdings, dated = self._name_columns(*_HOLDINGS_COLUMNS), self._dated_quantities()
        if transactions or dated:
            evidence = (*transactions, *dated, *holdings)
            return FileClassification((), evidence, (FileKind.HOLDINGS, FileKind.TRANSACTIONS))
        return FileClassification(
            (FileKind.HOLDINGS,), self._name_columns("symbol", "identifier", "quantity") + holdings
        )

    def _has(self, name: str) -> bool:
        return self._places[name] is not None

    def _cells(self, name: str) -> list[str]:
        place = self._places[name]
        return [] if place is None else self._columns[place]

    def _name_columns(self, *names: str) -> tuple[str, ...]:
        """Return the columns that are present and have a cell, as one piece of evidence."""
        shown = [
            self._header[place] for name in names if (place := self._filled_place(name)) is not None
        ]
        if not shown:
            return ()
        return (f"column{'s' if len(shown) > 1 else ''} {', '.join(dict.fromkeys(shown))}",)

    def _filled_place(self, name: str) -> int | None:
        place = self._places[name]
        return place if place is not None and self._columns[place] else None

    def _transaction_evidence(self) -> tuple[list[str], bool]:
        """Return the evidence for transactions, and whether it is conclusive."""
        if self._has_open_positions() or self._has_bars():
            return [], False
        actions = self._action_evidence()
        columns = self._name_columns(*_TRANSACTION_COLUMNS)
        n_columns = sum(self._filled_place(name) is not None for name in _TRANSACTION_COLUMNS)
        if n_columns and self._filled_place("transaction_date") is None and self._date_columns():
            n_columns += 1
        signed = self._signed_quantities()
        has_holdings = self._filled_place("market_value") is not None
        is_conclusive = bool(actions) or bool(signed) or (n_columns > 1 and not has_holdings)
        if not is_conclusive and n_columns < 2:
            trades = self._action_evidence(min_share=0.0)
            return (trades if self._date_columns() or n_columns else []), False
        return [*actions, *signed, *columns], is_conclusive

    def find_sales(self) -> tuple[str, ...]:
        """Return the column of days of sale, if most rows have one next to a purchase."""
        sold, place = self._cells("closed_date"), self._places["quantity"]
        n_held = sum(bool(self._filled_cell(row, place)) for row in self._rows)
        has_cost = any(self._filled_place(name) is not None for name in _PURCHASE_COLUMNS)
        is_sold = len(sold) >= MIN_DATE_SHARE * max(n_held, 1) and _share(sold, DATE)
        return self._name_columns("closed_date", "net_amount") if is_sold and has_cost else ()

    @staticmethod
    def _filled_cell(row: Sequence[str], place: int | None) -> str:
        return row[place].strip() if place is not None and place < len(row) else ""

    def _has_open_positions(self) -> bool:
        """Return whether Buy and Sell are sides, next to prices of purchase and now, or values."""
        if not self._date_columns() and self._has_signed_sides():
            return True
        names = ("entry_price", "last_price", "entry_date", "quantity")
        if any(self._filled_place(name) is None for name in names) or self._date_columns():
            return False
        opened, quantity = (
            header_key(self._header[self._places[name] or 0]) for name in ("entry_date", "quantity")
        )
        return any(word in opened for word in _OPENED) and quantity != "position"

    def _has_signed_sides(self) -> bool:
        """Return whether values are negative where the side is Sell, else positive."""
        side, value, cell = (
            *map(self._filled_place, ("position_type", "market_value")),
            self._filled_cell,
        )
        cells = ((cell(row, side).casefold(), cell(row, value)) for row in self._rows)
        pairs = {(name, bool(_NEGATIVE.match(text))) for name, text in cells if name and text}
        return pairs == {("buy", False), ("sell", True)}

    def _has_bars(self) -> bool:
        """Return whether each row has the range of prices of a day; Umsatz is then a volume."""
        columns = ("date", "high", "low", "close")
        return all(self._filled_place(name) is not None for name in columns) and not self._has(
            "quantity"
        )

    def _action_evidence(self, min_share: float = MIN_ACTION_SHARE) -> list[str]:
        """Return the columns of which at least a share of the cells names transactions."""
        ignored = {self._places[name] for name in _NO_ACTION_COLUMNS}
        words = load_vocabulary().columns
        ratings, headers = words["rating"], words["action"]
        found = []
        for place, cells in enumerate(self._columns):
            if place in ignored or header_key(self._header[place]) in ratings or not cells:
                continue
            distinct = Counter(cells)
            named = [text for text in distinct if is_action(text)]
            if header_key(self._header[place]) in words["remark"]:
                named = [text for text in named if len(text.split()) <= _MAX_ACTION_WORDS]
            is_of_sides = header_key(self._header[place]) in headers and len(distinct) > 1
            is_of_sides |= "/" in self._header[place]  # B/S, C/V
            if is_of_sides and _LETTERS_OF_SIDES.issuperset(distinct):
                named = list(distinct)
            is_named = header_key(self._header[place]) in headers or any(map(is_trade, named))
            n_named = sum(distinct[text] for text in named)
            if is_named and n_named and n_named >= min_share * len(cells):
                examples = ", ".join(
                    truncate(text, _MAX_QUOTED_CHARS) for text in named[:_NUMBER_OF_EXAMPLES]
                )
                found.append(f"column {self._header[place] or place + 1} has {examples}")
        return found

    def _by_symbol(self, name: str) -> dict[str, set[str]]:
        """Return the distinct cells of a column for each symbol."""
        places = (self._places["symbol"], self._places[name])
        found: dict[str, set[str]] = {}
        for row in self._rows:
            symbol, cell = (
                row[place].strip() if place is not None and place < len(row) else ""
                for place in places
            )
            if symbol and cell:
                found.setdefault(symbol, set()).add(cell)
        return found

    def _date_columns(self) -> list[str]:
        """Return the meanings of the columns of dates that are not clearly those of a purchase."""
        entry = self._places["entry_date"]
        is_trade_date = entry is not None and header_key(self._header[entry]) == "tradedate"
        names = ["date", "transaction_date", *(["entry_date"] if is_trade_date else [])]
        return [name for name in names if self._filled_place(name) is not None]

    def _signed_quantities(self) -> list[str]:
        """Return symbols with a purchase and a sale on different days."""
        quantities = self._by_symbol("quantity")
        for name in self._date_columns():
            days = self._by_symbol(name)
            for symbol, stated in quantities.items():
                signs = {bool(_NEGATIVE.match(quantity)) for quantity in stated}
                if len(days.get(symbol, ())) > 1 and len(signs) > 1:
                    return [f"{symbol} has quantities of both signs on several days"]
        return []

    def _snapshots(self) -> tuple[str, ...]:
        """Return the column of dates if symbols are repeated on several days."""
        if any(len(dates) > 1 for dates in self._by_symbol("date").values()):
            return (f"column {self._header[self._places['date'] or 0]} has several days",)
        return ()

    def _dated_quantities(self) -> list[str]:
        """Return the column of dates if its days can be those of transactions or of snapshots."""
        has_lots = any(
            self._filled_place(name) is not None
            for name in ("market_value", "cost_basis", "entry_price")
        )
        for name in self._date_columns():
            days = {cell[:10] for cell in self._cells(name) if DATE.fullmatch(cell)}
            is_repeated = name == "date" and any(
                len(dates) > 1 for dates in self._by_symbol(name).values()
            )
            if len(days) > 1 and (is_repeated or not has_lots):
                return [f"column {self._header[self._places[name] or 0]} has several days"]
        if not has_lots and self._filled_place("last_price") is None:
            return list(self._name_columns("payment_date"))
        return []

    def _price_kind(self) -> FileClassification | None:
        """Return the kind of a table of prices, if it is one."""
        date = self._price_date_place()
        if date is not None and (field := self._field_place()) is not None:
            return FileClassification(
                (FileKind.PRICES_LONG,),
                (f"column {self._header[field] or field + 1} has the names of prices",),
            )
        if date is None or any(self._has(name) for name in ("quantity", "weight", "cost_basis")):
            return None
        names = ("open", "high", "low", "close", "adj_close", "volume")
        shown = self._name_columns(*names) or self._name_columns("last_price")
        if shown:
            return FileClassification(
                (FileKind.PRICES_LONG,),
                (f"dates in column {self._header[date] or date + 1}", *shown),
            )
        others = [place for place in range(len(self._header)) if place != date]
        symbols = [
            self._header[place]
            for place in others
            if normalize_symbol(self._header[place]) and _share(self._columns[place], NUMBER)
        ]
        if not others or len(symbols) < max(1, MIN_DATE_SHARE * len(others)) or self._has("symbol"):
            return None
        evidence = f"dates in column {self._header[date] or date + 1}, and numbers in columns"
        return FileClassification(
            (FileKind.PRICES_WIDE,), (f"{evidence} {', '.join(symbols[:_NUMBER_OF_EXAMPLES])}",)
        )

    def _field_place(self) -> int | None:
        """Return the place of a column of names of prices and volumes, one row for each."""
        words = load_vocabulary().columns
        fields = {key for name in (*_BARS, "open", "close") for key in words[name]}
        bars = {key for name in _BARS for key in words[name]}
        for place, cells in enumerate(self._columns):
            keys = {*map(header_key, cells)}
            if keys <= fields and not keys.isdisjoint(bars):
                return place
        return None

    def _price_date_place(self) -> int | None:
        """Return the place of the column of days: by its header, else the first if it has dates."""
        for name in ("date", "day"):
            if (place := self._filled_place(name)) is not None:
                return place
        return 0 if self._columns and _share(self._columns[0], DATE) else None


def known_key(header: str) -> str:
    """Return the key of a header; without its unit, as in Value (USD), if that is known."""
    key, plain = header_spellings(header)
    return plain if key not in known_headers() else key


def _share(cells: Sequence[str], pattern: "re.Pattern[str]") -> bool:
    """Return whether most of the cells match a pattern."""
    matched = sum(pattern.fullmatch(cell) is not None for cell in cells)
    return bool(cells) and matched >= MIN_DATE_SHARE * len(cells)

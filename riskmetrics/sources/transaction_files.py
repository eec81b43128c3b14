"""Reading of transaction files from brokers and trackers: stated transactions, line by line.

`transaction_layouts` describes the kinds of files; `transactions.amounts` validates what a line
states. Flex queries in XML and OFX files are read by `transaction_documents`.
"""

import csv
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from riskmetrics.errors import DataQualityError, UsageError
from riskmetrics.limits import DEFAULT_LIMITS, Limits
from riskmetrics.sources.column_contents import find_columns_by_content
from riskmetrics.sources.file_kinds import FileKind, classify_lines, require_kind
from riskmetrics.sources.holdings_columns import header_currency, strip_unit, strip_units
from riskmetrics.sources.raw_files import decode_text, measure_size, open_content, read_whole
from riskmetrics.sources.statement_parser import Line, SkippedLine, header_keys, split_records
from riskmetrics.sources.tabular_files import RejectedRow, choose_columns, header_key
from riskmetrics.sources.transaction_documents import is_document, read_document
from riskmetrics.sources.transaction_layouts import (
    REQUIRED_COLUMNS,
    TransactionLayout,
    load_layouts,
)
from riskmetrics.sources.transaction_rows import (
    RowReader,
    StatedRow,
    TransactionOptions,
    UnreadRowError,
    parse_numbers,
)
from riskmetrics.sources.vocabulary import language_date_order, load_vocabulary, starts_with
from riskmetrics.sources.workbooks import is_workbook
from riskmetrics.text import match_names
from riskmetrics.transactions.amounts import (
    InvalidTransactionError,
    StatedTransaction,
    complete_transaction,
    detect_convention,
)
from riskmetrics.transactions.model import EXTERNAL_KINDS, TRADES, Transaction

_DELIMITERS = (",", ";", "\t", "|")
_MAX_HEADER_LINES = 200
_REFERENCE_CHARS = 40
_DOCUMENT_RULES: dict[str, Any] = {
    "decimal_mark": ".",
    "is_net": True,
    "has_signed_fees": True,
}


class TransactionList(NamedTuple):
    """Content of a transaction file."""

    layout: str
    evidence: str
    """What the file is, and by what it was recognized."""
    digest: str
    """SHA-256 of the file, hexadecimal."""
    transactions: list[Transaction]
    rejected: list[RejectedRow]
    skipped: list[SkippedLine]
    """Lines that change neither holdings nor cash."""
    notes: list[str]


def read_transactions(
    path: Path,
    options: TransactionOptions | None = None,
    *,
    account: str = "",
    limits: Limits = DEFAULT_LIMITS,
) -> TransactionList:
    """Read the transactions of one account.

    Parameters
    ----------
    path : Path
        CSV of any delimiter with one of the layouts, a Flex query in XML, or OFX/QFX.
    options : TransactionOptions, optional
        Symbols to replace or leave out, decimal mark and order of dates.
    account : str
        Only this account, by its number or a part of it.
    limits : Limits
        Limits of the file.

    Raises
    ------
    UsageError
        If the file has several accounts and ``account`` does not select one.
    DataQualityError
        If the file is not a list of transactions, or its layout is unknown.
    """
    options = options or TransactionOptions()
    data = _read_bytes(path, limits.for_holdings())
    if is_document(data):
        content = _read_document(path, data)
    else:
        text, encoding = decode_text(path, data, limits)
        content = _read_text(path, text, limits)
        if sheet := encoding.removeprefix("Excel").strip() if is_workbook(data) else "":
            content.notes.append(sheet)
    content = content._replace(rows=_select_account(path, content.rows, account))
    return _interpret(path, hashlib.sha256(data).hexdigest(), content, options)


class _Content(NamedTuple):
    """Rows of a file, and how they are read."""

    evidence: str
    delimiter: str
    rows: list[StatedRow]
    skipped: list[SkippedLine]
    notes: list[str]
    layouts: dict[str, TransactionLayout]
    """Layouts by the key of their table; the first one has the conventions of the file."""
    default_order: str | None = None
    """Order of day and month in the language of the headers."""

    @property
    def layout(self) -> TransactionLayout:
        """Return the layout of the first table."""
        return next(iter(self.layouts.values()))


def _read_document(path: Path, data: bytes) -> _Content:
    document = read_document(path, data)
    rules = load_layouts()[-1]._replace(name=document.layout, **_DOCUMENT_RULES)
    return _Content(document.evidence, ",", document.rows, [], [], {"": rules})


def _read_text(path: Path, text: str, limits: Limits) -> _Content:
    tables = _find_tables(path, text, limits)
    evidence = classify_lines([line.cells for line in tables[0].all_lines]).describe()
    order = language_date_order(tables[0].header.cells)
    content = _Content(evidence, tables[0].delimiter, [], [], [], {}, order)
    for table in tables:
        content.layouts[table.key] = table.layout
        rows, skipped, notes = table.read(path)
        content.rows.extend(rows)
        content.skipped.extend(skipped)
        content.notes.extend(notes)
    return content


def _read_bytes(path: Path, limits: Limits) -> bytes:
    with open_content(path, limits, allow_markup=True) as stream:
        measure_size(path, stream, limits)
        return read_whole(path, stream, limits)


class _Table(NamedTuple):
    """A table of a file: its layout, header and rows."""

    layout: TransactionLayout
    header: Line
    rows: list[Line]
    before: list[Line]
    all_lines: list[Line]
    delimiter: str = ","

    @property
    def key(self) -> str:
        """Return what identifies the layout of the table in a file."""
        return self.layout.section or ""

    def read(self, path: Path) -> tuple[list[StatedRow], list[SkippedLine], list[str]]:
        """Return the cells of all rows by column, and skipped lines."""
        headers = strip_units(self.header.cells)
        columns, notes = choose_columns(path, headers, self.layout.columns, REQUIRED_COLUMNS)
        if (place := self._currency_place(columns)) is not None:
            columns["currency"] = place
        known = {*columns, "position_type"}
        columns |= find_columns_by_content(self._unused_texts(columns), known)
        currency = self._header_currency(columns)
        rows, skipped = [], [SkippedLine(line.number, "before the table") for line in self.before]
        for line in self.rows:
            cells = {
                name: line.cells[place]
                for name, place in columns.items()
                if place < len(line.cells) and line.cells[place].strip("-")
            }
            if currency:
                cells["currency"] = currency
            if reason := self._skip_reason(line, cells, columns):
                skipped.append(SkippedLine(line.number, reason))
            else:
                rows.append(StatedRow(line.number, line.raw, cells, self.key))
        return rows, skipped, notes

    def _unused_texts(self, columns: Mapping[str, int]) -> Iterator[tuple[int, set[str]]]:
        """Yield the place and the distinct texts of each column that is not known."""
        for place in sorted({*range(len(self.header.cells))} - {*columns.values()}):
            yield place, {line.cells[place] for line in self.rows if place < len(line.cells)}

    def _header_currency(self, columns: Mapping[str, int]) -> str:
        """Return the currency other than USD that the header of amounts or prices names."""
        headers = self.header.cells
        for name in ("amount", "price"):
            keys = self.layout.columns.get(name, ())
            chosen = [headers[columns[name]]] if name in columns else headers
            for header in chosen:
                if (code := header_currency(header)) and header_key(strip_unit(header)) in keys:
                    return code
        return ""

    def _currency_place(self, columns: Mapping[str, int]) -> int | None:
        after = self.layout.currency_after
        if after is None or after not in columns:
            return None
        place = columns[after] + 1
        headers = self.header.cells
        return place if place >= len(headers) or not headers[place] else None

    def _skip_reason(
        self, line: Line, cells: Mapping[str, str], columns: Mapping[str, int]
    ) -> str | None:
        """Return why a line is no transaction: a remark, a repeated header, another detail."""
        if line.cells == self.header.cells:
            return "a repeated header"
        if len(line.cells) == 1 or not cells:
            return "a remark"
        first = cells.get("currency", line.cells[0]).casefold()
        if first.startswith(("total", "transactions total")):
            return "a total"
        if starts_with(status := cells.get("status", ""), load_vocabulary().unexecuted):
            return f"not executed: {status}"
        for name, expected in self.layout.required_values.items():
            text = cells.get(name, "")
            if name in columns and text.casefold() != expected:
                return f"no transaction: {text or '(empty)'}"
        return None


def _find_tables(path: Path, text: str, limits: Limits) -> list[_Table]:
    """Return the tables of a text by the first layout that matches; raise if there is none."""
    readings = {}
    for delimiter in _DELIMITERS:
        with suppress(csv.Error):  # expected for a wrong delimiter
            readings[delimiter] = split_records(text, delimiter)
    if not any(readings.values()):
        raise DataQualityError(f"{path} cannot be read as a table, or is empty")
    delimiter = max(readings, key=lambda one: _width(readings[one]))
    tables = _list_tables(path, readings[delimiter], limits)
    return [table._replace(delimiter=delimiter) for table in tables]


def _list_tables(path: Path, lines: list[Line], limits: Limits) -> list[_Table]:
    if max(line.n_cells for line in lines) > limits.columns:
        raise DataQualityError(
            f"{path} has more than {limits.columns:,} columns. Remove columns, or raise"
            " RISKMETRICS_MAX_COLUMNS"
        )
    if tables := _find_sections(lines):
        return tables
    *brokers, general = load_layouts()
    for layout in (one for one in brokers if one.section is None):
        for place, line in enumerate(lines[:_MAX_HEADER_LINES]):
            if layout.matches_header(header_keys(line)):
                return [_Table(layout, line, lines[place + 1 :], lines[:place], lines)]
    return [_find_general_table(path, lines, general)]


def _find_general_table(path: Path, lines: list[Line], general: TransactionLayout) -> _Table:
    """Return the table below the first line with headers of a date, a kind and a number."""
    kind = classify_lines([line.cells for line in lines])
    if FileKind.TRANSACTIONS not in kind.alternatives:  # else each line has to name its kind
        require_kind(path, kind, {FileKind.TRANSACTIONS})
    for place, line in enumerate(lines[:_MAX_HEADER_LINES]):
        keys = header_keys(line)
        if all(keys & set(general.columns[name]) for name in ("day", "kind")) and any(
            keys & set(general.columns[name]) for name in ("quantity", "amount")
        ):
            return _Table(general, line, lines[place + 1 :], lines[:place], lines)
    headers = ", ".join(cell for cell in lines[0].cells if cell)[:300]
    raise DataQualityError(
        f"{path} has no line with headers of a date, a kind (such as Buy, Sell) and a quantity or"
        f" an amount. Its first line is: {headers}. See docs/how-to/transactions.md for the"
        " columns"
    )


def _width(lines: Sequence[Line]) -> int:
    """Return the largest number of cells of a line."""
    return max((len(line.cells) for line in lines), default=0)


def _find_sections(lines: Sequence[Line]) -> list[_Table]:
    """Return the tables of a statement whose lines start with section and kind of line."""
    by_section = {one.section: one for one in load_layouts() if one.section}
    tables = []
    for section, layout in by_section.items():
        own = [line for line in lines if line.cells[0] == section and len(line.cells) > 2]
        header: Line | None = None
        rows: list[Line] = []
        for line in own:
            content = line._replace(cells=line.cells[2:], n_cells=line.n_cells - 2)
            if line.cells[1] == "Header":
                if header is not None and rows:
                    tables.append(_Table(layout, header, rows, [], list(lines)))
                header, rows = content, []
            elif line.cells[1] == "Data" and header is not None:
                rows.append(content)
        if header is not None and rows:
            tables.append(_Table(layout, header, rows, [], list(lines)))
    return tables


def _select_account(path: Path, rows: list[StatedRow], account: str) -> list[StatedRow]:
    """Return the rows of one account."""
    named = sorted({name for row in rows if (name := row.cells.get("account", ""))})
    chosen = match_names(account, named)
    if account and len(chosen) != 1:
        raise UsageError(
            f"--account {account} matches {len(chosen) or 'no'} account{'s' * bool(chosen)} in"
            f" {path}: {', '.join(named) or '(no account)'}"
        )
    if len(named) > 1 and not account:
        raise UsageError(
            f"{path} has transactions of {len(named)} accounts ({', '.join(named)}): choose one"
            " with --account, and import each into a portfolio of its own"
        )
    return [row for row in rows if not account or row.cells.get("account", "") in (chosen[0], "")]


def _interpret(
    path: Path, digest: str, content: _Content, options: TransactionOptions
) -> TransactionList:
    """Interpret rows, and complete them with the conventions of the file."""
    rows, skipped, layout = content.rows, list(content.skipped), content.layout
    numbers = parse_numbers(path, rows, layout, content.delimiter, options.decimal)
    days = (row.cells.get("day", "") for row in rows)
    reader = RowReader(options, days, content.default_order)
    stated: list[tuple[StatedRow, StatedTransaction]] = []
    rejected = []
    for row, known in zip(rows, numbers, strict=True):
        try:
            stated.append((row, reader.read(row, known, content.layouts[row.table])))
        except UnreadRowError as error:
            if error.is_rejected:
                rejected.append(RejectedRow(row.line, row.raw, str(error)))
            else:
                skipped.append(SkippedLine(row.line or 0, str(error)))
    if not any(one.kind in EXTERNAL_KINDS and not one.is_left_out for _, one in stated):
        # without deposits the cash is unknown, and so is what left-out securities take from it
        stated = [(row, one) for row, one in stated if not one.is_left_out]
    notes = list(content.notes)
    if layout.is_net is None and not _has_prices_with_fees(one for _, one in stated):
        notes.append("amounts of trades are taken to contain the fees: no price tells it")
    own = (one for _, one in stated if not one.is_left_out)
    convention = detect_convention(own, is_net=layout.is_net)
    if layout.name != load_layouts()[-1].name:  # the sign of a broker's refund is right
        convention = convention._replace(unsigned_costs=frozenset())
    completed: list[Transaction] = []
    for row, one in stated:
        try:
            completed.append(complete_transaction(one, convention))
        except InvalidTransactionError as error:
            rejected.append(RejectedRow(row.line, row.raw, str(error)))
    return TransactionList(
        layout.name,
        content.evidence,
        digest,
        _number(_identify(layout.name, completed)),
        sorted(rejected, key=lambda row: row.line or 0),
        sorted(skipped),
        notes,
    )


def _has_prices_with_fees(stated: Iterable[StatedTransaction]) -> bool:
    """Return whether no trade has fees, or a price tells if they are in the amounts."""
    with_fees = [one for one in stated if one.kind in TRADES and one.fees and one.amount]
    return not with_fees or any(one.price for one in with_fees)


def _number(transactions: list[Transaction]) -> list[Transaction]:
    """Number transactions in ascending order of time; many files have the newest first."""
    pairs = list(pairwise(one.day for one in transactions))
    n_descents = sum(one > other for one, other in pairs)
    is_descending = n_descents > sum(one < other for one, other in pairs)
    ordered = transactions[::-1] if is_descending else transactions
    by_day = sorted(ordered, key=lambda one: one.day)
    return [replace(one, ordinal=place) for place, one in enumerate(by_day)]


def _identify(layout: str, transactions: Iterable[Transaction]) -> list[Transaction]:
    """Set the reference: the broker's id if it is unique in the file, else a fingerprint.

    Equal transactions are distinguished by number: two fills of one order are two transactions.
    """
    transactions = list(transactions)
    ids = Counter(one.reference for one in transactions)
    seen: Counter[str] = Counter()
    identified = []
    for one in transactions:
        if one.reference and ids[one.reference] == 1:
            content = f"{layout}|{one.reference}"
        else:
            fields = (one.kind.value, one.day, one.symbol, one.quantity, one.price, one.amount)
            others = (one.ratio, one.added_shares, one.new_symbol, one.reference)
            plain = "|".join(_plain(value) for value in (*fields, *others))
            seen[plain] += 1
            content = f"{plain}|{seen[plain]}"
        digest = hashlib.sha256(content.encode()).hexdigest()[:_REFERENCE_CHARS]
        identified.append(replace(one, reference=digest))
    return identified


def _plain(value: object) -> str:
    """Return a value as text that does not depend on trailing zeros."""
    text = f"{value:f}" if hasattr(value, "as_tuple") else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text

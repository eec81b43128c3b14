"""Reading of transaction files from brokers and trackers: stated transactions, line by line.

`transaction_layouts` describes the kinds of files; `transactions.amounts` validates what a line
states. Flex queries in XML and OFX files are read by `transaction_documents`.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, NamedTuple

from riskmetrics.errors import DataQualityError, UsageError
from riskmetrics.size_limits import DEFAULT_LIMITS, Limits
from riskmetrics.sources.file_kinds import FileKind, classify_lines
from riskmetrics.sources.raw_files import decode_text, measure_size, open_content, read_whole
from riskmetrics.sources.row_validation import MAX_RESPELLINGS_NAMED
from riskmetrics.sources.security_identifiers import resolve_identifiers
from riskmetrics.sources.statement_parser import SkippedLine
from riskmetrics.sources.symbol_forms import (
    are_coins,
    describe_lone_codes,
    has_vendor_codes,
    is_coin,
)
from riskmetrics.sources.tabular_files import RejectedRow
from riskmetrics.sources.tabular_transactions import find_tables
from riskmetrics.sources.transaction_documents import is_document, read_document
from riskmetrics.sources.transaction_layouts import (
    TransactionLayout,
    load_layouts,
)
from riskmetrics.sources.transaction_numbers import Numbers, parse_numbers
from riskmetrics.sources.transaction_rows import (
    RowReader,
    TransactionOptions,
    is_reinvested,
    states_income,
)
from riskmetrics.sources.transaction_securities import (
    StatedRow,
    UnreadRowError,
    learn_row_symbols,
)
from riskmetrics.sources.vocabulary import language_date_order
from riskmetrics.sources.workbooks import is_workbook
from riskmetrics.text import join_names, match_names
from riskmetrics.transactions.amounts import (
    AmountConvention,
    InvalidTransactionError,
    StatedTransaction,
    complete_transaction,
    detect_convention,
)
from riskmetrics.transactions.incomes import Reinvestments, find_unstated_incomes
from riskmetrics.transactions.model import EXTERNAL_KINDS, TRADES, Transaction

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
    identifiers: dict[str, str]
    """Symbols that rows state next to an ISIN or CUSIP, by `security_identifiers` key."""


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
        decoded = decode_text(path, data, limits, {FileKind.TRANSACTIONS})
        if repeats := decoded.repeated_sheets:
            raise DataQualityError(
                f"{path} has transactions on several sheets with the same header, and one is read;"
                f" the others: {join_names(repeats)}. Save each sheet as a file of its own, or hide"
                " those of another portfolio"
            )
        content = _read_text(path, decoded.text, limits)
        if sheet := decoded.encoding.removeprefix("Excel").strip() if is_workbook(data) else "":
            content.notes.append(sheet)
    content = content._replace(rows=_select_account(path, content.rows, account))
    found = _interpret(path, hashlib.sha256(data).hexdigest(), content, options)
    if not found.transactions and not found.rejected:
        found.notes.append("no line of the file is an executed transaction: it changes nothing")
    return found


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
    tables = find_tables(path, text, limits)
    evidence = classify_lines([line.cells for line in tables[0].all_lines]).describe()
    if not any(table.rows for table in tables):
        raise DataQualityError(f"{path} has a header but no row")
    order = language_date_order(tables[0].header.cells)
    content = _Content(evidence, tables[0].delimiter, [], [], [], {}, order)
    for table in tables:
        content.layouts[table.key] = table.conventions(path)
        rows, skipped, notes = table.read(path)
        content.rows.extend(rows)
        content.skipped.extend(skipped)
        content.notes.extend(notes)
    return content


def _read_bytes(path: Path, limits: Limits) -> bytes:
    with open_content(path, limits, allow_markup=True) as stream:
        measure_size(path, stream, limits)
        return read_whole(path, stream, limits)


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
    identifiers = learn_row_symbols(rows)
    identified = resolve_identifiers(
        (row.cells.get("symbol") or row.cells.get("identifier", "") for row in rows),
        identifiers,
        options.look_up,
    )
    symbols = dict.fromkeys(row.cells.get("symbol", "") for row in rows)
    has_codes = has_vendor_codes(symbols)
    reader = RowReader(
        options,
        days,
        content.default_order,
        identified,
        has_vendor_codes=has_codes,
        statuses={row.cells["status"] for row in rows if "status" in row.cells},
        has_coins=are_coins(symbols) and any(map(_is_coin, rows, numbers)),
    )
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
    notes = [*content.notes, *describe_lone_codes(symbols)[:MAX_RESPELLINGS_NAMED]]
    is_inferred = layout.is_net is None and not layout.has_gross_header
    if is_inferred and not _has_prices_with_fees(one for _, one in stated):
        notes.append("amounts of trades are taken to contain the fees: no price tells it")
    own = (one for _, one in stated if not one.is_left_out)
    convention = detect_convention(
        own, is_net=layout.is_net, has_gross_header=layout.has_gross_header
    )
    if layout.name != load_layouts()[-1].name:  # the sign of a broker's refund is right
        convention = convention._replace(unsigned_costs=frozenset())
    sources, completed, invalid = _complete(stated, convention)
    if layout.is_general:
        notes += _add_incomes(sources, completed)
    return TransactionList(
        layout.name,
        content.evidence,
        digest,
        _number(_identify(layout.name, completed)),
        sorted([*rejected, *invalid], key=lambda row: row.line or 0),
        sorted(skipped),
        notes,
        identifiers,
    )


def _complete(
    stated: Iterable[tuple[StatedRow, StatedTransaction]], convention: AmountConvention
) -> tuple[list[StatedRow], list[Transaction], list[RejectedRow]]:
    """Return rows with their transactions, and the rows whose transaction is not valid."""
    sources, completed, invalid = [], [], []
    for row, one in stated:
        try:
            completed.append(complete_transaction(one, convention))
            sources.append(row)
        except InvalidTransactionError as error:
            invalid.append(RejectedRow(row.line, row.raw, str(error)))
    return sources, completed, invalid


def _is_coin(row: StatedRow, numbers: Numbers) -> bool:
    """Return whether the name or the price of a row is that of a coin."""
    price = numbers.get("price")
    cells = row.cells
    return is_coin(cells.get("symbol", ""), cells.get("description", ""), float(price or 0))


def _add_incomes(rows: list[StatedRow], completed: list[Transaction]) -> list[str]:
    """Add the incomes that lines of reinvestments state, and return notes on reinvestments."""
    reinvested = Reinvestments([], [])
    for row, one in zip(rows, completed, strict=True):
        if states_income(row):
            reinvested.with_income.append(one)
        elif is_reinvested(row):
            reinvested.alone.append(one)
    found = find_unstated_incomes(reinvested, completed)
    completed += found.incomes
    notes = []
    if found.incomes:
        notes.append(
            "reinvested dividends without a line of their income, which is added:"
            f" {len(found.incomes)}"
        )
    if found.unpaired:
        notes.append(
            f"reinvestments whose dividend is not in this file: {len(found.unpaired)}. They are"
            " paid from the cash: if no other file has these dividends, add their lines"
        )
    return notes


def _has_prices_with_fees(stated: Iterable[StatedTransaction]) -> bool:
    """Return whether no trade has fees, or a price tells if they are in the amounts."""
    with_fees = [one for one in stated if one.kind in TRADES and one.fees and one.amount]
    return not with_fees or any(one.price for one in with_fees)


def _number(transactions: list[Transaction]) -> list[Transaction]:
    """Number the transactions of each day in ascending order; many files have the newest first.

    The place in the day does not depend on how many other days a file has.
    """
    pairs = list(pairwise(one.day for one in transactions))
    n_descents = sum(one > other for one, other in pairs)
    is_descending = n_descents > sum(one < other for one, other in pairs)
    ordered = transactions[::-1] if is_descending else transactions
    by_day = groupby(sorted(ordered, key=lambda one: one.day), key=lambda one: one.day)
    return [replace(one, ordinal=place) for _, of_day in by_day for place, one in enumerate(of_day)]


def _identify(layout: str, transactions: Iterable[Transaction]) -> list[Transaction]:
    """Set the reference: the broker's id if it is unique in the file, else a fingerprint.

    Equal transactions are distinguished by number: two fills of one order are two transactions.
    """
    transactions = list(transactions)
    ids = Counter(one.reference for one in transactions)
    seen: Counter[str] = Counter()
    identified = []
    for one in transactions:
        has_broker_id = bool(one.reference) and ids[one.reference] == 1
        if has_broker_id:
            content = f"{layout}|{one.reference}"
        else:
            fields = (one.kind.value, one.day, one.symbol, one.quantity, one.price, one.amount)
            others = (one.ratio, one.added_shares, one.new_symbol, one.reference)
            plain = "|".join(_format_plainly(value) for value in (*fields, *others))
            seen[plain] += 1
            content = f"{plain}|{seen[plain]}"
        digest = hashlib.sha256(content.encode()).hexdigest()[:_REFERENCE_CHARS]
        identified.append(replace(one, reference=digest, has_broker_id=has_broker_id))
    return identified


def _format_plainly(value: object) -> str:
    """Return a value as text that does not depend on trailing zeros."""
    text = f"{value:f}" if hasattr(value, "as_tuple") else str(value)
    return text.rstrip("0").rstrip(".") if "." in text else text

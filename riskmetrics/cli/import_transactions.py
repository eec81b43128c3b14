"""`riskmetrics import transactions`: import a broker's history of transactions."""

from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple, NoReturn

import typer

from riskmetrics.cli.database import write_transaction
from riskmetrics.cli.file_results import resolve_class_shares
from riskmetrics.cli.identifiers import (
    SymbolPairs,
    look_up_symbols,
    parse_symbol_pairs,
    remember_symbols,
)
from riskmetrics.cli.output import echo_err, pluralize, print_frame, print_json
from riskmetrics.cli.shared_options import AsJson, Dates, check_portfolio_name, parse_notation
from riskmetrics.cli.shared_options import Decimal as NumberMark
from riskmetrics.cli.transaction_check import (
    cash_problems,
    check_prices,
    describe,
    mark_stale_results,
    period_problems,
    unstated_expirations,
    unstated_splits,
)
from riskmetrics.errors import DataQualityError, UsageError
from riskmetrics.present.formatting import fixed_point
from riskmetrics.text import join_names

if TYPE_CHECKING:
    import sqlalchemy as sa

    from riskmetrics.db.transaction_store import TransactionChanges
    from riskmetrics.db.transactions import LotChanges
    from riskmetrics.sources.tabular_files import RejectedRow
    from riskmetrics.sources.transaction_files import TransactionList
    from riskmetrics.transactions.lots import DatedLot
    from riskmetrics.transactions.model import Transaction

_MAX_REJECTED_LINES = 20

_File = Annotated[Path, typer.Argument(help="CSV, Excel, Flex query in XML, or OFX/QFX file.")]
_Portfolio = Annotated[
    str, typer.Option("--portfolio", help="Name of the portfolio; created if it does not exist.")
]
_Account = Annotated[
    str, typer.Option(help="Only this account of the file, by its number or a part of it.")
]
_LeaveOut = Annotated[
    list[str] | None,
    typer.Option(
        help=(
            "Leave out a security, by symbol, ISIN or name. Its cash counts as deposits and"
            " withdrawals."
        )
    ),
]
_Replace = Annotated[
    bool,
    typer.Option(
        "--replace", help="Remove stored transactions of the file's period that it does not have."
    ),
]
_Add = Annotated[
    bool, typer.Option("--add", help="Keep stored transactions that the file does not have.")
]
_KeepBoth = Annotated[
    bool,
    typer.Option(
        "--keep-both",
        help=(
            "Count transactions that a file of another layout states too as others, such as equal"
            " deposits at two brokers."
        ),
    ),
]
_DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Print the open lots and the cash that result; store nothing."),
]


def transactions(
    file: _File,
    portfolio: _Portfolio,
    account: _Account = "",
    symbols: SymbolPairs = None,
    leave_out: _LeaveOut = None,
    decimal: NumberMark = "",
    dates: Dates = "",
    replace: _Replace = False,
    add: _Add = False,
    keep_both: _KeepBoth = False,
    dry_run: _DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Import trades and cash flows; lots and cash follow from them.

    Accepts exports of many brokers and trackers, OFX, and a table of your own with date, type
    (buy, sell, dividend, ...), symbol, quantity and price or amount. Importing a file again changes
    nothing; a line with the broker's id replaces the stored one.

    Example: riskmetrics import transactions history.csv --portfolio Growth --dry-run

    riskmetrics import transactions history.csv --portfolio Growth

    riskmetrics import transactions degiro.csv --portfolio Growth --map US0378331005=AAPL
    """
    from riskmetrics import settings
    from riskmetrics.sources.transaction_files import read_transactions
    from riskmetrics.sources.transaction_rows import TransactionOptions

    name = check_portfolio_name(portfolio.strip())
    if replace and add:
        raise UsageError("pass --replace or --add, not both")
    notation = parse_notation(decimal, dates)
    mapped = parse_symbol_pairs(symbols or [])
    options = TransactionOptions(
        mapped, leave_out or (), notation.decimal, notation.date_order, look_up_symbols
    )
    parsed = read_transactions(file, options, account=account, limits=settings.load().limits)
    _report_file(parsed)
    request = _Request(file, name, mapped, replace=replace, add=add, keep_both=keep_both)
    outcome = _import(request, parsed, is_dry_run=dry_run)
    rejected = sorted([*parsed.rejected, *outcome.rejected], key=lambda row: row.line or 0)
    if as_json:
        print_json(_to_json(parsed, name, outcome, rejected))
    for row in rejected[: None if dry_run else _MAX_REJECTED_LINES]:
        echo_err(f"rejected{f', line {row.line}' if row.line else ''}: {row.reason}")
    for problem in outcome.problems:
        echo_err(f"warning: {problem}")
    if rejected:
        _refuse(file, rejected, is_dry_run=dry_run)
    if as_json:
        return
    if dry_run:
        _print_open_lots(outcome.lots)
    typer.echo(f"{file}, {name}: {outcome.describe()}{' (dry run)' if dry_run else ''}")


def _refuse(file: Path, rejected: "list[RejectedRow]", *, is_dry_run: bool) -> NoReturn:
    """Store the rejected lines, except in a dry run, and raise DataQualityError."""
    from riskmetrics.db import input_writes

    if not is_dry_run:
        with write_transaction() as connection:
            input_writes.store_rejected_rows(connection, "transactions", str(file), rejected)
    raise DataQualityError(
        f"{file}: {pluralize(len(rejected), 'line')} rejected, and nothing was stored, because the"
        " holdings and the cash would be wrong from the first of them on. Correct the lines, or"
        " leave a security out with --leave-out"
    )


def _print_open_lots(lots: "list[DatedLot]") -> None:
    import pandas as pd

    rows = [
        {
            "symbol": lot.symbol,
            "quantity": float(lot.quantity),
            "entry_date": lot.entry_date,
            "entry_price": None if lot.entry_price is None else float(lot.entry_price),
        }
        for lot in sorted(lots, key=lambda lot: (lot.symbol, lot.entry_date))
        if lot.exit_date is None
    ]
    if rows:
        print_frame(pd.DataFrame(rows), as_json=False, title="Open lots")


def _report_file(parsed: "TransactionList") -> None:
    """Print what the file is, and the lines that are no transactions, to stderr."""
    kinds = Counter(one.kind.value.replace("_", " ") for one in parsed.transactions)
    counts = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    echo_err(f"read as {parsed.layout}: {parsed.evidence}; {counts or 'no transaction'}")
    for reason, count in Counter(line.reason for line in parsed.skipped).items():
        echo_err(f"skipped, {pluralize(count, 'line')}: {reason}")
    for note in parsed.notes:
        echo_err(f"note: {note}")


class _Request(NamedTuple):
    """The options of an import."""

    file: Path
    name: str
    mapped: dict[str, str]
    """Symbols by names and identifiers in the file."""
    replace: bool
    add: bool
    keep_both: bool


class _Outcome(NamedTuple):
    """The outcome of an import of transactions."""

    changes: "TransactionChanges"
    n_removed: int
    lots: "list[DatedLot]"
    lot_changes: "LotChanges | None"
    """Changes of stored lots; None if a transaction was rejected."""
    cash: Decimal | None
    """Cash after the last transaction; None without deposits or withdrawals, which determine it."""
    rejected: "list[RejectedRow]"
    problems: list[str]

    def describe(self) -> str:
        """Return the numbers of changed transactions and lots, and the cash."""
        changes, lots = self.changes, self.lot_changes
        removed = f", {self.n_removed} removed" if self.n_removed else ""
        lot_text = (
            f"; {pluralize(lots.added, 'lot')} added, {lots.removed} removed, {lots.changed}"
            " changed"
            if lots
            else ""
        )
        cash = "" if self.cash is None else f"; cash {fixed_point(self.cash, 2)}"
        return (
            f"{pluralize(changes.added, 'transaction')} added, {changes.corrected} corrected,"
            f" {changes.unchanged} unchanged{removed}{lot_text}{cash}"
        )


class _RollbackError(Exception):
    """Ends a transaction that must not be committed."""


def _import(request: _Request, parsed: "TransactionList", *, is_dry_run: bool) -> _Outcome:
    """Import transactions; roll back in a dry run, and if a transaction is rejected."""
    outcome: _Outcome | None = None
    try:
        with write_transaction() as connection:
            outcome = _apply(connection, request, parsed)
            if is_dry_run or parsed.rejected or outcome.rejected:
                raise _RollbackError
    except _RollbackError:
        pass
    assert outcome is not None  # noqa: S101  # set before the rollback
    return outcome


def _apply(connection: "sa.Connection", request: _Request, parsed: "TransactionList") -> _Outcome:
    from riskmetrics.db import transaction_renames, transaction_store
    from riskmetrics.db import transactions as store
    from riskmetrics.transactions.lots import build_lots, cash_balances, is_cash_known

    remember_symbols(connection, parsed.identifiers, request.mapped)
    portfolio_id = store.find_or_create_portfolio(connection, request.name)
    before = store.read_transactions(connection, portfolio_id)
    changes = transaction_store.store_transactions(
        connection,
        portfolio_id,
        _resolve_classes(connection, parsed.transactions),
        transaction_store.TransactionFile(
            parsed.layout, str(request.file), parsed.digest, is_separate=request.keep_both
        ),
    )
    n_removed = _settle_absent(connection, request, portfolio_id, changes)
    transaction_renames.postpone_symbol_changes(connection, portfolio_id)
    stored = store.read_transactions(connection, portfolio_id)
    history = build_lots(stored)
    lines = {one.reference: one.line for one in parsed.transactions}
    rejected = [
        _to_row(one.transaction, one.reason, lines.get(one.transaction.reference))
        for one in history.rejected
    ]
    rejected += check_prices(connection, history)
    lot_changes = None
    if stored and not (rejected or parsed.rejected):
        last_day = max(one.day for one in stored)
        lot_changes = store.replace_lots(connection, portfolio_id, history.lots, last_day)
    balances = cash_balances(stored)
    is_known = is_cash_known(stored)
    return _Outcome(
        changes,
        n_removed,
        history.lots,
        lot_changes,
        balances[-1][1] if is_known else None,
        rejected,
        [
            *period_problems(changes),
            *([] if rejected else unstated_splits(connection, history)),
            *unstated_expirations(history, balances[-1][0] if balances else date.min),
            *cash_problems(balances, is_known=is_known),
            *mark_stale_results(connection, portfolio_id, before, stored),
        ],
    )


def _resolve_classes(
    connection: "sa.Connection", transactions: "list[Transaction]"
) -> "list[Transaction]":
    """Replace symbols without a class separator by stored class shares."""
    from dataclasses import replace

    symbols = {one.symbol for one in transactions if one.symbol}
    shares = resolve_class_shares(connection, symbols) if symbols else {}
    return [
        replace(one, symbol=shares[one.symbol]) if one.symbol in shares else one
        for one in transactions
    ]


def _settle_absent(
    connection: "sa.Connection",
    request: _Request,
    portfolio_id: str,
    changes: "TransactionChanges",
) -> int:
    """Delete stored transactions that the file does not have, if --replace is passed.

    Raises UsageError if there are some, and neither --replace nor --add is passed.
    """
    from riskmetrics.db import transaction_store

    absent = changes.absent
    if not absent or request.add:
        return 0
    if not request.replace:
        named = join_names([describe(one) for one in absent], max_names=3, separator="; ")
        raise UsageError(
            f"{request.file} does not have {pluralize(len(absent), 'stored transaction')} of its"
            f" period: {named}. Pass --replace if the file corrects them, or --add if it is another"
            " part of the history"
        )
    transaction_store.delete_transactions(
        connection, portfolio_id, [one.reference for one in absent]
    )
    return len(absent)


def _to_row(transaction: "Transaction", reason: str, line: int | None) -> "RejectedRow":
    """Return a rejected row; ``line`` is that of this file, None if another file stated it."""
    from riskmetrics.sources.tabular_files import RejectedRow

    return RejectedRow(line, describe(transaction), reason)


def _to_json(
    parsed: "TransactionList", name: str, outcome: _Outcome, rejected: "list[RejectedRow]"
) -> dict[str, object]:
    """Return the outcome of an import, as printed with --json."""
    from riskmetrics.transactions.lots import open_quantities

    return {
        "kind": "transactions",
        "layout": parsed.layout,
        "evidence": parsed.evidence,
        "portfolio": name,
        "transactions": {
            "added": outcome.changes.added,
            "corrected": outcome.changes.corrected,
            "unchanged": outcome.changes.unchanged,
            "removed": outcome.n_removed,
        },
        "holdings": {
            symbol: f"{quantity.normalize():f}"
            for symbol, quantity in open_quantities(outcome.lots, date.max).items()
        },
        "cash": outcome.cash,
        "lots": [lot._asdict() for lot in outcome.lots],
        "skipped": [line._asdict() for line in parsed.skipped],
        "rejected": [row._asdict() for row in rejected],
        "notes": [*parsed.notes, *outcome.problems],
    }

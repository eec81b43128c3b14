"""What imports of files share: symbols as stored, counts, notes and rejected rows."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import typer

from riskmetrics.cli.output import echo_err, pluralize
from riskmetrics.errors import PARTIAL_EXIT_CODE
from riskmetrics.symbols import add_class_dash

if TYPE_CHECKING:
    import sqlalchemy as sa

    from riskmetrics.db.write import WriteCounts
    from riskmetrics.sources.files import ParseResult
    from riskmetrics.sources.tabular_files import RejectedRow

_MAX_REASONS = 3
"""Number of distinct reasons of rejected rows that an import prints."""


def resolve_class_shares(connection: "sa.Connection", symbols: Iterable[str]) -> dict[str, str]:
    """Map symbols without a class separator to stored class shares; print each pair to stderr."""
    from riskmetrics.db import symbol_spellings

    shares = symbol_spellings.find_class_shares(connection, symbols)
    for symbol, share in sorted(shares.items()):
        echo_err(f"note: {symbol} is stored as {share}")
    return shares


def resolve_rows(connection: "sa.Connection", parsed: "ParseResult") -> "ParseResult":
    """Return rows with the stored spelling of class shares that are written without a mark."""
    symbols = set(parsed.rows["symbol"])
    unmarked = {symbol for symbol in symbols if add_class_dash(symbol) not in symbols}
    if shares := resolve_class_shares(connection, unmarked):
        return parsed._replace(rows=parsed.rows.replace({"symbol": shares}))
    return parsed


def format_write(written: "WriteCounts") -> str:
    """Return the counts of a write as text."""
    return f"{pluralize(written.changed, 'row')} written, {written.unchanged} unchanged" + (
        f", {written.removed} removed" if written.removed else ""
    )


def report_dry_run(parsed: "ParseResult") -> None:
    """Print the notes of a file, and each rejected row with its reason."""
    for note in parsed.notes:
        echo_err(f"note: {note}")
    for row in parsed.rejected:
        echo_err(f"rejected, {f'line {row.line}: ' if row.line else ''}{row.reason}")


def report_result(parsed: "ParseResult", file: str = "") -> None:
    """Print the notes of a file and why rows were rejected, after its name if that is set."""
    label = f"{file}: " if file else ""
    for note in parsed.notes:
        echo_err(f"{label}note: {note}")
    if parsed.rejected:
        echo_err(
            f"{label}{pluralize(len(parsed.rejected), 'row')} rejected and stored in rejected_rows:"
            f" {_describe_reasons(parsed.rejected)}"
        )


def _describe_reasons(rejected: "Sequence[RejectedRow]") -> str:
    """Return the first distinct reasons, each with its first line and the number of others."""
    by_reason: dict[str, list[RejectedRow]] = {}
    for row in rejected:
        by_reason.setdefault(row.reason, []).append(row)
    texts = [
        (f"line {rows[0].line}: " if rows[0].line else "")
        + reason
        + (f" (and {len(rows) - 1:,} more)" if len(rows) > 1 else "")
        for reason, rows in by_reason.items()
    ]
    shown, n_hidden = texts[:_MAX_REASONS], len(texts) - _MAX_REASONS
    return "; ".join(shown) + (
        f"; and {pluralize(n_hidden, 'other reason')}" if n_hidden > 0 else ""
    )


def exit_if_rejected(n_rejected: int) -> None:
    """End a command that stored a file without some of its rows by PARTIAL_EXIT_CODE."""
    if n_rejected:
        raise typer.Exit(PARTIAL_EXIT_CODE)


def end_dry_run(n_rejected: int) -> None:
    """End a dry run as the import of the file would end."""
    if n_rejected:
        echo_err(
            f"dry run: {pluralize(n_rejected, 'row')} rejected, so the import would end with"
            f" code {PARTIAL_EXIT_CODE}"
        )
    exit_if_rejected(n_rejected)

"""What imports of files share: symbols as stored, counts, notes and rejected rows."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from riskmetrics.cli.output import echo_err, pluralize
from riskmetrics.symbols import add_class_dash

if TYPE_CHECKING:
    import sqlalchemy as sa

    from riskmetrics.db.write import WriteCounts
    from riskmetrics.sources.files import ParseResult


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
    """Print the notes of a file and its first rejected row, after its name if that is set."""
    label = f"{file}: " if file else ""
    for note in parsed.notes:
        echo_err(f"{label}note: {note}")
    if parsed.rejected:
        first = parsed.rejected[0]
        where = f"line {first.line}: " if first.line else ""
        echo_err(
            f"{label}{pluralize(len(parsed.rejected), 'row')} rejected and stored in rejected_rows;"
            f" the first, {where}{first.reason}"
        )

"""Output of commands: tables, CSV and JSON on stdout; progress, notes and errors on stderr."""

import codecs
import io
import json
import math
import re
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TextIO

import typer

from riskmetrics.errors import ConfigurationError, UsageError
from riskmetrics.present.formatting import fixed_point
from riskmetrics.text import UNPRINTABLE, escape_all_but_colors, escape_controls, is_printable

if TYPE_CHECKING:
    import pandas as pd

    from riskmetrics.db.outdated_results import OutdatedResults

CellFormat = Callable[[Any], str]
"""Function that formats a value of a column."""

RECOMPUTE_HINT = (
    "results computed before are unchanged: recompute them with riskmetrics reprocess --all"
)
JSON_HELP = "Print JSON on stdout instead of a table."
_MAX_HIDDEN_NAMES = 8
"""Names of columns without space that are listed."""


class PrintableStream:
    """A text stream that escapes control characters, except colors on a terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text with its control characters escaped."""
        escape = escape_all_but_colors if self._stream.isatty() else escape_controls
        return self._stream.write(escape(text))

    def writelines(self, lines: Sequence[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def require_printable(text: str, what: str, *, one_line: bool = False) -> str:
    """Return a text if it can be printed and encoded.

    Raises
    ------
    UsageError
        If it contains a control character or bytes that are not UTF-8.
    """
    if not is_printable(text, one_line=one_line):
        raise UsageError(
            f"{what} contains a control character, or bytes that are not UTF-8: {ascii(text)[:200]}"
        )
    return text


def configure_streams() -> None:
    """Configure stdout and stderr to accept every text.

    A UTF-8 stream writes a file name that is not UTF-8 as its original bytes. ASCII, the encoding
    of LANG=C, is replaced with UTF-8, as typer does for its own output. Other encodings write ? for
    a missing character.
    """
    for stream in (sys.stdout, sys.stderr):
        if not isinstance(stream, io.TextIOWrapper):  # closed by the shell, or replaced by a test
            continue
        name = codecs.lookup(stream.encoding).name
        if name in ("ascii", "utf-8"):
            stream.reconfigure(encoding="utf-8", errors="surrogateescape")
        else:
            stream.reconfigure(errors="replace")


def echo_err(text: str) -> None:
    """Print a line to stderr."""
    typer.echo(escape_controls(text), err=True)


def print_caveats(session: date, notes: Mapping[str, Sequence[str]]) -> None:
    """Print the caveats of each portfolio's values to stderr, one line per portfolio."""
    for name, texts in notes.items():
        echo_err("; ".join([f"{name}, {session}: {texts[0]}", *texts[1:]]))


def echo_progress(text: str) -> None:
    """Print progress to stderr if it is a terminal."""
    if sys.stderr.isatty():
        echo_err(text)


def report_outdated(outdated: "OutdatedResults | None") -> None:
    """Print which results are outdated, and the remedy."""
    from riskmetrics.db.outdated_results import describe_outdated

    if outdated is not None:
        echo_err(f"warning: {describe_outdated(outdated)}")


def pluralize(number: int, noun: str) -> str:
    """Return a number with its noun: "1 row", "2 rows"."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def print_json(value: object) -> None:
    """Print a value as JSON; escape control characters, and characters stdout cannot encode."""
    text = json.dumps(value, indent=2, default=str, ensure_ascii=False, allow_nan=False)
    if _missing_character(text) is not None:
        text = json.dumps(value, indent=2, default=str, allow_nan=False)
    typer.echo(re.sub(f"[{UNPRINTABLE}]", lambda found: f"\\u{ord(found[0]):04x}", text))


def print_csv(table: "pd.DataFrame") -> None:
    """Print rows as CSV.

    Raises
    ------
    ConfigurationError
        If stdout's encoding misses a character; data is never printed with replacements.
    """
    text = table.to_csv(index=False)
    if (missing := _missing_character(text)) is not None:
        raise ConfigurationError(
            f"cannot print {missing!a} in {sys.stdout.encoding}, the encoding of stdout: set"
            " PYTHONIOENCODING=utf-8"
        )
    typer.echo(text, nl=False)


def _missing_character(text: str) -> str | None:
    """Return the first character that is missing in stdout's encoding, or None."""
    try:
        text.encode(sys.stdout.encoding)
    except UnicodeEncodeError as error:
        return text[error.start]
    return None


def to_records(table: "pd.DataFrame") -> list[dict[str, Any]]:
    """Return rows as dictionaries; missing values are None, days ISO text."""
    import pandas as pd

    shown = table.astype(object).where(table.notna(), None)
    return [
        {
            str(name): value.date().isoformat() if isinstance(value, pd.Timestamp) else value
            for name, value in row.items()
        }
        for row in shown.to_dict("records")
    ]


def is_fitted(*, is_wide: bool) -> bool:
    """Return whether tables are fitted to a terminal."""
    return sys.stdout.isatty() and not is_wide


def print_frame(
    table: "pd.DataFrame",
    *,
    as_json: bool,
    formats: Mapping[str, CellFormat] | None = None,
    headings: Mapping[str, str] | None = None,
    title: str = "",
    is_wide: bool = False,
    details: Collection[str] = (),
    right_aligned: Collection[str] = (),
) -> None:
    """Print rows as an aligned table, or as JSON; ``headings`` replace names of columns.

    Columns named in ``details`` are left out first where a terminal has no room. Numbers are
    aligned to the right, and so are the columns of text that ``right_aligned`` names.
    """
    if as_json:
        print_json(to_records(spell_infinities(table)))
        return
    formats, headings = formats or {}, headings or {}
    rows = [
        [format_cell(value, formats.get(name)) for name, value in row.items()]
        for row in to_records(table)
    ]
    print_table(
        [headings.get(name, str(name)) for name in table.columns],
        rows,
        title=title,
        right_aligned=[is_number(table, name) or name in right_aligned for name in table.columns],
        is_wide=is_wide,
        details=[column for column, name in enumerate(table.columns) if name in details],
    )


def print_table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    right_aligned: Sequence[bool],
    title: str = "",
    is_wide: bool = False,
    details: Collection[int] = (),
) -> None:
    """Print rows in aligned columns.

    On a terminal the columns that fit are shown, and the others named; a pipe and ``is_wide`` get
    all. No number is ever cut.
    """
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from riskmetrics.cli.table_layout import COLUMN_GAP, fit_columns, wrap

    rows = [[escape_controls(text, one_line=True) for text in row] for row in rows]
    header = [escape_controls(name, one_line=True) for name in header]
    width = Console().width if is_fitted(is_wide=is_wide) else sys.maxsize
    layout = fit_columns(header, rows, right_aligned, width, details)
    console = Console(width=max(sum(layout.widths) + COLUMN_GAP * len(layout.widths), 1))
    table = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
    )
    for column, width, heading in zip(*layout, strict=True):
        table.add_column(
            heading,
            justify="right" if right_aligned[column] else "left",
            min_width=width,
            max_width=width,
            overflow="fold",
        )
    for row in rows:
        cells = zip(layout.shown, layout.widths, strict=True)
        table.add_row(*(wrap(row[column], width) for column, width in cells))
    if title:
        typer.secho(escape_controls(title), bold=True)
    with console.capture() as captured:
        console.print(table, markup=False, highlight=False)
    for line in captured.get().splitlines():
        typer.echo(line.rstrip())
    if hidden := [name for column, name in enumerate(header) if column not in layout.shown]:
        echo_err(_describe_hidden(hidden))


def _describe_hidden(names: Sequence[str]) -> str:
    n_more = len(names) - _MAX_HIDDEN_NAMES
    more = f" and {n_more} more" if n_more > 0 else ""
    return (
        f"Columns that do not fit: {', '.join(names[:_MAX_HIDDEN_NAMES])}{more}. Print all with a"
        " wider terminal or a pipe, such as | less -S."
    )


def format_cell(value: object, form: CellFormat | None = None) -> str:
    """Return a value as text; an undefined value is a dash, never 0."""
    if value is None:
        return "—"
    if form is not None:
        return form(value)
    if isinstance(value, Decimal) and value.is_finite():
        return _format_decimal(value)
    return fixed_point(value, decimals=4) if isinstance(value, float) else str(value)


def _format_decimal(value: Decimal) -> str:
    """Return a number of the database without the zeros of its scale, which say nothing."""
    return fixed_point(value, decimals=max(0, -int(value.normalize().as_tuple().exponent)))


def spell_infinities(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return a table with infinite numbers as text, because JSON has no infinity."""
    return table.map(
        lambda value: str(value) if isinstance(value, float) and math.isinf(value) else value
    )


def is_number(table: "pd.DataFrame", name: object) -> bool:
    """Return whether a column of a table has numbers."""
    values = table[name]
    return values.dtype.kind in "iufc" or any(isinstance(value, Decimal) for value in values)

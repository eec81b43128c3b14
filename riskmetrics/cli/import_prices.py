"""`riskmetrics import prices`: import daily prices from files, directories and patterns."""

import re
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskmetrics.cli.database import write_transaction
from riskmetrics.cli.file_results import (
    exit_if_rejected,
    format_write,
    report_result,
    resolve_rows,
)
from riskmetrics.cli.identifiers import look_up_symbols
from riskmetrics.cli.output import echo_err, echo_progress, pluralize, report_outdated
from riskmetrics.cli.shared_options import Dates, Decimal, parse_notation
from riskmetrics.errors import DataQualityError, UsageError
from riskmetrics.text import MAX_NAMES

if TYPE_CHECKING:
    import sqlalchemy as sa

    from riskmetrics.sources.files import ParseResult
    from riskmetrics.sources.row_validation import Notation

_SUFFIXES = (".csv", ".txt", ".tsv", ".xlsx", ".parquet", ".gz")
"""Ends of the names of files that are read from a directory."""

_Files = Annotated[
    list[str],
    typer.Argument(
        help="CSV, Excel or Parquet files, directories of them, or patterns such as 'd/*.csv'."
    ),
]
_Symbol = Annotated[
    str, typer.Option(help="Symbol of a file without symbols. Default: the name of the file.")
]


def prices(files: _Files, symbol: _Symbol = "", decimal: Decimal = "", dates: Dates = "") -> None:
    """Import daily prices.

    Columns are symbol, date, close; optionally open, high, low, volume, adj_close. The symbol may
    also be the name of the file, or the header of a column of closes. Raw closes are divided by the
    splits that the file states. Several files are one import: a file that is refused is named, and
    the others are stored.

    Example: riskmetrics import prices bars.csv

    riskmetrics import prices HistoricalData.csv --symbol KO

    riskmetrics import prices downloads/
    """
    from riskmetrics import settings
    from riskmetrics.sources.price_files import read_prices

    notation, paths = parse_notation(decimal, dates), _find_files(files)
    if symbol and len(paths) > 1:
        raise UsageError("--symbol is for a single file: name the others after their symbols")
    if len(paths) == 1:
        parsed = read_prices(
            paths[0], settings.load().limits, notation, symbol or None, look_up_symbols
        )
        exit_if_rejected(_store_files({paths[0]: parsed}))
        return
    accepted, refused = _read_files(paths, notation)
    n_rejected = _store_files(accepted)
    _raise_refused(refused, len(paths))
    exit_if_rejected(n_rejected)


def _find_files(names: Sequence[str]) -> list[Path]:
    """Return the files that names, directories and patterns stand for, each once."""
    found: dict[Path, None] = {}
    for name in names:
        path = Path(name)
        is_folder = _is_folder(path)
        if is_folder:
            inside = sorted(path.iterdir())
            files = [one for one in inside if one.is_file() and one.suffix.lower() in _SUFFIXES]
            if not files:
                raise UsageError(f"{path} has no file that ends in {', '.join(_SUFFIXES)}")
        elif is_folder is None and re.search(r"[*?[]", name):
            pattern = path.relative_to(path.anchor)
            files = sorted(one for one in Path(path.anchor).glob(str(pattern)) if one.is_file())
            if not files:
                raise UsageError(f"no file matches {name}")
        else:
            files = [path]
        found.update(dict.fromkeys(files))
    return list(found)


def _is_folder(path: Path) -> bool | None:
    """Return None if nothing is there, or nothing can be, such as under too long a name."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (OSError, ValueError):
        return None


def _read_files(
    paths: Sequence[Path], notation: "Notation"
) -> "tuple[dict[Path, ParseResult], dict[Path, Exception]]":
    """Read files with progress; return their content, and the errors of those refused."""
    from riskmetrics import settings
    from riskmetrics.sources.price_files import read_prices, reject_repeated_rows

    limits = settings.load().limits
    accepted: dict[Path, ParseResult] = {}
    refused: dict[Path, Exception] = {}
    for number, path in enumerate(paths, 1):
        echo_progress(f"Reading {number} of {len(paths)}: {path.name}")
        try:
            accepted[path] = read_prices(path, limits, notation, look_up=look_up_symbols)
        except (DataQualityError, UsageError) as error:
            refused[path] = error
    if not accepted:
        raise next(iter(refused.values()))
    return reject_repeated_rows(accepted), refused


def _store_files(parsed_files: "dict[Path, ParseResult]") -> int:
    """Store the prices of all files in one transaction, and print what was read.

    Returns the number of rejected rows, without those that another file repeats.
    """
    import pandas as pd

    from riskmetrics.db import input_writes
    from riskmetrics.sources.price_files import REPEATED_ROW

    first = next(iter(parsed_files))
    is_single = len(parsed_files) == 1
    label = str(first) if is_single else pluralize(len(parsed_files), "file")
    rows = [parsed.rows for parsed in parsed_files.values()]
    together = parsed_files[first]._replace(
        rows=rows[0] if is_single else pd.concat(rows, ignore_index=True)
    )
    with write_transaction() as connection:
        summary, n_mixed = store_prices(connection, resolve_rows(connection, together), label)
        for path, parsed in parsed_files.items():
            input_writes.store_rejected_rows(connection, "prices", str(path), parsed.rejected)
    for path, parsed in parsed_files.items():
        report_result(parsed, "" if is_single else path.name)
    typer.echo(f"{label}: {summary}")
    rejected = [row for parsed in parsed_files.values() for row in parsed.rejected]
    return n_mixed + sum(row.reason != REPEATED_ROW for row in rejected)


def _raise_refused(refused: dict[Path, Exception], count: int) -> None:
    """Print the files that were refused, and raise DataQualityError if there is one."""
    for error in refused.values():
        echo_err(f"refused: {error}")
    if refused:
        raise DataQualityError(
            f"{len(refused)} of {count} files were refused, as named above; the others are stored"
        )


def store_prices(connection: "sa.Connection", parsed: "ParseResult", file: str) -> tuple[str, int]:
    """Store prices except of symbols that would mix adjusted and unadjusted closes.

    Returns the summary of the write, and the number of symbols that are left out.

    Raises
    ------
    DataQualityError
        If every symbol of the file would mix them.
    """
    from riskmetrics.db import changed_returns, input_writes, outdated_results, used_closes

    used = used_closes.read_used_closes(connection)
    changed = outdated_results.find_changed_closes(connection, parsed.rows, used)
    returns = changed_returns.find_changed_returns(connection, parsed.rows, used)
    written, mixed = input_writes.store_prices(connection, parsed.rows, "file")
    if mixed and not written.changed + written.unchanged:
        raise DataQualityError(f"{_describe_mixed_closes(mixed)}; the file has no other symbols")
    if mixed:
        input_writes.store_rejected_rows(connection, "prices", file, _mixed_rows(parsed, mixed))
        echo_err(f"warning: {_describe_mixed_closes(mixed)}")
    changed = changed[~changed["symbol"].isin(mixed)]
    returns = {symbol: days for symbol, days in returns.items() if symbol not in mixed}
    warnings = [
        *outdated_results.record_changed_closes(connection, changed),
        *changed_returns.record_changed_returns(connection, returns, used),
    ]
    for warning in warnings[:MAX_NAMES]:
        echo_err(f"warning: {warning}")
    if warnings:
        report_outdated(outdated_results.read_outdated(connection))
    return format_write(written), len(mixed)


def _describe_mixed_closes(symbols: list[str]) -> str:
    return (
        f"{', '.join(symbols)}: the file and the stored prices differ in whether adj_close is"
        " adjusted, and mixing the two would create a false return where they meet; import the"
        " whole history from one source"
    )


def _mixed_rows(parsed: "ParseResult", symbols: list[str]) -> "list[tuple[int | None, str, str]]":
    rows = parsed.rows[parsed.rows["symbol"].isin(symbols)].drop(columns="has_adj_close")
    return [
        (None, line, "adj_close is adjusted in only one of the file and the stored prices")
        for line in rows.to_csv(index=False, header=False).splitlines()
    ]

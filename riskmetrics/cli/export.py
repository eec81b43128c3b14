"""`riskmetrics export`: write computed results to CSV or Parquet files."""

from datetime import date
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from riskmetrics import folders
from riskmetrics.cli.database import find_session, read_transaction
from riskmetrics.cli.output import print_json
from riskmetrics.cli.shared_options import AsJson, Day, day_option
from riskmetrics.errors import NotStoredError, UsageError
from riskmetrics.text import join_names

if TYPE_CHECKING:
    from riskmetrics.db.result_export import ExportedTable


class FileFormat(StrEnum):
    """File formats of an export."""

    CSV = "csv"
    PARQUET = "parquet"


_FILE_ENDINGS = (".csv", ".parquet", ".xlsx", ".zip")
"""Endings of names that nobody means for a new directory."""


def export(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Directory for the files; created if missing.")
    ],
    day: Day = None,
    last: Annotated[
        date | None,
        day_option("--to", help_text="Last day of a range that starts with --date."),
    ] = None,
    file_format: Annotated[
        FileFormat, typer.Option("--format", help="File format.")
    ] = FileFormat.CSV,
    force: Annotated[bool, typer.Option("--force", help="Replace existing files.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the tables of results to CSV or Parquet files.

    Each table has a file, with portfolio names and symbols next to ids. In CSV, text that a
    spreadsheet would read as a formula (first character = + - or @) is prefixed with an apostrophe;
    in Parquet it is unchanged.

    Example: riskmetrics export results --date 2022-12-28 --format csv
    """
    _check_folder(folder, file_format, force=force)
    with read_transaction() as connection:
        first = find_session(connection, day)
    end = last or first
    if end < first:
        raise UsageError(f"the range is reversed: {first} comes after {end}. Choose a later --to")
    written = _write_files(folder, first, end, file_format)
    if as_json:
        print_json(
            [
                {"table": table.table, "file": str(folder / table.file), "rows": table.rows}
                for table in written
            ]
        )
        return
    for table in written:
        if table.rows:
            typer.echo(f"{table.rows:>10,} rows  {folder / table.file}")
    if empty := [table.file for table in written if not table.rows]:
        typer.echo(f"only a header, as there are no rows: {', '.join(empty)}")


def _check_folder(folder: Path, file_format: FileFormat, *, force: bool) -> None:
    """Raise UsageError if the directory is a link of another account, or has files to be kept."""
    from riskmetrics.db import result_export

    if folder.suffix.casefold() in _FILE_ENDINGS and not folder.is_dir():
        raise UsageError(
            f"{folder} names a file, and each table has a file of its own: choose a directory"
        )
    try:
        folders.refuse_untrusted_link(folder)
    except PermissionError as error:
        raise UsageError(f"cannot write {folder}: {error.strerror}") from None
    existing_files = [
        name for name in result_export.file_names(file_format) if (folder / name).exists()
    ]
    if existing_files and not force:
        raise UsageError(
            f"{folder} already contains {join_names(existing_files, 3)}: choose another directory,"
            " or pass --force to replace them"
        )


def _write_files(
    folder: Path, first: date, last: date, file_format: FileFormat
) -> "list[ExportedTable]":
    """Write all files to a temporary directory, and move them to ``folder`` when complete."""
    from riskmetrics.db import result_export
    from riskmetrics.db.result_tables import Scope

    # the temporary directory is on the same file system, where a rename is atomic
    existing_parent = next(path for path in (folder, *folder.absolute().parents) if path.is_dir())
    try:
        with (
            TemporaryDirectory(prefix=".export-", dir=existing_parent) as unfinished,
            read_transaction() as connection,
        ):
            written = result_export.write_files(
                connection, Scope(first=first, last=last), file_format, Path(unfinished)
            )
            if not any(table.rows for table in written):
                raise NotStoredError(
                    f"no results are stored from {first} to {last}: check these sessions with"
                    " riskmetrics status"
                )
            folder.mkdir(parents=True, exist_ok=True)
            for table in written:
                (Path(unfinished) / table.file).replace(folder / table.file)
    except OSError as error:
        raise UsageError(
            f"cannot write {error.filename or folder}: {error.strerror}. Choose another directory,"
            " or free space"
        ) from None
    return written

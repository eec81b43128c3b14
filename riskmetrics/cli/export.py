"""`riskmetrics export`: computed results as files."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from riskmetrics import folders
from riskmetrics.cli.output import fail, print_json
from riskmetrics.cli.shared_options import DAY_FORMAT, AsJson, Day, to_date


class FileFormat(StrEnum):
    """Kind of file."""

    CSV = "csv"
    PARQUET = "parquet"


def export(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder for the files; it is created.")
    ],
    day: Day = None,
    last: Annotated[
        datetime | None,
        typer.Option(
            "--to", formats=DAY_FORMAT, help="Last day of a range that begins with --date."
        ),
    ] = None,
    form: Annotated[FileFormat, typer.Option("--format", help="Kind of file.")] = FileFormat.CSV,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write every table of results to a file of its own, with the names of portfolios and symbols beside their ids.

    In CSV, text that a spreadsheet would take for a formula (= + - @ first) has an apostrophe
    before it; Parquet has it as it is.

    Example: riskmetrics export results --date 2022-12-28 --format csv
    """
    from riskmetrics.cli.database import read_transaction
    from riskmetrics.db import result_export, result_queries
    from riskmetrics.db.result_tables import Scope
    from riskmetrics.errors import UsageError

    try:
        folders.refuse_planted_link(folder)
    except PermissionError as error:
        raise UsageError(f"cannot write {folder}: {error.strerror}") from None
    existing_files = [name for name in result_export.file_names(form) if (folder / name).exists()]
    if existing_files and not force:
        raise UsageError(
            f"{folder} holds {', '.join(existing_files)} already: name another folder, or say"
            " --force to replace them"
        )
    with read_transaction() as connection:
        first = to_date(day) or result_queries.read_latest_day(connection)
    if first is None:
        raise fail("no results are stored yet: riskmetrics run")
    end = to_date(last) or first
    if end < first:
        raise UsageError(f"the range is reversed: {first} comes after {end}")
    existing_parent = next(
        path for path in (folder, *folder.absolute().parents) if path.is_dir()
    )  # of the same file system: a rename is one step
    try:
        with (
            TemporaryDirectory(prefix=".export-", dir=existing_parent) as unfinished,
            read_transaction() as connection,
        ):
            written = result_export.write_files(
                connection, Scope(first=first, last=end), form, Path(unfinished)
            )
            if not any(table.rows for table in written):
                raise fail(
                    f"nothing is stored from {first} to {end}: have these sessions run? See"
                    " riskmetrics status"
                )
            folder.mkdir(parents=True, exist_ok=True)
            for table in written:
                (Path(unfinished) / table.file).replace(folder / table.file)
    except OSError as error:
        raise UsageError(f"cannot write {error.filename or folder}: {error.strerror}") from None
    if as_json:
        print_json(
            [
                {"table": table.table, "file": str(folder / table.file), "rows": table.rows}
                for table in written
            ]
        )
        return
    for table in written:
        typer.echo(f"{table.rows:>10,} rows  {folder / table.file}")

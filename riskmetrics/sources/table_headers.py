"""The header of a table: where it is, how its cells are separated, and which columns are known."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Protocol

from riskmetrics.errors import DataQualityError

HeaderAliases = Mapping[str, tuple[str, ...]]
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
"""Separators of cells, in the order in which they are tried."""
MAX_HEADER_RECORDS = 40
_MAX_NAMED = 8
"""Records from the start among which the header is looked for."""
MAX_CACHED_CHARS = 100
"""Length from which cells are not cached: long descriptions would fill the memory."""


class HeaderChoice(NamedTuple):
    """Columns that are read from a table, and the number of records of its header."""

    positions: dict[str, int]
    notes: list[str]
    n_records: int = 1


class HeaderChooser(Protocol):
    """Recognizes the header of one kind of table."""

    def choose(self, path: Path, records: Sequence[list[str]]) -> HeaderChoice | None:
        """Return the columns to read if the first of the records is the header; None if not."""
        ...

    def check_above(
        self, path: Path, records: Sequence[list[str]], header: list[str], choice: HeaderChoice
    ) -> None:
        """Raise DataQualityError if the records above the header say that it cannot be read."""
        ...

    def refusal(self, path: Path, records: Sequence[list[str]], separator: str) -> DataQualityError:
        """Return the error for a table without such a header, from its first records."""
        ...


class AliasChooser:
    """Recognizes a header by the accepted names of its required columns."""

    def __init__(self, aliases: HeaderAliases, required: tuple[str, ...]) -> None:
        self._aliases, self._required = aliases, required

    def choose(self, path: Path, records: Sequence[list[str]]) -> HeaderChoice | None:
        """Return the known columns if the first record has all required ones."""
        keys = {header_key(header) for header in records[0]}
        if not all(keys & {*self._aliases[name]} for name in self._required):
            return None
        return HeaderChoice(*choose_columns(path, records[0], self._aliases, self._required))

    def check_above(
        self, path: Path, records: Sequence[list[str]], header: list[str], choice: HeaderChoice
    ) -> None:
        """Accept any lines above the header."""

    def refusal(self, path: Path, records: Sequence[list[str]], separator: str) -> DataQualityError:
        """Return the error that names the missing columns."""
        return missing_columns_error(
            path, widest_record(records), self._aliases, self._required, separator
        )


class CsvHeader(NamedTuple):
    """Header of delimited text: positions of the chosen columns, and where the first row starts."""

    positions: dict[str, int]
    notes: list[str]
    labels: list[str]
    """Cells of the last record of the header."""
    body_offset: int
    """Offset of the first row, in bytes."""
    first_line: int
    delimiter: str


class _Record(NamedTuple):
    cells: list[str]
    start_line: int
    end_line: int
    end_offset: int


def find_csv_header(path: Path, data: bytes, chooser: HeaderChooser) -> CsvHeader:
    """Find the header among the first records of UTF-8 text, with any of the delimiters.

    Raises
    ------
    DataQualityError
        If there is no header, or a used column occurs more than once.
    """
    readings = {delimiter: list(_first_records(data, delimiter)) for delimiter in DELIMITERS}
    for place in range(MAX_HEADER_RECORDS):
        for delimiter, records in readings.items():
            following = [record.cells for record in records[place:]]
            choice = chooser.choose(path, following) if following else None
            if choice is not None:
                above = [record.cells for record in records[:place]]
                chooser.check_above(path, above, following[0], choice)
                return _locate_header(records, place, choice, delimiter)
    found = {mark: [record.cells for record in records] for mark, records in readings.items()}
    delimiter = max(found, key=lambda mark: _width_and_count(found[mark]))
    if not found[delimiter] and data.strip():
        raise DataQualityError(
            f"{path} cannot be read as a table: its first line has no cell, or one of more than"
            f" {csv.field_size_limit():,} characters"
        )
    raise chooser.refusal(path, found[delimiter], DELIMITERS[delimiter])


def has_header(path: Path, rows: Sequence[Sequence[str]], chooser: HeaderChooser) -> bool:
    """Return whether one of the rows of a sheet is the header that a chooser recognizes."""
    filled = [[*row] for row in rows if any(row)]
    for place in range(min(len(filled), MAX_HEADER_RECORDS)):
        with suppress(DataQualityError):
            if chooser.choose(path, filled[place:]) is not None:
                return True
    return False


def widest_record(records: Sequence[list[str]]) -> list[str]:
    """Return the first of the records with most cells: the header, below lines of text."""
    return max(records, key=len, default=[])


def _width_and_count(records: Sequence[list[str]]) -> tuple[int, int]:
    """Return the number of cells of the widest records, and how many there are.

    A decimal comma splits rows of prices into as many cells as the separator, but not the header.
    """
    widths = [*map(len, records)]
    width = max(widths, default=0)
    return width, widths.count(width)


def _locate_header(
    records: Sequence[_Record], place: int, choice: HeaderChoice, delimiter: str
) -> CsvHeader:
    """Return a header with its place in the text, and a note on the lines above it.

    Cells without a name at its end that most rows do not have are no columns.
    """
    last = records[place + choice.n_records - 1]
    labels = [*last.cells]
    widths = Counter(len(row.cells) for row in records[place + choice.n_records :])
    width = max(widths, key=lambda one: (widths[one], one), default=len(labels))
    while len(labels) > width and not labels[-1].strip():
        labels.pop()
    notes = list(choice.notes)
    if place:
        first, final = records[0].start_line, records[place - 1].end_line
        lines = f"line {first} is" if first == final else f"lines {first} to {final} are"
        notes.insert(0, f"{lines} above the header and not read")
    return CsvHeader(choice.positions, notes, labels, last.end_offset, last.end_line + 1, delimiter)


def _first_records(data: bytes, delimiter: str) -> Iterator[_Record]:
    """Yield the first records that are not blank, up to one that cannot be split."""
    lines = io.BytesIO(data)
    reader = csv.reader((line.decode() for line in lines), delimiter=delimiter)
    before = 0
    with suppress(csv.Error):  # expected for a wrong delimiter
        for cells in islice(filter(any, reader), MAX_HEADER_RECORDS):
            yield _Record(cells, before + 1, reader.line_num, lines.tell())
            before = reader.line_num


def header_key(header: str) -> str:
    """Normalize a header to lower-case letters and digits: adj_close becomes adjclose."""
    return _cached_key(header) if len(header) < MAX_CACHED_CHARS else _compute_key(header)


@lru_cache(maxsize=4096)  # several readers look at each header
def _cached_key(header: str) -> str:
    return _compute_key(header)


def _compute_key(header: str) -> str:
    return re.sub(r"[^0-9a-z]", "", header.casefold())


def choose_columns(
    path: Path, headers: list[str], aliases: HeaderAliases, required: tuple[str, ...]
) -> tuple[dict[str, int], list[str]]:
    """Return the position of each known column, and a note if some columns are unused.

    Raises
    ------
    DataQualityError
        If a required column is missing, or a used header occurs more than once.
    """
    keys = [header_key(header) for header in headers]
    chosen: dict[str, int] = {}
    for name, understood in aliases.items():
        spelled = next((key for key in understood if key in keys), None)
        if spelled is None:
            continue
        if keys.count(spelled) > 1:
            raise DataQualityError(
                f"{path} has {keys.count(spelled)} columns named {headers[keys.index(spelled)]}."
                " Keep one"
            )
        chosen[name] = keys.index(spelled)
    if any(name not in chosen for name in required):
        raise missing_columns_error(path, headers, aliases, required)
    return chosen, describe_columns(
        headers, {name: (position,) for name, position in chosen.items()}
    )


def describe_columns(headers: Sequence[str], chosen: Mapping[str, tuple[int, ...]]) -> list[str]:
    """Return a note on which columns are used, and as what, if some are not; else none.

    Examples
    --------
    >>> describe_columns(["Ticker", "Close", "P/E"], {"symbol": (0,), "close": (1,)})
    ['used columns: Ticker as symbol, Close; unused columns: P/E']
    """
    names = {position: name for name, places in chosen.items() for position in places}
    unused = [
        header
        for position, header in enumerate(headers)
        if position not in names and header.strip()
    ]
    used = [
        header
        if header_key(header) == header_key(names[position])
        else f"{header} as {names[position]}"
        for position, header in enumerate(headers)
        if position in names
    ]
    if not unused:
        return []
    return [f"used columns: {', '.join(used)[:500]}; unused columns: {', '.join(unused)[:500]}"]


def _name_first(headers: Sequence[str]) -> str:
    n_more = len(headers) - _MAX_NAMED
    return ", ".join(headers[:_MAX_NAMED]) + (f" and {n_more} more" if n_more > 0 else "")


def missing_columns_error(
    path: Path,
    headers: Sequence[str],
    aliases: HeaderAliases,
    required: tuple[str, ...],
    separator: str = "comma",
) -> DataQualityError:
    """Return the error that names the missing required columns and those that were found."""
    keys = {header_key(header) for header in headers}
    absent = [name for name in required if keys.isdisjoint(aliases[name])]
    found = ", ".join(header.strip() or "(no name)" for header in headers)[:500]
    understood_as = "; ".join(
        f"{name} (accepted: {_name_first(aliases[name])}; case and punctuation are ignored)"
        for name in absent
    )
    return DataQualityError(
        f"{path} has no column {understood_as}. Its {separator}-separated columns are: {found}"
    )

"""Kinds of files: holdings, transactions, prices and others, with the evidence for each.

A file is classified before it is read, because a list of transactions has the columns of a table of
holdings. `table_kinds` classifies each table.
"""

import itertools
from collections.abc import Collection, Sequence
from pathlib import Path

from riskmetrics.errors import DataQualityError
from riskmetrics.sources.table_headers import (
    AliasChooser,
    HeaderAliases,
    HeaderChoice,
    header_key,
)
from riskmetrics.sources.table_kinds import (
    DATE,
    HOLDINGS_KINDS,
    NUMBER,
    PRICE_KINDS,
    TITLES,
    FileClassification,
    FileKind,
    classify_table,
    known_headers,
    known_key,
)

__all__ = [
    "COMMANDS",
    "HOLDINGS_KINDS",
    "PRICE_KINDS",
    "FileClassification",
    "FileKind",
    "KindChooser",
    "classify_lines",
    "classify_table",
    "classify_tables",
    "combine_kinds",
    "is_header",
    "refuse_known_kind",
    "require_kind",
]

OTHER_KIND_REMEDY = "Use `riskmetrics import portfolio` or `riskmetrics import transactions`"
"""What to do with a file of holdings or transactions that is given to another command."""
_SALES_REMEDY = "Export the positions that are held, or the history of all transactions"
_MAX_HEADER_LINES = 200
_MIN_HEADERS = 2
"""Known headers that a line must have to be one of several headers of a file."""
COMMANDS = {
    FileKind.TRANSACTIONS: "riskmetrics import transactions",
    **dict.fromkeys(PRICE_KINDS, "riskmetrics import prices"),
    **dict.fromkeys(HOLDINGS_KINDS, "riskmetrics import portfolio"),
}
"""Command that imports each kind of file."""


def classify_lines(lines: Sequence[Sequence[str]]) -> FileClassification:
    """Classify a file by its lines: the kinds of all tables in it."""
    return combine_kinds(lines, classify_tables(lines))


def combine_kinds(
    lines: Sequence[Sequence[str]], tables: Sequence[tuple[int, FileClassification]]
) -> FileClassification:
    """Return the kinds of a file, from its lines and the result of `classify_tables`."""
    if sections := _classify_sections(lines):
        return sections
    found = [one for _, one in tables]
    kinds = dict.fromkeys(kind for one in found for kind in one.kinds)
    if kinds or not found:
        certain = [one.evidence for one in found if one.kinds]
        evidence = dict.fromkeys(reason for reasons in certain for reason in reasons)
        return FileClassification(tuple(kinds), tuple(evidence))
    return max(found, key=lambda one: len(one.alternatives))


def classify_tables(lines: Sequence[Sequence[str]]) -> list[tuple[int, FileClassification]]:
    """Return the place of the header line and the kind of each table of a file.

    A header consists of known headers. Without such a line, the line with most of them is taken.
    """
    headers = [place for place, line in enumerate(lines) if is_header(line)]
    if not headers:
        scores = list(map(_count_headers, lines[:_MAX_HEADER_LINES]))
        headers = [scores.index(max(scores))] if any(scores) else []
    return [
        (
            start,
            classify_table(
                lines[start], itertools.filterfalse(_is_subheader, lines[start + 1 : end])
            ),
        )
        for start, end in itertools.pairwise([*headers, len(lines)])
    ]


def _count_headers(line: Sequence[str]) -> int:
    """Return the number of known headers in a line."""
    return len({known_key(cell) for cell in line} & known_headers())


def is_header(line: Sequence[str]) -> bool:
    """Return whether at least half of the cells are known headers, and none is a number."""
    cells = [cell for cell in map(str.strip, line) if cell]
    if len(cells) < _MIN_HEADERS or any(
        NUMBER.fullmatch(cell) or DATE.fullmatch(cell) for cell in cells
    ):
        return False
    return _count_headers(cells) >= max(_MIN_HEADERS, len(cells) / 2)


class KindChooser(AliasChooser):
    """Recognizes the header of a table that has no kind of its own, and refuses known kinds.

    Parameters
    ----------
    aliases, required
        As for `AliasChooser`.
    title : str
        What the table is, with its article.
    distinctive : tuple of str
        Columns of which a table of a known kind must have one to be read all the same.
    """

    def __init__(
        self,
        aliases: HeaderAliases,
        required: tuple[str, ...],
        title: str,
        distinctive: tuple[str, ...],
    ) -> None:
        super().__init__(aliases, required)
        self._title, self._distinctive = title, distinctive

    def choose(self, path: Path, records: Sequence[list[str]]) -> HeaderChoice | None:
        """Return the known columns if the first record is the header of such a table."""
        choice = super().choose(path, records)
        if choice is not None and choice.positions.keys().isdisjoint(self._distinctive):
            refuse_known_kind(path, records, self._title)
        return choice

    def refusal(self, path: Path, records: Sequence[list[str]], separator: str) -> DataQualityError:
        """Return the error that names the missing columns; raise it if the kind is known."""
        refuse_known_kind(path, records, self._title)
        return super().refusal(path, records, separator)


def refuse_known_kind(
    path: Path,
    records: Sequence[Sequence[str]],
    title: str,
    expected: Collection[FileKind] = (),
) -> None:
    """Raise DataQualityError if the records are of a known kind, and so no table of ``title``.

    ``expected`` are kinds that such a table can look like.
    """
    require_kind(path, classify_lines(records), expected, title=title, remedy=OTHER_KIND_REMEDY)


def require_kind(
    path: Path,
    found: FileClassification,
    expected: Collection[FileKind],
    *,
    title: str = "",
    remedy: str = "",
) -> None:
    """Raise DataQualityError if a file is of another kind than expected, or can be of another.

    A file of unknown kind passes: the reader names the columns that are missing.

    Parameters
    ----------
    path : Path
        The file.
    found : FileClassification
        Its kind.
    expected : collection of FileKind
        Kinds that the caller reads; empty if its table has no kind.
    title : str
        What the caller reads. Default: the title of the first expected kind.
    remedy : str
        What to do if the kind is ambiguous.
    """
    expected_title = title or TITLES[min(expected, key=list(FileKind).index)]
    because = f": {'; '.join(found.evidence)}" if found.evidence else ""
    others = [kind for kind in found.alternatives if kind not in expected]
    if others:
        titles = " or ".join(dict.fromkeys(TITLES[kind] for kind in found.alternatives))
        raise DataQualityError(f"{path} can be {titles}{because}. {remedy}".rstrip())
    if found.kinds and not set(found.kinds) & set(expected):
        kind = found.kinds[0]
        advice = f"Use `{COMMANDS[kind]}`" if kind in COMMANDS else _SALES_REMEDY
        raise DataQualityError(f"{path} is {TITLES[kind]}, not {expected_title}{because}. {advice}")


def _is_subheader(line: Sequence[str]) -> bool:
    """Return whether a line is the second or third line of yfinance's header."""
    key = header_key(line[0]) if line else ""
    return key == "ticker" or (key == "date" and not any(line[1:]))


def _classify_sections(lines: Sequence[Sequence[str]]) -> FileClassification | None:
    """Classify an activity statement of Interactive Brokers, whose lines name their section."""
    sections = {line[0] for line in lines if len(line) > 2 and header_key(line[1]) == "header"}
    kinds = {"Open Positions": FileKind.HOLDINGS, "Trades": FileKind.TRANSACTIONS}
    found = [name for name in kinds if name in sections]
    if not found or "Statement" not in sections:
        return None
    return FileClassification(
        tuple(kinds[name] for name in found), tuple(f"section {name}" for name in found)
    )

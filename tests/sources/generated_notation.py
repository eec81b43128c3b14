"""Notation of generated files: numbers, dates, separators, encodings and workbooks."""

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from random import Random
from xml.sax.saxutils import escape

from tests.sources.generated_words import Language


@dataclass(frozen=True)
class Number:
    """A number in a cell."""

    value: Decimal
    is_money: bool = False
    """Whether the number may have a currency sign."""
    unit: str = ""
    """Text after the number, such as a percent sign."""


@dataclass(frozen=True)
class Day:
    """A date in a cell."""

    value: date


Cell = str | Number | Day
Row = list[Cell]


@dataclass(frozen=True)
class Notation:
    """How a file writes its cells."""

    language: Language
    delimiter: str
    """Separator of cells, or "xlsx" for a workbook with typed cells."""
    encoding: str
    decimal: str
    thousands: str
    money: str
    """Template of an amount with a place for the number."""
    negative: str
    """Template of a negative number."""
    dates: str
    """Name of a date notation, see `format_day`."""
    has_quoted_cells: bool
    has_trailing_delimiter: bool
    line_end: str

    @property
    def traits(self) -> list[str]:
        """Properties by which results are grouped."""
        return [
            f"language {self.language.code}",
            f"delimiter {self.delimiter!r}",
            f"encoding {self.encoding}",
            f"decimal {self.decimal!r} thousands {self.thousands!r}",
            f"dates {self.dates}",
        ]


PLAIN_DELIMITER, PLAIN_ENCODING, PLAIN_DATES = ",", "utf-8", "iso"


def choose_notation(rng: Random, language: Language, *, is_plain: bool) -> Notation:
    """Choose a notation that a program in this language writes."""
    if is_plain:
        return Notation(
            language, ",", "utf-8", ".", "", "{}", "-{}", "iso", False, False, "\n"
        )  # fmt: skip
    decimal = language.decimal if rng.random() < 0.85 else "."
    delimiters = ",,,,;\t|X" if decimal == "." else ";;;;\t|,X"
    delimiter = rng.choice(delimiters).replace("X", "xlsx")
    groups = ["", "", ","] if decimal == "." else ["", "", ".", " ", "\u00a0", "\u202f"]
    if language.code in {"de", "fr", "it"} and decimal == ".":
        groups += ["'", "\u2019"]  # Switzerland
    sign = rng.choice(["{}", "{}", "{}", "${}", "{} USD", "{} $", "$ {}"])
    return Notation(
        language,
        delimiter,
        rng.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252"]),
        decimal,
        rng.choice(groups),
        sign,
        rng.choice(["-{}", "-{}", "({})", "\u2212{}"]),
        rng.choice(language.dates),
        rng.random() < 0.3,
        rng.random() < 0.1,
        rng.choice(["\n", "\r\n"]),
    )


def format_number(number: Number, notation: Notation) -> str:
    """Return a number as text, by Python's formatting and translation of its signs."""
    text = f"{abs(number.value):,f}".translate(
        {ord(","): notation.thousands, ord("."): notation.decimal}
    )
    if number.is_money:
        text = notation.money.format(text)
    if number.value < 0:
        text = notation.negative.format(text)
    return text + number.unit


def format_day(day: date, name: str, months: Sequence[str]) -> str:
    """Return a date in a notation by its name."""
    month = months[day.month - 1]
    return {
        "iso": f"{day:%Y-%m-%d}",
        "compact": f"{day:%Y%m%d}",
        "mdy": f"{day:%m/%d/%Y}",
        "short": f"{day.month}/{day.day}/{day:%y}",
        "dmy": f"{day:%d/%m/%Y}",
        "dotted": f"{day:%d.%m.%Y}",
        "short dotted": f"{day:%d.%m.%y}",
        "dashed": f"{day:%d-%m-%Y}",
        "month": f"{day:%d}-{month}-{day:%Y}",
        "long": f"{month} {day.day}, {day:%Y}",
        "serial": str((day - date(1899, 12, 30)).days),
    }[name]


def format_cell(cell: Cell, notation: Notation) -> str:
    """Return a cell as text."""
    if isinstance(cell, Number):
        return format_number(cell, notation)
    if isinstance(cell, Day):
        return format_day(cell.value, notation.dates, notation.language.months)
    return cell


def write_rows(rows: Sequence[Row], notation: Notation) -> bytes:
    """Return the content of a file; characters that the encoding does not have make it UTF-8."""
    if notation.delimiter == "xlsx":
        return write_workbook(rows)
    text = "".join(_write_line(row, notation) + notation.line_end for row in rows)
    try:
        return text.encode(notation.encoding)
    except UnicodeEncodeError:
        return text.encode()


def _write_line(row: Row, notation: Notation) -> str:
    texts = [format_cell(cell, notation) for cell in row]
    mark = notation.delimiter
    needs_quotes = [
        notation.has_quoted_cells or any(sign in text for sign in (mark, '"', "\n"))
        for text in texts
    ]
    cells = [
        '"' + text.replace('"', '""') + '"' if quoted else text
        for text, quoted in zip(texts, needs_quotes, strict=True)
    ]
    return mark.join(cells) + (mark if notation.has_trailing_delimiter and row else "")


_PARTS = {
    "[Content_Types].xml": (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels"'
        ' ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/xl/workbook.xml" ContentType="application/'
        'vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>'
        '<Override PartName="/xl/styles.xml" ContentType="application/'
        'vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/>'
        '<Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/'
        'vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>'
    ),
    "_rels/.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
        'relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>'
    ),
    "xl/workbook.xml": (
        '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
        ' xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
        '<sheets><sheet name="Sheet1" sheetId="1" r:id="r1"/></sheets></workbook>'
    ),
    "xl/_rels/workbook.xml.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
        'relationships/worksheet" Target="worksheets/sheet1.xml"/>'
        '<Relationship Id="r2" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
        'relationships/styles" Target="styles.xml"/></Relationships>'
    ),
    "xl/styles.xml": (
        '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        '<fonts count="1"><font/></fonts><fills count="1"><fill/></fills>'
        '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>'
        '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs>'
        "</styleSheet>"
    ),
}
"""Parts of a workbook with one sheet, and a style for dates; ECMA-376 part 1."""


def write_workbook(rows: Sequence[Row]) -> bytes:
    """Return a workbook with typed cells: numbers, dates as serial numbers, and text."""
    lines = []
    for number, row in enumerate(rows, 1):
        cells = "".join(
            _workbook_cell(cell, f"{_column_name(place)}{number}")
            for place, cell in enumerate(row)
            if cell != ""
        )
        lines.append(f'<row r="{number}">{cells}</row>')
    sheet = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        + "".join(lines)
        + "</sheetData></worksheet>"
    )
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in (*_PARTS.items(), ("xl/worksheets/sheet1.xml", sheet)):
            stamp = zipfile.ZipInfo(name, (2024, 1, 1, 0, 0, 0))  # the same bytes at any time
            archive.writestr(stamp, f'<?xml version="1.0" encoding="UTF-8"?>{text}')
    return content.getvalue()


def _column_name(place: int) -> str:
    """Return the letters of a column: A, …, Z, AA, …"""
    name = ""
    place += 1
    while place:
        place, letter = divmod(place - 1, 26)
        name = chr(65 + letter) + name
    return name


def _workbook_cell(cell: Cell, reference: str) -> str:
    if isinstance(cell, Number) and not cell.unit:
        return f'<c r="{reference}"><v>{cell.value:f}</v></c>'
    if isinstance(cell, Day):
        serial = (cell.value - date(1899, 12, 30)).days
        return f'<c r="{reference}" s="1"><v>{serial}</v></c>'
    text = f"{cell.value:f}{cell.unit}" if isinstance(cell, Number) else cell
    return f'<c r="{reference}" t="inlineStr"><is><t>{escape(text)}</t></is></c>'

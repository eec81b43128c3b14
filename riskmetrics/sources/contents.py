"""What a file is before it is a table: its bytes, what they are known to be, and the text they spell."""

import gzip
import html
import re
import zlib
from pathlib import Path
from typing import NamedTuple

from riskmetrics.errors import DataQualityError, UsageError

_UNPRINTED = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f]")
_TITLE = re.compile(r"<title[^>]*>([^<]{1,200})", re.IGNORECASE)

_OTHER_KINDS = {
    b"PK\x03\x04": "a workbook or a zip archive",
    b"PK\x05\x06": "an empty zip archive",
    b"\xd0\xcf\x11\xe0": "a workbook",
    b"%PDF": "a PDF document",
    b"{\\rtf": "a text document",
    b"{": "JSON",
    b"[": "JSON",
}
"""What files that start so are."""


class Text(NamedTuple):
    """A file's text without its byte order mark, and the encoding that it was read in."""

    text: str
    encoding: str


def content(path: Path) -> bytes:
    """Return a file's bytes, unpacked.

    Raises
    ------
    UsageError
        If there is no such file, or it cannot be opened.
    DataQualityError
        If it is empty, damaged, or another kind of file than a table: a workbook, a web page.
    """
    try:
        data = path.read_bytes()
        if data.startswith(b"\x1f\x8b"):
            data = gzip.decompress(data)
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist") from None
    except IsADirectoryError:
        raise UsageError(f"{path} is a directory: name a CSV or Parquet file") from None
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise DataQualityError(f"{path} is a damaged gzip file: {error}") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be opened: {error.strerror}") from error
    if not data or data.isspace():
        raise DataQualityError(f"{path} is empty")
    if kind := next((kind for start, kind in _OTHER_KINDS.items() if data.startswith(start)), None):
        raise DataQualityError(f"{path} is {kind}: save the table as CSV")
    if not is_parquet(data):
        _refuse_markup(path, data)
    return data


def is_parquet(data: bytes) -> bool:
    """Whether the bytes are those of a Parquet file."""
    return data.startswith(b"PAR1")


def utf8(path: Path, data: bytes) -> bytes:
    """Return text known to be UTF-8, without its byte order mark."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataQualityError(f"{path} is not UTF-8 on line {line}: save it as CSV UTF-8") from None
    if b"\0" in data:
        raise DataQualityError(f"{path} is not UTF-8 text: save it as CSV UTF-8")
    return data if b"\n" in data else data.replace(b"\r", b"\n")


def decoded(path: Path, data: bytes) -> Text:
    """Return text in UTF-8 or UTF-16, with or without a byte order mark, or else in Windows' Western code page, as Latin-1 is.

    Symbols and numbers are the same in all of those but UTF-16, so that a wrong guess among the rest can spoil a name only.
    """
    for encoding in (_encoding(data), "Windows-1252"):
        try:
            text = data.decode(encoding).removeprefix("\ufeff")
        except UnicodeDecodeError:
            continue
        if control := _UNPRINTED.search(text):
            line = text.count("\n", 0, control.start()) + 1
            raise DataQualityError(f"{path} is not a text file: a control character stands on line {line}")
        return Text(text, encoding)
    raise DataQualityError(f"{path} is in an encoding that is not known: save it as CSV UTF-8")


def _encoding(data: bytes) -> str:
    """UTF-16 where a byte order mark or the NUL in the first letter says so, else UTF-8."""
    if data.startswith(b"\xff\xfe") or data[1:2] == b"\0":
        return "UTF-16-LE"
    return "UTF-16-BE" if data.startswith((b"\xfe\xff", b"\0")) else "UTF-8"


def _refuse_markup(path: Path, data: bytes) -> None:
    """Refuse what a browser saves in place of an export, by the name that the page has."""
    head = data[:4096].decode(_encoding(data), errors="replace").lstrip("\ufeff \t\r\n")
    if not head.startswith("<"):
        return
    if not re.search(r"<(!doctype html|html|head|body|title|script)\b", head, re.IGNORECASE):
        raise DataQualityError(f"{path} is XML, not a table: export it as CSV")
    title = _TITLE.search(head)
    called = f" called {' '.join(html.unescape(title[1]).split())!r}" if title else ""
    raise DataQualityError(
        f"{path} is an HTML page{called}, not a table: such a page is saved in place of an export where the session has ended; "
        "log in and export again"
    )

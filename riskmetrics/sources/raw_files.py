"""What a file is before it is a table: its bytes, what they are known to be, and the text they spell."""

import codecs
import html
import io
import os
import re
import select
import stat
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from riskmetrics.errors import DataQualityError, UsageError
from riskmetrics.limits import DEFAULT_LIMITS, MEGABYTE, Limits
from riskmetrics.sources.gzip_stream import decompress

_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f]")
_TITLE = re.compile(r"<title[^>]*>([^<]{1,200})", re.IGNORECASE)

_UNSUPPORTED_SIGNATURES = {
    b"PK\x03\x04": "a workbook or a zip archive",
    b"PK\x05\x06": "an empty zip archive",
    b"\xd0\xcf\x11\xe0": "a workbook",
    b"%PDF": "a PDF document",
    b"{\\rtf": "a text document",
    b"{": "JSON",
    b"[": "JSON",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ\x00": "compressed by xz",
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
    b"\x1f\x8b": "a gzip file in a gzip file",
}
"""What files that start so are."""

_SIGNATURE_BYTES = 4096
"""Bytes that tell what a file is."""

_CHUNK_BYTES = 1 << 20
"""Bytes that are read at once."""

_PIPE_TIMEOUT_SECONDS = 10.0
"""Seconds without a byte after which nobody is taken to write into a pipe."""


class DecodedText(NamedTuple):
    """A file's text without its byte order mark, and the encoding that it was read in."""

    text: str
    encoding: str


@contextmanager
def open_content(path: Path, limits: Limits = DEFAULT_LIMITS) -> Iterator[BinaryIO]:
    """Open a file for reading from its start, unpacked if it is a gzip file; nothing is read into memory.

    Raises
    ------
    UsageError
        If there is no such file, or it cannot be opened, or is neither a regular file nor a pipe.
    DataQualityError
        If it is larger than ``limits`` allow, empty, damaged, or another kind of file than a table.
    """
    try:
        with _open_nonblocking(path, limits) as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            if packed:
                _reject_oversized_gzip(path, file, limits)
            stream = decompress(file) if packed else file
            _reject_unsupported(path, stream.read(_SIGNATURE_BYTES))
            stream.seek(0)
            yield stream
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist") from None
    except IsADirectoryError:
        raise UsageError(f"{path} is a directory: name a CSV or Parquet file") from None
    except (zlib.error, EOFError) as error:
        raise DataQualityError(f"{path} is a damaged gzip file: {error}") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be opened: {error.strerror or error}") from error


def _reject_oversized_gzip(path: Path, file: BinaryIO, limits: Limits) -> None:
    """Refuse a gzip file larger than what it may expand to, such as one that goes on with zeros."""
    if os.fstat(file.fileno()).st_size > limits.file_bytes + _CHUNK_BYTES:
        raise file_too_large(path, limits)


def read_head(path: Path, stream: BinaryIO, limits: Limits) -> bytes:
    """Return the whole lines at the start of a stream, as far as one line may reach, and go back to the start."""
    head = stream.read(limits.line_bytes + 1)  # and its end
    ended = not stream.read(1)
    stream.seek(0)
    if ended or is_parquet(head):
        return head
    end = max(head.rfind(b"\n"), head.rfind(b"\r")) + 1
    if not end:
        raise _line_too_long_error(path, 1, limits)
    return head[:end]


def read_whole(path: Path, stream: BinaryIO, limits: Limits) -> bytes:
    """Return all bytes of a stream that `measure_size` has found to be within its limits."""
    stream.seek(0)
    whole = io.BytesIO()  # it grows in place, and gives its bytes without a copy
    while piece := stream.read(_CHUNK_BYTES):
        whole.write(piece)
        if whole.tell() > limits.file_bytes:  # it has grown since
            raise file_too_large(path, limits)
    return whole.getvalue()


def measure_size(path: Path, stream: BinaryIO, limits: Limits) -> int:
    """Read a stream from its start, keep nothing, and return its size in bytes, unpacked.

    Raises
    ------
    DataQualityError
        If the whole, a line or, but for Parquet, the number of lines exceeds its limit.
    """
    stream.seek(0)
    size = lines = line = 0
    text = True
    while piece := stream.read(min(limits.line_bytes, _CHUNK_BYTES)):
        if not size:
            text = not is_parquet(piece)
        size += len(piece)
        if size > limits.file_bytes:
            raise file_too_large(path, limits)
        if not text:
            continue
        ends = [
            at for end in (b"\n", b"\r") for at in (piece.find(end), piece.rfind(end)) if at >= 0
        ]
        lines += max(piece.count(b"\n"), piece.count(b"\r"))
        if line + (min(ends) if ends else len(piece)) > limits.line_bytes:
            raise _line_too_long_error(path, lines + 1, limits)
        line = len(piece) - max(ends) - 1 if ends else line + len(piece)
        if lines + (line > 0) > limits.rows + 1:
            raise too_many_rows_error(path, limits)
    return size


def _line_too_long_error(path: Path, line: int, limits: Limits) -> DataQualityError:
    return DataQualityError(
        f"{path} has a line of more than {limits.line_bytes // 1024:,} KB near line {line:,}: "
        "is it a table? If so, raise RISKMETRICS_MAX_LINE_KB"
    )


def too_many_rows_error(path: Path, limits: Limits) -> DataQualityError:
    """Say that a file has more rows than are read."""
    name = "RISKMETRICS_MAX_HOLDINGS" if limits.rows == limits.holdings else "RISKMETRICS_MAX_ROWS"
    return DataQualityError(f"{path} has more than {limits.rows:,} rows: split it, or raise {name}")


def file_too_large(path: Path, limits: Limits, what: str = ", unpacked") -> DataQualityError:
    """Say that a file has more bytes than are read, and of ``what``."""
    is_of_holdings = limits.file_bytes == limits.holdings * 1024
    name = "RISKMETRICS_MAX_HOLDINGS" if is_of_holdings else "RISKMETRICS_MAX_FILE_MB"
    size = limits.file_bytes / MEGABYTE
    return DataQualityError(f"{path} has more than {size:,.4g} MB{what}: split it, or raise {name}")


def _open_nonblocking(path: Path, limits: Limits) -> BinaryIO:
    """Open a regular file, or a pipe as a copy of what comes through it; a device, which may have no end, is refused."""
    file = open(  # noqa: SIM115
        path, "rb", buffering=0, opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)
    )
    mode = os.fstat(file.fileno()).st_mode
    if stat.S_ISREG(mode):
        return io.BufferedReader(file)
    with file:
        if stat.S_ISFIFO(mode):
            return _copy_pipe(path, file, limits)
    raise UsageError(f"{path} is a device or a socket, not a file: name a CSV or Parquet file")


def _copy_pipe(path: Path, pipe: io.FileIO, limits: Limits) -> BinaryIO:
    """Return what comes through a pipe as a file without a name; UsageError if nothing comes for some seconds."""
    with ExitStack() as opened:
        copy = cast("BinaryIO", opened.enter_context(tempfile.TemporaryFile()))
        while True:
            if not select.select([pipe], [], [], _PIPE_TIMEOUT_SECONDS)[0]:
                raise UsageError(
                    f"{path} is a pipe into which nothing was written for {_PIPE_TIMEOUT_SECONDS:g}"
                    " s: name a file"
                )
            piece = pipe.read(_CHUNK_BYTES)
            if not piece:
                break
            copy.write(piece)
            if copy.tell() > limits.file_bytes:
                raise file_too_large(path, limits)
        copy.seek(0)
        opened.pop_all()
        return copy


def _reject_unsupported(path: Path, head: bytes) -> None:
    """Refuse a file that starts as no table does."""
    if not head or (len(head) < _SIGNATURE_BYTES and head.isspace()):
        raise DataQualityError(f"{path} is empty")
    if kind := next(
        (kind for start, kind in _UNSUPPORTED_SIGNATURES.items() if head.startswith(start)), None
    ):
        raise DataQualityError(f"{path} is {kind}: save the table as CSV")
    if not is_parquet(head):
        _reject_markup(path, head)


def is_parquet(data: bytes) -> bool:
    """Whether the bytes are those of a Parquet file."""
    return data.startswith(b"PAR1")


def require_utf8(path: Path, data: bytes) -> bytes:
    """Return text known to be UTF-8, without its byte order mark."""
    data = data.removeprefix(b"\xef\xbb\xbf")
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(
        0, len(data), _CHUNK_BYTES
    ):  # in pieces: the text as a whole would be as large again
        piece = data[start : start + _CHUNK_BYTES]
        try:
            decoder.decode(piece, final=start + _CHUNK_BYTES >= len(data))
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, start + error.start) + 1
            raise DataQualityError(
                f"{path} is not UTF-8 on line {line}: save it as CSV UTF-8"
            ) from None
    if b"\0" in data:
        raise DataQualityError(f"{path} is not UTF-8 text: save it as CSV UTF-8")
    return data if b"\n" in data else data.replace(b"\r", b"\n")


def decode_text(path: Path, data: bytes) -> DecodedText:
    """Return text in UTF-8 or UTF-16, with or without a byte order mark, or else in Windows' Western code page, as Latin-1 is.

    Symbols and numbers are the same in all of those but UTF-16, so that a wrong guess among the
    rest can spoil a name only.
    """
    for encoding in (_detect_encoding(data), "Windows-1252"):
        try:
            text = data.decode(encoding).removeprefix("\ufeff")
        except UnicodeDecodeError:
            continue
        if control := _CONTROL_CHARACTER.search(text):
            line = text.count("\n", 0, control.start()) + 1
            raise DataQualityError(
                f"{path} is not a text file: a control character stands on line {line}"
            )
        return DecodedText(text, encoding)
    raise DataQualityError(f"{path} is in an encoding that is not known: save it as CSV UTF-8")


def _detect_encoding(data: bytes) -> str:
    """UTF-16 where a byte order mark or the NUL in the first letter says so, else UTF-8."""
    if data.startswith(b"\xff\xfe") or data[1:2] == b"\0":
        return "UTF-16-LE"
    return "UTF-16-BE" if data.startswith((b"\xfe\xff", b"\0")) else "UTF-8"


def _reject_markup(path: Path, data: bytes) -> None:
    """Refuse what a browser saves in place of an export, by the name that the page has."""
    head = data[:4096].decode(_detect_encoding(data), errors="replace").lstrip("\ufeff \t\r\n")
    if not head.startswith("<"):
        return
    if not re.search(r"<(!doctype html|html|head|body|title|script)\b", head, re.IGNORECASE):
        raise DataQualityError(f"{path} is XML, not a table: export it as CSV")
    title = _TITLE.search(head)
    called = f" called {' '.join(html.unescape(title[1]).split())!r}" if title else ""
    raise DataQualityError(
        f"{path} is an HTML page{called}, not a table: such a page is saved in place of an export"
        " where the session has ended; log in and export again"
    )

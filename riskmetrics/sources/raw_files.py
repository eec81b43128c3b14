"""Opening of files: type detection, size limits, pipes, gzip and text encodings."""

import codecs
import html
import io
import os
import re
import select
import stat
import tempfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from riskmetrics.errors import DataQualityError, UsageError
from riskmetrics.size_limits import DEFAULT_LIMITS, MEGABYTE, Limits
from riskmetrics.sources.file_kinds import FileKind
from riskmetrics.sources.gzip_stream import decompress
from riskmetrics.sources.workbooks import is_workbook, workbook_to_csv

_CONTROL_CHARACTER = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f]")
_BRACKETED_HEADER = re.compile(r"<\w+>\s*[,;|\t]")
"""Start of a table whose headers are in angle brackets, as Stooq writes them."""
OWN_REPORT = '<meta name="generator" content="riskmetrics">'
"""Tag near the start of each report, which is not a table of holdings."""
_TITLE = re.compile(r"<title[^>]*>([^<]{1,200})", re.IGNORECASE)

_UNSUPPORTED_SIGNATURES = {
    b"PK\x05\x06": "an empty zip archive",
    b"\xd0\xcf\x11\xe0": "an old or an encrypted workbook",
    b"%PDF": "a PDF document",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"{\\rtf": "an RTF document",
    b"{": "JSON",
    b"[": "JSON",
    b"BZh": "compressed by bzip2",
    b"\xfd7zXZ\x00": "compressed by xz",
    b"\x28\xb5\x2f\xfd": "compressed by zstd",
    b"\x1f\x8b": "a gzip file in a gzip file",
}
"""Kind of an unsupported file by its first bytes."""

_SIGNATURE_BYTES = 4096
"""Bytes read to detect the kind of a file."""

_CHUNK_BYTES = 1 << 20
"""Bytes per read."""

_PIPE_TIMEOUT_SECONDS = 10.0
"""Seconds without data after which reading from a pipe fails."""


class DecodedText(NamedTuple):
    """Text of a file without byte order mark, and the encoding it was decoded from."""

    text: str
    encoding: str
    other_sheets: tuple[str, ...] = ()
    """Names of the other sheets of a workbook with a table of the same kinds."""
    repeated_sheets: tuple[str, ...] = ()
    """Those among them with the same header."""


@contextmanager
def open_content(
    path: Path, limits: Limits = DEFAULT_LIMITS, *, allow_markup: bool = False
) -> Iterator[BinaryIO]:
    """Open a file for reading, decompressed if it is a gzip file, without loading it into memory.

    XML is refused unless ``allow_markup`` is set; HTML always.

    Raises
    ------
    UsageError
        If the file does not exist, cannot be opened, or is neither a regular file nor a pipe.
    DataQualityError
        If the file exceeds ``limits``, is empty or damaged, or is not a table.
    """
    try:
        with _open_nonblocking(path, limits) as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            if packed:
                _reject_oversized_gzip(path, file, limits)
            stream = decompress(file) if packed else file
            _reject_unsupported(path, stream.read(_SIGNATURE_BYTES), allow_markup=allow_markup)
            stream.seek(0)
            yield stream
    except FileNotFoundError:
        raise UsageError(f"{path} does not exist: check the path") from None
    except IsADirectoryError:
        raise UsageError(f"{path} is a directory. Specify a CSV, Excel or Parquet file") from None
    except (zlib.error, EOFError) as error:
        raise DataQualityError(f"{path} is a damaged gzip file: {error}") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be opened: {error.strerror or error}") from error


def _reject_oversized_gzip(path: Path, file: BinaryIO, limits: Limits) -> None:
    """Reject a gzip file that is larger than the limit of its content, such as a padded one."""
    if os.fstat(file.fileno()).st_size > limits.file_bytes + _CHUNK_BYTES:
        raise file_too_large(path, limits)


def read_head(path: Path, stream: BinaryIO, limits: Limits) -> bytes:
    """Return the complete lines in the first ``limits.line_bytes`` of a stream, and rewind it."""
    head = stream.read(limits.line_bytes + 1)  # with the line end
    ended = not stream.read(1)
    stream.seek(0)
    if ended or is_binary(head):
        return head
    end = max(head.rfind(b"\n"), head.rfind(b"\r")) + 1
    if not end:
        raise _line_too_long_error(path, 1, limits)
    return head[:end]


def read_whole(path: Path, stream: BinaryIO, limits: Limits) -> bytes:
    """Return all bytes of a stream that `measure_size` has checked."""
    stream.seek(0)
    whole = io.BytesIO()  # grows in place and returns its bytes without a copy
    while piece := stream.read(_CHUNK_BYTES):
        whole.write(piece)
        if whole.tell() > limits.file_bytes:  # the file has grown since the check
            raise file_too_large(path, limits)
    return whole.getvalue()


def measure_size(path: Path, stream: BinaryIO, limits: Limits) -> int:
    """Return the decompressed size of a stream in bytes, by reading it from its start.

    Raises
    ------
    DataQualityError
        If the size exceeds its limit, or, in a text, a line or the number of lines.
    """
    stream.seek(0)
    size = lines = line = 0
    text = True
    while piece := stream.read(min(limits.line_bytes, _CHUNK_BYTES)):
        if not size:
            text = not is_binary(piece)
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
        f"{path} has a line longer than {limits.line_bytes // 1024:,} KB near line {line:,}. Check"
        " that it is a table, or raise RISKMETRICS_MAX_LINE_KB"
    )


def too_many_rows_error(path: Path, limits: Limits) -> DataQualityError:
    """Return the error for a file with more rows than the limit."""
    name = "RISKMETRICS_MAX_HOLDINGS" if limits.rows == limits.holdings else "RISKMETRICS_MAX_ROWS"
    return DataQualityError(f"{path} has more than {limits.rows:,} rows. Split it, or raise {name}")


def file_too_large(path: Path, limits: Limits, what: str = ", decompressed") -> DataQualityError:
    """Return the error for a file larger than the limit; ``what`` names the measured content."""
    is_of_holdings = limits.file_bytes == limits.holdings * 1024
    name = "RISKMETRICS_MAX_HOLDINGS" if is_of_holdings else "RISKMETRICS_MAX_FILE_MB"
    size = limits.file_bytes / MEGABYTE
    return DataQualityError(f"{path} has more than {size:,.4g} MB{what}. Split it, or raise {name}")


def _open_nonblocking(path: Path, limits: Limits) -> BinaryIO:
    """Open a regular file, or a copy of the content of a pipe; devices and sockets are rejected."""
    file = open(  # noqa: SIM115
        path, "rb", buffering=0, opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)
    )
    mode = os.fstat(file.fileno()).st_mode
    if stat.S_ISREG(mode):
        return io.BufferedReader(file)
    with file:
        if stat.S_ISFIFO(mode):
            return _copy_pipe(path, file, limits)
    raise UsageError(
        f"{path} is a device or a socket, not a file. Specify a CSV, Excel or Parquet file"
    )


def _copy_pipe(path: Path, pipe: io.FileIO, limits: Limits) -> BinaryIO:
    """Copy a pipe to a temporary file, or raise UsageError if no data arrives for some seconds."""
    with ExitStack() as opened:
        copy = cast("BinaryIO", opened.enter_context(tempfile.TemporaryFile()))
        while True:
            if not select.select([pipe], [], [], _PIPE_TIMEOUT_SECONDS)[0]:
                raise UsageError(
                    f"{path} is a pipe, and no data arrived for {_PIPE_TIMEOUT_SECONDS:g} s."
                    " Specify a file"
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


def _reject_unsupported(path: Path, head: bytes, *, allow_markup: bool) -> None:
    """Reject an empty file, and one whose first bytes are not those of a table."""
    if not head or (len(head) < _SIGNATURE_BYTES and head.isspace()):
        raise DataQualityError(f"{path} is empty: save the table again")
    if kind := next(
        (kind for start, kind in _UNSUPPORTED_SIGNATURES.items() if head.startswith(start)), None
    ):
        raise DataQualityError(f"{path} is {kind}. Save the table as CSV or .xlsx")
    if not is_binary(head):
        _reject_markup(path, head, allow_xml=allow_markup)


def is_parquet(data: bytes) -> bool:
    """Return whether data starts like a Parquet file."""
    return data.startswith(b"PAR1")


def is_binary(data: bytes) -> bool:
    """Return whether data starts like Parquet or a workbook, which have no lines."""
    return is_parquet(data) or is_workbook(data)


def to_utf8(path: Path, data: bytes, limits: Limits = DEFAULT_LIMITS) -> bytes:
    """Return a text or workbook as UTF-8 without byte order mark.

    Text is UTF-8 or UTF-16, or else Windows-1252, which can only garble a name.

    Raises
    ------
    DataQualityError
        If the text is UTF-8 in part or with a damaged character, or has NULs or bytes without
        meaning.
    """
    if is_workbook(data):
        data = workbook_to_csv(path, data, limits).text.encode()
    elif (encoding := _detect_encoding(data)) != "UTF-8":
        data = _reencode(path, data, encoding)
    data = data.removeprefix(codecs.BOM_UTF8)
    if invalid := _first_invalid_bytes(data):
        if len(invalid) > 1 or not data[: invalid.start].isascii():
            line = data.count(b"\n", 0, invalid.start) + 1
            raise DataQualityError(
                f"{path} is UTF-8 text that is damaged on line {line}. Save it as CSV UTF-8"
            )
        data = _reencode(path, data, "Windows-1252")
    if b"\0" in data:
        raise DataQualityError(f"{path} is not UTF-8 text. Save it as CSV UTF-8")
    return data if b"\n" in data else data.replace(b"\r", b"\n")


def _reencode(path: Path, data: bytes, encoding: str) -> bytes:
    """Return text in another encoding as UTF-8 without byte order mark."""
    try:
        return data.decode(encoding).removeprefix("\ufeff").encode()
    except UnicodeError:
        raise DataQualityError(f"{path} is not {encoding} text. Save it as CSV UTF-8") from None


def _first_invalid_bytes(data: bytes) -> range | None:
    """Return the positions of the first bytes that are not UTF-8; None if all are."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    # in pieces, because decoding the whole text would double the memory
    for start in range(0, len(data), _CHUNK_BYTES):
        pending = len(decoder.getstate()[0])
        piece = data[start : start + _CHUNK_BYTES]
        try:
            decoder.decode(piece, final=start + _CHUNK_BYTES >= len(data))
        except UnicodeDecodeError as error:
            first = start - pending
            return range(first + error.start, first + error.end)
    return None


_PLAIN_SIGNS = {
    **dict.fromkeys(map(ord, "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff")),
    0x3000: " ",
    **{0xFF01 + place: chr(0x21 + place) for place in range(94)},
}
"""Invisible marks, which copies from web pages have, are removed; full-width signs are plain."""


def decode_text(
    path: Path,
    data: bytes,
    limits: Limits = DEFAULT_LIMITS,
    kinds: Collection[FileKind] = (),
    is_other: Callable[[str], bool] = lambda _: False,
) -> DecodedText:
    """Decode a workbook, or text from UTF-8 or UTF-16, or else Windows-1252.

    The sheet of a workbook is preferably one with a table of ``kinds``, and not one whose name
    says that it ``is_other``.

    Symbols and numbers are the same bytes in all of these except UTF-16, so a wrong guess can only
    garble a name.

    Raises
    ------
    DataQualityError
        If the text has control characters or an unknown encoding.
    """
    if is_workbook(data):
        sheet = workbook_to_csv(path, data, limits, kinds, is_other=is_other)
        return DecodedText(sheet.text, f"Excel {sheet.note}".rstrip(), *sheet[2:])
    for encoding in (_detect_encoding(data), "Windows-1252"):
        try:
            text = data.decode(encoding).removeprefix("\ufeff").translate(_PLAIN_SIGNS)
        except UnicodeDecodeError:
            continue
        if control := _CONTROL_CHARACTER.search(text):
            line = text.count("\n", 0, control.start()) + 1
            raise DataQualityError(
                f"{path} is not a text file: line {line} has a control character. Save the table as"
                " CSV or .xlsx"
            )
        return DecodedText(text, encoding)
    raise DataQualityError(f"{path} has an unknown encoding. Save it as CSV UTF-8")


def is_utf16(data: bytes) -> bool:
    """Return whether data starts like UTF-16."""
    return _detect_encoding(data) != "UTF-8"


def _detect_encoding(data: bytes) -> str:
    """Return UTF-16 if a byte order mark or a NUL in the first two bytes shows it, else UTF-8."""
    if data.startswith(b"\xff\xfe") or data[1:2] == b"\0":
        return "UTF-16-LE"
    return "UTF-16-BE" if data.startswith((b"\xfe\xff", b"\0")) else "UTF-8"


def _reject_markup(path: Path, data: bytes, *, allow_xml: bool) -> None:
    """Reject HTML, such as a login page saved instead of an export, and XML unless allowed."""
    head = data[:4096].decode(_detect_encoding(data), errors="replace").lstrip("\ufeff \t\r\n")
    if not head.startswith("<") or _BRACKETED_HEADER.match(head):
        return
    if not re.search(r"<(!doctype html|html|head|body|title|script)\b", head, re.IGNORECASE):
        if allow_xml:
            return
        raise DataQualityError(f"{path} is XML, not a table. Export it as CSV")
    if OWN_REPORT in head:
        raise DataQualityError(
            f"{path} is a report that riskmetrics wrote, not a table. Import the file from your"
            " broker that the report was computed from"
        )
    title = _TITLE.search(head)
    titled = f" titled {' '.join(html.unescape(title[1]).split())!r}" if title else ""
    raise DataQualityError(
        f"{path} is an HTML page{titled}, not a table. The session at the broker may have expired:"
        " log in and export again"
    )

"""What a gzip file expands to, at a cost that its size bounds."""

import io
import zlib
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_GZIP_WINDOW = 31
"""Tells zlib to expect the header of gzip, and to check the sum at the end."""

_BUFFER_BYTES = 1 << 16
_CHUNK_BYTES = 8192
"""Packed bytes that are read at once: what follows the end of a member is copied for each member."""


def decompress(file: BinaryIO) -> io.BufferedReader:
    """Return what a gzip file expands to."""
    return io.BufferedReader(_GzipReader(file), _BUFFER_BYTES)


def is_gzip_stream(stream: BinaryIO) -> bool:
    """Whether a stream is what a gzip file expands to."""
    return isinstance(getattr(stream, "raw", None), _GzipReader)


class _GzipReader(io.RawIOBase):
    """The content of a gzip file, of one member or several; it goes to a place by reading up to it.

    `gzip.GzipFile` reads the zeros between members one by one, and takes hours for a sparse file.

    Raises
    ------
    zlib.error
        If the file is not a gzip file, or is damaged.
    EOFError
        If it ends within a member.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._pending = b""
        self._rewind()

    def readable(self) -> bool:
        """Whether it can be read: always."""
        return True

    def seekable(self) -> bool:
        """Whether it can go elsewhere: to any place counted from its start."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place, and return it; to go back, the file is unpacked again from its start."""
        if whence == io.SEEK_END:
            raise io.UnsupportedOperation("the size of a gzip file is not known before its end")
        target = offset + (self._position if whence == io.SEEK_CUR else 0)
        if target < self._position:
            self._rewind()
        while self._position < target and self.read(min(target - self._position, _BUFFER_BYTES)):
            pass
        return self._position

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill a buffer, or a part of it."""
        view = memoryview(buffer)
        while True:
            if self._member.eof and not self._begin_member():
                return 0
            packed = self._pending or self._file.read(_CHUNK_BYTES)
            data = self._member.decompress(packed, len(view))
            self._pending = self._member.unconsumed_tail
            if data:
                view[: len(data)] = data
                self._position += len(data)
                return len(data)
            if not packed and not self._member.eof:
                raise EOFError("it ends before its end is marked")

    def _rewind(self) -> None:
        self._file.seek(0)
        self._position = 0
        self._member, self._pending = zlib.decompressobj(_GZIP_WINDOW), b""

    def _begin_member(self) -> bool:
        """Go to the next member, past zeros; return whether there is one."""
        packed = self._member.unused_data.lstrip(b"\0")
        while not packed:
            piece = self._file.read(_CHUNK_BYTES)
            if not piece:
                return False
            packed = piece.lstrip(b"\0")
        self._member, self._pending = zlib.decompressobj(_GZIP_WINDOW), packed
        return True

"""Decompression of gzip files in time that is bounded by their size."""

import io
import zlib
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_GZIP_WINDOW = 31
"""Window argument of zlib that expects a gzip header and verifies the checksum."""

_BUFFER_BYTES = 1 << 16
_CHUNK_BYTES = 8192
"""Compressed bytes per read; small, because zlib copies what follows the end of a member."""


def decompress(file: BinaryIO) -> io.BufferedReader:
    """Return a stream of the decompressed content of a gzip file."""
    return io.BufferedReader(_GzipReader(file), _BUFFER_BYTES)


def is_gzip_stream(stream: BinaryIO) -> bool:
    """Return whether a stream comes from `decompress`."""
    return isinstance(getattr(stream, "raw", None), _GzipReader)


class _GzipReader(io.RawIOBase):
    """Raw stream of the content of a gzip file with one or several members; seeks by reading.

    `gzip.GzipFile` skips zeros between members byte by byte, which takes hours for a sparse file.

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
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True; seeking relative to the end is not supported."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Seek to a position and return it; seeking back decompresses again from the start."""
        if whence == io.SEEK_END:
            raise io.UnsupportedOperation("a gzip stream cannot seek relative to its end")
        target = offset + (self._position if whence == io.SEEK_CUR else 0)
        if target < self._position:
            self._rewind()
        while self._position < target and self.read(min(target - self._position, _BUFFER_BYTES)):
            pass
        return self._position

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Read into a buffer, and return the number of bytes read; 0 at the end."""
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
                raise EOFError("unexpected end of file")

    def _rewind(self) -> None:
        self._file.seek(0)
        self._position = 0
        self._member, self._pending = zlib.decompressobj(_GZIP_WINDOW), b""

    def _begin_member(self) -> bool:
        """Skip zeros and start the next member; return whether there is one."""
        packed = self._member.unused_data.lstrip(b"\0")
        while not packed:
            piece = self._file.read(_CHUNK_BYTES)
            if not piece:
                return False
            packed = piece.lstrip(b"\0")
        self._member, self._pending = zlib.decompressobj(_GZIP_WINDOW), packed
        return True

"""Size limits of files and network responses; each can be raised in `settings`."""

from typing import NamedTuple

MEGABYTE = 1 << 20


class Limits(NamedTuple):
    """Size limits of one file. Input beyond a limit is refused before it is loaded into memory."""

    file_bytes: int = 1024 * MEGABYTE
    """Bytes of a file, and of the contents of a compressed file."""
    line_bytes: int = MEGABYTE
    """Bytes of a line of text, and characters of a cell."""
    rows: int = 10_000_000
    """Lines after the header, or rows of a Parquet file."""
    columns: int = 1_000
    symbols: int = 100_000
    """Distinct symbols in a file, and distinct dates."""
    holdings: int = 50_000
    """Lines of a file of holdings, with 1,024 bytes each on average."""
    rejected_rows: int = 100_000
    """Rejected rows that are stored with their reasons."""

    def for_holdings(self) -> "Limits":
        """Return the limits of a file of holdings, which takes many times its size in memory."""
        file_bytes = min(self.file_bytes, self.holdings * 1024)
        return self._replace(rows=min(self.rows, self.holdings), file_bytes=file_bytes)


DEFAULT_LIMITS = Limits()

"""Most that is read from a file of a user's or from an answer off the network; `settings` can raise each."""

from typing import NamedTuple

MEGABYTE = 1 << 20


class Limits(NamedTuple):
    """Most that one file may hold. What exceeds a limit is refused before it is in memory."""

    file_bytes: int = 1024 * MEGABYTE
    """Bytes of a file, and of what a compressed one expands to."""
    line_bytes: int = MEGABYTE
    """Bytes of a line of text, and characters of a cell."""
    rows: int = 10_000_000
    """Lines after the header, or rows of a Parquet file."""
    columns: int = 1_000
    symbols: int = 100_000
    """Different symbols in a file, and different dates."""
    holdings: int = 50_000
    """Lines of a file of holdings, which may have 1,024 bytes each on average."""
    rejected_rows: int = 100_000
    """Rows that are kept with the reason why they were not taken."""

    def for_holdings(self) -> "Limits":
        """Return the limits of a file of holdings: it is small, and many times its size in memory."""
        file_bytes = min(self.file_bytes, self.holdings * 1024)
        return self._replace(rows=min(self.rows, self.holdings), file_bytes=file_bytes)


DEFAULT_LIMITS = Limits()

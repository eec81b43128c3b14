"""Symbols without their share class, such as BRKB, resolved to stored symbols, such as BRK-B."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from riskmetrics.cli.output import echo_err

if TYPE_CHECKING:
    import sqlalchemy as sa


def resolve_class_shares(connection: "sa.Connection", symbols: Iterable[str]) -> dict[str, str]:
    """Map symbols without a class separator to stored class shares; print each pair to stderr."""
    from riskmetrics.db import symbol_spellings

    shares = symbol_spellings.find_class_shares(connection, symbols)
    for symbol, share in sorted(shares.items()):
        echo_err(f"note: {symbol} is stored as {share}")
    return shares

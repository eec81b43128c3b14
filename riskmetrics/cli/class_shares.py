"""Symbols without the mark of their class, completed by what the database knows."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from riskmetrics.cli.output import echo_err

if TYPE_CHECKING:
    import sqlalchemy as sa


def resolve_class_shares(connection: "sa.Connection", symbols: Iterable[str]) -> dict[str, str]:
    """Map symbols without a mark to class shares that the database knows, and print the pairs."""
    from riskmetrics.db import symbol_spellings

    shares = symbol_spellings.find_class_shares(connection, symbols)
    for symbol, share in sorted(shares.items()):
        echo_err(f"note: {symbol} is stored as {share}")
    return shares

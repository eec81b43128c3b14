"""Symbols without the mark of their class, completed by what the database knows."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from riskmetrics.cli.output import say

if TYPE_CHECKING:
    import sqlalchemy as sa


def name_class_shares(connection: "sa.Connection", symbols: Iterable[str]) -> dict[str, str]:
    """Map symbols without a mark to class shares that the database knows, and print the pairs."""
    from riskmetrics.db import spellings

    shares = spellings.find_class_shares(connection, symbols)
    for symbol, share in sorted(shares.items()):
        say(f"note: {symbol} is stored as {share}")
    return shares

"""Layouts of price files: accepted headers of each column, and vendors with what to know of them.

The data are in ``price_layouts.toml``.
"""

import tomllib
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import NamedTuple

from riskmetrics.sources.table_headers import HeaderAliases, header_key
from riskmetrics.sources.vocabulary import expand_headers

_FILE = Path(__file__).with_suffix(".toml")


class Vendor(NamedTuple):
    """A source of price files."""

    name: str
    download: str
    """Where to download the file."""
    columns: str
    """Columns that are read."""
    left_out: str
    headers: frozenset[str]
    """Normalized headers that a file of the vendor has."""
    without: frozenset[str] = frozenset()
    """Normalized headers that it does not have."""
    warning: str = ""
    """What the user of such a file must know; empty if nothing."""


class PriceLayouts(NamedTuple):
    """Content of ``price_layouts.toml``."""

    columns: HeaderAliases
    """Columns with their accepted headers, normalized."""
    vendors: tuple[Vendor, ...]


@cache
def load_price_layouts() -> PriceLayouts:
    """Return the layouts of price files.

    Examples
    --------
    >>> load_price_layouts().columns["close"][:2]
    ('close', 'closeprice')
    """
    content = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    columns = {name: expand_headers(headers) for name, headers in content["columns"].items()}
    vendors = (
        Vendor(
            **vendor
            | {
                name: frozenset(map(header_key, vendor.get(name, ())))
                for name in ("headers", "without")
            }
        )
        for vendor in content["vendors"]
    )
    return PriceLayouts(columns, tuple(vendors))


def describe_vendor(keys: Collection[str]) -> list[str]:
    """Return a note on what to know of the vendor of a file with these normalized headers.

    Examples
    --------
    >>> describe_vendor({"ticker", "per", "date", "close"})[0][:12]
    'Stooq adjust'
    """
    found = {*keys}
    return [
        vendor.warning
        for vendor in load_price_layouts().vendors
        if vendor.warning and vendor.headers <= found and not vendor.without & found
    ]

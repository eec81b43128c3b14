"""The eleven GICS sectors, and the translation of vendors' sector names."""

SECTORS = (
    "Communication Services",
    "Consumer Discretionary",
    "Consumer Staples",
    "Energy",
    "Financials",
    "Health Care",
    "Industrials",
    "Information Technology",
    "Materials",
    "Real Estate",
    "Utilities",
)

UNCLASSIFIED = "Unclassified"
"""Sector of symbols without a profile; that of funds is in `funds`."""

_VENDOR_NAMES = {
    "Basic Materials": "Materials",
    "Communication": "Communication Services",
    "Consumer Cyclical": "Consumer Discretionary",
    "Consumer Defensive": "Consumer Staples",
    "Financial": "Financials",
    "Financial Services": "Financials",
    "Healthcare": "Health Care",
    "Technology": "Information Technology",
}
_SECTOR_BY_NAME = {
    name.casefold(): sector
    for name, sector in {**dict(zip(SECTORS, SECTORS, strict=True)), **_VENDOR_NAMES}.items()
}


def to_gics_sector(name: str) -> str | None:
    """Translate a vendor's sector name to GICS, ignoring case and spacing; None if unknown."""
    return _SECTOR_BY_NAME.get(" ".join(name.split()).casefold())

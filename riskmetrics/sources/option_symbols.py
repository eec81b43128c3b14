"""Symbols of listed options, in the ways that brokers write them."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

_TERMS = (
    # the Options Clearing Corporation's: AAPL  250117C00250000, the strike in thousandths
    (r"(?P<root>[A-Z][A-Z0-9]{0,5}) *(?P<day>\d{6})(?P<right>[CP])(?P<thousandths>\d{8})", "%y%m%d"),
    # Fidelity: -AAPL250117C250
    (r"-?(?P<root>[A-Z][A-Z0-9]{0,5})(?P<day>\d{6})(?P<right>[CP])(?P<strike>\d{1,5}(\.\d{1,3})?)", "%y%m%d"),
    # Schwab: AAPL 01/17/2025 250.00 C
    (r"(?P<root>[A-Z][A-Z0-9./]*) (?P<day>\d\d/\d\d/\d{4}) (?P<strike>\d{1,5}(\.\d{1,3})?) (?P<right>[CP])", "%m/%d/%Y"),
    # Interactive Brokers: AAPL 17JAN25 250 C
    (r"(?P<root>[A-Z][A-Z0-9. ]*) (?P<day>\d\d[A-Z]{3}\d\d) (?P<strike>\d{1,5}(\.\d{1,3})?) (?P<right>[CP])", "%d%b%y"),
)
_PATTERNS = [(re.compile(pattern), form) for pattern, form in _TERMS]
CLASSES_OF_SHARES = {"BRKB": "BRK-B", "BFA": "BF-A", "BFB": "BF-B"}
"""What stands for a class of shares where there is no room for a dash: in the clearing corporation's symbols, and in Fidelity's."""


@dataclass(frozen=True)
class Option:
    """An option on shares, as its symbol tells it."""

    symbol: str
    """The clearing corporation's without spaces: AAPL250117C00250000."""
    underlying: str
    right: str
    """C for a call, P for a put."""
    strike: Decimal
    """Dollars a share."""
    expiration: date


def option(text: str) -> Option | None:
    """Read an option's symbol; None if the text is none."""
    tidy = " ".join(text.upper().split())
    for pattern, form in _PATTERNS:
        if found := pattern.fullmatch(tidy):
            terms = found.groupdict()
            try:
                expiration = datetime.strptime(terms["day"].title(), form).date()  # noqa: DTZ007 - a day has no zone
            except ValueError:
                return None
            strike = Decimal(terms["thousandths"]) / 1000 if terms.get("thousandths") else Decimal(terms["strike"])
            root = re.sub("[^A-Z0-9]", "", terms["root"])
            symbol = f"{root}{expiration:%y%m%d}{terms['right']}{int(strike * 1000):08}"
            return Option(symbol, CLASSES_OF_SHARES.get(root, root), terms["right"], strike, expiration)
    return None

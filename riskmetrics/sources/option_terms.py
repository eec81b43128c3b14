"""Options that a row names by their terms, in columns of their own or in words."""

import re
from collections.abc import Mapping
from decimal import Decimal

from riskmetrics.sources.dates import parse_date
from riskmetrics.symbols import parse_option

_WORDED_OPTION = re.compile(
    r"(?P<root>[A-Z][A-Z.]{0,5}) (?P<day>\d{1,2}/\d{1,2}/\d{4}|[A-Z]{3} \d{1,2} \d{4})"
    r" (?:(?P<first>CALL|PUT) \$?(?P<strike>[\d.,]+)|\$?(?P<other>[\d.,]+) (?P<last>CALL|PUT))",
    re.IGNORECASE,
)

_RIGHT = re.compile(r"\b(?:call|put)\b", re.IGNORECASE)


def names_option(text: str) -> bool:
    """Return whether a description has the right of an option, and a number such as its strike.

    Examples
    --------
    >>> names_option("CALL NVIDIA CORP $150 EXP 01/17/25"), names_option("Putnam Growth 2030")
    (True, False)
    """
    return _RIGHT.search(text) is not None and re.search(r"\d", text) is not None


def find_option_symbol(cells: Mapping[str, str], *, in_description: bool) -> str | None:
    """Return the symbol of the option that a row names by symbol, terms or words.

    Parameters
    ----------
    cells : mapping
        Texts of a row by column: symbol, description, underlying_symbol, option_right, strike_price
        and expiration_date, as far as it has them.
    in_description : bool
        Whether words in the description count too, because the symbol is that of the underlying. A
        description that is the symbol of an option always counts.

    Examples
    --------
    >>> cells = {"symbol": "KO", "description": "KO 1/17/2025 Call $62.50"}
    >>> find_option_symbol(cells, in_description=True)
    'KO250117C00062500'
    """
    for name in ("symbol", "description"):
        if option := parse_option(cells.get(name, "")):
            return option.symbol
    expiration, strike = (cells.get(name, "") for name in ("expiration_date", "strike_price"))
    right = cells.get("option_right", "")[:1].upper()
    if right in ("C", "P") and expiration and strike:
        root = cells.get("underlying_symbol") or cells.get("symbol", "").split(" ")[0]
        return _build_symbol(root, expiration, right, strike)
    for name in ("symbol", "description")[: 1 + in_description]:
        if found := _WORDED_OPTION.search(cells.get(name, "")):
            strike, right = found["strike"] or found["other"], found["first"] or found["last"]
            return _build_symbol(found["root"], found["day"], right[0].upper(), strike)
    return None


def _build_symbol(root: str, day: str, right: str, strike: str) -> str | None:
    expiration = parse_date(day, "mdy")
    if expiration is None:
        return None
    thousandths = round(Decimal(strike.replace("$", "").replace(",", "")) * 1000)
    option = parse_option(f"{root.upper()}{expiration:%y%m%d}{right}{thousandths:08}")
    return option.symbol if option else None

"""ISINs and CUSIPs in the place of symbols: their keys, and the symbols that they stand for."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from typing import NamedTuple

from riskmetrics.sources.identifier_forms import is_cusip, is_debt_cusip, is_isin
from riskmetrics.sources.symbol_forms import SymbolForm, parse_symbol_forms
from riskmetrics.symbols import normalize_symbol, parse_option

_CUSIP_COUNTRIES = frozenset(("US", "CA", "BM", "BS", "KY", "MH", "PA", "VG"))
"""Countries whose ISINs contain the CUSIP or CINS of the security after the country."""
_ISIN_FORM = re.compile(r"[A-Z]{2}[A-Z0-9]{9}\d")

SymbolLookup = Callable[[Collection[str]], Mapping[str, str]]
"""Returns the known symbols of identifiers, by key."""


def look_up_nothing(_: Collection[str]) -> Mapping[str, str]:
    """Return no symbol, where none is stored."""
    return {}


class KnownSymbols(NamedTuple):
    """Symbols of the identifiers and names that a file may have in the place of symbols."""

    mapped: Mapping[str, str] = {}
    """Symbol by the identifier or name in the file, as the user states it."""
    look_up: SymbolLookup = look_up_nothing


class StatedSecurity(NamedTuple):
    """Symbol and identifier of one row of a file."""

    symbol: str
    identifier: str
    currency: str = ""


@cache
def identifier_key(text: str) -> str | None:
    """Return the CUSIP of an ISIN or CUSIP, or the ISIN if it contains none.

    None if the text is neither, its check digit is wrong, or it is the CUSIP of a bond.

    Examples
    --------
    >>> [identifier_key(text) for text in ("US0378331005", "037833100", "IE00B4BNMY34")]
    ['037833100', '037833100', 'IE00B4BNMY34']
    >>> identifier_key("US0378331006"), identifier_key("AAPL")
    (None, None)
    """
    plain = text.strip().upper()
    if is_isin(plain):
        inside = plain[2:11]
        has_cusip = plain[:2] in _CUSIP_COUNTRIES and is_cusip(inside)
        if has_cusip and is_debt_cusip(inside):
            return None
        return inside if has_cusip else plain
    return plain if is_cusip(plain) and not is_debt_cusip(plain) else None


def has_wrong_check_digit(text: str) -> bool:
    """Return whether a text has the form of an ISIN, but not its check digit.

    Examples
    --------
    >>> has_wrong_check_digit("US0378331006"), has_wrong_check_digit("US0378331005")
    (True, False)
    """
    plain = text.strip().upper()
    return _ISIN_FORM.fullmatch(plain) is not None and not is_isin(plain)


def learn_symbols(securities: Iterable[StatedSecurity]) -> dict[str, str]:
    """Return the symbols that rows state next to identifiers, by key.

    An identifier with two symbols is left out, and rows of options and of listings in another
    currency or outside the United States do not count.

    Examples
    --------
    >>> rows = ("AAPL", "US0378331005"), ("VOD.L", "GB00BH4HKS39")
    >>> learn_symbols(map(StatedSecurity._make, ((*row, "USD") for row in rows)))
    {'037833100': 'AAPL'}
    """
    found: dict[str, set[str]] = {}
    distinct = set(securities)
    forms = parse_symbol_forms(one.symbol for one in distinct)
    for symbol, identifier, currency in distinct:
        key = identifier_key(identifier)
        if key is None or currency.strip().upper() not in ("", "USD"):
            continue
        if name := _share_symbol(symbol, forms[symbol]):
            found.setdefault(key, set()).add(name)
    return {key: next(iter(names)) for key, names in sorted(found.items()) if len(names) == 1}


def _share_symbol(text: str, form: SymbolForm) -> str | None:
    """Return the normal form of the symbol of a share or fund in the United States, else None."""
    if not text or form.problem or form.listing or parse_option(text):
        return None
    return normalize_symbol(form.symbol)


def resolve_identifiers(
    texts: Iterable[str], stated: Mapping[str, str], look_up: SymbolLookup
) -> dict[str, str]:
    """Return the symbols of the identifiers among texts, by text; those that are known.

    Parameters
    ----------
    texts : iterable of str
        Texts of a file in the place of symbols.
    stated : mapping
        Symbols that the file states itself, by key; they precede those that are looked up.
    look_up : callable
        Returns symbols that are stored.
    """
    keys = {text: key for text in set(texts) if (key := identifier_key(text))}
    unstated = {*keys.values()} - stated.keys()
    known = {**(look_up(sorted(unstated)) if unstated else {}), **stated}
    return {text: known[key] for text, key in keys.items() if key in known}

"""Choice of the columns of a holdings table, and the currency that its headers name."""

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from riskmetrics.errors import DataQualityError
from riskmetrics.sources.symbol_forms import CURRENCIES
from riskmetrics.sources.table_headers import (
    MAX_CACHED_CHARS,
    HeaderAliases,
    describe_columns,
    header_key,
)
from riskmetrics.sources.vocabulary import bare_words, load_vocabulary

MONEY_COLUMNS = ("last_price", "entry_price", "market_value", "cost_basis")
UNIT_OR_TOTAL = "unit_or_total_cost"
"""Column of a cost whose header does not say if it is that of a share or of the position."""
_AMBIGUOUS_COSTS = frozenset({"cost", "basis", "coste", "costo", "custo", "kostprijs"})
FOREIGN_AMOUNT = r"(?i)^(?=.*\d).*(?:[€£¥₹]|\b(?!USD\b)[A-Z]{3}\b|\b(?!US\$)[A-Z]{1,2}\$)"
"""Pattern of an amount with the sign or code of a currency other than USD."""
_CODE = re.compile(r"(?:[\s(\[/_-]+|\bin\s+)\(?(?:in\s+)?([A-Z]{3})[)\]]?\s*$")
_SIGNS = load_vocabulary().currency_signs
_REMARK = (
    r"units?|shares?|stk|stück|pcs|pieces|optional|required|number|[dmy]+[-/. ][dmy]+[-/. ][dmy]+"
)
"""Words in brackets at the end of a header that do not change its meaning."""
_NOUNS = frozenset({"ticker", "symbol", "quantity", "qty", "shares", "shs", "units"})
_NOUN = re.compile("|".join(_NOUNS), re.IGNORECASE)
_MAX_HEADER_CHARS = 30
_QUALIFIERS = frozenset(
    """
    security equity stock asset instrument holding holdings position positions my our the of in no
    number total net current owned held par face sum
    """.split()  # noqa: SIM905  # a list of that many quoted words is harder to read
)
_POSITION_WORDS = frozenset(
    {"holding", "holdings", "position", "positions", "owned", "held", "total", "net", "current"}
    | {"sum"}
)
"""Qualifiers that next to a trade can name what is held after it."""
_UNIT = re.compile(
    rf"[\s(\[/_-]+(?:in\s+)?\(?(?:in\s+)?(?:{'|'.join(sorted(CURRENCIES))}|%|[A-Z]{{0,2}}[$]"
    rf"|(?i:{'|'.join(map(re.escape, sorted(_SIGNS, key=len, reverse=True)))}))[)\]]?\s*$"
    rf"|\s*\(p\)\s*$|\s*\((?i:{_REMARK})\)\s*$"
)


class HeaderColumns(NamedTuple):
    """Columns of a header line by meaning."""

    positions: dict[str, tuple[int, ...]]
    """Places of each column; several if its header is repeated."""
    currency: str
    """Currency that the headers of amounts name; empty if none, or USD."""
    notes: list[str]
    """Note on used and unused columns."""


def header_currency(header: str) -> str:
    """Return the code of the currency that a header names; empty if none, or USD.

    Examples
    --------
    >>> [header_currency(text) for text in ("Market value (EUR)", "Wert in €", "Price $")]
    ['EUR', 'EUR', '']
    >>> [header_currency(text) for text in ("Price (pence)", "Preço (R$)", "Kurs in Euro")]
    ['GBX', 'BRL', 'EUR']
    """
    code = _named_currency(header)
    return "" if code == "USD" else code


def _named_currency(header: str) -> str:
    """Return the code of the currency that a header names; empty if none."""
    found = _CODE.search(header)
    if found and found[1] in CURRENCIES:
        return found[1]
    text = header.casefold()
    words = re.split(r"[\s()\[\]/]+", text)
    signs = (sign for sign in _SIGNS if sign in words or (not sign[0].isalpha() and sign in text))
    return next((_SIGNS[sign] for sign in signs), "")


def header_spellings(header: str) -> tuple[str, str]:
    """Return the key of a header, and that without a currency or percent sign at its end.

    Examples
    --------
    >>> header_spellings("Market value (USD)"), header_spellings("Gewicht in %")
    (('marketvalueusd', 'marketvalue'), ('gewichtin', 'gewicht'))
    """
    if len(header) < MAX_CACHED_CHARS:
        return _cached_spellings(header)
    return header_key(header), header_key(strip_unit(header))


@lru_cache(maxsize=4096)  # several readers look at each cell of a statement
def _cached_spellings(header: str) -> tuple[str, str]:
    return header_key(header), header_key(strip_unit(header))


def strip_unit(header: str) -> str:
    """Return a header without a currency or percent sign at its end.

    Examples
    --------
    >>> strip_unit("Close (USD)")
    'Close'
    """
    return _strip_qualifiers(_UNIT.sub("", header))


def _strip_qualifiers(header: str, qualifiers: frozenset[str] = _QUALIFIERS) -> str:
    """Return the noun of a header of symbols or quantities with words that do not change it.

    Examples
    --------
    >>> headers = ("Equity ticker", "Total Units Owned", "position_qty", "netQty", "Available qty")
    >>> [_strip_qualifiers(header) for header in headers]
    ['ticker', 'units', 'qty', 'qty', 'Available qty']
    """
    is_short = len(header) <= _MAX_HEADER_CHARS  # cells of long descriptions are no headers
    if not is_short or not _NOUN.search(header) or header_key(header) in _known_keys():
        return header
    words = re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W_A-Za-z]+", header)
    nouns = [word for word in map(str.casefold, words) if word not in qualifiers]
    return nouns[0] if len(nouns) == 1 < len(words) and nouns[0] in _NOUNS else header


def _strip_line(
    headers: Sequence[str], aliases: HeaderAliases, qualifiers: frozenset[str] = _QUALIFIERS
) -> list[str]:
    """Return the headers of a line without units, and without qualifiers where only one has them.

    A header without a qualifier is that of the column, and of two with one it is not known which.

    Examples
    --------
    >>> aliases = {"quantity": ("shares", "qty")}
    >>> _strip_line(["Position Shares", "Qty"], aliases)
    ['Position Shares', 'Qty']
    >>> _strip_line(["Position Shares"], aliases)
    ['shares']
    """
    plain = [_UNIT.sub("", header) for header in headers]
    keys = [*map(header_key, (*headers, *plain))]
    stripped = [_strip_qualifiers(header, qualifiers) for header in plain]
    for name in ("symbol", "quantity"):
        known = {*load_vocabulary().columns[name], *aliases.get(name, ())}
        changed = [
            place
            for place, (header, noun) in enumerate(zip(plain, stripped, strict=True))
            if header != noun and header_key(noun) in known
        ]
        if len(changed) > 1 or not known.isdisjoint(keys):
            for place in changed:
                stripped[place] = plain[place]
    return stripped


@cache
def _known_keys() -> frozenset[str]:
    """Return the keys of the headers of symbols and quantities."""
    columns = load_vocabulary().columns
    return frozenset((*columns["symbol"], *columns["quantity"]))


def strip_units(headers: list[str], aliases: HeaderAliases = MappingProxyType({})) -> list[str]:
    """Return headers without their units, unless another header is the same without.

    Words of positions are kept: next to a trade they can name what is held after it. ``aliases``
    are the known headers next to those of the vocabulary.

    Examples
    --------
    >>> strip_units(["Price (USD)", "Total (EUR)", "Total (USD)", "Fee", "Fee (%)"])
    ['Price', 'Total (EUR)', 'Total', 'Fee', 'Fee (%)']
    """
    stripped = list(headers)
    without = _strip_line(headers, aliases, _QUALIFIERS - _POSITION_WORDS)
    keys = {*map(header_key, headers)}
    for place in sorted(range(len(headers)), key=lambda place: header_currency(headers[place])):
        plain = without[place]
        if (key := header_key(plain)) not in keys:
            stripped[place] = plain
            keys.add(key)
    return stripped


def choose_holdings_columns(
    path: Path, headers: list[str], aliases: HeaderAliases
) -> HeaderColumns:
    """Choose the columns of a header line.

    A column of amounts in a currency other than USD is not used: it is the currency of the
    holdings, or, next to amounts in USD, that of an account that holds shares in USD.

    Raises
    ------
    DataQualityError
        If there is no column for symbols.
    """
    keys = tuple(map(header_key, headers))
    plain = tuple(map(header_key, _strip_line(headers, aliases)))
    percents = tuple(header_key(header.replace("%", "pct")) for header in headers)
    foreign = {
        place: code for place, header in enumerate(headers) if (code := header_currency(header))
    }
    positions: dict[str, tuple[int, ...]] = {}
    currencies = []
    has_usd = False
    for name, understood in aliases.items():
        is_money = name in MONEY_COLUMNS
        # a percentage is a weight or a change
        percent = [name != "weight" and "%" in header for header in headers]
        spelled = percents if name == "weight" else plain
        found = _find_places(understood, keys, plain, spelled)
        places = [place for place in found if not percent[place]]
        usable = [place for place in places if not (is_money and place in foreign)]
        if is_money and not usable:
            currencies += [foreign[place] for place in places]
        has_usd |= is_money and any(_named_currency(headers[place]) == "USD" for place in usable)
        if usable:
            first = keys[usable[0]]
            positions[name] = tuple(place for place in usable if keys[place] == first)
    if not positions.keys() & {"symbol", "identifier"}:
        raise DataQualityError(
            f"{path} has no known column of symbols. Its columns are: {', '.join(headers)[:500]}."
            " Name it Symbol"
        )
    _drop_weights_or_prices(headers, positions)
    cost = positions.get("cost_basis", ())
    is_ambiguous = bool(cost) and keys[cost[0]] in _AMBIGUOUS_COSTS
    if not is_ambiguous or len(positions.get("gain", ())) > 1:
        positions.pop("gain", None)  # it only tells what the cost is
    notes = describe_columns(headers, positions)
    if is_ambiguous:
        positions[UNIT_OR_TOTAL] = positions.pop("cost_basis")
    currency = currencies[0] if currencies and not has_usd else ""
    return HeaderColumns(positions, currency, notes)


def _drop_weights_or_prices(headers: list[str], positions: dict[str, tuple[int, ...]]) -> None:
    """Drop shares of a total next to values, and prices next to weights that are not held yet.

    The account or the total can have more than the table, and the values are exact. Target weights
    are not those of the values, so the values divided by prices do not replace them.
    """
    places = positions.get("weight", ())
    if not places or "quantity" in positions:
        return
    header, vocabulary = headers[places[0]], load_vocabulary()
    if "market_value" in positions and header_key(header) in vocabulary.wholes:
        del positions["weight"]
    elif not vocabulary.targets.isdisjoint(bare_words(header).split()):
        positions.pop("last_price", None)


def find_column_names(headers: list[str], aliases: HeaderAliases) -> list[tuple[str, str]]:
    """Return each header with the columns that it is read as.

    Examples
    --------
    >>> find_column_names(["Ticker", "P/E"], {"symbol": ("ticker",)})
    [('Ticker', 'symbol'), ('P/E', 'not used')]
    """
    chosen = choose_holdings_columns(Path(), headers, aliases).positions
    return [
        (
            header,
            ", ".join(name for name, places in chosen.items() if place in places) or "not used",
        )
        for place, header in enumerate(headers)
    ]


def _find_places(understood: tuple[str, ...], *spellings: tuple[str, ...]) -> list[int]:
    """Return the places of the headers of a column, the preferred first."""
    return [
        place
        for spelled in understood
        for place, keys in enumerate(zip(*spellings, strict=True))
        if spelled in keys
    ]

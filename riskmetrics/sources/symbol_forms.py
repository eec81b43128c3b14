"""What the form of a symbol says: decoration around it, and instruments that are not supported.

A symbol may stand next to its exchange or the name of the company (``NASDAQ:COST``, ``MSFT US``,
``Apple Inc. (AAPL)``), and may be that of a future, a cryptocurrency, a pair of currencies, a bond
or a listing outside the United States.
"""

import math
import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from riskmetrics.sources.identifier_forms import (
    SUPPORTED_ADVICE,
    describe_identifier,
    is_cusip,
    is_debt_cusip,
    is_isin,
)
from riskmetrics.sources.name_forms import describe_text
from riskmetrics.sources.vocabulary import bare_words, load_vocabulary, starts_with
from riskmetrics.symbols import (
    MAX_TICKER_LENGTH,
    clean_symbol_text,
    normalize_symbol,
    parse_option,
)

_MARKETS = load_vocabulary().markets
CURRENCIES = _MARKETS["currencies"]
FOREIGN_CASH = CURRENCIES - {"USD", "TRY", "XAU", "XAG"}
"""Codes of currencies that are not the symbol of a share."""
MIN_COIN_PRICE = 1_000
"""Price in USD from which on a symbol of a coin is no fund."""
_USD_NAMES = frozenset(
    ("USD", "US$", "$", "US DOLLAR", "US DOLLARS", "U.S. DOLLAR", "U.S. DOLLARS", "DOLLAR US")
)
_PAIR = re.compile(r"([A-Z]{3,5})[./ -]?(USDT|USDC|[A-Z]{3})")
_FUTURE = re.compile(
    r"[/@][A-Z0-9]{1,3}([FGHJKMNQUVXZ]\d{1,2})?(:[A-Z]+)?|[A-Z0-9]{1,4}=F"
    rf"|(?:{'|'.join(_MARKETS['futures'])})[FGHJKMNQUVXZ]\d{{1,2}}"
)
_METALS = frozenset({"XAU", "XAG", "XPT", "XPD"})
_CFD = re.compile(r".+[._-]CFD")
_FOREX = re.compile(r"([A-Z]{3})?[A-Z]{3}=X")
_NAME_WITH_SYMBOL = re.compile(r"(?P<name>.*\S)\s*\((?P<symbol>[^()]{1,24})\)")
_SYMBOL_WITH_NAME = re.compile(
    r"(?P<symbol>[A-Z][A-Z0-9./-]{0,9})(?: [-|\u2013\u2014] |: | \| )(?P<name>.*[A-Za-z]{2}.*)"
)
_FOOTNOTE = re.compile(r"(?P<symbol>[A-Z]{1,5})(?:\*|[†‡]| ?\(\d\))")
"""Symbol with the mark of a footnote; two stars are those of a core position."""
_TICKER = re.compile(r"[A-Z][A-Z0-9]{0,4}(?:[.-][A-C])?")
_REFINITIV = re.compile(r"(?P<root>[A-Z]{1,5})(?P<share_class>[a-z]?)\.(?:N|O|OQ|OK|P)")
"""Code of Refinitiv for New York, Nasdaq and Arca, such as BRKb.N; no class has these letters."""
_TRADING_212 = re.compile(r"(?P<symbol>[A-Za-z0-9.]+?)(?P<us>_US)?_EQ")
_FACTSET = re.compile(r"(?P<symbol>[A-Z0-9.]{1,7})-(?P<country>[A-OQ-Z][A-Z])")
"""Symbol and country; after a dash, P and a letter are a preferred share."""
_SAO_PAULO = re.compile(r"[A-Z]{4}(?:[3-8]|11|3[1-9])F?")
"""Symbol of a share, unit or receipt listed in Sao Paulo; no US symbol has a digit."""


class SymbolForm(NamedTuple):
    """A symbol without decoration, and what its form says."""

    symbol: str
    """Text to normalize; unchanged if there is no decoration."""
    problem: str = ""
    """Why the instrument is not supported; empty if it is."""
    listing: str = ""
    """Code of a listing outside the United States after a dot; the symbol keeps it."""


def parse_symbol_forms(texts: Iterable[str]) -> dict[str, SymbolForm]:
    """Parse the forms of the symbols of a column, whose cells together tell codes of a vendor.

    Examples
    --------
    >>> forms = parse_symbol_forms(["AAPL.O", "BRKb.N", "KO.N"])
    >>> [form.symbol for form in forms.values()]
    ['AAPL', 'BRK-B', 'KO']
    >>> [form.symbol for form in parse_symbol_forms(["GS.N", "AAPL", "KO"]).values()]
    ['GS.N', 'AAPL', 'KO']
    """
    distinct = list(dict.fromkeys(texts))
    has_codes = has_vendor_codes(distinct)
    return {text: parse_symbol_form(text, has_vendor_codes=has_codes) for text in distinct}


def has_vendor_codes(texts: Iterable[str]) -> bool:
    """Return whether most texts of a column are codes of Refinitiv.

    One alone can be a class or a preferred share, such as GS.N.
    """
    filled = [text for text in texts if text.strip("-")]
    return 2 * sum(map(is_vendor_code, filled)) > len(filled)


def describe_lone_codes(texts: Iterable[str]) -> list[str]:
    """Return a note on each code of Refinitiv in a column of other symbols, which is not read.

    Examples
    --------
    >>> describe_lone_codes(["AAPL.O", "KO", "PEP"])
    ['AAPL.O is read as written, a class or preferred share. If it is AAPL, write AAPL']
    >>> describe_lone_codes(["AAPL.O", "KO.N"])
    []
    """
    distinct = [*dict.fromkeys(texts)]
    codes = [] if has_vendor_codes(distinct) else [*filter(is_vendor_code, distinct)]
    return [
        f"{text} is read as written, a class or preferred share. If it is {symbol}, write {symbol}"
        for text, symbol in zip(codes, map(_strip_refinitiv, codes), strict=True)
    ]


def is_vendor_code(text: str) -> bool:
    """Return whether a text has the form of a code of Refinitiv."""
    return _strip_refinitiv(text) is not None


@cache
def parse_symbol_form(text: str, *, has_vendor_codes: bool = False) -> SymbolForm:
    """Parse the form of a symbol; with ``has_vendor_codes`` AAPL.O is AAPL.

    Examples
    --------
    >>> [parse_symbol_form(text).symbol for text in ("NASDAQ:COST", "MSFT US", "Apple Inc. (AAPL)")]
    ['COST', 'MSFT', 'AAPL']
    >>> parse_symbol_form("/ESH5").problem
    '/ESH5 is a future: only shares, funds and options on them are supported'
    >>> parse_symbol_form("VOD.L").listing
    'L'
    """
    if parse_option(text):
        return SymbolForm(text)
    exchange, symbol = _strip_exchange(_strip_name(text.strip()), has_codes=has_vendor_codes)
    plain = clean_symbol_text(symbol)
    if reason := describe_text(symbol):
        return SymbolForm(symbol, f"{symbol} is {reason}")
    if problem := _describe_problem(plain):
        return SymbolForm(symbol, f"{plain} is {problem}")
    if exchange:
        return SymbolForm(symbol, f"{text} is listed on {exchange}: {SUPPORTED_ADVICE}")
    return SymbolForm(symbol, "", _foreign_listing(normalize_symbol(symbol) or plain))


def is_foreign_exchange(name: str) -> bool:
    """Return whether the name or code of an exchange is that of one outside the United States.

    Examples
    --------
    >>> [is_foreign_exchange(name) for name in ("XTSE", "London Stock Exchange", "NYSE")]
    [True, True, False]
    """
    words = re.findall(r"\w+", name.upper())
    return "".join(words) in _MARKETS["foreign_exchanges"] or any(
        word in _MARKETS["foreign_places"] for word in words
    )


def has_exchange(text: str) -> bool:
    """Return whether a text is a symbol with the code of its exchange or country.

    Examples
    --------
    >>> [has_exchange(text) for text in ("V US Equity", "NYSE:V", "VISA", "Visa Inc (V)")]
    [True, True, False, False]
    """
    return _strip_name(text) == text and _strip_exchange(text, has_codes=False)[1] != text


def is_coin(symbol: str, name: str, price: float = math.nan) -> bool:
    """Return whether a symbol is that of a cryptocurrency, by its name or price.

    Funds with the same symbol have a longer name, and cost less than `MIN_COIN_PRICE`.

    Examples
    --------
    >>> is_coin("BTC", "Bitcoin"), is_coin("BTC", "Grayscale Bitcoin Mini Trust")
    (True, False)
    >>> is_coin("BTC", "", 999.99), is_coin("BTC", "", 1000), is_coin("BITCOIN", "")
    (False, True, True)
    """
    names = _MARKETS["coin_names"]
    is_named = name.strip().upper() in names or price >= MIN_COIN_PRICE
    is_name = len(symbol) > MAX_TICKER_LENGTH and symbol.upper() in names
    return is_name or (symbol in _MARKETS["coins"] and is_named)


def are_coins(symbols: Iterable[str]) -> bool:
    """Return whether most symbols are also those of cryptocurrencies: then all of them are coins.

    Examples
    --------
    >>> are_coins(["BTC", "SOL", "LTC"]), are_coins(["BTC", "AAPL", "MSFT"])
    (True, False)
    """
    distinct = {*symbols} - {""}
    n_coins = len(distinct & _MARKETS["coins"])
    return n_coins > 1 and 2 * n_coins > len(distinct)


def is_usd(name: str) -> bool:
    """Return whether the code, sign or name of a currency is that of the US dollar.

    Examples
    --------
    >>> is_usd("US Dollar"), is_usd("CAD")
    (True, False)
    """
    return name.strip().upper() in _USD_NAMES


def _strip_name(text: str) -> str:
    """Return the symbol of a text with the name of the company, else the text."""
    lines = [line for line in map(str.strip, text.splitlines()) if _TICKER.fullmatch(line)]
    if "\n" in text:  # symbol and name in one cell
        return lines[0] if len(lines) == 1 else text
    if found := _FOOTNOTE.fullmatch(text):
        return found["symbol"]
    if found := _NAME_WITH_SYMBOL.fullmatch(text):
        inner = re.sub(r"\s*:\s*", ":", found["symbol"].strip())
        return _choose_symbol(text, found["name"], inner)
    if found := _SYMBOL_WITH_NAME.fullmatch(text):
        return found["symbol"]
    return text.removeprefix("$") if re.fullmatch(r"\$[A-Za-z]{1,5}", text) else text


def _choose_symbol(text: str, outer: str, inner: str) -> str:
    """Return the symbol of a text with brackets: inside, unless the text before is the symbol.

    Examples
    --------
    >>> pairs = ("Tesla", "TSLA"), ("AAPL", "Apple Inc"), ("AAPL", "APPLE"), ("SHOP", "TSX")
    >>> [_choose_symbol("?", outer, inner) for outer, inner in pairs]
    ['TSLA', 'AAPL', 'AAPL', 'TSX:SHOP']
    >>> _choose_symbol("TOTALS (USD)", "TOTALS", "USD")
    'TOTALS (USD)'
    >>> _choose_symbol("?", "Total Stock Market ETF", "VTI")
    'VTI'
    """
    is_upper = inner.upper() == inner and " " not in inner
    totals = load_vocabulary().totals
    is_of_currency = starts_with(outer, totals) and inner.upper() in CURRENCIES
    if is_of_currency or bare_words(outer) in totals:
        return text
    if _TICKER.fullmatch(outer) and inner != outer:
        if inner.upper() in _MARKETS["us_exchanges"] | _MARKETS["foreign_exchanges"]:
            return f"{inner}:{outer}"
        if inner.upper() in CURRENCIES:
            return text
        if not is_upper or len(inner) > len(outer):
            return outer
    return inner if is_upper and normalize_symbol(inner.rpartition(":")[2]) else text


def _strip_refinitiv(text: str) -> str | None:
    """Return the symbol of a code of Refinitiv; None if the text has not its form.

    Examples
    --------
    >>> [_strip_refinitiv(text) for text in ("BRKb.N", "AAPL.O", "BRK.B")]
    ['BRK-B', 'AAPL', None]
    """
    if found := _REFINITIV.fullmatch(text):
        share_class = found["share_class"].upper()
        return found["root"] + ("-" + share_class if share_class else "")
    return None


def _strip_country(text: str) -> tuple[str, str] | None:
    """Return exchange and symbol, as `_strip_exchange`, of a code with a country; else None.

    Examples
    --------
    >>> [_strip_country(text) for text in ("AAPL_US_EQ", "AAPL-US", "BAC-PL")]
    [('', 'AAPL'), ('', 'AAPL'), None]
    """
    if found := _TRADING_212.fullmatch(text):
        return "" if found["us"] else "an exchange outside the United States", found["symbol"]
    if (found := _FACTSET.fullmatch(text)) and normalize_symbol(found["symbol"]):
        country = found["country"]
        if country == "US" or country in _MARKETS["foreign_exchanges"]:
            return "" if country == "US" else country, found["symbol"]
    return None


def _strip_exchange(text: str, *, has_codes: bool) -> tuple[str, str]:
    """Return the exchange outside the United States that a text names, and the symbol."""
    if (stripped := _strip_country(text)) is not None:
        return stripped
    if has_codes and (symbol := _strip_refinitiv(text)):
        return "", symbol
    before, colon, after = map(str.strip, text.partition(":"))
    if colon:
        # most write NASDAQ:COST, and Saxo COST:xnas
        for market, symbol in ((before.upper(), after), (after.upper(), before)):
            is_foreign = market in _MARKETS["foreign_exchanges"]
            if normalize_symbol(symbol) and (is_foreign or market in _MARKETS["us_exchanges"]):
                return market if is_foreign else "", symbol
        return "", text
    return _strip_bloomberg(text)


def _strip_bloomberg(text: str) -> tuple[str, str]:
    """Return exchange and symbol, as `_strip_exchange`, of a text such as ``MSFT US Equity``.

    Interactive Brokers writes the exchange: ``ORCL NYSE``, ``QQQ NASDAQ.NMS``.

    Examples
    --------
    >>> [_strip_bloomberg(text) for text in ("ORCL NYSE", "QQQ NASDAQ.NMS", "VOD LSE", "BRK B")]
    [('', 'ORCL'), ('', 'QQQ'), ('LSE', 'VOD'), ('', 'BRK B')]
    """
    words = text.upper().removesuffix(" EQUITY").split(" ")
    if len(words) > 1 and words[-1] in _MARKETS["bloomberg_us"]:
        return "", " ".join(words[:-1])
    if len(words) == 2 and words[-1] in _MARKETS["bloomberg_foreign"] and words[0].isalnum():
        return words[-1], words[0]
    code = words[-1].partition(".")[0]
    if len(words) == 2 and len(code) > 2 and text.isupper() and _TICKER.fullmatch(words[0]):
        if code in _MARKETS["us_exchanges"]:
            return "", words[0]
        if code in _MARKETS["foreign_exchanges"]:
            return code, words[0]
    return "", text


def _foreign_listing(plain: str) -> str:
    """Return the code of a listing outside the United States, after the last dot or by its form."""
    if _SAO_PAULO.fullmatch(plain):
        return "SA"
    root, dot, code = plain.rpartition(".")
    return code if dot and root and code in _MARKETS["listings"] else ""


def _describe_problem(plain: str) -> str:
    """Return what an unsupported instrument is, from its symbol; empty if it is supported."""
    if identifier := describe_identifier(plain):
        is_mappable = (is_isin(plain) or is_cusip(plain)) and not is_debt_cusip(plain)
        return identifier + (f", or pass --map {plain}=SYMBOL" if is_mappable else "")
    if _FUTURE.fullmatch(plain):
        return f"a future: {SUPPORTED_ADVICE}"
    if kind := _pair_kind(plain):
        return f"a {kind}: {SUPPORTED_ADVICE}"
    if plain in _METALS:
        return f"a precious metal: {SUPPORTED_ADVICE}"
    if _CFD.fullmatch(plain):
        return f"a contract for difference: {SUPPORTED_ADVICE}"
    return ""


def _pair_kind(plain: str) -> str:
    """Return what a pair of currencies or coins is; empty if the text is no pair."""
    market, colon, rest = plain.partition(":")
    if colon and market in _MARKETS["crypto_markets"]:
        return "cryptocurrency"
    if _FOREX.fullmatch(plain) or (colon and market in _MARKETS["currency_markets"]):
        return "pair of currencies"
    pair = _PAIR.fullmatch(rest if colon else plain)
    if pair is None:
        return ""
    base, quote = pair.groups()
    if base in _MARKETS["coins"] and quote in CURRENCIES | {"USDT", "USDC"}:
        return "cryptocurrency"
    return "pair of currencies" if {base, quote} <= CURRENCIES else ""

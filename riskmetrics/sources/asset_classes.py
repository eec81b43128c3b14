"""Asset classes and cash by the words of a file; the words are those of `vocabulary`."""

import re
from functools import cache

from riskmetrics.sources.symbol_forms import FOREIGN_CASH
from riskmetrics.sources.vocabulary import bare_words, fold_text, load_vocabulary

UNSUPPORTED_CLASSES = frozenset({"future", "crypto", "bond", "currency", "other"})
"""Classes that are not shares, funds or options on them."""
_MONEY_MARKET_FUND = re.compile(r"[a-z]{3}xx")
_FUND_SYMBOL = re.compile(r"[A-Z]{4}X")
_BOND_TERMS = re.compile(r"\d ?%|\d/\d")
"""Coupon or maturity in the name of a bond."""
_FOREIGN_CASH = re.compile(
    rf"(cur:|cash[: (]*)?({'|'.join(sorted(FOREIGN_CASH)).lower()})\)?( cash)?", re.ASCII
)


@cache
def asset_class(text: str) -> str:
    """Return the asset class that a text names; empty if it is blank or not known.

    Returns
    -------
    str
        fund, future, option, crypto, bond, currency, other, stock, or cash.

    Examples
    --------
    >>> [asset_class(text) for text in ("Bond ETF", "Fixed Income", "Aktien", "Options on futures")]
    ['fund', 'bond', 'stock', 'future']
    """
    if is_cash_text(text):
        return "cash"
    if "/" in text and {*map(asset_class, text.split("/"))} == {"stock", "option"}:
        return ""  # the other columns tell which of the two
    padded = f" {bare_words(text)} "
    return next(
        (
            name
            for name, known in load_vocabulary().classes.items()
            if any(f" {word} " in padded for word in known)
        ),
        "",
    )


def is_supported_class(stated: str, symbol: str, name: str) -> bool:
    """Return whether what has an asset class is a share, a fund or an option on them.

    A fund can have the class of what it holds. A bond has a coupon or a maturity in its name, and
    perhaps the symbol of the shares of its issuer.

    Examples
    --------
    >>> is_supported_class("Bonds", "BND", ""), is_supported_class("Bonds", "XYZ", "Acme Bond ETF")
    (True, True)
    >>> [is_supported_class("Bonds", "T", name) for name in ("US TREASURY 4 1/2% 2036", "")]
    [False, False]
    """
    found = asset_class(stated)
    if found != "bond":
        return found not in UNSUPPORTED_CLASSES
    markets = load_vocabulary().markets
    is_fund = symbol in markets["bond_funds"] or asset_class(name) == "fund"
    is_fund |= not markets["fund_families"].isdisjoint(bare_words(name).upper().split())
    is_fund |= _FUND_SYMBOL.fullmatch(symbol) is not None
    return is_fund and symbol.isalpha() and _BOND_TERMS.search(name) is None


@cache
def is_cash_text(text: str) -> bool:
    """Return whether a symbol, a name or an asset class is that of cash in USD.

    Examples
    --------
    >>> [is_cash_text(text) for text in ("CUR:USD", "Liquidités", "(Cash)", "Cash America")]
    [True, True, True, False]
    """
    folded = fold_text(text).strip("*- ()[]")
    return folded in load_vocabulary().cash or bool(_MONEY_MARKET_FUND.fullmatch(folded))


@cache
def is_cash_name(text: str) -> bool:
    """Return whether the name of a security is that of a cash account or money market fund.

    Examples
    --------
    >>> is_cash_name("FDIC INSURED DEPOSIT AT SOME BANK"), is_cash_name("CASH AMERICA INTL")
    (True, False)
    """
    folded = fold_text(text)
    return is_cash_text(text) or any(part in folded for part in load_vocabulary().cash_parts)


@cache
def is_foreign_cash(text: str) -> bool:
    """Return whether a symbol is that of cash in another currency than USD.

    Examples
    --------
    >>> is_foreign_cash("CUR:EUR"), is_foreign_cash("EURN")
    (True, False)
    """
    return _FOREIGN_CASH.fullmatch(fold_text(text)) is not None

"""Asset classes and cash by the words of a file; the words are those of `vocabulary`."""

import re
from functools import cache

from riskmetrics.sources.symbol_forms import FOREIGN_CASH
from riskmetrics.sources.vocabulary import bare_words, fold_text, load_vocabulary

UNSUPPORTED_CLASSES = frozenset({"future", "crypto", "bond", "currency", "other"})
"""Classes that are not shares, funds or options on them."""
_MONEY_MARKET_FUND = re.compile(r"[a-z]{3}xx")
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


@cache
def is_cash_text(text: str) -> bool:
    """Return whether a symbol, a name or an asset class is that of cash in USD.

    Examples
    --------
    >>> [is_cash_text(text) for text in ("CUR:USD", "Liquidités", "*Cash*", "Cash America")]
    [True, True, True, False]
    """
    folded = fold_text(text).strip("*- ")
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

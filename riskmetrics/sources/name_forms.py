"""Names of companies, and dates, in the place of symbols."""

import re
from collections.abc import Collection, Iterable

from riskmetrics.sources.vocabulary import load_vocabulary
from riskmetrics.symbols import CLASS_SHARES, normalize_symbol, parse_option

_NAME = re.compile(r"[A-Z][a-z]{2,}(?:-[A-Z][a-z]+)*")
"""Name in the place of a symbol, such as Ford, which is another company than FORD."""
_DATE = re.compile(r"(\d{1,2}-)?(JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC)(?(1)|-\d\d)")
"""Date that a spreadsheet makes of a symbol, such as 2-Mar."""
_FUND = re.compile(r"[A-Z]{4}[XFY]")
_LIKELY_TICKER = re.compile(rf"[A-Z]{{1,4}}(?:[./-][A-Z]{{1,2}})?|{_FUND.pattern}")
_WORD = re.compile(
    r"(?=[A-Z]+$)(?!AA|EQ)(?:[BCDFGKP][LR]|[CGPSTW]H|S[CKLMNPTW]|[DT]W|TR|WR|KN|[^AEIOUQX]|QU)?"
    r"[AEIOU]{1,2}[^AEIOU]{1,2}(?:[AEIOU][^AEIOU]?)?"
)
"""Letters that can be spoken as a word."""
_UNSPEAKABLE = re.compile(r"(?=[A-Z]{4}$)[^AEIOU]*[AEIOU]?[^AEIOU]*")
"""Four letters that are no name, unless they are a word."""
_MIN_WORD_LETTERS = 4


def describe_text(text: str) -> str:
    """Return what a text in the place of a symbol is, if it is written like a name or a date.

    Letters that cannot be spoken, or are a known symbol, are one in the case of a name.

    Examples
    --------
    >>> describe_text("Ford"), describe_text("Coca-Cola")
    ('a name: write its symbol', 'a name: write its symbol')
    >>> describe_text("2-Mar").partition(".")[0]
    'a date, not a symbol'
    >>> [describe_text(text) for text in ("FORD", "ford", "Aapl", "Meta", "BRKb")]
    ['', '', '', '', '']
    """
    upper = text.upper()
    if _NAME.fullmatch(text) and (_can_be_name(upper) or not is_likely_ticker(upper)):
        return "a name: write its symbol"
    if _DATE.fullmatch(upper):
        return "a date, not a symbol. Format the column as text, and enter the symbol again"
    return ""


def look_like_names(texts: Collection[str]) -> bool:
    """Return whether texts in the place of symbols are names: one is known, or half can be.

    Next to four letters that cannot be spoken, such as MSFT, others are no names.

    Examples
    --------
    >>> [look_like_names(texts) for texts in (["VISA", "KO"], ["DUST", "RIDE"], ["META", "AAPL"])]
    [True, True, False]
    >>> [look_like_names(texts) for texts in (["CAVA", "MSFT"], ["SBUX", "KO"])]
    [False, False]
    """
    if not load_vocabulary().markets["company_names"].isdisjoint(texts):
        return True
    has_symbol = any(map(_is_unspeakable, texts))
    return not has_symbol and 2 * sum(map(_can_be_name, texts)) >= len(texts)


def has_known_ticker(texts: Iterable[str]) -> bool:
    """Return whether one of some texts is surely a symbol: known, or not to be spoken.

    Examples
    --------
    >>> [has_known_ticker(texts) for texts in (["MSFT", "KO"], ["SPY"], ["CARRY", "GDP"])]
    [True, True, False]
    """
    markets = load_vocabulary().markets
    known = markets["word_tickers"] | markets["bond_funds"] | markets["index_funds"]
    return any(text in known or _is_unspeakable(text) for text in texts)


def _is_unspeakable(text: str) -> bool:
    """Return whether a text is four letters that cannot be spoken."""
    return bool(_UNSPEAKABLE.fullmatch(text)) and not _WORD.fullmatch(text)


def is_likely_ticker(text: str) -> bool:
    """Return whether a text has at most four letters, or is a symbol or an option of five.

    Five letters that end in X are a fund, and in F or Y a share traded over the counter.

    Examples
    --------
    >>> [is_likely_ticker(text) for text in ("KO", "VTSAX", "GOOGL", "ADOBE")]
    [True, True, True, False]
    """
    is_known = text in load_vocabulary().markets["word_tickers"] or is_class_share(text)
    return is_known or bool(_LIKELY_TICKER.fullmatch(text) or parse_option(text))


def _can_be_name(text: str) -> bool:
    """Return whether a text is a word of at least four letters, and no fund or known symbol.

    Examples
    --------
    >>> [_can_be_name(text) for text in ("RIDE", "MSFT", "META", "VFIAX")]
    [True, False, False, False]
    """
    is_word = len(text) >= _MIN_WORD_LETTERS and _WORD.fullmatch(text) is not None
    is_fund = _FUND.fullmatch(text) is not None
    return is_word and not is_fund and text not in load_vocabulary().markets["word_tickers"]


def is_class_share(text: str) -> bool:
    """Return whether a text is a known class share, also with a space, as in BRK B."""
    return normalize_symbol(text) in CLASS_SHARES

"""Columns that their cells show, because their headers are not known."""

import itertools
import re
from collections.abc import Collection, Container, Iterable, Sequence

from riskmetrics.sources.asset_classes import asset_class, is_cash_text
from riskmetrics.sources.identifier_forms import is_cusip, is_isin
from riskmetrics.sources.name_forms import is_class_share, is_likely_ticker, look_like_names
from riskmetrics.sources.symbol_forms import CURRENCIES, has_exchange, parse_symbol_form
from riskmetrics.sources.table_headers import header_key
from riskmetrics.sources.vocabulary import bare_words, is_trade, load_vocabulary, starts_with
from riskmetrics.symbols import parse_option

MISSING_TEXTS = frozenset({"", "-", "--", "n/a", "N/A"})
SIDES = frozenset({"LONG", "SHORT", "BUY", "SELL"})
ACCOUNT_TYPES = frozenset({"MARGIN", "CASH"})
"""Types of account that stand next to Short, and leave the side open."""
_DAY = re.compile(r"\d[\d./-]*")
_TICKER = re.compile(r"[A-Z]{1,5}(?:[./-][A-Z]{1,2})?")
_NAME_COLUMNS = ("identifier", "security", "description", "action")
_MAX_CLASS_WORDS = 4
"""Words of the longest name of an asset class; a longer text is a remark."""


def find_columns_by_content(
    texts: Iterable[tuple[int, Collection[str]]], known: Container[str]
) -> dict[str, int]:
    """Return the places of the columns of asset classes, currencies, position types and states.

    A column of states has held positions and others: all of them may say the same of another thing.

    Parameters
    ----------
    texts : iterable of (int, collection of str)
        Place and distinct cells of each column whose header is not known.
    known : container of str
        Names of the columns that need not be found.

    Examples
    --------
    >>> find_columns_by_content([(2, {"EUR", ""}), (5, {"Stock", "Future"})], set())
    {'currency': 2, 'investment_class': 5}
    """
    texts, found = list(texts), dict[str, int]()
    for place, cells in texts:
        filled = {*cells} - MISSING_TEXTS
        for name, is_member in _MEMBERS.items():
            is_new = name not in known and name not in found
            if filled and is_new and all(map(is_member, filled)):
                found[name] = place
    if "status" in found and not _has_both_states(dict(texts)[found["status"]]):
        del found["status"]
    return found


def find_ticker_column(header: Sequence[str], rows: Iterable[Sequence[str]]) -> int | None:
    """Return the place of the column of symbols whose header is that of a name; None if none.

    Each of its cells is a ticker, such as ``KO``, or has one in its decoration, such as
    ``Coca-Cola Co. (KO)``. Bare tickers count only under the header of a security, such as Stock,
    if no other column identifies it, and if they are not names (`look_like_names`): a description,
    or a name next to an ISIN, can be short. A column of
    tickers with decoration comes first, and one of codes with an exchange has any header: VISA is
    then the name of ``V US``.

    Examples
    --------
    >>> find_ticker_column(["Stock", "Shares"], [["KO", "40"], ["BRK B", "2"], ["Cash", "5"]])
    0
    >>> find_ticker_column(["Stock", "Shares"], [["KO", "40"], ["Coca-Cola", "5"]]) is None
    True
    >>> find_ticker_column(["Stock"], [["IBM"], ["ADOBE"], ["INTEL"]]) is None
    True
    """
    words = load_vocabulary().columns
    keys = [header_key(cell) for cell in header]
    if {*keys} & {*words["symbol"]}:
        return None
    cells: list[set[str]] = [set() for _ in header]
    for row in rows:
        for place, cell in enumerate(row[: len(header)]):
            if not _is_no_security(text := cell.strip()):
                cells[place].add(text)
    others = {key for name in words.keys() - {*_NAME_COLUMNS} for key in words[name]}
    for place, texts in enumerate(cells):
        if len(texts) > 1 and keys[place] not in others and all(map(has_exchange, texts)):
            return place
    has_identifiers = any(is_isin(text) or is_cusip(text) for texts in cells for text in texts)
    bare_names = ("identifier",) if has_identifiers else ("identifier", "security")
    for names, is_bare in ((_NAME_COLUMNS, False), (bare_names, True)):
        for name, (place, texts) in itertools.product(names, enumerate(cells)):
            bare = [parse_symbol_form(text).symbol for text in texts]
            is_candidate = keys[place] in words[name] and not all(map(_is_word, bare))
            is_candidate &= 2 * sum(map(is_likely_ticker, bare)) > len(bare)
            is_candidate &= not look_like_names(bare)
            is_candidate &= is_bare or len({*bare}) == len(bare)
            if is_candidate and all(_has_ticker(text, is_bare=is_bare) for text in texts):
                return place
    return None


def _has_ticker(text: str, *, is_bare: bool) -> bool:
    """Return whether a text is a ticker or an option, or a ticker with decoration."""
    if parse_option(text):
        return True
    form = parse_symbol_form(text)
    is_decorated = form.symbol != text and not is_trade(text)
    is_ticker = is_class_share(form.symbol) or _TICKER.fullmatch(form.symbol) is not None
    return (is_bare or is_decorated) and is_ticker


def _is_word(text: str) -> bool:
    """Return whether a text names an asset class or a trade, such as ETF or BUY."""
    return bool(asset_class(text)) or is_trade(text)


def _is_no_security(text: str) -> bool:
    """Return whether a text is missing, cash or a total."""
    is_total = starts_with(text, load_vocabulary().totals)
    return text in MISSING_TEXTS or is_cash_text(text) or is_total


def _is_class(text: str) -> bool:
    """Return whether a text names an asset class; Cash can be the type of an account."""
    is_short = len(text.split()) <= _MAX_CLASS_WORDS
    return is_short and asset_class(text) not in {"", "cash"}


def _is_currency(text: str) -> bool:
    return text.upper() in CURRENCIES


def _is_side(text: str) -> bool:
    return text.upper() in SIDES | ACCOUNT_TYPES


def is_closed_state(text: str) -> bool:
    """Return whether a status, without its day, is that of a position that is not held.

    Examples
    --------
    >>> [is_closed_state(text) for text in ("CLOSED 12/06/2024", "Sold", "Open")]
    [True, True, False]
    """
    return bare_words(_DAY.sub("", text)) in load_vocabulary().closed


def is_state(text: str) -> bool:
    """Return whether a status is that of a position that is held, or of one that is not."""
    return is_closed_state(text) or bare_words(text) in load_vocabulary().opened


def _has_both_states(cells: Collection[str]) -> bool:
    """Return whether cells name both positions that are held and such that are not."""
    return len({is_closed_state(cell) for cell in {*cells} - MISSING_TEXTS}) > 1


_MEMBERS = {
    "investment_class": _is_class,
    "currency": _is_currency,
    "position_type": _is_side,
    "status": is_state,
}
"""Whether a cell can be in a column."""

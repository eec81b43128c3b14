"""Normalize ticker symbols, and parse the option symbols of brokers.

`normalize_symbol` is the only function that spells a symbol: files, settings, command-line
arguments, vendor responses and the migration of stored rows use it. The normal form is that of
Yahoo and Financial Modeling Prep: upper case, a dash before a share class (BRK-B), ``-P`` and a
letter for a preferred share (BAC-PL), a dot before the code of a listing outside the United States
(VOD.L). An option has the symbol of the Options Clearing Corporation without spaces.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

MAX_SYMBOL_LENGTH = 20
"""Length of the symbol columns in the database."""

MAX_TICKER_LENGTH = 5
"""Length of the tickers of US exchanges without a suffix; a longer word is a name."""

_MIN_TYPED_LENGTH = 3
"""Shorter symbols are one typing error away from many others."""

_MAX_TEXT_LENGTH = 64
"""Longer text is not a symbol in any notation and is not parsed."""

CLASS_SHARES = tuple(
    """
    AGM-A AKO-A AKO-B BF-A BF-B BH-A BIO-B BRK-A BRK-B BWL-A CIG-C CRD-A CRD-B CWEN-A EBR-B FCE-A
    FCE-B GEF-B GTN-A HEI-A HVT-A JW-A JW-B LEN-B LGF-A LGF-B MKC-V MOG-A MOG-B PBR-A RDS-A RDS-B
    STZ-B TAP-A UHAL-B WSO-B
    """.split()  # noqa: SIM905  # a list of that many quoted words is harder to read
)
"""Class shares of NYSE and NYSE American, which some brokers write without a separator (BRKB).

None of them is the symbol of another share when the dash is removed: HUB-B is not in the list
because HUBB is the current symbol of Hubbell.
"""

_CLASS_SHARE_BY_ALIAS = {
    share.replace("-", mark): share for share in CLASS_SHARES for mark in ("", ".")
}

_LISTING_SUFFIX = r"(?=(?:\.[A-Z]{1,3})?$)"
"""Matches before the end of the text, or before the code of a listing at the end."""
_DERIVATIVE_SUFFIXES = "U|UN|WS|WT|RT"
"""Suffixes of units, warrants and rights."""
_RULES = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"(?<=[A-Z0-9])_([A-Z])\.US$", r"-P\1"),  # Stooq's preferred shares: BAC_L.US
        (r"(?<=.)\.US$", ""),
        (
            rf"(?<=[A-Z0-9])(?:\^|[./ -]PR[./ -]?)([A-Z]){_LISTING_SUFFIX}",
            r"-P\1",
        ),  # BAC^L, BAC.PRL, BAC PRL, BCE.PR.A.TO
        (rf"/(?=[A-Z]{{1,3}}$)|/(?=(?:[A-Z]|{_DERIVATIVE_SUFFIXES}){_LISTING_SUFFIX})", "-"),
        (rf"(?<=[A-Z0-9]) (?=(?:[A-Z]|{_DERIVATIVE_SUFFIXES}){_LISTING_SUFFIX})", "-"),
        (rf"(?<=[A-Z0-9])\.(?=(?:[ABC]|{_DERIVATIVE_SUFFIXES}){_LISTING_SUFFIX})", "-"),
    )
]
_SYMBOL = re.compile(r"[\^A-Z0-9][A-Z0-9.^=_-]*")
_UNDASHED_CLASS_SHARE = re.compile(r"[A-Z]{2,4}[ABC]")
_NOT_AVAILABLE = ("N/A", "N.A", "N.A.")
_DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-")

_ROOT = "(?P<root>[A-Z][A-Z0-9]{0,5})"
_SPACED_ROOT = "(?P<root>[A-Z][A-Z0-9./]*(?: [AB])?)"
_RIGHT = "(?P<right>[CP])"
_RIGHT_WORD = "(?P<right>C|P|CALL|PUT)"
_STRIKE = r"\$?(?P<strike>\d{1,3}(,\d{3})|\d{1,5})(?P<fraction>\.\d{1,3}0*)?"
_MONTH_FIRST = r"(?P<day>[A-Z]{3} ?\d{1,2}(,? '?|')(\d{4}|\d{2}))"
_DAY_FIRST = r"(?P<day>\d{1,2} ?[A-Z]{3} ?'?(\d{4}|\d{2}))"
_SLASHED = r"(?P<day>\d{1,2}/\d{1,2}/(\d{4}|\d{2}))"
_ISO = r"(?P<day>\d{4}-\d\d-\d\d|20\d{6})"
_OPTION_HINT = re.compile(r"\d.*[CP]|[CP].*\d")
"""Text that every option symbol has; most symbols have no digit."""
_OPTION_PATTERNS = [
    (re.compile(pattern), date_formats)
    for pattern, date_formats in (
        # Options Clearing Corporation: AAPL  250117C00250000, with the strike in thousandths
        (rf"(O:)?{_ROOT} *(?P<day>\d{{6}}){_RIGHT}(?P<thousandths>\d{{8}})", ("%y%m%d",)),
        # Fidelity: -AAPL250117C250; thinkorswim: .AAPL250117C250
        (rf"[-.]?{_ROOT} ?(?P<day>\d{{6}}){_RIGHT}{_STRIKE}", ("%y%m%d",)),
        # TD Ameritrade: AAPL_011725C250
        (rf"{_ROOT}_(?P<day>\d{{6}}){_RIGHT}{_STRIKE}", ("%m%d%y",)),
        # Schwab: AAPL 01/17/2025 250.00 C; Robinhood: AAPL 1/17/2025 Call $250.00
        # E*TRADE: AAPL Jan 17 '25 $250 Call; Interactive Brokers: AAPL 17JAN25 250 C
        *(
            (rf"{_SPACED_ROOT} {day} {terms}", date_formats)
            for day, date_formats in (
                (_SLASHED, ("%m/%d/%Y", "%m/%d/%y")),
                (_MONTH_FIRST, ("%b%d%Y", "%b%d%y")),
                (_DAY_FIRST, ("%d%b%Y", "%d%b%y")),
                (_ISO, ("%Y-%m-%d", "%Y%m%d")),
            )
            for terms in (rf"{_STRIKE} ?{_RIGHT_WORD}", rf"{_RIGHT_WORD} ?{_STRIKE}")
        ),
    )
]


@dataclass(frozen=True)
class Option:
    """An equity option, parsed from its symbol."""

    symbol: str
    """Symbol of the Options Clearing Corporation without spaces: AAPL250117C00250000."""
    underlying: str
    """Symbol of the underlying share, in its normal form."""
    right: str
    """C for a call, P for a put."""
    strike: Decimal
    """USD per share."""
    expiration: date


def normalize_symbol(text: str, max_length: int = MAX_SYMBOL_LENGTH) -> str | None:
    """Return the normal form of a symbol; None if the text is not a symbol or is too long.

    Parameters
    ----------
    text : str
        Symbol in any notation; surrounding space and case are ignored.
    max_length : int
        Maximum length of the normal form, characters.

    Notes
    -----
    The function is idempotent. These rules are applied until none changes the text:

    - An option becomes the symbol of the Options Clearing Corporation without spaces.
    - ``.US`` at the end is removed.
    - ``^`` or ``PR`` before a last letter, or ``_`` before a letter and ``.US``, marks a preferred
      share and becomes ``-P``.
    - A slash or space before one last letter becomes a dash, and so does a slash before up to
      three letters (BTC/USD).
    - A dot before a last A, B or C becomes a dash, and so does the dot of MKC.V. Other letters
      after a dot are the code of a listing (.L, .V, .F, .TO, .DE) and are kept.
    - A separator before U, UN, WS, WT or RT (units, warrants, rights) becomes a dash.
    - A symbol of `CLASS_SHARES` that is written without a separator gets its dash.

    Examples
    --------
    >>> [normalize_symbol(text) for text in ("brk.b", "BRK/B", "BRK B", "BRKB", "BRK-B.US")]
    ['BRK-B', 'BRK-B', 'BRK-B', 'BRK-B', 'BRK-B']
    >>> [normalize_symbol(text) for text in ("VOD.L", "RCI.B.TO", "BAC.PRL", "Aapl.us", "N/A")]
    ['VOD.L', 'RCI-B.TO', 'BAC-PL', 'AAPL', None]
    """
    symbol, rewritten = None, clean_symbol_text(text)
    while rewritten != symbol:
        symbol, rewritten = rewritten, _apply_rules(rewritten)
    is_symbol = _SYMBOL.fullmatch(symbol) and symbol not in _NOT_AVAILABLE
    return symbol if is_symbol and len(symbol) <= max_length else None


def clean_symbol_text(text: str) -> str:
    """Return upper-case text with single spaces and ASCII dashes; "" if it cannot be a symbol.

    Examples
    --------
    >>> clean_symbol_text("  brk   b "), clean_symbol_text("Société Générale")
    ('BRK B', '')

    A spreadsheet marks text with an apostrophe:

    >>> clean_symbol_text("'KO")
    'KO'
    """
    plain = " ".join(text.translate(_DASHES).split()).removeprefix("'")
    return plain.upper() if len(plain) <= _MAX_TEXT_LENGTH and plain.isascii() else ""


def add_class_dash(symbol: str) -> str | None:
    """Return the class share that a symbol without separator may mean (ABCA: ABC-A), or None.

    Examples
    --------
    >>> add_class_dash("BRKB"), add_class_dash("AAPL")
    ('BRK-B', None)
    """
    return f"{symbol[:-1]}-{symbol[-1]}" if _UNDASHED_CLASS_SHARE.fullmatch(symbol) else None


def parse_option(text: str) -> Option | None:
    """Parse the symbol of a listed option; None if the text is not an option symbol.

    Examples
    --------
    The spelling of Fidelity:

    >>> option = parse_option("-AAPL250117C250")
    >>> option.symbol, option.underlying, option.right, option.strike, option.expiration
    ('AAPL250117C00250000', 'AAPL', 'C', Decimal('250'), datetime.date(2025, 1, 17))
    """
    plain = clean_symbol_text(text)
    if not _OPTION_HINT.search(plain):
        return None
    for pattern, date_formats in _OPTION_PATTERNS:
        if found := pattern.fullmatch(plain):
            terms = found.groupdict()
            expiration = _parse_expiration(terms["day"], date_formats)
            if expiration is None:
                return None
            right, strike = terms["right"][0], _parse_strike(terms)
            root = re.sub("[^A-Z0-9]", "", terms["root"])
            symbol = f"{root}{expiration:%y%m%d}{right}{int(strike * 1000):08}"
            underlying = normalize_symbol(terms["root"]) or root
            return Option(symbol, underlying, right, strike, expiration)
    return None


def _parse_expiration(text: str, date_formats: tuple[str, ...]) -> date | None:
    """Parse an expiration by the first format that fits; None if there is none."""
    plain = re.sub("[ ',]", "", text).title()
    for date_format in date_formats:
        with suppress(ValueError):
            return datetime.strptime(plain, date_format).date()  # noqa: DTZ007
    return None


def _parse_strike(terms: dict[str, str]) -> Decimal:
    """Return the strike price of a matched pattern, USD per share."""
    if in_thousandths := terms.get("thousandths"):
        return Decimal(in_thousandths) / 1000
    return Decimal(terms["strike"].replace(",", "") + (terms["fraction"] or ""))


def _apply_rules(symbol: str) -> str:
    """Apply every rule once."""
    if symbol in _NOT_AVAILABLE:
        return symbol
    if found := parse_option(symbol):
        return found.symbol
    for pattern, replacement in _RULES:
        symbol = pattern.sub(replacement, symbol)
    return _CLASS_SHARE_BY_ALIAS.get(symbol, symbol)


def find_near_symbols(symbol: str, known: Iterable[str], max_symbols: int = 2) -> list[str]:
    """Return known symbols that one typing error turns into a symbol, in alphabetical order.

    An error replaces, adds or leaves out a character, or exchanges two neighbors. Symbols of fewer
    than three characters have none: nearly every other is one error away.

    Examples
    --------
    >>> find_near_symbols("APPL", ["AAPL", "APA", "MSFT"]), find_near_symbols("MFST", ["MSFT"])
    (['AAPL'], ['MSFT'])
    """
    if len(symbol) < _MIN_TYPED_LENGTH:
        return []
    return sorted(one for one in known if _is_one_error_apart(symbol, one))[:max_symbols]


def _is_one_error_apart(first: str, second: str) -> bool:
    if first == second or abs(len(first) - len(second)) > 1:
        return False
    start = 0
    while start < min(len(first), len(second)) and first[start] == second[start]:
        start += 1
    one, other = first[start:], second[start:]
    is_exchanged = one[:2] == other[1::-1] and one[2:] == other[2:]
    return one[1:] == other[1:] or one[1:] == other or one == other[1:] or is_exchanged

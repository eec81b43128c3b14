"""Positions and sectors that a question names."""

import re
from collections.abc import Mapping
from typing import Final

from riskmetrics.insights.common_questions import COMMON_QUESTIONS

NOT_HELD: Final = frozenset({"-"})
"""Result of a question about an instrument that is not among the facts."""

_ABBREVIATIONS: Final = frozenset({
    *("VAR", "CVAR", "ES", "HHI", "DD", "TE", "IR", "R2", "PNL", "PL", "NAV", "VOL", "STD", "ROI"),
    *("YTD", "MTD", "QTD", "ETF", "ETFS", "US", "USA", "USD", "EUR", "SP", "SPX", "SPY", "VIX"),
    *("AI", "OK", "ESG", "FX", "CAGR", "CEO", "CFO", "CFA", "PM", "FYI", "PE", "PS", "MAX", "MIN"),
    *("AVG", "WHY", "HOW", "WHAT", "THE", "MY", "IS", "IT", "AND", "OR", "VS"),
})  # fmt: skip
"""Words in capitals that are no symbols of instruments."""

_ENGLISH: Final = frozenset({
    *("size", "all", "now", "cost", "low", "open", "fast", "real", "play", "cash", "life", "key"),
    *("well", "are", "for", "has", "can", "any", "see", "main", "qual"),
})  # fmt: skip
"""Symbols that are words: they count in capitals only."""

QUESTION_WORDS: Final = _ENGLISH | {
    word
    for each in COMMON_QUESTIONS
    for word in re.findall(
        r"[a-z]+", re.sub(r"\\[a-zA-Z]", " ", f"{each.example} {each.words}").lower()
    )
}
"""Words of the questions themselves: alone, they name no position and no portfolio."""

_SECTORS: Final[Mapping[str, str]] = {
    "Information Technology": r"tech(nology)?|information technology|software",
    "Health Care": r"health ?care|pharma\w*|health",
    "Financials": r"financials?|banks?|banking",
    "Energy": r"energy|oil",
    "Utilities": r"utilit\w+",
    "Consumer Staples": r"(consumer )?staples",
    "Consumer Discretionary": r"(consumer )?discretionary",
    "Communication Services": r"communications?( services)?|telecoms?",
    "Industrials": r"industrials?",
    "Materials": r"materials",
    "Real Estate": r"real estate|reits?",
}
"""Sector to a regular expression of how questions name it."""


def find_subjects(
    text: str, aliases: Mapping[str, Mapping[str, str]]
) -> tuple[frozenset[str], str]:
    """Return the aliases that a question names, and the question without their names.

    `NOT_HELD` if it names a symbol or sector that has no alias.

    Examples
    --------
    >>> held = {"POS_01": {"symbol": "AMD", "name": "Advanced Micro Devices"}}
    >>> find_subjects("How much of it is amd?", held)
    (frozenset({'POS_01'}), 'How much of it is ?')
    >>> find_subjects("What about TSLA?", held)[0] == NOT_HELD
    True
    >>> find_subjects("What is the VaR?", held)[0]
    frozenset()
    """
    found: set[str] = set()
    for alias, entity in aliases.items():
        for pattern in _patterns(entity):
            text, count = re.subn(rf"(?<![\w$]){pattern}(?!\w)", "", text)
            found |= {alias} if count else set()
    is_unknown = any(re.search(rf"\b(?:{words})\b", text, re.IGNORECASE) for words in _unheld(text))
    if not found and aliases and is_unknown:
        return NOT_HELD, text
    return frozenset(found), text


def _patterns(entity: Mapping[str, str]) -> list[str]:
    """Return regular expressions of the names of a position or sector."""
    if "sector" in entity:
        words = _SECTORS.get(entity["sector"])
        return [rf"(?i:{words})"] if words else []
    symbol = entity.get("symbol", "")
    if not symbol or "of" in entity:
        return []
    is_safe = len(symbol) > 2 and symbol.lower() not in QUESTION_WORDS  # letters
    own = [rf"(?i:{re.escape(symbol)})" if is_safe else re.escape(symbol)]
    company = entity.get("name", "").split(" ")[0]
    is_name = len(company) > 3 and company.lower() not in _COMMON | QUESTION_WORDS
    return [*own, *([rf"(?i:{re.escape(company)})"] if is_name else [])]


_COMMON: Final = frozenset({"general", "best", "home", "bank", "ishares", "range", "advanced"})
"""First words of companies' names that are common words."""


def _unheld(text: str) -> list[str]:
    """Return what a question may name that is not held: symbols in capitals, and sectors."""
    capitals = [] if text.isupper() else re.findall(r"(?<![\w&])\$?[A-Z]{2,5}(?![\w&])", text)
    symbols = [each.lstrip("$") for each in capitals]
    unknown = [re.escape(each) for each in symbols if each not in _ABBREVIATIONS]
    sectors = [
        words for words in _SECTORS.values() if re.search(rf"\b(?:{words})\b", text, re.IGNORECASE)
    ]
    return [*unknown, *sectors]

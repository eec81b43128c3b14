"""Positions, sectors, factors and scenarios that a question names."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from riskmetrics.insights.question_vocabulary import is_known
from riskmetrics.insights.question_words import WORDS

MARK: Final = 0xE000
"""Code point that stands for the first subject of a question; the next ones follow."""

_KINDS: Final = {"POS": "position", "SEC": "sector", "FAC": "factor", "SCN": "scenario"}

_SECTORS: Final[Mapping[str, str]] = {
    "Information Technology": r"tech(nology)?|information technology|software|semiconductors?",
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

_FACTORS: Final = (
    r"(value|size|quality|momentum|growth|profitability|low[- ]vol(atility)?|small[- ]caps?)"
    r"(?= (factor|tilt|style))|momentum|profitability"
)
"""Factors that have an exposure only if the facts have it."""


class Subject(NamedTuple):
    """What a question names."""

    alias: str
    """Empty if it is not among the facts."""
    kind: str
    """position, sector, factor or scenario."""


def mark_subjects(
    text: str, aliases: Mapping[str, Mapping[str, str]]
) -> tuple[str, tuple[Subject, ...]]:
    """Return a question with a mark in place of each name, and the subjects by mark.

    A subject without an alias is an instrument, sector or factor that the facts do not contain.

    Examples
    --------
    >>> held = {"POS_01": {"symbol": "AMD", "name": "Advanced Micro Devices"}}
    >>> mark_subjects("How much of it is amd?", held)[1]
    (Subject(alias='POS_01', kind='position'),)
    >>> mark_subjects("What about TSLA?", held)[1]
    (Subject(alias='', kind='position'),)
    >>> mark_subjects("What is the VaR?", held)[1]
    ()
    """
    found: list[Subject] = []

    def mark(pattern: str, subject: Subject) -> None:
        nonlocal text
        place = f" {chr(MARK + len(found))} "
        text, count = re.subn(rf"(?<![\w$-])\$?(?:{pattern})(?!\w)(?:'s|’s)?", place, text)
        found.extend([subject] * (count > 0))

    for alias, entity in aliases.items():
        for pattern in _patterns(entity):
            mark(pattern, Subject(alias, _KINDS.get(alias[:3], "")))
    if aliases:
        symbols = "" if text.isupper() else "[A-Z]{2,5}"
        for symbol in re.findall(
            rf"(?<![\w&.$-])(?:\$[A-Za-z]{{1,5}}|{symbols or '(?!)'})(?![\w&-])", text
        ):
            name = symbol.lstrip("$")
            if name.upper() not in WORDS["no_symbols"] and not is_known(name.lower()):
                mark(re.escape(name), Subject("", "position"))
        for words in _SECTORS.values():
            mark(rf"(?i:{words})", Subject("", "sector"))
        mark(rf"(?i:{_FACTORS})", Subject("", "factor"))
    return text, tuple(found)


def _patterns(entity: Mapping[str, str]) -> list[str]:
    """Return regular expressions of the names of a subject."""
    if "sector" in entity:
        words = _SECTORS.get(entity["sector"])
        return [rf"(?i:{words})"] if words else []
    if "factor" in entity:
        return [rf"(?i:{re.escape(entity['factor'])})"]
    if "scenario" in entity:
        is_plain = is_known(entity["scenario"].lower())
        return [] if is_plain else [rf"(?i:{re.escape(entity['scenario'])})"]
    symbol = entity.get("symbol", "")
    if not symbol or "of" in entity:
        return []
    is_safe = len(symbol) > 2 and not is_known(symbol.lower())  # letters
    own = [rf"(?i:{re.escape(symbol)})" if is_safe else re.escape(symbol)]
    company = entity.get("name", "").split(" ")[0].rstrip(",.")
    is_name = (
        len(company) > 3
        and company.lower() not in WORDS["common_names"]
        and not is_known(company.lower())
    )
    return [*own, *([rf"(?i:{re.escape(company)})"] if is_name else [])]

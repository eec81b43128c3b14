"""Words of generated files in seven languages, from `generated_words.toml`."""

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Language:
    """Words and habits of a language in exports of brokers and vendors."""

    code: str
    decimal: str
    """Decimal mark in common use."""
    dates: tuple[str, ...]
    """Names of date notations in common use, see `generated_notation.format_day`."""
    titles: tuple[str, ...]
    days: tuple[str, ...]
    """Sentences that state the day of the holdings, with a place for the day."""
    footers: tuple[str, ...]
    totals: tuple[str, ...]
    cash: tuple[str, ...]
    months: tuple[str, ...]
    buy: tuple[str, ...]
    sell: tuple[str, ...]
    dividend: tuple[str, ...]
    deposit: tuple[str, ...]
    headers: dict[str, tuple[str, ...]]
    """Synonyms by the meaning of the column."""
    classes: dict[str, tuple[str, ...]]
    """Names of asset classes."""


def _freeze(value: object) -> object:
    """Return lists as tuples."""
    if isinstance(value, dict):
        return {name: _freeze(item) for name, item in value.items()}
    return tuple(value) if isinstance(value, list) else value


def _read_languages() -> dict[str, Language]:
    words = tomllib.loads(
        (Path(__file__).parent / "generated_words.toml").read_text(encoding="utf-8")
    )
    return {code: Language(code=code, **_freeze(entry)) for code, entry in words.items()}


LANGUAGES = _read_languages()
"""Languages by ISO 639-1 code."""

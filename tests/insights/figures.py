"""Figures of a sheet as oracles read them: NaN if missing, so that every comparison is false."""

from math import isnan, nan

from riskmetrics.insights.fact_sheet import Sheet

Expected = dict[str, dict[str, object]]
"""Subject to slots and their values."""


class Figures:
    """Figures of a sheet: NaN if missing."""

    def __init__(self, sheet: Sheet) -> None:
        """Keep the sheet."""
        self.sheet, self.day = sheet, sheet.day
        self._things: dict[str, list[str]] = {}

    def __getattr__(self, name: str) -> float:
        """Return a figure by its id."""
        fact = self.sheet.facts.get(name)
        return nan if fact is None else float(fact.value)

    def of(self, alias: str, kind: str) -> float:
        """Return a figure of a thing."""
        fact = self.sheet.facts.get(f"{alias.lower()}_{kind}")
        return nan if fact is None else float(fact.value)

    def text(self, name: str) -> str:
        """Return a text, empty if missing."""
        fact = self.sheet.facts.get(name)
        return "" if fact is None else str(fact.value)

    def rank(self, alias: str, kind: str) -> int:
        """Return a rank, 0 if missing."""
        fact = self.sheet.facts.get(f"{alias.lower()}_{kind}")
        return (fact.rank or 0) if fact else 0

    def count(self, name: str) -> int:
        """Return the number of observations of a fact, 0 if missing."""
        fact = self.sheet.facts.get(name)
        return (fact.n_obs or 0) if fact else 0

    def things(self, prefix: str) -> list[str]:
        """Return aliases."""
        if prefix not in self._things:
            self._things[prefix] = [each for each in self.sheet.aliases if each.startswith(prefix)]
        return self._things[prefix]


def expect(condition: bool, subject: str = "", **slots: object) -> Expected:
    return {subject: slots} if condition else {}


def known(*values: float) -> bool:
    return not any(isnan(value) for value in values)

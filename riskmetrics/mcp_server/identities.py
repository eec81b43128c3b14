"""Names and their aliases: an answer shows only what the anonymization setting allows."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, Literal

from riskmetrics.db.shown_names import StoredNames
from riskmetrics.errors import UsageError
from riskmetrics.insights.fact_sheet import portfolio_alias
from riskmetrics.text import suggest_name

Anonymization = Literal["aliases", "tickers", "names"]

_ALIAS_DIGITS = 10
_SYMBOL_COLUMNS = ("symbol", "underlying_symbol", "underlying", "symbol_a", "symbol_b")
_PAIR_COLUMNS = ("highest_pair", "lowest_pair", "definition")
"""Columns with symbols in a text."""
_SCENARIO_COLUMNS = ("scenario",)


@dataclass(frozen=True)
class Identity:
    """A portfolio, and how its names are shown.

    An alias is the same in every answer. It is a hash with the portfolio's random id, which is
    never shown, so that it cannot be found by hashing all symbols of an exchange.
    """

    id: str
    name: str
    currency: str
    symbols: frozenset[str]
    scenarios: frozenset[str]
    anonymization: Anonymization

    @property
    def shown_name(self) -> str:
        """Name of the portfolio, or its alias, which insights have too."""
        return self.name if self.anonymization == "names" else portfolio_alias(self.id)

    def show_symbol(self, symbol: str) -> str:
        """Return a symbol or its alias."""
        return symbol if self.anonymization != "aliases" else self._alias("POS", symbol)

    def show_scenario(self, scenario: str) -> str:
        """Return a scenario's name or its alias."""
        return scenario if self.anonymization == "names" else self._alias("SCN", scenario)

    def show_entity(self, entity: Mapping[str, str]) -> str:
        """Return what an alias of a fact sheet stands for, empty if that is unknown.

        Sectors, factors and limits do not reveal what is held.

        Examples
        --------
        >>> one = Identity("1", "Growth", "USD", frozenset(), frozenset(), "aliases")
        >>> one.show_entity({"factor": "momentum"})
        'momentum'
        """
        if "symbol" in entity:
            return self.show_symbol(entity["symbol"])
        if "scenario" in entity:
            return self.show_scenario(entity["scenario"])
        public = (entity[kind] for kind in ("sector", "factor", "limit") if kind in entity)
        return next(public, "")

    def find_symbol(self, shown: str) -> str:
        """Return the symbol that is shown so.

        Raises
        ------
        UsageError
            If the portfolio has no such symbol.
        """
        for symbol in self.symbols:
            if self.show_symbol(symbol) == shown:
                return symbol
        suggested = "" if self.anonymization == "aliases" else suggest_name(shown, self.symbols)
        raise UsageError(
            f"{self.shown_name} has no position {shown}{suggested}: read_figures"
            " with the table"
            " portfolio_risk_contributions lists its positions"
        )

    def show_row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return a row with its symbols, scenarios and texts as they are shown."""
        return {name: self._show_cell(name, value) for name, value in row.items()}

    def show_text(self, text: str) -> str:
        """Return a text, such as the reason of an undefined figure, with the names in it replaced.

        Examples
        --------
        >>> one = Identity("1", "Growth", "USD", frozenset({"AAPL"}), frozenset(), "aliases")
        >>> one.show_text("no close of AAPL") == f"no close of {one.show_symbol('AAPL')}"
        True
        """
        return self._names_in_text.sub(lambda found: self._replacements[found[0]], text)

    @cached_property
    def _replacements(self) -> dict[str, str]:
        """Every name of the portfolio, to what is shown for it."""
        return (
            {symbol: self.show_symbol(symbol) for symbol in self.symbols}
            | {scenario: self.show_scenario(scenario) for scenario in self.scenarios}
            | {self.name: self.shown_name}
        )

    @cached_property
    def _names_in_text(self) -> re.Pattern[str]:
        longest_first = sorted(self._replacements, key=len, reverse=True)
        names = "|".join(map(re.escape, longest_first))
        return re.compile(rf"(?<!\w)(?:{names})(?!\w)")

    def _show_cell(self, column: str, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if column in _SYMBOL_COLUMNS:
            return self.show_symbol(value)
        if column in _SCENARIO_COLUMNS:
            return self.show_scenario(value)
        is_text = column.endswith("reason") or column in _PAIR_COLUMNS
        return self.show_text(value) if is_text else value

    def _alias(self, prefix: str, name: str) -> str:
        digest = sha256(f"{self.id} {name}".encode()).hexdigest()
        return f"{prefix}_{digest[:_ALIAS_DIGITS]}"


def list_identities(names: StoredNames, anonymization: Anonymization) -> list[Identity]:
    """Return the portfolios in the order of their names."""
    return [
        Identity(
            portfolio,
            name,
            currency,
            frozenset(names.symbols.get(portfolio, ())),
            frozenset(names.scenarios.get(portfolio, ())),
            anonymization,
        )
        for portfolio, (name, currency) in names.portfolios.items()
    ]


def find_identity(identities: list[Identity], shown: str) -> Identity:
    """Return the portfolio that is shown so.

    Raises
    ------
    UsageError
        If there is none.
    """
    for identity in identities:
        if identity.shown_name == shown:
            return identity
    names = [one.name for one in identities if one.anonymization == "names"]  # no hashes
    raise UsageError(
        f"there is no portfolio {shown}{suggest_name(shown, names)}: list_portfolios lists them"
    )

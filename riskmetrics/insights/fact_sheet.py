"""Fact sheets: the facts of a portfolio on a session, as claims are evaluated on them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from hashlib import sha256
from typing import Any

from riskmetrics.insights.fact_types import NOTE_PROVIDERS, source_columns
from riskmetrics.insights.facts import Fact
from riskmetrics.insights.invariants import find_broken
from riskmetrics.insights.severity import Limits, default_limits

PORTFOLIO_ALIAS_PREFIX = "PTF"
"""Prefix of portfolio aliases."""


def portfolio_alias(portfolio_id: str) -> str:
    """Return the alias of a portfolio: a hash of its id, anonymous and stable."""
    return f"{PORTFOLIO_ALIAS_PREFIX}_{sha256(portfolio_id.encode()).hexdigest()[:12]}"


@dataclass(frozen=True)
class Sheet:
    """The facts of one portfolio on one session."""

    portfolio_id: str
    day: date
    facts: dict[str, Fact]
    """Fact id to fact."""
    aliases: dict[str, dict[str, str]]
    """Alias to symbol and name, sector, or scenario."""
    missing: dict[str, str] = field(default_factory=dict)
    """'table.column' of the portfolio's undefined values to the reason."""
    caveats: tuple[str, ...] = ()
    """Caveats of all figures of the portfolio."""
    limits: Limits = field(default_factory=default_limits)
    before: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    """Claims of the session before with their values, which make a claim old or new."""
    earlier: tuple[Mapping[str, tuple[float, ...]], ...] = ()
    """Those of the sessions before that one, as far as notes remember."""

    @property
    def portfolio(self) -> str:
        """Alias of the portfolio."""
        return portfolio_alias(self.portfolio_id)

    @cached_property
    def digest(self) -> str:
        """SHA-256 hex digest of values, formatted values, aliases, undefined values and caveats."""
        facts = [
            [fact.id, fact.formatted, fact.value, fact.quality] for fact in self.facts.values()
        ]
        parts = [facts, self.aliases, self.missing, self.limits, self.before, self.earlier]
        parts += self.caveats
        return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()

    @cached_property
    def by_type(self) -> dict[tuple[str, str | None], Fact]:
        """Type name and entity to fact."""
        return {(fact.fact_type.name, fact.entity): fact for fact in self.facts.values()}

    @cached_property
    def evaluations(self) -> dict[Any, Any]:
        """What was evaluated on the facts, by form or function (see `claims.View`)."""
        return {}

    @cached_property
    def for_notes(self) -> "Sheet":
        """The sheet without facts that only answers to questions state."""
        return self.select_facts(NOTE_PROVIDERS)

    def select_facts(self, providers: Sequence[str]) -> "Sheet":
        """Return the sheet with the facts of some providers; the sheet itself if it has no other.

        A sheet that is the same is not evaluated twice.
        """
        selected = {
            fact.id: fact for fact in self.facts.values() if fact.fact_type.provider in providers
        }
        entities = {fact.entity for fact in selected.values()}
        entities |= {self.aliases[each].get("of") for each in entities if each}
        aliases = {alias: name for alias, name in self.aliases.items() if alias in entities}
        read = source_columns(tuple(providers))
        missing = {metric: reason for metric, reason in self.missing.items() if metric in read}
        n_left_out = len(self.facts) + len(self.aliases) + len(self.missing)
        n_left_out -= len(selected) + len(aliases) + len(missing)
        if not n_left_out:
            return self
        return replace(self, facts=selected, aliases=aliases, missing=missing)


def without_broken_facts(sheet: Sheet) -> Sheet:
    """Return the sheet without facts that contradict each other; their reasons are kept."""
    facts, missing = dict(sheet.facts), dict(sheet.missing)
    for ids, reason in find_broken(sheet.facts):
        for fact in filter(None, (facts.pop(each, None) for each in ids)):
            missing[fact.fact_type.source] = f"inconsistent results: {reason}"
    return sheet if facts == sheet.facts else replace(sheet, facts=facts, missing=missing)

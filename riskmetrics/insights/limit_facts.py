"""Facts about the limits that users set for portfolios."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Final

import numpy as np

from riskmetrics.catalog import Unit
from riskmetrics.catalog.limits import find_limited_figure
from riskmetrics.db.fact_queries import Record
from riskmetrics.insights.alert_states import AlertState, last_alert_state
from riskmetrics.insights.facts import Fact, defined_facts
from riskmetrics.insights.history_facts import History, position_alias

LIMIT_NAMES: Final[Mapping[str, str]] = {
    "single_name": "single positions",
    "sector": "single sectors",
    "leverage": "leverage",
    "beta": "beta",
    "volatility": "expected volatility",
    "value_at_risk": "one-day value at risk",
    "expected_shortfall": "one-day expected shortfall",
    "drawdown": "drawdown of today's holdings",
    "stress_loss": "stress losses",
    "tracking_error": "tracking error",
}
"""Name of a limit in commands to its name in sentences, after "the limit on"."""

_SUBJECTS: Final = {"single_name": "symbol", "sector": "sector", "stress_loss": "scenario"}
"""Limit on the largest of several things to what they are."""

_PREFIXES: Final = {"sector": "SEC", "scenario": "SCN"}


def limit_facts(
    make: "partial[Fact]",
    rows: Sequence[Record],
    aliases: dict[str, dict[str, str]],
    history: History,
) -> Iterator[Fact]:
    """Yield value, limit and status of the checked limits, and what happened; add aliases.

    The alias of a limit says in ``of`` which position, sector or scenario has the value.
    """
    for number, row in enumerate(rows, start=1):
        name, alias = row["limit_name"], f"LIM_{number:02}"
        aliases[alias] = {"limit": LIMIT_NAMES[name]}
        if row["subject"] is not None:
            aliases[alias]["of"] = _subject_alias(aliases, _SUBJECTS[name], row["subject"])
        is_number = find_limited_figure(name).unit in (Unit.NUMBER, Unit.BETA)
        kind = "checked_number" if is_number else "checked"
        state = _state(history, name) if row["status"] == "exceeded" else None
        values = {
            kind: row["value"],
            f"{kind}_limit": row["limit_value"],
            "limit_status": row["status"],
            "limit_status_before": row["status_before"],
            "limit_alert": state.event if state else None,
            "limit_sessions": state.sessions if state and state.is_start_known else None,
        }
        if state and state.stated is not None:
            day = history.days[state.stated]
            values |= {
                f"{kind}_stated": history.checks[name][day].value,
                "limit_stated_day": day.isoformat(),
            }
        yield from defined_facts(make, values, entity=alias)


def _state(history: History, name: str) -> AlertState:
    """Return what happened to an exceeded limit: another position beyond it begins another alert.

    Its level is the limit, which the value over the limit reaches at 1.
    """
    by_day = history.checks.get(name, {})
    checks = [by_day.get(day) for day in history.days]
    last = checks[-1]
    values = np.array([
        np.nan if each is None
        else max(each.ratio, 1.0) if last and each.is_exceeded and each.subject == last.subject
        else 0.0
        for each in checks
    ])  # fmt: skip
    always = np.full(len(values), True)
    return last_alert_state(values, (1.0,), np.isfinite(values), always)


def _subject_alias(aliases: dict[str, dict[str, str]], kind: str, name: str) -> str:
    """Return the alias of what has the value; it is added if it is new."""
    if kind == "symbol":
        return position_alias(aliases, name)
    for alias, entity in aliases.items():
        if entity.get(kind) == name:
            return alias
    number = 1 + sum(kind in entity for entity in aliases.values())
    alias = f"{_PREFIXES[kind]}_{number:02}"
    aliases[alias] = {kind: name}
    return alias

"""The checks of `riskmetrics doctor` and their results."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

MAX_NAMES_PER_LINE = 8
"""Symbols, sessions or tables that a line names."""

CONFIGURATION_EXIT_CODE = 6
"""Exit code of a fault in settings, database or Dagster, as in errors.py."""


class Finding(NamedTuple):
    """A line of the diagnosis."""

    state: str
    """ok, warn or fail."""
    area: str
    finding: str
    what_to_do: str = ""
    exit_code: int = CONFIGURATION_EXIT_CODE
    """Exit code if the state is fail."""


class Check(NamedTuple):
    """A check of an area; ``run`` yields state, finding and, if it is another, what to do."""

    area: str
    run: "Callable[[Any], Iterable[tuple[str, ...]]]"
    what_to_do: str = ""
    """What to do unless the state is ok."""


def run_checks(checks: Sequence[Check], subject: object) -> Iterator[Finding]:
    """Yield the findings of checks on a subject, in order."""
    for check in checks:
        for state, text, *advice in check.run(subject):
            what_to_do = "" if state == "ok" else (*advice, check.what_to_do)[0]
            yield Finding(state, check.area, text, what_to_do)

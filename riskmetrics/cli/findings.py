"""What `riskmetrics doctor` finds."""

from typing import NamedTuple

MAX_NAMED = 8
"""Symbols, sessions and tables that are named in a line."""


CONFIGURATION_CODE = 6
"""Exit code of a fault in settings, database or Dagster, as errors.py has it."""


class Finding(NamedTuple):
    """One line."""

    state: str
    """ok, warn or fail."""
    about: str
    finding: str
    what_to_do: str = ""
    code: int = CONFIGURATION_CODE
    """Exit code, if the state is fail."""

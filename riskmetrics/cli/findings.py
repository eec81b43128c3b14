"""What `riskmetrics doctor` finds."""

from typing import NamedTuple

MAX_NAMES_PER_LINE = 8
"""Symbols, sessions and tables that are named in a line."""


CONFIGURATION_EXIT_CODE = 6
"""Exit code of a fault in settings, database or Dagster, as errors.py has it."""


class Finding(NamedTuple):
    """One line."""

    state: str
    """ok, warn or fail."""
    area: str
    finding: str
    what_to_do: str = ""
    exit_code: int = CONFIGURATION_EXIT_CODE
    """Exit code, if the state is fail."""

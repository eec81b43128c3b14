"""The result of a check of `riskmetrics doctor`."""

from typing import NamedTuple

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

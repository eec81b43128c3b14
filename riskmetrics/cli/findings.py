"""The checks of `riskmetrics doctor` and their results."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import sqlalchemy as sa

    from riskmetrics.db.health import Freshness, ServerInfo
    from riskmetrics.settings import Settings

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


@dataclass(frozen=True)
class Inspection:
    """A connected database and the settings, with what several checks read."""

    configured: "Settings"
    connection: "sa.Connection"

    @property
    def is_embedded(self) -> bool:
        """Return whether the server is the embedded one."""
        return self.configured.database_url is None

    @property
    def may_migrate(self) -> bool:
        """Return whether commands can migrate; they migrate the embedded server as its owner."""
        return self.server.has_migrate_privilege or self.is_embedded

    @cached_property
    def server(self) -> "ServerInfo":
        """Return the state of the server and the privileges of the role."""
        from riskmetrics.db import health

        return health.read_server_info(self.connection)

    @cached_property
    def market(self) -> str:
        """Return the market index."""
        from riskmetrics.db import stored_settings

        return stored_settings.read_market_index(self.connection, self.configured.market_index)

    @cached_property
    def benchmark(self) -> str:
        """Return the code of the benchmark."""
        from riskmetrics.db import stored_settings

        return stored_settings.read_benchmark_code(self.connection, self.configured.benchmark)

    @cached_property
    def freshness(self) -> "Freshness":
        """Return the latest inputs and results."""
        from riskmetrics.db import health

        return health.read_freshness(self.connection, self.market, self.benchmark)

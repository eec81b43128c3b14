"""Dagster resources: database, data vendor and language model."""

import subprocess
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import date
from functools import cache, partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import dagster as dg
import sqlalchemy as sa
from pydantic import PrivateAttr

from riskmetrics import processes, settings
from riskmetrics.computations.result_asset import ResultAsset
from riskmetrics.computations.result_run import ResultRun
from riskmetrics.db import migrate, stored_settings, write
from riskmetrics.db.engine import open_engine
from riskmetrics.db.roles import Role
from riskmetrics.factor_sets import parse_factors
from riskmetrics.ingest.vendor_client import VendorClient, open_vendor_clients
from riskmetrics.settings import PACKAGE, Settings

if TYPE_CHECKING:
    from riskmetrics.insights.claude import Claude
    from riskmetrics.insights.templates import Anonymization

OFFLINE_TAG = "riskmetrics/offline"
"""Tag of a run that uses neither the data vendor nor a language model."""

STARTED_BY_TAG = "riskmetrics/started_by"
"""Tag of a run: command line, schedule or catch-up. Runs from the UI have none."""
AI_ALL_SESSIONS_TAG = "riskmetrics/ai_all"
"""Tag of a run in which a language model may write insights of all sessions, not only the last."""


class Warehouse(dg.ConfigurableResource[None]):
    """The Postgres database of inputs and results, at the newest revision before any step runs.

    It has no fields: the UI shows a resource's configuration, and the database URL holds a
    password.
    """

    _engine: sa.Engine = PrivateAttr()
    _settings: Settings = PrivateAttr()

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Connect and upgrade the schema. A failed migration fails the run with its revision."""
        if (
            context.run and context.instance
        ):  # a run of the UI or the daemon is started by a process that does not say who it is
            context.instance.add_run_tags(context.run.run_id, processes.process_tags())
        configured = settings.load()
        self._engine = open_engine(configured)
        self._settings = configured
        if (
            migrate.ensure_head(self._engine, partial(open_engine, configured, Role.OWNER))
            and context.log
        ):
            context.log.info(f"migrated the database to revision {migrate.head()}")

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:  # noqa: ARG002
        """Close the connections of this run."""
        self._engine.dispose()

    @property
    def engine(self) -> sa.Engine:
        """Return the engine, for code that opens several transactions, such as downloads."""
        return self._engine

    @contextmanager
    def begin(self, asset: str) -> Iterator[sa.Connection]:
        """Open a transaction that holds the asset's lock; it commits if the block succeeds."""
        with self._engine.begin() as connection:
            write.lock_asset(connection, asset)
            yield connection

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Open a transaction that writes nothing."""
        with self._engine.connect() as connection, connection.begin():
            connection.execute(sa.text("SET LOCAL TRANSACTION READ ONLY"))
            yield connection

    def result_run(
        self,
        assets: Sequence[ResultAsset],
        selected: Collection[str],
        sessions: Sequence[date],
        provenance: write.Provenance,
    ) -> ResultRun:
        """Return the run of the ``selected`` of all ``assets``, to be entered."""
        return ResultRun(self._engine, self._settings, assets, selected, sessions, provenance)

    def market_index(self, connection: sa.Connection) -> str:
        """Return the symbol that market betas are measured against."""
        return stored_settings.read_market_index(connection, self._settings.market_index)

    def rate_index(self, connection: sa.Connection) -> str:
        """Return the symbol that interest-rate betas are measured against."""
        return stored_settings.read_rate_index(connection, self._settings.rate_index)

    @property
    def factor_funds(self) -> frozenset[str]:
        """Funds of the factors to download: those that the settings name, not the default ones."""
        if "factors" not in self._settings.model_fields_set:
            return frozenset()
        return frozenset(one.fund for one in parse_factors(self._settings.factors) if one.fund)

    def benchmark_code(self, connection: sa.Connection) -> str:
        """Return the code of the benchmark that sector weights are compared with."""
        return stored_settings.read_benchmark_code(connection, self._settings.benchmark)

    @property
    def insight_types(self) -> frozenset[str]:
        """Types of insights that a run writes."""
        return frozenset(self._settings.ai_types.split(","))


class MarketDataVendor(dg.ConfigurableResource[None]):
    """The configured data sources, unless the run is offline; opened once per run.

    It has no fields of its own: the UI shows a resource's configuration, and keys are secrets.
    """

    warehouse: dg.ResourceDependency[Warehouse]
    _clients: tuple[VendorClient, ...] = PrivateAttr(())
    _exit_stack: ExitStack = PrivateAttr()

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Open the sources, for as long as the run lasts."""
        self._exit_stack = ExitStack()
        offline = context.run is not None and OFFLINE_TAG in context.run.tags
        on_wait = context.log.warning if context.log else lambda _: None
        self._clients = (
            ()
            if offline
            else self._exit_stack.enter_context(
                open_vendor_clients(self.warehouse.engine, settings.load(), on_wait)
            )
        )

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:  # noqa: ARG002
        """Close the sources."""
        self._exit_stack.close()

    @property
    def clients(self) -> tuple[VendorClient, ...]:
        """Return the sources in order of preference. Empty: use stored data only."""
        return self._clients


class LanguageModel(dg.ConfigurableResource[None]):
    """Claude, if a key is set and the run is not offline; its cost is recorded with the run.

    It has no fields of its own: the UI shows a resource's configuration, and the key is a secret.
    """

    warehouse: dg.ResourceDependency[Warehouse]
    _claude: "Claude | None" = PrivateAttr(None)
    _name: str = PrivateAttr()
    _anonymization: "Anonymization" = PrivateAttr()
    _has_all_sessions: bool = PrivateAttr()
    _exit_stack: ExitStack = PrivateAttr()

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Open the client, for as long as the run lasts."""
        configured, tags = settings.load(), context.run.tags if context.run else {}
        self._exit_stack, self._has_all_sessions = ExitStack(), AI_ALL_SESSIONS_TAG in tags
        self._name, self._anonymization = configured.ai_model, configured.ai_anonymization
        if configured.anthropic_api_key is not None and OFFLINE_TAG not in tags:
            from riskmetrics.insights.claude import open_claude  # a second and a half to load

            run_id = context.run.run_id if context.run else ""
            self._claude = self._exit_stack.enter_context(
                open_claude(self.warehouse.engine, configured, run_id)
            )

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:  # noqa: ARG002
        """Close the client."""
        self._exit_stack.close()

    @property
    def claude(self) -> "Claude | None":
        """Return the client. None: rules write the insights."""
        return self._claude

    @property
    def name(self) -> str:
        """Return the name of the model in the settings."""
        return self._name

    @property
    def anonymization(self) -> "Anonymization":
        """Return how holdings are anonymized in requests."""
        return self._anonymization

    def days_with_model(self, days: Sequence[date]) -> set[date]:
        """Return the sessions whose insights a model may write: the last, or all if tagged so."""
        return set() if self._claude is None else {*(days if self._has_all_sessions else days[-1:])}


def count_ended_batches() -> int:
    """Count ended batches of insights to collect; 0 without a key, and no request is sent."""
    configured = settings.load()
    if configured.anthropic_api_key is None:
        return 0
    from riskmetrics.insights.claude import open_claude
    from riskmetrics.insights.message_batches import find_ended_batches

    engine = open_engine(configured)
    try:
        with open_claude(engine, configured, "") as claude:
            return len(find_ended_batches(claude))
    finally:
        engine.dispose()


class NoDataIOManager(dg.ConfigurableIOManager):
    """IO manager that moves no data; it nests the warehouse, so every run migrates the schema."""

    warehouse: dg.ResourceDependency[Warehouse]

    def handle_output(self, context: dg.OutputContext, obj: object) -> None:
        """Refuse data: an asset writes its table in its own transaction."""
        if obj is not None:
            raise dg.DagsterInvariantViolationError(
                f"{context.step_key} returned data; assets write to their table and return metadata"
            )

    def load_input(self, context: dg.InputContext) -> Any:
        """Refuse inputs: an asset reads from tables."""
        raise dg.DagsterInvariantViolationError(
            f"{context.asset_key.to_user_string()} requested the value of another asset; assets"
            " read from tables"
        )


def provenance(context: dg.AssetExecutionContext) -> write.Provenance:
    """Return the run and the code version that an asset's rows come from."""
    return write.Provenance(context.run.run_id, code_version())


@cache
def code_version() -> str:
    """Return the version of the package, with the commit if it runs from a checkout."""
    released = version("riskmetrics")
    if not (PACKAGE.parent / ".git").exists():
        return released
    try:
        describe = ["describe", "--always", "--dirty", "--exclude", "*"]
        commit = subprocess.run(  # noqa: S603  # fixed words, no shell
            ["git", "-C", str(PACKAGE.parent), *describe],  # noqa: S607
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return released
    return f"{released}+{commit.stdout.strip()}"

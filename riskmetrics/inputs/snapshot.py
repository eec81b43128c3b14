"""One snapshot of the stored inputs, for everything that a run computes."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import (
    calibration_queries,
    input_queries,
    stored_prices,
    stored_settings,
    transactions,
)
from riskmetrics.db.shards import (
    HistorySpan,
    Shard,
    read_history_span,
    read_listed_symbols,
)
from riskmetrics.db.split_suspects import evaluate_moves
from riskmetrics.errors import ConfigurationError
from riskmetrics.factor_sets import Factor, parse_factors
from riskmetrics.inputs.shared_series import SharedSeries
from riskmetrics.results.lot_frames import is_listed, open_positions, underlying
from riskmetrics.results.model_versions import ModelVersions, parse_versions
from riskmetrics.results.option_results import PricingParameters

if TYPE_CHECKING:
    from riskmetrics.settings import Settings


class SnapshotTerms(NamedTuple):
    """What a run is computed with, apart from stored rows."""

    as_of: date
    """Last completed session; options that expired before it have ended at their payoff."""
    market_index: str
    """Symbol that market betas are measured against."""
    rate_index: str
    """Symbol that interest-rate betas are measured against."""
    benchmark_code: str
    """Code of the benchmark that sector weights are compared with."""
    pricing: PricingParameters
    """Parameters of option valuation other than prices."""
    liquidation_share: float
    """Share of the median volume that is sold per day in liquidity figures."""
    correlated_holdings: int
    """Largest holdings of a portfolio whose correlations are stored."""
    factors: tuple[Factor, ...] = ()
    """Factors of the joint regression other than the market."""


class ExportedSnapshot(NamedTuple):
    """A snapshot that other processes can read too, while the transaction that it is from is open.

    It is small, and has neither a password nor a row.
    """

    id: str
    """Postgres' identifier, from pg_export_snapshot."""
    terms: SnapshotTerms
    span: HistorySpan


class PriceEvents(NamedTuple):
    """What the closes of the whole history show: they are read once for both."""

    suspected_splits: pd.DataFrame
    adjustment_steps: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The stored inputs as of one moment; each is read once, when it is first used.

    All reads are in one repeatable-read transaction: what is imported while a run goes on is
    seen by the next run, and not by half of this one.

    A snapshot of a shard has the lots of the shard. What depends on symbols only is that of the
    whole book; the shards of a machine share it.
    """

    connection: sa.Connection
    """Its transaction is repeatable read and read only."""
    terms: SnapshotTerms
    shard: Shard | None = None
    """Part of the book; None: the whole book."""
    span: HistorySpan | None = None
    """Days of the whole book's holdings; None: those of `lots` and `cash_anchors`."""
    shared: SharedSeries = field(default_factory=SharedSeries)
    """What all shards have in common."""

    def export(self) -> ExportedSnapshot:
        """Let other processes read this snapshot, until its transaction ends."""
        identifier = self.connection.scalar(sa.text("SELECT pg_export_snapshot()"))
        span = read_history_span(self.connection, list(self.cash_anchors))
        return ExportedSnapshot(str(identifier), self.terms, span)

    @property
    def market_index(self) -> str:
        """Symbol that market betas are measured against."""
        return self.terms.market_index

    @property
    def rate_index(self) -> str:
        """Symbol that interest-rate betas are measured against."""
        return self.terms.rate_index

    @property
    def benchmark_code(self) -> str:
        """Code of the benchmark that sector weights are compared with."""
        return self.terms.benchmark_code

    @cached_property
    def lots(self) -> pd.DataFrame:
        """Every lot ever held."""
        return input_queries.read_lots(self.connection, self.terms.as_of, self.shard)

    @cached_property
    def portfolios(self) -> pd.DataFrame:
        """Every portfolio that is not deleted."""
        return input_queries.read_portfolios(self.connection, self.shard)

    @cached_property
    def cash_anchors(self) -> "pd.Series[Any]":
        """Day of the statement from which the cash of each portfolio is rolled forward."""
        return input_queries.read_cash_anchors(self.connection, self.shard)

    @cached_property
    def cash_flows(self) -> pd.DataFrame:
        """Cash flows of the portfolios that are kept by transactions."""
        return transactions.read_cash_flows(self.connection, self.shard)

    @property
    def suspected_splits(self) -> pd.DataFrame:
        """Suspected splits of everything that is or was held, of indices and factor funds."""
        return self._price_events.suspected_splits

    def adjustment_steps(self, symbols: Collection[str], first: date, last: date) -> pd.DataFrame:
        """Return the rows of held symbols on which adj_close / close changes, in a span."""
        return stored_prices.select_steps(self._price_events.adjustment_steps, symbols, first, last)

    @property
    def _price_events(self) -> PriceEvents:
        return self.shared.get_or_compute("price events", self._find_price_events)

    def _find_price_events(self) -> PriceEvents:
        held = input_queries.read_symbols_ever_held(self.connection)
        closes = stored_prices.read_close_history(
            self.connection, held | self.indices | self.factor_funds
        )
        return PriceEvents(
            evaluate_moves(self.connection, closes),
            stored_prices.find_adjustment_steps(self.connection, closes),
        )

    @cached_property
    def model_versions(self) -> ModelVersions:
        """Every version of the volatility forecast's coefficients."""
        return parse_versions(
            calibration_queries.read_har_coefficients(self.connection),
            calibration_queries.read_variance_corrections(self.connection),
        )

    @property
    def funds(self) -> frozenset[str]:
        """Symbols of ETFs and funds by their profiles, and both indices."""
        return self.shared.get_or_compute(
            "funds",
            lambda: frozenset(
                {*calibration_queries.read_fund_symbols(self.connection), *self.indices}
            ),
        )

    @cached_property
    def stress_scenarios(self) -> pd.DataFrame:
        """The stress scenarios in use."""
        return input_queries.read_stress_scenarios(self.connection)

    @property
    def indices(self) -> set[str]:
        """Symbols of both indices."""
        return {self.market_index, self.rate_index}

    @property
    def factor_funds(self) -> set[str]:
        """Symbols of the funds whose spreads over the market are factors."""
        return {factor.fund for factor in self.terms.factors if factor.fund}

    def open_symbols(self, sessions: Sequence[date]) -> set[str]:
        """Return listed symbols and option underlyings of lots open on one of ``sessions``."""
        return list_open_symbols(self.lots, sessions)

    @property
    def is_of_portfolios(self) -> bool:
        """Whether the snapshot is of a shard of portfolios, which share series of symbols."""
        return self.shard is not None and self.shard.is_of_portfolios

    def series_symbols(self, sessions: Sequence[date]) -> set[str]:
        """Return the symbols whose series a run needs: those of all shards of portfolios."""
        if not self.is_of_portfolios:
            return self.open_symbols(sessions)
        held = input_queries.read_held_symbols(self.connection, sessions[0], sessions[-1])
        return set(held)

    def listed_symbols(self) -> set[str]:
        """Return the symbols with closes of their own: those of all shards of portfolios."""
        if self.is_of_portfolios:
            return read_listed_symbols(self.connection)
        return set(self.lots.loc[is_listed(self.lots), "symbol"])

    def history_span(self) -> HistorySpan:
        """Return the first day of a lot or of a cash anchor, and the last cash anchor."""
        if self.span is not None:
            return self.span
        has_entry_date = ~self.lots["entry_date_assumed"].astype(bool)
        entries = self.lots.loc[has_entry_date, "entry_date"].dropna().unique()
        days = [*(day.date() for day in entries), *self.cash_anchors]
        return HistorySpan(min(days, default=None), max(self.cash_anchors, default=None))


def list_open_symbols(lots: pd.DataFrame, sessions: Sequence[date]) -> set[str]:
    """Return listed symbols and option underlyings of ``lots`` open on one of ``sessions``."""
    lot, _ = open_positions(lots, sessions)
    return set(underlying(lots.iloc[lot]).dropna())


@contextmanager
def open_snapshot(
    engine: sa.Engine, settings: "Settings", as_of: date | None = None
) -> Iterator[Snapshot]:
    """Open a snapshot of the inputs in a database, by the settings of this machine.

    ``as_of`` is the last completed session, by default that of now.
    """
    with _begin_snapshot(engine) as connection:
        yield Snapshot(connection, read_terms(connection, settings, as_of))


def read_terms(
    connection: sa.Connection, settings: "Settings", as_of: date | None = None
) -> SnapshotTerms:
    """Return what a run is computed with, by stored settings and those of this machine."""
    return SnapshotTerms(
        as_of or trading_calendar.last_completed_session(),
        stored_settings.read_market_index(connection, settings.market_index),
        stored_settings.read_rate_index(connection, settings.rate_index),
        stored_settings.read_benchmark_code(connection, settings.benchmark),
        PricingParameters(settings.risk_free_rate, settings.dividend_yield),
        settings.liquidation_share,
        settings.correlated_holdings,
        parse_factors(settings.factors),
    )


@contextmanager
def join_snapshot(
    engine: sa.Engine,
    exported: ExportedSnapshot,
    shard: Shard | None,
    shared: SharedSeries,
) -> Iterator[Snapshot]:
    """Open a shard of a snapshot that another connection has exported.

    Raises
    ------
    ConfigurationError
        If the database does not have the snapshot.
    """
    with _begin_snapshot(engine) as connection:
        _import_snapshot(connection, exported)
        yield Snapshot(connection, exported.terms, shard, exported.span, shared)


def require_exported(engine: sa.Engine, exported: ExportedSnapshot) -> None:
    """Raise ConfigurationError if the transaction that exported a snapshot has ended."""
    with _begin_snapshot(engine) as connection:
        _import_snapshot(connection, exported)


def _import_snapshot(connection: sa.Connection, exported: ExportedSnapshot) -> None:
    try:
        connection.exec_driver_sql(f"SET TRANSACTION SNAPSHOT '{exported.id}'")
    except sa.exc.DBAPIError as error:
        if connection.invalidated:
            raise
        raise ConfigurationError(
            "the snapshot of the run is not in the database of this worker: set"
            " RISKMETRICS_DATABASE_URL of workers to that of the run; if it is the same, the run"
            " has ended, or its connection was closed"
        ) from error


@contextmanager
def _begin_snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    with engine.connect() as connection:  # rolled back at the end: nothing is written
        connection.exec_driver_sql(
            "SET LOCAL TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
        )
        # what is computed between two reads may take longer than a server's limit
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield connection

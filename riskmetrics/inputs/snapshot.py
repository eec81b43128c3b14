"""One snapshot of the stored inputs, for everything that a run computes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pandas as pd
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import calibration_queries, input_queries, stored_settings, transactions
from riskmetrics.db.split_suspects import find_suspected_splits
from riskmetrics.results.lot_frames import open_positions, underlying
from riskmetrics.results.model_versions import ModelVersions, parse_versions
from riskmetrics.results.option_results import PricingParameters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from riskmetrics.settings import Settings


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The stored inputs as of one moment; each is read once, when it is first used.

    All reads are in one repeatable-read transaction: what is imported while a run goes on is
    seen by the next run, and not by half of this one.
    """

    connection: sa.Connection
    """Its transaction is repeatable read and read only."""
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

    @cached_property
    def lots(self) -> pd.DataFrame:
        """Every lot ever held."""
        return input_queries.read_lots(self.connection, self.as_of)

    @cached_property
    def portfolios(self) -> pd.DataFrame:
        """Every portfolio that is not deleted."""
        return input_queries.read_portfolios(self.connection)

    @cached_property
    def cash_anchors(self) -> "pd.Series[Any]":
        """Day of the statement from which the cash of each portfolio is rolled forward."""
        return input_queries.read_cash_anchors(self.connection)

    @cached_property
    def cash_flows(self) -> pd.DataFrame:
        """Cash flows of the portfolios that are kept by transactions."""
        return transactions.read_cash_flows(self.connection)

    @cached_property
    def suspected_splits(self) -> pd.DataFrame:
        """Suspected splits of everything that is or was held, and of both indices."""
        held = input_queries.read_symbols_ever_held(self.connection)
        return find_suspected_splits(self.connection, held | self.indices)

    @cached_property
    def model_versions(self) -> ModelVersions:
        """Every version of the volatility forecast's coefficients."""
        return parse_versions(calibration_queries.read_har_coefficients(self.connection))

    @cached_property
    def stress_scenarios(self) -> pd.DataFrame:
        """The stress scenarios in use."""
        return input_queries.read_stress_scenarios(self.connection)

    @property
    def indices(self) -> set[str]:
        """Symbols of both indices."""
        return {self.market_index, self.rate_index}

    def open_symbols(self, sessions: "Sequence[date]") -> set[str]:
        """Return listed symbols and option underlyings of lots open on one of ``sessions``."""
        return list_open_symbols(self.lots, sessions)


def list_open_symbols(lots: pd.DataFrame, sessions: "Sequence[date]") -> set[str]:
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
    with engine.connect() as connection:  # rolled back at the end: nothing is written
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # what is computed between two reads may take longer than a server's limit
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield Snapshot(
            connection,
            as_of or trading_calendar.last_completed_session(),
            stored_settings.read_market_index(connection, settings.market_index),
            stored_settings.read_rate_index(connection, settings.rate_index),
            stored_settings.read_benchmark_code(connection, settings.benchmark),
            PricingParameters(settings.risk_free_rate, settings.dividend_yield),
        )

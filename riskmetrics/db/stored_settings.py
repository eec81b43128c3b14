"""Read the settings stored in the database: market index, rate index and benchmark."""

import sqlalchemy as sa

from riskmetrics.db import tables
from riskmetrics.settings import DEFAULT_BENCHMARK, DEFAULT_MARKET_INDEX, DEFAULT_RATE_INDEX

MARKET_INDEX, RATE_INDEX = "market_index", "rate_index"
"""Names of the database settings for the symbols of the market and of interest rates."""

BENCHMARK_CODE = "benchmark"
"""Name of the database setting for the code of the benchmark of sector weights."""

DEFAULT_SETTINGS = {
    MARKET_INDEX: DEFAULT_MARKET_INDEX,
    RATE_INDEX: DEFAULT_RATE_INDEX,
    BENCHMARK_CODE: DEFAULT_BENCHMARK,
}
"""Settings stored in the database, and their default values."""


def read_market_index(connection: sa.Connection, override: str | None = None) -> str:
    """Return the symbol of the market index that betas are estimated against."""
    return read_setting(connection, MARKET_INDEX, override)


def read_rate_index(connection: sa.Connection, override: str | None = None) -> str:
    """Return the symbol of the rate index that interest-rate betas are estimated against."""
    return read_setting(connection, RATE_INDEX, override)


def read_benchmark_code(connection: sa.Connection, override: str | None = None) -> str:
    """Return the code of the benchmark that sector weights are compared with."""
    return read_setting(connection, BENCHMARK_CODE, override)


def read_setting(connection: sa.Connection, name: str, override: str | None) -> str:
    """Return a setting: the override, else the value stored in the database, else the default.

    Parameters
    ----------
    name : str
        One of `DEFAULT_SETTINGS`.
    override : str or None
        Value from the settings of this machine.
    """
    settings = tables.database_settings
    stored = sa.select(settings.c.value).where(settings.c.name == name)
    return override or connection.scalar(stored) or DEFAULT_SETTINGS[name]

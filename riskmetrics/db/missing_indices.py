"""Describe indices of the settings that no stored price belongs to."""

import sqlalchemy as sa

from riskmetrics.db.stored_prices import read_known_symbols, read_price_coverage
from riskmetrics.db.stored_settings import MARKET_INDEX, read_setting
from riskmetrics.symbols import find_near_symbols


def describe_missing_market(connection: sa.Connection, override: str | None) -> str:
    """Return that no close of the market index is stored, and what to do.

    Parameters
    ----------
    override : str, optional
        Market index of the settings of this machine.
    """
    index = read_setting(connection, MARKET_INDEX, override)
    return (
        f"no close of the market index {index} is stored: import prices with `riskmetrics import"
        " prices FILE`, or set FMP_API_KEY or RISKMETRICS_SOURCE, or choose another index:"
        f" {suggest_index(connection, MARKET_INDEX, override)}"
    )


def suggest_index(connection: sa.Connection, name: str, override: str | None) -> str:
    """Return how to choose an index with stored prices: the variable, or the command.

    A symbol that the present one may be a typing error of is named.

    Parameters
    ----------
    name : str
        Setting: market_index or rate_index.
    override : str, optional
        Its value in the settings of this machine.
    """
    present = read_setting(connection, name, override)
    near = find_near_symbols(present, read_known_symbols(connection))
    priced = set(read_price_coverage(connection, near)["symbol"])
    symbol = next((one for one in near if one in priced), "SYMBOL")
    if override:
        return f"RISKMETRICS_{name.upper()}={symbol}"
    return f"riskmetrics db setting {name} {symbol}"

"""Well-known funds whose sectors are known without their holdings: ``funds.toml``."""

import tomllib
from functools import cache
from pathlib import Path
from typing import NamedTuple

BONDS = "Bonds"
NOT_LOOKED_THROUGH = "Fund, not looked through"
"""Classes of funds in addition to the GICS sectors."""


class Funds(NamedTuple):
    """Content of ``funds.toml``, by symbol."""

    benchmark_codes: dict[str, str]
    """Index fund to the code of the benchmark that it tracks."""
    classes: dict[str, str]
    """Fund of one sector, or of bonds, to the sector or to BONDS."""


@cache
def load_funds() -> Funds:
    """Return the well-known funds.

    Examples
    --------
    >>> load_funds().benchmark_codes["SPY"], load_funds().classes["XLK"]
    ('SP500', 'Information Technology')
    """
    content = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    codes, sectors = (
        {symbol: name for name, symbols in content[table].items() for symbol in symbols}
        for table in ("benchmarks", "sectors")
    )
    return Funds(codes, sectors | dict.fromkeys(content["bonds"]["symbols"], BONDS))


def fund_class(symbol: str, *, is_fund: bool | None) -> str | None:
    """Return the class of what is not an index fund: a sector, BONDS or NOT_LOOKED_THROUGH.

    ``is_fund`` is that of the symbol's profile, None without one: then only well-known funds are
    funds. Returns None for what is no fund.

    Examples
    --------
    >>> fund_class("TLT", is_fund=None), fund_class("MTUM", is_fund=True)
    ('Bonds', 'Fund, not looked through')
    >>> fund_class("AAPL", is_fund=None) is fund_class("XLK", is_fund=False) is None
    True
    """
    if is_fund is False:
        return None
    return load_funds().classes.get(symbol, NOT_LOOKED_THROUGH if is_fund else None)

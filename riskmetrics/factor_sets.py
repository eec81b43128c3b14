"""Factors of the joint regression, as RISKMETRICS_FACTORS names them."""

import math
import re
from typing import NamedTuple

from riskmetrics.symbols import normalize_symbol

MARKET, SPECIFIC = "market", "specific"
"""Name of the market's factor, which every set has, and of the part that no factor explains."""

MAX_FACTOR_LENGTH = 32
"""Length of the columns of factors, in characters."""

MAX_FACTORS = 24
"""Largest number of factors; with 126 returns five are left for each of their exposures."""

NO_FACTORS = "none"

IMPORTED = "imported"
"""Definition of a factor whose returns are imported."""

_FUND_SETS = {
    "style": {
        "momentum": "MTUM",
        "quality": "QUAL",
        "size": "SIZE",
        "low volatility": "USMV",
        "value": "VLUE",
    },
    "sectors": {
        "communication services": "XLC",
        "consumer discretionary": "XLY",
        "consumer staples": "XLP",
        "energy": "XLE",
        "financials": "XLF",
        "health care": "XLV",
        "industrials": "XLI",
        "information technology": "XLK",
        "materials": "XLB",
        "real estate": "XLRE",
        "utilities": "XLU",
    },
}
"""Named sets of funds: factor to the fund whose spread over the market it is."""

_FORBIDDEN = re.compile(r"[^\w .+/&-]")


class Factor(NamedTuple):
    """A factor besides the market."""

    name: str
    fund: str | None
    """Fund whose return less the market's is the factor; None: imported returns."""

    def definition(self, market_index: str) -> str:
        """Return what the factor's return is, as results store it."""
        return f"{self.fund} - {market_index}" if self.fund else IMPORTED


def parse_factors(text: str) -> tuple[Factor, ...]:
    """Return the factors of a comma-separated list, by name.

    A part is a set ('style', 'sectors'), a fund ('small caps=IWM') or the name of an imported
    factor ('HML'); 'none' leaves the market alone.

    Raises
    ------
    ValueError
        If a part is none of these, a name repeats, or there are too many.

    Examples
    --------
    >>> parse_factors("momentum=mtum, HML")
    (Factor(name='HML', fund=None), Factor(name='momentum', fund='MTUM'))
    >>> len(parse_factors("style,sectors"))
    16
    """
    if text.strip() == NO_FACTORS:
        return ()
    factors: list[Factor] = []
    for part in text.split(","):
        name, is_fund, fund = (piece.strip() for piece in part.partition("="))
        if name in _FUND_SETS and not is_fund:
            factors += [Factor(*pair) for pair in _FUND_SETS[name].items()]
            continue
        require_factor_name(name)
        symbol = normalize_symbol(fund) if is_fund else None
        if is_fund and not symbol:
            raise ValueError(f"{part.strip()!r} names no symbol of a fund; write NAME=SYMBOL")
        factors.append(Factor(name, symbol))
    names = [factor.name.lower() for factor in factors]
    if repeated := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"{min(repeated)!r} is named twice")
    if len(factors) >= MAX_FACTORS:
        raise ValueError(f"at most {MAX_FACTORS} factors including the market")
    return tuple(sorted(factors))


def parse_moves(text: str) -> dict[str, float]:
    """Return moves by factor from 'NAME=MOVE' parts, separated by commas or semicolons.

    Raises
    ------
    ValueError
        If a part is no move of a factor, or a factor moves twice.

    Examples
    --------
    >>> parse_moves("value=-0.05; low volatility=0.02")
    {'value': -0.05, 'low volatility': 0.02}
    """
    moves: dict[str, float] = {}
    for part in re.split("[,;]", text):
        name, _, number = (piece.strip() for piece in part.partition("="))
        require_factor_name(name)
        try:
            move = float(number)
        except ValueError:
            move = math.nan
        if not -1 < move <= 1:
            raise ValueError(
                f"{part.strip()!r} is no move: write NAME=FRACTION, such as size=-0.05"
            )
        if name in moves:
            raise ValueError(f"{name!r} moves twice")
        moves[name] = move
    return moves


def require_factor_name(name: str) -> None:
    """Raise ValueError unless a text can name a factor.

    Examples
    --------
    >>> require_factor_name("market")
    Traceback (most recent call last):
        ...
    ValueError: 'market' is a name of every model; choose another one
    """
    if not name or len(name) > MAX_FACTOR_LENGTH or _FORBIDDEN.search(name):
        raise ValueError(
            f"{name!r} is no name of a factor: use 1 to {MAX_FACTOR_LENGTH} letters, digits,"
            " spaces and . + / & - _"
        )
    if name.lower() in (MARKET, SPECIFIC, NO_FACTORS):
        raise ValueError(f"{name!r} is a name of every model; choose another one")

"""What changed in a portfolio since an earlier session."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import pandas as pd

from riskmetrics.catalog import Unit, find_figure
from riskmetrics.present import formatting
from riskmetrics.present.figures import page_format

Record = Mapping[str, Any]

HEADLINES = (
    "portfolio_snapshots.total_value",
    "portfolio_snapshots.cumulative_pnl",
    "portfolio_snapshots.gross_exposure",
    "portfolio_snapshots.net_exposure",
    "portfolio_snapshots.beta_calculated_90d",
    "portfolio_snapshots.expected_volatility_21d",
    "portfolio_snapshots.realized_volatility_21d",
    "portfolio_tail_risk.value_at_risk",
    "portfolio_tail_risk.expected_shortfall",
    "portfolio_drawdowns.current_drawdown",
    "portfolio_snapshots.effective_num_positions",
    "portfolio_snapshots.top_3_concentration",
)
"""Figures that are compared; those of tail risk are historical, for one session at 95%."""

MAX_DRIVERS = 3
"""Positions that explain the change of value."""

_SHARES = (Unit.FRACTION, Unit.VOLATILITY, Unit.ACTIVE_FRACTION, Unit.PROBABILITY)


class Change(NamedTuple):
    """A figure on two sessions, as text; a missing value is a dash."""

    label: str
    before: str
    after: str
    change: str


class Driver(NamedTuple):
    """A position and what its price change has brought since the earlier session."""

    symbol: str
    amount: str


def list_changes(before: Record, after: Record) -> list[Change]:
    """Return the headline figures that both sessions know; values are by 'table.column'."""
    found = []
    for name in HEADLINES:
        one, other = before.get(name), after.get(name)
        if one is None or other is None:
            continue
        figure, form = find_figure(name), page_format(name)
        move = float(other) - float(one)
        found.append(Change(figure.label, form(one), form(other), format_move(move, figure.unit)))
    return found


def list_drivers(before: pd.DataFrame, after: pd.DataFrame) -> list[Driver]:
    """Return the positions whose prices changed the value most.

    Parameters
    ----------
    before, after : DataFrame
        Rows of `position_values` of one portfolio. The quantity is that of the earlier session:
        what was bought or sold since then is no gain or loss.
    """
    keys = ["symbol", "right", "underlying"]
    one, other = (rows.astype(dict.fromkeys(keys, object)) for rows in (before, after))
    joined = one.merge(other[[*keys, "price"]], on=keys, suffixes=("", "_after"))
    ratio = joined["price_after"] / joined["price"] - 1
    moved = (joined["value"] * ratio).groupby(joined["underlying"].fillna(joined["symbol"])).sum()
    largest = moved[moved != 0].abs().sort_values(ascending=False).index[:MAX_DRIVERS]
    return [Driver(str(symbol), formatting.signed_money(moved[symbol])) for symbol in largest]


def format_move(move: float, unit: Unit) -> str:
    """Return a difference with its sign; differences of shares are percentage points."""
    if unit in _SHARES:
        return formatting.signed_percent(move).removesuffix("%") + " pp"
    if unit in (Unit.MONEY, Unit.GAIN):
        return formatting.signed_money(move)
    text = formatting.two_decimals(move)
    return f"+{text}" if move > 0 and any(digit in text for digit in "123456789") else text

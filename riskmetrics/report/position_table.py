"""Rows of the table of positions: what each is worth, earns and risks."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

Record = Mapping[str, Any]

N_LARGEST = 15
"""Positions that are shown; the others are folded."""


class PositionRow(NamedTuple):
    """A position; a missing value is None. Amounts are in the portfolio's currency."""

    symbol: str
    quantity: float
    price: float | None
    is_stale: bool
    """Whether the price is the close of an earlier session."""
    is_stated: bool
    """Whether the price is one that a file stated, the same on all sessions."""
    value: float | None
    weight: float | None
    daily_pnl: float | None
    cumulative_price_pnl: float | None
    sector: str | None
    beta: float | None
    std_error: float | None
    volatility: float | None
    risk_share: float | None


class PositionTable(NamedTuple):
    """The largest positions, and the others."""

    largest: list[PositionRow]
    others: list[PositionRow]
    others_share: float | None
    """Share of the others in gross value."""


def build_table(
    positions: pd.DataFrame,
    betas: Sequence[Record],
    volatilities: Sequence[Record],
    contributions: Sequence[Record],
) -> PositionTable:
    """Join what is known of positions; the largest by risk, else by value, come first.

    Parameters
    ----------
    positions : DataFrame
        Rows of `position_values` of one portfolio, with sector.
    betas, volatilities, contributions : sequence of records
        Rows of `position_market_betas`, `position_volatility` and `portfolio_risk_contributions`.
    """
    beta_rows, volatility_rows = (
        {row["symbol"]: row for row in rows} for rows in (betas, volatilities)
    )
    shares = {row["symbol"]: row["share"] for row in contributions}
    nothing: Record = {}
    rows = []
    for row in positions.astype(object).where(positions.notna(), None).to_dict("records"):
        beta = beta_rows.get(row["symbol"], nothing)
        is_option = row["right"] is not None
        rows.append(
            PositionRow(
                row["symbol"],
                row["quantity"],
                row["price"],
                bool(row["is_stale"]),
                bool(row["is_stated"]),
                row["value"],
                row["weight"],
                None if row["is_stated"] and row["daily_pnl"] == 0.0 else row["daily_pnl"],
                row["cumulative_price_pnl"],
                row["sector"],
                beta.get("beta"),
                beta.get("std_error"),
                volatility_rows.get(row["symbol"], nothing).get("expected_vol_21d"),
                None if is_option else shares.get(row["symbol"]),
            )
        )
    rows.sort(key=lambda row: (-abs(row.risk_share or 0.0), -abs(row.value or 0.0), row.symbol))
    gross = sum(abs(row.value or 0.0) for row in rows)
    largest, others = rows[:N_LARGEST], rows[N_LARGEST:]
    if len(others) == 1:
        largest, others = rows, []
    folded = sum(abs(row.value or 0.0) for row in others)
    return PositionTable(largest, others, folded / gross if gross else None)

"""Checks of a portfolio's transactions: against a statement, its cash and its stored results."""

import math
from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from riskmetrics.cli.output import echo_err, pluralize

if TYPE_CHECKING:
    import pandas as pd
    import sqlalchemy as sa

    from riskmetrics.cli.portfolio_plan import PortfolioPlan
    from riskmetrics.transactions.model import Transaction

_MAX_CASH_DIFFERENCE = Decimal("0.05")
"""Difference between the cash of a statement and of transactions that rounding explains, USD."""


def compare_with_transactions(
    connection: "sa.Connection", plan: "PortfolioPlan", stated: "pd.DataFrame", day: date
) -> str | None:
    """Compare the holdings of a statement with those that transactions leave on its day.

    Nothing is stored. Returns the summary; None if the portfolio is not kept by transactions.
    """
    from riskmetrics.db import transactions as store
    from riskmetrics.transactions.comparison import compare_holdings
    from riskmetrics.transactions.lots import (
        build_lots,
        cash_balances,
        is_cash_known,
        open_quantities,
    )

    portfolio_id = store.find_portfolio(connection, plan.name)
    if portfolio_id is None:
        return None
    transactions = store.read_transactions(connection, portfolio_id)
    quantities: defaultdict[str, Decimal] = defaultdict(Decimal)
    for symbol, quantity in zip(stated["symbol"], stated["quantity"], strict=True):
        quantities[symbol] += Decimal(repr(float(quantity)))
    held = open_quantities(build_lots(transactions).lots, day)
    differences = compare_holdings(held, quantities)
    for one in differences:
        echo_err(
            f"{one.symbol}: {one.by_transactions.normalize():f} by transactions,"
            f" {one.stated.normalize():f} in the file"
        )
    n = len(differences)
    cash = next(
        (cash for last, cash in reversed(cash_balances(transactions)) if last <= day), Decimal(0)
    )
    is_known = is_cash_known(transactions) and not math.isnan(plan.account.cash)
    if is_known and abs(cash - Decimal(repr(plan.account.cash))) > _MAX_CASH_DIFFERENCE:
        echo_err(f"cash: {cash:,.2f} by transactions, {plan.account.cash:,.2f} in the file")
        n += 1
    compared = f"compared with the transactions up to {day}, nothing stored"
    if n:
        return f"{pluralize(n, 'difference')} ({compared})"
    return f"holdings agree with its transactions ({compared})"


def cash_problems(balances: list[tuple[date, Decimal]], *, is_known: bool) -> list[str]:
    """Return a warning if the cash after each day is unknown, or negative."""
    if not is_known:
        return [
            "no deposit or withdrawal is stated, so the cash is unknown: it is taken as 0, and"
            " purchases count as inflows. Add the deposits to have the cash"
        ]
    first = next(((day, cash) for day, cash in balances if cash < 0), None)
    if first is None:
        return []
    return [f"cash is {first[1]:,.2f} on {first[0]}: deposits are missing, or it is a margin loan"]


def stale_results(
    connection: "sa.Connection",
    portfolio_id: str,
    before: "list[Transaction]",
    after: "list[Transaction]",
) -> list[str]:
    """Return a warning if sessions were computed from other transactions than are stored now."""
    import sqlalchemy as sa

    from riskmetrics.db import tables

    changed = {one.day for one in {*before} ^ {*after}}
    if not changed:
        return []
    table = tables.portfolio_snapshots
    query = sa.select(sa.func.min(table.c.snapshot_date), sa.func.max(table.c.snapshot_date)).where(
        table.c.portfolio_id == portfolio_id, table.c.snapshot_date >= min(changed)
    )
    first, last = connection.execute(query).one()
    if first is None:
        return []
    return [
        f"results from {first} to {last} were computed without these changes: recompute them with"
        f" riskmetrics reprocess --all --from {first} --to {last}"
    ]

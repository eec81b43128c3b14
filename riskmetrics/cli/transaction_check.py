"""Checks of a portfolio's transactions: statement, cash, prices and stored results."""

import math
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

from riskmetrics.cli.output import echo_err, pluralize
from riskmetrics.present.formatting import fixed_point
from riskmetrics.symbols import parse_option
from riskmetrics.text import join_names

if TYPE_CHECKING:
    import pandas as pd
    import sqlalchemy as sa

    from riskmetrics.cli.portfolio_plan import PortfolioPlan
    from riskmetrics.db.transaction_store import TransactionChanges
    from riskmetrics.sources.tabular_files import RejectedRow
    from riskmetrics.transactions.lots import LotHistory
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
    from riskmetrics.transactions.holdings_comparison import compare_holdings
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
        echo_err(
            f"cash: {fixed_point(cash, 2)} by transactions, {fixed_point(plan.account.cash, 2)} in the file"
        )
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
    return [
        f"cash is {fixed_point(first[1], 2)} on {first[0]}: deposits are missing, or it is a margin loan"
    ]


def unstated_expirations(history: "LotHistory", last_day: date) -> list[str]:
    """Return a warning if options are open after their expiration, when they end at 0."""
    options = {lot.symbol: parse_option(lot.symbol) for lot in history.lots if not lot.exit_date}
    expired = sorted(
        symbol for symbol, option in options.items() if option and option.expiration < last_day
    )
    if not expired:
        return []
    return [
        f"{join_names(expired)} expired without a line that closes it: the profit takes a value"
        " of 0. If it was exercised or assigned, add that line and the one of the shares"
    ]


def mark_stale_results(
    connection: "sa.Connection",
    portfolio_id: str,
    before: "list[Transaction]",
    after: "list[Transaction]",
) -> list[str]:
    """Mark results of other transactions than are stored now as outdated; return a warning."""
    from riskmetrics.db import outdated_results

    old, new = (
        Counter(replace(one, reference="", line=None) for one in stored)
        for stored in (before, after)
    )
    changed = {one.day for one in [*(old - new), *(new - old)]}
    if not changed:
        return []
    outdated = outdated_results.record_changed_holdings(connection, portfolio_id, min(changed))
    return [outdated_results.describe_outdated(outdated)] if outdated else []


def describe(transaction: "Transaction") -> str:
    """Return a transaction in a line: day, kind, quantity, symbol and amount."""
    parts = [transaction.day, transaction.kind.value.replace("_", " ")]
    if transaction.symbol:
        parts.append(f"{transaction.quantity.normalize():f} {transaction.symbol}")
    return " ".join(map(str, parts)) + f", {fixed_point(transaction.amount, 2)}"


def check_prices(connection: "sa.Connection", history: "LotHistory") -> "list[RejectedRow]":
    """Return the splits and the prices of trades that contradict the stored closes."""
    from riskmetrics.sources.tabular_files import RejectedRow
    from riskmetrics.transactions.price_check import find_large_prices

    found = _check_splits(connection, history)
    for symbol, row in _check_trades(connection, history).items():
        found.setdefault(symbol, row)
    for symbol in sorted(find_large_prices(history.lots)):
        reason = (
            f"a price of {symbol}, adjusted for its later splits, is too large: pass --leave-out"
            f" {symbol}"
        )
        found[symbol] = RejectedRow(None, symbol, reason)
    return list(found.values())


def _check_splits(connection: "sa.Connection", history: "LotHistory") -> "dict[str, RejectedRow]":
    """Return the stated splits that stored closes are not adjusted for, by symbol."""
    from riskmetrics.db import transactions as store
    from riskmetrics.results.price_moves import format_split
    from riskmetrics.sources.tabular_files import RejectedRow
    from riskmetrics.transactions.price_check import find_move

    closes = store.read_closes_around(connection, ((one.symbol, one.day) for one in history.splits))
    found: dict[str, RejectedRow] = {}
    for one in history.splits:
        day = find_move(one, closes[one.symbol, one.day])
        if day and one.symbol not in found:
            ratio = format_split(float(one.ratio))
            found[one.symbol] = RejectedRow(
                None,
                f"{one.symbol} on {day}",
                f"the stored prices of {one.symbol} are not adjusted for its split of {ratio}: they"
                f" move by it on {day}. Run riskmetrics prices split {one.symbol} {day} {ratio}, or"
                " import corrected prices; then import the transactions again",
            )
    return found


def _check_trades(connection: "sa.Connection", history: "LotHistory") -> "dict[str, RejectedRow]":
    """Return the first trade of each symbol whose price differs by the ratio of a split."""
    from riskmetrics import trading_calendar
    from riskmetrics.db import transactions as store
    from riskmetrics.results.price_moves import format_split
    from riskmetrics.sources.tabular_files import RejectedRow
    from riskmetrics.transactions.price_check import (
        find_contradicting_split,
        list_trade_prices,
        missing_split,
    )

    trades = [
        one._replace(day=trading_calendar.previous_or_same_session(one.day))
        for one in list_trade_prices(history.lots)
    ]
    prices = store.read_price_ranges(connection, ((one.symbol, one.day) for one in trades))
    found: dict[str, RejectedRow] = {}
    for one in trades:
        stored = prices.get((one.symbol, one.day))
        if stored is None or stored.low <= one.price <= stored.high or one.symbol in found:
            continue
        if not (ratio := missing_split(one, stored.close)):
            continue
        remedy = (
            f"a split of {ratio} is missing. Import a line with its day, the kind split,"
            f" {one.symbol} and the ratio, or correct the stored prices"
        )
        if stated := find_contradicting_split(one, stored.close, history.splits):
            remedy = (
                f"they agree without the stated split of {format_split(float(stated.ratio))} on"
                f" {stated.day}. Remove that line, or correct the stored prices"
            )
        found[one.symbol] = RejectedRow(
            None,
            f"{one.symbol} on {one.day}",
            f"{one.symbol} was traded at {one.price:,.2f} on {one.day}, where the stored close"
            f" is {stored.close:,.2f}: {remedy}",
        )
    return found


def unstated_splits(connection: "sa.Connection", history: "LotHistory") -> list[str]:
    """Return a warning for each suspected split that lots are held over and nothing settles."""
    from riskmetrics.db.split_suspects import find_suspected_splits
    from riskmetrics.results.price_moves import format_split, select_open_suspects

    suspects = find_suspected_splits(connection, {lot.symbol for lot in history.lots})
    found = []
    for move in select_open_suspects(suspects, date.max).to_dict("records"):
        symbol, day, ratio = move["symbol"], move["date"].date(), format_split(move["ratio"])
        if any(
            lot.symbol == symbol and lot.entry_date < day <= (lot.exit_date or date.max)
            for lot in history.lots
        ):
            found.append(
                f"{symbol} is held over a suspected split of {ratio} on {day} that no transaction"
                f" states. If it was one, run riskmetrics prices split {symbol} {day} {ratio} and"
                " import a line with that day, the kind split and the ratio; else run riskmetrics"
                f" prices accept {symbol} {day}"
            )
    return found


def period_problems(changes: "TransactionChanges") -> list[str]:
    """Return a warning about stored transactions that a corrected file may have moved or removed.

    A file with no stored transaction is another part of the history, and gets none.
    """
    return [*_other_ends(changes), *_matches(changes)]


def _matches(changes: "TransactionChanges") -> list[str]:
    """Return a warning about transactions that count once, because another file has them."""
    if not changes.matched:
        return []
    named = join_names(list(map(describe, changes.matched)), max_names=3, separator="; ")
    return [
        f"{pluralize(len(changes.matched), 'transaction')} of the file count once with equal ones"
        f" of a file of another layout, or with other ids or none: {named}. If they are others, as"
        " those of another broker, import the file with --keep-both, or into a portfolio of its own"
        " if both have the same layout"
    ]


def _other_ends(changes: "TransactionChanges") -> list[str]:
    if not (changes.outside and changes.unchanged + changes.corrected):
        return []
    named = join_names(list(map(describe, changes.outside)), max_names=3, separator="; ")
    return [
        f"{pluralize(len(changes.outside), 'stored transaction')} before or after the period of the"
        f" file stay: {named}. If the file corrects them, remove the portfolio and import all of"
        " its files again"
    ]

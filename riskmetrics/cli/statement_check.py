"""What a statement of holdings changes, and what looks wrong in it, before it is stored."""

import re
from collections import defaultdict
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from riskmetrics.cli.portfolio_plan import PortfolioPlan
from riskmetrics.symbols import find_near_symbols, normalize_symbol
from riskmetrics.text import join_names

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    import sqlalchemy as sa

    from riskmetrics.sources.brokers import HoldingsFile
    from riskmetrics.sources.tabular_files import RejectedRow


MIN_SUSPECT_POSITIONS = 4
"""Positions held from which on a statement without most of them is suspected to be incomplete."""


class Review(NamedTuple):
    """Sentences on a statement."""

    warnings: list[str]
    """What is probably wrong or missing of the symbols."""
    changes: list[str]
    """Differences from the stored holdings of each portfolio."""
    sales: list[str]
    """Portfolios most of whose positions the statement closes."""


def review_statement(
    connection: "sa.Connection", plans: "list[PortfolioPlan]", parsed: "HoldingsFile", day: date
) -> Review:
    """Compare a statement with the stored symbols and the holdings of its day.

    For weights and values, only the symbols are compared.
    """
    from riskmetrics.db import holdings, symbol_spellings
    from riskmetrics.results.lot_frames import underlying
    from riskmetrics.sources.brokers import StatedSize

    frames = [plan.account.holdings.rows for plan in plans if len(plan.account.holdings.rows)]
    stated = {symbol for rows in frames for symbol in underlying(rows).dropna()}
    stated |= {symbol for rows in frames for symbol in rows["symbol"]}
    unreadable = [
        extract_symbols([*parsed.rejected, *plan.account.holdings.rejected]) for plan in plans
    ]
    shares = symbol_spellings.find_class_shares(connection, stated.union(*unreadable))
    warnings = list(
        _describe_unknown_symbols(
            connection,
            {shares.get(one, one) for rows in frames for one in underlying(rows).dropna()},
        )
    )
    changes, sales = list[str](), list[str]()
    for plan, unread in zip(plans, unreadable, strict=True):
        rows = plan.account.holdings.rows.replace({"symbol": shares})
        held = holdings.read_open_quantities(connection, plan.name, day)
        if held is not None:
            sizes = _sum_sizes(rows)
            if parsed.stated_size is StatedSize.QUANTITY:
                changes += _describe_changes(plan.name, held, sizes)
            kept = {shares.get(one, one) for one in unread}
            sales += _describe_mass_sale(plan.name, held, sizes, kept)
    return Review(warnings, changes, sales)


def extract_symbols(rejected: "list[RejectedRow]") -> set[str]:
    """Return possible symbols in rejected rows: their words, and their cells, such as BRK B."""
    marks = r"[^\w./^=-]+", r"[,;|\t\"]+"
    texts = {text for row in rejected for mark in marks for text in re.split(mark, row.raw_row)}
    return {symbol for symbol in map(normalize_symbol, texts) if symbol}


def _describe_mass_sale(
    name: str, held: dict[str, Decimal], stated: dict[str, Decimal], unreadable: set[str]
) -> "Iterable[str]":
    """Yield a sentence if a statement closes more than half of several positions.

    Those of its rejected rows, ``unreadable``, stay as they are.
    """
    before = [symbol for symbol, quantity in held.items() if quantity]
    sold = [symbol for symbol in before if not stated.get(symbol) and symbol not in unreadable]
    if len(before) >= MIN_SUSPECT_POSITIONS and 2 * len(sold) > len(before):
        yield (
            f"{name}: the file has {len(before) - len(sold)} of {len(before)} positions that are"
            " held, so the others would be sold"
        )


def _describe_unknown_symbols(connection: "sa.Connection", stated: set[str]) -> "Iterable[str]":
    """Yield what is missing of symbols: prices, with the nearest known symbols, and profiles."""
    from riskmetrics.db import stored_prices

    unpriced = stated - set(stored_prices.read_price_coverage(connection, stated)["symbol"])
    if unpriced:
        known = stored_prices.read_known_symbols(connection)
        near = {symbol: find_near_symbols(symbol, known) for symbol in sorted(unpriced)}
        for symbol, others in near.items():
            if others:
                yield (
                    f"no price is stored for {symbol}: is it {' or '.join(others)}? Correct the"
                    f" file; once stored, riskmetrics symbols rename {symbol} {others[0]} corrects"
                    " it"
                )
        if others := [symbol for symbol, found in near.items() if not found]:
            yield (
                f"no price is stored for {join_names(others)}: check the symbol, or import its"
                " prices"
            )
    unprofiled = stated - unpriced - stored_prices.read_symbols_with_profile(connection, stated)
    if unprofiled:
        yield (
            f"no profile is stored for {join_names(sorted(unprofiled))}:"
            f" {'its sector' if len(unprofiled) == 1 else 'their sectors'} will be Unclassified."
            " Add profiles with riskmetrics import profiles"
        )


def _sum_sizes(rows: "pd.DataFrame") -> dict[str, Decimal]:
    """Return the quantity, or the weight or value in its place, of each symbol."""
    sizes: defaultdict[str, Decimal] = defaultdict(Decimal)
    for symbol, size in zip(rows["symbol"], rows["quantity"], strict=True):
        sizes[symbol] += Decimal(repr(float(size)))
    return sizes


def _describe_changes(
    name: str, held: dict[str, Decimal], stated: dict[str, Decimal]
) -> "Iterable[str]":
    """Yield a line each for new, sold and changed symbols."""
    from riskmetrics.transactions.holdings_comparison import compare_holdings

    differences = compare_holdings(held, stated)
    kinds: dict[str, list[str]] = {"new": [], "no longer held": [], "changed": []}
    for one in differences:
        old, new = f"{one.by_transactions.normalize():f}", f"{one.stated.normalize():f}"
        if not one.by_transactions:
            kinds["new"].append(f"{one.symbol} {new}")
        elif not one.stated:
            kinds["no longer held"].append(f"{one.symbol} {old}")
        else:
            kinds["changed"].append(f"{one.symbol} {old} → {new}")
    for kind, names in kinds.items():
        if names:
            yield f"{name}, {kind}: {join_names(names, max_names=10)}"
    if not differences:
        yield f"{name}: the same holdings as before"

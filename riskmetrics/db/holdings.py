"""Store holdings over time: apply statements of what a portfolio holds on a day."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import pandas as pd
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import outdated_results, tables, write
from riskmetrics.db.portfolios import find_or_create_portfolio
from riskmetrics.db.price_decisions import adjusted_prices
from riskmetrics.db.sql_expressions import (
    SHORT_TYPES,
    any_of,
    is_by_transactions,
    is_live_portfolio,
    is_open,
)
from riskmetrics.errors import UsageError
from riskmetrics.transactions.model import PRICE_UNIT, QUANTITY_UNIT

_INSTRUMENT_COLUMNS = (
    "symbol",
    "position_type",
    "underlying_symbol",
    "strike_price",
    "expiration_date",
)
_DESCRIPTION_COLUMNS = ("investment_class", "last_price")

_Lot = dict[str, Any]
_Instrument = tuple[object, ...]
"""Values of the columns that identify an instrument."""
_LotsByInstrument = defaultdict[_Instrument, list[_Lot]]


class StatementChanges(NamedTuple):
    """Number of lots that a statement changed, and the symbols of closed and skipped lots."""

    portfolio_id: str
    opened: int
    closed: int
    corrected: int
    unchanged: int
    closed_symbols: tuple[str, ...]
    skipped_symbols: tuple[str, ...]
    """Symbols that are held but could not be read in the statement."""
    assumed: int
    """Opened lots that count as held since before the first session: their entry is unknown."""
    first_day: date | None
    """First day whose holdings changed; None if no lot did."""
    outdated: outdated_results.OutdatedResults | None = None
    """All outdated results, if the statement changes any; else None."""


def apply_statement(
    connection: sa.Connection,
    name: str,
    stated_lots: pd.DataFrame,
    *,
    as_of: date,
    equity: Decimal | None,
    unreadable_symbols: Collection[str] = (),
) -> StatementChanges:
    """Set the holdings of the portfolio ``name`` on ``as_of`` to ``stated_lots``; idempotent.

    A lot that is stated again is kept; a lot that is no longer stated is closed on ``as_of``; a new
    lot is opened. If the quantity of a symbol changed, the old lot is closed and the new one opened
    on ``as_of``, both at the close of that session (of the previous session on a closed day) if it
    is stored. Lots of a first statement with unknown entry date are entered on the calendar's first
    session and flagged, until a statement has their date. New lots of a later statement are entered
    on their stated date, or on ``as_of`` if that date is unknown or not after the previous
    statement.

    Parameters
    ----------
    stated_lots : DataFrame
        One row per lot, with the columns of `sources.lot_validation.validate_lots`.
    equity : Decimal, optional
        Net asset value on ``as_of`` in the portfolio's currency; None keeps the stored value.
    unreadable_symbols : collection of str, optional
        Symbols with rows that could not be read: their lots, and options on them, are not changed,
        because an unreadable row is not a sale.

    Raises
    ------
    UsageError
        If a later statement or transactions of the portfolio are stored, or several portfolios have
        the name.
    """
    lock(connection)
    portfolio = find_or_create_portfolio(connection, name)
    if is_kept_by_transactions(connection, portfolio["id"]):
        raise UsageError(
            f"{name} is kept by transactions: a statement would replace its lots. Import"
            " transactions, or use another name"
        )
    _refuse_earlier_statement(name, as_of, portfolio["holdings_as_of"])
    held = _group_by_instrument(_open_lots(connection, portfolio["id"], as_of))
    stated = _group_by_instrument(_parse_stated_lots(stated_lots))
    skipped = {
        instrument
        for instrument in held
        if instrument[0] in unreadable_symbols or instrument[2] in unreadable_symbols
    }
    changes = _replace_lots(connection, portfolio, held, stated, skipped, as_of)
    record_statement(connection, portfolio["id"], as_of, equity)
    known_equity = (portfolio["equity_balance"], portfolio["equity_as_of"])
    is_equity_changed = equity is not None and known_equity != (equity, as_of)
    first_days = [day for day in (changes.first_day, as_of if is_equity_changed else None) if day]
    if not first_days:
        return changes
    outdated = outdated_results.record_changed_holdings(
        connection, portfolio["id"], min(first_days)
    )
    return changes._replace(outdated=outdated)


def _refuse_earlier_statement(name: str, as_of: date, previous_day: date | None) -> None:
    """Raise UsageError if a later statement of the portfolio is stored."""
    if previous_day is not None and as_of < previous_day:
        raise UsageError(
            f"holdings of {name} are already stored for {previous_day}, later than {as_of}: use a"
            " later date, or start again with `riskmetrics portfolio remove`"
        )


def _replace_lots(
    connection: sa.Connection,
    portfolio: sa.RowMapping,
    held: _LotsByInstrument,
    stated: _LotsByInstrument,
    skipped: Collection[_Instrument],
    as_of: date,
) -> StatementChanges:
    """Correct, close and open lots of all instruments except skipped ones."""
    instruments = held.keys() | stated.keys()
    closes = read_session_closes(connection, {instrument[0] for instrument in instruments}, as_of)
    opened, closed, changed, n_kept = list[_Lot](), list[_Lot](), list[date](), 0
    for instrument in sorted(instruments.difference(skipped), key=str):
        old, new, pairs = _match_lots(held[instrument], stated[instrument])
        for lot, row in pairs:
            n_kept += 1
            if first_day := _correct_lot(connection, lot, row, as_of):
                changed.append(first_day)
        closed += old
        entry = _Entry(as_of, portfolio["holdings_as_of"], is_replacement=bool(old))
        opened += [row | entry.resolve(row, _lot_close(row, closes)) for row in new]
    _close_lots(connection, closed, as_of, closes)
    if opened:
        connection.execute(
            sa.insert(tables.positions), [lot | {"portfolio_id": portfolio["id"]} for lot in opened]
        )
    return StatementChanges(
        str(portfolio["id"]),
        len(opened),
        len(closed),
        len(changed),
        n_kept - len(changed),
        _sorted_symbols(closed),
        _sorted_symbols(lot for instrument in skipped for lot in held[instrument]),
        sum(lot["entry_date_assumed"] for lot in opened),
        min(
            [*changed, *(lot["entry_date"] for lot in opened), *[as_of][: len(closed)]],
            default=None,
        ),
    )


def _sorted_symbols(lots: Iterable[_Lot]) -> tuple[str, ...]:
    return tuple(sorted({lot["symbol"] for lot in lots}))


def is_kept_by_transactions(connection: sa.Connection, portfolio_id: object) -> bool:
    """Return whether the lots of a portfolio follow from its transactions."""
    return bool(connection.scalar(sa.select(is_by_transactions(portfolio_id))))


def lock(connection: sa.Connection) -> None:
    """Lock writes of holdings until the end of this transaction."""
    write.lock_asset(connection, "holdings")


def _open_lots(connection: sa.Connection, portfolio_id: object, day: date) -> list[_Lot]:
    table = tables.positions
    statement = (
        sa.select(table)
        .where(table.c.portfolio_id == portfolio_id, table.c.deleted_at.is_(None), is_open(day))
        .order_by(table.c.entry_date, table.c.id)
    )
    lots = [dict(row) for row in connection.execute(statement).mappings()]
    for lot in lots:
        if lot["position_type"] in SHORT_TYPES:
            # other programs may have stored the quantity without its sign
            lot["quantity"] = -abs(lot["quantity"])
        if lot["entry_date_assumed"]:
            lot["entry_date"] = None  # as in a statement
    return lots


def read_open_quantities(
    connection: sa.Connection, name: str, day: date
) -> dict[str, Decimal] | None:
    """Return the quantity of each symbol that a portfolio holds on a day; None if there is none."""
    portfolio_id = connection.scalar(
        sa.select(tables.portfolios.c.id).where(is_live_portfolio(name))
    )
    if portfolio_id is None:
        return None
    quantities: dict[str, Decimal] = {}
    for lot in _open_lots(connection, portfolio_id, day):
        quantities[lot["symbol"]] = quantities.get(lot["symbol"], Decimal(0)) + lot["quantity"]
    return quantities


_COLUMN_PRECISION = {"quantity": QUANTITY_UNIT} | dict.fromkeys(
    ("entry_price", "strike_price", "last_price"), PRICE_UNIT
)
"""Smallest unit of the columns that numbers of a statement are stored in."""


def _parse_stated_lots(stated_lots: pd.DataFrame) -> Iterator[_Lot]:
    for row in stated_lots.to_dict("records"):
        lot = {str(name): None if pd.isna(value) else value for name, value in row.items()}
        for name, unit in _COLUMN_PRECISION.items():
            if lot[name] is not None:
                lot[name] = Decimal(str(lot[name])).quantize(unit)
        yield lot


def _group_by_instrument(
    lots: "list[_Lot] | Iterator[_Lot]",
) -> _LotsByInstrument:
    found: _LotsByInstrument = defaultdict(list)
    for lot in lots:
        found[tuple(lot[name] for name in _INSTRUMENT_COLUMNS)].append(lot)
    return found


def _match_lots(
    held: list[_Lot], stated: list[_Lot]
) -> tuple[list[_Lot], list[_Lot], list[tuple[_Lot, _Lot]]]:
    """Pair lots of equal quantity, preferring equal entries.

    Returns unpaired held lots, unpaired stated lots, and the pairs.
    """
    pairs: list[tuple[_Lot, _Lot]] = []
    for n_columns in (3, 2, 1):
        names = ("quantity", "entry_date", "entry_price")[:n_columns]
        held, stated, matched = pair_rows(held, stated, names)
        pairs += matched
    return held, stated, pairs


def pair_rows(
    stored: Iterable[_Lot], new: Iterable[_Lot], names: Sequence[str]
) -> tuple[list[_Lot], list[_Lot], list[tuple[_Lot, _Lot]]]:
    """Pair rows with equal columns; return unpaired stored rows, unpaired new rows, and pairs."""
    unmatched: defaultdict[tuple[object, ...], list[_Lot]] = defaultdict(list)
    for row in new:
        unmatched[tuple(row[name] for name in names)].append(row)
    unpaired, pairs = list[_Lot](), list[tuple[_Lot, _Lot]]()
    for old in stored:
        if same := unmatched[tuple(old[name] for name in names)]:
            pairs.append((old, same.pop(0)))
        else:
            unpaired.append(old)
    return unpaired, [row for rows in unmatched.values() for row in rows], pairs


def _correct_lot(connection: sa.Connection, lot: _Lot, row: _Lot, as_of: date) -> date | None:
    """Update description and entry of a lot from a statement, if the entry date agrees.

    Returns the first day whose results this changes, None if it changes none: a description is that
    of the day of the statement, and a listed lot is valued at its close, whatever price is stated.
    """
    values = {name: row[name] for name in _DESCRIPTION_COLUMNS if row[name] is not None}
    if lot["entry_date_assumed"] and row["entry_date"] is not None:
        values |= {"entry_date": row["entry_date"], "entry_date_assumed": False}
    if row["entry_price"] is not None and row["entry_date"] == values.get(
        "entry_date", lot["entry_date"]
    ):
        values |= {"entry_price": row["entry_price"]}
    values = {name: value for name, value in values.items() if lot[name] != value}
    if values:
        table = tables.positions
        connection.execute(
            sa.update(table)
            .where(table.c.id == lot["id"])
            .values(**values, updated_at=sa.func.now())
        )
        if values.keys() == {"last_price"} and lot["investment_class"] == "PUBLIC":
            return None
        is_entry_changed = not values.keys().isdisjoint({"entry_date", "entry_price"})
        return (lot["entry_date"] or trading_calendar.FIRST_SESSION) if is_entry_changed else as_of
    return None


class _Entry(NamedTuple):
    """Rules for entry date and price of a new lot."""

    as_of: date
    previous_day: date | None
    """Day of the portfolio's previous statement; None if this is the first."""
    is_replacement: bool
    """Whether the lot replaces a closed lot."""

    def resolve(self, row: _Lot, close: Decimal | None) -> _Lot:
        """Return entry date, entry price and entry_date_assumed of a stated lot, if they differ."""
        stated_date, stated_price = row["entry_date"], row["entry_price"]
        if stated_date == self.as_of:
            return {
                "entry_price": stated_price if stated_price is not None else close,
                "entry_date_assumed": False,
            }
        if self.is_replacement or (
            stated_date and self.previous_day and stated_date <= self.previous_day < self.as_of
        ):
            # The stated entry is that of the whole holding, or of a holding in another account: its
            # profit does not belong to this portfolio.
            return {"entry_date": self.as_of, "entry_price": close, "entry_date_assumed": False}
        if stated_date is not None:
            return {"entry_date_assumed": False}
        if self.previous_day is None:
            return {"entry_date": trading_calendar.FIRST_SESSION, "entry_date_assumed": True}
        return {
            "entry_date": self.as_of,
            "entry_price": stated_price if stated_price is not None else close,
            "entry_date_assumed": False,
        }


def read_session_closes(
    connection: sa.Connection, symbols: Iterable[object], day: date
) -> dict[str, Decimal]:
    """Return the closes of a session by symbol; on a closed day, of the previous session.

    Symbols without a close are left out.
    """
    table = adjusted_prices(connection)
    session = trading_calendar.previous_or_same_session(day)
    statement = sa.select(table.c.symbol, table.c.close).where(
        table.c.symbol == any_of(symbols), table.c.date == session
    )
    return dict(connection.execute(statement).all())


def _lot_close(lot: _Lot, closes: Mapping[str, Decimal]) -> Decimal | None:
    """Return the close of a lot's symbol; None for options and private holdings."""
    is_unlisted = lot["investment_class"] in {"OPTIONS", "PRIVATE"}
    return None if is_unlisted else closes.get(lot["symbol"])


def _close_lots(
    connection: sa.Connection, lots: list[_Lot], day: date, closes: Mapping[str, Decimal]
) -> None:
    table = tables.positions
    values = {"exit_date": day, "exit_price": sa.bindparam("price"), "updated_at": sa.func.now()}
    statement = sa.update(table).where(table.c.id == sa.bindparam("lot")).values(values)
    if lots:
        connection.execute(
            statement, [{"lot": lot["id"], "price": _lot_close(lot, closes)} for lot in lots]
        )


def record_statement(
    connection: sa.Connection,
    portfolio_id: object,
    as_of: date,
    equity: Decimal | None,
    *,
    keeps_equity: bool = True,
) -> None:
    """Store the day of a portfolio's latest statement, and its equity on that day.

    Without an equity, that of an earlier statement stays, unless ``keeps_equity`` is false.
    """
    table = tables.portfolios
    values: dict[str, object] = {"holdings_as_of": as_of}
    if equity is not None or not keeps_equity:
        values |= {"equity_balance": equity, "equity_as_of": None if equity is None else as_of}
    differs = sa.or_(*(table.c[name].is_distinct_from(value) for name, value in values.items()))
    connection.execute(
        sa.update(table)
        .where(table.c.id == portfolio_id, differs)
        .values(**values, updated_at=sa.func.now())
    )

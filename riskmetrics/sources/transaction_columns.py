"""Columns of a table of transactions of which several could be meant: quantities, costs, currency.

Their numbers decide: a filled quantity is at most that of its order, and a total of costs the sum
of the others.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from riskmetrics.metrics._typing import BoolArray, FloatArray
from riskmetrics.sources import cells
from riskmetrics.sources.statement_lines import Line
from riskmetrics.sources.table_headers import HeaderAliases, header_key
from riskmetrics.sources.vocabulary import bare_words, load_vocabulary

_MONEY_COLUMNS = ("price", "amount", "debit", "credit", "commission", "fees", "taxes")
_COST_COLUMNS = ("commission", "fees")
_MAX_DIFFERENCE = 0.02
"""Relative difference of an amount with fees from the product of quantity and price."""
_MAX_ROUNDING = 0.005 + 1e-9
"""Dollars by which a total of costs may differ from their sum."""


def choose_quantity(columns: Mapping[str, int], rows: Sequence[Line]) -> dict[str, int]:
    """Return columns without ``filled``, which takes the place of the quantity if it is one.

    The filled quantities of the rows are numbers, some differ from the quantity of the order, and
    none exceeds it: others are percentages, or cumulate those of several rows.
    """
    chosen = dict(columns)
    filled = chosen.pop("filled", None)
    if filled is None or "quantity" not in chosen:
        return chosen
    quantity, _ = _read_numbers(rows, chosen["quantity"])
    found, invalid = _read_numbers(rows, filled)
    excess = (np.abs(found) - np.abs(quantity))[np.isfinite(found)]
    if excess.any() and not (excess > 0).any() and not invalid.any():
        chosen["quantity"] = filled
        chosen.pop("remaining_quantity", None)
    return chosen


def choose_amount(columns: Mapping[str, int], rows: Sequence[Line]) -> dict[str, int]:
    """Return columns in which an amount of shares is the quantity, as in exports of Saxo.

    There is no other quantity, and its product with the price is in an unused column, of which the
    last counts: it is booked.
    """
    chosen = dict(columns)
    if "quantity" in chosen or not {"amount", "price"} <= chosen.keys():
        return chosen
    shares, price = (_read_numbers(rows, chosen[name])[0] for name in ("amount", "price"))
    is_trade = np.isfinite(shares * price)
    used = {*chosen.values()}
    for place in sorted({*range(max(len(row.cells) for row in rows))} - used, reverse=True):
        value = np.abs(_read_numbers(rows, place)[0][is_trade])
        product = np.abs(shares * price)[is_trade]
        if len(value) and (np.abs(value - product) <= _MAX_DIFFERENCE * product).all():
            return chosen | {"quantity": chosen["amount"], "amount": place}
    return chosen


def choose_net_amount(
    columns: Mapping[str, int], rows: Sequence[Line], is_paid: Sequence[bool]
) -> dict[str, int]:
    """Return columns whose amount is the net one of two, if the cells show that.

    In all rows an unused column has the amount with the costs of what is paid, such as a purchase,
    and without them of what is received.
    """
    chosen = dict(columns)
    costs = [name for name in (*_COST_COLUMNS, "taxes") if name in chosen]
    if "amount" not in chosen or not costs:
        return chosen
    gross = np.abs(_read_numbers(rows, chosen["amount"])[0])
    stated = [np.nan_to_num(_read_numbers(rows, chosen[name])[0]) for name in costs]
    cost = np.abs(stated).sum(axis=0)
    expected = gross + np.where(is_paid, cost, -cost)
    used = {*chosen.values()}
    for place in sorted({*range(max(len(row.cells) for row in rows))} - used):
        net = np.abs(_read_numbers(rows, place)[0])
        both = np.isfinite(net) & np.isfinite(gross)
        is_net = bool((np.abs(net - expected)[both] <= _MAX_ROUNDING).all())
        is_net &= bool((np.isfinite(gross) == both).all())
        if is_net and (cost[both] > _MAX_ROUNDING).any():
            return chosen | {"amount": place}
    return chosen


def choose_costs(
    headers: Sequence[str], columns: Mapping[str, int], aliases: HeaderAliases, rows: Sequence[Line]
) -> dict[str, int]:
    """Return columns in which no cost is counted twice: a total of costs replaces the others.

    A column of fees without an amount, such as of rates or of the names of tariffs, is none.
    """
    chosen = dict(columns)
    if "fees" in chosen and _is_tariff(rows, chosen["fees"]):
        del chosen["fees"]
    if not {*_COST_COLUMNS} <= chosen.keys():
        return chosen
    if "total" in bare_words(headers[chosen["commission"]]).split():
        del chosen["fees"]
        return chosen
    names = {key for name in _COST_COLUMNS for key in aliases[name]}
    places = {at for at, header in enumerate(headers) if header_key(header) in names}
    for name in _COST_COLUMNS:
        parts = places - {chosen[name]}
        if len(parts) > 1 and _is_column_sum(rows, chosen[name], parts):
            return {one: at for one, at in chosen.items() if one not in _COST_COLUMNS} | {
                "fees": chosen[name]
            }
    return chosen


def choose_currency(headers: Sequence[str], aliases: HeaderAliases) -> list[str]:
    """Return headers of which only one is that of the currency: the one of the amount.

    The first next to an amount shows whether a currency stands before or behind it. If it does not,
    all are kept.

    Examples
    --------
    >>> aliases = {"currency": ("currency",), "amount": ("amount",), "fees": ("fee",)}
    >>> choose_currency(["Fee", "Currency", "Amount", "Currency"], aliases)
    ['Fee', '', 'Amount', 'Currency']
    >>> choose_currency(["Units", "Currency", "Amount", "Currency", "Balance"], aliases)
    ['Units', 'Currency', 'Amount', '', 'Balance']
    """
    keys = [*map(header_key, headers), ""]
    names = aliases.get("currency", ())
    repeated = [at for at, key in enumerate(keys) if key in names and keys.count(key) > 1]
    amounts = (key for key in aliases.get("amount", ()) if key in keys)
    amount = next((keys.index(key) for key in amounts), -1)
    if not repeated or amount < 0:
        return [*headers]
    money = {key for name in _MONEY_COLUMNS for key in aliases.get(name, ())}
    around = ([keys[at - 1] in money, keys[at + 1] in money] for at in repeated)
    is_behind, is_before = next(filter(any, around), (False, False))
    has_balance = keys[repeated[-1] + 1] in load_vocabulary().columns["market_value"]
    kept = amount + (1 if is_behind else -1)
    if kept not in repeated or (is_behind and is_before and has_balance):
        return [*headers]
    is_other = {*repeated} - {kept}
    return ["" if at in is_other else header for at, header in enumerate(headers)]


def _is_tariff(rows: Sequence[Line], place: int) -> bool:
    """Return whether the cells of a column have texts without a digit, or percentages, only."""
    filled = {text for text in _texts(rows, place) if text.strip("-")}
    return bool(filled) and all(
        text.endswith("%") or not any(map(str.isdigit, text)) for text in filled
    )


def _is_column_sum(rows: Sequence[Line], place: int, parts: Iterable[int]) -> bool:
    """Return whether the numbers of a column are the sums of others, and some are not zero."""
    total = np.nan_to_num(_read_numbers(rows, place)[0])
    added = sum(np.nan_to_num(_read_numbers(rows, part)[0]) for part in parts)
    return bool(total.any() and (np.abs(total - added) <= _MAX_ROUNDING).all())


def _texts(rows: Sequence[Line], place: int) -> list[str]:
    """Return the cells of a column, empty where a row is shorter."""
    return [row.cells[place] if place < len(row.cells) else "" for row in rows]


def _read_numbers(rows: Sequence[Line], place: int) -> tuple[FloatArray, BoolArray]:
    """Return the numbers of a column, and which cells are none, with the better decimal mark."""
    column = pa.chunked_array([pa.array(_texts(rows, place), pa.string())])
    readings = (cells.parse_numbers(column, mark) for mark in cells.DECIMAL_MARKS)
    return min(readings, key=lambda reading: np.count_nonzero(reading[1]))

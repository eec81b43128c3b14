"""Lots of holdings on lines of their own, next to the line of their position."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmetrics.metrics._typing import FloatArray
from riskmetrics.sources.column_contents import MISSING_TEXTS
from riskmetrics.sources.holdings_sizes import read_numbers
from riskmetrics.sources.holdings_terms import with_texts
from riskmetrics.sources.statement_days import parse_stated_day
from riskmetrics.sources.statement_parser import SkippedLine
from riskmetrics.sources.tabular_files import Table
from riskmetrics.sources.vocabulary import load_vocabulary, starts_with

_LOT_DATE = r"\d{1,2}/\d{1,2}/(?:\d{4}|\d{2})|\d{4}-\d\d-\d\d"
"""Pattern of a date in the place of a symbol, as in a line of a lot below its position."""
_MIN_SUMMED_ACCOUNTS = 3
"""Accounts of a file with one that is the sum of the others; of two, both are equal."""
_ROUNDING = 0.001
"""Relative difference of a rounded value or cost from the sum of those of lots."""
_PRICE_ROUNDING = 0.02
"""That of a cost by a price, which may be rounded or without fees."""


def place_lots(table: Table, decimal: str, dates: str | None) -> tuple[Table, list[SkippedLine]]:
    """Replace positions by their lots on other lines, and return the skipped lines."""
    table, sums = _place_lines_of_dates(table, decimal, dates)
    table, others = _drop_undated_sums(table, decimal)
    table, of_accounts = _drop_sums_of_accounts(table, decimal)
    return table, [*sums, *others, *of_accounts]


def _place_lines_of_dates(
    table: Table, decimal: str, dates: str | None
) -> tuple[Table, list[SkippedLine]]:
    """Replace positions by the lots below them, and return the skipped lines.

    A line of a lot has its date in the place of the symbol. Lots whose quantities do not sum to
    that of the position are skipped instead of the position.
    """
    symbols = table.text("symbol")
    is_lot = symbols.str.fullmatch(_LOT_DATE).to_numpy(bool)
    if "quantity" not in table.columns or not is_lot.any() or is_lot[0]:
        return table, []
    position = np.maximum.accumulate(np.where(is_lot, 0, np.arange(table.n_rows)))
    quantity = read_numbers(table, "quantity", decimal)
    sums = np.bincount(position[is_lot], np.nan_to_num(quantity[is_lot]), minlength=table.n_rows)
    has_lots = np.isin(np.arange(table.n_rows), position[is_lot])
    agrees = np.isclose(sums, quantity) & has_lots
    skipped = np.where(is_lot, ~agrees[position], agrees)
    days = symbols.map(
        lambda text: str(parse_stated_day(text, dates or table.default_order).day or text)
    )
    entry = table.text("entry_date").mask(is_lot, days)
    placed = with_texts(
        table, symbol=symbols.iloc[position].reset_index(drop=True), entry_date=entry
    )
    reasons = np.where(
        is_lot, "a lot; the lots do not sum to the position", "the sum of the lots below"
    )
    return placed.keep_rows(~skipped), skipped_lines(table, np.where(skipped, reasons, ""))


def _drop_undated_sums(table: Table, decimal: str) -> tuple[Table, list[SkippedLine]]:
    """Drop positions whose lots are on lines of the same symbol, and return the skipped lines.

    The position is the only one of these lines without a date, and the sum of the others. A lone
    lot counts only next to a position of several: else it may be one of two equal lots.
    """
    if not table.columns.keys() >= {"quantity", "entry_date", "symbol"}:
        return table, []
    quantity, value, cost, price = (
        read_numbers(table, name, decimal)
        for name in ("quantity", "market_value", "cost_basis", "entry_price")
    )
    sizes = np.column_stack([quantity, value, cost, quantity * price])
    has_day = ~table.text("entry_date").isin([*MISSING_TEXTS]).to_numpy(bool)
    n_lots = np.zeros(table.n_rows, dtype=int)  # of which each row is the sum
    symbols = table.text("symbol")
    keys = table.text("account") + "|" + table.text("account_number") + "|" + symbols
    codes = pd.factorize(keys)[0]
    n_rows, n_alone = np.bincount(codes), np.bincount(codes, ~has_day)
    rows_by_code = np.split(np.argsort(codes, kind="stable"), np.cumsum(n_rows)[:-1])
    for code in np.flatnonzero((n_rows > 1) & (n_alone == 1)):
        places = rows_by_code[code]
        [alone], lots = places[~has_day[places]], places[has_day[places]]
        if symbols[alone] != "" and _is_lot_sum(sizes[alone], sizes[lots]):
            n_lots[alone] = len(lots)
    is_sum = (n_lots > 0) & (n_lots.max(initial=0) > 1)
    reasons = np.where(is_sum, "the sum of the lots with its symbol", "").astype(object)
    return table.keep_rows(~is_sum), skipped_lines(table, reasons)


def _drop_sums_of_accounts(table: Table, decimal: str) -> tuple[Table, list[SkippedLine]]:
    """Drop the account that is the sum of at least two others, and return the skipped lines.

    It has all of their securities, and two of them at least, or the word for a total as its name.
    """
    accounts, symbols = table.text("account") + table.text("account_number"), table.text("symbol")
    quantity = np.nan_to_num(read_numbers(table, "quantity", decimal))
    rows = pd.DataFrame({"account": accounts, "symbol": symbols, "quantity": quantity})
    held = rows[(quantity != 0) & (symbols != "").to_numpy(bool)]
    if held["account"].nunique() < _MIN_SUMMED_ACCOUNTS:
        return table, []
    sums = held.groupby(["account", "symbol"], as_index=False, sort=False)["quantity"].sum()
    of_all = sums.groupby("symbol")["quantity"].transform("sum")
    is_half = pd.Series(np.isclose(2 * sums["quantity"], of_all)).groupby(sums["account"])
    n_symbols = sums["symbol"].nunique()
    is_sum = is_half.all() & (is_half.size() == n_symbols)
    totals = load_vocabulary().totals | load_vocabulary().sums
    found = [
        name for name in is_sum[is_sum].index if n_symbols > 1 or starts_with(str(name), totals)
    ]
    is_dropped = accounts.isin(found).to_numpy(bool)
    reasons = np.where(is_dropped, "the sum of the other accounts", "").astype(object)
    return table.keep_rows(~is_dropped), skipped_lines(table, reasons)


def _is_lot_sum(position: FloatArray, lots: FloatArray) -> bool:
    """Return whether quantity, value and cost of a position sum those of lots, where stated.

    The last number is the cost by the average price, which may be without fees.

    Examples
    --------
    >>> lots = np.array([[5, 50, np.nan, 45], [7, 70, 60, 60]])
    >>> [_is_lot_sum(np.array([12, *sums]), lots) for sums in ([120, 99, 105], [np.nan, 99, 106])]
    [True, True]
    >>> [_is_lot_sum(np.array([12, *sums]), lots) for sums in ([121, 1, 105], [120, 99, 120])]
    [False, False]
    """
    sums = lots.sum(axis=0)
    is_unstated = np.isnan(sums) | np.isnan(position)
    rounding = np.array([_ROUNDING, _ROUNDING, _ROUNDING, _PRICE_ROUNDING])
    agrees = np.abs(sums - position) <= rounding * np.abs(position)
    return bool(np.isclose(sums[0], position[0], rtol=1e-6) and (agrees | is_unstated)[1:].all())


def skipped_lines(table: Table, reasons: NDArray[Any]) -> list[SkippedLine]:
    """Return the lines of the rows with a reason."""
    places = np.flatnonzero(reasons != "")
    return [
        SkippedLine(line, str(reason))
        for (line, _), reason in zip(table.locate(places), reasons[places], strict=True)
    ]

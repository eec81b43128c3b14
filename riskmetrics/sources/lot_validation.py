"""Validation of holdings: lots in the format of the database, or weights to be converted."""

import math
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from riskmetrics.errors import DataQualityError
from riskmetrics.metrics._typing import BoolArray, FloatArray
from riskmetrics.sources import cells
from riskmetrics.sources.asset_classes import asset_class, is_supported_class
from riskmetrics.sources.dates import FIRST_DAY
from riskmetrics.sources.holdings_columns import FOREIGN_AMOUNT
from riskmetrics.sources.holdings_sizes import check_values
from riskmetrics.sources.row_validation import (
    MIN_PRICE,
    PRICE_LIMIT,
    ParseResult,
    RowValidator,
    blank_to_none,
    join_names,
    to_dates,
)
from riskmetrics.sources.symbol_forms import are_coins, is_coin
from riskmetrics.sources.tabular_files import Table
from riskmetrics.symbols import parse_option
from riskmetrics.transactions.model import CONTRACT_SIZE

LONG_OPTIONS, SHORT_OPTIONS = ("LC", "LP"), ("SC", "SP")
POSITION_TYPES = {
    **{name: name for name in ("LONG", "SHORT", *LONG_OPTIONS, *SHORT_OPTIONS)},
    "L": "LONG",
    "S": "SHORT",
    "BUY": "LONG",
    "SELL": "SHORT",
    "LONG CALL": "LC",
    "LONG PUT": "LP",
    "SHORT CALL": "SC",
    "SHORT PUT": "SP",
}
MIN_QUANTITY, QUANTITY_LIMIT = 1e-10, 1e12
"""Smallest quantity, stored with ten decimals, and the exclusive limit of quantities."""
_MAX_ENTRY_PRICE_DIFFERENCE = 0.05
"""Maximum relative difference between the entry price of a share and its cost, such as by fees."""
_LOT_COLUMNS = (
    "symbol",
    "quantity",
    "entry_price",
    "entry_date",
    "position_type",
    "investment_class",
    "underlying_symbol",
    "strike_price",
    "expiration_date",
    "last_price",
    "market_value",
)
"""Columns of validated lots, in their order."""
_MONEY_COLUMNS = ("entry_price", "cost_basis", "last_price", "market_value")


def validate_lots(
    table: Table,
    as_of: date,
    *,
    decimal: str = ".",
    date_order: str | None = None,
    stated_by: str = "quantity",
    scale: float = 1.0,
) -> ParseResult:
    """Validate rows of holdings, one lot per row.

    Parameters
    ----------
    table : Table
        Columns named as in `layouts.HEADER_ALIASES`, any subset that includes symbol; form_problem
        as in `holdings_rows.prepare_rows`.
    as_of : date
        Day of the holdings; a lot entered later is rejected.
    decimal : str
        Decimal mark of the numbers, "." or ",".
    date_order : str, optional
        One of `dates.DATE_ORDERS`. Default: inferred from each column.
    stated_by : str
        Column that states how much is held: quantity, weight or market_value.
    scale : float
        Number that the column is divided by: the total of the weights, 1 or 100.

    Returns
    -------
    ParseResult
        symbol, quantity (float64, shares or contracts, negative for SHORT, SC, SP; else the weight
        as a fraction, or the value in dollars), entry_price (float64, dollars per share, from the
        cost basis if there is one, NaN if unknown), entry_date (datetime.date or None),
        position_type (LC, LP, SC, SP, LONG, SHORT; if absent, from symbol and sign),
        investment_class (PUBLIC, OPTIONS, PRIVATE), underlying_symbol (None if absent),
        strike_price, last_price (float64, NaN if absent), expiration_date (like entry_date),
        market_value (float64, dollars, with the sign of the quantity, NaN if absent).
    """
    validator = RowValidator(table, decimal, date_order)
    _reject_non_usd(validator)
    validator.reject(validator.text("form_problem") != "", "{form_problem}")
    symbols = validator.symbols("symbol")
    amounts = _read_amounts(validator, stated_by, scale)
    prices = np.fmax(amounts.last_price, amounts.entry_price)
    # by the price alone: SUI is a coin, and the symbol of Sun Communities
    is_priced = [is_coin(symbol, "", price) for symbol, price in zip(symbols, prices, strict=True)]
    if any(is_priced) and are_coins(symbols):  # else SOL and LTC are shares
        is_priced = [is_coin(symbol, "", math.inf) for symbol in symbols]
    validator.reject(np.array(is_priced, dtype=bool), "{symbol} is a cryptocurrency")
    entry = validator.days("entry_date")
    _reject_invalid_quantity(validator, symbols, amounts.quantity, stated_by)
    validator.reject(
        entry > np.datetime64(as_of),
        f"entry_date {{entry_date}} is after {as_of}, the day of these holdings",
    )
    validator.reject(
        entry < np.datetime64(FIRST_DAY),
        f"entry_date {{entry_date}} is before {FIRST_DAY.year}: correct it, or leave it empty",
    )
    instruments = _instrument_columns(validator, symbols, amounts.quantity, stated_by)
    values = _value_columns(validator, amounts, instruments["position_type"], stated_by)
    columns = {"symbol": symbols, "entry_date": to_dates(entry), **instruments, **values}
    return validator.result(pd.DataFrame(columns)[list(_LOT_COLUMNS)], allow_empty=True)


class _Amounts(NamedTuple):
    """Numbers of each row as stated."""

    quantity: FloatArray
    """Shares or contracts, or weight as a fraction."""
    entry_price: FloatArray
    last_price: FloatArray
    cost: FloatArray
    value: FloatArray


def _read_amounts(validator: RowValidator, stated_by: str, scale: float) -> _Amounts:
    """Read size, prices, cost and value; rows with an unreadable one are rejected."""
    return _Amounts(
        validator.numbers(stated_by) / scale,
        validator.prices("entry_price"),
        validator.prices("last_price"),
        validator.numbers("cost_basis"),
        validator.numbers("market_value"),
    )


def _instrument_columns(
    validator: RowValidator, symbols: "pd.Series[str]", quantity: FloatArray, stated_by: str
) -> "dict[str, pd.Series[Any]]":
    """Return position type, asset class and option terms; reject contradictions."""
    terms = _option_terms(validator)
    types = _position_types(validator, symbols, quantity, terms["right"], stated_by)
    classes = _investment_classes(validator)
    options = _is_option(types)
    _reject_unreadable_options(
        validator, symbols, terms["right"], (classes == "OPTIONS") & ~options
    )
    return {
        "position_type": types,
        "investment_class": classes.mask(options, "OPTIONS"),
        "underlying_symbol": blank_to_none(terms["underlying"]),
        "strike_price": terms["strike"],
        "expiration_date": to_dates(terms["expiration"].to_numpy("datetime64[D]")),
    }


def _value_columns(
    validator: RowValidator, amounts: _Amounts, types: "pd.Series[str]", stated_by: str
) -> dict[str, FloatArray]:
    """Return signed quantity, prices per share and market value; reject values that differ."""
    quantity, value, last = amounts.quantity, amounts.value, amounts.last_price
    contract = _contract_sizes(validator, _is_option(types))
    has_quantities = stated_by == "quantity"
    units = np.abs(quantity) * contract if has_quantities else np.full(len(quantity), np.nan)
    check_values(validator, units * last, np.abs(value))
    signed = np.where(types.isin(["SHORT", *SHORT_OPTIONS]), -np.abs(quantity), quantity)
    entry = _per_unit(amounts.cost, units, otherwise=amounts.entry_price)
    is_share = ~_is_option(types).to_numpy(bool)
    stated = amounts.entry_price
    differs = np.abs(entry - stated) > _MAX_ENTRY_PRICE_DIFFERENCE * stated
    if (is_contradicted := differs & is_share & validator.valid_rows).any():
        entry[is_contradicted] = np.nan
        names = join_names(validator.text("symbol")[is_contradicted])
        validator.notes.append(
            f"entry price unknown, because price and cost differ, as in two currencies: {names}"
        )
    return {
        "quantity": signed,
        "entry_price": entry,
        "last_price": np.where(np.isnan(last), _per_unit(value, units, otherwise=last), last),
        "market_value": np.abs(value) * np.sign(signed),
    }


def _is_option(types: "pd.Series[str]") -> "pd.Series[bool]":
    """Return whether each position type is that of an option."""
    return types.isin([*LONG_OPTIONS, *SHORT_OPTIONS])


def _reject_non_usd(validator: RowValidator) -> None:
    validator.reject_foreign_currency()
    for name in _MONEY_COLUMNS:
        validator.reject(
            validator.text(name).str.contains(FOREIGN_AMOUNT),
            f"{name} {{{name}}}: only USD is supported",
        )
    texts = map(validator.text, ("investment_class", "symbol", "description"))
    validator.reject(
        ~np.array([*map(is_supported_class, *texts)], dtype=bool),
        "{investment_class}: only shares, funds and options on them are supported",
    )


def _reject_invalid_quantity(
    validator: RowValidator, symbols: "pd.Series[str]", quantity: FloatArray, name: str
) -> None:
    validator.reject(symbols == "", "no symbol")
    validator.reject(np.isnan(quantity), f"no {name}")
    # the quantity that a weight gives is not known yet
    minimum = MIN_QUANTITY if name == "quantity" else np.finfo(float).tiny
    validator.reject(np.abs(quantity) < minimum, f"{name} {{{name}}} is zero")
    validator.reject(np.abs(quantity) >= QUANTITY_LIMIT, f"{name} {{{name}}} is too large")


def _option_terms(validator: RowValidator) -> pd.DataFrame:
    """Return option terms from columns, else from symbols: right, underlying, strike, expiration.

    The right (C, P) comes from the symbol only and is empty if the symbol has none.
    """
    found = cells.map_unique(validator.table.columns["symbol"], parse_option)
    underlying = validator.symbols("underlying_symbol", max_length=10)
    strike, expiration = validator.prices("strike_price"), validator.days("expiration_date")
    from_symbol = pd.DataFrame(
        {
            "right": pd.Series([one.right if one else "" for one in found], dtype="str"),
            "underlying": pd.Series([one.underlying if one else "" for one in found], dtype="str"),
            "strike": np.array([float(one.strike) if one else np.nan for one in found]),
            "expiration": pd.Series(
                [one.expiration if one else None for one in found], dtype="datetime64[s]"
            ),
        }
    )
    return from_symbol.assign(
        underlying=underlying.mask(underlying == "", from_symbol["underlying"]),
        strike=np.where(np.isnan(strike), from_symbol["strike"], strike),
        expiration=from_symbol["expiration"].where(
            np.isnat(expiration), pd.Series(expiration.astype("datetime64[s]"))
        ),
    )


def _reject_unreadable_options(
    validator: RowValidator,
    symbols: "pd.Series[str]",
    right: "pd.Series[str]",
    has_option_class_only: "pd.Series[bool]",
) -> None:
    """Reject options without right, invalid option symbols, and adjusted options."""
    validator.reject(has_option_class_only, "option without position_type LC, LP, SC or SP")
    validator.reject(
        (right == "") & symbols.str.contains(r"\d{6}[CP]\d"),
        "symbol {symbol} looks like an option symbol but is not valid",
    )
    validator.reject(
        (right != "") & symbols.str.contains(r"\d{7}[CP]"),
        "{symbol} is an adjusted option with an unknown deliverable",
    )


def _contract_sizes(validator: RowValidator, options: "pd.Series[bool]") -> FloatArray:
    """Return the shares per unit of each holding; reject rows that state another multiplier."""
    stated, sizes = validator.numbers("multiplier"), np.where(options, CONTRACT_SIZE, 1)
    validator.reject(
        ~np.isnan(stated) & (stated != sizes),
        f"multiplier {{multiplier}} is not supported (1 for shares, {CONTRACT_SIZE} for options)",
    )
    return sizes


def _position_types(
    validator: RowValidator,
    symbols: "pd.Series[str]",
    quantity: FloatArray,
    right: "pd.Series[str]",
    name: str,
) -> "pd.Series[str]":
    """Return position types from text, sign and right of options; reject contradictions."""
    stated_types = (
        validator.text("position_type").str.upper().str.replace(r"[\s_-]+", " ", regex=True)
    )
    types = stated_types.map(POSITION_TYPES).astype("str")
    validator.reject(
        (stated_types != "") & types.isna(),
        f"position_type '{{position_type}}' is not one of {', '.join(list(POSITION_TYPES)[:6])}",
    )
    opposed = types.isin(LONG_OPTIONS) & (quantity < 0)
    validator.reject(
        opposed, f"position_type {{position_type}} contradicts the negative {name} {{{name}}}"
    )
    other_right = _is_option(types) & (right != "") & (types.str[-1] != right)
    validator.reject(
        other_right, "position_type {position_type} contradicts the option symbol {symbol}"
    )
    turned = (types == "LONG") & (quantity < 0) & validator.valid_rows
    if turned.any():
        validator.notes.append(
            f"LONG with a negative quantity, imported as SHORT: {join_names(symbols[turned])}"
        )
    by_sign = pd.Series(np.where(quantity < 0, "SHORT", "LONG"), dtype="str")
    sides = types.where(types.notna() & ~turned, by_sign)
    return sides.mask((right != "") & sides.isin(["LONG", "SHORT"]), sides.str[0] + right)


def _investment_classes(validator: RowValidator) -> "pd.Series[str]":
    """Return PRIVATE or OPTIONS if the asset class is private or an option, else PUBLIC."""
    stated_classes = validator.text("investment_class")
    classes = np.select(
        [
            stated_classes.str.upper().str.contains("PRIVATE"),
            stated_classes.map(asset_class) == "option",
        ],
        ["PRIVATE", "OPTIONS"],
        "PUBLIC",
    )
    return pd.Series(classes, dtype="str")


def _per_unit(total: FloatArray, units: FloatArray, *, otherwise: FloatArray) -> FloatArray:
    """Return dollars per share from a total, or ``otherwise`` where that gives no valid price.

    A cost basis of zero, such as that of a gift, gives no valid price.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        price = np.abs(total) / units
    usable: BoolArray = (price >= MIN_PRICE) & (price < PRICE_LIMIT)
    return np.where(usable, price, otherwise)


def weights_to_quantities(
    weighted: pd.DataFrame,
    closes: Mapping[str, Decimal],
    value: float,
    day: date,
    last_priced: date | None = None,
) -> pd.DataFrame:
    """Convert weights to quantities at the closes of a day.

    Parameters
    ----------
    weighted : DataFrame
        Result of `validate_lots` with weights, or with values in dollars.
    closes : mapping
        Close by symbol, dollars. Options and private holdings use their stated price instead.
    value : float
        Value that the weights refer to, dollars; 1 if they are values.
    day : date
        Day of the closes.
    last_priced : date, optional
        Last day to which all symbols have a close, for the message.

    Raises
    ------
    DataQualityError
        If any price is missing or gives a quantity that cannot be stored.
    """
    listed = weighted["investment_class"] == "PUBLIC"
    close = weighted["symbol"].map(closes).astype(float)
    price = close.where(
        listed,
        weighted["last_price"]
        * np.where(weighted["investment_class"] == "OPTIONS", CONTRACT_SIZE, 1),
    )
    if price.isna().any():
        without = join_names(weighted["symbol"][price.isna()])
        raise DataQualityError(
            f"no price of {without} on {day}. Import prices of that day first, or pass --as-of with"
            f" a session that has prices{f' (the last: {last_priced})' if last_priced else ''}:"
            " weights and values are converted to quantities at these prices"
        )
    quantity = weighted["quantity"] * value / price
    unfit = (quantity.abs() < MIN_QUANTITY) | (quantity.abs() >= QUANTITY_LIMIT)
    if unfit.any():
        raise DataQualityError(
            f"quantity of {join_names(weighted['symbol'][unfit])} is out of range with --value"
            f" {value:,.2f}"
        )
    return weighted.assign(quantity=quantity)

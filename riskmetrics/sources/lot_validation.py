"""Going through lines of holdings: lots as tables want them, or weights that become lots at a price."""

from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd

from riskmetrics.errors import DataQualityError
from riskmetrics.metrics._typing import BoolArray, FloatArray
from riskmetrics.results.lot_frames import CONTRACT_SIZE
from riskmetrics.sources import cells
from riskmetrics.sources.row_validation import (
    MIN_PRICE,
    PRICE_LIMIT,
    ParseResult,
    RowValidator,
    blank_to_none,
    join_names,
    to_dates,
)
from riskmetrics.sources.tabular_files import Table
from riskmetrics.symbols import parse_option

LONG_OPTIONS, SHORT_OPTIONS = ("LC", "LP"), ("SC", "SP")
POSITION_TYPES = {
    **{name: name for name in ("LONG", "SHORT", *LONG_OPTIONS, *SHORT_OPTIONS)},
    "LONG CALL": "LC",
    "LONG PUT": "LP",
    "SHORT CALL": "SC",
    "SHORT PUT": "SP",
}
MIN_QUANTITY, QUANTITY_LIMIT = 1e-10, 1e12
"""Smallest quantity that is stored, with ten decimals, and the first that is too large to be one."""
_FOREIGN_CURRENCY = r"(?i)^(?=.*\d).*(?:[€£¥₹]|\b(?!USD\b)[A-Z]{3}\b|\b(?!US\$)[A-Z]{1,2}\$)"
"""Digits, and the sign or code of a currency that is not the dollar."""
_MAX_VALUE_RATIO = 5.0
"""Times that a market value may be off quantity and price: of another moment, or the price rounded to a cent."""
_MONEY_COLUMNS = ("entry_price", "cost_basis", "last_price", "market_value")


def validate_lots(
    table: Table,
    as_of: date,
    *,
    decimal: str = ".",
    unpriced_classes: Collection[str] = (),
    weight_scale: float | None = None,
) -> ParseResult:
    """Go through lines of holdings, one lot each.

    Parameters
    ----------
    table : Table
        Columns as `layouts.HOLDINGS_COLUMNS` names them, as far as there are; ``decimal`` is the
        decimal mark of their numbers.
    as_of : date
        The day whose holdings these are: a lot entered later is rejected.
    unpriced_classes : collection of str
        Investment classes, in lower case, that are rejected.
    weight_scale : float, optional
        Where lots are stated by weight: what weights are parts of, 1 or 100.

    Returns
    -------
    ParseResult
        symbol, quantity (float64, shares or contracts, negative for SHORT, SC, SP; where lots are
        stated by weight that, a fraction), entry_price (float64, dollars a share, from the cost
        basis where there is one, NaN if unknown), entry_date (datetime.date or None), position_type
        (LC LP SC SP LONG SHORT; without one the symbol and the sign decide), investment_class
        (PUBLIC, OPTIONS, PRIVATE), underlying_symbol (None if none), strike_price, last_price
        (float64, NaN), expiration_date (as entry_date), market_value (float64, dollars, of the
        quantity's sign, NaN if not stated).
    """
    validator = RowValidator(table, decimal)
    _reject_non_usd(validator, unpriced_classes)
    symbols, stated_by = (
        validator.symbols("symbol"),
        "quantity" if weight_scale is None else "weight",
    )
    quantity = validator.numbers(stated_by) / (weight_scale or 1.0)
    entry_price, last = validator.prices("entry_price"), validator.prices("last_price")
    cost, value, entry = (
        validator.numbers("cost_basis"),
        validator.numbers("market_value"),
        validator.days("entry_date"),
    )
    _reject_invalid_quantity(validator, symbols, quantity, stated_by)
    validator.reject(
        entry > np.datetime64(as_of),
        f"entry_date {{entry_date}} lies after {as_of}, the day of these holdings",
    )
    terms = _option_terms(validator)
    types, classes = (
        _position_types(validator, symbols, quantity, terms["right"], stated_by),
        _investment_classes(validator),
    )
    options = types.isin([*LONG_OPTIONS, *SHORT_OPTIONS])
    _reject_unreadable_options(
        validator, symbols, terms["right"], (classes == "OPTIONS") & ~options
    )
    contract = _contract_sizes(validator, options)
    units = np.abs(quantity) * contract if weight_scale is None else np.full(len(quantity), np.nan)
    _reject_value_mismatch(validator, units * last, np.abs(value))
    signed = np.where(types.isin(["SHORT", *SHORT_OPTIONS]), -np.abs(quantity), quantity)
    return validator.result(
        pd.DataFrame(
            {
                "symbol": symbols,
                "quantity": signed,
                "entry_price": _per_unit(cost, units, otherwise=entry_price),
                "entry_date": to_dates(entry),
                "position_type": types,
                "investment_class": classes.mask(options, "OPTIONS"),
                "underlying_symbol": blank_to_none(terms["underlying"]),
                "strike_price": terms["strike"],
                "expiration_date": to_dates(terms["expiration"].to_numpy("datetime64[D]")),
                "last_price": np.where(
                    np.isnan(last), _per_unit(value, units, otherwise=last), last
                ),
                "market_value": np.abs(value) * np.sign(signed),
            }
        ),
        allow_empty=True,
    )


def _reject_non_usd(validator: RowValidator, unpriced_classes: Collection[str]) -> None:
    validator.reject_foreign_currency()
    for name in _MONEY_COLUMNS:
        validator.reject(
            validator.text(name).str.contains(_FOREIGN_CURRENCY),
            f"{name} {{{name}}}: only USD is supported",
        )
    classes = validator.text("investment_class").str.lower()
    validator.reject(
        classes.isin(list(unpriced_classes)),
        "{investment_class}: only shares, funds and options on them are valued",
    )


def _reject_invalid_quantity(
    validator: RowValidator, symbols: "pd.Series[str]", quantity: FloatArray, name: str
) -> None:
    validator.reject(symbols == "", "no symbol")
    validator.reject(np.isnan(quantity), f"no {name}")
    least = (
        MIN_QUANTITY if name == "quantity" else np.finfo(float).tiny
    )  # what a weight comes to is not known yet
    validator.reject(np.abs(quantity) < least, f"{name} {{{name}}} is zero")
    validator.reject(np.abs(quantity) >= QUANTITY_LIMIT, f"{name} {{{name}}} is too large")


def _option_terms(validator: RowValidator) -> pd.DataFrame:
    """What columns, or else symbols, tell of options: right (C, P, empty if not told by the symbol), underlying, strike, expiration."""
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
    """Reject what is called an option, or has the symbol of one, and is none; and options that deliver something else than 100 shares."""
    validator.reject(
        has_option_class_only, "an option whose position_type is none of LC, LP, SC, SP"
    )
    validator.reject(
        (right == "") & symbols.str.contains(r"\d{6}[CP]\d"),
        "symbol {symbol} looks like that of an option and cannot be read as one",
    )
    validator.reject(
        (right != "") & symbols.str.contains(r"\d{7}[CP]"),
        "{symbol} is an adjusted option: what it delivers is not known",
    )


def _reject_value_mismatch(
    validator: RowValidator, computed: FloatArray, stated: FloatArray
) -> None:
    """Reject what is worth something else than its quantity at its price: a bond, in per cent of its face value, or a small contract."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = stated / computed
    what = (
        "a bond, or a contract of another size, and only shares, funds and options on them are"
        " valued"
    )
    validator.reject(
        (ratio > 0) & ((ratio < 1 / _MAX_VALUE_RATIO) | (ratio > _MAX_VALUE_RATIO)),
        f"quantity {{quantity}} at {{last_price}} is not worth {{market_value}}: {what}",
    )


def _contract_sizes(validator: RowValidator, options: "pd.Series[bool]") -> FloatArray:
    """Shares in a unit of each holding; one with another multiplier, if that is stated, is rejected."""
    stated, sizes = validator.numbers("multiplier"), np.where(options, CONTRACT_SIZE, 1)
    validator.reject(
        ~np.isnan(stated) & (stated != sizes),
        "a multiplier of {multiplier}, which is neither that of shares nor of options on them",
    )
    return sizes


def _position_types(
    validator: RowValidator,
    symbols: "pd.Series[str]",
    quantity: FloatArray,
    right: "pd.Series[str]",
    name: str,
) -> "pd.Series[str]":
    """Each row's position type, made to agree with the quantity's sign and the option's right, or rejected."""
    stated_types = (
        validator.text("position_type").str.upper().str.replace(r"[\s_-]+", " ", regex=True)
    )
    types = stated_types.map(POSITION_TYPES).astype("str")
    validator.reject(
        (stated_types != "") & types.isna(),
        f"position_type '{{position_type}}' is none of {', '.join(list(POSITION_TYPES)[:6])}",
    )
    opposed = types.isin(LONG_OPTIONS) & (quantity < 0)
    validator.reject(
        opposed, f"position_type {{position_type}} contradicts the negative {name} {{{name}}}"
    )
    other_right = (
        types.isin([*LONG_OPTIONS, *SHORT_OPTIONS]) & (right != "") & (types.str[-1] != right)
    )
    validator.reject(
        other_right, "position_type {position_type} contradicts the option's symbol {symbol}"
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
    """PRIVATE and OPTIONS where the asset class says so ("Private Equity", "Equity Option"), else PUBLIC."""
    stated_classes = validator.text("investment_class").str.upper()
    classes = np.select(
        [stated_classes.str.contains("PRIVATE"), stated_classes.str.contains("OPTION")],
        ["PRIVATE", "OPTIONS"],
        "PUBLIC",
    )
    return pd.Series(classes, dtype="str")


def _per_unit(total: FloatArray, units: FloatArray, *, otherwise: FloatArray) -> FloatArray:
    """Dollars a share where a total is stated that makes a price; a cost basis of zero, as of a gift, makes none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        price = np.abs(total) / units
    usable: BoolArray = (price >= MIN_PRICE) & (price < PRICE_LIMIT)
    return np.where(usable, price, otherwise)


def weights_to_quantities(
    weighted: pd.DataFrame, closes: Mapping[str, Decimal], value: float, day: date
) -> pd.DataFrame:
    """Turn weights into quantities at the closes of a day.

    Parameters
    ----------
    weighted : DataFrame
        As `validate_lots` gives lots stated by weight.
    closes : mapping
        Close by symbol, dollars; an option's and a private holding's price is the stated one.
    value : float
        What the weights are parts of, dollars.

    Raises
    ------
    DataQualityError
        If a price is missing, or makes a quantity that cannot be stored: a part of the weights
        would be another portfolio.
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
            f"no price of {without} on {day}: weights become quantities at the prices of their day,"
            " import those first"
        )
    quantity = weighted["quantity"] * value / price
    unfit = (quantity.abs() < MIN_QUANTITY) | (quantity.abs() >= QUANTITY_LIMIT)
    if unfit.any():
        raise DataQualityError(
            f"with --value {value:,.2f} the quantity of {join_names(weighted['symbol'][unfit])}"
            " cannot be stored"
        )
    return weighted.assign(quantity=quantity)

"""Going through lines of holdings: lots as tables want them, or weights that become lots at a price."""

from collections.abc import Collection, Mapping
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd

from riskmetrics.errors import DataQualityError
from riskmetrics.metrics._typing import BoolArray, FloatArray
from riskmetrics.results.lots import CONTRACT_SIZE
from riskmetrics.sources import cells
from riskmetrics.sources.review import LEAST_PRICE, PRICE_LIMIT, Parsed, Review, dates_of, enumerate_some, or_none
from riskmetrics.sources.tables import Table
from riskmetrics.symbols import parse_option

LONG_OPTIONS, SHORT_OPTIONS = ("LC", "LP"), ("SC", "SP")
POSITION_TYPES = {
    **{name: name for name in ("LONG", "SHORT", *LONG_OPTIONS, *SHORT_OPTIONS)},
    "LONG CALL": "LC",
    "LONG PUT": "LP",
    "SHORT CALL": "SC",
    "SHORT PUT": "SP",
}
LEAST_QUANTITY, QUANTITY_LIMIT = 1e-10, 1e12
"""Smallest quantity that is stored, with ten decimals, and the first that is too large to be one."""
_FOREIGN = r"(?i)^(?=.*\d).*(?:[€£¥₹]|\b(?!USD\b)[A-Z]{3}\b|\b(?!US\$)[A-Z]{1,2}\$)"
"""Digits, and the sign or code of a currency that is not the dollar."""
_MISPRICED = 5.0
"""Times that a market value may be off quantity and price: of another moment, or the price rounded to a cent."""
_MONEY = ("entry_price", "cost_basis", "last_price", "market_value")


def review_lots(
    table: Table, as_of: date, *, decimal: str = ".", without_prices: Collection[str] = (), whole_weight: float | None = None
) -> Parsed:
    """Go through lines of holdings, one lot each.

    Parameters
    ----------
    table : Table
        Columns as `layouts.COLUMNS` names them, as far as there are; ``decimal`` is the decimal mark of their numbers.
    as_of : date
        The day whose holdings these are: a lot entered later is rejected.
    without_prices : collection of str
        Investment classes, in lower case, that are rejected.
    whole_weight : float, optional
        Where lots are stated by weight: what weights are parts of, 1 or 100.

    Returns
    -------
    Parsed
        symbol, quantity (float64, shares or contracts, negative for SHORT, SC, SP; where lots are stated by weight that, a fraction),
        entry_price (float64, dollars a share, from the cost basis where there is one, NaN if unknown), entry_date
        (datetime.date or None), position_type (LC LP SC SP LONG SHORT; without one the symbol and the sign decide), investment_class
        (PUBLIC, OPTIONS, PRIVATE), underlying_symbol (None if none), strike_price, last_price (float64, NaN), expiration_date
        (as entry_date), market_value (float64, dollars, of the quantity's sign, NaN if not stated).
    """
    review = Review(table, decimal)
    _reject_what_has_no_dollar_price(review, without_prices)
    symbols, stated_by = review.symbols("symbol"), "quantity" if whole_weight is None else "weight"
    quantity = review.numbers(stated_by) / (whole_weight or 1.0)
    entry_price, last = review.prices("entry_price"), review.prices("last_price")
    cost, value, entry = review.numbers("cost_basis"), review.numbers("market_value"), review.days("entry_date")
    _reject_what_is_no_quantity(review, symbols, quantity, stated_by)
    review.reject(entry > np.datetime64(as_of), f"entry_date {{entry_date}} lies after {as_of}, the day of these holdings")
    terms = _option_terms(review)
    types, classes = _position_types(review, symbols, quantity, terms["right"], stated_by), _investment_classes(review)
    options = types.isin([*LONG_OPTIONS, *SHORT_OPTIONS])
    _reject_what_is_no_option(review, symbols, terms["right"], (classes == "OPTIONS") & ~options)
    contract = _contract_sizes(review, options)
    units = np.abs(quantity) * contract if whole_weight is None else np.full(len(quantity), np.nan)
    _reject_what_is_priced_otherwise(review, units * last, np.abs(value))
    signed = np.where(types.isin(["SHORT", *SHORT_OPTIONS]), -np.abs(quantity), quantity)
    return review.parsed(
        pd.DataFrame(
            {
                "symbol": symbols,
                "quantity": signed,
                "entry_price": _per_unit(cost, units, otherwise=entry_price),
                "entry_date": dates_of(entry),
                "position_type": types,
                "investment_class": classes.mask(options, "OPTIONS"),
                "underlying_symbol": or_none(terms["underlying"]),
                "strike_price": terms["strike"],
                "expiration_date": dates_of(terms["expiration"].to_numpy("datetime64[D]")),
                "last_price": np.where(np.isnan(last), _per_unit(value, units, otherwise=last), last),
                "market_value": np.abs(value) * np.sign(signed),
            }
        ),
        may_be_empty=True,
    )


def _reject_what_has_no_dollar_price(review: Review, without_prices: Collection[str]) -> None:
    review.reject_foreign_currency()
    for name in _MONEY:
        review.reject(review.text(name).str.contains(_FOREIGN), f"{name} {{{name}}}: only USD is supported")
    classes = review.text("investment_class").str.lower()
    review.reject(classes.isin(list(without_prices)), "{investment_class}: only shares, funds and options on them are valued")


def _reject_what_is_no_quantity(review: Review, symbols: "pd.Series[str]", quantity: FloatArray, name: str) -> None:
    review.reject(symbols == "", "no symbol")
    review.reject(np.isnan(quantity), f"no {name}")
    least = LEAST_QUANTITY if name == "quantity" else np.finfo(float).tiny  # what a weight comes to is not known yet
    review.reject(np.abs(quantity) < least, f"{name} {{{name}}} is zero")
    review.reject(np.abs(quantity) >= QUANTITY_LIMIT, f"{name} {{{name}}} is too large")


def _option_terms(review: Review) -> pd.DataFrame:
    """What columns, or else symbols, tell of options: right (C, P, empty if not told by the symbol), underlying, strike, expiration."""
    found = cells.by_distinct(review.table.columns["symbol"], parse_option)
    underlying = review.symbols("underlying_symbol", max_length=10)
    strike, expiration = review.prices("strike_price"), review.days("expiration_date")
    told = pd.DataFrame(
        {
            "right": pd.Series([one.right if one else "" for one in found], dtype="str"),
            "underlying": pd.Series([one.underlying if one else "" for one in found], dtype="str"),
            "strike": np.array([float(one.strike) if one else np.nan for one in found]),
            "expiration": pd.Series([one.expiration if one else None for one in found], dtype="datetime64[s]"),
        }
    )
    return told.assign(
        underlying=underlying.mask(underlying == "", told["underlying"]),
        strike=np.where(np.isnan(strike), told["strike"], strike),
        expiration=told["expiration"].where(np.isnat(expiration), pd.Series(expiration.astype("datetime64[s]"))),
    )


def _reject_what_is_no_option(review: Review, symbols: "pd.Series[str]", right: "pd.Series[str]", in_name_alone: "pd.Series[bool]") -> None:
    """Reject what is called an option, or has the symbol of one, and is none; and options that deliver something else than 100 shares."""
    review.reject(in_name_alone, "an option whose position_type is none of LC, LP, SC, SP")
    review.reject(
        (right == "") & symbols.str.contains(r"\d{6}[CP]\d"), "symbol {symbol} looks like that of an option and cannot be read as one"
    )
    review.reject((right != "") & symbols.str.contains(r"\d{7}[CP]"), "{symbol} is an adjusted option: what it delivers is not known")


def _reject_what_is_priced_otherwise(review: Review, computed: FloatArray, stated: FloatArray) -> None:
    """Reject what is worth something else than its quantity at its price: a bond, in per cent of its face value, or a small contract."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = stated / computed
    what = "a bond, or a contract of another size, and only shares, funds and options on them are valued"
    review.reject(
        (ratio > 0) & ((ratio < 1 / _MISPRICED) | (ratio > _MISPRICED)),
        f"quantity {{quantity}} at {{last_price}} is not worth {{market_value}}: {what}",
    )


def _contract_sizes(review: Review, options: "pd.Series[bool]") -> FloatArray:
    """Shares in a unit of each holding; one with another multiplier, if that is stated, is rejected."""
    stated, sizes = review.numbers("multiplier"), np.where(options, CONTRACT_SIZE, 1)
    review.reject(
        ~np.isnan(stated) & (stated != sizes), "a multiplier of {multiplier}, which is neither that of shares nor of options on them"
    )
    return sizes


def _position_types(
    review: Review, symbols: "pd.Series[str]", quantity: FloatArray, right: "pd.Series[str]", name: str
) -> "pd.Series[str]":
    """Each row's position type, made to agree with the quantity's sign and the option's right, or rejected."""
    given = review.text("position_type").str.upper().str.replace(r"[\s_-]+", " ", regex=True)
    types = given.map(POSITION_TYPES).astype("str")
    review.reject((given != "") & types.isna(), f"position_type '{{position_type}}' is none of {', '.join(list(POSITION_TYPES)[:6])}")
    opposed = types.isin(LONG_OPTIONS) & (quantity < 0)
    review.reject(opposed, f"position_type {{position_type}} contradicts the negative {name} {{{name}}}")
    other_right = types.isin([*LONG_OPTIONS, *SHORT_OPTIONS]) & (right != "") & (types.str[-1] != right)
    review.reject(other_right, "position_type {position_type} contradicts the option's symbol {symbol}")
    turned = (types == "LONG") & (quantity < 0) & review.good
    if turned.any():
        review.notes.append(f"LONG with a negative quantity, imported as SHORT: {enumerate_some(symbols[turned])}")
    by_sign = pd.Series(np.where(quantity < 0, "SHORT", "LONG"), dtype="str")
    sides = types.where(types.notna() & ~turned, by_sign)
    return sides.mask((right != "") & sides.isin(["LONG", "SHORT"]), sides.str[0] + right)


def _investment_classes(review: Review) -> "pd.Series[str]":
    """PRIVATE and OPTIONS where the asset class says so ("Private Equity", "Equity Option"), else PUBLIC."""
    given = review.text("investment_class").str.upper()
    classes = np.select([given.str.contains("PRIVATE"), given.str.contains("OPTION")], ["PRIVATE", "OPTIONS"], "PUBLIC")
    return pd.Series(classes, dtype="str")


def _per_unit(total: FloatArray, units: FloatArray, *, otherwise: FloatArray) -> FloatArray:
    """Dollars a share where a total is stated that makes a price; a cost basis of zero, as of a gift, makes none."""
    with np.errstate(divide="ignore", invalid="ignore"):
        price = np.abs(total) / units
    usable: BoolArray = (price >= LEAST_PRICE) & (price < PRICE_LIMIT)
    return np.where(usable, price, otherwise)


def quantities(weighted: pd.DataFrame, closes: Mapping[str, Decimal], value: float, day: date) -> pd.DataFrame:
    """Turn weights into quantities at the closes of a day.

    Parameters
    ----------
    weighted : DataFrame
        As `review_lots` gives lots stated by weight.
    closes : mapping
        Close by symbol, dollars; an option's and a private holding's price is the stated one.
    value : float
        What the weights are parts of, dollars.

    Raises
    ------
    DataQualityError
        If a price is missing, or makes a quantity that cannot be stored: a part of the weights would be another portfolio.
    """
    listed = weighted["investment_class"] == "PUBLIC"
    close = weighted["symbol"].map(closes).astype(float)
    price = close.where(listed, weighted["last_price"] * np.where(weighted["investment_class"] == "OPTIONS", CONTRACT_SIZE, 1))
    if price.isna().any():
        without = enumerate_some(weighted["symbol"][price.isna()])
        raise DataQualityError(f"no price of {without} on {day}: weights become quantities at the prices of their day, import those first")
    quantity = weighted["quantity"] * value / price
    unfit = (quantity.abs() < LEAST_QUANTITY) | (quantity.abs() >= QUANTITY_LIMIT)
    if unfit.any():
        raise DataQualityError(f"with --value {value:,.2f} the quantity of {enumerate_some(weighted['symbol'][unfit])} cannot be stored")
    return weighted.assign(quantity=quantity)

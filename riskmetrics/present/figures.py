"""Formats of figures by their units, in tables of commands and on the page of the report."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from riskmetrics.catalog import Figure, Unit, find_figure
from riskmetrics.present import formatting

Format = Callable[[Any], str]
"""Function that formats a value; None has no format."""

TABLE_FORMATS: dict[Unit, Format] = {
    **dict.fromkeys((Unit.MONEY, Unit.GAIN), formatting.amount),
    **dict.fromkeys((Unit.FRACTION, Unit.VOLATILITY, Unit.PROBABILITY), formatting.percent),
    Unit.ACTIVE_FRACTION: formatting.signed_percent,
    Unit.LOSS: formatting.loss,
    Unit.LOSS_AMOUNT: formatting.loss_amount,
    Unit.SESSION_RETURN: partial(formatting.fixed_point, decimals=6),
    Unit.P_VALUE: formatting.p_value,
    **dict.fromkeys(
        (Unit.BETA, Unit.R_SQUARED, Unit.MARGINAL_VOLATILITY),
        partial(formatting.fixed_point, decimals=3),
    ),
    **dict.fromkeys(
        (Unit.SKILL, Unit.NUMBER, Unit.CORRELATION, Unit.EXPECTED_COUNT), formatting.two_decimals
    ),
    Unit.INDEX: formatting.four_decimals,
    Unit.SESSIONS: formatting.sessions,
    Unit.SHARES: formatting.count,
}
"""Formats in tables of commands, which keep more decimals than the page.

Units without a format are printed as they are. A loss is negative: decision 75.
"""

PAGE_FORMATS: dict[Unit, Format] = {
    **TABLE_FORMATS,
    Unit.GAIN: formatting.signed_amount,
    **dict.fromkeys(
        (Unit.BETA, Unit.R_SQUARED, Unit.MARGINAL_VOLATILITY, Unit.DELTA), formatting.two_decimals
    ),
    Unit.PRICE: partial(formatting.fixed_point, decimals=2),
    Unit.SENSITIVITY: formatting.four_decimals,
    Unit.EXPECTED_COUNT: formatting.one_decimal,
    Unit.COUNT: formatting.count,
    Unit.DATE: formatting.day,
    Unit.TEXT: str,
}
"""Formats on the page of the report and in summaries."""

_SHARES = (Unit.FRACTION, Unit.LOSS, Unit.VOLATILITY, Unit.ACTIVE_FRACTION, Unit.PROBABILITY)
"""Units whose differences are percentage points."""

_COLUMN_FORMATS: dict[str, Format] = {
    **dict.fromkeys(("quantity", "strike"), formatting.quantity),
    "level": formatting.level,
    **dict.fromkeys(("risk_free_rate", "dividend_yield", "participation"), formatting.percent),
    **dict.fromkeys(("market_move", "rate_move", "volatility_move"), formatting.signed_percent),
    **dict.fromkeys(("reason", "undefined_reason"), formatting.stored_text),
}
"""Formats of keys, parameters, inputs and reasons, which are no figures."""


def table_formats(figures: Mapping[str, Figure]) -> dict[str, Format]:
    """Return the formats of a table by column, from the figures in it."""
    return _COLUMN_FORMATS | {
        column: TABLE_FORMATS[figure.unit]
        for column, figure in figures.items()
        if figure.unit in TABLE_FORMATS
    }


def page_format(name: str) -> Format:
    """Return the format of a figure on the page."""
    return PAGE_FORMATS[find_figure(name).unit]


def format_change(before: float, after: float, form: Format, unit: Unit) -> str:
    """Return ``after`` less ``before``, which are shown by ``form``, with its sign.

    It is the difference of what is shown, so that a row adds up; amounts are subtracted before they
    are rounded, so that the same change of several figures is the same.
    """
    if unit in (Unit.MONEY, Unit.GAIN):
        return formatting.signed_amount(after - before)
    one, other = (Decimal(_to_plain_number(form(value))) for value in (before, after))
    change = other - one
    text = (f"{change:+}" if change else f"{abs(change)}").replace("-", "−")
    return f"{text} pp" if unit in _SHARES else text


def _to_plain_number(text: str) -> str:
    return text.removesuffix("%").replace(",", "").replace("−", "-")

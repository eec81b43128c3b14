"""Shape of a fact type: source, unit and format."""

from typing import Any, NamedTuple

from riskmetrics.catalog import Unit, find_figure
from riskmetrics.present import formatting

_FORMATTERS = {
    "money": formatting.money,
    "signed money": formatting.signed_money,
    "fraction": formatting.percent,
    "signed fraction": formatting.signed_percent,
    "percentage points": (
        lambda value: formatting.signed_percent(value).replace("%", " percentage points")
    ),
    "number": formatting.two_decimals,
    "signed number": lambda value: (
        ("+" if value > 0 and float(f"{value:.2f}") else "") + formatting.two_decimals(value)
    ),
    "index": formatting.four_decimals,
    "signed index": lambda value: (
        ("+" if value > 0 and float(f"{value:.4f}") else "") + formatting.four_decimals(value)
    ),
    "count": formatting.count,
    "text": str,
}
"""Unit to formatter."""


class FactType(NamedTuple):
    """A type of fact."""

    name: str
    """Fact id; prefixed by the alias if the fact is not about the portfolio."""
    provider: str
    source: str
    """'table.column' of the value or of its main input."""
    unit: str
    family: str
    """Only figures of the same family may be compared."""
    labels: tuple[str, ...]
    """Names in prose, lower case; one of them must accompany the figure."""
    window: str | None = None
    is_loss: bool = False
    """Whether the value is a positive loss, which tables and evidence show as negative."""

    @property
    def column(self) -> str:
        """Return the column of the source."""
        return self.source.partition(".")[2]


def format_value(value: float | str, unit: str, currency: str, *, is_unsigned: bool = False) -> str:
    """Return a value as text; with ``is_unsigned``, without its sign."""
    text = _FORMATTERS[unit](abs(value) if is_unsigned and not isinstance(value, str) else value)  # type: ignore[operator]
    text = text.removeprefix("+") if is_unsigned else text
    return f"{text} {currency}" if unit.endswith("money") else text


_UNIT_NAMES = {
    **dict.fromkeys((Unit.MONEY, Unit.LOSS_AMOUNT), "money"),
    Unit.GAIN: "signed money",
    Unit.ACTIVE_FRACTION: "signed fraction",
    **dict.fromkeys((Unit.FRACTION, Unit.LOSS, Unit.VOLATILITY, Unit.PROBABILITY), "fraction"),
    **dict.fromkeys((Unit.BETA, Unit.R_SQUARED, Unit.NUMBER, Unit.SESSIONS), "number"),
    Unit.CORRELATION: "signed number",
    Unit.INDEX: "index",
    Unit.COUNT: "count",
    Unit.TEXT: "text",
    Unit.DATE: "text",
    Unit.EXPECTED_COUNT: "number",
    Unit.P_VALUE: "index",
}
"""Unit of a figure to the unit of its facts."""


def figure_fact(
    name: str, provider: str, figure_name: str, family: str, labels: tuple[str, ...], **changes: Any
) -> FactType:
    """Return the type of a fact with unit and window of a figure, or with ``changes``."""
    figure = find_figure(figure_name)
    base = FactType(
        name, provider, figure.name, _UNIT_NAMES[figure.unit], family, labels, figure.window
    )
    fact_type = base._replace(**changes)
    is_size = fact_type.unit in ("fraction", "money")
    is_loss = is_size and figure.unit in (Unit.LOSS, Unit.LOSS_AMOUNT)
    return fact_type._replace(is_loss=changes.get("is_loss", is_loss))

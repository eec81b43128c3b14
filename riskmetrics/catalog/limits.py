"""The figures that a portfolio can have a limit on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from riskmetrics.catalog.figure import Figure, Unit
from riskmetrics.catalog.registry import find_figure
from riskmetrics.catalog.tail_risk import HEADLINE_TAIL
from riskmetrics.errors import UsageError
from riskmetrics.text import suggest_name


@dataclass(frozen=True, slots=True)
class LimitedFigure:
    """A stored figure that should not exceed a limit; of several rows, the largest counts."""

    name: str
    """Name in commands."""
    figure_name: str
    """The figure, as 'table.column'."""
    label: str
    subject: str = ""
    """Column that names what the figure is of, such as the symbol; empty: the portfolio."""
    filters: Mapping[str, object] = field(default_factory=dict)
    """Values of columns that select the rows."""
    divisor: str = ""
    """Column that the figure is divided by; empty: it is compared as stored."""
    coverage: str = ""
    """Column of the share of exposure with data for a row; empty: every row has data.

    A row without any, such as a scenario before the first price, cannot be defined.
    """
    is_absolute: bool = False
    """Whether the absolute value is compared, so that a short position counts."""

    @property
    def figure(self) -> Figure:
        """Return the record of the figure."""
        return find_figure(self.figure_name)

    @property
    def unit(self) -> Unit:
        """Return the unit of the compared value and of the limit."""
        return Unit.NUMBER if self.divisor else self.figure.unit


LIMITED_FIGURES = (
    LimitedFigure("single_name", "portfolio_risk_contributions.weight",
        "share of equity of a symbol, with options on it", "symbol", is_absolute=True),
    LimitedFigure("sector", "portfolio_sector_weights.gross_weight",
        "share of gross exposure of a sector", "sector"),
    LimitedFigure("leverage", "portfolio_snapshots.gross_exposure",
        "gross exposure divided by equity", divisor="total_value"),
    LimitedFigure("beta", "portfolio_market_regressions.beta", "beta of the portfolio's returns",
        is_absolute=True),
    LimitedFigure("volatility", "portfolio_snapshots.expected_volatility_21d",
        "volatility forecast, 21 sessions, annualized"),
    LimitedFigure("value_at_risk", "portfolio_tail_risk.value_at_risk",
        "one-day value at risk at 95%, filtered, of equity", filters=HEADLINE_TAIL),
    LimitedFigure("expected_shortfall", "portfolio_tail_risk.expected_shortfall",
        "one-day expected shortfall at 95%, filtered, of equity", filters=HEADLINE_TAIL),
    LimitedFigure("drawdown", "portfolio_drawdowns.current_drawdown",
        "drawdown from the peak of 252 sessions"),
    LimitedFigure("stress_loss", "portfolio_stress.loss",
        "loss of equity in a stress scenario", "scenario", coverage="coverage"),
    LimitedFigure("tracking_error", "portfolio_active_risk.tracking_error",
        "tracking error against the market index, annualized"),
)  # fmt: skip

_BY_NAME = {each.name: each for each in LIMITED_FIGURES}


def find_limited_figure(name: str) -> LimitedFigure:
    """Return the figure that a limit is on, by name.

    Raises
    ------
    UsageError
        If limits of this name do not exist.

    Examples
    --------
    >>> find_limited_figure("drawdown").unit.value
    'loss as a fraction, 0.01 is a loss of 1%'
    """
    if name not in _BY_NAME:
        raise UsageError(
            f"there is no limit {name}{suggest_name(name, list(_BY_NAME))}: choose"
            f" {', '.join(_BY_NAME)}"
        )
    return _BY_NAME[name]

"""Statistics of portfolios' pro-forma returns, each in a table of its own."""

from functools import partial

from riskmetrics.catalog.figure import COVERED, PRO_FORMA, Figure, Unit
from riskmetrics.catalog.statistic import Statistic

_NO_DRAWDOWN = "undefined, or no drawdown"

_drawdown = partial(
    Figure, "portfolio_drawdowns", window="252 sessions", minimum=f"126 returns, {COVERED}",
    reference="Grossman and Zhou (1993)",
)  # fmt: skip

STATISTICS = (
    Statistic(
        "portfolio_drawdowns",
        "current and maximum drawdown over the trailing year",
        "riskmetrics.metrics.drawdown:drawdown",
        sessions=252,
        min_obs=126,
        figures=(
            _drawdown("current_drawdown", "Current drawdown", Unit.FRACTION,
                "1 - W / maximum of W so far, W = product of (1 + R) over 252 sessions,"
                f" {PRO_FORMA}"),
            _drawdown("current_drawdown_peak", "Peak (current drawdown)", Unit.DATE,
                "session of the maximum of W"),
            _drawdown("max_drawdown", "Maximum drawdown", Unit.FRACTION,
                "maximum of 1 - W / maximum of W so far"),
            _drawdown("max_drawdown_peak", "Peak (maximum drawdown)", Unit.DATE,
                "session of the peak before the maximum drawdown", null=_NO_DRAWDOWN),
            _drawdown("max_drawdown_trough", "Trough (maximum drawdown)", Unit.DATE,
                "session of the maximum drawdown", null=_NO_DRAWDOWN),
            _drawdown("observations", "Observations", Unit.COUNT,
                "returns of the portfolio in the 252 sessions", minimum="", reference=""),
        ),
        key="drawdowns",
        title="Drawdowns, 252 sessions to {session}",
        heading="Drawdown, one year",
        rows={
            "current_drawdown": "from {current_drawdown_peak}",
            "max_drawdown": "{max_drawdown_peak} to {max_drawdown_trough}",
        },
        facts={"current_drawdown": "drawdown", "max_drawdown": "max_drawdown"},
        family="drawdown",
    ),
)  # fmt: skip
FIGURES = tuple(figure for statistic in STATISTICS for figure in statistic.figures)
LISTINGS = tuple(statistic.listing for statistic in STATISTICS)

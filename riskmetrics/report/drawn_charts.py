"""Charts of a portfolio on the page."""

from typing import NamedTuple

from markupsafe import Markup, escape

from riskmetrics.charts.chart import to_json
from riskmetrics.charts.chart_records import CHARTS
from riskmetrics.charts.extremes import (
    DrawdownSpell,
    Extreme,
    PeriodReturn,
    list_drawdowns,
    list_extremes,
    list_periods,
)
from riskmetrics.charts.portfolio_data import PortfolioData
from riskmetrics.charts.renderer import ChartRenderer
from riskmetrics.text import escape_controls

_LEADING = ("equity", "cumulative_return", "volatility")


class DrawnChart(NamedTuple):
    """A chart as the page shows it."""

    name: str
    title: str
    caption: str
    svg: Markup
    """What is shown without scripts, and printed."""
    specification: Markup
    """What a script draws instead: JSON of Vega-Lite with its rows."""


class Figures(NamedTuple):
    """Charts of a portfolio, and the titles of those that have nothing to show."""

    drawn: list[DrawnChart]
    missing: list[str]
    extremes: list[Extreme]
    periods: list[PeriodReturn]
    drawdowns: list[DrawdownSpell]

    @property
    def leading_charts(self) -> list[DrawnChart]:
        """Return the charts of the first screen: as many if one of them is not drawn."""
        first = sorted(self.drawn, key=lambda chart: chart.name not in _LEADING)[: len(_LEADING)]
        return [chart for chart in self.drawn if chart in first]

    @property
    def other_charts(self) -> list[DrawnChart]:
        """Return the charts that a phone folds."""
        return [chart for chart in self.drawn if chart not in self.leading_charts]


NO_FIGURES = Figures([], [], [], [], [])
"""Figures of a portfolio that is only a row of the overview."""


def draw_figures(data: PortfolioData, renderer: ChartRenderer) -> Figures:
    """Draw the charts of a portfolio that have enough rows."""
    drawn, missing = [], []
    for chart in (each for each in CHARTS if each.applies(data)):
        rows = chart.rows(data)
        if len(rows) < chart.min_rows:
            missing.append(chart.full_title)
            continue
        label = escape(f"{chart.full_title}. {chart.caption}")
        svg = renderer.draw(chart.specification(rows, is_interactive=False)).replace(
            "<svg ", f'<svg role="img" aria-label="{label}" ', 1
        )
        interactive = to_json(chart.specification(rows, is_interactive=True))
        drawn.append(
            DrawnChart(
                chart.name,
                chart.full_title,
                chart.caption,
                Markup(escape_controls(svg)),  # noqa: S704  Vega escapes the text in it
                Markup(escape_controls(interactive)),  # noqa: S704  to_json escapes it
            )
        )
    return Figures(drawn, missing, list_extremes(data), list_periods(data), list_drawdowns(data))

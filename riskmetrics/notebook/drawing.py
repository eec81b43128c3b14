"""Charts of the report, for notebooks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
import sqlalchemy as sa

from riskmetrics import settings, trading_calendar
from riskmetrics.charts.chart import CONFIG
from riskmetrics.charts.chart_records import CHARTS
from riskmetrics.charts.portfolio_data import read_chart_data
from riskmetrics.charts.pro_forma_data import read_book_inputs
from riskmetrics.charts.renderer import ChartRenderer, to_file
from riskmetrics.errors import UsageError
from riskmetrics.inputs.snapshot import read_terms

_PNG_SCALE = 2.0
"""Pixels of a picture for one of the specification."""

VEGALITE_TYPE = "application/vnd.vegalite.v6+json"


@dataclass(frozen=True)
class Drawing:
    """A chart with its rows: a notebook shows it, and `save` writes it."""

    title: str
    rows: pd.DataFrame = field(repr=False)
    specification: dict[str, Any] = field(repr=False)
    """Vega-Lite, with the rows inline."""

    @cached_property
    def svg(self) -> str:
        """Return the picture, as a file that a browser shows."""
        return to_file(ChartRenderer(None).draw(self.specification), CONFIG["font"])

    def save(self, path: str | Path) -> None:
        """Write the picture (.svg or .png), or the specification for Vega-Lite (.json).

        A picture has the title, on a white background.

        Raises
        ------
        UsageError
            If the name of the file ends otherwise.
        """
        import json

        import vl_convert  # slow to import

        file = Path(path)
        titled = self.specification | {"title": self.title, "background": "white"}
        svg = to_file(ChartRenderer(None).draw(titled), CONFIG["font"])
        contents: dict[str, Callable[[], bytes]] = {
            ".svg": svg.encode,
            ".png": lambda: vl_convert.svg_to_png(svg, scale=_PNG_SCALE),
            ".json": lambda: json.dumps(self.specification).encode(),
        }
        if file.suffix not in contents:
            raise UsageError(f"{file} cannot be written: choose a name in {', '.join(contents)}")
        file.write_bytes(contents[file.suffix]())

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        """Return what Jupyter shows: interactive where it can, else the picture."""
        return {VEGALITE_TYPE: self.specification, "image/svg+xml": self.svg}


def draw(
    connection: sa.Connection, name: str, portfolio: str, currency: str, day: date, history: int
) -> Drawing:
    """Return a chart of a portfolio, over ``history`` sessions to ``day``.

    Raises
    ------
    UsageError
        If there is no such chart, or too little is stored for it.
    """
    chart = next((each for each in CHARTS if each.name == name), None)
    if chart is None:
        known = ", ".join(each.name for each in CHARTS)
        raise UsageError(f"there is no chart {name}: choose {known}")
    inputs = read_book_inputs(connection, read_terms(connection, settings.load()), day, {portfolio})
    first = trading_calendar.previous_session(day, history)
    data = read_chart_data(connection, first, day, inputs, {portfolio: currency}, history)
    rows = chart.rows(data[portfolio])
    if len(rows) < chart.min_rows:
        raise UsageError(
            f"too little is stored of {portfolio} up to {day} for the chart {name}: compute more"
            " sessions with riskmetrics backfill"
        )
    return Drawing(chart.full_title, rows, chart.specification(rows, is_interactive=True))

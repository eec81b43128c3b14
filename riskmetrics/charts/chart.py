"""The record of a chart, and its Vega-Lite specification."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from riskmetrics.charts.portfolio_data import PortfolioData

Layer = dict[str, Any]

WIDTH, HEIGHT = 400, 190
"""Size with axes, in pixels of the specification; the page scales it."""

_MAX_DAYS_BY_DAY = 150
"""Calendar days of an axis whose labels are days; of more, they are months."""

_MAX_TICKS = 5
"""Ticks of an axis of sessions; of fewer days each has one, or labels would repeat."""

_MIN_COLOR_END = 0.05
"""Smallest value in the full color of a tile: 5%, so that a deviation of 0.1% is pale."""

_AXIS_HEIGHT = 44
"""Room for the axis below bars."""

CONFIG: Layer = {
    "font": "Liberation Sans, Arial, sans-serif",
    "background": "transparent",
    "aria": False,  # whoever shows a chart labels it as a whole
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "labelColor": "#5d6875",
        "titleColor": "#5d6875",
        "gridColor": "#e5e8ec",
        "domainColor": "#c3cad2",
        "tickColor": "#c3cad2",
        "tickSize": 3,
        "labelLimit": 130,
    },
    "legend": {
        "orient": "top",
        "title": None,
        "labelFontSize": 11,
        "labelColor": "#1c2530",
        "symbolSize": 60,
        "symbolStrokeWidth": 2,
        "offset": 4,
        "padding": 0,
    },
}
"""Style of all charts; page.css replaces its colors in dark mode."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: which rows it shows, and how.

    Adding one takes a record: the report, and whoever else draws charts, needs nothing more.
    """

    name: str
    title: str
    caption: str
    """What it shows and how to read it, in one sentence."""
    rows: Callable[[PortfolioData], pd.DataFrame]
    """Rows of the chart; too few leave it out."""
    layers: tuple[Layer, ...]
    """Layers of Vega-Lite over the rows."""
    is_pro_forma: bool = False
    """Whether it applies today's holdings to earlier sessions."""
    min_rows: int = 2
    applies: Callable[[PortfolioData], bool] = lambda _data: True
    """Whether it has a meaning for a portfolio; another chart stands in its place if not."""
    row_height: int = 0
    """Height of one row of bars or tiles; 0: the chart has a fixed height."""
    row_field: str = ""
    """Column that names the row of tiles; empty: each row of the data is one."""
    color_field: str = ""
    """Column that colors tiles: its largest size, positive or negative, has the full color."""
    pointed: tuple[Layer, ...] = ()
    """Layers that follow the pointer, which no printed chart has."""

    @property
    def full_title(self) -> str:
        """Return the title, with "pro forma" where it belongs."""
        return f"{self.title}, pro forma" if self.is_pro_forma else self.title

    def specification(self, rows: pd.DataFrame, *, is_interactive: bool) -> Layer:
        """Return the Vega-Lite specification with its rows; the title is not part of it.

        Colors are the few of `riskmetrics.charts.layers`; a page may map them to its own.
        """
        n_rows = rows[self.row_field].nunique() if self.row_field else len(rows)
        height = self.row_height * n_rows + _AXIS_HEIGHT if self.row_height else HEIGHT
        return {
            "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
            "description": f"{self.full_title}. {self.caption}",
            "width": WIDTH,
            "height": height,
            "padding": 2,
            "autosize": {"type": "fit", "contains": "padding"},
            "config": CONFIG,
            "params": [
                {"name": "day_format", "value": _day_format(rows)},
                {"name": "day_ticks", "value": _day_ticks(rows)},
                {"name": "color_end", "value": self._color_end(rows)},
            ],
            "data": _inline(rows),
            "layer": _drop_undefined(
                [*self.layers, *(self.pointed if is_interactive else ())], rows
            ),
        }

    def _color_end(self, rows: pd.DataFrame) -> float:
        largest = rows[self.color_field].abs().max() if self.color_field else 0.0
        return max(_MIN_COLOR_END, float(f"{largest:.6g}"))


def _drop_undefined(layers: list[Layer], rows: pd.DataFrame) -> list[Layer]:
    """Return the layers with values, lines with two; neither legend nor tooltip names others."""
    n_values = {str(name): int(column.notna().sum()) for name, column in rows.items()}
    undefined = {name for name, count in n_values.items() if count == 0}
    kept = [
        each
        for each in layers
        if n_values.get(_field_of(each["encoding"].get("y")) or "", 2)
        >= (2 if each["mark"]["type"] == "line" else 1)
    ]
    labels = {_label_of(each) for each in kept}
    return [
        each
        | {
            "encoding": {
                channel: [shown for shown in value if shown["field"] not in undefined]
                if channel == "tooltip"
                else _drop_labels(value, labels)
                for channel, value in each["encoding"].items()
            }
        }
        for each in kept
    ]


def _field_of(channel: Layer | None) -> str | None:
    return (channel or {}).get("field")


def _label_of(layer: Layer) -> str | None:
    """Return the name of a layer in the legend."""
    named = [each for each in layer.get("transform", []) if each.get("as") == "series"]
    return str(named[0]["calculate"]).strip("'") if named else None


def _drop_labels(channel: Layer, labels: set[str | None]) -> Layer:
    """Return a channel; its scale, if it is that of a legend, has only these labels."""
    if _field_of(channel) != "series":
        return channel
    named = zip(channel["scale"]["domain"], channel["scale"]["range"], strict=True)
    kept = [(label, color) for label, color in named if label in labels]
    scale = {"domain": [label for label, _ in kept], "range": [color for _, color in kept]}
    return channel | {"scale": scale}


def _day_format(rows: pd.DataFrame) -> str:
    """Return the format of the axis of sessions: days where months would repeat."""
    return "%b %d" if _count_days(rows) <= _MAX_DAYS_BY_DAY else "%b %Y"


def _day_ticks(rows: pd.DataFrame) -> int | str:
    """Return the ticks of the axis of sessions: a number of them, or one a day."""
    return _MAX_TICKS if _count_days(rows) > _MAX_TICKS else "day"


def _count_days(rows: pd.DataFrame) -> int:
    """Return the calendar days from the first session to the last."""
    axis = next((name for name in ("day", "session") if name in rows), None)
    days = pd.to_datetime(rows[axis]) if axis else pd.Series(dtype="datetime64[ns]")
    return 0 if days.empty else int((days.max() - days.min()).days)


def _inline(rows: pd.DataFrame) -> Layer:
    """Return rows as inline data. Numbers have six digits: more cannot be seen."""
    columns = {str(name): list(map(_to_plain, column)) for name, column in rows.items()}
    values = [dict(zip(columns, each, strict=True)) for each in zip(*columns.values(), strict=True)]
    return {"values": values, "format": {"type": "json", "parse": {"day": "utc:'%Y-%m-%d'"}}}


def _to_plain(value: Any) -> str | float | None:
    """Return a value of JSON; what is missing is None."""
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return None
    if isinstance(value, date):
        return f"{value:%Y-%m-%d}"
    number = float(f"{value:.6g}")
    return int(number) if number.is_integer() else number


def to_json(specification: Layer) -> str:
    """Return a specification as JSON that is safe inside a script element of a page.

    Its rows are columns, which take half of the room: the page's script builds rows of them.
    """
    values = specification["data"]["values"]
    columns = {name: [row[name] for row in values] for name in values[0]}
    compact = specification | {"data": specification["data"] | {"values": columns}}
    text = json.dumps(compact, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.replace("<", "\\u003c")

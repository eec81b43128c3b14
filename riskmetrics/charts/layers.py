"""Layers of Vega-Lite that charts have in common, and their colors."""

from typing import Any, NamedTuple

Layer = dict[str, Any]

MAIN, OTHER, BAND = "#2f6ca3", "#8a94a0", "#bcd3e8"
GOOD, BAD = "#2b8a6e", "#b5482f"
INK = "#1c2530"
MAX_TILE_OPACITY = 0.55
"""Opacity of the strongest tile: INK is readable on it on white paper and in dark mode."""

PERCENT, PERCENT_1, AMOUNT, NUMBER = ".3~p", ".1%", ",.0f", ".2f"

_SMALLEST_STEPS = {NUMBER: 0.01, ".1f": 0.1}
"""Smallest step of an axis by format: a smaller one would repeat labels."""


def by_day(title: str | None = None) -> Layer:
    """Return the horizontal axis of sessions.

    The chart sets the parameters `day_format` and `day_ticks`.
    """
    return {
        "field": "day",
        "type": "temporal",
        "scale": {"type": "utc"},
        "axis": {
            "title": title,
            "grid": False,
            "tickCount": {"expr": "day_ticks"},
            "labelOverlap": True,
            "labelExpr": "utcFormat(datum.value, day_format)",
            "labelFlush": True,
            "labelBound": 2,
        },
    }


def quantity(
    field: str,
    title: str | None = None,
    form: str = PERCENT,
    *,
    has_zero: bool = False,
    **more: Any,
) -> Layer:
    """Return a quantitative channel with an axis in a format of d3."""
    return {
        "field": field,
        "type": "quantitative",
        "scale": {"zero": has_zero},
        "axis": {
            "title": title,
            "format": form,
            "tickCount": 5,
            "labelOverlap": "greedy",
            "labelSeparation": 4,
            **({"tickMinStep": _SMALLEST_STEPS[form]} if form in _SMALLEST_STEPS else {}),
        },
        **more,
    }


def tooltip(*fields: tuple[str, str, str]) -> list[Layer]:
    """Return the tooltip of a mark: field, title and format of d3; text has none.

    The field `day` is a session.
    """
    return [
        {"field": name, "title": title, "type": "temporal", "format": "%Y-%m-%d"}
        if name == "day"
        else {"field": name, "title": title, "type": "quantitative", "format": form}
        if form
        else {"field": name, "title": title, "type": "nominal"}
        for name, title, form in fields
    ]


class Series(NamedTuple):
    """A labeled color, one of a legend."""

    label: str
    scale: Layer


def line(y: Layer, color: str | Series, **mark: Any) -> Layer:
    """Return a line over sessions."""
    return paint(
        {
            "mark": {"type": "line", "strokeWidth": 1.6, **mark},
            "encoding": {"x": by_day(), "y": y},
        },
        color,
    )


def paint(layer: Layer, color: str | Series) -> Layer:
    """Return a layer in a color, which the legend of the chart names if it has a label."""
    if isinstance(color, str):
        return layer | {"encoding": layer["encoding"] | {"color": {"value": color}}}
    label = {"calculate": f"'{color.label}'", "as": "series"}
    channel = {"field": "series", "type": "nominal", "scale": color.scale}
    return layer | {
        "transform": [*layer.get("transform", []), label],
        "encoding": layer["encoding"] | {"color": channel},
    }


def plain_color(color: str) -> Layer:
    """Return a color that needs no legend."""
    return {"value": color}


def legend(**colors: str) -> dict[str, Series]:
    """Return labeled colors by key, of one legend; underscores of a key are spaces."""
    labels = [key.replace("_", " ") for key in colors]
    scale = {"domain": labels, "range": list(colors.values())}
    return {key: Series(label, scale) for key, label in zip(colors, labels, strict=True)}


def band(low: str, high: str, axis: Layer, color: str) -> Layer:
    """Return the area between two columns."""
    return {
        "mark": {"type": "area", "opacity": 0.6},
        "encoding": {
            "x": by_day(),
            "y": {**axis, "field": low},
            "y2": {"field": high},
            "color": {"value": color},
        },
    }


def level(value: float, color: str = INK, **mark: Any) -> Layer:
    """Return a horizontal line."""
    return {
        "data": {"values": [{"level": value}]},
        "mark": {"type": "rule", "strokeWidth": 0.8, **mark},
        "encoding": {"y": {"field": "level", "type": "quantitative"}, "color": {"value": color}},
    }


def hover(shown: list[Layer]) -> Layer:
    """Return a rule with a tooltip at the session next to the pointer."""
    return {
        "params": [
            {
                "name": "pointed",
                "select": {
                    "type": "point",
                    "encodings": ["x"],
                    "nearest": True,
                    "on": "pointermove",
                    "clear": "pointerout",
                },
            }
        ],
        "mark": {"type": "rule", "strokeWidth": 1},
        "encoding": {
            "x": by_day(),
            "color": {"value": INK},
            "opacity": {
                "condition": {"param": "pointed", "empty": False, "value": 0.5},
                "value": 0,
            },
            "tooltip": shown,
        },
    }


def at_session(*fields: tuple[str, str, str]) -> tuple[Layer]:
    """Return the layer that follows the pointer, with the session and these fields."""
    return (hover(tooltip(("day", "Session", ""), *fields)),)


def gain_or_loss(field: str) -> Layer:
    """Return the color of an amount: losses are bad."""
    return {"condition": {"test": f"datum['{field}'] < 0", "value": BAD}, "value": GOOD}


def bars(label: str, amount: Layer, color: Layer, shown: list[Layer]) -> Layer:
    """Return horizontal bars, in the order of the rows."""
    return {
        "mark": {"type": "bar", "height": {"band": 0.7}, "invalid": "show"},
        "encoding": {
            "y": {
                "field": label,
                "type": "nominal",
                "sort": None,
                "axis": {"title": None, "domain": False, "ticks": False, "labelLimit": 170},
            },
            "x": amount,
            "color": color,
            "tooltip": shown,
        },
    }


def diverging_tiles(
    field: str,
    shown: list[Layer],
    x: Layer,
    y: Layer,
    domain: tuple[float, float] | None = None,
    *,
    factor: int = 1,
) -> tuple[Layer, Layer]:
    """Return tiles colored from bad to good with ``factor`` times their values as text.

    A tile of 0 is transparent, so that it has the color of any page. Without a ``domain`` the
    strongest tiles are at plus and minus the parameter `color_end`, which the chart sets.
    """
    low, high = domain or ({"expr": "-color_end"}, {"expr": "color_end"})
    opacities = [MAX_TILE_OPACITY, 0, MAX_TILE_OPACITY]
    tiles = {
        "mark": {"type": "rect"},
        "encoding": {
            "x": x,
            "y": y,
            "color": gain_or_loss(field),
            "fillOpacity": {
                "field": field,
                "type": "quantitative",
                "scale": {"domain": [low, 0, high], "range": opacities, "clamp": True},
                "legend": None,
            },
            "tooltip": shown,
        },
    }
    text = {
        "transform": [{"calculate": f"{factor} * datum['{field}']", "as": "shown"}],
        "mark": {"type": "text", "fontSize": 10, "color": INK},
        "encoding": {"x": x, "y": y, "text": {"field": "shown", "format": ".1f"}},
    }
    return tiles, text

"""Charts of what is held: sectors, concentration, contributions, stress and P&L."""

from riskmetrics.charts import rows
from riskmetrics.charts.chart import Chart
from riskmetrics.charts.labels import OFFSET, SIDES
from riskmetrics.charts.layers import (
    INK,
    MAIN,
    NUMBER,
    OTHER,
    PERCENT,
    PERCENT_1,
    Layer,
    at_session,
    bars,
    diverging_tiles,
    gain_or_loss,
    line,
    plain_color,
    quantity,
    tooltip,
)

_EXACT: Layer = {"scale": {"nice": False}}
"""An axis from the smallest value to the largest, as `labels.place_labels` reckons."""

_RISK_SHARE = {
    "field": "share",
    "type": "quantitative",
    "axis": {"title": "share of volatility", "format": PERCENT, "tickCount": 5},
}
_WEIGHT = {
    "field": "weight",
    "type": "quantitative",
    "axis": {"title": "weight", "format": PERCENT, "tickCount": 5},
}
_SHARES = tooltip(
    ("symbol", "Symbol", ""), ("weight", "Weight", PERCENT_1), ("share", "Of volatility", PERCENT_1)
)

_SECTOR = (
    ("session", "Session", ""),
    ("sector", "Sector", ""),
    ("net_weight", "Net weight", PERCENT_1),
)
_SECTOR_SESSIONS = {
    "field": "session",
    "type": "ordinal",
    "scale": {"round": True, "align": 0},  # whole pixels: tiles do not overlap
    "axis": {
        "title": None,
        "labelAngle": 0,
        "labelOverlap": "greedy",
        "labelSeparation": 10,
        "labelExpr": "utcFormat(toDate(datum.value), day_format)",
        "domain": False,
        "ticks": False,
    },
}
_SECTOR_NAMES = {
    "field": "label",
    "type": "nominal",
    "axis": {"title": None, "domain": False, "ticks": False, "labelLimit": 190},
}

_EXPOSURE = quantity("exposure", form=".1f", has_zero=True)
_EXPOSURES = tooltip(
    ("factor", "Factor", ""),
    ("exposure", "Exposure", NUMBER),
    ("low", "From", NUMBER),
    ("high", "To", NUMBER),
)


def _symbols(field: str) -> Layer:
    """Return an axis of symbols in the order of the rows."""
    axis = {"title": None, "domain": False, "ticks": False, "labelFontSize": 9}
    return {"field": field, "type": "nominal", "sort": None, "axis": axis}


_LABEL_MARKS: dict[str, Layer] = {
    "right": {"align": "left", "dx": OFFSET},
    "left": {"align": "right", "dx": -OFFSET},
    "above": {"baseline": "bottom", "dy": -OFFSET},
    "below": {"baseline": "top", "dy": OFFSET},
}


def _labels_on(side: str) -> Layer:
    """Return the symbols that are written on one side of their points."""
    return {
        "transform": [{"filter": f"datum.side == '{side}'"}],
        "mark": {"type": "text", "fontSize": 10, **_LABEL_MARKS[side]},
        "encoding": {
            "x": _WEIGHT | _EXACT,
            "y": _RISK_SHARE | _EXACT,
            "color": plain_color(INK),
            "text": {"field": "symbol"},
        },
    }


POSITION_CHARTS: tuple[Chart, ...] = (
    Chart(
        "sectors",
        "Sectors against the benchmark",
        "Net weight minus that of the benchmark over time; next to the name, the latest.",
        rows.sector_drift,
        diverging_tiles(
            "deviation",
            tooltip(*_SECTOR, ("deviation", "Against the benchmark", "+.1%")),
            _SECTOR_SESSIONS,
            _SECTOR_NAMES,
        )[:1],
        applies=rows.has_benchmark,
        color_field="deviation",
    ),
    Chart(
        "sector_weights",
        "Sectors",
        "Net weight over time, as a share of equity; next to the name, the latest.",
        rows.sector_weights,
        diverging_tiles("net_weight", tooltip(*_SECTOR), _SECTOR_SESSIONS, _SECTOR_NAMES)[:1],
        applies=rows.has_no_benchmark,
        color_field="net_weight",
    ),
    Chart(
        "concentration",
        "Effective number of positions",
        "Equal positions that would be as concentrated: 1 / HHI.",
        rows.concentration,
        (line(quantity("effective_num_positions", None, "~s", has_zero=True), MAIN),),
        pointed=at_session(
            ("effective_num_positions", "Effective", NUMBER),
        ),
    ),
    Chart(
        "contributions",
        "Contributions to volatility",
        "Share of the volatility of one year, the largest first; hedges are negative.",
        rows.risk_shares,
        (bars("symbol", _RISK_SHARE, plain_color(MAIN), _SHARES),),
        row_height=16,
    ),
    Chart(
        "risk_against_weight",
        "Risk against weight",
        "Above the line a position has more of the risk than of the money.",
        rows.risk_against_weight,
        (
            {
                "mark": {"type": "point", "filled": True, "size": 40, "opacity": 0.8},
                "encoding": {
                    "x": _WEIGHT | _EXACT,
                    "y": _RISK_SHARE | _EXACT,
                    "color": plain_color(MAIN),
                    "tooltip": _SHARES,
                },
            },
            *map(_labels_on, SIDES),
            {
                "mark": {"type": "line", "strokeDash": [2, 3]},
                "encoding": {
                    "x": _WEIGHT | _EXACT,
                    "y": _RISK_SHARE | _EXACT | {"field": "weight"},
                    "color": plain_color(OTHER),
                },
            },
        ),
    ),
    Chart(
        "correlations",
        "Correlations",
        "Of the daily returns of one year, the largest weights first; negative ones are red.",
        rows.correlations,
        diverging_tiles(
            "correlation",
            tooltip(("first", "Symbol", ""), ("second", "With", ""), ("correlation", "Is", NUMBER)),
            _symbols("first"),
            _symbols("second"),
            (-1, 1),
        ),
        row_height=18,
        row_field="second",
    ),
    Chart(
        "factors",
        "Factor exposures",
        "Return per unit return of the factor, the others held fixed, with 95% intervals.",
        rows.factor_exposures,
        (
            bars("factor", _EXPOSURE, plain_color(MAIN), _EXPOSURES),
            {
                "mark": {"type": "rule", "strokeWidth": 1.6},
                "encoding": {
                    "y": {"field": "factor", "type": "nominal", "sort": None},
                    "x": {"field": "low", "type": "quantitative"},
                    "x2": {"field": "high"},
                    "color": plain_color(INK),
                },
            },
        ),
        row_height=18,
    ),
    Chart(
        "stress",
        "Stress scenarios",
        "Result as a share of equity, the largest loss first.",
        rows.stress,
        (
            bars(
                "scenario",
                quantity("result", has_zero=True),
                gain_or_loss("result"),
                tooltip(("scenario", "Scenario", ""), ("result", "Result", "+.1%")),
            ),
        ),
        row_height=18,
    ),
    Chart(
        "pnl_contributors",
        "Daily P&L by position",
        "The largest gains and losses of the session.",
        rows.pnl_contributors,
        (
            bars(
                "symbol",
                quantity("daily_pnl", form="~s", has_zero=True),
                gain_or_loss("daily_pnl"),
                tooltip(("symbol", "Symbol", ""), ("daily_pnl", "P&L", "+,.0f")),
            ),
        ),
        row_height=16,
    ),
)

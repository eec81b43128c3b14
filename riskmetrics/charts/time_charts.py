"""Charts of returns, risk and value over time."""

from riskmetrics.charts import rows
from riskmetrics.charts.chart import Chart
from riskmetrics.charts.layers import (
    AMOUNT,
    BAD,
    BAND,
    GOOD,
    INK,
    MAIN,
    NUMBER,
    OTHER,
    PERCENT,
    PERCENT_1,
    Layer,
    Series,
    at_session,
    band,
    by_day,
    diverging_tiles,
    gain_or_loss,
    hover,
    legend,
    level,
    line,
    paint,
    plain_color,
    quantity,
    tooltip,
)

_COMPARED = legend(portfolio=MAIN, market_index=OTHER)
_UNDERWATER = legend(portfolio=BAD, market_index=OTHER)
_RETURNS = legend(holdings_of_today=MAIN, realized=GOOD, market_index=OTHER)
_FAN = legend(forecast=MAIN, realized=INK, outside_the_band=BAD)
_VAR = legend(daily_return=OTHER, **{"value at risk, 95%": MAIN}, exception=BAD)

_MONTHS = {
    "field": "month",
    "type": "ordinal",
    "scale": {"domain": list(range(1, 13))},
    "axis": {
        "title": None,
        "labelAngle": 0,
        "domain": False,
        "ticks": False,
        "labelExpr": "monthAbbrevFormat(datum.value - 1)",
    },
}
_YEARS = {
    "field": "year",
    "type": "ordinal",
    "axis": {"title": None, "domain": False, "ticks": False},
}


def _dots(field: str, color: Series, condition: str, axis: Layer) -> Layer:
    return paint(
        {
            "transform": [{"filter": condition}],
            "mark": {"type": "point", "filled": True, "size": 22, "opacity": 1},
            "encoding": {"x": by_day(), "y": {**axis, "field": field}},
        },
        color,
    )


_MONTHLY = tooltip(
    ("year", "Year", ""),
    ("month", "Month", ""),
    ("monthly_return", "Return", PERCENT_1),
    ("sessions", "Sessions", ",.0f"),
)
_VOLATILITY, _BETA = quantity("volatility_forecast", has_zero=True), quantity("beta", None, NUMBER)
_UNDER, _BELOW = quantity("portfolio", form=PERCENT), quantity("market", form=PERCENT)
_BETA_SHOWN = at_session(
    ("beta", "Beta", NUMBER),
    ("low", "95% interval, low", NUMBER),
    ("high", "95% interval, high", NUMBER),
)
_BETA_LAYERS = (
    band("low", "high", _BETA, BAND),
    line(_BETA, MAIN),
    level(1, OTHER, strokeDash=[2, 3]),
)

TIME_CHARTS: tuple[Chart, ...] = (
    Chart(
        "equity",
        "Equity",
        "Stored equity of each session; ticks at the bottom are trades, deposits, withdrawals.",
        rows.equity,
        (
            line(quantity("total_value", form="~s"), MAIN),
            {
                "transform": [{"filter": "datum.trades"}],
                "mark": {
                    "type": "tick",
                    "orient": "vertical",
                    "size": 12,
                    "thickness": 2,
                    "yOffset": -6,
                },
                "encoding": {
                    "x": by_day(),
                    "y": {"value": {"expr": "height"}},
                    "color": plain_color(BAD),
                    "tooltip": tooltip(("day", "Session", ""), ("trades", "Trades, cash", "")),
                },
            },
        ),
        pointed=at_session(
            ("total_value", "Equity", AMOUNT),
            ("daily_pnl", "Daily P&L", AMOUNT),
            ("trades", "Trades, cash", ""),
        ),
    ),
    Chart(
        "pnl",
        "Cumulative P&L",
        "Gains and losses of all lots since they were bought, with income.",
        rows.cumulative_pnl,
        (
            {
                "mark": {"type": "area", "opacity": 0.25, "color": MAIN},
                "encoding": {
                    "x": by_day(),
                    "y": quantity("cumulative_pnl", form="~s", has_zero=True),
                },
            },
            line(quantity("cumulative_pnl", form="~s", has_zero=True), MAIN),
            level(0),
        ),
        pointed=at_session(
            ("cumulative_pnl", "Cumulative P&L", AMOUNT), ("daily_pnl", "Daily P&L", AMOUNT)
        ),
    ),
    Chart(
        "cumulative_return",
        "Cumulative return",
        "Holdings of today, the market index, and what was realized on sessions with results.",
        rows.cumulative_returns,
        (
            level(0),
            line(quantity("market"), _RETURNS["market_index"]),
            line(quantity("portfolio"), _RETURNS["holdings_of_today"], strokeDash=[4, 2]),
            line(quantity("realized"), _RETURNS["realized"]),
        ),
        is_pro_forma=True,
        pointed=at_session(
            ("portfolio", "Holdings of today", PERCENT_1),
            ("realized", "Realized", PERCENT_1),
            ("market", "Market index", PERCENT_1),
        ),
    ),
    Chart(
        "underwater",
        "Drawdown",
        "How far the value is below its highest so far, next to the market index.",
        rows.underwater,
        (
            {
                "mark": {"type": "area", "opacity": 0.3, "color": BAD},
                "encoding": {"x": by_day(), "y": _UNDER},
            },
            line(_UNDER, _UNDERWATER["portfolio"]),
            line(_BELOW, _UNDERWATER["market_index"]),
        ),
        is_pro_forma=True,
        pointed=at_session(
            ("portfolio", "Portfolio", PERCENT_1), ("market", "Market index", PERCENT_1)
        ),
    ),
    Chart(
        "volatility",
        "Volatility: forecast and what came",
        "At the end of the 21 sessions of each forecast; the band should hold 80% of outcomes.",
        rows.volatility_fan,
        (
            band("low", "high", _VOLATILITY, BAND),
            line(_VOLATILITY, _FAN["forecast"]),
            line({**_VOLATILITY, "field": "realized"}, _FAN["realized"]),
            _dots("realized", _FAN["outside_the_band"], "datum.is_outside == 1", _VOLATILITY),
        ),
        pointed=(
            hover(
                tooltip(
                    ("made_on", "Forecast of", ""),
                    ("day", "For the 21 sessions to", ""),
                    ("volatility_forecast", "Forecast", PERCENT_1),
                    ("low", "Low", PERCENT_1),
                    ("high", "High", PERCENT_1),
                    ("realized", "Realized", PERCENT_1),
                )
            ),
        ),
    ),
    Chart(
        "value_at_risk",
        "Daily returns and value at risk",
        "Exceptions: losses beyond the historical value at risk of the 504 sessions before.",
        rows.value_at_risk,
        (
            paint(
                {
                    "mark": {"type": "rule", "strokeWidth": 1.2},
                    "encoding": {
                        "x": by_day(),
                        "y": quantity("portfolio", has_zero=True),
                        "y2": {"datum": 0},
                    },
                },
                _VAR["daily_return"],
            ),
            line(quantity("threshold", has_zero=True), _VAR["value at risk, 95%"]),
            _dots(
                "portfolio", _VAR["exception"], "datum.exception == 1", quantity("", has_zero=True)
            ),
        ),
        is_pro_forma=True,
        pointed=at_session(
            ("portfolio", "Return", PERCENT_1), ("threshold", "Value at risk", PERCENT_1)
        ),
    ),
    Chart(
        "stored_beta",
        "Beta to the market index",
        "Holdings of each session, over 90 sessions, with the 95% interval; dotted: the market.",
        rows.stored_beta,
        _BETA_LAYERS,
        min_rows=20,
        pointed=_BETA_SHOWN,
    ),
    Chart(
        "beta",
        "Beta of today's holdings",
        "Beta over 90 sessions, with the 95% interval; dotted: the market.",
        rows.beta,
        _BETA_LAYERS,
        is_pro_forma=True,
        pointed=_BETA_SHOWN,
    ),
    Chart(
        "rolling_volatility",
        "Rolling volatility",
        "Annualized volatility of the trailing 126 sessions, next to the market index.",
        rows.rolling_volatility,
        (
            line(quantity("market_volatility", has_zero=True), _COMPARED["market_index"]),
            line(quantity("volatility", has_zero=True), _COMPARED["portfolio"]),
        ),
        is_pro_forma=True,
        pointed=at_session(
            ("volatility", "Portfolio", PERCENT_1), ("market_volatility", "Market index", PERCENT_1)
        ),
    ),
    Chart(
        "rolling_sharpe",
        "Rolling Sharpe ratio",
        "Annualized return divided by volatility, trailing 126 sessions; the risk-free rate is 0.",
        rows.rolling_sharpe,
        (level(0), line(quantity("sharpe_ratio", None, ".1f", has_zero=True), MAIN)),
        is_pro_forma=True,
        pointed=at_session(("sharpe_ratio", "Sharpe", NUMBER)),
    ),
    Chart(
        "monthly_returns",
        "Monthly returns",
        "In percent; the first and the last month may be incomplete.",
        rows.monthly_returns,
        diverging_tiles("monthly_return", _MONTHLY, _MONTHS, _YEARS, factor=100),
        color_field="monthly_return",
        is_pro_forma=True,
    ),
    Chart(
        "distribution",
        "Distribution of daily returns",
        "Number of sessions by the size of their return.",
        rows.distribution,
        (
            {
                "mark": {"type": "bar"},
                "encoding": {
                    "x": {
                        **quantity("low", form=PERCENT),
                        "bin": {"binned": True},
                        "axis": {"title": None, "format": PERCENT, "tickCount": 6, "grid": False},
                    },
                    "x2": {"field": "high"},
                    "y": quantity("sessions", "sessions", ",.0f", has_zero=True),
                    "color": gain_or_loss("high"),
                    "tooltip": tooltip(
                        ("low", "From", PERCENT_1),
                        ("high", "To", PERCENT_1),
                        ("sessions", "Sessions", ",.0f"),
                    ),
                },
            },
        ),
        is_pro_forma=True,
    ),
)

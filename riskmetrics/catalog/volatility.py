"""Realized and forecast volatility of positions and portfolios."""

from functools import partial

from riskmetrics.catalog.absences import POSITION_FIGURE, POSITION_INPUT
from riskmetrics.catalog.figure import COVERED, PRO_FORMA, Figure, Unit
from riskmetrics.catalog.listing import Listing

MONTH, QUARTER, NEXT_MONTH, YEAR = "21 sessions", "63 sessions", "next 21 sessions", "252 sessions"
REALIZED = "standard deviation (n - 1) of the last {} returns * sqrt(252); {} required"
EXPECTED = (
    "k * sqrt(252) * L * clip(b0 + b1 x day + b2 x week + b3 x month + b4 x market, 0.25, 6)"
    " * exp(C / 2); L = mean of sqrt(pi / 2) * |r| over 252 sessions; x = means over 1, 5, 21"
    " sessions of |r|, or of ln(high / low), and of the market's |r| over 21, each over its mean of"
    " 252; C = a + sum of c * feature (event season, quarter over year, ranges over absolute"
    " returns); a, b, c, k of the version and the class of series"
)
RISE = "Phi((ln(volatility_forecast / trailing 21 sessions) - mean) / sd of the version)"
LEVEL_OBS = "63 returns in 252 sessions"
HAR = "Corsi (2009); Bollerslev, Hood, Huss and Pedersen (2018); Patton (2011)"
_LAG = "mean of sqrt(pi / 2) * |r| over {} * sqrt(252)"
_OPTIONS = "; options: * |delta| * price of the underlying / value"
_RETURNS = f", {PRO_FORMA}"


def _shared_figures(
    table: str, names: tuple[str, ...], suffixes: tuple[str, str], minimum: str
) -> tuple[Figure, ...]:
    """Return the figures that positions and portfolios share.

    ``names`` are the columns, and ``suffixes`` end the formulas of realized and of expected
    volatility.
    """
    month, quarter, expected, trend, percentile = names
    is_position = table == "position_volatility"
    figure = partial(Figure, table, absent=POSITION_FIGURE if is_position else ())
    return (
        figure(month, "Last 21 sessions", Unit.VOLATILITY, REALIZED.format(21, 15) + suffixes[0],
            MONTH, f"15 returns{minimum}", short="21d", absent=()),
        figure(quarter, "Last 63 sessions", Unit.VOLATILITY, REALIZED.format(63, 45) + suffixes[0],
            QUARTER, f"45 returns{minimum}", short="63d"),
        figure(expected, "Forecast, 21 sessions", Unit.VOLATILITY, EXPECTED + suffixes[1],
            NEXT_MONTH, LEVEL_OBS + minimum, HAR, "forecast", absent=()),
        figure(trend, "Trend", Unit.TEXT,
            f"increasing, decreasing or stable: p = {RISE}, stable if |2p - 1| < 0.15",
            NEXT_MONTH, LEVEL_OBS + minimum, short="trend"),
        figure(percentile, "Percentile", Unit.FRACTION,
            "percentile of the 21-session volatility among its 252 previous values (ties count"
            " half)", YEAR, f"126 previous values{minimum}", short="percentile"),
    )  # fmt: skip


_position = partial(Figure, "position_volatility", absent=POSITION_FIGURE)

FIGURES = (
    *_shared_figures("position_volatility",
        ("realized_vol_21d", "realized_vol_63d", "expected_vol_21d", "vol_trend",
         "vol_percentile"), (_OPTIONS, _OPTIONS), ""),
    _position("vol_daily", "Last session", Unit.VOLATILITY,
        _LAG.format("the last session with a return, at most 3 sessions old") + _OPTIONS,
        "1 session", "1 return in 4 sessions", "Forsberg and Ghysels (2007)", "day"),
    _position("vol_weekly", "Last 5 sessions", Unit.VOLATILITY,
        _LAG.format("5 sessions, 3 required") + _OPTIONS, "5 sessions", "3 returns",
        "Forsberg and Ghysels (2007)", "week"),
    _position("vol_monthly", "Last 21 sessions, absolute returns", Unit.VOLATILITY,
        _LAG.format("21 sessions, 15 required") + _OPTIONS, MONTH, "15 returns",
        "Forsberg and Ghysels (2007)", "month"),
    _position("vol_trend_strength", "Strength of the trend", Unit.FRACTION,
        f"|2p - 1|, p = {RISE}", NEXT_MONTH, LEVEL_OBS),
    _position("observations", "Observations", Unit.COUNT,
        "returns in the last 252 sessions", YEAR, absent=POSITION_INPUT),
    _position("model_r_squared", "Skill", Unit.SKILL,
        "1 - SSE(forecasts) / SSE(trailing 21 sessions) over the last 252 completed forecasts, 126"
        " required", YEAR, "126 completed forecasts", "Campbell and Thompson (2008)", "oos R²"),
    *_shared_figures("portfolio_snapshots",
        ("realized_volatility_21d", "realized_volatility_63d", "expected_volatility_21d",
         "volatility_trend", "volatility_percentile"),
        (_RETURNS, f", of {PRO_FORMA}"), f", {COVERED}"),
)  # fmt: skip

LISTINGS: tuple[Listing, ...] = ()
"""None: volatilities are shown with the caveats of their forecasts (`db.volatility_queries`)."""

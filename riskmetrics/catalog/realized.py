"""What portfolios earned, shown next to figures of today's holdings: columns and minimum."""

from riskmetrics.catalog.portfolio_statistics import STATISTICS

_DRAWDOWNS = next(one for one in STATISTICS if one.table == "portfolio_drawdowns")

REALIZED_SESSIONS = _DRAWDOWNS.sessions
"""Sessions of the realized history, as many as of the drawdowns of today's holdings."""

MIN_REALIZED_SHARE = _DRAWDOWNS.min_obs / _DRAWDOWNS.sessions
"""Minimum share of the sessions of a window whose daily return is stored."""

REALIZED_TITLE = f"Realized by the portfolios, {REALIZED_SESSIONS} sessions to {{session}}"
"""Title of the table; {session} is the session."""

REALIZED_FIGURES = {
    "annual_return": "portfolio_performance.annual_return",
    "current_drawdown": "portfolio_drawdowns.current_drawdown",
    "max_drawdown": "portfolio_drawdowns.max_drawdown",
    "max_drawdown_peak": "portfolio_drawdowns.max_drawdown_peak",
    "max_drawdown_trough": "portfolio_drawdowns.max_drawdown_trough",
    "worst_return": "portfolio_snapshots.daily_return",
}
"""Column of the realized history to the figure whose definition and format it has.

Its returns are `portfolio_snapshots.daily_return` of each session instead of pro-forma returns.
"""

"""Correlations of the largest holdings, and diversification."""

from functools import partial

from riskmetrics.catalog.absences import COMMANDS_ONLY, NO_SENTENCE
from riskmetrics.catalog.figure import COVERED, Figure, Unit
from riskmetrics.catalog.listing import Listing

_YEAR = "252 sessions"
_PAIRS = "126 common sessions of every pair"

_correlation = partial(Figure, "portfolio_correlations", window=_YEAR, absent=COMMANDS_ONLY)
_diversification = partial(Figure, "portfolio_diversification", window=_YEAR)

FIGURES = (
    _diversification("average_correlation", "Average correlation", Unit.CORRELATION,
        "mean of portfolio_correlations.correlation over the pairs of the 30 largest holdings",
        minimum="126 common sessions of a pair"),
    _diversification("first_component_share", "Share of the first component", Unit.FRACTION,
        "largest eigenvalue of their correlation matrix / number of symbols", minimum=_PAIRS,
        reference="Jolliffe (2002)", absent=NO_SENTENCE),
    _diversification("diversification_ratio", "Diversification ratio", Unit.NUMBER,
        "sum(|weight| * volatility) / volatility of the portfolio, over all holdings",
        minimum=f"126 returns, {COVERED}", reference="Choueifaty and Coignard (2008)"),
    _diversification("highest_correlation", "Highest correlation", Unit.CORRELATION,
        "maximum over the pairs", minimum="126 common sessions of a pair"),
    _diversification("highest_pair", "Most correlated pair", Unit.TEXT,
        "symbols of the highest correlation", minimum="126 common sessions of a pair",
        absent=NO_SENTENCE),
    _diversification("lowest_correlation", "Lowest correlation", Unit.CORRELATION,
        "minimum over the pairs", minimum="126 common sessions of a pair", absent=NO_SENTENCE),
    _diversification("lowest_pair", "Least correlated pair", Unit.TEXT,
        "symbols of the lowest correlation", minimum="126 common sessions of a pair",
        absent=NO_SENTENCE),
    _diversification("symbols", "Symbols", Unit.COUNT,
        "symbols with a weight and returns, options with their underlying; at most 30",
        absent=NO_SENTENCE),
    _correlation("correlation", "Correlation", Unit.CORRELATION,
        "cov(a, b) / (sd(a) * sd(b)) of the returns of both symbols on their common sessions",
        minimum="126 common sessions", reference="Pearson (1896)"),
    _correlation("observations", "Observations", Unit.COUNT,
        "sessions of the 252 on which both symbols have a return"),
)  # fmt: skip

LISTINGS = (
    Listing("portfolio_diversification", "Diversification, 252 sessions to {session}",
        "correlations", "portfolios"),
    Listing("portfolio_correlations", "Correlations of the largest holdings, {session}",
        "correlations", "pairs", order=("-correlation", "symbol_a", "symbol_b"), is_optional=True),
)  # fmt: skip

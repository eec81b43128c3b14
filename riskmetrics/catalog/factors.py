"""Exposures to factors, and volatility by factor."""

from functools import partial

from riskmetrics.catalog.absences import (
    COVERAGE_COUNT,
    ESTIMATE_QUALIFIER,
    NO_SENTENCE,
    SYMBOL_FIGURE,
)
from riskmetrics.catalog.figure import COVERED, PRO_FORMA, Figure, Unit
from riskmetrics.catalog.listing import Listing

_WINDOW, _ROWS = "252 sessions", "126 sessions with all returns"
_ERRORS = "MacKinnon and White (1985)"

_symbol = partial(
    Figure, "symbol_factor_exposures", window=_WINDOW, minimum=_ROWS, absent=SYMBOL_FIGURE
)
_portfolio = partial(Figure, "portfolio_factor_exposures", window=_WINDOW)
_risk = partial(
    Figure, "portfolio_factor_risk", window=_WINDOW, minimum=f"{_ROWS}, {COVERED}",
    reference="Litterman (1996)",
)  # fmt: skip

FIGURES = (
    _symbol("exposure", "Exposure", Unit.BETA,
        "b_k of r = a + sum(b_k * f_k) + e over the kept factors, least squares with weights"
        " 0.5 ** (age / 126)", reference="Sharpe (1992)"),
    _symbol("std_error", "Std error", Unit.BETA,
        "sqrt(n / (n - K - 1) * sum((w * e * inv(S) * (f - mean(f)))²)),"
        " S = sum(w * (f - mean(f))²),"
        " HC1", reference=_ERRORS),
    _symbol("t_statistic", "t", Unit.NUMBER, "exposure / std_error"),
    _symbol("r_squared", "R²", Unit.R_SQUARED, "1 - sum(w * e²) / sum(w * (r - mean(r))²)",
        null="undefined, or constant returns"),
    _symbol("observations", "Observations", Unit.COUNT,
        "n, sessions of the 252 on which the symbol and all kept factors have a return",
        minimum=""),
    _portfolio("exposure", "Exposure", Unit.BETA,
        "sum(exposure * b_k) / equity / coverage over the holdings with one", minimum=COVERED),
    _portfolio("std_error", "Std error", Unit.BETA,
        f"HC1 standard error of the same regression of R, {PRO_FORMA}",
        minimum=f"{_ROWS}, {COVERED}", reference=_ERRORS),
    _portfolio("t_statistic", "t", Unit.NUMBER, "exposure / std_error", null="undefined",
        absent=ESTIMATE_QUALIFIER),
    _portfolio("coverage", "Coverage", Unit.FRACTION,
        "share of exposure with factor exposures", null="the factor is left out",
        absent=COVERAGE_COUNT),
    _portfolio("vif", "Variance inflation", Unit.NUMBER,
        "1 / (1 - R²) of the factor on the other kept factors, weighted; of a factor that is left"
        " out: when it was dropped, the largest one above 10 first", short="VIF",
        minimum="126 returns of the factor", reference="Marquardt (1970)",
        null="too few returns of the factor, or an exact combination of others",
        absent=ESTIMATE_QUALIFIER),
    _risk("component", "Contribution", Unit.VOLATILITY,
        "b_k * cov(f_k, R) / sd(R) * sqrt(252), b of R on the factors, age-weighted; specific:"
        f" var(e) / sd(R) * sqrt(252); {PRO_FORMA}", absent=NO_SENTENCE),
    _risk("share", "Share", Unit.FRACTION, "component / volatility, the sum of the components"),
    _risk("observations", "Observations", Unit.COUNT,
        "sessions of the 252 on which R and all kept factors have a return", minimum="",
        reference="", absent=COVERAGE_COUNT),
)  # fmt: skip

LISTINGS = (
    Listing("portfolio_factor_exposures", "Factor exposures, 252 sessions to {session}", "factors",
        "factor_exposures", order=("factor",)),
    Listing("portfolio_factor_risk", "Volatility by factor, 252 sessions to {session}", "factors",
        "factor_risk", order=("-component", "factor")),
)  # fmt: skip

"""Betas of symbols, positions and portfolios to the market and rate indices."""

from functools import partial

from riskmetrics.catalog.absences import (
    COMMANDS_ONLY,
    COVERAGE_COUNT,
    ESTIMATE_QUALIFIER,
    NO_SENTENCE,
    POSITION_FIGURE,
    POSITION_INPUT,
)
from riskmetrics.catalog.figure import COVERED, PRO_FORMA, Figure, Unit
from riskmetrics.catalog.listing import Listing

_WINDOW, _PAIRS = "90 sessions", "60 paired returns"
_R_SQUARED = "1 - SSR / SST of the regression"
_WEIGHTED = (
    "sum(exposure * {0}) / equity / coverage over the holdings with one; coverage: their share of"
    " exposure, at least 80 %"
)

_two_factors = partial(
    Figure, "symbol_two_factor_betas", window=_WINDOW, minimum=_PAIRS,
    reference="Frisch and Waugh (1933)", absent=POSITION_INPUT,
)  # fmt: skip
_adjusted_beta = partial(
    Figure,
    "symbol_adjusted_betas",
    window=_WINDOW,
    minimum=_PAIRS,
    reference="Vasicek (1973)",
    absent=POSITION_INPUT,
)
_decayed_beta = partial(
    Figure, "symbol_decayed_betas", window="504 sessions", minimum=_PAIRS,
    reference="White (1980)", absent=POSITION_FIGURE,
)  # fmt: skip
_portfolio = partial(Figure, "portfolio_snapshots", window=_WINDOW, minimum=COVERED)
_portfolio_decayed_beta = partial(
    Figure, "portfolio_decayed_betas", window="504 sessions", minimum=f"{_PAIRS}, {COVERED}",
    reference="White (1980)", absent=NO_SENTENCE,
)  # fmt: skip
_rates = partial(Figure, "portfolio_rate_betas", window=_WINDOW, minimum=COVERED)


def _one_factor(table: str, column: str, label: str, index: str) -> tuple[Figure, ...]:
    """Return the figures of a regression on one index."""
    is_market = column == "beta"
    figure = partial(
        Figure,
        table,
        window=_WINDOW,
        minimum=_PAIRS,
        reference="Sharpe (1963)",
        absent=POSITION_FIGURE,
    )
    stated = () if is_market else POSITION_FIGURE
    return (
        figure(column, label, Unit.BETA,
            f"cov(r, {index}) / var({index}) over the paired returns of the 90 sessions to the"
            " day; at least 60 pairs required", absent=stated),
        figure("alpha", "Alpha", Unit.SESSION_RETURN,
            "mean(r) - beta * mean(m), the intercept of the regression, per session"),
        figure("r_squared", "R²", Unit.R_SQUARED, _R_SQUARED),
        figure("std_error", "Std error", Unit.BETA,
            "sqrt(SSR / (n - 2) / Sxx), the classical standard error of beta", absent=stated),
        figure("p_value", "p-value", Unit.P_VALUE, "2 * P(T(n - 2) > |beta / std_error|)"),
        figure("observations", "Observations", Unit.COUNT,
            "n, sessions of the 90 on which symbol and index have a return", minimum="",
            absent=POSITION_FIGURE if is_market else POSITION_INPUT),
    )  # fmt: skip


FIGURES = (
    *_one_factor("position_market_betas", "beta", "Beta", "market"),
    *_one_factor("position_interest_rate_betas", "ir_beta", "Rate beta", "rates"),
    _two_factors("market_beta", "Market beta", Unit.BETA,
        "b of r = a + b * market + c * rates + e, least squares"),
    _two_factors("market_std_error", "Std error of the market beta", Unit.BETA,
        "classical standard error of market_beta, n - 3 degrees of freedom"),
    _two_factors("market_p_value", "p-value of the market beta", Unit.P_VALUE,
        "2 * P(T(n - 3) > |market_beta / its standard error|)"),
    _two_factors("rate_beta", "Rate beta", Unit.BETA,
        "c of r = a + b * market + c * rates + e, least squares"),
    _two_factors("rate_std_error", "Std error of the rate beta", Unit.BETA,
        "classical standard error of rate_beta, n - 3 degrees of freedom"),
    _two_factors("rate_p_value", "p-value of the rate beta", Unit.P_VALUE,
        "2 * P(T(n - 3) > |rate_beta / its standard error|)"),
    _two_factors("alpha", "Alpha", Unit.SESSION_RETURN,
        "a of r = a + b * market + c * rates + e, per session"),
    _two_factors("r_squared", "R²", Unit.R_SQUARED, _R_SQUARED),
    _two_factors("observations", "Observations", Unit.COUNT,
        "n, sessions of the 90 on which symbol and both indices have a return", minimum=""),
    _adjusted_beta("beta", "Adjusted beta", Unit.BETA,
        "(beta / s² + prior_mean / prior_std²) / (1 / s² + 1 / prior_std²), s the standard error"
        " of beta (Vasicek 1973)"),
    _adjusted_beta("std_error", "Std error of the adjusted beta", Unit.BETA,
        "(1 / s² + 1 / prior_std²) ** -1/2"),
    _decayed_beta("beta", "Exponentially weighted beta", Unit.BETA,
        "sum(w * dm * dr) / sum(w * dm²), w = 2 ** (-age / 89), age in sessions, dr and dm"
        " deviations of returns of symbol and market from their weighted means"),
    _decayed_beta("std_error", "Std error of the exponentially weighted beta", Unit.BETA,
        "sqrt(sum(w² * dm² * e²)) / sum(w * dm²), e = dr - beta * dm: robust to changing"
        " volatility (HC0)", absent=POSITION_INPUT),
    _decayed_beta("forecast_std_error", "Std error as a forecast", Unit.BETA,
        "4 * std_error; 1.96 of it covered 95 % of the betas of the next 90 sessions"),
    _decayed_beta("effective_observations", "Effective observations", Unit.NUMBER,
        "sum(w)² / sum(w²)", reference="Kish (1965)", absent=POSITION_INPUT),
    _decayed_beta("observations", "Observations", Unit.COUNT,
        "n, sessions of the 504 on which symbol and market have a return", minimum="",
        reference="", absent=POSITION_INPUT),
    _portfolio("beta_calculated_90d", "Beta, 90 sessions", Unit.BETA, _WEIGHTED.format("beta")),
    _portfolio("beta_calculated_90d_r_squared", "Exposure-weighted mean R²", Unit.R_SQUARED,
        "exposure-weighted mean R² of the positions"),
    _portfolio("beta_calculated_90d_observations", "Fewest observations", Unit.COUNT,
        "fewest observations among the positions with a beta", absent=ESTIMATE_QUALIFIER),
    _portfolio("beta_portfolio_regression", "Portfolio regression", Unit.BETA,
        f"slope of R on the market, {PRO_FORMA} over the window", minimum=f"{_PAIRS}, {COVERED}",
        reference="Sharpe (1963)"),
    _portfolio("beta_provider_1y", "Vendor beta, 1 year", Unit.BETA,
        _WEIGHTED.format("the vendor's beta"), window="1 year"),
    _portfolio_decayed_beta("beta", "Beta, exponentially weighted", Unit.BETA,
        _WEIGHTED.format("exponentially weighted beta"), minimum=COVERED, reference=""),
    _portfolio_decayed_beta("regression_beta", "Portfolio regression, exponentially weighted",
        Unit.BETA, f"as symbol_decayed_betas.beta, of {PRO_FORMA}"),
    _portfolio_decayed_beta("std_error", "Std error of the regression", Unit.BETA,
        "as symbol_decayed_betas.std_error, of R", absent=COMMANDS_ONLY),
    _portfolio_decayed_beta("forecast_std_error", "Std error as a forecast", Unit.BETA,
        "4 * std_error"),
    _portfolio_decayed_beta("observations", "Observations", Unit.COUNT,
        "sessions of the 504 on which R and the market have a return", minimum="", reference="",
        absent=COVERAGE_COUNT),
    _rates("rate_beta", "Rate beta", Unit.BETA, _WEIGHTED.format("rate beta")),
    _rates("r_squared", "Exposure-weighted mean R²", Unit.R_SQUARED,
        "exposure-weighted mean R² of the positions on the rate index", absent=ESTIMATE_QUALIFIER),
    _rates("observations", "Fewest observations", Unit.COUNT,
        "fewest observations among the positions with a rate beta", absent=COVERAGE_COUNT),
    _rates("two_factor_market_beta", "Market beta, rates held fixed", Unit.BETA,
        _WEIGHTED.format("market beta with rates held fixed"), absent=COMMANDS_ONLY),
    _rates("two_factor_rate_beta", "Rate beta, market held fixed", Unit.BETA,
        _WEIGHTED.format("rate beta with the market held fixed")),
)  # fmt: skip

_DECAYED_DETAILS = ("std_error", "effective_observations", "observations")
_TWO_FACTOR_DETAILS = (
    *("market_beta", "market_std_error", "market_p_value", "rate_p_value"),
    *("alpha", "r_squared", "observations"),
)
"""Columns that only JSON shows."""

LISTINGS = (
    Listing(
        "position_market_betas", "Market betas, {session}", "betas",
        columns=(
            *("symbol", "position_type", "quantity", "beta", "std_error"),
            *("decayed_beta=symbol_decayed_betas.beta",
              "forecast_std_error=symbol_decayed_betas.forecast_std_error"),
            *("alpha", "r_squared", "p_value", "observations", "market_index"),
            *("adjusted_beta=symbol_adjusted_betas.beta",
              "adjusted_std_error=symbol_adjusted_betas.std_error"),
            *(f"decayed_{name}=symbol_decayed_betas.{name}" for name in _DECAYED_DETAILS),
        ),
        order=("symbol",),
        hidden=tuple(f"decayed_{name}" for name in _DECAYED_DETAILS),
    ),
    Listing(
        "portfolio_decayed_betas", "Exponentially weighted betas, 504 sessions to {session}",
        "risk", "decayed_betas", is_optional=True,
    ),
    Listing(
        "portfolio_rate_betas", "Rate betas of portfolios, {session}", "rate-betas", "portfolios",
        columns=(
            *("rate_beta", "r_squared", "observations", "two_factor_rate_beta"),
            *("two_factor_market_beta", "rate_index", "undefined_reason"),
        ),
        is_optional=True,
    ),
    Listing(
        "position_interest_rate_betas", "Rate betas of positions, {session}", "rate-betas",
        "positions",
        columns=(
            *("symbol", "position_type", "strike_price", "expiration_date", "quantity", "ir_beta"),
            *("std_error", "p_value", "r_squared", "alpha", "observations"),
            *("two_factor_rate_beta=symbol_two_factor_betas.rate_beta",
              "two_factor_std_error=symbol_two_factor_betas.rate_std_error"),
            *(f"two_factor_{name}=symbol_two_factor_betas.{name}" for name in _TWO_FACTOR_DETAILS),
            *("rate_index", "undefined_reason"),
        ),
        order=("symbol",),
        hidden=(
            *("alpha", "strike_price", "expiration_date"),
            *(f"two_factor_{name}" for name in _TWO_FACTOR_DETAILS),
        ),
    ),
)  # fmt: skip

"""Values, sensitivities and exposures of options."""

from functools import partial

from riskmetrics.catalog.absences import NO_SENTENCE, POSITION_FIGURE, POSITION_INPUT
from riskmetrics.catalog.figure import Figure, Unit
from riskmetrics.catalog.listing import Listing

_INPUTS = "strike, expiration, a close and a volatility forecast of the underlying"
_option = partial(
    Figure, "position_option_exposures", minimum=_INPUTS,
    reference="Black and Scholes (1973), Merton (1973)", absent=POSITION_FIGURE,
)  # fmt: skip
_input = partial(Figure, "position_option_exposures", absent=POSITION_INPUT)

FIGURES = (
    _option("value", "Value", Unit.PRICE,
        "call: S e^(-qT) N(d1) - K e^(-rT) N(d2); put: K e^(-rT) N(-d2) - S e^(-qT) N(-d1); "
        "d1 = (ln(S / K) + (r - q + v² / 2) T) / (v sqrt(T)), d2 = d1 - v sqrt(T)"),
    _option("delta", "Delta", Unit.DELTA, "call: e^(-qT) N(d1); put: -e^(-qT) N(-d1)"),
    _option("gamma", "Gamma", Unit.SENSITIVITY, "e^(-qT) n(d1) / (S v sqrt(T))"),
    _option("theta", "Theta", Unit.SENSITIVITY, "change of value per calendar day"),
    _option("vega", "Vega", Unit.SENSITIVITY,
        "S e^(-qT) n(d1) sqrt(T) / 100, per point of volatility"),
    _option("exposure", "Exposure", Unit.MONEY, "delta * signed contracts * 100 * S"),
    _input("underlying_price", "Price of the underlying", Unit.PRICE,
        "S, the underlying's close of the day or up to 5 sessions before", null="no such close"),
    _input("volatility", "Volatility", Unit.VOLATILITY,
        "v, the underlying's expected volatility of the next 21 sessions", "next 21 sessions",
        null="undefined", absent=POSITION_FIGURE),
    _input("years_to_expiration", "Years to expiration", Unit.YEARS,
        "T, calendar days to expiration / 365", null="the expiration is unknown"),
    *(
        Figure("portfolio_snapshots", f"portfolio_{name}", f"Portfolio {name}", Unit.MONEY,
            f"sum of {name} * signed contracts * 100 over options", minimum=f"{_INPUTS} of each",
            absent=NO_SENTENCE)
        for name in ("delta", "gamma", "theta", "vega")
    ),
)  # fmt: skip

LISTINGS = (
    Listing(
        "position_option_exposures", "Options, {session}", "options",
        columns=(
            *("symbol", "position_type", "quantity", "strike_price", "expiration_date"),
            *("value", "delta", "gamma", "theta", "vega", "exposure", "underlying_symbol"),
            *("underlying_price", "volatility", "years_to_expiration", "risk_free_rate"),
            *("dividend_yield", "undefined_reason"),
        ),
        order=("underlying_symbol", "expiration_date", "strike_price"),
        additive=("quantity", "exposure"),
        is_optional=True,
    ),
)  # fmt: skip

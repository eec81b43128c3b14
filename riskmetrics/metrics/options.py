"""Black-Scholes values and sensitivities of options.

Listed options on US shares are American: the early-exercise premium is not modeled.
"""

from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import BoolArray, DateArray, FloatArray

DAYS_PER_YEAR = 365
"""Day count ACT/365 of years to expiration; theta is per calendar day."""

VOLATILITY_POINT = 0.01
"""Unit of vega: one point of volatility, from 20 % to 21 %."""


class OptionValue(NamedTuple):
    """Value and sensitivities per share of the underlying, all of one shape.

    `value` is in currency; `delta` is currency per unit of spot; `gamma` is delta per unit of spot;
    `theta` is currency per calendar day; `vega` is currency per point of volatility.
    """

    value: FloatArray
    delta: FloatArray
    gamma: FloatArray
    theta: FloatArray
    vega: FloatArray


def years_to_expiration(day: DateArray, expiration: DateArray) -> FloatArray:
    """Return years (ACT/365) between dates; negative after expiration, NaN where a date is NaT.

    Examples
    --------
    >>> years_to_expiration(np.array(["2025-01-17"], "M8[D]"), np.array(["2026-01-17"], "M8[D]"))
    array([1.])
    """
    return (expiration - day) / np.timedelta64(DAYS_PER_YEAR, "D")


def black_scholes(
    is_call: BoolArray,
    spot: FloatArray,
    strike: FloatArray,
    years: FloatArray,
    volatility: FloatArray,
    *,
    rate: float = 0.0,
    dividend_yield: float = 0.0,
) -> OptionValue:
    r"""Value European calls and puts on underlyings that pay a continuous dividend yield.

    Parameters
    ----------
    is_call : array
        True for a call, False for a put. This and the other arrays are broadcast against each
        other.
    spot, strike : arrays
        Prices in one currency, positive.
    years, volatility : arrays
        Years to expiration; annualized volatility as a fraction.
    rate, dividend_yield : float
        Continuously compounded, per year, as fractions.

    Returns
    -------
    OptionValue
        Zeros for an option that has expired (``years`` below 0). NaN where an input is NaN or
        infinite, a price not positive or a volatility negative.

    Notes
    -----
    Where ``years`` or ``volatility`` is 0, results are the limits: the discounted payoff, a delta
    of 0 or of the discounted share, and gamma 0. Exactly at the kink of the payoff, delta is the
    midpoint of the two; gamma and the decay in theta, which have no finite limit, are 0.

    References
    ----------
    Black and Scholes (1973), The pricing of options and corporate liabilities, Journal of Political
    Economy 81(3). Merton (1973), Theory of rational option pricing, Bell Journal of Economics and
    Management Science 4(1).

    Examples
    --------
    The example of Hull, Options, Futures and Other Derivatives: a call of 4.76 and a put of 0.81.

    >>> is_call = np.array([True, False])
    >>> spot, strike, years, volatility = (np.array(value) for value in (42.0, 40.0, 0.5, 0.2))
    >>> found = black_scholes(is_call, spot, strike, years, volatility, rate=0.1)
    >>> found.value.round(2), found.delta.round(4)
    (array([4.76, 0.81]), array([ 0.7791, -0.2209]))
    """
    is_call, spot, strike, years, volatility = np.broadcast_arrays(
        is_call, spot, strike, years, volatility
    )
    usable = np.isfinite(spot) & np.isfinite(strike) & np.isfinite(years) & np.isfinite(volatility)
    usable &= (spot > 0.0) & (strike > 0.0) & (volatility >= 0.0)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # unusable options
        formula = _formula(
            np.where(is_call, 1.0, -1.0), spot, strike, years, volatility, rate, dividend_yield
        )
    return OptionValue._make(
        np.where(years < 0.0, 0.0, np.where(usable, result, np.nan)) for result in formula
    )


def _formula(
    sign: FloatArray,
    spot: FloatArray,
    strike: FloatArray,
    years: FloatArray,
    volatility: FloatArray,
    rate: float,
    dividend_yield: float,
) -> OptionValue:
    """Value options; ``sign`` is 1 for calls and -1 for puts. Where time is 0, use the limits."""
    from scipy.special import ndtr  # slow to import

    sqrt_years = np.sqrt(years)
    total_volatility = volatility * sqrt_years
    moneyness = np.log(spot / strike) + (rate - dividend_yield) * years
    d1 = np.where(moneyness == 0.0, 0.0, moneyness / total_volatility) + total_volatility / 2.0
    discounted_spot = spot * np.exp(-dividend_yield * years)
    discounted_strike = strike * np.exp(-rate * years)
    exercised_spot = discounted_spot * ndtr(sign * d1)
    exercised_strike = discounted_strike * ndtr(sign * (d1 - total_volatility))
    density = np.exp(-(d1**2) / 2.0) / np.sqrt(2.0 * np.pi)
    decay = np.where(years > 0.0, discounted_spot * density * volatility / (2.0 * sqrt_years), 0.0)
    gamma = discounted_spot * density / (spot**2 * total_volatility)
    carry = sign * (dividend_yield * exercised_spot - rate * exercised_strike)
    return OptionValue(
        # rounding may make the value negative far out of the money
        value=np.maximum(sign * (exercised_spot - exercised_strike), 0.0),
        delta=sign * exercised_spot / spot,
        gamma=np.where(total_volatility > 0.0, gamma, 0.0),
        theta=(carry - decay) / DAYS_PER_YEAR,
        vega=discounted_spot * density * sqrt_years * VOLATILITY_POINT,
    )

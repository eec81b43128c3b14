"""Recalculated option values, sensitivities and exposures."""

import math

import pandas as pd

from riskmetrics.catalog.options import FIGURES
from riskmetrics.db import tables
from riskmetrics.explain.portfolio_holdings import lots
from riskmetrics.explain.recalculation import MetricGroup, Recalculation, Row
from riskmetrics.explain.source_rows import SourceRows
from riskmetrics.metrics.options import DAYS_PER_YEAR, VOLATILITY_POINT
from riskmetrics.transactions.model import CONTRACT_SIZE


def _recalculate_option(sources: SourceRows, row: Row) -> Recalculation:
    """Recalculate a Black-Scholes-Merton value; rate and dividend yield are stored in the row."""
    lot = sources.lot(row["position_id"])
    spot, _ = sources.close(row["underlying_symbol"], sources.day)
    forecast = sources.stored_forecast(row["underlying_symbol"]) or {}
    volatility = forecast.get("volatility_forecast")
    sigma, strike = math.nan if volatility is None else volatility, float(lot["strike_price"])
    days = (
        math.nan
        if pd.isna(lot["expiration_date"])
        else (lot["expiration_date"].date() - sources.day).days
    )
    years, sign = days / DAYS_PER_YEAR, 1 if lot["position_type"] in ("LC", "SC") else -1
    rate, dividends = row["risk_free_rate"], row["dividend_yield"]
    greeks = black_scholes(sign, spot, strike, years, sigma, rate, dividends)
    exposure = (
        greeks["delta"] * float(lot["quantity"]) * CONTRACT_SIZE * spot
        if greeks["delta"]
        else greeks["delta"]
    )
    values = greeks | {
        "exposure": exposure,
        "underlying_price": spot,
        "volatility": sigma,
        "years_to_expiration": years,
    }
    inputs = {
        "spot": spot,
        "strike": strike,
        "years_to_expiration": years,
        "volatility": sigma,
        "rate": rate,
        "dividend yield": dividends,
    }
    return Recalculation(
        values, {"right": "call" if sign > 0 else "put", **inputs, "contracts": lot["quantity"]}
    )


def black_scholes(
    sign: int, spot: float, strike: float, years: float, sigma: float, rate: float, dividends: float
) -> dict[str, float]:
    """Return value and sensitivities of a European option; ``sign``: 1 for a call, -1 for a put.

    All are 0 after expiration and NaN if an input is unknown. At expiration, the value is the
    payoff, and gamma and vega are 0.
    """
    from scipy.stats import norm

    if years < 0:
        return dict.fromkeys(("value", "delta", "gamma", "theta", "vega"), 0.0)
    share, bond = spot * math.exp(-dividends * years), strike * math.exp(-rate * years)
    width = sigma * math.sqrt(years)
    if math.isnan(share + bond + width) or width == 0:
        ahead = sign * (share - bond)
        reached = 1.0 if ahead > 0 else 0.5 if ahead == 0 else 0.0
        known = not math.isnan(ahead + width)
        carry = sign * reached * (dividends * share - rate * bond) / DAYS_PER_YEAR
        values = {
            "value": max(ahead, 0.0),
            "delta": sign * reached * share / spot,
            "gamma": 0.0,
            "theta": carry,
            "vega": 0.0,
        }
        return values if known else dict.fromkeys(values, math.nan)
    d1 = math.log(share / bond) / width + width / 2
    d2, density = d1 - width, share * norm.pdf(d1)
    inside_share, inside_bond = share * norm.cdf(sign * d1), bond * norm.cdf(sign * d2)
    return {
        "value": float(sign * (inside_share - inside_bond)),
        "delta": float(sign * inside_share / spot),
        "gamma": float(density / spot**2 / width),
        "theta": float(
            (
                sign * (dividends * inside_share - rate * inside_bond)
                - density * sigma / (2 * math.sqrt(years))
            )
            / DAYS_PER_YEAR
        ),
        "vega": float(density * math.sqrt(years) * VOLATILITY_POINT),
    }


def _recalculate_sensitivities(sources: SourceRows, _: Row) -> Recalculation:
    options = sources.options
    units = {str(lot.position_id): float(lot.units) for lot in lots(sources)}
    names = ("delta", "gamma", "theta", "vega")
    held = [units[str(position)] for position in options.index]
    sums = {
        f"portfolio_{name}": float((options[name].astype(float) * held).sum(skipna=False))
        for name in names
    }
    return Recalculation(sums, {"options": len(options)})


METRIC_GROUPS = [
    MetricGroup(
        tables.position_option_exposures,
        "Black-Scholes-Merton formulas with scipy.stats.norm",
        _recalculate_option,
    ),
    MetricGroup(
        tables.portfolio_snapshots,
        "a sum over the stored rows of position_option_exposures",
        _recalculate_sensitivities,
        FIGURES,
    ),
]

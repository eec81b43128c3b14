"""Revaluation of options against numerical integration of payoffs, parity and limits."""

import numpy as np
import pytest
from scipy import integrate, stats

from riskmetrics.metrics.revaluation import (
    VOLATILITY_DECAY,
    Options,
    revaluation_difference,
    volatility_after,
)

RATE, YIELD = 0.03, 0.01


def _option(is_call: bool, units: float, spot: float, strike: float, years: float, vol: float):
    return Options(*(np.array([value]) for value in (is_call, units, spot, strike, years, vol)))


def _value(is_call: bool, spot: float, strike: float, years: float, vol: float) -> float:
    """Oracle: discounted mean of the payoff, by quadrature."""
    deviation = vol * np.sqrt(years)
    drift = (RATE - YIELD) * years - deviation**2 / 2
    sign = 1 if is_call else -1
    kink = (np.log(strike / spot) - drift) / deviation
    ends = (kink, 40.0) if is_call else (-40.0, kink)

    def payoff(z: float) -> float:
        return sign * (spot * np.exp(drift + deviation * z) - strike) * stats.norm.pdf(z)

    return np.exp(-RATE * years) * integrate.quad(payoff, *ends, epsabs=1e-13, limit=400)[0]


@pytest.mark.parametrize("is_call", [True, False])
@pytest.mark.parametrize(("move", "vol"), [(-0.4, 0.6), (-0.05, 0.25), (0.0, 0.3), (0.2, 0.2)])
def test_delta_plus_difference_is_the_change_of_value(
    is_call: bool, move: float, vol: float
) -> None:
    spot, strike, years, now, units = 100.0, 105.0, 0.4, 0.25, -300.0
    option = _option(is_call, units, spot, strike, years, now)
    found = revaluation_difference(
        option, np.array([[move]]), np.array([[vol]]), rate=RATE, dividend_yield=YIELD
    )
    step = 1e-3
    delta = (
        _value(is_call, spot + step, strike, years, now)
        - _value(is_call, spot - step, strike, years, now)
    ) / (2 * step)
    change = _value(is_call, spot * (1 + move), strike, years, vol) - _value(
        is_call, spot, strike, years, now
    )
    expected = units * (change - delta * spot * move)
    assert found[0, 0] == pytest.approx(expected, rel=1e-5, abs=1e-3)


def test_a_call_less_a_put_is_a_forward_whatever_moves() -> None:
    """By parity the pair is linear in the spot, so that delta is exact."""
    terms = (100.0, 95.0, 0.75, 0.3)
    moves, vols = np.array([[-0.5], [-0.1], [0.0], [0.3]]), np.array([[0.9], [0.4], [0.2], [0.1]])
    rates = {"rate": RATE, "dividend_yield": YIELD}
    call, put = (
        revaluation_difference(_option(is_call, units, *terms), moves, vols, **rates)
        for is_call, units in ((True, 1.0), (False, -1.0))
    )
    np.testing.assert_allclose(call + put, 0.0, atol=1e-11)


def test_without_gamma_there_is_no_difference() -> None:
    """A call at next to nothing, and one of which no time is left, in the money."""
    moves = np.array([[-0.3], [0.3]])
    for strike, years in ((1e-6, 0.5), (50.0, 0.0)):
        option = _option(True, 100.0, 100.0, strike, years, 0.3)
        found = revaluation_difference(option, moves, np.full((2, 1), 0.3))
        np.testing.assert_allclose(found, 0.0, atol=1e-6)


def test_long_options_gain_and_short_ones_lose_by_gamma_and_volatility() -> None:
    moves = np.linspace(-0.3, 0.3, 7)[:, None]
    for is_call in (True, False):
        for vol in (0.25, 0.5):
            long, short = (
                revaluation_difference(
                    _option(is_call, units, 100.0, 100.0, 0.3, 0.25), moves, np.full((7, 1), vol)
                )
                for units in (1.0, -1.0)
            )
            assert (long >= -1e-12).all()
            np.testing.assert_array_equal(short, -long)


def test_a_price_does_not_become_negative_and_an_unknown_move_is_nan() -> None:
    put = _option(False, 1.0, 100.0, 100.0, 0.5, 0.3)
    found = revaluation_difference(put, np.array([[-1.4], [np.nan]]), np.full((2, 1), 0.3))
    delta = -stats.norm.cdf(-(0.3**2 / 2 * 0.5) / (0.3 * np.sqrt(0.5)))
    assert found[0, 0] == pytest.approx(100.0 - _flat_put() + delta * 140.0, rel=1e-4)
    assert np.isnan(found[1, 0])


def _flat_put() -> float:
    """Value of the put at the money without rates: K (2 N(v sqrt(T) / 2) - 1)."""
    return 100.0 * (2 * stats.norm.cdf(0.3 * np.sqrt(0.5) / 2) - 1)


def test_volatility_after_moves_is_a_recursion_by_hand() -> None:
    moves = np.array([0.02, -0.05, 0.0])
    variance = 0.3**2
    for move in moves:
        variance = VOLATILITY_DECAY * variance + (1 - VOLATILITY_DECAY) * 252 * move**2
    found = volatility_after(np.array([0.3]), moves[:, None, None])
    assert found[0, 0] == pytest.approx(np.sqrt(variance), rel=1e-12)
    usual = 0.3 / np.sqrt(252)
    assert volatility_after(np.array([0.3]), np.full((10, 1, 1), usual))[0, 0] == pytest.approx(0.3)

"""Option values against published values, numerical integration and put-call parity."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal, assert_equal
from scipy import integrate, stats

from riskmetrics.metrics.options import OptionValue, black_scholes, years_to_expiration

repeatable = settings(max_examples=60)
contracts = st.tuples(
    st.floats(20, 200), st.floats(20, 200), st.floats(0.05, 3.0), st.floats(0.08, 1.0)
)
carries = st.fixed_dictionaries(
    {"rate": st.floats(-0.02, 0.1), "dividend_yield": st.floats(0.0, 0.08)}
)


def call_and_put(spot, strike, years, volatility, **carry):
    """Both options on one contract, as fields of shape (2,)."""
    return black_scholes(
        np.array([True, False]),
        *(np.array([x], float) for x in (spot, strike, years, volatility)),
        **carry,
    )


def test_agrees_with_the_values_in_hulls_textbook():
    """Published: Hull, Options, Futures, and Other Derivatives, the example of the Black-Scholes
    formulas: 4.76 and 0.81.
    """
    assert_allclose(call_and_put(42, 40, 0.5, 0.20, rate=0.10).value, [4.76, 0.81], atol=0.005)


def test_agrees_with_the_index_call_in_hulls_textbook():
    """Published: Hull, the example of a European call on an index that pays dividends: 51.83."""
    assert_allclose(
        call_and_put(930, 900, 2 / 12, 0.20, rate=0.08, dividend_yield=0.03).value[0],
        51.83,
        atol=0.005,
    )


def test_agrees_with_the_greeks_in_hulls_textbook():
    """Published: Hull, "The Greek letters": delta .522, gamma .066, theta -4.31 a year, vega 12.1
    per unit of volatility.
    """
    found = call_and_put(49, 50, 0.3846, 0.20, rate=0.05)
    assert_allclose(found.delta[0], 0.522, atol=0.0005)
    assert_allclose(found.gamma[0], 0.066, atol=0.0005)
    assert_allclose(found.theta[0], -4.31 / 365, atol=0.005 / 365)
    assert_allclose(found.vega[0], 12.1 / 100, atol=0.05 / 100)


@repeatable
@given(contracts, carries)
def test_agrees_with_the_discounted_mean_of_the_payoff(contract, carry):
    """Oracle: numerical integration of the payoff over the lognormal density of the spot at
    expiration.
    """
    spot, strike, years, volatility = contract
    mean, sd = (
        np.log(spot) + (carry["rate"] - carry["dividend_yield"] - volatility**2 / 2) * years,
        volatility * np.sqrt(years),
    )
    kink = (np.log(strike) - mean) / sd
    discount = np.exp(-carry["rate"] * years)

    def payoff(z):
        return discount * abs(np.exp(mean + sd * z) - strike) * stats.norm.pdf(z)

    edge = 12.0
    inside = np.clip(kink, -edge, edge)
    expected = [
        integrate.quad(payoff, *ends, epsabs=1e-11)[0] for ends in ((inside, edge), (-edge, inside))
    ]
    assert_allclose(call_and_put(*contract, **carry).value, expected, rtol=1e-7, atol=1e-8)


@repeatable
@given(contracts, carries)
def test_call_minus_put_is_the_forward(contract, carry):
    spot, strike, years, _ = contract
    found = call_and_put(*contract, **carry)
    share, bond = (
        spot * np.exp(-carry["dividend_yield"] * years),
        strike * np.exp(-carry["rate"] * years),
    )
    assert_allclose(found.value[0] - found.value[1], share - bond, rtol=1e-12, atol=1e-12 * spot)
    assert_allclose(found.delta[0] - found.delta[1], share / spot, rtol=1e-12)
    assert_allclose(found.gamma[0], found.gamma[1], rtol=1e-12)
    assert_allclose(found.vega[0], found.vega[1], rtol=1e-12)
    carried = (carry["dividend_yield"] * share - carry["rate"] * bond) / 365
    assert_allclose(found.theta[0] - found.theta[1], carried, rtol=1e-9, atol=1e-12)


@repeatable
@given(contracts, carries)
def test_sensitivities_are_derivatives_of_the_value(contract, carry):
    """Oracle: central differences."""
    spot, strike, years, volatility = contract
    found = call_and_put(*contract, **carry)

    def slope(field, step, *, of_spot=0.0, of_years=0.0, of_volatility=0.0):
        up, down = (
            getattr(
                call_and_put(
                    spot + h * of_spot,
                    strike,
                    years + h * of_years,
                    volatility + h * of_volatility,
                    **carry,
                ),
                field,
            )
            for h in (step, -step)
        )
        return (up - down) / (2 * step)

    assert_allclose(found.delta, slope("value", 1e-4 * spot, of_spot=1.0), rtol=1e-5, atol=1e-6)
    assert_allclose(found.gamma, slope("delta", 1e-4 * spot, of_spot=1.0), rtol=1e-5, atol=1e-6)
    assert_allclose(found.theta, -slope("value", 1e-5, of_years=1.0) / 365, rtol=1e-5, atol=1e-6)
    assert_allclose(found.vega, slope("value", 1e-5, of_volatility=1.0) / 100, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("years", "volatility"), [(0.0, 0.3), (0.0, 0.0), (1.0, 0.0)])
@pytest.mark.parametrize("spot", [80.0, 120.0])
def test_without_chance_left_an_option_is_worth_its_discounted_payoff(spot, years, volatility):
    """By hand, and the limit that a very small volatility approaches."""
    carry = {"rate": 0.05, "dividend_yield": 0.02}
    found = call_and_put(spot, 100, years, volatility, **carry)
    forward = spot * np.exp(-0.02 * years) - 100 * np.exp(-0.05 * years)
    assert_allclose(found.value, [max(forward, 0), max(-forward, 0)], rtol=1e-14)
    for ours, limit in zip(
        found, call_and_put(spot, 100, max(years, 1e-9), 1e-6, **carry), strict=True
    ):
        assert_allclose(ours, limit, rtol=1e-8, atol=1e-7)


def test_at_the_kink_of_the_payoff_delta_is_a_half_and_nothing_is_infinite():
    for years, volatility in ((0.0, 0.3), (0.0, 0.0), (1.0, 0.0)):
        found = call_and_put(100, 100, years, volatility)
        assert_array_equal(found.value, [0.0, 0.0])
        assert_array_equal(found.delta, [0.5, -0.5])
        assert_array_equal([found.gamma, found.theta], np.zeros((2, 2)))
        assert np.isfinite(found.vega).all()


def test_an_expired_option_is_nothing_whatever_else_is_unknown():
    assert_array_equal(np.array(call_and_put(np.nan, 100, -1 / 365, np.nan)), np.zeros((5, 2)))


@pytest.mark.parametrize(
    "wrong",
    [
        (np.nan, 100, 1, 0.2),
        (0, 100, 1, 0.2),
        (100, -1, 1, 0.2),
        (100, 100, np.nan, 0.2),
        (100, 100, 1, -0.2),
    ],
)
def test_invalid_inputs_are_nan(wrong):
    assert_array_equal(np.array(call_and_put(*wrong)), np.full((5, 2), np.nan))


def test_the_value_of_an_option_far_out_of_the_money_is_not_negative():
    spots = np.linspace(1, 60, 2000)
    value = black_scholes(
        np.array([True]), spots, np.array([100.0]), np.array([0.25]), np.array([0.1]), rate=0.03
    ).value
    assert (value >= 0.0).all()
    assert value.min() == 0.0


def test_an_option_has_the_same_bits_alone_and_in_a_batch():
    rng = np.random.default_rng(4)
    is_call = rng.random(501) < 0.5
    numbers = (
        rng.uniform(50, 150, 501),
        rng.uniform(50, 150, 501),
        rng.uniform(0, 2, 501),
        rng.uniform(0, 0.8, 501),
    )
    batch = black_scholes(is_call, *numbers, rate=0.04, dividend_yield=0.01)
    for i in range(501):
        alone = black_scholes(
            is_call[[i]], *(values[[i]] for values in numbers), rate=0.04, dividend_yield=0.01
        )
        assert_equal(alone, OptionValue(*(values[[i]] for values in batch)))


def test_years_are_calendar_days_over_365():
    """A leap year has 366 of them; what expired yesterday has minus one."""
    day = np.array(["2024-01-01", "2024-03-02", "2024-03-01", "NaT"], dtype="datetime64[D]")
    expiration = np.array(
        ["2025-01-01", "2024-03-01", "2024-03-01", "2024-03-01"], dtype="datetime64[D]"
    )
    assert_array_equal(years_to_expiration(day, expiration), [366 / 365, -1 / 365, 0.0, np.nan])

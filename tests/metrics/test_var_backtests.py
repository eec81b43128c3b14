"""Tests of stored value at risk and expected shortfall, against publications and scipy."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from riskmetrics.metrics.tail_risk import kupiec
from riskmetrics.metrics.var_backtests import (
    Transitions,
    acerbi_szekely_z2,
    conditional_coverage_test,
    independence_test,
    is_evidence,
    probability_of_at_most,
    quantile_loss,
    traffic_light,
)

BASEL_ZONES = ["green"] * 5 + ["yellow"] * 5 + ["red"]
"""Zones of 0 to 10 exceptions in 250 sessions at 99 %, Basel Committee (1996), table 2."""

BASEL_PROBABILITIES = [8.11, 28.58, 54.32, 75.81, 89.22, 95.88, 98.63, 99.60, 99.89, 99.97, 99.99]
"""Cumulative probabilities of the same table, in percent."""

KUPIEC_REGIONS = {
    (0.99, 255): (0, 7),
    (0.99, 510): (1, 11),
    (0.99, 1000): (4, 17),
    (0.95, 255): (6, 21),
    (0.95, 510): (16, 36),
    (0.95, 1000): (37, 65),
}
"""Exceptions outside of which the model is rejected at 95 % confidence, Kupiec (1995), table 3.

The model is accepted strictly between the two; 0: no lower limit.
"""


def count_transitions(exceptions: np.ndarray) -> Transitions:
    """Pairs of neighbors, by a loop."""
    counts = dict.fromkeys([(0, 0), (0, 1), (1, 0), (1, 1)], 0)
    for before, after in pairwise(exceptions):
        counts[int(before), int(after)] += 1
    return Transitions(*(np.array([count]) for count in counts.values()))


def test_the_zones_are_those_of_the_basel_rules() -> None:
    exceptions, days = np.arange(11), np.full(11, 250)
    assert traffic_light(exceptions, days, level=0.99).tolist() == BASEL_ZONES
    found = probability_of_at_most(exceptions, days, level=0.99)
    assert_allclose(100 * found, BASEL_PROBABILITIES, atol=0.005)


def test_no_session_has_no_zone() -> None:
    assert traffic_light(np.array([0]), np.array([0]), level=0.99).tolist() == [""]


@pytest.mark.parametrize(("level", "n_obs"), KUPIEC_REGIONS)
def test_kupiec_rejects_where_the_publication_does(level: float, n_obs: int) -> None:
    low, high = KUPIEC_REGIONS[level, n_obs]
    exceptions = np.arange(n_obs // 4)
    p_value = kupiec(exceptions, np.full_like(exceptions, n_obs), level=level).p_value
    accepted = np.flatnonzero(p_value > 0.05)
    assert accepted.max() == high - 1
    assert low == 0 or accepted.min() == low + 1


@given(st.lists(st.booleans(), min_size=3, max_size=80))
def test_independence_is_the_g_test_of_scipy(values: list[bool]) -> None:
    exceptions = np.array(values)
    counts = count_transitions(exceptions)
    found = independence_test(counts)
    table = np.array([[counts.n_00[0], counts.n_01[0]], [counts.n_10[0], counts.n_11[0]]])
    if not table[1].any():
        assert np.isnan(found.p_value).all()
    elif not table[0].any() or not table.any(axis=0).all():
        assert_allclose([found.likelihood_ratio[0], found.p_value[0]], [0.0, 1.0], atol=1e-9)
    else:
        g_test = stats.chi2_contingency(table, correction=False, lambda_="log-likelihood")
        assert_allclose(found.likelihood_ratio[0], g_test.statistic, atol=1e-9)
        assert_allclose(found.p_value[0], g_test.pvalue, atol=1e-9)


def test_both_tests_together_have_two_degrees_of_freedom() -> None:
    found = conditional_coverage_test(np.array([3.0, np.nan]), np.array([2.0, 1.0]))
    assert_allclose(found.likelihood_ratio, [5.0, np.nan])
    assert_allclose(found.p_value, [stats.chi2.sf(5.0, 2), np.nan])


def test_z2_is_minus_one_with_twice_the_exceptions_and_0_as_expected() -> None:
    """Acerbi and Szekely: E = 0 if the model is right; by hand with losses of the size of ES."""
    found = acerbi_szekely_z2(np.array([2.5, 5.0, 0.0]), np.array([250, 250, 250]), level=0.99)
    assert_allclose(found, [0.0, -1.0, 1.0], atol=1e-12)


def test_z2_of_a_correct_model_has_the_critical_value_of_the_publication() -> None:
    """Table 3 of the paper: -0.70 at 5 % for normal returns, 97.5 % and 250 sessions."""
    losses = np.random.default_rng(3).standard_normal((250, 20_000))
    value_at_risk = stats.norm.ppf(0.975)
    shortfall = stats.norm.pdf(value_at_risk) / 0.025
    relative = np.where(losses > value_at_risk, losses / shortfall, 0.0).sum(axis=0)
    found = acerbi_szekely_z2(relative, np.full(20_000, 250), level=0.975)
    assert_allclose(found.mean(), 0.0, atol=0.01)
    assert_allclose(np.quantile(found, 0.05), -0.70, atol=0.02)


@pytest.mark.parametrize("level", [0.95, 0.99])
def test_the_mean_loss_is_smallest_for_the_quantile(level: float) -> None:
    losses = np.random.default_rng(5).standard_t(5, 100_000)
    best = np.quantile(losses, level)
    found = [
        quantile_loss(losses, np.full_like(losses, best + shift), level=level).mean()
        for shift in (-0.1, 0.0, 0.1)
    ]
    assert min(found) == found[1]
    excess = losses - best
    assert_allclose(found[1], np.maximum(level * excess, (level - 1) * excess).mean(), rtol=1e-12)


def test_an_undefined_forecast_or_loss_has_no_loss() -> None:
    values = np.array([np.nan, 0.01]), np.array([0.01, np.nan])
    assert np.isnan(quantile_loss(*values, level=0.95)).all()


@pytest.mark.parametrize("level", [0.95, 0.99])
def test_a_correct_model_is_rejected_about_as_often_as_it_should_be(level: float) -> None:
    """A market of known volatility: its quantiles are exact.

    Kupiec's test rejects with the exact probability of its region, independence in about 5 % of
    all cases at 95 %; at 99 % it has too few exceptions to reach that.
    """
    rng, n_markets, n_days = np.random.default_rng(11), 4_000, 500
    volatility = 0.01 * np.exp(0.5 * np.sin(np.arange(n_days) / 40))[:, np.newaxis]
    losses = volatility * rng.standard_normal((n_days, n_markets))
    exceeded = losses > stats.norm.ppf(level) * volatility
    counts, days = exceeded.sum(axis=0), np.full(n_markets, n_days)
    frequency = kupiec(counts, days, level=level)
    possible = np.arange(n_days + 1)
    region = kupiec(possible, np.full_like(possible, n_days), level=level).p_value < 0.05
    size = stats.binom.pmf(possible, n_days, 1 - level)[region].sum()
    assert_allclose((frequency.p_value < 0.05).mean(), size, atol=0.012)
    assert 0.02 < size < 0.09
    before, after = exceeded[:-1], exceeded[1:]
    independence = independence_test(
        Transitions(
            (~before & ~after).sum(axis=0),
            (~before & after).sum(axis=0),
            (before & ~after).sum(axis=0),
            (before & after).sum(axis=0),
        )
    )
    assert (independence.p_value < 0.05).mean() < 0.09


def test_clustered_exceptions_are_found() -> None:
    exceptions = np.tile([1, 1, 1] + [0] * 57, 5).astype(bool)
    assert independence_test(count_transitions(exceptions)).p_value[0] < 1e-6


@pytest.mark.parametrize(("n_obs", "evidence"), [(252, False), (298, False), (299, True)])
def test_no_exception_is_evidence_only_where_it_is_improbable(n_obs: int, evidence: bool) -> None:
    """.99 ** 298 is 5.0 %, .99 ** 299 is 4.95 %."""
    none, days = np.array([0]), np.array([n_obs])
    p_value = kupiec(none, days, level=0.99).p_value
    assert p_value[0] < 0.05
    assert_allclose(probability_of_at_most(none, days, level=0.99), 0.99**n_obs)
    assert is_evidence(none, days, p_value, level=0.99).tolist() == [evidence]

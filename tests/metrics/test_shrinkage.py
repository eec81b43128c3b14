"""Shrunk betas against weighted least squares, numerical integration and their limits."""

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import norm

from riskmetrics.metrics.shrinkage import PRIOR_MEAN, PRIOR_SD, vasicek


def test_agrees_with_weighted_least_squares_of_estimate_and_prior():
    """Oracle: statsmodels.

    The posterior mean is the mean of both with weights 1 / variance, each of known variance.
    """
    rng = np.random.default_rng(7)
    beta, std_error = rng.normal(1.0, 0.6, 50), rng.uniform(0.02, 1.5, 50)
    ours = vasicek(beta, std_error)
    for i in range(50):
        both, weights = np.array([beta[i], PRIOR_MEAN]), 1 / np.array([std_error[i], PRIOR_SD]) ** 2
        theirs = sm.WLS(both, np.ones(2), weights=weights).fit(cov_type="fixed scale")
        assert_allclose(ours.beta[i], theirs.params[0], rtol=1e-12)
        assert_allclose(ours.std_error[i], theirs.bse[0], rtol=1e-12)


def test_agrees_with_bayes_rule_on_a_grid():
    """Oracle: the posterior density as prior times likelihood, summed over a fine grid."""
    grid = np.linspace(-6, 8, 200_001)
    density = norm.pdf(grid, 0.5, 0.2) * norm.pdf(1.7, grid, 0.3)
    mean = (grid * density).sum() / density.sum()
    sd = np.sqrt(((grid - mean) ** 2 * density).sum() / density.sum())
    ours = vasicek(np.array([1.7]), np.array([0.3]), prior_mean=0.5, prior_sd=0.2)
    assert_allclose([ours.beta[0], ours.std_error[0]], [mean, sd], rtol=1e-9)


def test_an_estimate_as_uncertain_as_the_prior_meets_it_halfway():
    ours = vasicek(np.array([2.0]), np.array([PRIOR_SD]))
    assert_allclose([ours.beta[0], ours.std_error[0]], [1.5, PRIOR_SD / np.sqrt(2)], rtol=1e-15)


def test_certain_estimates_are_kept_useless_ones_give_the_prior_and_undefined_ones_stay_so():
    ours = vasicek(np.array([0.3, 0.3, np.nan, 0.3]), np.array([0.0, 1e9, 0.1, np.nan]))
    assert_array_equal(ours.beta[[0, 2, 3]], [0.3, np.nan, np.nan])
    assert_array_equal(ours.std_error[[0, 2, 3]], [0.0, np.nan, np.nan])
    assert_allclose([ours.beta[1], ours.std_error[1]], [PRIOR_MEAN, PRIOR_SD], rtol=1e-12)


def test_shapes_and_deviations_that_make_no_sense_raise():
    for beta, std_error, prior_sd in (
        (np.ones(2), np.ones(3), 1.0),
        (np.ones(1), np.ones(1), 0.0),
        (np.ones(1), -np.ones(1), 1.0),
    ):
        with pytest.raises(ValueError, match="standard"):
            vasicek(beta, std_error, prior_sd=prior_sd)

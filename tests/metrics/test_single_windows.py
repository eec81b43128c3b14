"""A window alone, whose rows are added in blocks, has the bits that it has among others."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from riskmetrics.metrics.decayed_beta import decayed_beta
from riskmetrics.metrics.regression import rolling_ols
from riskmetrics.metrics.two_factor import rolling_two_factor
from riskmetrics.metrics.volatility import realized_volatility

WINDOW = 8

ESTIMATES: dict[str, Callable[..., tuple[Any, ...]]] = {
    "regression": lambda y, x, _: rolling_ols(y, x, window=WINDOW, min_obs=3),
    "two factors": lambda y, x, z: rolling_two_factor(y, x, z, window=WINDOW, min_obs=4),
    "decayed": lambda y, x, _: decayed_beta(y, x, window=WINDOW, half_life=3, min_obs=3),
    "volatility": lambda y, _, __: realized_volatility(y, window=WINDOW, min_obs=2),
}


@pytest.mark.parametrize("estimate", ESTIMATES)
@pytest.mark.parametrize("has_gaps", [False, True])
@pytest.mark.parametrize(
    "n_series", [1, 2, 2047, 2048, 2049, 8192, 8193, 16384, 16385]
)  # 16,384 values per block: 8, 7, 2 and 1 rows at a time
def test_a_window_alone_has_the_bits_that_it_has_among_others(
    estimate: str, n_series: int, has_gaps: bool
) -> None:
    rng = np.random.default_rng(n_series)
    y, x, z = (rng.standard_t(4, (WINDOW + 1, width)) for width in (n_series, 1, 1))
    if has_gaps:
        y[rng.random(y.shape) < 0.2] = np.nan
    of, arguments = ESTIMATES[estimate], (y, x[:, 0], z[:, 0])
    together, alone = of(*arguments), of(*(values[1:] for values in arguments))
    for whole, single in zip(together, alone, strict=True):
        assert_array_equal(single[0], whole[1])

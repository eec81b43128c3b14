"""Summaries of track records: scores of each method, and tests of value at risk."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from riskmetrics.catalog.track_records import (
    BAND_LEVELS,
    TRACKED_FORECASTS,
    ForecastKind,
    compared_method,
)
from riskmetrics.metrics import var_backtests
from riskmetrics.metrics._typing import FloatArray
from riskmetrics.metrics.forecast_comparison import NEWEY_WEST_LAGS, diebold_mariano
from riskmetrics.metrics.tail_risk import kupiec
from riskmetrics.results.tail_risk_results import MIN_BACKTEST_DAYS
from riskmetrics.text import agree_with_number

MIN_SCORED_FORECASTS = 20
"""Least forecasts with an outcome for a score: one of a few is the luck of a few sessions."""

SCORE_COLUMNS = (
    *("kind", "subject", "in_sample", "horizon", "level", "method", "n_obs", "n_excluded"),
    *("loss", "loss_ratio", "t", "bias", "coverage", "nominal"),
)
TEST_COLUMNS = (
    *("subject", "horizon", "level", "method", "n_tested", "expected_exceptions", "exceptions"),
    *("kupiec_p", "independence_p", "conditional_p", "traffic_light", "z2", "shortfall_ratio"),
    *("losses_beyond", "shortfalls", "remark"),
)


def newey_west_lags(horizon: int) -> int:
    """Return the lags of Newey-West variances of losses over a horizon.

    Targets of neighboring sessions overlap in ``horizon`` - 1 returns. Three horizons up to
    NEWEY_WEST_LAGS, because volatility shocks last longer, and at least two, because Bartlett
    weights over one would halve the covariance that the overlap causes.

    Examples
    --------
    >>> [newey_west_lags(horizon) for horizon in (1, 5, 21, 63, 90)]
    [3, 15, 63, 126, 180]
    """
    return max(2 * horizon, min(3 * horizon, NEWEY_WEST_LAGS))


def summarize_daily_sums(sums: pd.DataFrame, kind: ForecastKind) -> pd.DataFrame:
    """Return the scores of the methods of one kind of forecast.

    Parameters
    ----------
    sums : DataFrame
        Rows of `db.track_record_queries.read_daily_sums`.

    Returns
    -------
    DataFrame
        Columns SCORE_COLUMNS, a row per subject, in_sample, horizon, level and method:

        - ``n_obs``: forecasts with an outcome; ``n_excluded``: those of them without a loss;
        - ``loss``: mean loss;
        - ``loss_ratio``: loss of the compared method over that of this one, on the forecasts that
          both have; below 1 the compared method is better. ``t``: Diebold-Mariano statistic of the
          daily mean difference, negative if it is better; NaN for the method itself;
        - ``bias``: mean forecast / mean outcome - 1, of variances for volatility; for value at risk
          the exceptions over those expected - 1;
        - ``coverage``: share of the outcomes in the band, or up to the value at risk, and
          ``nominal``, the share that is intended.

        Scores, ``loss`` to ``coverage``, are NaN with fewer than MIN_SCORED_FORECASTS.
    """
    keys = ["subject", "in_sample", "horizon", "level", "method"]
    rows = [
        dict(zip(keys, key, strict=True)) | _score(group, kind)
        for key, group in sums.groupby(keys, sort=True)
    ]
    found = pd.DataFrame(rows, columns=list(SCORE_COLUMNS)).assign(kind=kind.value)
    return found.sort_values(keys, key=_order_methods, kind="stable", ignore_index=True)


def _order_methods(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """Return the sort keys of a column: methods in the order of their records."""
    if values.name != "method":
        return values
    order = list(dict.fromkeys(tracked.method for tracked in TRACKED_FORECASTS))
    return values.map(lambda name: order.index(name) if name in order else len(order))


def _score(days: pd.DataFrame, kind: ForecastKind) -> dict[str, float]:
    horizon, level = int(days["horizon"].iloc[0]), float(days["level"].iloc[0])
    total = days[
        ["n_outcomes", "n_losses", "loss", "forecast", "outcome", "n_bands", "n_inside"]
    ].sum()
    counts = {
        "n_obs": int(total["n_outcomes"]),
        "n_excluded": int(total["n_outcomes"] - total["n_losses"]),
        "nominal": BAND_LEVELS.get(kind, level) if total["n_bands"] else np.nan,
    }
    if counts["n_obs"] < MIN_SCORED_FORECASTS:
        return counts
    coverage = _ratio(total["n_inside"], total["n_bands"])
    is_compared = days["method"].iloc[0] == compared_method(kind, horizon)
    shared = days[days["n_shared"] > 0]
    difference = ((shared["compared_loss"] - shared["shared_loss"]) / shared["n_shared"]).to_numpy()
    test = diebold_mariano(
        difference[:, np.newaxis],
        np.zeros((len(shared), 1)),
        lags=newey_west_lags(horizon),
    )
    return counts | {
        "loss": _ratio(total["loss"], total["n_losses"]),
        "loss_ratio": _ratio(shared["compared_loss"].sum(), shared["shared_loss"].sum()),
        "t": np.nan if is_compared else test.t,
        "bias": (1.0 - coverage) / (1.0 - level) - 1.0
        if kind is ForecastKind.VALUE_AT_RISK
        else _ratio(total["forecast"], total["outcome"]) - 1.0,
        "coverage": coverage,
    }


def _ratio(numerator: float, denominator: float) -> float:
    return float(numerator / denominator) if denominator else np.nan


def summarize_exceptions(counts: pd.DataFrame) -> pd.DataFrame:
    """Return the tests of each portfolio's value at risk, by horizon, level and method.

    Parameters
    ----------
    counts : DataFrame
        Rows of `db.track_record_queries.read_exception_counts`.

    Returns
    -------
    DataFrame
        Columns TEST_COLUMNS. p-values of Kupiec's test, of Christoffersen's of independence, and
        of both together are NaN with fewer than MIN_BACKTEST_DAYS sessions, and for horizons above
        one session, whose outcomes overlap. ``shortfall_ratio`` is the sum of the losses beyond
        the value at risk over that of their expected shortfalls, of MIN_SCORED_FORECASTS sessions
        at least. ``remark`` says what a p-value
        does not.
    """
    if counts.empty:
        return pd.DataFrame(columns=list(TEST_COLUMNS))
    parts = [
        _test_level(counts[counts["level"] == level], float(level))
        for level in counts["level"].unique()
    ]
    keys = ["subject", "horizon", "level", "method"]
    return pd.concat(parts).sort_values(keys, key=_order_methods, kind="stable", ignore_index=True)[
        list(TEST_COLUMNS)
    ]


def _test_level(counts: pd.DataFrame, level: float) -> pd.DataFrame:
    n_tested, exceptions = (counts[name].to_numpy(np.int64) for name in ("n_tested", "exceptions"))
    is_tested = (n_tested >= MIN_BACKTEST_DAYS) & (counts["horizon"] == 1).to_numpy()
    frequency = kupiec(exceptions, n_tested, level=level)
    independence = var_backtests.independence_test(
        var_backtests.Transitions(
            *(counts[f"n_{pair}"].to_numpy(np.int64) for pair in ("00", "01", "10", "11"))
        )
    )
    both = var_backtests.conditional_coverage_test(
        frequency.likelihood_ratio, independence.likelihood_ratio
    )

    def where_tested(values: FloatArray) -> FloatArray:
        return np.where(is_tested, values, np.nan)

    relative = counts["relative_losses"].fillna(0.0).to_numpy(float)
    found = counts.assign(
        expected_exceptions=frequency.expected_exceptions,
        kupiec_p=where_tested(frequency.p_value),
        independence_p=where_tested(independence.p_value),
        conditional_p=where_tested(both.p_value),
        traffic_light=np.where(
            is_tested, var_backtests.traffic_light(exceptions, n_tested, level=level), ""
        ),
        z2=where_tested(var_backtests.acerbi_szekely_z2(relative, n_tested, level=level)),
        shortfall_ratio=np.where(
            n_tested >= MIN_SCORED_FORECASTS, counts["losses_beyond"] / counts["shortfalls"], np.nan
        ),
    )
    is_evidence = var_backtests.is_evidence(
        exceptions, n_tested, found["kupiec_p"].to_numpy(float), level=level
    )
    at_most = var_backtests.probability_of_at_most(exceptions, n_tested, level=level)
    return found.assign(
        remark=[
            _remark(row, is_evidence=bool(evidence), at_most=float(probability))
            for row, evidence, probability in zip(
                found.to_dict("records"), is_evidence, at_most, strict=True
            )
        ]
    )


def _remark(row: Mapping[Any, Any], *, is_evidence: bool, at_most: float) -> str:
    """Return a sentence where there is no p-value, or where one is no evidence."""
    exceptions, n_tested = row["exceptions"], row["n_tested"]
    if row["horizon"] != 1:
        return "outcomes of several sessions overlap: exceptions are not independent"
    if n_tested < MIN_BACKTEST_DAYS:
        return agree_with_number(
            f"{n_tested} sessions are completed; {MIN_BACKTEST_DAYS} required for a test"
        )
    if row["kupiec_p"] < var_backtests.SIGNIFICANCE and not is_evidence:
        return (
            f"a p-value of {row['kupiec_p']:.3f} is no evidence: a correct model has at most"
            f" {exceptions} exceptions in {n_tested} sessions with a probability of {at_most:.1%}"
        )
    return ""


POOLED_COLUMNS = (
    *("horizon", "level", "method", "n_portfolios", "n_tested", "expected_exceptions"),
    *("exceptions", "kupiec_rejected", "independence_rejected", "conditional_rejected"),
    "shortfall_ratio",
)


def pool_exceptions(tests: pd.DataFrame) -> pd.DataFrame:
    """Return the tests of all portfolios together, by horizon, level and method.

    Parameters
    ----------
    tests : DataFrame
        Rows of `summarize_exceptions`.

    Returns
    -------
    DataFrame
        Columns POOLED_COLUMNS. ``kupiec_rejected`` and its neighbors are the shares of the
        portfolios with a test whose p-value is below 5 %: about 5 % of correct models are.
        Exceptions of portfolios come together, so their sum is not tested.
    """
    rows, keys = [], ["horizon", "level", "method"]
    for key, group in tests.groupby(keys, sort=True):
        tails = ("losses_beyond", "shortfalls")
        beyond, shortfalls = (float(group[name].sum()) for name in tails)
        shares = {
            f"{name}_rejected": float((known < var_backtests.SIGNIFICANCE).mean())
            for name in ("kupiec", "independence", "conditional")
            for known in [group[f"{name}_p"].dropna()]
        }
        sums = {
            name: group[name].sum() for name in ("n_tested", "expected_exceptions", "exceptions")
        }
        rows.append(
            dict(zip(keys, key, strict=True))
            | {"n_portfolios": len(group)}
            | sums
            | shares
            | {
                "shortfall_ratio": _ratio(beyond, shortfalls)
                if sums["n_tested"] >= MIN_SCORED_FORECASTS
                else np.nan
            }
        )
    found = pd.DataFrame(rows, columns=list(POOLED_COLUMNS))
    return found.sort_values(keys, key=_order_methods, kind="stable", ignore_index=True)

"""Rows of reasons: one for each missing value."""

import numpy as np
import pandas as pd

from riskmetrics.results.undefined_reasons import undefined_rows


def test_every_missing_value_gets_its_own_reason_row():
    rows = pd.DataFrame(
        {
            "portfolio_id": ["A", "A", "B"],
            "position_id": ["1", "2", "3"],
            "day": pd.to_datetime(["2024-01-02"] * 3),
            "beta": [np.nan, 1.0, np.nan],
            "r_squared": [np.nan, 0.5, 0.5],
            "observations": [3, 90, 4],
        }
    )
    reasons = {
        "beta": pd.Series(["short", "-", "flat"]),
        "r_squared": pd.Series(["short"], index=[0]),
    }
    undefined = undefined_rows(rows, "t", reasons, subject="position_id", day="day")
    found = undefined[["metric", "subject", "portfolio_id", "reason", "n_obs"]].to_numpy().tolist()
    assert found == [
        ["t.beta", "1", "A", "short", 3],
        ["t.beta", "3", "B", "flat", 4],
        ["t.r_squared", "1", "A", "short", 3],
    ]

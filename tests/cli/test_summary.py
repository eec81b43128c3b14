"""The summary of a portfolio, from rows as the queries return them."""

from typing import Any

import pytest

from riskmetrics.cli import summary

ROWS: dict[str, list[dict[str, Any]]] = {
    "portfolio_snapshots": [
        {
            "total_value": 68000.0,
            "daily_pnl": -839.3,
            "daily_return": -0.01219,
            "cash_value": 2495.0,
            "top_3_concentration": 0.912,
            "num_positions": 4,
            "effective_num_positions": 2.288,
        }
    ],
    "volatility": [
        {
            "realized_volatility_21d": 0.34,
            "expected_volatility_21d": 0.413,
            "low": 0.264,
            "high": 0.592,
            "day": "2022-12-28",
        }
    ],
    "portfolio_market_regressions": [{"beta": 1.546, "std_error": 0.082, "r_squared": 0.8}],
    "portfolio_drawdowns": [{"current_drawdown": 0.45, "max_drawdown_peak": "2021-12-28"}],
    "portfolio_tail_risk": [
        {"method": method, "level": level, "horizon_days": days, "value_at_risk": value}
        for method, level, days, value in (
            ("historical", 0.95, 1, 0.041),
            ("filtered", 0.99, 1, 0.058),
            ("filtered", 0.95, 10, 0.126),
            ("filtered", 0.95, 1, 0.0399),
        )
    ],
    "portfolio_stress": [
        {"scenario": "market -40%", "loss": 0.618},
        {"scenario": "market +10%", "loss": -0.155},
        {"scenario": "dot-com bust", "loss": None},
    ],
    "portfolio_risk_contributions": [
        {"symbol": "MTUM", "weight": 0.085, "share": 0.038},
        {"symbol": "AMD", "weight": -0.598, "share": 0.809},
        {"symbol": "NEW", "weight": None, "share": None},
    ],
}


def test_a_summary_tells_value_risk_and_concentration_in_five_lines():
    assert dict(summary._summary_lines(ROWS)) == {
        "Value": "68,000   session −839 (−1.2%)   cash 2,495",
        "Market beta": "1.55 ± 0.08   R² 0.80",
        "Volatility": "34.0% past 21 sessions; next 21 sessions 41.3% (26.4% to 59.2%)",
        "Tail": (
            "one-day value at risk −4.0% (95%, filtered); drawdown −45.0%; “market -40%” −61.8%"
        ),
        "Weights": (
            "AMD −59.8% of equity, 80.9% of volatility; top 3 91.2% of gross; 2.29 effective of 4"
        ),
    }


@pytest.mark.parametrize("lacks", ["rows", "values"])
def test_what_is_undefined_is_a_dash_or_a_sentence(lacks):
    rows = {
        name: [] if lacks == "rows" else [dict.fromkeys(row) for row in those]
        for name, those in ROWS.items()
    }
    lines = dict(summary._summary_lines(rows))
    assert lines["Market beta"] == "— ± —   R² —"
    assert (
        lines["Tail"]
        == "one-day value at risk — (95%, filtered); drawdown —; no scenario is defined"
    )
    assert lines["Weights"].startswith("weights undefined; top 3 —")

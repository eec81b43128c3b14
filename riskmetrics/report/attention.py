"""What needs attention in a portfolio, most important first."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from riskmetrics.present import formatting

Record = Mapping[str, Any]

SIGNIFICANCE = 0.05
"""Largest p-value of a backtest that counts as failed."""


def list_findings(
    backtests: Sequence[Record],
    caveats: Sequence[str],
    faults: Sequence[Record],
    insights: Sequence[Record],
) -> list[str]:
    """Return sentences: failed backtests, caveats, price faults, and severe insights.

    Parameters
    ----------
    backtests : sequence of records
        Rows of `portfolio_var_backtests`.
    caveats : sequence of str
        Results of `caveats.portfolio_caveats`.
    faults : sequence of records
        Rows of `price_faults.find_faults`.
    insights : sequence of records
        Rows of `ai_insights`.
    """
    symbols = ", ".join(dict.fromkeys(fault["symbol"] for fault in faults))
    return [
        *_failed_backtests(backtests),
        *(f"{caveat[:1].upper()}{caveat[1:]}." for caveat in caveats),
        *([f"Prices of {symbols} have issues: see below."] if symbols else []),
        *(row["title"] for row in insights if row["severity"] in ("critical", "warning")),
    ]


def _failed_backtests(backtests: Sequence[Record]) -> Iterator[str]:
    for row in backtests:
        p_value, expected = row["p_value"], row["expected_exceptions"]
        if p_value is None or p_value >= SIGNIFICANCE:
            continue
        advice = (
            "it understates the risk" if row["exceptions"] > expected else "it overstates the risk"
        )
        yield (
            f"The historical value at risk at {formatting.level(row['level'])} was exceeded on"
            f" {row['exceptions']} of {row['n_tested']} sessions;"
            f" {formatting.one_decimal(expected)} were expected (p {p_value:.3f}): {advice}."
        )

"""What needs attention in a portfolio, most important first."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from riskmetrics.catalog.tail_risk import VAR_TOO_LOW
from riskmetrics.present import formatting
from riskmetrics.report.limit_table import build_limit_rows

Record = Mapping[str, Any]

SIGNIFICANCE = 0.01
"""Smallest p-value of a backtest that does not count as failed: the notes' own verdict."""


def list_findings(
    backtests: Sequence[Record],
    caveats: Sequence[str],
    faults: Sequence[Record],
    insights: Sequence[Record],
    limits: Sequence[Record] = (),
) -> list[str]:
    """Return sentences: exceeded limits, alerts, failed backtests, caveats, faults, insights.

    Alerts are all that are in force, the critical ones first, whatever the note of the day repeats;
    severe news follow. A cause is named once: what several insights say, and what only says that a
    backtest failed, is left out.

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
    limits : sequence of records
        Rows of `db.portfolio_limits.read_limit_checks`.
    """
    symbols = ", ".join(dict.fromkeys(fault["symbol"] for fault in faults))
    failed = list(_failed_backtests(backtests))
    already_said = {VAR_TOO_LOW} if failed else set()
    listed = [(row, (row["context_data"] or {}).get("attention")) for row in insights]
    alerts = [text for _, attention in listed for text in attention or ()]
    titles = [
        row["title"]
        for row, attention in listed
        if attention is None and row["severity"] in ("critical", "warning")
    ]
    return [
        *(row.sentence for row in build_limit_rows(limits) if row.status == "exceeded"),
        *alerts,
        *failed,
        *(f"{caveat[:1].upper()}{caveat[1:]}." for caveat in caveats),
        *([f"Prices of {symbols} have issues: see below."] if symbols else []),
        *(text for text in dict.fromkeys(titles) if text not in already_said),
    ]


def _failed_backtests(backtests: Sequence[Record]) -> Iterator[str]:
    """Yield a sentence on the levels with too many exceptions, and one on those with too few."""
    failed = [
        row for row in backtests if row["p_value"] is not None and row["p_value"] < SIGNIFICANCE
    ]
    for has_too_many, advice in ((True, "understates"), (False, "overstates")):
        levels = [
            f"at {formatting.level(row['level'])} on {row['exceptions']} of {row['n_tested']}"
            f" sessions ({formatting.one_decimal(row['expected_exceptions'])} expected,"
            f" p {row['p_value']:.3f})"
            for row in failed
            if (row["exceptions"] > row["expected_exceptions"]) is has_too_many
        ]
        if levels:
            yield (
                f"The historical value at risk was exceeded {' and '.join(levels)}: it {advice} the"
                " risk."
            )

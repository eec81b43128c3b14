"""What needs attention in a portfolio, most important first."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from riskmetrics.catalog.tail_risk import VAR_TOO_LOW
from riskmetrics.present import formatting
from riskmetrics.report.limit_table import build_limit_rows

Record = Mapping[str, Any]

SIGNIFICANCE = 0.05
"""Largest p-value of a backtest that counts as failed."""

ALERTS = "Alerts in force: "
"""How a note begins the sentence on all alerts, the severity of which is its own."""

BACKTEST_ALERT = "historical value at risk too low"
"""How the alert of a failed backtest begins, which the finding on the backtest states."""
_BACKTEST_ENTRY = re.compile(rf"(?:^|; |, | and ){BACKTEST_ALERT} \([^)]*\)")
_SEPARATOR = re.compile(r"^(?:; |, | and )")
"""What is between the first alert of a list, if it is left out, and the second one."""


def list_findings(
    backtests: Sequence[Record],
    caveats: Sequence[str],
    faults: Sequence[Record],
    insights: Sequence[Record],
    limits: Sequence[Record] = (),
) -> list[str]:
    """Return sentences: exceeded limits, failed backtests, caveats, price faults, severe insights.

    Of a severe insight that lists its alerts, they are the finding: its title may be on the day's
    result. A cause is named once: what several insights say, and what only says that a backtest
    failed, is left out.

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
        Rows of `db.limits.read_limit_checks`.
    """
    symbols = ", ".join(dict.fromkeys(fault["symbol"] for fault in faults))
    failed = list(_failed_backtests(backtests))
    already_said = {VAR_TOO_LOW} if failed else set()
    severe = [
        _describe_insight(row, has_failed_backtest=bool(failed))
        for row in insights
        if row["severity"] in ("critical", "warning")
    ]
    return [
        *(
            f"{row.label}: {row.value} exceeds the limit of {row.limit}."
            for row in build_limit_rows(limits)
            if row.status == "exceeded"
        ),
        *failed,
        *(f"{caveat[:1].upper()}{caveat[1:]}." for caveat in caveats),
        *([f"Prices of {symbols} have issues: see below."] if symbols else []),
        *(text for text in dict.fromkeys(severe) if text and text not in already_said),
    ]


def _describe_insight(row: Record, *, has_failed_backtest: bool) -> str:
    """Return the alerts of an insight, else its title; without that of a failed backtest."""
    for finding in row["key_findings"] or []:
        if finding["text"].startswith(ALERTS):
            alerts = finding["text"].removeprefix(ALERTS).removesuffix(".")
            if has_failed_backtest:
                alerts = _SEPARATOR.sub("", _BACKTEST_ENTRY.sub("", alerts))
            return f"{alerts[:1].upper()}{alerts[1:]}." if alerts else ""
    return str(row["title"])


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

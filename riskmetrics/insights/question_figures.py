"""All figures that questions ask for, and the questions that are offered."""

from collections.abc import Mapping
from typing import Final

from riskmetrics.insights.asked.answers import (
    CHECKS,
    HOLDINGS,
    MARKET,
    RESULT,
    RISK,
    TAIL,
    AskedFigure,
)
from riskmetrics.insights.asked.checks import CHECKED
from riskmetrics.insights.asked.holdings import HELD
from riskmetrics.insights.asked.results import RESULTS
from riskmetrics.insights.asked.risks import RISK_PARTS, RISKS
from riskmetrics.insights.asked.shorts import SHORTS
from riskmetrics.insights.asked.statistics import statistics

FIGURES: Final[tuple[AskedFigure, ...]] = (
    *(*statistics(), *SHORTS, *RISK_PARTS, *RESULTS, *RISKS, *HELD, *CHECKED),
)
"""All figures; of two that match the same words, the first is meant."""

OFFERED: Final[Mapping[str, tuple[str, ...]]] = {
    group: tuple(
        answer.example
        for figure in FIGURES
        if figure.group == group
        for answer in figure.answers.values()
        if answer.example
    )
    for group in (RESULT, RISK, TAIL, MARKET, HOLDINGS, CHECKS)
}
"""Group to the questions that are offered."""

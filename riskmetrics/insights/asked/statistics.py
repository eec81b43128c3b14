"""Statistics of the trailing year, which take their words from the labels of the catalog."""

import re
from collections.abc import Mapping
from typing import Final

from riskmetrics.catalog import all_statistics
from riskmetrics.insights.asked.answers import RESULT, RISK, Answer, AskedFigure
from riskmetrics.insights.asked_fact_types import statistic_fact_names

_SYNONYMS: Final[Mapping[str, str]] = {
    "annual_return": r"annual(ized|ised)? (returns?|performance)|cagr",
    "sharpe_ratio": r"sharpe?",
    "sortino_ratio": r"sortino",
    "calmar_ratio": r"calmar",
    "treynor_ratio": r"treynor",
    "martin_ratio": r"martin ratio|ulcer performance index",
    "kelly_leverage": r"kelly( criterion| leverage| fraction)?",
    "omega_ratio": r"omega|profit factor",
    "up_capture": r"up(side)?[- ]capture( ratio)?",
    "down_capture": r"down(side)?[- ]capture( ratio)?",
    "win_rate": r"(win|hit)[- ]?rate|how (often|many days)[a-z ]{0,16}(gain|win|rise|up)s?"
    r"|(winning|positive|up) days|share of sessions with a gain",
    "skewness": r"skew(ness|ed)?( are)?",
    "excess_kurtosis": r"(excess )?kurtosis|fat tails?|tails",
    "alpha": r"jensen('?s)?( alpha)?|alpha",
    "alpha_std_error": r"standard error of (the )?alpha",
    "year_beta": r"beta,? 252 sessions",
    "market_correlation": r"correlation with the index",
    "probabilistic_sharpe": r"probabilistic sharpe( ratio)?"
    r"|probability of a positive sharpe( ratio)?",
    "losing_streak": r"(longest )?(losing|losing|red) streak|losing days in a row",
    "longest_drawdown": r"(longest (draw[- ]?down|dd)|how long (was|is) the longest"
    r" (draw[- ]?down|dd)|duration of the drawdown)",
    "time_under_water": r"time under ?water|time below (its|the) peak",
    "ulcer_index": r"ulcer",
    "average_drawdown": r"(average|mean) draw[- ]?down|pain index",
}
"""Fact of a statistic to names besides its label."""

_OFFERED_STATISTICS: Final[Mapping[str, str]] = {
    "annual_return": "What is the annualized return?",
    "sharpe_ratio": "What is the Sharpe ratio?",
    "alpha": "What is the alpha?",
    "win_rate": "How often does it gain?",
    "longest_drawdown": "How long was the longest drawdown?",
}
"""Fact of a statistic to the question that is offered."""


def statistics() -> list[AskedFigure]:
    """Return a figure for each statistic that no note states, longer names first."""
    found = []
    for statistic in all_statistics():
        for figure in statistic.figures if not statistic.facts else ():
            if figure.column not in statistic_fact_names(statistic):
                continue
            label = figure.label.lower()
            words = "|".join(filter(None, (re.escape(label), _SYNONYMS.get(figure.column, ""))))
            words = rf"(?:{words})(?: of (?:the |my |its )?(?:daily )?returns)?"
            group = RISK if statistic.family == "drawdown" else RESULT
            example = _OFFERED_STATISTICS.get(figure.column, "")
            forms: tuple[str, ...] = (figure.column,)
            forms += ("alpha_std_error",) if figure.column == "alpha" else ()
            answers = {"": Answer(example, forms)}
            market = {"market"} if statistic.key == "alpha" else set()
            default = frozenset({"252d", "1d", "annual"} | market)
            found.append(AskedFigure(figure.column, group, words, answers, default))
    return sorted(found, key=lambda each: -len(each.key))

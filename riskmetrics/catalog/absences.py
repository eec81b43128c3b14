"""Reasons why some figures are not stated everywhere."""

from riskmetrics.catalog.figure import Absence, Place

NO_SENTENCE = (Absence(Place.FACTS, "no sentence of an insight states it"),)

POSITION_FIGURE = (
    Absence(
        Place.FACTS,
        "of single positions, insights state weight, share of risk, P&L, beta and volatility",
    ),
)

ESTIMATE_QUALIFIER = (
    Absence(Place.FACTS, "it qualifies an estimate, which insights state if it is sound"),
)

COVERAGE_COUNT = (
    Absence(Place.REPORT, "the page states a reason where observations or coverage are too few"),
    Absence(Place.FACTS, "insights state a reason where observations or coverage are too few"),
)

NOT_IN_REPORT = (Absence(Place.REPORT, "details are left to commands, to keep the page readable"),)

COMMANDS_ONLY = (*NOT_IN_REPORT, *NO_SENTENCE)

SYMBOL_FIGURE = (
    Absence(Place.SHOW, "positions show the other figures of their symbol"),
    Absence(Place.REPORT, "positions show the other figures of their symbol"),
    *POSITION_FIGURE,
)

POSITION_INPUT = (
    Absence(Place.REPORT, "it is behind a figure of positions, which the page shows"),
    *POSITION_FIGURE,
)

FORECAST_SCORE = (
    Absence(Place.SHOW, "`riskmetrics show track-record` shows scores of many forecasts"),
    Absence(Place.REPORT, "the track record shows scores of many forecasts"),
)

COVERAGE_CAVEAT = (Absence(Place.SHOW, "views state coverage below 100% as a caveat"),)

SUM_OF_CONTRIBUTIONS = (
    Absence(Place.REPORT, "contributions sum to it, which the page states below them"),
    *NO_SENTENCE,
)

EXPECTED_VOLATILITY = tuple(
    Absence(place, "it is stated as the expected volatility of its portfolio or position")
    for place in (Place.SHOW, Place.REPORT, Place.FACTS)
)

EXTENSION_FIGURE = tuple(
    Absence(place, "each figure of an extension has a record of its own there") for place in Place
)

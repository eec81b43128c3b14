"""Reasons why some figures are not stated everywhere."""

from riskmetrics.catalog.figure import Absence, Place

NO_SENTENCE = (Absence(Place.FACTS, "no sentence of an insight states it"),)

OF_A_POSITION = (
    Absence(
        Place.FACTS,
        "of single positions, insights state weight, share of risk, P&L, beta and volatility",
    ),
)

QUALIFIES = (Absence(Place.FACTS, "it qualifies an estimate, which insights state if it is sound"),)

COUNTED = (
    Absence(Place.REPORT, "the page states a reason where observations or coverage are too few"),
    Absence(Place.FACTS, "insights state a reason where observations or coverage are too few"),
)

NOT_ON_THE_PAGE = (
    Absence(Place.REPORT, "details are left to commands, to keep the page readable"),
)

ONLY_COMMANDS = (*NOT_ON_THE_PAGE, *NO_SENTENCE)

OF_A_SYMBOL = (
    Absence(Place.SHOW, "positions show the other figures of their symbol"),
    Absence(Place.REPORT, "positions show the other figures of their symbol"),
    *OF_A_POSITION,
)

BEHIND_POSITIONS = (
    Absence(Place.REPORT, "it is behind a figure of positions, which the page shows"),
    *OF_A_POSITION,
)

SCORED = (
    Absence(Place.SHOW, "`riskmetrics show track-record` shows scores of many forecasts"),
    Absence(Place.REPORT, "the track record shows scores of many forecasts"),
)

CAVEATS = (Absence(Place.SHOW, "views state coverage below 100% as a caveat"),)

SUMMED = (
    Absence(Place.REPORT, "contributions sum to it, which the page states below them"),
    *NO_SENTENCE,
)

STATED_AS_EXPECTED = tuple(
    Absence(place, "it is stated as the expected volatility of its portfolio or position")
    for place in (Place.SHOW, Place.REPORT, Place.FACTS)
)

OF_EXTENSIONS = tuple(
    Absence(place, "each figure of an extension has a record of its own there") for place in Place
)

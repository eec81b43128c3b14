"""Results and returns: of the session, of windows, of positions, against the market."""

from typing import Final

from riskmetrics.insights.asked.answers import (
    DAY,
    MARKET,
    RESULT,
    TAIL,
    YEAR,
    Answer,
    AskedFigure,
    by_window,
)

_RESULT_FORMS: Final = (
    *("session_*", "var_held", "var_exceeded", "small_*"),
    *("position_loss", "position_loss_offset", "position_gain", "position_gain_offset"),
    *("largest_detractor", "largest_contributor", "losses_spread", "gains_spread", "netting"),
    *("unusual_*", "market_fall_*", "market_rise_*", "not_split", "breadth"),
)
_LOSER_FORMS: Final = (
    "position_loss", "position_loss_offset", "largest_detractor", "losses_spread", "position_lost",
)  # fmt: skip
_WINNER_FORMS: Final = (
    *("position_gain", "position_gain_offset", "largest_contributor", "gains_spread"),
    "position_gained",
)

RESULTS: Final = (
    AskedFigure(
        "loss_beyond", TAIL,
        r"(loss|lose|lost)( today)? (more|larger|bigger|worse|higher|greater) than( the| my)?"
        r" (value at risk|var)",
        {"": Answer("", ("var_exceeded", "var_held"))},
        DAY | {"95%", "daily"},
        is_ahead=True,
    ),
    AskedFigure(
        "losers", RESULT,
        r"(which|what)( (positions?|holdings?|stocks?|names?))?( has| have| did)? ?"
        r"(lost|lose|cost|hurt)( me| us| it)?( the)?( most)?( money)?"
        r"|(biggest|largest|worst|top|main|worst performing) (losers?|detractors?|performers?"
        r"|performing (positions?|stocks?|holdings?))|losers|detractors?"
        r"|worst (stocks?|positions?|holdings?)",
        {
            "": Answer("Which positions lost most?", _LOSER_FORMS),
            **by_window("Which position lost most over {}?",
                ("5d", "five sessions", ("detractor_5d",)),
                ("21d", "a month", ("detractor_21d",))),
        },
        DAY | {"why", "money", "max", "daily"},
        is_flow=True,
        is_part=True,
    ),
    AskedFigure(
        "winners", RESULT,
        r"(which|what)( (positions?|holdings?|stocks?|names?))?( has| have| did)? ?"
        r"(gained|gain|helped|made|earned)( me| us| it)?( the)?( most)?( money)?"
        r"|(biggest|largest|best|top|main|best performing) (winners?|gainers?|contributors?"
        r"|performers?|performing (positions?|stocks?|holdings?))|winners|gainers|contributors?"
        r"|best (stocks?|positions?|holdings?)",
        {
            "": Answer("Which positions gained most?", _WINNER_FORMS),
            **by_window("Which position gained most over {}?",
                ("5d", "five sessions", ("contributor_5d",)),
                ("21d", "a month", ("contributor_21d",))),
        },
        DAY | {"why", "money", "max", "daily"},
        is_flow=True,
        is_part=True,
    ),
    AskedFigure(
        "breadth", RESULT,
        r"(how many|number of) (positions|holdings|stocks|names)( that| which)?( have| has| did)?"
        r" (lost|lose|gained|gain|rose|rise|fell|fall|were up|were down|are up|are down)|breadth",
        {"": Answer("",
            ("breadth", "losses_spread", "gains_spread"))},
        DAY | {"count", "moved", "change"},
    ),
    AskedFigure(
        "market_part", RESULT,
        r"(how much|(what|which) (part|share|fraction|proportion))( of)?"
        r"( (the|my|our|today's|its))? (day's )?(loss|gain|result|return|p&l|move)( today)?"
        r"( (is|was|came|comes|can be))? (due to|from|explained by|because of|caused by"
        r"|attributable to|made by)( the)? (stock )?(market|index|beta)",
        {"": Answer("How much of the result is due to the market?",
            ("market_fall_*", "market_rise_*"))},
        DAY,
        absorbs=frozenset({"result"}),
    ),
    AskedFigure(
        "worst_day", RESULT,
        r"worst (day|session)|(largest|biggest) (daily |one[- ]day |single[- ]day )(loss|drop)",
        {
            "": Answer("What was the worst day of the past year?", ("worst_day",)),
            "1d": Answer("Was today the worst day of the year?",
                ("largest_loss", "rare_loss", "loss_ranked", "worst_day")),
        },
        YEAR | {"when"},
        absorbs=frozenset({"result"}),
    ),
    AskedFigure(
        "best_day", RESULT,
        r"best (day|session)|(largest|biggest) (daily |one[- ]day |single[- ]day )(gain|rise)",
        {
            "": Answer("What was the best day of the past year?", ("best_day",)),
            "1d": Answer("", ("largest_gain", "rare_gain", "gain_ranked", "best_day")),
        },
        YEAR | {"when"},
        absorbs=frozenset({"result"}),
    ),
    AskedFigure(
        "active", MARKET,
        r"(beat(ing)?|outperform(ed|ing|s)?|underperform(ed|ing|s)?|lag(ged|ging|s)?|behind"
        r"|ahead of|trail(ed|ing|s)?)( the| my)? (market|index|benchmark|bench"
        r"|s ?& ?p( ?500)?|spx?)|active returns?|relative (return|performance)"
        r"|(out|under)perform(ing|ed|ance)?",
        {
            "": Answer("Does it beat the index?",
                ("behind_market*", "ahead_of_market*", "returns_compared", "returns_compared_*d",
                    "active_gain", "active_loss")),
            **by_window("Did it beat the index {}?",
                ("1d", "today", ("behind_market", "ahead_of_market", "returns_compared")),
                ("5d", "over five sessions",
                    ("behind_market_5d", "ahead_of_market_5d", "returns_compared_5d")),
                ("21d", "over a month",
                    ("behind_market_21d", "ahead_of_market_21d", "returns_compared_21d")),
                ("mtd", "in the month to date", ("returns_compared_mtd",)),
                ("ytd", "this year", ("returns_compared_ytd",)),
                ("252d", "over the past year", ("returns_compared_252d",))),
        },
        frozenset({"market", "of-market", "why", "compare"}),
        is_flow=True,
        absorbs=frozenset({"result"}),
    ),
    AskedFigure(
        "market_move", MARKET,
        r"(did|has|how did|how has|why did) the (market|index|s ?& ?p( ?500)?) "
        r"(do|done|fall|fallen|rise|risen|drop|go|gone|move)( up| down)?",
        {
            "": Answer("What did the market do?", ("market_fell", "market_rose",
                "returns_compared")),
            "why": Answer("", (), "causes"),
        },
        DAY,
    ),
    AskedFigure(
        "result", RESULT,
        r"p ?[&/] ?l\b|pnl|profits?( and loss)?|results?|return|returned|"
        r"(?<!of )(?<!of the )(?<!of my )(?<!of its )(?<!of daily )returns|perform(s|ed|ing|ance)?"
        r"|gains?|gained|loss|losses|lost|lose|loose|losing|ma(de|ke|king) money"
        r"|make|made|earn(ed|s)?"
        r"|happened|doing|faring|(do|done)(?=\W*$|[,;?!]| and\b| today\b| this\b| over\b| since\b)"
        r"|how (is|are|was|did|has|does)( (my|the))?( portfolio| it| things)?( been)?"
        r" (doing|do|done|going|faring)"
        r"|summar(y|ize)|brings?|brought",
        {
            "": Answer("What did the day bring?", _RESULT_FORMS),
            "why": Answer("Why did it lose or gain?", _RESULT_FORMS),
            "unusual": Answer("Was the loss or gain unusual?",
                ("unusual_*", "largest_loss", "largest_gain", "rare_loss", "rare_gain",
                    "loss_ranked", "gain_ranked", "var_exceeded")),
            **by_window("What did it return {}?",
                ("5d", "over five sessions", ("return_5d", "detractor_5d", "contributor_5d")),
                ("21d", "over a month", ("return_21d", "detractor_21d", "contributor_21d")),
                ("mtd", "in the month to date", ("returns_compared_mtd", "return_mtd")),
                ("ytd", "this year", ("returns_compared_ytd", "return_ytd")),
                ("252d", "over the past year", ("returns_compared_252d", "return_252d"))),
            "entry": Answer("How much was made since entry?", ("*_since_entry",)),
            "position": Answer("",
                ("position_loss", "position_loss_offset", "position_gain", "position_gain_offset",
                    "position_lost", "position_gained")),
            "position why": Answer("", (), "causes"),
            "5d position": Answer("", ("detractor_5d", "contributor_5d"), "position_figure"),
            "21d position": Answer("", ("detractor_21d", "contributor_21d"), "position_figure"),
            "future": Answer("", (), "future_returns"),
        },
        DAY | {"money", "percent", "daily", "part"},
        is_flow=True,
    ),
)  # fmt: skip

"""Holdings: concentration, sectors, factors, exposure, cash, value and liquidity."""

from typing import Final

from riskmetrics.insights.asked.answers import (
    DAY,
    HOLDINGS,
    MARKET,
    POSITION_FORMS,
    Answer,
    AskedFigure,
)

_CONCENTRATION_FORMS: Final = (
    *("position_dominates", "position_risk_heavy", "largest_weight", "top_three"),
    *("effective_positions", "hhi_level", "pair_share", "diversified_*"),
)

_CONCENTRATION: Final = {
    "": Answer("How concentrated is it?", _CONCENTRATION_FORMS),
    "position": Answer("", POSITION_FORMS),
    "sector": Answer("", ("sector_over", "sector_under", "sector_l*")),
}
_NOT_OFFERED: Final = Answer("", _CONCENTRATION_FORMS)


HELD: Final = (
    AskedFigure(
        "correlation", HOLDINGS, r"correlat\w*( of (the |my |its )?(daily )?returns)?"
        r"|move (alike|together|in tandem)",
        {
            "": Answer("How correlated are the holdings?",
                ("correlation_level", "holdings_move_*", "pair_alike", "diversified_*")),
            "market": Answer("How correlated is it with the market?", ("market_correlation",)),
        },
        frozenset({"252d", "1d", "average"}),
    ),
    AskedFigure(
        "factors", MARKET, r"factors?( exposures?| loadings?| tilts?| betas?)?|tilt(s|ed)?|styles?",
        {
            "": Answer("Which factors is it tilted to?",
                ("factor_*", "risk_specific", "risk_explained", "explained_level")),
            "factor": Answer("", ("factor_*",), "other_factor"),
        },
        DAY | {"part"},
        absorbs=frozenset({"risk"}),
    ),
    AskedFigure(
        "sectors", HOLDINGS,
        r"sectors?|industr(y|ies)|over(-| ?weight(ed)?)? or under ?weight(ed)?"
        r"|under(-| ?weight(ed)?)? or over ?weight(ed)?"
        r"|(differ|deviate)s?( from)?( the)? (benchmark|index)",
        {
            "": Answer("How does it differ from the benchmark by sector?",
                ("sector_over", "sector_under", "sector_absent", "sector_largest")),
            "max": Answer("What is the largest sector?", ("sector_largest",)),
            "sector": Answer("", ("sector_over", "sector_under", "sector_absent", "sector_l*")),
            "position": Answer("", (), "position_figure"),
        },
        DAY | {"market", "compare", "percent"},
        is_part=True,
        absorbs=frozenset({"concentration"}),
    ),
    *(
        AskedFigure(
            key, HOLDINGS, words,
            {
                "": Answer(f"Which sector is it most {key} in?", forms),
                "sector": Answer("", ("sector_over", "sector_under", "sector_absent", "sector_l*")),
                "position": Answer("", (), "position_figure"),
            },
            DAY | {"market", "compare", "percent", "max"},
            is_part=True,
            absorbs=frozenset({"concentration", "sectors"}),
        )
        for key, words, forms in (
            ("overweight", r"over ?weight(ed)?", ("sector_over",)),
            ("underweight", r"under ?weight(ed)?", ("sector_under", "sector_absent")),
        )
    ),
    AskedFigure(
        "top_ten", HOLDINGS, r"(top|largest|biggest) (ten|10)|(ten|10) (largest|biggest|top)"
        r"( positions| holdings| names| stocks)?",
        {"": Answer("What share do the ten largest positions have?", ("top_ten",))},
        frozenset({"percent", "1d", "max"}),
        is_part=True,
        absorbs=frozenset({"concentration"}),
    ),
    AskedFigure(
        "top_three", HOLDINGS, r"(top|largest|biggest) (three|3)|(three|3) (largest|biggest|top)"
        r"( positions| holdings| names| stocks)?",
        {
            "": Answer("What share do the three largest positions have?", ("top_three_level",)),
            "change": Answer("", ("top_three_before",)),
            "21d change": Answer("", ("top_three_grew", "top_three_before_21d")),
        },
        frozenset({"percent", "1d", "max"}),
        is_part=True,
        absorbs=frozenset({"concentration"}),
    ),
    AskedFigure(
        "largest", HOLDINGS,
        r"(largest|biggest|heaviest|main|top|single largest) (single )?"
        r"(positions?|holdings?|names?|stocks?|weights?|investments?)",
        {"": Answer("What is the largest position?",
            ("largest_weight", "position_dominates", "top_three"))},
        DAY | {"max", "percent"},
        is_part=True,
        absorbs=frozenset({"concentration"}),
    ),
    AskedFigure(
        "hhi", HOLDINGS, r"hhi|herfindahl( index)?|concentration index",
        {"": Answer("What is the HHI?", ("hhi_level",))}, DAY,
        absorbs=frozenset({"concentration"}),
    ),
    AskedFigure(
        "effective", HOLDINGS, r"effective (number of )?(positions|holdings|names)"
        r"|effective number",
        {"": Answer("", ("effective_positions", "hhi_level"))}, frozenset({"1d", "count"}),
    ),
    AskedFigure(
        "count", HOLDINGS,
        r"(how many|number of)( different| open)? (positions|holdings|stocks|names|securities)",
        {"": Answer("How many positions are there?",
            ("positions_held", "position_held", "effective_positions"))},
        DAY,
    ),
    AskedFigure(
        "shorts", HOLDINGS, r"hedg(e|ed|es|ing)|shorts|short (positions?|book|side|exposure)",
        {"": Answer("How well is it hedged?",
            ("shorts_*", "gross_and_net", "exposure_level", "no_shorts"))},
        DAY | {"count"},
        is_part=True,
    ),
    AskedFigure(
        "leverage", HOLDINGS, r"(gross|net)( (and|or) (net|gross))? exposures?|net (long|short)"
        r"|(gross|net) leverage|leverag\w*|levered|borrow(ed|ing)?|margin",
        {"": Answer("Is it leveraged?", ("gross_and_net", "exposure_level", "net_short"))},
        DAY | {"percent", "money"},
    ),
    AskedFigure(
        "cash", HOLDINGS, r"cash( balance| position| level| quota)?|debts?|uninvested",
        {
            "": Answer("How much cash is there?", ("cash_level", "cash_debt", "cash_share",
                "cash_part")),
            "percent": Answer("", ("cash_share", "cash_part")),
        },
        DAY | {"money"},
        is_part=True,
    ),
    AskedFigure(
        "equity", HOLDINGS,
        r"(net )?worth|(?<!of )equity|nav|net asset value"
        r"|(total|current|account|market|portfolio) value"
        r"|how (big|large) is (it|the portfolio|my portfolio)",
        {
            "": Answer("How much is it worth?", ("equity", "equity_negative")),
            "future": Answer("", (), "future_returns"),
        },
        DAY | {"money"},
    ),
    AskedFigure(
        "value", HOLDINGS, r"value", {"": Answer("", ("equity", "equity_negative"))},
        DAY | {"money"},
    ),
    AskedFigure(
        "concentration", HOLDINGS, r"concentrat\w*|diversif\w*|weights?|sizes?|stake",
        _CONCENTRATION, DAY | {"percent", "max"}, absorbs=frozenset({"risk"}),
    ),
    AskedFigure(
        "positions", HOLDINGS, r"positions?|holdings?", {**_CONCENTRATION, "": _NOT_OFFERED},
        DAY | {"percent", "max"}, is_weak=True,
    ),
    AskedFigure(
        "liquidity", HOLDINGS,
        r"liquid\w*|(how (fast|long|quick(ly)?|soon)|can|could)[a-z ]{0,24}"
        r"(sell|sold|get out|exit|cash out|liquidated?)( everything| it all| all)?",
        {"": Answer("How fast could it be sold?", ("liquidity_*", "sold_in_week"), "liquidity")},
        DAY | {"future"},
        absorbs=frozenset({"risk"}),
    ),
)  # fmt: skip

"""Risk: tails, drawdown, volatility, beta, active risk and scenarios."""

from typing import Final

from riskmetrics.insights.asked.answers import (
    DAY,
    MARKET,
    POSITION_FORMS,
    RISK,
    TAIL,
    YEAR,
    Answer,
    AskedFigure,
)
from riskmetrics.insights.claims import Claim

_VOLATILITY_FORMS: Final = (
    *("volatility_calm", "volatility_high", "volatility_lowest", "volatility_highest"),
    "volatility_level",
)
_FORECAST_FORMS: Final = ("expected_*", "forecast_level")

_RISK_FORMS: Final = (
    *("position_dominates", "position_risk_heavy", "largest_weight", "pair_share"),
    *_VOLATILITY_FORMS,
    *("market_explains_little", "factor_largest", "risk_specific", "beta_level", "var_level"),
)


def _share_rank(claim: Claim) -> int:
    """Return the rank of a position's share of the volatility."""
    return claim.instance.facts[-1].rank or 0


RISK_PARTS: Final = (
    AskedFigure(
        "risk_part", RISK,
        r"(which|what)( one| single)? (positions?|holdings?|stocks?|names?)( is| are| has| have)?"
        r"( the)? ((contribut\w+|adds?|drives?|brings?|carr(y|ies)) (the )?most( of)?( to)?"
        r"( the| my| our)?( total| overall| portfolio)? (risk|volatility)"
        r"|(most|largest|highest)( share of( the)?)? (risk|volatility)|riskiest|most risky)"
        r"|(riskiest|most risky) (positions?|holdings?|stocks?|names?)"
        r"|(largest|biggest|top|main) (risk contributors?"
        r"|contributors? to( the| my| our)?( total| overall| portfolio)? (risk|volatility))",
        {"": Answer("Which position contributes most to the risk?", ("position_level",),
            tells=lambda claim: _share_rank(claim) in (1, 2), most=2, place=_share_rank)},
        DAY | {"max", "percent"},
        is_part=True,
    ),
)  # fmt: skip
"""Figures whose words begin with those of results."""

RISKS: Final = (
    AskedFigure(
        "rates", MARKET,
        r"((sensitiv\w+|react\w*|respond\w*|exposed)[a-z ]{0,24} (to|with) )?"
        r"((a )?(changes? in|rising|falling|higher|lower) )?"
        r"(interest[- ]rates?|rate (betas?|risk|sensitivity)|rates|duration|bond yields?)( risk)?",
        {"": Answer("How sensitive is it to interest rates?", ("rate_beta_level", "rate_*"))},
        frozenset({"change", "if", "1d"}),
        absorbs=frozenset({"beta", "risk"}),
    ),
    AskedFigure(
        "shortfall", TAIL,
        r"expected[- ]short ?falls?|short ?falls?|c[- ]?vars?|conditional (value at risk|var)|es"
        r"|expected tail loss|tail loss",
        {
            "": Answer("How large is the expected shortfall?", ("shortfall",)),
            "99%": Answer("How large is the expected shortfall at 99%?", ("shortfall_99",)),
            "10d": Answer("", ("shortfall_10d",)),
            "10d 99%": Answer("", ("shortfall_99_10d",)),
            "money": Answer("", ("shortfall_amount",)),
            "99% money": Answer("", ("shortfall_amount_99",)),
        },
        DAY | {"95%", "percent", "future", "forecast", "daily"},
        is_ahead=True,
    ),
    AskedFigure(
        "exceptions", TAIL, r"(var )?(exceptions?|exceedances?|back[- ]?tests?|violations?)"
        r"|(value at risk|var) (been )?(exceeded|violated|breached)"
        r"|(exceed(ed)?|violated?|breach(ed)?|beyond)( the| my)? (value at risk|var)",
        {
            "": Answer("How often was the value at risk exceeded?",
                ("var_too_*", "var_often_exceeded", "var_record")),
            "1d": Answer("Was the value at risk exceeded today?", ("var_exceeded", "var_held")),
        },
        frozenset({"95%", "252d", "count", "record", "past", "daily"}),
        is_ahead=True,
        is_counted=True,
        absorbs=frozenset({"var", "limits"}),
    ),
    AskedFigure(
        "var", TAIL,
        r"value[- ]at[- ]risk|v\.?a\.?r\.?s?|vars|(lose|loose|loss) (in|on) (a|one)( single)?"
        r"( bad)? day|bad day",
        {
            "": Answer("How large is the value at risk?",
                ("var_level", "var_level_historical", "var_too_*")),
            "99%": Answer("How large is the value at risk at 99%?", ("var_level_99",)),
            "10d": Answer("How large is the value at risk over ten sessions?", ("var_level_10d",)),
            "10d 99%": Answer("", ("var_level_99_10d",)),
            "money": Answer("How large is the value at risk in money?",
                ("var_amount", "var_level", "var_level_historical")),
            "99% money": Answer("", ("var_amount_99", "var_level_99")),
            "record": Answer("Has the value at risk been right?",
                ("var_too_*", "var_often_exceeded", "var_record", "var_level",
                    "var_exceeded", "var_held")),
            "change": Answer("Did the value at risk change?", ("var_rose", "var_fell", "var_day")),
        },
        DAY | {"95%", "percent", "future", "forecast", "daily"},
        is_ahead=True,
    ),
    AskedFigure(
        "drawdown", RISK,
        r"draw[- ]?downs?|dd|under ?water"
        r"|below (its|the|my|their)( last)? (peak|high|top|all[- ]time high)"
        r"|from (its|the|my) (peak|high)|peak|all[- ]time high|ath",
        {
            "": Answer("How far is it below its peak?",
                ("drawdown_with_market", "drawdown", "drawdown_level", "drawdown_*", "at_peak")),
            "max": Answer("How deep was the deepest drawdown?",
                ("max_drawdown", "drawdown_deepest")),
            "when": Answer("When was the peak?", ("drawdown",)),
            "market": Answer("", ("drawdown_with_market",)),
            "of-market": Answer("", ("drawdown_with_market",)),
        },
        DAY | YEAR,
    ),
    AskedFigure(
        "max_drawdown", RISK, r"mdd|max(imum)?[- ]dd",
        {"": Answer("", ("max_drawdown", "drawdown_deepest"))}, DAY | YEAR | {"max"},
    ),
    AskedFigure(
        "volatility", RISK,
        r"(volatil\w*|vols?|standard deviation|std( ?dev)?|swings?|fluctuat\w*|choppy"
        r"|calm(er(?= than))?|bumpy)( of (the |my |its )?(daily )?returns)?",
        {
            "": Answer("How volatile is it?", (*_VOLATILITY_FORMS, *_FORECAST_FORMS)),
            "why": Answer("", (*_VOLATILITY_FORMS, *_FORECAST_FORMS)),
            "21d": Answer("", _VOLATILITY_FORMS),
            "63d": Answer("", ("volatility_level_63d",)),
            "change": Answer("Did the volatility change?",
                ("*_left_window", "volatility_rose", "volatility_fell", "volatility_day")),
            "change why": Answer("", ("*_left_window",)),
            "5d change": Answer("", ("volatility_before_5d",)),
            "21d change": Answer("Did the volatility change over a month?",
                ("volatility_rose_21d", "volatility_fell_21d", "volatility_before_21d")),
            "market": Answer("Is it more volatile than the market?",
                ("volatility_against_market",)),
            "position": Answer(
                "", ("position_volatility", "position_expected"), "position_figure"
            ),
            "forecast position": Answer("", ("position_expected",), "position_figure"),
            "of-market": Answer("", ("volatility_against_market",)),
            "forecast": Answer("What volatility is expected?", _FORECAST_FORMS),
            "forecast rise": Answer("Will the volatility rise?",
                ("volatility_outlook", *_FORECAST_FORMS)),
            "change forecast": Answer("Did the forecast change?",
                ("forecast_rose", "forecast_fell", "forecast_before")),
            "5d change forecast": Answer("", ("forecast_before_5d",)),
            "21d change forecast": Answer("", ("forecast_before_21d",)),
            "forecast record": Answer("How good was the forecast?",
                ("forecast_held", "forecast_*_part", "forecast_missed_*")),
        },
        frozenset({"1d", "percent", "annual"}),
        is_ahead=True,
    ),
    AskedFigure(
        "beta", MARKET,
        r"betas?|exposure to the (market|index)"
        r"|moves? (when|if) the (market|index) (moves|does)"
        r"|moves? with the (market|index)"
        r"|market (exposure|sensitivity|risk)|sensitiv\w+( is it| it is)?( to| with) (the )?"
        r"(stock )?(market|index|s ?& ?p( ?500)?)|(react|respond)s?( does it)?( strongly)? to the"
        r" (market|index)",
        {
            "": Answer("How large is the beta?",
                ("beta_level", "beta_error", "market_explains_little", "beta_partial")),
            "error": Answer("How sure is the beta?", ("beta_error", "beta_level")),
            "record": Answer("", ("beta_error", "beta_level")),
            "position": Answer("", ("position_beta",), "position_figure"),
            "error position": Answer("", ("position_beta",), "position_figure"),
            "fit": Answer("", ("beta_level", "market_explains_little")),
            "change": Answer("Did the beta change?", ("beta_rose", "beta_fell", "beta_before")),
            "5d change": Answer("", ("beta_before_5d",)),
            "21d change": Answer("Did the beta change over a month?",
                ("beta_fell_21d", "beta_rose_21d", "beta_before_21d")),
            "252d": Answer("How large is the beta of the past year?", ("year_beta",)),
        },
        frozenset({"1d", "90d", "market"}),
    ),
    AskedFigure(
        "tracking_error", MARKET, r"tracking[- ]errors?|te|active risk",
        {"": Answer("How large is the tracking error?", ("tracking_error", "tracking_*"))},
        frozenset({"market", "252d", "1d", "annual"}),
    ),
    AskedFigure(
        "information_ratio", MARKET, r"information ratios?|ir",
        {"": Answer("What is the information ratio?", ("information_ratio",))},
        frozenset({"market", "252d", "1d", "annual"}),
    ),
    AskedFigure(
        "scenario", RISK,
        r"worst[- ]?case( scenarios?)?|stress( tests?| losses?| loss)?|scenarios?|crash(es)?",
        {
            "": Answer("What is the worst case?",
                ("scenario_cost", "scenario_more_*", "scenario_less_*", "scenario_in_line",
                    "scenario_loss")),
            "scenario": Answer("", ("scenario_market_*", "scenario_loss", "scenario_gain",
                "scenario_cost"), "scenario", most=1),
        },
        DAY | {"if", "money", "market"},
        absorbs=frozenset({"result", "risk"}),
    ),
    AskedFigure(
        "risk", RISK, r"risk(s|y|iness)?|riskier(?= than)|dangerous|safe",
        {
            "": Answer("What drives the risk?", _RISK_FORMS, most=8),
            "change": Answer("Did the risk change?",
                ("*_left_window", "volatility_rose", "volatility_fell", "volatility_day",
                    "var_rose", "var_fell", "beta_rose", "beta_fell", "no_change")),
            "21d change": Answer("", ("volatility_rose_21d", "volatility_fell_21d",
                "volatility_before_21d", "beta_fell_21d", "beta_rose_21d", "beta_before_21d")),
            "market": Answer("Is it riskier than the market?",
                ("volatility_against_market", "beta_level", "beta_error")),
            "position": Answer("", POSITION_FORMS),
        },
        DAY | {"why", "max", "percent", "part"},
    ),
)  # fmt: skip

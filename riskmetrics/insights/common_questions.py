"""Questions that fixed rules recognize by their words, and the forms that answer each.

The first that matches decides, so the more specific ones come first.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from riskmetrics.insights.claims import Claim, Topic
from riskmetrics.insights.plan import MIN_SALIENCE, MissingFact


class CommonQuestion(NamedTuple):
    """A question that claims answer."""

    example: str
    """The question as it is offered to users; empty: it is not."""
    words: str
    """Regular expression that a question of this kind matches, case aside."""
    topics: tuple[Topic, ...] = ()
    """Topics of the claims in the order in which they are stated; empty: all."""
    forms: tuple[str, ...] = ()
    """Patterns of forms in the order in which they are stated; empty: all of the topics."""
    tells: Callable[[Claim], bool] = lambda _: True
    """Whether a claim of these topics or forms belongs to the answer."""
    nothing: MissingFact = "undefined_figures"
    """What the answer states if no claim belongs to it."""
    is_figure: bool = False
    """Whether it may be asked together with other figures."""


_SESSION: Final = r"\b(today|yesterday|session|day)\b"
"""Words that ask for the result of the session, unless they belong to another question."""


def _is_new(claim: Claim) -> bool:
    return claim.is_new and claim.instance.salience >= MIN_SALIENCE


def _is_alarm(claim: Claim) -> bool:
    is_own_limit = claim.form.id.startswith("own_limit")
    return claim.instance.level != "info" or claim.form.role == "advice" or is_own_limit


def _refusal(words: str, nothing: MissingFact) -> CommonQuestion:
    """Return a question that stored facts never answer."""
    return CommonQuestion("", words, tells=lambda _: False, nothing=nothing)


def _figure(
    example: str, words: str, *forms: str, nothing: MissingFact = "undefined_figures"
) -> CommonQuestion:
    """Return a question about a figure, whose forms answer it in their order."""
    return CommonQuestion(example, words, forms=forms, nothing=nothing, is_figure=True)


COMMON_QUESTIONS = (
    _refusal(
        r"^(what('?s| is| are)? (an?|the meaning of) |explain|define\b|definition)|\bmeans?\b",
        "definitions",
    ),
    _refusal(
        r"\b(should|shall|must) (i|we)\b(?! (look|watch|review|worry|know|check))"
        r"|\b(buy|sell|hold) or (buy|sell|hold)\b|\brebalanc"
        r"|what to (buy|sell)|\brecommend|advi[cs]e",
        "advice",
    ),
    _refusal(r"\bfees?\b|\btax|commission|expense ratio", "costs"),
    _refusal(r"\bearnings\b|\bp/?e\b|valuation|dividend|fundamental", "fundamentals"),
    _refusal(r"\bnews\b|\bheadlines?\b", "causes"),
    _refusal(r"intraday|this (morning|afternoon)|right this minute|last hour", "intraday"),
    _refusal(r"\bgoals?\b|retire", "intentions"),
    _refusal(r"sharpe?\b.*ratio|\bsharpe\b|sortino|calmar|treynor|\balpha\b|\bjensen", "other"),
    _refusal(
        r"\bytd\b|year to date|last (quarter|decade)"
        r"|\b(19|20)\d\d\b|in (january|february|march|april|may|june|july|august)",
        "other_sessions",
    ),
    _figure(
        "How sensitive is it to interest rates?",
        r"interest|\brates?\b|\bbonds?\b|\bduration\b",
        "rate_beta_level", "rate_*",
    ),
    _figure(
        "Has the value at risk been right?",
        r"(value at risk|\bc?va?r\b).*(right|good|accura|reliab|trust|hold|held|wrong|low|high|test"
        r"|exceed)|exception|backtest|(trust|rely on|accura\w+ (is|of)).*(value at risk|\bvar\b)",
        "var_too_*", "var_often_exceeded", "var_level", "var_exceeded", "var_held",
    ),
    _figure(
        "Which positions lost most?",
        r"(biggest|largest|worst|top|main|which|what).*(losers?\b|detract|lost"
        r"|(cost|hurt) (me|us|it))|what hurt",
        "position_loss*", "largest_detractor", "losses_spread", "position_lost", "detractor_*",
    ),
    _figure(
        "Which positions gained most?",
        r"(biggest|largest|best|top|main|which|what).*(winners?\b|gainers?\b|contribut|gained|helped)",
        "position_gain*", "largest_contributor", "gains_spread", "position_gained",
        "contributor_*",
    ),
    CommonQuestion(
        "Was it the worst day of the year?",
        r"(worst(?![- ]?(case|scenario))|best|largest (loss|gain)).*"
        r"(day|session|week|month|year|loss|gain)\b",
        forms=("largest_loss", "rare_loss", "largest_gain", "rare_gain"),
        nothing="other_sessions",
    ),
    _figure(
        "How large is the value at risk?",
        r"value at risk|\bva?r\b|shortfall|\bc?es\b|\bcvar\b|(lose|loose|loss|down).*\b(in a|one)"
        r" (bad )?day\b|on a bad day",
        "var_level", "shortfall", "var_too_*", "var_often_exceeded",
    ),
    _figure(
        "How far is it below its peak?",
        r"draw ?down|\bdd\b|\bpeak|underwater|recover|below (its|the|my) high|all.time high",
        "drawdown_with_market", "drawdown", "drawdown_level", "max_drawdown", "drawdown_*",
        "at_peak",
    ),
    CommonQuestion(
        "Which limits are exceeded?",
        r"limit|threshold|alarm|alert|warning|breach",
        tells=_is_alarm,
        nothing="no_limit",
    ),
    _figure(
        "How fast could it be sold?",
        r"liquid|how (fast|long|quick\w*|soon).*(sell|sold|get out|exit|cash out)|\bsold\b",
        "liquidity_*", "sold_in_week", nothing="liquidity",
    ),
    _figure(
        "Which factors is it tilted to?",
        r"factor|\btilt|\bstyle|momentum|quality|low vol\w* factor",
        "factor_*", "risk_specific", "risk_explained", "explained_level",
    ),
    _figure(
        "How correlated are the holdings?",
        r"correl|move (alike|together)",
        "correlation_level", "holdings_move_*", "pair_alike", "diversified_*",
    ),
    CommonQuestion(
        "What is the worst case?",
        r"worst[- ]?(case|scenario)|stress|scenario|crash|market (fall|drop|tank|crash|goes down)"
        r"|(can|could|might|would).* (lose|loose|loss|cost)",
        forms=("scenario_cost", "scenario_*", "shortfall", "var_level"),
    ),
    _figure(
        "How far is it from the index?",
        r"information ratio|\bir\b|\bactive (return|share)"
        r"|(far|beat|behind|ahead|against|versus|vs\.?|than|lag|outperform|underperform).*"
        r"\b(index|market|benchmark|bench|s ?& ?p)|(out|under)perform",
        "behind_market*", "ahead_of_market*", "returns_compared*", "active_gain", "active_loss",
        "information_ratio",
    ),
    _figure(
        "How large is the tracking error?",
        r"tracking error|\bte\b|active risk",
        "tracking_error", "tracking_*", "active_beta",
    ),
    _figure(
        "How does it differ from the benchmark by sector?",
        r"sector|industr|overweight|underweight|differ.* benchmark",
        "sector_over", "sector_under", "sector_absent", "sector_largest", "sector_level",
    ),
    _figure(
        "How much was made since entry?",
        r"since (inception|purchase|entry|(i|we) (bought|started|invested))|in total so far",
        "*_since_entry",
    ),
    _figure("How much cash is there?", r"\bcash\b|\bdebt\b", "cash_*"),
    _figure(
        "How well is it hedged?",
        r"hedg|\bshorts?\b|net exposure|gross|leverag|\bborrow|\blevered",
        "shorts_*", "gross_and_net", "exposure_level", "no_shorts",
    ),
    _figure(
        "How good was the forecast?",
        r"forecast.*(good|right|accura|reliab|hold|held|trust|wrong)|(good|accura\w*|right).*"
        r"forecast",
        "forecast_held", "forecast_*_part", "forecast_missed_*",
    ),
    _figure(
        "Did the risk rise?",
        r"(did|has|have|is|are).*\b(risk|risky|riskier|volatility|vol)\b.*\b(go|gone|goes|going"
        r"|went|rise|risen|rising|fall|fallen|falling|increas\w+|decreas\w+|up|down|higher|lower"
        r"|chang\w+)\b|riskier",
        "volatility_rose", "volatility_fell", "*_left_window", "volatility_day", "var_rose",
        "var_fell", "beta_rose", "beta_fell", "forecast_rose", "forecast_fell", "no_change",
    ),
    _figure(
        "How volatile is it?",
        r"volatil|\bvols?\b|calm|swing|fluctuat|forecast|\bstd\b|standard deviation",
        "volatility_rose", "volatility_fell", "*_left_window", "volatility_calm",
        "volatility_high*", "volatility_lowest", "volatility_level", "expected_*",
        "forecast_level", "forecast_*", "volatility_*", "windows_compared",
    ),
    _figure(
        "How sure is the beta?",
        r"\bbetas?\b|market (exposure|sensitiv)|r[- ]?(2|²|squared?)\b|react.* market",
        "beta_level", "beta_error", "market_explains_little", "beta_*",
    ),
    _refusal(
        r"\bwill (it|they|the|my|i)\b|tomorrow|next (week|month|year)|predict|\boutlook\b"
        r"|going to (go|rise|fall)",
        "future_returns",
    ),
    CommonQuestion(
        "What changed?",
        r"\bchange|\bnew\b|\bdiffer|since (yesterday|last)|\b(did|has|have) .*\b(risk|it)\b.*"
        r"\b(go|gone|went|rise|risen|fall|fallen|increase|decrease|jump)",
        tells=_is_new,
        nothing="no_change",
    ),
    _figure("What is the HHI?", r"\bhhi\b|herfindahl|effective", "hhi_level"),
    _figure(
        "How many positions are there?",
        r"how many (\w+ )?(position|holding|stock|name)|number of",
        "position*_held", "effective_positions",
    ),
    _figure(
        "How concentrated is it?",
        r"concentrat|diversif|(largest|biggest|main|top|single) (position|holding|name|stock"
        r"|weight)|\bweights?\b|\b(positions|holdings)\b",
        "position_dominates", "position_risk_heavy", "largest_weight", "top_three",
        "top_ten", "effective_positions", "hhi_level", "pair_share", "diversified_*",
    ),
    CommonQuestion(
        "Which data are missing?",
        r"missing|\bdata\b|coverage|caveat|undefined|trust|complete",
        ("data",),
        nothing="no_gap",
    ),
    _figure(
        "How much is it worth?",
        r"\bworth\b|\bequity\b|\bvalue of\b|(total|portfolio|current) value"
        r"|how (big|large) is (it|(the|my) (portfolio|book))"
        r"|\bnav\b",
        "equity", "equity_negative", "cash_level",
    ),
    CommonQuestion(
        "What should I look at?",
        r"look at|watch|attention|worr|review|concern|important",
        tells=_is_alarm,
        nothing="no_limit",
    ),
    CommonQuestion(
        "What drives the risk?", r"\brisk", ("concentration", "volatility", "factors", "tail"),
        tells=lambda claim: not claim.form.is_answer or claim.form.id == "var_level",
    ),
    CommonQuestion(
        "Why did it lose or gain?",
        r"result|p ?& ?l\b|\bpnl\b|profit|gain|\blos[te]|lose|loose|loss|return|perform|contribut"
        r"|drives?\b|happen|summar|\bdoing\b|\bdid\b|\bup\b|\bdown\b|moved?\b|made money|"
        + _SESSION,
        ("result",),
        tells=lambda claim: (
            "limit" not in claim.form.id
            and (not claim.form.is_answer or claim.form.id.startswith("returns_compared"))
        ),
    ),
)  # fmt: skip
"""Known questions, the more specific ones first; refusals are not offered."""

OFFERED = tuple(question.example for question in COMMON_QUESTIONS if question.example)
"""Example questions that the command lists."""

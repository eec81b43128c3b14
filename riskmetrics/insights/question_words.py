"""Words of questions besides figures: qualifiers, what is never answered, and words of no weight.

`FILLERS` may be left out of a question without a change of its meaning. A word that is neither
here nor a name of a figure makes a question unanswerable, as the answer would be about something
else.
"""

from collections.abc import Mapping
from importlib.resources import files
from typing import Final, NamedTuple

import yaml

from riskmetrics.insights.plan import MissingFact

WORDS: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(words.split())
    for name, words in yaml.safe_load(
        files("riskmetrics.insights").joinpath("question_words.yaml").read_text("utf-8")
    ).items()
}
"""Words of questions by what they are."""


class Refusal(NamedTuple):
    """What stored facts never answer."""

    code: MissingFact
    words: str
    """Regular expression, lower case."""
    nearest: str = ""
    """Key of the figure whose question is offered instead."""


_CLAUSE: Final = r"[^,.;?!]*?(?= and (?:what|how|is|the|my)\b|[,.;?!]|$)"
"""Up to the end of a clause."""

_LOOKING: Final = r"(?:look|watch|worry|review|know|check|care|be worried|be concerned|pay)"

REFUSALS: Final = (
    Refusal("definitions", r"^(?:what(?: i|')?s an? |what is an? |define |definition of|meaning of"
        r"|what is the (?:meaning|definition) of"
        r"|explain (?!my|why|today|the (?:loss|gain|result))).*$"
        r"|^what (?:do|does) .* (?:mean|stand for)\W*$"),
    Refusal("advice", rf"\b(?:(?:should|shall|must) (?:i|we)|would (?:i|we|you)|do you)"
        rf"(?! {_LOOKING}\b)"
        rf" (?:rather |better )?(?:buy|sell|hold|keep|add|reduce|trim|increase|hedge|exit|close"
        rf"|short|rebalance|invest|diversify|switch|do|need to (?:buy|sell)|recommend|suggest)\b"
        rf"{_CLAUSE}|\bhow should (?:i|we)\b{_CLAUSE}|\bshould (?:i|we)\b(?! {_LOOKING}\b){_CLAUSE}"
        rf"|\bshould (?:my|the|it|its|one|a|be)\b{_CLAUSE}"
        rf"|\b(?:buy|sell|hold) or (?:buy|sell|hold)\b|\brebalanc\w+{_CLAUSE}"
        rf"|\bwhat to (?:buy|sell)\b{_CLAUSE}|\b(?:good|right|bad) time to\b{_CLAUSE}"
        rf"|\brecommend\w*\b{_CLAUSE}|\badvi[cs]e\b|\bverkaufen|\bkaufen|\bprice target"
        rf"|\b(?:is|are) +\S+ +an? (?:buy|sell|hold)\b"),
    Refusal("costs", r"\b(?:management |trading )?fees?\b|\b(?:capital gains )?tax(?:es|ed)?\b"
        r"(?: do i owe| on)?|\bcommissions?\b|\bexpense ratios?\b|\btrading costs?\b|\bter\b"
        r"|\bwash sales?\b|\btax[- ]loss\b"),
    Refusal("fundamentals", r"\bearnings\b|\bp ?/ ?e\b(?: ratios?)?|\bpe ratios?\b|\bvaluations?\b"
        r"|\bdividends?\b(?: yields?)?|\bfundamentals?\b|\beps\b|\bbook value\b|\bp ?/ ?b\b"
        r"|\bro[eai]c?\b|\bmarket cap\b|\brevenues?\b|\bcheap\b|\bexpensive\b|\bovervalued\b"),
    Refusal("causes", r"\bnews\b|\bheadlines?\b|\bwhy (?:did|has|is) (?:the )?(?:market|index"
        r"|s ?& ?p(?: 500)?)\b.*$", "market_move"),
    Refusal("intraday", r"\bintraday\b|\bthis (?:morning|afternoon)\b|\bright this minute\b"
        r"|\blast hour\b|\blive\b|\breal[- ]time\b|\b(?:current |the )?price(?: of)?\b"),
    Refusal("intentions", r"\bgoals?\b|\bretire\w*\b|\bwhy did i (?:buy|sell)\b.*$"),
    Refusal("loss_probability", r"\b(?:probability|chance|odds|likelihood|how likely)\b"
        rf"(?=.*\b(?:los\w+|fall\w*|drop\w*|down|crash)\b){_CLAUSE}"
        r"|\b(?:lose|loose|losing|drop|fall) (?:more than |over |at least |up to )?\$?[\d.,]+ ?"
        r"(?:%|percent|pct|k|usd|dollars)?(?: (?:in|on|within) (?:a|one)(?: single)? day)?", "var"),
    Refusal("scenario", r"\b(?:in an? |of an? |like )?(?:another )?"
        r"(?:covid|corona|gfc|financial crisis|2008|dot[- ]?com|great depression|black monday)"
        r"(?:[- ]?19)?(?: crash| crisis| style)?\b"
        r"|\bwhat (?:happens )?if\b(?! (?:the )?(?:market|index|s ?& ?p|(?:interest )?rates))"
        rf"{_CLAUSE}",
        "scenario"),
    Refusal("future_returns", r"\b(?:will|going to|gonna)\b(?=.*\b(?:market|index|s ?& ?p|stocks?"
        r"|price|crash|go up|go down)\b)(?!.*\b(?:volatil\w+|beta|var|value at risk)\b).*$"
        r"|\b(?:is|are) an? (?:crash|recession|rally|correction) coming\b|\boutlook\b"
        r"|\bpredict\w*\b.*$"
        r"|\bwhere (?:will|is).*\bgoing\b.*$|\bwhen will\b.*$"),
    Refusal("period", r"\b(?:worst|best) (?:week|month|quarter|year)\b", "worst_day"),
)  # fmt: skip
"""What is never answered; the first that matches is meant."""

EACH: Final = (
    r"\b(?:of |for |by |per )?(?:each|every|per|single|individual) (?:of )?(?:my |the )?"
    r"(?:positions?|holdings?|stocks?|names?)\b|\b(?:by|per) (?:position|holding|stock)\b"
)
"""Words that ask for a figure of every position."""

DESCRIBED: Final = (
    r"(?<!\ba )\b(?:which|what|other|remaining|rest|some|many|few|several|all|both|individual"
    r"|single|new|old|long|short|good|bad|strong|weak|risky|safe|(?:small|big|large|high|low)"
    r"(?:er|est)?)(?: of)?(?: my| the)?"
    r" (?:positions?|holdings?|stocks?|names?|shares|securities|investments?|assets)\b"
)
"""Words that ask for a figure of positions by what they are."""

CUMULATIVE: Final = (
    r"\b(?:total|cumulative|overall) (?=p ?& ?l\b|pnl\b|profit|gain|loss|result|return|performance)"
    r"|\b(?:in total )?so far\b"
)
"""Words that mean a result since entry if they stand with no window."""

CURRENCIES: Final = frozenset({"USD", "EUR", "GBP", "CHF"})
"""Qualifiers that name a currency."""

QUALIFIERS: Final = (
    ("entry", r"since (?:inception|purchase|entry|(?:i|we) (?:bought|started|invested|opened)(?: it"
        r"| them)?|the (?:start|beginning))|i bought(?: it)?"),
    ("ytd", r"\bytd\b|year[- ]to[- ]date|this year|since (?:new year|january 1(?:st)?)"),
    ("mtd", r"\bmtd\b|month[- ]to[- ]date|this month"),
    ("252d", r"(?:of|in|over) the year\b"),
    ("week", r"\bthis week\b|\bwtd\b|week[- ]to[- ]date"),
    ("period", r"\bqtd\b|quarter[- ]to[- ]date|this quarter"
        r"|(?:of |in |over |for )?all[- ]time|\bever\b|since the beginning of time"),
    ("1d-past", r"(?:since|vs\.?|versus|from|than|compared (?:to|with)) (?:yesterday|the day before"
        r"|(?:the )?(?:last|previous) (?:session|day)|last close)"),
    ("1d", r"\btoday(?:'?s)?\b|on the day|(?:of |in |for )?(?:the|this) (?:day|session)"
        r"|(?:the )?(?:last|latest) (?:session|day)"),
    ("now", r"\bright now\b|\bcurrently\b|\bat the moment\b"),
    ("daily", r"\bdaily\b"),
    ("annual", r"\bannual(?:ly|i[sz]ed)?\b|\byearly\b|\bper year\b"),
    ("historical", r"\bhistoric(?:al|ally)?\b|\breali[sz]ed\b"),
    ("average", r"\baverage\b|\bmean\b|\bmedian\b|\btypical(?:ly)?\b|\bon average\b"),
    ("compare", r"\b(?:better|worse|higher|lower|larger|smaller|greater|bigger|more|less)\b"
        r"(?=[^.;?]*\bthan\b)|\bmore\b(?! about)"),
    ("part", r"\bcontribut(?:e|es|ed|ing|ion|ions)\b(?: (?:most|more))?(?: (?:to|from|of))?"),
    ("future", r"\bwill\b|\bgoing to\b|\bgonna\b|\btomorrow\b|\bfuture\b|\bin the (?:next|coming)\b"
        r"|\bnext\b|\bcoming\b|\bupcoming\b|\bfrom now\b|\bahead\b|\bpredict\w*\b"
        r"|\bwould\b(?= be)|\bexpect(?:ed|s)? to\b"
        r"(?= (?:rise|fall|increase|decrease|drop|grow|go)\b)"),
    ("forecast", r"\bforecast(?:s|ed)?\b|\bexpect(?:ed|s|ation)?\b|\bprojected\b"),
    ("record", r"\b(?:any )?good\b|\bright\b|\baccura\w+\b|\breliab\w+\b|\btrust\w*\b|\brely on\b"
        r"|\bh[eo]lds? up\b"
        r"|\bheld(?=(?: today)?\W*$)"
        r"|(?<=\0 )hold\b|\bwrong\b|\b(?:back[- ]?)?test(?:s|ed)?\b"
        r"|\bback[- ]?test(?:s|ed|ing)?\b|\bexceptions?\b|\bexceedances?\b|\btrack record\b"
        r"|\bpass(?:ed)?\b|\bok(?:ay)?\b|\bvalid(?:ated)?\b|\bviolat\w+\b"),
    ("judged", r"\btoo (?:low|high|small|big|large|much|little)\b"),
    ("error", r"\b(?:how )?(?:sure|certain)\b|\bstandard errors?\b|\bstd\.? errors?\b"
        r"|\bconfiden(?:t|ce interval)\b|\bprecise\b|\bsignifican\w+\b"
        r"|\buncertain\w*\b|\berror\b"),
    ("fit", r"\br[- ]?(?:2|²|squared?)(?!\w)|\bgoodness of fit\b"),
    ("of-market", r"\bof (?:the |my )?(?:stock )?(?:market|index|benchmark|s ?& ?p(?: ?500)?"
        r"|spx|spy)\b"),
    ("market", r"(?:vs\.?|versus|than|against|relative to|compared (?:to|with)|with|to|of)?(?: the"
        r"| my)? ?\b(?:stock )?(?:market|index|benchmark|bench|s ?& ?p(?: ?500)?|spx|spy)\b"),
    ("change", r"\bchang(?:e|ed|es|ing)\b"),
    ("moved", r"\b(?:go|going|gone|went|goes) (?:up|down)\b|\brise(?:s|n)?\b"
        r"|\brising\b|\brose\b|\bfall(?:s|en|ing)?\b|\bfell\b|\bincreas\w+\b|\bdecreas\w+\b"
        r"|(?<!\ba )\b(?:higher|lower)\b|\bjump(?:ed)?\b|\bup\b|\bdown\b"
        r"|\bmoved?\b|\bgrown?\b|\bdrop(?:ped)?\b"),
    ("why", r"\bwhy\b|\bwhat (?:drives?|drove|caused|explains?|made)\b|\bwhere\b|\bcome from\b"
        r"|\bcomes from\b|\bdrivers?\b|\bcaus\w+\b|\breasons?\b|\bdue to\b"),
    ("when", r"\bwhen\b"),
    ("unusual", r"\bunusual(?:ly)?(?: (?:large|big))?\b|\bout of the ordinary\b"
        r"|\bexceptional\b"),
    ("money", r"\bhow many dollars\b|\bin (?:money|dollars)\b|\bhow much money\b|\bamount\b"
        r"|\bmoney\b"
        r"|\$(?!\w)|\bdollars?\b"),
    ("USD", r"\b(?:in )?(?:us dollars?|usd)\b"),
    ("EUR", r"\b(?:in )?(?:euros?|eur)\b"),
    ("GBP", r"\b(?:in )?(?:gbp|pounds?)\b"),
    ("CHF", r"\b(?:in )?(?:chf|francs?)\b"),
    ("percent", r"\b(?:as |in )?(?:a )?(?:percent(?:age)?|%|share|fraction|part|proportion)"
        r"(?: of)?(?: equity)?\b"
        r"|\bin %"),
    ("worst", r"\bdeepest\b|\bworst\b"),
    ("max", r"\bmax(?:imum)?\b|\blargest\b|\bbiggest\b|\bmost\b|\bmain\b"
        r"|\bhighest\b|\btop\b"),
    ("count", r"\bhow (?:many|often|frequently)\b(?: (?:days|sessions|times))?"
        r"|\bnumber of\b(?: (?:days|sessions|times))?"),
    ("if", r"\bwhat (?:happens|happened|would happen)(?: if| when)?\b|\bif\b|\bin case\b"),
)  # fmt: skip
"""Qualifier and its words; a longer match of an earlier one is taken first."""

FILLERS: Final = WORDS["fillers"]
"""Words that may be left out of a question."""

TYPED: Final = (
    ("whats", "what is"), ("what's", "what is"), ("hows", "how is"), ("how's", "how is"),
    ("wheres", "where is"), ("where's", "where is"), ("who's", "who is"),
    ("it's", "it is"), ("isn't", "is not"), ("i'm", "i am"), ("i've", "i have"),
    ("don't", "do not"), ("didn't", "did not"), ("won't", "will not"), ("p/l", "p&l"),
    ("tell me more", "tell me"),
)  # fmt: skip
"""Contractions and what they stand for."""

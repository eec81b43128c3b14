"""Limits, alerts, changes and missing data."""

from typing import Final

from riskmetrics.insights.asked.answers import CHECKS, DAY, Answer, AskedFigure
from riskmetrics.insights.claims import Claim
from riskmetrics.insights.plan import MIN_SALIENCE, STANDING_PLACE


def is_alarm(claim: Claim) -> bool:
    """Return whether a claim is an alarm, advice or about a limit of the portfolio."""
    is_own_limit = claim.form.id.startswith("own_limit")
    return claim.instance.level != "info" or claim.form.role == "advice" or is_own_limit


def _is_new(claim: Claim) -> bool:
    is_said = claim.is_new and claim.instance.salience >= MIN_SALIENCE
    return is_said and not claim.form.is_answer


def _is_new_alarm(claim: Claim) -> bool:
    is_standing = claim.form.place == STANDING_PLACE
    return claim.instance.level != "info" and claim.is_new and not is_standing


CHECKED: Final = (
    AskedFigure(
        "new_alerts", CHECKS,
        r"(which|what) (alerts?|alarms?|warnings?) (is|are) new|new (alerts?|alarms?|warnings?)",
        {"": Answer("Which alerts are new?", ("*",), "no_new_alert", _is_new_alarm, most=12)},
        DAY,
    ),
    AskedFigure(
        "limits", CHECKS,
        r"limits?|breach(es|ed)?|exceed(s|ed)?",
        {"": Answer("Which limits are exceeded?", ("own_limit*", "look_at_own*"), "no_limits_set",
            most=12)},
        DAY | {"record", "why", "max"},
    ),
    AskedFigure(
        "alerts", CHECKS,
        r"((should|must|shall) (i|we) (be |pay )?)?(alerts?|alarms?|thresholds?|warnings?|warned"
        r"|worr(y|ied|ies)|look at|watch( out)?|attention|concern(s|ed|ing)?|red flags?|problems?"
        r"|review|important|care about)",
        {"": Answer("What should I look at?", ("*",), "no_limit", is_alarm, most=12)},
        DAY,
        absorbs=frozenset({"risk"}),
    ),
    AskedFigure(
        "changes", CHECKS, r"(anything |something |what is )new|different",
        {
            "": Answer("What changed?", ("*",), "no_change", _is_new, most=12),
            "5d": Answer("", ("return_5d", "beta_before_5d", "volatility_before_5d",
                "forecast_before_5d")),
            "21d": Answer("What changed over a month?", ("return_21d", "beta_before_21d",
                "volatility_before_21d", "forecast_before_21d", "top_three_before_21d"), most=6),
        },
        frozenset({"1d", "1d-past", "change", "why"}),
    ),
    AskedFigure(
        "data", CHECKS,
        r"data( quality)?|coverage|missing( prices| data)?|caveats?|undefined|complete(ness)?"
        r"|gaps?",
        {"": Answer("Which data are missing?", ("prices_missing", "risk_undefined",
            "equity_negative", "beta_partial", "liquidity_partial"), "no_gap")},
        DAY | {"record"},
    ),
)  # fmt: skip

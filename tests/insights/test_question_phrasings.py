"""Questions as users type them: each is answered for exactly what it asks, or is refused."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from riskmetrics.insights.claims import claims_of
from riskmetrics.insights.questions.answering import answer_by_rules
from riskmetrics.insights.questions.parsing import find_named_session
from riskmetrics.insights.realize import realize_note
from tests.insights.fact_sheets import ALIASES, build_sheet
from tests.insights.question_sheet import PORTFOLIOS, SHEET

QUESTIONS: list[dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent / "questions.toml").read_text("utf-8")
)["question"]


def answer(text: str) -> Any:
    """Return the plan that answers a question about the sheet."""
    return answer_by_rules(text, claims_of(SHEET), SHEET.aliases, PORTFOLIOS, SHEET.day)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda each: each["text"])
def test_a_question_is_answered_by_its_claims_or_says_what_is_missing(question) -> None:
    plan, claims = answer(question["text"]), claims_of(SHEET)
    assert list(plan.statements()) == question.get("tells", [])
    assert plan.missing == question.get("missing", [])
    assert realize_note(plan, claims, SHEET).summary
    if plan.headline:  # the title is that of a sentence in the answer, or none in particular
        headline = claims[plan.headline]
        stated = headline.form.states + headline.id.removeprefix(headline.form.id)
        assert plan.headline == "headline_answer" or stated in plan.statements()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("what is the 97.5% VaR", "at that confidence level. You can ask: “How large is the value"),
        ("Sharpe ratio over 3 years", "over that period. You can ask: “What is the Sharpe ratio?”"),
        ("beta of the human population", "Words that are not known: “human”, “population”."),
        ("Sharpe ratio of the market", "not held. You can ask: “What is the Sharpe ratio?”"),
        ("cash in EUR", "do not contain amounts in that currency. You can ask: “How much cash"),
        ("beta of each position", "the figure of a single position or sector"),
        ("beta of SPY", "instruments that are not held"),
        ("Sharpe better than the market", "that comparison. You can ask"),
        ("can I lose more than 5% in a day", "You can ask: “How large is the value at risk?”"),
        ("worst day this year", "You can ask: “What was the worst day of the past year?”"),
    ],
)
def test_what_is_not_answered_is_named_with_the_nearest_question(text: str, words: str) -> None:
    note = realize_note(answer(text), claims_of(SHEET), SHEET)
    assert note.title in ("Not answered", "Nothing to tell")
    assert words in note.summary
    for nearest in answer(text).nearest:
        assert answer(nearest).statements(), nearest


@pytest.mark.parametrize(
    ("text", "limitation"),
    [
        ("beta and P/E ratio", "The stored facts do not contain earnings, valuations or other"),
        ("beta and the flow of the river", "Words that are not known: “flow”, “river”."),
        ("limits breached?", "No limit was checked in this session: the command limits set adds"),
    ],
)
def test_a_part_that_is_not_answered_is_named_beside_the_answer(text: str, limitation: str) -> None:
    note = realize_note(answer(text), claims_of(SHEET), SHEET)
    assert note.summary.startswith(("Beta is 1.55;", "Alerts in force: "))
    assert note.data_limitations.startswith(("The stored facts", "No fixed rule", "No limit"))
    assert limitation in note.data_limitations


def test_an_answer_about_a_position_tells_nothing_about_others() -> None:
    subjects = {each.partition(":")[2] for each in answer("what about Apple?").statements()}
    assert subjects == {"POS_02"}


def test_the_cause_of_a_fall_in_volatility_leads_where_the_facts_have_it() -> None:
    figures = {
        "volatility_21d": 0.3, "volatility_21d_change": -0.185, "daily_return": -0.0122,
        "left_return": 0.11, "left_day": "2022-11-10",
    }  # fmt: skip
    sheet = build_sheet(figures)
    claims = claims_of(sheet)
    for text in ("Why did volatility fall?", "Did the volatility change?"):
        plan = answer_by_rules(text, claims, sheet.aliases, (), sheet.day)
        assert (plan.statements(), plan.missing) == (("gain_left_window",), [])


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("How much did we lose last week?", ["What did it return over five sessions?"]),
        ("What was the return in November?", ["What did it return over a month?"]),
        ("What happened to AMD this week?", ["Which position lost most over five sessions?"]),
    ],
)
def test_a_calendar_period_is_offered_the_window_that_comes_near(text, nearest) -> None:
    assert answer(text).nearest == nearest


@pytest.mark.parametrize(
    ("text", "claims"),
    [
        ("What is the largest short position?", ["short_largest:POS_02"]),
        ("What are the short positions?", ["short_level:POS_02", "short_level:POS_03"]),
        ("Which shorts lost money today?", ["short_lost:POS_03", "short_results_listed"]),
    ],
)
def test_single_short_positions_are_answered(text, claims) -> None:
    sheet = build_sheet(
        {
            **{f"pos_{at:02}_side": "short" if at > 1 else "long" for at in (1, 2, 3)},
            "pos_01_weight": 0.8, "pos_02_weight": 0.3, "pos_03_weight": 0.2,
            "pos_01_pnl": -50.0, "pos_03_pnl": -20.0, "num_short_positions": 2,
            "num_positions": 3,
        }
    )  # fmt: skip
    plan = answer_by_rules(text, claims_of(sheet), sheet.aliases, (), sheet.day)
    assert (list(plan.statements()), plan.missing) == (claims, [])


LIMITS = {
    **ALIASES,
    "LIM_01": {"limit": "beta"},
    "LIM_02": {"limit": "single positions", "of": "POS_01"},
    "LIM_03": {"limit": "one-day value at risk"},
}


@pytest.mark.parametrize(
    ("text", "claims", "missing"),
    [
        ("Is the beta within its limit?", ["limit_kept:LIM_01"], []),
        ("largest position limit", ["own_limit_exceeded_of:LIM_02"], []),
        ("Is the VaR limit exceeded?", ["own_limit_close:LIM_03"], []),
        ("Are beta and VaR within their limits?",
            ["limit_kept:LIM_01", "own_limit_close:LIM_03"], []),
        ("Is the beta or the VaR above its limit?",
            ["limit_kept:LIM_01", "own_limit_close:LIM_03"], []),
        ("What is the beta and its limit?", ["limit_kept:LIM_01"], ["undefined_figures"]),
        ("What are my limits?",
            ["own_limit_exceeded_of:LIM_02", "own_limit_close:LIM_03", "limit_kept:LIM_01"], []),
        ("Which limits are close?",
            ["own_limit_exceeded_of:LIM_02", "own_limit_close:LIM_03", "limit_kept:LIM_01"], []),
        ("Which positions exceed their limit?", ["own_limit_exceeded_of:LIM_02"], []),
        ("drawdown limit", [], ["no_such_limit"]),
        ("is SYM1 above its limit?", ["own_limit_exceeded_of:LIM_02"], []),
        ("is SYM2 above its limit?", [], ["position_figure"]),
        ("Which limits are exceeded?",
            ["own_limit_exceeded_of:LIM_02", "own_limit_close:LIM_03"], []),
    ],
)  # fmt: skip
def test_the_limit_of_a_figure_is_answered_alone(text, claims, missing) -> None:
    sheet = build_sheet(
        {
            "lim_01_checked_number": 1.0, "lim_01_checked_number_limit": 1.2,
            "lim_02_checked": 0.6, "lim_02_checked_limit": 0.5,
            "lim_03_checked": 0.0199, "lim_03_checked_limit": 0.02,
            "lim_01_limit_status": "kept", "lim_02_limit_status": "exceeded",
            "lim_03_limit_status": "kept",
        },
        aliases=LIMITS,
    )  # fmt: skip
    plan = answer_by_rules(text, claims_of(sheet), sheet.aliases, (), sheet.day)
    assert (sorted(plan.statements()), plan.missing) == (sorted(claims), missing)


@pytest.mark.parametrize(
    ("text", "claims", "missing"),
    [
        ("How long has the beta been above its limit?", ["own_limit_since:LIM_01"], []),
        ("Since when is the largest position above its limit?", ["own_limit_since_of:LIM_02"], []),
        ("How long are limits exceeded?",
            ["own_limit_ended:LIM_03", "own_limit_since:LIM_01", "own_limit_since_of:LIM_02"], []),
        ("Which limits are newly exceeded?", ["own_limit_breached:LIM_01"], []),
        ("What is back within its limit?", ["own_limit_ended:LIM_03"], []),
        ("Did any alert end?", ["own_limit_ended:LIM_03"], []),
        ("How long has the drawdown been above its limit?", [], ["no_such_limit"]),
    ],
)  # fmt: skip
def test_when_a_limit_was_exceeded_and_which_are_new_or_ended(text, claims, missing) -> None:
    sheet = build_sheet(
        {
            "lim_01_checked_number": 1.3, "lim_01_checked_number_limit": 1.2,
            "lim_02_checked": 0.6, "lim_02_checked_limit": 0.5,
            "lim_03_checked": 0.0199, "lim_03_checked_limit": 0.02,
            "lim_01_limit_status": "exceeded", "lim_01_limit_status_before": "kept",
            "lim_02_limit_status": "exceeded", "lim_02_limit_status_before": "exceeded",
            "lim_03_limit_status": "kept", "lim_03_limit_status_before": "exceeded",
            "lim_01_exceeded_since": "2022-12-28", "lim_02_exceeded_since": "2022-11-02",
        },
        aliases=LIMITS,
    )  # fmt: skip
    plan = answer_by_rules(text, claims_of(sheet), sheet.aliases, (), sheet.day)
    assert (sorted(plan.statements()), plan.missing) == (claims, missing)


def test_without_a_limit_of_the_figure_that_all_others_hold_is_no_answer() -> None:
    facts = {"lim_01_checked_number": 1.0, "lim_01_checked_number_limit": 1.2}
    sheet = build_sheet(facts | {"lim_01_limit_status": "kept"}, aliases=LIMITS)
    claims = claims_of(sheet)
    assert "own_limits_kept" in claims
    plan = answer_by_rules("Is the drawdown within its limit?", claims, sheet.aliases)
    assert (plan.statements(), plan.missing) == ((), ["no_such_limit"])


def test_sectors_below_and_above_the_benchmark_are_listed_the_farthest_first() -> None:
    sectors = {"SEC_01": "Energy", "SEC_02": "Utilities", "SEC_03": "Materials"}
    facts = {
        f"{alias.lower()}_{kind}": value
        for alias, net in zip(sectors, (0.3, 0.02, 0.06), strict=True)
        for kind, value in (("net", net), ("gross", net), ("benchmark", 0.1), ("active", net - 0.1))
    }
    sheet = build_sheet(facts, aliases={alias: {"sector": each} for alias, each in sectors.items()})
    claims = claims_of(sheet)
    for text, expected in (
        ("Which sectors are underweight?", ("sector_below:SEC_02", "sector_below:SEC_03")),
        ("Which sectors are overweight?", ("sector_over:SEC_01",)),
    ):
        assert answer_by_rules(text, claims, sheet.aliases).statements() == expected


@pytest.mark.parametrize(
    ("weight", "held", "stated", "is_complete"),
    [
        (30, 3, ["POS_01"], True),
        (29.9, 3, ["POS_01", "POS_02"], True),  # the weight itself is not above
        (1, 3, ["POS_01", "POS_02", "POS_03"], True),
        (1, 4, ["POS_01", "POS_02", "POS_03"], False),  # the fourth may be above, too
        (5, 4, ["POS_01", "POS_02"], True),  # the third is not, so that the fourth is not either
    ],
)
def test_positions_above_a_weight_are_all_or_said_not_to_be(
    weight, held, stated, is_complete
) -> None:
    facts = {"pos_01_weight": 0.5, "pos_02_weight": 0.3, "pos_03_weight": 0.05}
    sheet = build_sheet(facts | {"num_positions": held})
    plan = answer_by_rules(f"positions above {weight}%", claims_of(sheet), sheet.aliases)
    assert list(plan.statements()) == [f"position_weight:{alias}" for alias in stated]
    assert plan.missing == ([] if is_complete else ["shortened"])


def test_a_weekday_is_the_latest_one_up_to_the_session() -> None:
    assert find_named_session("What was the beta last Friday?", date(2022, 12, 28)) == date(
        2022, 12, 23
    )
    assert find_named_session("What was the beta on Friday?", date(2022, 12, 23)) is None
    assert find_named_session("Why did I lose money on Thursday?", date(2022, 12, 28)) == date(
        2022, 12, 22
    )
    assert find_named_session("Volatility since Friday?", date(2022, 12, 28)) is None
    assert find_named_session("Will it rise on Friday?", date(2022, 12, 28)) is None


_ONE_OPENED = {"n_opened": 1, "n_closed": 0, "n_resized": 0, "pos_01_opened": "opened"}


@pytest.mark.parametrize(
    ("facts", "text", "said"),
    [
        (
            _ONE_OPENED,
            "Which positions were opened?",
            "Opened: SYM1.",
        ),
        (_ONE_OPENED, "What was sold?", "No position was closed. No position was resized."),
        (_ONE_OPENED, "What did I sell?", "No position was closed. No position was resized."),
        (_ONE_OPENED, "Which positions were closed?", "No position was closed."),
        (_ONE_OPENED, "Which positions were resized?", "No position was resized."),
        (_ONE_OPENED, "What did I buy?", "Opened: SYM1. No position was resized."),
        (_ONE_OPENED, "What was traded?", "Opened: SYM1."),
        (_ONE_OPENED, "What was bought or sold?", "Opened: SYM1."),
        (
            {"n_opened": 0, "n_closed": 0, "n_resized": 0},
            "What was bought and sold?",
            "No position was opened, closed or resized.",
        ),
        (
            {"price_coverage": 0.8, "n_unpriced": 1, "pos_02_unpriced": "no price"},
            "Which positions have no price?",
            "Only 80% of the instruments have a price; not in the values: SYM2.",
        ),
        (
            {
                "sec_01_gross": 0.3,
                "sec_01_n_in_sector": 3,
                "sec_01_through_funds": 0.1,
                "pos_03_in_sector": "Energy",
            },
            "Which positions are in Energy?",
            "Energy is made up of SYM3, 2 others and funds.",
        ),
    ],
)
def test_questions_about_holdings_are_answered_by_their_names(facts, text: str, said: str) -> None:
    sheet = build_sheet({"total_value": 1000.0, "num_positions": 3} | facts)
    claims = claims_of(sheet)
    plan = answer_by_rules(text, claims, sheet.aliases, PORTFOLIOS, sheet.day)
    note = realize_note(plan, claims, sheet)
    stated = f"{note.summary} {note.full_analysis}"
    assert said in stated
    assert "SYM1" in said or "SYM1" not in stated


def test_a_name_that_two_positions_share_names_neither() -> None:
    """Two share classes of a company: an answer about one would be no answer about the company."""
    classes = {
        "POS_01": {"symbol": "GOOGL", "name": "Alphabet Inc. Class A"},
        "POS_02": {"symbol": "GOOG", "name": "Alphabet Inc. Class C"},
    }
    facts = {"total_value": 1000.0, "pos_01_weight": 0.1, "pos_02_weight": 0.05}
    facts |= {"pos_01_share": 0.1, "pos_02_share": 0.04}
    sheet = build_sheet(facts, aliases=classes)
    claims = claims_of(sheet)

    def stated(text: str) -> tuple[str, ...]:
        return answer_by_rules(text, claims, sheet.aliases, PORTFOLIOS, sheet.day).statements()

    assert stated("What is the weight of Alphabet?") == ()
    assert stated("What is the weight of Alphabet Inc.?") == ()
    assert stated("What is the weight of GOOG?") == ("position_level:POS_02",)
    assert stated("What is the weight of Alphabet Inc. Class C?") == ("position_level:POS_02",)

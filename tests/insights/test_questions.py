"""How questions are parsed: qualifiers, times, subjects, refusals, and words that are not known."""

from collections.abc import Mapping
from datetime import date
from itertools import zip_longest
from random import Random
from typing import get_args

import pytest

from riskmetrics.insights.claims import Claim, catalog, claims_of
from riskmetrics.insights.instances import Instance
from riskmetrics.insights.plan import (
    MISSING_FACTS,
    RULE_ANSWERS,
    MissingFact,
    Plan,
    Step,
    plan_by_rules,
    prune,
)
from riskmetrics.insights.prompts import MAX_CLAIMS, plan_schema, with_ids
from riskmetrics.insights.questions.answering import answer_by_rules
from riskmetrics.insights.questions.parsing import find_named_session, parse_question
from riskmetrics.insights.questions.phrases import Phrase, split_tokens
from riskmetrics.insights.questions.question_figures import figures, offered_questions
from riskmetrics.insights.questions.question_words import find_meanings, load_words, meanings
from riskmetrics.insights.questions.spelling import correct_typing, read_tokens
from riskmetrics.insights.questions.subjects import Subject, find_subjects, without_portfolios
from riskmetrics.insights.questions.time_expressions import Calendar, is_about_future, read_time
from riskmetrics.insights.realize import realize_missing
from riskmetrics.insights.slots import Slot
from tests.insights.fact_sheets import random_sheet
from tests.insights.question_sheet import SHEET

EXAMPLES = [
    (figure, key, answer)
    for figure in figures().values()
    for key, answer in figure.answers.items()
    if answer.ask
]


def claim(
    form_id: str, salience: float = 1.0, *, is_new: bool = True, level: str = "info"
) -> Claim:
    """Return a claim of a form, without slots: the plan does not read them."""
    instance = Instance({}, (), salience, level=level)
    return Claim(form_id, catalog()[form_id], instance, is_new, salience)


CLAIMS = {
    each.id: each
    for each in (
        claim("session_loss", 3.0),
        claim("largest_weight", 0.2, is_new=False),
        claim("position_dominates", 0.4, is_new=False, level="warning"),
        claim("beta_level", 0.1, is_new=False),
        claim("volatility_level", 0.1, is_new=False),
        claim("scenario_cost", 0.3, is_new=False),
        claim("headline_loss", 3.0),
        claim("headline_beta", 0.1, is_new=False),
        claim("look_at_position", 0.5, is_new=False),
    )
}


def asked(text: str) -> list[tuple[str, str]]:
    """Return the figures that a question asks for, with their qualifiers beyond the usual ones."""
    return [
        (ask.figure.key, " ".join(sorted(ask.qualifiers - ask.figure.usual)))
        for ask in parse_question(text, SHEET.aliases, SHEET.day).asks
    ]


def subjects(text: str, aliases: Mapping[str, Mapping[str, str]]) -> list[Subject]:
    """Return the subjects that a question names."""
    return [each.subject for each in find_subjects(text, read_tokens(text), aliases)]


@pytest.mark.parametrize(("figure", "key", "answer"), EXAMPLES, ids=lambda each: str(each)[:40])
def test_each_question_that_is_offered_is_read_as_its_own(figure, key, answer) -> None:
    assert (figure.key, key) in asked(answer.ask)
    assert len(asked(answer.ask)) == 1
    assert any(answer.ask in questions for questions in offered_questions().values())


def _last(word: str | None, choices: list[str]) -> str:
    return word or choices[-1]


def test_each_phrase_of_the_vocabulary_is_read_as_its_own() -> None:
    """A phrase that a longer or an earlier one hides means nothing."""
    for meaning in meanings():
        places = [each for each in meaning.phrase.elements if each.kind in ("", "(", "(..")]
        choices = [sorted(each.words) for each in places if each.words and not each.is_optional]
        if len(choices) == sum(not each.is_optional for each in places):  # the others have patterns
            own = (meaning.kind, meaning.value)
            for words in zip_longest(*choices):
                text = " ".join(map(_last, words, choices))
                found = find_meanings(read_tokens(text)) if text != "last day" else [own]  # is 1d
                assert own in [each[:2] for each in found], (meaning.phrase.text, text)


def test_the_qualifiers_of_answers_are_those_of_the_vocabulary() -> None:
    known = {*load_words()["qualifiers"], "position", "sector", "factor", "scenario"}
    known |= {"99%", "limited", "rise", "month", "above"} | {
        f"{days}d" for days in (1, 5, 10, 21, 63)
    }
    assert set(load_words()["refusals"]) - {"market_causes"} <= set(get_args(MissingFact))
    for figure in figures().values():
        assert {word for key in figure.answers for word in key.split()} <= known, figure.key
        assert figure.usual <= known | {"95%", "90d", "past"}, figure.key


@pytest.mark.parametrize("phrase", ["UNKNOWN word", "a? b?", "^", "(than)"])
def test_a_phrase_that_is_wrong_is_refused(phrase: str) -> None:
    with pytest.raises(ValueError, match=r"unknown group|no word"):
        Phrase(phrase, {})


@pytest.mark.parametrize(
    ("phrase", "text", "end"),
    [
        ("a|b c?", "b c", 2), ("a|b c?", "b", 1), ("volatil* x", "volatility x", 2),
        ("## day", "10 day", 2), ("## day", "9 day", None), ("a .. z", "a b c d e z", 6),
        ("a .. z", "a b c d e f z", None), ("a .. z", "a b, z", None), ("a ...", "a b c. d", 3),
        ("a ....", "a b c. d", 5), ("^ a", "a", 1), ("a ^", "a?", 1), ("a ^", "a b", None),
        ("a !b", "a c", 1), ("a !b", "a b", None), ("a (b)", "a b", 1), ("a (b)", "a c b", None),
        ("a (..b)", "a c b", 1), ("a (..b)", "a c. b", None), ("a ...", "a b and what c", 2),
    ],
)  # fmt: skip
def test_the_notation_of_phrases(phrase: str, text: str, end: int | None) -> None:
    assert Phrase(phrase, {}).find(split_tokens(text), 0) == end


def test_the_forms_of_answers_exist() -> None:
    from fnmatch import filter as matching

    for figure in figures().values():
        for answer in figure.answers.values():
            for pattern in answer.forms:
                assert matching(catalog(), pattern), (figure.key, pattern)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("99% VaR", [("var", "99%")]),
        ("VaR at 95 percent", [("var", "")]),
        ("10-day 99% VaR", [("var", "10d 99%")]),
        ("two-week VaR", [("var", "10d")]),
        ("99% VaR and volatility", [("var", "99%"), ("volatility", "")]),
        ("beta and VaR on December 20", [("beta", "day"), ("var", "day")]),
        ("beta and Sharpe ratio over the past year", [("beta", "252d"), ("sharpe_ratio", "")]),
        ("volatility vs last month", [("volatility", "21d change")]),
        ("return last month", [("result", "month")]),
        ("return over the last month", [("result", "21d")]),
        ("did the volatility rise since yesterday", [("volatility", "change")]),
        ("will volatility rise", [("volatility", "forecast rise")]),
        ("volatility forecast for next week", [("volatility", "5d forecast")]),
        ("how much did I make this year", [("result", "ytd")]),
        ("return in 2022", [("result", "ytd")]),
        ("return in 2021", [("result", "period")]),
        ("beta of AMD", [("beta", "position")]),
        ("correlation between AMD and AAPL", [("correlation", "position")]),
        ("beta of SPY", [("beta", "of-market")]),
        ("beta of each position", [("beta", "each")]),
        ("cash in euros", [("cash", "EUR")]),
        ("how many positions lost", [("breadth", "")]),
        ("is the Sharpe ratio better than the market", [("sharpe_ratio", "market")]),
        ("VaR at 95% and 99%", [("var", ""), ("var", "99%")]),
        ("10-day and 1-day VaR", [("var", "10d"), ("var", "")]),
        ("1-day 99% and 10-day 95% VaR", [("var", "99%"), ("var", "10d")]),
        ("VaR over the past ten days", [("var", "10d past")]),
        ("What changed and what is the beta?", [("changes", ""), ("beta", "")]),
        ("What is the VaR and is it good?", [("var", ""), ("var", "record")]),
        ("What did AMD lose and what is its beta?", [("result", "position"), ("beta", "position")]),
        ("beta of the largest position", [("beta", "position")]),
        ("beta volatility", [("volatility", "combined")]),
        ("P&L today since entry", [("result", "entry")]),
        ("am I alright", []),
        ("VaR of the moon", []),
    ],
)
def test_a_question_is_read_as_figures_with_qualifiers(text: str, expected: object) -> None:
    assert asked(text) == expected


@pytest.mark.parametrize(
    ("text", "qualifiers"),
    [
        ("on 2022-12-28", ["1d"]),
        ("on 2022-12-27", ["day"]),
        ("28 december", ["1d"]),
        ("december 27th", ["day"]),
        ("12/27/2022", ["day"]),
        ("27.12.2022", ["day"]),
        ("on february 30", ["period"]),
        ("since 2022-09-30", ["period"]),
        ("since march", ["period"]),
        ("by december 30", ["future"]),
        ("yesterday", ["day"]),
        ("over 252 sessions", ["252d"]),
        ("3 months", ["63d"]),
        ("twelve months", ["252d"]),
        ("next week", ["5d", "future"]),
        ("over the past days", ["period"]),
        ("over the past twenty-one sessions", ["21d", "past"]),
        ("over 1.5 years", ["period"]),
        ("over 0 weeks", ["period"]),
        ("over 10 weeks", ["50d"]),
        ("last friday", ["day"]),
        ("on wednesday", ["1d"]),
        ("since friday", ["day"]),
        ("a week ago", ["day"]),
        ("since last month", ["21d", "since"]),
        ("vs last week", ["5d", "change"]),
        ("in december", ["mtd"]),
        ("in december 2021", ["month"]),
        ("in q3", ["period"]),
        ("in 2022", ["ytd"]),
        ("day by day", []),
        ("any alerts", []),
    ],
)
def test_times_of_a_question(text: str, qualifiers: list[str]) -> None:
    tokens = read_tokens(text)
    words = [each.word for each in tokens]
    found = [
        qualifier
        for each in find_meanings(tokens)
        if each.kind in load_words()["times"]
        for qualifier in read_time(
            each.kind,
            words[each.start : each.end],
            Calendar(date(2022, 12, 28), date(2022, 12, 28), is_about_future(words)),
        )[0]
    ]
    assert found == qualifiers


@pytest.mark.parametrize(
    ("text", "session", "named"),
    [
        ("beta on December 20", date(2023, 1, 10), date(2022, 12, 20)),
        ("beta on January 10", date(2023, 1, 10), None),
        ("beta on January 11", date(2023, 1, 10), date(2022, 1, 11)),
        ("beta on February 29", date(2023, 1, 10), date(2020, 2, 29)),
        ("beta on February 30", date(2023, 1, 10), None),
        ("beta on 20.12.", date(2023, 1, 10), date(2022, 12, 20)),
        ("volatility by January 20", date(2023, 1, 10), None),
        ("what volatility do you expect on January 20", date(2023, 1, 10), None),
        ("will volatility rise on December 20", date(2023, 1, 10), None),
    ],
)
def test_a_day_without_a_year_is_the_latest_that_is_past(text, session, named) -> None:
    assert find_named_session(text, session) == named


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("beta yesterday", date(2022, 12, 27)),
        ("beta on the day before yesterday", date(2022, 12, 23)),  # the 26th is a holiday
        ("beta one session ago", date(2022, 12, 27)),
        ("beta two days ago", date(2022, 12, 23)),
        ("beta a week ago", date(2022, 12, 21)),
        ("beta a month ago", date(2022, 11, 28)),
        ("beta 10 months ago", date(2022, 2, 28)),
        ("beta a year ago", date(2021, 12, 28)),
        ("beta last Wednesday", date(2022, 12, 21)),
        ("beta on Wednesday", None),
        ("beta the other day", None),
        ("beta 9999 years ago", None),
        ("volatility vs a month ago", None),
    ],
)
def test_days_before_the_session_are_counted_from_it(text: str, named: date | None) -> None:
    assert find_named_session(text, date(2022, 12, 28)) == named


def test_the_day_before_is_that_of_the_session_asked_from() -> None:
    """The facts are those of the session that was chosen: it is not counted back again."""
    today, claims = date(2022, 12, 29), claims_of(SHEET)
    assert find_named_session("beta yesterday", today) == SHEET.day == date(2022, 12, 28)
    plan = answer_by_rules("beta yesterday", claims, SHEET.aliases, (), SHEET.day, today)
    assert (plan.statements(), plan.missing) == (("beta_level",), [])
    plan = answer_by_rules("beta yesterday", claims, SHEET.aliases, (), SHEET.day)
    assert (plan.statements(), plan.missing) == ((), ["other_sessions"])


def test_the_headline_that_is_asked_for_is_that_of_the_leading_note() -> None:
    for seed in range(40):
        sheet = random_sheet(Random(seed))
        note = plan_by_rules(claims_of(sheet, insight_type="daily_summary"), "daily_summary")
        plan = answer_by_rules("What is the headline?", claims_of(sheet), sheet.aliases)
        if note is not None and plan.statements():
            assert plan.headline == note.headline


def test_the_day_of_a_question_chooses_another_session_only() -> None:
    session = date(2022, 12, 28)
    assert find_named_session("VaR on 2022-12-20?", session) == date(2022, 12, 20)
    assert find_named_session("VaR on 2022-12-28?", session) is None
    assert find_named_session("VaR on December 28?", session) is None
    assert find_named_session("VaR over 20 days?", session) is None
    assert find_named_session("VaR on December 20 and today?", session) is None
    assert find_named_session("Return between 2022-12-01 and 2022-12-20?", session) is None


@pytest.mark.parametrize(
    "text", ["Who is the CEO?", "What is the weather?", "Is it going to rain?", "Separate it", ""]
)
def test_other_questions_are_refused(text: str) -> None:
    plan = answer_by_rules(text, CLAIMS)
    assert (plan.headline, plan.statements(), plan.missing) == ("", (), ["no_rule"])


def test_an_answer_has_the_claims_of_its_forms_however_old_they_are() -> None:
    plan = answer_by_rules("What drives the risk?", CLAIMS)
    expected = ("position_dominates", "largest_weight", "volatility_level", "beta_level")
    assert plan.statements() == expected
    assert plan.missing == []
    assert answer_by_rules("What changed?", CLAIMS).statements() == ("session_loss",)
    alarms = answer_by_rules("What should I look at?", CLAIMS)
    assert alarms.statements() == ("position_dominates",)
    assert alarms.recommendations == ["look_at_position"]


def test_a_fall_of_the_market_is_that_of_the_scenario_in_which_nothing_else_moves() -> None:
    form, slots = catalog()["scenario_market_loss"], {"move": Slot("percent", -0.2)}
    claims = {
        alias: Claim(alias, form, Instance(slots, (), loss, alias), True, loss)
        for alias, loss in (("SCN_01", 0.4), ("SCN_02", 0.3))
    }
    aliases = {
        "SCN_01": {"scenario": "market -20%, rate index -10%", "moves": "several"},
        "SCN_02": {"scenario": "market -20%"},
    }
    text = "What if the market falls 20%?"
    assert answer_by_rules(text, claims, aliases).statements() == ("SCN_02",)
    only = {"SCN_01": claims["SCN_01"]}
    assert answer_by_rules(text, only, aliases).statements() == ("SCN_01",)


def test_alerts_that_are_new_are_those_alone() -> None:
    old, new = CLAIMS["position_dominates"], claim("volatility_high", level="warning")
    text = "Which alerts are new today?"
    assert answer_by_rules(text, {old.id: old, new.id: new}).statements() == (new.id,)
    assert answer_by_rules(text, {old.id: old}).missing == ["no_new_alert"]


def test_without_a_claim_of_its_forms_an_answer_says_what_is_missing() -> None:
    plan = answer_by_rules("How well is it hedged?", CLAIMS)
    assert (plan.headline, plan.paragraphs, plan.missing) == ("", [], ["undefined_figures"])
    assert realize_missing(plan.missing) == (
        "The stored facts do not contain a defined figure that answers the question."
    )


@pytest.mark.parametrize(("figure", "key", "answer"), EXAMPLES, ids=lambda each: str(each)[:40])
def test_without_claims_each_question_states_what_there_is_not(figure, key, answer) -> None:
    plan = answer_by_rules(answer.ask, {})
    assert plan.missing == [answer.otherwise]
    assert plan.nearest == []
    is_alarm = answer.otherwise in (
        *("no_limit", "no_limits_set", "no_change", "no_new_alert", "no_gap"),
        *("no_ended_alert", "no_new_breach"),
    )
    assert realize_missing(plan.missing).startswith("No") == is_alarm


def test_limits_that_are_set_and_undefined_are_not_said_to_be_unset() -> None:
    own = {"LIM_01": {"limit": "beta"}}
    assert answer_by_rules("limits breached?", {}, own).missing == ["undefined_figures"]
    assert answer_by_rules("limits breached?", {}, {}).missing == ["no_limits_set"]


def test_a_plan_without_claims_keeps_what_is_missing_and_no_headline() -> None:
    wrong = Plan(
        headline="headline_loss", paragraphs=[[Step(claim="?")]], missing=["costs"] * 2,
        nearest=["How volatile is it?"], unread=["x"],
    )  # fmt: skip
    assert prune(wrong, CLAIMS) == Plan(
        headline="", paragraphs=[], missing=["costs"], nearest=["How volatile is it?"],
        unread=["x"],
    )  # fmt: skip


def test_the_schema_names_what_may_be_missing_and_is_the_same_for_all() -> None:
    assert set(get_args(MissingFact)) == MISSING_FACTS.keys() | RULE_ANSWERS.keys()
    of_question, of_note = plan_schema(is_question=True), plan_schema(is_question=False)
    assert set(of_question["properties"]["missing"]["items"]["enum"]) == MISSING_FACTS.keys()
    assert not {"nearest", "unread"} & of_question["properties"].keys()
    assert "missing" not in of_note["properties"]
    assert of_note["properties"]["headline"] == {"$ref": "#/$defs/Number"}
    numbers = of_note["$defs"]["Number"]["enum"]
    assert (numbers[0], numbers[-1], len(numbers)) == ("C01", "C99", MAX_CLAIMS)


def test_numbers_become_ids_and_unknown_ones_nothing() -> None:
    stated = Plan(
        headline="C02", paragraphs=[[Step(claim="C01"), Step(claim="C03")]], findings=["x"]
    )
    expected = Plan(headline="b", paragraphs=[[Step(claim="a"), Step(claim="")]], findings=[""])
    assert with_ids(stated, ["a", "b"]) == expected


@pytest.mark.parametrize(
    ("text", "portfolios", "expected"),
    [
        ("Value at risk?", ("Core", "Value"), ("Value at risk?", False)),
        ("What is the risk of Value?", ("Core", "Value"), ("What is the risk of Value?", True)),
        ("What is the risk?", ("is", "Core"), ("What is the risk?", False)),
        ("How risky is Core?", ("Core", "Value"), ("How risky is it?", False)),
        ("riskier than core equity?", ("A", "Core Equity"), ("riskier than core equity?", True)),
        ("a growth factor", ("Core", "Growth"), ("a growth factor", False)),
    ],
)
def test_a_portfolio_named_by_a_common_word_changes_no_question(text, portfolios, expected) -> None:
    assert without_portfolios(text, portfolios) == expected


@pytest.mark.parametrize(
    ("symbol", "text"),
    [
        ("BETA", "What is the beta?"),
        ("PEAK", "How far below its peak is it?"),
        ("NET", "What is the net exposure?"),
        ("DAY", "How was the day?"),
        ("TECH", "Which factors is it tilted to?"),
        ("SIZE", "What is the size of it?"),
    ],
)
def test_a_position_named_by_a_word_of_questions_counts_in_capitals_only(symbol, text) -> None:
    held = {"POS_01": {"symbol": symbol, "name": "Holdings"}}
    assert subjects(text, held) == []
    assert subjects(f"What about {symbol}?", held) == [Subject("POS_01", "position")]


@pytest.mark.parametrize(
    ("text", "is_factor"),
    [
        ("What is my portfolio value?", False),
        ("How large is the value factor?", True),
        ("How large is the exposure to value?", True),
        ("Is it tilted to value?", True),
    ],
)
def test_a_factor_named_by_a_common_word_counts_next_to_factor_or_tilt(text, is_factor) -> None:
    expected = [Subject("FAC_01", "factor")] if is_factor else []
    assert subjects(text, {"FAC_01": {"factor": "value"}}) == expected


@pytest.mark.parametrize(("symbol", "other"), [("META", "Meta Materials"), ("GOLD", "Gold Fields")])
def test_a_symbol_means_its_position_next_to_a_company_that_begins_with_it(symbol, other) -> None:
    held = {"POS_01": {"symbol": symbol}, "POS_02": {"symbol": "OTHER", "name": other}}
    for aliases in (held, dict(reversed(held.items()))):
        assert subjects(f"What about {symbol}?", aliases) == [Subject("POS_01", "position")]
        assert subjects(f"What about {other}?", aliases)[0] == Subject("POS_02", "position")


def test_a_company_named_by_a_common_word_is_not_found_in_a_question() -> None:
    held = {"POS_01": {"symbol": "TGT", "name": "Target Corporation"}}
    assert subjects("what target weight?", held) == []
    assert subjects("what about tgt?", held) == [Subject("POS_01", "position")]


@pytest.mark.parametrize("text", ["TSLA's beta", "TSLA’s beta", "beta of $tsla", "TSLA or AMD?"])
def test_a_symbol_that_is_not_held_is_found_in_any_form(text: str) -> None:
    assert Subject("", "position") in subjects(text, SHEET.aliases)


@pytest.mark.parametrize("word", ["COVID", "IRA", "GFC", "ROE", "VAR", "YTD", "CEO"])
def test_capitals_that_are_no_symbols_are_not_taken_for_instruments(word: str) -> None:
    assert subjects(f"What about {word}?", SHEET.aliases) == []


def test_typing_errors_are_corrected_in_known_words_only() -> None:
    words = [each.word for each in read_tokens("How volatle is the portfollio of Nvidia?")]
    assert words == ["how", "volatile", "is", "the", "portfolio", "of", "nvidia", "?"]
    assert [correct_typing(each) for each in ("drawdwon", "scenaro", "river", "volitility")] == [
        "drawdown", "scenario", "river", "volatility"
    ]  # fmt: skip


@pytest.mark.parametrize(
    "word",
    ["marginal", "futures", "captured", "momentum", "weighted", "shortest", "without", "annuity"],
)
def test_a_word_like_a_known_one_is_left_as_it_is(word: str) -> None:
    assert correct_typing(word) == word


def test_all_claims_of_the_sheet_can_be_asked_for_without_an_error() -> None:
    """Random words of questions in any order: an answer or a refusal, never an exception."""
    random, claims = Random(5), claims_of(SHEET)
    words = [
        word
        for examples in offered_questions().values()
        for each in examples
        for word in each[:-1].split()
    ]
    more = [
        *("99%", "10d", "AMD", "apple", "and", "since", "2022-12-20", "?", "why", "-3.5", "$", "£"),
        *("1,000%", "1.2.3.4", "1,2.3.4%", "20.1.2022", "0", "1.5", "²", "#", "above", "over"),
        *("days", "weeks", "market", "falls", "12/20/2022", "20.12.", "ago", "last", "Friday"),
    ]
    for _ in range(600):
        text = " ".join(random.choices([*words, *more], k=random.randint(1, 9)))
        plan = answer_by_rules(text, claims, SHEET.aliases, ("Growth", "Core"), SHEET.day)
        assert bool(plan.statements()) or plan.missing, text


def test_a_question_that_is_not_understood_is_offered_three_that_share_its_words() -> None:
    plan = answer_by_rules("How scary is the drawdown of sectors?", claims_of(SHEET))
    assert plan.missing == ["no_rule"]
    assert len(set(plan.nearest)) == 3
    assert all("drawdown" in each or "sector" in each for each in plan.nearest)


@pytest.mark.parametrize("seed", range(4))
def test_every_question_that_is_offered_is_answered(seed: int) -> None:
    """Whatever the facts are: neither a refusal nor a missing part follows an offer."""
    sheet = random_sheet(Random(seed))
    claims = claims_of(sheet)
    asked_for = ("How scary is it?", *_REFUSED)
    for text in asked_for:
        for offer in answer_by_rules(text, claims, sheet.aliases, (), sheet.day).nearest:
            plan = answer_by_rules(offer, claims, sheet.aliases, (), sheet.day)
            assert plan.statements(), (text, offer)
            assert set(plan.missing) <= {"shortened"}, (text, offer)


_REFUSED = [
    f"{answer.ask.rstrip('?')} {words}?"
    for _, key, answer in EXAMPLES
    for words in ("since March", "of each position", "on average", "over two weeks", "for AMD")
    if key == ""
]  # fmt: skip
"""Questions like those that are offered, most of which are refused."""

"""What passes the verifier and what does not, rule by rule; many sentences by rule are in test_red_team."""

from dataclasses import replace
from random import Random

import pytest

from riskmetrics.insights import lexicon, rules, verify
from riskmetrics.insights.draft_schemas import Draft, Finding
from riskmetrics.insights.fact_sheet import Fact, Sheet
from riskmetrics.insights.fact_types import FACT_TYPES, TYPES_BY_LABEL, format_value
from tests.insights.fact_sheets import DAY, sheet

FORBIDDEN = """
    one two three half twice double all every each most many few several some any none no not never nobody nothing only about nearly almost
    roughly over under up down high low large small strong weak very much good bad because due since yesterday today tomorrow last next past
    recently soon buy sell trim add cut short long it its they this that which dollars percent will may might could should must
"""


def changed(facts: Sheet, **values: float) -> Sheet:
    """Return the sheet with other values."""
    found = dict(facts.facts)
    for name, value in values.items():
        found[name] = replace(
            found[name],
            value=value,
            formatted=format_value(value, found[name].fact_type.unit, "USD"),
        )
    return Sheet(facts.portfolio_id, DAY, found, facts.aliases)


@pytest.fixture
def facts() -> Sheet:
    """A sheet on which the beta is 1.25 and rose, and a position of 12 % passes a threshold of 10 %."""
    of = {
        "beta": 1.25,
        "beta_threshold": 1.2,
        "beta_change": 0.04,
        "pos_01_weight": 0.12,
        "weight_threshold": 0.1,
        "daily_pnl": -839.3,
    }
    found = changed(sheet(Random(7)), **of)
    weights = {
        f"pos_0{n}_weight": replace(found.facts[f"pos_0{n}_weight"], rank=n) for n in range(1, 6)
    }
    return Sheet("p", DAY, found.facts | weights, found.aliases)


@pytest.mark.parametrize(
    "text",
    [
        "The beta is {{beta}}.",
        "The beta of {{beta}} is above the beta threshold of {{beta_threshold}}.",
        "The beta rose by {{beta_change.size}} to {{beta}} since the session before.",
        "POS_01 is the largest position, with a weight of {{pos_01_weight}}.",
        (
            "The weight of POS_01, {{pos_01_weight}}, is not below the single-name threshold of"
            " {{weight_threshold}}."
        ),
        "The portfolio lost {{daily_pnl.size}} in the session.",
        "The low end is {{expected_low}}, and the high end is {{expected_high}}.",
        "Review whether POS_01 fits the plan.",
        "On 2022-12-28 the HHI is {{hhi}}, with effective positions of {{effective_positions}}.",
        "The value at risk at 95% is {{var_95}}.",
    ],
)
def test_a_sentence_that_states_its_facts_passes(facts: Sheet, text: str) -> None:
    assert verify.text_violations(text, facts) == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("The beta is 1.25.", "not in the vocabulary"),
        ("The beta is one.", "not in the vocabulary"),
        ("The beta soared to {{beta}}.", "'soared' is not in the vocabulary"),
        ("The beta is {{beta}}, as Tesla reported.", "'Tesla' is not in the vocabulary"),
        ("Buy POS_01.", "'Buy' is not in the vocabulary"),
        ("Sell POS_01 before the weight rises.", "'Sell' is not in the vocabulary"),
        ("The beta is {{gamma}}.", "there is no fact gamma"),
        ("The beta is {{hhi}}.", "does not stand with one of its names"),
        (
            "The volatility over 63 sessions is {{volatility_21d}}.",
            "does not stand with one of its names",
        ),
        ("The beta is -{{beta}}.", "is no word"),
        ("The beta is {{beta}}%.", "is no word"),
        ("The beta is 0{{beta}}.", "must stand free"),
        ("The beta is {{beta}}{{hhi}}.", "must stand free"),
        (
            "The beta of {{beta}} is below the beta threshold of {{beta_threshold}}.",
            "beta is not below beta_threshold",
        ),
        ("The beta of {{beta}} is above the HHI of {{hhi}}.", "can be compared"),
        ("The beta of {{beta}} is above the beta of {{beta}}.", "can be compared"),
        (
            "The beta of {{beta}} is at least {{beta_threshold}}.",
            "does not stand with one of its names",
        ),
        ("The beta fell by {{beta_change.size}}.", "beta is not fell"),
        ("The beta rose by {{beta}}.", "of a move say"),
        ("The beta rose from {{beta}}.", "of a move say"),
        ("The HHI rose, and the beta fell.", "is not"),
        ("The rate beta rose.", "needs the fact of a change"),
        ("The change in beta is {{beta_change.size}}.", "needs a word that tells its direction"),
        (
            "The portfolio gained {{daily_pnl.size}} in the session.",
            "is wrong: daily_pnl is −839.30 USD",
        ),
        ("The portfolio lost {{daily_pnl}} in the session.", "after 'lost' write"),
        (
            "POS_02 is the largest position, with a weight of {{pos_02_weight}}.",
            "not known to be it",
        ),
        ("POS_02 has a weight of {{pos_01_weight}}.", "is of POS_01"),
        (
            "POS_01 and POS_02 have a weight of {{pos_02_weight}}.",
            "'POS_01' stands without its figure",
        ),
        ("The weight of POS_01 is equal to the weight of POS_02.", "can be compared"),
        ("POS_09 has a weight of {{pos_01_weight}}.", "there is no POS_09"),
        ("POS_01 is SEC_01.", "things of two kinds"),
        ("POS_01 has a beta of {{beta}}.", "is of the portfolio"),
        ("The beta of {{beta}} is the HHI of {{hhi}}.", "said to be one"),
        ("The beta is the HHI.", "stands without its figure"),
        ("Check whether the beta is the HHI.", "advice states nothing"),
        ("On 2022-12-27 the beta is {{beta}}.", "is not the session"),
        ("The beta is {{beta}} since the session before.", "needs a move"),
        (
            (
                "The expected volatility exceeds the volatility over 21 sessions by"
                " {{volatility_21d}}."
            ),
            "needs the figure of a move",
        ),
        ("All positions have a beta of {{beta}}.", "'All' is not in the vocabulary"),
    ],
)
def test_a_sentence_that_says_more_or_other_is_refused_with_the_reason(
    facts: Sheet, text: str, complaint: str
) -> None:
    assert complaint in "; ".join(verify.text_violations(text, facts))


def draft(**parts: object) -> Draft:
    """Return a draft that passes, but for the parts given."""
    found = [Finding(text="The beta is {{beta}}.", facts=["beta"])]
    whole = {
        "title": "Factor exposure",
        "summary": "The beta is {{beta}}.",
        "analysis": "",
        "findings": found,
    }
    return Draft(**(whole | {"recommendations": [], "limitations": ""} | parts))


@pytest.mark.parametrize(
    ("parts", "complaint"),
    [
        ({}, ""),
        ({"title": ""}, "title: it is empty"),
        ({"summary": "The beta is {{beta}}. " * 60}, "summary: 1320 characters, 1200 are the most"),
        ({"summary": "With the portfolio in the figures."}, "summary: it states no figure"),
        ({"findings": []}, "findings: there is none"),
        ({"findings": [Finding(text="The beta is {{beta}}.", facts=[])]}, "it cites no fact"),
        (
            {"findings": [Finding(text="The beta is {{beta}}.", facts=["hhi"])]},
            "it states beta and does not cite it",
        ),
        (
            {"findings": [Finding(text="Watch the beta.", facts=["gamma"])]},
            "there is no fact gamma",
        ),
        (
            {"findings": [Finding(text="The beta is {{beta}}.", facts=["beta", "hhi"])]},
            "it cites hhi and does not state it",
        ),
        (
            {"findings": [Finding(text="The beta is {{beta}}.", facts=["beta", "beta_threshold"])]},
            "cites beta_threshold and does not state it",
        ),
        (
            {
                "findings": [
                    Finding(
                        text="The beta is above the beta threshold.",
                        facts=["beta", "beta_threshold"],
                    )
                ]
            },
            "",
        ),
        (
            {
                "recommendations": [
                    Finding(text="Watch the beta.", facts=["beta", "beta_threshold"])
                ]
            },
            "",
        ),
        (
            {"recommendations": [Finding(text="Watch the beta.", facts=["beta", "hhi"])]},
            "it cites hhi and does not state it",
        ),
        (
            {"recommendations": [Finding(text="Watch the beta.", facts=["drawdown_threshold"])]},
            "drawdown_threshold and does not state it",
        ),
        ({"analysis": "Here the portfolio is closely shown."}, "analysis: it states no fact"),
        ({"limitations": "What the facts do not tell is not answered here."}, ""),
        (
            {"findings": [Finding(text="The beta is {{beta}}.", facts=["beta"])] * 9},
            "findings: 9, 8 are the most",
        ),
        ({"limitations": "The data are old."}, "limitations: 'old' is not in the vocabulary"),
    ],
)
def test_a_draft_has_its_form(facts: Sheet, parts: dict[str, object], complaint: str) -> None:
    found = verify.find_violations(draft(**parts), facts)
    assert complaint in "; ".join(found)
    assert bool(found) == bool(complaint)


def test_a_name_tells_of_one_kind_of_thing_which_figure_may_stand_beside_it() -> None:
    """Invariant of the catalogue: no two kinds of the same things share a name."""
    assert all(len(kinds) == 1 for kinds in TYPES_BY_LABEL.values())
    assert {kind.name for kind in FACT_TYPES.values()} == set().union(*TYPES_BY_LABEL.values())


def phrases() -> list[str]:
    """All that prose may say beside the names of facts."""
    return [
        phrase
        for words in lexicon.vocabulary().values()
        for each in words
        for phrase in each.phrases
    ]


def test_the_vocabulary_has_no_word_of_quantity_quantifier_negation_degree_or_trade() -> None:
    """A list by hand; a word of it would pass unseen in any sentence."""
    assert {*phrases()}.isdisjoint(FORBIDDEN.split())


def test_words_of_the_file_are_text() -> None:
    """YAML reads on and no as booleans."""
    assert all(isinstance(word, str) for word in phrases())


def test_a_fact_survives_its_record(facts: Sheet) -> None:
    assert [Fact.from_record(fact.record) for fact in facts.facts.values()] == list(
        facts.facts.values()
    )


@pytest.mark.parametrize(
    ("result", "words", "passes"),
    [
        (-0.233, "within", True),
        (-0.233, "at or beyond", False),
        (-0.3, "at or beyond", True),  # exactly on it: reached
        (-0.3, "within", False),
        (-0.35, "at or beyond", True),
        (-0.35, "within", False),
        (0.1, "within", True),  # a gain
        # "above a threshold" is a breach to every reader, and smaller is worse here
        (-0.233, "above", False),
        (-0.35, "below", False),
        (-0.35, "at or below", False),
        (-0.233, "at or above", False),
        (-0.233, "more than", False),
    ],
)
def test_a_stress_result_is_within_its_threshold_or_at_or_beyond_it(
    facts: Sheet, result: float, words: str, passes: bool
) -> None:
    sheet = changed(facts, scn_01_result=result, result_threshold=-0.3)
    text = (
        f"The stress result of SCN_01 is {{{{scn_01_result}}}}, {words} the stress threshold of"
        " {{result_threshold}}."
    )
    assert (verify.text_violations(text, sheet) == []) == passes


@pytest.mark.parametrize(
    ("beta", "words"), [(1.19, "within"), (1.2, "at or beyond"), (1.3, "at or beyond")]
)
def test_within_and_beyond_are_said_of_other_thresholds_too(
    facts: Sheet, beta: float, words: str
) -> None:
    sheet = changed(facts, beta=beta, beta_threshold=1.2)
    for word in ("within", "at or beyond"):
        text = f"The beta of {{{{beta}}}} is {word} the beta threshold of {{{{beta_threshold}}}}."
        assert (verify.text_violations(text, sheet) == []) == (word == words)


def test_within_is_said_of_nothing_but_a_threshold(facts: Sheet) -> None:
    sheet = changed(facts, beta=1.1, own_beta=1.2, beta_threshold=1.3)
    for text in (
        "The beta of {{beta}} is within the beta of own returns of {{own_beta}}.",
        "The beta threshold of {{beta_threshold}} is within the beta of {{beta}}.",
    ):
        assert "is not how" in "; ".join(verify.text_violations(text, sheet))


@pytest.mark.parametrize(
    ("result", "finding"),
    [
        (
            -0.233,
            (
                "The stress result of SCN_01 is {{scn_01_result}}, within the stress threshold of"
                " {{result_threshold}}."
            ),
        ),
        (
            -0.3,
            (
                "The stress result of SCN_01 is {{scn_01_result}}, at or beyond the stress"
                " threshold of {{result_threshold}}."
            ),
        ),
    ],
)
def test_the_rules_call_a_respected_limit_within_it(
    facts: Sheet, result: float, finding: str
) -> None:
    sheet = changed(facts, scn_01_result=result, result_threshold=-0.3)
    written = rules.write_draft("stress_test_review", sheet)
    assert finding in [of.text for of in written.findings]
    assert verify.find_violations(written, sheet) == []

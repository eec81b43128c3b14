"""Verifier: passing and rejected sentences per rule; test_red_team has generated sentences."""

from dataclasses import replace
from random import Random

import pytest

from riskmetrics.insights import lexicon, rules, verify
from riskmetrics.insights.draft_schemas import Draft, Finding
from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.insights.fact_types import FACT_TYPES, TYPES_BY_LABEL, format_value
from riskmetrics.insights.facts import Fact
from tests.insights.fact_sheets import DAY, sheet

FORBIDDEN = """
    one two three half twice double all every each most many few several some any none no not never
    nobody nothing only about nearly almost roughly over under up down high low large small strong
    weak very much good bad because due since yesterday today tomorrow last next past recently soon
    buy sell trim add cut short long it its they this that which dollars percent will may might
    could should must
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
    """A sheet with a beta of 1.25 that rose, and a position of 12 % above a threshold of 10 %."""
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
        ("The beta is {{gamma}}.", "unknown fact gamma"),
        ("The beta is {{hhi}}.", "is not next to one of its names"),
        (
            "The volatility over 63 sessions is {{volatility_21d}}.",
            "is not next to one of its names",
        ),
        ("The beta is -{{beta}}.", "is not a word"),
        ("The beta is {{beta}}%.", "is not a word"),
        ("The beta is 0{{beta}}.", "must be separated by spaces"),
        ("The beta is {{beta}}{{hhi}}.", "must be separated by spaces"),
        (
            "The beta of {{beta}} is below the beta threshold of {{beta_threshold}}.",
            "beta is not below beta_threshold",
        ),
        ("The beta of {{beta}} is above the HHI of {{hhi}}.", "can be compared"),
        ("The beta of {{beta}} is above the beta of {{beta}}.", "can be compared"),
        (
            "The beta of {{beta}} is at least {{beta_threshold}}.",
            "is not next to one of its names",
        ),
        ("The beta fell by {{beta_change.size}}.", "'fell' is wrong: beta_change is +0.04"),
        ("The beta rose by {{beta}}.", "state a change as"),
        ("The beta rose from {{beta}}.", "state a change as"),
        ("The HHI rose, and the beta fell.", "is wrong"),
        ("The rate beta rose.", "needs a fact with a change"),
        ("The change in beta is {{beta_change.size}}.", "needs a word for its direction"),
        (
            "The portfolio gained {{daily_pnl.size}} in the session.",
            "is wrong: daily_pnl is −839.30 USD",
        ),
        ("The portfolio lost {{daily_pnl}} in the session.", "after 'lost' write"),
        (
            "POS_02 is the largest position, with a weight of {{pos_02_weight}}.",
            "needs a fact with rank 1",
        ),
        ("POS_02 has a weight of {{pos_01_weight}}.", "is about POS_01"),
        (
            "POS_01 and POS_02 have a weight of {{pos_02_weight}}.",
            "'POS_01' has no figure",
        ),
        ("The weight of POS_01 is equal to the weight of POS_02.", "can be compared"),
        ("POS_09 has a weight of {{pos_01_weight}}.", "unknown alias POS_09"),
        ("POS_01 is SEC_01.", "mixes two kinds of aliases"),
        ("POS_01 has a beta of {{beta}}.", "is about the portfolio"),
        ("The beta of {{beta}} is the HHI of {{hhi}}.", "two figures are equated"),
        ("The beta is the HHI.", "has no figure"),
        ("Check whether the beta is the HHI.", "advice must not make a statement"),
        ("On 2022-12-27 the beta is {{beta}}.", "is not the session"),
        ("The beta is {{beta}} since the session before.", "needs a change"),
        (
            (
                "The expected volatility exceeds the volatility over 21 sessions by"
                " {{volatility_21d}}."
            ),
            "needs the figure of a change",
        ),
        ("All positions have a beta of {{beta}}.", "'All' is not in the vocabulary"),
    ],
)
def test_a_sentence_that_deviates_from_the_facts_is_rejected_with_the_reason(
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
        ({"title": ""}, "title: must not be empty"),
        ({"summary": "The beta is {{beta}}. " * 60}, "1320 characters exceed the limit of 1200"),
        ({"summary": "With the portfolio in the figures."}, "summary: must state a figure"),
        ({"findings": []}, "findings: at least one is required"),
        ({"findings": [Finding(text="The beta is {{beta}}.", facts=[])]}, "cites no fact"),
        (
            {"findings": [Finding(text="The beta is {{beta}}.", facts=["hhi"])]},
            "states beta without citing it",
        ),
        (
            {"findings": [Finding(text="Watch the beta.", facts=["gamma"])]},
            "unknown fact gamma",
        ),
        (
            {"findings": [Finding(text="The beta is {{beta}}.", facts=["beta", "hhi"])]},
            "cites hhi without stating it",
        ),
        (
            {"findings": [Finding(text="The beta is {{beta}}.", facts=["beta", "beta_threshold"])]},
            "cites beta_threshold without stating it",
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
            "cites hhi without stating it",
        ),
        (
            {"recommendations": [Finding(text="Watch the beta.", facts=["drawdown_threshold"])]},
            "cites drawdown_threshold without stating it",
        ),
        ({"analysis": "Here the portfolio is closely shown."}, "analysis: states no fact"),
        ({"limitations": "What the facts do not tell is not answered here."}, ""),
        (
            {"findings": [Finding(text="The beta is {{beta}}.", facts=["beta"])] * 9},
            "findings: 9 items exceed the limit of 8",
        ),
        ({"limitations": "The data are old."}, "limitations: 'old' is not in the vocabulary"),
    ],
)
def test_a_draft_has_its_form(facts: Sheet, parts: dict[str, object], complaint: str) -> None:
    found = verify.find_violations(draft(**parts), facts)
    assert complaint in "; ".join(found)
    assert bool(found) == bool(complaint)


def test_a_name_identifies_one_fact_type() -> None:
    """Invariant of the catalog: no two types of the same entity share a name."""
    assert all(len(kinds) == 1 for kinds in TYPES_BY_LABEL.values())
    assert {kind.name for kind in FACT_TYPES.values()} == set().union(*TYPES_BY_LABEL.values())


def phrases() -> list[str]:
    """Return all phrases of the vocabulary, other than names of facts."""
    return [
        phrase
        for words in lexicon.vocabulary().values()
        for each in words
        for phrase in each.phrases
    ]


def test_the_vocabulary_has_no_word_of_quantity_quantifier_negation_degree_or_trade() -> None:
    """A hand-written list; the verifier would accept such a word in any sentence."""
    assert {*phrases()}.isdisjoint(FORBIDDEN.split())


def test_words_of_the_lexicon_are_strings() -> None:
    """Unquoted, YAML reads on and no as booleans."""
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
def test_within_and_beyond_apply_to_other_thresholds_too(
    facts: Sheet, beta: float, words: str
) -> None:
    sheet = changed(facts, beta=beta, beta_threshold=1.2)
    for word in ("within", "at or beyond"):
        text = f"The beta of {{{{beta}}}} is {word} the beta threshold of {{{{beta_threshold}}}}."
        assert (verify.text_violations(text, sheet) == []) == (word == words)


def test_within_applies_only_to_a_threshold(facts: Sheet) -> None:
    sheet = changed(facts, beta=1.1, own_beta=1.2, beta_threshold=1.3)
    for text in (
        "The beta of {{beta}} is within the beta of own returns of {{own_beta}}.",
        "The beta threshold of {{beta_threshold}} is within the beta of {{beta}}.",
    ):
        assert "cannot compare" in "; ".join(verify.text_violations(text, sheet))


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
def test_the_rules_write_within_for_a_respected_limit(
    facts: Sheet, result: float, finding: str
) -> None:
    sheet = changed(facts, scn_01_result=result, result_threshold=-0.3)
    written = rules.write_draft("stress_test_review", sheet)
    assert finding in [of.text for of in written.findings]
    assert verify.find_violations(written, sheet) == []

"""Pipeline: plans of a writer, pruned plans, and the rules if a writer fails."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from random import Random

import pytest

from riskmetrics.insights import pipeline
from riskmetrics.insights.claims import remember_claims
from riskmetrics.insights.draft_schemas import Answer, Prompt, Usage
from riskmetrics.insights.fact_types import NOTE_PROVIDERS
from riskmetrics.insights.pipeline import GenerationContext
from riskmetrics.insights.plan import Plan, Step
from riskmetrics.insights.prompts import build_prompt
from riskmetrics.insights.request import Request, writable_requests
from riskmetrics.insights.reverify import find_stored_violations
from riskmetrics.insights.templates import Template, TemplateRenderError
from tests.insights.days import EVENTS, plain_day, planted_day
from tests.insights.fact_sheets import build_sheet

TEMPLATE = Template(
    "factor_exposure",
    "v3",
    "System.",
    "{{ insight_type }} of {{ portfolio }}",
    None,
    4000,
    ("betas",),
    ("snapshot", "stress", "changes"),
)
DAILY = replace(
    TEMPLATE,
    insight_type="daily_summary",
    optional_providers=("snapshot", "stress", "changes", "concentration", "volatility"),
)
TRUE = Plan(headline="headline_beta", paragraphs=[[Step(claim="beta_level")]])
WRONG = Plan(
    headline="no_form",
    paragraphs=[[Step(claim="beta_rose"), Step(claim="beta_level", connective="mainly because")]],
    findings=["beta_level"],
    recommendations=["look_at_beta"],
)
FACTS = {"beta": 0.7, "own_beta": 0.7, "own_beta_error": 0.05, "market_r_squared": 0.9}


class Scripted:
    """A writer that returns the given answers in turn."""

    provider = "anthropic"

    def __init__(self, *answers: Plan | str | Exception) -> None:
        self.answers, self.calls = list(answers), 0

    def write(self, prompt: Prompt) -> Answer:
        """Return the next answer."""
        self.calls += 1
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        usage = Usage(1000, 200, Decimal("0.000200"))
        if isinstance(answer, Plan):
            return Answer(answer, None, usage, "m-1")
        return Answer(None, answer, usage, "m-1")


@pytest.fixture
def request_() -> Request:
    """A request for a factor exposure insight."""
    return Request(TEMPLATE, build_sheet(FACTS))


def written(
    request: Request, *answers: Plan | str | Exception
) -> tuple[dict[str, object], Scripted]:
    writer = Scripted(*answers)
    row = pipeline.insight_row(request, GenerationContext(writer, "m"))
    assert row is not None
    return row, writer


def test_a_true_plan_is_stored_with_its_cost(request_: Request) -> None:
    row, _ = written(request_, TRUE)
    assert "Beta is 0.70; over ninety sessions" in str(row["summary"])
    assert (row["title"], row["provider"], row["model_used"]) == (
        "Sensitivity to the market",
        "anthropic",
        "m-1",
    )
    assert (row["cost_usd"], row["token_count_input"], row["token_count_output"]) == (
        Decimal("0.000200"),
        1000,
        200,
    )
    assert row["data_quality"]["outcome"] == "planned"  # type: ignore[index]
    assert row["expires_at"] is None
    assert (row["cache_key"], row["provider"]) == pipeline.request_key(
        request_, GenerationContext(Scripted(), "m")
    )
    assert find_stored_violations(row) == []


def test_a_wrong_plan_is_pruned_without_a_second_call(request_: Request) -> None:
    """The false beta, the unknown headline, the duplicate and the false advice are dropped."""
    row, writer = written(request_, WRONG)
    assert writer.calls == 1
    assert row["data_quality"]["outcome"] == "pruned"  # type: ignore[index]
    assert row["context_data"]["plan"] == TRUE.model_dump()  # type: ignore[index]
    assert [each["text"] for each in row["key_findings"]] == [row["summary"]]
    assert row["recommendations"] == []
    assert find_stored_violations(row) == []


@pytest.mark.parametrize(
    ("answer", "reason", "cost"),
    [
        ("the service is overloaded", "the service is overloaded", "0.000200"),
        (Plan(headline="x", paragraphs=[]), "contains no claim", "0.000200"),
        (
            Plan(headline="headline_beta", paragraphs=[[Step(claim="beta_rose")]]),
            "contains no claim",
            "0.000200",
        ),
        (ConnectionError("key=secret"), "the writer failed: ConnectionError", None),
    ],
)
def test_a_failed_writer_falls_back_to_the_rules_with_reason_and_cost(
    request_: Request, answer: Plan | str | Exception, reason: str, cost: str | None
) -> None:
    row, writer = written(request_, answer)
    assert writer.calls == 1
    assert (row["provider"], row["model_used"], row["cost_usd"]) == (
        "rules",
        "rules-v9",
        cost and Decimal(cost),
    )
    assert reason in str(row["data_quality"]["fallback_reason"])  # type: ignore[index]
    assert "secret" not in str(row)
    assert row["data_quality"]["outcome"] == "fallback"  # type: ignore[index]
    assert isinstance(row["expires_at"], datetime)
    assert row["expires_at"] > datetime.now(UTC)
    assert (row["cache_key"], row["provider"]) == pipeline.request_key(
        request_, GenerationContext()
    )


def test_a_key_depends_exactly_on_what_the_text_depends_on(request_: Request) -> None:
    key, sheet = pipeline.request_key(request_, GenerationContext()), request_.sheet
    changed = [
        replace(request_, sheet=build_sheet(FACTS | {"beta": 0.71})),
        replace(request_, sheet=replace(sheet, portfolio_id="q")),
        replace(request_, sheet=replace(sheet, before={"beta_level:": (0.7, 0.05)})),
        replace(request_, sheet=replace(sheet, limits={"beta": {"warning": 0.6}})),
        replace(request_, template=replace(TEMPLATE, investigation_prompt="Other.")),
        replace(request_, question="Why?"),
        replace(request_, stated=frozenset({"beta_error"})),
    ]
    keys = {pipeline.request_key(each, GenerationContext()) for each in changed}
    assert key[1] == "rules"
    assert len(keys - {key}) == len(changed)
    same = [
        pipeline.request_key(request_, GenerationContext(run_id="another", code_version="2")),
        pipeline.request_key(
            replace(request_, template=replace(TEMPLATE, version="v9")), GenerationContext()
        ),
    ]
    assert same == [key, key]
    model_keys = {
        pipeline.request_key(request_, GenerationContext(Scripted(), model)) for model in ("m", "n")
    }
    assert len(model_keys | {key}) == 3


def test_another_note_tells_what_the_leading_one_leaves(request_: Request) -> None:
    """The daily summary tells beta and R²; nothing of the factor exposure is left."""
    alone = list(writable_requests([request_.sheet], [TEMPLATE]))
    assert [each.insight_type for each in alone] == ["factor_exposure"]
    both = list(writable_requests([request_.sheet], [DAILY, TEMPLATE]))
    assert [each.insight_type for each in both] == ["daily_summary"]


def test_the_severity_is_that_of_the_worst_claim_and_names_its_cause() -> None:
    random = Random(1)
    sheet = planted_day(random, "value at risk exceeded")
    daily = replace(DAILY, required_providers=("snapshot",), optional_providers=("tail", "betas"))
    (request,) = writable_requests([sheet], [daily])
    row = pipeline.insight_row(request, GenerationContext())
    assert row is not None
    assert (row["severity"], row["focus_area"]) == ("warning", "var exceeded")
    assert "beyond the value at risk" in str(row["title"])
    calm = replace(request, sheet=plain_day(random).select_facts(daily.providers))
    assert (calm.severity, calm.alarm) == ("normal", None)
    assert "value at risk exceeded" in EVENTS


def test_what_the_next_session_remembers_is_what_the_leading_note_evaluated() -> None:
    asked = {"return_ytd": 0.2, "var_99_amount": 100.0}
    plain = plain_day(Random(1))
    sheet = replace(plain, facts=plain.facts | build_sheet(asked).facts)
    everything = replace(DAILY, required_providers=(), optional_providers=NOTE_PROVIDERS)
    (request,) = writable_requests([sheet], [everything])
    assert request.sheet is sheet.for_notes
    assert request.sheet.facts.keys() == plain.facts.keys()
    assert remember_claims(sheet) == remember_claims(plain)


def test_a_hedge_note_needs_short_positions() -> None:
    facts = {"num_short_positions": 0, "short_share": -0.1, "total_value": 5.0}
    hedge = replace(TEMPLATE, insight_type="hedge_quality", required_providers=("snapshot",))
    hedge = replace(hedge, optional_providers=("concentration",))
    assert list(writable_requests([build_sheet(facts)], [hedge])) == []
    sheet = build_sheet(facts | {"num_short_positions": 2})
    assert len(list(writable_requests([sheet], [hedge]))) == 1


def test_without_facts_no_insight_is_written(request_: Request) -> None:
    empty = replace(request_, sheet=build_sheet({}))
    assert list(pipeline.insight_rows([empty], GenerationContext(), set())) == []


def test_limitations_name_undefined_values_as_prose_does(request_: Request) -> None:
    missing = {"portfolio_snapshots.beta_provider_1y": "no vendor beta"}
    row, _ = written(replace(request_, sheet=replace(request_.sheet, missing=missing)), TRUE)
    assert row["data_limitations"] == "The vendor beta is undefined: no vendor beta."


@pytest.mark.parametrize(
    "text",
    ["{{ nothing }}", "{{ portfolio.__class__.__mro__ }}", "{% for %}", "{{ ''.__class__ }}"],
)
def test_a_template_with_unknown_variables_or_unsafe_attributes_is_rejected(
    request_: Request, text: str
) -> None:
    wrong = replace(request_, template=replace(TEMPLATE, investigation_prompt=text))
    with pytest.raises(TemplateRenderError, match="factor_exposure v3 cannot be rendered"):
        build_prompt(wrong, "m", "aliases")


def test_a_prompt_contains_the_claims_and_no_symbols() -> None:
    sheet = build_sheet({"pos_01_weight": 0.6, "pos_01_share": 0.8, "total_value": 9.0})
    template = replace(TEMPLATE, insight_type="concentration_risk")
    sent = build_prompt(Request(template, sheet), "m", "aliases")
    assert sent.task == f"concentration_risk of {sheet.portfolio}"
    assert "POS_01" in sent.facts
    assert "80% of the volatility" in sent.facts
    assert "SYM1" not in sent.facts + sent.system + sent.task
    assert "SYM1" in build_prompt(Request(template, sheet), "m", "tickers").facts


@pytest.mark.parametrize(
    ("change", "violation"),
    [
        ({"title": "Other"}, "title does not match the plan"),
        ({"summary": "The beta is 0.10."}, "summary does not match the plan"),
        ({"context_data": {}}, "not written by riskmetrics"),
    ],
)
def test_a_changed_row_is_found_by_verifying_again(
    request_: Request, change: dict[str, object], violation: str
) -> None:
    row, _ = written(request_, TRUE)
    assert violation in find_stored_violations(row | change)[0]


def test_a_changed_list_of_what_needs_attention_is_found() -> None:
    """A loss beyond the value at risk, and a position of 60%, which is critical from 50%."""
    facts: dict[str, float | str] = {
        "total_value": 100.0,
        "daily_pnl": -9.0,
        "daily_return": -0.09,
        "previous_var_95": 0.04,
        "pos_01_weight": 0.6,
    }
    row = pipeline.insight_row(Request(DAILY, build_sheet(facts)), GenerationContext())
    assert row is not None
    context = row["context_data"]
    alert, loss = context["attention"]
    assert find_stored_violations(row) == []
    wrong_alert = ["attention does not list the alerts of the stored facts"]
    wrong_claim = ["attention contains a sentence that is not a severe claim of the stored facts"]
    for changed, found in (
        ([alert], []),
        ([], wrong_alert),
        ([alert.replace("60%", "16%"), loss], wrong_alert),
        ([alert, loss.replace("$9.00", "$1.00")], wrong_claim),
    ):
        kept = {"context_data": context | {"attention": changed}}
        assert find_stored_violations(row | kept) == found
    without = {key: value for key, value in context.items() if key != "attention"}
    assert find_stored_violations(row | {"context_data": without}) == wrong_alert


def test_a_plan_that_the_stored_facts_do_not_bear_out_is_found(request_: Request) -> None:
    row, _ = written(request_, TRUE)
    context = row["context_data"] | {
        "plan": TRUE.model_copy(update={"headline": "headline_loss"}).model_dump()
    }  # type: ignore[operator]
    assert find_stored_violations(row | {"context_data": context}) == [
        "a claim of the plan is not true of the stored facts"
    ]


def test_a_row_of_another_catalog_is_compared_with_its_stored_sentences(request_: Request) -> None:
    """Phrasings change from version to version; a stored text stays as it was written."""
    row, _ = written(request_, TRUE)
    context = row["context_data"] | {"catalog": "another"}  # type: ignore[operator]
    earlier = row | {"context_data": context}
    assert find_stored_violations(earlier) == []
    assert find_stored_violations(earlier | {"title": "Other"}) == [
        "title contains a sentence that is not a stored claim"
    ]


def test_a_row_with_a_draft_is_verified_against_it() -> None:
    """A row from before the sentence catalog: placeholders, and a threshold among its facts."""
    sheet = build_sheet({"beta": 1.55})
    threshold = {
        "id": "beta_threshold",
        "kind": "beta_threshold",
        "value": 1.5,
        "unit": "number",
        "shown_as": "1.50",
        "source": "insights/severity.yaml",
        "key": {"version": "1"},
        "as_of": "2022-12-28",
        "quality": "ok",
    }
    draft = {
        "title": "Factor exposure: a beta of {{beta}}",
        "limitations": "",
        "analysis": "",
        "summary": "The beta is {{beta}}, above {{beta_threshold}}.",
        "findings": [],
        "recommendations": [],
    }
    row = {
        "portfolio_id": "p",
        "day": sheet.day,
        "title": "Factor exposure: a beta of 1.55",
        "summary": "The beta is 1.55, above 1.50.",
        "full_analysis": "",
        "key_findings": [],
        "recommendations": [],
        "context_data": {
            "facts": [*(fact.record for fact in sheet.facts.values()), threshold],
            "aliases": {},
            "missing": {},
            "draft": draft,
        },
    }
    assert find_stored_violations(row) == []
    assert find_stored_violations(row | {"summary": "The beta is 1.56, above 1.50."}) == [
        "summary does not match the draft"
    ]


def test_what_needs_attention_is_every_alert_in_force_and_severe_news_that_are_none() -> None:
    """A Wednesday on which a position, a drawdown and a beta stand, and the note names none."""
    facts: dict[str, float | str] = {"pos_01_weight": 0.6, "pos_01_weight_streak": 40}
    facts |= {"pos_02_weight": 0.12, "pos_02_weight_streak": 3, "beta": 1.55, "beta_streak": 19}
    facts |= {"drawdown": 0.45, "drawdown_streak": 40, "daily_pnl": -9.0, "daily_return": -0.09}
    sheet = replace(build_sheet(facts | {"previous_var_95": 0.04}), day=date(2022, 12, 28))
    request = Request(DAILY, replace(sheet, before=remember_claims(sheet)))
    row = pipeline.insight_row(request, GenerationContext())
    assert row is not None
    *alerts, loss = row["context_data"]["attention"]  # type: ignore[index]
    assert alerts == [
        "SYM1 60% of equity (critical from 50%, 40th session) and drawdown of today's holdings 45%"
        " (critical from 35%, 40th session).",
        "Beta 1.55 (warning from 1.50, 19th session).",
        "SYM2 12% of equity (elevated from 10%, 3rd session).",
    ]
    assert loss == (
        "The portfolio lost $9.00 (9.0%), 2.2 times the prior day's value at risk of 4.0%."
    )
    assert row["severity"] == "critical"

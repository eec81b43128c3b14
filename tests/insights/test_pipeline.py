"""Pipeline: verified drafts, repaired drafts, and the rules if a writer fails."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from random import Random

import pytest

from riskmetrics.insights import pipeline, render, rules, verify
from riskmetrics.insights.draft_schemas import Answer, Draft, Finding, Prompt, Usage
from riskmetrics.insights.pipeline import GenerationContext, Request
from riskmetrics.insights.templates import Template, TemplateRenderError, build_prompt
from riskmetrics.settings import DEFAULT_INSIGHT_TYPES
from tests.insights.fact_sheets import sheet

TEMPLATE = Template(
    "factor_exposure",
    "v1",
    "System.",
    "{{ insight_type }} of {{ portfolio }}",
    None,
    4000,
    ("betas",),
    ("ir_beta", "changes"),
)
TRUE = Draft(
    title="Factor exposure",
    summary="The beta is {{beta}}.",
    analysis="",
    findings=[Finding(text="The beta is {{beta}}.", facts=["beta"])],
    recommendations=[],
    limitations="",
)
FALSE = TRUE.model_copy(update={"summary": "The beta soared to {{beta}}."})


class Scripted:
    """A writer that returns the given answers in turn."""

    provider = "anthropic"

    def __init__(self, *answers: Draft | str | Exception) -> None:
        self.answers, self.complaints = list(answers), [""]

    def write(self, prompt: Prompt) -> Answer:
        """Return the next answer."""
        return self._next()

    def repair(self, prompt: Prompt, draft: Draft, complaints: Sequence[str]) -> Answer:
        """Return the next answer, and record the complaints."""
        self.complaints = list(complaints)
        return self._next()

    def _next(self) -> Answer:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        usage = Usage(1000, 200, Decimal("0.000200"))
        return (
            Answer(answer, None, usage, "m-1")
            if isinstance(answer, Draft)
            else Answer(None, answer, usage, "m-1")
        )


@pytest.fixture
def request_() -> Request:
    """A request for a factor exposure insight."""
    whole = sheet(Random(1))
    return Request(TEMPLATE, whole.select_facts("factor_exposure", TEMPLATE.providers))


def written(
    request: Request, *answers: Draft | str | Exception
) -> tuple[dict[str, object], Scripted]:
    writer = Scripted(*answers)
    row = pipeline.insight_row(request, GenerationContext(writer, "m"))
    assert row is not None
    return row, writer


def test_a_verified_draft_is_stored_with_its_cost(request_: Request) -> None:
    row, _ = written(request_, TRUE)
    beta = request_.sheet.facts["beta"].formatted
    assert (row["summary"], row["provider"], row["model_used"]) == (
        f"The beta is {beta}.",
        "anthropic",
        "m-1",
    )
    assert (row["cost_usd"], row["token_count_input"], row["token_count_output"]) == (
        Decimal("0.000200"),
        1000,
        200,
    )
    assert row["data_quality"]["outcome"] == "verified"  # type: ignore[index]
    assert row["expires_at"] is None
    assert (row["cache_key"], row["provider"]) == pipeline.request_key(
        request_, GenerationContext(Scripted(), "m")
    )


def test_an_invalid_draft_is_repaired_once_and_both_attempts_are_charged(
    request_: Request,
) -> None:
    row, writer = written(request_, FALSE, TRUE)
    assert "'soared' is not in the vocabulary" in writer.complaints[0]
    assert row["data_quality"]["outcome"] == "repaired"  # type: ignore[index]
    assert (row["cost_usd"], row["token_count_input"]) == (Decimal("0.000400"), 2000)


@pytest.mark.parametrize(
    ("answers", "reason", "cost"),
    [
        (("the service is overloaded",), "the service is overloaded", "0.000200"),
        (
            (FALSE, FALSE),
            "rejected twice; last reason: summary: 'soared' is not in the vocabulary",
            "0.000400",
        ),
        ((FALSE, "no answer in time"), "no answer in time", "0.000400"),
        ((ConnectionError("key=secret"),), "the writer failed: ConnectionError", None),
    ],
)
def test_a_failed_writer_falls_back_to_the_rules_with_reason_and_cost(
    request_: Request, answers: tuple[Draft | str | Exception, ...], reason: str, cost: str | None
) -> None:
    row, _ = written(request_, *answers)
    assert (row["provider"], row["model_used"], row["cost_usd"]) == (
        "rules",
        "rules-v3",
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


def test_a_key_depends_exactly_on_what_the_text_depends_on(
    request_: Request,
) -> None:
    key = pipeline.request_key(request_, GenerationContext())
    beta = request_.sheet.facts["beta"]
    other = replace(
        request_.sheet,
        facts=request_.sheet.facts | {"beta": replace(beta, value=9.0, formatted="9.00")},
    )
    changed = [
        replace(request_, sheet=other),
        replace(request_, sheet=replace(request_.sheet, portfolio_id="q")),
        replace(request_, template=replace(TEMPLATE, investigation_prompt="Other.")),
        replace(request_, question="Why?"),
    ]
    assert key[1] == "rules"
    assert len({pipeline.request_key(of, GenerationContext()) for of in changed} - {key}) == len(
        changed
    )
    assert (
        pipeline.request_key(request_, GenerationContext(run_id="another", code_version="2")) == key
    )
    assert (
        pipeline.request_key(
            replace(request_, template=replace(TEMPLATE, version="v9")), GenerationContext()
        )
        == key
    )
    model_keys = {
        pipeline.request_key(request_, GenerationContext(Scripted(), model)) for model in ("m", "n")
    }
    assert len(model_keys | {key}) == 3


@pytest.mark.parametrize("insight_type", [*DEFAULT_INSIGHT_TYPES, "custom"])
def test_drafts_of_the_rules_are_valid_on_any_sheet(insight_type: str) -> None:
    """Invariant, with all facts and with some missing."""
    random = Random(insight_type)
    for _ in range(60):
        whole = sheet(random)
        kept = {
            name: fact
            for name, fact in whole.facts.items()
            if random.random() < random.choice((1.0, 0.9))
        }
        facts = replace(whole, facts=kept).select_facts(
            insight_type, sorted({fact.fact_type.provider for fact in whole.facts.values()})
        )
        draft = rules.write_draft(insight_type, facts)
        if draft.summary and draft.findings:
            assert verify.find_violations(draft, facts) == []


def test_without_facts_no_insight_is_written(request_: Request) -> None:
    empty = replace(request_.sheet, facts={})
    assert (
        list(pipeline.insight_rows([replace(request_, sheet=empty)], GenerationContext(), set()))
        == []
    )


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
    with pytest.raises(TemplateRenderError, match="factor_exposure v1 cannot be rendered"):
        build_prompt(replace(TEMPLATE, investigation_prompt=text), request_.sheet, "m", "aliases")


def test_a_prompt_contains_the_facts_and_no_symbols(request_: Request) -> None:
    sent = build_prompt(TEMPLATE, request_.sheet, "m", "aliases")
    assert sent.task == f"factor_exposure of {request_.sheet.portfolio}"
    assert request_.sheet.facts["beta"].formatted in sent.facts
    assert (
        sorted(request_.sheet.facts)
        == sent.schema["$defs"]["Finding"]["properties"]["facts"]["items"]["enum"]
    )
    assert '"symbol"' not in sent.facts + sent.system


def test_a_title_too_long_with_its_names_is_cut_between_words(
    request_: Request,
) -> None:
    sheet = replace(request_.sheet, aliases={"SEC_01": {"sector": "x" * 190}})
    text = render.render(TRUE.model_copy(update={"title": "SEC_01: a beta of {{beta}}"}), sheet, "")
    assert text.title == f"{'x' * 190}: a beta …"

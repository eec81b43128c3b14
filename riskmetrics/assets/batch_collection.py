"""Batches of insights: a sensor polls whether one has ended, and a job stores its answers.

The asset of insights does so too, before it writes.
"""

import dagster as dg

from riskmetrics.assets.insight_generation import collect_batches
from riskmetrics.insights.pipeline import GenerationContext
from riskmetrics.resources import LanguageModel, code_version, count_ended_batches


@dg.op
def collect(context: dg.OpExecutionContext, language_model: LanguageModel) -> None:
    """Store the insights of ended batches; insights by rules stay, hidden behind them."""
    generation_context = GenerationContext(
        model=language_model.name,
        anonymization=language_model.anonymization,
        run_id=context.run_id,
        code_version=code_version(),
    )
    context.log.info(f"{collect_batches(language_model, generation_context)} batches are closed")


@dg.job(
    description="The insights of batches that have ended.",
    tags={"riskmetrics/code_version": code_version()},
)
def collect_insights() -> None:
    """Store the insights of ended batches."""
    collect()


@dg.sensor(
    job_name=collect_insights.name,
    minimum_interval_seconds=300,
    default_status=dg.DefaultSensorStatus.RUNNING,
)
def insight_batches() -> dg.RunRequest | dg.SkipReason:
    """Poll every five minutes whether a batch has ended, if there is a key and an open batch."""
    return (
        dg.RunRequest()
        if count_ended_batches()
        else dg.SkipReason("no batch of insights has ended")
    )

"""Batches of insights: a sensor asks whether one has ended, and a job stores what was answered. The asset does so too, before it writes."""

import dagster as dg

from riskmetrics.assets.insights import collect_batches
from riskmetrics.insights.pipeline import Terms
from riskmetrics.resources import Model, code_version, ended_batches


@dg.op
def collect(context: dg.OpExecutionContext, model: Model) -> None:
    """Store the insights of batches that have ended; those by rules that stood meanwhile stay, and are shown no more."""
    terms = Terms(model=model.name, disclose=model.disclose, run_id=context.run_id, code_version=code_version())
    context.log.info(f"{collect_batches(model, terms)} batches are closed")


@dg.job(description="The insights of batches that have ended.", tags={"riskmetrics/code_version": code_version()})
def collect_insights() -> None:
    """Collect them."""
    collect()


@dg.sensor(job_name=collect_insights.name, minimum_interval_seconds=300, default_status=dg.DefaultSensorStatus.RUNNING)
def insight_batches() -> dg.RunRequest | dg.SkipReason:
    """Ask every five minutes whether a batch has ended, if there is a key and one is waited for."""
    return dg.RunRequest() if ended_batches() else dg.SkipReason("no batch of insights has ended")

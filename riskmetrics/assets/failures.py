"""Why a step, a run or its data failed, in the sentence of the error that was raised on purpose, if one was, or of the check."""

import dagster as dg
from dagster_shared.error import SerializableErrorInfo

from riskmetrics import errors


def cause(event: dg.DagsterEvent) -> SerializableErrorInfo | None:
    """Return the error of a failure: ours, if one stands behind those of Dagster, else the first; None if the event has none."""
    error: SerializableErrorInfo | None = getattr(event.event_specific_data, "error", None)
    while error is not None and error.cause is not None and kind(error) is None:
        error = error.cause
    return error


def sentence(error: SerializableErrorInfo) -> str:
    """Return what an error says, without where its class lives."""
    said: str = error.message
    return said.strip().removeprefix(f"riskmetrics.errors.{error.cls_name}: ")


def kind(error: SerializableErrorInfo) -> type[errors.RiskmetricsError] | None:
    """Return which of our errors it was; None: another's."""
    found = getattr(errors, error.cls_name or "", None)
    return found if isinstance(found, type) and issubclass(found, errors.RiskmetricsError) else None


def failed_checks(instance: dg.DagsterInstance, run: dg.DagsterRun) -> list[str]:
    """Return what each check of severity ERROR says that failed in a run."""
    events = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    outcomes = [event.get_dagster_event().asset_check_evaluation_data for event in events]
    return [
        f"{of.asset_key.to_user_string()}, {of.check_name}: {of.description}"
        for of in outcomes
        if not of.passed and of.severity == dg.AssetCheckSeverity.ERROR
    ]

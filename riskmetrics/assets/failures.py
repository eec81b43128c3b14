"""Reasons why a step, a run or a check failed, in the words of our own error where there is one."""

import traceback

import dagster as dg

from riskmetrics import errors
from riskmetrics.dagster_private import SerializableErrorInfo


def find_cause(event: dg.DagsterEvent) -> SerializableErrorInfo | None:
    """Return the error behind a failure event: ours if there is one, else the first, else None."""
    error: SerializableErrorInfo | None = getattr(event.event_specific_data, "error", None)
    while error is not None and error.cause is not None and error_class(error) is None:
        error = error.cause
    return error


def error_message(error: SerializableErrorInfo) -> str:
    """Return the message of an error, without the module of its class."""
    message: str = error.message
    return message.strip().removeprefix(f"riskmetrics.errors.{error.cls_name}: ")


def error_class(error: SerializableErrorInfo) -> type[errors.RiskmetricsError] | None:
    """Return the class of the error if it is one of ours, else None."""
    found = getattr(errors, error.cls_name or "", None)
    return found if isinstance(found, type) and issubclass(found, errors.RiskmetricsError) else None


def exception_message(error: BaseException) -> str:
    """Return the message of the root cause of an exception; its class only if it is not ours.

    Its notes, such as the shard that it was raised in, follow in parentheses.
    """
    cause = errors.root_cause(error)
    notes: list[str] = getattr(cause, "__notes__", [])
    lines = traceback.format_exception_only(cause)
    is_ours = isinstance(cause, errors.RiskmetricsError)
    text = str(cause) if is_ours else "".join(lines[: len(lines) - len(notes)]).strip()
    return " ".join([text, *(f"({note})" for note in notes)])


def exit_code(cause: BaseException) -> int:
    """Return the exit code of a command that ends with an exception."""
    if isinstance(cause, errors.RiskmetricsError):
        return cause.exit_code
    is_of_database = type(cause).__module__.startswith("psycopg")
    return errors.DatabaseError.exit_code if is_of_database else 1


def describe_failure(event: dg.DagsterEvent) -> str:
    """Return what failed, and why: a line for each cause."""
    failure = getattr(event.event_specific_data, "user_failure_data", None)
    if failure is not None:  # of a step of several assets: it names them
        return str(failure.description)
    error = find_cause(event)
    return f"{event.step_key or 'the run'}{' failed' if error else ''}: " + (
        error_message(error) if error else event.message or ""
    )


def describe_failed_checks(instance: dg.DagsterInstance, run: dg.DagsterRun) -> list[str]:
    """Return the description of each failed check of severity ERROR in a run."""
    return [
        f"{evaluation.asset_key.to_user_string()}, {evaluation.check_name}:"
        f" {evaluation.description}"
        for evaluation in _check_evaluations(instance, run.run_id)
        if is_failed_error_check(evaluation)
    ]


def is_failed_error_check(evaluation: dg.AssetCheckEvaluation) -> bool:
    """Return whether a check failed and its severity is ERROR."""
    return not evaluation.passed and evaluation.severity == dg.AssetCheckSeverity.ERROR


def is_blocking_check_failure(error: SerializableErrorInfo | None) -> bool:
    """Return whether a step failed because a blocking check did not pass."""
    return error is not None and error.cls_name == "DagsterAssetCheckFailedError"


def describe_blocked_run(
    instance: dg.DagsterInstance, run_id: str, first: str | None, last: str | None
) -> str | None:
    """Return which blocking checks stopped a run, what was not computed, and what to do.

    Parameters
    ----------
    first, last : str or None
        First and last session of the run, as its tags name them.

    Returns
    -------
    str or None
        None if no blocking check failed.
    """
    failed = filter(is_failed_error_check, _check_evaluations(instance, run_id))
    checks = sorted({evaluation.check_name for evaluation in failed if evaluation.blocking})
    if not checks:
        return None
    skipped = ", ".join(_assets_not_computed(instance, run_id)) or "nothing else"
    command = f"run --date {first}" if first == last else f"backfill --from {first} --to {last}"
    return (
        f"stopped by {', '.join(checks)}: {skipped} not computed; their stored results are those "
        f"of earlier runs. Run again with `riskmetrics {command}`; if the check fails again, "
        "another program changes the table, or this is a defect to report"
    )


def _check_evaluations(instance: dg.DagsterInstance, run_id: str) -> list[dg.AssetCheckEvaluation]:
    events = instance.all_logs(run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    return [event.get_dagster_event().asset_check_evaluation_data for event in events]


def _assets_not_computed(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    """Return the names of the assets that a run planned and did not materialize."""
    kinds = {
        dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
        dg.DagsterEventType.ASSET_MATERIALIZATION,
    }
    planned: set[str] = set()
    materialized: set[str] = set()
    for entry in instance.all_logs(run_id, of_type=kinds):
        event = entry.get_dagster_event()
        names = planned if event.is_asset_materialization_planned else materialized
        if event.asset_key:
            names.add(event.asset_key.to_user_string())
    return sorted(planned - materialized)

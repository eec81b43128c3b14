"""`riskmetrics doctor`: diagnose settings, database, data, vendor, disk, Dagster and alerts."""

import os
import shutil
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from riskmetrics.cli.doctor_dagster import check_dagster
from riskmetrics.cli.doctor_database import check_database
from riskmetrics.cli.doctor_settings import ONLINE_CHECKS, SETTING_CHECKS
from riskmetrics.cli.findings import Check, Finding, run_checks
from riskmetrics.cli.output import pluralize, print_json
from riskmetrics.cli.shared_options import AsJson
from riskmetrics.errors import ConfigurationError

if TYPE_CHECKING:
    from riskmetrics.settings import Settings

_UNEXPECTED_ERROR_CODE = 1
"""Exit code of a check that failed to run."""

_DEFAULT = "(default)"
"""End of the finding on a setting that is not set."""

_MIN_FREE_BYTES, _LOW_FREE_BYTES = 100 << 20, 1 << 30
"""Free bytes below which the disk check fails, and below which it warns."""


def doctor(
    online: Annotated[
        bool,
        typer.Option(
            "--online",
            help="Call the vendor once, to check the API key, and connect to the Dask scheduler.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Find faults in settings, data, disk, schedule and alerts.

    Database, vendor and Dagster are checked, too. Each problem is printed with its fix; nothing is
    changed. Exit codes: 0 if no check fails; warnings do not count. Else the highest of 1 (a check
    could not be run), 3 (data), 5 (network or vendor) and 6 (settings, disk, database, roles,
    schema, Dagster or alerts).

    Example: riskmetrics doctor --online
    """
    found = list(_run_checks(online=online))
    if as_json:
        print_json(
            [
                {name: value for name, value in one._asdict().items() if name != "exit_code"}
                for one in found
            ]
        )
    else:
        _print_findings(found)
    if code := max((one.exit_code for one in found if one.state == "fail"), default=0):
        raise typer.Exit(code)


def _print_findings(found: "Sequence[Finding]") -> None:
    defaults = [one for one in found if one.area == "settings" and one.finding.endswith(_DEFAULT)]
    for one in found:
        if one in defaults:
            continue
        typer.echo(f"{one.state:<5} {one.area:<14} {one.finding}")
        if one.what_to_do:
            typer.echo(f"{'':<20} → {one.what_to_do}")
    if defaults:
        typer.echo(
            f"{'ok':<5} {'settings':<14} {pluralize(len(defaults), 'setting')} at the default"
            " (riskmetrics doctor --json lists them)"
        )
    counts = {state: sum(one.state == state for one in found) for state in ("ok", "warn", "fail")}
    typer.echo(
        f"\n{counts['ok']} ok, {pluralize(counts['warn'], 'warning')}, {counts['fail']} failed"
    )


def _run_checks(*, online: bool) -> Iterator[Finding]:
    from riskmetrics import settings

    try:
        configured = settings.load()
    except ConfigurationError as error:
        advice = "fix the variable named above, in the environment or in .env"
        yield Finding("fail", "settings", str(error), advice)
        return
    setting_checks = (*SETTING_CHECKS, *(ONLINE_CHECKS if online else ()))
    sections = {
        "settings": run_checks(setting_checks, configured),
        "disk": run_checks([_DISK_CHECK], configured),
        "database": check_database(configured, online=online),
        "dagster": check_dagster(configured),
        "alerts": run_checks([_ALERTS_CHECK], configured),
    }
    for area, findings in sections.items():
        yield from _catch_unexpected_errors(area, findings, configured)


def _catch_unexpected_errors(
    area: str, findings: Iterator[Finding], configured: "Settings"
) -> Iterator[Finding]:
    """Yield findings; turn an unexpected error into one, so that the next section still runs."""
    from riskmetrics.alerts import redact_secrets

    try:
        yield from findings
    except Exception as error:  # noqa: BLE001  # whatever it is, it is a finding
        reason = redact_secrets(configured, f"{type(error).__name__}: {error}").partition("\n")[0]
        yield Finding(
            "fail",
            area,
            f"the check could not be run: {reason[:300]}",
            "fix the cause and rerun doctor",
            _UNEXPECTED_ERROR_CODE,
        )


def _check_disk(configured: "Settings") -> Iterator[tuple[str, ...]]:
    for name, folder in (
        ("RISKMETRICS_HOME", configured.home_directory),
        ("Dagster's home", configured.dagster_directory),
    ):
        existing = next(parent for parent in (folder, *folder.parents) if os.path.lexists(parent))
        if not existing.is_dir():
            text = f"{name} cannot be {folder}: {existing} is not a directory"
            yield "fail", text, "remove it, or choose another directory"
        elif not os.access(existing, os.W_OK):
            text = f"{name} is not writable: {existing}"
            yield "fail", text, "grant write permission or choose another directory"
        else:
            free = shutil.disk_usage(existing).free
            state = "fail" if free < _MIN_FREE_BYTES else "warn" if free < _LOW_FREE_BYTES else "ok"
            yield state, f"{free / (1 << 30):,.1f} GB free for {name}, {folder}"


def _check_alerts(configured: "Settings") -> Iterator[tuple[str, ...]]:
    if configured.alert_email and configured.smtp_url is None:
        text = "RISKMETRICS_ALERT_EMAIL is set, but RISKMETRICS_SMTP_URL is not"
        yield "fail", text, "set RISKMETRICS_SMTP_URL"
    elif configured.alert_email or configured.alert_webhook:
        yield "ok", "configured, not tested: riskmetrics alert sends a test"
    elif configured.nightly:
        yield "warn", "none configured: failed or missed runs will not be reported"


_DISK_CHECK = Check(
    "disk", _check_disk, "free space: a year of 100 portfolios takes about a gigabyte"
)
_ALERTS_CHECK = Check(
    "alerts",
    _check_alerts,
    "set RISKMETRICS_ALERT_WEBHOOK, or RISKMETRICS_ALERT_EMAIL and RISKMETRICS_SMTP_URL",
)

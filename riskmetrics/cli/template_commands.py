"""`riskmetrics ai templates`: list, show, compare and activate insight templates."""

from typing import Annotated, Any

import typer

from riskmetrics.cli.database import read_transaction, write_transaction
from riskmetrics.cli.output import print_frame, print_json
from riskmetrics.cli.shared_options import AsJson
from riskmetrics.errors import NotStoredError

app = typer.Typer(
    help="List, compare and activate the prompts of insights.",
    no_args_is_help=True,
)

_TypeArgument = Annotated[str, typer.Argument(help="Type of insight, such as daily_summary.")]
_VersionArgument = Annotated[str, typer.Argument(help="Version of the template, such as v1.")]


@app.command("list")
def list_templates(as_json: AsJson = False) -> None:
    """List all templates with their number of uses and mean rating.

    Example: riskmetrics ai templates list
    """
    import pandas as pd

    names = (
        "insight_type",
        "version",
        "active",
        "name",
        "usage_count",
        "avg_quality_score",
        "created_at",
        "deprecated_at",
    )
    table = pd.DataFrame(
        [{name: row[name] for name in names} for row in _read_templates()], columns=names
    )
    table = table.astype({"usage_count": int, "avg_quality_score": float})
    shown = table.assign(
        **{
            name: table[name].astype(str).where(table[name].notna())
            for name in ("created_at", "deprecated_at")
        }
    )
    print_frame(
        shown,
        as_json=as_json,
        formats={"avg_quality_score": "{:.2f}".format},
        title="Insight templates",
    )


@app.command("show")
def show_template(
    insight_type: _TypeArgument,
    version: Annotated[
        str | None, typer.Argument(help="Version. Default: the active version.")
    ] = None,
) -> None:
    """Print a template as JSON.

    Example: riskmetrics ai templates show daily_summary
    """
    rows = [row for row in _read_templates(insight_type, version) if version or row["active"]]
    if not rows:
        raise NotStoredError(_missing_template_message(insight_type, version))
    print_json(rows[0])


@app.command()
def diff(insight_type: _TypeArgument, old: _VersionArgument, new: _VersionArgument) -> None:
    """Print the differences between two versions of a template.

    Example: riskmetrics ai templates diff daily_summary v1 v2
    """
    from difflib import unified_diff

    texts = []
    for version in (old, new):
        rows = _read_templates(insight_type, version)
        if not rows:
            raise NotStoredError(_missing_template_message(insight_type, version))
        texts.append(
            [
                f"{part}: {line}"
                for part in _COMPARED_FIELDS
                for line in str(rows[0][part]).splitlines()
            ]
        )
    lines = list(unified_diff(texts[0], texts[1], old, new, lineterm=""))
    typer.echo("\n".join(lines) or "no differences")


_COMPARED_FIELDS = (
    "system_prompt",
    "investigation_prompt",
    "model_preference",
    "max_tokens",
    "temperature",
    "required_tools",
    "optional_tools",
)


@app.command()
def activate(insight_type: _TypeArgument, version: _VersionArgument) -> None:
    """Activate a version of a template.

    The version that was active is kept as deprecated.

    Example: riskmetrics ai templates activate daily_summary v2
    """
    from riskmetrics.db import insight_store

    with write_transaction() as connection:
        if not insight_store.activate_template(connection, insight_type, version):
            raise NotStoredError(_missing_template_message(insight_type, version))
    typer.echo(f"{insight_type} now uses {version}")


def _read_templates(
    insight_type: str | None = None, version: str | None = None
) -> list[dict[str, Any]]:
    from riskmetrics.db import insight_store

    with read_transaction() as connection:
        return insight_store.read_templates(connection, insight_type, version)


def _missing_template_message(insight_type: str, version: str | None) -> str:
    what = f"template {insight_type} {version}" if version else f"active template {insight_type}"
    return f"there is no {what}: see riskmetrics ai templates list"

"""Reference of the asset graph: assets, checks, jobs, schedules and sensors."""

from typing import Any

from docs.site.markdown import as_code, build_table, escape_cell
from riskmetrics.definitions import build_definitions

_INTRODUCTION = """# Asset graph

After reading this page you know what Dagster computes: each asset with its inputs, each check, and
the jobs, schedules and sensors. `riskmetrics ui` shows the same, with runs. How one number moves
through it: [Architecture](../explanation/architecture.md).

"""


def build_graph_page() -> str:
    """Return the page: a table for each kind of definition."""
    repository = build_definitions().get_repository_def()
    graph = repository.asset_graph
    return _INTRODUCTION + "\n".join(
        (
            _build_assets(graph),
            _build_checks(graph),
            _build_jobs(repository),
            _build_schedules(repository),
            _build_sensors(repository),
        )
    )


def _build_assets(graph: Any) -> str:
    keys = graph.toposorted_asset_keys
    nodes = [graph.get(key) for key in keys if graph.get(key).is_materializable]
    parts = ["## Assets\n"]
    for group in dict.fromkeys(node.group_name for node in nodes):
        rows = [
            (
                as_code(node.key.to_user_string()),
                "yes" if node.partitions_def else "no",
                ", ".join(sorted(as_code(key.to_user_string()) for key in node.parent_keys)),
                _first_paragraph(node.description),
            )
            for node in nodes
            if node.group_name == group
        ]
        header = ("asset", "by session", "computed from", "content")
        parts += [f"### Group {group}\n", build_table(header, rows)]
    return "\n".join(parts)


def _build_checks(graph: Any) -> str:
    rows = [
        (
            as_code(spec.name),
            as_code(spec.asset_key.to_user_string()),
            "yes" if spec.blocking else "no",
            _first_paragraph(spec.description),
        )
        for spec in sorted(
            (graph.get_check_spec(key) for key in graph.asset_check_keys),
            key=lambda spec: (spec.asset_key.to_user_string(), spec.name),
        )
    ]
    header = ("check", "asset", "blocking", "passes if")
    introduction = "If a blocking check fails, nothing downstream is computed."
    return f"## Checks\n\n{introduction}\n\n{build_table(header, rows)}"


def _build_jobs(repository: Any) -> str:
    rows = [
        (as_code(job.name), _first_paragraph(job.description))
        for job in sorted(repository.get_all_jobs(), key=lambda job: job.name)
        if not job.name.startswith("__")
    ]
    return f"## Jobs\n\n{build_table(('job', 'purpose'), rows)}"


def _build_schedules(repository: Any) -> str:
    rows = [
        (
            as_code(schedule.name),
            as_code(str(schedule.cron_schedule)),
            schedule.execution_timezone or "UTC",
            _first_paragraph(schedule.description),
        )
        for schedule in repository.schedule_defs
    ]
    return f"## Schedules\n\n{build_table(('schedule', 'cron', 'time zone', 'purpose'), rows)}"


def _build_sensors(repository: Any) -> str:
    rows = [
        (as_code(sensor.name), _first_paragraph(sensor.description))
        for sensor in sorted(repository.sensor_defs, key=lambda sensor: sensor.name)
    ]
    return f"## Sensors\n\n{build_table(('sensor', 'purpose'), rows)}"


def _first_paragraph(description: str | None) -> str:
    return escape_cell((description or "").strip().split("\n\n")[0])

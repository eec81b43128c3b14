"""The asset that compares results with the limits of portfolios, and alerts of changes."""

import dagster as dg

from riskmetrics import alerts, settings
from riskmetrics.addresses import served_report_url
from riskmetrics.assets import reports, table_schemas
from riskmetrics.assets.partitions import run_sessions, session_partitions
from riskmetrics.computations.result_assets import RESULT_ASSETS
from riskmetrics.db import portfolio_limits, tables
from riskmetrics.errors import AlertDeliveryError
from riskmetrics.present.limit_texts import describe_check
from riskmetrics.resources import Warehouse, provenance
from riskmetrics.text import join_names


@dg.asset(
    deps=[asset.name for asset in RESULT_ASSETS if asset.group == "portfolios"],
    partitions_def=session_partitions,
    backfill_policy=dg.BackfillPolicy.single_run(),
    group_name="portfolios",
    kinds={"postgres"},
    owners=["team:riskmetrics"],
    metadata=table_schemas.table_metadata(tables.portfolio_limit_checks),
)
def portfolio_limit_checks(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Status of each limit of the portfolios, with one alert of each change."""
    days = run_sessions(context)
    with warehouse.begin("portfolio_limit_checks") as connection:
        written = portfolio_limits.check_limits(connection, days, provenance(context))
        counts = portfolio_limits.count_statuses(connection, days)
        latest = portfolio_limits.read_limit_checks(connection, days[-1])
    for day in days:
        context.add_asset_metadata(
            {
                "dagster/partition_row_count": sum(counts.get(day, {}).values()),
                **counts.get(day, {}),
                **{f"run_rows_{name}": count for name, count in written._asdict().items()},
                **(reports.preview(latest) if day == days[-1] else {}),
                "report": dg.MetadataValue.url(served_report_url(day)),
            },
            partition_key=day.isoformat(),
        )
    _alert_of_changes(context, warehouse)


def _alert_of_changes(context: dg.AssetExecutionContext, warehouse: Warehouse) -> None:
    """Send the changes of the newest session to the channels.

    A failure is logged, and the next run sends again if no channel accepted the alert. The rows are
    locked meanwhile, so that two runs do not send the same. If a process is killed after sending
    and before the commit, the next run sends again.
    """
    with warehouse.begin("limit alerts") as connection:
        changes = portfolio_limits.lock_unsent_changes(connection)
        if not changes:
            return
        subject = f"riskmetrics: limits on {changes[0]['day']}"
        try:
            channels = alerts.send(
                settings.load(), subject, "\n".join(describe_check(dict(row)) for row in changes)
            )
        except AlertDeliveryError as error:
            channels = list(error.delivered_to)
            context.log.warning(
                f"{error}; the alert of limits was sent by {join_names(channels)} and is not sent"
                " again"
                if channels
                else f"{error}; the next run sends the alert of limits again"
            )
        if channels:
            portfolio_limits.mark_alerted(connection, changes)

"""Tables of statistics of pro-forma returns, as their records in the catalog define them."""

from riskmetrics.catalog import all_statistics
from riskmetrics.db.tables.schema import day_key_column, portfolio_key_column, result_table

PRO_FORMA_DAY = "Session; its weights are applied to earlier returns (pro-forma)."

STATISTIC_TABLES = {
    statistic.table: result_table(
        statistic.table,
        f"One row per portfolio and session: {statistic.content}.",
        (portfolio_key_column(), day_key_column(PRO_FORMA_DAY)),
    )
    for statistic in all_statistics()
}
"""Name to table."""

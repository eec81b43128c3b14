"""The coefficients of the volatility forecast, calibrated on request.

No daily run changes them, and every forecast names its version.
"""

from datetime import date

import dagster as dg

from riskmetrics.assets import reports, table_schemas
from riskmetrics.db import input_queries, tables, write
from riskmetrics.inputs.calibration_inputs import propose_calibration
from riskmetrics.resources import Warehouse, provenance

PROPOSAL_KEY = "proposal"
"""Metadata of the materialization: `results.model_calibration.Proposal.summary`."""


class CalibrationConfig(dg.Config):
    """Data of a calibration."""

    through: str = ""
    """Last session of prices, such as 2024-12-06. Default: the market index's latest close."""


@dg.asset(
    deps=["market_prices"],
    group_name="model",
    kinds={"postgres"},
    owners=["team:riskmetrics"],
    metadata=table_schemas.table_metadata(tables.har_coefficients),
)
def har_coefficients(
    context: dg.AssetExecutionContext, warehouse: Warehouse, config: CalibrationConfig
) -> dg.MaterializeResult[None]:
    """Volatility forecast coefficients fitted to all stored stocks; poor fits are rejected."""
    with warehouse.begin("har_coefficients") as connection:
        market, rate = warehouse.market_index(connection), warehouse.rate_index(connection)
        through = (
            date.fromisoformat(config.through)
            if config.through
            else input_queries.read_latest_session(connection, market)
        )
        proposal = propose_calibration(connection, market, rate, through)
        rows = proposal.new_rows(provenance(context).code_version)
        write.upsert_rows(
            connection, tables.har_coefficients, rows, key=("version", "proxy", "horizon")
        )
        write.upsert_rows(
            connection,
            tables.variance_corrections,
            proposal.new_corrections(),
            key=("version", "series_class", "horizon"),
        )
    r_squared = {
        f"r_squared_{proxy}": float(value) for proxy, value in proposal.r_squared.dropna().items()
    }
    numbers = {"dagster/row_count": len(proposal.stored_versions) + len(rows), **r_squared}
    return dg.MaterializeResult(
        metadata={
            **numbers,
            **reports.preview(proposal.comparison()),
            PROPOSAL_KEY: dg.MetadataValue.json(proposal.summary()),
        }
    )

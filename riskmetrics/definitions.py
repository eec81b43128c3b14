"""Wiring: assets, checks, the jobs and the resources. Nothing is computed or decided here."""

import dagster as dg

from riskmetrics import settings
from riskmetrics.assets import batches, checks, insights, market_data, model, nightly, portfolios, positions, price_checks, risk, scores
from riskmetrics.resources import Model, TablesOnly, Vendor, Warehouse, code_version

DAILY_RISK, INSIGHTS, CALIBRATE, SEED_BENCHMARK = nightly.DAILY_RISK, "insights", "calibrate", "seed_benchmark"
_RETRY_WHOLE_RUN = {"dagster/retry_strategy": "ALL_STEPS"}
"""A failed check that is retried alone sees the same rows: what it checks is computed again too."""
_MODEL = dg.AssetSelection.groups("model")


def build_definitions(*, nightly_on: bool = False) -> dg.Definitions:
    """Assemble the graph, and whether the schedule and the alerts are on where nobody has switched them."""
    warehouse = Warehouse()
    return dg.Definitions(
        assets=dg.load_assets_from_modules([market_data, model, positions, portfolios, risk, scores, insights]),
        asset_checks=dg.load_asset_checks_from_modules([checks, insights, nightly, price_checks]),
        jobs=[
            dg.define_asset_job(
                DAILY_RISK,
                selection=dg.AssetSelection.all() - _MODEL - dg.AssetSelection.checks(nightly.last_night),
                description="Every metric of every portfolio for one exchange session, or for a range of them in one run.",
                tags={"riskmetrics/code_version": code_version()} | _RETRY_WHOLE_RUN,
            ),
            dg.define_asset_job(
                INSIGHTS,
                selection=dg.AssetSelection.groups("insights"),
                description="What is said of results that are stored: insights that are missing, or whose facts have changed.",
                tags={"riskmetrics/code_version": code_version()},
            ),
            dg.define_asset_job(
                CALIBRATE,
                selection=_MODEL,
                description="A new version of the volatility forecast's coefficients, from all stored history; bad fits are refused.",
                tags={"riskmetrics/code_version": code_version()},
            ),
            dg.define_asset_job(
                SEED_BENCHMARK,
                selection=[market_data.benchmark_weights],
                description="Sector weights of the S&P 500 from the vendor, without waiting until those stored are a week old.",
                config={"ops": {"benchmark_weights": {"config": {"anew": True}}}},
                tags={"riskmetrics/code_version": code_version()},
            ),
            batches.collect_insights,
        ],
        schedules=[nightly.schedule(on=nightly_on)],
        sensors=[*nightly.sensors(on=nightly_on), batches.insight_batches],
        resources={
            "warehouse": warehouse,
            "vendor": Vendor(warehouse=warehouse),
            "model": Model(warehouse=warehouse),
            "io_manager": TablesOnly(warehouse=warehouse),
        },
        executor=dg.in_process_executor,  # few assets, vectorised inside: a process per step costs more than it brings
    )


defs = build_definitions(nightly_on=settings.load().nightly)

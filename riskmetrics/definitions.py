"""Wiring: assets, checks, the jobs and the resources. Nothing is computed or decided here."""

import gc
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from riskmetrics import settings
from riskmetrics.assets import (
    batch_collection,
    har_calibration,
    insight_generation,
    limit_checks,
    market_data,
    market_data_checks,
    nightly,
)
from riskmetrics.assets.risk import build_risk_results
from riskmetrics.catalog.registry import load_extensions
from riskmetrics.computations.extension import PortfolioFigure
from riskmetrics.computations.result_assets import RESULT_ASSETS
from riskmetrics.errors import ConfigurationError
from riskmetrics.resources import (
    LanguageModel,
    MarketDataVendor,
    NoDataIOManager,
    Warehouse,
    code_version,
)

DAILY_RISK, INSIGHTS, CALIBRATE, SEED_BENCHMARK = (
    nightly.DAILY_RISK,
    "insights",
    "calibrate",
    "seed_benchmark",
)
_RETRY_ALL_STEPS = {"dagster/retry_strategy": "ALL_STEPS"}
"""A failed check that is retried alone sees the same rows: what it checks is computed again too."""
_CALIBRATION_ASSETS = dg.AssetSelection.groups("model")


def build_definitions(
    *,
    extra_metrics: Sequence[PortfolioFigure] = (),
    resource_overrides: Mapping[str, Any] | None = None,
    is_schedule_enabled: bool = False,
) -> dg.Definitions:
    """Build the definitions of this package, alone or with assets of your own.

    Parameters
    ----------
    extra_metrics : sequence of PortfolioFigure
        Figures that become assets, in addition to those of this package.
    resource_overrides : mapping of str to resource, optional
        Resources that replace ``warehouse``, ``vendor``, ``language_model`` or ``io_manager``.
    is_schedule_enabled : bool
        Whether schedule and alerts are on.

    Raises
    ------
    ConfigurationError
        If a figure has the name of another figure or asset.
    """
    others = [
        market_data.market_data,
        har_calibration.har_coefficients,
        limit_checks.portfolio_limit_checks,
        insight_generation.ai_insights,
    ]
    extensions = [metric.asset for metric in extra_metrics]
    taken = {key.to_user_string() for assets in others for key in assets.keys}
    for asset in (*RESULT_ASSETS, *extensions):
        if asset.name in taken:
            raise ConfigurationError(
                f"two assets are named {asset.name}: rename the figure of the extension"
            )
        taken.add(asset.name)
    assets = [*others, build_risk_results([*RESULT_ASSETS, *extensions])]
    keys = {key for definition in assets for key in definition.keys}
    return dg.Definitions(
        assets=assets,
        asset_checks=[
            *dg.load_asset_checks_from_modules([insight_generation, market_data_checks]),
            nightly.build_last_scheduled_run(keys),
        ],
        jobs=_build_jobs(),
        schedules=[nightly.build_schedule(is_enabled=is_schedule_enabled)],
        sensors=[
            *nightly.build_sensors(is_enabled=is_schedule_enabled),
            batch_collection.insight_batches,
        ],
        resources=_build_resources(resource_overrides or {}),
        # vectorized assets: a process per step costs more than it saves
        executor=dg.in_process_executor,
    )


def _build_jobs() -> list[Any]:
    """Build the jobs, whose runs show the version of the code."""
    return [
        dg.define_asset_job(
            DAILY_RISK,
            selection=dg.AssetSelection.all()
            - _CALIBRATION_ASSETS
            - dg.AssetSelection.checks(nightly.LAST_SCHEDULED_RUN),
            description=(
                "Every metric of every portfolio for one exchange session, or for a range of"
                " them in one run."
            ),
            tags={"riskmetrics/code_version": code_version()} | _RETRY_ALL_STEPS,
        ),
        dg.define_asset_job(
            INSIGHTS,
            selection=dg.AssetSelection.groups("insights"),
            description="Insights that are missing, or whose facts have changed.",
            tags={"riskmetrics/code_version": code_version()},
        ),
        dg.define_asset_job(
            CALIBRATE,
            selection=_CALIBRATION_ASSETS,
            description=(
                "A new version of the volatility forecast's coefficients, from all stored"
                " history; bad fits are refused."
            ),
            tags={"riskmetrics/code_version": code_version()},
        ),
        dg.define_asset_job(
            SEED_BENCHMARK,
            selection=dg.AssetSelection.assets("benchmark_weights"),
            description=(
                "Sector weights of the S&P 500 from the vendor, without waiting until those"
                " stored are a week old."
            ),
            config={"ops": {"market_data": {"config": {"force_benchmark": True}}}},
            tags={"riskmetrics/code_version": code_version()},
        ),
        batch_collection.collect_insights,
    ]


def _build_resources(overrides: Mapping[str, Any]) -> Mapping[str, Any]:
    """Build the resources, which share one database."""
    warehouse = overrides.get("warehouse", Warehouse())
    return {
        "warehouse": warehouse,
        "vendor": MarketDataVendor(warehouse=warehouse),
        "language_model": LanguageModel(warehouse=warehouse),
        "io_manager": NoDataIOManager(warehouse=warehouse),
        **overrides,
    }


defs = build_definitions(
    extra_metrics=load_extensions(), is_schedule_enabled=settings.load().nightly
)
# A process that loads this module keeps it to its end. Looking for garbage in it, at the latest
# when the process ends, takes as long as a quarter of the imports.
gc.freeze()

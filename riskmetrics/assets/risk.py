"""The risk results of a run: every table of positions and portfolios, from one snapshot of inputs.

They are one step, so that they share a `RunInputs` whatever executor runs them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from graphlib import TopologicalSorter

import dagster as dg

from riskmetrics.assets import checks, reports
from riskmetrics.assets.isolation import AssetResult, materialize_each
from riskmetrics.assets.partitions import run_sessions, session_partitions
from riskmetrics.assets.table_schemas import table_metadata
from riskmetrics.computations.position_figures import POSITION_ASSETS
from riskmetrics.computations.result_asset import Edge, ResultAsset
from riskmetrics.computations.risk_figures import RISK_ASSETS
from riskmetrics.computations.snapshot_figures import SNAPSHOT_ASSETS
from riskmetrics.db.result_writes import write_computed
from riskmetrics.inputs.run_inputs import RunInputs
from riskmetrics.resources import Warehouse, provenance

RESULT_ASSETS = (*POSITION_ASSETS, *SNAPSHOT_ASSETS, *RISK_ASSETS)

_CHECKS: Mapping[str, Callable[..., dg.AssetCheckResult]] = {
    "position_betas": checks.betas_match_statsmodels
}
"""Blocking checks of assets that others in this step follow from."""


def build_risk_results(assets: Sequence[ResultAsset] = RESULT_ASSETS) -> dg.AssetsDefinition:
    """Return the assets of results, as one step of which any can be selected."""
    by_name = {asset.name: asset for asset in assets}
    upstream = {name: [*asset.upstream] for name, asset in by_name.items()}
    order = [name for name in TopologicalSorter(upstream).static_order() if name in by_name]

    @dg.multi_asset(
        name="risk_results",
        specs=[_spec(asset) for asset in assets],
        check_specs=[
            dg.AssetCheckSpec(
                check.__name__,
                asset=name,
                blocking=True,
                description=f"{check.__doc__}",
            )
            for name, check in _CHECKS.items()
        ],
        partitions_def=session_partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        can_subset=True,
    )
    def risk_results(
        context: dg.AssetExecutionContext, warehouse: Warehouse
    ) -> Iterator[AssetResult]:
        """Compute what is selected, from one snapshot of the inputs."""
        sessions = run_sessions(context)
        selected = {key.to_user_string() for key in context.selected_asset_keys}
        checked = {key.asset_key.to_user_string() for key in context.selected_asset_check_keys}
        with warehouse.snapshot() as snapshot:
            inputs = RunInputs(snapshot, sessions)

            def materialize(name: str) -> Iterator[AssetResult]:
                if name in selected:
                    yield _materialize(context, warehouse, by_name[name], inputs)
                if name in checked:
                    yield _CHECKS[name](warehouse, sessions)

            chosen = {name: upstream[name] for name in order if name in selected | checked}
            yield from materialize_each(context, chosen, materialize)

    return risk_results


def _spec(asset: ResultAsset) -> dg.AssetSpec:
    edges = [
        f"It {edge.value} {', '.join(names)}."
        for edge in Edge
        if (names := [name for name, carries in asset.upstream.items() if carries is edge])
    ]
    return dg.AssetSpec(
        asset.name,
        deps=[*asset.upstream],
        description=" ".join([asset.description, *edges]),
        group_name=asset.group,
        kinds={"postgres", "pandas"},
        owners=["team:riskmetrics"],
        metadata=table_metadata(*asset.tables),
    )


def _materialize(
    context: dg.AssetExecutionContext, warehouse: Warehouse, asset: ResultAsset, inputs: RunInputs
) -> dg.MaterializeResult[None]:
    """Compute an asset, write its rows in one transaction, and describe them."""
    with warehouse.begin(asset.name) as connection:
        computed = (
            asset.compute(inputs)
            if asset.read_results is None
            else asset.compute(inputs, asset.read_results(connection, inputs.sessions))
        )
        written = write_computed(connection, computed, inputs.sessions, provenance(context))
    reports.log_materialization(context, asset, inputs.sessions, *written[0])
    return dg.MaterializeResult(asset_key=asset.name)

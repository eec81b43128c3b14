"""The risk results of a run: every table of positions and portfolios, from one snapshot of inputs.

They are one step, so that they share a `RunInputs` whatever executor runs them.
"""

from collections.abc import Collection, Iterator, Sequence, Set
from dataclasses import replace
from datetime import date

import dagster as dg

from riskmetrics.assets import reports
from riskmetrics.assets.isolation import AssetResult, BlockedError, materialize_each
from riskmetrics.assets.partitions import run_sessions, session_partitions
from riskmetrics.assets.result_checks import RESULT_CHECKS, ResultCheck
from riskmetrics.assets.table_schemas import table_metadata
from riskmetrics.computations.result_asset import Edge, ResultAsset
from riskmetrics.computations.result_assets import RESULT_ASSETS
from riskmetrics.db import shown_names
from riskmetrics.db.first_session import read_first_session
from riskmetrics.errors import InvalidSessionError
from riskmetrics.resources import Warehouse, provenance

_CHECKS = {f"{check.asset}:{check.name}": check for check in RESULT_CHECKS}


def build_risk_results(assets: Sequence[ResultAsset] = RESULT_ASSETS) -> dg.AssetsDefinition:
    """Return the assets of results as one step, in which any can be selected.

    ``assets`` are in the order in which they are computed: each after what it follows from.
    """
    by_name = {asset.name: asset for asset in assets}

    @dg.multi_asset(
        name="risk_results",
        specs=[_spec(asset) for asset in assets],
        check_specs=[
            dg.AssetCheckSpec(
                check.name,
                asset=check.asset,
                blocking=check.is_blocking,
                description=check.description,
            )
            for check in RESULT_CHECKS
        ],
        partitions_def=session_partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        can_subset=True,
    )
    def risk_results(
        context: dg.AssetExecutionContext, warehouse: Warehouse
    ) -> Iterator[AssetResult]:
        """Compute what is selected, write each asset in a transaction, and check what is stored."""
        sessions = run_sessions(context)
        _require_prices(warehouse, sessions)
        selected = {key.to_user_string() for key in context.selected_asset_keys}
        checked = {
            f"{key.asset_key.to_user_string()}:{key.name}"
            for key in context.selected_asset_check_keys
        }
        with warehouse.result_run(assets, selected, sessions, provenance(context)) as run:

            def materialize(name: str, stopped: Set[str]) -> Iterator[AssetResult]:
                if check := _CHECKS.get(name):
                    yield from _evaluate(check, warehouse, sessions, context.instance)
                    return
                asset = by_name[name]
                summary = run.store(asset, stopped)
                with warehouse.read() as connection:
                    preview = shown_names.replace_ids_with_names(connection, summary.preview)
                reports.log_materialization(context, asset, replace(summary, preview=preview))
                yield dg.MaterializeResult(asset_key=name)

            yield from materialize_each(context, _upstream(assets, selected | checked), materialize)

    return risk_results


def _require_prices(warehouse: Warehouse, sessions: Sequence[date]) -> None:
    """Raise InvalidSessionError if a session is before any stored price: nothing has a value on it.

    Without any price the assets say which ones are missing.
    """
    with warehouse.read() as connection:
        first = read_first_session(connection)
    if first and sessions[0] < first:
        raise InvalidSessionError(
            f"{sessions[0]} is before the first stored price, of {first}: choose a later session,"
            " or import older prices with `riskmetrics import prices FILE`"
        )


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


def _upstream(assets: Sequence[ResultAsset], chosen: Collection[str]) -> dict[str, list[str]]:
    """Return chosen assets, each with its checks after it, and what each of them follows from."""
    upstream: dict[str, list[str]] = {}
    for asset in assets:
        gates = [
            label
            for label, check in _CHECKS.items()
            if check.is_blocking and check.asset in asset.upstream
        ]
        own = [label for label, check in _CHECKS.items() if check.asset == asset.name]
        upstream |= {asset.name: [*asset.upstream, *gates]} | {label: [asset.name] for label in own}
    return {name: follows for name, follows in upstream.items() if name in chosen}


def _evaluate(
    check: ResultCheck,
    warehouse: Warehouse,
    sessions: Sequence[date],
    instance: dg.DagsterInstance,
) -> Iterator[dg.AssetCheckResult]:
    """Yield the result of a check; a blocking one that fails stops what follows from its asset."""
    result = check.evaluate(warehouse, sessions, instance)
    yield result
    if check.is_blocking and not result.passed:
        raise BlockedError

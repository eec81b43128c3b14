"""All assets of results, in the order in which they are computed."""

from collections.abc import Mapping
from functools import cache

from riskmetrics.catalog.registry import load_extensions
from riskmetrics.computations.position_figures import POSITION_ASSETS
from riskmetrics.computations.result_asset import ResultAsset
from riskmetrics.computations.risk_figures import RISK_ASSETS
from riskmetrics.computations.snapshot_figures import SNAPSHOT_ASSETS

RESULT_ASSETS = (*POSITION_ASSETS, *SNAPSHOT_ASSETS, *RISK_ASSETS)


@cache
def installed_assets() -> Mapping[str, ResultAsset]:
    """Return the assets of this package and of installed extensions, by name."""
    extensions = [metric.asset for metric in load_extensions()]
    return {asset.name: asset for asset in (*RESULT_ASSETS, *extensions)}

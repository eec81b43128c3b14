"""Walk-forward test of calibration: a fit at the start of each year, scored on that year."""

from typing import Any

import numpy as np
import pandas as pd

from riskmetrics.errors import CalibrationRejectedError
from riskmetrics.metrics import har
from riskmetrics.metrics.forecast_comparison import diebold_mariano
from riskmetrics.metrics.forecast_score import FORECAST_HORIZON, qlike
from riskmetrics.metrics.variance_correction import STOCK
from riskmetrics.results.calibration_panels import CalibrationPanel
from riskmetrics.results.model_calibration import propose_version
from riskmetrics.results.model_versions import ModelVersions, parse_versions
from riskmetrics.results.volatility_results import forecast_volatility


def backtest_calibration(
    bars: dict[str, pd.DataFrame],
    market: str,
    stored_versions: pd.DataFrame,
    stored_corrections: pd.DataFrame,
    suspects: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the losses of yearly fits and of the versions in use, by calendar year.

    A fit of a year uses the sessions before it, and forecasts those in it. Columns: year, n_obs,
    qlike_refitted, qlike_in_use, t (Diebold-Mariano; below 0, the fit is better), and the reason
    why a year has no fit. Parameters are those of `propose_version`.
    """
    panel = CalibrationPanel.build(bars, market, suspects)
    days = pd.DatetimeIndex(bars["adj_close"].index)
    stored = parse_versions(stored_versions, stored_corrections)
    rows = []
    for year in range(int(days[0].year) + 1, int(days[-1].year) + 1):
        before = {name: prices[days.year < year] for name, prices in bars.items()}
        row: dict[str, Any] = {"year": year, "n_obs": 0, "reason": None}
        try:
            proposal = propose_version(
                before, market, stored_versions, suspects, stored_corrections
            )
        except CalibrationRejectedError as error:
            rows.append(row | {"reason": str(error)})
            continue
        fitted = parse_versions(proposal.rows.assign(created_at=""), proposal.corrections)
        rows.append(row | _compare(panel, year, fitted, stored))
    columns = ["year", "n_obs", "qlike_refitted", "qlike_in_use", "t", "reason"]
    return pd.DataFrame(rows).reindex(columns=columns)


def _compare(
    panel: CalibrationPanel, year: int, fitted: ModelVersions, stored: ModelVersions
) -> dict[str, Any]:
    """Return the losses of both models over the days of a year."""
    losses: list[list[Any]] = [[], []]
    for block in panel.stock_blocks(har.PROXIES[har.RANGE_MARKET]):
        is_of_year = block.days.year == year
        inputs = har.Regressors._make(values[is_of_year] for values in block.inputs)
        features = type(block.features)._make(values[is_of_year] for values in block.features)
        series_class = np.full(inputs.level.shape[1], STOCK)
        for versions, found in zip((fitted, stored), losses, strict=True):
            version = versions.version_on(block.days[is_of_year])
            forecast = forecast_volatility(inputs, features, versions, version, series_class)
            found.append(
                qlike(
                    block.outcomes[FORECAST_HORIZON][is_of_year],
                    forecast.forecast.root_variance_forecast,
                )
            )
    refitted, in_use = (np.concatenate(found, axis=1) for found in losses)
    both = np.isfinite(refitted) & np.isfinite(in_use)
    if not both.any():
        return {"reason": "no forecast of the year is completed"}
    return {
        "n_obs": int(both.sum()),
        "qlike_refitted": float(refitted[both].mean()),
        "qlike_in_use": float(in_use[both].mean()),
        "t": diebold_mariano(refitted, in_use).t,
    }

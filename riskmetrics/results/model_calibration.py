"""Calibration of a new version of the volatility forecast's coefficients to stored prices."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from riskmetrics.errors import CalibrationRejectedError
from riskmetrics.metrics import calibration, har
from riskmetrics.metrics.forecast_features import FEATURES
from riskmetrics.metrics.forecast_score import FORECAST_HORIZON, HORIZONS
from riskmetrics.metrics.variance_correction import Correction, Corrections
from riskmetrics.results.calibration_panels import CalibrationPanel
from riskmetrics.results.correction_fits import CorrectionFits, fit_corrections
from riskmetrics.results.model_versions import (
    EWMA_WEIGHT_COLUMNS,
    FEATURE_PARTS,
    REQUIRED_CLASSES,
    STD_ERROR_COLUMNS,
    WEIGHT_COLUMNS,
    HorizonModel,
    ModelVersions,
    correction_row,
    parse_coefficients,
    parse_versions,
    version_digest,
)

_COEFFICIENT_DECIMALS = 10
"""Decimals of coefficients, beyond the precision of a fit.

The last bits may depend on the processor, and the digest of a version must not.
"""

_COEFFICIENT_COLUMNS = [*WEIGHT_COLUMNS, "residual_variance"]

_SHOWN_CORRECTIONS = ["constant", "season_weight", "quarter_weight", "range_level_weight"]

_CORRECTION_COLUMNS = [
    *("series_class", "horizon", "n_obs", "constant", "volatility_ratio", "low", "high"),
    *("rise_mean", "rise_sd"),
    *(f"{feature}_{part}" for feature in FEATURES for part in FEATURE_PARTS),
    *EWMA_WEIGHT_COLUMNS,
]


@dataclass(frozen=True)
class Proposal:
    """Coefficients fitted to a history, with the version in use at its end."""

    version: str
    current_version: str
    """Version in use on the last session of the history."""
    rows: pd.DataFrame
    """Rows of `har_coefficients`, without created_at; code_version is NA for a new fit."""
    corrections: pd.DataFrame
    """Rows of `variance_corrections`."""
    current_corrections: pd.DataFrame
    """Rows of the version in use."""
    r_squared: "pd.Series[float]"
    """In-sample R² by proxy, 21 sessions; NaN where the current coefficients are kept."""
    kept_reasons: dict[str, str]
    """Reason why a proxy or a correction keeps the current numbers; of other horizons than 21
    sessions, with the horizon."""
    stored_versions: pd.DataFrame
    """Rows of every version stored."""

    @property
    def is_stored(self) -> bool:
        """Whether a stored version has the same coefficients and dates."""
        return bool((self.stored_versions["digest"] == self.rows["digest"].iloc[0]).any())

    def new_rows(self, code_version: str) -> pd.DataFrame:
        """Return the rows to store; none if the version is stored already."""
        rows = self.rows.iloc[:0] if self.is_stored else self.rows
        return rows.fillna({"code_version": code_version})

    def comparison(self) -> pd.DataFrame:
        """Return the coefficients of each proxy with their observations, new before current ones.

        Current coefficients are listed only if they differ from the new ones.
        """
        columns = [
            "proxy",
            "version",
            *_COEFFICIENT_COLUMNS,
            "n_obs",
            "n_symbols",
            "first_day",
            "last_target",
        ]
        rows, stored = (
            frame[frame["horizon"] == FORECAST_HORIZON]
            for frame in (self.rows, self.stored_versions)
        )
        new = rows[columns].assign(r_squared=rows["proxy"].map(self.r_squared))
        present = stored[columns].assign(r_squared=np.nan)
        present = present[
            (present["version"] == self.current_version) & (self.current_version != self.version)
        ]
        both = pd.concat([new, present]).sort_values(
            "proxy", key=lambda names: names.map(har.PROXIES.index), kind="stable"
        )
        return both.reset_index(drop=True)

    def summary(self) -> dict[str, Any]:
        """Return the proposal as JSON-compatible values."""
        table = self.comparison()
        table = table.assign(
            **{name: table[name].dt.strftime("%Y-%m-%d") for name in ("first_day", "last_target")}
        ).astype(object)
        rows = table.where(table.notna(), None).to_dict("records")
        known_from = self.rows["last_target"].max().date().isoformat()
        version_keys = {
            "version": self.version,
            "known_from": known_from,
            "present": self.current_version,
            "new": not self.is_stored,
        }
        names = ["version", "series_class", "horizon", *_SHOWN_CORRECTIONS]
        parts = [self.corrections[names]]
        if self.current_version != self.version:
            parts.append(self.current_corrections[names])
        corrections = pd.concat([part for part in parts if len(part)] or parts)
        corrections = corrections.sort_values(["horizon", "series_class"], kind="stable")
        return {
            **version_keys,
            "kept": self.kept_reasons,
            "coefficients": rows,
            "corrections": corrections.to_dict("records"),
        }

    def new_corrections(self) -> pd.DataFrame:
        """Return the corrections to store; none if the version is stored already."""
        return self.corrections.iloc[:0] if self.is_stored else self.corrections


def propose_version(
    bars: dict[str, pd.DataFrame],
    market: str,
    stored_versions: pd.DataFrame,
    suspects: pd.DataFrame | None = None,
    stored_corrections: pd.DataFrame | None = None,
) -> Proposal:
    """Fit the coefficients of every proxy, and the corrections, to a history.

    A proxy or a correction that cannot be fitted keeps the numbers in use on the last session.

    Parameters
    ----------
    bars : dict of DataFrame
        adj_close, high and low, and optionally open, close and volume, each sessions x symbols;
        every symbol but the market is included.
    market : str
        Symbol whose volatility is a regressor.
    stored_versions : DataFrame
        Rows of `har_coefficients`.
    suspects : DataFrame, optional
        Suspected splits, as from `panels.suspected_splits`; their returns are left out.
    stored_corrections : DataFrame, optional
        Rows of `variance_corrections`.

    Raises
    ------
    CalibrationRejectedError
        If close_market cannot be fitted for 21 sessions, because most forecasts use it.

    Notes
    -----
    A kept row also keeps the days of its fit, so a version that kept it from a later one is known
    from that one's last target on. A correction is not kept from a later version.
    """
    panel = CalibrationPanel.build(bars, market, suspects)
    days = pd.DatetimeIndex(panel.returns.frame.index)
    versions = parse_versions(stored_versions, stored_corrections)
    current = int(versions.version_on(days[-1:])[0])
    in_use = stored_versions[stored_versions["version"] == versions.names[current]]
    priced = bars["adj_close"].drop(columns=market).notna().any(axis=1)
    first_day = pd.Timestamp(bars["adj_close"].index[priced][0])
    fit_columns = {"first_day": first_day, "last_target": days[-1], "code_version": pd.NA}
    is_earlier = versions.last_target[current] <= days[-1].to_datetime64()
    fitted = _fit_horizons(panel, versions, current if is_earlier else None, in_use, fit_columns)
    rows = pd.concat([one.rows for one in fitted.values()], ignore_index=True)
    version, hashed = _name_version(rows, {name: one.model for name, one in fitted.items()})
    corrections = [row for one in fitted.values() for row in one.correction_rows]
    return Proposal(
        version=version,
        current_version=versions.names[current],
        rows=rows.assign(version=version, digest=hashed),
        corrections=pd.DataFrame(corrections, columns=_CORRECTION_COLUMNS).assign(version=version),
        current_corrections=_of_version(stored_corrections, versions.names[current]),
        r_squared=pd.Series(fitted[FORECAST_HORIZON].r_squared),
        kept_reasons={k: v for one in fitted.values() for k, v in one.kept_reasons.items()},
        stored_versions=stored_versions,
    )


class _HorizonFit(NamedTuple):
    """Coefficients and corrections of a horizon, with the reasons of kept ones by their label."""

    rows: pd.DataFrame
    model: HorizonModel
    correction_rows: list[dict[str, Any]]
    r_squared: dict[str, float]
    kept_reasons: dict[str, str]


def _fit_horizons(
    panel: CalibrationPanel,
    versions: ModelVersions,
    current: int | None,
    in_use: pd.DataFrame,
    fit_columns: dict[str, Any],
) -> dict[int, _HorizonFit]:
    """Fit each horizon, that of 21 sessions first; a version may do without the others.

    ``current`` is the version whose corrections may be kept, and ``in_use`` its rows.
    """
    fitted = {}
    for horizon in sorted(HORIZONS, key=lambda one: one != FORECAST_HORIZON):
        own = in_use[in_use["horizon"] == horizon].drop(columns="created_at").set_index("proxy")
        present = {} if current is None else versions.models(horizon).corrections[current]
        found = _fit_horizon(panel, horizon, own, present, fit_columns)
        if found is not None:
            fitted[horizon] = found
    return fitted


def _fit_horizon(
    panel: CalibrationPanel,
    horizon: int,
    in_use: pd.DataFrame,
    present: Corrections,
    fit_columns: dict[str, Any],
) -> _HorizonFit | None:
    """Fit a horizon; None if a proxy cannot be fitted and has no coefficients ``in_use``."""
    fits, kept = _fit_proxies(panel, horizon)
    if not set(har.PROXIES) <= set(fits) | set(in_use.index):
        return None
    rows = _build_proxy_rows(fits, fit_columns, in_use, kept).assign(horizon=horizon)
    coefficients = dict(zip(rows["proxy"], parse_coefficients(rows), strict=True))
    corrections, n_obs = _fit_corrections(panel, coefficients, horizon, present, kept)
    correction_rows = [
        {"series_class": name, "horizon": horizon, "n_obs": n_obs.get(name)} | correction_row(one)
        for name, one in corrections.items()
    ]
    r_squared = {proxy: fit.r_squared for proxy, fit in fits.items()}
    model = HorizonModel(coefficients, corrections)
    kept = {_label(name, horizon): why for name, why in kept.items()}
    return _HorizonFit(rows, model, correction_rows, r_squared, kept)


def _of_version(corrections: pd.DataFrame | None, version: str) -> pd.DataFrame:
    """Return the corrections of a version; none if it has none."""
    if corrections is None:
        return pd.DataFrame(columns=["version", *_CORRECTION_COLUMNS])
    return corrections[corrections["version"] == version]


def _label(name: str, horizon: int) -> str:
    return name if horizon == FORECAST_HORIZON else f"{name}, {horizon} sessions"


def _fit_proxies(
    panel: CalibrationPanel, horizon: int
) -> tuple[dict[str, calibration.Calibration], dict[str, str]]:
    """Fit each proxy; return the fits, and the reasons why other proxies keep their coefficients.

    Raises a CalibrationRejectedError if close_market cannot be fitted for 21 sessions.
    """
    fits: dict[str, calibration.Calibration] = {}
    kept_reasons: dict[str, str] = {}
    for proxy in har.PROXIES:
        blocks = ((block.inputs, block.outcomes[horizon]) for block in panel.stock_blocks(proxy))
        try:
            fits[proxy] = calibration.fit(blocks, proxy=proxy, horizon=horizon)
        except CalibrationRejectedError as error:
            if proxy == har.PROXIES[har.CLOSE_MARKET] and horizon == FORECAST_HORIZON:
                raise
            kept_reasons[proxy] = str(error)
    return fits, kept_reasons


def _fit_corrections(
    panel: CalibrationPanel,
    coefficients: har.ModelVersion,
    horizon: int,
    present: Corrections,
    kept: dict[str, str],
) -> tuple[dict[str, Correction], dict[str, int]]:
    """Fit the corrections of a horizon; one that is rejected stays, and is added to ``kept``."""
    try:
        fits = fit_corrections(panel, [panel], coefficients, horizon)
    except CalibrationRejectedError as error:
        fits = CorrectionFits({}, {}, dict.fromkeys(REQUIRED_CLASSES, str(error)))
    kept |= {f"correction of {name}": why for name, why in fits.rejections.items()}
    corrections = {
        name: Correction._make(np.round(value, _COEFFICIENT_DECIMALS) for value in one)
        for name, one in (dict(present) | fits.corrections).items()
    }
    complete = set(REQUIRED_CLASSES) <= set(corrections)
    return (corrections if complete else {}), fits.n_obs


def _build_proxy_rows(
    fits: dict[str, calibration.Calibration],
    fit_columns: dict[str, Any],
    in_use: pd.DataFrame,
    kept_reasons: dict[str, str],
) -> pd.DataFrame:
    """Return a row per proxy: its fit with ``fit_columns``, or the row in use that it keeps."""
    rows = pd.DataFrame(
        [
            (
                _fitted_row(proxy, fits[proxy]) | fit_columns
                if proxy in fits
                else _kept_row(proxy, in_use, kept_reasons[proxy])
            )
            for proxy in har.PROXIES
        ]
    )
    return rows.astype(
        {"n_obs": "Int64", "n_symbols": "Int64", "code_version": "str", "rejection_reason": "str"}
    )


def _fitted_row(proxy: str, fit: calibration.Calibration) -> dict[str, Any]:
    numbers = np.round(
        [*fit.coefficients.weights, fit.coefficients.residual_variance], _COEFFICIENT_DECIMALS
    )
    std_errors = dict(
        zip(STD_ERROR_COLUMNS, np.round(fit.std_errors, _COEFFICIENT_DECIMALS), strict=True)
    )
    counts = {"n_obs": fit.n_obs, "n_symbols": fit.n_symbols, "rejection_reason": None}
    return {
        "proxy": proxy,
        **dict(zip(_COEFFICIENT_COLUMNS, numbers, strict=True)),
        **std_errors,
        **counts,
    }


def _kept_row(proxy: str, in_use: pd.DataFrame, why: str) -> dict[str, Any]:
    return {
        "proxy": proxy,
        **in_use.drop(columns=["version", "digest"]).loc[proxy],
        "rejection_reason": why,
    }


def _name_version(rows: pd.DataFrame, horizons: dict[int, HorizonModel]) -> tuple[str, str]:
    """Return the name of a version, from its last session and its digest, and the digest."""
    first, last = rows["first_day"].min().date(), rows["last_target"].max().date()
    hashed = version_digest(horizons[FORECAST_HORIZON].coefficients, first, last, horizons)
    return f"calibrated-{last}-{hashed[:8]}", hashed

"""Versions of the volatility forecast's coefficients, and the version known on a day."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from riskmetrics.errors import DataQualityError
from riskmetrics.metrics import har
from riskmetrics.metrics._typing import BoolArray, IntArray
from riskmetrics.metrics.forecast_features import FEATURES
from riskmetrics.metrics.forecast_score import FORECAST_HORIZON
from riskmetrics.metrics.variance_correction import (
    EWMA_DECAYS,
    Correction,
    Corrections,
    CorrectionTable,
)

WEIGHT_COLUMNS = ("constant", "day_weight", "week_weight", "month_weight", "market_weight")
"""Columns of `har_coefficients` in the order of `har.Coefficients.weights`."""

STD_ERROR_COLUMNS = (
    "constant_std_error",
    "day_std_error",
    "week_std_error",
    "month_std_error",
    "market_std_error",
)
"""Columns of the standard errors, in the same order."""


FEATURE_PARTS = ("weight", "center", "lowest", "highest")
"""Numbers of a feature in `variance_corrections`: fields of `Correction`, without the plural."""

_SCALARS = ("constant", "volatility_ratio", "low", "high", "rise_mean", "rise_sd")

EWMA_WEIGHT_COLUMNS = tuple(f"ewma_{round(100 * decay)}_weight" for decay in EWMA_DECAYS)
"""Columns of `variance_corrections` in the order of `Correction.ewma_weights`."""

REQUIRED_CLASSES = ("stock", "diversified")
"""Classes of series that corrections need; the others are optional."""


class HorizonModel(NamedTuple):
    """What a version knows about one horizon."""

    coefficients: har.ModelVersion
    corrections: Corrections
    """Empty for a version from before there were any."""


class HorizonModels(NamedTuple):
    """The models of all versions for one horizon."""

    coefficients: list[har.ModelVersion]
    corrections: list[Corrections]
    is_known: BoolArray
    """Whether a version has this horizon, (V,); one without it has the model of 21 sessions."""
    table: CorrectionTable
    """The corrections as arrays."""


@dataclass(frozen=True)
class ModelVersions:
    """Model versions in the order in which they became known."""

    names: list[str]
    coefficients: list[har.ModelVersion]
    """Coefficients of 21 sessions."""
    last_target: "np.ndarray[tuple[int], np.dtype[np.datetime64]]"
    horizons: list[Mapping[int, HorizonModel]] = field(default_factory=list)
    """Models by horizon; empty: only coefficients are known."""
    _models: dict[int, HorizonModels] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def models(self, horizon: int) -> HorizonModels:
        """Return the models of all versions for one horizon; they are built once."""
        if horizon not in self._models:
            self._models[horizon] = self._build_models(horizon)
        return self._models[horizon]

    def _build_models(self, horizon: int) -> HorizonModels:
        known: list[Mapping[int, HorizonModel]] = self.horizons or [{} for _ in self.names]
        plain = [HorizonModel(coefficients, {}) for coefficients in self.coefficients]
        found = [models.get(horizon, model) for models, model in zip(known, plain, strict=True)]
        is_known = np.array([horizon == FORECAST_HORIZON or horizon in models for models in known])
        return HorizonModels(
            [model.coefficients for model in found],
            [model.corrections for model in found],
            is_known,
            CorrectionTable.build([model.corrections for model in found]),
        )

    def version_on(self, days: Sequence[date] | pd.DatetimeIndex) -> IntArray:
        """Return the index of the newest version known on each day; before the first, the first."""
        known = np.searchsorted(
            self.last_target, np.asarray(days, dtype="datetime64[D]"), side="right"
        )
        return np.maximum(known - 1, 0).astype(np.int64)

    def is_in_sample(self, days: Sequence[date] | pd.DatetimeIndex) -> BoolArray:
        """Return whether the fit of each day's version includes data after the day."""
        seen: BoolArray = (
            np.asarray(days, dtype="datetime64[D]") < self.last_target[self.version_on(days)]
        )
        return seen


def parse_versions(rows: pd.DataFrame, corrections: pd.DataFrame | None = None) -> ModelVersions:
    """Build versions from rows of `har_coefficients`, including created_at, and their corrections.

    ``corrections`` are rows of `variance_corrections`; None: there are none. Of two versions with
    the same last target the one created later counts.

    Raises
    ------
    DataQualityError
        If there is no version, or a version has no row for a proxy.
    """
    if rows.empty:
        raise DataQualityError(
            "har_coefficients is empty: restore the rows of version shipped-1, or a backup"
        )
    known_from = rows.groupby("version")["last_target"].transform("max")
    order = (
        rows.assign(known_from=known_from)
        .sort_values(["known_from", "created_at", "version"])["version"]
        .drop_duplicates()
    )
    last_target = rows.groupby("version")["last_target"].max()
    models = _parse_models(rows)
    for name in sorted(set(order)):
        absent = set(har.PROXIES) - set(models.get((name, FORECAST_HORIZON), ()))
        if absent:
            raise DataQualityError(
                f"version {name!s} in har_coefficients has no row for {', '.join(sorted(absent))}:"
                " restore a backup"
            )
    return ModelVersions(
        names=list(order),
        coefficients=[models[name, FORECAST_HORIZON] for name in order],
        last_target=np.array([last_target[name] for name in order], dtype="datetime64[D]"),
        horizons=[_parse_horizons(name, models, corrections) for name in order],
    )


def _parse_models(rows: pd.DataFrame) -> dict[tuple[str, int], har.ModelVersion]:
    """Return the coefficients of each version and horizon, by proxy."""
    found: dict[tuple[str, int], dict[str, har.Coefficients]] = {}
    for version, horizon, proxy, coefficients in zip(
        rows["version"], rows["horizon"], rows["proxy"], parse_coefficients(rows), strict=True
    ):
        found.setdefault((str(version), int(horizon)), {})[str(proxy)] = coefficients
    return dict(found)


def parse_coefficients(rows: pd.DataFrame) -> list[har.Coefficients]:
    """Return the coefficients of each row."""
    weights = rows[list(WEIGHT_COLUMNS)].to_numpy(float)
    variances = rows["residual_variance"].to_numpy(float)
    return list(map(har.Coefficients, weights, variances.tolist()))


def _parse_horizons(
    version: str,
    models: Mapping[tuple[str, int], har.ModelVersion],
    corrections: pd.DataFrame | None,
) -> dict[int, HorizonModel]:
    """Return the models of a version by horizon; one without all proxies is left out."""
    of_classes: dict[int, dict[str, Correction]] = {}
    if corrections is not None:
        for row in corrections[corrections["version"] == version].to_dict("records"):
            of_classes.setdefault(int(row["horizon"]), {})[row["series_class"]] = _correction(row)
    found = {}
    for name, horizon in sorted(models):
        coefficients, known = models[name, horizon], of_classes.get(horizon, {})
        if name == version and set(har.PROXIES) <= set(coefficients):
            complete = known if set(REQUIRED_CLASSES) <= set(known) else {}
            found[horizon] = HorizonModel(coefficients, complete)
    return found


def _correction(row: Mapping[Any, Any]) -> Correction:
    fields: dict[str, Any] = {name: float(row[name]) for name in _SCALARS}
    for name, part in zip(("weights", "centers", "lowest", "highest"), FEATURE_PARTS, strict=True):
        fields[name] = np.array([float(row[f"{feature}_{part}"]) for feature in FEATURES])
    ewma_weights = np.array([float(row[name]) for name in EWMA_WEIGHT_COLUMNS])
    return Correction(**fields, ewma_weights=ewma_weights)


def correction_row(correction: Correction) -> dict[str, float]:
    """Return the columns of a correction in `variance_corrections`, apart from its key."""
    arrays = (correction.weights, correction.centers, correction.lowest, correction.highest)
    return (
        {name: getattr(correction, name) for name in _SCALARS}
        | {
            f"{feature}_{part}": float(values[at])
            for at, feature in enumerate(FEATURES)
            for part, values in zip(FEATURE_PARTS, arrays, strict=True)
        }
        | dict(zip(EWMA_WEIGHT_COLUMNS, map(float, correction.ewma_weights), strict=True))
    )


def version_digest(
    coefficients: Mapping[str, har.Coefficients],
    first_day: date,
    last_target: date,
    horizons: Mapping[int, HorizonModel] | None = None,
) -> str:
    """Return the SHA-256 of a version's numbers and dates, in hex; equal versions share it.

    ``coefficients`` are those of 21 sessions; ``horizons`` are the models of all horizons, if the
    version has corrections.
    """
    lines = [f"{first_day} {last_target}"]
    for proxy in sorted(coefficients):
        weights, residual_variance = coefficients[proxy]
        lines.append(
            " ".join([proxy, *(repr(float(number)) for number in (*weights, residual_variance))])
        )
    for horizon, model in sorted((horizons or {}).items()):
        for name, of_proxy in sorted(model.coefficients.items()):
            numbers = (*of_proxy.weights, of_proxy.residual_variance)
            lines.append(" ".join([str(horizon), name, *(repr(float(n)) for n in numbers)]))
        for name, correction in sorted(model.corrections.items()):
            numbers = tuple(correction_row(correction).values())
            lines.append(" ".join([str(horizon), name, *(repr(float(n)) for n in numbers)]))
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()

"""Versions of the volatility forecast's coefficients, and the version known on a day."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from riskmetrics.errors import DataQualityError
from riskmetrics.metrics import har
from riskmetrics.metrics._typing import BoolArray, IntArray

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


@dataclass(frozen=True)
class ModelVersions:
    """Model versions in the order in which they became known."""

    names: list[str]
    coefficients: list[har.ModelVersion]
    last_target: "np.ndarray[tuple[int], np.dtype[np.datetime64]]"

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


def parse_versions(rows: pd.DataFrame) -> ModelVersions:
    """Build versions from rows of `har_coefficients`, including created_at.

    Of two versions with the same last target the one created later counts.

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
    by_version = {str(name): group.set_index("proxy") for name, group in rows.groupby("version")}
    for name, group in by_version.items():
        absent = set(har.PROXIES) - set(group.index)
        if absent:
            raise DataQualityError(
                f"version {name!s} in har_coefficients has no row for {', '.join(sorted(absent))}:"
                " restore a backup"
            )
    return ModelVersions(
        names=list(order),
        coefficients=[_coefficients(by_version[name]) for name in order],
        last_target=np.array(
            [by_version[name]["last_target"].max() for name in order], dtype="datetime64[D]"
        ),
    )


def _coefficients(rows: pd.DataFrame) -> har.ModelVersion:
    weights = rows[list(WEIGHT_COLUMNS)].to_numpy(float)
    return {
        str(proxy): har.Coefficients(weights[row], float(rows["residual_variance"].iloc[row]))
        for row, proxy in enumerate(rows.index)
    }


def version_digest(
    coefficients: Mapping[str, har.Coefficients], first_day: date, last_target: date
) -> str:
    """Return the SHA-256 of a version's numbers and dates, in hex; equal versions share it."""
    lines = [f"{first_day} {last_target}"]
    for proxy in sorted(coefficients):
        weights, residual_variance = coefficients[proxy]
        lines.append(
            " ".join([proxy, *(repr(float(number)) for number in (*weights, residual_variance))])
        )
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()

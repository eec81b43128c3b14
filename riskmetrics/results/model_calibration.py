"""Calibration of a new version of the volatility forecast's coefficients to stored prices."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from riskmetrics import panels
from riskmetrics.errors import CalibrationRejectedError
from riskmetrics.metrics import calibration, har
from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.forecast_score import FORECAST_HORIZON, forward_realized_volatility
from riskmetrics.metrics.price_quality import point_in_time_estimates
from riskmetrics.results.model_versions import (
    STD_ERROR_COLUMNS,
    WEIGHT_COLUMNS,
    parse_versions,
    version_digest,
)

_PADDING_SESSIONS = har.LEVEL_WINDOW + FORECAST_HORIZON + 2
"""Empty sessions before a history, so that a stock has a pair as soon as its level has enough
returns."""

_BLOCK_SYMBOLS = 500
"""Symbols per block: ten years of them take some hundred megabytes of working arrays."""

_COEFFICIENT_DECIMALS = 10
"""Decimals of coefficients, beyond the precision of a fit.

The last bits may depend on the processor, and the digest of a version must not.
"""

_COEFFICIENT_COLUMNS = [*WEIGHT_COLUMNS, "residual_variance"]


@dataclass(frozen=True)
class Proposal:
    """Coefficients fitted to a history, with the version in use at its end."""

    version: str
    current_version: str
    """Version in use on the last session of the history."""
    rows: pd.DataFrame
    """Rows of `har_coefficients`, without created_at; code_version is NA for a new fit."""
    r_squared: "pd.Series[float]"
    """In-sample R² by proxy; NaN where the current coefficients are kept."""
    kept_reasons: dict[str, str]
    """Reason why a proxy keeps the current coefficients."""
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
        new = self.rows[columns].assign(r_squared=self.rows["proxy"].map(self.r_squared))
        present = self.stored_versions[columns].assign(r_squared=np.nan)
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
        return {**version_keys, "kept": self.kept_reasons, "coefficients": rows}


def propose_version(
    bars: dict[str, pd.DataFrame],
    market: str,
    stored_versions: pd.DataFrame,
    suspects: pd.DataFrame | None = None,
) -> Proposal:
    """Fit the coefficients of every proxy to a history.

    A proxy that cannot be fitted keeps the coefficients in use on the last session.

    Parameters
    ----------
    bars : dict of DataFrame
        adj_close, high and low, each sessions x symbols; every symbol but the market is included.
    market : str
        Symbol whose volatility is a regressor.
    stored_versions : DataFrame
        Rows of `har_coefficients`.
    suspects : DataFrame, optional
        Suspected splits, as from `panels.suspected_splits`; their returns are left out.

    Raises
    ------
    CalibrationRejectedError
        If close_market cannot be fitted, because most forecasts use it.

    Notes
    -----
    A kept row also keeps the days of its fit, so a version that kept it from a later one is known
    from that one's last target on.
    """
    bars = {
        name: panels.pad_history(prices, len(prices) + _PADDING_SESSIONS)
        for name, prices in bars.items()
    }
    returns, ranges = panels.clean_bars(**bars, suspects=suspects)
    days = pd.DatetimeIndex(bars["adj_close"].index)
    model_versions = parse_versions(stored_versions)
    current_version = model_versions.names[model_versions.version_on(days[-1:])[0]]
    in_use = (
        stored_versions[stored_versions["version"] == current_version]
        .drop(columns="created_at")
        .set_index("proxy")
    )
    fits, kept_reasons = _fit_proxies(returns, ranges.to_numpy(), market)
    priced = bars["adj_close"].drop(columns=market).notna().any(axis=1)
    fit_columns = {"first_day": days[priced][0], "last_target": days[-1], "code_version": pd.NA}
    rows = _build_proxy_rows(fits, fit_columns, in_use, kept_reasons)
    version, hashed = _name_version(rows)
    return Proposal(
        version=version,
        current_version=current_version,
        rows=rows.assign(version=version, digest=hashed),
        r_squared=pd.Series({proxy: fit.r_squared for proxy, fit in fits.items()}),
        kept_reasons=kept_reasons,
        stored_versions=stored_versions,
    )


def _fit_proxies(
    returns: panels.Returns, ranges: FloatArray, market: str
) -> tuple[dict[str, calibration.Calibration], dict[str, str]]:
    """Fit each proxy; return the fits, and the reasons why other proxies keep their coefficients.

    Raises a CalibrationRejectedError if close_market cannot be fitted.
    """
    fits: dict[str, calibration.Calibration] = {}
    kept_reasons: dict[str, str] = {}
    for proxy in har.PROXIES:
        try:
            fits[proxy] = calibration.fit(_blocks(returns, ranges, market, proxy), proxy=proxy)
        except CalibrationRejectedError as error:
            if proxy == har.PROXIES[har.CLOSE_MARKET]:
                raise
            kept_reasons[proxy] = str(error)
    return fits, kept_reasons


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


def _blocks(
    returns: panels.Returns, ranges: FloatArray, market: str, proxy: str
) -> Iterator[calibration.CalibrationBlock]:
    """Yield regressors of one proxy and realized volatility, by block of symbols, point in time."""
    market_returns = returns.column(market)
    if proxy == har.PROXIES[har.CLOSE]:
        market_returns = np.full_like(market_returns, np.nan)
    known = returns.values().copy()
    known[-1, returns.unconfirmed[-1]] = np.nan
    stocks = np.flatnonzero(returns.frame.columns != market)
    for block in (
        stocks[left : left + _BLOCK_SYMBOLS] for left in range(0, len(stocks), _BLOCK_SYMBOLS)
    ):
        own = ranges[:, block] if proxy == har.PROXIES[har.RANGE_MARKET] else None

        def measure(
            values: FloatArray, rows: slice, columns: slice | IntArray, own: FloatArray | None = own
        ) -> har.Regressors:
            inputs = har.build_regressors(
                values, market_returns[rows], None if own is None else own[rows][:, columns]
            )
            return inputs._replace(market=inputs.market.copy())

        inputs = point_in_time_estimates(
            measure, known[:, block], returns.unconfirmed[:, block], har.LEVEL_WINDOW
        )
        yield (
            har.Regressors._make(values[:-FORECAST_HORIZON] for values in inputs),
            forward_realized_volatility(known[har.LEVEL_WINDOW - 1 :, block]),
        )


def _fitted_row(proxy: str, fit: calibration.Calibration) -> dict[str, Any]:
    numbers = np.round(
        [*fit.coefficients.weights, fit.coefficients.residual_variance], _COEFFICIENT_DECIMALS
    )
    std_errors = dict(
        zip(STD_ERROR_COLUMNS, np.round(fit.std_errors, _COEFFICIENT_DECIMALS), strict=True)
    )
    of_fit = {"n_obs": fit.n_obs, "n_symbols": fit.n_symbols, "rejection_reason": None}
    return {
        "proxy": proxy,
        **dict(zip(_COEFFICIENT_COLUMNS, numbers, strict=True)),
        **std_errors,
        **of_fit,
    }


def _kept_row(proxy: str, in_use: pd.DataFrame, why: str) -> dict[str, Any]:
    return {
        "proxy": proxy,
        **in_use.drop(columns=["version", "digest"]).loc[proxy],
        "rejection_reason": why,
    }


def _name_version(rows: pd.DataFrame) -> tuple[str, str]:
    """Return the name of a version, from its last session and its digest, and the digest."""
    numbers = rows.set_index("proxy")[_COEFFICIENT_COLUMNS]
    coefficients = {
        str(name): har.Coefficients(row.to_numpy()[:-1], row.iloc[-1])
        for name, row in numbers.iterrows()
    }
    first, last = rows["first_day"].min().date(), rows["last_target"].max().date()
    hashed = version_digest(coefficients, first, last)
    return f"calibrated-{last}-{hashed[:8]}", hashed

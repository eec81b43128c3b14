"""A new version of the volatility forecast's coefficients, fitted to the stored history."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from riskmetrics import panels
from riskmetrics.errors import RefusedFit
from riskmetrics.metrics import calibration, har
from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.forecast_score import HORIZON, realized_next
from riskmetrics.metrics.price_quality import as_known_on_each_day
from riskmetrics.results.model import STD_ERRORS, WEIGHTS, digest, versions

_BEFORE = har.LEVEL_WINDOW + HORIZON + 2
"""Empty sessions before a history: a stock has a pair once its level rests on enough returns, whenever that of others begins."""

_BLOCK = 500
"""Symbols at a time: ten years of them take some hundred megabytes of working arrays."""

_DECIMALS = 10
"""Of coefficients, far beyond what a fit tells: the last bits may depend on the processor, and a version's digest must not."""

_NUMBERS = [*WEIGHTS, "residual_variance"]


@dataclass(frozen=True)
class Proposal:
    """Coefficients fitted to a history, beside those in use at its end."""

    version: str
    present: str
    """Version in use on the last session of the history."""
    rows: pd.DataFrame
    """Of `har_coefficients`, without created_at; code_version is NA where riskmetrics has just fitted them."""
    r_squared: "pd.Series[float]"
    """In sample, by proxy; NaN where the present coefficients are kept."""
    kept: dict[str, str]
    """Why a proxy keeps the present coefficients."""
    known: pd.DataFrame
    """Rows of every version stored."""

    @property
    def stored(self) -> bool:
        """Whether the same coefficients, of the same days, are a version already."""
        return bool((self.known["digest"] == self.rows["digest"].iloc[0]).any())

    def new_rows(self, code_version: str) -> pd.DataFrame:
        """Return what is to be stored: the rows, or none if they are a version already."""
        rows = self.rows.iloc[:0] if self.stored else self.rows
        return rows.fillna({"code_version": code_version})

    def comparison(self) -> pd.DataFrame:
        """Return the coefficients of each proxy, the new ones before the present if those are others, with what they rest on."""
        columns = ["proxy", "version", *_NUMBERS, "n_obs", "n_symbols", "first_day", "last_target"]
        new = self.rows[columns].assign(r_squared=self.rows["proxy"].map(self.r_squared))
        present = self.known[columns].assign(r_squared=np.nan)
        present = present[(present["version"] == self.present) & (self.present != self.version)]
        both = pd.concat([new, present]).sort_values("proxy", key=lambda of: of.map(har.PROXIES.index), kind="stable")
        return both.reset_index(drop=True)

    def summary(self) -> dict[str, Any]:
        """Return the proposal in values that JSON has."""
        table = self.comparison()
        table = table.assign(**{name: table[name].dt.strftime("%Y-%m-%d") for name in ("first_day", "last_target")}).astype(object)
        rows = table.where(table.notna(), None).to_dict("records")
        known_from = self.rows["last_target"].max().date().isoformat()
        of_version = {"version": self.version, "known_from": known_from, "present": self.present, "new": not self.stored}
        return {**of_version, "kept": self.kept, "coefficients": rows}


def propose(
    bars: dict[str, pd.DataFrame],
    market: str,
    known: pd.DataFrame,
    suspects: pd.DataFrame | None = None,
) -> Proposal:
    """Fit every proxy's coefficients to a history; one that cannot be fitted keeps those in use on the last session.

    Parameters
    ----------
    bars : dict of DataFrame
        adj_close, high and low, each sessions x symbols; every symbol but the market takes part.
    market : str
        Symbol whose volatility is a regressor.
    known : DataFrame
        Rows of `har_coefficients`.
    suspects : DataFrame, optional
        Suspected splits, as `panels.suspected_splits` lists them: their returns are left out.

    Raises
    ------
    RefusedFit
        If close_market cannot be fitted: it is what most forecasts rest on.

    Notes
    -----
    A row that is kept keeps the days of its fit too, so that a version which took it from a later one is known from that one's last
    target on.
    """
    bars = {name: panels.lengthened(prices, len(prices) + _BEFORE) for name, prices in bars.items()}
    returns, ranges = panels.believed_bars(**bars, suspects=suspects)
    days = pd.DatetimeIndex(bars["adj_close"].index)
    names = versions(known)
    present = names.names[names.on(days[-1:])[0]]
    in_use = known[known["version"] == present].drop(columns="created_at").set_index("proxy")
    fits: dict[str, calibration.Calibration] = {}
    kept: dict[str, str] = {}
    for proxy in har.PROXIES:
        try:
            fits[proxy] = calibration.fit(_blocks(returns, ranges.to_numpy(), market, proxy), proxy=proxy)
        except RefusedFit as refused:
            if proxy == har.PROXIES[har.CLOSE_MARKET]:
                raise
            kept[proxy] = str(refused)
    priced = bars["adj_close"].drop(columns=market).notna().any(axis=1)
    of_fit = {"first_day": days[priced][0], "last_target": days[-1], "code_version": pd.NA}
    rows = pd.DataFrame(
        [_row(proxy, fits[proxy]) | of_fit if proxy in fits else _kept(proxy, in_use, kept[proxy]) for proxy in har.PROXIES]
    )
    rows = rows.astype({"n_obs": "Int64", "n_symbols": "Int64", "code_version": "str", "refused_reason": "str"})
    version, hashed = _name(rows)
    return Proposal(
        version=version,
        present=present,
        rows=rows.assign(version=version, digest=hashed),
        r_squared=pd.Series({proxy: fit.r_squared for proxy, fit in fits.items()}),
        kept=kept,
        known=known,
    )


def _blocks(returns: panels.Returns, ranges: FloatArray, market: str, proxy: str) -> Iterator[calibration.Block]:
    """Regressors of one proxy and what followed them, some symbols at a time, as believed on each day."""
    of_market = returns.of(market)
    if proxy == har.PROXIES[har.CLOSE]:
        of_market = np.full_like(of_market, np.nan)
    known = returns.values().copy()
    known[-1, returns.unconfirmed[-1]] = np.nan
    stocks = np.flatnonzero(returns.frame.columns != market)
    for block in (stocks[left : left + _BLOCK] for left in range(0, len(stocks), _BLOCK)):
        own = ranges[:, block] if proxy == har.PROXIES[har.RANGE_MARKET] else None

        def measure(values: FloatArray, rows: slice, columns: slice | IntArray, own: FloatArray | None = own) -> har.Regressors:
            inputs = har.regressors(values, of_market[rows], None if own is None else own[rows][:, columns])
            return inputs._replace(market=inputs.market.copy())

        inputs = as_known_on_each_day(measure, known[:, block], returns.unconfirmed[:, block], har.LEVEL_WINDOW)
        yield har.Regressors._make(of[:-HORIZON] for of in inputs), realized_next(known[har.LEVEL_WINDOW - 1 :, block])


def _row(proxy: str, fit: calibration.Calibration) -> dict[str, Any]:
    numbers = np.round([*fit.coefficients.weights, fit.coefficients.residual_variance], _DECIMALS)
    std_errors = dict(zip(STD_ERRORS, np.round(fit.std_errors, _DECIMALS), strict=True))
    of_fit = {"n_obs": fit.n_obs, "n_symbols": fit.n_symbols, "refused_reason": None}
    return {"proxy": proxy, **dict(zip(_NUMBERS, numbers, strict=True)), **std_errors, **of_fit}


def _kept(proxy: str, in_use: pd.DataFrame, why: str) -> dict[str, Any]:
    return {"proxy": proxy, **in_use.drop(columns=["version", "digest"]).loc[proxy], "refused_reason": why}


def _name(rows: pd.DataFrame) -> tuple[str, str]:
    """Name a version after its last session and its digest, which is returned too."""
    numbers = rows.set_index("proxy")[_NUMBERS]
    coefficients = {str(name): har.Coefficients(of.to_numpy()[:-1], of.iloc[-1]) for name, of in numbers.iterrows()}
    first, last = rows["first_day"].min().date(), rows["last_target"].max().date()
    hashed = digest(coefficients, first, last)
    return f"calibrated-{last}-{hashed[:8]}", hashed

"""Sector weights relative to the benchmark, and concentration."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from riskmetrics.funds import NOT_LOOKED_THROUGH, fund_class, load_funds
from riskmetrics.gics import UNCLASSIFIED
from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.concentration import concentration, sector_values, sector_weights
from riskmetrics.results.snapshots import DAY_COLUMN, undefined_snapshots
from riskmetrics.results.undefined_reasons import Reason, first_reason_texts, undefined_rows
from riskmetrics.results.valuation import Valuation

INDEX_FUND = "Index fund"
"""Class of an index fund where it is not divided into sectors."""

_NO_SECTORS = "the sectors of funds that are not looked through are not known"

_COLUMNS = (
    "sector_exposure",
    "hhi",
    "effective_num_positions",
    "top_3_concentration",
    "top_10_concentration",
)
EXPOSURE_METRICS = [
    *(f"portfolio_snapshots.{name}" for name in _COLUMNS),
    *(f"portfolio_sector_weights.{name}" for name in ("net_weight", "active_weight")),
]


def sector_rows(
    valuation: Valuation,
    profiles: pd.DataFrame,
    benchmark: pd.DataFrame,
    benchmark_code: str,
    fund_weights: Mapping[str, pd.DataFrame] | None = None,
) -> pd.DataFrame:
    """Return rows of `portfolio_sector_weights` for the sectors of portfolios and benchmark.

    Index funds of the benchmark have its sector weights, other funds their own; before the first
    as-of date, and where no sectors are known, funds have the class of `fund_class`.

    Parameters
    ----------
    valuation : Valuation
        Holdings without a value are left out.
    profiles : DataFrame by symbol
        sector, is_etf, is_fund.
    benchmark : DataFrame
        Weights as fractions, as-of dates x sectors, in order; may be empty.
    benchmark_code : str
        Code of the benchmark.
    fund_weights : dict of DataFrame by symbol, optional
        Weights of funds, like those of the benchmark.

    Returns
    -------
    DataFrame
        Weights as fractions: gross weight in gross value, net weight in
        `Valuation.weight_denominator` (NaN where it is NaN), benchmark weight, and active weight
        (net less benchmark); the last two are NaN before the first as-of date, and active weights
        of NOT_LOOKED_THROUGH, which is no sector. A portfolio with too few prices has no row.
    """
    latest, asof_dates = _latest_benchmark_weights(valuation.sessions, benchmark)
    of_funds = {
        symbol: _latest_benchmark_weights(valuation.sessions, weights)[0]
        for symbol, weights in (fund_weights or {}).items()
    }
    parts = _look_through(valuation.instruments, profiles, latest, benchmark_code, of_funds)
    names = pd.Index(sorted({*parts.names, *benchmark.columns}), dtype=object)
    gross, net, through = _sum_by_sector(valuation, parts, names)
    benchmark_weights = np.where(
        np.isnat(asof_dates.to_numpy())[:, np.newaxis],
        np.nan,
        latest.reindex(columns=names).fillna(0.0),
    )
    # no row for a sector of neither the portfolio nor the benchmark, or a portfolio without value
    cell, column = np.nonzero(
        (gross > 0)
        | ((np.tile(benchmark_weights, (len(valuation.portfolios), 1)) > 0) & ~np.isnan(gross))
    )
    portfolio, day = np.divmod(cell, len(valuation.sessions))
    net_weight = net[cell, column] / valuation.weight_denominator[portfolio, day]
    sector, weight = names.to_numpy()[column], benchmark_weights[day, column]
    return pd.DataFrame(
        {
            **valuation.keys(portfolio, day),
            "sector": sector,
            "gross_weight": gross[cell, column],
            "net_weight": net_weight,
            "benchmark_weight": weight,
            "active_weight": np.where(sector == NOT_LOOKED_THROUGH, np.nan, net_weight - weight),
            "benchmark_asof": asof_dates[day],
            "look_through_weight": through[cell, column] / valuation.gross_value[portfolio, day],
            "benchmark_code": pd.Series(asof_dates[day].notna()).map({True: benchmark_code}),
        }
    ).astype({"sector": "str", "benchmark_code": "str"})


def _sum_by_sector(
    valuation: Valuation, parts: "_Parts", names: "pd.Index[str]"
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return gross weights, net values, and values through funds, (P * D, sectors) each."""
    sector = names.get_indexer(pd.Index(parts.names)).astype(np.int64)[parts.kind]
    instrument_values, instrument_cell, n_cells = _cells(valuation)
    values, cell = instrument_values[parts.instrument], instrument_cell[parts.instrument]
    divided = parts.is_divided[parts.kind]
    values[divided] *= parts.share[parts.kind[divided]]

    def total(function: Callable[..., FloatArray], chosen: BoolArray | slice) -> FloatArray:
        return function(
            values[chosen].ravel(),
            cell[chosen].ravel(),
            np.repeat(sector[chosen], len(valuation.sessions)),
            n_portfolios=n_cells,
            n_sectors=len(names),
        )

    gross, net = (total(function, slice(None)) for function in (sector_weights, sector_values))
    np.abs(values, out=values)
    return gross, net, total(sector_values, parts.is_fund[parts.kind])


def concentration_rows(
    valuation: Valuation, sectors: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the sector and concentration columns of snapshots, and reasons of undefined values.

    ``sectors`` are the `sector_rows` of the same valuation.
    """
    values, cell, n_cells = _cells(valuation)
    found = concentration(values.ravel(), cell.ravel(), n_cells)
    rows = valuation.to_frame(
        {
            name: values.reshape(valuation.net.shape)
            for name, values in zip(_COLUMNS[1:], found, strict=True)
        },
        DAY_COLUMN,
    )
    rows["sector_exposure"] = pd.Series(
        _gross_weights_json(sectors), index=rows.index[rows["hhi"].notna()], dtype="str"
    ).reindex(rows.index)
    *gates, too_little_equity = valuation.common_reasons
    empty = Reason("the portfolio holds nothing with a value")
    reasons = valuation.undefined_reasons(found.hhi.reshape(valuation.net.shape), *gates, empty)
    undefined = undefined_snapshots(rows, dict.fromkeys(_COLUMNS, reasons))
    unmatched = sectors[sectors["active_weight"].isna()].drop_duplicates(["portfolio_id", "day"])
    no_benchmark = "no benchmark sector weights are stored for the day or earlier"
    portfolio = pd.Index(valuation.portfolios["portfolio_id"]).get_indexer(
        pd.Index(unmatched["portfolio_id"])
    )
    day = pd.DatetimeIndex(pd.to_datetime(valuation.sessions)).get_indexer(
        pd.DatetimeIndex(unmatched["day"])
    )
    equity = first_reason_texts(np.ones(valuation.net.shape, dtype=bool), too_little_equity)[
        portfolio, day
    ]
    net = pd.Series(equity, index=unmatched.index, dtype="str").where(
        unmatched["net_weight"].isna()
    )
    active_reasons = net.fillna(_NO_SECTORS).mask(
        net.isna() & unmatched["benchmark_asof"].isna(), no_benchmark
    )
    weight_reasons = {"net_weight": net, "active_weight": active_reasons}
    active = undefined_rows(
        unmatched,
        "portfolio_sector_weights",
        weight_reasons,
        subject="portfolio_id",
        day="day",
    )
    return rows, pd.concat([undefined, active], ignore_index=True)


def _gross_weights_json(sectors: pd.DataFrame) -> list[str]:
    """Return the gross weights of each portfolio and day as JSON, in the order of the rows."""
    held = sectors[sectors["gross_weight"] > 0]
    quoted = {name: json.dumps(name) for name in held["sector"].unique()}
    pairs = [
        f"{quoted[name]}: {weight!r}"
        for name, weight in zip(held["sector"], held["gross_weight"].tolist(), strict=True)
    ]
    first = np.flatnonzero(~held.duplicated(["portfolio_id", "day"]))
    return [f"{{{', '.join(pairs[start:end])}}}" for start, end in pairwise([*first, len(pairs)])]


class _Parts(NamedTuple):
    """Parts of instruments (L), each of a kind (C) and so in one sector."""

    instrument: IntArray
    """Row of the instrument, (L,)."""
    kind: IntArray
    """Kind of the part, (L,)."""
    names: list[str]
    """Sector of each kind."""
    is_fund: BoolArray
    """Whether a kind is held by funds that are looked through, (C,)."""
    is_divided: BoolArray
    """Whether parts of a kind are shares of their instruments, (C,)."""
    share: FloatArray
    """Share of the instrument's value by kind, (C, D)."""


_Kind: TypeAlias = tuple[str, bool, FloatArray]
"""Sector, whether it is held by a fund that is looked through, and share by session."""


def _look_through(
    instruments: pd.DataFrame,
    profiles: pd.DataFrame,
    latest: pd.DataFrame,
    benchmark_code: str,
    of_funds: Mapping[str, pd.DataFrame],
) -> _Parts:
    """Divide instruments into sectors; an option is divided as its underlying.

    ``latest`` has the benchmark's weights, sessions x sectors; NaN where none is known. Index funds
    of the benchmark are divided by them, other funds by theirs in ``of_funds``.
    """
    code, symbols = pd.factorize(instruments["underlying"])
    sectors, fund_flags = _profile_sectors(symbols, profiles)
    trackers, is_benchmark_known = load_funds().benchmark_codes, latest.notna().any(axis=None)
    entire = np.ones(len(latest))
    kinds: list[_Kind] = [(UNCLASSIFIED, False, entire)]
    first, n_kinds = [0], [1]  # of a private holding, which has no underlying
    for symbol, sector, is_fund in zip(symbols, sectors, fund_flags, strict=True):
        name = fund_class(symbol, is_fund=is_fund)
        undivided = name or sector, name not in (None, NOT_LOOKED_THROUGH), entire
        first.append(len(kinds))
        if is_fund is not False and trackers.get(symbol) == benchmark_code and is_benchmark_known:
            kinds += _divide_by(latest, (NOT_LOOKED_THROUGH, False, entire))
        elif is_fund is not False and symbol in of_funds:
            kinds += _divide_by(of_funds[symbol], undivided)
        else:
            kinds.append(undivided)
        n_kinds.append(len(kinds) - first[-1])
    counts = np.array(n_kinds)[code + 1]
    instrument = np.repeat(np.arange(len(code)), counts)
    within = np.arange(len(instrument)) - np.repeat(np.cumsum(counts) - counts, counts)
    return _Parts(
        instrument,
        np.array(first)[code + 1][instrument] + within,
        [name for name, *_ in kinds],
        np.array([is_fund for _, is_fund, _ in kinds]),
        np.array([share is not entire for *_, share in kinds]),
        np.array([share for *_, share in kinds]),
    )


def _divide_by(weights: pd.DataFrame, before: _Kind) -> list[_Kind]:
    """Return the sectors of a fund, and its kind on the sessions before its first weights."""
    values = weights.fillna(0.0).to_numpy(float)
    total = values.sum(axis=1, keepdims=True)
    shares = np.divide(values, total, out=np.zeros_like(values), where=total > 0)
    is_unknown = (total[:, 0] <= 0).astype(float)
    return [
        *((str(name), True, shares[:, column]) for column, name in enumerate(weights.columns)),
        (*before[:2], is_unknown),
    ]


def symbol_sectors(symbols: Sequence[str], profiles: pd.DataFrame) -> list[str]:
    """Return the sector or the class of each symbol, undivided.

    An index fund is in all sectors at once, and so INDEX_FUND.

    Examples
    --------
    >>> profiles = pd.DataFrame(
    ...     {"sector": "Energy", "is_etf": [False, True], "is_fund": False}, index=["XOM", "SPY"]
    ... )
    >>> symbol_sectors(["XOM", "SPY", "TLT", "AMD"], profiles)
    ['Energy', 'Index fund', 'Bonds', 'Unclassified']
    """
    sectors, fund_flags = _profile_sectors(symbols, profiles)
    trackers = load_funds().benchmark_codes
    return [
        INDEX_FUND
        if symbol in trackers and is_fund is not False
        else fund_class(symbol, is_fund=is_fund) or sector
        for symbol, sector, is_fund in zip(symbols, sectors, fund_flags, strict=True)
    ]


def _profile_sectors(
    symbols: "Sequence[str] | pd.Index[str]", profiles: pd.DataFrame
) -> tuple["pd.Series[str]", "pd.Series[bool]"]:
    """Return the sectors of symbols by their profiles, and whether they are funds, or None."""
    known = profiles.reindex(pd.Index(symbols))
    is_fund = known["is_etf"].eq(other=True) | known["is_fund"].eq(other=True)
    is_known = known["is_etf"].notna() | known["is_fund"].notna()
    return known["sector"].fillna(UNCLASSIFIED), is_fund.astype(object).where(is_known, None)


def _cells(valuation: Valuation) -> tuple[FloatArray, IntArray, int]:
    """Return values (I, D), and the cell of each: its portfolio and day.

    Values are NaN where too few instruments have a price.
    """
    n_days = len(valuation.sessions)
    cell = valuation.instrument_portfolio[:, None] * n_days + np.arange(n_days)
    is_shown = valuation.has_prices & valuation.is_valued
    values = np.where(is_shown[valuation.instrument_portfolio], valuation.values, np.nan)
    return values, cell, len(valuation.portfolios) * n_days


def _latest_benchmark_weights(
    sessions: Sequence[date], benchmark: pd.DataFrame
) -> tuple[pd.DataFrame, "pd.DatetimeIndex"]:
    """Return the latest weights (D, S) at or before each day, and their dates; NaN, NaT if none."""
    latest = (
        pd.DatetimeIndex(benchmark.index).searchsorted(pd.to_datetime(list(sessions)), side="right")
        - 1
    )
    known = np.vstack(
        [benchmark.fillna(0.0).to_numpy(float), np.full((1, len(benchmark.columns)), np.nan)]
    )
    weights = pd.DataFrame(known[latest], pd.to_datetime(list(sessions)), benchmark.columns)
    return weights, pd.DatetimeIndex([*benchmark.index, pd.NaT])[latest]

"""Faults in stored prices: symbol, session, measurement, finding and remedy.

`find_faults` serves the checks of a run, the command line and the report. Nothing is deleted or
corrected here: returns exclude bad ticks and suspected splits (`panels.clean_returns`), other
faults are only reported.
"""

import math
from datetime import date
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.metrics import har, price_quality
from riskmetrics.metrics._typing import BoolArray, FloatArray
from riskmetrics.metrics.large_moves import LARGE_FALL
from riskmetrics.metrics.splices import adjustment_breaks, shifts_at_splices
from riskmetrics.panels import MAX_STALE_SESSIONS, Bars, clean_returns, suspected_splits
from riskmetrics.results.betas import MIN_PAIRED_RETURNS
from riskmetrics.results.price_moves import (
    find_large_moves,
    large_move_findings,
    select_open_suspects,
    split_findings,
)

YEAR_WINDOW = 252
"""Returns up to the last session in which faults are searched."""

MIN_FULL_YEAR_OBS = math.ceil(0.95 * YEAR_WINDOW)
"""Minimum returns of a full year; pro-forma returns and ranges need the same share of days."""


class FaultKind(NamedTuple):
    """Kind of fault; each has an asset check of the same name."""

    label: str
    description: str
    what_to_do: str


_NO_CLOSE_REMEDY = (
    "correct the symbol with `riskmetrics symbols rename OLD NEW`, or import its prices"
)
_REIMPORT_REMEDY = "import the symbol's whole history again, from one download"

FAULT_KINDS = {
    "stale_prices": FaultKind(
        "stale prices",
        f"A close is the same on {price_quality.MIN_STALE_RUN} sessions in a row, more than a"
        f" quarter of {price_quality.STALE_WINDOW} returns are 0, or the closes end early.",
        "check whether the symbol still trades, and import the missing closes",
    ),
    "bad_ticks": FaultKind(
        "bad ticks",
        "A price is invalid, or moved by more than"
        f" {price_quality.SUSPECT_MOVE:.0%} and back: returns exclude such an adj_close.",
        "import the correct price of that day; if the close is wrong, so is the value of that day",
    ),
    "unadjusted_splits": FaultKind(
        "unadjusted splits",
        "A close moved by the ratio of a split, which an adjusted close does not: windows and P&L"
        " exclude the move until it is resolved.",
        "import corrected prices, or resolve it: `riskmetrics prices list` shows both commands",
    ),
    "large_moves": FaultKind(
        "large moves",
        f"A close rose by more than {price_quality.SUSPECT_MOVE:.0%} or fell by more than"
        f" {LARGE_FALL:.1%} in a session, and stays there: returns include the move.",
        "decide whether the move is real: `riskmetrics prices accept SYMBOL SESSION`",
    ),
    "adjustment_breaks": FaultKind(
        "spliced histories", "A history joins rows adjusted as of different days.", _REIMPORT_REMEDY
    ),
    "short_histories": FaultKind(
        "short histories",
        f"Fewer than {MIN_FULL_YEAR_OBS} returns in a year: some metrics use fewer observations"
        " than intended, or are undefined.",
        "import the missing prices, or earlier ones, if there are any",
    ),
}
"""Kinds of fault by name, in the order of listing."""

_UNDEFINED_BELOW = {
    MIN_PAIRED_RETURNS: "no beta",
    har.MIN_LEVEL_OBS: "no volatility forecast",
    har.FULL_LEVEL_OBS: "no volatility percentile",
    MIN_FULL_YEAR_OBS: "one-year figures use fewer returns",
}
"""Consequence of having fewer returns than the key."""

_MAX_FINDINGS = 3
"""Maximum number of findings in a description."""


def required_sessions(day: date) -> list[date]:
    """Return the sessions needed to find faults: a year to ``day``, and the quarter before it.

    The quarter is needed to judge whether the first closes of the year are stale.
    """
    return trading_calendar.sessions_with_lookback([day], YEAR_WINDOW + price_quality.STALE_WINDOW)


def find_faults(
    bars: Bars,
    suspects: pd.DataFrame | None = None,
    splices: pd.DataFrame | None = None,
    accepted: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """List the faults of prices, by kind of fault and finding, the largest first.

    Parameters
    ----------
    bars : Bars
        Prices on `required_sessions`. Later prices are not needed, so the result for a day does not
        change with them.
    suspects : DataFrame, optional
        Suspected splits of the whole history, as from `panels.suspected_splits`; those of other
        symbols are left out. Default: those in ``bars``.
    splices : DataFrame, optional
        symbol and date of closes without adjusted closes that are from another import than the row
        before, as from `db.split_suspects.find_import_splices`. Default: none.
    accepted : DataFrame, optional
        symbol and date of moves that a user accepted as real. Default: none.

    Returns
    -------
    DataFrame
        fault, symbol, day (missing if there is no price), measure, finding (a sentence),
        what_to_do. The measure is the sessions or the share of zero returns of a stale price, the
        return of a bad tick or a large move, the ratio of a split (old price over new), the fall of
        adj_close / close or of the closes at a splice, the number of returns of a short history.
    """
    suspects = suspected_splits(bars) if suspects is None else suspects
    suspects = suspects[suspects["symbol"].isin(bars.close.columns)]
    splits = split_findings(select_open_suspects(suspects, bars.close.index[-1].date()))
    settled = suspects if accepted is None else pd.concat([suspects, accepted])
    parts = [
        _stale_findings(bars),
        _bad_tick_findings(bars),
        splits,
        large_move_findings(find_large_moves(bars, settled)),
        _adjustment_break_findings(bars, suspects),
    ]
    if splices is not None:
        parts.append(_splice_shift_findings(bars, suspects, splices))
    parts.append(_short_history_findings(bars, suspects))
    found = pd.concat(parts, ignore_index=True)
    general = found["fault"].map({name: fault.what_to_do for name, fault in FAULT_KINDS.items()})
    return found.assign(what_to_do=found["what_to_do"].fillna(general))


def describe_findings(name: str, found: pd.DataFrame, bars: Bars) -> str:
    """Describe one kind of fault: number of symbols, largest findings, and what to do.

    ``name`` is one of FAULT_KINDS, ``found`` its rows of `find_faults`.
    """
    fault, n_symbols = FAULT_KINDS[name], bars.close.shape[1]
    if found.empty:
        return (
            f"no {fault.label} in {n_symbols} symbols, {bars.close.index[0]:%Y-%m-%d} to"
            f" {bars.close.index[-1]:%Y-%m-%d}"
        )
    named = "; ".join(
        f"{row.symbol}: {row.finding}" for row in found.head(_MAX_FINDINGS).itertuples()
    )
    more = f"; and {len(found) - _MAX_FINDINGS} more" if len(found) > _MAX_FINDINGS else ""
    what_to_do = "; ".join(dict.fromkeys(found["what_to_do"].head(_MAX_FINDINGS)))
    return (
        f"{fault.label} in {found['symbol'].nunique()} of {n_symbols} symbols ({named}{more}):"
        f" {what_to_do}"
    )


def _stale_findings(bars: Bars) -> pd.DataFrame:
    close = bars.close.to_numpy()
    run, zero_share, _ = price_quality.stale_closes(close)
    ends = run >= price_quality.MIN_STALE_RUN
    ends[:-1] &= run[1:] < run[:-1]
    # a symbol with a run of equal closes needs no finding about its share of zero returns
    share = np.where(np.isnan(zero_share) | ends.any(axis=0), 0.0, zero_share)
    often = (share > price_quality.MAX_ZERO_RETURN_SHARE) & (
        np.arange(len(share))[:, None] == share.argmax(axis=0)
    )
    age = np.broadcast_to(np.arange(len(close))[::-1, None], close.shape).astype(float)
    is_known = ~np.isnan(close)
    stopped = is_known & (is_known[::-1].cumsum(axis=0)[::-1] == 1) & (age > MAX_STALE_SESSIONS)
    gap = "no close since {day:%Y-%m-%d}, {measure:.0f} sessions before the last"
    equal = "the same close on {measure:.0f} sessions in a row to {day:%Y-%m-%d}"
    zero = "{measure:.0%} of the returns in the quarter to {day:%Y-%m-%d} are 0"
    find = partial(_findings, "stale_prices", bars)
    return pd.concat(
        [
            find(stopped, age, gap),
            find(ends, run.astype(float), equal),
            find(often, share, zero),
        ]
    )


def _bad_tick_findings(bars: Bars) -> pd.DataFrame:
    """Find bad ticks of either close, and unconfirmed moves of the last session."""
    findings: pd.DataFrame = pd.concat(
        [
            _bad_ticks_in_column("adj_close", bars.adj_close, bars),
            _bad_ticks_in_column("close", bars.close, bars),
        ]
    )
    return findings.drop_duplicates(["symbol", "day"])


def _bad_ticks_in_column(column: str, prices: pd.DataFrame, bars: Bars) -> pd.DataFrame:
    values = prices.to_numpy()
    bad, unconfirmed, _ = price_quality.bad_ticks(values)
    unconfirmed[:-1] = False
    move = np.full(values.shape, np.nan)
    with np.errstate(all="ignore"):
        move[1:] = values[1:] / values[:-1] - 1.0
        size = np.abs(np.log1p(move))
    move[~np.isfinite(size)] = np.nan  # an invalid price at either end
    when, invalid_size = "on {day:%Y-%m-%d}", np.full(values.shape, np.inf)
    invalid = f"{column} {when} is not a valid price"
    moves = f"{column} moves by {{measure:+.0%}} {when}"
    find = partial(_findings, "bad_ticks", bars)
    return pd.concat(
        [
            find(bad & np.isnan(move), move, invalid, invalid_size),
            find(bad & ~np.isnan(move), move, f"{moves}, and back", size),
            find(unconfirmed, move, f"{moves}: unconfirmed until the next session", size),
        ]
    )


def _adjustment_break_findings(bars: Bars, suspects: pd.DataFrame) -> pd.DataFrame:
    """Find falls of adj_close / close that no suspected split of one close explains."""
    fall = adjustment_breaks(bars.close.to_numpy(), bars.adj_close.to_numpy())
    row = bars.close.index.get_indexer(pd.DatetimeIndex(suspects["date"]))
    column = bars.close.columns.get_indexer(pd.Index(suspects["symbol"]))
    is_half = (suspects["in_close"] != suspects["in_adj_close"]).to_numpy() & (row >= 0)
    fall[row[is_half], column[is_half]] = np.nan
    text = (
        "adj_close / close falls by {measure:.2%} on {day:%Y-%m-%d}; a dividend cannot cause this"
    )
    return _findings("adjustment_breaks", bars, ~np.isnan(fall), fall, text)


def _splice_shift_findings(
    bars: Bars, suspects: pd.DataFrame, splices: pd.DataFrame
) -> pd.DataFrame:
    """Find sessions on which many symbols shift at once where rows of two imports meet."""
    returns = clean_returns(bars.adj_close, suspects).frame
    row = pd.DatetimeIndex(returns.index).get_indexer(pd.DatetimeIndex(splices["date"]))
    column = returns.columns.get_indexer(pd.Index(splices["symbol"]))
    is_inside = (row >= 0) & (column >= 0)
    at_splice = np.zeros(returns.shape, dtype=bool)
    at_splice[row[is_inside], column[is_inside]] = True
    at_splice &= returns.notna().to_numpy(dtype=bool)
    shift = shifts_at_splices(returns.to_numpy(), at_splice)
    where = at_splice & ~np.isnan(shift)[:, None]
    n_symbols = at_splice.sum(axis=1)
    measure = np.broadcast_to(-shift[:, None], where.shape)
    found = _findings("adjustment_breaks", bars, where, measure, "", np.abs(measure))
    texts = [
        f"rows of two imports meet on {day:%Y-%m-%d}, when {n_symbols[returns.index.get_loc(day)]}"
        f" symbols moved by {-fall:+.2%} relative to the others, more than on any other day"
        for day, fall in zip(found["day"], found["measure"], strict=True)
    ]
    return found.assign(finding=pd.array(texts, dtype="str"))


def _short_history_findings(bars: Bars, suspects: pd.DataFrame) -> pd.DataFrame:
    """Find symbols that started within the year, or with too many gaps for some metric.

    The day is that of their first close.
    """
    returns = clean_returns(bars.adj_close, suspects).values()[-YEAR_WINDOW:]
    is_known = bars.adj_close.notna().to_numpy()
    n_obs = (~np.isnan(returns)).sum(axis=0)
    has_earlier_price = is_known[: len(is_known) - YEAR_WINDOW].any(axis=0)
    short = (n_obs < har.FULL_LEVEL_OBS) | ((n_obs < MIN_FULL_YEAR_OBS) & ~has_earlier_price)
    rows = pd.DataFrame(
        {
            "fault": "short_histories",
            "symbol": bars.adj_close.columns,
            "day": bars.adj_close.index[is_known.argmax(axis=0)].where(is_known.any(axis=0)),
            "measure": n_obs.astype(float),
            "finding": [
                f"{n} of {YEAR_WINDOW} returns: "
                + ", ".join(text for least, text in _UNDEFINED_BELOW.items() if n < least)
                for n in n_obs
            ],
            "what_to_do": [
                None if n_closes else _NO_CLOSE_REMEDY for n_closes in is_known.sum(axis=0).tolist()
            ],
        }
    )
    listed: pd.DataFrame = rows[short]
    return listed.sort_values("measure", kind="stable")


def _findings(
    name: str,
    bars: Bars,
    where: BoolArray,
    measure: FloatArray,
    text: str,
    size: FloatArray | None = None,
) -> pd.DataFrame:
    """Return one row per cell of ``where``, the largest ``size`` (default: measure) first.

    The last rows of ``where`` and of the bars are the same session.
    """
    row, column = np.nonzero(where)
    order = np.argsort(-(measure if size is None else size)[row, column], kind="stable")
    row, column = row[order], column[order]
    days, measures = bars.close.index[len(bars.close) - len(where) + row], measure[row, column]
    texts = [text.format(day=day, measure=value) for day, value in zip(days, measures, strict=True)]
    symbols = bars.close.columns[column]
    finding = pd.array(texts, dtype="str")
    keys = {"fault": name, "symbol": symbols, "day": days}
    return pd.DataFrame(keys | {"measure": measures, "finding": finding, "what_to_do": None})

"""Liquidity of holdings and of portfolios: rows of two tables."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from riskmetrics import panels
from riskmetrics.metrics import liquidity
from riskmetrics.metrics._typing import FloatArray
from riskmetrics.metrics.minimums import MIN_COVERAGE
from riskmetrics.results.undefined_reasons import Reason, count_texts, round_share_down
from riskmetrics.results.valuation import Valuation

HISTORY = max(liquidity.VOLUME_WINDOW - 1, panels.MAX_STALE_SESSIONS)
"""Sessions before the first one whose closes and volumes are needed."""


class Market(NamedTuple):
    """Closes and volumes of the HISTORY sessions before the first one and of the sessions."""

    close: pd.DataFrame
    volume: pd.DataFrame


def liquidity_rows(
    valuation: Valuation, market: Market, participation: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return rows of `portfolio_liquidity` and of `holding_liquidity`.

    Parameters
    ----------
    valuation : Valuation
        Valuation on D sessions.
    market : Market
        Closes and volumes of the listed instruments.
    participation : float
        Largest share of the volume that is sold, in (0, 1].
    """
    symbols = market.volume.columns
    n_rows = len(valuation.sessions) + liquidity.VOLUME_WINDOW - 1
    volume = liquidity.median_volume(market.volume.to_numpy()[-n_rows:])
    price, _ = panels.forward_fill(market.close, valuation.sessions)
    by_instrument = {
        name: _map_to_instruments(valuation, values, symbols)
        for name, values in zip(
            ("volume", "observations", "price"),
            (volume.shares, volume.n_obs.astype(float), price.to_numpy()),
            strict=True,
        )
    }
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = np.abs(valuation.values) / by_instrument["price"]
    days = liquidity.days_to_liquidate(shares, by_instrument["volume"], participation)
    size = np.where(
        np.isfinite(valuation.values), np.abs(valuation.values), valuation.unpriced_value
    )
    found = liquidity.portfolio_liquidity(
        np.nan_to_num(np.where(valuation.is_held, size, 0.0)),
        np.where(valuation.is_held, days, np.nan),
        valuation.instrument_portfolio,
        len(valuation.portfolios),
    )
    return (
        _portfolio_rows(valuation, found, participation),
        _holding_rows(valuation, days, by_instrument, participation),
    )


def _map_to_instruments(
    valuation: Valuation, values: FloatArray, symbols: "pd.Index[str]"
) -> FloatArray:
    """Return figures of symbols (D, S) for listed instruments, (I, D); NaN for others."""
    listed = valuation.instruments["listed"].to_numpy(bool)
    column = symbols.get_indexer(pd.Index(valuation.instruments["symbol"]))
    found = np.full(valuation.values.shape, np.nan)
    chosen = listed & (column >= 0)
    found[chosen] = values.T[column[chosen]]
    return found


def _portfolio_rows(
    valuation: Valuation, found: liquidity.PortfolioLiquidity, participation: float
) -> pd.DataFrame:
    columns = {
        "days_to_liquidate": found.days,
        "sold_in_1d": found.share_1d,
        "sold_in_5d": found.share_5d,
        "sold_in_20d": found.share_20d,
        "coverage": found.coverage,
    }
    empty = Reason("the portfolio holds nothing with a value", np.isnan(found.coverage))
    uncovered = Reason(
        f"holdings with a volume make up {{:.1%}} of gross value; {MIN_COVERAGE:.0%} required",
        True,
        round_share_down(found.coverage),
    )
    reason = valuation.undefined_reasons(found.days, empty, uncovered)
    return valuation.to_frame(columns, "day").assign(
        participation=participation, undefined_reason=reason
    )


def _holding_rows(
    valuation: Valuation,
    days: FloatArray,
    by_instrument: dict[str, FloatArray],
    participation: float,
) -> pd.DataFrame:
    owner, instruments = valuation.instrument_portfolio, valuation.instruments
    is_listed = instruments["listed"].to_numpy(bool)
    row, day = np.nonzero(valuation.is_held & is_listed[:, np.newaxis] & valuation.is_valued[owner])
    volume = by_instrument["volume"][row, day]
    n_obs = np.nan_to_num(by_instrument["observations"][row, day])
    few = count_texts(
        pd.Series(n_obs.astype(int)),
        f" of the trailing {liquidity.VOLUME_WINDOW} sessions have a volume;"
        f" {liquidity.MIN_VOLUME_OBS} required",
    )
    reasons = few.where(np.isnan(volume), "the median volume is 0").mask(
        np.isnan(valuation.values[row, day]), "the holding has no price"
    )
    return pd.DataFrame(
        {
            **valuation.keys(owner[row], day),
            "symbol": instruments["symbol"].to_numpy()[row],
            "holding_days": days[row, day],
            "median_volume": volume,
            "observations": n_obs.astype(np.int64),
            "participation": participation,
            "undefined_reason": reasons.where(np.isnan(days[row, day])),
        }
    )

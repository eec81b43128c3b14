"""Realized and forecast volatility of portfolios, from pro-forma changes of value."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from riskmetrics import panels
from riskmetrics.metrics import har
from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.metrics.forecast_features import FEATURE_WINDOW, Features, build_features
from riskmetrics.metrics.minimums import MIN_COVERAGE, meets_minimum
from riskmetrics.metrics.variance_correction import DIVERSIFIED, PORTFOLIO, STOCK
from riskmetrics.results.model_versions import ModelVersions
from riskmetrics.results.pro_forma import ProFormaBlock, ProFormaWindow, pro_forma_blocks
from riskmetrics.results.valuation import Valuation
from riskmetrics.results.volatility_results import (
    OTHER_HORIZONS,
    DailyBars,
    Figures,
    HorizonForecast,
    estimate_figures,
    ewma_forecasts,
    forecast_horizon,
    forecast_volatility,
)

_T = TypeVar("_T", bound=np.generic)

PORTFOLIO_WINDOW = FEATURE_WINDOW
"""Returns needed for a portfolio's row: those behind its features. The oldest volatility in its
percentile needs fewer."""

THIN_COVERAGE = 0.95
"""Share of gross exposure with a return below which a session of a portfolio is thin."""

_SCALED_BY_EQUITY = (
    *("realized_21d", "realized_63d", "daily", "weekly", "monthly"),
    *("volatility_forecast", "root_variance_forecast", "low", "high", "ewma_94", "ewma_97"),
)
"""Figures that scale with returns."""

_SCALE_FREE = ("rise_probability", "strength", "direction", "percentile")


@dataclass(frozen=True)
class PortfolioVolatility:
    """Volatility of portfolios (P) on the sessions of a run (D); its figures are (P, D)."""

    figures: Figures
    """Fractions of equity; NaN where `Valuation.risk_denominator` is NaN."""
    root_variance_amount: FloatArray
    """Square root of the forecast variance of the change of value, annualized, in currency,
    (P, D)."""
    coverage: FloatArray
    """Mean share of gross exposure with a return over the trailing 252 sessions, (P, D)."""
    n_covered: FloatArray
    """Instruments with at least 63 returns in the trailing 252 sessions, (P, D)."""
    n_thin: FloatArray
    """Thin sessions among them: coverage is at least MIN_COVERAGE and below THIN_COVERAGE,
    (P, D)."""
    versions: ModelVersions
    horizons: dict[int, HorizonForecast] = field(default_factory=dict)
    """Forecasts of `OTHER_HORIZONS`, fractions of equity, (P, D)."""


class _BlockEstimates(NamedTuple):
    """Estimates of portfolios on K sessions, (P, K); amounts are changes of value."""

    figures: Figures
    others: list[HorizonForecast]
    """Forecasts of `OTHER_HORIZONS`."""
    coverage: FloatArray
    n_covered: FloatArray
    n_thin: IntArray


def estimate_portfolio_volatility(
    valuation: Valuation,
    returns: panels.Returns,
    symbols: "pd.Index[str]",
    bars: DailyBars,
    market: str,
    versions: ModelVersions,
    funds: Collection[str] = (),
) -> PortfolioVolatility:
    """Estimate realized and forecast volatility of pro-forma portfolio returns.

    Parameters
    ----------
    valuation : Valuation
        Valuation on D sessions.
    returns : Returns
        Returns of the PORTFOLIO_WINDOW sessions that end on each of them.
    symbols : Index
        Symbols that are the only underlying of a portfolio (`Valuation.single_underlying`).
    bars : DailyBars
        Their bars on the same sessions. The range of such a portfolio is that of the symbol, scaled
        by its exposure; the range of several symbols is unknown.
    market : str
        Symbol of the market index, whose volatility is a regressor.
    versions : ModelVersions
        Model versions; a day uses the version known on it.
    funds : collection of str
        Symbols of funds and indices. A portfolio of one symbol has the class of that symbol.

    Notes
    -----
    This is not the mean of position volatilities, which would ignore diversification. Everything is
    measured on changes of value, and divided by equity at the end.
    """
    blocks = list(_estimate_blocks(valuation, returns, symbols, bars, market, versions, funds))
    figures, others, coverage, n_covered, n_thin = zip(*blocks, strict=True)
    in_currency = Figures._make(_join(values) for values in zip(*figures, strict=True))
    equity = valuation.risk_denominator
    return PortfolioVolatility(
        figures=_divide_by_equity(in_currency, equity),
        root_variance_amount=in_currency.root_variance_forecast,
        coverage=_join(coverage),
        n_covered=_join(n_covered),
        n_thin=_join(n_thin).astype(float),
        versions=versions,
        horizons={
            horizon: HorizonForecast(
                *(_join(values) / equity for values in zip(*found, strict=True))
            )
            for horizon, found in zip(OTHER_HORIZONS, zip(*others, strict=True), strict=True)
        },
    )


def _join(parts: Sequence[NDArray[_T]]) -> NDArray[_T]:
    """Return figures of all sessions, (P, D), from those of blocks of sessions."""
    return np.concatenate(parts, axis=1)


def _estimate_blocks(
    valuation: Valuation,
    returns: panels.Returns,
    symbols: "pd.Index[str]",
    bars: DailyBars,
    market: str,
    versions: ModelVersions,
    funds: Collection[str],
) -> Iterator[_BlockEstimates]:
    """Yield the estimates of sessions; see `estimate_portfolio_volatility`."""
    market_returns, version = returns.column(market), versions.version_on(valuation.sessions)
    single_underlying = valuation.single_underlying(symbols)
    exposure = np.abs(valuation.sum_by_portfolio(valuation.exposures))
    bars = bars.add_missing_column()  # column -1
    series_class = _classify_portfolios(single_underlying, symbols, funds)
    positions = returns.frame.columns.get_indexer(symbols)
    columns = list(valuation.underlying_columns(returns.frame.columns))
    year = slice(-har.LEVEL_WINDOW, None)

    def prepare(window: ProFormaWindow) -> tuple[har.Regressors, Features]:
        rows = slice(window.day, window.day + PORTFOLIO_WINDOW)
        single = single_underlying[:, window.day]
        own = bars.select(rows, single) if len(symbols) else None
        inputs = har.build_regressors(
            window.series[year],
            market_returns[rows][year],
            None if own is None else exposure[:, window.day] * own.ranges[year],
        )
        returns_of_features = _feature_returns(window, single, positions)
        return inputs, (build_features if own is None else own.features)(returns_of_features)

    def estimate(block: ProFormaBlock) -> _BlockEstimates:
        regressors, found = zip(*map(prepare, block.windows), strict=True)
        inputs = har.Regressors._make(_join(values) for values in zip(*regressors, strict=True))
        features = Features._make(_join(values) for values in zip(*found, strict=True))
        ewma = ewma_forecasts(block.series, 1)
        of_version = version[block.days][:1]
        at = inputs, features, versions, of_version, series_class[:, block.days].T.ravel()
        forecast = forecast_volatility(*at, ewma=ewma)
        figures = estimate_figures(block.series, inputs, forecast, ewma, 1)
        others = (forecast_horizon(*at, horizon, ewma) for horizon in OTHER_HORIZONS)
        covered = [
            window.coverage[year] * valuation.priced_share[:, window.day]
            for window in block.windows
        ]
        n_covered = [
            _count_covered(valuation, window.day, columns[window.day], window.symbol_returns[year])
            for window in block.windows
        ]
        return _BlockEstimates(
            Figures._make(block.by_day(values[0]) for values in figures),
            [HorizonForecast._make(block.by_day(values[0]) for values in each) for each in others],
            np.stack([share.mean(axis=0) for share in covered], axis=1),
            np.stack(n_covered, axis=1),
            np.stack([_count_thin_coverage_sessions(share) for share in covered], axis=1),
        )

    for block in pro_forma_blocks(valuation, returns, PORTFOLIO_WINDOW, is_in_currency=True):
        for _, windows in groupby(block.windows, lambda window: version[window.day]):
            yield estimate(ProFormaBlock.join(list(windows)))


def _classify_portfolios(
    single_underlying: IntArray, symbols: "pd.Index[str]", funds: Collection[str]
) -> IntArray:
    """Return the class of each portfolio and day, (P, D): that of its only symbol if it has one."""
    of_symbol = np.where(symbols.isin(list(funds)), DIVERSIFIED, STOCK)
    several = np.full(1, PORTFOLIO)  # column -1
    classes: IntArray = np.concatenate([of_symbol, several])[single_underlying]
    return classes


def _feature_returns(window: ProFormaWindow, single: IntArray, positions: IntArray) -> FloatArray:
    """Return changes of value, and the returns of the symbol where it is the only one, (T, P).

    ``single`` is each portfolio's only symbol, -1 if there are several, and ``positions`` are the
    columns of the symbols. Features do not depend on the unit, but the logarithm of a return does.
    """
    feature_returns = window.series.copy()
    is_single = single >= 0
    feature_returns[:, is_single] = window.symbol_returns[:, positions[single[is_single]]]
    return feature_returns


def _count_thin_coverage_sessions(covered: FloatArray) -> IntArray:
    """Count each portfolio's thin sessions, (P,), in covered shares of gross exposure (T, P)."""
    is_thin = meets_minimum(covered, MIN_COVERAGE) & ~meets_minimum(covered, THIN_COVERAGE)
    n_thin: IntArray = is_thin.sum(axis=0)
    return n_thin


def _count_covered(
    valuation: Valuation, d: int, column: IntArray, returns: FloatArray
) -> FloatArray:
    """Count each portfolio's instruments on day ``d`` with enough ``returns`` (T, S), (P,).

    ``column`` is each instrument's column of ``returns``, -1 if it has none.
    """
    enough = np.isfinite(returns).sum(axis=0) >= har.MIN_LEVEL_OBS
    return valuation.sum_by_portfolio(
        (valuation.is_held[:, d] & (column >= 0) & enough[column])[:, None]
    )[:, 0]


def _divide_by_equity(in_currency: Figures, equity: FloatArray) -> Figures:
    """Divide figures of changes of value by ``equity``, (P, D); NaN where it is NaN."""
    is_defined = np.isfinite(equity)
    scaled = {name: getattr(in_currency, name) / equity for name in _SCALED_BY_EQUITY}
    kept = {name: np.where(is_defined, getattr(in_currency, name), np.nan) for name in _SCALE_FREE}
    return in_currency._replace(**scaled, **kept)

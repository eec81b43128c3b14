"""Inputs of the assets of a run, on a simulated market in memory."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd

from riskmetrics import panels, trading_calendar
from riskmetrics.factor_sets import Factor
from riskmetrics.metrics import har
from riskmetrics.metrics._typing import FloatArray
from riskmetrics.results import (
    betas,
    decayed_betas,
    factor_results,
    income,
    portfolio_volatility_results,
    pro_forma,
    rate_sensitivity,
    tail_risk_results,
    valuation,
    valuation_inputs,
    volatility_results,
)
from riskmetrics.results.model_versions import ModelVersions
from riskmetrics.sources import simulate
from riskmetrics.sources.simulate import MARKET_INDEX, RATE_INDEX

LAST_SESSION = date(2024, 12, 6)
VERSIONS = ModelVersions(
    ["shipped-1"],
    [har.SHIPPED_COEFFICIENTS],
    np.array([har.SHIPPED_LAST_TARGET], dtype="datetime64[D]"),
)
_SYMBOLS_PER_BLOCK = 500


@dataclass(frozen=True)
class RunInputs:
    """Inputs of the assets of a run, and lazily computed shared results; sessions x symbols."""

    days: list[date]
    bars: dict[str, pd.DataFrame]
    profiles: pd.DataFrame
    portfolios: pd.DataFrame
    lots: pd.DataFrame

    @cached_property
    def clean_returns(self) -> panels.Returns:
        """Return the clean returns of all sessions."""
        return panels.clean_returns(self.bars["adj_close"])

    def returns(self, window: int) -> panels.Returns:
        """Return the clean returns of the windows that end on the days."""
        return self.clean_returns.last(len(self.days) + window - 1)

    @cached_property
    def market_betas(self) -> betas.SymbolBetas:
        """Return the market betas of symbols."""
        return betas.estimate_betas(self.returns(betas.BETA_WINDOW), MARKET_INDEX)

    @cached_property
    def decayed_betas(self) -> decayed_betas.DecayedBetas:
        """Return the exponentially weighted betas of symbols."""
        returns = self.returns(decayed_betas.DECAYED_WINDOW)
        return decayed_betas.estimate_decayed_betas(returns, MARKET_INDEX)

    @cached_property
    def rate_betas(self) -> tuple[betas.SymbolBetas, rate_sensitivity.TwoFactorBetas]:
        """Return one-factor rate betas and two-factor betas of symbols."""
        clean = self.returns(betas.BETA_WINDOW)
        return betas.estimate_betas(clean, RATE_INDEX), rate_sensitivity.estimate_two_factor_betas(
            clean, MARKET_INDEX, RATE_INDEX
        )

    @cached_property
    def symbol_factors(self) -> factor_results.SymbolFactors:
        """Return factor exposures of symbols; five stocks are the factor funds."""
        clean = self.returns(pro_forma.YEAR_WINDOW)
        stocks = clean.frame.columns.difference([MARKET_INDEX, RATE_INDEX])[:5]
        factors = [Factor(symbol, symbol) for symbol in stocks]
        model = factor_results.build_model(factors, MARKET_INDEX, clean, pd.DataFrame())
        return factor_results.estimate_symbol_factors(clean, model)

    @cached_property
    def symbol_volatility(self) -> volatility_results.SymbolVolatility:
        """Return realized and forecast volatility of symbols."""
        returns, ranges = panels.clean_bars(**self.bars)
        return volatility_results.estimate_symbol_volatility(
            returns, _only_ranges(ranges), MARKET_INDEX, VERSIONS
        )

    @cached_property
    def portfolio_valuation(self) -> valuation.Valuation:
        """Return portfolio values, with equity stated on the last session."""
        anchors = pd.Series(self.days[-1], index=self.portfolios["portfolio_id"], dtype=object)
        closes = self.bars["adj_close"].iloc[-(len(self.days) + panels.MAX_STALE_SESSIONS + 1) :]
        nothing = pd.DataFrame({"symbol": [], "date": pd.to_datetime([]), "amount": []}).astype(
            {"symbol": "str"}
        )
        market = valuation_inputs.MarketData(
            closes, pd.Series(dtype=float), income.Distributions(nothing, frozenset())
        )
        return valuation.value_portfolios(self.days, self.portfolios, self.lots, anchors, market)

    @cached_property
    def portfolio_volatility(self) -> portfolio_volatility_results.PortfolioVolatility:
        """Return realized and forecast volatility of portfolios."""
        symbols, returns = (
            self.bars["adj_close"].columns,
            self.returns(portfolio_volatility_results.PORTFOLIO_WINDOW),
        )
        single_underlyings = [
            symbols[column]
            for column in np.unique(self.portfolio_valuation.single_underlying(symbols))
            if column >= 0
        ]
        bars = {
            name: of.iloc[-(len(returns.frame) + 2) :][single_underlyings]
            for name, of in self.bars.items()
        }
        _, ranges = panels.clean_bars(**bars)
        return portfolio_volatility_results.estimate_portfolio_volatility(
            self.portfolio_valuation,
            returns,
            ranges.columns,
            _only_ranges(ranges),
            MARKET_INDEX,
            VERSIONS,
        )


def _only_ranges(ranges: pd.DataFrame) -> volatility_results.DailyBars:
    """Return bars of which opens and volumes are unknown."""
    missing = np.full(ranges.shape, np.nan)
    return volatility_results.DailyBars(ranges.to_numpy(), missing, missing)


def simulate_position_inputs(symbols: int, sessions: int) -> RunInputs:
    """Simulate a market with the history that position metrics need, and one portfolio of it."""
    days, bars, profiles = _simulate_market(symbols, sessions, volatility_results.SYMBOL_WINDOW)
    stocks, entered = bars["adj_close"].columns[2:], bars["adj_close"].index[0]
    names = {
        "id": stocks,
        "portfolio_id": "one",
        "symbol": stocks,
        "position_type": "LONG",
        "investment_class": "PUBLIC",
    }
    lots = pd.DataFrame({**names, "quantity": 1.0, "entry_price": 1.0, "entry_date": entered})
    return RunInputs(
        days, bars, profiles, pd.DataFrame({"portfolio_id": ["one"]}), _to_stored_lots(lots)
    )


def simulate_portfolio_inputs(symbols: int, portfolios: int, lots: int) -> RunInputs:
    """Simulate portfolios on one session, and the history that their metrics need."""
    days, bars, profiles = _simulate_market(symbols, 1, tail_risk_results.TAIL_RISK_WINDOW)
    simulated = simulate.simulate_portfolios(
        range(portfolios), lots, bars["adj_close"].iloc[:, 2:], seed=1
    )
    return RunInputs(
        days,
        bars,
        profiles,
        simulated.portfolios.rename(columns={"id": "portfolio_id"}),
        _to_stored_lots(simulated.lots),
    )


def _simulate_market(
    symbols: int, sessions: int, window: int
) -> tuple[list[date], dict[str, pd.DataFrame], pd.DataFrame]:
    """Return sessions, bars that cover a window of returns before each session, and profiles."""
    days = trading_calendar.sessions_between(trading_calendar.FIRST_SESSION, LAST_SESSION)[
        -(sessions + window + 1) :
    ]
    truth, parts = (
        simulate.true_parameters(symbols, seed=1),
        {name: list[FloatArray]() for name in ("adj_close", "high", "low")},
    )
    for block in simulate.simulate_market_blocks(
        symbols, days, seed=1, symbols_per_block=_SYMBOLS_PER_BLOCK
    ):
        for name, blocks in parts.items():
            blocks.append(block.prices[name].to_numpy().reshape(-1, len(days)))
    bars = {
        name: pd.DataFrame(np.concatenate(of).T.copy(), pd.DatetimeIndex(days), truth.index)
        for name, of in parts.items()
    }
    return days[-sessions:], bars, simulate.profiles(truth).set_index("symbol")


def _to_stored_lots(lots: pd.DataFrame) -> pd.DataFrame:
    """Return simulated lots with the columns and order of `db.input_queries.read_lots`."""
    numbers = dict.fromkeys(
        ("exit_price", "exit_close", "strike_price", "last_price", "market_value"), np.nan
    )
    dates = dict.fromkeys(
        ("exit_date", "expiration_date"), pd.Series(pd.NaT, lots.index, dtype="datetime64[s]")
    )
    none = pd.Series(pd.NA, lots.index, dtype="str")
    lots = lots.assign(**numbers, **dates, underlying_symbol=none, entry_date_assumed=False).rename(
        columns={"id": "position_id"}
    )
    return lots.sort_values(
        ["portfolio_id", "symbol", "position_type", "entry_date", "position_id"], ignore_index=True
    )

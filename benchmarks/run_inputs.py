"""Computations of the assets of a run on a simulated market in memory, up to the written rows."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TypeAlias

import numpy as np
import pandas as pd

from riskmetrics import panels, trading_calendar
from riskmetrics.catalog import all_statistics
from riskmetrics.factor_sets import Factor
from riskmetrics.metrics import har
from riskmetrics.metrics._typing import FloatArray
from riskmetrics.metrics.decayed_beta import DECAYED_WINDOW
from riskmetrics.metrics.tail_risk import VAR_WINDOW
from riskmetrics.results import (
    betas,
    contribution_results,
    correlation_results,
    decayed_betas,
    exposures,
    factor_results,
    forecasts,
    holding_risk,
    income,
    option_results,
    portfolio_volatility_results,
    pro_forma,
    rate_sensitivity,
    snapshots,
    stress_results,
    tail_risk_results,
    valuation,
    valuation_inputs,
    volatility_results,
)
from riskmetrics.results.model_versions import ModelVersions
from riskmetrics.results.statistic_rows import statistic_rows
from riskmetrics.settings import DEFAULT_BENCHMARK
from riskmetrics.sources import simulate
from riskmetrics.sources.simulate import MARKET_INDEX, RATE_INDEX

LAST_SESSION = date(2024, 12, 6)
VERSIONS = ModelVersions(
    ["shipped-1"],
    [har.SHIPPED_COEFFICIENTS],
    np.array([har.SHIPPED_LAST_TARGET], dtype="datetime64[D]"),
)
PRICING_PARAMETERS = option_results.PricingParameters(risk_free_rate=0.04, dividend_yield=0.0)

MOVES = (
    (0.1, None),
    (-0.1, None),
    (-0.2, None),
    (-0.4, None),
    (None, 0.1),
    (None, -0.1),
    (-0.2, -0.1),
)
REPLAYS = ((-250, -210), (-200, -160), (-150, -110), (-100, -60), (-50, -10))
"""Windows of historical scenarios, in sessions from the last; as many scenarios as are shipped."""

_SYMBOLS_PER_BLOCK = 500
Frames: TypeAlias = tuple[pd.DataFrame, ...]


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
        """Return the age-decayed betas of symbols."""
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


def position_betas(inputs: RunInputs) -> Frames:
    """Return the rows of the asset."""
    one, lots, days = inputs.market_betas, inputs.lots, inputs.days
    return (
        *betas.position_rows(one, lots, days, betas.MARKET_BETA_TABLE),
        betas.adjusted_beta_rows(one, lots, days),
        decayed_betas.symbol_rows(inputs.decayed_betas, lots, days),
    )


def interest_rate_betas(inputs: RunInputs) -> Frames:
    """Return the rows of the asset."""
    (one, two), lots, days = inputs.rate_betas, inputs.lots, inputs.days
    return *betas.position_rows(
        one, lots, days, betas.RATE_BETA_TABLE
    ), rate_sensitivity.symbol_rows(two, lots, days)


def position_volatility(inputs: RunInputs) -> Frames:
    """Return the rows of the asset, with option values."""
    estimates, lots, days = inputs.symbol_volatility, inputs.lots, inputs.days
    option_rows = option_results.position_rows(
        option_results.option_lots(lots),
        days,
        inputs.bars["adj_close"],
        estimates,
        PRICING_PARAMETERS,
    )
    return *forecasts.position_rows(estimates, lots, days, option_rows), forecasts.symbol_forecasts(
        estimates, lots, days
    )


def portfolio_values(inputs: RunInputs) -> Frames:
    """Return the rows of the asset."""
    return *snapshots.value_rows(inputs.portfolio_valuation), snapshots.value_coverage(
        inputs.portfolio_valuation
    )


def portfolio_betas(inputs: RunInputs) -> Frames:
    """Return the rows of the asset."""
    valued, returns = inputs.portfolio_valuation, inputs.returns(decayed_betas.DECAYED_WINDOW)
    return (
        *snapshots.beta_rows(valued, inputs.market_betas, inputs.profiles),
        *decayed_betas.portfolio_rows(valued, inputs.decayed_betas, returns),
    )


def portfolio_rate_betas(inputs: RunInputs) -> Frames:
    """Return the rows of the asset."""
    return rate_sensitivity.portfolio_rows(inputs.portfolio_valuation, *inputs.rate_betas)


def portfolio_volatility(inputs: RunInputs) -> Frames:
    """Return the rows of the asset."""
    estimates = inputs.portfolio_volatility
    return *forecasts.portfolio_rows(
        inputs.portfolio_valuation, estimates
    ), forecasts.portfolio_forecasts(inputs.portfolio_valuation, estimates)


def sector_concentration(inputs: RunInputs) -> Frames:
    """Return the rows of the asset."""
    weights = simulate.benchmark(inputs.days[0]).pivot(
        index="date", columns="sector", values="weight"
    )
    sectors = exposures.sector_rows(
        inputs.portfolio_valuation, inputs.profiles, weights, DEFAULT_BENCHMARK
    )
    return sectors, *exposures.concentration_rows(inputs.portfolio_valuation, sectors)


def portfolio_tail_risk(inputs: RunInputs) -> Frames:
    """Return the rows of the asset."""
    expected = inputs.portfolio_volatility
    returns = inputs.returns(tail_risk_results.TAIL_RISK_WINDOW)
    return tail_risk_results.tail_risk_rows(
        inputs.portfolio_valuation,
        returns,
        expected.root_variance_amount,
        expected.figures.observations,
    )


def risk_contributions(inputs: RunInputs) -> Frames:
    """Return the rows of the asset."""
    valued, year = inputs.portfolio_valuation, inputs.returns(pro_forma.YEAR_WINDOW)
    net = contribution_results.net_by_underlying(valued)
    returns = inputs.returns(VAR_WINDOW)
    risk = holding_risk.estimate_holding_risk(valued, net, returns, MARKET_INDEX)
    rows, volatility = contribution_results.contribution_rows(valued, year)
    return (
        holding_risk.extend_contributions(valued, net, risk, rows),
        volatility,
        holding_risk.active_sector_rows(valued, net, risk, inputs.profiles),
    )


def correlations(inputs: RunInputs) -> Frames:
    """Return the rows of the asset."""
    return correlation_results.correlation_rows(
        inputs.portfolio_valuation, inputs.returns(pro_forma.YEAR_WINDOW)
    )


def _statistic(table: str, inputs: RunInputs) -> Frames:
    """Return the rows of a statistic."""
    (statistic,) = (one for one in all_statistics() if one.table == table)
    valued, returns = inputs.portfolio_valuation, inputs.returns(statistic.sessions)
    return (statistic_rows(statistic, valued, returns, MARKET_INDEX),)


def portfolio_drawdowns(inputs: RunInputs) -> Frames:
    """Return the rows of the asset."""
    return _statistic("portfolio_drawdowns", inputs)


def portfolio_market_regressions(inputs: RunInputs) -> Frames:
    """Return the rows of the asset."""
    return _statistic("portfolio_market_regressions", inputs)


def portfolio_active_risk(inputs: RunInputs) -> Frames:
    """Return the rows of the asset."""
    return _statistic("portfolio_active_risk", inputs)


def portfolio_expected_active_risk(inputs: RunInputs) -> Frames:
    """Return the rows of the asset."""
    return _statistic("portfolio_expected_active_risk", inputs)


def portfolio_performance(inputs: RunInputs) -> Frames:
    """Return the rows of the asset."""
    return _statistic("portfolio_performance", inputs)


def stress_tests(inputs: RunInputs) -> Frames:
    """Return the rows of the asset."""
    closes = inputs.bars["adj_close"]
    moves = pd.DataFrame(MOVES, columns=["market_move", "rate_move"], dtype=float)
    windows = pd.DataFrame(
        closes.index.to_numpy()[np.array(REPLAYS)], columns=["first_day", "last_day"]
    )
    scenarios = pd.concat([moves, windows], ignore_index=True).assign(
        name=lambda rows: rows.index.astype("str"), volatility_move=np.nan
    )
    replayed = closes.reindex(pd.to_datetime(stress_results.window_ends(scenarios)))
    return (
        stress_results.stress_rows(
            inputs.portfolio_valuation,
            scenarios,
            stress_results.StressBetas(inputs.decayed_betas, *inputs.rate_betas),
            stress_results.History(replayed, inputs.returns(DECAYED_WINDOW)),
        ),
    )


SYMBOL_ESTIMATES = (
    *("clean_returns", "market_betas", "decayed_betas", "rate_betas", "symbol_volatility"),
)


def portfolio_factor_exposures(inputs: RunInputs) -> Frames:
    """Return the rows of the asset."""
    returns = inputs.returns(pro_forma.YEAR_WINDOW)
    return factor_results.portfolio_rows(inputs.portfolio_valuation, inputs.symbol_factors, returns)


POSITION_ASSETS = (position_betas, interest_rate_betas, position_volatility)
SHARED_INPUTS = (
    "clean_returns",
    "portfolio_valuation",
    "market_betas",
    "decayed_betas",
    "rate_betas",
    "symbol_factors",
    "portfolio_volatility",
)
"""Inputs that the assets of portfolios share."""
PORTFOLIO_ASSETS = (
    portfolio_values,
    portfolio_betas,
    portfolio_rate_betas,
    portfolio_volatility,
    sector_concentration,
    portfolio_tail_risk,
    risk_contributions,
    correlations,
    portfolio_drawdowns,
    portfolio_market_regressions,
    portfolio_active_risk,
    portfolio_expected_active_risk,
    portfolio_factor_exposures,
    portfolio_performance,
    stress_tests,
)


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

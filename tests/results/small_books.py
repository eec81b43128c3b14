"""Small portfolios to check by hand, and random ones, in the shape read from the database."""

from collections.abc import Callable
from datetime import date
from functools import cached_property, wraps
from typing import Any, NamedTuple, TypeVar

import numpy as np
import pandas as pd

from benchmarks.run_inputs import VERSIONS as SHIPPED
from riskmetrics import panels, trading_calendar
from riskmetrics.catalog import all_statistics
from riskmetrics.catalog.track_records import TRACKED_FORECASTS
from riskmetrics.factor_sets import parse_factors
from riskmetrics.metrics.decayed_beta import DECAYED_WINDOW
from riskmetrics.metrics.forecast_score import FORECAST_HORIZON
from riskmetrics.metrics.tail_risk import VAR_WINDOW
from riskmetrics.metrics.volatility import range_proxy
from riskmetrics.results import (
    betas,
    contribution_results,
    correlation_results,
    decayed_betas,
    exposures,
    factor_results,
    forecasts,
    holding_risk,
    option_results,
    portfolio_volatility_results,
    pro_forma,
    rate_sensitivity,
    snapshots,
    stress_results,
    tail_risk_results,
    track_records,
    valuation,
    valuation_inputs,
    volatility_results,
)
from riskmetrics.results.income import Distributions
from riskmetrics.results.lot_frames import is_listed, is_option
from riskmetrics.results.option_revaluation import OptionBook, build_option_book
from riskmetrics.results.statistic_rows import statistic_rows
from riskmetrics.results.transaction_cash import NO_FLOWS
from riskmetrics.sources import simulate

MARKET = "SPY"
PRICING_PARAMETERS = option_results.PricingParameters(risk_free_rate=0.04, dividend_yield=0.01)
FIRST, LAST = date(2023, 6, 1), date(2024, 3, 28)
SESSIONS = trading_calendar.sessions_between(FIRST, LAST)

SCENARIOS = pd.DataFrame(
    {
        "name": ["fall", "rates", "both", "autumn", "spring"],
        "market_move": [-0.2, np.nan, -0.1, np.nan, np.nan],
        "rate_move": [np.nan, -0.1, 0.05, np.nan, np.nan],
        "volatility_move": [np.nan, np.nan, 0.5, np.nan, np.nan],
        "first_day": pd.to_datetime([None, None, None, "2023-09-01", "2024-02-01"]),
        "last_day": pd.to_datetime([None, None, None, "2023-10-27", "2024-03-22"]),
    }
)
"""Moves, and windows of which the last ends after most of the days that are looked at."""

_KEYS = [
    *(
        "portfolio_id",
        "position_id",
        "snapshot_date",
        "calc_date",
        "calculation_date",
        "day",
        "made_on",
        "subject",
        "symbol",
        "metric",
    ),
    *("symbol_a", "symbol_b", "sector", "method", "level", "horizon_days", "scenario"),
    "factor",
]
"""Columns that identify a row of some table of results, in the order of sorting."""

_SYMBOLS = [f"S{at}" for at in range(8)]
"""Of the random books."""

_DEFAULT_LOT: dict[str, Any] = {
    "portfolio_id": "A",
    "position_type": "LONG",
    "entry_price": 10.0,
    "entry_date": "2023-06-01",
    "entry_date_assumed": False,
    "exit_price": None,
    "exit_date": None,
    "exit_close": None,
    "underlying_symbol": None,
    "strike_price": None,
    "expiration_date": None,
    "investment_class": "PUBLIC",
    "last_price": None,
    "market_value": None,
}


NO_DISTRIBUTIONS = Distributions(
    pd.DataFrame({"symbol": pd.array([], dtype="str"), "date": pd.to_datetime([]), "amount": []}),
    frozenset(),
)


def rows_of(table: str, valued: valuation.Valuation, returns: panels.Returns) -> pd.DataFrame:
    """Return the rows of a statistic."""
    (statistic,) = (one for one in all_statistics() if one.table == table)
    return statistic_rows(statistic, valued, returns, MARKET)


def drawdown_rows(valued: valuation.Valuation, returns: panels.Returns) -> pd.DataFrame:
    """Return the rows of `portfolio_drawdowns`."""
    return rows_of("portfolio_drawdowns", valued, returns)


def contribution_rows(valued: valuation.Valuation, returns: panels.Returns) -> pd.DataFrame:
    """Return the rows of `portfolio_risk_contributions`."""
    net = contribution_results.net_by_underlying(valued)
    return contribution_results.contribution_rows(valued, net, returns)[0]


def only_ranges(ranges: pd.DataFrame) -> volatility_results.DailyBars:
    """Bars of which opens and volumes are unknown."""
    missing = np.full(ranges.shape, np.nan)
    return volatility_results.DailyBars(ranges.to_numpy(), missing, missing)


def as_stored(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of `volatility_forecasts`, by method, as they are read when they complete."""
    parts = []
    for tracked in TRACKED_FORECASTS:
        if (tracked.table, tracked.horizon) != ("volatility_forecasts", 21):
            continue
        columns = {
            name: rows[column] if column else np.nan
            for name in ("root_variance", "low", "high")
            for column in [getattr(tracked, name)]
        }
        parts.append(
            rows[["subject", "portfolio_id", "in_sample"]].assign(
                made_on=rows["day"],
                kind="volatility",
                method=tracked.method,
                horizon=tracked.horizon,
                value=rows[tracked.value],
                **columns,
                **dict.fromkeys(("expected_shortfall", "std_error", "level"), np.nan),
            )
        )
    found = pd.concat(parts, ignore_index=True)
    return found[found["value"].notna()].reset_index(drop=True)


T = TypeVar("T")


def once_per_run(method: Callable[..., T]) -> Callable[..., T]:
    """Keep what a method of a book returns, by its arguments, for the rest of `Book.results`."""

    @wraps(method)
    def find_or_compute(book: "Book", *arguments: Any) -> T:
        if not isinstance(book, _Run):
            return method(book, *arguments)
        key = method.__name__, *arguments
        if key not in book.found:
            book.found[key] = method(book, *arguments)
        found: T = book.found[key]
        return found

    return find_or_compute


class Book(NamedTuple):
    """What a run reads."""

    portfolios: pd.DataFrame
    lots: pd.DataFrame
    anchors: "pd.Series[Any]"
    closes: pd.DataFrame
    profiles: pd.DataFrame
    benchmark: pd.DataFrame
    ranges: pd.DataFrame
    """Range proxies, sessions x symbols; no columns unless a test gives some."""
    distributions: Distributions = NO_DISTRIBUTIONS
    cash_flows: pd.DataFrame = NO_FLOWS
    """Cash flows of transactions."""

    def value_book(self, *days: date) -> valuation.Valuation:
        """Value the book on sessions, with no more closes than that needs."""
        needed = pd.to_datetime(valuation_inputs.required_sessions(days, self.lots, self.anchors))
        before = self.closes[
            self.closes.index < pd.Timestamp(valuation_inputs.recent_sessions(days)[0])
        ]
        market = valuation_inputs.MarketData(
            self.closes.reindex(needed),
            before.ffill().iloc[-1].dropna() if len(before) else pd.Series(dtype=float),
            self.distributions,
            self.suspects(),
        )
        return valuation.value_portfolios(
            days, self.portfolios, self.lots, self.anchors, market, self.cash_flows
        )

    @once_per_run
    def suspects(self) -> pd.DataFrame:
        """List the suspected splits of the whole history, as a run reads them, without ranges."""
        missing = self.closes * np.nan
        return panels.suspected_splits(panels.Bars(self.closes, self.closes, missing, missing))

    @once_per_run
    def value_with_deltas(self, *days: date) -> valuation.Valuation:
        """Value the book, and count options by their exposure."""
        valued = self.value_book(*days)
        return (
            option_results.apply_delta_exposures(valued, self.lots, self.options(*days))
            if is_option(self.lots).any()
            else valued
        )

    @once_per_run
    def returns(self, window: int, *days: date) -> panels.Returns:
        """Believed returns of all symbols over the windows that end on sessions."""
        closes = self.closes.reindex(
            pd.to_datetime(trading_calendar.sessions_with_lookback(days, window + 1))
        )
        return panels.clean_returns(closes, self.suspects())

    @once_per_run
    def rate_betas(self, *days: date) -> tuple[betas.SymbolBetas, rate_sensitivity.TwoFactorBetas]:
        """Betas of all symbols to the last of them, alone and beside the market's."""
        returns, index = (
            self.returns(betas.BETA_WINDOW, *days),
            "S0" if "S0" in self.closes else self.closes.columns[0],
        )
        return betas.estimate_betas(returns, index), rate_sensitivity.estimate_two_factor_betas(
            returns, MARKET, index
        )

    @once_per_run
    def symbol_volatility(self, *days: date) -> volatility_results.SymbolVolatility:
        """Measure and forecast the volatility of all symbols."""
        returns = self.returns(volatility_results.SYMBOL_WINDOW, *days)
        ranges = self.ranges.reindex(index=returns.frame.index, columns=returns.frame.columns)
        return volatility_results.estimate_symbol_volatility(
            returns, only_ranges(ranges), MARKET, SHIPPED
        )

    def portfolio_volatility(
        self, *days: date, delta_valuation: valuation.Valuation | None = None
    ) -> portfolio_volatility_results.PortfolioVolatility:
        """Measure and forecast the volatility of all portfolios."""
        returns = self.returns(portfolio_volatility_results.PORTFOLIO_WINDOW, *days)
        ranges = self.ranges.reindex(returns.frame.index)
        return portfolio_volatility_results.estimate_portfolio_volatility(
            delta_valuation or self.value_with_deltas(*days),
            returns,
            ranges.columns,
            only_ranges(ranges),
            MARKET,
            SHIPPED,
        )

    def volatility_outcomes(self, *days: date) -> pd.DataFrame:
        """Judge the volatility forecasts that complete on sessions, each made on its own day."""
        made_on = track_records.forecast_sessions(days, FORECAST_HORIZON)
        exposed = self.value_with_deltas(*made_on)
        of_portfolios = self.portfolio_volatility(*made_on, delta_valuation=exposed)
        stored = as_stored(
            pd.concat(
                [
                    forecasts.symbol_forecasts(
                        self.symbol_volatility(*made_on), self.lots, made_on
                    ),
                    forecasts.portfolio_forecasts(exposed, of_portfolios),
                ],
                ignore_index=True,
            )
        )
        returns = self.returns(FORECAST_HORIZON, *days)
        parts = []
        for is_portfolio, outcomes in (
            (False, track_records.symbol_volatility_outcomes(returns, FORECAST_HORIZON)),
            (
                True,
                track_records.portfolio_volatility_outcomes(returns, exposed, FORECAST_HORIZON),
            ),
        ):
            rows = stored[stored["portfolio_id"].notna() == is_portfolio].reset_index(drop=True)
            found = track_records.look_up(rows, made_on, outcomes)
            parts.append(track_records.outcome_rows(rows, days, *found))
        # a part without rows has no types
        return pd.concat([part for part in parts if len(part)] or parts, ignore_index=True)

    def betas(self, *days: date) -> betas.SymbolBetas:
        """Estimate the betas of all symbols on sessions, from the closes of their windows alone."""
        closes = self.closes.reindex(
            pd.to_datetime(trading_calendar.sessions_with_lookback(days, betas.BETA_WINDOW + 1))
        )
        panels.require_closes(closes, days, MARKET)
        return betas.estimate_betas(panels.clean_returns(closes, self.suspects()), MARKET)

    @once_per_run
    def decayed_betas(self, *days: date) -> decayed_betas.DecayedBetas:
        """Estimate the exponentially weighted betas of all symbols on sessions."""
        returns = self.returns(decayed_betas.DECAYED_WINDOW, *days)
        return decayed_betas.estimate_decayed_betas(returns, MARKET)

    def stress(
        self, *days: date, delta_valuation: valuation.Valuation | None = None
    ) -> pd.DataFrame:
        """Losses of all portfolios in SCENARIOS."""
        valued = delta_valuation or self.value_with_deltas(*days)
        return stress_results.stress_rows(
            valued,
            SCENARIOS,
            self.stress_betas(*days),
            self.stress_history(*days),
            self.option_book(valued, *days),
        )

    def stress_betas(self, *days: date) -> stress_results.StressBetas:
        """Betas that scenarios use."""
        returns = self.returns(DECAYED_WINDOW, *days)
        market = decayed_betas.estimate_decayed_betas(returns, MARKET)
        return stress_results.StressBetas(market, *self.rate_betas(*days))

    def stress_history(self, *days: date) -> stress_results.History:
        """Closes at the ends of the windows of SCENARIOS, and returns."""
        return stress_results.History(
            self.closes.reindex(pd.to_datetime(stress_results.window_ends(SCENARIOS))),
            self.returns(DECAYED_WINDOW, *days),
            self.suspects(),
        )

    def option_book(self, valued: valuation.Valuation, *days: date) -> OptionBook:
        """Open options, to be revalued."""
        lots = option_results.option_lots(self.lots)
        return build_option_book(valued, lots, self.options(*days), PRICING_PARAMETERS)

    def holding_risk(
        self, valued: valuation.Valuation, *days: date
    ) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        """Contributions with active and incremental risk, volatility, and those of sectors."""
        net = contribution_results.net_by_underlying(valued)
        risk = holding_risk.estimate_holding_risk(
            valued, net, self.returns(VAR_WINDOW, *days), MARKET
        )
        rows, volatility = contribution_results.contribution_rows(
            valued, net, self.returns(pro_forma.YEAR_WINDOW, *days)
        )
        return (
            holding_risk.extend_contributions(valued, net, risk, rows),
            volatility,
            holding_risk.active_sector_rows(valued, net, risk, self.profiles),
        )

    @once_per_run
    def options(self, *days: date) -> pd.DataFrame:
        """Exposures of all options, at a rate of 4 % and a dividend yield of 1 %."""
        closes = self.closes.reindex(
            pd.to_datetime(trading_calendar.sessions_with_lookback(days, panels.MAX_STALE_SESSIONS))
        )
        return option_results.position_rows(
            option_results.option_lots(self.lots),
            days,
            closes,
            self.symbol_volatility(*days),
            PRICING_PARAMETERS,
        )

    def factor_exposures(
        self, *days: date, factors: str = "first=S2, second=S3, missing=NONE, imported"
    ) -> factor_results.SymbolFactors:
        """Factor exposures of symbols, to spreads of funds and a factor without returns."""
        returns = self.returns(pro_forma.YEAR_WINDOW, *days)
        funds = returns._replace(
            frame=returns.frame.assign(NONE=np.nan),
            unconfirmed=np.pad(returns.unconfirmed, ((0, 0), (0, 1))),
        )
        model = factor_results.build_model(parse_factors(factors), MARKET, funds, pd.DataFrame())
        return factor_results.estimate_symbol_factors(returns, model)

    def results(self, *days: date) -> dict[str, pd.DataFrame]:
        """Every table of results, sorted by its key."""
        return _Run(*self).compute_results(*days)

    def compute_results(self, *days: date) -> dict[str, pd.DataFrame]:
        """Compute every table of results, sorted by its key."""
        valued, estimated = self.value_with_deltas(*days), self.betas(*days)
        rows, undefined = snapshots.value_rows(valued)
        beta_rows, beta_coverage, undefined_betas = snapshots.beta_rows(
            valued, estimated, self.profiles
        )
        sectors = exposures.sector_rows(
            valued,
            self.profiles,
            self.benchmark[self.benchmark.index <= pd.Timestamp(days[-1])],
            "SP500",
        )
        concentration, undefined_sectors = exposures.concentration_rows(valued, sectors)
        position_rows, undefined_positions = betas.position_rows(
            estimated, self.lots, days, betas.MARKET_BETA_TABLE
        )
        one, two = self.rate_betas(*days)
        position_rates, undefined_rates = betas.position_rows(
            one, self.lots, days, betas.RATE_BETA_TABLE
        )
        of_symbols, of_portfolios = (
            self.symbol_volatility(*days),
            self.portfolio_volatility(*days, delta_valuation=valued),
        )
        option_exposures = self.options(*days)
        position_volatility, undefined_volatile = forecasts.position_rows(
            of_symbols, self.lots, days, option_exposures
        )
        snapshot, thin, undefined_snapshot = forecasts.portfolio_rows(valued, of_portfolios)
        rate_rows, rate_coverage = rate_sensitivity.portfolio_rows(valued, one, two)
        tail, backtests = tail_risk_results.tail_risk_rows(
            valued,
            self.returns(tail_risk_results.TAIL_RISK_WINDOW, *days),
            of_portfolios.root_variance_amount,
            of_portfolios.figures.observations,
            self.option_book(valued, *days),
        )
        contributions, ex_ante, active_sectors = self.holding_risk(valued, *days)
        decayed, decayed_coverage = decayed_betas.portfolio_rows(
            valued,
            self.decayed_betas(*days),
            self.returns(decayed_betas.DECAYED_WINDOW, *days),
        )
        diversification, correlations = correlation_results.correlation_rows(
            valued, self.returns(pro_forma.YEAR_WINDOW, *days)
        )
        judged = self.volatility_outcomes(*days)
        greeks, undefined_greeks = option_results.portfolio_rows(
            valued, option_results.option_lots(self.lots), option_exposures
        )
        factors = self.factor_exposures(*days)
        factor_exposures, factor_risk = factor_results.portfolio_rows(
            valued, factors, self.returns(pro_forma.YEAR_WINDOW, *days)
        )
        symbol_factors = factor_results.symbol_rows(factors, self.lots, days)
        tables = {
            "symbol_factors": symbol_factors.assign(  # one key, as in the other tables of symbols
                symbol=symbol_factors["symbol"] + " " + symbol_factors["factor"]
            ),
            "factor_exposures": factor_exposures,
            "factor_risk": factor_risk,
            "tail_risk": tail,
            "backtests": backtests,
            "contributions": contributions,
            "active_sectors": active_sectors,
            "ex_ante": ex_ante,
            "diversification": diversification,
            "correlations": correlations,
            "decayed": decayed_betas.symbol_rows(self.decayed_betas(*days), self.lots, days),
            "drawdowns": drawdown_rows(valued, self.returns(pro_forma.YEAR_WINDOW, *days)),
            "stress": self.stress(*days, delta_valuation=valued),
            "options": option_exposures,
            "greeks": greeks,
            "rates": position_rates,
            "two_factor": rate_sensitivity.symbol_rows(two, self.lots, days),
            "adjusted": betas.adjusted_beta_rows(estimated, self.lots, days),
            "portfolio_rates": rate_rows,
            "portfolio_decayed": decayed,
            "volatility": position_volatility,
            "portfolio_volatility": snapshot,
            "symbol_forecasts": forecasts.symbol_forecasts(of_symbols, self.lots, days),
            "portfolio_forecasts": forecasts.portfolio_forecasts(valued, of_portfolios),
            "symbol_outcomes": judged[judged["portfolio_id"].isna()],
            "portfolio_outcomes": judged[judged["portfolio_id"].notna()],
            "values": rows,
            "betas": beta_rows,
            "concentration": concentration,
            "sectors": sectors,
            "positions": position_rows,
            "coverage": pd.concat(
                [
                    snapshots.value_coverage(valued),
                    beta_coverage,
                    decayed_coverage,
                    rate_coverage,
                    thin,
                ]
            ).astype({"portfolio_id": "str"}),  # also if one of them has no rows
            "undefined": pd.concat(
                [
                    undefined,
                    undefined_betas,
                    undefined_sectors,
                    undefined_positions,
                    undefined_rates,
                    undefined_volatile,
                    undefined_snapshot,
                    undefined_greeks,
                ]
            ),
        }
        return {
            name: table.sort_values([key for key in _KEYS if key in table]).reset_index(drop=True)
            for name, table in tables.items()
        }


class _Run(Book):
    """A book that is computed once, as in a run, which shares what several tables need."""

    @cached_property
    def found(self) -> dict[tuple[Any, ...], Any]:
        """What methods have returned, by name and arguments."""
        return {}


def lot(symbol: str, quantity: float, **fields: object) -> dict[str, Any]:
    """A lot of portfolio A, bought at 10 on the first session unless ``fields`` say otherwise."""
    return _DEFAULT_LOT | {"symbol": symbol, "quantity": quantity} | fields


def book(
    *lots: dict[str, Any],
    closes: dict[str, dict[date, float]] | pd.DataFrame | None = None,
    equity: dict[str, tuple[float | None, date | None]] | None = None,
    profiles: dict[str, tuple[str | None, bool, float]] | None = None,
    benchmark: dict[date, dict[str, float]] | None = None,
    ranges: pd.DataFrame | None = None,
) -> Book:
    """Build a book of lots, closes and equity balances with their day, by portfolio."""
    stated_equity = {"A": (None, None)} if equity is None else equity
    portfolios = pd.DataFrame(
        {
            "portfolio_id": list(stated_equity),
            "name": list(stated_equity),
            "equity_balance": [of for of, _ in stated_equity.values()],
        }
    )
    anchors = pd.Series(
        {name: day for name, (_, day) in stated_equity.items() if day is not None}, dtype=object
    )
    table = pd.DataFrame(
        [{"position_id": f"{at:04d}", **of} for at, of in enumerate(lots)],
        columns=["position_id", "symbol", "quantity", *_DEFAULT_LOT],
    )
    dates, numbers = (
        ["entry_date", "exit_date", "expiration_date"],
        ["entry_price", "exit_price", "strike_price", "last_price", "market_value"],
    )
    table[dates] = table[dates].apply(pd.to_datetime)
    table = table.astype(
        {"quantity": float, "underlying_symbol": "str", "entry_date_assumed": bool}
        | dict.fromkeys(numbers, float)
    )
    if not isinstance(closes, pd.DataFrame):
        columns = sorted({*(closes or {}), *table.loc[is_listed(table), "symbol"]})
        close_series = {
            symbol: pd.Series(of, dtype=float).rename(pd.Timestamp)
            for symbol, of in (closes or {}).items()
        }
        closes = pd.DataFrame(
            close_series,
            index=pd.to_datetime(SESSIONS),
            columns=pd.Index(columns, dtype="str"),
            dtype=float,
        )
    return Book(
        portfolios.astype({"portfolio_id": "str", "name": "str", "equity_balance": float}),
        table.astype(
            {
                "position_id": "str",
                "portfolio_id": "str",
                "symbol": "str",
                "position_type": "str",
                "investment_class": "str",
            }
        ),
        anchors,
        closes,
        _profiles(profiles or {}),
        pd.DataFrame.from_dict(
            {pd.Timestamp(day): of for day, of in (benchmark or {}).items()}, orient="index"
        ).rename_axis("asof_date"),
        pd.DataFrame(index=closes.index) if ranges is None else ranges,
    )


def _profiles(by_symbol: dict[str, tuple[str | None, bool, float]]) -> pd.DataFrame:
    table = pd.DataFrame(
        [(symbol, *fields) for symbol, fields in by_symbol.items()],
        columns=["symbol", "sector", "is_etf", "beta"],
    )
    return (
        table.assign(is_fund=False)
        .astype({"symbol": "str", "sector": "str", "beta": float})
        .set_index("symbol")
    )


def random_closes(
    symbols: list[str], rng: np.random.Generator, missing: float = 0.0
) -> pd.DataFrame:
    """Return closes that move with the market and on their own, with gaps but the market's."""
    market = rng.normal(0, 0.01, (len(SESSIONS), 1))
    moves = np.hstack(
        [
            market * rng.uniform(0.3, 2, len(symbols))
            + rng.normal(0, 0.01, (len(SESSIONS), len(symbols))),
            market,
        ]
    )
    closes = 50 * np.exp(np.cumsum(moves, axis=0))
    closes[:, :-1][rng.random((len(SESSIONS), len(symbols))) < missing] = np.nan
    return pd.DataFrame(
        closes, index=pd.to_datetime(SESSIONS), columns=pd.Index([*symbols, MARKET], dtype="str")
    )


def random_book(seed: int, n_portfolios: int = 4, missing: float = 0.02) -> Book:
    """Long and short lots, options and a private holding, bought and sold over the year, with
    equity balances stated early.
    """
    rng = np.random.default_rng(seed)
    lots = [of for name in "ABCDEFGH"[:n_portfolios] for of in _random_lots(name, rng)]
    return _random_book(lots, random_closes(_SYMBOLS, rng, missing))


def long_book(seed: int) -> Book:
    """A random book, and a portfolio of one stock alone, on more than three years of the simulated
    market, whose bars have ranges.

    Nothing is undefined in it for want of history; a close and a range here and there are missing.
    """
    rng = np.random.default_rng(seed)
    lots = [*_random_lots("A", rng), *_random_lots("B", rng), lot("S2", 10.0, portfolio_id="C")]
    market = simulate.simulate_market(
        len(_SYMBOLS) - 1,
        trading_calendar.sessions_with_lookback(SESSIONS, tail_risk_results.TAIL_RISK_WINDOW + 1),
        seed,
    )
    names = dict(zip(market.true_parameters.index, [MARKET, *_SYMBOLS], strict=True))
    bars = {
        name: market.prices.pivot(index="date", columns="symbol", values=name).rename(columns=names)
        for name in ("close", "high", "low")
    }
    closes = bars["close"][[*_SYMBOLS, MARKET]]
    gaps = rng.random(closes.shape) < [0.001] * len(_SYMBOLS) + [0.0]
    ranges = pd.DataFrame(
        range_proxy(bars["high"].to_numpy(), bars["low"].to_numpy()),
        closes.index,
        bars["high"].columns,
    )
    return _random_book(
        lots,
        closes.mask(gaps),
        ranges[closes.columns].mask(gaps),
        dict.fromkeys("ABC", (500_000.0, SESSIONS[10])),
    )


def _random_lots(name: str, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Lots of a portfolio."""
    lots = []
    for _ in range(rng.integers(2, 9)):
        entered, left = np.sort(rng.integers(0, len(SESSIONS), 2))
        quantity = float(rng.integers(1, 2000)) / 10
        short = rng.random() < 0.3
        lots.append(
            lot(
                _SYMBOLS[rng.integers(len(_SYMBOLS))],
                -quantity if short else quantity,
                position_type="SHORT" if short else "LONG",
                portfolio_id=name,
                entry_date=SESSIONS[entered],
                entry_price=None if rng.random() < 0.2 else 50.0,
                exit_date=SESSIONS[left] if rng.random() < 0.4 else None,
            )
        )
    call = {
        "position_type": "LC",
        "investment_class": "OPTIONS",
        "strike_price": 40.0,
        "last_price": 2.5,
    }
    lots.append(
        lot(
            "S1",
            1.0,
            portfolio_id=name,
            expiration_date=None if name == "B" else date(2024, 6, 21),
            **call,
        )
    )
    lots.append(
        lot("FUND", 2.0, investment_class="PRIVATE", portfolio_id=name, market_value=1500.0)
    )
    return lots


def _random_book(
    lots: list[dict[str, Any]],
    closes: pd.DataFrame,
    ranges: pd.DataFrame | None = None,
    equities: dict[str, tuple[float | None, date | None]] | None = None,
) -> Book:
    lots = sorted(
        lots,
        key=lambda of: (
            of["portfolio_id"],
            of["symbol"],
            of["position_type"],
            str(of["entry_date"]),
        ),
    )
    names = sorted({of["portfolio_id"] for of in lots})
    equity = equities or {
        name: (None, None) if name == "B" else (50_000.0, SESSIONS[10]) for name in names
    }
    sectors = ["Energy", "Financials", None, "Materials"]
    profiles = {
        symbol: (sectors[at % 4], at == 3, 0.5 + at / 4) for at, symbol in enumerate(_SYMBOLS)
    }
    benchmark = {
        date(2023, 11, 15): {"Energy": 0.25, "Financials": 0.75},
        date(2024, 2, 15): {"Energy": 0.5, "Utilities": 0.5},
    }
    return book(
        *lots, closes=closes, equity=equity, profiles=profiles, benchmark=benchmark, ranges=ranges
    )

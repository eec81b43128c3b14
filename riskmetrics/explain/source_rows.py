"""Source rows of a portfolio's figures on a session; records every row that is read."""

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from functools import cached_property
from typing import Any, TypeVar

import pandas as pd
import sqlalchemy as sa

from riskmetrics import panels, trading_calendar
from riskmetrics.catalog.track_records import TrackedForecast
from riskmetrics.db import (
    calibration_queries,
    event_queries,
    explain_queries,
    factor_queries,
    input_queries,
    stored_prices,
    stored_settings,
    tables,
    track_record_queries,
    transactions,
)
from riskmetrics.db.split_suspects import find_suspected_splits
from riskmetrics.errors import DataQualityError
from riskmetrics.explain.price_rows import PriceRows
from riskmetrics.explain.rows_used import RowsUsed
from riskmetrics.factor_sets import IMPORTED, MARKET
from riskmetrics.inputs.shared_series import SharedSeries
from riskmetrics.panels import MAX_STALE_SESSIONS
from riskmetrics.results.income import infer_distributions
from riskmetrics.results.lot_frames import is_listed, underlying
from riskmetrics.results.model_versions import ModelVersions, parse_versions

T = TypeVar("T")


class SourceRows:
    """Source rows of a portfolio on a session, read on first use.

    Parameters
    ----------
    connection : Connection
        Read only.
    portfolio_id : str
        The portfolio's id.
    day : date
        The session that is explained.
    market_index, rate_index : str
        Symbols of the market index and the interest rate index.
    prices : PriceRows, optional
        Prices that other portfolios of the connection have read.
    """

    def __init__(
        self,
        connection: sa.Connection,
        portfolio_id: str,
        day: date,
        market_index: str,
        rate_index: str,
        prices: PriceRows | None = None,
    ) -> None:
        self.portfolio, self.day = portfolio_id, day
        self.market, self.rate = market_index, rate_index
        self.rows_used = RowsUsed()
        """Rows read since this was last replaced, by description."""
        self._connection = connection
        self._cache = SharedSeries()
        self._prices = prices or PriceRows(connection)

    @cached_property
    def _lots(self) -> pd.DataFrame:
        lots = input_queries.read_lots(self._connection, self.day)
        return lots[lots["portfolio_id"] == self.portfolio].reset_index(drop=True)

    @property
    def lots(self) -> pd.DataFrame:
        """Return all lots of the portfolio, past and present, from `db.input_queries.read_lots`."""
        return self.record_use("positions", self._lots)

    def lot(self, position: object) -> "pd.Series[Any]":
        """Return the lot of a position.

        Raises
        ------
        DataQualityError
            If the position was deleted.
        """
        found = self._lots[self._lots["position_id"] == str(position)]
        return _only_row(self.record_use("positions", found), f"position {position}")

    def is_listed(self, position: object) -> bool:
        """Return whether a position has a return series of its own."""
        return bool(is_listed(self.lot(position).to_frame().T)[0])

    @cached_property
    def portfolio_row(self) -> "pd.Series[Any]":
        """The portfolio's row in `portfolios`."""
        portfolios = input_queries.read_portfolios(self._connection)
        return portfolios[portfolios["portfolio_id"] == self.portfolio].iloc[0]

    @cached_property
    def cash_anchor(self) -> date | None:
        """Session for which the portfolio's equity balance is stated; None if it is not stated."""
        return input_queries.read_cash_anchors(self._connection).get(self.portfolio)

    @cached_property
    def cash_flows(self) -> pd.DataFrame:
        """Cash flows of the portfolio's transactions; empty if they do not determine the cash."""
        flows = transactions.read_cash_flows(self._connection)
        own = flows[flows["portfolio_id"] == self.portfolio].reset_index(drop=True)
        if not own["kind"].isin(["deposit", "withdrawal"]).any():
            return own.iloc[:0]
        return self.record_use("transactions", own)

    @property
    def is_cash_from_transactions(self) -> bool:
        """Return whether the cash follows from transactions."""
        return len(self.cash_flows) > 0

    def close(self, symbol: str, day: date) -> tuple[float, bool]:
        """Return the last close up to a day, at most 5 sessions old, and whether it is stale.

        The close is NaN if there is none. It is stale if it is from an earlier session.
        """
        sessions = trading_calendar.sessions_with_lookback(
            [trading_calendar.previous_or_same_session(day)], MAX_STALE_SESSIONS
        )

        closes = self._prices.closes(symbol, sessions)
        if closes.empty:
            return math.nan, False
        self.record_use("market_data_cache: close", closes.tail(1).to_frame().rename_axis("date"))
        return float(closes.iloc[-1]), bool(closes.index[-1].date() != sessions[-1])

    def last_close(self, symbol: str, day: date) -> float:
        """Return the last close at or before a day, of any age; NaN if there is none."""
        found = stored_prices.read_last_closes(self._connection, [symbol], day + timedelta(days=1))
        return float(found.get(symbol, math.nan))

    def distributions(self, symbol: str) -> dict[date, float]:
        """Return the distributions per share of a symbol, by ex-date; NaN is unknown.

        They cover the first session to the later of the day and the cash anchor.
        """
        return self._cache.get_or_compute(
            ("distributions", symbol), lambda: self._infer_distributions(symbol)
        )

    def _infer_distributions(self, symbol: str) -> dict[date, float]:
        last = max(self.day, self.cash_anchor or self.day)
        steps = stored_prices.read_adjustment_steps(
            self._connection, [symbol], trading_calendar.FIRST_SESSION, last
        )
        events = infer_distributions(steps, [], self.suspects).events
        return {
            day.date(): amount for day, amount in zip(events["date"], events["amount"], strict=True)
        }

    def has_adjusted_closes(self, symbol: str) -> bool:
        """Return whether a symbol has both closes, from which distributions are inferred."""
        return not stored_prices.find_unadjusted_symbols(self._connection, [symbol])

    def has_known_income(self, symbol: str) -> bool:
        """Return whether a symbol's distribution of the day is known.

        It is if the symbol has consistent closes and adjusted closes.
        """
        return self.has_adjusted_closes(symbol) and not math.isnan(
            self.distributions(symbol).get(self.day, 0.0)
        )

    @cached_property
    def suspects(self) -> pd.DataFrame:
        """Suspected splits without a user's decision, as a run reads them."""
        held = set(underlying(self._lots).dropna())
        definitions = self._factor_definitions.values()
        funds = {fund for definition in definitions if (fund := self._fund(definition))}
        return find_suspected_splits(self._connection, {*held, *funds, self.market, self.rate})

    @cached_property
    def _factor_definitions(self) -> dict[str, str]:
        """Definitions of the factors whose rows are stored, the market first."""
        rows = self._stored_rows(tables.portfolio_factor_exposures)
        found = {row["factor"]: row["definition"] for row in rows}
        return {
            name: found[name] for name in sorted(found, key=lambda name: (name != MARKET, name))
        }

    def _fund(self, definition: str) -> str | None:
        """Return the fund of a factor's definition, FUND - INDEX."""
        fund, is_spread, _ = definition.partition(" - ")
        return fund if is_spread else None

    def factor_returns(self, n_sessions: int) -> pd.DataFrame:
        """Return the returns of the stored factors, sessions x factors, the market first."""
        market = self.index_returns(self.market, n_sessions)
        imported = factor_queries.read_factor_returns(
            self._connection,
            [name for name, text in self._factor_definitions.items() if text == IMPORTED],
            market.index[0],
            market.index[-1],
        ).reindex(market.index)
        columns = {}
        for name, definition in self._factor_definitions.items():
            if fund := self._fund(definition):
                columns[name] = self.index_returns(fund, n_sessions) - market
            elif definition == IMPORTED:
                columns[name] = imported.get(name, market * math.nan)
            else:
                columns[name] = market
        return self.record_use("factor returns", pd.DataFrame(columns).rename_axis("date"))

    def returns(
        self, symbols: Iterable[str], n_sessions: int, day: date | None = None
    ) -> pd.DataFrame:
        """Return clean simple returns as known on a day, shape (sessions, symbols).

        The sessions end on ``day``, by default the explained one.
        """
        clean = self._clean_returns(symbols, n_sessions, day)
        (known,) = clean.windows(n_sessions)
        frame = pd.DataFrame(known, index=clean.frame.index, columns=clean.frame.columns)
        return self.record_use("market_data_cache: returns of adj_close", frame.rename_axis("date"))

    def index_returns(self, symbol: str, n_sessions: int) -> "pd.Series[float]":
        """Return the clean simple returns of an index.

        Moves that only the next session can confirm are excluded permanently.
        """
        clean = self._clean_returns([symbol], n_sessions, None)
        series = pd.Series(clean.column(symbol), index=clean.frame.index, name=symbol)
        self.record_use(
            "market_data_cache: returns of adj_close", series.to_frame().rename_axis("date")
        )
        return series

    def _clean_returns(
        self, symbols: Iterable[str], n_sessions: int, day: date | None
    ) -> panels.Returns:
        ordered_symbols, last = sorted(set(symbols)), day or self.day

        def compute() -> panels.Returns:
            closes = self._prices.adjusted_closes(ordered_symbols, last, n_sessions + 1)
            return panels.clean_returns(panels.pad_history(closes, n_sessions + 2), self.suspects)

        return self._cache.get_or_compute(("returns", *ordered_symbols, n_sessions, last), compute)

    def daily_bars(self, symbol: str, n_sessions: int) -> pd.DataFrame:
        """Return high, low, open, close and volume of a symbol up to the day.

        High and low are NaN where the move is not confirmed.
        """
        key = ("bars", symbol, n_sessions)
        bars = self._cache.get_or_compute(key, lambda: self._read_daily_bars(symbol, n_sessions))
        return self.record_use("market_data_cache: bars", bars)

    def _read_daily_bars(self, symbol: str, n_sessions: int) -> pd.DataFrame:
        bars = self._prices.bars(symbol, self.day, n_sessions + 1)
        bars = {name: panels.pad_history(frame, n_sessions + 2) for name, frame in bars.items()}
        _, ranges = panels.clean_bars(
            bars.pop("adj_close"), bars["high"], bars["low"], self.suspects
        )
        found = pd.DataFrame({name: frame[symbol] for name, frame in bars.items()})
        found = found.loc[ranges.index].rename_axis("date")
        is_valid = ranges[symbol].notna()
        return found.assign(high=found["high"].where(is_valid), low=found["low"].where(is_valid))

    def events(self, symbol: str) -> pd.DataFrame:
        """Return day and known_on of the events of a symbol's calendar."""
        own = self._cache.get_or_compute(
            ("events", symbol), lambda: event_queries.read_events(self._connection, [symbol])
        )
        return self.record_use("symbol_events", own) if len(own) else own

    def is_fund(self, symbol: str) -> bool:
        """Return whether a symbol is an ETF, a fund or an index."""
        return symbol in self._funds or symbol in (self.market, self.rate)

    @cached_property
    def _funds(self) -> set[str]:
        return set(calibration_queries.read_fund_symbols(self._connection))

    def adjusted_closes(self, symbols: Iterable[str], days: Sequence[date]) -> pd.DataFrame:
        """Return adjusted closes on single days, shape (days, symbols)."""
        return self.record_use(
            "market_data_cache: adj_close",
            input_queries.read_adjusted_closes(self._connection, symbols, days).rename_axis("date"),
        )

    def profiles(self, symbols: Iterable[str]) -> pd.DataFrame:
        """Return company profiles, indexed by symbol."""
        return self.record_use(
            "company_profiles", input_queries.read_profiles(self._connection, symbols)
        )

    def benchmark_code(self) -> str:
        """Return the code of the benchmark that the database's results use."""
        return stored_settings.read_benchmark_code(self._connection)

    def benchmark(self, code: str) -> "pd.Series[float] | None":
        """Return a benchmark's latest sector weights at or before the day; None: none are stored.

        The name of the series is the day that the weights describe.
        """
        weights = input_queries.read_benchmark_weights(self._connection, code, self.day)
        self.record_use("benchmarks_sector_weights", weights.tail(1).T)
        return None if weights.empty else weights.iloc[-1].fillna(0.0)

    def scenario(self, name: str) -> "pd.Series[Any]":
        """Return a stress scenario.

        Raises
        ------
        DataQualityError
            If the scenario was deleted.
        """
        scenarios = input_queries.read_stress_scenarios(self._connection)
        found = self.record_use("stress_scenarios", scenarios[scenarios["name"] == name])
        return _only_row(found, f"scenario {name}")

    @cached_property
    def har_versions(self) -> ModelVersions:
        """Versions of the volatility forecast's coefficients."""
        return parse_versions(
            calibration_queries.read_har_coefficients(self._connection),
            calibration_queries.read_variance_corrections(self._connection),
        )

    def _stored_rows(self, table: sa.Table, symbol: str | None = None) -> list[dict[str, Any]]:
        """Return the rows of the day as `db.explain_queries.read_rows` does."""
        return explain_queries.read_rows(self._connection, table, self.day, self.portfolio, symbol)

    def stored_rows(self, table: sa.Table, subject: str) -> list[dict[str, Any]]:
        """Return the stored rows of the day of a symbol, or of the portfolio by its id."""
        return self._stored_rows(table, None if subject == self.portfolio else subject)

    def stored_forecast(self, subject: str) -> "dict[str, Any] | None":
        """Return the stored volatility forecast of a symbol or of the portfolio, or None."""
        found = self.stored_rows(tables.volatility_forecasts, subject)
        self.record_use("volatility_forecasts", pd.DataFrame(found))
        return found[0] if found else None

    def stored_position_forecast(self, tracked: TrackedForecast, symbol: str) -> dict[str, Any]:
        """Return the tracked forecast of a position in a symbol, of any portfolio; or nothing."""
        read = track_record_queries.read_forecasts(
            self._connection, tracked.table, [tracked], [self.day]
        )
        own = self.record_use(tracked.table, read[read["subject"] == symbol])
        names = {"value": tracked.value, "std_error": tracked.std_error}
        return dict(own.rename(columns=names).iloc[0]) if len(own) else {}

    def stored_beta(self, symbol: str, day: date) -> float:
        """Return the raw beta of a symbol that is stored on a day; NaN if there is none."""
        betas = track_record_queries.read_betas(self._connection, [day])
        own = self.record_use("position_market_betas", betas[betas["subject"] == symbol])
        return float(own["value"].iloc[0]) if len(own) else math.nan

    @cached_property
    def _options(self) -> pd.DataFrame:
        table = tables.position_option_exposures
        found = pd.DataFrame(self._stored_rows(table), columns=[*table.c.keys(), "symbol"])
        return found.astype({"position_id": "str"}).set_index("position_id")

    @property
    def options(self) -> pd.DataFrame:
        """Stored rows of the portfolio's options on the day, indexed by position."""
        return self.record_use("position_option_exposures", self._options)

    def get_or_compute(self, key: tuple[object, ...], compute: Callable[[], T]) -> T:
        """Compute an intermediate once, and record its source rows for every later use."""

        def compute_and_record() -> tuple[T, RowsUsed]:
            outside, self.rows_used = self.rows_used, RowsUsed()
            value, used, self.rows_used = compute(), self.rows_used, outside
            return value, used

        value, used = self._cache.get_or_compute(key, compute_and_record)
        self.rows_used.include(used)
        return value

    def record_use(self, what: str, frame: pd.DataFrame) -> pd.DataFrame:
        """Record rows that were read, and return them."""
        self.rows_used.record(what, lambda: frame)
        return frame


def _only_row(found: pd.DataFrame, what: str) -> "pd.Series[Any]":
    if found.empty:
        raise DataQualityError(
            f"{what} no longer exists: it was deleted after this row was stored."
            " Run the session again."
        )
    return found.iloc[0]

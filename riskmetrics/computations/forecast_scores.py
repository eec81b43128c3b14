"""The track record of forecasts: what was stored, compared with what happened since."""

from collections.abc import Sequence
from functools import cached_property, partial
from itertools import groupby
from operator import attrgetter

import numpy as np
import pandas as pd

from riskmetrics import panels, trading_calendar
from riskmetrics.catalog.track_records import TRACKED_FORECASTS, ForecastKind, TrackedForecast
from riskmetrics.computations.result_asset import Edge, ResultAsset
from riskmetrics.db import tables, track_record_queries
from riskmetrics.db.result_writes import Computed, TableRows
from riskmetrics.inputs.run_inputs import RunInputs
from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.results import track_records
from riskmetrics.results.valuation import Valuation

MAX_LOT_SESSIONS = 250_000
"""Lots times sessions up to which a book is valued once for all horizons.

The valuation then has the sessions between those of forecasts too.
"""


def score_forecasts(inputs: RunInputs) -> Computed:
    """Compare the stored forecasts that complete on the sessions with their outcomes."""
    ordered = sorted(TRACKED_FORECASTS, key=attrgetter("horizon", "table"))
    stored = [
        rows
        for horizon, tracked in groupby(ordered, key=attrgetter("horizon"))
        for rows in _read_forecasts(inputs, horizon, list(tracked))
    ]
    realized = _Realized(inputs, stored)
    parts = [
        track_records.outcome_rows(rows, inputs.sessions, *_find_outcomes(inputs, realized, rows))
        for rows in stored
    ]
    filled = [rows for rows in parts if len(rows)]
    rows = pd.concat(filled or parts[:1], ignore_index=True)
    return Computed([TableRows(tables.forecast_outcomes, rows, day="completed_on")])


def _read_forecasts(
    inputs: RunInputs, horizon: int, tracked: list[TrackedForecast]
) -> list[pd.DataFrame]:
    """Return the stored forecasts of each kind with a horizon that complete on the sessions."""
    snapshot = inputs.snapshot
    made_on = track_records.forecast_sessions(inputs.sessions, horizon)
    stored = pd.concat(
        [
            track_record_queries.read_forecasts(
                snapshot.connection, table, group, made_on, snapshot.shard
            )
            for table, group in groupby(tracked, key=attrgetter("table"))
        ],
        ignore_index=True,
    )
    return [
        stored[stored["kind"] == kind.value].reset_index(drop=True)
        for kind in dict.fromkeys(each.kind for each in tracked)
    ]


class _Realized:
    """Holdings when forecasts were made, and returns since: read once for all horizons.

    Parameters
    ----------
    inputs : RunInputs
    stored : sequence of DataFrame
        The forecasts that complete on the sessions, by kind and horizon.
    """

    def __init__(self, inputs: RunInputs, stored: Sequence[pd.DataFrame]) -> None:
        self._inputs = inputs
        self._rows = [
            rows for rows in stored if len(rows) and rows["kind"].iloc[0] != ForecastKind.BETA.value
        ]

    def valuation(self, horizon: int) -> Valuation:
        """Return the holdings on the sessions on which forecasts of a horizon were made."""
        made_on = track_records.forecast_sessions(self._inputs.sessions, horizon)
        return self._origin_inputs[horizon].option_adjusted_valuation.select_sessions(made_on)

    def returns(self, horizon: int) -> panels.Returns:
        """Return the clean returns of all subjects in windows of a horizon."""
        return self._returns.last(len(self._inputs.sessions) + horizon - 1)

    @cached_property
    def _returns(self) -> panels.Returns:
        symbols = {
            subject
            for rows in self._rows
            for subject in rows["subject"][rows["portfolio_id"].isna()].unique()
        }
        held = (made.open_symbols for made in set(self._origin_inputs.values()))
        longest = max(int(rows["horizon"].iloc[0]) for rows in self._rows)
        return self._inputs.clean_returns_for(symbols.union(*held), longest)

    @cached_property
    def _origin_inputs(self) -> dict[int, RunInputs]:
        """Return the inputs of the sessions on which forecasts of portfolios were made."""
        snapshot, sessions = self._inputs.snapshot, self._inputs.sessions
        spans = {
            horizon: track_records.forecast_sessions(sessions, horizon)
            for horizon in {
                int(rows["horizon"].iloc[0])
                for rows in self._rows
                if rows["portfolio_id"].notna().any()
            }
        }
        if not spans:
            return {}
        whole = trading_calendar.sessions_between(
            min(span[0] for span in spans.values()), max(span[-1] for span in spans.values())
        )
        is_small = len(snapshot.lots) * len(whole) <= MAX_LOT_SESSIONS
        if is_small or len(whole) <= sum(map(len, spans.values())):
            return dict.fromkeys(spans, RunInputs(snapshot, whole))
        return {horizon: RunInputs(snapshot, span) for horizon, span in spans.items()}


def _find_outcomes(
    inputs: RunInputs, realized: _Realized, rows: pd.DataFrame
) -> tuple[FloatArray, IntArray]:
    """Return the outcomes of forecasts of one kind and horizon, and the returns behind them."""
    values, n_obs = np.full(len(rows), np.nan), np.zeros(len(rows), np.int64)
    if rows.empty:
        return values, n_obs
    kind, horizon = ForecastKind(rows["kind"].iloc[0]), int(rows["horizon"].iloc[0])
    made_on = track_records.forecast_sessions(inputs.sessions, horizon)
    if kind is ForecastKind.BETA:
        betas = track_record_queries.read_betas(inputs.snapshot.connection, inputs.sessions)
        return track_records.look_up(
            rows, made_on, track_records.beta_outcomes(betas, inputs.sessions)
        )
    is_portfolio = rows["portfolio_id"].notna().to_numpy()
    returns = realized.returns(horizon)
    measures = []
    if not is_portfolio.all():
        outcomes = partial(track_records.symbol_volatility_outcomes, returns, horizon)
        measures.append((~is_portfolio, outcomes))
    if is_portfolio.any():
        measure = (
            track_records.portfolio_volatility_outcomes
            if kind is ForecastKind.VOLATILITY
            else track_records.portfolio_loss_outcomes
        )
        outcomes = partial(measure, returns, realized.valuation(horizon), horizon)
        measures.append((is_portfolio, outcomes))
    for where, outcomes in measures:
        values[where], n_obs[where] = track_records.look_up(rows[where], made_on, outcomes())
    return values, n_obs


TRACK_RECORD_ASSET = ResultAsset(
    "forecast_outcomes",
    "Forecasts that complete on each day, as stored, against their outcomes.",
    dict.fromkeys(
        (
            *("position_volatility", "portfolio_volatility", "portfolio_tail_risk"),
            *("position_betas", "risk_contributions"),
        ),
        Edge.READS,
    ),
    (tables.forecast_outcomes,),
    score_forecasts,
    "forecast_loss",
)

"""The track record of forecasts: what was stored, compared with what happened since."""

from functools import partial
from itertools import groupby
from operator import attrgetter

import numpy as np
import pandas as pd

from riskmetrics.catalog.track_records import TRACKED_FORECASTS, ForecastKind, TrackedForecast
from riskmetrics.computations.result_asset import Edge, ResultAsset
from riskmetrics.db import tables, track_record_queries
from riskmetrics.db.result_writes import Computed, TableRows
from riskmetrics.inputs.run_inputs import RunInputs
from riskmetrics.metrics._typing import FloatArray, IntArray
from riskmetrics.results import track_records


def judge_forecasts(inputs: RunInputs) -> Computed:
    """Compare the stored forecasts that complete on the sessions with their outcomes."""
    ordered = sorted(TRACKED_FORECASTS, key=attrgetter("horizon", "table"))
    parts = [
        rows
        for horizon, tracked in groupby(ordered, key=attrgetter("horizon"))
        for rows in _judge_horizon(inputs, horizon, list(tracked))
    ]
    filled = [rows for rows in parts if len(rows)]
    rows = pd.concat(filled or parts[:1], ignore_index=True)
    return Computed([TableRows(tables.forecast_outcomes, rows, day="completed_on")])


def _judge_horizon(
    inputs: RunInputs, horizon: int, tracked: list[TrackedForecast]
) -> list[pd.DataFrame]:
    """Return the rows of each kind of forecast with a horizon."""
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
    made = RunInputs(snapshot, made_on)
    return [
        track_records.outcome_rows(rows, inputs.sessions, *_find_outcomes(inputs, made, rows))
        for kind in dict.fromkeys(each.kind for each in tracked)
        for rows in [stored[stored["kind"] == kind.value].reset_index(drop=True)]
    ]


def _find_outcomes(
    inputs: RunInputs, made: RunInputs, rows: pd.DataFrame
) -> tuple[FloatArray, IntArray]:
    """Return the outcomes of forecasts of one kind and horizon, and the returns behind them."""
    values, n_obs = np.full(len(rows), np.nan), np.zeros(len(rows), np.int64)
    if rows.empty:
        return values, n_obs
    kind, horizon = ForecastKind(rows["kind"].iloc[0]), int(rows["horizon"].iloc[0])
    is_portfolio = rows["portfolio_id"].notna().to_numpy()
    if kind is ForecastKind.BETA:
        betas = track_record_queries.read_betas(inputs.snapshot.connection, inputs.sessions)
        return track_records.look_up(
            rows, made.sessions, track_records.beta_outcomes(betas, inputs.sessions)
        )
    measures = []
    if not is_portfolio.all():
        symbols = set(rows["subject"][~is_portfolio])
        returns = inputs.clean_returns_for(symbols, horizon)
        outcomes = partial(track_records.symbol_volatility_outcomes, returns, horizon)
        measures.append((~is_portfolio, outcomes))
    if is_portfolio.any():
        returns = inputs.clean_returns_for(made.open_symbols, horizon)
        valuation = made.option_adjusted_valuation
        measure = (
            track_records.portfolio_volatility_outcomes
            if kind is ForecastKind.VOLATILITY
            else track_records.portfolio_loss_outcomes
        )
        measures.append((is_portfolio, partial(measure, returns, valuation, horizon)))
    for where, outcomes in measures:
        values[where], n_obs[where] = track_records.look_up(rows[where], made.sessions, outcomes())
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
    judge_forecasts,
    "forecast_loss",
)

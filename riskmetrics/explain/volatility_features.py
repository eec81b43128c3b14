"""Independent calculation of the features of volatility forecasts, with pandas."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from riskmetrics import trading_calendar
from riskmetrics.metrics import forecast_features as features
from riskmetrics.metrics import har, volatility
from riskmetrics.results.volatility_results import QUARTER

_YEAR, _MAX_EVENTS = 252, 4
"""Sessions after which an event is expected again, and past events in a season."""


@dataclass(frozen=True, eq=False)
class VolatilityInputs:
    """Input series of the volatility figures, one entry per session."""

    returns: "pd.Series[float]"
    market_returns: "pd.Series[float]"
    range_volatility: "pd.Series[float]"
    """Parkinson standard deviation of a session's range; NaN without a valid high and low."""
    series_class: str
    """stock, diversified (a fund or an index), or portfolio (of several symbols)."""
    own_returns: "pd.Series[float]"
    """Returns whose logarithms measure surprises: of the only symbol of a portfolio, its own."""
    overnight: "pd.Series[float]"
    """Log of the opening price over the close of the same session; NaN without both."""
    volume: "pd.Series[float]"
    events: pd.DataFrame
    """day and known_on of the calendar of the symbol, or of the only symbol of a portfolio."""

    @cached_property
    def regressors(self) -> pd.DataFrame:
        """Regressors of forecasts, with proxy, level and what they follow from, by session."""
        return _forecast_regressors(self)

    @cached_property
    def features(self) -> pd.DataFrame:
        """Both event seasons, quarter, range level, and whether bars are usable, by session."""
        return _forecast_features(self)


def _lag_ratios(values: "pd.Series[float]", min_obs: int) -> pd.DataFrame:
    """Return day, week and month means in units of the level, the mean over a year."""
    level = values.rolling(har.LEVEL_WINDOW, min_periods=min_obs).mean()
    lags = {
        "day": values.ffill(limit=volatility.MAX_DAILY_LAG_AGE),
        "week": values.rolling(volatility.WEEK, min_periods=volatility.MIN_WEEK_OBS).mean(),
        "month": values.rolling(volatility.MONTH, min_periods=volatility.MIN_MONTH_OBS).mean(),
    }
    return pd.DataFrame(
        {name: values / level.where(level > 0) for name, values in lags.items()}
        | {"level": level, "month_mean": lags["month"]}
    )


def _forecast_regressors(inputs: VolatilityInputs) -> pd.DataFrame:
    """Return the regressors of forecasts, proxy, level and what they follow from, by session."""
    own, ranged, market = (
        _lag_ratios(values, min_obs)
        for values, min_obs in (
            (volatility.ABSOLUTE_SCALE * inputs.returns.abs(), har.MIN_LEVEL_OBS),
            (inputs.range_volatility, har.MIN_RANGE_OBS),
            (volatility.ABSOLUTE_SCALE * inputs.market_returns.abs(), har.MIN_LEVEL_OBS),
        )
    )
    is_market_known = market["month"].notna()
    by_range = is_market_known & ranged["week"].notna() & ranged["month"].notna()
    ratios = own[["day", "week", "month"]].mask(by_range, ranged[["day", "week", "month"]])
    is_imputed = ratios["day"].isna() & ratios["month"].notna()
    return pd.DataFrame(
        {
            "constant": 1.0,
            "day": ratios["day"].mask(is_imputed, ratios["month"]),
            "week": ratios["week"],
            "month": ratios["month"],
            "market": market["month"].where(is_market_known, 0.0),
            "proxy": pd.Series("close_market", index=own.index)
            .mask(by_range, "range_market")
            .where(is_market_known, "close"),
            "daily_lag_imputed": is_imputed,
            "level": own["level"],
            "is_flat": own["month_mean"] == 0,
        }
    )


def _forecast_features(inputs: VolatilityInputs) -> pd.DataFrame:
    """Return both event seasons, quarter, range level, and whether bars are usable, by session."""
    size = inputs.returns.abs()
    usual = size.rolling(QUARTER, min_periods=features.MIN_QUARTER_OBS).mean()
    own_size = inputs.own_returns.abs()
    own_usual = own_size.rolling(QUARTER, min_periods=features.MIN_QUARTER_OBS).mean()
    logs = pd.Series(np.log1p(inputs.own_returns.where(inputs.own_returns > -1)))
    overnight = (logs + inputs.overnight).abs()
    volume = inputs.volume.where(inputs.volume > 0)
    usual_volume = volume.rolling(QUARTER, min_periods=features.MIN_QUARTER_OBS).mean()
    activity = (volume / usual_volume).pow(0.5).fillna(1.0)
    year = size.rolling(har.LEVEL_WINDOW, min_periods=har.MIN_LEVEL_OBS).mean()
    ranges = inputs.range_volatility.rolling(har.LEVEL_WINDOW, min_periods=har.MIN_RANGE_OBS).mean()
    found = pd.DataFrame(
        {
            "close_season": _event_season(logs.abs() / own_usual, inputs.events),
            "bar_season": _event_season(
                overnight.fillna(logs.abs()) * activity / own_usual, inputs.events
            ),
            "quarter": np.log((usual / year).where((usual > 0) & (year > 0))),
            "range_level": np.log((ranges / (volatility.ABSOLUTE_SCALE * year)).where(year > 0)),
        }
    )
    counts = [one.rolling(har.LEVEL_WINDOW, min_periods=0).count() for one in (overnight, volume)]
    return found.assign(
        uses_bars=found["bar_season"].notna()
        & found["range_level"].notna()
        & (counts[0] >= har.MIN_RANGE_OBS)
        & (counts[1] >= har.MIN_RANGE_OBS)
    )


def _event_season(surprise: "pd.Series[float]", events: pd.DataFrame) -> "pd.Series[float]":
    """Return the mean log of the largest surprise of the months 1 to 4 quarters before the next.

    Where the calendar has two or more past events, months lie around them as the next month does.
    """
    surprise = surprise.where(np.isfinite(surprise))
    largest = surprise.rolling(volatility.MONTH, min_periods=volatility.MIN_MONTH_OBS).max()
    logs = np.log(largest.clip(lower=features.MIN_SURPRISE))
    months = [logs.shift(lag) for lag in features.SEASON_LAGS]
    season: pd.Series[float] = pd.concat(months, axis=1).mean(axis=1, skipna=False)
    return season if events.empty else _known_season(logs, events).fillna(season)


def _known_season(logs: "pd.Series[float]", events: pd.DataFrame) -> "pd.Series[float]":
    """Return the mean of ``logs`` of months around past events, NaN with fewer than two."""
    calendar = trading_calendar.sessions_index()
    positions = dict(zip(calendar, range(len(calendar)), strict=True))
    reactions = [calendar.searchsorted(day) for day in events["day"]]
    found = pd.Series(np.nan, index=logs.index)
    for session in logs.index.intersection(calendar):
        now = positions[session]
        past = [reaction for reaction in reactions if reaction <= now]
        coming = [
            reaction
            for reaction, known in zip(reactions, events["known_on"], strict=True)
            if reaction > now and known <= session
        ] or [reaction + _YEAR for reaction in past if reaction + _YEAR > now]
        ages = {min(coming) - reaction - volatility.MONTH for reaction in past} if coming else set()
        latest = sorted(age for age in ages if 0 <= age <= features.SEASON_LAGS[-1])[:_MAX_EVENTS]
        months = logs.reindex(calendar[[now - age for age in latest]]).dropna()
        if len(months) >= features.MIN_EVENT_MONTHS:
            found[session] = months.mean()
    return found

"""Independent calculation of the features of volatility forecasts, with pandas."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from riskmetrics.metrics import forecast_features as features
from riskmetrics.metrics import har
from riskmetrics.metrics import volatility as method
from riskmetrics.results.volatility_results import QUARTER


class VolatilityInputs(NamedTuple):
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


def forecast_features(inputs: VolatilityInputs) -> pd.DataFrame:
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
            "close_season": _event_season(logs.abs() / own_usual),
            "bar_season": _event_season(overnight.fillna(logs.abs()) * activity / own_usual),
            "quarter": np.log((usual / year).where((usual > 0) & (year > 0))),
            "range_level": np.log((ranges / (method.ABSOLUTE_SCALE * year)).where(year > 0)),
        }
    )
    counts = [one.rolling(har.LEVEL_WINDOW, min_periods=0).count() for one in (overnight, volume)]
    return found.assign(
        uses_bars=found["bar_season"].notna()
        & found["range_level"].notna()
        & (counts[0] >= har.MIN_RANGE_OBS)
        & (counts[1] >= har.MIN_RANGE_OBS)
    )


def _event_season(surprise: "pd.Series[float]") -> "pd.Series[float]":
    """Return the mean log of the largest surprise of the months 1 to 4 quarters before the next."""
    surprise = surprise.where(np.isfinite(surprise))
    largest = surprise.rolling(method.MONTH, min_periods=method.MIN_MONTH_OBS).max()
    logs = np.log(largest.clip(lower=features.MIN_SURPRISE))
    months = [logs.shift(lag) for lag in features.SEASON_LAGS]
    season: pd.Series[float] = pd.concat(months, axis=1).mean(axis=1, skipna=False)
    return season

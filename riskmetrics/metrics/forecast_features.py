"""Event season, level of the last quarter and level of ranges: what corrects a variance forecast.

All are logarithms of ratios, so they do not depend on the unit of returns.
"""

from typing import NamedTuple

import numpy as np

from riskmetrics.metrics._typing import BoolArray, FloatArray, IntArray
from riskmetrics.metrics.har import LEVEL_WINDOW, MIN_LEVEL_OBS, MIN_RANGE_OBS
from riskmetrics.metrics.volatility import ABSOLUTE_SCALE, MIN_MONTH_OBS, MONTH
from riskmetrics.metrics.windows import require_windows, window_counts, window_means

QUARTER, MIN_QUARTER_OBS = 63, 45
"""Sessions between two events of a season, such as earnings, and the minimum of values in them."""

SEASON_LAGS = (42, 105, 168, 231)
"""Ages of the months that are 1 to 4 quarters before the month after a session.

The month after session t is t + 1 to t + 21; a quarter before, it was t - 62 to t - 42.
"""

MIN_SURPRISE = 0.3
"""Floor of a month's largest surprise, so that a month without any counts as calm, not as 0."""

MIN_EVENT_MONTHS = 2
"""Minimum of months around known events for a season to be measured on them."""

FEATURE_WINDOW = SEASON_LAGS[-1] + MONTH + QUARTER - 1
"""Returns behind the features of a session: those of the oldest surprise."""

FEATURES = ("season", "quarter", "range_level")
"""Names of the features, in the order of a correction's weights."""


class Features(NamedTuple):
    """Features per day and series, each of shape (D, N); NaN where undefined."""

    close_season: FloatArray
    """Event season, from returns alone."""
    bar_season: FloatArray
    """Event season, from opening gaps and volumes."""
    quarter: FloatArray
    """Log of the mean absolute return of 63 sessions over that of 252."""
    range_level: FloatArray
    """Log of the mean range proxy of 252 sessions over that of absolute returns."""
    uses_bars: BoolArray
    """Whether opens, highs, lows and volumes cover 95 % of the 252 sessions."""


def build_features(
    returns: FloatArray,
    ranges: FloatArray | None = None,
    opens: FloatArray | None = None,
    volumes: FloatArray | None = None,
    *,
    event_ages: IntArray | None = None,
) -> Features:
    r"""Return what the year before each day says about the month after it.

    Parameters
    ----------
    returns : (T, N) array
        Simple returns per session, T >= 314. Values that are not finite are missing.
    ranges : (T, N) array, optional
        `range_proxy` of the same sessions.
    opens : (T, N) array, optional
        Opening price over the close of the same session.
    volumes : (T, N) array, optional
        Shares traded.
    event_ages : (T, N, E) array, optional
        Ages of months around the known events of each series, from 0 to 231 sessions, -1 where
        there is none; see `event_calendar.event_month_ages`. Where two or more of these months
        have a surprise, the season is the mean of their logarithms.

    Returns
    -------
    Features
        D = T - 313; row d is the window that ends at row d + 313. With the surprise

        .. math::

            z_t = \frac{|\ln(1 + r_t) + \ln(open_t / close_t)|}{\mathrm{mean}_{63} |r|}
                  \sqrt{\frac{volume_t}{\mathrm{mean}_{63}\,volume}}

        and its largest value of 21 sessions, at least 0.3, the season is the mean of the logarithms
        42, 105, 168 and 231 sessions ago: 1 to 4 quarters before the middle of the next month. In
        `close_season` the surprise is :math:`|\ln(1 + r_t)|` over the mean alone. A mean needs 45
        of 63 values, a month 15 of 21. A value depends only on its own window and series, to the
        last bit.

    Raises
    ------
    ValueError
        If there are fewer than 314 sessions.

    Notes
    -----
    The numerator is the overnight return including distributions, because both prices of a session
    have the same adjustment. Companies report once a quarter, so the months 3, 6, 9 and 12 months
    before a month with a report had one too.

    References
    ----------
    Dubinsky, Johannes, Kaeck and Seeger (2019), Option pricing of earnings announcement risks,
    Review of Financial Studies 32(2), on the variance of announcement days.

    Examples
    --------
    One return of 5 % among 1 % every 63 sessions, the last one 42 sessions ago:

    >>> returns = np.full((314, 1), 0.01)
    >>> returns[-43::-63] = 0.05
    >>> features = build_features(returns)
    >>> features.close_season.round(2), features.uses_bars
    (array([[1.52]]), array([[False]]))
    """
    require_windows(len(returns), FEATURE_WINDOW)
    shape = len(returns) - FEATURE_WINDOW + 1, returns.shape[1]
    absolute = np.abs(returns)
    usual = window_means(absolute, QUARTER, min_obs=MIN_QUARTER_OBS).mean
    gains = np.log1p(np.where(returns > -1.0, returns, np.nan))
    year = absolute[FEATURE_WINDOW - LEVEL_WINDOW :]
    level = window_means(year, LEVEL_WINDOW, min_obs=MIN_LEVEL_OBS).mean
    unknown = np.full(shape, np.nan)
    found = Features(
        close_season=_season(np.abs(gains[QUARTER - 1 :]), usual, event_ages),
        bar_season=unknown,
        quarter=_log_ratio(usual[-shape[0] :], level),
        range_level=unknown,
        uses_bars=np.zeros(shape, dtype=bool),
    )
    if ranges is None or opens is None or volumes is None:
        return found
    return _add_bars(found, gains, usual, level, (ranges, opens, volumes), event_ages)


def _add_bars(
    found: Features,
    gains: FloatArray,
    usual: FloatArray,
    level: FloatArray,
    bars: tuple[FloatArray, FloatArray, FloatArray],
    event_ages: IntArray | None,
) -> Features:
    """Return the features with those of ranges, opens and volumes."""
    ranges, opens, volumes = bars
    at = slice(FEATURE_WINDOW - LEVEL_WINDOW, None)
    overnight = np.abs(gains + np.log(np.where(opens > 0.0, opens, np.nan)))
    traded = np.where(volumes > 0.0, volumes, np.nan)
    usual_volume = window_means(traded, QUARTER, min_obs=MIN_QUARTER_OBS).mean
    activity = np.sqrt(traded[QUARTER - 1 :] / usual_volume)
    gap = np.where(np.isnan(overnight), np.abs(gains), overnight)[QUARTER - 1 :]
    season = _season(gap * np.where(np.isnan(activity), 1.0, activity), usual, event_ages)
    range_mean = window_means(ranges[at], LEVEL_WINDOW, min_obs=MIN_RANGE_OBS).mean
    range_level = _log_ratio(range_mean, ABSOLUTE_SCALE * level)
    uses_bars = ~np.isnan(season) & ~np.isnan(range_level)
    for values in (overnight, traded):
        uses_bars &= window_counts(np.isfinite(values[at]), LEVEL_WINDOW) >= MIN_RANGE_OBS
    return found._replace(bar_season=season, range_level=range_level, uses_bars=uses_bars)


def _season(moves: FloatArray, usual: FloatArray, event_ages: IntArray | None) -> FloatArray:
    """Return the season of moves (T, N) in units of what is usual, for rows from the last lag on.

    Both begin with the first row that has a usual move; ``event_ages`` ends with the same row.
    """
    surprise = np.divide(moves, usual, out=np.full_like(usual, np.nan), where=usual > 0.0)
    is_known = np.isfinite(surprise)
    filled = np.where(is_known, surprise, -np.inf)
    n_months = len(surprise) - MONTH + 1
    largest = filled[:n_months].copy()
    for row in range(1, MONTH):
        np.maximum(largest, filled[row : row + n_months], out=largest)
    largest = np.where(
        window_counts(is_known, MONTH) >= MIN_MONTH_OBS, np.maximum(largest, MIN_SURPRISE), np.nan
    )
    n_dates = n_months - SEASON_LAGS[-1]
    total = np.zeros((n_dates, moves.shape[1]))
    for lag in SEASON_LAGS:
        first = SEASON_LAGS[-1] - lag
        total += np.log(largest[first : first + n_dates])
    season = total / len(SEASON_LAGS)
    if event_ages is None:
        return season
    return _season_of_events(largest, event_ages[-n_dates:], season)


def _season_of_events(largest: FloatArray, ages: IntArray, season: FloatArray) -> FloatArray:
    """Return the season of the months of ``ages`` (D, N, E), or ``season`` if they are too few."""
    row, column = np.arange(len(season))[:, np.newaxis], np.arange(season.shape[1])
    total, count = np.zeros_like(season), np.zeros_like(season)
    for age in np.moveaxis(ages, -1, 0):
        surprise = np.log(largest[row + SEASON_LAGS[-1] - np.maximum(age, 0), column])
        is_known = (age >= 0) & np.isfinite(surprise)
        total += np.where(is_known, surprise, 0.0)
        count += is_known
    return np.where(count >= MIN_EVENT_MONTHS, total / np.maximum(count, 1.0), season)


def _log_ratio(part: FloatArray, whole: FloatArray) -> FloatArray:
    """Return ln(part / whole), NaN where either is missing or not positive."""
    defined = (part > 0.0) & (whole > 0.0)
    ratio: FloatArray = np.log(
        np.divide(part, whole, out=np.full_like(part, np.nan), where=defined)
    )
    return ratio

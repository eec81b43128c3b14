"""The forecasts that are scored: where each is stored, and what it is compared with.

A forecast joins the track record with one record here; see docs/how-to/add-a-figure.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum


class ForecastKind(Enum):
    """What is forecast; it determines the outcome and the loss."""

    VOLATILITY = "volatility"
    """Annualized volatility of the returns after the forecast; portfolios: of the holdings then."""
    VALUE_AT_RISK = "value_at_risk"
    """Loss of the holdings after the forecast, as a fraction of equity."""
    BETA = "beta"
    """Raw beta of the window after the forecast, as stored when that window ends."""

    @property
    def label(self) -> str:
        """Return the name in prose."""
        return self.value.replace("_", " ")


BAND_LEVELS = {ForecastKind.VOLATILITY: 0.8, ForecastKind.BETA: 0.95}
"""Share of the outcomes that the band of a forecast should contain."""


@dataclass(frozen=True, slots=True)
class TrackedForecast:
    """A stored forecast whose track record is kept, by its columns in a result table."""

    kind: ForecastKind
    method: str
    label: str
    """Name of the method in tables."""
    horizon: int
    """Sessions ahead."""
    table: str
    value: str
    """Column of the forecast."""
    root_variance: str = ""
    """Column of the root of the variance forecast, where it is not the forecast itself."""
    expected_shortfall: str = ""
    """Column of the mean loss beyond a value at risk."""
    low: str = ""
    high: str = ""
    """Columns of the ends of the band."""
    std_error: str = ""
    """Column of the standard error, from which the band follows in place of ``low``, ``high``."""
    level: str = ""
    """Column of the confidence level."""
    in_sample: str = ""
    """'table.column' of whether the model was fitted to later data; empty: it never was."""
    condition: Mapping[str, object] = field(default_factory=dict)
    """Values of other columns that select its rows."""


_IN_SAMPLE = "volatility_forecasts.in_sample"


def _volatility(method: str, label: str, horizon: int = 21) -> TrackedForecast:
    return TrackedForecast(
        ForecastKind.VOLATILITY, method, label, horizon, "volatility_forecasts", method,
        in_sample=_IN_SAMPLE,
    )  # fmt: skip


def _value_at_risk(method: str, label: str, *, in_sample: str = "") -> TrackedForecast:
    return TrackedForecast(
        ForecastKind.VALUE_AT_RISK, method, label, 1, "portfolio_tail_risk", "value_at_risk",
        expected_shortfall="expected_shortfall", level="level", in_sample=in_sample,
        condition={"method": method, "horizon_days": 1},
    )  # fmt: skip


TRACKED_FORECASTS = (
    TrackedForecast(
        ForecastKind.VOLATILITY, "har", "Forecast", 21, "volatility_forecasts",
        "volatility_forecast", root_variance="root_variance_forecast", low="low", high="high",
        in_sample=_IN_SAMPLE,
    ),
    *(
        TrackedForecast(
            ForecastKind.VOLATILITY, f"covariance_{method}", f"Covariance, {label}", 21,
            "portfolio_ex_ante_volatility", "volatility", condition={"method": method},
        )
        for method, label in (
            ("decayed", "exponentially weighted"),
            ("equal_weighted", "equal weights"),
        )
    ),
    _volatility("trailing_21d", "Trailing 21 sessions"),
    _volatility("ewma_94", "EWMA 0.94"),
    _volatility("ewma_97", "EWMA 0.97"),
    *(
        tracked
        for horizon in (1, 5, 63)
        for tracked in (
            TrackedForecast(
                ForecastKind.VOLATILITY, "har", "Forecast", horizon,
                "volatility_horizon_forecasts", "volatility_forecast",
                root_variance="root_variance_forecast", low="low", high="high",
                in_sample=_IN_SAMPLE, condition={"horizon": horizon},
            ),
            _volatility("ewma_97", "EWMA 0.97", horizon),
        )
    ),
    _value_at_risk("filtered", "Filtered simulation"),
    _value_at_risk("parametric", "Normal, forecast", in_sample=_IN_SAMPLE),
    _value_at_risk("historical", "Historical"),
    TrackedForecast(
        ForecastKind.BETA, "decayed", "Exponentially weighted", 90, "symbol_decayed_betas", "beta",
        std_error="forecast_std_error",
    ),
    TrackedForecast(
        ForecastKind.BETA, "adjusted", "Vasicek", 90, "symbol_adjusted_betas", "beta",
        std_error="std_error",
    ),
    TrackedForecast(
        ForecastKind.BETA, "raw", "Raw, 90 sessions", 90, "position_market_betas", "beta",
        std_error="std_error",
    ),
)  # fmt: skip
"""Every forecast that is scored. The first of a kind and horizon is the one that is compared."""


def compared_method(kind: ForecastKind, horizon: int) -> str:
    """Return the method whose losses those of the others of a kind and horizon are compared with.

    Examples
    --------
    >>> compared_method(ForecastKind.VALUE_AT_RISK, 1)
    'filtered'
    """
    return next(
        tracked.method
        for tracked in TRACKED_FORECASTS
        if (tracked.kind, tracked.horizon) == (kind, horizon)
    )


def method_label(kind: str, method: str) -> str:
    """Return the name of a method in tables; the method itself if it is tracked no longer."""
    return next(
        (
            tracked.label
            for tracked in TRACKED_FORECASTS
            if (tracked.kind.value, tracked.method) == (kind, method)
        ),
        method,
    )

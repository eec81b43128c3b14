"""Volatility forecasts, and their scores against the outcome."""

from functools import partial

from riskmetrics.catalog.absences import (
    COMMANDS_ONLY,
    COVERAGE_COUNT,
    ESTIMATE_QUALIFIER,
    EXPECTED_VOLATILITY,
    FORECAST_SCORE,
    NO_SENTENCE,
)
from riskmetrics.catalog.figure import Figure, Unit
from riskmetrics.catalog.listing import Listing
from riskmetrics.catalog.volatility import (
    EXPECTED,
    HAR,
    LEVEL_OBS,
    MONTH,
    NEXT_MONTH,
    REALIZED,
    RISE,
    YEAR,
)

_EWMA = "J.P. Morgan (1996), RiskMetrics technical document"

_HORIZON_COLUMNS = {"volatility_forecast", "root_variance_forecast", "low", "high"}

_forecast = partial(Figure, "volatility_forecasts", window=NEXT_MONTH, minimum=LEVEL_OBS)
_year = partial(Figure, "volatility_forecasts", window=YEAR)
_outcome = partial(Figure, "forecast_outcomes", absent=FORECAST_SCORE)
_horizon = partial(
    Figure, "volatility_horizon_forecasts", window="next 1, 5 or 63 sessions", minimum=LEVEL_OBS
)

_FORECASTS = (
    _forecast("volatility_forecast", "Forecast", Unit.VOLATILITY, EXPECTED, reference=HAR,
        absent=EXPECTED_VOLATILITY),
    _forecast("root_variance_forecast", "Root of the variance forecast", Unit.VOLATILITY,
        "volatility_forecast / k, k the ratio of the two in the sample of the version",
        reference=HAR, absent=COMMANDS_ONLY),
    _forecast("low", "80% interval, low end", Unit.VOLATILITY,
        "volatility_forecast * 10th percentile of realized over forecast in the version's sample",
        short="low"),
    _forecast("high", "80% interval, high end", Unit.VOLATILITY,
        "volatility_forecast * 90th percentile of realized over forecast in the version's sample",
        short="high"),
    _forecast("rise_probability", "P(increase)", Unit.PROBABILITY, RISE),
    _forecast("trailing_21d", "Trailing 21 sessions", Unit.VOLATILITY, REALIZED.format(21, 15),
        window=MONTH, minimum="15 returns", absent=COMMANDS_ONLY),
    _year("ewma_94", "EWMA 0.94", Unit.VOLATILITY,
        "sqrt(252 * sum(0.94^k * r²) / sum(0.94^k)) over 252 sessions", minimum=LEVEL_OBS,
        reference=_EWMA, absent=COMMANDS_ONLY),
    _year("ewma_97", "EWMA 0.97", Unit.VOLATILITY,
        "sqrt(252 * sum(0.97^k * r²) / sum(0.97^k)) over 252 sessions", minimum=LEVEL_OBS,
        reference=_EWMA, absent=COMMANDS_ONLY),
    _year("observations", "Observations", Unit.COUNT, "returns in the last 252 sessions",
        absent=COVERAGE_COUNT),
    _year("proxy", "Proxy of daily volatility", Unit.TEXT,
        "range_market if 95 % of the highs and lows of 252 sessions are valid, else close_market;"
        " close if the market is missing", reference="Parkinson (1980)", absent=ESTIMATE_QUALIFIER),
    _forecast("coefficients_version", "Version of the coefficients", Unit.TEXT,
        "newest version whose last target is on or before the day, else the first", minimum="",
        absent=COMMANDS_ONLY),
    _forecast("in_sample", "In-sample", Unit.FLAG,
        "whether the version's last target is after the day", minimum="", short="in-sample",
        absent=ESTIMATE_QUALIFIER),
    _forecast("clipped", "Clipped to the model's bounds", Unit.FLAG,
        "whether the ratio is outside [0.25, 6]", minimum="", short="clipped",
        absent=ESTIMATE_QUALIFIER),
    _year("short_history", "Less than half a year of returns", Unit.FLAG,
        "whether L is based on 63 to 125 returns", short="short history",
        absent=ESTIMATE_QUALIFIER),
    _year("daily_lag_imputed", "No return in the last 4 sessions", Unit.FLAG,
        "whether the daily lag is replaced by the monthly mean: no value in the last 4 sessions",
        short="daily lag imputed", absent=ESTIMATE_QUALIFIER),
    _year("thin_coverage_sessions", "Thin sessions", Unit.COUNT,
        "sessions of 252 on which 80 to 95 % of exposure has a return; NULL for symbols",
        null="the subject is a symbol", absent=ESTIMATE_QUALIFIER),
)  # fmt: skip

FIGURES = (
    *_FORECASTS,
    *(
        _horizon(
            figure.column,
            figure.label,
            figure.unit,
            f"{figure.formula}; coefficients of the horizon",
            reference=figure.reference,
            short=figure.short,
            absent=COMMANDS_ONLY if figure.column == "root_variance_forecast" else NO_SENTENCE,
        )
        for figure in _FORECASTS
        if figure.column in _HORIZON_COLUMNS
    ),
    _outcome("completed_on", "Completed on", Unit.DATE,
        "session that ends the horizon: 21 sessions after a volatility forecast, 1 after a value"
        " at risk, 90 after a beta", absent=FORECAST_SCORE + NO_SENTENCE),
    _outcome("forecast", "Forecast", Unit.NUMBER,
        "as stored on made_on: annualized volatility, value at risk as a fraction of equity, or"
        " beta"),
    _outcome("root_variance", "Root of the variance forecast", Unit.VOLATILITY,
        "as stored on made_on", null="it is the forecast, or the kind is another one",
        absent=FORECAST_SCORE + NO_SENTENCE),
    _outcome("shortfall_forecast", "Expected shortfall", Unit.FRACTION,
        "as stored on made_on, with a value at risk", null="the kind is another one",
        absent=FORECAST_SCORE + NO_SENTENCE),
    _outcome("low", "Band, low end", Unit.NUMBER,
        "volatility: low of the 80% interval; beta: forecast - 1.96 * std_error",
        null="the method has no band", short="low"),
    _outcome("high", "Band, high end", Unit.NUMBER,
        "volatility: high of the 80% interval; beta: forecast + 1.96 * std_error",
        null="the method has no band", short="high"),
    _outcome("outcome", "Outcome", Unit.NUMBER,
        "volatility: sqrt(252 * mean(r²)) over the horizon; value at risk: -R of the horizon;"
        " beta: that of the 90 sessions that end on completed_on. Portfolios: with the weights of"
        " made_on", window="the sessions after made_on", minimum="15 of 21 returns; beta: 60"),
    _outcome("forecast_loss", "Loss of the forecast", Unit.NUMBER,
        "volatility: QLIKE u - ln u - 1, u = (outcome / root_variance)²; value at risk:"
        " level * max(outcome - forecast, 0) + (1 - level) * max(forecast - outcome, 0); beta:"
        " (outcome - forecast)²", window="the sessions after made_on", minimum="an outcome",
        reference="Patton (2011); Koenker and Bassett (1978)", absent=FORECAST_SCORE + NO_SENTENCE),
    _outcome("in_sample", "In-sample", Unit.FLAG,
        "whether the model of the forecast was fitted to data after made_on", short="in-sample",
        absent=FORECAST_SCORE + NO_SENTENCE),
)  # fmt: skip

LISTINGS = (
    Listing(
        "volatility_horizon_forecasts",
        "Volatility forecasts of portfolios over other horizons, {session}",
        "volatility",
        "horizons",
        columns=(
            *("horizon", "volatility_forecast", "root_variance_forecast", "low", "high"),
            "undefined_reason",
        ),
        order=("horizon",),
        is_optional=True,
        hidden=("root_variance_forecast",),
    ),
)

"""Number formats and short labels of the columns in the tables of `riskmetrics show`."""

from riskmetrics.cli.output import CellFormat
from riskmetrics.present import formatting

BETAS: dict[str, CellFormat] = {
    "quantity": formatting.quantity,
    "beta": "{:.3f}".format,
    "std_error": "{:.3f}".format,
    "alpha": "{:.6f}".format,
    "r_squared": "{:.3f}".format,
    "p_value": formatting.p_value,
    "adjusted_beta": "{:.3f}".format,
    "adjusted_std_error": "{:.3f}".format,
}
RATE_BETAS: dict[str, CellFormat] = {
    "p_value": formatting.p_value,
    "quantity": formatting.quantity,
    **dict.fromkeys(
        ("rate_beta", "ir_beta", "std_error", "r_squared", "two_factor_rate_beta"), "{:.3f}".format
    ),
    **dict.fromkeys(("two_factor_std_error", "two_factor_market_beta"), "{:.3f}".format),
}
VOLATILITY_LABELS: dict[str, str] = {
    "portfolio": "portfolio",
    "symbol": "symbol",
    "position_type": "type",
    "strike_price": "strike",
    "expiration_date": "expires",
    "quantity": "quantity",
    "lots": "lots",
    "realized_volatility_21d": "21d",
    "realized_vol_21d": "21d",
    "realized_volatility_63d": "63d",
    "realized_vol_63d": "63d",
    "vol_daily": "day",
    "vol_weekly": "week",
    "vol_monthly": "month",
    "expected_volatility_21d": "forecast",
    "expected_vol_21d": "forecast",
    "low": "low",
    "high": "high",
    "volatility_trend": "trend",
    "vol_trend": "trend",
    "rise_probability": "P(increase)",
    "volatility_percentile": "percentile",
    "vol_percentile": "percentile",
    "model_r_squared": "oos R²",
}
"""Short labels of stored columns."""
VOLATILITY_FORMATS: dict[str, CellFormat] = {
    **dict.fromkeys(
        (
            *("21d", "63d", "day", "week", "month"),
            *("forecast", "low", "high", "P(increase)", "percentile"),
        ),
        formatting.percent,
    ),
    "oos R²": formatting.two_decimals,
    "quantity": formatting.quantity,
    "strike": formatting.quantity,
}
REMARK_LABELS = {
    "in_sample": "in-sample",
    "clipped": "clipped",
    "short_history": "short history",
    "day_replaced": "daily lag imputed",
}
SECTORS: dict[str, CellFormat] = {
    "gross_weight": formatting.percent,
    "net_weight": formatting.percent,
    "benchmark_weight": formatting.percent,
    "active_weight": formatting.signed_percent,
}
TAIL_RISK: dict[str, CellFormat] = {
    "level": formatting.level,
    "value_at_risk": formatting.percent,
    "expected_shortfall": formatting.percent,
    "value_at_risk_amount": formatting.money,
    "expected_shortfall_amount": formatting.money,
}
BACKTESTS: dict[str, CellFormat] = {
    "level": formatting.level,
    "expected": formatting.two_decimals,
    "likelihood_ratio": formatting.two_decimals,
    "p_value": formatting.p_value,
}
DRAWDOWNS: dict[str, CellFormat] = {"current": formatting.percent, "largest": formatting.percent}
CONTRIBUTIONS: dict[str, CellFormat] = {
    "weight": formatting.percent,
    "component": formatting.percent,
    "marginal": "{:.3f}".format,
    "share": formatting.percent,
}
STRESS: dict[str, CellFormat] = {
    "loss": formatting.percent,
    "loss_value": formatting.money,
    "coverage": formatting.percent,
}
SCENARIOS: dict[str, CellFormat] = {
    "market_move": formatting.signed_percent,
    "rate_move": formatting.signed_percent,
}
OPTIONS: dict[str, CellFormat] = {
    "quantity": formatting.quantity,
    "exposure": formatting.money,
    "volatility": formatting.percent,
    "risk_free_rate": formatting.percent,
    "dividend_yield": formatting.percent,
}

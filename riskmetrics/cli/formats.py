"""How the columns of stored results are written in the tables of `riskmetrics show`."""

from riskmetrics.cli.output import Format
from riskmetrics.report import figures

BETAS: dict[str, Format] = {
    "quantity": figures.quantity,
    "beta": "{:.3f}".format,
    "std_error": "{:.3f}".format,
    "alpha": "{:.6f}".format,
    "r_squared": "{:.3f}".format,
    "p_value": figures.p_value,
    "adjusted_beta": "{:.3f}".format,
    "adjusted_std_error": "{:.3f}".format,
}
RATE_BETAS: dict[str, Format] = {
    "p_value": figures.p_value,
    "quantity": figures.quantity,
    **dict.fromkeys(("rate_beta", "ir_beta", "std_error", "r_squared", "two_factor_rate_beta"), "{:.3f}".format),
    **dict.fromkeys(("two_factor_std_error", "two_factor_market_beta"), "{:.3f}".format),
}
VOLATILITY: dict[str, str] = {
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
    "expected_volatility_21d": "expected",
    "expected_vol_21d": "expected",
    "low": "low",
    "high": "high",
    "volatility_trend": "trend",
    "vol_trend": "trend",
    "rise_probability": "rise",
    "volatility_percentile": "percentile",
    "vol_percentile": "percentile",
    "model_r_squared": "skill",
}
"""What stored columns are called where there is little room."""
VOLATILITY_FORMATS: dict[str, Format] = {
    **dict.fromkeys(("21d", "63d", "day", "week", "month", "expected", "low", "high", "rise", "percentile"), figures.percent),
    "skill": figures.two_decimals,
    "quantity": figures.quantity,
    "strike": figures.quantity,
}
REMARKS = {
    "in_sample": "in sample",
    "clipped": "clipped",
    "short_history": "short history",
    "day_replaced": "day replaced",
}
SECTORS: dict[str, Format] = {
    "gross_weight": figures.percent,
    "net_weight": figures.percent,
    "benchmark_weight": figures.percent,
    "active_weight": figures.signed_percent,
}
TAIL: dict[str, Format] = {
    "level": figures.level,
    "value_at_risk": figures.percent,
    "expected_shortfall": figures.percent,
    "value_at_risk_amount": figures.money,
    "expected_shortfall_amount": figures.money,
}
BACKTESTS: dict[str, Format] = {
    "level": figures.level,
    "expected": figures.two_decimals,
    "likelihood_ratio": figures.two_decimals,
    "p_value": figures.p_value,
}
DRAWDOWNS: dict[str, Format] = {"current": figures.percent, "largest": figures.percent}
CONTRIBUTIONS: dict[str, Format] = {
    "weight": figures.percent,
    "component": figures.percent,
    "marginal": "{:.3f}".format,
    "share": figures.percent,
}
STRESS: dict[str, Format] = {"loss": figures.percent, "loss_value": figures.money, "coverage": figures.percent}
SCENARIOS: dict[str, Format] = {"market_move": figures.signed_percent, "rate_move": figures.signed_percent}
OPTIONS: dict[str, Format] = {
    "quantity": figures.quantity,
    "exposure": figures.money,
    "volatility": figures.percent,
    "risk_free_rate": figures.percent,
    "dividend_yield": figures.percent,
}

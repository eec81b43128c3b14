"""A fact sheet with all figures that questions ask for."""

from tests.insights.fact_sheets import ALIASES, build_sheet

NAMES = {"POS_01": {"symbol": "AMD", "name": "Advanced Micro Devices"},
    "POS_02": {"symbol": "AAPL", "name": "Apple"}, "POS_03": {"symbol": "SIZE"}}  # fmt: skip
_FACTS = {
    "total_value": 68_000.0, "cash_value": 2_495.0, "daily_pnl": -839.3,
    "daily_return": -0.0122, "market_return": -0.012, "return_5d": -0.029,
    "market_return_5d": -0.01,
    "return_21d": -0.115, "market_return_21d": -0.046, "previous_var_95": 0.041,
    "winners_pnl": 42.0, "losers_pnl": -881.3, "n_winners": 1, "n_losers": 3,
    "pos_01_pnl": -455.0, "pos_02_pnl": -358.0, "pos_01_weight": 0.598, "pos_02_weight": 0.17,
    "pos_01_share": 0.81, "pos_02_share": 0.11, "num_positions": 4, "num_short_positions": 0,
    "pos_03_pnl": 42.0, "pos_03_weight": 0.05, "pos_03_share": 0.02,
    "hhi": 0.4367, "effective_positions": 2.29, "top_3": 0.91, "average_correlation": 0.66,
    "beta": 1.55, "own_beta": 1.55, "own_beta_error": 0.08, "market_r_squared": 0.8,
    "previous_own_beta": 1.55, "previous_own_beta_error": 0.08,
    "volatility_21d": 0.34, "volatility_21d_change": -0.01, "volatility_percentile": 0.147,
    "volatility_63d": 0.41, "expected_volatility": 0.398, "expected_low": 0.275,
    "expected_high": 0.544, "rise_probability": 0.66, "past_forecast": 0.47, "past_outcome": 0.35,
    "past_low": 0.32, "past_high": 0.64, "var_95": 0.04, "shortfall_95": 0.053,
    "var_exceptions": 24, "var_expected": 12.6, "var_tested": 252, "var_p_value": 0.0032,
    "drawdown": 0.45, "max_drawdown": 0.49, "market_drawdown": 0.21, "drawdown_peak": "2021-12-28",
    "gross_to_equity": 0.97, "net_to_equity": 0.97, "tracking_error": 0.23,
    "information_ratio": -0.4, "active_return": -0.1, "scn_01_result": -0.635,
    "scn_01_market_move": -0.4, "scn_02_result": -0.15, "scn_02_market_move": -0.1,
    "sec_01_gross": 0.3, "sec_01_net": 0.3, "sec_01_benchmark": 0.05, "sec_01_active": 0.25,
    "price_coverage": 1.0, "fac_01_factor_exposure": 0.5, "fac_01_factor_error": 0.1,
    "fac_01_factor_share": 0.2, "cumulative_pnl": 12_000.0, "top_10": 1.0, "loss_rank": 60,
    "gain_rank": 193, "beta_change": 0.01, "beta_change_5d": 0.02, "beta_change_21d": 0.2,
    "volatility_21d_change_5d": -0.02, "volatility_21d_change_21d": -0.16,
    "expected_volatility_change": 0.01, "expected_volatility_change_21d": 0.02,
    "pos_01_pnl_5d": -900.0, "pos_02_pnl_5d": -300.0, "winners_pnl_5d": 50.0,
    "losers_pnl_5d": -1250.0, "n_winners_5d": 1, "n_losers_5d": 3,
    "pos_01_pnl_21d": -2900.0, "pos_02_pnl_21d": -1300.0, "winners_pnl_21d": 50.0,
    "losers_pnl_21d": -4250.0, "n_winners_21d": 1, "n_losers_21d": 3,
    "var_99": 0.071, "shortfall_99": 0.08, "var_95_10d": 0.12, "var_99_10d": 0.2,
    "shortfall_95_10d": 0.15, "shortfall_99_10d": 0.22, "var_95_amount": 2_720.0,
    "var_99_amount": 4_828.0, "shortfall_95_amount": 3_604.0, "shortfall_99_amount": 5_440.0,
    "worst_return": -0.081, "worst_day": "2022-05-09", "best_return": 0.106,
    "best_day": "2022-11-10", "return_ytd": -0.44, "return_mtd": -0.1, "return_252d": -0.45,
    "market_return_ytd": -0.2, "market_return_mtd": -0.05, "market_return_252d": -0.21,
    "market_volatility_21d": 0.24, "annual_return": -0.43, "sharpe_ratio": -0.9,
    "sortino_ratio": -1.2, "calmar_ratio": -0.9, "up_capture": 1.5, "down_capture": 1.7,
    "win_rate": 0.47, "payoff_ratio": 1.0, "omega_ratio": 0.86, "skewness": 0.1,
    "excess_kurtosis": 0.4, "tail_ratio": 1.0, "losing_streak": 7, "probabilistic_sharpe": 0.2,
    "kelly_leverage": -1.7, "ulcer_index": 0.3, "average_drawdown": 0.28,
    "time_under_water": 0.99, "longest_drawdown": 251, "martin_ratio": -1.4, "alpha": -0.1,
    "pos_01_position_beta": 1.8, "pos_01_position_beta_error": 0.1,
    "pos_02_position_volatility": 0.36, "pos_02_position_expected": 0.33,
    "alpha_std_error": 0.2, "year_beta": 1.8, "market_correlation": 0.9, "treynor_ratio": -0.2,
}  # fmt: skip

SHEET = build_sheet(
    _FACTS,
    aliases={
        alias: entity
        for alias, entity in {**ALIASES, **NAMES}.items()
        if any(name.startswith(f"{alias.lower()}_") for name in _FACTS)
    },
)
"""A session of a concentrated portfolio without limits of its own and without volumes."""

PORTFOLIOS = ("Long-Short", "Core Equity", "Growth")
"""Name of the portfolio that is asked about, and of two others."""

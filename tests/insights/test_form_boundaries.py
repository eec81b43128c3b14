"""Thresholds of forms: the edge itself counts, and the number before it does not."""

from dataclasses import replace

import numpy as np
import pytest

from riskmetrics.insights.claims import claims_of, remember_claims
from riskmetrics.insights.realize import realize_claim
from tests.insights.fact_sheets import build_sheet

Facts = dict[str, float | str]

_LIMIT: Facts = {"lim_01_limit_status": "kept", "lim_01_limit_status_before": "kept"}
_KEPT_NOW: Facts = {"lim_01_limit_status": "kept", "lim_01_limit_status_before": "exceeded"}
_EXCEEDED: Facts = {"lim_01_limit_status": "exceeded", "lim_01_limit_status_before": "kept"}
_LOSERS: Facts = {
    "n_losers": 5,
    "n_winners": 1,
    "winners_pnl": 0.0,
    "losers_pnl": -1000.0,
    "daily_pnl": -1000.0,
}
_GAINERS: Facts = {
    "n_winners": 2,
    "winners_pnl": 1000.0,
    "losers_pnl": 0.0,
    "daily_pnl": 1000.0,
}
_OFFSET: Facts = {
    "n_losers": 2,
    "winners_pnl": 1000.0,
    "losers_pnl": -2000.0,
    "daily_pnl": -1000.0,
}
_QUIET: Facts = {"daily_return": 0.0, "previous_var_95": 0.02}
_OFFSETS: Facts = {"total_value": 100_000.0, "winners_pnl": 600.0, "losers_pnl": -600.0}
_CASH: Facts = {"total_value": 100.0, "daily_return": 0.001}
_LOSS: Facts = {"daily_pnl": -100.0, "previous_var_95": 1.0}
_SHORT_OF_BETA: Facts = {
    "previous_own_beta": 1.25,
    "market_return": 0.01,
    "n_losers": 2,
    "losers_pnl": -300.0,
    "winners_pnl": 900.0,
    "daily_pnl": 600.0,
}
_ONE: Facts = {
    **dict.fromkeys(("n_opened", "n_closed", "n_resized", "n_winners"), 0),
    "num_positions": 1,
    "n_losers": 1,
    "pos_01_side": "long",
    "total_value": 1194.0,
    "pos_01_weight": 0.5,
    "pos_01_pnl": -3.0,
    "losers_pnl": -3.0,
}
"""One holding of 597 that was 600: it fell by half a percent."""

_WEEK: Facts = {"losers_pnl_5d": -1000.0, "winners_pnl_5d": 0.0, "n_losers_5d": 2}

_PART: Facts = {"past_forecast": 0.5, "past_low": 0.25, "past_high": 1.0}
"""A forecast whose range has its inner edges at 0.375 and 0.75."""

_CAUSED: Facts = {**_LOSS, "daily_return": -2.0, "losers_pnl": -100.0, "n_losers": 2}
_ENDED: Facts = {"drawdown": 0.05, "drawdown_left": 0.2}
_TEST: Facts = {"var_exceptions": 24, "var_expected": 12.6, "var_tested": 252, "var_p_value": 0.003}
_NEAR_ZERO: Facts = {"previous_own_beta": 1.0, "market_return": -0.005}
_CAUSE: Facts = {**_LOSERS, "pos_01_weight": 0.1, "daily_return": -0.01}

EDGES: list[tuple[str, Facts, str, float, int]] = [
    ("five_sessions_down", {}, "return_5d", -0.02, -1),
    ("five_sessions_up", {}, "return_5d", 0.02, 1),
    ("month_down", {}, "return_21d", -0.06, -1),
    ("month_up", {}, "return_21d", 0.06, 1),
    ("behind_market_5d", {"market_return_5d": 0.0}, "return_5d", -0.01, -1),
    ("ahead_of_market_5d", {"market_return_5d": 0.0}, "return_5d", 0.01, 1),
    ("behind_market_21d", {"market_return_21d": 0.0}, "return_21d", -0.025, -1),
    ("ahead_of_market_21d", {"market_return_21d": 0.0}, "return_21d", 0.025, 1),
    ("behind_market", {"market_return": 0.0}, "daily_return", -0.005, -1),
    (
        "behind_market_5d",
        {"market_return_5d": 0.04, "previous_own_beta": 0.5},
        "return_5d",
        0.01,
        -1,
    ),
    (
        "position_loss_sole:POS_01",
        {
            **_SHORT_OF_BETA,
            "pos_01_pnl": -300.0,
            "n_losers": 1,
            "total_value": 1e4,
            "daily_return": 0.0,
        },
        "n_winners",
        2,
        1,
    ),
    ("ahead_of_market", {"market_return": 0.0}, "daily_return", 0.005, 1),
    (
        "market_fall_in_line",
        {"previous_own_beta": 1.0, "daily_return": -0.003},
        "market_return",
        -0.003,
        -1,
    ),
    (
        "market_rise_in_line",
        {"previous_own_beta": 1.0, "daily_return": 0.003},
        "market_return",
        0.003,
        1,
    ),
    (
        "market_fall_in_line",
        {"previous_own_beta": 1.0, "market_return": -0.01},
        "daily_return",
        -0.012,
        1,
    ),
    (
        "market_fall_in_line",
        {"previous_own_beta": 1.0, "market_return": -0.25},
        "daily_return",
        float(np.nextafter(-0.255, 0)),
        1,
    ),
    (
        "market_fall_better",
        {"previous_own_beta": 1.0, "market_return": -0.004},
        "daily_return",
        -0.002,
        1,
    ),
    ("market_fell", {"daily_return": 0.0}, "market_return", -0.01, -1),
    ("market_rose", {"daily_return": 0.0}, "market_return", 0.01, 1),
    ("only_holding_fell:POS_01", _ONE, "pos_01_pnl", -3.0, -1),
    ("only_holding_fell:POS_01", _ONE, "n_resized", 0, -1),
    ("losses_spread:POS_01", _LOSERS, "pos_01_pnl", -250.0, 1),
    ("losses_spread:POS_01", {**_LOSERS, "pos_01_pnl": -250.0}, "n_losers", 5, 1),
    ("losses_spread:POS_01", {**_LOSERS, "pos_01_pnl": -250.0}, "n_winners", 1, 1),
    ("largest_detractor:POS_01", {**_LOSERS, "pos_01_pnl": -499.0}, "n_losers", 2, 1),
    (
        "largest_detractor:POS_01",
        _LOSERS,
        "pos_01_pnl",
        float(np.nextafter(-500.0, 0)),
        1,
    ),
    ("largest_contributor:POS_01", _GAINERS, "pos_01_pnl", float(np.nextafter(500.0, 0)), -1),
    ("position_loss:POS_01", _LOSERS, "pos_01_pnl", -500.0, -1),
    ("position_gain:POS_01", _GAINERS, "pos_01_pnl", 500.0, 1),
    ("position_loss_offset:POS_01", {**_OFFSET, "pos_01_pnl": -1500.0}, "winners_pnl", 20.0, 1),
    ("position_loss_offset:POS_01", _OFFSET, "pos_01_pnl", -1000.0, -1),
    ("position_loss_offset:POS_01", {**_OFFSET, "daily_pnl": 1000.0}, "pos_01_pnl", -1000.0, -1),
    (
        "headline_one_loss_offset:POS_01",
        {**_OFFSET, "pos_01_weight": 0.1, "winners_pnl": 100.0, "daily_pnl": -1900.0},
        "pos_01_pnl",
        -1100.0,
        -1,
    ),
    (
        "headline_outweighed_gains_offset:POS_01",
        {**_OFFSET, "pos_01_weight": 0.1},
        "pos_01_pnl",
        float(np.nextafter(-1000.0, -2000)),
        -1,
    ),
    (
        "headline_led_loss_offset:POS_01",
        {**_OFFSET, "winners_pnl": 100.0, "daily_pnl": -1900.0, "daily_return": -0.01},
        "pos_01_pnl",
        float(np.nextafter(-1100.0, 0)),
        1,
    ),
    (
        "headline_one_loss:POS_01",
        {**_LOSERS, "pos_01_pnl": -750.0},
        "pos_01_weight",
        float(np.nextafter(0.75, 0)),
        -1,
    ),
    ("var_exceeded", _LOSS, "daily_return", float(np.nextafter(-1.0, -2)), -1),
    ("var_held_nearly", _LOSS, "daily_return", -1.0, 1),
    ("var_held_nearly", _LOSS, "daily_return", -0.9, -1),
    ("var_exceeded_far", _LOSS, "daily_return", -2.0, -1),
    ("var_held", {**_LOSS, "previous_var_95": 0.001}, "daily_return", -0.0005, -1),
    ("var_held", _LOSS, "daily_return", -0.25, -1),
    ("small_loss", _LOSS, "daily_return", float(np.nextafter(-0.25, 0)), 1),
    (
        "small_gain",
        {"daily_pnl": 100.0, "previous_var_95": 1.0},
        "daily_return",
        float(np.nextafter(0.25, 0)),
        -1,
    ),
    ("headline_quiet", _QUIET | _OFFSETS, "losers_pnl", float(np.nextafter(-500.0, 0)), 1),
    ("headline_quiet", _QUIET | _OFFSETS, "winners_pnl", float(np.nextafter(500.0, 0)), -1),
    ("headline_week_down", _QUIET, "return_5d", -0.04, -1),
    ("headline_week_up", _QUIET, "return_5d", 0.04, 1),
    ("headline_cash", {**_CASH, "cash_value": 90.0}, "market_return", -0.01, -1),
    ("headline_cash", {**_CASH, "market_return": -0.01}, "cash_value", 90.0, 1),
    (
        "headline_fall_worse",
        {"previous_own_beta": 1.0, "market_return": -0.0625, "daily_return": -0.25},
        "specific_volatility",
        0.125 * 252**0.5,
        -1,
    ),
    (
        "headline_fall_inverse_implied",
        {"previous_own_beta": -0.5, "market_return": -0.5},
        "daily_return",
        0.5,
        -1,
    ),
    ("prices_missing", {}, "price_coverage", float(np.nextafter(1.0, 0)), -1),
    ("equity_negative", {}, "total_value", float(np.nextafter(0.0, -1)), -1),
    ("volatility_highest", {"volatility_21d": 0.2}, "volatility_percentile", 1.0, 1),
    ("volatility_lowest", {"volatility_21d": 0.2}, "volatility_percentile", 0.0, -1),
    ("volatility_high", {"volatility_21d": 0.2}, "volatility_percentile", 0.8, 1),
    ("volatility_calm", {"volatility_21d": 0.2}, "volatility_percentile", 0.2, -1),
    (
        "volatility_calm",
        {"volatility_21d": 0.34375, "volatility_percentile": 0.1},
        "volatility_21d_change_5d",
        float(np.nextafter(0.03125, 0)),
        -1,
    ),
    (
        "headline_quiet_critical",
        {"previous_var_95": 0.01, "daily_return": 0.0, "pos_01_weight_alert": "stands"},
        "pos_01_weight",
        0.5,
        1,
    ),
    (
        "volatility_alert",
        {
            "volatility_21d": 0.19,
            "volatility_21d_change": 0.04,
            "volatility_percentile_alert": "reached",
        },
        "volatility_percentile",
        0.95,
        1,
    ),
    ("headline_volatility_rose", {"volatility_21d": 0.375}, "volatility_21d_change", 0.0625, 1),
    ("tracking_error", {}, "tracking_error", 0.005, 1),
    ("shorts_add", {"short_share": 0.1, "num_positions": 3}, "num_short_positions", 1, 1),
    ("shorts_add", {"short_share": 0.1, "num_positions": 3}, "num_short_positions", 2, -1),
    ("scenario_less_than_market:SCN_01", {"scn_01_market_move": -0.5}, "scn_01_result", -0.45, 1),
    ("market_fall_against", _NEAR_ZERO, "daily_return", 0.001, 1),
    (
        "market_fall_in_line",
        {"previous_own_beta": 1.0, "market_return": -0.01, "daily_return": -0.01},
        "previous_own_beta_error",
        0.5,
        -1,
    ),
    ("headline_one_loss:POS_01", _CAUSE, "pos_01_pnl", -550.0, -1),
    ("headline_one_loss:POS_01", {**_CAUSE, "pos_01_pnl": -600.0}, "total_value", 1e6, -1),
    ("largest_detractor:POS_01", _LOSERS, "pos_01_pnl", -100.0, -1),
    ("gains_spread:POS_01", {**_GAINERS, "n_losers": 1, "pos_01_pnl": 250.0}, "n_winners", 5, 1),
    (
        "headline_quiet",
        {"previous_var_95": 0.01, "daily_return": 0.0},
        "market_return",
        float(np.nextafter(0.01, 0)),
        -1,
    ),
    (
        "headline_flat_rise",
        {"previous_var_95": 0.01, "daily_return": 0.0},
        "market_return",
        0.01,
        1,
    ),
    (
        "headline_flat_fall",
        {"previous_var_95": 0.02, "market_return": -0.01},
        "daily_return",
        float(np.nextafter(0.0025, 0)),
        -1,
    ),
    (
        "headline_flat_rise",
        {"previous_var_95": 0.01, "daily_return": 0.0, "previous_own_beta": 2.0},
        "market_return",
        0.005,
        1,
    ),
    (
        "headline_quiet",
        {"previous_var_95": 0.001},
        "daily_return",
        float(np.nextafter(0.0005, 0)),
        -1,
    ),
    ("opened", {"pos_01_opened": "opened", "pos_02_opened": "opened"}, "n_opened", 2, 1),
    (
        "holding_tracks_market",
        {"own_beta": 1.0, "num_positions": 1},
        "market_r_squared",
        0.99,
        1,
    ),
    (
        "holding_tracks_market",
        {"own_beta": 1.0, "market_r_squared": 1.0},
        "num_positions",
        1,
        -1,
    ),
    ("beta_rose", {"beta": 4.2}, "beta_change", 0.2, 1),
    (
        "headline_quiet",
        {"previous_var_95": 0.016},
        "daily_return",
        float(np.nextafter(-0.004, 0)),
        1,
    ),
    (
        "limit_position_share:POS_01",
        {"pos_01_weight": 0.2, "pos_01_weight_streak": 1},
        "pos_01_share",
        0.0,
        1,
    ),
    (
        "limit_by_trade:POS_01",
        {"pos_01_weight_streak": 1, "pos_01_quantity_increase": 1.0},
        "pos_01_weight",
        float(np.nextafter(0.4, 0)),
        -1,
    ),
    (
        "limit_by_trade:POS_01",
        {"pos_01_weight_streak": 1, "pos_01_weight": 0.75},
        "pos_01_quantity_increase",
        float(np.nextafter(0.5, 1)),
        1,
    ),
    ("position_risk_light:POS_01", {"pos_01_share": 0.1}, "pos_01_weight", 0.15, 1),
    ("position_risk_light:POS_01", {"pos_01_weight": 0.65}, "pos_01_share", 0.5, -1),
    ("position_risk_light:POS_01", {"pos_01_weight": 0.65}, "pos_01_share", 0.0, 1),
    ("not_split", {"daily_pnl": -1.0}, "num_positions", 2, 1),
    (
        "look_at_market_loss",
        {**_LOSS, "daily_return": -2.0, "own_beta": 1.0, "previous_own_beta": 1.0},
        "market_return",
        float(np.nextafter(-1.0, -2)),
        -1,
    ),
    ("look_at_leverage", {}, "gross_to_equity", 1.5, 1),
    ("drawdown_with_market", {"market_drawdown": 0.1}, "drawdown", 0.03, 1),
    ("drawdown_with_market", {"drawdown": 0.1}, "market_drawdown", 0.03, 1),
    ("beta_partial", {"beta": 1.0}, "beta_coverage", float(np.nextafter(0.995, 0)), -1),
    ("detractor_5d:POS_01", _WEEK, "pos_01_pnl_5d", -250.0, -1),
    ("detractor_5d:POS_01", {**_WEEK, "pos_01_pnl_5d": -900.0}, "n_losers_5d", 2, 1),
    ("breadth", {"n_losers": 2}, "n_winners", 3, 1),
    ("cash_share", {"total_value": 1000.0}, "cash_value", 100.0, 1),
    ("cash_share", {"total_value": 1000.0}, "cash_value", 1000.0, -1),
    ("volatility_rose_21d", {"volatility_21d": 0.625}, "volatility_21d_change_21d", 0.125, 1),
    ("volatility_fell_21d", {"volatility_21d": 0.375}, "volatility_21d_change_21d", -0.125, -1),
    ("top_three_grew", {}, "top_3_change_21d", 0.03, 1),
    ("beta_rose_21d", {"beta": 1.0}, "beta_change_21d", 0.1, 1),
    ("beta_fell_21d", {"beta": 1.0}, "beta_change_21d", -0.1, -1),
    ("rate_beta", {}, "rate_beta", 0.2, 1),
    ("rate_beta_negative", {}, "rate_beta", -0.2, -1),
    ("factor_tilt:FAC_01", {"fac_01_factor_error": 0.05}, "fac_01_factor_exposure", 0.2, 1),
    ("factor_tilt:FAC_01", {"fac_01_factor_exposure": 0.5}, "fac_01_factor_error", 0.25, -1),
    ("factor_tilt_away:FAC_01", {"fac_01_factor_error": 0.05}, "fac_01_factor_exposure", -0.2, -1),
    ("factor_largest:FAC_01", {}, "fac_01_factor_share", 0.1, 1),
    ("risk_specific", {}, "specific_share", 0.5, 1),
    ("risk_explained", {}, "specific_share", 1 - 0.8, -1),
    ("risk_explained", {}, "specific_share", 0.0, 1),
    ("holdings_move_together", {}, "average_correlation", 0.6, 1),
    ("holdings_move_apart", {}, "average_correlation", 0.3, -1),
    ("diversified_little", {"num_short_positions": 0}, "diversification_ratio", 1.0, 1),
    ("liquidity_slow", {}, "days_to_liquidate", 5.0, 1),
    ("liquidity_fast", {}, "days_to_liquidate", 1.0, -1),
    ("liquidity_partial", {}, "sold_in_5d", float(np.nextafter(0.8, 0)), -1),
    ("tracking_error_rises", {"tracking_error": 0.625}, "expected_tracking_error", 0.75, 1),
    ("tracking_error_falls", {"tracking_error": 0.625}, "expected_tracking_error", 0.5, -1),
    ("active_gain", {"information_ratio": 1.0}, "active_return", 0.02, 1),
    ("active_loss", {"information_ratio": -1.0}, "active_return", -0.02, -1),
    ("active_gain", {"active_return": 0.1}, "information_ratio", 0.5, 1),
    ("active_loss", {"active_return": -0.1}, "information_ratio", -0.5, -1),
    ("forecast_low_part", _PART, "past_outcome", 0.25, 1),
    ("forecast_low_part", _PART, "past_outcome", float(np.nextafter(0.375, 0)), -1),
    ("forecast_held", _PART, "past_outcome", 0.375, 1),
    ("forecast_held", _PART, "past_outcome", 0.75, -1),
    ("forecast_high_part", _PART, "past_outcome", float(np.nextafter(0.75, 1)), 1),
    ("forecast_high_part", _PART, "past_outcome", 1.0, -1),
    ("position_dominates:POS_01", {"pos_01_weight": 0.3}, "pos_01_share", 1.0, -1),
    (
        "position_exceeds:POS_01",
        {"pos_01_weight": 0.3},
        "pos_01_share",
        float(np.nextafter(1.0, 2)),
        1,
    ),
    ("market_fall_inverse", {"market_return": -0.5}, "previous_own_beta", -0.006, -1),
    (
        "market_rise_inverse",
        {"market_return": 0.5, "previous_own_beta_error": 0.25},
        "previous_own_beta",
        -0.5,
        -1,
    ),
    ("look_at_detractor:POS_01", _CAUSED, "pos_01_pnl", -50.0, -1),
    ("look_at_detractor:POS_01", {**_CAUSED, "pos_01_pnl": -50.0}, "n_losers", 2, 1),
    (
        "look_at_risk:POS_01",
        {"pos_01_share": 0.5, "num_positions": 3},
        "pos_01_weight",
        0.05,
        1,
    ),
    ("look_at_risk:POS_01", {"pos_01_share": 0.5, "pos_01_weight": 0.3}, "num_positions", 3, 1),
    (
        "look_at_common",
        {**_CAUSED, "previous_own_beta": 1.0, "market_return": 0.0, "n_losers": 3},
        "pos_01_pnl",
        float(np.nextafter(-50.0, 0)),
        1,
    ),
    (
        "look_at_common",
        {**_CAUSED, "previous_own_beta": 1.0, "market_return": 0.0, "pos_01_pnl": -40.0},
        "n_losers",
        3,
        1,
    ),
    (
        "look_at_trades",
        {**_LOSS, "daily_return": -2.0, "num_positions": 2, "n_closed": 0},
        "n_opened",
        1,
        1,
    ),
    ("net_short", {}, "net_to_equity", -0.05, -1),
    ("alerts_unchanged", {**_ENDED, "beta_alert": "stands"}, "beta", 1.2, 1),
    (
        "alerts_unchanged",
        {**_ENDED, "volatility_percentile": 0.95, "volatility_21d": 0.2},
        "volatility_percentile_streak",
        2,
        1,
    ),
    (
        "alerts_unchanged",
        {**_ENDED, **_TEST},
        "previous_var_p_value",
        float(np.nextafter(0.01, 0)),
        -1,
    ),
    (
        "own_limit_others:LIM_02",
        {"lim_02_checked": 0.3, "lim_02_checked_limit": 0.25, "pos_01_weight": 0.3},
        "pos_02_weight",
        float(np.nextafter(0.25 + 1e-9, 1)),
        1,
    ),
    (
        "headline_fall_made",
        {"previous_own_beta": 1.0, "daily_return": -0.02, "daily_pnl": -2.0},
        "market_return",
        float(np.nextafter(-0.01, -1)),
        -1,
    ),
    (
        "look_at_drawdown_position",
        {"drawdown": 0.2, "pos_02_share": 0.1},
        "pos_01_share",
        0.25,
        1,
    ),
    ("look_at_size:POS_01", {}, "pos_01_weight", 0.2, 1),
    ("limits_left", {"beta_left": 1.5}, "beta", float(np.nextafter(0.95 * 1.5, 0)), -1),
    ("limits_ended", {"beta_left": 1.5}, "beta", 0.95 * 1.5, 1),
    (
        "limits_left",
        {"volatility_percentile_left": 0.95},
        "volatility_percentile",
        float(np.nextafter(0.95**2, 0)),
        -1,
    ),
    ("limits_ended", {"drawdown_left": 0.2, "market_drawdown": 0.2}, "drawdown", 0.95 * 0.2, 1),
    ("week_and_month_down", {"return_21d": -0.06}, "return_5d", -0.02, -1),
    ("week_and_month_down", {"return_5d": -0.02}, "return_21d", -0.06, -1),
    ("week_and_month_up", {"return_21d": 0.06}, "return_5d", 0.02, 1),
    ("week_and_month_up", {"return_5d": 0.02}, "return_21d", 0.06, 1),
    ("var_not_rejected", {**_TEST, "previous_var_p_value": 0.003}, "var_p_value", 0.01, 1),
    (
        "var_not_rejected",
        {**_TEST, "var_p_value": 0.02},
        "previous_var_p_value",
        float(np.nextafter(0.01, 0)),
        -1,
    ),
    (
        "driver_of_loss:POS_01",
        {**_CAUSE, "pos_01_pnl": -900.0, "pos_02_share": 0.3},
        "pos_01_share",
        0.25,
        1,
    ),
    (
        "look_at_driver:POS_01",
        {**_CAUSE, "pos_01_share": 0.3, "daily_return": -0.01},
        "pos_01_pnl",
        -550.0,
        -1,
    ),
    (
        "largest_detractor:POS_01",
        {**_SHORT_OF_BETA, "pos_01_pnl": -100.0, "total_value": 1e4},
        "daily_return",
        float(np.nextafter(0.0125 - 0.0025, 0)),
        -1,
    ),
    (
        "largest_detractor:POS_01",
        {**_SHORT_OF_BETA, "pos_01_pnl": -100.0, "daily_return": 0.0},
        "total_value",
        2 * 300.0 / 0.0125,
        -1,
    ),
    (
        "position_loss_sole:POS_01",
        {**_OFFSET, "n_winners": 1, "pos_01_pnl": -9.0},
        "n_losers",
        1,
        -1,
    ),
    ("headline_led_loss:POS_01", _LOSERS, "pos_01_pnl", -250.0, -1),
    ("headline_led_gain:POS_01", _GAINERS, "pos_01_pnl", 250.0, 1),
    (
        "look_at_market_loss",
        {
            **_LOSS,
            "daily_return": -2.0,
            "own_beta": 1.0,
            "previous_own_beta": 1.0,
            "market_return": -1.5,
        },
        "market_r_squared",
        0.5,
        1,
    ),
    (
        "look_at_market_loss",
        {
            **_LOSS,
            "daily_return": -2.0,
            "own_beta": 1.0,
            "previous_own_beta": 1.0,
            "market_return": -1.5,
        },
        "specific_share",
        0.5,
        -1,
    ),
    (
        "look_at_market_loss",
        {
            **_LOSS,
            "daily_return": -0.95,
            "own_beta": 1.0,
            "previous_own_beta": 1.0,
            "market_return": -1.5,
            "beta": 1.0,
        },
        "beta_change_21d",
        0.1,
        1,
    ),
    (
        "look_at_market_loss",
        {**_LOSS, "own_beta": 1.0, "previous_own_beta": 1.0, "market_return": -1.5},
        "daily_return",
        float(np.nextafter(-1.0, -2)),
        -1,
    ),
    (
        "look_at_market_loss",
        {**_CAUSED, "own_beta": 1.0, "previous_own_beta": 1.0, "market_return": -1.5},
        "pos_01_pnl",
        float(np.nextafter(-50.0, 0)),
        1,
    ),
    ("equity_priced", {"total_value": 5.0}, "price_coverage", float(np.nextafter(1.0, 0)), -1),
    ("weights_unknown", {"total_value": 5.0, "beta": 1.0}, "num_positions", 1, 1),
    (
        "headline_quiet",
        {"previous_var_95": 0.05},
        "daily_return",
        float(np.nextafter(0.005, 0)),
        -1,
    ),
    ("active_beta", {"own_beta": 1.0}, "active_market_share", 0.5, 1),
    ("at_peak", {"max_drawdown": 0.1}, "drawdown", 0.0, -1),
    ("drawdown_compared", {"max_drawdown": 0.5}, "drawdown", 0.25, -1),
    ("drawdown_compared", {"max_drawdown": 0.5}, "drawdown", 0.03, 1),
    ("own_limit_close:LIM_01", {**_LIMIT, "lim_01_checked_limit": 1.0}, "lim_01_checked", 0.9, 1),
    (
        "own_limit_close:LIM_01",
        {**_LIMIT, "lim_01_checked_limit": 1.0},
        "lim_01_checked",
        1.0 + 1e-9,  # a limit is kept up to a rounding
        -1,
    ),
    (
        "own_limit_ended:LIM_01",
        {**_KEPT_NOW, "lim_01_checked_limit": 1.0},
        "lim_01_checked",
        1.0 + 1e-9,
        -1,
    ),
    (
        "own_limit_breached:LIM_01",
        {**_EXCEEDED, "lim_01_checked_limit": 1.0},
        "lim_01_checked",
        float(np.nextafter(1.0, 2)),
        1,
    ),
]
"""Form, facts, the fact that is moved, its edge, and the side on which the form is true."""


@pytest.mark.parametrize(("form_id", "facts", "moved", "edge", "side"), EDGES)
def test_a_form_is_true_at_its_edge_and_not_before(
    form_id: str, facts: Facts, moved: str, edge: float, side: int
) -> None:
    def is_made(value: float) -> bool:
        return form_id in claims_of(build_sheet(facts | {moved: value}), {})

    before = (
        edge - side
        if moved.startswith(("n_", "num_"))
        else float(np.nextafter(edge, -side * np.inf))
    )
    assert is_made(edge)
    assert not is_made(before)


def test_the_risk_of_a_driver_is_told_again_only_if_it_changed() -> None:
    facts: Facts = {**_CAUSE, "pos_01_pnl": -900.0, "pos_01_share": 0.3, "daily_return": -0.01}
    sheet, stated = build_sheet(facts), ("driver_of_loss:POS_01", "look_at_driver:POS_01")
    changed = build_sheet(facts | {"pos_01_share": 0.4})
    for day, is_new in ((sheet, False), (changed, True)):
        found = claims_of(replace(day, before=remember_claims(sheet)))
        assert {form_id: found[form_id].is_new for form_id in stated} == dict.fromkeys(
            stated, is_new
        )


def test_a_window_is_a_year_from_250_observations() -> None:
    facts: Facts = {"drawdown": 0.1, "market_drawdown": 0.05}
    for n_obs, expected in ((249, "past 249 sessions,"), (250, "past year,")):
        sheet = build_sheet(facts, n_obs=n_obs)
        claim = claims_of(sheet, {})["drawdown_with_market"]
        assert expected in realize_claim(claim, {})


def test_one_position_leads_unless_a_market_of_two_percent_made_most_of_the_loss() -> None:
    cause: Facts = {**_CAUSE, "daily_pnl": -1000.0, "pos_01_pnl": -900.0, "previous_own_beta": 0.9}
    leads = {
        market: "headline_one_loss:POS_01"
        in claims_of(build_sheet(cause | {"market_return": market}), {})
        for market in (-0.0199, -0.02, 0.02)
    }
    assert leads == {-0.0199: True, -0.02: False, 0.02: True}


def test_costs_do_not_make_a_position_cost_more_than_the_others_gained() -> None:
    """-10,000 next to gains of 15,000 and costs of 8,000: the costs made the loss."""
    facts: Facts = {**_OFFSET, "pos_01_weight": 0.1, "pos_01_pnl": -10_000.0, "n_losers": 2}
    facts |= {"losers_pnl": -10_000.0, "total_value": 1e6}
    for gained, is_more in ((15_000.0, False), (7_000.0, True)):
        claims = claims_of(build_sheet(facts | {"winners_pnl": gained, "daily_pnl": -3000.0}), {})
        titles = [each for each in claims if each.startswith("headline_outweighed_gains")]
        assert bool(titles) is is_more, gained


def test_a_limit_of_leverage_is_not_shown_with_four_decimals() -> None:
    """Gross exposure of 2.00004 times equity is at the level of 2.00: no decimal tells why."""
    sheet = build_sheet({"gross_to_equity": 2.00004, "gross_to_equity_streak": 3})
    text = realize_claim(claims_of(sheet, {})["limits_standing"], {})
    assert text == (
        "Alerts in force: gross exposure 2.00× equity (warning from 2.00×, 3rd session)."
    )


@pytest.mark.parametrize("beta", [0.98, 1.02])
def test_a_holding_moves_one_for_one_from_a_beta_of_098_to_102(beta: float) -> None:
    def is_made(beta: float) -> bool:
        facts: Facts = {"own_beta": beta, "num_positions": 1, "market_r_squared": 1.0}
        return "holding_tracks_market" in claims_of(build_sheet(facts), {})

    assert is_made(beta)
    assert not is_made(1.005 * beta if beta > 1 else beta / 1.005)


@pytest.mark.parametrize(
    ("reason", "found"),
    [
        ("0 of the trailing 90 sessions have returns of 80% of gross exposure; 60 required", 0),
        ("1 of the trailing 90 sessions has returns of 80% of gross exposure; 60 required", 1),
        ("1 paired return in the trailing 90 sessions; 60 required", 1),
        ("59 paired returns in the trailing 90 sessions; 60 required", 59),
    ],
)
def test_a_beta_is_not_yet_defined_with_few_returns_one_as_well(reason: str, found: int) -> None:
    facts: Facts = {"total_value": 9.0, "num_positions": 2, "undefined_reason": reason}
    sheet = build_sheet(facts)
    assert realize_claim(claims_of(sheet, {})["beta_not_yet"], {}) == (
        f"No beta yet: returns on {found} of the 60 sessions required."
    )


def test_a_pair_is_alike_from_a_correlation_of_four_fifths() -> None:
    def is_alike(correlation: float) -> bool:
        facts = {f"pos_0{n}_highest_correlation": correlation for n in (1, 2)}
        return "pair_alike:POS_01" in claims_of(build_sheet(facts), {})

    assert is_alike(0.8)
    assert not is_alike(float(np.nextafter(0.8, 0)))


def test_liquidity_is_told_only_if_all_of_gross_value_has_a_volume() -> None:
    facts: Facts = {"days_to_liquidate": 12.0, "sold_in_5d": 0.4}
    assert {"liquidity_slow", "liquidity_partial"} <= claims_of(build_sheet(facts), {}).keys()
    partly = dict.fromkeys(facts, "covers 90% of gross value")
    found = claims_of(build_sheet(facts, qualities=partly), {})
    assert {each.form.role for each in found.values()} <= {"headline"}


def test_a_limit_of_a_user_replaces_the_alert_level_of_its_figure() -> None:
    """A beta of 1.55 is beyond the alert level of 1.50; the user allows 1.60."""
    facts: Facts = {"beta": 1.55, "beta_streak": 1, "drawdown": 0.3, "drawdown_streak": 1}
    own: Facts = {"lim_01_checked_number": 1.55, "lim_01_checked_number_limit": 1.6, **_LIMIT}
    without, found = claims_of(build_sheet(facts), {}), claims_of(build_sheet(facts | own), {})
    assert {"limit_beta", "limit_drawdown", "look_at_beta"} <= without.keys()
    assert "limit_beta" not in found
    assert "look_at_beta" not in found
    assert {"limit_drawdown", "own_limit_close:LIM_01"} <= found.keys()

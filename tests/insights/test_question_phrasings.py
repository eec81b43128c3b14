"""Questions as newcomers type them: each is answered by the right claims, or what is missing."""

import pytest

from riskmetrics.insights.claims import claims_of
from riskmetrics.insights.questions import answer_by_rules
from riskmetrics.insights.realize import realize_note
from tests.insights.fact_sheets import ALIASES, build_sheet

NAMES = {"POS_01": {"symbol": "AMD", "name": "Advanced Micro Devices"},
    "POS_02": {"symbol": "AAPL", "name": "Apple"}, "POS_03": {"symbol": "SIZE"}}  # fmt: skip
SHEET = build_sheet(
    {
        "total_value": 68_000.0, "cash_value": 2_495.0, "daily_pnl": -839.3,
        "daily_return": -0.0122, "market_return": -0.012, "return_5d": -0.029,
        "market_return_5d": -0.01,
        "return_21d": -0.115, "market_return_21d": -0.046, "previous_var_95": 0.041,
        "winners_pnl": 42.0, "losers_pnl": -881.3, "n_winners": 1, "n_losers": 3,
        "pos_01_pnl": -455.0, "pos_02_pnl": -358.0, "pos_01_weight": 0.598, "pos_02_weight": 0.17,
        "pos_01_share": 0.81, "pos_02_share": 0.11, "num_positions": 4, "num_short_positions": 0,
        "hhi": 0.4367, "effective_positions": 2.29, "top_3": 0.91, "average_correlation": 0.66,
        "beta": 1.55, "own_beta": 1.55, "own_beta_error": 0.08, "market_r_squared": 0.8,
        "volatility_21d": 0.34, "volatility_21d_change": -0.01, "volatility_percentile": 0.147,
        "expected_volatility": 0.398, "expected_low": 0.275, "expected_high": 0.544,
        "rise_probability": 0.66, "past_forecast": 0.47, "past_outcome": 0.35, "past_low": 0.32,
        "past_high": 0.64, "var_95": 0.04, "shortfall_95": 0.053, "var_exceptions": 24,
        "var_expected": 12.6, "var_tested": 252, "var_p_value": 0.0032, "drawdown": 0.45,
        "max_drawdown": 0.49, "market_drawdown": 0.21, "drawdown_peak": "2021-12-28",
        "gross_to_equity": 0.97, "net_to_equity": 0.97, "tracking_error": 0.23,
        "information_ratio": -0.4, "active_return": -0.1, "scn_01_result": -0.635,
        "scn_01_market_move": -0.4, "sec_01_gross": 0.3, "sec_01_net": 0.3,
        "sec_01_benchmark": 0.05, "sec_01_active": 0.25, "price_coverage": 1.0,
        "fac_01_factor_exposure": 0.5, "fac_01_factor_error": 0.1, "fac_01_factor_share": 0.2,
        "cumulative_pnl": 12_000.0, "top_10": 1.0, "loss_rank": 60, "gain_rank": 193,
    },
    aliases={**ALIASES, **NAMES},
)  # fmt: skip
PORTFOLIOS = ("Long-Short", "Core Equity", "Growth")
"""Name of the portfolio that is asked about, and of two others."""

ANSWERED = [
    ("whats my VaR", "var_level"),
    ("How big is the vol?", "volatility_calm"),
    ("ES?", "var_level shortfall"),
    ("cvar please", "shortfall"),
    ("HHI of Long-Short", "hhi_level"),
    ("max DD this year?", "drawdown_with_market max_drawdown"),
    ("R2 of the beta", "beta_level"),
    ("r² ?", "beta_level"),
    ("TE vs benchmark", "tracking_error behind_market_21d"),
    ("hows my portfolio doing", "var_held"),
    ("why is Long-Short down today", "var_held position_loss_offset:POS_01"),
    ("can i loose more than 5% in a day", "var_level"),
    ("am i too concentrated in AMD", "position_dominates:POS_01"),
    ("too much apple?", "position_level:POS_02"),
    ("how risky is it right now", "position_dominates:POS_01"),
    ("is my portfolio beating the S&P", "behind_market_21d"),
    ("which stock cost me the most", "position_loss_offset:POS_01"),
    ("biggest loser today?", "position_loss_offset:POS_01"),
    ("how much is it worth", "equity"),
    ("how much cash do I have", "cash_level"),
    ("whats the beta of Long-Short", "beta_level"),
    ("did risk go up", "volatility_day"),
    ("did volatility go up since yesterday", "volatility_day"),
    ("is the vol forecast any good", "forecast_low_part"),
    ("correlation between my stocks", "correlation_level"),
    ("am I overweight anything", "sector_over:SEC_01"),
    ("whats my exposure to energy", "sector_largest:SEC_01"),
    ("am I leveraged", "exposure_level"),
    ("hedged?", "exposure_level no_shorts"),
    ("how many positions do I have", "positions_held"),
    ("what happens if the market falls 20%", "scenario_cost:SCN_01"),
    ("worst case scenaro", "scenario_cost:SCN_01"),
    ("can I trust the VaR", "var_too_low"),
    ("how volatle is it", "volatility_calm"),
    ("drawdwon?", "drawdown_with_market"),
    ("concentraton", "position_dominates:POS_01"),
    ("What are my beta and VaR?", "var_level beta_level"),
    ("tilted to momentum?", "factor_tilt:FAC_01"),
    ("whats wrong with amd", "position_dominates:POS_01"),
    ("how far below the high", "drawdown_with_market"),
    ("how much have I made since I bought it", "gained_since_entry"),
    ("share of the ten biggest positions", "position_dominates:POS_01 top_ten"),
    ("should I worry about anything", "limits_standing"),
]
"""Question and ids of claims, the first of the answer among them."""

MISSING = [
    ("what's the sharp ratio", "other"),
    ("alpha?", "other"),
    ("should I sell AMD", "advice"),
    ("buy or sell?", "advice"),
    ("will it go up tomorrow", "future_returns"),
    ("is there enough liquidity", "liquidity"),
    ("how quickly can I get out", "liquidity"),
    ("how much tech do i own", "other_instruments"),
    ("whats with TSLA", "other_instruments"),
    ("how risky is Core Equity right now", "other_portfolios"),
    ("how does it react if rates go up", "undefined_figures"),
    ("worst day this year", "other_sessions"),
    ("portfolio vs bench YTD", "other_sessions"),
    ("whats a drawdown", "definitions"),
    ("explain value at risk", "definitions"),
    ("any news?", "causes"),
    ("what are the fees", "costs"),
    ("data ok?", "no_gap"),
    ("who is the CEO", "no_rule"),
    ("tell me a joke", "no_rule"),
]
"""Question and what its answer states as missing."""


@pytest.mark.parametrize(("text", "expected"), ANSWERED)
def test_a_newcomers_question_is_answered_by_the_right_claims(text: str, expected: str) -> None:
    claims = claims_of(SHEET)
    plan = answer_by_rules(text, claims, SHEET.aliases, PORTFOLIOS)
    told = plan.statements()
    assert plan.missing == []
    assert set(expected.split()) <= set(told), told
    # the title is that of a sentence in the answer, or none in particular
    headline = claims[plan.headline]
    stated = headline.form.states + headline.id.removeprefix(headline.form.id)
    assert plan.headline == "headline_answer" or stated in told
    assert realize_note(plan, claims, SHEET).summary


@pytest.mark.parametrize(("text", "expected"), MISSING)
def test_what_no_claim_answers_is_named_as_missing(text: str, expected: str) -> None:
    plan = answer_by_rules(text, claims_of(SHEET), SHEET.aliases, PORTFOLIOS)
    assert (plan.missing, plan.statements(), plan.headline) == ([expected], (), "")


def test_an_answer_about_a_position_tells_nothing_about_others() -> None:
    plan = answer_by_rules("what about Apple?", claims_of(SHEET), SHEET.aliases, PORTFOLIOS)
    subjects = {each.partition(":")[2] for each in plan.statements()}
    assert subjects == {"POS_02"}


def test_a_symbol_that_is_a_word_counts_in_capitals_only() -> None:
    aliases = {"POS_03": {"symbol": "SIZE"}, "POS_04": {"symbol": "GE"}}
    claims = claims_of(SHEET)
    assert answer_by_rules("What is the size of it?", claims, aliases).missing == ["no_rule"]
    assert answer_by_rules("What is the HHI in general?", claims, aliases).statements() == (
        "hhi_level",
    )

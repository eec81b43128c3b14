"""Hand-written sentences: misleading ones with correct figures, and plain true ones."""

from dataclasses import replace
from random import Random

import pytest

from riskmetrics.insights import verify
from riskmetrics.insights.fact_sheet import Sheet
from tests.insights.fact_sheets import DAY, sheet
from tests.insights.test_verify import changed

_FIGURES = {
    "beta": 1.25,
    "beta_threshold": 1.2,
    "provider_beta": 1.1,
    "beta_change": 0.04,
    "daily_pnl": -839.3,
    "cumulative_pnl": 1000.0,
    "volatility_21d": 0.2,
    "volatility_63d": 0.25,
    "expected_volatility": 0.22,
    "expected_high": 0.3,
    "hhi_change": -0.01,
    "scn_01_result": -0.5,
    "sec_01_active": 0.1,
    "sec_02_active": -0.1,
    "pos_01_weight": 0.12,
    "weight_threshold": 0.1,
    "volatility_21d_change": -0.02,
    "net_exposure": 50_000.0,
    "pos_01_share": 0.3,
    "pos_02_share": -0.1,
    "past_forecast": 0.3,
    "past_outcome": 0.2,
}

MISLEADING = """
The vendor beta of {{provider_beta}}, with the beta of {{beta}}, is above the beta threshold of \
{{beta_threshold}}.
The vendor beta is {{provider_beta}} and, with the beta of {{beta}}, is above the beta threshold \
of {{beta_threshold}}.
The vendor beta of {{provider_beta}} and the beta of {{beta}} are above the beta threshold of \
{{beta_threshold}}.
The beta is above the beta threshold of {{beta_threshold}}, the beta of own returns and the \
vendor beta of {{provider_beta}}.
The high end, {{expected_high}}, or the expected volatility, {{expected_volatility}}, is below \
the volatility over 63 sessions.
The beta is {{beta}} and, with the HHI of {{hhi}}, fell.
The HHI, {{hhi}}, and the beta rose.
POS_02 has the largest weight and {{pos_01_weight}} of POS_01, while POS_02 has a share of \
volatility of {{pos_02_share}}.
SCN_01 has the highest stress result, {{scn_01_result}}.
POS_01 has the worst weight, {{pos_01_weight}}.
The beta rose by {{beta_change.size}} from 2022-12-28.
The beta rose by {{beta_change.size}} against 2022-12-28.
The beta remains {{beta}}.
The portfolio lost in the session, and the result of the session is {{daily_pnl.size}}.
SEC_02 is underweight, with an active weight of {{sec_02_active.size}}.
In SCN_01 the portfolio would lose, with a stress result of {{scn_01_result.size}}.
The change in HHI is {{hhi_change.size}} and the HHI fell.
The three largest positions hold {{top_3}} of the equity of {{total_value}}.
The weight of POS_01 is {{pos_01_weight}} of gross value.
The result since entry is {{cumulative_pnl}} in the session.
The expected volatility is {{expected_volatility}} for the session.
The cash is ({{cash_value}}).
The beta of {{beta}} fits the plan.
The weight of POS_01, {{pos_01_weight}}, suits the investor.
The beta of {{beta}} is agreed with the owner.
Note: POS_01 fits the plan.
Check: POS_01 fits the plan.
Consider hedging POS_01.
Consider a hedge.
Look for a hedge.
Review a hedge.
Decide whether a hedge fits the plan.
Consider POS_02 for the portfolio.
Hold POS_01 at a weight of {{pos_01_weight}}.
The portfolio is to hold a cash of {{cash_value}}.
Portfolios have a beta of {{beta}}.
The benchmark of the plan has a beta of {{beta}}.
The expected volatility of {{expected_volatility}} rests on the volatility over 63 sessions of \
{{volatility_63d}}.
The portfolio lost {{daily_pnl.size}} from a net exposure of {{net_exposure}}.
The portfolio lost {{daily_pnl.size}} by a beta of {{beta}}.
According to a beta of {{beta}} the portfolio lost {{daily_pnl.size}}.
The beta was {{beta}}.
The beta was above the beta threshold.
The expected volatility was {{expected_volatility}}.
The result of the session was {{daily_pnl}}, and the beta was {{beta}}.
The beta was {{beta}} since the session before.
On 2022-12-27 the beta was {{beta}}.
On 2022-12-28 the stress result of SCN_01 was {{scn_01_result}}.
On 2022-12-28 the beta was the beta threshold of {{beta_threshold}}.
The forecast made 21 sessions before, {{past_forecast}}, was below the volatility that followed, \
{{past_outcome}}.
POS_02 accounts for {{pos_02_share.size}} of the portfolio's volatility.
POS_02 accounts for {{pos_01_share.size}} of the portfolio's volatility.
POS_01 accounts for {{pos_01_weight}} of the portfolio's volatility.
POS_01 accounts for {{pos_01_share.size}}.
POS_01 accounts for {{pos_01_share.size}} of gross value.
POS_01 and POS_02 account for {{pos_01_share.size}} of the portfolio's volatility.
The portfolio accounts for {{pos_01_share.size}} of the portfolio's volatility.
The beta of {{beta}} accounts for the volatility over 21 sessions of {{volatility_21d}}.
The three largest positions account for {{top_3}} of the portfolio's volatility.
The expected volatility ranges from {{expected_volatility}} to {{expected_high}}.
""".strip().splitlines()

MISLEADING_TITLES = [
    "Losses from POS_02",
    "Hedge by POS_01",
    "Risk: POS_02",
    "The portfolio at risk: POS_02",
    "Beta below the beta threshold",
    "Beta at the beta threshold",
    "Portfolio at risk",
    "Hedge against the market",
    "Value at risk beside the limit",
]

SAYING_NOTHING = [
    "Blue cows sing.",
    "With the portfolio in the figures.",
    "The portfolio is the portfolio.",
    "Here the portfolio is closely shown.",
    "The facts are stored, and the figures are computed.",
    "Review at.",
    "Discuss here.",
]
"""Sentences of the vocabulary without a fact."""

PLAIN = """
The beta, at {{beta}}, is above the beta threshold of {{beta_threshold}}.
At {{beta}}, the beta is above the beta threshold of {{beta_threshold}}.
The beta is {{beta}} and exceeds the beta threshold of {{beta_threshold}}.
The beta is {{beta}}, above the beta threshold of {{beta_threshold}}, with an r-squared of \
{{beta_r_squared}}.
The beta rose by {{beta_change.size}} in the session.
Since the session before, the beta rose by {{beta_change.size}}.
In the session the portfolio lost {{daily_pnl.size}}.
The portfolio's beta is {{beta}}.
POS_01's weight of {{pos_01_weight}} is above the single-name threshold of {{weight_threshold}}.
POS_01 is the largest position, with a weight of {{pos_01_weight}} and a share of volatility of \
{{pos_01_share}}.
The three largest positions hold {{top_3}} of gross value.
SEC_02 is underweight against the benchmark, with an active weight of {{sec_02_active}}.
In SCN_01 the portfolio would lose {{scn_01_result.size}}.
The portfolio is net long, with a net exposure of {{net_exposure}}.
Consider whether a beta of {{beta}} fits the plan.
Monitor the weight of POS_01 against the single-name threshold.
Compare the beta with the vendor beta.
Review the portfolio.
The forecast made 21 sessions before was {{past_forecast}}.
The forecast made 21 sessions before, {{past_forecast}}, was above the volatility that followed, \
{{past_outcome}}.
The result of the session was {{daily_pnl}}.
On 2022-12-28 the beta was {{beta}}.
On 2022-12-28 the portfolio was net long, with a net exposure of {{net_exposure}}.
POS_01 accounts for {{pos_01_share.size}} of the portfolio's volatility.
POS_01 accounts for {{pos_01_share.size}} of the portfolio’s volatility.
The three largest positions account for {{top_3}} of gross value.
SEC_01 accounts for a gross weight of {{sec_01_gross}}.
What the facts do not tell is not answered here.
""".strip().splitlines()


@pytest.fixture(scope="module")
def facts() -> Sheet:
    """A sheet with known signs and order of the figures."""
    found = changed(sheet(Random(7)), **_FIGURES)
    weights = {
        f"pos_0{n}_weight": replace(found.facts[f"pos_0{n}_weight"], rank=n) for n in range(1, 6)
    }
    return Sheet("p", DAY, found.facts | weights, found.aliases)


@pytest.mark.parametrize("text", MISLEADING)
def test_a_misleading_sentence_with_correct_figures_is_rejected(facts: Sheet, text: str) -> None:
    assert verify.text_violations(text, facts)


@pytest.mark.parametrize("text", MISLEADING_TITLES)
def test_a_title_with_a_statement_without_a_figure_is_rejected(facts: Sheet, text: str) -> None:
    assert verify.text_violations(text, facts, is_title=True)


@pytest.mark.parametrize("text", SAYING_NOTHING)
@pytest.mark.parametrize("title", [True, False])
def test_a_text_without_a_fact_is_rejected(facts: Sheet, text: str, title: bool) -> None:
    assert verify.text_violations(text.removesuffix("." * title), facts, is_title=title)


@pytest.mark.parametrize(
    "text",
    [
        "Daily summary",
        "Factor exposure: beta and rate beta",
        "Concentration of the portfolio",
        "Hedge",
    ],
)
def test_a_title_may_be_a_list_of_names(facts: Sheet, text: str) -> None:
    assert verify.text_violations(text, facts, is_title=True) == []


@pytest.mark.parametrize("text", PLAIN)
def test_a_plain_true_sentence_passes(facts: Sheet, text: str) -> None:
    assert verify.text_violations(text, facts) == []

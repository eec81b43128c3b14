"""Rules of results: the computed sample keeps all of them, and a wrong row breaks each."""

from collections.abc import Callable, Iterator
from datetime import date

import dagster as dg
import pytest
import sqlalchemy as sa

from riskmetrics.assets.result_checks import RESULT_CHECKS, ResultCheck
from riskmetrics.db.engine import create_engine
from riskmetrics.db.result_rules import RESULT_RULES, ResultRule, find_broken_rows
from riskmetrics.resources import Warehouse
from tests.conftest import open_connection
from tests.e2e.conftest import COMPUTED_DAY, ComputedSample

_OPTION = """
INSERT INTO position_option_exposures
    (position_id, day, portfolio_id, value, delta, gamma, vega, underlying_symbol,
     risk_free_rate, dividend_yield, linearized)
SELECT id, DATE '2022-12-28', portfolio_id, 1, {delta}, 0, 0, 'AAPL', 0, 0, false
FROM positions WHERE symbol = 'AAPL' LIMIT 1
"""

PLANTED = {
    ("position_betas", "regressions_in_range"): [
        ("UPDATE position_market_betas SET r_squared = 1.000001", False),
        ("UPDATE position_market_betas SET r_squared = 1, p_value = 0, std_error = 0", True),
        ("UPDATE position_market_betas SET std_error = -0.000001", False),
    ],
    ("interest_rate_betas", "regressions_in_range"): [
        ("UPDATE position_interest_rate_betas SET p_value = 1 + 1.1e-9", False),
        ("UPDATE position_interest_rate_betas SET p_value = 1 + 0.9e-9", True),
    ],
    ("symbol_factor_exposures", "regressions_in_range"): [
        ("UPDATE symbol_factor_exposures SET r_squared = -1.1e-9", False),
        ("UPDATE symbol_factor_exposures SET r_squared = -0.9e-9, std_error = 0", True),
    ],
    ("position_volatility", "bands_contain_forecast"): [
        ("UPDATE volatility_forecasts SET low = volatility_forecast + 1e-12", False),
        ("UPDATE volatility_forecasts SET low = volatility_forecast", True),
        ("UPDATE volatility_forecasts SET low = 0", False),
    ],
    ("position_volatility", "horizon_bands_contain_forecast"): [
        ("UPDATE volatility_horizon_forecasts SET high = volatility_forecast - 1e-12", False),
        ("UPDATE volatility_horizon_forecasts SET high = volatility_forecast", True),
    ],
    ("portfolio_values", "values_sum"): [
        ("UPDATE portfolio_snapshots SET cash_value = cash_value + 0.03", False),
        ("UPDATE portfolio_snapshots SET cash_value = cash_value + 0.02", True),
    ],
    ("portfolio_betas", "errors_ordered"): [
        ("UPDATE portfolio_decayed_betas SET forecast_std_error = std_error - 1e-12", False),
        ("UPDATE portfolio_decayed_betas SET forecast_std_error = std_error", True),
    ],
    ("portfolio_volatility", "bands_contain_forecast"): [
        ("UPDATE volatility_forecasts SET rise_probability = 1.1", False),
        ("UPDATE volatility_forecasts SET rise_probability = 1", True),
    ],
    ("portfolio_volatility", "horizon_bands_contain_forecast"): [
        ("UPDATE volatility_horizon_forecasts SET low = -low", False),
    ],
    ("sector_concentration", "concentration_in_range"): [
        ("UPDATE portfolio_snapshots SET hhi = 1.0001", False),
        ("UPDATE portfolio_snapshots SET hhi = 1, effective_num_positions = 1", True),
        ("UPDATE portfolio_snapshots SET top_3_concentration = top_10_concentration + 0.01", False),
    ],
    ("option_exposures", "sensitivities_in_range"): [
        (_OPTION.format(delta=-1.000001), False),
        (_OPTION.format(delta=-1), True),
    ],
    ("portfolio_rate_betas", "r_squared_in_range"): [
        ("UPDATE portfolio_rate_betas SET r_squared = 1.1", False),
    ],
    ("portfolio_tail_risk", "losses_ordered"): [
        ("UPDATE portfolio_tail_risk SET expected_shortfall = value_at_risk - 2e-12", False),
        ("UPDATE portfolio_tail_risk SET expected_shortfall = value_at_risk", True),
        (
            "UPDATE portfolio_tail_risk SET value_at_risk = 0, expected_shortfall = 1"
            " WHERE level = 0.99",
            False,
        ),
    ],
    ("portfolio_tail_risk", "values_at_risk_are_losses"): [
        ("UPDATE portfolio_tail_risk SET value_at_risk = -1e-12", False),
        ("UPDATE portfolio_tail_risk SET value_at_risk = 0", True),
    ],
    ("risk_contributions", "contributions_sum"): [
        ("UPDATE portfolio_ex_ante_volatility SET volatility = volatility + 1.1e-9", False),
        ("UPDATE portfolio_ex_ante_volatility SET volatility = volatility + 0.9e-9", True),
        ("UPDATE portfolio_ex_ante_volatility SET volatility = NULL", True),
        ("UPDATE portfolio_risk_contributions SET component = NULL", False),
        ("DELETE FROM portfolio_risk_contributions", False),
    ],
    ("risk_contributions", "decayed_contributions_sum"): [
        (
            "UPDATE portfolio_risk_contributions SET decayed_component = 0 WHERE symbol = 'AAPL'",
            False,
        ),
        ("UPDATE portfolio_risk_contributions SET decayed_component = NULL", False),
        ("DELETE FROM portfolio_risk_contributions", False),
    ],
    ("risk_contributions", "active_sector_shares_sum"): [
        ("UPDATE portfolio_active_sectors SET sector_share = -sector_share", False),
        ("UPDATE portfolio_active_sectors SET sector_share = NULL", False),
        ("DELETE FROM portfolio_active_sectors", False),
    ],
    ("correlations", "correlations_in_range"): [
        ("UPDATE portfolio_correlations SET correlation = -1.0001", False),
        ("UPDATE portfolio_correlations SET correlation = -1", True),
    ],
    ("portfolio_factor_exposures", "factor_shares_sum"): [
        ("DELETE FROM portfolio_factor_risk WHERE factor = 'market'", False),
        ("UPDATE portfolio_factor_risk SET share = NULL", False),
        ("DELETE FROM portfolio_factor_risk", False),
    ],
    ("portfolio_market_regressions", "regressions_in_range"): [
        ("UPDATE portfolio_market_regressions SET specific_volatility = -0.1", False),
        ("UPDATE portfolio_market_regressions SET specific_volatility = 0", True),
    ],
    ("portfolio_active_risk", "tracking_error_in_range"): [
        ("UPDATE portfolio_active_risk SET tracking_error = -0.1", False),
        ("UPDATE portfolio_active_risk SET tracking_error = 0", True),
    ],
    ("portfolio_expected_active_risk", "tracking_error_in_range"): [
        ("UPDATE portfolio_expected_active_risk SET market_share = 1.1", False),
        ("UPDATE portfolio_expected_active_risk SET market_share = 1", True),
    ],
    ("portfolio_drawdowns", "drawdowns_ordered"): [
        ("UPDATE portfolio_drawdowns SET current_drawdown = max_drawdown + 1e-12", False),
        ("UPDATE portfolio_drawdowns SET current_drawdown = max_drawdown", True),
    ],
    ("portfolio_performance", "return_in_range"): [
        ("UPDATE portfolio_performance SET annual_return = -1.0001", False),
        ("UPDATE portfolio_performance SET annual_return = -1", True),
    ],
    ("portfolio_return_distribution", "shares_in_range"): [
        ("UPDATE portfolio_return_distribution SET omega_ratio = -0.01", False),
        ("UPDATE portfolio_return_distribution SET omega_ratio = 0, win_rate = 1", True),
    ],
    ("portfolio_underwater", "drawdowns_ordered"): [
        ("UPDATE portfolio_underwater SET average_drawdown = ulcer_index + 1e-8", False),
        ("UPDATE portfolio_underwater SET average_drawdown = ulcer_index", True),
    ],
    ("portfolio_alpha", "correlation_in_range"): [
        ("UPDATE portfolio_alpha SET market_correlation = -1.0001", False),
        ("UPDATE portfolio_alpha SET market_correlation = -1", True),
    ],
    ("liquidity", "sales_ordered"): [
        ("UPDATE portfolio_liquidity SET sold_in_1d = 1, sold_in_5d = 0.9", False),
        (
            "UPDATE portfolio_liquidity SET sold_in_1d = 1, sold_in_5d = 1, sold_in_20d = 1",
            True,
        ),
    ],
    ("stress_tests", "stress_in_range"): [
        ("UPDATE portfolio_stress SET loss_margin = -0.1", False),
        ("UPDATE portfolio_stress SET loss_margin = 0, coverage = 1", True),
    ],
}
"""For each rule changes of the sample's results, and whether it still holds after each."""


@pytest.fixture(scope="module")
def results(
    computed_template: ComputedSample, create_database: Callable[..., str]
) -> Iterator[sa.Connection]:
    """Yield a connection to a copy of the computed sample."""
    engine = create_engine(create_database(sa.make_url(computed_template.url).database))
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.fixture
def warehouse(computed_sample: str) -> Iterator[Warehouse]:
    """Yield the warehouse of the computed sample, whose URL the settings have."""
    with dg.build_resources({"warehouse": Warehouse()}) as resources:
        yield resources.warehouse


def evaluate(check: ResultCheck, warehouse: Warehouse) -> dg.AssetCheckResult:
    """Evaluate a check of the results of COMPUTED_DAY."""
    with dg.DagsterInstance.ephemeral() as instance:
        return check.evaluate(warehouse, [COMPUTED_DAY], instance)


@pytest.mark.parametrize("rule", RESULT_RULES, ids=lambda rule: f"{rule.asset}:{rule.name}")
def test_the_sample_keeps_every_rule_and_a_wrong_row_breaks_it(
    results: sa.Connection, rule: ResultRule
) -> None:
    n_rows, n_broken, _ = find_broken_rows(results, rule, [COMPUTED_DAY])
    assert n_rows > 0 or rule.asset == "option_exposures"
    assert n_broken == 0
    for change, still_holds in PLANTED[rule.asset, rule.name]:
        with results.begin_nested() as planted:
            results.execute(sa.text(change))
            _, n_broken, broken = find_broken_rows(results, rule, [COMPUTED_DAY])
            assert (n_broken == 0) is still_holds, change
            assert len(broken) == min(n_broken, 20)
            assert set(rule.columns) <= set(broken.columns)
            assert find_broken_rows(results, rule, [date(2022, 12, 27)])[1] == 0
            planted.rollback()


def test_a_broken_rule_is_a_failed_check_that_shows_the_row(
    computed_sample: str, warehouse: Warehouse
) -> None:
    with open_connection(computed_sample) as connection:
        connection.execute(
            sa.text(
                "UPDATE portfolio_risk_contributions SET component = component + 1"
                " WHERE symbol = 'RRC'"
            )
        )
    (check,) = (each for each in RESULT_CHECKS if each.name == "contributions_sum")
    result = evaluate(check, warehouse)
    assert not result.passed
    assert result.severity is dg.AssetCheckSeverity.ERROR
    assert result.description == (
        "1 of 3 rows break the rule: Contributions sum to the ex-ante volatility of their"
        " portfolio."
    )
    assert "Long-Short" in str(result.metadata["preview"].value)


def test_a_forecast_without_outcome_is_found(computed_sample: str, warehouse: Warehouse) -> None:
    (check,) = (each for each in RESULT_CHECKS if each.name == "outcomes_present")
    assert evaluate(check, warehouse).metadata["forecasts_checked"].value == 0
    with open_connection(computed_sample) as connection:
        made = sa.text("UPDATE volatility_forecasts SET day = '2022-11-28' WHERE subject = 'AMD'")
        connection.execute(made)
    result = evaluate(check, warehouse)
    assert not result.passed
    assert result.description.startswith("1 of 1 forecasts that complete have no outcome")
    assert "AMD" in str(result.metadata["preview"].value)

"""What notes remember of the last sessions: a level is stated once, not on every other day."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from riskmetrics.insights import novelty
from riskmetrics.insights.claims import claims_of, remember_claims
from riskmetrics.insights.fact_sheet import Sheet
from riskmetrics.insights.plan import plan_by_rules
from tests.insights.fact_sheets import build_sheet

Facts = Mapping[str, float | str]

QUIET: Facts = {"volatility_21d": 0.2, "volatility_percentile": 0.5}
HIGH: Facts = {"volatility_21d": 0.3, "volatility_percentile": 0.86}
HEAVY: Facts = {"pos_01_weight": 0.4, "pos_01_share": 0.6}
ACTIVE: Facts = {"tracking_error": 0.05, "expected_tracking_error": 0.08}


def _after(facts: Facts, days: Sequence[Facts]) -> Sheet:
    """Return the sheet of a session after some others, the last of which comes first."""
    before, *earlier = (remember_claims(build_sheet(each)) for each in days)
    return replace(build_sheet(facts), before=before, earlier=tuple(earlier))


def _is_new(form_id: str, facts: Facts, days: Sequence[Facts]) -> bool:
    return claims_of(_after(facts, days))[form_id].is_new


@pytest.mark.parametrize(
    ("form_id", "facts", "other"),
    [
        ("volatility_high", HIGH, QUIET),
        ("position_dominates:POS_01", HEAVY, {"pos_01_weight": 0.4, "pos_01_share": 0.4}),
        ("tracking_error_rises", ACTIVE, ACTIVE | {"expected_tracking_error": 0.05}),
    ],
)
def test_a_level_is_new_again_after_five_sessions_without_it(
    form_id: str, facts: Facts, other: Facts
) -> None:
    for away in range(7):
        days = [*[other] * away, facts, *[other] * 10][: novelty.SESSIONS]
        assert _is_new(form_id, facts, days) == (away >= 5), away


def test_a_share_that_rose_above_all_that_are_remembered_is_new() -> None:
    """By more than a tenth of the largest, 66% of the volatility, which was two sessions ago."""
    days = [HEAVY, HEAVY | {"pos_01_share": 0.66}, HEAVY, HEAVY, HEAVY]
    for share, is_new in ((0.70, False), (0.725, False), (0.727, True)):
        now = HEAVY | {"pos_01_share": share}
        assert _is_new("position_dominates:POS_01", now, days) == is_new


def test_two_values_in_turn_are_stated_once_each() -> None:
    """A beta over 21 sessions, which is not new if it is within a tenth of a remembered one."""
    one: Facts = {"beta": 1.0, "beta_change_21d": 0.2}
    other: Facts = {"beta": 1.3, "beta_change_21d": 0.4}
    assert _is_new("beta_rose_21d", one, [other, other, other, other, other])
    assert not _is_new("beta_rose_21d", one, [other, one, other, one, other])


def test_a_card_on_concentration_is_not_made_on_every_other_day() -> None:
    away: Facts = {"pos_01_weight": 0.4, "pos_01_share": 0.4}
    days = [away, HEAVY, away, HEAVY, away]
    first = plan_by_rules(claims_of(_after(HEAVY, [away] * 5)), "concentration_risk")
    assert first is not None
    assert "position_dominates:POS_01" in first.statements()
    assert plan_by_rules(claims_of(_after(HEAVY, days)), "concentration_risk") is None


def test_what_is_remembered_is_part_of_the_digest() -> None:
    found = {_after(HIGH, [QUIET] * 4 + [last]).digest for last in (QUIET, HIGH)}
    assert len(found) == 2

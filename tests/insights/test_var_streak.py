"""For how many sessions the test of the value at risk has been failing."""

from functools import partial

import pandas as pd
import pytest

from riskmetrics.insights.facts import make_fact
from riskmetrics.insights.history_facts import History, tail_facts
from tests.insights.fact_sheets import DAY, KEY

DAYS = pd.bdate_range(end=DAY, periods=5)


@pytest.mark.parametrize(
    ("p_values", "expected"),
    [
        ((0.2, 0.2, 0.005, 0.009, 0.001), 3),
        ((0.2, 0.2, 0.2, 0.2, 0.009), 1),
        ((0.001, 0.01, 0.009, 0.009, 0.009), 3),  # one at the level does not fail
        ((0.001,) * 5, None),  # longer than is known
        ((0.2, None, 0.001, 0.001, 0.001), None),  # a session without a test between
        ((0.001, 0.001, 0.001, 0.001, 0.2), None),
    ],
)
def test_sessions_are_counted_since_the_last_one_that_passed(p_values, expected) -> None:
    tests = {
        day.date(): value for day, value in zip(DAYS, p_values, strict=True) if value is not None
    }
    history = History(pd.DataFrame(index=DAYS), tests=tests)
    make = partial(make_fact, as_of=DAY, key=KEY)
    found = {fact.id: fact.value for fact in tail_facts(make, make, [], [], [], history)}
    assert found == ({} if expected is None else {"var_failing_sessions": expected})

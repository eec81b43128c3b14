"""Limits are shown with the decimals that they were set with, and zero without a sign."""

import pytest

from riskmetrics.insights.slots import apart_from_limit
from riskmetrics.present.limit_texts import decimals_as_set, format_value_and_limit


@pytest.mark.parametrize(
    ("limit", "percent", "number"),
    [
        (0.25, 0, 2),
        (0.0185, 2, 4),
        (0.125, 1, 3),
        (0.07, 0, 2),  # 7.000000000000001 times 100
        (0.1 + 0.2, 0, 1),
        (2.0, 0, 0),
        (150.0, 0, 0),
        (0.00125, 3, 5),
    ],
)
def test_the_decimals_of_a_limit_are_those_that_it_was_set_with(
    limit: float, percent: int, number: int
) -> None:
    assert decimals_as_set(limit, is_percent=True) == percent
    assert decimals_as_set(limit, is_percent=False) == number
    shown = apart_from_limit("percent", limit, 2 * limit)[0].show()
    table = format_value_and_limit("single_name", 2 * limit, limit).limit
    assert float(shown.rstrip("%").replace(",", "")) == float(table.rstrip("%"))


@pytest.mark.parametrize(
    ("name", "value", "limit", "texts"),
    [
        ("beta", -0.004, 1.2, ("0.00", "1.20", "+1.20")),
        ("single_name", -0.0004, 0.25, ("0.0%", "25.0%", "+25.0 pp")),
        ("single_name", -0.0006, 0.25, ("−0.1%", "25.0%", "+25.1 pp")),
        ("single_name", -0.0004, 0.0, ("−0.04%", "0.00%", "+0.04 pp")),
        ("beta", -1.5, 1.2, ("−1.50", "1.20", "+2.70")),
    ],
)
def test_a_value_that_is_shown_as_zero_has_no_sign(
    name: str, value: float, limit: float, texts: tuple[str, str, str]
) -> None:
    assert format_value_and_limit(name, value, limit) == texts

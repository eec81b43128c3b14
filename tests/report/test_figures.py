"""Figures as text, by hand."""

from collections.abc import Callable

import pytest

from riskmetrics.report import figures


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        (figures.money, 999.99, "999.99"),
        (figures.money, -1234567.5, "−1,234,568"),
        (figures.money, -0.001, "0.00"),
        (figures.percent, -0.0004, "0.0%"),
        (figures.percent, 0.12345, "12.3%"),
        (figures.signed_percent, 0.0123, "+1.2%"),
        (figures.signed_percent, -0.0123, "−1.2%"),
        (figures.signed_percent, 0.0004, "0.0%"),
        (figures.signed_money, 839.3, "+839.30"),
        (figures.two_decimals, -0.126, "−0.13"),
        (figures.quantity, -0.25, "−0.25"),
        (figures.quantity, 12000.0, "12,000"),
        (figures.p_value, 4.9e-7, "< 1e-6"),
        (figures.p_value, 0.000001, "0.000001"),
    ],
)
def test_a_figure_is_written_for_people(form: Callable[[float], str], value: float, text: str) -> None:
    assert form(value) == text

"""Formatted figures against hand-written text."""

from collections.abc import Callable

import pytest

from riskmetrics.present import formatting


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        (formatting.money, 999.99, "999.99"),
        (formatting.money, -1234567.5, "−1,234,568"),
        (formatting.money, -0.001, "0.00"),
        (formatting.amount, 999.5, "1,000"),
        (formatting.amount, -839.3, "−839"),
        (formatting.amount, -0.4, "0"),
        (formatting.percent, -0.0004, "0.0%"),
        (formatting.percent, 0.12345, "12.3%"),
        (formatting.signed_percent, 0.0123, "+1.2%"),
        (formatting.signed_percent, -0.0123, "−1.2%"),
        (formatting.signed_percent, 0.0004, "0.0%"),
        (formatting.signed_money, 839.3, "+839.30"),
        (formatting.two_decimals, -0.126, "−0.13"),
        (formatting.signed_amount, 839.3, "+839"),
        (formatting.signed_amount, 0.4, "0"),
        (formatting.quantity, -0.25, "−0.25"),
        (formatting.quantity, 12000.0, "12,000"),
        (formatting.p_value, 0.00049, "< 0.001"),
        (formatting.p_value, 0.0005, "0.001"),
        (formatting.p_value, 0.048, "0.048"),
        (formatting.sessions, 0.0049, "< 0.01"),
        (formatting.sessions, 0.0051, "0.01"),
        (formatting.sessions, 0.0, "0.00"),
    ],
)
def test_a_figure_is_formatted(form: Callable[[float], str], value: float, text: str) -> None:
    assert form(value) == text


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        (
            "equity at the start of the day was -1234567.89 at a gross exposure of 2345.60",
            "equity at the start of the day was −1,234,567.89 at a gross exposure of 2,345.60",
        ),
        (
            "-1.23e+05 exceeds its column, NUMERIC(10, 4)",
            "−1.23e+05 exceeds its column, NUMERIC(10, 4)",
        ),
        (
            "no close on 2022-12-28 of BRK-B, BF-2 or 0700-HK",
            "no close on 2022-12-28 of BRK-B, BF-2 or 0700-HK",
        ),
        ("adj_close moves by -54% and back in 2022", "adj_close moves by −54% and back in 2022"),
        ("12345 of 1,234,567 (0.12345)", "12,345 of 1,234,567 (0.12345)"),
    ],
)
def test_a_stored_text_is_shown_with_the_signs_of_others(stored: str, shown: str) -> None:
    assert formatting.stored_text(stored) == shown


def test_evidence_names_its_subject_and_states_each_window_once() -> None:
    beta = {"what": "beta", "value": "1.55", "window": "90 sessions"}
    past = {
        "what": "volatility over 21 sessions",
        "value": "34.0%",
        "window": "21 sessions",
        "quality": "in sample",
    }
    weight = {"what": "weight", "of": "AMD", "value": "59.8%"}
    expected = (
        "beta 1.55 (90 sessions); volatility over 21 sessions 34.0% (in sample); weight of AMD"
        " 59.8%"
    )
    assert formatting.evidence([beta, past, weight]) == expected

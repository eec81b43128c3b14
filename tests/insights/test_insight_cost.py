"""Prices of tokens against hand calculations from the vendor's price list."""

import logging
from datetime import date
from decimal import Decimal

import pytest
from anthropic.resources.messages.messages import DEPRECATED_MODELS

from riskmetrics.insights import cost
from riskmetrics.insights.cost import Price, Tokens

DAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("model", "tokens", "usd"),
    [
        ("claude-haiku-5-5", Tokens(2000, 6000), "0.0016"),
        ("claude-haiku-5-5-20261001", Tokens(2000, 6000), "0.0016"),
        ("claude-haiku-5-5", Tokens(0, 100_000), "0.01"),
        (
            "claude-haiku-5-5",
            Tokens(0, 99_999, 1, 1),
            "0.050000175",
        ),  # the first token over the tier makes all of them dear
        ("claude-sonnet-5-5", Tokens(1_000_000, 1_000_000), "12"),
        ("claude-opus-5-5", Tokens(0, 0, 1000, 1000), "0.0054"),
        ("claude-haiku-5-5", Tokens(1, 0), "0.000001"),  # half a millionth, rounded
        ("claude-haiku-5-5", Tokens(), "0"),
    ],
)
def test_a_price_is_tokens_times_their_rates(model, tokens, usd):
    expected = Decimal(usd).quantize(Decimal("0.000001"), "ROUND_HALF_UP")
    assert cost.price(model, tokens, DAY) == expected


def test_a_batch_costs_half():
    assert cost.price("claude-haiku-5-5", Tokens(2000, 6000), DAY, batch=True) == Decimal("0.0008")


@pytest.mark.parametrize(
    ("model", "day"),
    [
        ("claude-nobody-9", DAY),
        ("claude-haiku-5-5-latest", DAY),
        ("claude-haiku-5-5", date(2026, 10, 31)),
    ],
)
def test_an_unknown_price_is_undefined_and_logged_once(model, day, caplog):
    cost._warn_unknown_rates.cache_clear()
    with caplog.at_level(logging.WARNING):
        assert [cost.price(model, Tokens(1, 1), day) for _ in range(3)] == [None] * 3
    assert caplog.text.count(f"no rates for {model} on {day}") == 1


def test_an_estimate_is_a_guess_and_a_bound():
    """By hand, USD per million: 2,000 * 0.10 + 1,000 * 0.50, or 8,000 * 0.125 + 2,000 * 0.50."""
    assert cost.estimate("claude-haiku-5-5", 8000, 2000, DAY) == Price(
        Decimal("0.0007"), Decimal("0.0020")
    )
    assert cost.estimate("claude-nobody-9", 8000, 2000, DAY) is None


def test_every_day_in_the_vendors_table_is_read():
    """Each as strftime writes it, but for the ending of the day's number."""
    for model, announced in DEPRECATED_MODELS.items():
        day = cost.end_of_life(model)
        assert day is not None
        month, number, year = announced.split()
        assert (f"{day:%B}", f"{day.day}", f"{day.year}") == (month, number[:-3], year)
    assert cost.end_of_life("claude-haiku-5-5") is None

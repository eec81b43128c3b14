"""Cost of model calls, from the vendor's dated rates in `rates.yaml`."""

import logging
import re
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import yaml
from pydantic import BaseModel, TypeAdapter

PROVIDER = "anthropic"
"""Vendor of the models; value of `provider` in their insights."""

_LOG = logging.getLogger(__name__)
_MILLION = 1_000_000
_SIX_PLACES = Decimal("0.000001")


class Tokens(NamedTuple):
    """Tokens of a call by class; the prompt is the sum of the last three."""

    output: int = 0
    input: int = 0
    cache_write: int = 0
    cache_read: int = 0

    @property
    def prompt(self) -> int:
        """Prompt tokens, cached or not."""
        return self.input + self.cache_write + self.cache_read


class Rate(BaseModel):
    """USD per million tokens of a model from a day on, for prompts above ``over_prompt_tokens``."""

    model: str
    effective_from: date
    over_prompt_tokens: int
    input: Decimal
    output: Decimal
    cache_write: Decimal
    cache_read: Decimal
    source: str


class Price(NamedTuple):
    """Expected and maximum cost of a prompt, in USD."""

    expected: Decimal
    maximum: Decimal


def price(model: str, tokens: Tokens, day: date, *, batch: bool = False) -> Decimal | None:
    """Return the cost of ``tokens`` on ``day`` in USD, to six decimals.

    Returns
    -------
    Decimal or None
        None, with a warning, if the rates of the model on that day are unknown.
    """
    rate = _find_rate(model, tokens.prompt, day)
    if rate is None:
        return None
    millionths = (
        tokens.output * rate.output
        + tokens.input * rate.input
        + tokens.cache_write * rate.cache_write
        + tokens.cache_read * rate.cache_read
    )
    share = _load_rates()[1] if batch else 1
    return (millionths * share / _MILLION).quantize(_SIX_PLACES, ROUND_HALF_UP)


def estimate(
    model: str, prompt_bytes: int, max_tokens: int, day: date, *, batch: bool = False
) -> Price | None:
    """Return the estimated price of a call; None if the rates are unknown.

    Expected: four bytes per token, and an answer of half the maximum length. Maximum: one byte per
    token, all of them written to the vendor's cache, an answer of the maximum length, and the most
    expensive tier that the prompt may reach.
    """
    expected = price(
        model, Tokens(output=max_tokens // 2, input=prompt_bytes // 4), day, batch=batch
    )
    maximum = price(model, Tokens(output=max_tokens, cache_write=prompt_bytes), day, batch=batch)
    return None if expected is None or maximum is None else Price(expected, maximum)


def rated_models(day: date) -> list[str]:
    """Return the models whose rates on ``day`` are known, cheapest first."""
    rates = sorted(
        (rate for rate in _load_rates()[0] if rate.effective_from <= day),
        key=lambda rate: (rate.output, rate.model),
    )
    return list(dict.fromkeys(rate.model for rate in rates))


def unknown_rates_problem(model: str, day: date) -> str:
    """Return why a model without rates is not called, and which models have rates."""
    return (
        f"the rates of {model} on {day} are unknown, so that its cost has no bound; choose one of"
        f" {', '.join(rated_models(day))} with RISKMETRICS_AI_MODEL"
    )


def end_of_life(model: str) -> date | None:
    """Return the day on which a model is retired, from the SDK's table; None if not announced."""
    from anthropic.resources.messages.messages import DEPRECATED_MODELS

    announced = DEPRECATED_MODELS.get(model)
    if announced is None:
        return None
    return datetime.strptime(re.sub(r"(?<=\d)(st|nd|rd|th)", "", announced), "%B %d, %Y").date()  # noqa: DTZ007  # a day


def has_rates(model: str, day: date) -> bool:
    """Return whether the rates of a model on ``day`` are known."""
    return bool(_rates_in_force(model, day))


def _rates_in_force(model: str, day: date) -> list[Rate]:
    return [
        rate
        for rate in _load_rates()[0]
        if re.fullmatch(re.escape(rate.model) + r"(-\d{8})?", model) and rate.effective_from <= day
    ]


def _find_rate(model: str, prompt_tokens: int, day: date) -> Rate | None:
    """Return the rate in force: latest date, then the highest tier that the prompt exceeds."""
    candidates = [
        rate
        for rate in _rates_in_force(model, day)
        if rate.over_prompt_tokens < max(prompt_tokens, 1)
    ]
    if not candidates:
        _warn_unknown_rates(model, day)
        return None
    return max(candidates, key=lambda rate: (rate.effective_from, rate.over_prompt_tokens))


@cache
def _load_rates() -> tuple[list[Rate], Decimal]:
    """Return the rates, and the share of them that a batch costs."""
    read = yaml.safe_load((files(__package__) / "rates.yaml").read_text(encoding="utf-8"))
    return TypeAdapter(list[Rate]).validate_python(read["rates"]), Decimal(read["batch_share"])


@cache
def _warn_unknown_rates(model: str, day: date) -> None:
    """Log a warning once per process."""
    _LOG.warning(
        "no rates for %s on %s in rates.yaml: the cost is undefined, and the model is not called",
        model,
        day,
    )

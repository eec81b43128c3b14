"""What calls to a model cost, by the vendor's dated rates in `rates.yaml`."""

import logging
import re
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from importlib.resources import files
from typing import NamedTuple

import yaml
from pydantic import BaseModel, TypeAdapter

PROVIDER = "anthropic"
"""Whose models these are; what `provider` of their insights says."""

_LOG = logging.getLogger(__name__)
_MILLION = 1_000_000
_SIX_PLACES = Decimal("0.000001")


class Tokens(NamedTuple):
    """How many of each class a call used; the prompt is the sum of the last three."""

    output: int = 0
    input: int = 0
    cache_write: int = 0
    cache_read: int = 0

    @property
    def prompt(self) -> int:
        """All that was read, from the vendor's cache or not."""
        return self.input + self.cache_write + self.cache_read


class Rate(BaseModel):
    """USD per million tokens of one model from a day on, for prompts longer than ``over_prompt_tokens``."""

    model: str
    effective_from: date
    over_prompt_tokens: int
    input: Decimal
    output: Decimal
    cache_write: Decimal
    cache_read: Decimal
    source: str


class Price(NamedTuple):
    """What a prompt is likely to cost, and the most that it can, in USD."""

    expected: Decimal
    maximum: Decimal


def price(model: str, tokens: Tokens, day: date, *, batch: bool = False) -> Decimal | None:
    """USD that ``tokens`` cost on ``day``, to six places.

    Returns
    -------
    Decimal or None
        None, with a warning: the model, or its rates on that day, are not known.
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
    """What a call will cost before it is made; None as for `price`.

    A token is four bytes of English or so and at least one byte, and an answer half as long as it
    may be: the first is what to expect, the second a bound. A bound of the prompt is priced by the
    dearest tier that it may reach.
    """
    expected = price(
        model, Tokens(output=max_tokens // 2, input=prompt_bytes // 4), day, batch=batch
    )
    maximum = price(model, Tokens(output=max_tokens, input=prompt_bytes), day, batch=batch)
    return None if expected is None or maximum is None else Price(expected, maximum)


def _find_rate(model: str, prompt_tokens: int, day: date) -> Rate | None:
    """The rates in force: of the latest day, and there of the longest prompts that are shorter than this one."""
    candidates = [
        rate
        for rate in _load_rates()[0]
        if re.fullmatch(re.escape(rate.model) + r"(-\d{8})?", model)
        and rate.effective_from <= day
        and rate.over_prompt_tokens < max(prompt_tokens, 1)
    ]
    if not candidates:
        _warn_unknown_rates(model, day)
        return None
    return max(candidates, key=lambda rate: (rate.effective_from, rate.over_prompt_tokens))


@cache
def _load_rates() -> tuple[list[Rate], Decimal]:
    """The rates, and the share of them that a batch costs."""
    read = yaml.safe_load((files(__package__) / "rates.yaml").read_text(encoding="utf-8"))
    return TypeAdapter(list[Rate]).validate_python(read["rates"]), Decimal(read["batch_share"])


@cache
def _warn_unknown_rates(model: str, day: date) -> None:
    """Say it once a process."""
    _LOG.warning(
        "the rates of %s on %s are not known: what it costs is left undefined, and caps count the"
        " most that an insight may cost",
        model,
        day,
    )

"""Figures as text: how many decimals, which separators, and a true minus sign; and places on the axis of a bar."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import NamedTuple

NEXT_WINDOW_STD_ERRORS = 1.4
"""Standard errors by which the betas of two windows differ if nothing but the sample changes: the root of 2, rounded.

Real betas differ by more (`benchmarks.beta_skill`)."""

IN_SAMPLE_NOTE = (
    "the model was fitted on data that reach past this day, so the forecast may look better than"
    " it was"
)
"""What it means that a forecast is in sample."""


def money(value: float) -> str:
    """An amount without cents from 1,000 on."""
    return _with_true_minus(f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.2f}")


def percent(value: float) -> str:
    """A fraction as a percentage with one decimal."""
    return _with_true_minus(f"{value * 100:.1f}") + "%"


def signed_money(value: float) -> str:
    """A gain or a loss."""
    return _with_plus(money(value))


def signed_percent(value: float) -> str:
    """A return or an active weight."""
    return _with_plus(percent(value))


def one_decimal(value: float) -> str:
    """An expected number."""
    return _with_true_minus(f"{value:.1f}")


def two_decimals(value: float) -> str:
    """A beta, a standard error, an R² or an effective number."""
    return _with_true_minus(f"{value:.2f}")


def four_decimals(value: float) -> str:
    """A Herfindahl-Hirschman index, or a small sensitivity of an option."""
    return _with_true_minus(f"{value:.4f}")


def p_value(value: float) -> str:
    """A p-value as far as the six stored decimals tell it, never 0."""
    return "< 1e-6" if value < 5e-7 else f"{value:.6f}"


def level(value: float) -> str:
    """A confidence level: 95 %, 97.5 %."""
    return f"{value * 100:g}%"


def count(value: float) -> str:
    """A whole number."""
    return f"{value:,.0f}"


def quantity(value: float) -> str:
    """Shares or contracts: whole, or with up to ten decimals."""
    text = f"{value:,.10f}".rstrip("0").rstrip(".")
    return _with_true_minus(text)


def day(value: date) -> str:
    """A day as 2024-12-06."""
    return f"{value:%Y-%m-%d}"


def evidence(facts: Iterable[Mapping[str, str]]) -> str:
    """The facts that a finding of an insight rests on, on one line; a window that stands in the name is not said again."""
    return "; ".join(_format_fact(fact) for fact in facts)


class Axis(NamedTuple):
    """A linear axis that a bar is drawn on, from 0 to 100."""

    low: float
    high: float

    @classmethod
    def spanning(cls, values: Iterable[float | None]) -> "Axis":
        """Return the axis that holds zero and every value that is not None."""
        known = [0.0, *(value for value in values if value is not None)]
        low, high = min(known), max(known)
        return cls(low, high if high > low else low + 1.0)

    def position(self, value: float) -> float:
        """Where a value stands on the axis."""
        return round(100.0 * (value - self.low) / (self.high - self.low), 2)


def _format_fact(fact: Mapping[str, str]) -> str:
    qualifiers = [
        fact[name]
        for name in ("window", "quality")
        if name in fact and fact[name] not in fact["what"]
    ]
    entity, remarks = (f" of {fact['of']}" if "of" in fact else ""), ", ".join(qualifiers)
    return f"{fact['what']}{entity} {fact['value']}" + (f" ({remarks})" if remarks else "")


def _with_true_minus(text: str) -> str:
    """Use the true minus sign, and none on what is shown as zero."""
    return text.replace("-", "−" if _is_shown_nonzero(text) else "")


def _with_plus(text: str) -> str:
    return f"+{text}" if not text.startswith("−") and _is_shown_nonzero(text) else text


def _is_shown_nonzero(text: str) -> bool:
    return any(digit in text for digit in "123456789")

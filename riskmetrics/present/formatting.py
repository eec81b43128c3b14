"""Format figures as text: decimals, separators and minus sign."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

IN_SAMPLE_NOTE = (
    "the model was fitted on data after this day, so the forecast may look better than it was"
)
"""Meaning of an in-sample forecast."""


_ASCII_MINUS = re.compile(r"(?<![\w.-])-(?=\d)")
"""A minus sign, and no hyphen in a date, a name or an exponent."""
_UNGROUPED_NUMBER = re.compile(r"(?<![\w.,:/-])(?:[1-9]\d{4,}|[1-9]\d{3}(?=\.\d))(?![\w:/-])")
_NONZERO_DIGITS = frozenset("123456789")
_ORDINAL_SUFFIXES = {1: "st", 2: "nd", 3: "rd"}


def money(value: float) -> str:
    """Format an amount in a sentence of its own; no decimals from 1,000."""
    return with_true_minus(f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.2f}")


def amount(value: float) -> str:
    """Format an amount in whole units, as all amounts of a table or a page are."""
    return fixed_point(value, 0)


def percent(value: float) -> str:
    """Format a fraction as a percentage with one decimal."""
    return with_true_minus(f"{value * 100:.1f}") + "%"


def signed_money(value: float) -> str:
    """Format a gain or loss with its sign, as `money`."""
    return _with_plus(money(value))


def signed_amount(value: float) -> str:
    """Format a gain or loss with its sign, in whole units."""
    return _with_plus(amount(value))


def signed_percent(value: float) -> str:
    """Format a return or an active weight with its sign."""
    return _with_plus(percent(value))


def loss(value: float) -> str:
    """Format a loss, which is stored as a positive fraction, as the return that it is."""
    return signed_percent(-value)


def loss_amount(value: float) -> str:
    """Format a loss, which is stored as a positive amount, as the gain or loss that it is."""
    return signed_amount(-value)


def one_decimal(value: float) -> str:
    """Format an expected number with one decimal."""
    return with_true_minus(f"{value:.1f}")


def two_decimals(value: float) -> str:
    """Format a beta, standard error, R² or effective number with two decimals."""
    return with_true_minus(f"{value:.2f}")


def four_decimals(value: float) -> str:
    """Format a Herfindahl-Hirschman index or a small option sensitivity with four decimals."""
    return with_true_minus(f"{value:.4f}")


def p_value(value: float) -> str:
    """Format a p-value with three decimals, never as 0."""
    return "< 0.001" if value < 0.0005 else f"{value:.3f}"


def sessions(value: float) -> str:
    """Format a time in sessions with two decimals, never a positive one as 0."""
    return "< 0.01" if 0 < value < 0.005 else two_decimals(value)


def fixed_point(value: float | Decimal, decimals: int) -> str:
    """Format a number with the given decimals and separators."""
    return with_true_minus(f"{value:,.{decimals}f}")


def ordinal(value: int) -> str:
    """Format a whole number as an ordinal, such as 19th."""
    is_teen = 10 < value % 100 < 20
    return f"{value:,}{'th' if is_teen else _ORDINAL_SUFFIXES.get(value % 10, 'th')}"


def level(value: float) -> str:
    """Format a confidence level, such as 95% or 97.5%."""
    return f"{value * 100:g}%"


def count(value: float) -> str:
    """Format a whole number."""
    return f"{value:,.0f}"


def quantity(value: float) -> str:
    """Format a number of shares or contracts with up to ten decimals."""
    text = f"{value:,.10f}".rstrip("0").rstrip(".")
    return with_true_minus(text)


def day(value: date) -> str:
    """Format a day as 2024-12-06."""
    return f"{value:%Y-%m-%d}"


def first_sentences(text: str, number: int) -> str:
    """Return the first sentences of a text; a decimal point ends none.

    Examples
    --------
    >>> first_sentences("It lost 1.2%. Of that, AMD lost half. Nothing else did.", 2)
    'It lost 1.2%. Of that, AMD lost half.'
    """
    return " ".join(re.split(r"(?<=[.?!]) (?=[A-Z0-9])", text)[:number])


def stored_text(text: str) -> str:
    """Return a stored text, such as a reason, with the minus sign and separators of others.

    A whole number has separators from five digits on: one of four may be a year.

    Examples
    --------
    >>> stored_text("cash was -12345.60 on 2022-12-28; 1200 of 12000 sessions, -4%")
    'cash was −12,345.60 on 2022-12-28; 1200 of 12,000 sessions, −4%'
    """
    signed = _ASCII_MINUS.sub("−", text)
    return _UNGROUPED_NUMBER.sub(lambda found: f"{int(found[0]):,}", signed)


def listed_findings(findings: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the findings of an insight that its prose does not state."""
    return [finding for finding in findings if "column" not in finding]


def prose_evidence(findings: Iterable[Mapping[str, Any]]) -> str:
    """Format the evidence of the sentences in an insight's prose on one line, each fact once."""
    of_prose = [finding for finding in findings if "column" in finding]
    return evidence({fact["fact"]: fact for each in of_prose for fact in each["evidence"]}.values())


def evidence(facts: Iterable[Mapping[str, str]]) -> str:
    """Format the evidence of an insight's finding on one line.

    A window or quality that is part of the fact's name is not repeated.
    """
    return "; ".join(_format_fact(fact) for fact in facts)


def _format_fact(fact: Mapping[str, str]) -> str:
    qualifiers = [
        fact[name]
        for name in ("window", "quality")
        if name in fact and fact[name] not in fact["what"]
    ]
    entity, remarks = (f" of {fact['of']}" if "of" in fact else ""), ", ".join(qualifiers)
    return f"{fact['what']}{entity} {fact['value']}" + (f" ({remarks})" if remarks else "")


def with_true_minus(text: str) -> str:
    """Use the true minus sign, and no sign on a value shown as zero."""
    if "-" not in text:
        return text
    return text.replace("-", "−" if _is_shown_nonzero(text) else "")


def _with_plus(text: str) -> str:
    return f"+{text}" if not text.startswith("−") and _is_shown_nonzero(text) else text


def _is_shown_nonzero(text: str) -> bool:
    return not _NONZERO_DIGITS.isdisjoint(text)

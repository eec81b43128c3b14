"""Numbers as people and programs write them: what is read is what was written, or it is refused."""

import tempfile
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskmetrics.errors import DataQualityError, UsageError
from riskmetrics.sources import cells
from riskmetrics.sources.brokers import read_holdings

repeatable = settings(max_examples=60)

NOTATIONS = [
    (".", ""),
    (".", ","),
    (".", " "),
    (".", "'"),
    (",", ""),
    (",", "."),
    (",", " "),
    (",", "\u00a0"),
    (",", "\u202f"),
    (",", "\u2019"),
]
"""Decimal mark, and what separates thousands."""
SIGNS = ["-{}", "({})", "\u2212{}", "-${}", "$-{}", "(${})", "$({})", "-USD {}", "-{} USD"]
AMOUNTS = st.decimals("-99999999", "99999999", places=None, allow_nan=False).map(
    lambda number: round(number, 4)
)
notations = st.sampled_from(NOTATIONS)


def written(
    number: Decimal, decimal: str, thousands: str, sign: str, places: int | None = None
) -> str:
    """Format a number in a notation by Python's formatting; ``sign`` is the style of negatives."""
    plain = f"{abs(number):,.{places}f}" if places is not None else f"{abs(number):,f}"
    text = plain.translate({ord(","): thousands, ord("."): decimal})
    return (
        sign.format(text)
        if number < 0
        else sign.translate({ord(mark): "" for mark in "-()\u2212"}).format(text)
    )


def column(*texts: str) -> pa.ChunkedArray:
    """Return a column of cells."""
    return pa.chunked_array([pa.array(texts)])


@repeatable
@given(AMOUNTS, notations, st.sampled_from(SIGNS))
def test_a_number_in_a_known_notation_is_read_back(number, notation, sign):
    decimal, thousands = notation
    values, faulty = cells.parse_numbers(
        column(written(number, decimal, thousands, sign), "x"), decimal
    )
    assert (values[0], faulty.tolist()) == (float(number), [False, True])


@repeatable
@given(AMOUNTS, notations, st.sampled_from(SIGNS), st.sampled_from(cells.DECIMAL_MARKS))
def test_the_other_decimal_mark_reads_the_same_number_or_is_found_to_differ(
    number, notation, sign, other
):
    """An ambiguous number is always reported, unless the column proves its decimal mark."""
    decimal, thousands = notation
    text = written(number, decimal, thousands, sign)
    (value,), _ = cells.parse_numbers(column(text), other)
    said = cells.decimal_evidence(column(text))
    proved = said.point if decimal == "." else said.comma
    assert value == float(number) or text in (proved, said.ambiguous)
    assert (said.comma if decimal == "." else said.point) is None


def quantities(texts: list[str], decimal: str | None = None) -> list[float]:
    """Read texts as the quantities of a file of holdings."""
    lines = "\n".join(f"S{place};{text}" for place, text in enumerate(texts))
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        file.write(f"symbol;quantity\n{lines}\n".encode())
        file.flush()
        [account] = read_holdings(Path(file.name), decimal=decimal).accounts
    assert account.holdings.rejected == []
    return account.holdings.rows["quantity"].to_list()


@pytest.mark.slow(4)
@repeatable
@given(st.lists(AMOUNTS.filter(bool), min_size=1, max_size=6), notations, st.sampled_from(SIGNS))
def test_quantities_in_one_notation_are_read_back_or_the_mark_is_asked_for(numbers, notation, sign):
    texts = [written(number, *notation, sign) for number in numbers]
    with suppress(UsageError):
        assert quantities(texts) == [float(number) for number in numbers]
    assert quantities(texts, notation[0]) == [float(number) for number in numbers]


@repeatable
@given(
    st.lists(AMOUNTS.filter(bool), min_size=1, max_size=6),
    st.sampled_from([(".", ","), (",", "."), (".", "'"), (",", " ")]),
)
def test_one_number_with_two_decimals_tells_the_mark_of_all(numbers, notation):
    """No refusal: twelve hundred and a half can be written one way only."""
    texts = [
        *(written(number, *notation, "-{}") for number in numbers),
        written(Decimal("1200.5"), *notation, "-{}", places=2),
    ]
    assert quantities(texts) == [*map(float, numbers), 1200.5]


@repeatable
@given(
    st.text(alphabet="0123456789.,'-+()$eE %=", max_size=12), st.sampled_from(cells.DECIMAL_MARKS)
)
def test_no_text_is_read_as_a_number_that_its_digits_do_not_spell(text, decimal):
    """Oracle: Python's float of the text without thousands separators, signs and currency."""
    (value,), (faulty,) = cells.parse_numbers(column(text), decimal)
    if np.isnan(value):
        assert faulty == (text.strip().lower() not in cells.MISSING_MARKERS)
        return
    assert not faulty
    bare = text.strip().replace("." if decimal == "," else ",", "")
    for mark in "$'+() ":
        bare = bare.replace(mark, "")
    if bare.endswith("-"):
        bare = f"-{bare[:-1]}"
    expected = float(bare.replace(decimal, "."))
    assert abs(value) == abs(expected)
    assert (value < 0) == (expected < 0 or ("(" in text and expected > 0))


@pytest.mark.parametrize("text", ["1.200", "1,200", "$1.200", "(1,200)", "12.345 USD"])
def test_what_can_be_read_two_ways_is_refused_with_both_readings(text):
    with pytest.raises(
        UsageError, match=r"can be .* or .*\. Pass --decimal point or --decimal comma"
    ):
        quantities([text])
    assert quantities([text], ".") != quantities([text], ",")


def test_numbers_of_both_kinds_are_refused_and_an_option_rejects_those_of_the_other():
    with pytest.raises(
        UsageError,
        match=r"a decimal point \(1\.5\) and with a decimal comma \(2,25\)\. Pass --decimal",
    ):
        quantities(["1.5", "2,25"])
    with pytest.raises(DataQualityError, match="quantity '2,25' is not a number"):
        quantities(["2,25"], ".")


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "1,23.4",
        "1.23,4",
        "1,2,3",
        "12%",
        "--5",
        "(-5)",
        "5 5",
        "1e",
        "\u0665",
        "€5",
        "0x10",
        "1'00",
        "- 5",
    ],
)
@pytest.mark.parametrize("decimal", cells.DECIMAL_MARKS)
def test_what_is_no_number_is_faulty(text, decimal):
    values, faulty = cells.parse_numbers(column(text, "x"), decimal)
    assert np.isnan(values[0])
    assert faulty[0]

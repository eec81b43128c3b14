"""Strict, vectorized parsing of cell text into numbers and dates; formulas are not evaluated.

Columns are pyarrow arrays of any type; results are numpy arrays. Missing and invalid cells are
distinguished: the functions return the values, and a mask of the invalid cells.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from riskmetrics.metrics._typing import BoolArray, DateArray, FloatArray
from riskmetrics.sources.dates import infer_order, parse_date

MISSING_MARKERS = (
    *("", "-", "--", "#n/a", "n/a", "na", "nan", "nat", "none", "null"),
    *("incomplete", "various"),
)
"""Texts that mean a missing number or date, in lower case; a symbol may be NA or NAN."""

DECIMAL_MARKS = (".", ",")
_MAGNITUDES = {
    "K": 3,
    "M": 6,
    "MM": 6,
    "MIO": 6,
    "B": 9,
    "BN": 9,
    "T": 12,
    "THOUSAND": 3,
    "MILLION": 6,
    "BILLION": 9,
}
"""Power of ten of the letters after a number."""


def trim_text(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return cells as text without surrounding whitespace; null stays null.

    Examples
    --------
    >>> trim_text(pa.chunked_array([[" AAPL ", None]])).to_pylist()
    ['AAPL', None]
    """
    return pc.utf8_trim_whitespace(pc.cast(cells, pa.string()))


def is_missing(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a mask of trimmed text that is null or a missing marker.

    Examples
    --------
    >>> is_missing(pa.chunked_array([["N/A", "--", "0", None]])).to_pylist()
    [True, True, False, True]
    """
    return pc.is_in(pc.utf8_lower(text), value_set=pa.array([None, *MISSING_MARKERS], pa.string()))


def parse_numbers(cells: pa.ChunkedArray, decimal: str = ".") -> tuple[FloatArray, BoolArray]:
    """Parse numbers: with sign or parentheses, dollar sign, exponent and thousands separators.

    Parameters
    ----------
    cells : ChunkedArray
        Shape (N,), numbers or text.
    decimal : str
        Decimal mark, "." or ","; the other one, a space or an apostrophe may separate thousands.

    Returns
    -------
    values : (N,) array
        NaN where the cell is missing or not a number; may be infinite.
    invalid : (N,) array
        True where a cell is neither missing nor a number ("1,23", "12%", "=A1").

    Examples
    --------
    >>> parse_numbers(pa.chunked_array([["1,234.50", "($5)", "-", "12%"]]))
    (array([1234.5,   -5. ,    nan,    nan]), array([False, False, False,  True]))
    """
    kind = cells.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return pc.fill_null(pc.cast(cells, pa.float64(), safe=False), np.nan).to_numpy(), np.zeros(
            len(cells), dtype=bool
        )
    text = trim_text(cells)
    if decimal == ".":
        try:
            plain = pc.cast(pc.if_else(pc.equal(text, ""), None, text), pa.float64())
            return pc.fill_null(plain, np.nan).to_numpy(), np.zeros(len(cells), dtype=bool)
        except pa.ArrowInvalid:  # a cell has more than plain digits: parse by pattern, 5 x slower
            pass
    text = pc.replace_substring(text, "\u2212", "-")  # the typographic minus
    is_number = pc.fill_null(pc.match_substring_regex(text, _NUMBER_PATTERNS[decimal]), False)
    digits = pc.replace_substring_regex(
        pc.if_else(is_number, text, None), rf"[^0-9eE(\-{decimal}]", ""
    )
    digits = pc.replace_substring_regex(digits, r"^(.*)-$", r"-\1")
    digits = pc.replace_substring(pc.replace_substring(digits, "(", "-"), decimal, ".")
    values = pc.fill_null(pc.cast(digits, pa.float64()), np.nan).to_numpy()
    return values, pc.and_not(pc.invert(is_number), is_missing(text)).to_numpy()


def number_pattern(decimal: str) -> str:
    """Return the regular expression of a number with a decimal mark.

    Examples
    --------
    >>> import re
    >>> [bool(re.match(number_pattern(decimal), "1.234,50")) for decimal in DECIMAL_MARKS]
    [False, True]
    """
    # RE2 has no back references, so each thousands separator is a separate alternative
    separators = (rf"[{'.' if decimal == ',' else ','}]", "[ \u00a0\u2009\u202f]", "['\u2019]")
    whole = "|".join(
        [r"\d+", *(rf"[1-9]\d{{0,2}}({separator}\d{{3}})+" for separator in separators)]
    )
    if decimal == ".":
        whole += r"|[1-9]\d?(,\d{2})+,\d{3}"  # India: 12,34,567
    amount = rf"(({whole})([{decimal}]\d*)?|[{decimal}]\d+)([eE][+-]?\d+)?"
    before, after = r"((US)?\$ ?|USD ?)?", r"( ?(US)?\$| ?USD)?"
    signed = rf"[+-]?{before}{amount}{after}|{before}[+-]{amount}{after}|{before}{amount}-{after}"
    in_parentheses = rf"\({before}{amount}{after}\)|{before}\({amount}\)"
    return rf"^({signed}|{in_parentheses})$"


_NUMBER_PATTERNS = {decimal: number_pattern(decimal) for decimal in DECIMAL_MARKS}


class DecimalEvidence(NamedTuple):
    """Examples of cells that determine the decimal mark of a column; None if there is none."""

    point: str | None
    """A cell that is a number only with a decimal point, such as 1,234.5."""
    comma: str | None
    """A cell that is a number only with a decimal comma, such as 1.234,5."""
    ambiguous: str | None
    """A cell that is a different number with either mark, such as 1.200."""

    def merge(self, other: "DecimalEvidence") -> "DecimalEvidence":
        """Combine the evidence of two columns."""
        return DecimalEvidence(*(mine or theirs for mine, theirs in zip(self, other, strict=True)))


def decimal_evidence(cells: pa.ChunkedArray) -> DecimalEvidence:
    """Return the evidence for the decimal mark of a column, by parsing it with both marks.

    Examples
    --------
    >>> decimal_evidence(pa.chunked_array([["1,234.5", "1.200"]]))
    DecimalEvidence(point='1,234.5', comma=None, ambiguous='1.200')
    """
    texts = pc.fill_null(trim_text(cells), "").combine_chunks()
    point, comma = (
        parse_numbers(pa.chunked_array([texts]), decimal)[0] for decimal in DECIMAL_MARKS
    )
    pointed, commaed = np.isfinite(point), np.isfinite(comma)
    kinds = (pointed & ~commaed, commaed & ~pointed, pointed & commaed & (point != comma))
    return DecimalEvidence(
        *(texts[int(np.argmax(kind))].as_py() if kind.any() else None for kind in kinds)
    )


def expand_magnitudes(cells: pa.ChunkedArray) -> pa.ChunkedArray:
    """Replace letters for thousands to trillions by an exponent; numbers are unchanged.

    Examples
    --------
    >>> expand_magnitudes(pa.chunked_array([["2.01M", "980.45k", "5", "M"]])).to_pylist()
    ['2.01e6', '980.45e3', '5', 'M']
    """
    is_text = pa.types.is_string(cells.type)
    if not is_text or not pc.any(pc.match_substring_regex(cells, "[A-Za-z]")).as_py():
        return cells
    for letters, power in _MAGNITUDES.items():
        cells = pc.replace_substring_regex(cells, rf"(?i)([0-9.,]) ?{letters}\s*$", rf"\1e{power}")
    return cells


def parse_dates(
    cells: pa.ChunkedArray, order: str | None = None, default_order: str | None = None
) -> tuple[DateArray, BoolArray]:
    """Parse dates in the notations of `dates.parse_date`.

    Parameters
    ----------
    cells : ChunkedArray
        Shape (N,), dates, time stamps, numbers or text.
    order : str, optional
        Order of month, day and year, one of `dates.DATE_ORDERS`. Default: inferred from the column.
    default_order : str, optional
        Order if the dates of the column do not show it.

    Returns
    -------
    days : (N,) array of datetime64[D]
        NaT where the cell is missing or not a date.
    invalid : (N,) array
        True where a cell is neither missing nor an unambiguous date.

    Examples
    --------
    13 cannot be a month, so the month comes first in all cells:

    >>> parse_dates(pa.chunked_array([["12/06/2024", "12/13/2024", "2024-02-30"]]))[0]
    array(['2024-12-06', '2024-12-13',        'NaT'], dtype='datetime64[D]')
    """
    text = trim_text(cells)
    distinct = (one for one in pc.unique(text).to_pylist() if one)
    order = order or infer_order(distinct) or default_order
    days = map_unique(text, lambda one: parse_date(one, order), "datetime64[D]")
    return days, np.isnat(days) & ~is_missing(text).to_numpy()


def map_unique(
    cells: pa.ChunkedArray, convert: Callable[[str], Any], dtype: str = "object"
) -> NDArray[Any]:
    """Convert a text column, each distinct text once; None where the cell is null.

    Millions of rows have few distinct symbols and days.

    Examples
    --------
    >>> map_unique(pa.chunked_array([["a", "b", "a", None]]), str.upper)
    array(['A', 'B', 'A', None], dtype=object)
    """
    encoded = pc.cast(cells, pa.string()).combine_chunks().dictionary_encode()
    codes = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    converted = np.empty(len(encoded.dictionary) + 1, dtype=object)  # the last is for null, code -1
    converted[:-1] = [convert(text) for text in encoded.dictionary.to_pylist()]
    values: NDArray[Any] = converted.astype(dtype)[codes]
    return values

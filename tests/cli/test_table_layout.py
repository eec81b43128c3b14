"""Tables on a terminal: what fits is shown whole, what does not is named."""

import re
import sys
from decimal import Decimal

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskmetrics.cli import calibrate, output
from riskmetrics.cli.table_layout import COLUMN_GAP, fit_columns

_HEADER = ["portfolio", "symbol", "beta", "std_error", "alpha", "undefined_reason"]
_ROWS = [
    ["Concentrated", "AAPL", "1.351", "0.080", "-0.001605", "—"],
    ["Core Equity", "BRK-B", "—", "—", "—", "only 12 of 60 returns in the window of 90 sessions"],
]
_IS_NUMBER = [False, False, True, True, True, False]


def _used(widths: list[int]) -> int:
    return sum(widths) + COLUMN_GAP * (len(widths) - 1)


def test_a_table_that_fits_exactly_is_left_as_it_is() -> None:
    widths = [max(map(len, column)) for column in zip(_HEADER, *_ROWS, strict=True)]
    layout = fit_columns(_HEADER, _ROWS, _IS_NUMBER, _used(widths))
    assert (layout.widths, layout.headings) == (widths, _HEADER)


def test_one_character_less_wraps_the_long_text_first() -> None:
    widths = [max(map(len, column)) for column in zip(_HEADER, *_ROWS, strict=True)]
    layout = fit_columns(_HEADER, _ROWS, _IS_NUMBER, _used(widths) - 1)
    assert layout.shown == list(range(6))
    assert layout.widths == [*widths[:5], widths[5] - 1]


@pytest.mark.parametrize(
    ("width", "shown"),
    [
        (12 + 6 + 5 + 5 + 9 + 16 + 15, [0, 1, 2, 3, 4, 5]),
        (12 + 6 + 5 + 5 + 9 + 16 + 14, [0, 1, 2, 3, 5]),  # the last number goes first
        (12 + 6 + 5 + 5 + 16 + 11, [0, 1, 2, 5]),
        (12 + 6 + 5 + 16 + 8, [0, 1, 2]),
        (1, [0, 1, 2]),  # what a row is about stays, with one number
    ],
)
def test_columns_are_left_out_from_the_right(width: int, shown: list[int]) -> None:
    assert fit_columns(_HEADER, _ROWS, _IS_NUMBER, width).shown == shown


def test_details_are_left_out_before_other_columns() -> None:
    width = 12 + 6 + 5 + 5 + 9 + 16 + 14
    assert fit_columns(_HEADER, _ROWS, _IS_NUMBER, width, details=[3]).shown == [0, 1, 2, 4, 5]


@pytest.mark.parametrize(
    ("width", "shown", "reason_width"),
    [
        (6 + 3 + 16 + 3 + 3, [0, 1, 2], 16),
        (6 + 3 + 16 + 3 + 2, [0, 1], 21),  # the detail goes, and the text takes its room
        (6 + 3 + 16, [0, 1], 16),
        (6 + 3 + 15, [0, 1], 15),
        (6 + 3 + 7, [0, 1], 7),
        (1, [0, 1], 7),  # never narrower than its longest word
    ],
)
def test_leading_columns_too_wide_leave_out_a_detail_and_narrow_long_texts(
    width: int, shown: list[int], reason_width: int
) -> None:
    header = ["symbol", "reason", "n_obs"]
    row = ["AAPL", "only 12 of 60 returns in the window", "12"]
    layout = fit_columns(header, [row], [False, False, True], width, details=[2])
    assert layout.shown == shown
    assert layout.widths[1] == reason_width


_cells = st.text("ab -1", max_size=40)


@given(st.data(), st.integers(1, 8), st.integers(20, 200))
def test_shown_columns_fit_and_hold_their_longest_word(
    data: st.DataObject, columns: int, width: int
) -> None:
    row = st.lists(_cells, min_size=columns, max_size=columns)
    header = data.draw(row)
    rows = data.draw(st.lists(row, max_size=4))
    is_number = data.draw(st.lists(st.booleans(), min_size=columns, max_size=columns))
    layout = fit_columns(header, rows, is_number, width)
    leading = is_number.index(True) + 1 if any(is_number) else columns
    assert layout.shown[:leading] == list(range(leading))
    if len(layout.shown) > leading:
        assert _used(layout.widths) <= width
    for column, limit in zip(layout.shown, layout.widths, strict=True):
        for row_ in rows:
            assert max(map(len, row_[column].split()), default=0) <= limit


@pytest.mark.parametrize("width", [80, 100, 120])
def test_a_terminal_gets_whole_numbers_and_the_names_of_the_rest(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    header = ["symbol", *(f"figure_{number}" for number in range(15))]
    row = ["AAPL", *(f"-0.0{number:02d}45" for number in range(15))]
    output.print_table(header, [row], right_aligned=[False, *[True] * 15])
    printed = capsys.readouterr()
    lines = re.sub(r"\x1b\[[0-9;]*m", "", printed.out).splitlines()
    assert all(len(line) <= width for line in lines)
    shown = lines[-1].split()
    assert shown == row[: len(shown)]
    assert header[len(shown)] in printed.err
    assert "| less -S" in printed.err


@pytest.mark.parametrize("is_terminal", [False, True])
def test_letters_of_double_width_are_not_wrapped(
    is_terminal: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: is_terminal)
    output.print_table(
        ["portfolio", "beta"], [["日本株式ポートフォリオ", "1.2"]], right_aligned=[False, True]
    )
    printed = re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)
    assert printed.splitlines()[-1].split() == ["日本株式ポートフォリオ", "1.2"]


def test_a_pipe_and_a_wide_table_get_every_column(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    output.print_table(_HEADER, _ROWS, right_aligned=_IS_NUMBER)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    output.print_table(_HEADER, _ROWS, right_aligned=_IS_NUMBER, is_wide=True)
    printed = capsys.readouterr()
    assert printed.out.count(_ROWS[1][-1]) == 2
    assert not printed.err


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("7285.20000000"), "7,285.2"),
        (Decimal("110.0000000000"), "110"),
        (Decimal("0.0709"), "0.0709"),
        (Decimal("-1200"), "−1,200"),
        (Decimal("NaN"), "NaN"),
    ],
)
def test_a_number_of_the_database_is_shown_without_the_zeros_of_its_scale(
    value: Decimal, text: str
) -> None:
    assert output.format_cell(value) == text


def test_negative_coefficients_and_statistics_have_the_minus_sign(
    capsys: pytest.CaptureFixture[str],
) -> None:
    calibrate._print_proposal(
        {
            "present": "shipped-2022",
            "coefficients": [
                {"constant": -0.0126, "day_weight": 0.4, "n_obs": 2000, "n_symbols": 25}
            ],
            "corrections": [{"constant": -0.25, "season_weight": -0.0001}],
        }
    )
    calibrate._print_backtest(
        pd.DataFrame(
            {"year": [2020, 2021], "n_obs": 10, "qlike_refitted": 0.25, "t": [-1.3, -0.01]}
        ),
        as_json=False,
    )
    printed = capsys.readouterr().out
    assert {"−0.013", "0.400", "2,000", "−0.250", "0.000", "−1.3", "0.0"} <= {*printed.split()}
    assert not re.search(r"\s-[0-9]", printed)

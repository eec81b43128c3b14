"""Files of stress scenarios: what is taken, and why the rest is not."""

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from riskmetrics.errors import DataQualityError
from riskmetrics.sources.scenarios import read_scenarios
from riskmetrics.sources.tabular_files import RejectedRow

HEADER = "Scenario,Market move,rate_move,first_day,last_day,description,factor_moves\n"


def parsed(folder: Path, *lines: str):
    file = folder / "scenarios.csv"
    file.write_text(HEADER + "\n".join(lines) + "\n")
    return read_scenarios(file)


def test_moves_and_windows_are_taken_as_they_stand(tmp_path):
    rows, rejected, _ = parsed(
        tmp_path,
        "fall,-0.2,,,,A fifth,",
        "both,-0.1,0.05,,,,",
        "covid,,,2020-02-19,2020-03-23,From the high,",
        "value,-0.1,,,,,value=-0.05; size=0.02",
    )
    assert rejected == []
    assert rows["name"].tolist() == ["fall", "both", "covid", "value"]
    assert rows["market_move"].tolist()[:2] == [-0.2, -0.1]
    assert rows["factor_moves"].tolist() == [None, None, None, "value=-0.05; size=0.02"]
    assert pd.isna(rows["market_move"][2])
    assert rows["rate_move"][1] == 0.05
    assert rows["first_day"].tolist() == [None, None, date(2020, 2, 19), None]
    assert rows["last_day"].tolist() == [None, None, date(2020, 3, 23), None]
    assert rows["description"].tolist() == ["A fifth", "", "From the high", ""]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (",-0.2,,,,,", "no name"),
        ("x" * 65 + ",-0.2,,,,,", "longer than 64"),
        ("x,-20,,,,,", "market_move -20 is not a fraction between -1 and 1"),
        ("x,,1.5,,,,", "rate_move 1.5 is not a fraction"),
        ("x,a fifth,,,,,", "market_move 'a fifth' is not a number"),
        ("x,,,2020-02-19,,,", "needs both first_day and last_day"),
        ("x,,,2020-02-16,2020-03-23,,", "first_day 2020-02-16 is not a session"),
        (
            "x,,,2020-03-23,2020-02-19,,",
            "last_day 2020-02-19 is not after first_day 2020-03-23",
        ),
        ("x,,,2020-02-19,2999-01-02,,", "last_day 2999-01-02 is after"),
        ("x,-0.2,,2020-02-19,2020-03-23,,", "one or the other"),
        ("x,,,,,just words,", "neither a move nor a window"),
        ("good,-0.1,,,,,", "duplicate row for good; the first is kept"),
        ("x,,0.1,,,,a=0.1", "factor_moves and a rate_move; a scenario has one or the other"),
        ("x,,,2020-02-19,2020-03-23,,a=0.1", "both moves and a window"),
        ("x,,,,,,a=-1", "factor_moves: 'a=-1' is no move: write NAME=FRACTION"),
        ("x,,,,,,{a}=0.1", "factor_moves: '{a}' is no name of a factor"),
    ],
)
def test_a_row_that_is_no_scenario_is_handed_back_with_its_reason(tmp_path, line, reason):
    rows, rejected, _ = parsed(tmp_path, "good,-0.2,,,,,", line)
    assert rows["market_move"].tolist() == [-0.2]
    (row,) = rejected
    assert isinstance(row, RejectedRow)
    assert (row.line, row.raw_row) == (3, line)
    assert reason in row.reason


def test_a_file_without_a_good_row_is_refused(tmp_path):
    with pytest.raises(DataQualityError, match="no valid row"):
        parsed(tmp_path, "x,,,,,,")

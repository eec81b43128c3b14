"""Files of factor returns: French's library, long and wide tables, and what is refused."""

from datetime import date
from pathlib import Path

import pytest

from riskmetrics.errors import DataQualityError
from riskmetrics.sources.factor_files import read_factors

FRENCH = """This file was created by CMPT_ME_BEME_OP_INV_RETS_DAILY using the 202412 CRSP database.
The 1-month TBill return is from Ibbotson and Associates, Inc.

,Mkt-RF,SMB,HML,RF
19630701,   -0.67,    0.02,   -0.35,    0.012
20240102,   -0.70,   -1.10,    1.17,    0.022
20240103,   -1.17,   -1.86,  -99.99,    0.022

  Annual Factors: January-December
,Mkt-RF,SMB,HML,RF
  2023,   21.71,   -3.36,  -13.63,    4.95

Copyright 2024 Eugene F. Fama and Kenneth R. French
"""
MONTHLY = """Created by CMPT_ME_BEME_RETS.

,Mkt-RF,SMB,HML,RF
202401,    0.71,   -5.74,   -2.47,    0.47
202402,    5.07,   -0.78,   -3.52,    0.42
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "factors.csv"


def returns_of(file: Path, text: str, **options: bool) -> dict[tuple[str, date], float]:
    file.write_text(text)
    rows = read_factors(file, **options).rows
    return {
        (row.factor, row.day): pytest.approx(row.factor_return, abs=1e-15)
        for row in rows.itertuples()
    }


FIRST, SECOND = date(2024, 1, 2), date(2024, 1, 3)


def test_daily_files_of_french_are_read_as_they_are(file: Path) -> None:
    """Percent, with text around them; missing returns, annual ones and early days are left out."""
    assert returns_of(file, FRENCH) == {
        ("Mkt-RF", FIRST): -0.0070,
        ("Mkt-RF", SECOND): -0.0117,
        ("SMB", FIRST): -0.0110,
        ("SMB", SECOND): -0.0186,
        ("HML", FIRST): 0.0117,
        ("RF", FIRST): 0.00022,
        ("RF", SECOND): 0.00022,
    }
    found = read_factors(file)
    assert found.rejected == []
    assert any("days before 1990-01-02" in note for note in found.notes)
    assert "missing returns are left out: 1" in found.notes


def test_the_momentum_file_has_spaces_in_its_header(file: Path) -> None:
    text = "Missing data are indicated by -99.99 or -999.\n\n,Mom   \n20240102,   -1.20\n"
    assert returns_of(file, text) == {("Mom", FIRST): -0.012}


def test_long_and_wide_tables_are_fractions_unless_percent_is_said(file: Path) -> None:
    expected = {("carry", FIRST): 0.004, ("carry", SECOND): -0.002}
    long = "date,factor,return\n2024-01-02,carry,{}\n2024-01-03,carry,{}\n"
    wide = "Date;carry\n2024-01-02;{}\n2024-01-03;{}\n"
    for text in (long, wide):
        assert returns_of(file, text.format(0.004, -0.002)) == expected
        assert returns_of(file, text.format(0.4, -0.2), is_percent=True) == expected
        with pytest.raises(DataQualityError, match=r"32% a day.* Pass --percent"):
            returns_of(file, text.format(0.4, -0.2))


def test_monthly_returns_are_refused(file: Path) -> None:
    file.write_text(MONTHLY)
    with pytest.raises(DataQualityError, match="monthly returns: its first date is 202401"):
        read_factors(file)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("2024-01-06,carry,0.01", "2024-01-06 is not a session: the exchange is closed"),
        ("2999-01-04,carry,0.01", "the last completed session"),
        ("2024-01-02,carry,0.02", "duplicate row for carry on 2024-01-02; the first is kept"),
        ("2024-01-03,market,0.01", "'market' is no name of a factor"),
        ("2024-01-03,,0.01", "'' is no name of a factor"),
        ("2024-01-03,carry,x", "return 'x' is not a number"),
        ("2024-01-03,carry,", "no return"),
    ],
)
def test_rows_that_cannot_be_used_are_rejected_with_their_reason(
    file: Path, row: str, reason: str
) -> None:
    file.write_text(f"date,factor,return\n2024-01-02,carry,0.01\n{row}\n")
    found = read_factors(file)
    assert found.rows["factor_return"].tolist() == [0.01]
    ((line, raw, why),) = found.rejected
    assert (line, raw) == (3, row)
    assert reason in why


def test_a_return_of_100_percent_is_rejected(file: Path) -> None:
    days = [f"2024-01-{day:02d},0.001\n" for day in (2, 3, 4, 5, 8, 9, 10, 11, 12)] * 1
    file.write_text("date,carry\n" + "".join(days) + "2024-01-16,0.2999\n")
    assert len(read_factors(file).rows) == 10
    file.write_text("date,carry\n" + "".join(days * 12) + "2024-01-16,1\n")
    found = read_factors(file)
    assert "a return of 100% or more" in {row.reason for row in found.rejected}


@pytest.mark.parametrize(
    "text", ["date,1,2\n2024-01-02,1,2\n", "factor,return\ncarry,0.1\n", "date,a,a\n2024-01-02,1,2"]
)
def test_other_tables_are_refused(file: Path, text: str) -> None:
    file.write_text(text)
    with pytest.raises(DataQualityError, match="has no column"):
        read_factors(file)

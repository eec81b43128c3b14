"""Files of events: what is taken, and why the rest is not."""

from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest

from riskmetrics import trading_calendar
from riskmetrics.errors import DataQualityError
from riskmetrics.sources import event_files
from riskmetrics.sources.event_files import MAX_EVENTS_PER_YEAR, read_events
from riskmetrics.sources.row_validation import ParseResult
from tests.stopped_clocks import stopped_date


def read(folder: Path, text: str) -> ParseResult:
    file = folder / "events.csv"
    file.write_text(text)
    return read_events(file)


def test_valid_rows_and_the_reason_of_each_other_one(tmp_path, monkeypatch):
    last = trading_calendar.calendar_end()
    tomorrow = date(2022, 12, 29)
    monkeypatch.setattr(event_files, "date", stopped_date(date(2022, 12, 28)))
    parsed = read(
        tmp_path,
        "Ticker,Earnings Date,known on\n"
        "aapl,2022-10-27,2022-10-01\n"
        f"KO,{last},\n"
        "KO,,\n"
        ",2022-10-27,\n"
        "KO,soon,\n"
        "KO,1990-01-01,\n"
        f"KO,{last + timedelta(days=1)},\n"
        f"KO,2022-10-25,{tomorrow}\n"
        "AAPL,2022-10-27,\n",
    )
    assert parsed.rows.to_dict("records") == [
        {"symbol": "AAPL", "day": date(2022, 10, 27), "known_on": date(2022, 10, 1)},
        {"symbol": "KO", "day": last, "known_on": None},
    ]
    assert [(row.line, row.reason) for row in parsed.rejected] == [
        (4, "no date"),
        (5, "no symbol"),
        (6, "date 'soon' is not a date; use YYYY-MM-DD"),
        (7, f"1990-01-01 is outside the calendar (1990-01-02 to {last})"),
        (8, f"{last + timedelta(days=1)} is outside the calendar (1990-01-02 to {last})"),
        (9, f"known_on {tomorrow} is in the future"),
        (10, "duplicate row for AAPL on 2022-10-27; the first is kept"),
    ]


def test_a_parquet_file_with_dates_is_read_alike(tmp_path):
    file = tmp_path / "events.parquet"
    pd.DataFrame({"symbol": ["BRKB"], "date": [date(2022, 11, 5)]}).to_parquet(file)
    assert read_events(file).rows.to_dict("records") == [
        {"symbol": "BRK-B", "day": date(2022, 11, 5), "known_on": None}
    ]


def test_the_calendar_of_a_vendor_has_other_columns(tmp_path):
    header = "date,symbol,eps,epsEstimated,time,revenue,fiscalDateEnding,updatedFromDate\n"
    parsed = read(tmp_path, header + "2024-01-30,MSFT,2.9,2.8,amc,62.0,2023-12-31,2024-01-31\n")
    assert parsed.rows[["symbol", "day"]].values.tolist() == [["MSFT", date(2024, 1, 30)]]


@pytest.mark.parametrize(("n_days", "is_calendar"), [(52, True), (53, False)])
def test_prices_are_no_calendar_whatever_the_kind_of_file(tmp_path, n_days, is_calendar):
    file = tmp_path / "closes.parquet"
    days = pd.bdate_range("2022-01-03", periods=n_days).date
    pd.DataFrame({"symbol": "KO", "date": days, "close": 60.0}).to_parquet(file)
    assert MAX_EVENTS_PER_YEAR == 52
    if is_calendar:
        assert len(read_events(file).rows) == n_days
        return
    with pytest.raises(DataQualityError, match="53 days of KO in 2022: it is no calendar"):
        read_events(file)


def test_a_table_of_prices_is_named(tmp_path):
    text = "symbol,date,open,high,low,close,volume\nKO,2022-01-03,1,1,1,1,5\n"
    with pytest.raises(DataQualityError, match="table of prices, not a calendar of events"):
        read(tmp_path, text)


def test_a_file_without_a_symbol_names_what_is_missing(tmp_path):
    with pytest.raises(DataQualityError, match="no column symbol"):
        read(tmp_path, "date,what\n2022-10-27,report\n")

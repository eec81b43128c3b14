"""Valid and invalid user files; the expected messages are written by hand."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from riskmetrics import gics, trading_calendar
from riskmetrics.sources import brokers, sample
from riskmetrics.sources.brokers import read_portfolio
from riskmetrics.sources.files import ParseResult, read_benchmark, read_prices, read_profiles
from tests.conftest import SHARED_DATA, needs_shared_data
from tests.stopped_clocks import stopped_date
from tests.traded_market import EVERY_TRADED_MARKET, TradedMarket


def reasons(parsed: ParseResult) -> list[str]:
    """Why rows were rejected, in the file's order."""
    return [rejected.reason for rejected in parsed.rejected]


def test_a_complete_row_is_read_as_it_stands(file):
    parsed = read_prices(
        file(
            "symbol,date,open,high,low,close,adj_close,volume\nAAPL,2024-12-06,242.91,244.63,242.08,242.84,241.5,36870600\n"
        )
    )
    assert parsed.rows.to_dict("records") == [
        {
            "symbol": "AAPL",
            "date": date(2024, 12, 6),
            "open": 242.91,
            "high": 244.63,
            "low": 242.08,
            "close": 242.84,
            "adj_close": 241.5,
            "volume": 36870600,
            "has_adj_close": True,
        }
    ]
    assert (parsed.rejected, parsed.notes) == ([], [])
    assert {name: str(kind) for name, kind in parsed.rows.dtypes.items()} == {
        "symbol": "str",
        "date": "object",
        "open": "float64",
        "high": "float64",
        "low": "float64",
        "close": "float64",
        "adj_close": "float64",
        "volume": "Int64",
        "has_adj_close": "bool",
    }


def test_absent_columns_and_cells_are_missing_and_never_zero(file):
    rows = read_prices(
        file("symbol,date,close,high\nKO,2024-12-06,62.5,\nPG,2024-12-06,173,N/A\n")
    ).rows
    assert rows[["open", "high", "low", "volume"]].isna().all(axis=None)


@pytest.mark.parametrize(
    "header",
    [
        "Symbol,Date,Close,Adj Close",
        "TICKER,As of,Close Price,Adj. Close",
        " ticker , DATE ,close,adjclose",
        "Symbol,Trading Day,Close/Last,Adjusted_Close",
    ],
)
def test_common_spellings_of_a_header_are_understood(file, header):
    rows = read_prices(file(f"{header}\nAAPL,2024-12-06,242.84,241.5\n")).rows
    assert rows[["symbol", "close", "adj_close"]].to_numpy().tolist() == [["AAPL", 242.84, 241.5]]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("X,2024-12-05,10,11,9,,,5", "no close"),
        ("X,2024-12-05,10,11,9,0,9,5", "close 0 is not a price (0.0001 to 99,999,999)"),
        ("X,2024-12-05,10,11,9,-10,9,5", "close -10 is not a price (0.0001 to 99,999,999)"),
        ("X,2024-12-05,0,11,9,10,9,5", "open 0 is not a price (0.0001 to 99,999,999)"),
        ("X,2024-12-05,10,11,9,inf,9,5", "close inf is not a price (0.0001 to 99,999,999)"),
        ("X,2024-12-05,10,11,9,1e400,9,5", "close 1e400 is not a price (0.0001 to 99,999,999)"),
        ("X,2024-12-05,10,9,11,10,9,5", "high 9 is below low 11"),
        ("X,2024-12-05,10,11,9,11.02,9,5", "close 11.02 is above high 11"),
        ("X,2024-12-05,10,11,9,8.98,9,5", "close 8.98 is below low 9"),
        ("X,2024-12-05,10,11,9,10,0,5", "adj_close 0 is not a positive price"),
        ("X,2024-12-05,10,11,9,10,inf,5", "adj_close inf is not a positive price"),
        ("X,2024-12-05,10,11,9,10,9,-5", "volume -5 is not a number of shares"),
        ("X,2024-12-05,10,11,9,10,9,1e30", "volume 1e30 is not a number of shares"),
        ("X,2024-12-05,10,11,9,=2+8,9,5", "close '=2+8' is not a number"),
        ('X,2024-12-05,10,11,9,"1,0.0",9,5', "close '1,0.0' is not a number"),
        ("X,2024-12-05,10,11,9,{close},9,5", "close '{close}' is not a number"),
        (
            '"=cmd|x",2024-12-05,10,11,9,10,9,5',
            "symbol '=cmd|x' is not a valid symbol: use at most 20 letters, digits and . - ^ = _",
        ),
        (",2024-12-05,10,11,9,10,9,5", "no symbol"),
        ("X,,10,11,9,10,9,5", "no date"),
        (
            "X,2024-02-30,10,11,9,10,9,5",
            "date '2024-02-30' is not a date; use YYYY-MM-DD",
        ),
        (
            "X,05/06/2024,10,11,9,10,9,5",
            "date '05/06/2024' is not an unambiguous date; pass --dates mdy or --dates dmy, or use"
            " YYYY-MM-DD",
        ),
        ("X,2024-12-07,10,11,9,10,9,5", "the exchange is closed on 2024-12-07"),
        ("X,2018-12-05,10,11,9,10,9,5", "the exchange is closed on 2018-12-05"),
        (
            "X,1985-01-02,10,11,9,10,9,5",
            "1985-01-02 is before 1990-01-02, the start of the calendar",
        ),
        ("X,2024-12-05,10,11,9,10", "6 cells, but the header has 8"),
        ("X,2024-12-05,10,11,9,10,9,5,7", "9 cells, but the header has 8"),
    ],
)
def test_a_bad_price_is_rejected_with_its_line_its_text_and_the_reason(file, row, reason):
    parsed = read_prices(
        file(
            f"symbol,date,open,high,low,close,adj_close,volume\nX,2024-12-06,10,11,9,10,9,5\n{row}\nY,2024-12-06,10,11,9,10,9,5\n"
        )
    )
    assert parsed.rejected == [(3, row, reason)]
    assert parsed.rows["symbol"].to_list() == ["X", "Y"]


@pytest.mark.parametrize("day", ["2099-01-02", "2999-01-02", "9999-12-31"])
def test_a_session_to_come_is_rejected(file, day):
    """However far: nanoseconds since 1970 end in 2262."""
    [reason] = reasons(read_prices(file(f"symbol,date,close\nX,2024-12-06,1\nX,{day},1\n")))
    assert reason.startswith(f"{day} is after 20")


def test_a_price_of_the_latest_ended_session_is_taken_and_one_of_the_next_is_rejected(file):
    last = trading_calendar.last_completed_session()
    coming = trading_calendar.next_session(last)
    parsed = read_prices(file(f"symbol,date,close\nX,{last},1\nX,{coming},1\n"))
    assert parsed.rows["date"].to_list() == [last]
    assert [line for line, _, _ in parsed.rejected] == [3]
    assert reasons(parsed)[0].startswith(f"{coming} is after {last}")


def test_a_benchmark_of_the_latest_ended_session_is_taken_and_one_of_the_next_day_is_rejected(file):
    last = trading_calendar.last_completed_session()
    coming = last + timedelta(days=1)
    parsed = read_benchmark(file(f"date,sector,weight\n{last},Energy,1\n{coming},Energy,1\n"))
    assert parsed.rows["date"].to_list() == [last]
    assert reasons(parsed) == [f"{coming} is in the future"]


def test_a_close_within_rounding_of_its_range_is_taken(file):
    assert (
        len(
            read_prices(
                file(
                    "symbol,date,high,low,close\nX,2024-12-05,11,9,11.004\nX,2024-12-06,11,9,8.996\n"
                )
            ).rows
        )
        == 2
    )


def test_the_first_of_several_rows_for_a_day_stands(file):
    parsed = read_prices(
        file(
            "symbol,date,close\nBRK.B,2024-12-06,470.5\nBRK-B,2024-12-06,999\nBRK.B,2024-12-06,470.5\nBRK.B,2024-12-05,469\n"
        )
    )
    assert parsed.rows["close"].to_list() == [470.5, 469]
    assert [(line, reason) for line, _, reason in parsed.rejected] == [
        (3, "duplicate row for BRK-B on 2024-12-06; the first is kept"),
        (4, "duplicate row for BRK.B on 2024-12-06; the first is kept"),
    ]


def test_a_rejected_row_does_not_stand_in_the_way_of_a_good_one(file):
    parsed = read_prices(file("symbol,date,close\nX,2024-12-06,0\nX,2024-12-06,5\n"))
    assert parsed.rows["close"].to_list() == [5]


def test_without_adj_close_it_is_the_close_and_a_note_says_so(file):
    parsed = read_prices(file("symbol,date,close\nX,2024-12-06,5\n"))
    assert parsed.rows[["adj_close", "has_adj_close"]].to_numpy().tolist() == [[5, False]]
    assert parsed.notes == [
        "no column of adjusted closes: the close is used, so dividends count as price falls"
    ]


def test_a_symbol_never_mixes_adjusted_and_unadjusted_closes(file):
    """A symbol with adj_close on some rows loses the others; one with none takes its closes."""
    parsed = read_prices(
        file(
            "symbol,date,close,adj_close\nX,2024-12-05,5,4\nX,2024-12-06,5,\nY,2024-12-05,7,\nY,2024-12-06,8,\n"
        )
    )
    taken = [["X", 4, True], ["Y", 7, False], ["Y", 8, False]]
    assert parsed.rows[["symbol", "adj_close", "has_adj_close"]].to_numpy().tolist() == taken
    assert reasons(parsed) == ["no adj_close, although X has it on other rows"]
    assert parsed.notes == [
        "no adjusted close for Y: the close is used, so dividends count as price falls"
    ]


def test_symbols_are_upper_case_with_a_dash_for_classes_and_na_is_one(file):
    rows = read_prices(
        file(
            "symbol,date,close\n brk.b"
            " ,2024-12-06,1\nBF/B,2024-12-06,1\nNA,2024-12-06,1\nnan,2024-12-06,1\n"
            "^GSPC,2024-12-06,1\n"
        )
    ).rows
    assert rows["symbol"].to_list() == ["BRK-B", "BF-B", "NA", "NAN", "^GSPC"]


def test_dollar_signs_and_thousands_separators_are_understood(file):
    rows = read_prices(
        file(
            'symbol,date,close,volume\nX,2024-12-06,"$1,234.50","12,345,678"\nY,2024-12-06,+1.5e1,1200.0\n'
        )
    ).rows
    assert rows[["close", "volume"]].to_numpy().tolist() == [[1234.5, 12345678], [15, 1200]]


@pytest.mark.parametrize(
    "written",
    [
        "20241206",
        "2024/12/06",
        "2024-12-06 00:00:00",
        "2024-12-06T16:00:00-05:00",
        "2024-12-06T00:00:00.000Z",
        "12/6/2024",
    ],
)
def test_dates_are_understood_where_they_can_mean_one_day(file, written):
    """12/6/2024 is settled by another date of the column with a part above 12."""
    rows = read_prices(file(f"symbol,date,close\nX,{written},1\nX,11/29/2024,1\n")).rows
    assert rows["date"].to_list() == [date(2024, 12, 6), date(2024, 11, 29)]


def test_dates_with_the_day_first_are_understood_where_the_column_proves_it(file):
    rows = read_prices(file("symbol,date,close\nX,06/12/2024,1\nX,29/11/2024,1\n")).rows
    assert rows["date"].to_list() == [date(2024, 12, 6), date(2024, 11, 29)]


def test_dates_that_contradict_each_other_are_rejected(file):
    """One date proves month first, another day first: only dates valid in both orders are used."""
    parsed = read_prices(
        file("symbol,date,close\nX,12/13/2024,1\nX,13/12/2024,1\nX,06/06/2024,1\n")
    )
    assert parsed.rows["date"].to_list() == [date(2024, 6, 6)]
    assert len(parsed.rejected) == 2


def test_another_currency_is_rejected(file):
    parsed = read_prices(
        file("symbol,date,close,currency\nX,2024-12-06,1,USD\nY,2024-12-06,1,EUR\n")
    )
    assert reasons(parsed) == ["currency EUR: only USD is supported"]


def test_holdings_are_read_and_lots_stay_apart(file):
    text = (
        "Ticker,Shares,Avg Cost,Purchase"
        ' Date,Side\nAAPL,"1,200",$189.50,2023-11-15,long\nAAPL,10.5,,,\n'
    )
    rows = read_portfolio(file(text)).rows
    assert rows.iloc[0].to_dict() | {"strike_price": None, "last_price": None} == {
        "symbol": "AAPL",
        "quantity": 1200,
        "entry_price": 189.5,
        "entry_date": date(2023, 11, 15),
        "position_type": "LONG",
        "investment_class": "PUBLIC",
        "underlying_symbol": None,
        "strike_price": None,
        "expiration_date": None,
        "last_price": None,
    }
    assert (rows["quantity"][1], rows["entry_date"][1], rows["position_type"][1]) == (
        10.5,
        None,
        "LONG",
    )
    assert np.isnan(rows["entry_price"][1])


@pytest.mark.parametrize(
    ("given", "quantity", "read_as", "signed"),
    [
        *[
            ("", 5, "LONG", 5),
            ("", -5, "SHORT", -5),
            ("LONG", 5, "LONG", 5),
            ("Long", -5, "SHORT", -5),
            ("SHORT", 5, "SHORT", -5),
        ],
        *[
            ("short", -5, "SHORT", -5),
            ("LC", 5, "LC", 5),
            ("long_put", 5, "LP", 5),
            ("SC", 5, "SC", -5),
            ("SP", -5, "SP", -5),
        ],
    ],
)
def test_position_type_and_sign_come_to_agree(file, given, quantity, read_as, signed):
    parsed = read_portfolio(file(f"symbol,quantity,position_type\nX,{quantity},{given}\n"))
    assert parsed.rows[["position_type", "quantity"]].to_numpy().tolist() == [[read_as, signed]]
    said = (
        ["LONG with a negative quantity, imported as SHORT: X"]
        if (given, quantity) == ("Long", -5)
        else []
    )
    assert parsed.notes == said


def test_options_keep_their_terms(file):
    header = "symbol,quantity,position_type,underlying,strike,expiry,last price,asset class"
    row = read_portfolio(
        file(f"{header}\nAAPL250117C00250000,-2,SC,aapl,250,2025-01-17,3.1,\n")
    ).rows.iloc[0]
    assert row[
        ["investment_class", "underlying_symbol", "strike_price", "expiration_date", "last_price"]
    ].to_list() == [
        *("OPTIONS", "AAPL", 250, date(2025, 1, 17), 3.1),
    ]


def test_the_asset_class_tells_private_holdings(file):
    rows = read_portfolio(
        file("symbol,quantity,asset class\nFUND1,1,Private Equity\nAAPL,1,Equity\n")
    ).rows
    assert rows["investment_class"].to_list() == ["PRIVATE", "PUBLIC"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("X,,,,,", "no quantity"),
        ("X,ten,,,,", "quantity 'ten' is not a number"),
        ("X,=10,,,,", "quantity '=10' is not a number"),
        ("X,inf,,,,", "quantity inf is too large"),
        (",5,,,,", "no symbol"),
        ("X,5,0,,,", "entry_price 0 is not a price (0.0001 to 99,999,999)"),
        ("X,5,-3,,,", "entry_price -3 is not a price (0.0001 to 99,999,999)"),
        (
            "X,5,,yesterday,,",
            "entry_date 'yesterday' is not a date; use YYYY-MM-DD",
        ),
        (
            "X,5,,2024-12-07,,",
            "entry_date 2024-12-07 is after 2024-12-06, the day of these holdings",
        ),
        (
            "X,5,,1899-12-31,,",
            "entry_date 1899-12-31 is before 1900: correct it, or leave it empty",
        ),
        ("X,5,,,HEDGE,", "position_type 'HEDGE' is not one of LONG, SHORT, LC, LP, SC, SP"),
        ("X,-5,,,LC,", "position_type LC contradicts the negative quantity -5"),
        ("X,5,,,LONG,OPTIONS", "option without position_type LC, LP, SC or SP"),
    ],
)
def test_a_bad_holding_is_rejected_with_its_line_its_text_and_the_reason(file, row, reason):
    text = (
        f"symbol,quantity,entry_price,entry_date,position_type,investment_class\nY,1,,,,\n{row}\n"
    )
    parsed = read_portfolio(file(text), date(2024, 12, 6))
    assert parsed.rejected == [(3, row, reason)]
    assert parsed.rows["symbol"].to_list() == ["Y"]


def test_holdings_without_a_day_are_those_of_today(file, monkeypatch):
    today = date(2022, 12, 28)
    monkeypatch.setattr(brokers, "date", stopped_date(today))
    parsed = read_portfolio(
        file(f"symbol,quantity,entry_date\nX,5,{today}\nX,5,{today + timedelta(days=1)}\n")
    )
    assert parsed.rows["entry_date"].to_list() == [today]
    assert reasons(parsed) == [
        f"entry_date {today + timedelta(days=1)} is after {today}, the day of these holdings"
    ]


def test_kinds_sectors_and_betas_are_read(file):
    text = (
        "symbol,name,asset_type,sector,gics_sector,beta\nAAPL,Apple"
        " Inc,STOCK,Technology,information technology,1.2\nSPY,SPDR,ETF,,,\nVFIAX,Vanguard,Mutual"
        " Fund,,,1\nZ,,,x,,\n"
    )
    rows = read_profiles(file(text)).rows
    assert rows["is_etf"].to_list() == [False, True, False, pd.NA]
    assert rows["is_fund"].to_list() == [False, False, True, pd.NA]
    assert rows["sector"].to_list() == ["Information Technology", None, None, None]
    assert rows["company_name"].to_list() == ["Apple Inc", "SPDR", "Vanguard", None]
    assert rows["beta"].fillna(-1).to_list() == [1.2, -1, 1, -1]


@pytest.mark.parametrize(
    ("vendor", "ours"),
    [
        *[
            ("Technology", "Information Technology"),
            ("Financial Services", "Financials"),
            ("HEALTHCARE", "Health Care"),
        ],
        *[
            ("Consumer Cyclical", "Consumer Discretionary"),
            ("consumer  defensive", "Consumer Staples"),
            ("Basic Materials", "Materials"),
        ],
        *((name, name) for name in gics.SECTORS),
    ],
)
def test_sector_names_of_vendors_become_gics(file, vendor, ours):
    assert read_profiles(file(f"symbol,sector\nX,{vendor}\n")).rows["sector"].to_list() == [ours]


def test_an_unknown_sector_is_left_out_and_named(file):
    parsed = read_profiles(file("symbol,sector\nX,Tulips\nY,Energy\n"))
    assert parsed.rows["sector"].to_list() == [None, "Energy"]
    assert parsed.notes == ["unknown sectors, stored as unclassified: Tulips"]


def test_a_second_profile_of_a_symbol_and_a_beta_that_is_none_are_rejected(file):
    parsed = read_profiles(file("symbol,beta\nX,1\nX,2\nY,high\nZ,1e9\n"))
    assert parsed.rows["beta"].to_list() == [1]
    assert reasons(parsed) == [
        "duplicate row for X; the first is kept",
        "beta 'high' is not a number",
        "beta 1e9 is too large",
    ]


def test_fractions_and_per_cents_are_told_apart_by_their_sum(file):
    rows = read_benchmark(
        file(
            "date,sector,weight\n2024-12-06,Energy,0.25\n2024-12-06,Utilities,0.75\n2024-12-05,Energy,25\n2024-12-05,Utilities,75\n"
        )
    ).rows
    assert rows["weight"].to_list() == [0.25, 0.75, 0.25, 0.75]


def test_weights_that_miss_the_whole_are_rescaled_and_a_note_says_so(file):
    parsed = read_benchmark(
        file("as of,GICS Sector,weight_pct\n2024-12-06,Energy,49\n2024-12-06,Technology,49\n")
    )
    assert parsed.rows["weight"].to_list() == [0.5, 0.5]
    assert parsed.rows["sector"].to_list() == ["Energy", "Information Technology"]
    assert parsed.notes == ["the weights of 2024-12-06 sum to 98.00%; rescaled to 100%"]


def test_what_a_benchmark_says_of_its_sectors_is_kept(file):
    head = "date,sector,weight,market cap,n_constituents\n"
    parsed = read_benchmark(
        file(
            f"{head}2024-12-06,Energy,1,1.5e12,23\n2024-12-06,Materials,0,-1,5\n2024-12-06,Utilities,0,,2.5\n"
        )
    )
    assert parsed.rows[["market_cap", "num_constituents"]].to_numpy().tolist() == [[1.5e12, 23]]
    assert reasons(parsed) == [
        "market_cap -1 is not an amount",
        "num_constituents 2.5 is not a number of stocks",
    ]


def test_bad_weights_are_rejected_and_do_not_count(file):
    head = "date,sector,weight\n2024-12-06,Energy,1\n"
    parsed = read_benchmark(
        file(
            f"{head}2024-12-06,Cash,.1\n2024-12-06,Utilities,-.1\n2024-12-06,Materials,\n2024-12-06,Energy,1\n2024-12-05,Energy,3\n,Energy,1\n"
        )
    )
    assert parsed.rows["weight"].to_list() == [1]
    assert reasons(parsed) == [
        "sector 'Cash' is not a GICS sector",
        "weight -.1 is not a valid benchmark weight",
        "no weight",
        "duplicate row for Energy on 2024-12-06; the first is kept",
        "the valid weights of 2024-12-05 sum to neither 1 nor 100",
        "no date",
    ]


@needs_shared_data
def test_daily_prices_load_whole():
    parsed = read_prices(SHARED_DATA / "prices_daily.parquet")
    assert (parsed.rows.shape, parsed.rejected) == ((43470, 9), [])
    assert parsed.rows.groupby("symbol").size().eq(1242).all()


def write_parquet(folder: Path) -> tuple[Path, Path]:
    """Return the prices of the sample as they are and as Parquet."""
    csv, parquet = sample.FOLDER / "prices.csv.gz", folder / "prices.parquet"
    pd.read_csv(csv).to_parquet(parquet)
    return csv, parquet


@pytest.mark.parametrize(
    "make",
    [
        write_parquet,
        pytest.param(
            lambda _: [SHARED_DATA / "demo" / f"prices.{kind}" for kind in ("csv.gz", "parquet")],
            id="demo",
            marks=needs_shared_data,
        ),
    ],
)
def test_the_same_prices_as_parquet_and_as_csv_are_the_same(
    make: Callable[[Path], Sequence[Path]], tmp_path: Path
) -> None:
    csv, parquet = (read_prices(file).rows for file in make(tmp_path))
    pd.testing.assert_frame_equal(parquet, csv)


@pytest.mark.parametrize("build", EVERY_TRADED_MARKET)
def test_raw_and_adjusted_closes_load_as_pandas_reads_them(
    build: Callable[[], TradedMarket], tmp_path: Path
) -> None:
    file, rows = tmp_path / "prices.parquet", build().rows
    rows.to_parquet(file)
    parsed = read_prices(file)
    assert (parsed.rejected, parsed.notes) == ([], [])
    assert parsed.rows[["close", "adj_close"]].equals(rows[["close", "adj_close"]])


@needs_shared_data
def test_profiles_and_sector_weights_load_without_an_option():
    profiles, weights = (
        read_profiles(SHARED_DATA / "symbols.csv"),
        read_benchmark(SHARED_DATA / "sp500_sector_weights.csv"),
    )
    assert (len(profiles.rows), profiles.rejected, weights.rejected) == (35, [], [])
    assert set(profiles.rows["sector"].dropna()) == set(gics.SECTORS)
    assert weights.rows.groupby("date")["weight"].sum().to_numpy() == pytest.approx(
        [1, 1, 1], abs=1e-12
    )
    published = pd.read_csv(SHARED_DATA / "sp500_sector_weights.csv")
    assert weights.rows["weight"].to_numpy() * 100 == pytest.approx(
        published["weight_pct_normalised"].to_numpy(), abs=1e-3
    )
    assert weights.rows["num_constituents"].to_list() == published["n_constituents"].to_list()


@needs_shared_data
@pytest.mark.parametrize(
    ("name", "lots"),
    [("balanced_25", 25), ("long_short", 5), ("single_stock", 1), ("concentrated_3", 3)],
)
def test_portfolios_load_without_an_option(name, lots):
    parsed = read_portfolio(SHARED_DATA / "portfolios" / f"{name}.csv")
    assert (len(parsed.rows), parsed.rejected, parsed.notes) == (lots, [], [])
    assert ((parsed.rows["quantity"] < 0) == (parsed.rows["position_type"] == "SHORT")).all()

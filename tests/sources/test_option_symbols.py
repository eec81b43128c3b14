"""Options' symbols in the ways that brokers write them, and what looks like one and is none."""

from datetime import date
from decimal import Decimal

import pytest

from riskmetrics.sources.brokers import read_portfolio
from riskmetrics.symbols import parse_option


@pytest.mark.parametrize(
    ("written", "symbol", "terms"),
    [
        (
            "AAPL  250117C00250000",
            "AAPL250117C00250000",
            ("AAPL", "C", Decimal(250), date(2025, 1, 17)),
        ),
        (
            "aapl250117p00192500",
            "AAPL250117P00192500",
            ("AAPL", "P", Decimal("192.5"), date(2025, 1, 17)),
        ),
        (" -AAPL250117C250", "AAPL250117C00250000", ("AAPL", "C", Decimal(250), date(2025, 1, 17))),
        ("-F260116P7.5", "F260116P00007500", ("F", "P", Decimal("7.5"), date(2026, 1, 16))),
        (
            "BRK/B 01/17/2025 400.50 P",
            "BRKB250117P00400500",
            ("BRK-B", "P", Decimal("400.5"), date(2025, 1, 17)),
        ),
        (
            "BRK B 17JAN25 400 C",
            "BRKB250117C00400000",
            ("BRK-B", "C", Decimal(400), date(2025, 1, 17)),
        ),
        *(
            (written, "QQA270319P00235000", ("QQA", "P", Decimal(235), date(2027, 3, 19)))
            for written in (
                "QQA Mar 19 '27 $235 Put",
                "QQA Mar 19 2027 235.00 Put",
                "QQA 3/19/2027 Put $235.00",
                "QQA 03/19/27 235 P",
                "QQA 19MAR2027 235 P",
                "QQA 2027-03-19 235 P",
                ".QQA270319P235",
                "QQA_031927P235",
                "O:QQA270319P00235000",
                "QQA 270319P00235000",
            )
        ),
        (
            "QQA Mar 19 '27 $1,235.50 Call",
            "QQA270319C01235500",
            ("QQA", "C", Decimal("1235.5"), date(2027, 3, 19)),
        ),
    ],
)
def test_symbols_of_options_are_read_in_every_broker_s_way(written, symbol, terms):
    found = parse_option(written)
    assert found is not None
    assert (found.symbol, (found.underlying, found.right, found.strike, found.expiration)) == (
        symbol,
        terms,
    )


@pytest.mark.parametrize(
    "written",
    ["AAPL", "-KO", "AAPL 13/17/2025 250.00 C", "AAPL250230C00250000", "AAPL250117X00250000", ""],
)
def test_what_is_no_symbol_of_an_option_is_none(written):
    assert parse_option(written) is None


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (
            "AAPL250230C00250000",
            "looks like an option symbol but is not valid",
        ),  # the 30th of February
        ("F 13/17/25 7.5 C", "is not a valid symbol"),
        ("AAPL JAN 32 2025 250 C", "is not a valid symbol"),
        ("AAPL GY Equity", "is listed on GY"),
        ("N/A", "no symbol"),
        ("AAPL1 01/17/2025 250.00 C", "is an adjusted option with an unknown deliverable"),
        ("-AAPL7250117C250", "is an adjusted option with an unknown deliverable"),
    ],
)
def test_what_is_no_share_is_not_held_as_one(file, written, reason):
    """A symbol that cannot be read must not become another one by leaving out its spaces."""
    parsed = read_portfolio(file(f"symbol,quantity\nKO,1\n{written},1\n"))
    assert parsed.rows["symbol"].to_list() == ["KO"]
    assert [reason in row.reason for row in parsed.rejected] == [True]


def test_an_option_s_symbol_and_a_contradicting_type_are_rejected(file):
    text = (
        "symbol,quantity,side\nAAPL250117C00250000,1,LP\n"
        "AAPL250117C00250000,1,long\nAAPL250117C00250000,3,short\n"
    )
    parsed = read_portfolio(file(text))
    assert parsed.rows[["position_type", "quantity"]].to_numpy().tolist() == [["LC", 1], ["SC", -3]]
    assert [row.reason for row in parsed.rejected] == [
        "position_type LP contradicts the option symbol AAPL250117C00250000"
    ]

"""Sector weights, active weights and concentration of small books, by hand."""

import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from small_books import SESSIONS, book, lot

from riskmetrics.results import exposures

DAY = date(2024, 1, 23)
PRICES = {
    symbol: dict.fromkeys(SESSIONS, price)
    for symbol, price in {"OIL": 10.0, "BANK": 20.0, "FUND": 5.0, "NEW": 1.0}.items()
}
PROFILES = {
    "OIL": ("Energy", False, 1.0),
    "BANK": ("Financials", False, 1.0),
    "FUND": ("Financials", True, 1.0),
}
OLD, NEW = date(2023, 12, 29), date(2024, 2, 1)
BENCHMARK = {
    OLD: {"Energy": 0.1, "Utilities": 0.9},
    NEW: {"Energy": 0.2, "Utilities": 0.7, "Materials": 0.1},
}


def exposed(*lots, days=(DAY,), benchmark=BENCHMARK, equity=None):
    of = book(*lots, closes=PRICES, profiles=PROFILES, benchmark=benchmark, equity=equity)
    valued = of.value_book(*days)
    sectors = exposures.sector_rows(valued, of.profiles, of.benchmark, "SP500")
    rows, undefined = exposures.concentration_rows(valued, sectors)
    return sectors.set_index("sector"), rows, undefined


def test_sector_weights_by_hand():
    """300 oil, -100 bank, 100 in a fund; equity 1,000.

    Gross 500: .6, .2, .2; net of equity .3, -.1, .1; active .3 - .1 for oil.
    """
    lots = lot("OIL", 30), lot("BANK", -5, position_type="SHORT"), lot("FUND", 20)
    sectors, rows, undefined = exposed(*lots, equity={"A": (1000.0, DAY)})
    expected = {
        "Energy": [0.6, 0.3, 0.1, 0.2],
        "Financials": [0.2, -0.1, 0, -0.1],
        "Fund, not looked through": [0.2, 0.1, 0, np.nan],
        "Utilities": [0, 0, 0.9, -0.9],
    }
    assert list(sectors.index) == list(expected)
    columns = ["gross_weight", "net_weight", "benchmark_weight", "active_weight"]
    assert_allclose(sectors[columns].to_numpy(), list(expected.values()), atol=1e-15)
    assert json.loads(rows["sector_exposure"].iloc[0]) == {
        "Energy": 0.6,
        "Financials": 0.2,
        "Fund, not looked through": 0.2,
    }
    assert undefined["metric"].tolist() == ["portfolio_sector_weights.active_weight"]
    assert "not looked through" in undefined["reason"].iloc[0]


def test_concentration_by_hand():
    """Weights .6, .2, .2: HHI .36 + .04 + .04 = .44."""
    _, rows, _ = exposed(lot("OIL", 30), lot("BANK", -5, position_type="SHORT"), lot("FUND", 20))
    columns = ["hhi", "effective_num_positions", "top_3_concentration", "top_10_concentration"]
    assert_allclose(rows[columns].to_numpy(), [[0.44, 1 / 0.44, 1, 1]], rtol=1e-12)


def test_lots_are_netted_before_anything_is_squared():
    """30 oil less 20 of it short are 10: two equal weights."""
    _, rows, _ = exposed(lot("OIL", 30), lot("OIL", -20, position_type="SHORT"), lot("BANK", 5))
    assert_allclose(rows["hhi"], [0.5], rtol=1e-12)


def test_long_and_short_of_one_sector_have_gross_weight_and_no_net_weight():
    put = lot(
        "OIL", -1, position_type="SP", last_price=1.0, strike_price=9.0, investment_class="OPTIONS"
    )
    sectors, _, _ = exposed(lot("OIL", 10), put, equity={"A": (1000.0, DAY)})
    assert sectors.loc["Energy", ["gross_weight", "net_weight"]].tolist() == [1, 0]


@pytest.mark.parametrize(
    ("holding", "sector"),
    [
        (lot("NEW", 1), "Unclassified"),
        (lot("OIL", 1, investment_class="PRIVATE", last_price=1.0), "Unclassified"),
        (
            lot(
                "OIL240621C",
                1,
                position_type="LC",
                investment_class="OPTIONS",
                underlying_symbol="OIL",
                last_price=1.0,
            ),
            "Energy",
        ),
        (lot("FUND", 1), "Fund, not looked through"),
    ],
)
def test_the_sector_of_what_is_not_a_listed_company(holding, sector):
    """No profile; a private holding that shares a listed company's name; an option, by its
    underlying; a fund, whatever its sector.
    """
    sectors, _, _ = exposed(holding, benchmark={})
    assert list(sectors.index) == [sector]


def test_the_benchmark_of_a_day_is_the_latest_that_was_known_on_it():
    sectors, _, _ = exposed(
        lot("OIL", 1),
        days=tuple(day for day in SESSIONS if date(2024, 1, 30) <= day <= date(2024, 2, 2)),
    )
    energy = sectors.loc["Energy"].set_index("day")
    assert energy["benchmark_weight"].tolist() == [0.1, 0.1, 0.2, 0.2]
    assert energy["benchmark_asof"].dt.date.tolist() == [OLD, OLD, NEW, NEW]
    assert sectors.groupby("day").size().tolist() == [2, 2, 3, 3]
    assert set(sectors["benchmark_code"]) == {"SP500"}


@pytest.mark.parametrize("benchmark", [{}, {NEW: BENCHMARK[NEW]}])
def test_without_a_benchmark_up_to_the_day_active_weights_are_undefined_with_one_reason(benchmark):
    sectors, rows, undefined = exposed(lot("OIL", 30), lot("BANK", 5), benchmark=benchmark)
    assert (
        sectors[["benchmark_weight", "active_weight", "benchmark_asof", "benchmark_code"]]
        .isna()
        .all(axis=None)
    )
    assert list(sectors.index) == ["Energy", "Financials"]
    found = undefined[["metric", "subject", "reason"]].to_numpy().tolist()
    assert found == [
        [
            "portfolio_sector_weights.active_weight",
            "A",
            "no benchmark sector weights are stored for the day or earlier",
        ]
    ]
    assert rows["hhi"].notna().all()


def test_an_empty_portfolio_beside_another_has_no_weights_and_says_why():
    sectors, rows, undefined = exposed(
        lot("OIL", 1), lot("BANK", 1, portfolio_id="C"), equity=dict.fromkeys("ABC", (None, None))
    )
    assert rows["sector_exposure"].isna().tolist() == [False, True, False]
    assert set(sectors["portfolio_id"]) == {"A", "C"}
    assert set(undefined["subject"]) == {"B"}
    assert set(undefined["reason"]) == {"the portfolio holds nothing with a value"}
    assert len(undefined) == 5


def test_without_positive_equity_there_are_no_net_weights():
    """-300 of oil and 100 of a bank: equity is -200 of 400.

    Gross weights and concentration stay.
    """
    sectors, rows, undefined = exposed(lot("OIL", -30, position_type="SHORT"), lot("BANK", 5))
    assert sectors[["net_weight", "active_weight"]].isna().all(axis=None)
    assert sectors.loc[["Energy", "Financials"], "gross_weight"].tolist() == [0.75, 0.25]
    assert rows["hhi"].tolist() == [0.625]
    assert dict(undefined[["metric", "reason"]].to_numpy()) == dict.fromkeys(
        ("portfolio_sector_weights.net_weight", "portfolio_sector_weights.active_weight"),
        "equity is -50.0% of gross exposure; 5% required",
    )


def test_sector_names_need_not_be_those_of_the_benchmark_and_may_hold_any_character():
    of = book(
        lot("OIL", 1),
        closes=PRICES,
        profiles={"OIL": ('Oil "and" Gas, Ø', False, 1.0)},
        benchmark=BENCHMARK,
    )
    valued = of.value_book(DAY)
    sectors = exposures.sector_rows(valued, of.profiles, of.benchmark, "SP500")
    rows, _ = exposures.concentration_rows(valued, sectors)
    assert json.loads(rows["sector_exposure"].iloc[0]) == {'Oil "and" Gas, Ø': 1.0}
    assert sectors["active_weight"].tolist() == [-0.1, 1.0, -0.9]


def test_exposures_sum_to_one_as_they_are_stored():
    """Seven equal holdings: no rounding of 1/7 gets lost."""
    symbols = [f"S{at}" for at in range(7)]
    closes = {symbol: dict.fromkeys(SESSIONS, 10.0) for symbol in symbols}
    of = book(
        *(lot(symbol, 1) for symbol in symbols),
        closes=closes,
        profiles={symbol: (f"{symbol} sector", False, 1.0) for symbol in symbols},
    )
    valued = of.value_book(DAY)
    rows, _ = exposures.concentration_rows(
        valued, exposures.sector_rows(valued, of.profiles, of.benchmark, "SP500")
    )
    stored = json.loads(rows["sector_exposure"].iloc[0])
    assert len(stored) == 7
    assert_allclose(sum(stored.values()), 1, rtol=1e-15)
    assert np.isfinite(list(stored.values())).all()


def test_no_portfolio_and_no_profile_at_all_give_no_row():
    sectors, rows, undefined = exposed(equity={}, benchmark={})
    assert sectors.empty
    assert rows.empty
    assert undefined.empty


INDEX_FUNDS = {
    "SPY": ("Financials", True, 1.0),
    "XLE": (None, True, 1.0),
    "TLT": (None, True, 0.0),
}


def look_through(
    *lots, benchmark=BENCHMARK, profiles=INDEX_FUNDS, days=(DAY,), equity=None, fund_weights=None
):
    closes = {name: dict.fromkeys(SESSIONS, 10.0) for name in (*INDEX_FUNDS, "OIL", "FUND")}
    of = book(
        *lots,
        closes=closes,
        profiles={**PROFILES, **profiles},
        benchmark=benchmark,
        equity=equity,
    )
    valued = of.value_book(*days)
    sectors = exposures.sector_rows(
        valued, of.profiles, of.benchmark, "SP500", _weight_frames(fund_weights or {})
    )
    return sectors.set_index("sector"), exposures.concentration_rows(valued, sectors)


def test_an_index_fund_of_the_benchmark_has_no_active_weights():
    sectors, (rows, undefined) = look_through(lot("SPY", 10))
    assert sectors["gross_weight"].to_dict() == {"Energy": 0.1, "Utilities": 0.9}
    assert_allclose(sectors["active_weight"], 0, atol=1e-15)
    assert_allclose(sectors["look_through_weight"], sectors["gross_weight"])
    assert rows["hhi"].tolist() == [1]  # of positions: the fund is one
    assert undefined.empty


def test_funds_are_looked_through_by_hand():
    """Equity 1,000 of 400 in the index fund, 300 in energy, 200 in bonds, 100 in another fund.

    Energy has .4 x .1 + .3 = .34, utilities .4 x .9 = .36.
    """
    lots = lot("SPY", 40), lot("XLE", 30), lot("TLT", 20), lot("FUND", 10)
    sectors, (_, undefined) = look_through(*lots)
    expected = {
        "Bonds": [0.2, 0.2, 0.2],
        "Energy": [0.34, 0.24, 0.34],
        "Fund, not looked through": [0.1, np.nan, 0],
        "Utilities": [0.36, -0.54, 0.36],
    }
    assert list(sectors.index) == list(expected)
    columns = ["gross_weight", "active_weight", "look_through_weight"]
    assert_allclose(sectors[columns].to_numpy(), list(expected.values()), atol=1e-15)
    assert sectors["gross_weight"].sum() == pytest.approx(1, abs=1e-15)
    # what is known is active against the benchmark, the rest is stated
    assert sectors["active_weight"].sum() == pytest.approx(0.9 - 1, abs=1e-15)
    assert undefined["reason"].tolist() == [
        "the sectors of funds that are not looked through are not known"
    ]


def _weight_frames(by_fund: dict[str, dict[date, dict[str, float]]]) -> dict[str, pd.DataFrame]:
    return {
        symbol: pd.DataFrame.from_dict(weights, orient="index").set_index(
            pd.to_datetime(list(weights))
        )
        for symbol, weights in by_fund.items()
    }


def test_a_fund_has_its_own_weights_before_those_of_the_table():
    """Equity 1,000: 500 in a fund of 3 to 1, 200 in one of the table, 300 in the index fund.

    Stored weights of the index fund do not count: it has those of the benchmark.
    """
    lots = lot("FUND", 50), lot("XLE", 20), lot("SPY", 30)
    stored = {
        "FUND": {OLD: {"Energy": 75.0, "Materials": 25.0}},
        "XLE": {OLD: {"Energy": 0.9, "Utilities": 0.1}},
        "SPY": {OLD: {"Materials": 1.0}},
    }
    sectors, (_, undefined) = look_through(*lots, fund_weights=stored)
    expected = {
        "Energy": 0.5 * 0.75 + 0.2 * 0.9 + 0.3 * 0.1,
        "Materials": 0.5 * 0.25,
        "Utilities": 0.2 * 0.1 + 0.3 * 0.9,
    }
    assert sectors["gross_weight"].to_dict() == pytest.approx(expected)
    assert sectors["look_through_weight"].to_dict() == pytest.approx(expected)
    assert undefined.empty


@pytest.mark.parametrize(
    ("symbol", "profiles", "before"),
    [
        ("FUND", INDEX_FUNDS, "Fund, not looked through"),
        ("FUND", {"FUND": (None, False, 1.0)}, "Unclassified"),
        ("XLE", INDEX_FUNDS, "Energy"),
    ],
)
def test_a_fund_keeps_its_class_before_its_first_weights(symbol, profiles, before):
    """The range has the rows of its days; a profile that says that it is no fund has precedence."""
    days = tuple(day for day in SESSIONS if date(2024, 1, 30) <= day <= date(2024, 2, 2))
    stored = {symbol: {NEW: {"Materials": 1.0}}}
    sectors, _ = look_through(lot(symbol, 1), days=days, profiles=profiles, fund_weights=stored)
    own = sectors[sectors["gross_weight"] > 0]
    after = before if before == "Unclassified" else "Materials"
    assert own.index.tolist() == [before, before, after, after]
    for day in days:
        known = stored if day >= NEW else {}
        alone, _ = look_through(lot(symbol, 1), days=(day,), profiles=profiles, fund_weights=known)
        assert alone.equals(sectors[sectors["day"] == str(day)])


def test_a_short_index_fund_hedges_the_sectors_of_its_benchmark():
    sectors, _ = look_through(
        lot("OIL", 30), lot("SPY", -10, position_type="SHORT"), equity={"A": (400.0, DAY)}
    )
    assert_allclose(sectors.loc["Energy", ["gross_weight", "net_weight"]], [0.775, 0.725])
    assert_allclose(sectors.loc["Utilities", ["gross_weight", "net_weight"]], [0.225, -0.225])


def test_an_index_fund_is_looked_through_from_the_first_weights_on():
    days = tuple(day for day in SESSIONS if date(2024, 1, 30) <= day <= date(2024, 2, 2))
    sectors, _ = look_through(lot("SPY", 1), benchmark={NEW: BENCHMARK[NEW]}, days=days)
    found = sectors.groupby("day")["gross_weight"].agg(lambda weights: dict(weights.items()))
    assert found.tolist() == [{"Fund, not looked through": 1}] * 2 + [BENCHMARK[NEW]] * 2
    for day in days:
        alone, _ = look_through(lot("SPY", 1), benchmark={NEW: BENCHMARK[NEW]}, days=(day,))
        assert alone.equals(sectors[sectors["day"] == str(day)])


@pytest.mark.parametrize(
    ("profiles", "sector"),
    [({"XLE": ("Financials", False, 1.0)}, "Financials"), ({"XLE": (None, True, 1.0)}, "Energy")],
)
def test_a_profile_that_says_what_a_symbol_is_has_precedence(profiles, sector):
    sectors, _ = look_through(lot("XLE", 1), profiles=profiles, benchmark={})
    assert list(sectors.index) == [sector]


def test_a_well_known_fund_needs_no_profile():
    sectors, _ = look_through(lot("TLT", 1), lot("XLE", 1), profiles={}, benchmark={})
    assert sectors["gross_weight"].to_dict() == {"Bonds": 0.5, "Energy": 0.5}


def test_an_index_fund_of_another_benchmark_is_not_looked_through():
    of = book(
        lot("SPY", 1),
        closes={"SPY": dict.fromkeys(SESSIONS, 10.0)},
        profiles=INDEX_FUNDS,
        benchmark=BENCHMARK,
    )
    sectors = exposures.sector_rows(of.value_book(DAY), of.profiles, of.benchmark, "WORLD")
    assert sectors.loc[sectors["gross_weight"] > 0, "sector"].tolist() == [
        "Fund, not looked through"
    ]

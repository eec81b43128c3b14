"""What a result may not depend on: the future, other days, other portfolios, other symbols, the order or the splitting of lots."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal
from small_books import SESSIONS, Book, random_book

# a smaller seed is no simpler book: nothing to gain from shrinking
repeatable = settings(derandomize=True, deadline=None, max_examples=5, phases=[Phase.explicit, Phase.generate])
seeds = st.integers(0, 2**32 - 1)
DAYS = SESSIONS[150:154]
OF_SYMBOLS = ("adjusted", "two_factor", "symbol_forecasts")


def assert_identical(ours: dict[str, pd.DataFrame], theirs: dict[str, pd.DataFrame]) -> None:
    """Every table, to the last bit."""
    for name, table in ours.items():
        assert_frame_equal(table, theirs[name], check_exact=True, obj=name)


def only(results: dict[str, pd.DataFrame], **columns: object) -> dict[str, pd.DataFrame]:
    """Rows of the tables of one portfolio, or of one day."""
    chosen = {}
    for name, table in results.items():
        mine = np.ones(len(table), dtype=bool)
        for column in ("portfolio_id",) if "portfolio_id" in columns else ("snapshot_date", "calc_date", "calculation_date", "day"):
            if column in table:
                mine &= (table[column] == next(iter(columns.values()))).to_numpy()
        chosen[name] = table[mine].reset_index(drop=True)
    return chosen


def limited(of: Book, *names: str) -> Book:
    """The book with some of its portfolios only."""
    portfolios, lots = (table[table["portfolio_id"].isin(names)].reset_index(drop=True) for table in (of.portfolios, of.lots))
    return of._replace(portfolios=portfolios, lots=lots, anchors=of.anchors[of.anchors.index.isin(names)])


@repeatable
@given(seeds)
def test_a_range_of_days_equals_its_days_one_by_one(seed):
    of = random_book(seed)
    together = of.results(*DAYS)
    for day in DAYS:
        assert_identical(of.results(day), only(together, day=pd.Timestamp(day)))


@repeatable
@given(seeds)
def test_a_portfolio_alone_equals_itself_among_others_in_any_order(seed):
    of = random_book(seed)
    backwards = of._replace(portfolios=of.portfolios.iloc[::-1].reset_index(drop=True))
    together = of.results(*DAYS[:2])
    assert_identical(together, backwards.results(*DAYS[:2]))
    for name in "AB":
        alone = limited(of, name).results(*DAYS[:2])
        symbols = set(alone["adjusted"]["symbol"])
        for table in OF_SYMBOLS:  # what is of a symbol is of no portfolio
            named = together[table].columns[0]
            mine = together[table][together[table][named].isin(symbols)].merge(alone[table][[named, "day"]])
            assert_frame_equal(mine.reset_index(drop=True), alone.pop(table), check_exact=True, obj=table)
        assert_identical(alone, only(together, portfolio_id=name))


@repeatable
@given(seeds)
def test_a_symbol_that_nobody_holds_changes_nothing(seed):
    of = random_book(seed)
    more = of.closes.assign(AAA=12.5, S4B=np.linspace(1, 2, len(of.closes)), ZZZ=np.nan).sort_index(axis="columns")
    assert_identical(of.results(*DAYS[:2]), of._replace(closes=more).results(*DAYS[:2]))


@repeatable
@given(seeds)
def test_no_price_trade_or_benchmark_after_a_day_moves_anything_on_it(seed):
    """All equity balances of the book are stated before the day."""
    of, day = random_book(seed), pd.Timestamp(DAYS[0])
    closes, lots, benchmark = of.closes.copy(), of.lots.copy(), of.benchmark.copy()
    closes[closes.index > day] *= 3
    later = lots["exit_date"] > day
    lots.loc[later, "exit_date"] = pd.NaT
    lots = lots[lots["entry_date"] <= day].reset_index(drop=True)
    benchmark[benchmark.index > day] = 0.1
    held_later = lots["portfolio_id"].unique()
    changed = of._replace(closes=closes, lots=lots, benchmark=benchmark)
    assert set(held_later) == set(of.portfolios["portfolio_id"])
    assert_identical(of.results(DAYS[0]), changed.results(DAYS[0]))


@repeatable
@given(seeds)
def test_splitting_every_lot_in_two_changes_nothing_of_a_portfolio(seed):
    """Up to the rounding of the sums; the reasons count lots and are left aside."""
    of = random_book(seed)
    halves = of.lots.loc[of.lots.index.repeat(2)].reset_index(drop=True)
    halves["quantity"] /= 2
    halves["market_value"] /= 2
    whole, split = of.results(*DAYS[:2]), of._replace(lots=halves).results(*DAYS[:2])
    for name in ("values", "betas", "concentration", "sectors", "coverage"):
        exact = {"sector_exposure"} & set(whole[name])
        assert_frame_equal(whole[name].drop(columns=exact), split[name].drop(columns=exact), rtol=1e-9, atol=1e-7, obj=name)


@repeatable
@given(seeds, st.floats(0.1, 10))
def test_a_book_k_times_as_large_has_k_times_the_money_and_the_same_shares(seed, k):
    of = random_book(seed)
    lots, portfolios = of.lots.copy(), of.portfolios.copy()
    lots[["quantity", "market_value"]] *= np.round(k, 1)
    portfolios["equity_balance"] *= np.round(k, 1)
    before, after = of.results(DAYS[0]), of._replace(lots=lots, portfolios=portfolios).results(DAYS[0])
    money = ["total_value", "cash_value", "long_value", "short_value", "gross_exposure", "net_exposure", "daily_pnl", "cumulative_pnl"]
    expected = before["values"][money] * np.round(k, 1)
    assert_frame_equal(after["values"][money], expected, rtol=1e-9, atol=1e-6)
    for name, shares in (
        ("concentration", ["hhi", "top_3_concentration"]),
        ("betas", ["beta_calculated_90d"]),
        ("sectors", ["net_weight"]),
    ):
        assert_frame_equal(after[name][shares], before[name][shares], rtol=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_every_missing_value_has_exactly_one_reason_and_every_reason_a_missing_value(seed):
    results = random_book(seed).results(*DAYS)
    undefined = results["undefined"].set_index(["metric", "subject", "day"])
    assert not undefined.index.has_duplicates
    assert (undefined["reason"].str.len() > 0).all()
    tables = {
        "values": "portfolio_snapshots",
        "betas": "portfolio_snapshots",
        "concentration": "portfolio_snapshots",
        "greeks": "portfolio_snapshots",
    }
    expected = set()
    for name, table in {**tables, "positions": "position_market_betas"}.items():
        frame = results[name]
        subject, day = ("position_id", "calc_date") if name == "positions" else ("portfolio_id", "snapshot_date")
        for column in frame.columns[frame.isna().any()]:
            rows = frame[frame[column].isna()]
            expected |= {(f"{table}.{column}", *key) for key in zip(rows[subject], rows[day], strict=True)}
    sectors = results["sectors"]
    rows = sectors[sectors["active_weight"].isna()]
    expected |= {("portfolio_sector_weights.active_weight", *key) for key in zip(rows["portfolio_id"], rows["day"], strict=True)}
    elsewhere = undefined.index.get_level_values("metric").str.contains("volatility|total_value")
    assert set(undefined.index[~elsewhere]) == expected

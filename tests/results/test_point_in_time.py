"""Invariance of results to the future, other days, portfolios and symbols, and order of lots."""

from collections.abc import Iterator
from datetime import date

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from small_books import MARKET, SESSIONS, Book, long_book, random_book

from riskmetrics.results import option_results

pytestmark = [pytest.mark.slow(4), pytest.mark.together(40)]

DAYS = SESSIONS[150:154]
OF_SYMBOLS = (
    *("adjusted", "decayed", "two_factor", "symbol_factors"),
    *("symbol_forecasts", "symbol_outcomes"),
)
DAY_NAMES = ("completed_on", "snapshot_date", "calc_date", "calculation_date", "day")


def assert_identical(ours: dict[str, pd.DataFrame], theirs: dict[str, pd.DataFrame]) -> None:
    """Every table, to the last bit; a table without rows has no types to compare."""
    assert ours.keys() == theirs.keys()
    for name, table in ours.items():
        has_rows = len(table) > 0
        assert_frame_equal(table, theirs[name], check_exact=True, check_dtype=has_rows, obj=name)


def only(results: dict[str, pd.DataFrame], **columns: object) -> dict[str, pd.DataFrame]:
    """Rows of one portfolio, of the tables that are not of symbols, or of one day."""
    ((of, value),) = columns.items()
    chosen = {}
    for name, table in results.items():
        if of == "day" or name not in OF_SYMBOLS:
            column = of if of == "portfolio_id" else next(day for day in DAY_NAMES if day in table)
            chosen[name] = table[table[column] == value].reset_index(drop=True)
    return chosen


def limited(of: Book, *names: str) -> Book:
    """The book with some of its portfolios only."""
    portfolios, lots = (
        table[table["portfolio_id"].isin(names)].reset_index(drop=True)
        for table in (of.portfolios, of.lots)
    )
    return of._replace(
        portfolios=portfolios, lots=lots, anchors=of.anchors[of.anchors.index.isin(names)]
    )


@pytest.fixture(scope="module", params=range(2))
def with_history(request: pytest.FixtureRequest) -> Book:
    return long_book(request.param)


@pytest.fixture(scope="module", params=range(5))
def book(request: pytest.FixtureRequest) -> Book:
    """Return a random book."""
    return random_book(request.param)


@pytest.fixture(scope="module", autouse=True)
def results_are_computed_once() -> Iterator[None]:
    """Keep the results of books that several tests look at."""
    yield
    _computed.clear()


_computed: dict[tuple[int, tuple[date, ...]], tuple[Book, dict[str, pd.DataFrame]]] = {}
"""Results by the id of a book, which is kept with them, and by days."""


def compute_once(of: Book, *days: date) -> dict[str, pd.DataFrame]:
    """Return the results of a book, which nobody changes."""
    key = id(of), days
    if key not in _computed:
        _computed[key] = of, of.results(*days)
    return dict(_computed[key][1])


def assert_a_range_equals_its_days(of: Book, together: dict[str, pd.DataFrame]) -> None:
    for day in DAYS:
        assert_identical(compute_once(of, day), only(together, day=pd.Timestamp(day)))


def test_a_range_of_days_equals_its_days_one_by_one(book):
    assert_a_range_equals_its_days(book, compute_once(book, *DAYS))


def test_a_range_of_days_equals_its_days_one_by_one_in_what_takes_years_of_prices(with_history):
    together = compute_once(with_history, *DAYS)
    assert_known(together)
    assert_a_range_equals_its_days(with_history, together)


def with_suspects(of: Book) -> Book:
    """The book with splits before and in DAYS, and a tick like a split that the next day
    reverts.
    """
    closes = of.closes.copy()
    for symbol, day, factor in (
        ("S1", DAYS[0], 0.25),
        ("S2", DAYS[1], 0.5),
        ("S3", SESSIONS[100], 10.0),
        ("S4", DAYS[2], 0.1),
    ):
        row = closes.index.get_loc(pd.Timestamp(day))
        moved = closes[symbol].iloc[row - 1] / closes[symbol].iloc[row]
        closes.loc[closes.index >= pd.Timestamp(day), symbol] *= factor * moved
    closes.loc[pd.Timestamp(DAYS[1]), "S5"] *= 0.25
    book = of._replace(closes=closes)
    suspects = book.suspects().set_index("symbol")
    assert set(suspects.index) == {"S1", "S2", "S3", "S4", "S5"}
    assert suspects.loc["S5", "close_reverts"]
    return book


def test_a_suspected_split_is_known_on_its_day_as_in_a_range() -> None:
    of = with_suspects(random_book(0, missing=0.0))
    together = of.results(*DAYS)
    assert_a_range_equals_its_days(of, together)
    assert_nothing_later_moves(of)
    reasons = together["undefined"]["reason"]
    assert reasons.str.startswith("lots held over a suspected split").any()


def assert_known(results: dict[str, pd.DataFrame]) -> None:
    """What needs the longest histories is known of everything, and ranges are in the forecasts of
    all but portfolios of several stocks.
    """
    listed = results["volatility"]["realized_vol_21d"].notna()
    assert (
        results["volatility"]
        .loc[listed, ["model_r_squared", "vol_percentile", "expected_vol_21d"]]
        .notna()
        .all(axis=None)
    )
    tail = results["tail_risk"]
    tail = tail[tail["method"] != "revalued"]  # some options have no value
    assert tail[["value_at_risk", "expected_shortfall"]].notna().all(axis=None)
    assert results["backtests"][["likelihood_ratio", "p_value"]].notna().all(axis=None)
    assert set(results["tail_risk"]["level"]) == set(results["backtests"]["level"]) == {0.95, 0.99}
    assert set(results["symbol_forecasts"]["proxy"]) == {"range_market"}
    proxies = results["portfolio_forecasts"].groupby("portfolio_id")["proxy"].agg(set).to_dict()
    assert proxies == {"A": {"close_market"}, "B": {"close_market"}, "C": {"range_market"}}
    for kind in ("symbol", "portfolio"):
        assert len(results[f"{kind}_outcomes"])
        assert (
            results[f"{kind}_forecasts"][
                ["volatility_forecast", "root_variance_forecast", "rise_probability"]
            ]
            .notna()
            .all(axis=None)
        )
        assert results[f"{kind}_outcomes"]["outcome"].notna().all()


def test_a_portfolio_alone_equals_itself_among_others_in_any_order(book):
    backwards = book._replace(portfolios=book.portfolios.iloc[::-1].reset_index(drop=True))
    together = compute_once(book, *DAYS[:2])
    assert_identical(together, backwards.results(*DAYS[:2]))
    for name in "AB":
        alone = limited(book, name).results(*DAYS[:2])
        for table in OF_SYMBOLS:  # what is of a symbol is of no portfolio
            if alone[table].empty:  # its keys have no types to merge on
                alone.pop(table)
                continue
            keys = [
                name for name in ("symbol", "subject", "day", "made_on") if name in alone[table]
            ]
            mine = together[table].merge(alone[table][keys].drop_duplicates())
            assert_frame_equal(
                mine.reset_index(drop=True), alone.pop(table), check_exact=True, obj=table
            )
        assert_identical(alone, only(together, portfolio_id=name))


def test_a_symbol_that_nobody_holds_changes_nothing(book):
    more = book.closes.assign(AAA=12.5, S4B=np.linspace(1, 2, len(book.closes)), ZZZ=np.nan)
    with_more = book._replace(closes=more.sort_index(axis="columns"))
    assert_identical(compute_once(book, *DAYS[:2]), with_more.results(*DAYS[:2]))


def without_later(of: Book, day: pd.Timestamp) -> Book:
    """The book as it was known at the close of a day; all its equity balances are stated before
    it.
    """
    closes, ranges, benchmark = (
        table[table.index <= day] for table in (of.closes, of.ranges, of.benchmark)
    )
    lots = of.lots[of.lots["entry_date"] <= day].reset_index(drop=True)
    assert set(lots["portfolio_id"]) == set(of.portfolios["portfolio_id"])
    lots["exit_date"] = lots["exit_date"].where(lots["exit_date"] <= day)
    return of._replace(closes=closes, ranges=ranges, benchmark=benchmark, lots=lots)


def with_later_garbage(of: Book, day: pd.Timestamp, seed: int) -> Book:
    """Prices after a day are wild or missing, trades and the benchmark are others; the market keeps
    a price.
    """
    rng = np.random.default_rng(seed)
    closes, ranges, benchmark, lots = (
        of.closes.copy(),
        of.ranges.copy(),
        of.benchmark.copy(),
        of.lots.copy(),
    )
    for table, wild in ((closes, [0.01, 1.0, 10.0, np.nan]), (ranges, [0.0, 0.01, 100.0, np.nan])):
        after = table.index > day
        table[after] *= rng.choice(wild, (after.sum(), table.shape[1]))
    closes.loc[closes.index > day, MARKET] = rng.uniform(1, 1000, (closes.index > day).sum())
    benchmark[benchmark.index > day] = 0.1
    later = lots["exit_date"] > day
    lots.loc[later, "exit_date"], lots.loc[later, "exit_price"] = pd.Timestamp(DAYS[1]), 1e6
    return of._replace(closes=closes, ranges=ranges, benchmark=benchmark, lots=lots)


def assert_nothing_later_moves(of: Book) -> None:
    """Neither what a later day brings, nor that it is computed in the same run."""
    day = pd.Timestamp(DAYS[0])
    then = without_later(of, day).results(DAYS[0])
    assert_identical(then, compute_once(of, DAYS[0]))
    assert_identical(then, only(with_later_garbage(of, day, 0).results(*DAYS), day=day))


def test_no_price_trade_or_benchmark_after_a_day_moves_anything_on_it(book):
    assert_nothing_later_moves(book)


def test_nothing_after_a_day_moves_what_takes_years_of_prices(with_history):
    assert_known(compute_once(with_history, DAYS[0]))
    assert_nothing_later_moves(with_history)


def split_in_two(lots: pd.DataFrame) -> pd.DataFrame:
    """Every lot as two of half its size, whose ids end with a and with b."""
    halves = lots.loc[lots.index.repeat(2)].reset_index(drop=True)
    halves["position_id"] += pd.Series(["a", "b"] * len(lots), dtype="str")
    halves[["quantity", "market_value"]] /= 2
    return halves


def assert_equal_but_for_rounding(
    whole: dict[str, pd.DataFrame], split: dict[str, pd.DataFrame]
) -> None:
    """Positions and symbols to the last bit; portfolios, whose sums have more terms, nearly."""
    assert whole.keys() == split.keys()
    for name, table in whole.items():
        if "position_id" in table:
            for half in "ab":
                mine = split[name][split[name]["position_id"].str.endswith(half)].reset_index(
                    drop=True
                )
                mine["position_id"] = mine["position_id"].str.removesuffix(half)
                expected = (
                    table.assign(exposure=table["exposure"] / 2) if name == "options" else table
                )
                assert_frame_equal(mine, expected, check_exact=True, obj=name)
        elif name in OF_SYMBOLS:
            assert_frame_equal(split[name], table, check_exact=True, obj=name)
        elif name != "undefined":
            dicts, atol = (
                {"sector_exposure"} & set(table),
                1e-7 if name in MONEY else 1e-13,
            )  # the dict's weights are in "sectors"
            assert_frame_equal(
                split[name].drop(columns=dicts),
                table.drop(columns=dicts),
                rtol=1e-12,
                atol=atol,
                obj=name,
            )
    halves = (
        split["undefined"]
        .assign(subject=split["undefined"]["subject"].str.rstrip("ab"))
        .drop_duplicates(ignore_index=True)
    )
    reasons = [
        table.assign(reason=table["reason"].where(~table["metric"].isin(COUNTS_LOTS)))
        for table in (halves, whole["undefined"])
    ]
    assert_frame_equal(*reasons, check_exact=True)


MONEY = {"values", "stress", "greeks"}
"""Tables with amounts, whose small differences of large sums are known to so much."""

COUNTS_LOTS = {"portfolio_snapshots.cumulative_pnl", *option_results.GREEK_METRICS}
"""What is undefined for a reason that says of how many lots."""


def test_splitting_every_lot_in_two_changes_nothing(book):
    split = book._replace(lots=split_in_two(book.lots))
    assert_equal_but_for_rounding(compute_once(book, *DAYS[:2]), split.results(*DAYS[:2]))


def test_splitting_every_lot_in_two_changes_nothing_in_what_takes_years_of_prices(with_history):
    assert {"LC", "SHORT"} <= set(with_history.lots["position_type"])
    split = with_history._replace(lots=split_in_two(with_history.lots))
    assert_equal_but_for_rounding(compute_once(with_history, *DAYS[:2]), split.results(*DAYS[:2]))


@pytest.mark.parametrize(
    ("book", "k"), [(0, 0.1), (1, 0.7), (2, 2.5), (3, 7.3), (4, 10.0)], indirect=["book"]
)
def test_a_book_k_times_as_large_has_k_times_the_money_and_the_same_shares(book, k):
    lots, portfolios = book.lots.copy(), book.portfolios.copy()
    lots[["quantity", "market_value"]] *= k
    portfolios["equity_balance"] *= k
    before = compute_once(book, DAYS[0])
    after = book._replace(lots=lots, portfolios=portfolios).results(DAYS[0])
    money = [
        "total_value",
        "cash_value",
        "long_value",
        "short_value",
        "gross_exposure",
        "net_exposure",
        "daily_pnl",
        "cumulative_pnl",
    ]
    expected = before["values"][money] * k
    assert_frame_equal(after["values"][money], expected, rtol=1e-9, atol=1e-6)
    for name, shares in (
        ("concentration", ["hhi", "top_3_concentration"]),
        ("betas", ["beta_calculated_90d"]),
        ("sectors", ["net_weight"]),
    ):
        assert_frame_equal(after[name][shares], before[name][shares], rtol=1e-9)


def test_every_missing_value_has_exactly_one_reason_and_every_reason_a_missing_value(book):
    results = compute_once(book, *DAYS)
    undefined = results["undefined"].set_index(["metric", "subject", "day"])
    assert not undefined.index.has_duplicates
    assert (undefined["reason"].str.len() > 0).all()
    tables = {
        **dict.fromkeys(
            ("values", "betas", "concentration", "greeks"),
            ("portfolio_snapshots", "portfolio_id", "snapshot_date"),
        ),
        "positions": ("position_market_betas", "position_id", "calc_date"),
        "rates": ("position_interest_rate_betas", "position_id", "calculation_date"),
    }
    expected = set()
    for name, (table, subject, day) in tables.items():
        frame = results[name]
        for column in frame.columns[frame.isna().any()]:
            rows = frame[frame[column].isna()]
            expected |= {
                (f"{table}.{column}", *key) for key in zip(rows[subject], rows[day], strict=True)
            }
    sectors = results["sectors"]
    rows = sectors[sectors["active_weight"].isna()]
    expected |= {
        ("portfolio_sector_weights.active_weight", *key)
        for key in zip(rows["portfolio_id"], rows["day"], strict=True)
    }
    elsewhere = undefined.index.get_level_values("metric").str.contains("volatility|total_value")
    assert set(undefined.index[~elsewhere]) == expected


def test_a_portfolio_of_one_stock_has_the_figures_of_its_symbol_times_its_weight(with_history):
    """Its gaps are the stock's, so nothing but the weight in equity tells them apart."""
    of = limited(with_history, "C").results(DAYS[0])
    row = {name: table.iloc[0] for name, table in of.items() if len(table)}
    weight = row["values"]["gross_exposure"] / row["values"]["total_value"]
    assert 0 < weight < 1
    for portfolio, position in (
        (row["betas"]["beta_calculated_90d"], row["positions"]["beta"]),
        (row["betas"]["beta_portfolio_regression"], row["positions"]["beta"]),
        (row["portfolio_rates"]["rate_beta"], row["rates"]["ir_beta"]),
        (row["portfolio_rates"]["two_factor_rate_beta"], row["two_factor"]["rate_beta"]),
        (
            row["portfolio_volatility"]["realized_volatility_21d"],
            row["volatility"]["realized_vol_21d"],
        ),
        (
            row["portfolio_volatility"]["expected_volatility_21d"],
            row["volatility"]["expected_vol_21d"],
        ),
        (row["contributions"]["marginal"], row["contributions"]["component"] / weight**2),
    ):
        assert portfolio == pytest.approx(weight * position, rel=1e-9)
    assert row["portfolio_volatility"]["volatility_trend"] == row["volatility"]["vol_trend"]
    assert row["portfolio_volatility"]["volatility_percentile"] == pytest.approx(
        row["volatility"]["vol_percentile"], rel=1e-12
    )
    assert row["contributions"]["share"] == pytest.approx(1, rel=1e-12)

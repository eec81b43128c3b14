"""Queries of stored results: empty database, one portfolio, missing values."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import (
    holdings,
    listed_rows,
    portfolios,
    position_queries,
    result_queries,
    result_writes,
    storage_overview,
    stored_prices,
    tables,
    write,
)
from riskmetrics.db.copy import fetch_frame
from riskmetrics.metrics.minimums import INSUFFICIENT_EQUITY

DAY, NEXT, AFTER = date(2024, 12, 4), date(2024, 12, 5), date(2024, 12, 6)
PROVENANCE = write.Provenance("run", "0.1")
SNAPSHOT = dict.fromkeys(
    ("total_value", "cash_value", "long_value", "short_value", "gross_exposure", "net_exposure"),
    1.0,
) | dict.fromkeys(("num_positions", "num_long_positions", "num_short_positions"), 1)


@pytest.fixture
def lots(connection: sa.Connection) -> pd.DataFrame:
    """Create portfolios Q and P with one lot of each of two symbols; return name, symbol, keys."""
    blank = dict.fromkeys(("entry_price", "strike_price", "last_price"), np.nan) | dict.fromkeys(
        ("entry_date", "underlying_symbol", "expiration_date")
    )
    stated = pd.DataFrame(
        [
            blank
            | {
                "symbol": symbol,
                "quantity": 2.0,
                "position_type": "LONG",
                "investment_class": "PUBLIC",
            }
            for symbol in "BA"
        ]
    )
    for name in "QP":
        holdings.apply_statement(connection, name, stated, as_of=DAY, equity=None)
    position, portfolio = tables.positions, tables.portfolios
    columns = (
        portfolio.c.name,
        position.c.symbol,
        position.c.portfolio_id,
        position.c.id.label("position_id"),
    )
    return fetch_frame(
        connection,
        sa.select(*columns).join(portfolio).order_by(portfolio.c.name, position.c.symbol),
    )


def snapshot(connection: sa.Connection, lots: pd.DataFrame, day: date) -> None:
    """Store a snapshot of every portfolio."""
    rows = (
        lots[["portfolio_id"]].drop_duplicates().assign(snapshot_date=pd.Timestamp(day), **SNAPSHOT)
    )
    write.upsert_rows(
        connection, tables.portfolio_snapshots, rows, key=("portfolio_id", "snapshot_date")
    )


def test_an_empty_database_has_no_sessions_and_no_results(connection):
    nothing = (None, None, None, None, 0, [], [], 0)
    assert storage_overview.read_stored_sessions(connection) == nothing
    assert result_queries.read_latest_day(connection) is None
    for of_a_day in (
        result_queries.read_snapshots,
        listed_rows.read_market_betas,
        listed_rows.read_sector_weights,
        result_queries.read_undefined_metrics,
        listed_rows.read_coverage,
    ):
        assert of_a_day(connection, DAY).empty
    assert result_queries.sample_market_betas(connection, [DAY], 5).empty
    assert result_queries.sum_sector_weights(connection, [DAY]).empty
    assert result_queries.find_low_coverage(connection, "beta", [DAY], 0.8).empty
    assert result_queries.find_small_equity(connection, [DAY], 0.05).empty
    assert storage_overview.read_portfolio_overview(connection).empty


def test_every_table_has_a_size_also_when_it_is_empty(connection):
    sizes = storage_overview.read_table_sizes(connection)
    assert sorted(sizes["table"]) == sorted(tables.metadata.tables)
    shipped = [
        *("har_coefficients", "variance_corrections", "stress_scenarios", "ai_insight_templates"),
    ]
    assert (sizes["rows"][~sizes["table"].isin(shipped)] == 0).all()
    assert sizes["kilobytes"].is_monotonic_decreasing
    assert (sizes["kilobytes"] > 0).all()


def test_sessions_between_the_first_and_the_last_result_are_missed(
    connection, lots, monkeypatch: pytest.MonkeyPatch
):
    """2024-12-06 is a Friday: three sessions ended since, up to the Wednesday after it."""
    monkeypatch.setattr(trading_calendar, "last_completed_session", lambda: date(2024, 12, 11))
    snapshot(connection, lots, DAY)
    snapshot(connection, lots, AFTER)
    prices = {"symbol": "A", "close": 1, "data_source": "test"}
    connection.execute(
        sa.insert(tables.market_data_cache),
        [prices | {"date": day} for day in (date(2020, 1, 2), NEXT)],
    )
    assert storage_overview.read_stored_sessions(connection) == (
        date(2020, 1, 2),
        NEXT,
        DAY,
        AFTER,
        2,
        [NEXT],
        [],
        3,
    )
    assert result_queries.read_latest_day(connection) == AFTER
    assert result_queries.read_snapshots(connection, DAY)["portfolio"].to_list() == ["P", "Q"]
    assert result_queries.read_snapshots(connection, DAY, "Q")["portfolio"].to_list() == ["Q"]
    assert result_queries.read_snapshots(connection, NEXT).empty


def test_reasons_alone_are_no_result(connection, lots):
    """A failed run stores for each portfolio why it has no value: after the results, between them.

    Portfolio Q has a reason on the day of P's result: the session is complete.
    """
    in_p = lots[lots["portfolio_id"] == lots["portfolio_id"].iloc[0]]
    snapshot(connection, in_p, DAY)
    snapshot(connection, lots, AFTER)
    last = date(2022, 12, 30)
    connection.execute(
        sa.insert(tables.undefined_metrics),
        [
            {
                "portfolio_id": owner,
                "subject": str(owner),
                "day": day,
                "metric": "portfolio_snapshots.total_value",
                "reason": "none of 2 instruments has a price",
                "n_obs": 0,
            }
            for owner in lots["portfolio_id"].unique()
            for day in (DAY, NEXT, last)
        ],
    )
    found = storage_overview.read_stored_sessions(connection)
    assert (found.results_from, found.results_to, found.sessions_computed) == (DAY, AFTER, 2)
    assert (found.sessions_missing, found.sessions_incomplete) == ([NEXT], [])


def test_betas_stand_with_their_holdings_by_portfolio_and_symbol(connection, lots):
    rows = lots[["portfolio_id", "position_id"]].assign(
        calc_date=pd.Timestamp(DAY), beta=[1.0, np.nan, 3, 4], observations=90
    )
    rows = rows.assign(
        **{name: [0.1, np.nan, 0.3, 0.4] for name in ("alpha", "r_squared", "std_error", "p_value")}
    )
    key = ("portfolio_id", "position_id", "calc_date", "method", "window_days")
    write.upsert_rows(
        connection,
        tables.position_market_betas,
        rows.assign(method="OLS_SIMPLE", window_days=90),
        key=key,
    )
    found = listed_rows.read_market_betas(connection, DAY)
    assert found[["portfolio", "symbol", "quantity"]].to_numpy().tolist() == [
        ["P", "A", 2],
        ["P", "B", 2],
        ["Q", "A", 2],
        ["Q", "B", 2],
    ]
    assert found["beta"].fillna(-1).to_list() == [1, -1, 3, 4]
    assert listed_rows.read_market_betas(connection, DAY, "Q")["symbol"].to_list() == [
        "A",
        "B",
    ]
    some = result_queries.sample_market_betas(connection, [DAY, NEXT], 2)
    assert len(some) == 2
    assert set(some["beta"]) < {1, 3, 4}
    assert len(result_queries.sample_market_betas(connection, [DAY], 99)) == 3


def test_every_portfolio_with_too_little_coverage_is_named_on_its_worst_day(connection, lots):
    ids = lots[["portfolio_id"]].drop_duplicates()
    for day, shares in ((DAY, [0.9, 0.5]), (NEXT, [0.4, 1.0])):
        rows = ids.assign(
            day=pd.Timestamp(day), metric="beta", coverage=shares, n_covered=1, n_total=2
        )
        result_writes.replace_metric_rows(
            connection,
            tables.portfolio_coverage,
            rows,
            metrics=["beta"],
            sessions=[day],
            provenance=PROVENANCE,
        )

    def below(metric, days, minimum):
        found = result_queries.find_low_coverage(connection, metric, days, minimum)
        return [(row.portfolio, row.day.date(), row.coverage) for row in found.itertuples()]

    assert below("beta", [DAY, NEXT], 0.8) == [("P", NEXT, 0.4), ("Q", DAY, 0.5)]
    assert below("beta", [DAY], 0.8) == [("Q", DAY, 0.5)]
    assert below("beta", [DAY], 0.5) == []
    assert below("beta", [DAY], 0.5 + 1e-10) == []  # rounding of a sum of shares
    assert below("prices", [DAY], 0.8) == []
    assert listed_rows.read_coverage(connection, DAY)["coverage"].to_list() == [0.9, 0.5]


@pytest.mark.parametrize(
    ("equity", "named"), [("50.00", False), ("49.99", True), ("0.00", True), ("-1.00", True)]
)
def test_every_portfolio_with_small_equity_is_named(connection, lots, equity, named):
    """Gross exposure of both portfolios is 1,000, of which 5% is 50."""
    snapshot(connection, lots, DAY)
    table = tables.portfolio_snapshots
    connection.execute(sa.update(table).values(total_value=equity, gross_exposure=1000))
    found = result_queries.find_small_equity(connection, [DAY], 0.05)
    assert found["portfolio"].to_list() == (["P", "Q"] if named else [])
    if named:
        assert found["day"].dt.date.to_list() == [DAY, DAY]


def test_a_portfolio_whose_equity_is_small_beside_its_options_is_named(connection, lots):
    """Equity is half of the gross value, but 4% of the exposure with options by delta."""
    snapshot(connection, lots, DAY)
    connection.execute(
        sa.update(tables.portfolio_snapshots).values(total_value=500, gross_exposure=1000)
    )
    owner = lots.loc[lots["name"] == "Q", "portfolio_id"].iloc[0]
    reason = {
        "reason": INSUFFICIENT_EQUITY.format(0.04),
        "portfolio_id": owner,
        "subject": owner,
        "day": DAY,
    }
    rows = pd.DataFrame(
        [reason | {"metric": "portfolio_snapshots.expected_volatility_21d", "n_obs": pd.NA}]
    )
    rows = rows.assign(day=pd.Timestamp(DAY)).astype({"n_obs": "Int64"})
    result_writes.replace_metric_rows(
        connection,
        tables.undefined_metrics,
        rows,
        metrics=rows["metric"].tolist(),
        sessions=[DAY],
        provenance=PROVENANCE,
    )
    assert result_queries.find_small_equity(connection, [DAY], 0.05)["portfolio"].to_list() == ["Q"]


def test_symbols_without_any_price_up_to_a_day_are_named(connection, lots):
    """A has prices from the next session, B an old one, and both are held."""
    prices = {"close": 1, "data_source": "test"}
    rows = [
        prices | {"symbol": "A", "date": NEXT},
        prices | {"symbol": "B", "date": date(2020, 1, 2)},
    ]
    connection.execute(sa.insert(tables.market_data_cache), rows)
    assert stored_prices.find_unpriced_symbols(connection, [DAY]) == ["A"]
    assert stored_prices.find_unpriced_symbols(connection, [DAY, NEXT]) == []
    connection.execute(sa.update(tables.positions).values(exit_date=DAY))
    assert stored_prices.find_unpriced_symbols(connection, [DAY]) == []  # left on the day


def test_what_is_undefined_names_the_position_or_the_portfolio(connection, lots):
    own = lots.iloc[:1]
    rows = pd.DataFrame(
        {"portfolio_id": own["portfolio_id"], "subject": own["position_id"], "n_obs": 12}
    )
    rows = pd.concat([rows, rows.assign(subject=rows["portfolio_id"])], ignore_index=True)
    rows = rows.assign(day=pd.Timestamp(DAY), metric="t.beta", reason="too few")
    result_writes.replace_metric_rows(
        connection,
        tables.undefined_metrics,
        rows,
        metrics=["t.beta"],
        sessions=[DAY],
        provenance=PROVENANCE,
    )
    found = result_queries.read_undefined_metrics(connection, DAY)
    assert sorted(found["subject"]) == ["(portfolio)", "A"]
    assert result_queries.read_undefined_metrics(connection, DAY, "Q").empty


def test_sectors_come_largest_first_and_sum_by_portfolio(connection, lots):
    ids = lots[["portfolio_id"]].drop_duplicates().assign(day=pd.Timestamp(DAY))
    rows = pd.concat(
        [
            ids.assign(sector="Energy", gross_weight=0.25, net_weight=0.2),
            ids.assign(sector="Utilities", gross_weight=0.75, net_weight=0.7),
        ]
    )
    write.upsert_rows(
        connection, tables.portfolio_sector_weights, rows, key=("portfolio_id", "day", "sector")
    )
    assert listed_rows.read_sector_weights(connection, DAY, "P")["sector"].to_list() == [
        "Utilities",
        "Energy",
    ]
    assert result_queries.sum_sector_weights(connection, [DAY])["total"].to_list() == [1, 1]


def test_a_removed_portfolio_is_shown_no_more(connection, lots):
    snapshot(connection, lots, DAY)
    overview = storage_overview.read_portfolio_overview(connection)
    assert overview[["portfolio", "open_lots", "closed_lots"]].to_numpy().tolist() == [
        ["P", 2, 0],
        ["Q", 2, 0],
    ]
    portfolios.remove_portfolio(connection, "P")
    assert storage_overview.read_portfolio_overview(connection)["portfolio"].to_list() == ["Q"]
    assert result_queries.read_snapshots(connection, DAY)["portfolio"].to_list() == ["Q"]


def _lots(**columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame({"portfolio": "P", "symbol": "A", **columns})


def test_lots_with_the_same_figures_are_one_row_with_their_net_quantity():
    rows = _lots(strike_price=[np.nan] * 3, quantity=[90.0, -40.0, 7.0], beta=[1.5, 1.5, 1.5])
    (row,) = position_queries.net_lots(rows).to_dict("records")
    assert (row["quantity"], row["lots"], row["beta"]) == (57.0, 3, 1.5)
    assert list(position_queries.net_lots(rows).columns) == [
        *("portfolio", "symbol", "strike_price", "quantity", "lots", "beta"),
    ]


def test_lots_whose_figures_differ_stay_apart_in_their_order():
    rows = _lots(symbol=["B", "A", "B"], quantity=[1.0, 2.0, 4.0], beta=[1.5, np.nan, 1.6])
    found = position_queries.net_lots(rows)
    assert found["symbol"].to_list() == ["B", "A", "B"]
    assert found["quantity"].to_list() == [1.0, 2.0, 4.0]
    assert found["lots"].to_list() == [1, 1, 1]


def test_what_is_additive_is_summed_and_stays_missing_if_all_of_it_is():
    rows = _lots(symbol=["A", "A", "B", "B"], quantity=1.0, exposure=[10.0, np.nan, np.nan, np.nan])
    found = position_queries.net_lots(rows, ("quantity", "exposure")).set_index("symbol")
    assert found["exposure"]["A"] == 10.0
    assert np.isnan(found["exposure"]["B"])
    assert found["lots"].to_list() == [2, 2]


def test_without_lots_there_is_no_row():
    found = position_queries.net_lots(_lots(quantity=[], beta=[]))
    assert found.empty
    assert "lots" in found


def test_a_beta_is_beyond_a_limit_and_not_on_it(connection, lots):
    """Exact to the six stored decimals, for both signs; each symbol once a day."""
    rows = lots[["portfolio_id", "position_id"]].assign(
        beta=[5.0, -5.0, 5.000001, -5.000001],
        observations=90,
        calc_date=DAY,
        method="OLS_SIMPLE",
        window_days=90,
    )
    key = ("portfolio_id", "position_id", "calc_date", "method", "window_days")
    write.upsert_rows(connection, tables.position_market_betas, rows, key=key)
    assert sorted(result_queries.find_extreme_betas(connection, [DAY], 5.0)["beta"]) == [
        -5.000001,
        5.000001,
    ]
    assert result_queries.find_extreme_betas(connection, [NEXT], 5.0).empty

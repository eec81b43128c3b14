"""Writes to a real Postgres: which rows are touched, and how concurrent writers interact."""

import threading
import time
import uuid
from datetime import date

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from riskmetrics.db import result_writes, tables, write
from riskmetrics.db.copy import fetch_frame
from riskmetrics.db.result_writes import Computed, Subjects, TableRows, write_computed
from riskmetrics.errors import DataQualityError
from tests.forked_commands import PATIENCE

BETAS = tables.position_market_betas
KEY = ("portfolio_id", "position_id", "calc_date", "method", "window_days")
MONDAY, TUESDAY = pd.Timestamp("2022-12-19"), pd.Timestamp("2022-12-20")
FIRST, SECOND = write.Provenance("run-1", "0.1"), write.Provenance("run-2", "0.2")


def hold(connection: sa.Connection, count: int) -> pd.DataFrame:
    """Create a portfolio of ``count`` positions; return their keys."""
    portfolio = connection.scalar(
        sa.insert(tables.portfolios)
        .values(name="P", currency="USD")
        .returning(tables.portfolios.c.id)
    )
    lot = {
        "portfolio_id": portfolio,
        "position_type": "LONG",
        "quantity": 1,
        "entry_date": date(2020, 1, 2),
    }
    connection.execute(
        sa.insert(tables.positions), [lot | {"symbol": f"S{i}"} for i in range(count)]
    )
    return fetch_frame(
        connection,
        sa.select(tables.positions.c.portfolio_id, tables.positions.c.id.label("position_id")),
    )


def betas(keys: pd.DataFrame, day: pd.Timestamp = MONDAY, beta: float = 1.25) -> pd.DataFrame:
    """Return a row of estimates per position, with unknown p_value."""
    return keys.assign(
        calc_date=day,
        beta=beta,
        r_squared=1 / 3,
        p_value=np.nan,
        observations=90,
        window_days=90,
        method="OLS_SIMPLE",
    )


def replace(
    connection: sa.Connection,
    rows: pd.DataFrame,
    days: tuple[pd.Timestamp, ...] = (MONDAY,),
    by: write.Provenance = FIRST,
) -> write.WriteCounts:
    """Replace the betas of ``days``."""
    return write.replace_rows(
        connection, BETAS, rows, key=KEY, scope=BETAS.c.calc_date.in_(days), provenance=by
    )


def physical(connection: sa.Connection) -> list[tuple[object, ...]]:
    """Return ctid, xmin and xmax of each row: equal only if no row was touched."""
    query = sa.text(
        "SELECT ctid::text, xmin::text, xmax::text, position_market_betas::text FROM"
        " position_market_betas ORDER BY 1"
    )
    return [tuple(row) for row in connection.execute(query)]


def stored(connection: sa.Connection, column: str) -> list[object]:
    """Return a column of the stored betas."""
    return sorted(connection.scalars(sa.select(BETAS.c[column])), key=str)


@pytest.fixture
def keys(connection: sa.Connection) -> pd.DataFrame:
    """Return the keys of three positions, which are removed after the test."""
    return hold(connection, 3)


def test_the_same_rows_again_touch_nothing(engine):
    """Each write has its own transaction: xmin and xmax would show rewritten or locked rows."""
    with engine.begin() as connection:
        keys = hold(connection, 3)
        assert replace(connection, betas(keys)) == (3, 0, 0)
    with engine.begin() as connection:
        before = physical(connection)
        # 1/3 is stored as 0.333333, a missing p_value as NULL: neither differs
        assert replace(connection, betas(keys), by=SECOND) == (0, 0, 3)
        assert write.upsert_rows(connection, BETAS, betas(keys), key=KEY) == (0, 0, 3)
        assert write.update_rows(connection, BETAS, betas(keys), key=KEY, provenance=SECOND) == (
            0,
            0,
            3,
        )
    with engine.begin() as connection:
        assert physical(connection) == before


def test_only_a_row_that_differs_is_rewritten_and_says_by_whom(engine):
    with engine.begin() as connection:
        keys = hold(connection, 3)
        replace(connection, betas(keys))
        old = stored(connection, "updated_at")
    with engine.begin() as connection:
        before = physical(connection)
        changed = betas(keys).assign(beta=[1.25, 1.25, 1.3])
        assert replace(connection, changed, by=SECOND) == (1, 0, 2)
        assert len(set(before) & set(physical(connection))) == 2
        rows = connection.execute(
            sa.select(
                BETAS.c.beta, BETAS.c.dagster_run_id, BETAS.c.code_version, BETAS.c.updated_at
            )
        ).all()
        assert sorted(
            (float(row.beta), row.dagster_run_id, row.code_version, row.updated_at in old)
            for row in rows
        ) == [
            *[(1.25, "run-1", "0.1", True)] * 2,
            (1.3, "run-2", "0.2", False),
        ]
        assert stored(connection, "created_at") == old


@pytest.mark.parametrize(("then", "now"), [(np.nan, 0.5), (0.5, np.nan), (1.25, 1.250001)])
def test_a_value_that_comes_goes_or_moves_by_the_last_decimal_is_a_change(
    connection, keys, then, now
):
    replace(connection, betas(keys, beta=then))
    assert replace(connection, betas(keys, beta=now)) == (3, 0, 0)
    assert (
        fetch_frame(connection, sa.select(BETAS.c.beta))["beta"].fillna(-9).to_list()
        == [-9 if np.isnan(now) else now] * 3
    )


def test_a_difference_beyond_the_columns_decimals_is_none(connection, keys):
    replace(connection, betas(keys, beta=1.25))
    assert replace(connection, betas(keys, beta=1.2500004)) == (0, 0, 3)


def test_rows_that_no_longer_belong_go_and_other_days_stay(connection, keys):
    replace(connection, betas(keys))
    replace(connection, betas(keys, TUESDAY), (TUESDAY,))
    assert replace(connection, betas(keys.iloc[:1])) == (0, 2, 1)
    assert stored(connection, "calc_date") == [MONDAY.date(), *[TUESDAY.date()] * 3]


def test_no_rows_empty_the_scope_and_nothing_else(connection, keys):
    replace(connection, betas(keys))
    replace(connection, betas(keys, TUESDAY), (TUESDAY,))
    empty = betas(keys).iloc[:0]
    assert replace(connection, empty) == (0, 3, 0)
    assert write.upsert_rows(connection, BETAS, empty, key=KEY) == (0, 0, 0)
    assert write.update_rows(connection, BETAS, empty, key=KEY) == (0, 0, 0)
    assert stored(connection, "calc_date") == [TUESDAY.date()] * 3


def test_a_failed_write_leaves_what_was_there(engine):
    with engine.begin() as connection:
        keys = hold(connection, 3)
        replace(connection, betas(keys))
        before = physical(connection)

    def fail_midway() -> None:
        with engine.begin() as connection:
            replace(connection, betas(keys.iloc[:1], TUESDAY), (TUESDAY,))
            replace(connection, betas(keys).assign(beta=[1.0, 1e7, 2.0]))

    with pytest.raises(
        DataQualityError, match=r"^position_market_betas\.beta: numeric field overflow$"
    ):
        fail_midway()
    with engine.begin() as connection:
        assert physical(connection) == before


def test_others_see_the_old_rows_until_all_new_ones_are_there(engine):
    with engine.begin() as connection:
        keys = hold(connection, 3)
        replace(connection, betas(keys))
    with engine.begin() as writer, engine.connect() as reader:
        replace(writer, betas(keys.iloc[:2], beta=2.0))
        assert [float(beta) for beta in stored(reader, "beta")] == [1.25] * 3
        writer.commit()
        reader.rollback()
        assert [float(beta) for beta in stored(reader, "beta")] == [2.0] * 2


def test_columns_of_a_shared_row_are_set_where_the_row_exists(connection, keys):
    replace(connection, betas(keys.iloc[:2]))
    own = keys.assign(
        calc_date=MONDAY, method="OLS_SIMPLE", window_days=90, std_error=[0.1, np.nan, 0.3]
    )
    assert write.update_rows(connection, BETAS, own, key=KEY, provenance=SECOND) == (1, 0, 1)
    rows = connection.execute(
        sa.select(BETAS.c.std_error, BETAS.c.beta, BETAS.c.dagster_run_id)
    ).all()
    assert sorted(
        (float(row.std_error or -1), float(row.beta), row.dagster_run_id) for row in rows
    ) == [
        (-1, 1.25, "run-1"),
        (0.1, 1.25, "run-2"),
    ]


def test_json_is_compared_by_its_content(connection, keys):
    table, key = tables.portfolio_snapshots, ("portfolio_id", "snapshot_date")
    counts = dict.fromkeys(
        (
            "total_value",
            "cash_value",
            "long_value",
            "short_value",
            "gross_exposure",
            "net_exposure",
        ),
        0.0,
    ) | dict.fromkeys(("num_positions", "num_long_positions", "num_short_positions"), 1)
    rows = keys.iloc[:1][["portfolio_id"]].assign(
        snapshot_date=MONDAY, sector_exposure='{"Energy": 0.25, "Utilities": 0.75}', **counts
    )
    scope = table.c.snapshot_date == MONDAY
    assert write.replace_rows(connection, table, rows, key=key, scope=scope) == (1, 0, 0)
    same = rows.assign(sector_exposure='{"Utilities":0.75,  "Energy":0.25}')
    assert write.replace_rows(connection, table, same, key=key, scope=scope) == (0, 0, 1)
    assert connection.scalar(sa.select(table.c.sector_exposure)) == {
        "Energy": 0.25,
        "Utilities": 0.75,
    }
    assert write.update_rows(
        connection, table, rows[[*key]].assign(sector_exposure="{}"), key=key
    ) == (1, 0, 0)


def test_a_missing_value_never_replaces_a_stored_one_in_an_upsert(connection, keys):
    write.upsert_rows(connection, BETAS, betas(keys).assign(p_value=[0.5, 0.5, np.nan]), key=KEY)
    later = betas(keys).assign(p_value=[np.nan, 0.25, 0.75])
    assert write.upsert_rows(connection, BETAS, later, key=KEY) == (2, 0, 1)
    assert sorted(fetch_frame(connection, sa.select(BETAS.c.p_value))["p_value"]) == [
        0.25,
        0.5,
        0.75,
    ]


def test_what_goes_with_a_column_goes_when_that_changes(connection, keys):
    write.upsert_rows(connection, BETAS, betas(keys).assign(p_value=0.5), key=KEY)
    later = betas(keys).assign(beta=[1.25, 2, 2], p_value=[np.nan, np.nan, 0.1])
    assert write.upsert_rows(connection, BETAS, later, key=KEY, basis_column="beta") == (2, 0, 1)
    assert fetch_frame(connection, sa.select(BETAS.c.p_value))["p_value"].fillna(
        -1
    ).sort_values().to_list() == [-1, 0.1, 0.5]


def test_names_and_reasons_of_what_is_undefined_are_exactly_those_given(connection, keys):
    metrics, days = ["t.beta", "t.alpha"], [MONDAY.date()]
    rows = keys.rename(columns={"position_id": "subject"}).assign(
        day=MONDAY, metric="t.beta", reason="too few", n_obs=12
    )
    other = rows.assign(metric="t.volatility")
    result_writes.replace_metric_rows(
        connection,
        tables.undefined_metrics,
        other,
        metrics=["t.volatility"],
        sessions=days,
        provenance=FIRST,
    )
    result_writes.replace_metric_rows(
        connection, tables.undefined_metrics, rows, metrics=metrics, sessions=days, provenance=FIRST
    )
    result_writes.replace_metric_rows(
        connection,
        tables.undefined_metrics,
        rows.iloc[:1],
        metrics=metrics,
        sessions=days,
        provenance=FIRST,
    )
    found = fetch_frame(
        connection, sa.select(tables.undefined_metrics.c.metric, tables.undefined_metrics.c.n_obs)
    )
    assert found["metric"].value_counts().to_dict() == {"t.volatility": 3, "t.beta": 1}


def test_coverage_of_one_metric_leaves_that_of_another(connection, keys):
    rows = keys.iloc[:1][["portfolio_id"]].assign(
        day=MONDAY, metric="beta", coverage=0.5, n_covered=1, n_total=2
    )
    days = [MONDAY.date()]
    assert result_writes.replace_metric_rows(
        connection,
        tables.portfolio_coverage,
        rows,
        metrics=["beta"],
        sessions=days,
        provenance=FIRST,
    ) == (1, 0, 0)
    assert result_writes.replace_metric_rows(
        connection,
        tables.portfolio_coverage,
        rows.assign(metric="prices"),
        metrics=["prices"],
        sessions=days,
        provenance=FIRST,
    ) == (1, 0, 0)
    assert result_writes.replace_metric_rows(
        connection,
        tables.portfolio_coverage,
        rows.iloc[:0],
        metrics=["beta"],
        sessions=days,
        provenance=FIRST,
    ) == (0, 1, 0)
    assert connection.scalars(sa.select(tables.portfolio_coverage.c.metric)).all() == ["prices"]


def test_a_run_leaves_the_results_of_deleted_portfolios_alone(connection):
    """A run does not compute them again, so it must not remove them."""
    kept, everything = hold(connection, 2), hold(connection, 2)
    deleted = everything[~everything["position_id"].isin(kept["position_id"])]
    rows = betas(pd.concat([kept, deleted], ignore_index=True))
    replace(connection, rows)
    lots = tables.position_volatility
    days = [MONDAY.date()]
    of_lots = rows[["position_id"]].assign(calculation_date=MONDAY, observations=90)
    scope = result_writes.scope_of_sessions(lots.c.calculation_date, days)
    key = ("position_id", "calculation_date")
    assert write.replace_rows(connection, lots, of_lots, key=key, scope=scope) == (4, 0, 0)
    delete(connection, deleted)
    live = {"scope": result_writes.scope_of_sessions(BETAS.c.calc_date, days), "provenance": FIRST}
    assert write.replace_rows(connection, BETAS, rows.iloc[:1], key=KEY, **live) == (0, 1, 1)
    assert write.replace_rows(connection, lots, of_lots.iloc[:1], key=key, scope=scope) == (0, 1, 1)
    left = {str(position) for position in (*kept["position_id"][:1], *deleted["position_id"])}
    for table in (BETAS, lots):
        found = connection.scalars(sa.select(table.c.position_id))
        assert {str(position) for position in found} == left


def test_forecasts_and_scores_of_symbols_and_of_portfolios_are_replaced_apart(connection):
    """A deleted portfolio keeps both; a symbol has no portfolio."""
    hold(connection, 1)
    kept, deleted = hold(connection, 1)["portfolio_id"]
    owners = [None, kept, deleted]
    rows = pd.DataFrame({"subject": ["AAPL", str(kept), str(deleted)], "portfolio_id": owners})
    rows = rows.assign(
        day=MONDAY, observations=252, proxy="close", coefficients_version="shipped-1"
    )
    rows[["in_sample", "clipped", "short_history", "daily_lag_imputed"]] = False
    days = [MONDAY.date()]
    symbols, portfolios = rows.iloc[:1], rows.iloc[1:]
    outcomes = rows[["subject", "portfolio_id", "in_sample"]].assign(
        made_on=MONDAY, completed_on=TUESDAY, kind="volatility", method="har", forecast=0.2
    )
    outcomes[["horizon", "level"]] = 1, 0.0

    def removed(computed: TableRows, days: list[date]) -> int:
        ((_, counts),) = write_computed(connection, Computed([computed]), days, FIRST)
        return counts.removed

    def replace_forecasts(rows: pd.DataFrame, subjects: Subjects) -> int:
        return removed(TableRows(tables.volatility_forecasts, rows, subjects=subjects), days)

    def replace_outcomes(rows: pd.DataFrame) -> int:
        computed = TableRows(tables.forecast_outcomes, rows, day="completed_on")
        return removed(computed, [TUESDAY.date()])

    replace_forecasts(symbols, Subjects.SYMBOLS)
    replace_forecasts(portfolios, Subjects.PORTFOLIOS)
    replace_outcomes(outcomes)
    delete(connection, portfolios.iloc[1:])
    none = rows.iloc[:0]
    assert replace_forecasts(none, Subjects.SYMBOLS) == 1
    assert replace_forecasts(none, Subjects.PORTFOLIOS) == 1
    assert replace_outcomes(outcomes.iloc[:0]) == 2
    for table in (tables.volatility_forecasts, tables.forecast_outcomes):
        assert connection.scalars(sa.select(table.c.subject)).all() == [str(deleted)]


def delete(connection: sa.Connection, keys: pd.DataFrame) -> None:
    """Mark the portfolios of ``keys`` as deleted."""
    chosen = tables.portfolios.c.id.in_(keys["portfolio_id"].unique().tolist())
    connection.execute(sa.update(tables.portfolios).where(chosen).values(deleted_at=sa.func.now()))


def waiting(engine: sa.Engine) -> int:
    """Return the number of connections that wait for an advisory lock."""
    with engine.connect() as connection:
        count: int = (
            connection.scalar(
                sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
            )
            or 0
        )
        return count


def test_a_shard_never_waits_for_the_lock_that_its_run_holds(engine):
    """A run holds the locks of its assets until all shards are written."""
    with engine.begin() as run, engine.begin() as worker:
        write.lock_asset(run, "betas symbols from A")
        worker.execute(sa.text("SET LOCAL lock_timeout = '5s'"))
        write.lock_asset(worker, "betas", "symbols from A")  # the same key, but of a shard
        held = worker.scalar(
            sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted")
        )
        assert (held, waiting(engine)) == (2, 0)


def test_a_lock_lets_one_writer_of_an_asset_in_at_a_time(engine):
    order = []

    def second() -> None:
        with engine.begin() as connection:
            write.lock_asset(connection, "position_betas")
            order.append("second")

    with engine.begin() as first:
        write.lock_asset(first, "position_betas")
        with engine.begin() as other:
            write.lock_asset(other, "position_volatility")  # another asset's is free
        thread = threading.Thread(target=second)
        thread.start()
        while not waiting(engine):
            assert thread.is_alive(), "the second writer did not wait"
            time.sleep(0.01)
        order.append("first")
    thread.join(PATIENCE)
    assert order == ["first", "second"]


@pytest.mark.parametrize("locked", [True, False])
def test_two_writers_of_the_same_days_leave_each_row_once(engine, locked):
    """Without the lock the second writer would wait for rows of the first."""
    with engine.begin() as connection:
        keys = hold(connection, 50)
    barrier = threading.Barrier(2)
    results = []

    def run(beta: float) -> None:
        with engine.begin() as connection:
            barrier.wait(PATIENCE)
            if locked:
                write.lock_asset(connection, "position_betas")
            results.append(replace(connection, betas(keys, beta=beta)))

    threads = [threading.Thread(target=run, args=(beta,)) for beta in (1.0, 2.0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    with engine.connect() as connection:
        found = [float(beta) for beta in stored(connection, "beta")]
    assert len(results) == 2
    assert found in ([1.0] * 50, [2.0] * 50)


DRAWDOWNS = tables.metadata.tables["portfolio_drawdowns"]


def replace_drawdowns(connection: sa.Connection, rows: pd.DataFrame) -> write.WriteCounts:
    """Replace the drawdowns of Monday: a table without generated ids."""
    return write.replace_rows(
        connection,
        DRAWDOWNS,
        rows,
        key=("portfolio_id", "day"),
        scope=DRAWDOWNS.c.day == MONDAY,
        provenance=SECOND,
    )


def test_a_row_of_another_program_meanwhile_is_updated(engine):
    """The first rows of a day are copied without looking for others; the key still finds one."""
    with engine.begin() as connection:
        rows = hold(connection, 1)[["portfolio_id"]].assign(day=MONDAY, observations=252)
    results = []

    def run() -> None:
        with engine.begin() as connection:
            results.append(replace_drawdowns(connection, rows))

    with engine.begin() as other:
        key = {"portfolio_id": rows["portfolio_id"][0], "day": MONDAY}
        other.execute(sa.insert(DRAWDOWNS).values(key | {"observations": 1}))
        second = threading.Thread(target=run)
        second.start()
        waits = sa.text("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'transactionid'")
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as watch:
            while not watch.scalar(waits):
                time.sleep(0.01)
    second.join(PATIENCE)
    assert results == [(1, 0, 0)]
    with engine.connect() as connection:
        found = connection.execute(sa.select(DRAWDOWNS)).one()
    assert (found.observations, found.dagster_run_id) == (252, SECOND.dagster_run_id)


def test_new_rows_of_a_removed_portfolio_fail_and_leave_the_transaction_usable(connection):
    rows = pd.DataFrame({"portfolio_id": [str(uuid.uuid4())], "day": MONDAY, "observations": 252})
    with pytest.raises(sa.exc.IntegrityError), connection.begin_nested():
        replace_drawdowns(connection, rows)
    assert replace_drawdowns(connection, rows[:0]) == (0, 0, 0)


def test_the_planner_knows_of_many_new_rows_at_once(connection):
    """Oracle: the server's own statistics; -1 or 0 is a table that was never analyzed."""
    symbols = [f"S{number:05d}" for number in range(10_000)]
    rows = pd.DataFrame({"symbol": symbols, "date": MONDAY, "close": 1.0, "data_source": "test"})
    write.upsert_rows(connection, tables.market_data_cache, rows, key=["symbol", "date"])
    assert connection.scalar(
        sa.text("SELECT reltuples FROM pg_class WHERE relname = 'market_data_cache'")
    ) == pytest.approx(10_000)
    assert (
        connection.scalar(
            sa.text(
                "SELECT n_distinct FROM pg_stats WHERE tablename = 'market_data_cache' AND attname"
                " = 'symbol'"
            )
        )
        == -1
    )


SNAPSHOTS = tables.portfolio_snapshots
COUNTS = ("num_positions", "num_long_positions", "num_short_positions")
NOT_NULL = ("cash_value", "long_value", "short_value", "gross_exposure", "net_exposure")
LARGEST = 10.0**14
"""First value that exceeds total_value, NUMERIC(16, 2)."""


def snapshot_rows(connection: sa.Connection, **values: list[float]) -> pd.DataFrame:
    """Return rows of portfolio_snapshots, one portfolio per value."""
    count = len(next(iter(values.values())))
    portfolios = [{"name": f"P{number}", "currency": "USD"} for number in range(count)]
    added = sa.insert(tables.portfolios).returning(tables.portfolios.c.id)
    ids = connection.execute(added, portfolios).scalars().all()
    rows = pd.DataFrame({"portfolio_id": [str(key) for key in ids], "snapshot_date": MONDAY})
    return rows.assign(
        **dict.fromkeys(("total_value", *NOT_NULL), 1.0), **dict.fromkeys(COUNTS, 1)
    ).assign(**values)


def fit_snapshots(rows: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Call null_out_of_range for snapshots without other undefined values."""
    reasons = pd.DataFrame(columns=["metric", "subject", "day", "portfolio_id", "reason", "n_obs"])
    return result_writes.null_out_of_range(
        SNAPSHOTS, rows, reasons, subject="portfolio_id", day="snapshot_date"
    )


def test_a_row_whose_value_fits_no_column_that_must_have_one_is_left_out_with_its_reason(
    connection,
):
    """The other portfolio's row is written; oracle: what Postgres accepts."""
    rows = snapshot_rows(connection, total_value=[1e20, 25.5, -LARGEST])
    kept, undefined = fit_snapshots(rows)
    assert kept["total_value"].to_list() == [25.5]
    assert undefined["subject"].to_list() == rows["portfolio_id"].iloc[[0, 2]].to_list()
    assert set(undefined["metric"]) == {"portfolio_snapshots.total_value"}
    reason = undefined["reason"].iloc[0]
    assert reason == "1e+20 exceeds its column, NUMERIC(16, 2): check the price"
    key, scope = ("portfolio_id", "snapshot_date"), SNAPSHOTS.c.snapshot_date == MONDAY
    write.replace_rows(connection, SNAPSHOTS, kept, key=key, scope=scope, provenance=FIRST)
    assert connection.scalars(sa.select(SNAPSHOTS.c.total_value)).all() == [25.5]
    with pytest.raises(DataQualityError), connection.begin_nested():
        write.replace_rows(connection, SNAPSHOTS, rows, key=key, scope=scope, provenance=FIRST)


def test_a_value_that_does_not_fit_a_column_that_may_be_null_is_null_and_its_row_stays(connection):
    kept, undefined = fit_snapshots(snapshot_rows(connection, hhi=[1e6, 0.25]))
    assert np.isnan(kept["hhi"].iloc[0])
    assert kept["hhi"].iloc[1] == 0.25
    assert len(kept) == 2
    assert undefined["metric"].to_list() == ["portfolio_snapshots.hhi"]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("column", "limit", "unit"),
    [("hhi", 10.0**6, 1e-4), ("effective_num_positions", 10.0**8, 0.01)],
)
def test_the_limit_of_a_column_is_one_unit_of_its_last_place_below_what_overflows(
    connection, column, limit, unit, sign
):
    """One unit below the limit is stored; the limit itself would round up and overflow."""
    fits, does_not = sign * (limit - 2 * unit), sign * (limit - unit)
    kept, undefined = fit_snapshots(
        snapshot_rows(connection, **{column: [fits, does_not, sign * limit]})
    )
    assert kept[column].iloc[0] == fits
    assert kept[column].iloc[1:].isna().all()
    assert len(undefined) == 2
    key, scope = ("portfolio_id", "snapshot_date"), SNAPSHOTS.c.snapshot_date == MONDAY
    write.replace_rows(connection, SNAPSHOTS, kept, key=key, scope=scope, provenance=FIRST)
    stored = connection.scalars(
        sa.select(SNAPSHOTS.c[column]).where(SNAPSHOTS.c[column].is_not(None))
    )
    assert [float(value) for value in stored] == [pytest.approx(fits, abs=unit / 2)]


def test_a_value_that_fits_again_has_no_reason_left(connection):
    """The long value is none of the figures that the asset itself may leave undefined."""
    rows = snapshot_rows(connection, long_value=[1e20, 1.0])
    reasons = pd.DataFrame(columns=["metric", "subject", "day", "portfolio_id", "reason", "n_obs"])
    stored_reasons = sa.select(tables.undefined_metrics.c.metric)
    days = [MONDAY.date()]
    computed = TableRows(SNAPSHOTS, rows, reasons, ["portfolio_snapshots.hhi"])
    write_computed(connection, Computed([computed]), days, FIRST)
    assert connection.scalars(stored_reasons).all() == ["portfolio_snapshots.long_value"]
    mended = computed._replace(rows=rows.assign(long_value=1.0))
    write_computed(connection, Computed([mended]), days, SECOND)
    assert connection.scalars(stored_reasons).all() == []
    assert connection.scalars(sa.select(SNAPSHOTS.c.long_value)).all() == [1.0, 1.0]

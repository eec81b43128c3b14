"""Inputs of a run, made without Dagster, from one snapshot of a real database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

import pandas as pd
import pytest
import sqlalchemy as sa

from riskmetrics import settings
from riskmetrics.cli.demo import load_sample
from riskmetrics.computations.risk_figures import compute_stress
from riskmetrics.db import stored_prices, tables
from riskmetrics.db.engine import create_engine
from riskmetrics.db.shards import Shard, Unit
from riskmetrics.errors import ConfigurationError
from riskmetrics.inputs.run_inputs import RunInputs
from riskmetrics.inputs.shared_series import SharedSeries
from riskmetrics.inputs.snapshot import Snapshot, join_snapshot, open_snapshot
from tests.conftest import open_connection

DAY, BEFORE = date(2022, 12, 28), date(2022, 12, 27)
OF_PRICES = tables.market_data_cache


@pytest.fixture
def sample(database: str) -> str:
    """Return the URL of a fresh database with the sample."""
    with open_connection(database) as connection:
        load_sample(connection)
    return database


@contextmanager
def open_other(url: str) -> Iterator[Snapshot]:
    """Open a snapshot on connections of its own."""
    engine = create_engine(url)
    try:
        with open_snapshot(engine, settings.load()) as snapshot:
            yield snapshot
    finally:
        engine.dispose()


@pytest.fixture
def snapshot(sample: str) -> Iterator[Snapshot]:
    """Return an open snapshot of the sample."""
    with open_other(sample) as snapshot:
        yield snapshot


def double_closes(url: str) -> None:
    """Import other prices: the latest closes are twice as high, and the scenarios are gone."""
    latest = sa.update(OF_PRICES).where(OF_PRICES.c.date >= BEFORE)
    with open_connection(url) as connection:
        connection.execute(
            latest.values({name: OF_PRICES.c[name] * 2 for name in ("close", "adj_close")})
        )
        connection.execute(sa.delete(tables.stress_scenarios))


def figures(inputs: RunInputs) -> dict[str, pd.DataFrame]:
    """Return series that read prices, profiles and scenarios, in the order in which runs do."""
    return {
        "betas": pd.DataFrame(inputs.market_betas.ols.beta),
        "volatility": pd.DataFrame(inputs.portfolio_volatility.root_variance_amount),
        "stress": compute_stress(inputs)[0],
        "values": pd.DataFrame(inputs.valuation.gross_value),
    }


def test_steps_of_a_span_are_those_of_its_own_prices(sample: str) -> None:
    """The whole history is read once; a step into the span is not a step of the span."""
    ex_days = [date(2022, 5, 6), date(2022, 8, 5), date(2022, 11, 4)]
    factor = sa.case(
        *((OF_PRICES.c.date < day, 0.99 - 0.01 * at) for at, day in enumerate(ex_days))
    )
    with open_connection(sample) as connection:
        connection.execute(
            sa.update(OF_PRICES)
            .where(OF_PRICES.c.symbol == "AAPL", OF_PRICES.c.date < ex_days[-1])
            .values(adj_close=OF_PRICES.c.close * factor)
        )
    with open_other(sample) as snapshot:
        for first, last, n_steps in [
            (date(2022, 1, 3), DAY, 3),
            (date(2022, 5, 5), date(2022, 11, 4), 3),
            (date(2022, 5, 6), date(2022, 11, 3), 1),
        ]:
            found = snapshot.adjustment_steps(["AAPL", "MSFT"], first, last)
            assert found["date"].dt.date.tolist() == [d for d in ex_days if first < d <= last]
            assert len(found) == n_steps
            alone = stored_prices.read_adjustment_steps(snapshot.connection, ["AAPL"], first, last)
            pd.testing.assert_frame_equal(found, alone, check_exact=True)
        assert snapshot.adjustment_steps(["MSFT"], date(2022, 1, 3), DAY).empty


def test_sessions_of_one_history_have_the_same_distributions(snapshot: Snapshot) -> None:
    run, earlier = RunInputs(snapshot, [DAY]), RunInputs(snapshot, [BEFORE])
    assert earlier.read_market_data().distributions is run.read_market_data().distributions
    before_all = RunInputs(snapshot, [date(2018, 1, 2)])  # before the first lot
    assert before_all.read_market_data().distributions is not run.read_market_data().distributions


def test_what_is_imported_during_a_run_is_seen_by_the_next_run_alone(
    sample: str, snapshot: Snapshot
) -> None:
    """All figures are of one generation: betas before the import, the others after it."""
    with open_other(sample) as undisturbed:
        expected = figures(RunInputs(undisturbed, [DAY]))
    inputs = RunInputs(snapshot, [DAY])
    assert inputs.market_betas.ols.beta.size
    double_closes(sample)
    seen = figures(inputs)
    for name, frame in expected.items():
        pd.testing.assert_frame_equal(seen[name], frame, obj=name)
    with open_other(sample) as later:
        changed = RunInputs(later, [DAY])
        assert not pd.DataFrame(changed.valuation.gross_value).equals(expected["values"])
        assert compute_stress(changed)[0].empty


def test_a_snapshot_cannot_write(snapshot: Snapshot) -> None:
    with pytest.raises(sa.exc.InternalError, match="read-only transaction"):
        snapshot.connection.execute(sa.delete(tables.stress_scenarios))


def test_a_pause_between_two_reads_does_not_end_a_snapshot(sample: str) -> None:
    """Some servers end transactions that are idle; computations take longer than their limit."""
    limit = {"options": "-c idle_in_transaction_session_timeout=50ms"}
    url = sa.make_url(sample).update_query_dict(limit).render_as_string(hide_password=False)
    with open_other(url) as snapshot:
        n_lots = len(snapshot.lots)
        pid = snapshot.connection.scalar(sa.text("SELECT pg_backend_pid()"))
        idle = sa.text(
            "SELECT clock_timestamp() - state_change > interval '100ms' FROM pg_stat_activity"
            " WHERE pid = :pid AND state LIKE 'idle%'"
        )
        with open_connection(sample) as watcher:
            # a transaction would see the activity of its beginning
            watcher.execute(sa.text("SET stats_fetch_consistency = none"))
            while watcher.scalar(idle, {"pid": pid}) is False:
                pass
        assert n_lots == snapshot.connection.scalar(sa.text("SELECT count(*) FROM positions"))


def test_each_series_is_read_once(snapshot: Snapshot) -> None:
    statements: list[str] = []
    inputs = RunInputs(snapshot, [BEFORE, DAY])
    figures(inputs)
    sa.event.listen(
        snapshot.connection,
        "before_cursor_execute",
        lambda *event: statements.append(event[2]),
    )
    figures(inputs)
    assert statements == []


def test_inputs_of_other_sessions_share_what_does_not_depend_on_sessions(
    snapshot: Snapshot,
) -> None:
    first, second = RunInputs(snapshot, [BEFORE]), RunInputs(snapshot, [DAY])
    assert first.snapshot.lots is second.snapshot.lots
    assert first.valuation.sessions != second.valuation.sessions


def test_inputs_cannot_be_replaced(snapshot: Snapshot) -> None:
    inputs = RunInputs(snapshot, [DAY])
    with pytest.raises(AttributeError):
        inputs.sessions = [BEFORE]  # type: ignore[misc]
    with pytest.raises(AttributeError):
        snapshot.market_index = "GLD"  # type: ignore[misc]


SHARD = Shard(Unit.PORTFOLIOS)


def test_a_shard_reads_what_the_run_reads(sample: str, snapshot: Snapshot) -> None:
    """What is imported after the snapshot was exported is not in a shard of it."""
    exported, expected = snapshot.export(), figures(RunInputs(snapshot, [DAY]))
    double_closes(sample)
    engine = create_engine(sample)
    with join_snapshot(engine, exported, SHARD, SharedSeries()) as joined:
        for name, frame in figures(RunInputs(joined, [DAY])).items():
            pd.testing.assert_frame_equal(frame, expected[name], obj=name)
    engine.dispose()


def test_a_worker_with_another_database_is_told_what_to_set(
    new_database: Callable[..., str], template: str, snapshot: Snapshot
) -> None:
    engine = create_engine(new_database(template))
    message = "set RISKMETRICS_DATABASE_URL of workers to that of the run"
    joined = join_snapshot(engine, snapshot.export(), SHARD, SharedSeries())
    with pytest.raises(ConfigurationError, match=message), joined:
        pass
    engine.dispose()

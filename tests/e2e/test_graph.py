"""What the asset graph promises: its shape, what each edge carries, and failures of one asset."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import cache
from typing import NamedTuple

import pandas as pd
import pytest
import sqlalchemy as sa

from riskmetrics import settings, trading_calendar
from riskmetrics.assets.result_checks import RESULT_CHECKS, ResultCheck
from riskmetrics.catalog import all_statistics
from riskmetrics.computations.result_asset import Edge
from riskmetrics.computations.result_assets import RESULT_ASSETS
from riskmetrics.computations.result_run import ResultRun
from riskmetrics.db import result_queries, tables
from riskmetrics.db.engine import create_engine
from riskmetrics.db.write import Provenance
from riskmetrics.definitions import build_definitions
from riskmetrics.inputs.run_inputs import RunInputs
from riskmetrics.inputs.snapshot import open_snapshot
from tests.conftest import open_connection
from tests.e2e.conftest import Run, query_frame

DAY = date(2022, 12, 28)
FORECAST_DAYS = [trading_calendar.previous_session(DAY, horizon) for horizon in (90, 21, 1)]
"""Betas, volatility forecasts and values at risk made on them complete on DAY."""

BY_NAME = {asset.name: asset for asset in RESULT_ASSETS}
UPSTREAM = sorted({name for asset in RESULT_ASSETS for name in asset.upstream})

ALTER = {
    "market_prices": (
        "UPDATE market_data_cache SET close = close * 1.1, adj_close = adj_close * 1.1,"
        " volume = 1"
        " WHERE date = '2022-12-28' AND symbol NOT IN ('SPX')"
    ),
    "company_profiles": "UPDATE company_profiles SET sector = 'Energy', beta = 1.5",
    "benchmark_weights": "UPDATE benchmarks_sector_weights SET weight = weight / 2",
    "har_coefficients": "UPDATE har_coefficients SET constant = constant + 1",
}
"""Statements that change the stored rows of inputs."""

SHAPE = """
benchmark_weights <-
company_profiles <-
market_prices <-
har_coefficients <- market_prices
interest_rate_betas <- market_prices
position_betas <- market_prices
symbol_factor_exposures <- market_prices
position_volatility <- har_coefficients, market_prices
portfolio_values <- market_prices
portfolio_betas <- company_profiles, har_coefficients, portfolio_values, position_betas
portfolio_rate_betas <- har_coefficients, interest_rate_betas, portfolio_values
portfolio_volatility <- har_coefficients, portfolio_values
sector_concentration <- benchmark_weights, company_profiles, portfolio_values
option_exposures <- portfolio_values, position_volatility
portfolio_tail_risk <- portfolio_values, portfolio_volatility
risk_contributions <- company_profiles, har_coefficients, portfolio_values
liquidity <- market_prices, portfolio_values
correlations <- har_coefficients, portfolio_values
portfolio_factor_exposures <- har_coefficients, portfolio_values, symbol_factor_exposures
stress_tests <- portfolio_betas, portfolio_factor_exposures, portfolio_rate_betas
forecast_outcomes <- portfolio_tail_risk, portfolio_volatility, position_betas,\
 position_volatility, risk_contributions
portfolio_limit_checks <- correlations, forecast_outcomes, liquidity, option_exposures,\
 portfolio_betas, portfolio_factor_exposures, portfolio_rate_betas,\
 portfolio_tail_risk, portfolio_values, portfolio_volatility,\
 risk_contributions, sector_concentration, stress_tests
ai_insights <- correlations, forecast_outcomes, liquidity, option_exposures,\
 portfolio_betas, portfolio_factor_exposures, portfolio_limit_checks, portfolio_rate_betas,\
 portfolio_tail_risk, portfolio_values, portfolio_volatility,\
 risk_contributions, sector_concentration, stress_tests
"""

CHECKS = {
    "ai_insights": {"insights_verified"},
    "benchmark_weights": {"benchmark_complete"},
    "correlations": {"correlations_in_range"},
    "forecast_outcomes": {"outcomes_present"},
    "interest_rate_betas": {"regressions_in_range"},
    "liquidity": {"sales_ordered"},
    "market_prices": {
        *("bad_ticks", "large_moves", "short_histories", "stale_prices"),
        *("adjustment_breaks", "unadjusted_splits"),
    },
    "option_exposures": {"sensitivities_in_range"},
    "portfolio_active_risk": {"tracking_error_in_range"},
    "portfolio_alpha": {"correlation_in_range"},
    "portfolio_betas": {"errors_ordered"},
    "portfolio_drawdowns": {"drawdowns_ordered"},
    "portfolio_expected_active_risk": {"tracking_error_in_range"},
    "portfolio_factor_exposures": {"factor_shares_sum"},
    "portfolio_market_regressions": {"regressions_in_range"},
    "portfolio_performance": {"return_in_range"},
    "portfolio_return_distribution": {"shares_in_range"},
    "portfolio_underwater": {"drawdowns_ordered"},
    "portfolio_rate_betas": {"r_squared_in_range"},
    "portfolio_tail_risk": {"losses_ordered", "values_at_risk_are_losses"},
    "portfolio_values": {
        *("last_scheduled_run", "portfolios_valued", "price_coverage"),
        *("unconfirmed_prices", "values_sum"),
    },
    "portfolio_volatility": {
        *("bands_contain_forecast", "equity_sufficient", "horizon_bands_contain_forecast"),
    },
    "position_betas": {"beta_extreme", "betas_match_statsmodels", "regressions_in_range"},
    "position_volatility": {"bands_contain_forecast", "horizon_bands_contain_forecast"},
    "risk_contributions": {
        *("active_sector_shares_sum", "contributions_sum", "decayed_contributions_sum"),
    },
    "sector_concentration": {"concentration_in_range", "sector_weights_sum"},
    "stress_tests": {"stress_in_range"},
    "symbol_factor_exposures": {"regressions_in_range"},
}


def test_the_graph_has_exactly_these_assets_edges_checks_jobs_and_schedules() -> None:
    """A dropped dependency or check is a change that somebody has to write down here."""
    definitions = build_definitions()
    graph = definitions.resolve_asset_graph()
    shape = {
        key.to_user_string(): sorted(
            parent.to_user_string() for parent in graph.get(key).parent_keys
        )
        for key in graph.get_all_asset_keys()
    }
    lines = [line.split(" <-") for line in SHAPE.strip().splitlines()]
    expected = {name: follows.replace(",", "").split() for name, follows in lines}
    statistics = [statistic.table for statistic in all_statistics()]
    expected |= {name: ["har_coefficients", "portfolio_values"] for name in statistics}
    for name in ("ai_insights", "portfolio_limit_checks"):
        expected[name] = sorted([*expected[name], *statistics])
    assert shape == expected
    checks: dict[str, set[str]] = {}
    for check in graph.asset_check_keys:
        checks.setdefault(check.asset_key.to_user_string(), set()).add(check.name)
    assert checks == CHECKS
    blocking = {key.name for key in graph.asset_check_keys if graph.get_check_spec(key).blocking}
    assert blocking == {"betas_match_statsmodels", "sector_weights_sum"}
    repository = definitions.get_repository_def()
    jobs = {job.name for job in repository.get_all_jobs() if not job.name.startswith("__")}
    assert jobs == {"daily_risk", "insights", "calibrate", "seed_benchmark", "collect_insights"}
    assert [schedule.name for schedule in repository.schedule_defs] == ["after_close"]
    assert {sensor.name for sensor in repository.sensor_defs} == {
        *("alert_on_failure", "alert_on_failed_checks", "alert_on_missed_session"),
        "insight_batches",
    }


def test_assets_are_listed_after_what_they_follow_from() -> None:
    """They are computed in this order."""
    names = [asset.name for asset in RESULT_ASSETS]
    for position, asset in enumerate(RESULT_ASSETS):
        assert asset.upstream.keys().isdisjoint(names[position:])


@pytest.mark.parametrize("check", [check for check in RESULT_CHECKS if check.is_blocking])
def test_what_a_blocking_check_stops_is_computed_after_it_in_shards_too(check: ResultCheck) -> None:
    """The assets of a unit are computed together, before the first of their checks."""
    followers = {check.asset}
    for asset in RESULT_ASSETS:
        if followers.intersection(asset.upstream):
            followers.add(asset.name)
    units = [BY_NAME[name].unit for name in followers - {check.asset}]
    assert BY_NAME[check.asset].unit not in units


def materialize(url: str, day: date, names: Sequence[str]) -> None:
    """Compute and store assets as their step does, without the events of a run of Dagster."""
    engine, made_by = create_engine(url), Provenance("a run", "a version")
    with ResultRun(engine, settings.load(), RESULT_ASSETS, names, [day], made_by) as run:
        for name in names:
            run.store(BY_NAME[name], stopped=set())
    engine.dispose()


@pytest.fixture(scope="session")
def computed_template(sample_template: str, create_database: Callable[..., str]) -> str:
    """Return the name of a database with results of the days; a portfolio holds an option."""
    option = {
        "symbol": "AAPL230616C130",
        "underlying_symbol": "AAPL",
        "position_type": "LC",
        "quantity": 300,
        "entry_price": 10,
        "last_price": 11,
        "entry_date": date(2022, 1, 3),
        "investment_class": "OPTIONS",
        "strike_price": 130,
        "expiration_date": "2023-06-16",
    }
    url = create_database(sample_template)
    with open_connection(url) as connection:
        named = sa.select(tables.portfolios.c.id).filter_by(name="Core Equity")
        owner = {"portfolio_id": connection.scalar(named)}
        connection.execute(sa.insert(tables.positions).values(option | owner))
        traded = "UPDATE market_data_cache SET volume = 1000000 + (date - '2022-01-01')"
        connection.execute(sa.text(traded))  # the sample has no volumes
        rates = {"name": "rate_index", "value": "USMV"}  # the sample has no fund of bonds
        connection.execute(sa.insert(tables.database_settings).values(rates))
    for day in (*FORECAST_DAYS, DAY):
        materialize(url, day, [*BY_NAME])
    name = sa.make_url(url).database
    assert name
    return name


@pytest.fixture
def book(computed_template: str, new_database: Callable[..., str]) -> str:
    """Return a fresh database with results."""
    return new_database(computed_template)


def alter(url: str, name: str) -> None:
    """Change the stored rows of an asset as another program would."""
    if name not in BY_NAME:
        with open_connection(url) as connection:
            connection.execute(sa.text(ALTER[name]))
        return
    for table in BY_NAME[name].tables:
        changed = {
            column.name: column * 0.75
            for column in table.c
            if isinstance(column.type, sa.Numeric | sa.Double) and not column.primary_key
        }
        with open_connection(url) as connection:
            connection.execute(sa.update(table).values(changed))


class Query(NamedTuple):
    """The columns that an asset writes, and the statement that reads them for DAY."""

    columns: list[str]
    statement: str


@cache
def queries(url: str) -> dict[str, list[Query]]:
    """Return what reads the figures of each asset, by the columns that it computes."""
    engine, found = create_engine(url), {}
    with open_snapshot(engine, settings.load()) as snapshot:
        inputs = RunInputs(snapshot, [DAY])
        computed = {asset.name: asset.compute_rows(inputs).tables for asset in RESULT_ASSETS}
    engine.dispose()
    for name, of_asset in computed.items():
        found[name] = []
        for table, rows, session in (
            (each.table, each.rows, each.session_column) for each in of_asset
        ):
            columns = [column for column in rows.columns if column in table.c]
            statement = f"SELECT {', '.join(columns)} FROM {table.name} WHERE {session} = '{DAY}'"
            found[name].append(Query(columns, statement))
    return found


def own_figures(url: str, reading: Sequence[Query]) -> list[pd.DataFrame]:
    """Return the stored columns that an asset writes for DAY, in an order of their values."""
    return [
        query_frame(url, query.statement).astype(str).sort_values(query.columns)
        for query in reading
    ]


@pytest.fixture(scope="module")
def unaltered(computed_template: str, create_database: Callable[..., str]) -> str:
    """Return a database with the results that every new book has."""
    return create_database(computed_template)


@pytest.mark.parametrize("upstream", UPSTREAM)
def test_edges_carry_what_their_records_state(unaltered: str, book: str, upstream: str) -> None:
    """Alter what is stored upstream, materialize what follows from it, and look at its figures."""
    edges = {
        each.name: each.upstream[upstream] for each in RESULT_ASSETS if upstream in each.upstream
    }
    before = {name: own_figures(unaltered, queries(unaltered)[name]) for name in edges}
    assert all(any(len(rows) for rows in figures) for figures in before.values())
    alter(book, upstream)
    materialize(book, DAY, [*edges])
    after = {name: own_figures(book, queries(unaltered)[name]) for name in edges}
    changed = {
        name
        for name in edges
        for old, new in zip(before[name], after[name], strict=True)
        if old.to_numpy().tolist() != new.to_numpy().tolist()
    }
    assert changed == {name for name, edge in edges.items() if edge is Edge.READS}


def spoil(url: str, table: str) -> None:
    """Make the database refuse rows of a table."""
    with open_connection(url) as connection:
        for statement in (
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'disk of % is full', TG_TABLE_NAME; END $$",
            f"CREATE TRIGGER refuse BEFORE INSERT ON {table} EXECUTE FUNCTION refuse()",
        ):
            connection.execute(sa.text(statement))


def test_a_table_that_fails_stops_what_follows_from_it_and_nothing_else(
    sample: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(sample, "portfolio_rate_betas")
    outcome = run([DAY])
    assert not outcome.result.success
    error = capsys.readouterr().err
    assert error.count("disk of portfolio_rate_betas is full") == 1
    assert "portfolio_rate_betas failed: " in error
    assert "Traceback" not in error
    empty = {name for name, count in count_rows(sample).items() if not count}
    not_applicable = {"option_exposures", "forecast_outcomes"}  # no options, no earlier forecasts
    assert empty - not_applicable == {"portfolio_rate_betas", "stress_tests"}
    assert query_frame(sample, "SELECT 1 FROM ai_insights").empty
    materialized = {
        event.asset_key.to_user_string()
        for event in outcome.result.all_events
        if event.is_step_materialization and event.asset_key
    }
    assert {"portfolio_tail_risk", "portfolio_drawdowns"} <= materialized
    assert materialized.isdisjoint({"portfolio_rate_betas", "stress_tests", "ai_insights"})


def test_several_tables_that_fail_are_all_named_and_the_worst_decides_the_exit_code(
    sample: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_connection(sample) as connection:
        connection.execute(
            sa.delete(tables.market_data_cache).where(
                tables.market_data_cache.c.symbol == "SPX", tables.market_data_cache.c.date == DAY
            )
        )
    spoil(sample, "portfolio_drawdowns")
    outcome = run([DAY])
    error = capsys.readouterr().err
    assert "position_betas failed: " in error
    assert "portfolio_drawdowns failed: " in error
    assert outcome.exit_code == 6


def count_rows(url: str) -> dict[str, int]:
    """Return the number of stored rows of each asset's first table."""
    return {
        asset.name: len(query_frame(url, f"SELECT 1 FROM {asset.tables[0].name}"))
        for asset in RESULT_ASSETS
    }


def test_a_statement_that_fails_in_the_snapshot_does_not_end_it_for_other_assets(
    sample: str, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def divide(inputs: RunInputs) -> object:
        return inputs.snapshot.connection.execute(sa.text("SELECT 1 / 0"))

    monkeypatch.setattr(RunInputs, "profiles", property(divide))
    run([DAY])
    error = capsys.readouterr().err
    assert "portfolio_betas, sector_concentration, risk_contributions failed: " in error
    assert "division by zero" in error
    assert "current transaction is aborted" not in error
    assert count_rows(sample)["portfolio_tail_risk"]  # reads bars after the failure
    assert not count_rows(sample)["stress_tests"]


def test_a_connection_that_ends_in_the_snapshot_fails_what_is_not_computed_with_its_reason(
    sample: str, run: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def end(inputs: RunInputs) -> object:
        statement = sa.text("SELECT pg_terminate_backend(pg_backend_pid())")
        return inputs.snapshot.connection.execute(statement)

    monkeypatch.setattr(RunInputs, "profiles", property(end))
    assert run([DAY]).exit_code == 6
    (line,) = (line for line in capsys.readouterr().err.splitlines() if " failed: " in line)
    assert line.startswith("portfolio_betas, portfolio_volatility, sector_concentration, ")
    assert "terminating connection due to administrator command" in line
    assert count_rows(sample)["portfolio_values"] == 3  # computed before


CHECKED = [
    *("portfolio_values", "portfolio_volatility", "portfolio_tail_risk", "sector_concentration"),
    *("position_betas", "portfolio_betas", "interest_rate_betas", "portfolio_rate_betas"),
    *("symbol_factor_exposures", "portfolio_factor_exposures", "stress_tests"),
]
"""Assets with the checks below, what follows them, and what that needs."""


@pytest.mark.parametrize(
    ("query", "check", "follower", "is_stopped"),
    [
        (
            "find_small_equity",
            "portfolio_volatility:equity_sufficient",
            "portfolio_tail_risk",
            False,
        ),
        ("find_extreme_betas", "position_betas:beta_extreme", "stress_tests", False),
        ("sample_market_betas", "position_betas:betas_match_statsmodels", "stress_tests", True),
    ],
)
def test_a_check_that_cannot_be_made_stops_what_follows_only_if_it_blocks(
    sample: str,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    query: str,
    check: str,
    follower: str,
    is_stopped: bool,
) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("no answer")

    monkeypatch.setattr(result_queries, query, fail)
    outcome = run([DAY], CHECKED)
    assert outcome.exit_code == 1
    assert f"{check} failed: RuntimeError: no answer" in capsys.readouterr().err
    assert (count_rows(sample)[follower] == 0) is is_stopped
    evaluated = {each.check_name for each in outcome.result.get_asset_check_evaluations()}
    assert evaluated >= {"price_coverage", "sector_weights_sum"}
    assert len(evaluated & {"beta_extreme", "betas_match_statsmodels", "equity_sufficient"}) == 2

"""`riskmetrics explain`: stored values against an independent recalculation."""

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from riskmetrics import settings, trading_calendar
from riskmetrics.catalog import Place, all_figures
from riskmetrics.cli import launch
from riskmetrics.computations.forecast_scores import TRACK_RECORD_ASSET
from riskmetrics.db import tables
from riskmetrics.errors import NotStoredError, UsageError
from riskmetrics.explain import explainer
from riskmetrics.explain.recalculation import is_equal_as_stored
from tests.commands import invoke
from tests.conftest import NewDatabase, open_connection
from tests.e2e.conftest import FORECASTS, UNDEFINED, list_differences, recalculate_explanations

NOT_RECALCULATED = {
    figure.name
    for figure in all_figures()
    if Place.EXPLAIN in {absence.place for absence in figure.absent}
}
"""Figures that `explain` shows without an independent recalculation."""

DAY = date(2022, 12, 28)
JUNE = date(2023, 6, 16)
HELD: dict[str, Any] = {
    "position_type": "LONG",
    "entry_date": date(2022, 1, 3),
    "entry_price": 100,
    "investment_class": "PUBLIC",
}
OPTION: dict[str, Any] = {"investment_class": "OPTIONS", "expiration_date": JUNE, "last_price": 9}
LOTS: list[Mapping[str, Any]] = [
    *(
        {"symbol": "AAPL", "quantity": quantity, "entry_date": date(2022, 12, day)}
        for quantity, day in ((60, 5), (40, 28))
    ),
    {"symbol": "XOM", "position_type": "SHORT", "quantity": -30, "entry_price": None},
    {"symbol": "PEP", "quantity": 25, "exit_date": DAY, "exit_price": 181},
    {"symbol": "JPM", "quantity": 15, "exit_date": date(2022, 12, 20)},
    {"symbol": "GONE", "quantity": 70},
    {"symbol": "NONE", "quantity": 1},
    {"symbol": "HOUSE", "quantity": 1, "investment_class": "PRIVATE", "market_value": 900},
    {
        "symbol": "AAPLC",
        "position_type": "SC",
        "quantity": -1,
        "underlying_symbol": "AAPL",
        "strike_price": 130,
        **OPTION,
    },
    {
        "symbol": "MSFTP",
        "position_type": "LP",
        "quantity": 2,
        "underlying_symbol": "MSFT",
        "strike_price": 240,
        **OPTION,
    },
]
"""Lots: netted, short, sold on the day and earlier, with stale or no prices, private, options."""


@pytest.fixture(scope="module")
def database_url(
    sample_template: str, create_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """Return the URL of the sample database plus a mixed portfolio, after the day's run."""
    url = create_database(sample_template)
    with open_connection(url) as connection:
        stated = {
            "name": "Mixed",
            "currency": "USD",
            "equity_balance": 40_000,
            "equity_as_of": date(2022, 12, 15),
        }
        key = connection.scalar(
            sa.insert(tables.portfolios).values(stated).returning(tables.portfolios.c.id)
        )
        for lot in LOTS:
            connection.execute(
                sa.insert(tables.positions).values(HELD | {"portfolio_id": key} | lot)
            )
        copied = (
            "SELECT 'GONE', date, 30 + close / 1000, 30 + close / 1000, 'test' FROM"
            " market_data_cache WHERE symbol = 'SPX'"
        )
        connection.execute(
            sa.text(
                "INSERT INTO market_data_cache (symbol, date, close, adj_close, data_source)"
                f" {copied} AND date <= '2022-12-23'"
            )
        )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RISKMETRICS_DATABASE_URL", url)
        patch.setenv("RISKMETRICS_HOME", str(tmp_path_factory.mktemp("home")))
        assert launch.run(settings.load(), [DAY]).exit_code == 0
    return url


@pytest.fixture
def mixed(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Point the settings at the database with the mixed portfolio."""
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", database_url)
    return database_url


def explain(*arguments: str) -> tuple[int, Any]:
    result = invoke("explain", *arguments, "--date", f"{DAY}", "--json")
    return result.exit_code, (
        json.loads(result.stdout) if result.stdout.strip().startswith("[") else result.stderr
    )


def test_every_value_of_a_mixed_portfolio_equals_its_recalculation(
    mixed: str,
) -> None:
    found = recalculate_explanations(mixed, DAY, ["Mixed"])
    assert list_differences(found) == []
    # undefined values are undefined in both, with a reason
    assert sum(one.stored is None for one in found) > 20
    assert all(
        one.reason
        for one in found
        if one.stored is None
        and one.figure.null in UNDEFINED
        and one.figure.column != "thin_coverage_sessions"
    )


def test_every_outcome_of_a_forecast_equals_its_recalculation(
    mixed: str, new_database: NewDatabase, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Betas, volatility forecasts and values at risk that complete on the day."""
    url = new_database(sa.make_url(mixed).database)
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", url)
    monkeypatch.setenv("RISKMETRICS_HOME", str(tmp_path))
    made_on = {horizon: trading_calendar.previous_session(DAY, horizon) for horizon in (90, 21, 1)}
    assets = [*FORECASTS, TRACK_RECORD_ASSET.name]
    for day in (*made_on.values(), DAY):
        assert launch.run(settings.load(), [day], assets).exit_code == 0
    kinds = {}
    for horizon, day in made_on.items():
        found = recalculate_explanations(url, day, ["Mixed"], table="forecast_outcomes")
        assert list_differences(found) == []
        kinds[horizon] = {one.key["kind"] for one in found if one.stored is not None}
    assert kinds == {90: {"beta"}, 21: {"volatility"}, 1: {"value_at_risk", "volatility"}}


def test_a_portfolio_without_options_has_zero_sensitivities(mixed: str) -> None:
    code, (delta,) = explain("Long-Short", "portfolio_delta")
    assert (code, delta["stored"], delta["recalculated"], delta["inputs"]) == (
        0,
        0.0,
        0.0,
        {"options": 0},
    )


@pytest.mark.parametrize("n_sessions", [21, 63])
def test_realized_volatility_is_explained_by_its_own_window(mixed: str, n_sessions: int) -> None:
    start = trading_calendar.previous_session(DAY, n_sessions - 1)
    for portfolio, figure, options in (
        ("Long-Short", f"realized_volatility_{n_sessions}d", ()),
        ("Mixed", f"position_volatility.realized_vol_{n_sessions}d", ("--symbol", "XOM")),
    ):
        code, (found, *_) = explain(portfolio, figure, *options)
        assert (code, found["equal"], found["observations"]) == (0, True, n_sessions)
        assert found["window"] == [f"{start}", f"{DAY}"]
        assert found["inputs"].keys() <= {"symbol"}


def test_an_explanation_has_formula_window_source_rows_and_run(mixed: str) -> None:
    code, (beta,) = explain("Mixed", "position_market_betas.beta", "--symbol", "XOM")
    assert code == 0
    assert (beta["equal"], beta["key"]["symbol"], beta["observations"]) == (True, "XOM", 90)
    assert beta["recalculated"] == pytest.approx(beta["stored"], abs=5e-7)
    assert beta["formula"].startswith("cov(r, market) / var(market)")
    assert beta["recalculated_by"].startswith("statsmodels")
    assert beta["window"][1] == f"{DAY}"
    assert beta["parameters"] == {"window_days": 90, "method": "OLS_SIMPLE", "market_index": "SPX"}
    rows = beta["source_rows"]["market_data_cache: returns of adj_close"]
    assert len(rows) == 90
    assert rows[-1]["date"] == f"{DAY}"
    with open_connection(mixed) as connection:
        of_run = "SELECT dagster_run_id, code_version FROM position_market_betas LIMIT 1"
        assert tuple(connection.execute(sa.text(of_run)).one()) == (
            beta["run_id"],
            beta["code_version"],
        )


def test_a_weighted_beta_shows_the_terms_of_its_sum(mixed: str) -> None:
    """Sum(exposure x beta) / equity, divided by the share with a beta, by hand."""
    code, (beta,) = explain("Long-Short", "beta_calculated_90d")
    terms = beta["source_rows"]["terms of the sum"]
    total = sum(term["exposure"] * term["beta"] for term in terms if term["beta"] is not None)
    covered = beta["inputs"]["share of exposure with a beta"]
    shown = total / beta["inputs"]["equity"] / covered
    assert (code, shown) == (0, pytest.approx(beta["stored"], abs=5e-5))
    printed = invoke("explain", "Long-Short", "beta_calculated_90d", "--date", f"{DAY}")
    assert all(term["symbol"] in printed.stdout for term in terms)


def test_one_of_many_rows_is_chosen_by_its_key(mixed: str) -> None:
    name = ("Long-Short", "portfolio_tail_risk.value_at_risk")
    _, rows = explain(*name)
    key = ("--where", "method=filtered", "--where", "level=0.95", "--where", "horizon_days=1")
    code, (only,) = explain(*name, *key)
    assert code == 0
    assert only in rows
    assert only["key"] == {"method": "filtered", "level": 0.95, "horizon_days": 1}
    printed = invoke("explain", *name, "--date", f"{DAY}").stdout
    hint = f"{len(rows)} rows. For one of them and its source rows: --where method="
    assert hint in printed.partition("  Stored  ")[0]
    wrong = invoke("explain", *name, "--date", f"{DAY}", "--where", "method=x")
    assert "no row has method=x: choose method=filtered" in str(wrong.exception)


def test_a_changed_value_is_reported_as_different_with_exit_code_3(mixed: str) -> None:
    of_one = "FROM portfolios p WHERE p.id = portfolio_id AND p.name = 'Concentrated'"
    with open_connection(mixed) as connection:
        connection.execute(sa.text("UPDATE portfolio_snapshots SET hhi = hhi + 0.0001 " + of_one))
    code, (hhi,) = explain("Concentrated", "hhi")
    assert (code, hhi["equal"]) == (3, False)
    assert hhi["stored"] == pytest.approx(hhi["recalculated"] + 0.0001, abs=6e-5)
    printed = invoke("explain", "Concentrated", "hhi", "--date", f"{DAY}")
    assert printed.exit_code == 3
    assert "NOT EQUAL" in printed.stdout
    assert "positions" in printed.stdout
    assert explain("Concentrated", "effective_num_positions")[0] == 0


def test_an_unexplainable_request_is_refused_with_the_reason(mixed: str) -> None:
    def refusal(*arguments: str, code: int = UsageError.exit_code) -> str:
        result = invoke("explain", *arguments)
        assert result.exit_code == code
        return result.stderr

    assert "several tables" in refusal("Mixed", "beta")
    assert "no figure wisdom" in refusal("Mixed", "wisdom")
    assert "no portfolio Nobody" in refusal("Nobody", "hhi")
    assert "omit --symbol" in refusal("Mixed", "hhi", "--symbol", "AAPL")
    assert "are stored for 2022-12-27, only for 2022-12-28" in refusal(
        "Mixed", "hhi", "--date", "2022-12-27", code=NotStoredError.exit_code
    )
    assert "a portfolio and a figure" in refusal()


def test_a_figure_without_a_recalculation_shows_formula_and_stored_value(
    mixed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = [
        group
        for group in explainer.METRIC_GROUPS
        if "hhi" not in {figure.column for figure in group.figures}
    ]
    monkeypatch.setattr(explainer, "METRIC_GROUPS", kept)
    code, (hhi,) = explain("Long-Short", "hhi")
    assert (code, hhi["equal"], hhi["recalculated"], hhi["recalculated_by"]) == (
        0,
        None,
        None,
        None,
    )
    assert hhi["stored"] > 0
    assert (hhi["reference"], hhi["run_id"] is None) == ("Hirschman (1964)", False)
    printed = invoke("explain", "Long-Short", "hhi", "--date", f"{DAY}").stdout
    assert "Recalculated by  nothing: this figure is not recalculated independently" in printed
    assert "Recalculated  " not in printed.replace("Recalculated by  ", "")


def test_the_list_of_metrics_fits_in_a_hundred_columns() -> None:
    printed = invoke("explain", "--list").stdout
    assert max(map(len, printed.splitlines())) <= 100
    heads = [line for line in printed.splitlines() if not line.startswith(" ")]
    metrics = [row["metric"] for row in json.loads(invoke("explain", "--list", "--json").stdout)]
    assert [line.partition(":")[0] for line in heads] == metrics
    (text,) = [
        part for part in printed.split("\nportfolio_") if part.startswith("underwater.ulcer")
    ]
    joined = " ".join(text.split())
    formula = "sqrt(mean(d²)) over the sessions with R, d = 1 - W"
    assert joined.startswith(f"underwater.ulcer_index: Ulcer index {formula}")
    assert "window: 252 sessions; recalculated by: pandas cumprod and cummax" in joined


def test_every_figure_is_listed_and_recalculated(mixed: str) -> None:
    listed = json.loads(invoke("explain", "--list", "--json").stdout)
    assert {row["metric"] for row in listed} == {figure.name for figure in all_figures()}
    assert {row["metric"] for row in listed if not row["recalculated_by"]} == NOT_RECALCULATED


@pytest.mark.parametrize(
    ("stored", "recalculated", "equal"),
    [
        (1.2346, 1.23456, True),
        (1.2346, 1.2347, False),
        (1.2345, 1.23455, True),
        (None, float("nan"), True),
        (0.0, None, False),
    ],
)
def test_a_rounded_value_equals_every_value_that_rounds_to_it(
    stored: float | None, recalculated: float | None, equal: bool
) -> None:
    """By hand: four decimals."""
    assert is_equal_as_stored(stored, recalculated, tables.portfolio_snapshots.c.hhi) is equal

"""`riskmetrics calibrate` on a simulated market and on the sample."""

import json
import tempfile
from datetime import date
from pathlib import Path

import dagster as dg
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from riskmetrics.definitions import CALIBRATE, DAILY_RISK, defs
from riskmetrics.errors import CalibrationRejectedError
from riskmetrics.metrics.forecast_score import HORIZONS
from tests.commands import invoke
from tests.e2e.conftest import Run, query_frame

WEIGHTS = ["constant", "day_weight", "week_weight", "month_weight", "market_weight"]
ERRORS = [
    "constant_std_error",
    "day_std_error",
    "week_std_error",
    "month_std_error",
    "market_std_error",
]
LAST = date(2024, 12, 6)


@pytest.fixture
def simulated(database: str, monkeypatch: pytest.MonkeyPatch, fast_folder: Path) -> str:
    """Return the URL of a database with six years of 22 stocks, one with the profile of a fund."""
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", database)
    monkeypatch.setenv("RISKMETRICS_HOME", tempfile.mkdtemp(dir=fast_folder))
    size = ["--stocks", "22", "--sessions", "1560", "--portfolios", "1", "--lots", "5"]
    assert (
        invoke("simulate", *size, "--seed", "1", "--last-session", LAST.isoformat()).exit_code == 0
    )
    query_frame(
        database,
        "UPDATE company_profiles SET is_fund = true WHERE symbol = 'SIM00022' RETURNING symbol",
    )
    return database


def _fitted(closes: pd.DataFrame, market: str | None) -> np.ndarray:
    """Oracle: numpy's least squares on pandas' rolling means, from the model's description."""
    absolute = closes.pct_change().abs()
    stocks = [name for name in closes if name.startswith("SIM")]
    level = absolute.rolling(252, min_periods=126).mean()
    ratios = [absolute, absolute.rolling(5).mean(), absolute.rolling(21).mean()]
    columns = [ratio[stocks] / level[stocks] for ratio in ratios]
    if market:
        of_market = ratios[2][market] / level[market]
        columns.append(columns[0] * 0 + of_market.to_numpy()[:, None])
    after = ((closes[stocks].pct_change() ** 2).rolling(21).mean() ** 0.5).shift(-21)
    y = (after / (level[stocks] * np.sqrt(np.pi / 2))).to_numpy()
    x = np.stack([np.ones(y.shape), *(column.to_numpy() for column in columns)], axis=-1)
    pairs = np.isfinite(y) & np.isfinite(x).all(axis=-1)
    root = 1 / np.maximum(x[pairs][:, 3], 0.2)
    return np.linalg.lstsq(x[pairs] * root[:, None], y[pairs] * root)[0]


def test_a_calibration_stores_what_least_squares_gives_once_and_only_later_forecasts_use_it(
    simulated: str, run: Run
) -> None:
    """A negative weight of range_market is rejected: its coefficients are kept, and reported."""
    before = invoke("calibrate", "--dry-run", "--json")
    assert before.exit_code == 0, before.output
    shipped = query_frame(simulated, "SELECT version, count(*) FROM har_coefficients GROUP BY 1")
    assert shipped["version"].str.startswith("shipped-").all()

    done = invoke("calibrate", "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    assert said == json.loads(before.stdout) | {"dry_run": False}
    stored = query_frame(
        simulated,
        "SELECT * FROM har_coefficients WHERE version NOT LIKE 'shipped-%' AND horizon = 21",
    ).set_index("proxy")
    prices = query_frame(
        simulated,
        "SELECT symbol, date, adj_close FROM market_data_cache WHERE symbol NOT IN ('TLT',"
        " 'SIM00022')",
    )
    closes = prices.pivot(index="date", columns="symbol", values="adj_close")
    assert_allclose(
        stored.loc["close_market", WEIGHTS].astype(float),
        _fitted(closes, "SPY"),
        rtol=1e-6,
        atol=1e-9,
    )
    assert_allclose(
        stored.loc["close", WEIGHTS[:4]].astype(float), _fitted(closes, None), rtol=1e-6, atol=1e-9
    )
    fit = stored.loc["close_market", ["n_obs", "n_symbols", "first_day", "last_target"]]
    assert fit.tolist() == [21 * (1560 - 126 - 21), 21, closes.index[0], LAST]
    assert stored["version"].unique().tolist() == [said["version"]]
    assert said["version"] == f"calibrated-{LAST}-{stored['digest'].iloc[0][:8]}"
    assert (
        "range_market keeps the coefficients of shipped-2024-12.2: the fit for range_market has a"
        " negative weight" in done.stderr
    )

    model = invoke("show", "model")
    close = stored.loc["close"]
    assert (close[ERRORS[:4]] > 0).all()
    assert stored.loc["range_market", ERRORS].isna().all()
    for text in (
        f"{said['version']}, for forecasts from {LAST} on",
        f"SHA-256 of its numbers and dates: {close['digest']}",
        f"{close['constant']:.3f} ± {close['constant_std_error']:.3f}",
        f"{close['market_weight']:.3f} ",
        (
            "range_market: fit rejected, coefficients of the previous version kept: the fit for"
            " range_market has a negative weight"
        ),
    ):
        assert text in model.stdout, text
    in_json = json.loads(invoke("show", "model", "--json").stdout)
    assert [
        (row["version"], row["proxy"])
        for row in in_json
        if row["rejection_reason"] and row["horizon"] == 21
    ] == [(said["version"], "range_market")]

    again = invoke("calibrate", "--through", LAST.isoformat())
    assert again.exit_code == 0, again.output
    assert f"already stored as {said['version']}" in again.stderr
    stored_again = query_frame(simulated, "SELECT version FROM har_coefficients")
    assert (stored_again["version"] == said["version"]).sum() == 3 * len(HORIZONS)

    assert (
        run(
            [date(2024, 12, 5), LAST],
            ["portfolio_values", "position_volatility", "portfolio_volatility"],
        ).exit_code
        == 0
    )
    used = query_frame(
        simulated,
        "SELECT day, coefficients_version, bool_or(in_sample) AS seen, count(*)"
        " FROM volatility_forecasts GROUP BY 1, 2 ORDER BY 1",
    )
    assert used[["day", "coefficients_version", "seen"]].to_numpy().tolist() == [
        [date(2024, 12, 5), "shipped-2023-12.2", False],
        [LAST, said["version"], False],
    ]


def test_a_backtest_lists_every_year_with_the_reason_why_it_has_no_fit(simulated: str) -> None:
    """Six years: none has five years of pairs before it."""
    done = invoke("calibrate", "--backtest", "--json")
    assert done.exit_code == 0, done.output
    rows = json.loads(done.stdout)
    assert [row["year"] for row in rows] == list(range(2019, 2025))
    assert "sessions have pairs for close_market; 1260 required" in rows[-1]["reason"]
    table = invoke("calibrate", "--backtest")
    assert "QLIKE refitted" in table.stdout
    versions = query_frame(simulated, "SELECT version FROM har_coefficients")["version"]
    assert versions.str.startswith("shipped-").all()


def test_a_daily_run_never_changes_the_model() -> None:
    model, forecast = dg.AssetKey("har_coefficients"), dg.AssetKey("position_volatility")
    daily, calibration = (
        defs.resolve_job_def(name).asset_layer.executable_asset_keys
        for name in (DAILY_RISK, CALIBRATE)
    )
    assert model not in daily
    assert forecast in daily
    assert calibration == {model}
    assert model in defs.resolve_asset_graph().get(forecast).parent_keys


def test_a_history_of_a_year_is_refused_with_the_reason_and_nothing_is_stored(sample: str) -> None:
    refused = invoke("calibrate")
    assert refused.exit_code == 3
    assert "sessions have pairs for close_market; 1260 required" in refused.stderr
    assert "nothing was stored" in refused.stderr
    dry = invoke("calibrate", "--dry-run")
    assert isinstance(dry.exception, CalibrationRejectedError)
    assert str(dry.exception) in refused.stderr
    versions = query_frame(sample, "SELECT version FROM har_coefficients")["version"]
    assert versions.str.startswith("shipped-").all()


@pytest.mark.parametrize(
    ("through", "sentence"),
    [("2022-12-26", "the exchange is closed"), ("1990-03-01", "no price of a stock")],
)
def test_a_last_session_without_prices_is_refused(sample: str, through: str, sentence: str) -> None:
    refused = invoke("calibrate", "--through", through)
    assert refused.exit_code in (2, 3)
    assert sentence in refused.stderr

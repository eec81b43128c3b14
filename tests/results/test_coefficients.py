"""Calibrations of simulated histories: proxies, when a version is known, and refusals."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from riskmetrics import trading_calendar
from riskmetrics.errors import CalibrationRejectedError
from riskmetrics.metrics import har
from riskmetrics.results import calibration_backtest, calibration_panels, model_calibration
from riskmetrics.results.model_versions import WEIGHT_COLUMNS, parse_versions, version_digest
from riskmetrics.sources.simulate import MARKET_INDEX, RATE_INDEX, simulate_market

LAST = date(2021, 6, 30)
SHIPPED_LAST = har.SHIPPED_LAST_TARGET


def shipped() -> pd.DataFrame:
    """Rows of the version that every database holds."""
    numbers = [[*of.weights, of.residual_variance] for of in har.SHIPPED_COEFFICIENTS.values()]
    rows = pd.DataFrame(numbers, columns=[*WEIGHT_COLUMNS, "residual_variance"]).assign(
        proxy=list(har.SHIPPED_COEFFICIENTS), version="shipped-1", horizon=21
    )
    fit = {
        "first_day": pd.Timestamp(1990, 1, 2),
        "last_target": pd.Timestamp(SHIPPED_LAST),
        "code_version": "0.1.0",
    }
    return rows.assign(**fit, n_obs=pd.NA, n_symbols=pd.NA, digest="", created_at="2020-01-01")


def history(seed: int, last: date = LAST, sessions: int = 1560) -> dict[str, pd.DataFrame]:
    """Six years of the market and of 21 stocks."""
    days = trading_calendar.sessions_between(trading_calendar.FIRST_SESSION, last)[-sessions:]
    prices = simulate_market(21, days, seed).prices
    prices = prices[prices["symbol"] != RATE_INDEX]
    return {
        name: prices.pivot(index="date", columns="symbol", values=name)
        for name in ("adj_close", "high", "low")
    }


def kept_proxies(proposal: model_calibration.Proposal) -> list[str]:
    """Proxies that keep their coefficients of 21 sessions."""
    return [name for name in proposal.kept_reasons if name in har.PROXIES]


def month_rows(proposal: model_calibration.Proposal) -> pd.DataFrame:
    """Rows of 21 sessions."""
    return proposal.rows[proposal.rows["horizon"] == 21]


def stored(proposal: model_calibration.Proposal) -> pd.DataFrame:
    """Every version once the proposal is one of them."""
    return pd.concat(
        [proposal.stored_versions, proposal.new_rows("1.0").assign(created_at="2024-01-01")]
    )


def test_a_version_is_known_from_its_last_target_on():
    """All three proxies are fitted, so nothing of the shipped version, which saw 2022, is in the
    new one.
    """
    proposal = model_calibration.propose_version(history(2), MARKET_INDEX, shipped())
    known = parse_versions(stored(proposal))
    assert kept_proxies(proposal) == []
    assert proposal.version.startswith("calibrated-2021-06-30-")
    assert known.names == [proposal.version, "shipped-1"]
    later = [date(2021, 6, 30), date(2022, 12, 29), SHIPPED_LAST]
    assert [known.names[at] for at in known.version_on(later)] == [
        proposal.version,
        proposal.version,
        "shipped-1",
    ]
    assert known.is_in_sample([date(2021, 6, 29), *later]).tolist() == [True, False, False, False]


def test_without_highs_and_lows_their_proxy_keeps_its_coefficients_and_the_days_that_those_know():
    """A new version that keeps coefficients fitted to 2022 is in-sample for 2021, as they are."""
    bars = history(2)
    closes_only = bars | {name: bars[name] * np.nan for name in ("high", "low")}
    proposal = model_calibration.propose_version(closes_only, MARKET_INDEX, shipped())
    rows = month_rows(proposal).set_index("proxy")
    assert kept_proxies(proposal) == ["range_market"]
    assert "no pair" in proposal.kept_reasons["range_market"]
    assert_allclose(
        rows.loc["range_market", list(WEIGHT_COLUMNS)].astype(float),
        har.SHIPPED_COEFFICIENTS["range_market"].weights,
    )
    assert rows["last_target"].dt.date.tolist() == [LAST, LAST, SHIPPED_LAST]
    assert rows["code_version"].isna().tolist() == [True, True, False]
    known = parse_versions(stored(proposal))
    assert known.names == ["shipped-1", proposal.version]
    assert known.last_target.astype(object).tolist() == [SHIPPED_LAST, SHIPPED_LAST]
    assert proposal.version.startswith(f"calibrated-{SHIPPED_LAST}-")


def test_versions_stand_in_the_order_in_which_all_of_their_rows_are_known():
    """The first has an older row than the second, and is known later."""
    late, early = (shipped().assign(version=name) for name in ("late", "early"))
    late.loc[late["proxy"] == "close", "last_target"] = pd.Timestamp("2024-12-06")
    early["last_target"] = pd.Timestamp("2023-06-30")
    known = parse_versions(pd.concat([late, early]))
    assert known.names == ["early", "late"]
    assert known.last_target.astype(object).tolist() == [date(2023, 6, 30), date(2024, 12, 6)]


def test_the_same_history_again_is_the_same_version_and_brings_no_row():
    bars = history(1, date(2024, 12, 6))
    first = model_calibration.propose_version(bars, MARKET_INDEX, shipped())
    again = model_calibration.propose_version(bars, MARKET_INDEX, stored(first))
    assert kept_proxies(again) == ["range_market"]
    assert (again.version, again.current_version) == (first.version, first.version)
    assert again.is_stored
    assert again.new_rows("2.0").empty
    assert again.comparison()["version"].tolist() == [first.version] * 3
    assert first.comparison()["version"].tolist() == [first.version, "shipped-1"] * 3


def test_the_digest_is_that_of_the_rows():
    proposal = model_calibration.propose_version(history(2), MARKET_INDEX, shipped())
    known = parse_versions(stored(proposal), proposal.corrections)
    at = known.names.index(proposal.version)
    first = proposal.rows["first_day"].min().date()
    digest = version_digest(known.coefficients[at], first, LAST, known.horizons[at])
    assert set(proposal.rows["digest"]) == {digest}
    without = version_digest(known.coefficients[at], first, LAST)
    assert without != digest
    assert proposal.version.endswith(proposal.rows["digest"].iloc[0][:8])


def test_symbols_in_blocks_give_what_all_at_once_give(monkeypatch: pytest.MonkeyPatch):
    bars = history(2)
    whole = model_calibration.propose_version(bars, MARKET_INDEX, shipped())
    monkeypatch.setattr(calibration_panels, "BLOCK_SYMBOLS", 8)
    parts = model_calibration.propose_version(bars, MARKET_INDEX, shipped())
    assert parts.version == whole.version
    assert parts.rows[["n_obs", "n_symbols"]].equals(whole.rows[["n_obs", "n_symbols"]])


def test_a_move_that_only_the_next_session_can_confirm_is_in_no_target():
    """A price doubles on the last session: a crash, a tick or a split, which is not known yet."""
    bars = history(2)
    plain = model_calibration.propose_version(bars, MARKET_INDEX, shipped())
    bars["adj_close"].iloc[-1, 5] *= 2
    missing = {name: prices.copy() for name, prices in bars.items()}
    missing["adj_close"].iloc[-1, 5] = np.nan
    doubled, without = (
        model_calibration.propose_version(some, MARKET_INDEX, shipped()) for some in (bars, missing)
    )
    assert doubled.version == without.version != plain.version


def test_volatility_that_turns_into_calm_gets_a_negative_weight_and_is_refused():
    """Every month is the opposite of the one before it."""
    days = trading_calendar.sessions_between(trading_calendar.FIRST_SESSION, LAST)[-1560:]
    rng = np.random.default_rng(4)
    wild = (np.arange(1560)[:, None] // 21 + np.arange(22)) % 2
    moves = rng.normal(size=(1560, 22)) * np.where(wild, 0.03, 0.01)
    names = [f"S{number}" for number in range(21)] + [MARKET_INDEX]
    closes = pd.DataFrame(
        50 * np.exp(moves.cumsum(axis=0)), pd.DatetimeIndex(days), pd.Index(names, dtype="str")
    )
    bars = {"adj_close": closes, "high": closes * np.nan, "low": closes * np.nan}
    with pytest.raises(
        CalibrationRejectedError,
        match=r"fit for close_market has a negative weight .* keep the version in use",
    ):
        model_calibration.propose_version(bars, MARKET_INDEX, shipped())


@pytest.mark.parametrize("sessions", [5, 400])
def test_too_short_a_history_is_refused_with_a_sentence(sessions: int):
    bars = {name: prices.iloc[-sessions:] for name, prices in history(2).items()}
    with pytest.raises(
        CalibrationRejectedError,
        match=r"no pair of a day and a series|sessions have pairs for close_market; 1260 required",
    ):
        model_calibration.propose_version(bars, MARKET_INDEX, shipped())


def test_the_pairs_of_a_stock_do_not_depend_on_how_long_the_history_of_others_is():
    """Another stock has one price, five sessions before: it has no pair, and adds none to the
    others.
    """
    bars = history(2)
    plain = model_calibration.propose_version(bars, MARKET_INDEX, shipped())
    before = pd.DatetimeIndex(
        trading_calendar.sessions_between(date(2015, 1, 2), bars["high"].index[0].date())[-6:-1]
    )
    longer = {
        name: prices.reindex(before.append(prices.index)).assign(OLD=np.nan)
        for name, prices in bars.items()
    }
    longer["adj_close"].loc[before[0], "OLD"] = 5.0
    with_it = model_calibration.propose_version(longer, MARKET_INDEX, shipped())
    assert with_it.rows[["n_obs", "n_symbols"]].equals(plain.rows[["n_obs", "n_symbols"]])
    numbers = [*WEIGHT_COLUMNS, "residual_variance"]
    assert_allclose(
        with_it.rows[numbers].astype(float), plain.rows[numbers].astype(float), atol=1e-9
    )
    assert with_it.rows["first_day"].iloc[0] == before[0]


def test_a_backtest_judges_the_fit_of_the_sessions_before_a_year_on_the_year():
    """Oracle: the proposal of the sessions before 2021, and its losses by the formula."""
    bars, none = history(2, sessions=1700), pd.DataFrame({"version": []})
    *earlier, last = calibration_backtest.backtest_calibration(
        bars, MARKET_INDEX, shipped(), none
    ).to_dict("records")
    assert [row["year"] for row in (*earlier, last)] == list(range(2015, 2022))
    assert all(row["reason"] and row["n_obs"] == 0 for row in earlier)
    assert pd.isna(last["reason"])
    before = {name: prices[prices.index.year < 2021] for name, prices in bars.items()}
    fitted = model_calibration.propose_version(before, MARKET_INDEX, shipped())
    known = parse_versions(fitted.rows.assign(created_at=""), fitted.corrections)
    panel = calibration_panels.CalibrationPanel.build(bars, MARKET_INDEX)
    (block,) = panel.stock_blocks("range_market")
    of_year = block.days.year == 2021
    losses = []
    for coefficients in (known.coefficients[0], har.SHIPPED_COEFFICIENTS):
        forecast = har.forecast(block.inputs, [coefficients]).root_variance_forecast[of_year]
        ratio = (block.outcomes[21][of_year] / forecast) ** 2
        losses.append(np.nanmean(ratio - np.log(ratio) - 1))
    assert last["n_obs"] == 21 * (of_year.sum() - 21)
    assert known.models(21).corrections == [{}]  # the simulated market has no seasons
    assert_allclose([last["qlike_refitted"], last["qlike_in_use"]], losses, rtol=1e-9)

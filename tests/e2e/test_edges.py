"""Portfolios at the edges, through the real job: stored, printed and reported results."""

from datetime import date
from pathlib import Path

import dagster as dg
import pytest
import sqlalchemy as sa

from riskmetrics import settings
from tests.commands import invoke
from tests.conftest import open_connection
from tests.e2e.conftest import (
    ComputedSample,
    Run,
    assert_nulls_have_reasons,
    query_frame,
    recalculate_explanations,
)

DAY = date(2022, 12, 28)

TYPO = ("APPL", "MSFT", "JPM", "XOM", "AMD", "KO")
RISK_FIGURES = {
    "portfolio_snapshots": (
        *(
            "beta_calculated_90d",
            "beta_portfolio_regression",
            "expected_volatility_21d",
            "realized_volatility_21d",
        ),
        *("hhi", "sector_exposure", "volatility_percentile"),
    ),
    "portfolio_tail_risk": ("value_at_risk", "expected_shortfall", "value_at_risk_amount"),
    "portfolio_drawdowns": ("current_drawdown", "max_drawdown"),
    "portfolio_market_regressions": ("beta", "r_squared"),
    "portfolio_active_risk": ("tracking_error",),
    "portfolio_performance": ("annual_return", "sharpe_ratio"),
    "portfolio_return_distribution": ("win_rate", "skewness", "losing_streak"),
    "portfolio_underwater": ("ulcer_index", "longest_drawdown"),
    "portfolio_alpha": ("alpha", "treynor_ratio"),
    "portfolio_risk_contributions": ("component", "weight"),
    "portfolio_stress": ("loss", "loss_value"),
}


def _print(*arguments: str) -> str:
    """Return the output of a command, whatever its exit code."""
    return " ".join(invoke(*arguments).output.split())


@pytest.fixture
def bad(sample: str, tmp_path: Path) -> str:
    """Store the sample, and a portfolio of five holdings of which one has a price."""
    file = tmp_path / "bad.csv"
    file.write_text("symbol,quantity\nAAPL,10\nZZZA,10\nZZZB,10\nZZZC,10\nZZZD,10\n")
    said = _print(
        "import", "portfolio", str(file), "--name", "Bad", "--equity", "10000", "--as-of", f"{DAY}"
    )
    assert "no price is stored for ZZZA, ZZZB, ZZZC, ZZZD" in said
    return sample


def test_four_unpriced_holdings_of_five_leave_no_risk_figure(
    bad: str, run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    outcome = run([DAY])
    said = " ".join(capsys.readouterr().err.split())
    assert outcome.exit_code == 3
    assert "in Bad (1 of 5 instruments on 2022-12-28); 80% are needed" in said
    assert f"no price up to {DAY} is stored for ZZZA, ZZZB, ZZZC, ZZZD" in said
    for table, figures in RISK_FIGURES.items():
        own = (
            f"SELECT t.* FROM {table} t JOIN portfolios p ON p.id = t.portfolio_id WHERE p.name ="
            " 'Bad'"
        )
        rows = query_frame(bad, own)
        assert len(rows), table
        assert rows[list(figures)].isna().all(axis=None), table
        others = query_frame(bad, own.replace("= 'Bad'", "= 'Concentrated'"))
        if table != "portfolio_stress":  # of the sample some windows lie before its first close
            assert others[list(figures)].notna().all(axis=None), table
    why = "1 of 5 instruments has a price; 80% required"
    for command in ("risk", "stress"):
        assert why in _print("show", command, "--portfolio", "Bad")
    undefined = "all of these results of Bad are undefined on 2022-12-28: see riskmetrics show"
    assert undefined in _print("show", "sectors", "--portfolio", "Bad")
    text = _print("show", "insights", "--portfolio", "Bad")
    assert (
        "1 of 5 instruments has a price; values exclude the others: one without a price since the"
        " equity was stated is still in the equity, and one whose prices ended later has left it,"
        " with no loss in the P&L." in text
    )
    assert "critical" not in text
    assert "ZZZA, ZZZB, ZZZC, ZZZD" in _print("doctor")
    page = tmp_path / "page.html"
    _print("report", "--date", f"{DAY}", "--out", str(page))
    text = page.read_text()
    assert "1 of 5 instruments has a price; values exclude the others: one without a" in text
    assert "Contributions sum to the pro-forma ex-ante volatility." in text  # no sum of nothing
    assert [
        found for found in recalculate_explanations(bad, DAY, ["Bad"]) if not found.is_equal
    ] == []


def test_fractions_of_too_small_an_equity_are_undefined_and_money_stays(
    sample: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    """Equity of 2 % of gross exposure, and negative: both portfolios are named, no absurd value."""
    small = {"Concentrated": 0.02, "Core Equity": -0.5}
    with open_connection(sample) as connection:
        change = "UPDATE portfolios SET equity_balance = :share * 65504.86 WHERE name = :name"
        for name, share in small.items():
            connection.execute(sa.text(change), {"share": share, "name": name})
    assert run([DAY]).exit_code == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "equity is below 5% of gross exposure in" in said
    for name in small:
        assert f"{name} (equity" in said
        own = f"FROM {{}} t JOIN portfolios p ON p.id = t.portfolio_id WHERE p.name = '{name}'"
        row = query_frame(sample, "SELECT t.* " + own.format("portfolio_snapshots")).iloc[0]
        assert row[["beta_calculated_90d", "expected_volatility_21d", "daily_return"]].isna().all()
        assert row[["hhi", "daily_pnl", "gross_exposure", "sector_exposure"]].notna().all()
        tail = query_frame(sample, "SELECT t.* " + own.format("portfolio_tail_risk"))
        assert tail["value_at_risk"].isna().all()
        assert (tail["value_at_risk_amount"] > 0).all()
        sectors = query_frame(sample, "SELECT t.* " + own.format("portfolio_sector_weights"))
        assert sectors["net_weight"].isna().all()
        assert sectors["gross_weight"].notna().all()
        text = _print("show", "insights", "--portfolio", name)
        assert (
            "of gross exposure; below 5% weights and all figures in units of equity are undefined"
            in text
        )
        assert "gross exposure over equity" not in text
    assert_nulls_have_reasons(sample, {"position_option_exposures", "forecast_outcomes"})
    explanations = recalculate_explanations(sample, DAY, [*small])
    assert [found for found in explanations if not found.is_equal] == []


def test_a_dividend_is_income_of_its_day_and_cash_from_then_on(sample: str, run: Run) -> None:
    """MSFT pays 2.00 a share on the last session, which lowers earlier adjusted closes."""
    with open_connection(sample) as connection:
        before = sa.text(
            "SELECT close FROM market_data_cache WHERE symbol = 'MSFT' AND date = '2022-12-27'"
        )
        close = float(connection.scalar(before))
        lower = (
            "UPDATE market_data_cache SET adj_close = close * :factor WHERE symbol = 'MSFT' AND"
            " date < '2022-12-28'"
        )
        connection.execute(sa.text(lower), {"factor": 1 - 2.0 / close})
        connection.execute(
            sa.text("UPDATE market_data_cache SET data_source = 'test' WHERE symbol = 'MSFT'")
        )
        connection.execute(sa.text("UPDATE portfolios SET equity_as_of = '2022-12-23'"))
        held = (
            "SELECT sum(quantity) FROM positions q JOIN portfolios p ON p.id = q.portfolio_id WHERE"
            " p.name = 'Core Equity'"
        )
        shares = float(connection.scalar(sa.text(f"{held} AND symbol = 'MSFT'")))
    assert run([date(2022, 12, 27), DAY], ["portfolio_values"]).exit_code == 0
    rows = query_frame(
        sample,
        "SELECT s.* FROM portfolio_snapshots s JOIN portfolios p ON p.id = s.portfolio_id"
        " WHERE p.name = 'Core Equity' ORDER BY snapshot_date",
    )
    assert shares > 0
    assert rows["income"].tolist() == pytest.approx([0, 2 * shares], abs=0.01)
    assert rows["cash_value"].diff().iloc[1] == pytest.approx(2 * shares, abs=0.01)
    row_columns = {
        "income",
        "daily_pnl",
        "daily_return",
        "cumulative_pnl",
        "cash_value",
        "total_value",
    }
    change = rows["total_value"].diff().iloc[1]
    assert rows["daily_pnl"].iloc[1] == pytest.approx(change, abs=0.01)
    of_values = [
        one
        for one in recalculate_explanations(sample, DAY, ["Core Equity"])
        if one.figure.column in row_columns
    ]
    assert {one.figure.column for one in of_values} == row_columns
    assert all(one.is_equal for one in of_values)


def test_a_holding_without_a_price_is_at_its_stated_value_and_not_in_the_cash(
    sample: str, run: Run, tmp_path: Path
) -> None:
    """The file states the cash, and a value of NEW, which has a price from the next day on."""
    closes = query_frame(
        sample,
        "SELECT symbol, close::float8 AS close FROM market_data_cache WHERE date = '2022-12-27'"
        " AND symbol IN ('AAPL', 'MSFT', 'NVDA', 'JPM')",
    )
    stated = [(symbol, 10, 10 * close) for symbol, close in closes.to_numpy()]
    stated += [("NEW", 10, 957.0), ("OLD", -4, -80.0), ("Cash", "", 12_500)]
    lines = [f"{symbol},{quantity},{value}\n" for symbol, quantity, value in stated]
    file = tmp_path / "statement.csv"
    file.write_text("".join(["Symbol,Quantity,Market value\n", *lines]))
    _print("import", "portfolio", str(file), "--name", "Stated", "--as-of", "2022-12-27")
    with open_connection(sample) as connection:
        later = (
            "INSERT INTO market_data_cache (symbol, date, close, adj_close, data_source) VALUES"
            " ('NEW', '2022-12-28', 99, 99, 'test')"
        )
        connection.execute(sa.text(later))
    run([date(2022, 12, 27), DAY], ["portfolio_values"])
    rows = query_frame(
        sample,
        "SELECT s.* FROM portfolio_snapshots s JOIN portfolios p ON p.id = s.portfolio_id"
        " WHERE p.name = 'Stated' ORDER BY snapshot_date",
    )
    assert rows["cash_value"].astype(float).tolist() == [12_500, 12_500]
    assert rows["stated_value"].astype(float).tolist() == [877, -80]
    assert rows["total_value"].iloc[0] == rows["equity_balance"].iloc[0]
    of_values = [
        one
        for one in recalculate_explanations(sample, DAY, ["Stated"])
        if one.figure.column in {"cash_value", "stated_value", "total_value", "daily_return"}
    ]
    assert len(of_values) >= 3
    assert all(one.is_equal for one in of_values)


def test_a_portfolio_whose_cash_is_unknown_stops_no_other(
    sample: str, run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """NEW gets its first price after equity was stated: the run names it; others are complete."""
    file = tmp_path / "new.csv"
    file.write_text("symbol,quantity\nAAPL,10\nNEW,10\n")
    _print(
        "import",
        "portfolio",
        str(file),
        "--name",
        "Later",
        "--equity",
        "10000",
        "--as-of",
        "2022-12-27",
    )
    with open_connection(sample) as connection:
        later = (
            "INSERT INTO market_data_cache (symbol, date, close, adj_close, data_source) VALUES"
            " ('NEW', '2022-12-28', 10, 10, 'test')"
        )
        connection.execute(sa.text(later))
    run([DAY])
    said = " ".join(capsys.readouterr().err.split())
    assert (
        "no values are stored of Later on 2022-12-28 (the cash is unknown: a holding has a price"
        " now, but had none when the equity balance was stated" in said
    )
    assert " failed" not in said
    rows = query_frame(
        sample, "SELECT hhi FROM portfolio_snapshots WHERE snapshot_date = '2022-12-28'"
    )
    assert rows["hhi"].notna().tolist() == [True] * 3


def test_a_typing_error_of_a_symbol_is_named_in_one_line_with_its_correction(
    sample: str, run: Run, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "typo.csv"
    file.write_text("symbol,quantity\n" + "".join(f"{one},9\n" for one in TYPO))
    name = ("--name", "Typo", "--as-of", "2022-12-27")
    _print("import", "portfolio", str(file), *name)
    outcome = run([DAY])
    lines = capsys.readouterr().err.splitlines()
    (named,) = [line for line in lines if "APPL" in line]
    assert "no price up to 2022-12-28 is stored for APPL (is it AAPL?)" in named
    assert "`riskmetrics symbols rename OLD NEW`" in named
    assert outcome.exit_code == 0, lines


def test_a_session_before_any_price_is_refused(
    sample: str, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = run([date(2017, 11, 30)])
    assert outcome.exit_code != 0
    stated = "risk_results failed: 2017-11-30 is before the first stored price, of 2017-12-01:"
    assert stated in capsys.readouterr().err
    materialized = outcome.result.get_asset_materialization_events()
    assert [event.partition for event in materialized if event.partition] == []
    assert query_frame(sample, "SELECT 1 FROM undefined_metrics").empty


def test_the_first_session_with_prices_is_computed(sample: str, run: Run) -> None:
    run([date(2017, 12, 1)])
    assert not query_frame(sample, "SELECT 1 FROM undefined_metrics").empty


def test_previews_name_portfolios_and_symbols(
    computed_sample: str, computed_template: ComputedSample
) -> None:
    """An id of a portfolio or of a lot says nothing to who looks at the page of an asset."""
    with dg.DagsterInstance.from_config(str(settings.load().dagster_directory)) as instance:
        events = list(instance.all_logs(computed_template.run_id))
    previews = {
        each.asset_key.to_user_string(): each.metadata["preview"].value
        for each in (event.asset_materialization for event in events)
        if each and "preview" in each.metadata
    }
    assert "| Concentrated |" in previews["portfolio_values"]
    assert previews["position_betas"].startswith("| portfolio | symbol |")
    ids = query_frame(computed_sample, "SELECT id FROM portfolios UNION SELECT id FROM positions")[
        "id"
    ]
    starts = {str(one)[:8] for one in ids}
    assert {name for name, text in previews.items() if any(one in text for one in starts)} == set()

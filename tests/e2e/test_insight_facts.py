"""Facts of insights on the sample, against pandas and the stored rows: P&L, limits, risk."""

from collections.abc import Iterator
from datetime import date

import pandas as pd
import pytest
import sqlalchemy as sa

from riskmetrics.db.engine import create_engine
from riskmetrics.insights import fact_reading
from riskmetrics.insights.alert_facts import UNKNOWN_START
from riskmetrics.insights.claims import claims_of
from riskmetrics.insights.fact_sheet import Sheet
from tests.commands import invoke
from tests.e2e.conftest import Run

DAYS = [date(2022, 12, day) for day in (20, 21, 22, 23, 27, 28)]
"""Five sessions and the one before, of which the first has the closes that P&L starts from."""


@pytest.fixture
def connection(sample: str, run: Run) -> "Iterator[sa.Connection]":
    """Six computed sessions, with a limit that leverage keeps and one that it exceeds."""
    assert invoke("limits", "set", "Core Equity", "beta", "0.9").exit_code == 0
    limit = ["limits", "set", "Concentrated", "single_name", "50%"]
    assert invoke(*limit).exit_code == 0
    assert run(DAYS).exit_code == 0
    engine = create_engine(sample)
    with engine.connect() as opened:
        yield opened
    engine.dispose()


def frame(connection: sa.Connection, statement: str) -> pd.DataFrame:
    """Return the rows of a statement with numbers as floats."""
    rows = connection.execute(sa.text(statement)).mappings().all()
    return pd.DataFrame([dict(row) for row in rows])


def test_facts_of_a_range_are_those_of_the_stored_rows(connection: sa.Connection) -> None:
    sheets = {(s.portfolio_id, s.day): s for s in fact_reading.read_sheets(connection, DAYS)}
    last = [sheet for (_, day), sheet in sheets.items() if day == DAYS[-1]]
    assert len(last) == 3
    closes = (
        frame(
            connection,
            "SELECT symbol, date, close FROM market_data_cache WHERE date >= '2022-12-20'",
        )
        .pivot(index="date", columns="symbol", values="close")
        .astype(float)
    )
    n_windows = sum(_check_week(connection, sheet, closes) for sheet in last)
    assert n_windows >= 1
    for sheet in last:
        _check_risk(connection, sheet)
        _check_tail(connection, sheet)
    named = dict(frame(connection, "SELECT id::text, name FROM portfolios").to_numpy())
    by_name = {named[sheet.portfolio_id]: sheet for sheet in last}
    _check_limits(by_name)
    # a single session has the same facts: the sessions before it are read, not computed
    alone = fact_reading.read_sheets(connection, [DAYS[-1]])
    assert {s.portfolio_id: s.digest for s in alone} == {s.portfolio_id: s.digest for s in last}
    # so do sessions with others between them
    gaps = fact_reading.read_sheets(connection, [DAYS[1], DAYS[-1]])
    assert {s.digest for s in gaps} == {s.digest for s in sheets.values() if s.day in DAYS[1::4]}
    _check_sectors(connection, by_name["Core Equity"])
    _check_holdings(connection)
    _check_unknown_weights(connection)


def _check_sectors(connection: sa.Connection, sheet: Sheet) -> None:
    """Compare the named holdings of a sector with the largest stored weights of its companies."""
    weights = frame(
        connection,
        "SELECT w.symbol, p.sector, w.weight, abs(w.weight) AS size"
        " FROM portfolio_risk_contributions w"
        " JOIN company_profiles p USING (symbol) WHERE NOT coalesce(p.is_etf OR p.is_fund, false)"
        f" AND w.portfolio_id = '{sheet.portfolio_id}' AND w.day = '{sheet.day}'",
    )
    named: dict[str, list[tuple[int | None, str]]] = {}
    for fact in sheet.facts.values():
        if fact.fact_type.name == "in_sector" and fact.entity:
            named.setdefault(str(fact.value), []).append(
                (fact.rank, sheet.aliases[fact.entity]["symbol"])
            )
            weight = weights.set_index("symbol")["weight"][sheet.aliases[fact.entity]["symbol"]]
            side = sheet.facts[f"{fact.entity.lower()}_side"].value
            assert side == ("long" if weight > 0 else "short")
    assert named
    for sector, found in named.items():
        largest = weights[weights["sector"] == sector].sort_values("size", ascending=False)
        assert [symbol for _, symbol in sorted(found)] == largest["symbol"].head(3).to_list()


def _check_holdings(connection: sa.Connection) -> None:
    """AMD is bought, AAPL sold and NVDA without a price on the last day, in a portfolio of four."""
    with connection.begin_nested() as changed:
        of_lots = (
            "UPDATE positions SET {} = :day WHERE symbol = :symbol AND portfolio_id ="
            " (SELECT id FROM portfolios WHERE name = 'Concentrated')"
        )
        for column, symbol in (("entry_date", "AMD"), ("exit_date", "AAPL")):
            statement = sa.text(of_lots.format(column))
            connection.execute(statement, {"day": DAYS[-1], "symbol": symbol})
        held = "SELECT symbol, weight FROM portfolio_risk_contributions JOIN portfolios ON id ="
        held += " portfolio_id WHERE name = 'Concentrated' AND day = '{}'"
        before, now = (
            frame(connection, held.format(day)).set_index("symbol")["weight"] for day in DAYS[-2:]
        )
        other = next(each for each in sorted(now.index) if each not in ("AMD", "AAPL"))
        gone = "DELETE FROM market_data_cache WHERE symbol = :symbol AND date > '2022-12-10'"
        connection.execute(sa.text(gone), {"symbol": other})
        counted = "UPDATE portfolio_coverage SET n_covered = n_total - 1 WHERE metric = 'prices'"
        connection.execute(sa.text(counted))
        (sheet,) = fact_reading.read_sheets(connection, [DAYS[-1]], "Concentrated")
        names = {entity.get("symbol"): alias.lower() for alias, entity in sheet.aliases.items()}
        amd, aapl = (names[each] for each in ("AMD", "AAPL"))
        facts = {name: fact.value for name, fact in sheet.facts.items()}
        assert (facts["n_opened"], facts["n_closed"], facts["n_resized"]) == (1, 1, 0)
        assert (facts[f"{amd}_opened"], facts[f"{aapl}_closed"]) == ("opened", "closed")
        assert facts[f"{amd}_weight"] == now["AMD"]
        assert facts[f"{aapl}_traded_from"] == before["AAPL"]
        assert sheet.facts[f"{aapl}_traded_from"].as_of == DAYS[-2]
        assert (facts["n_unpriced"], facts[f"{names[other]}_unpriced"]) == (1, "no price")
        changed.rollback()


def _check_unknown_weights(connection: sa.Connection) -> None:
    """A weight that was not computed the session before reaches its limit since an unknown day."""
    before = sa.text("DELETE FROM portfolio_risk_contributions WHERE day < :day")
    connection.execute(before, {"day": DAYS[-1]})
    sheets = fact_reading.read_sheets(connection, [DAYS[-1]])
    streaks = [
        fact
        for sheet in sheets
        for fact in sheet.facts.values()
        if fact.fact_type.name == "weight_streak"
    ]
    assert {(fact.value, fact.quality) for fact in streaks} == {(1, UNKNOWN_START)}
    forms = {claim.form.id for sheet in sheets for claim in claims_of(sheet).values()}
    assert "limit_position" not in forms
    assert "limits_standing" in forms


def _check_week(connection: sa.Connection, sheet: Sheet, closes: pd.DataFrame) -> bool:
    """Compare P&L by position over five sessions; return whether it is known."""
    lots = frame(
        connection,
        "SELECT symbol, position_type::text AS side, quantity::float AS quantity FROM positions"
        f" WHERE portfolio_id = '{sheet.portfolio_id}' AND deleted_at IS NULL",
    )
    totals = frame(
        connection,
        "SELECT sum(daily_pnl - coalesce(income, 0))::float AS pnl FROM portfolio_snapshots"
        f" WHERE portfolio_id = '{sheet.portfolio_id}' AND snapshot_date > '2022-12-20'",
    )
    change = closes.loc[DAYS[-1]] - closes.loc[DAYS[0]]
    signed = (
        lots["quantity"].abs().where(lots["side"].str.upper() == "LONG", -lots["quantity"].abs())
    )
    pnl = (signed * lots["symbol"].map(change)).groupby(lots["symbol"]).sum()
    last = signed * lots["symbol"].map(closes.loc[DAYS[-1]] - closes.loc[DAYS[-2]])
    if "long_pnl" in sheet.facts:
        sides = {"long_pnl": last[signed > 0].sum(), "short_pnl": last[signed < 0].sum()}
        assert {side: sheet.facts[side].value for side in sides} == pytest.approx(sides, abs=0.005)
    is_known = abs(pnl.sum() - totals["pnl"].iloc[0]) <= 0.05
    assert ("winners_pnl_5d" in sheet.facts) == is_known
    if is_known:
        assert sheet.facts["winners_pnl_5d"].value == pytest.approx(pnl[pnl > 0].sum(), abs=0.005)
        assert sheet.facts["losers_pnl_5d"].value == pytest.approx(pnl[pnl < 0].sum(), abs=0.005)
        assert sheet.facts["n_losers_5d"].value == (pnl < 0).sum()
        found = {
            sheet.aliases[fact.entity]["symbol"]: fact.value
            for fact in sheet.facts.values()
            if fact.fact_type.name == "pnl_5d" and fact.entity
        }
        largest = pnl.sort_values()
        expected = {*largest[largest < 0].index[:3], *largest[largest > 0].index[-3:]}
        assert found.keys() == expected
        assert found == pytest.approx({symbol: pnl[symbol] for symbol in found}, abs=0.005)
    return is_known


def _check_risk(connection: sa.Connection, sheet: Sheet) -> None:
    """Compare correlations, factors, active risk and liquidity with the stored rows."""
    where = f"WHERE portfolio_id = '{sheet.portfolio_id}' AND day = '{sheet.day}'"
    stored = {
        "portfolio_diversification": ("average_correlation", "diversification_ratio"),
        "portfolio_active_risk": ("active_return", "information_ratio"),
        "portfolio_liquidity": ("days_to_liquidate",),
    }
    for table, columns in stored.items():
        (row,) = frame(connection, f"SELECT * FROM {table} {where}").to_dict("records")
        for column in columns:
            known = sheet.facts.get(column)
            assert (known.value if known else None) == row[column]
    (pair,) = frame(connection, f"SELECT * FROM portfolio_diversification {where}").to_dict(
        "records"
    )
    alike = {
        sheet.aliases[fact.entity]["symbol"]: fact.value
        for fact in sheet.facts.values()
        if fact.fact_type.name == "highest_correlation" and fact.entity
    }
    assert alike == dict.fromkeys(pair["highest_pair"].split(" / "), pair["highest_correlation"])
    specific = frame(
        connection, f"SELECT share FROM portfolio_factor_risk {where} AND factor = 'specific'"
    )
    assert sheet.facts["specific_share"].value == specific["share"].iloc[0]


def _check_tail(connection: sa.Connection, sheet: Sheet) -> None:
    """A session is judged by the value at risk that tables lead with: filtered, one day."""
    rows = frame(
        connection,
        "SELECT day, level::float AS level, value_at_risk, expected_shortfall"
        f" FROM portfolio_tail_risk WHERE portfolio_id = '{sheet.portfolio_id}'"
        " AND method = 'filtered' AND horizon_days = 1",
    ).set_index(["day", "level"])
    today, before = rows.loc[(DAYS[-1], 0.95)], rows.loc[(DAYS[-2], 0.95)]
    assert sheet.facts["var_95"].value == today["value_at_risk"]
    for name in ("previous_var_95", "previous_var_95_historical", "previous_var_p_value"):
        assert (sheet.facts[name].as_of, sheet.facts[name].source_key["day"]) == (
            DAYS[-2],
            DAYS[-2].isoformat(),
        )
    assert sheet.facts["shortfall_95"].value == today["expected_shortfall"]
    assert sheet.facts["previous_var_95"].value == before["value_at_risk"]
    assert str(sheet.facts["previous_var_95"].fact_type.window).startswith("filtered")
    (historical,) = frame(
        connection,
        "SELECT value_at_risk FROM portfolio_tail_risk WHERE method = 'historical' AND level = 0.95"
        f" AND horizon_days = 1 AND portfolio_id = '{sheet.portfolio_id}' AND day = '{DAYS[-2]}'",
    )["value_at_risk"]
    assert sheet.facts["previous_var_95_historical"].value == historical
    (regression,) = frame(
        connection,
        "SELECT beta, std_error FROM portfolio_market_regressions"
        f" WHERE portfolio_id = '{sheet.portfolio_id}' AND day = '{DAYS[-2]}'",
    ).to_dict("records")
    beta = sheet.facts["previous_own_beta"]
    assert beta.value == pytest.approx(regression["beta"], abs=0.00005)
    assert (beta.as_of, beta.source_key["day"]) == (DAYS[-2], DAYS[-2].isoformat())
    assert sheet.facts["previous_own_beta_error"].value == regression["std_error"]
    exceptions = frame(
        connection,
        "SELECT exceptions FROM portfolio_var_backtests WHERE level = 0.95"
        f" AND portfolio_id = '{sheet.portfolio_id}' AND day = '{sheet.day}'",
    )
    assert sheet.facts["var_exceptions"].value == exceptions["exceptions"].iloc[0]
    assert str(sheet.facts["var_exceptions"].fact_type.window).startswith("historical")


def _check_limits(sheets: dict[str, Sheet]) -> None:
    """By hand: AMD is 59.8 % of Concentrated on all days; the beta of Core Equity is 0.80."""
    concentrated = claims_of(sheets["Concentrated"])
    claim = concentrated["own_limit_exceeded_of:LIM_01"]
    alias = str(claim.slots["of"].value)
    assert sheets["Concentrated"].aliases[alias]["symbol"] == "AMD"
    assert claim.slots["value"].value == pytest.approx(0.598, abs=0.0005)
    assert not claim.is_new
    assert "limit_position" not in {each.form.id for each in concentrated.values()}
    core = claims_of(sheets["Core Equity"])
    assert core["own_limits_kept"].slots["count"].value == 1
    assert sheets["Core Equity"].facts["lim_01_limit_status_before"].value == "kept"
    assert not any(
        each.id.startswith("own_limit") for each in claims_of(sheets["Long-Short"]).values()
    )

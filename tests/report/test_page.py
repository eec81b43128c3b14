"""The HTML report shows the stored results."""

import math
import re
import uuid
from datetime import date, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.db import tables
from riskmetrics.errors import DataQualityError
from riskmetrics.present import formatting
from tests.report_options import render

DAY = date(2022, 12, 28)
RUN = "0c1d9c1e-1111-4222-8333-444455556666"
VOID = {"meta", "link", "br", "hr", "img", "input"}

LONG_SHORT = {
    "total_value": 1_250_000.55,
    "cash_value": 287_960.1,
    "long_value": 1_852_951.2,
    "short_value": -890_910.75,
    "gross_exposure": 2_743_861.95,
    "net_exposure": 962_040.45,
    "daily_pnl": -839.3,
    "daily_return": -0.016544,
    "cumulative_pnl": 27_555.49,
    "num_positions": 3,
    "num_long_positions": 2,
    "num_short_positions": 1,
    "beta_calculated_90d": 0.5849,
    "beta_calculated_90d_r_squared": 0.4913,
    "beta_calculated_90d_observations": 88,
    "beta_portfolio_regression": 0.6151,
    "beta_provider_1y": 0.7251,
    "hhi": 0.1122,
    "effective_num_positions": 8.91,
    "top_3_concentration": 0.4567,
    "top_10_concentration": 0.9876,
    "realized_volatility_21d": 0.2171,
    "realized_volatility_63d": 0.2364,
    "expected_volatility_21d": 0.2509,
    "volatility_trend": "increasing",
    "volatility_percentile": 0.1944,
}
EMPTY = dict.fromkeys(("long_value", "short_value", "gross_exposure", "net_exposure"), 0.0) | {
    **dict.fromkeys(("num_positions", "num_long_positions", "num_short_positions"), 0),
    "total_value": 500.0,
    "cash_value": 500.0,
    "daily_pnl": 0.0,
    "daily_return": 0.0,
    "cumulative_pnl": 0.0,
}


class Page(HTMLParser):
    """A parsed page: open tags (checked to nest), attributes, text and table rows."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record an opening tag."""
        self.attributes += attrs
        if tag == "tr":
            self.rows.append([])
        if tag in {"td", "th"}:
            self.rows[-1].append("")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record a tag without content."""
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        """Close the last opened tag."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Record text, also of the current cell."""
        self.text += data
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data

    def row(self, first: str, columns: int) -> list[str]:
        """Return the only row with ``columns`` cells that starts with ``first``."""
        cells = [[" ".join(cell.split()) for cell in row] for row in self.rows]
        (found,) = [row for row in cells if row[0] == first and len(row) == columns]
        return found

    def beta_row(self, symbol: str) -> list[str]:
        """Return the row of a symbol in the table of betas; positions have as many columns."""
        cells = [[" ".join(cell.split()) for cell in row] for row in self.rows]
        betas = next(at for at, row in enumerate(cells) if "95% interval, next 90 sessions" in row)
        return next(row for row in cells[betas:] if row[0] == symbol)


def insert(connection: sa.Connection, table: sa.Table, **values: Any) -> None:
    connection.execute(sa.insert(table).values(**values))


def portfolio(connection: sa.Connection, name: str, snapshot: dict[str, Any] | None) -> uuid.UUID:
    key = uuid.uuid4()
    insert(connection, tables.portfolios, id=key, name=name, currency="USD")
    if snapshot is not None:
        row = snapshot | {
            "portfolio_id": key,
            "snapshot_date": DAY,
            "dagster_run_id": RUN,
            "code_version": "0.1.0+abc",
        }
        insert(connection, tables.portfolio_snapshots, **row)
    return key


def position(
    connection: sa.Connection, owner: uuid.UUID, symbol: str, quantity: float, **statistics: float
) -> uuid.UUID:
    key = uuid.uuid4()
    kind = "SHORT" if quantity < 0 else "LONG"
    held = {"symbol": symbol, "position_type": kind, "quantity": quantity, "entry_date": DAY}
    insert(connection, tables.positions, id=key, portfolio_id=owner, **held)
    beta = {
        "portfolio_id": owner,
        "position_id": key,
        "calc_date": DAY,
        "market_index": "SPX",
        "observations": 90,
    }
    insert(connection, tables.position_market_betas, **beta | statistics)
    return key


def insert_reason(
    connection: sa.Connection,
    owner: uuid.UUID,
    metric: str,
    reason: str,
    subject: uuid.UUID | None = None,
) -> None:
    row = {
        "metric": metric,
        "subject": subject or owner,
        "day": DAY,
        "portfolio_id": owner,
        "reason": reason,
    }
    insert(connection, tables.undefined_metrics, **row)


@pytest.fixture
def long_short(connection: sa.Connection) -> uuid.UUID:
    owner = portfolio(connection, "Long-Short", LONG_SHORT)
    position(
        connection,
        owner,
        "AMD",
        1650.5,
        beta=1.9449,
        std_error=0.1449,
        r_squared=0.6951,
        p_value=0.0,
        alpha=0.001,
    )
    position(
        connection,
        owner,
        "LLY",
        -30,
        beta=-0.004,
        std_error=0.11,
        r_squared=0.19,
        p_value=0.000014,
        alpha=0.001,
    )
    decayed = {"beta": 1.6, "std_error": 0.1, "forecast_std_error": 0.4, "observations": 504}
    parameters = {"window_days": 504, "half_life": 89, "market_index": "SPX"}
    insert(connection, tables.symbol_decayed_betas, symbol="AMD", day=DAY, **decayed, **parameters)
    young = position(connection, owner, "NEW", 5, observations=12)
    for column in ("beta", "alpha", "std_error", "r_squared", "p_value"):
        insert_reason(
            connection,
            owner,
            f"position_market_betas.{column}",
            "12 paired returns; 60 are needed",
            young,
        )
    benchmark = {
        "portfolio_id": owner,
        "day": DAY,
        "benchmark_asof": date(2021, 12, 31),
        "benchmark_code": "SP500",
    }
    for sector, gross, net, benchmark_weight in (
        ("Energy", 0.6, 0.8, 0.027),
        ("Industrials", 0.4, -0.2, 0.078),
    ):
        weights = {
            "gross_weight": gross,
            "net_weight": net,
            "benchmark_weight": benchmark_weight,
            "active_weight": net - benchmark_weight,
        }
        insert(connection, tables.portfolio_sector_weights, sector=sector, **benchmark, **weights)
    coverage = {"metric": "beta", "coverage": 0.971, "n_covered": 2, "n_total": 3}
    insert(connection, tables.portfolio_coverage, portfolio_id=owner, day=DAY, **coverage)
    return owner


@pytest.mark.usefixtures("long_short")
def test_the_page_shows_the_stored_figures(connection: sa.Connection) -> None:
    """Rounded by hand."""
    page = Page(render(connection, DAY))
    overview = page.row("Long-Short USD", 11)
    assert overview[1:6] == ["1,250,001", "−839", "−1.7%", "0.58", "25.1%"]
    assert overview[6:9] == ["—", "—", "8.91"]  # neither value at risk nor drawdown is stored
    assert page.row("Short", 3)[1] == "−890,911"
    assert page.row("Beta, 90 sessions", 3)[1:] == ["0.58", "2 of 3, 97.1% of gross"]
    assert page.row("Fewest observations", 3)[1] == "88"
    assert page.row("Exposure-weighted mean R²", 3)[1] == "0.49"
    assert page.row("Portfolio regression", 3)[1] == "0.62"
    assert page.row("Vendor beta, 1 year", 3)[1] == "0.73"
    assert page.row("Largest 3, share of gross", 3)[1] == "45.7%"
    assert page.row("Largest 10, share of gross", 3)[1] == "98.8%"
    assert page.row("Energy", 6) == ["Energy", "60.0%", "80.0%", "", "2.7%", "+77.3%"]
    assert page.row("Industrials", 6) == ["Industrials", "40.0%", "−20.0%", "", "7.8%", "−27.8%"]
    assert page.beta_row("AMD") == [
        "AMD",
        "Long",
        "1,650.5",
        "1.94",
        "1.60",
        "",
        "0.14",
        "0.70",
        "< 0.001",
        "90",
    ]
    assert page.beta_row("LLY") == [
        "LLY",
        "Short",
        "−30",
        "0.00",
        "—",
        "",
        "0.11",
        "0.19",
        "< 0.001",
        "90",
    ]
    assert "Beta to SPX" in page.text
    assert "SP500 weights of 2021-12-31" in page.text
    assert RUN in page.text
    assert "0.1.0+abc" in page.text


@pytest.mark.usefixtures("long_short")
def test_bars_end_at_the_weights(connection: sa.Connection) -> None:
    """On the axis from -0.2 to 0.8, zero is at 20 and a benchmark of 0.027 at 22.7."""
    sectors = render(connection, DAY).split(">Sectors</h4>")[1]
    assert re.findall(r'<rect class="(\w+)" x="([\d.]+)" y="1.5" width="([\d.]+)"', sectors)[
        :2
    ] == [
        ("positive", "20.0", "80.0"),
        ("negative", "0.0", "20.0"),
    ]
    assert re.findall(r'class="mark" x1="([\d.]+)"', sectors) == ["22.7", "27.8"]


@pytest.mark.usefixtures("long_short")
def test_the_line_of_a_beta_spans_its_interval_of_the_next_window(
    connection: sa.Connection,
) -> None:
    """1.6 ± 1.96 x 0.4 is 0.816 to 2.384, on the axis from 0 to 2.384."""
    positions = render(connection, DAY).split("Betas by position")[1]
    ends = re.findall(r'class="whisker" x1="([\d.]+)" x2="([\d.]+)"', positions)
    assert ends[0] == ("34.23", "100.0")


@pytest.mark.usefixtures("long_short")
def test_a_missing_beta_is_a_dash_with_a_link_to_its_reason(
    connection: sa.Connection,
) -> None:
    page = Page(render(connection, DAY))
    (number,) = [row[0] for row in page.rows if "12 paired returns; 60 are needed" in row]
    dash = f"—{number}"
    assert page.beta_row("NEW") == ["NEW", "Long", "5", dash, "—", "", dash, dash, dash, "12"]
    assert page.row(number, 5)[2:] == ["Beta, Alpha, R², Std error, p-value", "NEW", "5"]
    links = {value for name, value in page.attributes if name == "href"}
    anchors = {f"#{value}" for name, value in page.attributes if name == "id"}
    assert "#portfolio-1-note-" + number in links
    assert links <= anchors


def test_every_dash_has_a_reason(connection: sa.Connection) -> None:
    """An empty portfolio has one stored reason; other missing values get a default one."""
    owner = portfolio(connection, "Empty", EMPTY)
    insert_reason(
        connection, owner, "portfolio_snapshots.hhi", "the portfolio holds nothing with a value"
    )
    page = Page(render(connection, DAY))
    explained = {row[0].strip(): row[1] for row in page.rows if len(row) == 5}
    dashes = [cell.strip() for row in page.rows for cell in row if "—" in cell]
    assert (
        explained[page.row("HHI", 3)[1].removeprefix("—")]
        == "the portfolio holds nothing with a value"
    )
    assert (
        "no value and no reason is stored"
        in explained[page.row("Portfolio regression", 3)[1].removeprefix("—")]
    )
    unexplained = [dash for dash in dashes if dash.removeprefix("—") not in explained]
    assert unexplained == ["—", "—"]  # overview: value at risk and drawdown, of tables without rows
    assert page.row("Long", 3)[1] == "0"
    assert page.row("Equity", 3)[1] == "500"
    assert "No position betas" in page.text


def test_a_sector_without_benchmark_has_the_reason_of_its_active_weight(
    connection: sa.Connection,
) -> None:
    owner = portfolio(connection, "No benchmark", LONG_SHORT)
    weights = {"sector": "Energy", "gross_weight": 1.0, "net_weight": 1.0}
    insert(connection, tables.portfolio_sector_weights, portfolio_id=owner, day=DAY, **weights)
    insert_reason(
        connection,
        owner,
        "portfolio_sector_weights.active_weight",
        "no benchmark weights are stored",
    )
    page = Page(render(connection, DAY))
    (number,) = [row[0] for row in page.rows if "no benchmark weights are stored" in row]
    assert page.row("Energy", 4)[1:3] == ["100.0%", "100.0%"]  # and a bar: nothing to compare with
    assert f"Benchmark: —{number}" in " ".join(page.text.split())


def test_sectors_of_a_portfolio_without_weights_have_dashes(connection: sa.Connection) -> None:
    """Shares of gross value are known when equity is negative, and shares of equity are not."""
    owner = portfolio(connection, "Shorts only", LONG_SHORT | {"total_value": -16_257.03})
    sector = {"sector": "Energy", "gross_weight": 0.328, "benchmark_weight": 0.027}
    benchmark = {"benchmark_asof": date(2021, 12, 31), "benchmark_code": "SP500"}
    key = {"portfolio_id": owner, "day": DAY}
    insert(connection, tables.portfolio_sector_weights, **key, **sector, **benchmark)
    for column in ("net_weight", "active_weight"):
        insert_reason(connection, owner, f"portfolio_sector_weights.{column}", "no equity")
    page = Page(render(connection, DAY))
    (number,) = [row[0] for row in page.rows if "no equity" in row]
    dash = f"—{number}"
    assert page.row("Energy", 6) == ["Energy", "32.8%", dash, "", "2.7%", dash]


@pytest.mark.parametrize(
    ("pnl", "shown"),
    [
        (-839.3, '<span class="loss">−839</span>'),
        (839.3, '<span class="gain">+839</span>'),
        (-0.3, "0"),
    ],
)
def test_a_change_that_is_shown_as_zero_is_neither_gain_nor_loss(
    connection: sa.Connection, pnl: float, shown: str
) -> None:
    portfolio(connection, "Long-Short", LONG_SHORT | {"daily_pnl": pnl})
    text = render(connection, DAY)
    assert text.count(f"<span>{shown}</span>") == 1  # in the overview
    assert text.count(f"<dd>{shown}</dd>") == 1


def test_a_reason_of_all_rows_is_stated_once(connection: sa.Connection) -> None:
    """Exposures and risk of two factors and of what they do not explain have one reason."""
    owner = portfolio(connection, "Shorts only", LONG_SHORT)
    key = {"portfolio_id": owner, "day": DAY, "undefined_reason": "equity is negative"}
    for factor in ("market", "size", "specific"):
        risk = {"factor": factor, "observations": 0}
        insert(connection, tables.portfolio_factor_risk, **key, **risk)
        if factor != "specific":
            terms = {"definition": "SPX", "coverage": 1.0}
            insert(connection, tables.portfolio_factor_exposures, factor=factor, **key, **terms)
    drawdowns = tables.STATISTIC_TABLES["portfolio_drawdowns"]
    insert(connection, drawdowns, observations=0, **key)
    page = Page(render(connection, DAY))
    assert page.text.count("equity is negative") == 2  # of factors and of drawdowns
    assert "size: equity is negative" not in page.text
    assert "Current drawdown" not in [row[0] for row in page.rows]  # a table of dashes


@pytest.mark.usefixtures("long_short")
def test_a_portfolio_without_a_snapshot_is_listed_with_its_reason(
    connection: sa.Connection,
) -> None:
    owner = portfolio(connection, "Unpriced", None)
    portfolio(connection, "Of another day", None)
    insert_reason(
        connection, owner, "portfolio_snapshots.total_value", "none of the holdings has a price"
    )
    insert_reason(
        connection,
        owner,
        "position_market_betas.beta",
        "no returns",
        position(connection, owner, "NEW", 5, observations=0),
    )
    page = Page(render(connection, DAY))
    assert page.row("Unpriced USD", 4) == [
        "Unpriced USD",
        "none of the holdings has a price",
        "1",
        "6",
    ]
    assert "Of another day" not in page.text


def test_names_and_reasons_are_escaped(connection: sa.Connection) -> None:
    owner = portfolio(connection, "<script>alert(1)</script>", LONG_SHORT)
    position(
        connection,
        owner,
        "<b>&AMD",
        1,
        beta=1.0,
        std_error=0.1,
        r_squared=0.5,
        p_value=0.5,
        alpha=0.0,
    )
    insert_reason(connection, owner, "portfolio_snapshots.portfolio_delta", '<img src="x">')
    text = render(connection, DAY)
    assert not re.search("<script|<b>&AMD|<img", text)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<b>&AMD" in Page(text).text


@pytest.mark.usefixtures("long_short")
def test_the_page_is_well_formed_and_needs_nothing_from_outside(connection: sa.Connection) -> None:
    portfolio(connection, "Empty", EMPTY)
    text = render(connection, DAY)
    page = Page(text)
    assert text.startswith("<!DOCTYPE html>")
    assert page.open == []
    assert not re.search(r"https?:|url\(|@import|<script|<link", text)
    assert all(
        value is not None and value.startswith("#")
        for name, value in page.attributes
        if name in {"href", "src", "xlink:href"}
    )
    identifiers = [value for name, value in page.attributes if name == "id"]
    assert len(identifiers) == len(set(identifiers))


@pytest.mark.usefixtures("long_short")
def test_a_day_without_results_is_refused(connection: sa.Connection) -> None:
    with pytest.raises(DataQualityError, match="no snapshot is stored for 2022-12-27"):
        render(connection, date(2022, 12, 27))


def test_portfolios_that_share_a_name_are_refused(connection: sa.Connection) -> None:
    """Results are grouped by name: a shared name would mix the positions of two portfolios."""
    portfolio(connection, "Growth", LONG_SHORT)
    portfolio(connection, "Growth", LONG_SHORT)
    with pytest.raises(DataQualityError, match="same name"):
        render(connection, DAY)


@pytest.mark.usefixtures("long_short")
def test_risk_tables_show_values_and_reasons_of_undefined_ones(
    connection: sa.Connection,
) -> None:
    """Rounded by hand; an undefined scenario is a dash with the reason below the table."""
    owner = connection.scalar(
        sa.select(tables.portfolios.c.id).where(tables.portfolios.c.name == "Long-Short")
    )
    key = {"portfolio_id": owner, "day": DAY}
    methods = (("historical", 0.02217), ("filtered", 0.0104), ("parametric", None))
    for method, risk in methods:
        tail = key | {"method": method, "level": 0.95, "horizon_days": 1, "observations": 504}
        reason = None if risk else "no forecast"
        amount = 2771.25 if risk else None
        figures = {
            "value_at_risk": risk,
            "expected_shortfall": risk,
            "value_at_risk_amount": amount,
            "undefined_reason": reason,
        }
        insert(connection, tables.portfolio_tail_risk, **tail | figures)
    backtest = {
        "level": 0.99,
        "expected_exceptions": 2.52,
        "exceptions": 5,
        "n_tested": 252,
        "p_value": 0.16624,
    }
    insert(connection, tables.portfolio_var_backtests, **key | backtest)
    drawdown = {
        "current_drawdown": 0.0,
        "current_drawdown_peak": DAY,
        "max_drawdown": 0.1135,
        "max_drawdown_peak": date(2022, 6, 8),
        "max_drawdown_trough": date(2022, 6, 17),
    }
    drawdowns = tables.STATISTIC_TABLES["portfolio_drawdowns"]
    insert(connection, drawdowns, observations=252, **key | drawdown)
    insert(
        connection,
        tables.portfolio_stress,
        scenario="rise",
        loss=-0.0582,
        loss_margin=0.011,
        loss_value=-7280,
        coverage=1,
        **key,
    )
    insert(
        connection,
        tables.portfolio_stress,
        scenario="1929",
        coverage=0,
        proxied_share=0.12,
        undefined_reason="no closes",
        **key,
    )
    insert(
        connection,
        tables.portfolio_active_sectors,
        sector="Energy",
        exposure_weight=0.3,
        sector_component=0.015,
        sector_share=0.5,
        **key,
    )
    insert(
        connection,
        tables.portfolio_liquidity,
        days_to_liquidate=12.5,
        sold_in_5d=0.75,
        coverage=1,
        participation=0.2,
        **key,
    )
    for symbol, component in (("AMD", 0.25), ("LLY", -0.05)):
        insert(
            connection,
            tables.portfolio_risk_contributions,
            symbol=symbol,
            component=component,
            decayed_component=2 * component,
            observations=252,
            **key,
        )
    page = Page(render(connection, DAY))
    assert page.row("Historical", 6)[:5] == ["Historical", "95%", "−2.2%", "−2.2%", "−2,771"]
    assert page.row("Parametric", 6)[:5] == ["Parametric", "95%", "—", "—", "—"]
    assert page.row("Long-Short USD", 11)[6] == "−1.0%"  # the filtered one leads
    assert "Value at risk, 95%, filtered−1.0%" in page.text
    assert page.row("99%", 5) == ["99%", "2.5", "5", "252", "0.166"]
    assert page.row("Maximum drawdown", 3) == [
        "Maximum drawdown",
        "−11.3%",
        "2022-06-08 to 2022-06-17",
    ]
    assert page.row("rise", 7) == ["rise", "+5.8%", "1.1%", "", "+7,280", "100.0%", "—"]
    assert page.row("1929", 7) == ["1929", "—", "—", "", "—", "0.0%", "12.0%"]
    (amd,) = [row for row in page.rows if row[0].strip() == "AMD" and "50.0%" in row]
    assert [cell.strip() for cell in amd[2:7]] == ["50.0%", "", "—", "—", "25.0%"]
    assert page.row("Sold in 5 sessions", 3) == ["Sold in 5 sessions", "75.0%", ""]
    assert page.row("Energy", 4) == ["Energy", "30.0%", "+1.5%", "+50.0%"]
    text = " ".join(page.text.split())
    assert "— parametric: no forecast." in text
    assert "— 1929: no closes." in text
    assert (
        "40.0% a year with the exponentially weighted covariance, 20.0% with equal weights" in text
    )


def forecast(connection: sa.Connection, subject: str, *, in_sample: bool, **figures: Any) -> None:
    flags = dict.fromkeys(("clipped", "short_history", "daily_lag_imputed"), False) | {
        "in_sample": in_sample
    }
    made = {
        "subject": subject,
        "day": DAY,
        "observations": 252,
        "proxy": "close",
        "coefficients_version": "shipped-1",
    }
    insert(connection, tables.volatility_forecasts, **made | flags | figures)


def insert_position_results(
    connection: sa.Connection, owner: uuid.UUID, symbol: str, **volatility: Any
) -> None:
    key = connection.scalar(
        sa.select(tables.positions.c.id).where(tables.positions.c.symbol == symbol)
    )
    insert(
        connection, tables.position_volatility, position_id=key, calculation_date=DAY, **volatility
    )
    rates = (
        {"ir_beta": -0.0841, "std_error": 0.0913, "p_value": 0.35921, "r_squared": 0.01}
        if volatility
        else {}
    )
    insert(
        connection,
        tables.position_interest_rate_betas,
        portfolio_id=owner,
        position_id=key,
        calculation_date=DAY,
        **rates,
    )


def test_volatility_and_rate_betas_are_the_stored_ones(
    connection: sa.Connection, long_short: uuid.UUID
) -> None:
    """Rounded by hand; a dagger marks in-sample forecasts, with a note below the table."""
    forecast(
        connection,
        str(long_short),
        in_sample=False,
        portfolio_id=long_short,
        low=0.1601,
        high=0.3597,
        rise_probability=0.6016,
    )
    forecast(
        connection,
        "AMD",
        in_sample=True,
        low=0.354,
        high=0.7971,
        rise_probability=0.674,
        short_history=True,
    )
    known = {
        "realized_vol_21d": 0.4513,
        "realized_vol_63d": 0.6144,
        "expected_vol_21d": 0.5559,
        "vol_trend": "increasing",
    }
    insert_position_results(
        connection, long_short, "AMD", vol_percentile=0.0675, model_r_squared=-0.1791, **known
    )
    insert_position_results(connection, long_short, "NEW")
    betas = {
        "rate_beta": 0.1239,
        "r_squared": 0.0461,
        "rate_index": "TLT",
        "undefined_reason": "too little has two factors",
    }
    insert(connection, tables.portfolio_rate_betas, portfolio_id=long_short, day=DAY, **betas)
    page = Page(render(connection, DAY))
    assert page.row("Last 21 sessions", 3)[1] == "21.7%"
    assert page.row("Last 63 sessions", 3)[1] == "23.6%"
    assert page.row("Forecast, 21 sessions", 3)[1:] == ["25.1%", "80% interval 16.0% to 36.0%"]
    assert page.row("Trend", 3)[1:] == ["increasing", "P(increase) 60.2%"]
    assert page.row("Percentile", 3)[1] == "19.4%"
    assert page.row("Rate beta", 3)[1] == "0.12"
    assert page.row("Rate beta, market held fixed", 3)[1].startswith("—")
    assert [row[1] for row in page.rows if row[1:2] == ["too little has two factors"]]
    amd = [
        "45.1%",
        "61.4%",
        "55.6%†",
        "",
        "67.4%",
        "increasing",
        "6.8%",
        "−0.18",
        "−0.08",
        "0.09",
        "0.359",
    ]
    assert page.row("AMD", 13) == ["AMD", "Long", *amd]
    assert all(cell == "" or cell.startswith("—") for cell in page.row("NEW", 13)[2:])
    text = " ".join(page.text.split())
    assert text.count(f"† In-sample: {formatting.IN_SAMPLE_NOTE}.") == 1
    assert "Less than half a year of returns: AMD." in text


@pytest.mark.usefixtures("long_short")
def test_the_track_record_pools_forecasts_completed_by_the_day(connection: sa.Connection) -> None:
    """By hand: 10 % forecast and 20 % realized: variance 75 % too low, QLIKE 4 - ln 4 - 1."""
    stocks = [(f"S{number}", DAY) for number in range(20)]
    for subject, completed in (*stocks, ("S0", DAY + timedelta(days=1))):
        for method, forecast, loss in (("har", 0.1, 4 - math.log(4) - 1), ("ewma_94", 0.2, 0.0)):
            insert(
                connection,
                tables.forecast_outcomes,
                subject=subject,
                made_on=completed - timedelta(days=30),
                completed_on=completed,
                kind="volatility",
                method=method,
                horizon=21,
                level=0,
                forecast=forecast,
                low=0.15 if method == "har" else None,
                high=0.25 if method == "har" else None,
                outcome=0.2,
                forecast_loss=loss,
                in_sample=False,
            )
    page = Page(render(connection, DAY))
    (ours,) = [row for row in page.rows if row[:2] == ["Stocks", "Forecast"]]
    assert ours[2:] == ["21", "20", "1.614", "1.00", "—", "−75.0%", "100.0%", "80.0%"]
    (other,) = [row for row in page.rows if row[:2] == ["Stocks", "EWMA 0.94"]]
    assert other[2:] == ["21", "20", "0.000", "—", "—", "0.0%", "—", "—"]


def test_the_exceptions_of_the_stored_value_at_risk_are_listed_by_method(
    connection: sa.Connection, long_short: uuid.UUID
) -> None:
    """No exception in 130 sessions at 99 % is no evidence: Kupiec's p-value is 0.106."""
    days = trading_calendar.sessions_with_lookback([DAY], 130)
    for made_on, completed_on in pairwise(days):
        insert(
            connection,
            tables.forecast_outcomes,
            subject=str(long_short),
            portfolio_id=long_short,
            made_on=made_on,
            completed_on=completed_on,
            kind="value_at_risk",
            method="filtered",
            horizon=1,
            level=Decimal("0.99"),
            forecast=0.02,
            shortfall_forecast=0.025,
            outcome=0.001,
            forecast_loss=0.00019,
            in_sample=False,
        )
    page = Page(render(connection, DAY))
    (tested,) = [
        row for row in page.rows if row[1:2] == ["Filtered simulation"] and row[0] != "Portfolios"
    ]
    assert tested[2:] == ["99%", "130", "1.3", "0", "0.106", "—", "—", "Green", "1.00", "—"]


def test_a_rate_beta_is_shown_without_volatility(
    connection: sa.Connection, long_short: uuid.UUID
) -> None:
    key = connection.scalar(
        sa.select(tables.positions.c.id).where(tables.positions.c.symbol == "LLY")
    )
    beta = {"ir_beta": 0.5, "std_error": 0.25, "p_value": 0.04}
    insert(
        connection,
        tables.position_interest_rate_betas,
        portfolio_id=long_short,
        position_id=key,
        calculation_date=DAY,
        **beta,
    )
    assert Page(render(connection, DAY)).row("LLY", 6) == [
        "LLY",
        "Short",
        "not stored",
        "0.50",
        "0.25",
        "0.040",
    ]


def test_the_pnl_of_an_option_at_a_stated_price_is_unknown(
    connection: sa.Connection, long_short: uuid.UUID
) -> None:
    """Two calls stated at 3.50 are 700; their price of the day before is not known."""
    call = {
        "symbol": "AMD 130 C",
        "position_type": "LC",
        "quantity": 2,
        "last_price": 3.5,
        "investment_class": "OPTIONS",
        "underlying_symbol": "AMD",
        "strike_price": 130,
        "expiration_date": date(2023, 6, 16),
    }
    entered = DAY - timedelta(days=30)
    key = {"id": uuid.uuid4(), "portfolio_id": long_short, "entry_date": entered}
    insert(connection, tables.positions, **key, **call)
    page = Page(render(connection, DAY))
    assert page.row("AMD 130 C", 10)[2:5] == ["700", "3.50†", "—"]
    assert "† Stated by an imported file, the same on each session" in page.text


def test_each_option_contract_has_a_row_with_its_terms(
    connection: sa.Connection, long_short: uuid.UUID
) -> None:
    """Two calls on the same symbol and side, one of them in two lots."""
    june = date(2023, 6, 16)
    for strike, lots in ((130, 2), (150.5, 1)):
        call = {
            "symbol": "AMD",
            "position_type": "LC",
            "investment_class": "OPTIONS",
            "strike_price": strike,
            "expiration_date": june,
        }
        for _ in range(lots):
            held = call | {
                "id": uuid.uuid4(),
                "portfolio_id": long_short,
                "quantity": 1,
                "entry_date": DAY,
            }
            insert(connection, tables.positions, **held)
            lot_key = {"position_id": held["id"], "calculation_date": DAY}
            insert(connection, tables.position_volatility, realized_vol_21d=strike / 100, **lot_key)
            insert(
                connection, tables.position_interest_rate_betas, portfolio_id=long_short, **lot_key
            )
            greeks = {
                "position_id": held["id"],
                "portfolio_id": long_short,
                "day": DAY,
                "underlying_symbol": "AMD",
                "linearized": True,
            }
            insert(
                connection,
                tables.position_option_exposures,
                risk_free_rate=0,
                dividend_yield=0,
                delta=strike / 1000,
                **greeks,
            )
    page = Page(render(connection, DAY))
    calls = [row[:3] for row in page.rows if row[0] == "AMD" and len(row) == 13]
    assert calls == [
        ["AMD", "Long call 130 2023-06-16", "130.0%"],
        ["AMD", "Long call 150.5 2023-06-16", "150.5%"],
    ]
    contracts = [[row[2], row[3], row[5]] for row in page.rows if row[:2] == ["AMD", "AMD"]]
    assert contracts == [
        ["Long call 130 2023-06-16", "2", "0.13"],
        ["Long call 150.5 2023-06-16", "1", "0.15"],
    ]


def test_caveats_are_shown_before_values_and_weights(
    connection: sa.Connection, long_short: uuid.UUID
) -> None:
    snapshot = tables.portfolio_snapshots
    assert "in units of equity are undefined" not in render(connection, DAY)
    connection.execute(
        sa.update(snapshot).where(snapshot.c.portfolio_id == long_short).values(total_value=-1250)
    )
    unconfirmed = {"metric": "validated_prices", "coverage": 1 / 3, "n_covered": 1, "n_total": 3}
    insert(connection, tables.portfolio_coverage, portfolio_id=long_short, day=DAY, **unconfirmed)
    text = " ".join(Page(render(connection, DAY)).text.split())
    assert (
        "Equity is −1,250, 0.0% of gross exposure; below 5% weights and all figures in units of"
        " equity are undefined." in text
    )
    assert "2 of 3 instruments have an unconfirmed close that affects value or P&L" in text


def test_what_the_portfolio_realized_is_next_to_what_its_holdings_would_have(
    connection: sa.Connection,
) -> None:
    """A year of stored returns with a fall of 20% and a gain of 5%, in two sessions."""
    owner = portfolio(connection, "Long-Short", LONG_SHORT | {"daily_return": 0.0})
    sessions = trading_calendar.sessions_with_lookback([DAY], 251)
    returns = dict.fromkeys(sessions[:-1], 0.0) | {sessions[10]: -0.2, sessions[20]: 0.05}
    for session, daily_return in returns.items():
        row = LONG_SHORT | {"daily_return": daily_return, "snapshot_date": session}
        insert(connection, tables.portfolio_snapshots, portfolio_id=owner, **row)
    key = {"portfolio_id": owner, "day": DAY, "observations": 252}
    drawdowns = tables.STATISTIC_TABLES["portfolio_drawdowns"]
    insert(connection, drawdowns, current_drawdown=0.01, max_drawdown=0.1135, **key)
    performances = tables.STATISTIC_TABLES["portfolio_performance"]
    market = {"market_index": "SPX"} if "market_index" in performances.c else {}
    insert(connection, performances, annual_return=0.07, sharpe_ratio=1.0, **key, **market)
    text = render(connection, DAY)
    assert "“Realized” is what the portfolio earned with what it held on each session" in text
    page = Page(text)
    assert page.row("Maximum drawdown", 4) == ["Maximum drawdown", "−11.3%", "−20.0%", ""]
    assert page.row("Current drawdown", 4) == ["Current drawdown", "−1.0%", "−16.0%", ""]
    assert page.row("Annualized return", 4) == ["Annualized return", "+7.0%", "−16.0%", "a year"]
    assert page.row("Sharpe ratio", 4) == ["Sharpe ratio", "1.00", "", "risk-free rate 0"]

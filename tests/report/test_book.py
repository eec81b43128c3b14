"""Pages of several portfolios: which are shown in full, and what changed since a session."""

from datetime import date
from pathlib import Path

import lxml.html
import pytest
import sqlalchemy as sa
from test_page import DAY, LONG_SHORT, Page, insert, portfolio

from riskmetrics.db import tables
from riskmetrics.errors import UsageError
from tests.e2e import browser
from tests.report_options import render

BEFORE = date(2022, 12, 21)


def headings(connection: sa.Connection, **options: object) -> list[str]:
    page = lxml.html.document_fromstring(render(connection, DAY, **options))
    return [heading.text for heading in page.iter("h2")]


@pytest.mark.parametrize(("count", "n_full"), [(5, 5), (6, 5)])
def test_five_portfolios_are_shown_in_full_and_the_others_in_the_overview(
    connection: sa.Connection, count: int, n_full: int
) -> None:
    for number in range(count):
        size = {"gross_exposure": 1000.0 * (number + 1)}
        portfolio(connection, f"P{number}", LONG_SHORT | size)
    shown = [name for name in headings(connection) if name.startswith("P")]
    page = Page(render(connection, DAY))
    assert len(shown) == n_full
    assert ("P0" in shown) == (count == n_full)  # the smallest is left out first
    for number in range(count):
        assert page.row(f"P{number} USD", 11)
    assert ("are shown of 5 of 6 portfolios" in " ".join(page.text.split())) == (count > n_full)


def test_a_finding_comes_before_size(connection: sa.Connection) -> None:
    for number in range(6):
        owner = portfolio(
            connection, f"P{number}", LONG_SHORT | {"gross_exposure": 1000.0 * (number + 1)}
        )
        if number == 0:
            failed = {"expected_exceptions": 12.6, "exceptions": 24, "n_tested": 252}
            insert(
                connection,
                tables.portfolio_var_backtests,
                portfolio_id=owner,
                day=DAY,
                level=0.95,
                p_value=0.003,
                **failed,
            )
    shown = headings(connection)
    assert "P0" in shown
    assert "P1" not in shown


def test_one_portfolio_has_a_page_of_its_own(connection: sa.Connection) -> None:
    for name in ("Growth", "Bonds only"):
        portfolio(connection, name, LONG_SHORT)
    assert "Bonds only" not in render(connection, DAY, portfolio="Growth")
    with pytest.raises(UsageError, match="no results of Nope are stored for 2022-12-28"):
        render(connection, DAY, portfolio="Nope")


def test_a_served_overview_links_to_the_pages_of_the_others(connection: sa.Connection) -> None:
    for name in ("Growth & Co", "Income"):
        portfolio(connection, name, LONG_SHORT)
    text = render(connection, DAY, max_full=0, links_to_portfolios=True)
    assert '<a href="?date=2022-12-28&amp;portfolio=Growth%20%26%20Co">Growth &amp; Co</a>' in text


def test_what_changed_since_an_earlier_session(connection: sa.Connection) -> None:
    owner = portfolio(connection, "Growth", LONG_SHORT)
    earlier = LONG_SHORT | {"total_value": 1_000_000.0, "expected_volatility_21d": 0.2}
    row = earlier | {"portfolio_id": owner, "snapshot_date": BEFORE}
    insert(connection, tables.portfolio_snapshots, **row)
    page = Page(render(connection, DAY, against=BEFORE))
    assert page.row("Equity", 4) == ["Equity", "1,000,000", "1,250,001", "+250,001"]
    assert page.row("Volatility, forecast for 21 sessions", 4)[1:] == ["20.0%", "25.1%", "+5.1 pp"]
    assert page.row("Growth USD", 12)[4] == "+250,001"
    with pytest.raises(UsageError, match="2022-12-28 is not before the session of 2022-12-28"):
        render(connection, DAY, against=DAY)
    with pytest.raises(UsageError, match="no results are stored for 2022-12-20"):
        render(connection, DAY, against=date(2022, 12, 20))


@pytest.mark.slow(4)
@pytest.mark.skipif(browser.CHROMIUM is None, reason="there is no Chromium")
def test_beyond_25_portfolios_are_folded_until_searched_or_unfolded(
    connection: sa.Connection, tmp_path: Path
) -> None:
    for number in range(27):
        portfolio(connection, f"P{number:02}", LONG_SHORT)
    file = tmp_path / "report.html"
    file.write_text(render(connection, DAY, max_full=0, is_interactive=True), encoding="utf-8")
    rows = "[...document.querySelectorAll('.cards tbody tr')]"
    visible = f"{rows}.filter((each) => each.checkVisibility()).length"
    search = (
        "(() => {{ const field = document.querySelector('input[type=search]');"
        " field.value = '{}'; field.dispatchEvent(new Event('input')); }})()"
    )
    with browser.open_browser(tmp_path / "profile") as page:
        for width in (390, 1400):
            page.set_width(width)
            page.open(file.as_uri(), "All portfolios", "2 others")
            assert page.evaluate(visible) == 25
            page.evaluate(search.format("p26"))
            assert page.evaluate(visible) == 1
            page.evaluate(search.format(""))
            page.evaluate("document.querySelector('button.fold').click()")
            assert page.evaluate(visible) == 27
            page.send_command("Emulation.setEmulatedMedia", media="print")
            page.evaluate("document.querySelector('button.fold').click()")
            assert page.evaluate(visible) == 27  # paper has all of them
            page.send_command("Emulation.setEmulatedMedia", media="screen")
        assert page.read_errors() == []

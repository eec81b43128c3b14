"""The report in a real browser, at the width of a phone and of a desk, and as a PDF."""

import re
from datetime import date
from pathlib import Path

import pytest
import sqlalchemy as sa

from riskmetrics import trading_calendar
from riskmetrics.charts.pro_forma_data import VAR_LEVEL, read_book_inputs
from riskmetrics.cli import pdf
from riskmetrics.db import tables
from riskmetrics.inputs.snapshot import SnapshotTerms
from riskmetrics.results.option_results import PricingParameters
from tests.conftest import open_connection
from tests.e2e import browser
from tests.e2e.conftest import Run, query_frame
from tests.page_structure import check_structure
from tests.report_options import render

DAY = date(2022, 12, 28)
WEEK_BEFORE = trading_calendar.previous_session(DAY, 5)
TERMS = SnapshotTerms(DAY, "SPX", "TLT", "SP500", PricingParameters(0.04, 0.0), 0.2, 30)

OVERLAPS = """
(() => {
  const boxes = [...document.querySelectorAll(
    'h1, h2, h3, figure.plot, table:not(details:not([open]) table), .key, .attention, .caption'
  )].filter((each) => each.checkVisibility()).map((each) => [each, each.getBoundingClientRect()]);
  const found = [];
  boxes.forEach(([one, a], place) => {
    for (const [other, b] of boxes.slice(place + 1)) {
      if (one.contains(other) || other.contains(one)) continue;
      const width = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const height = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (width > 1 && height > 1) found.push(one.className + one.tagName + ' / ' + other.className
        + other.tagName + ': ' + one.textContent.slice(0, 30));
    }
  });
  return found;
})()
"""
CUT_LABELS = """
[...document.querySelectorAll('.plot svg')].flatMap((svg) => {
  const frame = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text')].filter((text) => {
    const box = text.getBoundingClientRect();
    return box.width > 0 && (box.left < frame.left - 3 || box.right > frame.right + 12);
  }).map((text) => svg.closest('figure').className + ': ' + text.textContent);
})
"""

FOLDED = "[...document.querySelectorAll('details.part')].every((part) => !part.open)"
UNREACHABLE = """
[...document.querySelectorAll('.wide')].filter((each) => each.checkVisibility()
  && each.scrollWidth > each.clientWidth
  && (each.tabIndex !== 0 || !each.getAttribute('aria-labelledby'))).length
"""

LINES_OF_HEADLINES = """
[...document.querySelectorAll('dl.key')].map((list) => new Set(
  [...list.children].map((each) => Math.round(each.getBoundingClientRect().bottom))).size)
"""

chromium = pytest.mark.skipif(browser.CHROMIUM is None, reason="there is no Chromium")


@pytest.fixture
def page_file(sample: str, run: Run, tmp_path: Path) -> Path:
    """Write the page of the sample, with a comparison to the session of a week before."""
    assert run([WEEK_BEFORE, DAY]).exit_code == 0
    with open_connection(sample) as connection:
        plant_year_of_values(connection)
        page = render(connection, DAY, is_interactive=True)
    file = tmp_path / "report.html"
    file.write_text(page, encoding="utf-8")
    return file


def plant_year_of_values(connection: sa.Connection) -> None:
    """Copy the values of a session to those before it: realized columns need half a year."""
    held = tables.portfolio_snapshots
    copied = [column for column in held.c if column.name not in ("id", "snapshot_date")]
    rows = sa.select(*copied, sa.bindparam("planted", type_=sa.Date))
    target = [*(column.name for column in copied), "snapshot_date"]
    planted = sa.insert(held).from_select(target, rows.where(held.c.snapshot_date == WEEK_BEFORE))
    for session in trading_calendar.sessions_with_lookback([WEEK_BEFORE], 200)[:-1]:
        connection.execute(planted, {"planted": session})


def draw_all(page: browser.Page) -> None:
    """Scroll through the page until a script has drawn every chart."""
    page.evaluate(
        "document.querySelectorAll('figure.plot').forEach((each) => each.scrollIntoView())"
    )
    page.evaluate(
        "(async () => { for (const each of document.querySelectorAll('figure.plot')) {"
        " each.scrollIntoView(); await new Promise((done) => setTimeout(done, 60)); }"
        " window.scrollTo(0, 0); document.body.dataset.walked = 1; })()"
    )
    page.wait_until(
        "document.querySelectorAll('figure.plot').length"
        " === document.querySelectorAll('.drawing svg').length"
    )


@pytest.mark.slow(25)
@pytest.mark.timeout(600)
@chromium
def test_the_page_is_readable_at_both_widths_and_a_pdf_has_a_cover_and_two_pages_each(
    page_file: Path, sample: str, tmp_path: Path
) -> None:
    assert page_file.stat().st_size < 3_000_000
    check_structure(page_file.read_text(encoding="utf-8"))
    for width in (390, 1400):
        with browser.open_browser(tmp_path / f"profile-{width}") as page:
            page.set_width(width)
            page.open(page_file.as_uri(), "Portfolio risk", "Long-Short", "Needs attention")
            assert page.evaluate(FOLDED) == (width == 390)
            check_keyboard(page)
            page.evaluate(
                "document.querySelectorAll('details').forEach((each) => each.open = true)"
            )
            assert "Realized" in page.evaluate("document.body.innerText")
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate(OVERLAPS) == []
            assert page.evaluate(CUT_LABELS) == []
            draw_all(page)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert page.evaluate(OVERLAPS) == []
            assert page.read_errors() == []
            picture = page.take_screenshot()
            assert len(picture) > 50_000
            (tmp_path / f"report-{width}.png").write_bytes(picture)
            if width == 1400:
                for between in (700, 1000):
                    page.set_width(between)
                    assert page.evaluate("document.documentElement.scrollWidth") <= between
                    assert page.evaluate(OVERLAPS) == []
                page.set_width(width)
                assert page.evaluate(LINES_OF_HEADLINES) == [1, 1, 1]
                check_table(page)
    with browser.open_browser(tmp_path / "profile-plain") as page:
        page.send_command("Emulation.setScriptExecutionDisabled", value=True)
        page.send_command("Page.navigate", url=page_file.as_uri())
        page.wait_until("document.querySelectorAll('figure.plot > svg path').length > 100")
    with open_connection(sample) as connection:
        printed = pdf.print_page(render(connection, DAY))
        alone = pdf.print_page(render(connection, DAY, portfolio="Concentrated"))
    assert count_pages(printed) == 1 + 2 * 3
    assert count_pages(alone) == 2  # without a cover of one row


def count_pages(printed: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", printed))


def check_keyboard(page: browser.Page) -> None:
    """The first key skips to the portfolios; links open what is folded; paper has all of it."""
    page.send_command("Input.dispatchKeyEvent", type="keyDown", key="Tab", code="Tab")
    assert page.evaluate("document.activeElement.hash") == "#main"
    folds = "[...document.querySelectorAll('details.part')].map((part) => part.open)"
    before = page.evaluate(folds)
    page.evaluate("document.querySelector('a[href=\"#portfolio-1-notes\"]').click()")
    notes = "document.querySelector('#portfolio-1-notes')"
    page.wait_until(f"{notes}.closest('details').open")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert all(page.evaluate(folds))
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    after = page.evaluate(folds)
    assert sum(after) == sum(before) + (not all(before))
    page.evaluate("document.querySelectorAll('details').forEach((each) => each.open = true)")
    page.wait_until(f"{UNREACHABLE.strip()} === 0")


def check_table(page: browser.Page) -> None:
    """Sort the positions of a portfolio by weight, and search for one."""
    table = "document.querySelectorAll('table.held.sortable')[1]"
    shown = f"[...{table}.tBodies[0].rows].filter((row) => !row.hidden)"
    weights = f"{shown}.map((row) => Number(row.cells[1].dataset.value))"
    n_positions = page.evaluate(f"{shown}.length")
    page.evaluate(f"{table}.querySelectorAll('th button')[1].click()")
    found = page.evaluate(weights)
    assert len(found) == n_positions
    assert found == sorted(found, reverse=True)
    page.evaluate(f"{table}.querySelectorAll('th button')[1].click()")
    smallest = page.evaluate(weights)  # folded ones too, of which the table has two
    assert smallest == sorted(smallest)
    assert min(smallest) < min(found)
    page.evaluate(
        f"(() => {{ const field = {table}.closest('section').querySelector('input[type=search]');"
        " field.value = 'jnj'; field.dispatchEvent(new Event('input')); })()"
    )
    assert page.evaluate(f"{shown}.map((row) => row.cells[0].textContent)") == ["JNJ"]


def test_positions_and_exceptions_are_those_that_are_stored(computed_sample: str) -> None:
    with open_connection(computed_sample) as connection:
        inputs = read_book_inputs(connection, TERMS, DAY)
        exceptions = connection.execute(
            sa.text(
                "SELECT name, exceptions, n_tested FROM portfolio_var_backtests JOIN portfolios ON"
                " id = portfolio_id WHERE level = :level"
            ),
            {"level": VAR_LEVEL},
        ).all()
    snapshots = query_frame(
        computed_sample,
        "SELECT name, daily_pnl::float8, cumulative_pnl::float8, total_value::float8,"
        " cash_value::float8 FROM portfolio_snapshots JOIN portfolios p ON p.id = portfolio_id"
        f" WHERE snapshot_date = '{DAY}'",
    ).set_index("name")
    added = ["daily_pnl", "cumulative_price_pnl", "value"]
    sums = inputs.positions.groupby("portfolio")[added].sum()
    for name, row in snapshots.iterrows():
        assert sums.loc[name, "daily_pnl"] == pytest.approx(row["daily_pnl"], abs=0.02)
        profit = sums.loc[name, "cumulative_price_pnl"]
        assert profit == pytest.approx(row["cumulative_pnl"], abs=0.02)
        assert sums.loc[name, "value"] == pytest.approx(
            row["total_value"] - row["cash_value"], abs=0.02
        )
    assert len(exceptions) == 3
    for name, count, n_tested in exceptions:
        found = inputs.series[name].value_at_risk(252)
        assert (found["is_exception"].sum(), len(found)) == (count, n_tested)

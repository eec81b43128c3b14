"""Limits of portfolios: what a run stores of them, and the alerts that it sends, each once."""

from collections.abc import Callable, Iterator
from datetime import date

import pytest
import sqlalchemy as sa
from typer.testing import Result

from riskmetrics.catalog.limits import LIMITED_FIGURES
from riskmetrics.db import portfolio_limits, tables
from riskmetrics.db.engine import create_engine
from tests import webhook_server
from tests.commands import invoke
from tests.e2e.conftest import Run
from tests.webhook_server import Webhook

BEFORE, DAY = date(2022, 12, 27), date(2022, 12, 28)
Call = Callable[..., Result]


@pytest.fixture
def call(computed_sample: str) -> Call:
    """Call a command on the computed sample."""
    return lambda *arguments: invoke("limits", *arguments)


@pytest.fixture
def engine(computed_sample: str) -> Iterator[sa.Engine]:
    """Yield an engine of the computed sample."""
    engine = create_engine(computed_sample)
    yield engine
    engine.dispose()


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    """Yield a webhook that alerts are sent to."""
    with webhook_server.serve() as running:
        monkeypatch.setenv("RISKMETRICS_ALERT_WEBHOOK", running.url)
        yield running


def statuses(engine: sa.Engine, day: date = DAY) -> dict[str, tuple[str, str | None]]:
    """Return status and subject of the checked limits of a day."""
    with engine.connect() as connection:
        rows = portfolio_limits.read_limit_checks(connection, day)
    return {
        name: (status, subject if isinstance(subject, str) else None)
        for name, status, subject in zip(
            rows["limit_name"], rows["status"], rows["subject"], strict=True
        )
    }


def test_each_limit_is_checked_against_its_figure(call, engine, run: Run):
    for figure in LIMITED_FIGURES:
        assert call("set", "Concentrated", figure.name, "0.000001").exit_code == 0
    run([DAY], ["portfolio_limit_checks"])
    subjects = {"single_name": "AMD", "sector": "Information Technology"}
    subjects["stress_loss"] = "market -40%"
    expected = {figure.name: ("exceeded", subjects.get(figure.name)) for figure in LIMITED_FIGURES}
    assert statuses(engine) == expected
    for figure in LIMITED_FIGURES:
        assert call("set", "Concentrated", figure.name, "100000000%").exit_code == 0
    run([DAY], ["portfolio_limit_checks"])
    assert {status for status, _ in statuses(engine).values()} == {"kept"}


def test_a_limit_is_kept_at_its_value_and_exceeded_beyond_it(call, engine, run: Run):
    table = tables.STATISTIC_TABLES["portfolio_drawdowns"]
    with engine.begin() as connection:
        connection.execute(sa.update(table).values(current_drawdown=0.25))
    for limit, status in ((0.25, "kept"), (0.25 - 1e-8, "exceeded")):
        assert call("set", "Concentrated", "drawdown", repr(limit)).exit_code == 0
        run([DAY], ["portfolio_limit_checks"])
        assert statuses(engine)["drawdown"] == (status, None)


def test_a_change_is_alerted_once_and_so_is_its_end(call, engine, webhook, run: Run):
    call("set", "Concentrated", "single_name", "25%")
    run([BEFORE])
    assert webhook.messages == []  # there are results of a later session
    for _ in range(2):
        run([DAY], ["portfolio_limit_checks"])
    (text,) = webhook.messages
    assert text == (
        "riskmetrics: limits on 2022-12-28\n"
        "Concentrated: single_name of AMD 59.8% exceeds the limit 25.0%"
    )
    call("set", "Concentrated", "single_name", "70%")
    for _ in range(2):
        run([DAY], ["portfolio_limit_checks"])
    (_, text) = webhook.messages
    assert "Concentrated: single_name of AMD 59.8% is within the limit 70.0%" in text


def test_without_limits_show_limits_says_how_to_set_one(call):
    shown = invoke("show", "limits").output
    assert shown == ("no limit was checked on 2022-12-28: set one with riskmetrics limits set\n")


def test_a_figure_that_is_undefined_is_told_with_its_reason(call, engine, webhook, run: Run):
    with engine.begin() as connection:
        connection.execute(
            sa.update(tables.STATISTIC_TABLES["portfolio_drawdowns"]).values(current_drawdown=None)
        )
    call("set", "Core Equity", "drawdown", "0.2")
    run([DAY], ["portfolio_limit_checks"])
    (text,) = webhook.messages
    assert "Core Equity: drawdown is undefined (limit 20.0%)" in text
    assert "portfolio_drawdowns.current_drawdown is undefined" in text


def test_an_alert_that_fails_does_not_fail_the_run_and_is_sent_by_the_next(
    call, engine, webhook, run: Run, monkeypatch
):
    call("set", "Concentrated", "beta", "1")
    monkeypatch.setenv("RISKMETRICS_ALERT_WEBHOOK", "http://127.0.0.1:9/closed")
    assert run([DAY], ["portfolio_limit_checks"]).exit_code == 0
    monkeypatch.setenv("RISKMETRICS_ALERT_WEBHOOK", webhook.url)
    run([DAY], ["portfolio_limit_checks"])
    (text,) = webhook.messages
    assert "Concentrated: beta 1.55 exceeds the limit 1.00" in text


def test_a_channel_that_fails_next_to_one_that_accepts_is_not_promised_a_retry(
    call, engine, webhook, run: Run, monkeypatch, capfd
):
    """A repetition would be sent to the webhook a second time."""
    call("set", "Concentrated", "beta", "1")
    monkeypatch.setenv("RISKMETRICS_SMTP_URL", "smtp://127.0.0.1:9")
    monkeypatch.setenv("RISKMETRICS_ALERT_EMAIL", "ann@example.org")
    for _ in range(2):
        assert run([DAY], ["portfolio_limit_checks"]).exit_code == 0
    assert len(webhook.messages) == 1
    logged = capfd.readouterr().err
    assert logged.count("alert not sent by e-mail (") == 1
    assert "the alert of limits was sent by webhook and is not sent again" in logged


def test_a_session_that_is_computed_again_forgets_a_removed_limit(call, engine, run: Run):
    """Checks of other sessions stay; the last limit that is removed is forgotten, too."""
    call("set", "Concentrated", "beta", "1")
    call("set", "Concentrated", "drawdown", "0.1")
    run([DAY], ["portfolio_limit_checks"])
    checks = tables.portfolio_limit_checks
    with engine.begin() as connection:
        rows = [
            dict(row) | {"day": BEFORE} for row in connection.execute(sa.select(checks)).mappings()
        ]
        connection.execute(sa.insert(checks), rows)
    assert (
        "its checks stay until sessions are computed again"
        in call("unset", "Concentrated", "beta").output
    )
    shown = invoke("show", "limits").output
    assert "Concentrated: the limit on beta is removed; its check stays" in shown
    assert "limit on drawdown" not in shown
    run([DAY], ["portfolio_limit_checks"])
    assert set(statuses(engine)) == {"drawdown"}
    assert set(statuses(engine, BEFORE)) == {"beta", "drawdown"}
    assert "has no limit on beta" in call("unset", "Concentrated", "beta").output
    call("unset", "Concentrated", "drawdown")
    run([DAY], ["portfolio_limit_checks"])
    assert statuses(engine) == {}
    assert set(statuses(engine, BEFORE)) == {"beta", "drawdown"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("set", "Growth", "beta", "1"), "there is no portfolio Growth"),
        (
            ("set", "Concentrated", "bta", "1"),
            "there is no limit bta (did you mean beta?): choose single_name",
        ),
        (("set", "Concentrated", "beta", "zero"), "zero is not a limit: give a positive number"),
        (("set", "Concentrated", "beta", "0"), "0 is not a limit"),
        (("set", "Concentrated", "beta", "inf"), "inf is not a limit"),
        (("set", "Concentrated", "volatility", "-5%"), "-5% is not a limit: give a positive"),
        (("set", "Concentrated", "single_name", "15"), "15 is 1500%: did you mean 15%?"),
        (("set", "Concentrated", "volatility", "1.0"), "1.0 is 100%: did you mean 1.0%?"),
        (("set", "Concentrated", "leverage", "150"), "did you mean 150%?"),
        (("set", "Concentrated", "beta", "20.01"), "did you mean 20.01%?"),
    ],
)
def test_mistakes_are_explained(call, arguments, message):
    assert message in str(call(*arguments).exception)


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("single_name", "0.999", "99.9%"),
        ("single_name", "150%", "150.0%"),
        ("volatility", "100%", "100.0%"),
        ("leverage", "20", "20.00"),
        ("beta", "20", "20.00"),
        ("beta", "120%", "1.20"),
    ],
)
def test_the_largest_plain_numbers_and_any_percentage_are_limits(call, name, value, shown):
    shown_limit = call("set", "Concentrated", name, value).output.splitlines()[0]
    assert shown_limit == f"Concentrated: {name} at most {shown}"


def test_a_limit_is_previewed_listed_and_shown(call, engine, run: Run):
    shown = call("set", "Concentrated", "single_name", "25%").output
    assert shown.splitlines() == [
        "Concentrated: single_name at most 25.0%",
        "2022-12-28: Concentrated: single_name of AMD 59.8% exceeds the limit 25.0%",
        "The next run stores the check: riskmetrics run --date 2022-12-28",
    ]
    assert statuses(engine) == {}
    assert "Concentrated 25.0%" in call("list").output
    shown = invoke("show", "limits").output
    assert "limits are set, but no run has checked them on 2022-12-28" in shown
    assert "riskmetrics run --date 2022-12-28" in shown
    run([DAY], ["portfolio_limit_checks"])
    view = invoke("show", "limits").output
    assert "single_name" in view
    assert "exceeded" in view
    assert "25.0%" in view

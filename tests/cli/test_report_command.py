"""`riskmetrics report`: options that exclude each other, a missing browser, and the server."""

import http.client
import threading
from collections.abc import Iterator
from datetime import date

import pytest

from riskmetrics.cli import pdf, report_server
from riskmetrics.cli.report_rendering import Request
from riskmetrics.errors import UsageError
from tests.commands import invoke
from tests.forked_commands import PATIENCE


def call(*arguments: str) -> tuple[int, str]:
    done = invoke("report", *arguments)
    return done.exit_code, " ".join(f"{done.output} {done.exception or ''}".split())


def test_history_and_since_exclude_each_other() -> None:
    _, said = call("--history", "100", "--since", "2022-01-03")
    assert "--history and --since exclude each other" in said


@pytest.mark.parametrize("wrong", [("--history", "1"), ("--port", "80"), ("--port", "80000")])
def test_numbers_out_of_range_are_refused(wrong: tuple[str, str]) -> None:
    code, said = call(*wrong)
    assert code == 2
    assert wrong[0] in said


def test_a_missing_browser_is_named_before_anything_is_rendered(
    monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    monkeypatch.setattr(pdf.shutil, "which", lambda _: None)
    out = tmp_path / "report.pdf"
    _, said = call("--format", "pdf", "--out", str(out))
    assert "no Chromium or Chrome found to write a PDF" in said
    assert "apt install chromium" in said
    assert not out.exists()


@pytest.mark.integration
def test_a_browser_that_fails_is_told_with_its_last_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    browser = tmp_path / "chromium"
    browser.write_text("#!/bin/sh\necho first >&2\necho 'no display' >&2\nexit 1\n")
    browser.chmod(0o755)
    monkeypatch.setattr(pdf.shutil, "which", lambda _: str(browser))
    with pytest.raises(Exception, match=r"could not print the page: no display\. Write the page"):
        pdf.print_page("<p>page</p>")


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """Return the requests that were rendered, without rendering them."""
    found: list[Request] = []

    def render(request: Request) -> str:
        if request.portfolio == "Nope":
            raise UsageError("no results of Nope")
        found.append(request)
        return f"<p>{request.day}</p>"

    monkeypatch.setattr(report_server, "render", render)
    return found


@pytest.fixture
def port() -> Iterator[int]:
    """Return the port of a server."""
    server = report_server.ReportServer(Request(history=100), 0)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def get(port: int, path: str, host: str | None = None) -> tuple[int, str, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", path, headers={} if host is None else {"Host": host})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text, answer.headers


def test_each_request_renders_what_its_query_says(port: int, requests: list[Request]) -> None:
    status, text, headers = get(port, "/?date=2022-12-28&portfolio=Long-Short&against=2022-12-20")
    assert (status, text) == (200, "<p>2022-12-28</p>")
    assert headers["Cache-Control"] == "no-store"
    assert int(headers["Refresh"]) > 0
    assert get(port, "/")[0] == 200
    assert requests == [
        Request(
            date(2022, 12, 28),
            "Long-Short",
            100,
            against=date(2022, 12, 20),
            links_to_portfolios=True,
        ),
        Request(history=100, links_to_portfolios=True),
    ]


@pytest.mark.usefixtures("requests")
def test_what_cannot_be_shown_is_answered_in_a_sentence(port: int) -> None:
    assert get(port, "/?portfolio=Nope")[:2] == (404, "no results of Nope")
    assert get(port, "/?date=28.12.2022")[:2] == (400, "A date is written as 2022-12-28.")
    assert get(port, "/favicon.ico")[0] == 404


def test_a_foreign_name_of_this_machine_is_refused(port: int, requests: list[Request]) -> None:
    """A page of the internet may point a name of its own to the loopback address."""
    assert get(port, "/", host=f"evil.example:{port}")[0] == 403
    assert get(port, "/", host=f"localhost:{port}")[0] == 200
    assert len(requests) == 1


def test_a_port_in_use_is_refused_with_another_way(port: int) -> None:
    with pytest.raises(UsageError, match=r"cannot listen on .*:\d+: .* Choose another"):
        report_server.serve_report(Request(), port)

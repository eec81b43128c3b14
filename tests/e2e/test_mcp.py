"""`riskmetrics mcp` by the SDK's client over both transports: content, names and permissions."""

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
import sqlalchemy as sa
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from riskmetrics import settings
from riskmetrics.catalog import all_figures
from riskmetrics.cli import mcp_command
from riskmetrics.db import tables
from riskmetrics.db.engine import create_engine
from riskmetrics.mcp_server import server
from riskmetrics.mcp_server.answers import Answers
from tests.commands import invoke
from tests.conftest import COMMAND
from tests.fmp_server import KEY
from tests.forked_commands import PATIENCE
from tests.listening import free_port

DAY = "2022-12-28"
TOOLS = {
    *("list_portfolios", "list_figures", "read_figures", "read_changes", "read_claims"),
    *("answer_question", "explain_figure", "read_track_record"),
}
Call = Callable[..., dict[str, Any]]


def environment() -> dict[str, str]:
    """Return the settings of this test for a process, and a key that no answer may show."""
    names = ("RISKMETRICS_DATABASE_URL", "RISKMETRICS_HOME", "RISKMETRICS_AI_ANONYMIZATION")
    return {name: os.environ[name] for name in names if name in os.environ} | {
        "ANTHROPIC_API_KEY": KEY
    }


def over_stdio() -> Client:
    """Return a client that starts the command."""
    return Client(StdioServerParameters(command=COMMAND, args=["mcp"], env=environment()))


@contextmanager
def serving() -> Iterator[str]:
    """Run the command with HTTP on a free port; yield the URL."""
    port = free_port()
    process = subprocess.Popen(
        [COMMAND, "mcp", "--http", "--port", str(port)],
        env=os.environ | environment(),
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(10 * PATIENCE):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.terminate()
        process.wait(PATIENCE)


def content(result: Any) -> dict[str, Any]:
    """Return the answer of a tool."""
    assert not result.is_error, result.content[0].text
    found: dict[str, Any] = json.loads(result.content[0].text)
    return found


async def _tour(client: Client) -> tuple[set[str], dict[str, Any], dict[str, Any]]:
    async with client:
        tools = {tool.name for tool in (await client.list_tools()).tools}
        portfolios = content(await client.call_tool("list_portfolios", {}))
        name = portfolios["portfolios"][0]["portfolio"]
        options = {"portfolio": name, "table": "portfolio_tail_risk", "day": DAY}
        return tools, portfolios, content(await client.call_tool("read_figures", options))


@pytest.mark.slow(15)
def test_both_transports_give_the_same_answers(computed_sample: str) -> None:
    by_stdio = asyncio.run(_tour(over_stdio()))
    with serving() as url:
        by_http = asyncio.run(_tour(Client(url)))
        for header in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}):
            refused = httpx2.post(url, json={}, headers=header)
            assert refused.status_code in (403, 421)
    assert by_stdio == by_http
    tools, portfolios, figures = by_stdio
    assert tools == TOOLS
    assert portfolios["as_of"] == figures["as_of"] == DAY
    engine = create_engine(computed_sample)
    with engine.connect() as connection:
        statement = sa.text(
            "SELECT t.value_at_risk FROM portfolio_tail_risk t JOIN portfolios p ON p.id ="
            " t.portfolio_id WHERE p.name = 'Concentrated' AND day = :day ORDER BY t.horizon_days,"
            " t.level, t.method"
        )
        stored = list(connection.scalars(statement, {"day": DAY}))
    engine.dispose()
    assert [row["value_at_risk"] for row in figures["rows"]] == stored
    unit = figures["columns"]["value_at_risk"]["unit"]
    assert unit == "loss as a fraction, 0.01 is a loss of 1%"


@pytest.fixture
def call(computed_sample: str) -> Iterator[Call]:
    """Return a function that calls a tool in this process; expected errors are returned, too."""
    engine = create_engine(computed_sample)

    def call(tool: str, **arguments: object) -> dict[str, Any]:
        configured = settings.load()
        answers = Answers(
            mcp_command._read_only(engine),
            configured.ai_anonymization,
            configured.market_index,
            configured.rate_index,
        )

        async def ask() -> Any:
            async with Client(server.build_server(answers, "1")) as client:
                return await client.call_tool(tool, arguments)

        result = asyncio.run(ask())
        return {"error": result.content[0].text} if result.is_error else content(result)

    yield call
    engine.dispose()


def shown_portfolios(call: Call) -> list[str]:
    """Return the portfolios as the server shows them, by name."""
    return [one["portfolio"] for one in call("list_portfolios")["portfolios"]]


def test_every_table_of_the_catalog_can_be_read_explained_and_compared(call: Call) -> None:
    portfolio = shown_portfolios(call)[0]
    names = dict.fromkeys(figure.table for figure in all_figures())
    assert list(call("list_figures")["tables"]) == list(names)
    for table in names:
        defined = call("list_figures", table=table)["figures"]
        read = call("read_figures", portfolio=portfolio, table=table)
        assert read["columns"].keys() == {figure["column"] for figure in defined}
        changed = call("read_changes", portfolio=portfolio, table=table)
        assert all(change["before"] is None for change in changed["changes"])  # one day is stored
        figure = defined[0]["table"] + "." + defined[0]["column"]
        explained = call("explain_figure", portfolio=portfolio, figure=figure)
        assert len(explained["explanations"]) >= (1 if read["rows"] else 0)
        assert all(one["equal"] in (True, None) for one in explained["explanations"])


def every_name(url: str) -> set[str]:
    """Return all portfolios, symbols, companies and scenarios of a database."""
    engine = create_engine(url)
    columns = (
        tables.portfolios.c.name,
        tables.positions.c.symbol,
        tables.company_profiles.c.company_name,
        tables.portfolio_stress.c.scenario,
    )
    with engine.connect() as connection:
        found = {name for column in columns for name in connection.scalars(sa.select(column))}
    engine.dispose()
    return {name for name in found if name}


def strings(value: object) -> Iterator[str]:
    """Yield every text of an answer that is not the catalog's own."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key not in ("columns", "label", "unit", "window", "formula", "reference", "minimum"):
                yield from strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from strings(each)
    elif isinstance(value, str):
        yield value


def whole_tour(call: Call) -> list[str]:
    """Return the texts of the answers of all tools and tables about a portfolio."""
    portfolio, tables_read = shown_portfolios(call)[0], call("list_figures")["tables"]
    figures = "position_market_betas.beta", "portfolio_stress.loss"
    answers = [
        call("list_portfolios"),
        *(call("read_figures", portfolio=portfolio, table=table) for table in tables_read),
        *(call("read_changes", portfolio=portfolio, table=table) for table in tables_read),
        call("read_claims", portfolio=portfolio),
        *(
            call("answer_question", portfolio=portfolio, question=question)
            for question in ("What drives the risk?", "worst case?", "What changed?", "Is AMD big?")
        ),
        call("read_track_record", portfolio=portfolio),
        *(call("explain_figure", portfolio=portfolio, figure=figure) for figure in figures),
    ]
    assert not [answer for answer in answers if "error" in answer]
    return list(strings(answers))


@pytest.mark.slow(20)
def test_no_name_is_in_an_answer_unless_the_setting_allows_it(
    call: Call, computed_sample: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = every_name(computed_sample)
    text = "\n".join(whole_tour(call))
    words = set(re.findall(r"\w+", text))
    for name in names:  # a short symbol may be a part of a word
        assert name not in (words if name.isalpha() and len(name) < 5 else text), name
    monkeypatch.setenv("RISKMETRICS_AI_ANONYMIZATION", "names")
    assert {"Concentrated", "AAPL"} <= set(whole_tour(call))


def test_an_alias_is_the_same_in_every_answer_and_can_be_asked_for(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    portfolio = shown_portfolios(call)[0]
    rows = call("read_figures", portfolio=portfolio, table="portfolio_risk_contributions")["rows"]
    alias = rows[0]["symbol"]
    assert alias.startswith("POS_")
    figure = "portfolio_risk_contributions.component"
    (one,) = call("explain_figure", portfolio=portfolio, figure=figure, symbol=alias)[
        "explanations"
    ]
    assert (one["key"]["symbol"], one["stored"]) == (alias, rows[0]["component"])
    monkeypatch.setenv("RISKMETRICS_AI_ANONYMIZATION", "tickers")
    again = call("read_figures", portfolio=portfolio, table="portfolio_risk_contributions")["rows"]
    assert [row["component"] for row in again] == [row["component"] for row in rows]
    assert again[0]["symbol"] == "AMD"
    assert "there is no portfolio" in call("read_claims", portfolio="Concentrated")["error"]


@pytest.mark.parametrize(
    ("tool", "arguments", "message"),
    [
        ("read_figures", {"table": "pg_authid"}, "there is no table pg_authid"),
        ("read_figures", {"table": "portfolio_stres"}, "(did you mean portfolio_stress?)"),
        ("answer_question", {"question": "beta on 2022-12-25"}, "the nearest is 2022-12-28"),
        ("answer_question", {"question": ""}, "question"),
        ("read_claims", {"day": "2022-12-31"}, "the nearest is 2022-12-28"),
        ("read_figures", {"table": "portfolio_stress", "day": "2022-12-25"}, "stored from"),
        ("read_figures", {"table": "portfolio_stress", "day": "1999-01-04"}, "stored from"),
        ("read_figures", {"table": "portfolio_risk_contributions", "symbol": "X"}, "no position X"),
        ("explain_figure", {"figure": "nonsense"}, "no figure nonsense"),
        ("read_changes", {"sessions": 2}, "sessions"),
        ("read_claims", {"day": "yesterday"}, "day"),
    ],
)
def test_an_error_says_what_to_do(
    call: Call, tool: str, arguments: dict[str, object], message: str
) -> None:
    portfolio = shown_portfolios(call)[0]
    assert message in call(tool, portfolio=portfolio, **arguments)["error"]


def test_a_question_is_answered_for_what_it_asks_and_the_rest_is_named(call: Call) -> None:
    portfolio = shown_portfolios(call)[0]

    def ask(question: str) -> dict[str, Any]:
        return call("answer_question", portfolio=portfolio, question=question)

    rows = call("read_figures", portfolio=portfolio, table="portfolio_tail_risk")["rows"]
    (stored,) = (
        row["value_at_risk"]
        for row in rows
        if (row["method"], row["level"], row["horizon_days"]) == ("filtered", 0.99, 10)
    )
    answered = ask("What is the 10-day 99% VaR?")
    (claim,) = answered["claims"]
    assert f" {stored:.0%} of equity" in claim["text"]
    assert claim["text"].startswith("The ten-session value at risk at 99% confidence is")
    assert (answered["missing"], answered["as_of"]) == ("", DAY)
    refused = ask("What is the 97.5% VaR?")
    assert refused["claims"] == []
    assert "at that confidence level" in refused["missing"]
    for nearest in refused["nearest"]:
        assert ask(nearest)["claims"], nearest
    assert ask("beta of the moon")["unknown_words"] == ["moon"]


def test_a_position_is_asked_for_by_the_name_that_answers_show(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    portfolio = shown_portfolios(call)[0]
    rows = call("read_figures", portfolio=portfolio, table="portfolio_risk_contributions")["rows"]
    alias = rows[0]["symbol"]

    def ask(question: str) -> dict[str, Any]:
        return call("answer_question", portfolio=portfolio, question=question)

    answered = ask(f"What is the beta of {alias}?")
    (claim,) = answered["claims"]
    assert claim["text"].startswith(f"The beta of {alias} is ")
    hidden = ask("What is the beta of AMD?")
    assert hidden["claims"] == []
    assert "not held" not in hidden["missing"]
    assert "Names are aliases" in hidden["missing"]
    monkeypatch.setenv("RISKMETRICS_AI_ANONYMIZATION", "tickers")
    (named,) = ask("What is the beta of AMD?")["claims"]
    assert named["text"] == claim["text"].replace(alias, "AMD")


def test_a_mistyped_portfolio_is_suggested_if_names_are_shown(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RISKMETRICS_AI_ANONYMIZATION", "names")
    assert "(did you mean Concentrated?)" in call("read_claims", portfolio="Concentratd")["error"]
    unknown = call("read_figures", portfolio="Concentrated", table="position_market_betas",
        symbol="AMDD")["error"]  # fmt: skip
    assert "(did you mean AMD?)" in unknown


def test_each_tool_says_when_to_use_it(call: Call) -> None:
    """The descriptions are what a model chooses by: each is a sentence of its own."""
    described = {name: " ".join((getattr(Answers, name).__doc__ or "").split()) for name in TOOLS}
    assert all(20 < len(text) < 400 for text in described.values())
    assert "answer_question" in described["read_figures"]
    assert "summary" in described["read_claims"]


def test_an_undefined_figure_has_its_reason(call: Call, computed_sample: str) -> None:
    engine = create_engine(computed_sample)
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO undefined_metrics (portfolio_id, subject, day, metric, reason)"
                " SELECT portfolio_id, id, :day, 'position_market_betas.beta', 'no close of AMD'"
                " FROM positions WHERE symbol = 'AMD' LIMIT 1"
            ),
            {"day": DAY},
        )
    engine.dispose()
    found = [
        reason
        for portfolio in shown_portfolios(call)
        for reason in call("read_figures", portfolio=portfolio, table="position_market_betas")[
            "undefined"
        ]
        if reason["reason"].startswith("no close of")
    ]
    (one,) = found
    assert one["reason"] == f"no close of {one['of']}"
    assert one["of"].startswith("POS_")


def test_an_unexpected_error_tells_nothing_and_nothing_can_be_written(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def list_portfolios(self: Answers) -> dict[str, Any]:
        with self.connect() as connection:
            return connection.execute(sa.text(f"UPDATE portfolios SET name = '{KEY}'"))

    monkeypatch.setattr(Answers, "list_portfolios", list_portfolios)
    assert call("list_portfolios")["error"] == "Error executing tool list_portfolios"


def test_without_the_sdk_the_command_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mcp.server", None)
    monkeypatch.delitem(sys.modules, "riskmetrics.mcp_server.server")
    monkeypatch.delattr("riskmetrics.mcp_server.server")
    result = invoke("mcp")
    assert "pip install -e '.[mcp]' in the checkout" in str(result.exception)

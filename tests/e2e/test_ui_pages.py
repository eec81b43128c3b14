"""Dagster's UI as a person sees it, in a real browser: the asset graph, and the page of an asset."""

import itertools
import json
import re
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from tests.e2e import ui_server
from tests.e2e.conftest import Run

_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Browser:
    """A page of a headless browser, by the DevTools protocol."""

    def __init__(self, channel: ClientConnection) -> None:
        self._channel, self._numbers = channel, itertools.count(1)

    def do(self, method: str, **parameters: object) -> Any:
        """Send a command and return its result."""
        number = next(self._numbers)
        self._channel.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._channel.recv(timeout=60))
            if answer.get("id") == number:
                return answer["result"]

    def open(self, address: str, *texts: str) -> str:
        """Open a page, and return its text as soon as it shows ``texts``."""
        self.do("Page.navigate", url=address)
        deadline = time.monotonic() + 120
        while True:
            shown = self.do("Runtime.evaluate", expression="document.body ? document.body.innerText : ''", returnByValue=True)
            text = str(shown["result"]["value"])
            if all(wanted in text for wanted in texts):
                return text
            assert time.monotonic() < deadline, f"{[wanted for wanted in texts if wanted not in text]} is not shown at {address}:\n{text}"
            time.sleep(0.5)


@contextmanager
def _browser(folder: Path) -> Iterator[Browser]:
    if _CHROMIUM is None:
        pytest.skip("there is no chromium")
    flags = ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--remote-debugging-port=0"]
    command = [_CHROMIUM, *flags, "--window-size=1400,900", f"--user-data-dir={folder}", "about:blank"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            port_file, deadline = folder / "DevToolsActivePort", time.monotonic() + 60
            while not (port_file.exists() and port_file.read_text().count("\n")) and time.monotonic() < deadline:
                time.sleep(0.2)
            port = port_file.read_text().split()[0]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=30) as answer:
                (page,) = [target for target in json.load(answer) if target["type"] == "page"]
            with connect(page["webSocketDebuggerUrl"], max_size=None, open_timeout=60) as channel:
                yield Browser(channel)
        finally:
            process.terminate()


def test_a_browser_shows_the_graph_and_an_assets_page(sample: str, run: Run, tmp_path: Path) -> None:
    assert run([date(2022, 12, 28)]).exit_code == 0
    with ui_server.serve() as address, _browser(tmp_path) as browser:
        ui_server.ask(address, "{ version }")
        graph = browser.open(f"{address}/asset-groups?open-nodes=riskmetrics%3A__repository__%3Aportfolios", "portfolio_tail_risk")
        assert "positions" in graph
        page = browser.open(
            f"{address}/assets/portfolio_tail_risk?view=overview", "Value at risk and expected shortfall of every portfolio"
        )
        assert re.search(r"postgres", page)
        assert "team:riskmetrics" in page

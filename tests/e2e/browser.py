"""A page of a headless Chromium, controlled by the DevTools protocol."""

import base64
import itertools
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.forked_commands import PATIENCE

CHROMIUM = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)


class Page:
    """A page of the browser, read as its visible text."""

    def __init__(self, channel: ClientConnection) -> None:
        self._channel, self._numbers = channel, itertools.count(1)
        self._errors: list[str] = []
        for domain in ("Runtime", "Log"):
            self.send_command(f"{domain}.enable")

    def send_command(self, method: str, **parameters: object) -> Any:
        """Send a command and return its result."""
        number = next(self._numbers)
        self._channel.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._channel.recv(timeout=PATIENCE))
            if answer.get("id") == number:
                return answer["result"]
            self._keep_error(answer)

    def _keep_error(self, event: dict[str, Any]) -> None:
        """Keep an event of the browser that is an error of the page."""
        content = event.get("params", {})
        level = content.get("type") or content.get("entry", {}).get("level")
        if event["method"] == "Runtime.exceptionThrown" or level == "error":
            self._errors.append(json.dumps(content))

    def read_errors(self) -> list[str]:
        """Return exceptions and errors on the console so far."""
        self.evaluate("0")  # what came before it is read
        return self._errors

    def set_width(self, width: int, height: int = 900) -> None:
        """Show pages at a width, below 500 pixels as a phone does."""
        self.send_command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )

    def take_screenshot(self) -> bytes:
        """Return a picture of the first screens of the page, PNG."""
        size = self.send_command("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 4000)}
        found = self.send_command(
            "Page.captureScreenshot", captureBeyondViewport=True, clip={**clip, "scale": 1}
        )
        return base64.b64decode(found["data"])

    def wait_until(self, condition: str) -> None:
        """Wait until a JavaScript expression is true."""
        deadline = time.monotonic() + PATIENCE
        while not self.evaluate(condition):
            assert time.monotonic() < deadline, f"never true: {condition}"
            time.sleep(0.1)

    def open(self, address: str, *texts: str) -> str:
        """Open a page, and return its text when it is read whole and shows ``texts``."""
        self.send_command("Page.navigate", url=address)
        self.wait_for_text(*texts)
        self.wait_until("document.readyState === 'complete'")
        return self.wait_for_text(*texts)

    def wait_for_text(self, *texts: str) -> str:
        """Return the text of the page as soon as it shows ``texts``."""
        deadline = time.monotonic() + PATIENCE
        while True:
            text = str(self.evaluate("document.body ? document.body.innerText : ''"))
            missing = [expected for expected in texts if expected not in text]
            if not missing:
                return text
            assert time.monotonic() < deadline, f"{missing} are not shown:\n{text}"
            time.sleep(0.3)

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression in the page."""
        return self.send_command("Runtime.evaluate", expression=expression, returnByValue=True)[
            "result"
        ].get("value")


@contextmanager
def open_browser(folder: Path, width: int = 1600, height: int = 1100) -> Iterator[Page]:
    """Start a browser with its profile in ``folder``, and end it."""
    assert CHROMIUM is not None
    flags = [
        "--headless=new",
        "--no-sandbox",
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--remote-debugging-port=0",
    ]
    command = [
        CHROMIUM,
        *flags,
        f"--window-size={width},{height}",
        f"--user-data-dir={folder}",
        "about:blank",
    ]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            with connect(
                _wait_for_address(folder, process), max_size=None, open_timeout=PATIENCE
            ) as channel:
                yield Page(channel)
        finally:
            process.terminate()


def _wait_for_address(folder: Path, process: "subprocess.Popen[bytes]") -> str:
    """Return the DevTools URL of the first page, once the browser has printed its port."""
    ports, deadline = folder / "DevToolsActivePort", time.monotonic() + PATIENCE
    while not (ports.exists() and "\n" in ports.read_text()):
        assert process.poll() is None, "the browser ended"
        assert time.monotonic() < deadline, "the browser does not start"
        time.sleep(0.1)
    port = ports.read_text().split()[0]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list", timeout=PATIENCE) as answer:
        return next(
            str(target["webSocketDebuggerUrl"])
            for target in json.load(answer)
            if target["type"] == "page"
        )

"""Print a page as a PDF by a headless Chromium."""

import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from riskmetrics.errors import ConfigurationError

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_TIMEOUT_SECONDS = 180


def require_browser() -> str:
    """Return the path of a Chromium.

    Raises
    ------
    ConfigurationError
        If there is none.
    """
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found is None:
        raise ConfigurationError(
            "no Chromium or Chrome found to write a PDF. Install one (Debian and Ubuntu: apt"
            " install chromium), or write the page with `riskmetrics report` and print it from a"
            " browser."
        )
    return found


def print_page(page: str) -> bytes:
    """Return a page as a PDF.

    Raises
    ------
    ConfigurationError
        If there is no Chromium, or it fails.
    """
    browser = require_browser()
    with TemporaryDirectory(prefix="riskmetrics-pdf-") as name:
        folder = Path(name)
        source, target = folder / "report.html", folder / "report.pdf"
        source.write_text(page, encoding="utf-8")
        command = [
            browser,
            "--headless=new",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),  # it refuses to run as root with one
            f"--user-data-dir={folder / 'profile'}",
            "--no-pdf-header-footer",
            f"--print-to-pdf={target}",
            source.as_uri(),
        ]
        try:
            done = subprocess.run(  # noqa: S603  the browser of this machine, and our own file
                command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise ConfigurationError(
                f"{browser} did not print the page within {_TIMEOUT_SECONDS} seconds. Write the"
                " page with `riskmetrics report` and print it from a browser."
            ) from None
        if not target.exists():
            reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise ConfigurationError(
                f"{browser} could not print the page: {reason}. Write the page with `riskmetrics"
                " report` and print it from a browser."
            )
        return target.read_bytes()

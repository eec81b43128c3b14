"""Take the pictures of the documentation again: ``python -m docs.site.pictures`` (needs Chromium).

The demo is computed in an empty folder; its report and Dagster's UI are photographed.
"""

import base64
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from os import chdir, environ
from pathlib import Path

from docs.site.readme import run_demo
from tests.e2e import browser, ui_server

IMAGES = Path(__file__).parents[1] / "images"
_ANIMATION_SECONDS = 3


def take_pictures(home: Path) -> None:
    """Take all pictures of a home in which the demo was run."""
    IMAGES.mkdir(exist_ok=True)
    with browser.open_browser(home / "profile") as page:
        page.send_command("Emulation.setScrollbarsHidden", hidden=True)
        page.set_width(1200, 1106)
        page.open((home / "report.html").as_uri(), "Needs attention")
        page.wait_until("document.querySelectorAll('.drawing svg').length >= 3")
        _save(page, "report.png", 1200, 1106)
        with _in_folder(home), ui_server.serve() as address:
            ui_server.query_graphql(address, "{ version }")
            page.set_width(1350, 1180)
            lineage = "locations/riskmetrics.definitions/asset-groups/positions/lineage"
            page.open(f"{address}/{lineage}", "position_betas", "Passed", "portfolio_betas")
            page.wait_until("document.querySelectorAll('svg path').length > 10")
            _save(page, "graph.png", 1350, 1180)
            page.set_width(1400, 820)
            page.open(
                f"{address}/assets/portfolio_volatility?view=overview",
                "Description",
                "Latest materialization",
            )
            _save(page, "asset.png", 1400, 820)


@contextmanager
def _in_folder(folder: Path) -> Iterator[None]:
    """Work in a folder, whose home the UI shows."""
    before = Path.cwd()
    chdir(folder)
    environ["RISKMETRICS_HOME"] = str(folder / "home")
    try:
        yield
    finally:
        chdir(before)


def _save(page: browser.Page, name: str, width: int, height: int) -> None:
    """Save the visible part of a page, after its animations."""
    time.sleep(_ANIMATION_SECONDS)
    clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
    picture = page.send_command("Page.captureScreenshot", clip=clip)
    (IMAGES / name).write_bytes(base64.b64decode(picture["data"]))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        run_demo(Path(made))
        take_pictures(Path(made))

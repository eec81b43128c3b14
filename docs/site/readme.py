"""Write what the demo prints into the README: ``python -m docs.site.readme``."""

import re
import subprocess
import sys
import tempfile
from os import environ
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
PORTFOLIO = "Concentrated"
"""Portfolio of the sample whose summary the README shows."""

_BLOCK = re.compile(rf"^```\n({PORTFOLIO}, .*?)\n```$", re.MULTILINE | re.DOTALL)


def read_summary() -> str:
    """Return the summary in the README."""
    found = _BLOCK.search(README.read_text(encoding="utf-8"))
    if found is None:
        raise ValueError(f"README.md shows no summary of {PORTFOLIO}")
    return found[1]


def find_summary(output: str) -> str:
    """Return the summary in an output of the demo."""
    _, _, rest = output.partition(f"\n{PORTFOLIO}, ")
    return f"{PORTFOLIO}, {rest}".partition("\n\n")[0]


def run_demo(folder: Path) -> str:
    """Run the demo with its report in an empty folder, and return what it prints."""
    settings = {name: text for name, text in environ.items() if "RISKMETRICS" not in name}
    settings |= {"RISKMETRICS_HOME": f"{folder}/home", "COLUMNS": "100"}
    command = [Path(sys.executable).with_name("riskmetrics"), "demo"]
    done = subprocess.run(  # noqa: S603  # no user input
        command, cwd=folder, env=settings, capture_output=True, text=True, check=True
    )
    return done.stdout


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as empty:
        printed = run_demo(Path(empty))
    block = f"```\n{find_summary(printed)}\n```"
    text = README.read_text(encoding="utf-8")
    README.write_text(_BLOCK.sub(lambda _: block, text), encoding="utf-8")

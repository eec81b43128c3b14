"""Example notebooks as pages: executed against the computed sample, with tables and charts."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
_MAX_CELL_SECONDS = 300


def write_notebook_pages(folder: Path, database: str | None = None) -> None:
    """Execute the notebooks, and write a page of each below ``folder``, with its charts.

    Parameters
    ----------
    folder : path
        Where pages and charts are written.
    database : str, optional
        URL of a database with the computed sample. Default: one is made, and removed afterwards.

    Raises
    ------
    CellExecutionError
        If a cell fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        environment = {
            **{name: value for name, value in os.environ.items() if "RISKMETRICS" not in name},
            "RISKMETRICS_HOME": home,
        }
        if database:
            environment["RISKMETRICS_DATABASE_URL"] = database
        else:
            _compute_sample(environment, home)
        for file in sorted(NOTEBOOKS.glob("*.ipynb")):
            page = _build_page(_execute(file, environment, home), folder, file.stem)
            (folder / f"{file.stem}.md").write_text(page, encoding="utf-8")
            shutil.copyfile(file, folder / file.name)


def _compute_sample(environment: dict[str, str], folder: str) -> None:
    command = [str(Path(sys.executable).parent / "riskmetrics"), "demo"]
    subprocess.run(  # noqa: S603  # no user input
        command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL
    )


def _execute(file: Path, environment: dict[str, str], folder: str) -> Any:
    """Return the notebook with the outputs of its cells, computed in a process of its own."""
    notebook = nbformat.read(file, as_version=4)  # type: ignore[no-untyped-call]
    client = NotebookClient(notebook, timeout=_MAX_CELL_SECONDS)
    client.execute(env=environment, cwd=folder)
    return notebook


def _build_page(notebook: Any, folder: Path, name: str) -> str:
    """Return the page of an executed notebook; its charts are written next to it."""
    parts, heading = [], ""
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            heading = [heading, *re.findall(r"^#+ (.+)", cell.source, re.MULTILINE)][-1]
            continue
        parts.append(f"```python\n{cell.source}\n```")
        for output in cell.outputs:
            if svg := output.get("data", {}).get("image/svg+xml"):
                (folder / f"{name}-{number}.svg").write_text(svg, encoding="utf-8")
                parts.append(f"![{heading}]({name}-{number}.svg)")
            else:
                parts.append(_show_text(output))
    parts.append(f"[Download the notebook]({name}.ipynb)")
    return "\n\n".join(parts) + "\n"


def _show_text(output: Any) -> str:
    """Return a table as HTML, other output as it is printed."""
    data = output.get("data", {})
    if html := data.get("text/html"):
        return re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL).replace("\n\n", "\n")
    return f"```text\n{(output.get('text') or data['text/plain']).rstrip()}\n```"

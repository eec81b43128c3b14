"""Print the lines and branches that the tests ran, by package; `make coverage` measures them."""

# ruff: noqa: T201 — a report is printed
import json
from collections import Counter
from pathlib import Path

from coverage import Coverage

FOLDER = Path("build/coverage")
COLUMNS = {
    "lines": "num_statements",
    "missed": "missing_lines",
    "branches": "num_branches",
    "missed ": "missing_branches",
}


def main() -> None:
    """Print a line per package, and write a page per module."""
    coverage = Coverage()
    coverage.load()
    coverage.html_report(directory=str(FOLDER / "html"))
    coverage.json_report(outfile=str(FOLDER / "report.json"))
    packages: dict[str, Counter[str]] = {}
    for file, found in json.loads((FOLDER / "report.json").read_text())["files"].items():
        package = "/".join(Path(file).parts[:-1][:2])
        for name in (package, "total"):
            packages.setdefault(name, Counter()).update(found["summary"])
    print(f"{'package':24}" + "".join(f"{title:>10}" for title in (*COLUMNS, "covered")))
    for name in sorted(packages, key=lambda name: (name == "total", name)):
        cells = "".join(f"{packages[name][column]:10}" for column in COLUMNS.values())
        print(f"{name:24}{cells}{_share_covered(packages[name]):9.1%}")
    print(f"every line: {FOLDER}/html/index.html")


def _share_covered(summary: Counter[str]) -> float:
    """Return the share of lines and branches that ran."""
    covered = summary["covered_lines"] + summary["covered_branches"]
    return covered / max(summary["num_statements"] + summary["num_branches"], 1)


if __name__ == "__main__":
    main()

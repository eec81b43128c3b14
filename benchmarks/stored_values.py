"""`python -m benchmarks.stored_values`: compare what two versions of the code store, bit for bit.

Run `save DIR` in a checkout of each version, then `compare OLD NEW`. Both books, the bundled sample
and a simulated market of 200 symbols and 300 sessions, are created and run by commands only, so
that the comparison does not depend on internal code. A change that must not change a value, such as
a rename, must report "no difference".
"""

# ruff: noqa: T201 — a benchmark prints its results
import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

VOLATILE = (
    "id",
    "portfolio_id",
    "position_id",
    "subject",
    "dagster_run_id",
    "code_version",
    "created_at",
    "updated_at",
)
"""Columns that differ between runs of the same code.

Rows are identified by portfolio and symbol.
"""

SENTENCES = ("reason", "undefined_reason", "note")
"""Columns of messages, which are only compared for presence."""

FAILED_CHECKS = 3
"""Exit code of a run with failed checks, expected because the book has a symbol without prices."""

_MAX_ROWS = 5
"""Maximum number of differing rows printed per table."""


HOLDINGS = """symbol,quantity,entry_price,entry_date
AAPL,100,150.00,2022-06-01
MSFT,-40,260.00,2022-08-01
AAPL230616C00150000,5,12.50,2022-09-01
MSFT230616P00240000,-3,18.00,2022-11-15
NOSUCH,10,20.00,2022-10-10
"""
"""A portfolio with options, short lots and a symbol without prices, to complement the sample."""


class Book(NamedTuple):
    """Commands that fill a database, and the sessions to run."""

    fill: tuple[tuple[str, ...], ...]
    first: str
    last: str


BOOKS = {
    "sample": Book(
        (
            ("demo", "--out", "report.html"),
            (
                "import",
                "portfolio",
                "holdings.csv",
                "--name",
                "Mixed",
                "--equity",
                "50000",
                "--as-of",
                "2022-12-01",
            ),
        ),
        "2022-10-03",
        "2022-12-28",
    ),
    "simulated": Book(
        (("simulate", "--stocks", "200", "--sessions", "300", "--last-session", "2024-12-06"),),
        "2024-11-01",
        "2024-12-06",
    ),
}


def save(folder: Path) -> None:
    """Fill and run every book with the installed code, and export the results to ``folder``."""
    for name, book in BOOKS.items():
        with tempfile.TemporaryDirectory(prefix="riskmetrics-values-") as home:
            environment = {
                key: value
                for key, value in os.environ.items()
                if not key.startswith(("RISKMETRICS_", "DAGSTER_"))
            }
            environment |= {"RISKMETRICS_HOME": home}
            (Path(home) / "holdings.csv").write_text(HOLDINGS)

            for arguments in book.fill:
                _run(name, environment, *arguments)
            _run(name, environment, "backfill", "--from", book.first, "--to", book.last)
            target = str((folder / name).absolute())
            _run(
                name,
                environment,
                "export",
                target,
                "--date",
                book.first,
                "--to",
                book.last,
                "--format",
                "csv",
                "--force",
            )


def _run(book: str, environment: Mapping[str, str], *arguments: str) -> None:
    print(f"{book}: riskmetrics {' '.join(arguments)}", file=sys.stderr)
    command = [str(Path(sys.executable).with_name("riskmetrics")), *arguments]
    done = subprocess.run(  # noqa: S603  # our own command
        command,
        check=False,
        cwd=environment["RISKMETRICS_HOME"],
        env=environment,
        stdout=sys.stderr,
    )
    if done.returncode not in (0, FAILED_CHECKS):
        raise SystemExit(f"riskmetrics {arguments[0]} failed with exit code {done.returncode}")


def read_table(path: Path, renamed: Mapping[str, str]) -> pd.DataFrame:
    """Read an exported table as text, without volatile columns and with sorted rows.

    Parameters
    ----------
    path : Path
        A CSV file of `riskmetrics export`.
    renamed : mapping of str to str
        Old name to new name, for columns and for names that are stored as values.
    """
    rows = pd.read_csv(path, dtype=str, keep_default_na=False, na_filter=False).rename(
        columns=dict(renamed)
    )
    rows = rows.drop(columns=[name for name in VOLATILE if name in rows])
    for name in rows.columns.intersection(list(SENTENCES)):
        rows[name] = rows[name].ne("").map({True: "given", False: ""})
    rows = rows.replace(dict(renamed)) if renamed else rows
    return rows[sorted(rows)].sort_values(sorted(rows)).reset_index(drop=True)


def differences(old: Path, new: Path, renamed: Mapping[str, str]) -> list[str]:
    """Return a line for each table that differs between two folders, with some differing rows."""
    found: list[str] = []
    sources = (path.relative_to(old) for path in sorted(old.rglob("*.csv")))
    targets = {
        source.with_stem(renamed.get(source.stem, source.stem)): source for source in sources
    }
    for path in sorted(new.rglob("*.csv")):
        targets.setdefault(path.relative_to(new), path.relative_to(new))
    if not targets:
        return [f"no table in {old} or {new}. Run `save` first"]
    for target, source in targets.items():
        before, after = old / source, new / target
        if missing := next((path for path in (before, after) if not path.exists()), None):
            found.append(f"{target}: {missing} is missing")
            continue
        left, right = read_table(before, renamed), read_table(after, renamed)
        if left.equals(right):
            continue
        if list(left) != list(right):
            found.append(f"{target}: columns {sorted(set(left) ^ set(right))} are only in one")
            continue
        merged = _unmatched(left, right)
        found.append(
            f"{target}: {len(merged):,} rows differ ({len(left):,} old, {len(right):,} new)"
        )
        found += [f"    {line}" for line in merged.head(_MAX_ROWS).to_csv(index=False).splitlines()]
    return found


def _unmatched(left: pd.DataFrame, right: pd.DataFrame) -> pd.DataFrame:
    """Return rows that occur more often in one table than in the other, with their side."""
    names = list(left)
    counts = [rows.assign(nth=rows.groupby(names, sort=False).cumcount()) for rows in (left, right)]
    merged = counts[0].merge(counts[1], how="outer", on=[*names, "nth"], indicator="side")
    unmatched = merged[merged["side"] != "both"].drop(columns="nth")
    return unmatched.assign(
        side=unmatched["side"].map({"left_only": "old", "right_only": "new"})
    ).sort_values(names)


def main(arguments: Sequence[str] | None = None) -> int:
    """Save or compare, and return the exit code: 1 if there is a difference."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.stored_values", description=__doc__.partition("\n")[0]
    )
    commands = parser.add_subparsers(dest="command", required=True)
    saving = commands.add_parser("save", help="compute both books with this checkout")
    saving.add_argument("folder", type=Path)
    comparing = commands.add_parser("compare", help="compare two folders written by save")
    comparing.add_argument("old", type=Path)
    comparing.add_argument("new", type=Path)
    comparing.add_argument(
        "--renamed",
        nargs="*",
        default=[],
        metavar="OLD=NEW",
        help="tables, columns, or stored names",
    )
    options = parser.parse_args(arguments)
    if options.command == "save":
        save(options.folder)
        return 0
    renamed = dict(pair.split("=", 1) for pair in options.renamed)
    found = differences(options.old, options.new, renamed)
    print("\n".join(found) or "no difference")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

"""`python -m benchmarks`: all of them, or the ones that are named, each in a fresh process."""

# ruff: noqa: T201 — printing is what a benchmark is for
import argparse
import sys
from pathlib import Path

from benchmarks import (
    backfill,
    cold_start,
    measure,
    metric_throughput,
    night,
    rolling_regression,
    simulation_speed,
    size,
    write_throughput,
)

BENCHMARKS = {
    "regression": rolling_regression.report,
    "metrics": metric_throughput.report,
    "write": write_throughput.report,
    "night": night.report,
    "backfill": backfill.report,
    "cold_start": cold_start.report,
    "simulated": simulation_speed.report,
    "size": size.report,
}
_HEAD = """# Benchmarks

Written by `make bench`; `python -m benchmarks write` runs one of them. Ratios are of figures measured in the same run.
"""

_LIMITS = """## What keeps a target from being met

- **Growth of metrics.** Not explained to the end. In profiles of 10,000 and 40,000 portfolios, looking symbols up as strings and copying
  rows grow by five to six times: rows leave the caches. Sums by portfolio, which grew most, need no sorting any more.
- **Unchanged rows.** They are copied into a temporary table and joined, or they could not be told from changed ones. The COPY is most of
  it, and half of the COPY is the server's reading of twelve values from text; constant columns left out, another format or more memory
  for temporary tables changed nothing.
- **A night beside 165 fits.** The fits stand for betas alone; the night computes and stores what all assets do. Nearly half of its
  processor time is Postgres's, most of it the upkeep of rows and indexes.
- **A year of sessions in one run.** The target is of the first five assets; nineteen and their checks share the time now, none of which
  takes three seconds.
- **Size of betas.** A row also holds alpha, what it was measured against and the run that wrote it.
"""


def main() -> None:
    """Run benchmarks and print what they found."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="name", help=f"{', '.join(BENCHMARKS)}; default: all"
    )
    parser.add_argument("--quick", action="store_true", help="sizes that only show that they run")
    parser.add_argument("--out", type=Path, help="write all of it into this file too")
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    parts = [_HEAD]
    for name in options.names or BENCHMARKS:
        print(f"{name} …", file=sys.stderr)
        parts.append(measure.run_in_child(BENCHMARKS[name], options.quick))
        print(parts[-1])
    if not options.names:
        parts.append(_LIMITS)
    parts.append(f"## The machine\n\n{measure.describe_machine()}\n")
    print(parts[-1])
    if options.out:
        options.out.write_text("\n".join(parts))


if __name__ == "__main__":
    main()

"""Run all benchmarks, or the named ones, each in a new process."""

# ruff: noqa: T201 — a benchmark prints its results
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
    workers,
    write_throughput,
)

BENCHMARKS = {
    "regression": rolling_regression.report,
    "metrics": metric_throughput.report,
    "write": write_throughput.report,
    "night": night.report,
    "workers": workers.report,
    "backfill": backfill.report,
    "cold_start": cold_start.report,
    "simulated": simulation_speed.report,
    "size": size.report,
}
_HEAD = """# Benchmarks

Written by `make bench`; `python -m benchmarks write` runs one benchmark. Ratios compare
measurements of the same run.
"""

_LIMITS = """## Known limits

- **Growth of metrics.** Only partly explained. In profiles of 10,000 and 40,000 portfolios, symbol
  lookups and copies of rows grow by a factor of five to six, because rows exceed the CPU caches.
  Sums by portfolio, which grew most, no longer sort.
- **New rows.** They are copied to a temporary table and inserted from there, under the lock of the
  asset, so that a failed run leaves nothing. That takes a third longer than a plain COPY.
- **Unchanged rows.** They are copied to a temporary table and joined, to distinguish them from
  changed rows. The COPY takes most of the time, and half of that is the parsing of twelve text
  values per row by the server. Omitting constant columns, another format and more memory for
  temporary tables made no difference.
- **A nightly run against 165 fits.** The fits cover betas only; the nightly run computes and stores
  all assets. Nearly half of its CPU time is used by Postgres, mostly for rows and indexes.
- **A million positions.** Postgres uses more than half of the CPU time. Two indexes of the tables
  of positions repeat a key; they are older than this package, and other programs may use them, so
  they stay.
- **Two workers.** Processes share what the whole book asks ([decision
  51](../decisions/0051-prices-as-arrays.md)). At 10,000 positions Postgres then used 27% more CPU
  time with two workers than with one process (11.8 and 9.3 seconds, one run each on a busy
  machine), instead of 68%. Each worker still loads its modules.
- **Size of betas.** A row also has alpha, the market index and the run that wrote it.
"""


def main() -> None:
    """Run benchmarks and print their reports."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", metavar="name", help=f"{', '.join(BENCHMARKS)}; default: all"
    )
    parser.add_argument("--quick", action="store_true", help="use small sizes, as a smoke test")
    parser.add_argument("--out", type=Path, help="also write the reports to this file")
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"unknown benchmark: {', '.join(sorted(unknown))}")
    parts = [_HEAD]
    for name in options.names or BENCHMARKS:
        print(f"{name} …", file=sys.stderr)
        parts.append(measure.run_in_child(BENCHMARKS[name], options.quick))
        print(parts[-1])
    if not options.names:
        parts.append(_LIMITS)
    parts.append(f"## Machine\n\n{measure.describe_machine()}\n")
    print(parts[-1])
    if options.out:
        options.out.write_text("\n".join(parts))


if __name__ == "__main__":
    main()

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
- **New rows.** Those of tables with generated ids, such as betas, are copied to a temporary table
  and inserted from there, which takes a third longer than a plain COPY: the ids are ascending, and
  the default of the column is random. Rows of other tables are copied to their table. Of 17
  microseconds of Postgres for a new row of betas, two foreign keys take 6.5, the row 4, the primary
  key and the unique constraint 4, three more indexes 3; that an existing row would be updated is 2
  of them. Keys and indexes are older than this package, and other programs may rely on them.
- **Unchanged rows.** They are copied to a temporary table and joined, to distinguish them from
  changed rows. The COPY takes most of the time, and half of that is the parsing of twelve text
  values per row by the server. Omitting constant columns, another format and more memory for
  temporary tables made no difference.
- **A nightly run against 165 fits.** The fits cover betas only; the nightly run computes and stores
  all assets. More than half of its CPU time is used by Postgres, mostly for rows, foreign keys and
  indexes (see New rows).
- **A million positions.** 10,000 portfolios of 100 lots in 5,000 stocks, 504 sessions of prices,
  first run of a process. The first row is the run with one worker of the table above. Two indexes
  of the tables of positions repeat a key: a tenth of the time of a new row.

  | positions | seconds | CPU s, client | Postgres | ms per position | peak MB |
  | --------- | ------: | ------------: | -------: | --------------: | ------: |
  | 100,000   |    35.7 |          16.6 |     23.5 |            0.36 |         |
  | 1,000,000 |   219   |         109   |    126   |            0.22 |     936 |

- **Two workers.** What depends on symbols only is computed once ([decision
  51](../decisions/0051-prices-as-arrays.md)), and both need it at the same moment. With 10,000
  positions and a track record, one worker waited for the other in 21% of the time of computation
  while the history of closes was read four times, and in 15% now that it is read twice ([decision
  68](../decisions/0068-time-that-users-wait.md)); the table above is older. What is left are the
  returns of all symbols. Each worker also loads its modules, and two workers leave no core to
  Postgres, which takes more than half of the time.
- **A year in one run.** The table of the backfill was measured with fewer assets and 3,883 events;
  the job of today has 6,700. As a command without insights, `riskmetrics backfill` of 253 sessions
  takes 12.9 CPU seconds in its process, 17.2 with Postgres, imports included: means of three runs
  under a load of 9 to 20, in which a wall-clock time says nothing. It was 13.4 and 17.7 before
  [decision 68](../decisions/0068-time-that-users-wait.md)'s last changes, in the same minutes.
- **A run without changes.** Of 3.3 CPU seconds, a third are imports, mostly of Dagster, SQLAlchemy
  and pandas; the rest is divided among 41 assets, 575 statements and 160 events ([decision
  68](../decisions/0068-time-that-users-wait.md)).
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

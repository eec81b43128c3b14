"""Read thousands of generated files and count which are right, refused or silently wrong.

Run ``python -m tests.sources.generated_files --count 10000 --kind all``. The exit code is 1 if a
file is silently wrong. A seed gives the same files on every machine.
"""

import argparse
import io
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import python_calamine

from tests.sources.generated_bars import prices_file
from tests.sources.generated_holdings import holdings_file, values_file, weights_file
from tests.sources.generated_scores import Score, Verdict, score_file
from tests.sources.generated_trades import transactions_file
from tests.sources.generated_truth import GeneratedFile

KINDS: dict[str, Callable[..., GeneratedFile]] = {
    "holdings": holdings_file,
    "weights": weights_file,
    "values": values_file,
    "transactions": transactions_file,
    "prices": prices_file,
}
SHARES = {"holdings": 4, "weights": 1, "values": 1, "transactions": 2, "prices": 4}
"""Relative number of files of each kind."""
PLAIN_SHARE = 0.15
"""Share of files in English with the usual words and notation."""


def generate_file(kind: str, number: int, seed: int = 0) -> GeneratedFile:
    """Return the file of a kind with a number; the same seed gives the same file."""
    rng = Random(f"{seed} {kind} {number}")
    return KINDS[kind](rng, is_plain=rng.random() < PLAIN_SHARE)


def generate_files(kind: str, count: int, seed: int = 0) -> Iterator[GeneratedFile]:
    """Yield files of a kind, or of all kinds in their shares."""
    kinds = [kind] if kind != "all" else [name for name, n in SHARES.items() for _ in range(n)]
    for number in range(count):
        yield generate_file(kinds[number % len(kinds)], number, seed)


@dataclass
class Report:
    """Counts of verdicts, and the smallest example of each difference."""

    verdicts: Counter[tuple[str, Verdict]] = field(default_factory=Counter)
    plain: Counter[tuple[str, Verdict]] = field(default_factory=Counter)
    """The same for plain files."""
    codes: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Files by kind and code of a difference."""
    examples: dict[tuple[str, str], tuple[GeneratedFile, Score]] = field(default_factory=dict)
    traits: Counter[tuple[str, Verdict]] = field(default_factory=Counter)

    def add(self, file: GeneratedFile, score: Score) -> None:
        """Count a file."""
        kind = file.truth.kind
        self.verdicts[kind, score.verdict] += 1
        if file.is_plain:
            self.plain[kind, score.verdict] += 1
        self.traits.update((trait, score.verdict) for trait in file.traits)
        codes = {
            f"{'silent' if difference.is_silent else 'said'}: {difference.code}"
            for difference in score.differences
        }
        if score.verdict is Verdict.REFUSED:
            codes = {"refused"}
        for code in codes:
            self.codes[kind, code] += 1
            known = self.examples.get((kind, code))
            if known is None or len(file.content) < len(known[0].content):
                self.examples[kind, code] = (file, score)

    def share(self, verdict: Verdict, kind: str, *, of_plain: bool = False) -> float:
        """Return the share of files of a kind with a verdict."""
        counts = self.plain if of_plain else self.verdicts
        total = sum(counts[kind, other] for other in Verdict)
        return counts[kind, verdict] / total if total else 0.0

    def silently_wrong(self) -> int:
        """Return the number of silently wrong files."""
        return sum(n for (_, verdict), n in self.verdicts.items() if verdict is Verdict.WRONG)


def score_files(kind: str, count: int, seed: int = 0, *, only_plain: bool = False) -> Report:
    """Generate ``count`` files and read them, or only the plain ones among them."""
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        for file in generate_files(kind, count, seed):
            if file.is_plain or not only_plain:
                report.add(file, score_file(file, Path(folder)))
    return report


def format_report(report: Report, *, has_examples: bool) -> str:
    """Return the counts of a report, and its examples if asked for."""
    lines = [f"{'':14}" + "".join(f"{verdict:>16}" for verdict in Verdict)]
    kinds = [kind for kind in KINDS if any(report.verdicts[kind, v] for v in Verdict)]
    for counts, label in ((report.verdicts, ""), (report.plain, " plain")):
        lines += [
            f"{kind + label:20}" + "".join(f"{counts[kind, v]:>14}" for v in Verdict)
            for kind in kinds
        ]
    lines += _rank_traits(report)
    for (kind, code), count in sorted(report.codes.items(), key=lambda item: -item[1]):
        lines.append(f"{count:6}  {kind}: {code}")
        if has_examples:
            lines += _format_example(*report.examples[kind, code])
    return "\n".join(lines)


def _rank_traits(report: Report) -> list[str]:
    """Return the properties of silently wrong files, those with the largest share first."""
    wrong = {trait: n for (trait, verdict), n in report.traits.items() if verdict is Verdict.WRONG}
    totals = {trait: sum(report.traits[trait, v] for v in Verdict) for trait in wrong}
    ranked = sorted(wrong, key=lambda trait: -wrong[trait] / totals[trait])
    lines = [f"{wrong[trait]:6} / {totals[trait]:5}  {trait}" for trait in ranked]
    return ["", *(["silently wrong / all by property:", *lines, ""] if lines else [])]


def _format_example(file: GeneratedFile, score: Score) -> list[str]:
    text = decode(file.content)
    details = [f"{item.code}: {item.detail}" for item in score.differences]
    return [
        f"        {file.name}, {', '.join(file.traits)}",
        *(f"        | {line}" for line in text[:900].splitlines()),
        *(f"        -> {line}" for line in [*details, score.message][:6] if line),
    ]


def decode(content: bytes) -> str:
    """Return the text of a file, or the cells of a workbook."""
    if content.startswith(b"PK"):
        sheet = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        rows = sheet.get_sheet_by_index(0).to_python()
        return "\n".join("|".join(map(str, row)) for row in rows)
    for encoding in ("utf-16",) if content.startswith(b"\xff\xfe") else ("utf-8-sig", "cp1252"):
        with suppress(UnicodeDecodeError):
            return content.decode(encoding)
    return content.decode("latin-1")


def main() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="number of files")
    parser.add_argument("--kind", choices=[*KINDS, "all"], default="all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--examples", action="store_true", help="print the smallest examples")
    options = parser.parse_args()
    report = score_files(options.kind, options.count, options.seed)
    sys.stdout.write(format_report(report, has_examples=options.examples) + "\n")
    return 1 if report.silently_wrong() else 0


if __name__ == "__main__":
    sys.exit(main())

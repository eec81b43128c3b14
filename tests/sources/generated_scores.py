"""Comparison of what the readers return with the truth of a generated file."""

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from numbers import Integral
from pathlib import Path

from riskmetrics.errors import DataQualityError, UsageError
from riskmetrics.sources.brokers import HoldingsFile, read_holdings
from riskmetrics.sources.files import read_prices
from riskmetrics.sources.transaction_files import read_transactions
from tests.sources.generated_truth import GeneratedFile, Truth


class Verdict(StrEnum):
    """How a file was read."""

    RIGHT = "right"
    PARTIAL = "right in part"
    """Something is missing, and a message says so."""
    REFUSED = "refused"
    """The file is refused with a reason, although it could be read."""
    WRONG = "silently wrong"
    """Something wrong is accepted, or something is lost, without a message."""


@dataclass(frozen=True)
class Difference:
    """A difference from the truth."""

    code: str
    """Kind of the difference."""
    detail: str
    is_silent: bool = True


@dataclass(frozen=True)
class Score:
    """Verdict on a file, with the differences or the message of a refusal."""

    verdict: Verdict
    differences: tuple[Difference, ...] = ()
    message: str = ""


@dataclass
class _Reading:
    """What a reader returned."""

    positions: dict[tuple[str, str], float] = field(default_factory=dict)
    entry_prices: dict[tuple[str, str], float] = field(default_factory=dict)
    cash: dict[str, float] = field(default_factory=dict)
    value: float = math.nan
    day: date | None = None
    kind: str = "holdings"
    rejected: list[str] = field(default_factory=list)
    """Text and reason of each rejected row."""
    skipped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def score_file(file: GeneratedFile, folder: Path) -> Score:
    """Write a file, read it by each command, and compare the results with its truth."""
    path = folder / file.name
    path.write_bytes(file.content)
    try:
        return _score_path(file, path)
    finally:
        path.unlink()


def _score_path(file: GeneratedFile, path: Path) -> Score:
    readers: dict[str, Callable[[], list[Difference]]] = {
        "holdings": lambda: compare_holdings(file, read_holdings_file(path)),
        "prices": lambda: compare_prices(file, path),
        "transactions": lambda: compare_trades(file, path),
    }
    own = file.truth.kind if file.truth.kind in {"prices", "transactions"} else "holdings"
    differences: list[Difference] = []
    refusals: dict[str, str] = {}
    for command, compare in readers.items():
        try:
            found = compare()
            is_other = command != own
            differences += (
                [Difference(f"{file.truth.kind} accepted as {command}", _head(found))]
                if is_other
                else found
            )
        except (DataQualityError, UsageError) as error:
            refusals[command] = str(error)
        except Exception as error:  # noqa: BLE001  # any other error is a defect of the reader
            differences.append(Difference(f"crash {type(error).__name__}", str(error)[:200]))
    if own == "transactions" and "list of transactions" not in refusals.get("holdings", ""):
        text = refusals.get("holdings", "")
        differences.append(Difference("refusal without the kind", text, is_silent=False))
    return _judge(file.truth, differences, refusals.get(own, ""))


def _head(found: list[Difference]) -> str:
    return "; ".join(difference.detail for difference in found[:3])


def _judge(truth: Truth, differences: list[Difference], refusal: str) -> Score:
    if any(difference.is_silent for difference in differences):
        return Score(Verdict.WRONG, tuple(differences), refusal)
    if refusal:
        is_expected = not (truth.positions or truth.bars or truth.trades)
        return Score(Verdict.RIGHT if is_expected else Verdict.REFUSED, (), refusal)
    return Score(Verdict.PARTIAL if differences else Verdict.RIGHT, tuple(differences))


def read_holdings_file(path: Path) -> _Reading:
    """Read a file of holdings."""
    parsed: HoldingsFile = read_holdings(path)
    reading = _Reading(day=parsed.day, skipped=[line.reason for line in parsed.skipped])
    reading.kind = "weights" if parsed.has_weights else "holdings"
    if getattr(parsed, "has_values", False):
        reading.kind = "values"
    rejected = list(parsed.rejected)
    values = []
    for account in parsed.accounts:
        rows = account.holdings.rows
        for row in rows.itertuples():
            key = (account.name, row.symbol)
            reading.positions[key] = reading.positions.get(key, 0.0) + row.quantity
            reading.entry_prices[key] = row.entry_price
        if not math.isnan(account.cash):
            reading.cash[account.name] = account.cash
        values.append(account.value)
        rejected += account.holdings.rejected
        reading.notes += account.holdings.notes
    reading.value = sum(values)
    reading.rejected = [f"{row.raw_row} | {row.reason}" for row in rejected]
    return reading


def compare_holdings(file: GeneratedFile, reading: _Reading) -> list[Difference]:
    """Return the differences between a reading of holdings and the truth."""
    truth = file.truth
    if reading.kind != truth.kind:
        return [Difference(f"{truth.kind} read as {reading.kind}", str(reading.positions)[:200])]
    differences = []
    stated = {name for name, _ in truth.positions | truth.optional}
    found = {name for name, _ in reading.positions} | set(reading.cash)
    if stated == {""} and len(found) == 1:  # the name of a single account is free
        reading = _merge_accounts(reading)
    elif stated != {""} and found == {""}:
        differences.append(_lost(file, reading, "account", "accounts merged"))
        truth = _merge_truth(truth)
        reading = replace(reading, entry_prices={})
    differences += _compare_positions(truth, reading)
    differences += _compare_entry_prices(file, truth, reading)
    differences += _compare_cash(truth, reading)
    if truth.day and reading.day != truth.day:
        code = "wrong day" if reading.day else "day lost"
        says = any("day" in text.split() for text in reading.skipped)
        differences.append(Difference(code, f"{reading.day}, not {truth.day}", not says))
    return differences + _compare_value(file, truth, reading)


def _compare_value(file: GeneratedFile, truth: Truth, reading: _Reading) -> list[Difference]:
    if truth.value is None or reading.rejected:
        return []
    if math.isnan(truth.value):
        is_wrong = reading.positions and not math.isnan(reading.value)
        return [Difference("foreign value as USD", f"{reading.value}")] if is_wrong else []
    if math.isnan(reading.value):
        return [_lost(file, reading, "market_value", "value lost")]
    if math.isclose(reading.value, truth.value, rel_tol=1e-6, abs_tol=0.05):
        return []
    return [Difference("wrong value", f"{reading.value}, not {truth.value}")]


def _merge_accounts(reading: _Reading) -> _Reading:
    """Return the reading of a single account without its name."""
    return replace(
        reading,
        positions={("", symbol): amount for (_, symbol), amount in reading.positions.items()},
        entry_prices={("", symbol): price for (_, symbol), price in reading.entry_prices.items()},
        cash={"": sum(reading.cash.values())} if reading.cash else {},
    )


def _merge_truth(truth: Truth) -> Truth:
    """Return a truth with the positions and the cash of all accounts together."""
    merged = replace(truth, positions={}, optional={}, entry_prices={})
    for source, target in (
        (truth.positions, merged.positions),
        (truth.optional, merged.optional),
    ):
        for (_, symbol), amount in source.items():
            target[("", symbol)] = target.get(("", symbol), 0.0) + amount
    merged.cash = {"": sum(truth.cash.values())} if truth.cash else {}
    merged.written = {("", symbol): text for (_, symbol), text in truth.written.items()}
    return merged


def _lost(file: GeneratedFile, reading: _Reading, role: str, code: str) -> Difference:
    """Return a difference that is silent unless a note names the header of the column."""
    header = file.headers.get(role, "").strip()
    is_named = bool(header) and any(header in note for note in reading.notes)
    return Difference(code, f"column {header!r}", not is_named)


def _compare_positions(truth: Truth, reading: _Reading) -> list[Difference]:
    differences = []
    allowed = truth.positions | truth.optional
    for key, quantity in reading.positions.items():
        expected = allowed.get(key)
        if expected is None:
            why = _reason_unsupported(truth, key[1])
            differences.append(
                Difference(f"position invented{why}", f"{'/'.join(key)} {quantity:g}")
            )
        elif not math.isclose(quantity, expected, rel_tol=1e-9):
            differences.append(
                Difference("wrong quantity", f"{key[1]} {quantity:g}, not {expected:g}")
            )
    for key in truth.positions.keys() - reading.positions.keys():
        written = truth.written.get(key, key[1])
        text = next((row for row in reading.rejected if written in row or key[1] in row), None)
        detail = f"{written}: {text.rsplit('|', 1)[-1].strip() if text else 'no message'}"
        code = "position rejected" if text else "position lost"
        differences.append(Difference(code, detail, text is None))
    return differences


def _reason_unsupported(truth: Truth, symbol: str) -> str:
    """Return why a symbol is not a position, as the end of a code."""
    plain = symbol.replace("-", "").replace(".", "")
    for written, reason in truth.unsupported.items():
        if plain in {written.replace(sign, "") for sign in "-./"} | {written.lstrip("/")}:
            return f": {reason}"
    return ""


def _compare_entry_prices(file: GeneratedFile, truth: Truth, reading: _Reading) -> list[Difference]:
    if not reading.entry_prices:
        return []
    differences = []
    for key, expected in truth.entry_prices.items():
        found = reading.entry_prices.get(key)
        if found is None:
            continue
        if math.isnan(expected):
            if not math.isnan(found):
                differences.append(Difference("foreign price as USD", f"{key[1]} {found:g}"))
        elif math.isnan(found):
            roles = [role for role in ("entry_price", "cost_basis") if role in file.headers]
            lost = [_lost(file, reading, role, "entry price lost") for role in roles]
            differences.append(min(lost, key=lambda difference: difference.is_silent))
        elif not math.isclose(found, expected, rel_tol=2e-3):
            differences.append(
                Difference("wrong entry price", f"{key[1]} {found:g}, not {expected:g}")
            )
    return differences


def _compare_cash(truth: Truth, reading: _Reading) -> list[Difference]:
    if truth.kind == "weights":
        return []
    differences = []
    for account in truth.cash.keys() | reading.cash.keys():
        expected, found = truth.cash.get(account), reading.cash.get(account)
        if found is None:
            is_rejected = any(
                label in row for row in reading.rejected for label in truth.cash_labels
            )
            says = is_rejected or any("cash" in reason for reason in reading.skipped)
            differences.append(Difference("cash lost", f"{expected}", not says))
        elif expected is None or not math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-6):
            differences.append(Difference("wrong cash", f"{found}, not {expected}"))
    return differences


def compare_prices(file: GeneratedFile, path: Path) -> list[Difference]:
    """Return the differences between the prices that are read and the truth."""
    parsed, truth, differences = read_prices(path), file.truth, list[Difference]()
    reading = _Reading(
        rejected=[f"{row.raw_row} | {row.reason}" for row in parsed.rejected],
        notes=list(parsed.notes),
    )
    found = {}
    for row in parsed.rows.itertuples():
        key = (row.symbol, row.date)
        found[key] = row
        bar = truth.bars.get(key)
        if bar is None:
            why = _reason_unsupported(truth, key[0])
            detail = f"{key[0]} {key[1]} {row.close:g}"
            differences.append(Difference(f"price invented{why}", detail))
            continue
        if not math.isclose(row.close, bar.close, rel_tol=1e-6):
            differences.append(
                Difference("wrong close", f"{key[0]} {key[1]} {row.close:g}, not {bar.close:g}")
            )
        if bar.adj_close is not None:
            differences += _compare_adjusted(file, reading, row, bar.adj_close)
        if bar.volume is not None:
            differences += _compare_volume(file, reading, row.volume, bar.volume)
    stored_listings = {symbol for symbol, _ in found} & truth.foreign_listings
    if stored_listings and not any("USD" in note or "currenc" in note for note in parsed.notes):
        differences.append(Difference("foreign listing as USD", ", ".join(stored_listings)))
    missing = list(truth.bars.keys() - found.keys())
    if len(missing) > len(parsed.rejected):
        differences.append(Difference("prices lost", f"{len(missing)} rows, such as {missing[0]}"))
    elif missing:
        reason = parsed.rejected[0].reason
        differences.append(Difference("prices rejected", f"{len(missing)} rows: {reason}", False))
    return differences


def compare_trades(file: GeneratedFile, path: Path) -> list[Difference]:
    """Return the differences between the transactions that are read and the truth."""
    parsed, truth = read_transactions(path), file.truth
    expected = Counter((trade.day, trade.symbol, trade.quantity) for trade in truth.trades)
    amounts = {(t.day, t.symbol, t.quantity): t.amount for t in truth.trades}
    differences = []
    found = Counter()
    for trade in parsed.transactions:
        sign = {"buy": 1, "sell": -1, "sell_short": -1, "buy_to_cover": 1}.get(trade.kind, 0)
        key = (trade.day, trade.symbol, sign * float(trade.quantity))
        found[key] += 1
        stated = amounts.get(key)
        if stated is not None and not math.isclose(float(trade.amount), stated, abs_tol=0.005):
            differences.append(Difference("wrong amount", f"{key}: {trade.amount}, not {stated}"))
    for key in found - expected:
        why = _reason_unsupported(truth, str(key[1]))
        differences.append(Difference(f"transaction invented{why}", str(key)))
    lost = expected - found
    if sum(lost.values()) > len(parsed.rejected) + len(parsed.skipped):
        differences.append(Difference("transactions lost", str(list(lost)[:2])))
    elif lost:
        reason = [*parsed.rejected, *parsed.skipped][0].reason
        differences.append(Difference("transactions rejected", reason, is_silent=False))
    return differences


def _compare_adjusted(
    file: GeneratedFile, reading: _Reading, row: object, expected: float
) -> list[Difference]:
    found, has_adjusted = row.adj_close, row.has_adj_close  # type: ignore[attr-defined]
    if not has_adjusted:
        return [_lost(file, reading, "adj_close", "adjusted close lost")]
    if math.isclose(found, expected, rel_tol=1e-6):
        return []
    return [Difference("wrong adjusted close", f"{found:g}, not {expected:g}")]


def _compare_volume(
    file: GeneratedFile, reading: _Reading, found: object, expected: int
) -> list[Difference]:
    if not isinstance(found, Integral):  # pandas.NA
        return [_lost(file, reading, "volume", "volume lost")]
    return [] if found == expected else [Difference("wrong volume", f"{found}, not {expected}")]

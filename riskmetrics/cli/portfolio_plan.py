"""Plans of a portfolio import: chosen accounts, reported interpretation, dry run."""

import math
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from riskmetrics.cli.output import echo_err, pluralize, print_frame, print_json, to_records
from riskmetrics.cli.shared_options import check_portfolio_name
from riskmetrics.errors import UsageError
from riskmetrics.present import formatting
from riskmetrics.present.formatting import fixed_point
from riskmetrics.text import match_names

if TYPE_CHECKING:
    from riskmetrics.sources.brokers import Account, HoldingsFile
    from riskmetrics.sources.tabular_files import RejectedRow

_NO_NAME = "(no name)"
_MAX_REJECTED_LINES = 20
"""Rejected lines that are printed; all of them are stored."""


class PortfolioPlan(NamedTuple):
    """A portfolio and the holdings to import into it."""

    name: str
    account: "Account"
    stated_equity: Decimal | None
    """Equity in USD passed by the user, if any."""

    @property
    def equity(self) -> Decimal | None:
        """Return the stated equity, else that of the file."""
        return (
            self.stated_equity
            if self.stated_equity is not None
            else _to_dollars(self.account.equity)
        )


def plan_portfolios(
    file: Path,
    parsed: "HoldingsFile",
    name: str,
    account: str,
    equity: float | None,
    *,
    needs_names: bool,
) -> list[PortfolioPlan]:
    """Choose the accounts to import and name their portfolios; without a name only if allowed."""
    names = match_names(account, [one.name for one in parsed.accounts])
    chosen = [one for one in parsed.accounts if one.name in names]
    accounts = ", ".join(one.name or _NO_NAME for one in parsed.accounts)
    if account and len(chosen) != 1:
        raise UsageError(
            f"--account {account} matches {len(chosen) or 'no'} account{'s' * bool(chosen)} in"
            f" {file}: {accounts}"
        )
    if len(chosen) > 1 and equity is not None:
        raise UsageError(
            f"{file} has {len(chosen)} accounts ({accounts}): choose one with --account to use"
            " --equity or --value"
        )
    plans = []
    for one in chosen:
        portfolio_name = (
            ": ".join(part for part in (name, one.name) if part)
            if len(chosen) > 1
            else name or one.name
        )
        if not portfolio_name:
            missing_name = f"{file} names no account: pass the name of the portfolio with --name"
            if needs_names:
                raise UsageError(missing_name)
            echo_err(f"note: {missing_name} to import it")
            portfolio_name = _NO_NAME
        stated_equity = _to_dollars(math.nan if equity is None else equity)
        plans.append(PortfolioPlan(check_portfolio_name(portfolio_name), one, stated_equity))
    return plans


def _to_dollars(amount: float) -> Decimal | None:
    """Return an amount rounded to cents, as its column stores it; None if it is NaN."""
    from riskmetrics.transactions.model import CASH_UNIT

    return None if math.isnan(amount) else Decimal(str(amount)).quantize(CASH_UNIT)


def report_interpretation(
    parsed: "HoldingsFile", plans: list[PortfolioPlan], day: date, *, has_all_rejected: bool
) -> None:
    """Print the detected kind and layout, and the skipped and rejected lines, to stderr."""
    if has_all_rejected:
        echo_err(f"{parsed.kind.describe()}")
    echo_err(
        f"read as {parsed.layout} ({parsed.file_format}) as of {day}: "
        + "; ".join(_describe_plan(plan) for plan in plans)
    )
    for reason, lines in _group_by_reason((line.line, line.reason) for line in parsed.skipped):
        echo_err(f"skipped, {lines}: {reason}")
    for note in dict.fromkeys(note for plan in plans for note in plan.account.holdings.notes):
        echo_err(f"note: {note}")
    rejected = collect_rejected_rows(parsed, plans)
    for row in rejected if has_all_rejected else rejected[:_MAX_REJECTED_LINES]:
        echo_err(f"rejected, line {row.line}: {row.reason}")


def _describe_plan(plan: PortfolioPlan) -> str:
    lots = f"{plan.name}, {pluralize(len(plan.account.holdings.rows), 'lot')}"
    cash = "" if math.isnan(plan.account.cash) else f", cash {fixed_point(plan.account.cash, 2)}"
    return (
        lots + cash + (f", equity {fixed_point(plan.equity, 2)}" if plan.equity is not None else "")
    )


def _group_by_reason(lines: Iterable[tuple[int, str]]) -> list[tuple[str, str]]:
    """Group line numbers by reason: (reason, "lines 1-3, 7")."""
    lines_by_reason: dict[str, list[int]] = {}
    for line, reason in lines:
        lines_by_reason.setdefault(reason, []).append(line)
    return [
        (reason, f"line{'s' if len(numbers) > 1 else ''} {_format_line_ranges(numbers)}")
        for reason, numbers in lines_by_reason.items()
    ]


def _format_line_ranges(numbers: list[int]) -> str:
    runs = [
        [number for _, number in run]
        for _, run in groupby(enumerate(numbers), lambda item: item[1] - item[0])
    ]
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def collect_rejected_rows(
    parsed: "HoldingsFile", plans: list[PortfolioPlan]
) -> "list[RejectedRow]":
    """Return the rejected rows of the file and of all plans, by line."""
    rows = [*parsed.rejected, *(row for plan in plans for row in plan.account.holdings.rejected)]
    return sorted(rows, key=lambda row: row.line or 0)


def print_plans(
    parsed: "HoldingsFile", plans: list[PortfolioPlan], day: date, *, as_json: bool
) -> None:
    """Print the portfolios that would be stored."""
    from riskmetrics.sources.brokers import StatedSize

    tables = [plan.account.holdings.rows.dropna(axis="columns", how="all") for plan in plans]
    if parsed.stated_size is not StatedSize.QUANTITY:
        tables = [table.rename(columns={"quantity": str(parsed.stated_size)}) for table in tables]
    if not as_json:
        for plan, table in zip(plans, tables, strict=True):
            numbers = table.select_dtypes("number")
            formats = {str(name): formatting.quantity for name in numbers}
            print_frame(table, as_json=False, formats=formats, title=_describe_plan(plan))
        return
    portfolios = [
        {
            "name": plan.name,
            "cash": _to_dollars(plan.account.cash),
            "equity": plan.equity,
            "lots": to_records(table),
        }
        for plan, table in zip(plans, tables, strict=True)
    ]
    skipped = [line._asdict() for line in parsed.skipped]
    rejected = [row._asdict() for row in collect_rejected_rows(parsed, plans)]
    print_json(
        {
            "kind": parsed.kind.kinds,
            "evidence": parsed.kind.evidence,
            "layout": parsed.layout,
            "form": parsed.file_format,
            "as_of": day,
            "portfolios": portfolios,
            "skipped": skipped,
            "rejected": rejected,
        }
    )

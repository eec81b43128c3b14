"""`riskmetrics import portfolio`: what accounts hold, from a broker's export or a table of one's own, into the database."""

import math
import re
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from riskmetrics.cli.options import DAY_FORMAT, AsJson, File, day_of
from riskmetrics.cli.output import counted, present, print_json, records, require_printable, say
from riskmetrics.text import name_some

if TYPE_CHECKING:
    import sqlalchemy as sa

    from riskmetrics.sources.brokers import Account, Holdings
    from riskmetrics.sources.tables import RejectedRow

_MONEY_LIMIT = 1e14
"""What the column holds."""
_DECIMAL_MARKS = {"point": ".", ".": ".", "comma": ",", ",": ","}
_SYMBOL_COLUMNS = ("symbol", "underlying_symbol")
_MOST_SAID = 20
"""Rejected lines that are said one by one; all are in the database."""


class _Plan(NamedTuple):
    """A portfolio, and what it is to hold."""

    name: str
    account: "Account"
    stated_equity: Decimal | None
    """As the user says."""

    @property
    def equity(self) -> Decimal | None:
        """As the user says, or else as the file does: the lots' market values and the cash."""
        return self.stated_equity if self.stated_equity is not None else _dollars(self.account.value + self.account.cash)


def portfolio(
    file: File,
    name: Annotated[str, typer.Option(help="Name of the portfolio; a new one is created. Default: the account that the file names.")] = "",
    equity: Annotated[
        float | None, typer.Option(help="Equity (net value plus cash) on the day, in USD. Default: as the file states.")
    ] = None,
    as_of: Annotated[datetime | None, typer.Option(formats=DAY_FORMAT, help="Day of the holdings. Default: the file's, or today.")] = None,
    account: Annotated[str, typer.Option(help="Only this account of the file: its name or a part of it.")] = "",
    decimal: Annotated[str, typer.Option(help="The decimal mark, point or comma, where the numbers do not tell.")] = "",
    value: Annotated[float | None, typer.Option(help="What the portfolio is worth in USD, if the file holds weights.")] = None,
    allow_empty: Annotated[bool, typer.Option("--allow-empty", help="Take a file without a holding to say that all was sold.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what was understood, line by line, and write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Holdings on a day: positions exported by Schwab, Fidelity or Interactive Brokers (activity statement), or a table with symbol and
    quantity or weight; and entry_price or cost_basis, entry_date, position_type, account.

    Each account becomes a portfolio. What was held before and is not in the file counts as left on that day.

    Example: riskmetrics import portfolio holdings.csv --name Growth --equity 345000

    riskmetrics import portfolio Portfolio_Positions.csv --dry-run

    riskmetrics import portfolio Portfolio_Positions.csv --account "ROTH IRA" --name Roth

    riskmetrics import portfolio weights.csv --name Model --value 100000 --as-of 2024-12-06
    """  # noqa: D205 - the first paragraph is one sentence
    from riskmetrics import settings
    from riskmetrics.errors import UsageError
    from riskmetrics.sources.brokers import read_holdings

    _require_options(equity, value, decimal, as_of)
    found = read_holdings(
        file,
        as_of=day_of(as_of),
        decimal=_DECIMAL_MARKS.get(decimal),
        may_be_empty=allow_empty,
        limits=settings.load().limits,
    )
    day = day_of(as_of) or found.day or date.today()
    if day > date.today():
        raise UsageError(f"{file} is of {day}, which lies in the future: say --as-of")
    if (value is None) is found.by_weight and not (dry_run and value is None):
        kind = (
            "weights, not quantities: say what the portfolio is worth with --value"
            if found.by_weight
            else "quantities: --value is for weights"
        )
        raise UsageError(f"{file} holds {kind}")
    plans = _plans(file, found, name.strip(), account, equity if equity is not None else value)
    _say_what_was_understood(found, plans, day, everything=dry_run)
    if dry_run:
        _show(found, plans, day, as_json=as_json)
    else:
        _store(file, found, plans, day, value)


def _require_options(equity: float | None, value: float | None, decimal: str, as_of: datetime | None) -> None:
    """Raise UsageError if an option cannot be."""
    from riskmetrics.errors import UsageError

    for option, amount in (("--equity", equity), ("--value", value)):
        if amount is not None and not abs(amount) < _MONEY_LIMIT:  # NaN is not either
            raise UsageError(f"{option} {amount} is not an amount of money")
    if decimal and decimal not in _DECIMAL_MARKS:
        raise UsageError(f"--decimal {decimal} is neither point nor comma")
    if as_of and as_of.date() > date.today():
        raise UsageError(f"--as-of {as_of.date()} lies in the future")


def _plans(file: Path, found: "Holdings", name: str, account: str, equity: float | None) -> list[_Plan]:
    """Which accounts become which portfolios."""
    from riskmetrics.errors import UsageError

    chosen = [one for one in found.accounts if account.casefold() in one.name.casefold()]
    accounts = ", ".join(one.name or "(no name)" for one in found.accounts)
    if account and len(chosen) != 1:
        raise UsageError(f"--account {account} is {'none' if not chosen else 'not one alone'} of the accounts in {file}: {accounts}")
    if len(chosen) > 1 and equity is not None:
        raise UsageError(f"{file} has {len(chosen)} accounts ({accounts}): choose one with --account for --equity or --value")
    plans = []
    for one in chosen:
        called = ": ".join(part for part in (name, one.name) if part) if len(chosen) > 1 else name or one.name
        if not 0 < len(called) <= 255:  # what the column holds
            raise UsageError(f"--name must have 1 to 255 characters{'' if called else f': {file} does not say whose holdings these are'}")
        require_printable(called, "the name of a portfolio", one_line=True)
        plans.append(_Plan(called, one, _dollars(math.nan if equity is None else equity)))
    return plans


def _dollars(amount: float) -> Decimal | None:
    """Money as its column holds it; None if it is not known."""
    return None if math.isnan(amount) else Decimal(str(amount)).quantize(Decimal("0.01"))


def _say_what_was_understood(found: "Holdings", plans: list[_Plan], day: date, *, everything: bool) -> None:
    """Tell on stderr what the file is, which lines are no holdings, and which could not be read."""
    say(f"read as {found.layout} ({found.form}) of {day}: " + "; ".join(_described(plan) for plan in plans))
    for reason, lines in _by_reason((line.line, line.reason) for line in found.left_out):
        say(f"left out, {lines}: {reason}")
    for note in dict.fromkeys(note for plan in plans for note in plan.account.holdings.notes):
        say(f"note: {note}")
    rejected = _rejected(found, plans)
    for row in rejected if everything else rejected[:_MOST_SAID]:
        say(f"rejected, line {row.line}: {row.reason}")


def _described(plan: _Plan) -> str:
    lots = f"{plan.name}, {counted(len(plan.account.holdings.rows), 'lot')}"
    cash = "" if math.isnan(plan.account.cash) else f", cash {plan.account.cash:,.2f}"
    return lots + cash + (f", equity {plan.equity:,.2f}" if plan.equity is not None else "")


def _by_reason(lines: Iterable[tuple[int, str]]) -> list[tuple[str, str]]:
    """Reasons, and the lines that each is of: "lines 1-3, 7"."""
    places: dict[str, list[int]] = {}
    for line, reason in lines:
        places.setdefault(reason, []).append(line)
    return [(reason, f"line{'s' if len(of) > 1 else ''} {_spans(of)}") for reason, of in places.items()]


def _spans(numbers: list[int]) -> str:
    runs = [[number for _, number in run] for _, run in groupby(enumerate(numbers), lambda placed: placed[1] - placed[0])]
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _rejected(found: "Holdings", plans: list[_Plan]) -> "list[RejectedRow]":
    rows = [*found.rejected, *(row for plan in plans for row in plan.account.holdings.rejected)]
    return sorted(rows, key=lambda row: row.line or 0)


def _show(found: "Holdings", plans: list[_Plan], day: date, *, as_json: bool) -> None:
    """Print what would be stored."""
    tables = [plan.account.holdings.rows.dropna(axis="columns", how="all") for plan in plans]
    if found.by_weight:
        tables = [table.rename(columns={"quantity": "weight"}) for table in tables]
    if not as_json:
        for plan, table in zip(plans, tables, strict=True):
            present(table, as_json=False, title=_described(plan))
        return
    portfolios = [
        {"name": plan.name, "cash": _dollars(plan.account.cash), "equity": plan.equity, "lots": records(table)}
        for plan, table in zip(plans, tables, strict=True)
    ]
    left_out = [line._asdict() for line in found.left_out]
    rejected = [row._asdict() for row in _rejected(found, plans)]
    print_json(
        {"layout": found.layout, "form": found.form, "as_of": day, "portfolios": portfolios, "left_out": left_out, "rejected": rejected}
    )


def _store(file: Path, found: "Holdings", plans: list[_Plan], day: date, value: float | None) -> None:
    """Make each portfolio hold what its account does, all in one transaction."""
    from riskmetrics.cli.database import writing
    from riskmetrics.db import imports

    with writing() as connection:
        shares = _class_shares(connection, found, plans)
        summaries = [_state(connection, plan, found, day, value, shares) for plan in plans]
        rejected = imports.reject(connection, "portfolio", str(file), _rejected(found, plans))
        unpriced = _without_price(connection, plans, shares)
    if unpriced:
        say(f"no price is stored of {name_some(unpriced)}: check the symbol, or import its prices")
    if rejected:
        say(f"{counted(rejected, 'row')} rejected and kept in rejected_rows")
    for plan, summary in zip(plans, summaries, strict=True):
        typer.echo(f"{file}, {plan.name}: {summary}")


def _without_price(connection: "sa.Connection", plans: list[_Plan], shares: dict[str, str]) -> list[str]:
    """Return the symbols that what is stated moves with and that have no price, sorted; ``shares`` are spelled anew."""
    from riskmetrics.db import stored_prices
    from riskmetrics.results.lots import underlying

    frames = [plan.account.holdings.rows for plan in plans]
    stated = {symbol for rows in frames if len(rows) for symbol in underlying(rows).replace(shares).dropna()}
    return sorted(stated - set(stored_prices.price_coverage(connection, stated)["symbol"])) if stated else []


def _class_shares(
    connection: "sa.Connection",
    found: "Holdings",
    plans: list[_Plan],
) -> dict[str, str]:
    """Map the symbols of a file that lack the mark of their class; rejected rows count too."""
    from riskmetrics.cli.class_shares import name_class_shares
    from riskmetrics.db import spellings

    columns = [plan.account.holdings.rows[name] for plan in plans for name in _SYMBOL_COLUMNS]
    stated = {symbol for column in columns for symbol in column.dropna()}
    unclear = _symbols_in(_rejected(found, plans)) - stated
    return spellings.find_class_shares(connection, unclear) | name_class_shares(connection, stated)


def _state(
    connection: "sa.Connection",
    plan: _Plan,
    found: "Holdings",
    day: date,
    value: float | None,
    shares: dict[str, str],
) -> str:
    from riskmetrics.db import holdings
    from riskmetrics.sources.lots import quantities

    lots = plan.account.holdings.rows.replace(dict.fromkeys(_SYMBOL_COLUMNS, shares))
    if value is not None:
        lots = quantities(lots, holdings.closes_on(connection, lots["symbol"], day), value, day)
    rejected = [*found.rejected, *plan.account.holdings.rejected]
    unclear = {shares.get(symbol, symbol) for symbol in _symbols_in(rejected)}
    result = holdings.state(connection, plan.name, lots, as_of=day, equity=plan.stated_equity, unclear=unclear)
    if not result.left_alone:  # the file's sum lacks what it could not be read of, and would take it out of the cash
        holdings.record(connection, result.portfolio_id, day, plan.equity)
    assumed = int(lots["entry_date"].isna().sum())
    if assumed and result.opened:
        say(f"{counted(assumed, 'lot')} without an entry_date: a new one counts as held since before any session")
    if result.closed_symbols:
        say(f"not stated any more, or with another quantity, so closed on {day}: {', '.join(result.closed_symbols)}")
    if result.left_alone:
        say(f"left as held, because a row of theirs was rejected: {', '.join(result.left_alone)}")
    kept = f"{result.corrected} corrected, {result.unchanged} unchanged"
    return f"{counted(result.opened, 'lot')} opened, {result.closed} closed, {kept}, as of {day}"


def _symbols_in(rejected: "list[RejectedRow]") -> set[str]:
    """Return what may be a symbol in rejected rows: their words, and their cells, as BRK B."""
    from riskmetrics.symbols import normalize_symbol

    marks = r"[^\w./^=-]+", r"[,;|\t\"]+"
    texts = {text for row in rejected for mark in marks for text in re.split(mark, row.raw_row)}
    return {symbol for symbol in map(normalize_symbol, texts) if symbol}

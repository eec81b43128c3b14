"""`riskmetrics import portfolio`: import holdings from a broker's export or your own table."""

import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from riskmetrics.cli.database import read_transaction, write_transaction
from riskmetrics.cli.file_results import end_dry_run, exit_if_rejected, resolve_class_shares
from riskmetrics.cli.identifiers import (
    SymbolPairs,
    look_up_symbols,
    parse_symbol_pairs,
    remember_symbols,
)
from riskmetrics.cli.output import echo_err, pluralize, report_outdated
from riskmetrics.cli.portfolio_plan import (
    PortfolioPlan,
    collect_rejected_rows,
    plan_portfolios,
    print_plans,
    report_interpretation,
)
from riskmetrics.cli.shared_options import (
    AsJson,
    Dates,
    Decimal,
    File,
    check_amount,
    check_not_future,
    day_option,
    parse_notation,
)
from riskmetrics.cli.transaction_check import compare_with_transactions
from riskmetrics.errors import UsageError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from riskmetrics.cli.statement_check import Review
    from riskmetrics.db.outdated_results import OutdatedResults
    from riskmetrics.sources.brokers import HoldingsFile
    from riskmetrics.sources.row_validation import Notation

_SYMBOL_COLUMNS = ("symbol", "underlying_symbol")

_MAX_SALES = 3
"""Portfolios that the refusal of an incomplete file describes; the others are counted."""


_Name = Annotated[
    str,
    typer.Option(
        help=(
            "Name of the portfolio; created if it does not exist."
            " Default: the account named in the file."
        )
    ),
]
_Equity = Annotated[
    float | None,
    typer.Option(
        help="Equity (net value plus cash) on that day, in USD. Default: as stated in the file."
    ),
]
_AsOf = Annotated[
    date | None,
    day_option(help_text="Date of the holdings. Default: the file's date, else today."),
]
_Account = Annotated[
    str, typer.Option(help="Only this account of the file, by its name or a part of it.")
]
_Value = Annotated[
    float | None, typer.Option(help="Portfolio value in USD, if the file has weights.")
]
_AllowEmpty = Annotated[
    bool,
    typer.Option("--allow-empty", help="Accept a file without holdings: everything was sold."),
]
_DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print how each line is interpreted; store nothing.")
]
_Yes = Annotated[
    bool, typer.Option("--yes", "-y", help="Store the holdings even if something looks wrong.")
]


def portfolio(
    file: File,
    name: _Name = "",
    equity: _Equity = None,
    as_of: _AsOf = None,
    account: _Account = "",
    symbols: SymbolPairs = None,
    decimal: Decimal = "",
    dates: Dates = "",
    value: _Value = None,
    allow_empty: _AllowEmpty = False,
    dry_run: _DryRun = False,
    yes: _Yes = False,
    as_json: AsJson = False,
) -> None:
    """Import holdings from a broker's export, or your own table.

    Accepts positions exported by a broker (see `riskmetrics layouts list`), or a table with symbol
    and quantity, weight or value, and optionally entry_price or cost_basis, entry_date,
    position_type and account.

    Each account becomes a portfolio. Earlier holdings that are not in the file are closed on that
    day.

    Example: riskmetrics import portfolio holdings.csv --name Growth --equity 345000

    riskmetrics import portfolio Portfolio_Positions.csv --dry-run

    riskmetrics import portfolio Portfolio_Positions.csv --account "ROTH IRA" --name Roth

    riskmetrics import portfolio weights.csv --name Model --value 100000 --as-of 2024-12-06
    """
    check_amount("--equity", equity)
    check_amount("--value", value)
    check_not_future(as_of)
    mapped = parse_symbol_pairs(symbols or [])
    parsed = _read(file, parse_notation(decimal, dates), as_of, mapped, allow_empty=allow_empty)
    day = as_of or parsed.day or date.today()
    if value is not None and not parsed.has_weights:
        raise UsageError(f"{file} has quantities: --value is only for weights")
    if value is None and parsed.has_weights and not dry_run:
        raise UsageError(
            f"{file} has weights, not quantities: pass the portfolio value with --value"
        )
    plans = plan_portfolios(
        file,
        parsed,
        name.strip(),
        account,
        equity if equity is not None else value,
        needs_names=not dry_run,
    )
    report_interpretation(parsed, plans, day, has_all_rejected=dry_run)
    if dry_run:
        print_plans(parsed, plans, day, as_json=as_json)
        _review_if_stored(parsed, plans, day)
        end_dry_run(len(collect_rejected_rows(parsed, plans)))
        return
    found = _review(parsed, plans, day)
    can_ask = sys.stdin.isatty() and sys.stderr.isatty()
    if found.sales and not yes and not can_ask:
        raise UsageError(f"{_join_sales(found.sales)}. Pass --yes if the file is complete")
    if (found.warnings or found.sales) and not yes and can_ask:
        for line in found.sales:
            echo_err(line)
        typer.confirm("Store these holdings?", default=not found.sales, abort=True, err=True)
    _store_plans(file, parsed, plans, day, value, mapped)


def names_accounts(file: Path) -> bool:
    """Return whether a file names each of its accounts, as `portfolio` would read it."""
    parsed = _read(file, parse_notation("", ""), None, {}, allow_empty=False)
    return all(account.name for account in parsed.accounts)


def _read(
    file: Path,
    notation: "Notation",
    as_of: date | None,
    mapped: dict[str, str],
    *,
    allow_empty: bool,
) -> "HoldingsFile":
    """Read a file with the layouts of the settings; raise UsageError if it is of the future."""
    from riskmetrics import settings
    from riskmetrics.sources.brokers import read_holdings
    from riskmetrics.sources.layouts import load_layouts
    from riskmetrics.sources.security_identifiers import KnownSymbols

    configured = settings.load()
    parsed = read_holdings(
        file,
        as_of=as_of,
        decimal=notation.decimal,
        date_order=notation.date_order,
        allow_empty=allow_empty,
        limits=configured.limits,
        layouts=load_layouts(configured.layouts),
        known=KnownSymbols(mapped, look_up_symbols),
    )
    if as_of is None and parsed.day and parsed.day > date.today():
        raise UsageError(f"{file} is dated {parsed.day}, which is in the future: pass --as-of")
    return parsed


def _review_if_stored(parsed: "HoldingsFile", plans: list[PortfolioPlan], day: date) -> None:
    """Compare a dry run with what is stored, if there is a database and it answers."""
    import sqlalchemy as sa

    from riskmetrics import settings
    from riskmetrics.db import embedded

    configured = settings.load()
    if configured.database_url is None and not embedded.has_cluster(configured.home_directory):
        return
    try:
        _review(parsed, plans, day, is_dry=True)
    except sa.exc.OperationalError:
        echo_err("note: not compared with what is stored, because the database does not answer")


def _review(
    parsed: "HoldingsFile", plans: list[PortfolioPlan], day: date, *, is_dry: bool = False
) -> "Review":
    """Print what a file changes and what looks wrong in it, and return it.

    Holdings that follow from transactions are compared when they are imported, or in a dry run.
    """
    from riskmetrics.cli.statement_check import review_statement
    from riskmetrics.db import transactions

    with read_transaction(may_begin=True) as connection:
        kept = [plan for plan in plans if transactions.find_portfolio(connection, plan.name)]
        found = review_statement(
            connection, [plan for plan in plans if plan not in kept], parsed, day
        )
        for plan in kept if is_dry else ():
            lots = plan.account.holdings.rows
            summary = compare_with_transactions(connection, plan, lots, day)
            echo_err(f"{plan.name}: {summary}")
    for line in (*found.changes, *found.warnings, *(found.sales if is_dry else ())):
        echo_err(line)
    return found


def _join_sales(sales: list[str]) -> str:
    """Return the sentences on the first portfolios, and the number of the others."""
    others = len(sales) - _MAX_SALES
    more = [f"and so in {pluralize(others, 'more portfolio')}"] if others > 0 else []
    return "; ".join([*sales[:_MAX_SALES], *more])


def _store_plans(
    file: Path,
    parsed: "HoldingsFile",
    plans: list[PortfolioPlan],
    day: date,
    value: float | None,
    mapped: dict[str, str],
) -> None:
    """Store the holdings of all portfolios in one transaction."""
    from riskmetrics.db import input_writes

    with write_transaction() as connection:
        shares = _resolve_symbols(connection, parsed, plans)
        stated = {key: shares.get(symbol, symbol) for key, symbol in parsed.identifiers.items()}
        remember_symbols(connection, stated, mapped)
        stored = [_store_holdings(connection, plan, parsed, day, value, shares) for plan in plans]
        rejected = input_writes.store_rejected_rows(
            connection, "portfolio", str(file), collect_rejected_rows(parsed, plans)
        )
    if rejected:
        echo_err(f"{pluralize(rejected, 'row')} rejected and stored in rejected_rows")
    for plan, (summary, _) in zip(plans, stored, strict=True):
        typer.echo(f"{file}, {plan.name}: {summary}")
    report_outdated(next((found for _, found in reversed(stored) if found), None))
    exit_if_rejected(rejected)


def _resolve_symbols(
    connection: "sa.Connection",
    parsed: "HoldingsFile",
    plans: list[PortfolioPlan],
) -> dict[str, str]:
    """Map symbols without a class separator to stored class shares, rejected rows included."""
    from riskmetrics.cli.statement_check import extract_symbols
    from riskmetrics.db import symbol_spellings

    columns = [plan.account.holdings.rows[name] for plan in plans for name in _SYMBOL_COLUMNS]
    stated = {symbol for column in columns for symbol in column.dropna()}
    unclear = extract_symbols(collect_rejected_rows(parsed, plans)) - stated
    return symbol_spellings.find_class_shares(connection, unclear) | resolve_class_shares(
        connection, stated
    )


def _store_holdings(
    connection: "sa.Connection",
    plan: PortfolioPlan,
    parsed: "HoldingsFile",
    day: date,
    value: float | None,
    shares: dict[str, str],
) -> "tuple[str, OutdatedResults | None]":
    """Store the holdings of a portfolio; return a summary, and the results that are outdated."""
    from riskmetrics.cli.statement_check import extract_symbols
    from riskmetrics.db import holdings, stored_prices
    from riskmetrics.sources.lot_validation import weights_to_quantities

    lots = plan.account.holdings.rows.replace(dict.fromkeys(_SYMBOL_COLUMNS, shares))
    if value is not None or parsed.has_values:
        closes = holdings.read_session_closes(connection, lots["symbol"], day)
        listed = lots["symbol"][lots["investment_class"] == "PUBLIC"]
        last = stored_prices.read_last_priced_day(connection, listed)
        lots = weights_to_quantities(lots, closes, 1.0 if value is None else value, day, last)
    if parsed.has_values:
        echo_err(f"note: quantities are the values of the file divided by the closes of {day}")
    if (checked := compare_with_transactions(connection, plan, lots, day)) is not None:
        return checked, None
    rejected = [*parsed.rejected, *plan.account.holdings.rejected]
    unclear = {shares.get(symbol, symbol) for symbol in extract_symbols(rejected)}
    result = holdings.apply_statement(
        connection,
        plan.name,
        lots,
        as_of=day,
        equity=plan.equity,
        unreadable_symbols=unclear,
    )
    if result.assumed:
        them = "it counts" if result.assumed == 1 else "they count"
        echo_err(
            f"entry_date missing for {pluralize(result.assumed, 'new lot')}: {them} as held since"
            " before the first session; a column entry_date states since when"
        )
    if n_stated := int((lots["investment_class"] != "PUBLIC").sum()):
        one, more = "1 option or private holding keeps", "options and private holdings keep"
        echo_err(
            f"note: {one if n_stated == 1 else f'{n_stated:,} {more}'} the price of this statement"
            " on every session, with a P&L of 0, until the next statement"
        )
    if result.closed_symbols:
        echo_err(
            f"closed on {day}: {', '.join(result.closed_symbols)} (missing from the file, or with"
            " another quantity)"
        )
    if result.skipped_symbols:
        echo_err(
            "holdings kept unchanged, because one of their rows was rejected:"
            f" {', '.join(result.skipped_symbols)}"
        )
    unaffected = f"{result.corrected} corrected, {result.unchanged} unchanged"
    summary = (
        f"{pluralize(result.opened, 'lot')} opened, {result.closed} closed, {unaffected}, as of"
        f" {day}"
    )
    return summary, result.outdated

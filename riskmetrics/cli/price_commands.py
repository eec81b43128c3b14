"""`riskmetrics prices`: decide whether a suspected split is a split or a real price move."""

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from riskmetrics.cli.database import read_transaction, write_transaction
from riskmetrics.cli.output import echo_err, pluralize, print_frame, report_outdated
from riskmetrics.cli.shared_options import DAY_FORMAT, AsJson
from riskmetrics.errors import DataQualityError, UsageError
from riskmetrics.present.formatting import stored_text

if TYPE_CHECKING:
    import pandas as pd
    import sqlalchemy as sa

    from riskmetrics.db.price_decisions import SplitRatio

app = typer.Typer(
    help="Decide whether a jump of a price is a split or a real move.",
    no_args_is_help=True,
)

Symbol = Annotated[str, typer.Argument(help="Symbol, as `riskmetrics prices list` shows it.")]
MoveDay = Annotated[
    date, typer.Argument(**DAY_FORMAT, help="First session at the price after the move.")
]
Shares = Annotated[
    str, typer.Argument(help="New shares per old ones: 4:1 or 4, 3:2; a reverse split is 1:10.")
]


@app.command("list")
def list_moves(as_json: AsJson = False) -> None:
    """List suspected splits and large moves, and the decisions made.

    A suspected split is excluded from returns and P&L until you decide, or import corrected prices.
    A large move of a holding in the last year counts, and is listed until you decide.

    Example: riskmetrics prices list
    """
    from riskmetrics.db import price_decisions
    from riskmetrics.db.split_suspects import find_suspected_splits

    with read_transaction() as connection:
        table = _tabulate_moves(
            find_suspected_splits(connection),
            _find_held_moves(connection),
            price_decisions.read_decisions(connection),
        )
    if table.empty and not as_json:
        typer.echo("no suspected splits, no large moves and no decisions")
        return
    print_frame(table, as_json=as_json, formats={"state": stored_text})


@app.command()
def accept(symbol: Symbol, session: MoveDay) -> None:
    """Record that a price move is real: it counts in returns.

    Example: riskmetrics prices accept XYZ 2022-12-14
    """
    import pandas as pd

    from riskmetrics.db import outdated_results, symbol_spellings
    from riskmetrics.db.split_suspects import find_suspected_splits, find_undecided_moves

    with write_transaction() as connection:
        symbol = symbol_spellings.find_stored_spelling(connection, symbol)
        if _is_decided(connection, symbol, session, None):
            return
        _require_price(connection, symbol, session)
        suspects = find_suspected_splits(connection, [symbol])
        large = find_undecided_moves(connection, [symbol], _sessions_around(session))
        if session not in {moved.date() for moved in pd.concat([suspects, large])["date"]}:
            raise DataQualityError(
                f"{symbol} has no suspected split or large move on {session}, so there is nothing"
                f" to accept{_describe_suspected_days(suspects)}"
            )
        _record_decision(connection, symbol, session, None)
        outdated = outdated_results.record_decided_move(
            connection, symbol, session, has_split=False
        )
    typer.echo(f"{symbol} {session}: accepted as a real move")
    report_outdated(outdated)


@app.command()
def split(symbol: Symbol, session: MoveDay, ratio: Shares) -> None:
    """Record a split that stored prices are not adjusted for.

    Prices before the split are divided by the ratio when they are read. Stored prices do not
    change, and `riskmetrics prices undo` removes the decision. State quantities and entry prices as
    they are after the split.

    Example: riskmetrics prices split XYZ 2022-12-14 4:1
    """
    from riskmetrics.db import outdated_results, price_decisions, symbol_spellings

    shares = _parse_ratio(ratio)
    with write_transaction() as connection:
        symbol = symbol_spellings.find_stored_spelling(connection, symbol)
        if _is_decided(connection, symbol, session, shares):
            return
        _require_price(connection, symbol, session)
        _require_move(connection, symbol, session, shares)
        _record_decision(connection, symbol, session, shares)
        outdated = outdated_results.record_decided_move(connection, symbol, session, has_split=True)
        lots = price_decisions.count_earlier_lots(connection, symbol, session)
    typer.echo(
        f"{symbol} {session}: earlier prices are divided by {shares.factor:.6g}, a {shares} split"
    )
    if lots:
        echo_err(
            f"{pluralize(lots, 'lot')} of {symbol} opened before the split: quantity and entry"
            " price must be those after the split. If they are not, run `riskmetrics portfolio"
            " remove NAME` and import the holdings again; a changed quantity would count as a trade"
        )
    report_outdated(outdated)


@app.command()
def undo(symbol: Symbol, session: MoveDay) -> None:
    """Remove a decision, so that the move is suspected again.

    Example: riskmetrics prices undo XYZ 2022-12-14
    """
    from riskmetrics.db import outdated_results, price_decisions, symbol_spellings

    with write_transaction() as connection:
        symbol = symbol_spellings.find_stored_spelling(connection, symbol)
        decision = price_decisions.read_decision(connection, symbol, session)
        is_removed = price_decisions.remove_decision(connection, symbol, session)
        outdated = (
            outdated_results.record_decided_move(
                connection, symbol, session, has_split=bool(decision and decision.ratio)
            )
            if is_removed
            else None
        )
    if not is_removed:
        typer.echo(
            f"{symbol} {session}: there is no decision to remove; see riskmetrics prices list"
        )
        return
    typer.echo(f"{symbol} {session}: decision removed")
    report_outdated(outdated)


def _parse_ratio(text: str) -> "SplitRatio":
    """Return a split from text such as 4:1, 4, 3:2 or 1.5."""
    from fractions import Fraction

    from riskmetrics.db.price_decisions import MAX_SPLIT_SHARES, SplitRatio

    try:
        new, _, old = text.partition(":")
        shares = Fraction(new.strip()) / Fraction(old.strip() or "1")
    except (ValueError, ZeroDivisionError):
        shares = Fraction(0)
    if shares <= 0 or shares == 1 or max(shares.numerator, shares.denominator) > MAX_SPLIT_SHARES:
        raise UsageError(
            f"{text} is not a split ratio: pass new shares per old ones, such as 4:1, 3:2, or 1:10"
            " for a reverse split"
        )
    return SplitRatio(shares.numerator, shares.denominator)


def _is_decided(
    connection: "sa.Connection", symbol: str, session: date, ratio: "SplitRatio | None"
) -> bool:
    """Return whether the same decision is stored, and print that; another one is an error."""
    from riskmetrics.db import price_decisions

    stored = price_decisions.read_decision(connection, symbol, session)
    if stored is None:
        return False
    if stored.ratio != ratio:
        raise UsageError(
            f"{symbol} {session} is already recorded as {stored}: run riskmetrics prices undo"
            f" {symbol} {session} first"
        )
    typer.echo(f"{symbol} {session}: already recorded as {stored}")
    return True


def _require_price(connection: "sa.Connection", symbol: str, session: date) -> None:
    import math

    from riskmetrics.db import price_decisions
    from riskmetrics.db.split_suspects import find_suspected_splits

    move = price_decisions.read_stored_move(connection, symbol, session)
    if not math.isnan(move.close):
        return
    if not price_decisions.has_prices(connection, symbol):
        raise DataQualityError(
            f"no price of {symbol} is stored: see `riskmetrics prices list` for the symbols that"
            " wait for a decision"
        )
    days = _describe_suspected_days(find_suspected_splits(connection, [symbol]))
    raise DataQualityError(f"no price of {symbol} is stored on {session}{days}")


def _require_move(
    connection: "sa.Connection", symbol: str, session: date, ratio: "SplitRatio"
) -> None:
    """Raise an error if neither stored close moves by about the ratio on the session."""
    from riskmetrics.db import price_decisions
    from riskmetrics.db.split_suspects import find_suspected_splits

    move = price_decisions.read_stored_move(connection, symbol, session)
    if ratio.matches_move(move.close_before, move.close) or ratio.matches_move(
        move.adj_close_before, move.adj_close
    ):
        return
    if move.previous_day is None:
        raise DataQualityError(
            f"no price of {symbol} is stored before {session}, so there is nothing to adjust"
        )
    reverse = price_decisions.SplitRatio(ratio.old_shares, ratio.new_shares)
    hint = _describe_suspected_days(find_suspected_splits(connection, [symbol]))
    if reverse.matches_move(move.close_before, move.close):
        hint = f"; new shares come first: {reverse} fits"
    raise DataQualityError(
        f"{symbol} closes at {move.close:,.4f} on {session} and at {move.close_before:,.4f} on "
        f"{move.previous_day}, which is not a {ratio} split{hint}"
    )


def _describe_suspected_days(suspects: "pd.DataFrame") -> str:
    """Return the end of a sentence that names the sessions of suspected splits."""
    if suspects.empty:
        return "; the symbol has no suspected split, see `riskmetrics prices list`"
    return f"; suspected splits: {', '.join(f'{day:%Y-%m-%d}' for day in suspects['date'][:5])}"


def _record_decision(
    connection: "sa.Connection", symbol: str, session: date, ratio: "SplitRatio | None"
) -> None:
    from riskmetrics.db import price_decisions
    from riskmetrics.resources import code_version

    price_decisions.record_decision(connection, symbol, session, ratio, code_version())


def _find_held_moves(connection: "sa.Connection") -> "pd.DataFrame":
    """Return undecided large moves of holdings and the market index in the year of the prices."""
    from riskmetrics import settings, trading_calendar
    from riskmetrics.db import input_queries, stored_settings
    from riskmetrics.db.split_suspects import find_undecided_moves
    from riskmetrics.results import price_faults

    market = stored_settings.read_market_index(connection, settings.load().market_index)
    last = input_queries.read_last_close_date(connection, market)
    symbols = {market, *input_queries.read_held_symbols(connection, last)} if last else set()
    sessions = price_faults.required_sessions(last or trading_calendar.last_completed_session())
    return find_undecided_moves(connection, symbols, sessions)


def _sessions_around(session: date) -> list[date]:
    """Return the sessions that are needed to evaluate the move on a session."""
    from datetime import timedelta

    from riskmetrics import trading_calendar

    last = min(trading_calendar.calendar_end(), session + timedelta(days=7))
    return trading_calendar.sessions_between(session - timedelta(days=14), last)


def _tabulate_moves(
    suspects: "pd.DataFrame", large_moves: "pd.DataFrame", decisions: "pd.DataFrame"
) -> "pd.DataFrame":
    """Return suspected splits, large moves and decisions as one table, by symbol and day."""
    import pandas as pd

    from riskmetrics import trading_calendar
    from riskmetrics.db.price_decisions import ACCEPT, SplitRatio
    from riskmetrics.results import price_moves

    rows = []
    latest = trading_calendar.calendar_end()
    for move in price_moves.select_open_suspects(suspects, latest).to_dict("records"):
        symbol, day, size = move["symbol"], move["date"].date(), move["ratio"]
        commands = price_moves.split_commands(symbol, day, size)
        ratio = price_moves.format_split(size)
        rows.append((symbol, move["date"], "suspected", ratio, None, commands))
    for found in price_moves.large_move_findings(large_moves).to_dict("records"):
        state = f"large move, {found['measure']:+.0%}"
        rows.append((found["symbol"], found["day"], state, "", None, found["what_to_do"]))
    for row in decisions.to_dict("records"):
        symbol, day = row["symbol"], row["date"]
        state, ratio = "accepted", ""
        if row["kind"] != ACCEPT:
            has_effect = row["close_moves"] or row["adj_close_moves"]
            state = "split" if has_effect else "split, without effect"
            ratio = str(SplitRatio(row["new_shares"], row["old_shares"]))
        undo = f"riskmetrics prices undo {symbol} {day:%Y-%m-%d}"
        rows.append((symbol, day, state, ratio, row["decided_at"][:16], undo))
    columns = ["symbol", "date", "state", "ratio", "decided_at", "what_to_do"]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values(["symbol", "date"], ignore_index=True)

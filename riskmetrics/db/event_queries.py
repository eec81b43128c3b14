"""Read and store calendars of events, such as days of earnings reports."""

from collections.abc import Collection
from datetime import date, timedelta

import pandas as pd
import sqlalchemy as sa

from riskmetrics.db import tables, write
from riskmetrics.db.copy import fetch_frame
from riskmetrics.db.sql_expressions import any_of
from riskmetrics.db.write import WriteCounts


def read_events(connection: sa.Connection, symbols: Collection[str]) -> pd.DataFrame:
    """Return symbol, day and known_on (timestamps) of the events of symbols, by symbol and day."""
    table = tables.symbol_events
    columns = table.c.symbol, table.c.day, table.c.known_on
    chosen = sa.select(*columns).where(table.c.symbol == any_of(symbols))
    return fetch_frame(connection, chosen.order_by(table.c.symbol, table.c.day))


def store_events(
    connection: sa.Connection, rows: pd.DataFrame, source: str, import_session: date
) -> WriteCounts:
    """Replace the events of each symbol of ``rows`` from its first day in ``rows`` on.

    Later events of the symbol that are not in ``rows`` are removed, at least those after
    ``import_session``: they were moved or canceled. An event without known_on keeps the stored one,
    or is known from the session on.

    Parameters
    ----------
    rows : DataFrame
        symbol, day and known_on (dates, None where missing).
    source : str
        Value of data_source.
    import_session : date
        Session of the import.
    """
    table = tables.symbol_events
    write.lock_asset(connection, "events")
    day_after = import_session + timedelta(days=1)
    firsts = {
        symbol: min(*days, day_after) for symbol, days in rows.groupby("symbol", sort=True)["day"]
    }
    starts = (
        sa.func.unnest(
            sa.cast(list(firsts), sa.ARRAY(sa.Text)),
            sa.cast(list(firsts.values()), sa.ARRAY(sa.Date)),
        )
        .table_valued("symbol", "first")
        .render_derived()
    )
    is_later = starts.c.symbol == table.c.symbol, starts.c.first <= table.c.day
    scope = sa.exists().where(*is_later)
    columns = table.c.symbol, table.c.day, table.c.known_on
    stored = connection.execute(sa.select(*columns).where(scope))
    known_before = {(symbol, day): known_on for symbol, day, known_on in stored}
    keys = zip(rows["symbol"], rows["day"], strict=True)
    default = pd.Series(
        [known_before.get(key, import_session) for key in keys], rows.index, dtype=object
    )
    known_on = rows["known_on"].where(rows["known_on"].notna(), default)
    return write.replace_rows(
        connection,
        table,
        rows.assign(known_on=known_on, data_source=source),
        key=["symbol", "day"],
        scope=scope,
    )

"""Several sheets of a workbook with holdings: views of one of them, or further holdings."""

from collections.abc import Mapping
from pathlib import Path

from riskmetrics.errors import DataQualityError
from riskmetrics.sources.statement_lines import Line
from riskmetrics.sources.statement_tables import StatedTable, securities, states_nothing_new
from riskmetrics.sources.tabular_files import Table
from riskmetrics.text import join_names

_NO_LINE = Line(0, "", [], 0)


def require_views(path: Path, read: Table, others: Mapping[str, Table | None]) -> None:
    """Require that other sheets state no holdings next to those of the sheet that is read.

    Each is a view of it, or all of them together are, as of accounts next to their sum.

    Parameters
    ----------
    path : Path
        The workbook, for errors.
    read : Table
        The sheet that is read.
    others : mapping
        Tables of the other sheets with holdings by their names; None if one cannot be read.

    Raises
    ------
    DataQualityError
        If a sheet has other securities, or the same in other sizes.
    """
    first = _stated_table(read)
    stated = {name: _stated_table(table) for name, table in others.items() if table is not None}
    new = {name: table for name, table in stated.items() if not states_nothing_new([first], table)}
    if len(new) > 1:
        columns: dict[str, tuple[int, ...]] = {
            name: () for table in new.values() for name in table.columns
        }
        parts = first._replace(
            columns=columns, rows=[row for table in new.values() for row in table.rows]
        )
        new = {} if states_nothing_new([first], parts) else new
    unread = [name for name, table in others.items() if table is None]
    if not new and not unread:
        return
    name = next(iter([*new, *unread]))
    further = f", with {join_names(sorted(securities([new[name]])))}" if name in new else ""
    raise DataQualityError(
        f"{path}: the sheet {name} has holdings next to those of the sheet that is read{further}."
        " Save each sheet as a file of its own, or hide the sheets that state no further holdings"
    )


def _stated_table(table: Table) -> StatedTable:
    """Return a table for comparison, without its blank columns."""
    texts = {name: table.text(name) for name in table.columns}
    filled = {name: text for name, text in texts.items() if (text != "").any()}
    rows = [dict(zip(filled, row, strict=True)) for row in zip(*filled.values(), strict=True)]
    return StatedTable(0, [], dict.fromkeys(filled, ()), [(_NO_LINE, row) for row in rows])

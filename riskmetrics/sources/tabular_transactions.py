"""Tables of transactions in a text: the layout, header and rows of each."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from riskmetrics.errors import DataQualityError
from riskmetrics.size_limits import Limits
from riskmetrics.sources.column_contents import find_columns_by_content
from riskmetrics.sources.file_kinds import (
    FileKind,
    classify_lines,
    is_header,
    require_kind,
)
from riskmetrics.sources.holdings_columns import (
    header_currency,
    header_spellings,
    strip_unit,
    strip_units,
)
from riskmetrics.sources.layouts import load_layouts as load_holdings_layouts
from riskmetrics.sources.stated_currency import has_dollar_headers, stated_currency
from riskmetrics.sources.statement_lines import (
    Line,
    header_keys,
    name_ticker_column,
    refuse_unsupported,
    require_columns_in_limit,
    split_by_delimiters,
    widest_delimiter,
)
from riskmetrics.sources.statement_parser import SkippedLine
from riskmetrics.sources.table_headers import header_key
from riskmetrics.sources.table_kinds import NUMBER
from riskmetrics.sources.tabular_files import choose_columns
from riskmetrics.sources.transaction_columns import (
    choose_amount,
    choose_costs,
    choose_currency,
    choose_net_amount,
    choose_quantity,
)
from riskmetrics.sources.transaction_layouts import (
    REQUIRED_COLUMNS,
    TransactionLayout,
    load_layouts,
)
from riskmetrics.sources.transaction_securities import StatedRow
from riskmetrics.sources.vocabulary import bare_words, load_vocabulary, starts_with
from riskmetrics.transactions.model import Kind

_MAX_HEADER_LINES = 200
_CANCELING_CODES = ("cxl", "cxld")
_AFFIRMATIONS = ("yes", "y", "true", "1")
_GROSS = ("gross", "brutto", "brut", "lordo", "bruto")
"""Words of the headers of amounts without fees and taxes."""


class TransactionTable(NamedTuple):
    """A table of a file: its layout, header and rows."""

    layout: TransactionLayout
    header: Line
    rows: list[Line]
    before: list[Line]
    all_lines: list[Line]
    delimiter: str = ","
    after: Sequence[Line] = ()
    """Lines below the last row."""
    note: str = ""
    """Note on a column that is read as Symbol, or empty."""

    @property
    def key(self) -> str:
        """Return what identifies the layout of the table in a file."""
        return self.layout.section or ""

    def conventions(self, path: Path) -> TransactionLayout:
        """Return the layout, with what the columns and the header of the amounts say."""
        if not self.layout.is_general or self.layout.is_net is not None or not self.rows:
            return self.layout
        headers, columns, _ = self._choose_columns(path)
        if self._choose_net_amount(columns) != columns:
            return self.layout._replace(is_net=True)
        keys = [*map(header_key, headers)]
        chosen = next((key for key in self.layout.columns["amount"] if key in keys), None)
        words = bare_words(headers[keys.index(chosen)]).split() if chosen else []
        return self.layout._replace(has_gross_header=not {*words}.isdisjoint(_GROSS))

    def _choose_columns(self, path: Path) -> tuple[list[str], dict[str, int], list[str]]:
        """Return the headers without units, the columns by meaning, and notes on them."""
        aliases = self.layout.columns
        headers = choose_currency(strip_units(self.header.cells, aliases), aliases)
        columns, notes = choose_columns(path, headers, aliases, REQUIRED_COLUMNS)
        for name, other in (("kind_detail", "kind"), ("fees", "commission")):
            if columns.get(name) == columns.get(other):
                columns.pop(name, None)
        if self.layout.is_general:
            columns = choose_amount(choose_quantity(columns, self.rows), self.rows)
            columns = choose_costs(headers, columns, aliases, self.rows)
        return headers, columns, notes

    def _choose_net_amount(self, columns: dict[str, int]) -> dict[str, int]:
        """Return columns whose amount is the net one of two, where purchases are paid."""
        place = columns.get("kind", 0)
        kinds = (self.layout.find_kind("".join(row.cells[place : place + 1])) for row in self.rows)
        is_paid = [kind in (Kind.BUY, Kind.BUY_TO_COVER) for kind in kinds]
        return choose_net_amount(columns, self.rows, is_paid)

    def read(self, path: Path) -> tuple[list[StatedRow], list[SkippedLine], list[str]]:
        """Return the cells of all rows by column, and skipped lines."""
        _, columns, notes = self._choose_columns(path)
        if self.layout.is_general:
            columns = self._choose_net_amount(columns)
        if (place := self._currency_place(columns)) is not None:
            columns["currency"] = place
        known = {*columns, "position_type"}
        columns |= find_columns_by_content(self._unused_texts(columns), known)
        currency = self._header_currency(columns)
        if "currency" not in columns and not has_dollar_headers(self.header.cells):
            currency = currency or stated_currency(line.cells for line in self.before)
        rows, skipped = [], [SkippedLine(line.number, "before the table") for line in self.before]
        skipped += [SkippedLine(line.number, "below the table") for line in self.after]
        self._refuse_other_table(path)
        unexecuted = self._unexecuted_words(columns)
        for line in self.rows:
            cells = {
                name: line.cells[place]
                for name, place in columns.items()
                if place < len(line.cells) and line.cells[place].strip("-")
            }
            if currency:
                cells["currency"] = currency
            canceled, is_flag = self._cancellation(line, columns)
            if canceled:
                cells["kind_detail"] = f"{cells.get('kind_detail', '')} {canceled}".strip()
            flag = f"canceled: {canceled}" if is_flag else None
            if reason := self._skip_reason(line, cells, columns, unexecuted) or flag:
                skipped.append(SkippedLine(line.number, reason))
            else:
                rows.append(StatedRow(line.number, line.raw, cells, self.key))
        return rows, skipped, [*notes, *([self.note] if self.note else [])]

    def _cancellation(self, line: Line, columns: Mapping[str, int]) -> tuple[str, bool]:
        """Return the cell of an unknown column that cancels a line or another, and if it is a flag.

        A flag, such as Yes below Canceled or Withdrawn, is of the line itself. Below a header that
        does not say so, only a code is: Canceled can be the rest of an order.
        """
        vocabulary = load_vocabulary()
        flags = vocabulary.canceled | (vocabulary.unexecuted - vocabulary.opened)
        for place in {*range(len(line.cells))} - {*columns.values()}:
            text = line.cells[place]
            header = bare_words("".join((*self.header.cells, "")[place : place + 1]))
            if header in flags and text.casefold() in _AFFIRMATIONS:
                return text, True
            words = vocabulary.canceled | vocabulary.flags
            is_of_line = not header or not words.isdisjoint(header.split())
            if bare_words(text) in (vocabulary.canceled if is_of_line else _CANCELING_CODES):
                return text, False
        return "", False

    def _refuse_other_table(self, path: Path) -> None:
        """Raise DataQualityError if a table of other columns, but also of transactions, follows.

        Only the general layout is looked at: a broker's other tables are known.
        """
        days, numbers = (
            {key for name in names for key in self.layout.columns.get(name, ())}
            for names in (("day",), ("quantity", "amount", "debit", "credit"))
        )
        for line in self.rows if self.layout.is_general else ():
            keys = header_keys(line)
            if (
                line.cells != self.header.cells
                and is_header(line.cells)
                and keys & days
                and keys & numbers
            ):
                raise DataQualityError(
                    f"{path}: line {line.number} begins another table, with the columns"
                    f" {', '.join(filter(None, line.cells))[:300]}. Save each table as a file of"
                    " its own, and import them one after the other"
                )

    def _unused_texts(self, columns: Mapping[str, int]) -> Iterator[tuple[int, set[str]]]:
        """Yield the place and the distinct texts of each column that is not known."""
        for place in sorted({*range(len(self.header.cells))} - {*columns.values()}):
            yield place, {line.cells[place] for line in self.rows if place < len(line.cells)}

    def _header_currency(self, columns: Mapping[str, int]) -> str:
        """Return the currency other than USD that the header of amounts or prices names."""
        headers = self.header.cells
        for name in ("amount", "price"):
            keys = self.layout.columns.get(name, ())
            chosen = [headers[columns[name]]] if name in columns else headers
            for header in chosen:
                if (code := header_currency(header)) and header_key(strip_unit(header)) in keys:
                    return code
        return ""

    def _currency_place(self, columns: Mapping[str, int]) -> int | None:
        after = self.layout.currency_after
        if after is None or after not in columns:
            return None
        place = columns[after] + 1
        headers = self.header.cells
        return place if place >= len(headers) or not headers[place] else None

    def _skip_reason(
        self,
        line: Line,
        cells: Mapping[str, str],
        columns: Mapping[str, int],
        unexecuted: frozenset[str],
    ) -> str | None:
        """Return why a line is no transaction: a remark, a repeated header, another detail."""
        if line.cells == self.header.cells:
            return "a repeated header"
        if len(line.cells) == 1 or not cells:
            return "a remark"
        if _is_total(line, cells):
            return "a total"
        status, kind = cells.get("status", ""), self.layout.find_kind(cells.get("kind", ""))
        is_withdrawn = kind == Kind.WITHDRAWAL and status.casefold().startswith("withdrawn")
        if starts_with(status, unexecuted) and not is_withdrawn:
            return f"not executed: {status}"
        for name, expected in self.layout.required_values.items():
            text = cells.get(name, "")
            if name in columns and text.casefold() != expected:
                return f"no transaction: {text or '(empty)'}"
        return None

    def _unexecuted_words(self, columns: Mapping[str, int]) -> frozenset[str]:
        """Return the words of orders that are not executed; without Open next to Closed or Win.

        Without a status that only orders have, these are of the positions that trades opened.
        """
        vocabulary = load_vocabulary()
        place = columns.get("status")
        if place is None:
            return vocabulary.unexecuted
        statuses = {line.cells[place] for line in self.rows if place < len(line.cells)} - {""}
        others = {text for text in statuses if not starts_with(text, vocabulary.opened)}
        of_orders = (vocabulary.unexecuted | vocabulary.executed) - vocabulary.closed
        has_orders = any(starts_with(text, of_orders) for text in others)
        is_of_positions = bool(others) and not has_orders
        return vocabulary.unexecuted - (vocabulary.opened if is_of_positions else frozenset())


def _is_total(line: Line, cells: Mapping[str, str]) -> bool:
    """Return whether a line starts with a word for a total and has no day.

    What has one is a transaction in a security of such a name.
    """
    texts = next(filter(None, line.cells), ""), cells.get("currency", "")
    totals = load_vocabulary().totals
    return cells.get("day", "") in ("", texts[0]) and any(
        starts_with(text, totals) for text in texts
    )


def find_tables(path: Path, text: str, limits: Limits) -> list[TransactionTable]:
    """Return the tables of a text by the first layout that matches; raise if there is none."""
    readings = split_by_delimiters(path, text)
    delimiter = widest_delimiter(readings)
    require_columns_in_limit(path, readings[delimiter], limits)
    return [table._replace(delimiter=delimiter) for table in list_tables(path, readings[delimiter])]


def list_tables(path: Path, lines: list[Line]) -> list[TransactionTable]:
    """Return the tables in lines by the first layout that matches; raise if there is none."""
    if tables := _find_sections(lines):
        return tables
    *brokers, general = load_layouts()
    for layout in (one for one in brokers if one.section is None):
        for place, line in enumerate(lines[:_MAX_HEADER_LINES]):
            if layout.matches_header(header_keys(line)):
                rows = _rows_of_table(lines[place + 1 :], layout)
                after = lines[place + 1 + len(rows) :]
                return [TransactionTable(layout, line, rows, lines[:place], lines, after=after)]
    return [_find_general_table(path, lines, general)]


def _rows_of_table(lines: list[Line], layout: TransactionLayout) -> list[Line]:
    """Return the lines above the last row of a layout, if it has one; else all."""
    ends = (
        at for at, line in enumerate(lines) if layout.last_row in [*map(str.casefold, line.cells)]
    )
    return lines[: next(ends, None)]


def _find_general_table(
    path: Path, lines: list[Line], general: TransactionLayout
) -> TransactionTable:
    """Return the table below the first line with headers of a date, a kind and a number."""
    _refuse_other_language(path, lines)
    if len(lines) == 1:
        raise DataQualityError(
            f"{path} has a header but no row, so no transaction: export it again"
        )
    lines, note = name_ticker_column(lines)
    kind = classify_lines([line.cells for line in lines])
    if FileKind.TRANSACTIONS not in kind.alternatives:  # else each line has to name its kind
        require_kind(path, kind, {FileKind.TRANSACTIONS})
    for place, line in enumerate(lines[:_MAX_HEADER_LINES]):
        keys = header_keys(line)
        if not keys & set(general.columns["day"]) or not any(
            keys & set(general.columns[name]) for name in ("quantity", "amount", "debit")
        ):
            continue
        if not keys & set(general.columns["kind"]):
            line = _name_kinds(line, lines[place + 1 :], general)  # noqa: PLW2901
        below, above = lines[place + 1 :], lines[:place]
        if header_keys(line) & set(general.columns["kind"]):
            return TransactionTable(general, line, below, above, lines, note=note)
        if _has_signed_trades(line, below, general):
            note = "without a column of kinds, a negative quantity is a sale"
            by_sign = general._replace(kind_by_sign=True)
            return TransactionTable(by_sign, line, below, above, lines, note=note)
    headers = ", ".join(cell for cell in lines[0].cells if cell)[:300]
    raise DataQualityError(
        f"{path} has no line with headers of a date, a kind (such as Buy, Sell) and a quantity or"
        f" an amount. Its first line is: {headers}. See docs/how-to/transactions.md for the"
        " columns"
    )


def _has_signed_trades(header: Line, rows: list[Line], general: TransactionLayout) -> bool:
    """Return whether quantities have both signs, and no unknown column can name a kind."""
    columns = general.columns
    known = {key for keys in columns.values() for key in keys}
    signs = set()
    for place, cells in enumerate(zip(header.cells, strip_units(header.cells), strict=True)):
        keys = {*map(header_key, cells)}
        texts = {row.cells[place] for row in rows if place < len(row.cells)} - {""}
        if keys & {*columns["quantity"]}:
            signs |= {text.startswith(("-", "(")) for text in texts}
        elif not keys & known and not all(NUMBER.fullmatch(text) for text in texts):
            return False
    return len(signs) > 1


def _name_kinds(header: Line, rows: list[Line], general: TransactionLayout) -> Line:
    """Return a header with Kind above a column of which each cell starts with a kind.

    So are descriptions in exports without a column of kinds (Bought 40 KO), and columns with a
    header that is not known if they have purchases and sales in words: B can be a grade.
    """
    descriptions = {*general.columns["description"]}
    others = {key for name in general.columns for key in general.columns[name]} - descriptions
    for place, cell in enumerate(header.cells):
        if others.intersection(keys := header_spellings(cell)):
            continue
        texts = [row.cells[place] for row in rows if len(row.cells) > max(place, 1)]
        kinds = [*map(general.find_kind, texts)]
        has_sides = min(map(len, texts), default=0) > 1 and {Kind.BUY, Kind.SELL} <= {*kinds}
        if texts and all(kinds) and (has_sides or descriptions.intersection(keys)):
            return header._replace(
                cells=[*header.cells[:place], "Kind", *header.cells[place + 1 :]]
            )
    return header


def _refuse_other_language(path: Path, lines: list[Line]) -> None:
    """Raise DataQualityError if a file is a statement of sections in another language."""
    layouts = load_holdings_layouts().unsupported
    refuse_unsupported(path, lines, tuple(one for one in layouts if one.is_of_any_kind))


def _find_sections(lines: Sequence[Line]) -> list[TransactionTable]:
    """Return the tables of a statement whose lines start with section and kind of line."""
    by_section = {one.section: one for one in load_layouts() if one.section}
    tables = []
    for section, layout in by_section.items():
        own = [line for line in lines if line.cells[0] == section and len(line.cells) > 2]
        header: Line | None = None
        rows: list[Line] = []
        for line in own:
            content = line._replace(cells=line.cells[2:], n_cells=line.n_cells - 2)
            if line.cells[1] == "Header":
                if header is not None and rows:
                    tables.append(TransactionTable(layout, header, rows, [], list(lines)))
                header, rows = content, []
            elif line.cells[1] == "Data" and header is not None:
                rows.append(content)
        if header is not None and rows:
            tables.append(TransactionTable(layout, header, rows, [], list(lines)))
    return tables

"""Side of the positions below a line such as Short positions, until their section ends."""

from collections.abc import Sequence, Set
from pathlib import Path

from riskmetrics.errors import DataQualityError
from riskmetrics.sources.asset_classes import asset_class
from riskmetrics.sources.statement_rows import NUMBER_OR_BLANK
from riskmetrics.sources.table_headers import header_key
from riskmetrics.sources.vocabulary import bare_words, load_vocabulary, starts_with

SHORT = "SHORT"
_MAX_TITLE_WORDS = 6
"""Words of the longest title; a longer line is a remark."""


class SectionSide:
    """Side of the lines fed so far, and where it ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._side = self._last = ""
        self._has_rows = self._has_classes = False

    def start(self, side: str) -> None:
        """Begin the section of a side."""
        self._side = self._last = side
        self._has_rows = self._has_classes = False

    def apply(self) -> str:
        """Return LONG or SHORT for a position of the section, empty outside of one."""
        self._has_rows = True
        return self._side

    def end_account(self) -> None:
        """End the section at another account."""
        self.start("")

    def start_table(self, line: int) -> None:
        """Process a header: it ends a section of long positions.

        Raises
        ------
        DataQualityError
            If it follows short positions: the table may go on on another page, or be one of long
            positions.
        """
        if self._has_rows and self._side == SHORT:
            raise self._unstated_side(line, "a header")
        self.end_rows()

    def end_rows(self) -> None:
        """End the section at a header below its rows."""
        if self._has_rows:
            self.start("")

    def end_total(self) -> None:
        """End the section at a total."""
        self._side = ""

    def start_class(self, line: int, text: str, *, is_cash: bool) -> None:
        """Process a line of an asset class, which belongs to the side if one began its rows.

        Raises
        ------
        DataQualityError
            If the class follows short positions, and may be one of long positions.
        """
        is_nested = self._has_classes and self._side == self._last
        if is_cash:
            self.end_account()
        elif self._last == SHORT and self._has_rows and not is_nested:
            raise self._unstated_side(line, text)
        else:
            self._has_classes = bool(self._last)

    def _unstated_side(self, line: int, text: str) -> DataQualityError:
        return DataQualityError(
            f"{self._path}: line {line}, {text}, follows short positions and does not state its"
            " side. Write a line Long positions or Short positions above it"
        )


def section_side(text: str) -> str:
    """Return LONG or SHORT if a line of one cell names the side of the positions below it."""
    sections = load_vocabulary().sections
    sides = ("long", "short")
    return next((side.upper() for side in sides if bare_words(text) in sections[side]), "")


def names_unheld(title: str) -> bool:
    """Return whether a title is that of closed positions, orders, a watchlist or targets.

    Examples
    --------
    >>> [names_unheld(title) for title in ("Closed positions", "Orders", "Targets", "Holdings")]
    [True, True, True, False]
    """
    targets = load_vocabulary().targets
    return _is_closed_title(title) or not targets.isdisjoint(bare_words(title).split())


class ClosedSections:
    """Whether the lines fed so far are in a section of positions that are not held.

    Besides the title of held positions, another account ends it, and a title that is no part of it.
    """

    def __init__(self, path: Path) -> None:
        self._path, self.is_closed = path, False
        self._has_rows = self._has_parts = self._has_titles = False
        self._unclear = ""  # title that can be that of other positions
        self._accounts: set[str] = set()
        self._labels: set[str] = set()

    def enter(
        self, cells: Sequence[str], *, is_above_table: bool, has_table: bool, is_repeated: bool
    ) -> str:
        """Process a line; return what it is if it begins or ends such a section.

        Parameters
        ----------
        cells : sequence of str
            Cells of the line.
        is_above_table : bool
            Whether the next line is the header of a table.
        has_table : bool
            Whether a table is above: before one, amounts are those of a summary.
        is_repeated : bool
            Whether the header in the next line is that of the table above.
        """
        filled = [cell for cell in cells if cell]
        text = filled[0] if filled else ""
        titles = load_vocabulary().sections
        is_title = len(filled) == 1 and (
            _is_closed_title(text)
            or (has_table and bare_words(text) in titles["compared"])
            or (
                has_table
                and is_above_table
                and not is_repeated
                and bare_words(text) in titles["other"]
            )
        )
        if len(filled) == 1 and bare_words(text) in titles["end"]:
            self.is_closed, self._has_rows, self._has_parts = True, True, False
            self._has_titles, self._unclear = False, text
            return "the end of the report"
        is_amounts = all(map(NUMBER_OR_BLANK.fullmatch, filled[1:]))
        if len(filled) > 1 and cells[0] and has_table and is_amounts:
            is_title = _is_closed_title(text, has_amounts=True)
        if is_title:
            self.is_closed, self._has_rows, self._has_parts = True, False, False
            self._has_titles, self._unclear = False, ""
            return "the title of positions that are not held"
        account = _labeled_account(filled)
        is_title = self.is_closed and len(filled) == 1
        if is_title and not self._has_rows:
            self._has_titles = True
        elif is_title and not self._has_titles and _may_be_title(text):
            self._unclear = text
        is_end = is_title and self._is_other_title(text, is_above_table=is_above_table)
        if not (self._is_other(account) if account else is_end):
            return ""
        self.is_closed = False
        if is_above_table or section_side(text):
            return ""  # the line can be the name of an account, or the side of the lines below
        return "the account" if account else "the title of other positions"

    def _is_other(self, account: str) -> bool:
        """Return whether the label of an account ends a closed section; record it outside of one.

        A section below the accounts can name them again, and one without any its own.
        """
        if not self.is_closed:
            self._labels.add(account)
            return False
        return account not in self._labels if self._labels else self._has_rows

    def _is_other_title(self, text: str, *, is_above_table: bool) -> bool:
        """Return whether a line of one cell is the title of other positions than closed ones.

        Titles such as Technology or 2023 are of parts if the first is above the first rows.
        """
        if _names_positions(text):
            return True
        is_side = bool(section_side(text))
        if not is_side and not (is_above_table and _is_unrelated(text)):
            return False
        self._has_parts |= not self._has_rows
        return not self._has_parts

    def end_account(self) -> None:
        """End the section at another account."""
        self.is_closed = False

    def is_in_closed(self, account: str, *, line: int, is_row: bool, is_sized: bool) -> bool:
        """Return whether a row is in such a section; an account without a row above it ends it.

        Raises
        ------
        DataQualityError
            If a row with a size is below the first title in the section, and rows are above that:
            it can be the title of held positions.
        """
        if self.is_closed and self._accounts and account and account not in self._accounts:
            self.is_closed = False
        if account and not self.is_closed:
            self._accounts.add(account)
        if self.is_closed and self._unclear and is_sized:
            raise DataQualityError(
                f"{self._path}: line {line} is below {self._unclear}, which can be a part of"
                " the positions above it that are not held, or the title of held ones. Write a line"
                " Open positions above what is held, or remove what is not"
            )
        self._has_rows |= self.is_closed and is_row
        return self.is_closed


def _is_closed_title(text: str, *, has_amounts: bool = False) -> bool:
    """Return whether a title is that of positions that are not held, or of orders.

    With amounts next to it, a line of gains or orders is one of a summary. Options that are sold
    without a year are written, and so held.

    Examples
    --------
    >>> titles = ("Positions closed in 2024", "Open orders", "Sold short", "Open and closed lots")
    >>> [_is_closed_title(title) for title in titles]
    [True, True, False, False]
    >>> [_is_closed_title(title, has_amounts=True) for title in (*titles[:2], "Realized gains")]
    [True, False, False]
    """
    sections, tax_terms = load_vocabulary().sections, load_vocabulary().tax_terms
    if bare_words(text) in sections["ended"]:
        return True
    stated = {*bare_words(text).split()}
    words = {word for word in stated if not word.isdigit()}
    if words & tax_terms:
        words -= {"long", "short"}  # terms, not sides
    others = words - tax_terms - _open_words() - _closing_words()
    others -= sections["fillers"] | sections["current"]
    if not 0 < len(words) <= _MAX_TITLE_WORDS or others or section_side(text):
        return False
    closed = words & sections["closed"]
    if words == stated and words & load_vocabulary().classes["option"]:
        closed -= sections["sold"]
    if has_amounts:
        closed -= sections["realized"] if not words & _open_words() else set()
        closed -= closed if words & sections["gains"] else set()
    is_closed = closed and not words & sections["current"]
    return bool(is_closed or words & sections["watch"] or (not has_amounts and _is_orders(words)))


def _is_orders(words: Set[str]) -> bool:
    """Return whether the words of a title name orders, and no positions next to them."""
    sections = load_vocabulary().sections
    positions = _open_words() - sections["fillers"] - sections["current"]
    return bool(words & sections["orders"]) and not words & positions


def _names_positions(text: str) -> bool:
    """Return whether a short title has a word such as positions, and none such as closed."""
    words = {*bare_words(text).split()}
    sections = load_vocabulary().sections
    is_part = words & (sections["closed"] | sections["watch"] | load_vocabulary().tax_terms)
    is_short = 0 < len(words) <= _MAX_TITLE_WORDS
    is_part_or_orders = bool(is_part) or _is_orders(words)
    return is_short and not is_part_or_orders and bool(words & _open_words())


def _may_be_title(text: str) -> bool:
    """Return whether a line of one cell may be a title: a few words without a digit, no total."""
    n_words = len(bare_words(text).split())
    has_digit = any(map(str.isdigit, text))
    is_total = starts_with(text, load_vocabulary().totals)
    return 0 < n_words <= _MAX_TITLE_WORDS and not (has_digit or is_total)


def _is_unrelated(text: str) -> bool:
    """Return whether a short title has no word of closed positions, classes and totals."""
    vocabulary = load_vocabulary()
    words = {*bare_words(text).split()}
    is_part = words & (_closing_words() | vocabulary.tax_terms)
    is_class = bool(asset_class(text)) or starts_with(text, vocabulary.totals)
    return 0 < len(words) <= _MAX_TITLE_WORDS and not is_part and not is_class


def _closing_words() -> frozenset[str]:
    """Return the words of the titles of positions that are not held."""
    sections = load_vocabulary().sections
    return sections["closed"] | sections["orders"] | sections["watch"]


def _open_words() -> set[str]:
    """Return the words of the titles of open positions."""
    return {word for title in load_vocabulary().sections["open"] for word in title.split()}


def _labeled_account(filled: Sequence[str]) -> str:
    """Return the account that a line such as ``Account: 401k`` names; empty if none."""
    label, _, rest = filled[0].partition(":") if filled else ("", "", "")
    values = [text for text in (rest.strip(), *filled[1:]) if text]
    columns = load_vocabulary().columns
    is_label = header_key(label) in {*columns["account"], *columns["account_number"]}
    return values[0] if is_label and len(values) == 1 else ""

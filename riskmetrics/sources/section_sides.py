"""Side of the positions below a line such as Short positions, until their section ends."""

from collections.abc import Sequence
from pathlib import Path

from riskmetrics.errors import DataQualityError
from riskmetrics.sources.vocabulary import bare_words, load_vocabulary

SHORT = "SHORT"


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


class ClosedSections:
    """Whether the lines fed so far are in a section of positions that are not held."""

    def __init__(self) -> None:
        self.is_closed = False

    def enter(self, cells: Sequence[str]) -> str:
        """Process a line; return what it is if it begins or ends such a section."""
        filled = [cell for cell in cells if cell]
        words = bare_words(filled[0]) if len(filled) == 1 else ""
        sections = load_vocabulary().sections
        if words in sections["closed"]:
            self.is_closed = True
            return "the title of positions that are not held"
        is_end = self.is_closed and any(
            words in sections[name] for name in ("open", "long", "short")
        )
        self.is_closed &= not is_end
        return "the title of open positions" if is_end and not section_side(filled[0]) else ""

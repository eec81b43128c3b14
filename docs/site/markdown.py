"""Parts of Markdown pages: tables, cells and links to headings."""

import re
from collections.abc import Iterable, Sequence


def build_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; cells are Markdown on one line, as from `escape_cell`."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def escape_cell(text: str) -> str:
    """Return plain text as a table cell: on one line, without meaning to Markdown or HTML."""
    plain = " ".join(text.split())
    plain = plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # code in double or single backticks keeps its characters
    parts = re.split(r"(`+[^`]+`+)", plain)
    parts[::2] = [re.sub(r"([\\*_\[\]|])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts).replace("|", "&#124;").replace("\\&#124;", "&#124;")


def as_code(text: str) -> str:
    """Return text as inline code in a table cell; empty text stays empty."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<code>{escaped.replace('|', '&#124;')}</code>" if text else ""


def link_to_heading(name: str, page: str = "") -> str:
    """Return a link to a heading that has an identifier as its text."""
    return f"[{as_code(name)}]({page}#{name.lower().replace(' ', '-')})"

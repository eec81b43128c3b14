"""How-to page of brokers: what to click and what is left out, from the layouts."""

from docs.site.markdown import build_table, escape_cell
from riskmetrics.sources.layouts import load_layouts

_HEAD = """# Holdings of each broker

After reading this page you know which file to export from your broker, and what of it is imported.

    riskmetrics layouts check export.csv
    riskmetrics import portfolio export.csv --dry-run

The first command prints what kind of file it is and what each column means, the second prints each
line that is left out and why. Neither stores anything.

A broker that is not listed is read too, if the file has a symbol next to a quantity, a weight or a
value in English, German, French, Spanish, Italian, Portuguese or Dutch
([Import holdings](holdings.md)). Otherwise [add its layout](add-a-broker-layout.md).

"""
_TAIL = """
Lists of transactions are another kind of file: [Import transactions](transactions.md).
"""


def build_brokers_page() -> str:
    """Return the page of all layouts that a broker exports."""
    known = load_layouts()
    layouts = sorted(
        (one for one in (*known.layouts, *known.unsupported) if one.export),
        key=lambda one: one.name.casefold(),
    )
    rows = [
        tuple(map(escape_cell, (one.name, one.export, one.left_out or "nothing")))
        for one in layouts
    ]
    return _HEAD + build_table(("File", "What to click", "What is left out"), rows) + _TAIL

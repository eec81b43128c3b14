"""Methodology of the statistics of pro-forma returns, from their records in the catalog."""

from docs.site.markdown import as_code, build_table, escape_cell
from riskmetrics.catalog import Statistic, all_statistics

_INTRODUCTION = """# Statistics of pro-forma returns

After reading this page you know each figure that is a function of a portfolio's [pro-forma
returns](prices-and-returns.md#pro-forma-returns) R, with or without the returns m of the market
index. Each statistic has a table of its own, with one row per portfolio and session.

"""


def build_statistics_page() -> str:
    """Return the page: one section for each statistic."""
    return _INTRODUCTION + "\n".join(map(_build_section, all_statistics()))


def list_statistics() -> str:
    """Return the tables of all statistics with their contents, in a sentence."""
    return "; ".join(f"`{statistic.table}` ({statistic.content})" for statistic in all_statistics())


def _build_section(statistic: Statistic) -> str:
    module = statistic.function.partition(":")[0]
    page = module.removeprefix("riskmetrics.")
    rows = [
        (
            as_code(figure.column),
            as_code(figure.formula),
            escape_cell(figure.unit.value),
            escape_cell(figure.null if figure.minimum else ""),
            escape_cell(figure.reference),
        )
        for figure in statistic.figures
    ]
    return (
        f"## {statistic.table}\n\n{statistic.content[:1].upper()}{statistic.content[1:]}."
        f" Computed by [{page}](../../reference/api/{page}.md) from the returns of"
        f" {statistic.sessions} sessions; at least {statistic.min_obs} are required.\n\n"
        + build_table(("column", "formula", "unit", "NULL", "source"), rows)
    )

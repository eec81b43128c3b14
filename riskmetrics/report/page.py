"""Self-contained HTML page of the portfolios on one session, from stored results."""

import base64
import hashlib
from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path

import jinja2
import markupsafe
import sqlalchemy as sa

from riskmetrics.catalog import Statistic, Unit, all_statistics, find_figure
from riskmetrics.catalog.track_records import ForecastKind, method_label
from riskmetrics.errors import DataQualityError
from riskmetrics.metrics.minimums import MIN_COVERAGE, MIN_EQUITY_SHARE
from riskmetrics.present import formatting
from riskmetrics.present.figures import page_format
from riskmetrics.present.footnotes import PORTFOLIO_SUBJECT, Record
from riskmetrics.present.track_record import (
    BASIS_POINTS,
    LOSS_LABELS,
    SUBJECT_CLASSES,
    read_track_record,
)
from riskmetrics.report.report_options import ReportOptions
from riskmetrics.report.section import beta_interval, contract_terms
from riskmetrics.report.sections import read_sections, to_records
from riskmetrics.results.betas import BETA_WINDOW, MIN_PAIRED_RETURNS
from riskmetrics.text import escape_controls

_POSITION_TYPES = {
    "LONG": "Long",
    "SHORT": "Short",
    "LC": "Long call",
    "LP": "Long put",
    "SC": "Short call",
    "SP": "Short put",
}
_FOLDER = Path(__file__).parent
_UNBROKEN = markupsafe.Markup('<span class="day">{}</span>')
"""A figure within a note: a session has hyphens, after which browsers break lines."""
_TONES = {
    "": markupsafe.Markup("{}"),
    "gain": markupsafe.Markup('<span class="gain">{}</span>'),
    "loss": markupsafe.Markup('<span class="loss">{}</span>'),
}


def render_page(connection: sa.Connection, day: date, options: ReportOptions) -> str:
    """Return the page of a session.

    Raises
    ------
    DataQualityError
        If no snapshot is stored for ``day``, or two portfolios share a name.
    UsageError
        If there is no portfolio of that name, or nothing is stored of the session to compare
        with.
    """
    sections, against = read_sections(connection, day, options)
    snapshots = [section.snapshot for section in sections if section.snapshot]
    if not snapshots:
        raise DataQualityError(
            f"no snapshot is stored for {day}. Run the session with `riskmetrics run --date {day}`."
        )
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            day=day,
            against=against,
            links_to_portfolios=options.links_to_portfolios,
            sections=sections,
            **_read_scripts(options),
            record=read_track_record(connection, day),
            market=", ".join(
                sorted({row["market_index"] for section in sections for row in section.betas})
            )
            or "the market index",
            runs=_join_distinct(snapshots, "dagster_run_id"),
            versions=_join_distinct(snapshots, "code_version"),
        )
    )


def _read_scripts(options: ReportOptions) -> dict[str, object]:
    """Return the template's variables about scripts, which only an interactive page has.

    The page's script adds the libraries of charts to the page as they were before compression, so
    that its policy allows them by the digest of their text.
    """
    if not options.is_interactive:
        return {"is_interactive": False, "script_digests": []}
    script = (_FOLDER / "page.js").read_text(encoding="utf-8")
    return {
        "is_interactive": True,
        "script": markupsafe.Markup(script),  # noqa: S704
        "script_digests": [_digest(text) for text in (script, options.renderer.browser_bundle())],
        "libraries": options.renderer.compressed_bundle(),
    }


def _digest(script: str) -> str:
    """Return the digest by which the page's policy allows a script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _note(statistic: Statistic, column: str, row: Record) -> markupsafe.Markup:
    """Return the note of a statistic's figure; empty if a figure in it is undefined."""
    named = {
        figure.column: None
        if row[figure.column] is None
        else _UNBROKEN.format(page_format(figure.name)(row[figure.column]))
        for figure in statistic.figures
        if f"{{{figure.column}}}" in statistic.rows[column]
    }
    text = markupsafe.escape(statistic.rows[column])
    return markupsafe.Markup() if None in named.values() else text.format(**named)


def _figure_value(name: str, value: object) -> str:
    """Return a figure 'table.column' in its format; a dash if it is missing."""
    return "—" if value is None else page_format(name)(value)


def _has_value(row: Record, columns: Iterable[str]) -> bool:
    """Return whether a column of a row is known."""
    return any(row[column] is not None for column in columns)


def _mark_gain(text: str) -> markupsafe.Markup:
    """Return a formatted change in the color of a gain or loss; what is shown as 0 has none."""
    tone = {"−": "loss", "+": "gain"}.get(text[:1], "")
    return _TONES[tone].format(text)


def _sort_value(name: str, value: float) -> float:
    """Return the number by which a column with a figure is sorted: a loss is negative."""
    return -value if find_figure(name).unit is Unit.LOSS else value


def _join_distinct(rows: list[Record], column: str) -> str:
    return ", ".join(sorted({row[column] for row in rows if row[column]})) or "not recorded"


def _escape_value(value: object) -> object:
    """Return a template value; control characters of untrusted text are escaped."""
    is_text = isinstance(value, str) and not isinstance(value, markupsafe.Markup)
    return escape_controls(str(value)) if is_text else value


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        finalize=_escape_value,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        formatting=formatting,
        find_figure=find_figure,
        page_format=page_format,
        sort_value=_sort_value,
        gain=_mark_gain,
        has_value=_has_value,
        statistics=all_statistics(),
        note=_note,
        contract_terms=contract_terms,
        figure_value=_figure_value,
        portfolio_subject=PORTFOLIO_SUBJECT,
        beta_interval=beta_interval,
        position_types=_POSITION_TYPES,
        forecast_kinds=tuple(ForecastKind),
        method_label=method_label,
        records_of=to_records,
        classes=SUBJECT_CLASSES,
        losses=LOSS_LABELS,
        basis_points=BASIS_POINTS,
        window=BETA_WINDOW,
        min_pairs=MIN_PAIRED_RETURNS,
        min_coverage=MIN_COVERAGE,
        min_equity_share=MIN_EQUITY_SHARE,
    )
    return environment

"""The tables of stored results that `riskmetrics show` prints."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pandas as pd
import sqlalchemy as sa

from riskmetrics.catalog import (
    Figure,
    Listing,
    Unit,
    all_listings,
    extension_figures,
    figures_of,
    find_figure,
    listing_of,
)
from riskmetrics.catalog.realized import REALIZED_FIGURES, REALIZED_TITLE
from riskmetrics.cli.output import to_records
from riskmetrics.db import listed_rows, portfolio_limits, result_queries, volatility_queries
from riskmetrics.funds import NOT_LOOKED_THROUGH
from riskmetrics.gics import UNCLASSIFIED
from riskmetrics.present import formatting
from riskmetrics.present.figures import TABLE_FORMATS
from riskmetrics.present.limit_texts import format_value_and_limit
from riskmetrics.present.realized import read_realized

Frames = Mapping[str, pd.DataFrame]

DETAILS = frozenset(
    {
        *("lots", "alpha", "p_value", "observations", "n_obs", "market_index", "rate_index"),
        *("realized_vol_63d", "vol_daily", "vol_weekly", "vol_monthly", "model_r_squared"),
        *("strike", "expires", "volatility_percentile", "vol_percentile"),
    }
)
"""Columns that a terminal without room for all leaves out first."""
HIDDEN_IF_EMPTY = ("undefined_reason", "revalued_loss", "revalued_loss_value")
"""Columns that are left out without a value: nothing is undefined, or there are no options."""


@dataclass(frozen=True)
class Table:
    """A table of a view."""

    title: str
    """Title; {session} is the session."""
    query: Callable[..., pd.DataFrame]
    """Returns the rows of a connection, a day and a portfolio, or of all portfolios for None."""
    sources: tuple[str, ...] = ()
    """Result tables of the figures, which give the formats; the first one that has a column."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Column to the figure in it, if it has another name there."""
    is_optional: bool = False
    """Whether the view is shown without rows of this table, if portfolios have values."""
    hidden: tuple[str, ...] = ()
    """Columns that only JSON shows."""
    has_headings: bool = False
    """Whether figures are shown under their headings instead of their columns."""
    arrange: Callable[[pd.DataFrame], pd.DataFrame] = lambda table: table
    """Returns the table as it is printed, before columns are hidden."""
    is_transposed: bool = False
    """Whether each row is printed as a column."""

    @property
    def figures(self) -> dict[str, Figure]:
        """Return the figures by column."""
        found = {
            figure.column: figure
            for source in reversed(self.sources)
            for figure in figures_of(source)
        }
        return found | {column: find_figure(name) for column, name in self.renamed.items()}


@dataclass(frozen=True)
class View:
    """Tables that a command prints together, by their names in JSON."""

    tables: Mapping[str, Table]
    has_caveats: bool = True
    """Whether the caveats of the portfolios' values apply."""
    notes: Callable[[Frames], Iterator[str]] = lambda _: iter(())
    """Returns the lines after the tables."""
    text_if_empty: Callable[[sa.Connection, str | None], str] = lambda *_: ""
    """Returns the text in place of an only table without rows, of a portfolio or of all.

    {session} is the session.
    """


def _beta_notes(_: Frames) -> Iterator[str]:
    yield (
        "decayed_beta: over 504 sessions, each weighted half as much as 89 sessions later. As a"
        " forecast of the beta of the\nnext 90 sessions its squared error was 17% below that of"
        " beta, and 1.96 forecast_std_error covered 95% of them\n(36,074 forecasts, python -m"
        " benchmarks.beta_skill). std_error is that of the regression alone."
    )
    yield (
        "adjusted_beta: Vasicek-adjusted beta, shrunk toward 1 in proportion to its sampling error."
    )


def _rate_beta_notes(_: Frames) -> Iterator[str]:
    yield (
        "rate_beta: return per unit return of the rate index, a bond fund; a positive beta gains"
        " when yields fall. two_factor: controlling for the market."
    )


def _volatility_notes(frames: Frames) -> Iterator[str]:
    portfolios, positions = frames["portfolios"], frames["positions"]
    yield (
        "forecast: volatility of the next 21 sessions; low to high: its 80% interval. P(increase):"
        " probability that it exceeds 21d."
    )
    yield (
        "percentile: of 21d within the past year. oos R²: out-of-sample R² of a year of forecasts"
        " against 21d; below 0 is worse than 21d."
    )
    if positions["proxy"].eq("range_market").any():
        yield (
            "highs and lows: the forecast uses daily highs and lows; other forecasts, and those of"
            " portfolios, use closes."
        )
    if portfolios["thin_coverage_sessions"].gt(0).any():
        yield "thin: sessions of the past year on which 80% to 95% of gross exposure had a return."
    if not positions["position_type"].isin(["LONG", "SHORT"]).all():
        yield "options: volatility of the underlying times |delta| x price / value (Black-Scholes)."
    if any(frame["in_sample"].eq(True).any() for frame in (portfolios, positions)):
        yield f"in-sample: {formatting.IN_SAMPLE_NOTE}."


def _factor_notes(_: Frames) -> Iterator[str]:
    yield (
        "exposure: return per unit return of the factor, the others held fixed; std_error and t:"
        " of the regression of the portfolio."
    )
    yield (
        "vif: variance inflation factor, 1 is uncorrelated with the other factors; a factor above"
        " 10 is left out."
    )
    yield "components sum to the age-weighted volatility; specific: not explained by factors."


def _sector_notes(frames: Frames) -> Iterator[str]:
    rows = frames[""]
    yield "look_through_weight: part of gross_weight that is held by funds that are looked through."
    unknown = rows[rows["sector"].isin([NOT_LOOKED_THROUGH, UNCLASSIFIED])]
    for name, share in unknown.groupby("portfolio")["gross_weight"].sum().items():
        yield f"{name}: the sectors of {formatting.percent(share)} of gross value are not known."


_FORECAST_FIGURES = figures_of("volatility_forecasts")
_FLAGS = {figure.column: figure.heading for figure in _FORECAST_FIGURES if figure.unit is Unit.FLAG}


_TERMS = {"position_type": "type", "strike_price": "strike", "expiration_date": "expires"}


def _add_remarks(table: pd.DataFrame) -> pd.DataFrame:
    """Return volatilities with short terms and remarks, without terms that no position has."""
    remarks = [", ".join(_forecast_remarks(row)) for row in to_records(table)]
    terms = (name for name in ("strike_price", "expiration_date") if name in table)
    unused = [name for name in terms if table[name].isna().all()]
    return table.drop(columns=unused).rename(columns=_TERMS).assign(remarks=remarks)


def _forecast_remarks(row: Mapping[str, Any]) -> Iterator[str]:
    yield from (text for name, text in _FLAGS.items() if row[name])
    if row["proxy"] == "range_market":
        yield "highs and lows"
    if row.get("thin_coverage_sessions"):
        yield f"{row['thin_coverage_sessions']} thin sessions"


def _volatility_table(
    title: str, query: Callable[..., pd.DataFrame], source: str, *, is_optional: bool
) -> Table:
    return Table(
        title,
        query,
        (source, "volatility_forecasts"),
        is_optional=is_optional,
        hidden=(
            *("vol_trend_strength", "observations", "thin_coverage_sessions", "proxy"),
            *("coefficients_version", "root_variance_forecast"),
            *("trailing_21d", "ewma_94", "ewma_97"),
            *_FLAGS,
        ),
        has_headings=True,
        arrange=_add_remarks,
    )


def _label_figures(table: pd.DataFrame) -> pd.DataFrame:
    """Return figures of extensions by their labels, with values in their units."""
    known = {figure.column: figure for figure in extension_figures()}
    texts = []
    for name, value in zip(table["figure"], table["value"], strict=True):
        unit = known[name].unit if name in known else Unit.NUMBER
        texts.append(None if pd.isna(value) else TABLE_FORMATS.get(unit, str)(value))
    labels = [known[name].label if name in known else name for name in table["figure"]]
    return table.assign(figure=labels, value=pd.Series(texts, table.index, dtype=object))


def _format_limits(table: pd.DataFrame) -> pd.DataFrame:
    """Return checked limits with values in the units of their figures."""
    rows = zip(table["limit_name"], table["value"], table["limit_value"], strict=True)
    texts = [
        format_value_and_limit(name, None if pd.isna(value) else value, limit)
        for name, value, limit in rows
    ]
    values = [
        text.value if pd.notna(value) else None
        for text, value in zip(texts, table["value"], strict=True)
    ]
    return table.assign(
        value=pd.Series(values, table.index, dtype=object),
        limit_value=pd.Series([text.limit for text in texts], table.index, dtype=object),
    )


def _advise_on_limits(connection: sa.Connection, portfolio: str | None) -> str:
    if portfolio_limits.read_limits(connection, portfolio).empty:
        return "no limit was checked on {session}: set one with riskmetrics limits set"
    return (
        "limits are set, but no run has checked them on {session}: compute the session again with"
        " riskmetrics run --date {session}"
    )


def _listed_table(listing: Listing) -> Table:
    """Return the table of a listing; results of scenarios have headings: a loss is negative."""
    return Table(
        listing.title,
        partial(listed_rows.read_rows, listing.table),
        (listing.table,),
        renamed=listing.joined_figures,
        is_optional=listing.is_optional,
        hidden=listing.hidden,
        has_headings=listing.view == "stress",
    )


def _find_view(view: str, **of_view: Any) -> View:
    """Return the view of the listings that name it."""
    listings = (listing for listing in all_listings() if listing.view == view)
    return View({listing.key: _listed_table(listing) for listing in listings}, **of_view)


def _risk_view() -> View:
    """Return the listings of risk; the realized history follows drawdowns of today's holdings."""
    tables: dict[str, Table] = {}
    for key, table in _find_view("risk").tables.items():
        tables[key] = table
        if key == "drawdowns":
            tables["realized"] = Table(
                REALIZED_TITLE, read_realized, renamed=REALIZED_FIGURES, is_optional=True
            )
    return View(tables)


VIEWS = {
    "betas": _find_view("betas", has_caveats=False, notes=_beta_notes),
    "rate-betas": _find_view("rate-betas", notes=_rate_beta_notes),
    "volatility": View(
        {
            "portfolios": _volatility_table(
                "Volatility of portfolios, {session}",
                volatility_queries.read_portfolio_volatility,
                "portfolio_snapshots",
                is_optional=True,
            ),
            "positions": _volatility_table(
                "Volatility of positions, {session}",
                volatility_queries.read_position_volatility,
                "position_volatility",
                is_optional=False,
            ),
            "horizons": _listed_table(listing_of("volatility_horizon_forecasts")),
        },
        notes=_volatility_notes,
    ),
    "sectors": _find_view("sectors", notes=_sector_notes),
    "snapshot": View(
        {
            "": Table(
                "Portfolios, {session}",
                result_queries.read_snapshots,
                ("portfolio_snapshots",),
                hidden=(
                    *("portfolio_id", "created_at", "sector_exposure"),
                    *("dagster_run_id", "code_version"),
                ),
                is_transposed=True,
            )
        }
    ),
    "risk": _risk_view(),
    "contributions": _find_view("contributions"),
    "correlations": _find_view("correlations"),
    "factors": _find_view("factors", notes=_factor_notes),
    "liquidity": _find_view("liquidity"),
    "stress": _find_view("stress"),
    "options": _find_view(
        "options", has_caveats=False, text_if_empty=lambda *_: "no options are held on {session}"
    ),
    "figures": View(
        {
            "": Table(
                "Figures of extensions, {session}",
                partial(listed_rows.read_rows, "portfolio_figures"),
                is_optional=True,
                arrange=_label_figures,
            )
        },
        text_if_empty=lambda *_: "no package adds figures, or none was computed on {session}",
    ),
    "limits": View(
        {
            "": Table(
                "Limits, {session}",
                portfolio_limits.read_limit_checks,
                is_optional=True,
                arrange=_format_limits,
            )
        },
        has_caveats=False,
        text_if_empty=_advise_on_limits,
    ),
    "undefined": View(
        {
            "": Table(
                "Undefined values, {session}",
                result_queries.read_undefined_metrics,
                is_optional=True,
            )
        },
        has_caveats=False,
        text_if_empty=lambda *_: "no undefined values on {session}",
    ),
}
"""Command to its view; a view with one unnamed table is a list in JSON.

Views of listings derive from the catalog. The others are stated here: volatilities are joined with
forecasts and flagged, snapshots are printed as columns, figures of extensions have labels of their
own, and reasons are no figures.
"""

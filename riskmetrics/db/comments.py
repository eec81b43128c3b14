"""Write the comments of tables, columns and views into the database, as the code states them.

Revisions contain none of tables and figures: the texts of figures follow from their records in the
catalog, which may change without a revision.
"""

import sqlalchemy as sa
from psycopg import sql

from riskmetrics.catalog import figures_of, find_figure
from riskmetrics.db.copy import driver_connection
from riskmetrics.db.tables import metadata

_RISK = {
    "rate_beta": "portfolio_rate_betas.rate_beta",
    "expected_volatility_low": "volatility_forecasts.low",
    "expected_volatility_high": "volatility_forecasts.high",
    "value_at_risk_99": "portfolio_tail_risk.value_at_risk",
    "expected_shortfall_99": "portfolio_tail_risk.expected_shortfall",
    "current_drawdown": "portfolio_drawdowns.current_drawdown",
    "max_drawdown": "portfolio_drawdowns.max_drawdown",
}
_POSITIONS = {
    "market_beta": "position_market_betas.beta",
    "market_beta_std_error": "position_market_betas.std_error",
    "r_squared": "position_market_betas.r_squared",
    "observations": "position_market_betas.observations",
    "rate_beta": "position_interest_rate_betas.ir_beta",
    "symbol_weight": "portfolio_risk_contributions.weight",
    "symbol_risk_share": "portfolio_risk_contributions.share",
}
_VIEWS = {
    "v_portfolio_risk": ("portfolio_snapshots", _RISK),
    "v_portfolio_risk_latest": ("portfolio_snapshots", _RISK),
    "v_positions": ("position_volatility", _POSITIONS),
    "v_positions_latest": ("position_volatility", _POSITIONS),
    "v_forecasts": (
        "volatility_forecasts",
        {
            "realized": "forecast_outcomes.outcome",
            "completed_on": "forecast_outcomes.completed_on",
        },
    ),
    "v_quality": ("portfolio_coverage", {}),
    "v_sectors": ("portfolio_sector_weights", {}),
    "v_stress": ("portfolio_stress", {}),
    "v_contributions": ("portfolio_risk_contributions", {}),
    "v_tail_risk": ("portfolio_tail_risk", {}),
}
"""View to the table whose figures it shows under their names, and its columns of other figures."""

_VIEW_COMMENTS = {
    "v_sectors": "One row per portfolio, session and sector: weights, and active weights.",
    "v_stress": "One row per portfolio, session and scenario: loss; a gain is negative.",
    "v_contributions": "One row per portfolio, session and symbol: part of the volatility.",
    "v_tail_risk": "One row per portfolio, session, method, level and horizon: value at risk.",
    "v_limits": "One row per portfolio, session and checked limit: value and status.",
    "v_insights": "One row per insight on a session that was not dismissed, of any version.",
}

_POSITION_COLUMNS = {
    "sector": "Sector of the symbol, or of an option's underlying, in company_profiles.",
    "price": "Close of the session, or of one of the 5 before it, counted by closes of the market"
    " index; for an option or a private holding, the stated price.",
    "price_day": "Session of the close in price. NULL: none, or the price is stated.",
    "value": "Value: units * price; negative for a short lot. NULL: price is.",
    "daily_price_pnl": "P&L of the session by price, without income: from the price of the session"
    " before, or on the day of entry from the entry price; 0 if both are one close. NULL: either"
    " price is missing, or the price is stated.",
    "cumulative_price_pnl": "P&L by price since entry: units * (price - entry_price).",
}
_VIEW_COLUMN_COMMENTS = {
    (view, column): text
    for view in ("v_positions", "v_positions_latest")
    for column, text in _POSITION_COLUMNS.items()
}
"""Columns of views that are computed in the view."""

_VIEW_COLUMN_NOTES = {
    (view, f"{figure}_99"): " Here: one day, 99%, by the historical method; v_tail_risk has the"
    " others, among them the filtered one, with which reports and limits lead."
    for view in ("v_portfolio_risk", "v_portfolio_risk_latest")
    for figure in ("value_at_risk", "expected_shortfall")
}
"""Which of several rows of a figure a column of a view is of, after the figure's own comment."""

_STORED_COMMENTS = sa.text("""
    SELECT relname, attname, description
    FROM pg_class
        LEFT JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
        LEFT JOIN pg_description
            ON objoid = pg_class.oid AND classoid = 'pg_class'::regclass AND objsubid = attnum
    WHERE relkind IN ('r', 'p', 'v') AND pg_table_is_visible(pg_class.oid)
        AND relname = ANY(:relations)
    UNION ALL
    SELECT relname, '', obj_description(oid, 'pg_class') FROM pg_class
    WHERE relkind IN ('r', 'p', 'v') AND pg_table_is_visible(oid) AND relname = ANY(:relations)
""")
"""Tables, views and columns with their comments; the column of a table's own comment is ''."""


def write_comments(connection: sa.Connection) -> int:
    """Write the comments that differ from those of the code; return their number.

    Only tables, views and columns that exist get a comment, and a comment that the code does not
    state is kept: after an upgrade to an earlier revision some are missing, and other programs add
    columns.
    """
    expected = _expected_comments()
    rows = connection.execute(_STORED_COMMENTS, {"relations": [name for name, _ in expected]})
    changes = [
        (relation, column, expected[relation, column])
        for relation, column, stored in rows
        if expected.get((relation, column), stored) != stored
    ]
    driver = driver_connection(connection)
    for relation, column, text in changes:
        name = sql.Identifier(relation, *([column] if column else []))
        is_view = relation in _VIEW_COMMENTS
        kind = sql.SQL("COLUMN" if column else "VIEW" if is_view else "TABLE")
        driver.execute(sql.SQL("COMMENT ON {} {} IS {}").format(kind, name, sql.Literal(text)))
    return len(changes)


def _expected_comments() -> dict[tuple[str, str], str]:
    """Return the comments by table or view and column; the column of a table's own is ''."""
    tables = metadata.tables.values()
    found = {(table.name, ""): table.comment for table in tables}
    found |= {(table.name, column.name): column.comment for table in tables for column in table.c}
    found |= {(view, ""): text for view, text in _VIEW_COMMENTS.items()} | _VIEW_COLUMN_COMMENTS
    for view, (table, renamed) in _VIEWS.items():
        shown = {figure.column: figure for figure in figures_of(table)}
        shown |= {column: find_figure(name) for column, name in renamed.items()}
        found |= {
            (view, name): figure.comment(is_nullable=True)
            + _VIEW_COLUMN_NOTES.get((view, name), "")
            for name, figure in shown.items()
        }
    return {key: text for key, text in found.items() if text is not None}

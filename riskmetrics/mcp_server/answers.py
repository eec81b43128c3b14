"""Answers of the tools: stored results with units, as-of day, coverage, caveats and reasons.

Every table and figure of the catalog can be read; none is listed here. A name is shown as
`identities` allows.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from pydantic import Field

from riskmetrics import trading_calendar
from riskmetrics.catalog import data_dictionary, figures_of, find_figure
from riskmetrics.db import listed_rows, result_queries, stored_settings
from riskmetrics.db.shown_names import read_names
from riskmetrics.explain import explainer
from riskmetrics.explain.explanation_records import explanation_record
from riskmetrics.insights import fact_reading
from riskmetrics.insights.question_facts import add_question_facts
from riskmetrics.insights.questions.parsing import find_named_session
from riskmetrics.insights.templates import MAX_QUESTION_CHARS
from riskmetrics.mcp_server.claim_answers import answer_claims, shown_claims
from riskmetrics.mcp_server.identities import (
    Anonymization,
    Identity,
    find_identity,
    list_identities,
)
from riskmetrics.mcp_server.stored_rows import (
    definition,
    find_session,
    has_one_row,
    iterate_changes,
    list_tables,
    read_rows,
    require_table,
    to_records,
)
from riskmetrics.present.caveats import portfolio_caveats
from riskmetrics.present.track_record import read_track_record

Answer = dict[str, Any]
Connect = Callable[[], AbstractContextManager[sa.Connection]]
"""Opens a read-only transaction."""

MAX_ROWS = 200
"""Rows of a table in an answer; the order is that of its listing, such as the largest first."""

_Portfolio = Annotated[str, Field(description="Portfolio as list_portfolios shows it.")]
_Day = Annotated[
    date | None, Field(description="Session, YYYY-MM-DD. Default: the latest with results.")
]
_Symbol = Annotated[
    str | None, Field(description="Only this symbol or alias, as an answer shows it.")
]
_Sessions = Annotated[
    Literal[1, 5, 21], Field(description="Number of sessions over which the change is taken.")
]


@dataclass(frozen=True)
class Answers:
    """Reads the answers of one database.

    Each public method is a tool: an assistant reads its docstring and what its parameters mean.
    """

    connect: Connect
    anonymization: Anonymization
    market_index: str | None
    """Symbol of the settings; None: the stored one."""
    rate_index: str | None

    def list_portfolios(self) -> Answer:
        """List the portfolios, with equity on the latest session. Call it first: names go here."""
        with self.connect() as connection:
            day = result_queries.read_latest_day(connection)
            identities = list_identities(read_names(connection), self.anonymization)
            rows = _latest_values(connection, day)
        portfolios = [
            {"portfolio": one.shown_name, "currency": one.currency, **rows.get(one.name, {})}
            for one in identities
        ]
        return {"as_of": _iso(day), "names_are": self.anonymization, "portfolios": portfolios}

    def list_figures(
        self,
        table: Annotated[
            str | None, Field(description="Table to define. Default: list all tables.")
        ] = None,
    ) -> Answer:
        """List the tables of figures, or define those of one: formula, unit, window, reference.

        For definitions, and to find the table of a figure for read_figures.
        """
        if table is None:
            return {
                "tables": {name: [one.label for one in figures_of(name)] for name in list_tables()}
            }
        require_table(table)
        return {
            "table": table,
            "figures": [one for one in data_dictionary() if one["table"] == table],
        }

    def read_figures(
        self,
        portfolio: _Portfolio,
        table: Annotated[
            str, Field(description="Table of list_figures, such as portfolio_snapshots.")
        ],
        day: _Day = None,
        symbol: _Symbol = None,
    ) -> Answer:
        """Read a portfolio's figures of one table on a session.

        For lists and for figures of single positions; for one figure, prefer answer_question.
        """
        require_table(table)
        with self._open(portfolio, day) as (connection, identity, session):
            named = None if symbol is None else identity.find_symbol(symbol)
            rows = read_rows(connection, identity, table, session, named)
            context = _context(connection, identity, session)
            reasons = [
                reason
                for reason in _list_undefined(connection, identity, session)
                if reason["figure"].startswith(f"{table}.")
            ]
        return {
            **context,
            "table": table,
            "columns": {figure.column: definition(figure) for figure in figures_of(table)},
            "rows": [identity.show_row(row) for row in rows[:MAX_ROWS]],
            "rows_omitted": max(len(rows) - MAX_ROWS, 0),
            "undefined": reasons[:MAX_ROWS],
        }

    def read_changes(
        self,
        portfolio: _Portfolio,
        sessions: _Sessions = 1,
        day: _Day = None,
        table: Annotated[
            str | None,
            Field(description="Only this table. Default: all figures of the whole portfolio."),
        ] = None,
    ) -> Answer:
        """Compare a portfolio's figures with those of 1, 5 or 21 sessions before.

        For "what changed"; no other number of sessions can be compared.
        """
        if table is not None:
            require_table(table)
        names = [table] if table else [name for name in list_tables() if has_one_row(name)]
        with self._open(portfolio, day) as (connection, identity, session):
            earlier = trading_calendar.previous_session(session, sessions)
            changes = [
                change
                for name in names
                for change in iterate_changes(connection, identity, name, earlier, session)
            ]
            context = _context(connection, identity, session)
        return {**context, "since": earlier.isoformat(), "sessions": sessions, "changes": changes}

    def read_claims(self, portfolio: _Portfolio, day: _Day = None) -> Answer:
        """Read true sentences about a portfolio and session, the most important first.

        For a summary, or what to look at.
        """
        with self._open(portfolio, day) as (connection, identity, session):
            sheets = fact_reading.read_sheets(connection, [session], identity.name)
            context = _context(connection, identity, session)
        return {
            **context,
            "claims": [one for sheet in sheets for one in shown_claims(identity, sheet)],
        }

    def answer_question(
        self,
        portfolio: _Portfolio,
        question: Annotated[
            str,
            Field(
                description="One question about figures, such as: How large is the value at risk at"
                " 99%? Name positions as answers show them.",
                min_length=1,
                max_length=MAX_QUESTION_CHARS,
            ),
        ],
        day: _Day = None,
    ) -> Answer:
        """Answer a question about a portfolio by true sentences, for exactly what it asks.

        For one figure, with its level, window, comparison or position. What the facts do not
        contain is under "missing", with questions that they answer under "nearest".
        """
        with self.connect() as connection:
            identities = list_identities(read_names(connection), self.anonymization)
            identity = find_identity(identities, portfolio)
            session = today = find_session(connection, identity, day)
            if day is None and (named := find_named_session(question, session)) is not None:
                session = find_session(connection, identity, named)
            (sheet,) = fact_reading.read_sheets(connection, [session], identity.name)
            sheet = add_question_facts(connection, sheet)
            context = _context(connection, identity, session)
        others = [one.shown_name for one in identities if one.name != identity.name]
        return context | answer_claims(identity, sheet, question, others, today)

    def explain_figure(
        self,
        portfolio: _Portfolio,
        figure: Annotated[
            str, Field(description="Figure, such as hhi or position_market_betas.beta.")
        ],
        day: _Day = None,
        symbol: _Symbol = None,
    ) -> Answer:
        """Explain a stored figure: formula, inputs, window and an independent recalculation."""
        found = find_figure(figure)
        with self._open(portfolio, day) as (connection, identity, session):
            market = stored_settings.read_market_index(connection, self.market_index)
            rate = stored_settings.read_rate_index(connection, self.rate_index)
            explanations = explainer.explain(
                connection,
                identity.id,
                found,
                session,
                symbol=None if symbol is None else identity.find_symbol(symbol),
                market_index=market,
                rate_index=rate,
            )
            context = _context(connection, identity, session)
        records = [_show_record(identity, explanation_record(one)) for one in explanations]
        return {
            **context,
            "explanations": records[:MAX_ROWS],
            "rows_omitted": max(len(records) - MAX_ROWS, 0),
        }

    def read_track_record(self, portfolio: _Portfolio, day: _Day = None) -> Answer:
        """Read how forecasts of volatility and value at risk did up to a session."""
        with self._open(portfolio, day) as (connection, identity, session):
            record = read_track_record(connection, session, portfolio=identity.name)
            context = _context(connection, identity, session)
        tests = record.tests.assign(subject=identity.shown_name)
        return {
            **context,
            "forecasts": {"columns": _SCORE_COLUMNS, "rows": to_records(record.scores)},
            "value_at_risk_tests": {"columns": _TEST_COLUMNS, "rows": to_records(tests)},
        }

    @contextmanager
    def _open(
        self, portfolio: str, day: date | None
    ) -> Iterator[tuple[sa.Connection, Identity, date]]:
        """Connect, and find a portfolio by its shown name, and the session of a day."""
        with self.connect() as connection:
            identities = list_identities(read_names(connection), self.anonymization)
            identity = find_identity(identities, portfolio)
            yield connection, identity, find_session(connection, identity, day)


_SCORE_COLUMNS = {
    "kind": "what was forecast",
    "subject": "class of the forecasts",
    "in_sample": "whether the model was fitted to data after the day: optimistic",
    "horizon": "sessions ahead",
    "level": "confidence level of a value at risk; else 0",
    "method": "method of the forecast; the first of a kind is compared with the others",
    "n_obs": "number of forecasts with an outcome; scores are null below 20",
    "n_excluded": "number of those without a loss",
    "loss": "mean loss: QLIKE of the variance, quantile loss of a value at risk",
    "loss_ratio": "loss of the compared method over this one's, below 1 is better",
    "t": "Diebold-Mariano statistic of the difference, significant beyond 2 and -2",
    "bias": "mean forecast over mean outcome, minus 1; value at risk: exceptions over expected - 1",
    "coverage": "share of outcomes within the band, or up to the value at risk",
    "nominal": "share that is intended",
}
_TEST_COLUMNS = {
    "subject": "portfolio",
    "horizon": "sessions ahead",
    "level": "confidence level",
    "method": "method of the value at risk",
    "n_tested": "sessions with a stored value at risk and an outcome",
    "expected_exceptions": "losses beyond it that are expected",
    "exceptions": "losses beyond it",
    "kupiec_p": "p-value of Kupiec's test of their number",
    "independence_p": "p-value of Christoffersen's test of their independence",
    "conditional_p": "p-value of both together",
    "traffic_light": "Basel zone",
    "z2": "Acerbi and Szekely: 0 is expected, -0.7 is the critical value at 5%",
    "shortfall_ratio": "mean loss beyond over the expected shortfall, at best 1",
    "losses_beyond": "sum of the losses beyond, as fractions of equity",
    "shortfalls": "sum of the expected shortfalls on those sessions",
    "remark": "what a p-value is no evidence of",
}


def _context(connection: sa.Connection, identity: Identity, day: date) -> Answer:
    """Return what belongs to every answer: portfolio, as-of day, coverage and caveats."""
    snapshots = result_queries.read_snapshots(connection, day, identity.name)
    coverage = listed_rows.read_coverage(connection, day, identity.name)
    caveats = portfolio_caveats(snapshots, coverage).get(identity.name, [])
    return {
        "portfolio": identity.shown_name,
        "as_of": day.isoformat(),
        "currency": identity.currency,
        "coverage": to_records(coverage.drop(columns="portfolio")),
        "caveats": [identity.show_text(text) for text in caveats],
    }


def _list_undefined(
    connection: sa.Connection, identity: Identity, day: date
) -> list[dict[str, Any]]:
    """Return the undefined figures of a portfolio and its positions, with reasons."""
    rows = result_queries.read_undefined_metrics(connection, day, identity.name)
    return [
        {
            "figure": row["metric"],
            "of": identity.show_symbol(row["subject"])
            if row["subject"] in identity.symbols
            else "the portfolio",
            "reason": identity.show_text(row["reason"]),
            "observations": row["n_obs"],
        }
        for row in to_records(rows)
    ]


def _latest_values(connection: sa.Connection, day: date | None) -> dict[str, dict[str, Any]]:
    if day is None:
        return {}
    snapshots = result_queries.read_snapshots(connection, day)
    coverage = listed_rows.read_coverage(connection, day)
    caveats = portfolio_caveats(snapshots, coverage)
    return {
        row["portfolio"]: {
            "equity": row["total_value"],
            "n_caveats": len(caveats.get(row["portfolio"], ())),
        }
        for row in to_records(snapshots)
    }


def _show_record(identity: Identity, record: dict[str, Any]) -> dict[str, Any]:
    """Return an explanation with names as they are shown."""
    reason = record["undefined_reason"]
    return record | {
        "key": identity.show_row(record["key"]),
        "undefined_reason": reason and identity.show_text(reason),
        "inputs": {
            identity.show_text(name): identity.show_text(value) if isinstance(value, str) else value
            for name, value in record["inputs"].items()
        },
    }


def _iso(day: date | None) -> str | None:
    return None if day is None else day.isoformat()

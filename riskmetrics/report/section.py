"""Stored results of one portfolio, as its section of the page shows them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from riskmetrics.catalog.realized import REALIZED_FIGURES
from riskmetrics.catalog.tail_risk import HEADLINE_TAIL
from riskmetrics.funds import NOT_LOOKED_THROUGH
from riskmetrics.gics import UNCLASSIFIED
from riskmetrics.metrics.decayed_beta import Z_95
from riskmetrics.present import formatting
from riskmetrics.present.footnotes import Footnotes, Record
from riskmetrics.report.axis import Axis
from riskmetrics.report.changes import Change, Contributor
from riskmetrics.report.drawn_charts import Figures
from riskmetrics.report.limit_table import LimitRow
from riskmetrics.report.position_table import PositionTable

_AMOUNTS = (
    "total_value",
    "cash_value",
    "stated_value",
    "long_value",
    "short_value",
    "gross_exposure",
    "net_exposure",
)


class Instrument(NamedTuple):
    """Volatility and rate beta rows of an instrument, lots netted; None if a step has not run."""

    symbol: str
    position_type: str
    contract: str
    """Strike and expiration of an option, else empty."""
    volatility: Record | None
    rates: Record | None


@dataclass(frozen=True)
class Section:
    """Stored results of one portfolio on the session; a missing value is None."""

    anchor: str
    name: str
    currency: str
    is_full: bool
    """Whether the page has more of it than a row of the overview."""
    snapshot: Record | None
    """The row of `portfolio_snapshots`; None if none of the holdings has a price."""
    headlines: Mapping[str, object]
    """Headline figures by 'table.column', as from `headline_figures`."""
    betas: list[Record]
    sectors: list[Record]
    coverage: dict[str, Record]
    """Metric to coverage row."""
    risk: dict[str, list[Record]]
    """Rows of the tables of risk, by the names of their listings."""
    realized: Mapping[str, object]
    """What the portfolio realized, by 'table.column' of the figure of today's holdings."""
    volatility: Record | None
    """Volatility figures with the 80% interval; None if there is no snapshot."""
    rates: Record | None
    instruments: list[Instrument]
    footnotes: Footnotes
    faults: list[Record]
    """Price faults of its instruments and the market index, from `price_faults.find_faults`."""
    insights: list[Record]
    """Rows of `ai_insights`, most severe first."""
    findings: list[str]
    """What needs attention, as sentences."""
    limits: list[LimitRow]
    positions: PositionTable
    figures: Figures
    changes: list[Change]
    """Changes since the session that is compared with."""
    contributors: list[Contributor]

    @property
    def equity_change(self) -> Change | None:
        """Return the change of equity, the first of the changes."""
        return next(iter(self.changes), None)

    @cached_property
    def amount_axis(self) -> Axis:
        """Axis of the value bars."""
        return Axis.from_values((self.snapshot or {}).get(name) for name in _AMOUNTS)

    @cached_property
    def weight_axis(self) -> Axis:
        """Axis of the sector bars."""
        return Axis.from_values(
            row[name] for row in self.sectors for name in ("net_weight", "benchmark_weight")
        )

    @cached_property
    def component_axis(self) -> Axis:
        """Axis of the contribution bars."""
        return Axis.from_values(row["decayed_component"] for row in self.risk["contributions"])

    @cached_property
    def factor_axis(self) -> Axis:
        """Axis of the bars of risk by factor."""
        return Axis.from_values(row["component"] for row in self.risk["factor_risk"])

    @property
    def factors(self) -> list[tuple[Record, Record]]:
        """Risk by factor, the largest contribution first, with the exposures to the factors."""
        exposures = {row["factor"]: row for row in self.risk["factor_exposures"]}
        return [(row, exposures.get(row["factor"], {})) for row in self.risk["factor_risk"]]

    @property
    def fund_share(self) -> float:
        """Share of gross value in funds that are looked through."""
        return sum(float(row["look_through_weight"] or 0.0) for row in self.sectors)

    @property
    def unknown_share(self) -> float:
        """Share of gross value whose sectors are not known."""
        unknown = (NOT_LOOKED_THROUGH, UNCLASSIFIED)
        return sum(float(row["gross_weight"]) for row in self.sectors if row["sector"] in unknown)

    @cached_property
    def stress_axis(self) -> Axis:
        """Axis of the scenario bars."""
        losses = (row["loss"] for row in self.risk["stress"])
        return Axis.from_values(None if loss is None else -loss for loss in losses)

    @cached_property
    def beta_axis(self) -> Axis:
        """Axis of the positions' betas; it includes the market's beta, 1."""
        known = [row for row in self.betas if row["decayed_beta"] is not None]
        ends = [end for row in known for end in beta_interval(row)]
        return Axis.from_values([1.0, *ends])

    @cached_property
    def volatility_axis(self) -> Axis:
        """Axis of the positions' forecast intervals."""
        rows = [
            instrument.volatility
            for instrument in self.instruments
            if instrument.volatility and instrument.volatility["low"] is not None
        ]
        return Axis.from_values(row[name] for row in rows for name in ("high", "realized_vol_21d"))


def beta_interval(row: Record) -> tuple[float, float]:
    """Return the 95% interval of the beta of the next 90 sessions."""
    half = Z_95 * row["forecast_std_error"]
    return row["decayed_beta"] - half, row["decayed_beta"] + half


def list_instruments(volatilities: list[Record], rate_betas: list[Record]) -> list[Instrument]:
    """Return the instruments of rows of volatilities and rate betas, by symbol."""
    volatility_rows, rate_rows = (
        {(row["symbol"], row["position_type"], contract_terms(row)): row for row in rows}
        for rows in (volatilities, rate_betas)
    )
    return [
        Instrument(*key, volatility_rows.get(key), rate_rows.get(key))
        for key in sorted(volatility_rows.keys() | rate_rows.keys())
    ]


def contract_terms(row: Record) -> str:
    """Return strike and expiration of an option as far as known; empty for other positions."""
    strike, expiration = row["strike_price"], row["expiration_date"]
    parts = (
        "" if strike is None else formatting.quantity(strike),
        "" if expiration is None else formatting.day(expiration),
    )
    return " ".join(part for part in parts if part)


def realized_figures(rows: list[Record]) -> dict[str, object]:
    """Return the realized history by 'table.column'; empty if it is too short."""
    return {
        figure: row[column]
        for row in rows
        if row["undefined_reason"] is None
        for column, figure in REALIZED_FIGURES.items()
    }


def headline_figures(snapshot: Record | None, risk: Mapping[str, list[Record]]) -> Record:
    """Return figures of a portfolio by 'table.column': the snapshot, and headlines of risk.

    The value at risk is that of `HEADLINE_TAIL`.
    """
    found = {f"portfolio_snapshots.{name}": value for name, value in (snapshot or {}).items()}
    for row in risk.get("tail_risk", []):
        if all(row[name] == value for name, value in HEADLINE_TAIL.items()):
            found |= {f"portfolio_tail_risk.{name}": value for name, value in row.items()}
    for row in risk.get("drawdowns", []):
        found |= {f"portfolio_drawdowns.{name}": value for name, value in row.items()}
    return found

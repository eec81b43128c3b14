"""Budget of model calls: reserved before, settled after, within caps shared by processes."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa

from riskmetrics.db import spending
from riskmetrics.insights.cost import unknown_rates_problem
from riskmetrics.insights.draft_schemas import Usage
from riskmetrics.settings import Settings


class Caps(NamedTuple):
    """Spending caps in USD."""

    insight: Decimal
    run: Decimal
    day: Decimal


class Reservation(NamedTuple):
    """An amount reserved for one call."""

    spend_id: UUID


class BudgetRefusal(NamedTuple):
    """Why no amount was reserved."""

    reason: str


@dataclass(frozen=True)
class Budget:
    """Budget of one run; uses its own transactions, so that reservations outlive a rollback."""

    engine: sa.Engine
    caps: Caps
    run_id: str

    def reserve(
        self, subject: str, model: str, max_cost: Decimal | None
    ) -> Reservation | BudgetRefusal:
        """Reserve the maximum cost of a call, unless it would exceed a cap.

        Parameters
        ----------
        subject : str
            Digest of the insight; its calls in this run count toward the cap per insight.
        max_cost : Decimal or None
            USD. None if the model's rates are unknown: a cost without a bound is refused.
        """
        today = datetime.now(UTC).date()
        if max_cost is None:
            return BudgetRefusal(unknown_rates_problem(model, today))
        with self.engine.begin() as connection:
            spending.lock_spend(connection)
            spent = spending.read_spend_totals(connection, today, self.run_id, subject)
            for scope, so_far, cap in zip(Caps._fields, spent, self.caps, strict=True):
                if so_far + max_cost > cap:
                    return BudgetRefusal(
                        f"RISKMETRICS_AI_USD_PER_{scope.upper()} reached: {so_far:f} of {cap:f} USD"
                        f" are spent or reserved, and the call may cost {max_cost:f} USD"
                    )
            return Reservation(
                spending.reserve_spend(connection, today, self.run_id, subject, model, max_cost)
            )

    def settle(self, reservation: Reservation, usage: Usage) -> None:
        """Replace a reservation by the actual cost; an unknown cost keeps the reserved amount."""
        with self.engine.begin() as connection:
            spending.settle_spend(
                connection,
                reservation.spend_id,
                usage.cost,
                usage.input_tokens,
                usage.output_tokens,
            )

    def run_spend(self) -> Decimal:
        """Return the USD that the run has spent or reserved."""
        with self.engine.connect() as connection:
            return spending.read_spend_totals(
                connection, datetime.now(UTC).date(), self.run_id, ""
            ).run


def open_budget(engine: sa.Engine, settings: Settings, run_id: str) -> Budget:
    """Return the budget of a run with the caps of the settings."""
    return Budget(
        engine,
        Caps(settings.ai_usd_per_insight, settings.ai_usd_per_run, settings.ai_usd_per_day),
        run_id,
    )

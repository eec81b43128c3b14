"""How much may be spent on models: reserved before a call, settled after it, within caps that all processes share."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa

from riskmetrics.db import spending
from riskmetrics.insights.draft_schemas import Usage
from riskmetrics.settings import Settings


class Caps(NamedTuple):
    """Most that may be spent, in USD."""

    insight: Decimal
    run: Decimal
    day: Decimal


class Reservation(NamedTuple):
    """An amount put aside for one call."""

    spend_id: UUID


class BudgetRefusal(NamedTuple):
    """Nothing was put aside, and why."""

    reason: str


@dataclass(frozen=True)
class Budget:
    """The caps of one run; its transactions are its own, so that what is put aside stays when the caller's fail."""

    engine: sa.Engine
    caps: Caps
    run_id: str

    def reserve(
        self, subject: str, model: str, max_cost: Decimal | None
    ) -> Reservation | BudgetRefusal:
        """Put aside what a call can cost at most, if no cap is passed with it.

        Parameters
        ----------
        subject : str
            The insight that the call is for; its calls in this run add up to its cap.
        most : Decimal or None
            USD. None: the model's rates are not known; all that an insight may cost is put aside.
        """
        today, max_cost = (
            datetime.now(UTC).date(),
            self.caps.insight if max_cost is None else max_cost,
        )
        with self.engine.begin() as connection:
            spending.lock_spend(connection)
            spent = spending.read_spend_totals(connection, today, self.run_id, subject)
            for scope, so_far, cap in zip(Caps._fields, spent, self.caps, strict=True):
                if so_far + max_cost > cap:
                    return BudgetRefusal(
                        f"the call may cost {max_cost:f} USD and {so_far:f} of the {cap:f} that"
                        f" RISKMETRICS_AI_USD_PER_{scope.upper()} allows are spent or reserved"
                    )
            return Reservation(
                spending.reserve_spend(connection, today, self.run_id, subject, model, max_cost)
            )

    def settle(self, reservation: Reservation, usage: Usage) -> None:
        """Count what the call cost instead of what was put aside; where nobody knows, that goes on counting."""
        with self.engine.begin() as connection:
            spending.settle_spend(
                connection,
                reservation.spend_id,
                usage.cost,
                usage.input_tokens,
                usage.output_tokens,
            )

    def run_spend(self) -> Decimal:
        """What the run has spent or reserved, in USD."""
        with self.engine.connect() as connection:
            return spending.read_spend_totals(
                connection, datetime.now(UTC).date(), self.run_id, ""
            ).run


def open_budget(engine: sa.Engine, settings: Settings, run_id: str) -> Budget:
    """Return the budget of a run with the caps that are set."""
    return Budget(
        engine,
        Caps(settings.ai_usd_per_insight, settings.ai_usd_per_run, settings.ai_usd_per_day),
        run_id,
    )

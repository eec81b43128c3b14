"""How much may be spent on models: reserved before a call, settled after it, within caps that all processes share."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa

from riskmetrics.db import spending
from riskmetrics.insights.draft import Usage
from riskmetrics.settings import Settings


class Caps(NamedTuple):
    """Most that may be spent, in USD."""

    insight: Decimal
    run: Decimal
    day: Decimal


class Reservation(NamedTuple):
    """An amount put aside for one call."""

    row: UUID


class Refused(NamedTuple):
    """Nothing was put aside, and why."""

    reason: str


@dataclass(frozen=True)
class Budget:
    """The caps of one run; its transactions are its own, so that what is put aside stays when the caller's fail."""

    engine: sa.Engine
    caps: Caps
    run_id: str

    def reserve(self, subject: str, model: str, most: Decimal | None) -> Reservation | Refused:
        """Put aside what a call can cost at most, if no cap is passed with it.

        Parameters
        ----------
        subject : str
            The insight that the call is for; its calls in this run add up to its cap.
        most : Decimal or None
            USD. None: the model's rates are not known; all that an insight may cost is put aside.
        """
        today, most = datetime.now(UTC).date(), self.caps.insight if most is None else most
        with self.engine.begin() as connection:
            spending.lock(connection)
            spent = spending.spent(connection, today, self.run_id, subject)
            for scope, so_far, cap in zip(Caps._fields, spent, self.caps, strict=True):
                if so_far + most > cap:
                    return Refused(
                        f"the call may cost {most:f} USD and {so_far:f} of the {cap:f} that RISKMETRICS_AI_USD_PER_{scope.upper()} "
                        "allows are spent or reserved"
                    )
            return Reservation(spending.add(connection, today, self.run_id, subject, model, most))

    def settle(self, reservation: Reservation, usage: Usage) -> None:
        """Count what the call cost instead of what was put aside; where nobody knows, that goes on counting."""
        with self.engine.begin() as connection:
            spending.settle(connection, reservation.row, usage.cost, usage.input_tokens, usage.output_tokens)

    def spent(self) -> Decimal:
        """What the run has spent or reserved, in USD."""
        with self.engine.connect() as connection:
            return spending.spent(connection, datetime.now(UTC).date(), self.run_id, "").run


def open_budget(engine: sa.Engine, settings: Settings, run_id: str) -> Budget:
    """Return the budget of a run with the caps that are set."""
    return Budget(engine, Caps(settings.ai_usd_per_insight, settings.ai_usd_per_run, settings.ai_usd_per_day), run_id)

"""Losses in stress scenarios."""

from functools import partial

from riskmetrics.catalog.figure import COVERED, PRICED, Figure, Unit
from riskmetrics.catalog.listing import Listing

_of_scenario = partial(Figure, "portfolio_stress")

FIGURES = (
    _of_scenario("loss", "Loss, share of equity", Unit.FRACTION,
        "-(beta * move), for both factors the sum with two-factor betas; historical window:"
        " -sum(exposure * (P(last) / P(first) - 1)) / equity / coverage", minimum=COVERED),
    _of_scenario("loss_value", "Loss", Unit.MONEY, "loss * equity",
        minimum=f"80% of gross exposure is covered, {PRICED}"),
    _of_scenario("coverage", "Coverage", Unit.FRACTION,
        "share of exposure with a beta, or with prices at both ends"),
)  # fmt: skip

LISTINGS = (
    Listing("portfolio_stress", "Stress scenarios, {session}", "stress",
        order=("-loss", "scenario")),
)  # fmt: skip

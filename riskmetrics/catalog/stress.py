"""Losses in stress scenarios."""

from functools import partial

from riskmetrics.catalog.absences import COMMANDS_ONLY, ESTIMATE_QUALIFIER, NO_SENTENCE
from riskmetrics.catalog.figure import COVERED, PRICED, Figure, Unit
from riskmetrics.catalog.listing import Listing

_scenario = partial(Figure, "portfolio_stress")

FIGURES = (
    _scenario("loss", "Loss, share of equity", Unit.LOSS,
        "-(beta * move), beta exponentially weighted for the market; for both factors the sum with"
        " two-factor betas; factor_moves: the sum with factor exposures; historical window:"
        " -sum(exposure * (P(last) / P(first) - 1)) / equity / coverage, without both prices"
        " beta * return of the index", minimum=COVERED, short="Result"),
    _scenario("loss_margin", "± (95%)", Unit.FRACTION,
        "1.96 * |move| * standard error of the beta of R; market: 4 * that of the exponentially"
        " weighted regression, as a forecast", minimum=COVERED,
        null="undefined, a historical window, or moves of style factors",
        reference="White (1980)", absent=ESTIMATE_QUALIFIER),
    _scenario("loss_value", "Loss", Unit.LOSS_AMOUNT, "loss * equity",
        minimum=f"80% of gross exposure is covered, {PRICED}", short="Result, amount",
        absent=NO_SENTENCE),
    _scenario("revalued_loss", "Loss, options revalued", Unit.LOSS,
        "loss less the change of value of options by Black-Scholes at the moved price and"
        " volatility above that by delta, / equity",
        minimum=f"{COVERED}, the value of every option",
        null="undefined, or no options", reference="Black and Scholes (1973), Merton (1973)",
        short="Options revalued", absent=NO_SENTENCE),
    _scenario("revalued_loss_value", "Loss, options revalued, amount", Unit.LOSS_AMOUNT,
        "revalued_loss * equity", minimum=f"the value of every option, {PRICED}",
        null="undefined, or no options", short="Options revalued, amount",
        absent=COMMANDS_ONLY),
    _scenario("coverage", "Coverage", Unit.FRACTION,
        "share of exposure with a beta, or in a historical window with prices or a proxy",
        null="undefined", absent=ESTIMATE_QUALIFIER),
    _scenario("proxied_share", "Proxied", Unit.FRACTION,
        "share of exposure without prices at both ends of the window, which moves by beta * return"
        " of the index", null="undefined, or no historical window", absent=ESTIMATE_QUALIFIER),
)  # fmt: skip

LISTINGS = (
    Listing("portfolio_stress", "Stress scenarios, {session}", "stress",
        order=("-loss", "scenario")),
)  # fmt: skip

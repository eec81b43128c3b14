"""Days to liquidate portfolios and their holdings."""

from functools import partial

from riskmetrics.catalog.absences import (
    ESTIMATE_QUALIFIER,
    NO_SENTENCE,
    POSITION_FIGURE,
    POSITION_INPUT,
)
from riskmetrics.catalog.figure import Figure, Unit
from riskmetrics.catalog.listing import Listing

_MINIMUM = "10 sessions with a volume, a close"
_OF_GROSS = "80% of gross value has a volume"
_MONTH = "20 sessions"

_portfolio = partial(Figure, "portfolio_liquidity", minimum=_OF_GROSS)
_holding = partial(Figure, "holding_liquidity", window=_MONTH, absent=POSITION_FIGURE)

FIGURES = (
    _portfolio("days_to_liquidate", "Days to liquidate", Unit.SESSIONS,
        "maximum of the days of its holdings", window=_MONTH),
    *(
        _portfolio(f"sold_in_{days}d", f"Sold in {days} session{'s' * (days > 1)}", Unit.FRACTION,
            f"sum(|value| * min(1, {days} / days)) / sum(|value|), over holdings with a volume",
            window=_MONTH, absent=() if days == 5 else NO_SENTENCE)
        for days in (1, 5, 20)
    ),
    Figure("portfolio_liquidity", "coverage", "Coverage", Unit.FRACTION,
        "share of gross value of the holdings with a volume; options and private holdings have"
        " none",
        null="no holding has a value", absent=ESTIMATE_QUALIFIER),
    _holding("holding_days", "Days to liquidate", Unit.SESSIONS,
        "units / (share of volume * median volume)", minimum=_MINIMUM),
    _holding("median_volume", "Median volume", Unit.SHARES,
        "median of the shares traded per session", minimum="10 sessions with a volume",
        absent=POSITION_INPUT),
    _holding("observations", "Observations", Unit.COUNT, "sessions with a volume",
        absent=POSITION_INPUT),
)  # fmt: skip

LISTINGS = (
    Listing("portfolio_liquidity", "Liquidity of portfolios, {session}", "liquidity",
        "portfolio_liquidity"),
    Listing("holding_liquidity", "Liquidity of holdings, {session}", "liquidity",
        "holding_liquidity",
        order=("-holding_days", "symbol"), is_optional=True),
)  # fmt: skip

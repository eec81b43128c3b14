"""The catalog of figures: one record for each stored figure of a result table.

A record states label, unit, formula, window, minimum of observations and reference. Commands, the
report, insights, explanations, column comments and the data dictionary derive from it. A listing
records how the rows of a table are read and shown, a statistic a whole table. Records are text, so
that the catalog imports in milliseconds; `tests/catalog` compares them with the tables and
constants.
"""

from riskmetrics.catalog.figure import Absence, Figure, Place, Unit
from riskmetrics.catalog.listing import Listing
from riskmetrics.catalog.registry import (
    all_figures,
    all_listings,
    all_statistics,
    data_dictionary,
    extension_figures,
    figures_of,
    find_figure,
    listing_of,
)
from riskmetrics.catalog.statistic import Statistic

"""The asset graph: what is computed from what.

Each asset reads, computes, writes and reports; it holds no SQL and no formula.
"""

import warnings

from dagster import BetaWarning

# the parameter is in beta; without it a backfill is one run per session
warnings.filterwarnings("ignore", message="Parameter `backfill_policy`", category=BetaWarning)

"""All charts of a portfolio, in the order of the page."""

from riskmetrics.charts.position_charts import POSITION_CHARTS
from riskmetrics.charts.time_charts import TIME_CHARTS

CHARTS = (*TIME_CHARTS, *POSITION_CHARTS)

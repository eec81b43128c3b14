"""riskmetrics: daily portfolio risk in your own Postgres."""

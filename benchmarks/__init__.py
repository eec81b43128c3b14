"""What riskmetrics costs, beside what one would do otherwise: `python -m benchmarks`, or one of them by name."""

"""Charts of stored results: each is a record, drawn from frames as a Vega-Lite specification."""

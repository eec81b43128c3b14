"""What a run reads: one snapshot of the stored inputs, and the series derived from them."""

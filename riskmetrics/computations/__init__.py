"""What each asset computes from the inputs of a run, as rows of its tables."""

"""Fetch missing data from the vendor, compare it with the stored data, and store it."""

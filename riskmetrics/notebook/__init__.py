"""Stored results as data frames, for notebooks and other programs; nothing is written."""

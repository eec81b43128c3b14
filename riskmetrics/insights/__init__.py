"""Insights: prose about stored results, drafted with placeholders, verified and rendered."""

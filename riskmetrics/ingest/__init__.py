"""Fetch data from the vendor or simulate them, compare them with stored data, and store them."""

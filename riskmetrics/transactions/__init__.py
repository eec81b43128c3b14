"""Transactions of a portfolio, and the lots and the cash that follow from them; no I/O."""

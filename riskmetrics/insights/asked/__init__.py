"""Figures that questions ask for, by subject: their words, and the forms that answer them."""

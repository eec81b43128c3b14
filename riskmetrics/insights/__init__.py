"""Prose about stored results that cannot misquote them: facts, words with placeholders, a check of every claim, and the figures put in."""

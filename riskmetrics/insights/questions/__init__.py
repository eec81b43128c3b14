"""Questions in English about a portfolio, answered by claims without a language model."""

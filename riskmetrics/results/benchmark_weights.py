"""Sector weights of a benchmark, from its stocks or from a fund on it."""

import pandas as pd


def capitalization_weights(
    sectors: "pd.Series[str]", market_caps: "pd.Series[float]", companies: "pd.Series[str]"
) -> pd.DataFrame:
    """Weigh sectors by the market capitalisation of their companies.

    A company with several classes of shares counts once: each class comes with the capitalisation
    of the whole.

    Parameters
    ----------
    sectors, market_caps, companies : Series, one entry per stock
        Sector, dollars, and what identifies the company; nothing is missing.

    Returns
    -------
    DataFrame
        sector, weight (fractions that sum to 1), market_cap (dollars), num_constituents (stocks),
        by sector. Whole capitalisations, where the index counts freely floating shares only.
    """
    stocks = pd.DataFrame({"sector": sectors, "market_cap": market_caps, "company": companies})
    caps = (
        stocks.sort_values("market_cap")
        .drop_duplicates("company", keep="last")
        .groupby("sector")["market_cap"]
        .sum()
    )
    counts = stocks.groupby("sector")["company"].size()
    rows = pd.DataFrame(
        {"weight": caps / caps.sum(), "market_cap": caps, "num_constituents": counts}
    ).dropna()
    return rows.astype({"num_constituents": "int64"}).rename_axis("sector").reset_index()


def normalize_weights(weights: "pd.Series[float]") -> pd.DataFrame:
    """Return sector and weight, scaled to sum to 1; ``weights`` are by sector, and several of one sector are added."""
    by_sector = weights.groupby(level=0).sum()
    return (by_sector / by_sector.sum()).rename("weight").rename_axis("sector").reset_index()

"""Sector weights of a benchmark, from its stocks or from a fund that tracks it."""

import pandas as pd


def capitalization_weights(
    sectors: "pd.Series[str]", market_caps: "pd.Series[float]", companies: "pd.Series[str]"
) -> pd.DataFrame:
    """Weight sectors by the market capitalization of their companies.

    A company with several share classes counts once, because each class is listed with the
    capitalization of the whole company.

    Parameters
    ----------
    sectors, market_caps, companies : Series, one entry per stock
        Sector, market capitalization in USD, and company identifier, without missing values.

    Returns
    -------
    DataFrame
        sector, weight (fractions that sum to 1), market_cap (USD), num_constituents (stocks), by
        sector. Weights use full capitalizations, unlike a float-adjusted index.
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
    """Return weights by sector, scaled to sum to 1; weights of one sector are added."""
    by_sector = weights.groupby(level=0).sum()
    return (by_sector / by_sector.sum()).rename("weight").rename_axis("sector").reset_index()

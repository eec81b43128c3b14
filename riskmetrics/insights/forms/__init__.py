"""Forms of the sentence catalog, by topic. Each module is loaded by `claims.catalog`."""

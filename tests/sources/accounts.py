"""What tests of holdings look at in an account."""

from riskmetrics.sources.brokers import Account


def held(account: Account) -> list[tuple[object, ...]]:
    """Symbol, type, quantity and entry price of each lot."""
    return [
        tuple(row)
        for row in (
            account.holdings.rows[["symbol", "position_type", "quantity", "entry_price"]]
            .to_numpy()
            .tolist()
        )
    ]

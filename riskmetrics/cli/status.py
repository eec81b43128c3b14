"""`riskmetrics status`: what is stored."""

import typer

from riskmetrics.cli.options import AsJson
from riskmetrics.cli.output import present, print_json, records


def status(as_json: AsJson = False) -> None:
    """Print what is stored: prices, sessions computed and missing, rows and sizes.

    Example: riskmetrics status
    """
    from riskmetrics import settings
    from riskmetrics.cli.database import reading
    from riskmetrics.db import migrate, read, stored
    from riskmetrics.db.engine import described

    configured = settings.load()
    with reading() as connection:
        facts: dict[str, object] = {
            "database": described(connection.engine.url),
            "revision": migrate.current(connection),
            "market_index": read.market_index(connection, configured.market_index),
            "benchmark": read.benchmark_code(connection, configured.benchmark),
            **stored.sessions(connection)._asdict(),
        }
        sizes = stored.table_sizes(connection)
    if as_json:
        print_json(facts | {"tables": records(sizes)})
        return
    for name, value in facts.items():
        shown = ", ".join(map(str, value[:10])) + (" …" if len(value) > 10 else "") if isinstance(value, list) else value
        typer.echo(f"{name.replace('_', ' '):<22}{'—' if shown in (None, '') else shown}")
    typer.echo()
    present(sizes, as_json=False, formats={"rows": "{:,}".format, "kilobytes": "{:,}".format})

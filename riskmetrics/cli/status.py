"""`riskmetrics status`: summarize the stored data."""

import typer

from riskmetrics.cli.database import read_transaction
from riskmetrics.cli.output import pluralize, print_frame, print_json, to_records
from riskmetrics.cli.shared_options import AsJson


def status(as_json: AsJson = False) -> None:
    """Summarize what is stored: prices, sessions, rows and sizes.

    Example: riskmetrics status
    """
    from riskmetrics import settings
    from riskmetrics.db import migrate, outdated_results, storage_overview, stored_settings
    from riskmetrics.db.engine import redact_url
    from riskmetrics.sources.source_registry import require_known_sources

    configured = settings.load()
    require_known_sources(configured)
    with read_transaction() as connection:
        outdated = outdated_results.read_outdated(connection)
        facts: dict[str, object] = {
            "database": redact_url(connection.engine.url),
            "revision": migrate.current(connection),
            "market_index": stored_settings.read_market_index(connection, configured.market_index),
            "benchmark": stored_settings.read_benchmark_code(connection, configured.benchmark),
            **storage_overview.read_stored_sessions(connection)._asdict(),
            "outdated_results": outdated and f"{outdated.first} to {outdated.last}",
        }
        sizes = storage_overview.read_table_sizes(connection)
    if as_json:
        print_json(facts | {"tables": to_records(sizes)})
        return
    for name, value in facts.items():
        shown = (
            ", ".join(map(str, value[:10])) + (" …" if len(value) > 10 else "")
            if isinstance(value, list)
            else value
        )
        typer.echo(f"{name.replace('_', ' '):<22}{'—' if shown in (None, '') else shown}")
    typer.echo()
    filled = sizes[sizes["rows"] > 0]
    print_frame(filled, as_json=False, formats={"rows": "{:,}".format, "kilobytes": "{:,}".format})
    if n_empty := len(sizes) - len(filled):
        typer.echo(f"{pluralize(n_empty, 'table')} without rows")

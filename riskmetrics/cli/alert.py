"""`riskmetrics alert`: say something where alerts go."""

from typing import Annotated

import typer


def alert(
    text: Annotated[
        str, typer.Argument(help="What to say.")
    ] = "This is a test of riskmetrics' alerts.",
) -> None:
    """Send a sentence by webhook and e-mail, as the settings say: to test them, or from a script of one's own.

    Example: riskmetrics catch-up || riskmetrics alert "the night failed"
    """
    from riskmetrics import alerts, settings
    from riskmetrics.errors import ConfigurationError

    channels = alerts.send(settings.load(), "riskmetrics: an alert", text)
    if not channels:
        raise ConfigurationError(
            "there is nobody to tell: set RISKMETRICS_ALERT_WEBHOOK, or RISKMETRICS_ALERT_EMAIL and"
            " RISKMETRICS_SMTP_URL"
        )
    typer.echo(f"sent by {' and '.join(channels)}")

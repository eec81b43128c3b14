"""`riskmetrics alert`: send a message to the configured alert channels."""

from typing import Annotated

import typer

from riskmetrics.errors import ConfigurationError


def alert(
    text: Annotated[
        str, typer.Argument(help="Text of the message.")
    ] = "This is a test of riskmetrics' alerts.",
) -> None:
    """Send a message by webhook and e-mail, as a test or from a script.

    Example: riskmetrics catch-up || riskmetrics alert "the night failed"
    """
    from riskmetrics import alerts, settings

    channels = alerts.send(settings.load(), "riskmetrics: an alert", text)
    if not channels:
        raise ConfigurationError(
            "no alert channel is configured: set RISKMETRICS_ALERT_WEBHOOK, or"
            " RISKMETRICS_ALERT_EMAIL and RISKMETRICS_SMTP_URL"
        )
    typer.echo(f"sent by {' and '.join(channels)}")

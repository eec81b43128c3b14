"""Alerts by webhook and e-mail; nothing is sent if neither is configured."""

import logging
import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from html import escape
from threading import get_ident
from urllib.parse import unquote, urlsplit

from riskmetrics.errors import AlertDeliveryError
from riskmetrics.settings import Settings
from riskmetrics.text import escape_controls

_TIMEOUT = 20
"""Timeout of a request, in seconds."""

_REDACTED = "[hidden]"


def send(settings: Settings, subject: str, text: str) -> list[str]:
    """Send an alert to all configured channels, and return the channels that accepted it.

    Secrets of the settings are redacted in the alert. In the webhook text, &, < and > are escaped
    as Slack requires, so that a name cannot mention a channel or disguise a link. A failing channel
    does not affect the other.

    Raises
    ------
    AlertDeliveryError
        If a configured channel did not accept the alert; the message contains no secret part of an
        address and no password.
    """
    subject = escape_controls(redact_secrets(settings, subject))
    text = escape_controls(redact_secrets(settings, text))
    channels: dict[str, Callable[[], None]] = {}
    if settings.alert_webhook is not None:
        address = settings.alert_webhook.get_secret_value()
        channels["webhook"] = lambda: _post_webhook(
            address, escape(f"{subject}\n{text}", quote=False)
        )
    if settings.alert_email:
        recipients = settings.alert_email
        channels["e-mail"] = lambda: _send_email(settings, recipients, subject, text)
    problems, delivered = [], []
    for name, deliver in channels.items():
        try:
            deliver()
            delivered.append(name)
        except (OSError, ValueError, smtplib.SMTPException, AlertDeliveryError) as error:
            problems.append(f"alert not sent by {name} ({redact_secrets(settings, str(error))})")
    if problems:
        raise AlertDeliveryError("; ".join(problems), tuple(delivered))
    return delivered


def redact_secrets(settings: Settings, text: str) -> str:
    """Return text with all secrets of the settings, and passwords in their URLs, redacted."""
    secrets = [
        value.get_secret_value() for _, value in settings if hasattr(value, "get_secret_value")
    ]
    passwords = [urlsplit(secret).password for secret in secrets if "://" in secret]
    secret_forms = {
        form for secret in (*secrets, *passwords) if secret for form in (secret, unquote(secret))
    }
    for secret in sorted(secret_forms, key=len, reverse=True):
        text = text.replace(secret, _REDACTED)
    return text


def _post_webhook(address: str, text: str) -> None:
    """Post an alert as JSON in the format of Slack and Mattermost."""
    import requests  # takes 0.1 s, and most commands do not need it
    from requests.adapters import HTTPAdapter
    from urllib3.exceptions import HTTPError
    from urllib3.util import Retry

    retry_policy = Retry(
        3,
        backoff_factor=0.5,
        status_forcelist=(429, 500, 502, 503, 504),
        allowed_methods=("POST",),
        raise_on_status=False,
    )
    with requests.Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=retry_policy))
        try:
            with _suppress_http_logs():
                response = session.post(
                    address, json={"text": text}, timeout=_TIMEOUT, allow_redirects=False
                )
        except (requests.RequestException, HTTPError) as error:
            # the text of the error contains the secret path of the address
            raise AlertDeliveryError(
                f"{urlsplit(address).hostname} did not respond: {type(error).__name__}"
            ) from None
    if not response.ok or response.is_redirect:
        raise AlertDeliveryError(
            f"{urlsplit(address).hostname} responded with status {response.status_code}"
        )


@contextmanager
def _suppress_http_logs() -> Iterator[None]:
    """Suppress log records of urllib3 in this thread, which contain the path of the address."""
    loggers = [
        logging.getLogger(f"urllib3.{name}")
        for name in ("connection", "connectionpool", "util.retry")
    ]
    thread = get_ident()

    def is_other_thread(record: logging.LogRecord) -> bool:
        return record.thread != thread

    for logger in loggers:
        logger.addFilter(is_other_thread)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(is_other_thread)


def _send_email(settings: Settings, recipients: str, subject: str, text: str) -> None:
    if settings.smtp_url is None:
        raise AlertDeliveryError(
            "RISKMETRICS_ALERT_EMAIL is set but RISKMETRICS_SMTP_URL is not; set both"
        )
    message = EmailMessage()
    message["Subject"], message["To"] = " ".join(subject.split()), recipients
    message["From"] = settings.alert_sender or recipients.partition(",")[0]
    message.set_content(text)
    address = urlsplit(settings.smtp_url.get_secret_value())
    host, context = address.hostname or "", ssl.create_default_context()
    encrypted = address.scheme == "smtps"
    with (
        smtplib.SMTP_SSL(host, address.port or 465, timeout=_TIMEOUT, context=context)
        if encrypted
        else smtplib.SMTP(host, address.port or 587, timeout=_TIMEOUT)
    ) as server:
        server.ehlo()
        if not encrypted and server.has_extn("starttls"):
            server.starttls(context=context)
            encrypted = True
        if address.username:
            if not encrypted:
                raise AlertDeliveryError(
                    f"{host} does not offer encryption; the password is sent only if encrypted"
                )
            server.login(unquote(address.username), unquote(address.password or ""))
        server.send_message(message)

"""Sentences to the people in charge, by webhook and by e-mail; where neither is set, nothing is sent."""

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
"""Seconds to wait for an answer."""

_REDACTED = "[hidden]"


def send(settings: Settings, subject: str, text: str) -> list[str]:
    """Send ``text`` wherever the settings say, and return the channels that took it; one that fails does not keep the other from it.

    No secret of the settings is in what is sent, whatever the text says. In the webhook's text &, <
    and > are escaped as Slack has it, so that a name cannot mention a channel or disguise a link.

    Raises
    ------
    AlertDeliveryError
        If a channel that is set did not take it; its sentence holds neither an address's secret
        part nor a password.
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
            problems.append(
                f"the alert was not sent by {name} ({redact_secrets(settings, str(error))})"
            )
    if problems:
        raise AlertDeliveryError("; ".join(problems), tuple(delivered))
    return delivered


def redact_secrets(settings: Settings, text: str) -> str:
    """Return ``text`` in which no secret of ``settings`` stands, nor the password inside one that is an address."""
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
    """Post what Slack, Mattermost and their like take."""
    import requests  # a tenth of a second that most commands do not need
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
            # the error's own text holds the path of the address, which is its secret
            raise AlertDeliveryError(
                f"{urlsplit(address).hostname} did not answer: {type(error).__name__}"
            ) from None
    if not response.ok or response.is_redirect:
        raise AlertDeliveryError(f"{urlsplit(address).hostname} answered {response.status_code}")


@contextmanager
def _suppress_http_logs() -> Iterator[None]:
    """Keep what urllib3 logs of a request, with the path of the address, out of every log."""
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
        raise AlertDeliveryError("RISKMETRICS_ALERT_EMAIL is set and RISKMETRICS_SMTP_URL is not")
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
                    f"{host} offers no encryption, and the password is not sent without"
                )
            server.login(unquote(address.username), unquote(address.password or ""))
        server.send_message(message)

"""Alerts as local servers get them: a webhook, and a mail server with and without encryption."""

import base64
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from urllib3.util import Retry

from riskmetrics import alerts, settings
from riskmetrics.errors import AlertDeliveryError, ConfigurationError
from tests import mail_server, webhook_server
from tests.commands import invoke


@pytest.fixture(autouse=True)
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send again at once what did not arrive."""
    monkeypatch.setattr(Retry, "get_backoff_time", lambda _: 0.0)


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[webhook_server.Webhook]:
    """Return a webhook that the settings name."""
    with webhook_server.serve() as running:
        monkeypatch.setenv("RISKMETRICS_ALERT_WEBHOOK", running.url)
        yield running


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch) -> Iterator[mail_server.MailServer]:
    """Return a mail server without encryption that the settings name."""
    with mail_server.serve() as running:
        monkeypatch.setenv("RISKMETRICS_SMTP_URL", f"smtp://127.0.0.1:{running.port}")
        monkeypatch.setenv("RISKMETRICS_ALERT_EMAIL", "ann@example.org, bob@example.org")
        yield running


@pytest.fixture
def certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a certificate for 127.0.0.1 with its key, which this process trusts."""
    if shutil.which("openssl") is None:
        pytest.skip("there is no openssl to make a certificate with")
    file = tmp_path / "certificate.pem"
    request = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=127.0.0.1",
    ]
    request += [
        "-addext",
        "subjectAltName=IP:127.0.0.1",
        "-keyout",
        str(tmp_path / "key"),
        "-out",
        str(file),
    ]
    subprocess.run(request, check=True, capture_output=True)
    with file.open("a") as whole:
        whole.write((tmp_path / "key").read_text())
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return file


def test_an_alert_goes_to_the_webhook_and_to_every_address(
    webhook: webhook_server.Webhook, mail: mail_server.MailServer
) -> None:
    assert alerts.send(settings.load(), "The night\nfailed", "No close of SPY — import it.") == [
        "webhook",
        "e-mail",
    ]
    assert webhook.messages == ["The night\nfailed\nNo close of SPY — import it."]
    (message,) = mail.messages
    assert mail.recipients == ["ann@example.org", "bob@example.org"]
    assert (message["Subject"], message["From"]) == ("The night failed", "ann@example.org")
    assert message.get_content().strip() == "No close of SPY — import it."


def test_a_name_cannot_mention_a_channel_or_disguise_a_link(
    webhook: webhook_server.Webhook,
) -> None:
    """Slack reads <!channel> and <address|text> as commands, unless &, < and > are escaped."""
    alerts.send(settings.load(), "S&P", "check failed for <!channel> <https://example.org|Growth>")
    assert webhook.messages == [
        "S&amp;P\ncheck failed for &lt;!channel&gt; &lt;https://example.org|Growth&gt;"
    ]


def test_without_a_setting_nothing_is_sent_and_the_command_says_what_to_set() -> None:
    assert alerts.send(settings.load(), "a", "b") == []
    result = invoke("alert")
    assert isinstance(result.exception, ConfigurationError)
    assert "RISKMETRICS_ALERT_WEBHOOK" in str(result.exception)


def test_alert_command_sends_its_text(webhook: webhook_server.Webhook) -> None:
    result = invoke("alert", "the disk is full")
    assert (result.exit_code, result.output) == (0, "sent by webhook\n")
    assert "the disk is full" in webhook.messages[0]


def test_no_secret_is_in_what_is_sent(
    webhook: webhook_server.Webhook, mail: mail_server.MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Database URL, its password (decoded or not), vendor key and webhook address are redacted."""
    secrets = [
        "postgresql://risk:s3%2Fcr3t@db/metrics",
        "s3%2Fcr3t",
        "s3/cr3t",
        "fmp-k3y",
        webhook.url,
    ]
    monkeypatch.setenv("RISKMETRICS_DATABASE_URL", secrets[0])
    monkeypatch.setenv("FMP_API_KEY", "fmp-k3y")
    alerts.send(settings.load(), f"about {secrets[3]}", " and ".join(secrets))
    sent = [*webhook.messages, mail.messages[0]["Subject"], mail.messages[0].get_content()]
    assert not [secret for secret in secrets for text in sent if secret in text]
    assert sent[0].count("[hidden]") == 1 + len(secrets)


def test_retries_busy_webhook(webhook: webhook_server.Webhook) -> None:
    webhook.statuses = [503, 429, 200]
    assert alerts.send(settings.load(), "a", "b") == ["webhook"]
    assert webhook.messages == ["a\nb"]


def test_what_one_channel_refuses_the_other_still_gets_and_the_error_hides_the_address(
    webhook: webhook_server.Webhook, mail: mail_server.MailServer
) -> None:
    webhook.statuses = [403]
    with pytest.raises(
        AlertDeliveryError, match=r"by webhook \(127.0.0.1 responded with status 403"
    ) as caught:
        alerts.send(settings.load(), "a", "b")
    assert "T0PSECRET" not in str(caught.value)
    assert len(mail.messages) == 1


def test_a_webhook_that_is_not_there_is_named_without_its_secret_part(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with webhook_server.serve() as gone:
        monkeypatch.setenv("RISKMETRICS_ALERT_WEBHOOK", gone.url)
    with pytest.raises(
        AlertDeliveryError, match=r"127.0.0.1 did not respond: ConnectionError"
    ) as caught:
        alerts.send(settings.load(), "a", "b")
    assert "T0PSECRET" not in str(caught.value)


@pytest.mark.parametrize("host", ["127.0.0.1:1", "a" * 70 + ".example"])
def test_no_log_holds_the_secret_part_of_a_webhook(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, host: str
) -> None:
    caplog.set_level("DEBUG")
    monkeypatch.setenv("RISKMETRICS_ALERT_WEBHOOK", f"http://{host}/services/hidden-word")
    with pytest.raises(AlertDeliveryError, match="did not respond"):
        alerts.send(settings.load(), "a", "b")
    assert "hidden-word" not in caplog.text


def test_a_sender_that_cannot_be_keeps_no_other_channel_from_the_alert(
    webhook: webhook_server.Webhook, mail: mail_server.MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RISKMETRICS_ALERT_SENDER", "ann@example.org\nBcc: eve@example.org")
    with pytest.raises(AlertDeliveryError, match="not sent by e-mail") as caught:
        alerts.send(settings.load(), "a", "b")
    assert caught.value.delivered_to == ("webhook",)
    assert not mail.messages


def test_a_password_is_not_sent_without_encryption(
    mail: mail_server.MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RISKMETRICS_SMTP_URL", f"smtp://ann:s3cr3t@127.0.0.1:{mail.port}")
    with pytest.raises(AlertDeliveryError, match="the password is sent only if encrypted"):
        alerts.send(settings.load(), "a", "b")
    assert not [command for command in mail.commands if command.startswith("AUTH")]
    assert not mail.messages


@pytest.mark.integration
@pytest.mark.parametrize(("scheme", "in_clear"), [("smtps", []), ("smtp", ["EHLO", "STARTTLS"])])
def test_a_password_goes_to_a_server_that_is_encrypted_and_known(
    certificate: Path, monkeypatch: pytest.MonkeyPatch, scheme: str, in_clear: list[str]
) -> None:
    """With TLS from the start or STARTTLS: an untrusted server gets no password and no message."""
    monkeypatch.setenv("RISKMETRICS_ALERT_EMAIL", "ann@example.org")
    with mail_server.serve(certificate, asked=scheme == "smtp") as mail:
        monkeypatch.setenv("RISKMETRICS_SMTP_URL", f"{scheme}://ann:s%40fe@127.0.0.1:{mail.port}")
        assert alerts.send(settings.load(), "a", "b") == ["e-mail"]
        verbs = [command.split()[0].upper() for command in mail.commands]
        assert verbs == [*in_clear, "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "QUIT"]
        assert base64.b64decode(mail.commands[verbs.index("AUTH")].split()[-1]) == b"\0ann\0s@fe"
        assert len(mail.messages) == 1

        mail.commands.clear()
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(AlertDeliveryError, match="certificate verify failed"):
            alerts.send(settings.load(), "a", "b")
    assert [command.split()[0].upper() for command in mail.commands] == in_clear
    assert len(mail.messages) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RISKMETRICS_ALERT_WEBHOOK", "hooks.example.org/T0PSECRET"),
        ("RISKMETRICS_SMTP_URL", "https://ann:T0PSECRET@mail"),
        ("RISKMETRICS_SMTP_URL", "smtp://ann:T0PSECRET@mail:port"),
        ("RISKMETRICS_ALERT_EMAIL", "T0PSECRET"),
    ],
)
def test_an_address_that_cannot_be_is_refused_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=name) as caught:
        settings.load()
    assert "T0PSECRET" not in str(caught.value)

"""Mail to people: by SMTP, or in development on the terminal."""

import sys
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from urllib.parse import unquote, urlsplit

import aiosmtplib
from pydantic import Field, HttpUrl

from servicekit.settings import ServiceSettings

TIMEOUT_SEC = 20
MAX_SUBJECT = 200


class MailSettings(ServiceSettings):
    """Settings of services that write to people."""

    public_url: HttpUrl = Field(
        default=HttpUrl("http://localhost:3000"),
        description="The portal's address, for links in mails.",
    )
    smtp_url: str = Field(
        default="",
        repr=False,
        pattern=r"^(smtps?://[^\s]+)?$",
        description="smtp://user:password@host:587 or smtps://…:465. Without it a dev start prints"
        " mails beside the log; elsewhere none are sent.",
    )
    mail_from: str = Field(
        default="Runbench <runbench@localhost>", description="Sender of the mails."
    )


class MailFailed(Exception):
    """A mail was not taken; `failure` is a word for it, without the server's answer."""

    def __init__(self, failure: str, *, for_good: bool = False) -> None:
        super().__init__(failure)
        self.failure = failure
        self.for_good = for_good


class Mailer:
    """Hands one mail at a time to the server that the settings name."""

    def __init__(self, settings: MailSettings) -> None:
        self._address = urlsplit(settings.smtp_url)
        self._sender = settings.mail_from
        self._prints = settings.is_development
        self.is_on = bool(settings.smtp_url) or self._prints
        """Whether there is a way for a mail to go."""

    async def send(self, *, to: str, subject: str, text: str, html: str | None = None) -> None:
        """Send a mail, once.

        A subject may have names in it that anybody chose: no sign of it begins another header.

        Raises:
            MailFailed: it was not taken: `off`, `no-connection`, `refused` (for good) or `failed`.
        """
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._sender, to, one_line(subject)
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain="runbench")
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        if html is not None:
            message.add_alternative(html, subtype="html")
        if self._address.hostname:
            await self._deliver(message)
        elif self._prints:
            _print(message)
        else:
            failure = "off"
            raise MailFailed(failure)

    async def _deliver(self, message: EmailMessage) -> None:
        address = self._address
        try:
            await aiosmtplib.send(
                message,
                hostname=address.hostname,
                port=address.port,
                username=unquote(address.username) if address.username else None,
                password=unquote(address.password) if address.password else None,
                use_tls=address.scheme == "smtps",
                timeout=TIMEOUT_SEC,
            )
        except (aiosmtplib.SMTPRecipientsRefused, aiosmtplib.SMTPResponseException) as exc:
            raise _refused(exc) from exc
        except (aiosmtplib.SMTPConnectError, aiosmtplib.SMTPServerDisconnected, OSError) as exc:
            failure = "no-connection"
            raise MailFailed(failure) from exc
        except aiosmtplib.SMTPException as exc:
            failure = "failed"
            raise MailFailed(failure) from exc


def one_line(text: str) -> str:
    """Without signs that end a line or are not printed, and not too long for a subject."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return line if len(line) <= MAX_SUBJECT else line[: MAX_SUBJECT - 1] + "…"


def _refused(
    exc: aiosmtplib.SMTPRecipientsRefused | aiosmtplib.SMTPResponseException,
) -> MailFailed:
    """Whether the server says no for good (5xx), or for now."""
    codes = (
        [exc.code]
        if isinstance(exc, aiosmtplib.SMTPResponseException)
        else [one.code for one in exc.recipients]
    )
    for_good = isinstance(exc, aiosmtplib.SMTPRecipientsRefused) and min(codes, default=0) >= 500  # noqa: PLR2004
    return MailFailed("refused", for_good=for_good)


def _print(message: EmailMessage) -> None:
    """Show the mail beside the log and not in it: its link is a secret, which the log redacts."""
    body = message.get_body(("plain",))
    sys.stdout.write(
        "\n=== development mail, printed because SMTP_URL is not set ===\n"
        f"To: {message['To']}\nSubject: {message['Subject']}\n\n"
        f"{body.get_content().strip() if body else ''}\n"
        "=== end of mail ===\n\n"
    )
    sys.stdout.flush()

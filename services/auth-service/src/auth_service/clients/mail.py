"""Mail to people: by SMTP, or in development on the terminal."""

import asyncio
import sys
from collections.abc import Coroutine
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote, urlsplit

import aiosmtplib
import structlog
from aiohttp import web

log = structlog.get_logger()

ATTEMPTS = 3
WAIT_SEC = 5.0
TIMEOUT_SEC = 20
CLOSE_WITHIN_SEC = 2.0


class Mail:
    """Sends in the background, so that nobody learns from the time whether a mail went out."""

    def __init__(self, smtp_url: str, *, sender: str, is_development: bool) -> None:
        self._smtp_url = smtp_url
        self._sender = sender
        self._is_development = is_development
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that may end in a mail, after the request that asked for it is answered."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def send(self, *, to: str, subject: str, text: str) -> None:
        """Send a mail; three attempts, after which the log says that it was lost."""
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = self._sender, to, subject
        message.set_content(text)
        if self._smtp_url:
            await self._deliver(message)
        elif self._is_development:
            _print(message)
        else:
            log.warning("mail.off", subject=subject, hint="Set SMTP_URL to send mails.")

    async def close(self) -> None:
        """Wait a moment for what is under way, and give up the rest: people can ask again."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=CLOSE_WITHIN_SEC)
            for task in late:
                task.cancel()

    async def _deliver(self, message: EmailMessage) -> None:
        address = urlsplit(self._smtp_url)
        for attempt in range(1, ATTEMPTS + 1):
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
            except (aiosmtplib.SMTPException, OSError) as exc:
                log.warning("mail.failed", attempt=attempt, of=ATTEMPTS, error=type(exc).__name__)
                if attempt < ATTEMPTS:
                    await asyncio.sleep(WAIT_SEC * attempt)
            else:
                return
        log.error("mail.lost", subject=message["Subject"])

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("mail.crashed", exc_info=error)


MAIL = web.AppKey("mail", Mail)


def _print(message: EmailMessage) -> None:
    """Show the mail beside the log and not in it: its link is a secret, which the log redacts."""
    sys.stdout.write(
        "\n=== development mail, printed because SMTP_URL is not set ===\n"
        f"To: {message['To']}\nSubject: {message['Subject']}\n\n"
        f"{message.get_content().strip()}\n"
        "=== end of mail ===\n\n"
    )
    sys.stdout.flush()

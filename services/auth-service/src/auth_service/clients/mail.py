"""Mail to people, in the background."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog
from aiohttp import web
from servicekit.mail import Mailer, MailFailed, MailSettings

log = structlog.get_logger()

ATTEMPTS = 3
WAIT_SEC = 5.0
CLOSE_WITHIN_SEC = 2.0


class Mail:
    """Sends in the background, so that nobody learns from the time whether a mail went out."""

    def __init__(self, settings: MailSettings) -> None:
        self._mailer = Mailer(settings)
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something that may end in a mail, after the request that asked for it is answered."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def send(self, *, to: str, subject: str, text: str) -> None:
        """Send a mail; three attempts, after which the log says that it was lost."""
        if not self._mailer.is_on:
            log.warning("mail.off", subject=subject, hint="Set SMTP_URL to send mails.")
            return
        for attempt in range(1, ATTEMPTS + 1):
            try:
                await self._mailer.send(to=to, subject=subject, text=text)
            except MailFailed as exc:
                log.warning("mail.failed", attempt=attempt, of=ATTEMPTS, error=exc.failure)
                if attempt < ATTEMPTS:
                    await asyncio.sleep(WAIT_SEC * attempt)
            else:
                return
        log.error("mail.lost", subject=subject)

    async def close(self) -> None:
        """Wait a moment for what is under way, and give up the rest: people can ask again."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=CLOSE_WITHIN_SEC)
            for task in late:
                task.cancel()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("mail.crashed", exc_info=error)


MAIL = web.AppKey("mail", Mail)

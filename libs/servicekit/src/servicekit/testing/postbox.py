"""A real SMTP server that the mails of a test go to."""

import asyncio
import email.policy
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from typing import Any, cast

from aiosmtpd.controller import Controller


class Postbox:
    """An SMTP server's end: what it was given; `answers` are used up one by one."""

    def __init__(self) -> None:
        self.url = ""
        self.mails: list[EmailMessage] = []
        self.answers: list[str] = []

    async def handle_RCPT(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if self.answers:
            return self.answers.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 fine"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        parsed = BytesParser(policy=email.policy.default).parsebytes(envelope.content)
        self.mails.append(parsed)
        return "250 taken"

    async def mail(self, number: int = 1) -> EmailMessage:
        """The mail of that number, once it has arrived."""
        async with asyncio.timeout(30):
            while len(self.mails) < number:  # noqa: ASYNC110 - it is filled by another thread
                await asyncio.sleep(0.02)
        return self.mails[number - 1]


class _OnAnyPort(Controller):
    """Takes a free port, and asks for it after it is bound."""

    port: int

    def _trigger_server(self) -> None:
        self.port = cast("Any", self.server).sockets[0].getsockname()[1]
        super()._trigger_server()


@asynccontextmanager
async def postbox() -> AsyncGenerator[Postbox]:
    """A server on a free port of loopback, while it is needed."""
    box = Postbox()
    server = _OnAnyPort(box, hostname="127.0.0.1", port=0)
    await asyncio.to_thread(server.start)
    box.url = f"smtp://127.0.0.1:{server.port}"
    yield box
    await asyncio.to_thread(server.stop)

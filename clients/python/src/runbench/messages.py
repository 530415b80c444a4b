"""What a recording run says to the person: a few lines on stderr, each once."""

import logging
import sys

logger = logging.getLogger("runbench")


MOST_WARNINGS = 40

_HTTP_LOGGERS = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy")


class Voice:
    """Speaks on stderr unless quiet, always to the `runbench` logger; never twice with one key, and
    at most MOST_WARNINGS different ones.
    """

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        self._said: set[str] = set()

    def say(self, line: str) -> None:
        """A line of news."""
        logger.debug("%s", line)
        self._print(line)

    def warn(self, line: str, *, once: str | None = None) -> None:
        """A line about something that is wrong; with `once`, only the first time."""
        if once is not None:
            if once in self._said or len(self._said) >= MOST_WARNINGS:
                return
            self._said.add(once)
            if len(self._said) == MOST_WARNINGS:
                line += " (further warnings are not shown)"
        if logger.handlers or logging.getLogger().handlers:
            logger.warning("%s", line)
        else:
            self._print(line)

    def _print(self, line: str) -> None:
        if self.quiet:
            return
        try:
            print(f"runbench: {line}", file=sys.stderr, flush=True)  # noqa: T201 - meant to be seen
        except (OSError, ValueError, AttributeError):
            self.quiet = True
        except RuntimeError:
            # A signal handler speaks in the middle of another line.
            logger.debug("%s", line)


class _OwnRequests(logging.Filter):
    """Keeps the HTTP library from logging each request of our threads into the script's log."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not (record.threadName or "").startswith("runbench-")


def hush_own_requests() -> None:
    """Install the filter; doing it again changes nothing."""
    for name in _HTTP_LOGGERS:
        library = logging.getLogger(name)
        if not any(isinstance(each, _OwnRequests) for each in library.filters):
            library.addFilter(_OwnRequests())

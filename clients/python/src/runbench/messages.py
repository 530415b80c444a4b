"""What a recording run says to the person: a few lines on stderr, each once."""

import logging
import sys

logger = logging.getLogger("runbench")


class Voice:
    """Speaks on stderr unless quiet, always to the `runbench` logger; never twice with one key."""

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
            if once in self._said:
                return
            self._said.add(once)
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

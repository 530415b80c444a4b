"""Progress: a bar in a terminal or notebook, now and then a line where the output is kept."""

import sys
import time
from collections.abc import Iterable, Iterator, Sized
from types import TracebackType
from typing import Any, Self, TypeVar

from runbench import settings

Item = TypeVar("Item")

LINE_SECONDS = 10.0


class Bar:
    """A bar to `advance`; plain lines where stderr is no terminal; nothing with RUNBENCH_QUIET.
    of_bytes: what is counted is bytes.
    """

    def __init__(
        self,
        label: str,
        total: float | None = None,
        *,
        of_bytes: bool = False,
        quiet: bool = False,
    ) -> None:
        self._of_bytes = of_bytes
        self._label = label
        self._total = total
        self._done = 0.0
        self._said_at = time.monotonic()
        self._rich: Any = None
        self._task: Any = None
        self._quiet = quiet or settings.flag("RUNBENCH_QUIET")

    def __enter__(self) -> Self:
        if self._quiet:
            return self
        from rich.console import Console  # noqa: PLC0415 - only where something is shown
        from rich.progress import (  # noqa: PLC0415
            BarColumn,
            DownloadColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        console = Console(stderr=True)
        if console.is_terminal or console.is_jupyter:
            counted: tuple[Any, ...] = (MofNCompleteColumn(),)
            if self._of_bytes:
                counted = DownloadColumn(), TransferSpeedColumn()
            self._rich = Progress(
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                *counted,
                TimeRemainingColumn(),
                console=console,
            )
            self._rich.start()
            self._task = self._rich.add_task(self._label, total=self._total)
        return self

    def advance(self, by: float = 1, label: str | None = None) -> None:
        """So much more is done; with a label, of what."""
        self._done += by
        if self._rich is not None:
            more = {} if label is None else {"description": label}
            self._rich.update(self._task, advance=by, **more)
            return
        self._label = label or self._label
        now = time.monotonic()
        if now - self._said_at >= LINE_SECONDS:
            self._said_at = now
            self._say()

    def reach(self, done: float) -> None:
        """So much is done by now."""
        self.advance(done - self._done)

    def _say(self) -> None:
        if not self._quiet:
            of = f" of {self._counted(self._total)}" if self._total is not None else ""
            line = f"{self._label}: {self._counted(self._done)}{of}"
            print(line, file=sys.stderr, flush=True)  # noqa: T201 - meant to be seen

    def _counted(self, count: float) -> str:
        return f"{count / 1e6:.1f} MB" if self._of_bytes else f"{count:g}"

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._rich is not None:
            self._rich.stop()


def track(
    items: Iterable[Item], label: str = "steps", total: float | None = None
) -> Iterator[Item]:
    """Go through items with a progress bar: `for batch in runbench.track(batches, "epoch 1"):`.

    total: how many there are, where the items have no length.
    """
    if total is None and isinstance(items, Sized):
        total = len(items)
    with Bar(label, total) as bar:
        for item in items:
            yield item
            bar.advance()

"""What the callbacks share: whose run they record into, and how it ends."""

from collections.abc import Mapping
from typing import Any

from runbench.run import Run, current, init
from runbench.values import flatten


class Recording:
    """The given run, else the current one, else a new one that this callback ends itself."""

    def __init__(self, run: Run | None, options: Mapping[str, Any]) -> None:
        self._given = run
        self._options = dict(options)
        self._run: Run | None = None
        self.owned = False

    @property
    def run(self) -> Run:
        """The run; started when it is first asked for."""
        if self._run is None:
            self._run = self._given or current()
            if self._run is None:
                self._run = init(**self._options)
                self.owned = True
        return self._run

    def params(self, params: Mapping[str, Any]) -> None:
        """Record params that are not known yet: a trainer may say them again, or change them."""
        known = self.run.config.params()
        fresh = {str(key): value for key, value in flatten(params)}
        fresh = {key: value for key, value in fresh.items() if key not in known}
        if fresh:
            self.run.config.update(fresh)

    def end(self, error: BaseException | None = None) -> None:
        """End the run if it is this callback's own; failed with its traceback for an error."""
        if self.owned and self._run is not None:
            self._run.__exit__(type(error) if error else None, error, None)
            self._run, self.owned = None, False


def numbers(metrics: Mapping[str, Any]) -> dict[str, Any]:
    """The entries that are no text, None or container: what trainers mix with their metrics."""
    odd = (str, bytes, list, tuple, dict, set)
    return {
        key: value
        for key, value in metrics.items()
        if value is not None and not isinstance(value, odd)
    }

"""PyTorch Lightning: `Trainer(logger=RunbenchLogger(project="bench"))`."""
# pyright: basic, reportMissingImports=false, reportUntypedBaseClass=false

from argparse import Namespace
from collections.abc import Mapping
from typing import Any

try:
    from lightning.pytorch.loggers.logger import Logger
    from lightning.pytorch.utilities.rank_zero import rank_zero_only
except ImportError:
    from pytorch_lightning.loggers.logger import Logger
    from pytorch_lightning.utilities.rank_zero import rank_zero_only

from runbench.integrations._recording import Recording, numbers
from runbench.run import Run, Status

_ENDINGS: dict[str, Status] = {
    "success": "succeeded",
    "failed": "failed",
    "interrupted": "interrupted",
}


class RunbenchLogger(Logger):
    """Records into the given run, else the current one, else one of its own made with options (see
    `runbench.init`), which ends as the trainer does. A run that was given is left open.
    """

    def __init__(self, run: Run | None = None, **options: Any) -> None:
        super().__init__()
        self._recording = Recording(run, options)

    @property
    def name(self) -> str:
        """The experiment."""
        return self._recording.run.experiment

    @property
    def version(self) -> str | None:
        """The run's id."""
        return self._recording.run.id

    @property
    def experiment(self) -> Run:
        """The run."""
        return self._recording.run

    @rank_zero_only
    def log_hyperparams(self, params: dict[str, Any] | Namespace, *_: Any, **__: Any) -> None:
        self._recording.params(vars(params) if isinstance(params, Namespace) else params)

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        self._recording.run.log(numbers(metrics), step)

    @rank_zero_only
    def save(self) -> None:
        self._recording.run.flush()

    @rank_zero_only
    def finalize(self, status: str) -> None:
        if self._recording.owned and status in _ENDINGS:
            self._recording.run.finish(_ENDINGS[status])
            self._recording.end()

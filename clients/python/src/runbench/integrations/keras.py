"""Keras: `model.fit(…, callbacks=[RunbenchCallback(project="bench")])`."""
# pyright: basic, reportMissingImports=false, reportUntypedBaseClass=false

from typing import Any

import keras

from runbench.integrations._recording import Recording, numbers
from runbench.run import Run


class RunbenchCallback(keras.callbacks.Callback):
    """Records each epoch's metrics (and every `every_batches` batches the batch's, as `batch/…`)
    into the given run, else the current one, else one of its own made with options (see
    `runbench.init`), which ends with the training.
    """

    def __init__(
        self, run: Run | None = None, *, every_batches: int | None = None, **options: Any
    ) -> None:
        super().__init__()
        self._recording = Recording(run, options)
        self._every = every_batches
        self._batches = 0

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        optimizer = getattr(self.model, "optimizer", None)
        params = {key: value for key, value in (self.params or {}).items() if key != "verbose"}
        if optimizer is not None:
            params["optimizer"] = optimizer.get_config()
        self._recording.params(params)

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        self._batches += 1
        if self._every and self._batches % self._every == 0:
            found = {f"batch/{key}": value for key, value in numbers(logs or {}).items()}
            self._recording.run.log(found, self._batches)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._recording.run.log(numbers(logs or {}), epoch)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._recording.end()

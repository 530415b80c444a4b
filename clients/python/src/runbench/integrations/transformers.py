"""Hugging Face Trainer: `Trainer(…, callbacks=[RunbenchCallback(project="bench")])`."""
# pyright: basic, reportMissingImports=false, reportUntypedBaseClass=false

from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from runbench.integrations._recording import Recording, numbers
from runbench.run import Run


class RunbenchCallback(TrainerCallback):
    """Records into the given run, else the current one, else one of its own made with options (see
    `runbench.init`), which ends with the training. Only the main process records.
    """

    def __init__(self, run: Run | None = None, **options: Any) -> None:
        self._recording = Recording(run, options)

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: Any
    ) -> None:
        if not state.is_world_process_zero:
            return
        self._recording.params(args.to_sanitized_dict())
        config = getattr(more.get("model"), "config", None)
        if config is not None and hasattr(config, "to_diff_dict"):
            self._recording.params({"model": config.to_diff_dict()})

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **more: Any,
    ) -> None:
        if state.is_world_process_zero and logs:
            found = {_grouped(key): value for key, value in numbers(logs).items()}
            self._recording.run.log(found, state.global_step)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: Any
    ) -> None:
        if state.is_world_process_zero:
            self._recording.run.flush()
            self._recording.end()


def _grouped(key: str) -> str:
    """`eval_loss` as `eval/loss`, `loss` as `train/loss`: charts are grouped by the first part. The
    mean over all of the training, `train_loss`, stays apart as `train/train_loss`.
    """
    for group in ("eval", "test"):
        if key.startswith(f"{group}_"):
            return f"{group}/{key.removeprefix(f'{group}_')}"
    return f"train/{key}"

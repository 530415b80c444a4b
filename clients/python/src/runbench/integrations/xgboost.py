"""XGBoost: `xgboost.train(…, callbacks=[RunbenchCallback(project="bench")])`."""
# pyright: basic, reportMissingImports=false, reportUntypedBaseClass=false

import json
from typing import Any

from xgboost.callback import TrainingCallback

from runbench.integrations._recording import Recording
from runbench.run import Run


class RunbenchCallback(TrainingCallback):
    """Records each round's evaluation as `<data>/<metric>` into the given run, else the current
    one, else one of its own made with options (see `runbench.init`), which ends with the training.
    """

    def __init__(self, run: Run | None = None, **options: Any) -> None:
        super().__init__()
        self._recording = Recording(run, options)

    def before_training(self, model: Any) -> Any:
        learner = json.loads(model.save_config()).get("learner", {})
        booster = learner.get("gradient_booster", {})
        params = {
            **learner.get("learner_train_param", {}),
            **booster.get("tree_train_param", {}),
        }
        self._recording.params({"booster": booster.get("name"), **params})
        return model

    def after_iteration(self, model: Any, epoch: int, evals_log: dict[str, Any]) -> bool:
        found = {
            f"{data}/{metric}": latest[0] if isinstance(latest := values[-1], tuple) else latest
            for data, metrics in evals_log.items()
            for metric, values in metrics.items()
        }
        if found:
            self._recording.run.log(found, epoch)
        return False

    def after_training(self, model: Any) -> Any:
        best = model.attributes().get("best_iteration")
        if best is not None:
            self._recording.run.set_tags(best_iteration=best)
        self._recording.end()
        return model

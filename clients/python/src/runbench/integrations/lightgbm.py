"""LightGBM: `lightgbm.train(…, callbacks=[RunbenchCallback(project="bench")])`."""
# pyright: basic, reportMissingImports=false

from typing import Any

from lightgbm.callback import CallbackEnv

from runbench.integrations._recording import Recording
from runbench.run import Run


class RunbenchCallback:
    """Records each round's evaluation as `<data>/<metric>` into the given run, else the current
    one, else one of its own made with options (see `runbench.init`), which ends with the last
    round. LightGBM says no end when it stops early: give it a run of yours then.
    """

    order = 25
    before_iteration = False

    def __init__(self, run: Run | None = None, **options: Any) -> None:
        self._recording = Recording(run, options)

    def __call__(self, env: CallbackEnv) -> None:
        if env.iteration == env.begin_iteration:
            self._recording.params(env.params)
        found: dict[str, float] = {}
        for data, metric, value, *_ in env.evaluation_result_list or []:
            found[f"{data}/{metric}"] = value
        if found:
            self._recording.run.log(found, env.iteration)
        if env.iteration + 1 == env.end_iteration:
            self._recording.end()

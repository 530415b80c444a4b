"""The shortest way to a run with curves: needs nothing but runbench.

runbench login http://localhost:3000
python examples/quickstart.py
"""

import math
from random import Random

import runbench

with runbench.init(
    experiment="quickstart", config={"lr": 0.03, "noise": 0.05}, tags=["example"]
) as run:
    loss, dice = 2.5, Random(0)  # noqa: S311 - no secret, the same curve every time
    for step in range(300):
        loss *= 1 - run.config.lr * dice.uniform(0, 1)
        noise = run.config.noise * dice.gauss(0, 1)
        run.log(
            {
                "train": {"loss": loss + abs(noise), "rate": run.config.lr * 0.99**step},
                "val/accuracy": 1 - math.exp(-step / 80) + noise / 5,
            },
            step=step,
        )

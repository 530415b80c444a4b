"""The shortest way to a run with curves: needs nothing but runbench.

runbench login http://localhost:3000
python examples/quickstart.py
"""

import math
import random

import runbench

with runbench.init(
    experiment="quickstart", config={"lr": 0.03, "noise": 0.05}, tags=["example"]
) as run:
    print("watch it at", run.url)
    loss = 2.5
    for step in range(300):
        loss *= 1 - run.config.lr * random.random()
        noise = run.config.noise * random.gauss(0, 1)
        run.log(
            {
                "train": {"loss": loss + abs(noise), "rate": run.config.lr * 0.99**step},
                "val/accuracy": 1 - math.exp(-step / 80) + noise / 5,
            },
            step=step,
        )

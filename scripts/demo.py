"""The demo runs, worked out the same every time: what they are called and what they logged."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

type Scalar = str | int | float | bool
# As it goes over the wire, where JSON has no word for what is not finite.
type Value = float | str
type Curves = dict[str, list[Value]]

EPOCHS = 60
SECONDS = 120
RATES = (0.3, 0.1, 0.03, 0.01)
SIZES = (32, 128)
SEEDS = (1, 2, 3, 4)


@dataclass(frozen=True)
class Run:
    """One demo run: what it was given, how it ended, and its curves (one value a step)."""

    name: str
    params: dict[str, Scalar]
    curves: Curves
    # Stays as it is when None.
    ending: str | None = "succeeded"
    tags: dict[str, str] = field(default_factory=dict[str, str])
    notes: str = ""
    parent: str | None = None


@dataclass(frozen=True)
class Experiment:
    """One demo experiment with its runs; a parent stands before its children."""

    name: str
    type: str
    description: str
    tags: dict[str, str]
    runs: list[Run]


def training(rate: float, size: int, seed: int, epochs: int = EPOCHS) -> Curves:
    """Curves of a small classifier: a good rate falls fast and far, a high one is restless."""
    chance = random.Random(f"{rate}-{size}-{seed}")  # noqa: S311 - repeatable, not secret
    speed = 0.25 * math.sqrt(rate / 0.1) * (1 + 0.2 * math.log2(size / 32) / 2)
    floor = 0.04 + 0.3 * abs(math.log10(rate / 0.1)) ** 2 / size**0.25
    restless = 0.01 + 0.08 * max(0.0, rate - 0.1)
    losses: list[Value] = []
    validation: list[Value] = []
    accuracies: list[Value] = []
    for epoch in range(epochs):
        loss = floor + (2.3 - floor) * math.exp(-speed * epoch)
        loss *= 1 + chance.gauss(0, restless)
        beyond = loss * (1.05 + 0.0015 * epoch) + chance.gauss(0, restless / 2)
        losses.append(round(loss, 5))
        validation.append(round(max(beyond, 0.01), 5))
        accuracies.append(round(min(0.995, max(0.05, 0.99 - 0.39 * beyond)), 5))
    return {"train/loss": losses, "val/loss": validation, "val/accuracy": accuracies}


def grid() -> Iterator[Run]:
    """Each set of parameters with several seeds, grouped by a tag."""
    for rate in RATES:
        for size in SIZES:
            for seed in SEEDS:
                yield Run(
                    name=f"lr{rate}-h{size}-seed{seed}",
                    params={
                        "learning_rate": rate,
                        "hidden_size": size,
                        "optimizer": "adam",
                        "epochs": EPOCHS,
                        "seed": seed,
                    },
                    tags={"group": f"lr{rate}-h{size}"},
                    curves=training(rate, size, seed),
                )


def special() -> Iterator[Run]:
    """What goes otherwise than planned: a failure, numbers that are none, one that still runs."""
    cut_short = training(0.1, 512, 1, epochs=23)
    yield Run(
        name="out-of-memory",
        params={"learning_rate": 0.1, "hidden_size": 512, "optimizer": "adam", "seed": 1},
        tags={"group": "lr0.1-h512"},
        curves=cut_short,
        ending="failed",
        notes="Stopped in epoch 23:\n\n```\nMemoryError: cannot allocate 8.00 GiB\n```\n\n"
        "Try a smaller `hidden_size`.",
    )
    diverging = training(0.3, 64, 9)
    losses = diverging["train/loss"]
    losses[17:30] = [round(2.0 * 1.9**step, 3) for step in range(13)]
    losses[30:33] = ["Infinity"] * 3
    losses[33:] = ["NaN"] * (EPOCHS - 33)
    diverging["val/accuracy"][30:] = [0.1] * (EPOCHS - 30)
    yield Run(
        name="diverging",
        params={"learning_rate": 3.0, "hidden_size": 64, "optimizer": "sgd", "seed": 9},
        tags={"group": "lr3.0-h64"},
        curves=diverging,
        notes="The rate was ten times too high: the loss leaves the numbers at epoch 33.",
    )
    yield Run(
        name="still-training",
        params={"learning_rate": 0.05, "hidden_size": 128, "optimizer": "adam", "seed": 5},
        tags={"group": "lr0.05-h128"},
        curves=training(0.05, 128, 5, epochs=31),
        ending=None,
    )


def vibration(speed: int, wear: float) -> Curves:
    """A bearing on a rig: level, temperature and speed, one value a second."""
    chance = random.Random(f"{speed}-{wear}")  # noqa: S311 - repeatable, not secret
    level: list[Value] = []
    temperature: list[Value] = []
    turns: list[Value] = []
    for second in range(SECONDS):
        share = min(1.0, second / 20)
        level.append(round(share * (0.4 + wear) * speed / 1500 + chance.gauss(0, 0.02), 4))
        heat = (14 + 30 * wear) * speed / 3000 * (1 - math.exp(-second / 45))
        temperature.append(round(21 + heat + chance.gauss(0, 0.05), 3))
        turns.append(round(share * speed + chance.gauss(0, 2), 1))
    for spike in chance.sample(range(30, SECONDS), round(6 * wear)):
        level[spike] = round(3 + chance.random(), 4)
    return {"vibration/rms": level, "bearing/temperature": temperature, "shaft/rpm": turns}


def rig() -> Iterator[Run]:
    """A series of measurements under one parent."""
    yield Run(
        name="series-A",
        params={"rig": "A1", "bearing": "6204-2RS"},
        tags={"rig": "A1"},
        curves={},
        notes="## Series A\n\nNew bearing first, then with growing wear. "
        "Spikes in `vibration/rms` are single impacts.",
    )
    for speed in (1500, 3000):
        for wear in (0.0, 0.5, 1.0):
            yield Run(
                name=f"{speed}rpm-wear{wear}",
                params={"rig": "A1", "speed_rpm": speed, "wear": wear},
                tags={"rig": "A1"},
                curves=vibration(speed, wear),
                parent="series-A",
            )


def experiments() -> list[Experiment]:
    """All of the demo: 42 runs in two experiments."""
    return [
        Experiment(
            name="Digit classifier",
            type="training",
            description="A small network on handwritten digits: which learning rate and size?\n\n"
            "Each set of parameters ran with four seeds.",
            tags={"team": "ml", "data": "digits"},
            runs=[*grid(), *special()],
        ),
        Experiment(
            name="Bearing vibration",
            type="rig-test",
            description="Vibration and temperature of a bearing at two speeds, new and worn.",
            tags={"team": "test-rig", "rig": "A1"},
            runs=list(rig()),
        ),
    ]

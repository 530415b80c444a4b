"""Train small models on the handwritten digits that come with scikit-learn; one run a grid point.

pip install "runbench[examples]"
runbench login http://localhost:3000
python examples/digits.py --grid small --epochs 20 --pause 0.2
"""

import argparse
import time
import warnings
from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import runbench
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import confusion_matrix, log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

CLASSES = np.arange(10)
BATCH = 64


class Data(NamedTuple):
    """Pixels scaled to 0…1, shape (n, 64), and digits, shape (n,)."""

    train_x: np.ndarray
    train_y: np.ndarray
    val_x: np.ndarray
    val_y: np.ndarray


def load() -> Data:
    """1,797 digits, a quarter of them for validation, the same split every time."""
    digits = load_digits()
    train_x, val_x, train_y, val_y = train_test_split(
        digits.data / 16.0, digits.target, test_size=0.25, random_state=0, stratify=digits.target
    )
    return Data(train_x, train_y, val_x, val_y)


def grid(size: str) -> Iterator[dict[str, Any]]:
    """The parameters of each run: 4 runs for `small`, 18 for `full`."""
    if size == "small":
        yield {"model": "linear", "lr": 0.001, "seed": 0}
        yield {"model": "linear", "lr": 0.02, "seed": 0}
        yield {"model": "mlp", "lr": 0.001, "hidden": 16, "seed": 0}
        yield {"model": "mlp", "lr": 0.01, "hidden": 64, "seed": 0}
        return
    for lr, seed in product((0.001, 0.005, 0.02), (0, 1)):
        yield {"model": "linear", "lr": lr, "seed": seed}
    for lr, hidden, seed in product((0.001, 0.005, 0.02), (16, 64), (0, 1)):
        yield {"model": "mlp", "lr": lr, "hidden": hidden, "seed": seed}


def make(params: dict[str, Any]) -> SGDClassifier | MLPClassifier:
    """An untrained model for these parameters."""
    if params["model"] == "linear":
        return SGDClassifier(
            loss="log_loss",
            learning_rate="constant",
            eta0=params["lr"],
            random_state=params["seed"],
        )
    return MLPClassifier(
        hidden_layer_sizes=(params["hidden"],),
        learning_rate_init=params["lr"],
        random_state=params["seed"],
    )


def epoch(model: SGDClassifier | MLPClassifier, data: Data, rng: np.random.Generator) -> None:
    """One pass over the training digits in shuffled batches."""
    order = rng.permutation(len(data.train_x))
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        model.partial_fit(data.train_x[batch], data.train_y[batch], classes=CLASSES)


def measure(model: SGDClassifier | MLPClassifier, x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Mean cross-entropy (nats) and accuracy (0…1)."""
    chances = model.predict_proba(x)
    return {
        "loss": log_loss(y, chances, labels=CLASSES),
        "accuracy": np.mean(chances.argmax(axis=1) == y),
    }


def keep_mistakes(run: runbench.Run, model: SGDClassifier | MLPClassifier, data: Data) -> None:
    """Files of the run: which digit was taken for which, and a picture of those taken wrongly."""
    said = model.predict(data.val_x)
    counts = confusion_matrix(data.val_y, said, labels=CLASSES)
    columns = {"digit": CLASSES, **{f"said {n}": counts[:, n] for n in CLASSES}}
    run.log_table(columns, "confusion.csv")
    wrong = data.val_x[said != data.val_y][:64]
    tiles = np.zeros((64, 8, 8))
    tiles[: len(wrong)] = wrong.reshape(-1, 8, 8)
    picture = tiles.reshape(8, 8, 8, 8).transpose(0, 2, 1, 3).reshape(64, 64)
    run.log_image(picture.repeat(8, axis=0).repeat(8, axis=1), "mistakes.png")


def train(params: dict[str, Any], data: Data, options: argparse.Namespace) -> None:
    """One run."""
    with runbench.init(
        project=options.project,
        experiment=options.experiment,
        config={**params, "epochs": options.epochs, "batch_size": BATCH},
        tags={"dataset": "digits", "model": params["model"]},
    ) as run:
        model = make(params)
        rng = np.random.default_rng(params["seed"])
        for step in range(options.epochs):
            started = time.perf_counter()
            epoch(model, data, rng)
            run.log(
                {
                    "train": measure(model, data.train_x, data.train_y),
                    "val": measure(model, data.val_x, data.val_y),
                    "seconds_per_epoch": time.perf_counter() - started,
                },
                step=step,
            )
            time.sleep(options.pause)
        keep_mistakes(run, model, data)


def main() -> None:
    """Train every point of the grid."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--grid", choices=("small", "full"), default="small")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds between epochs")
    parser.add_argument("--project", help="default: the project of your token")
    parser.add_argument("--experiment", default="digits")
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    data = load()
    for params in grid(options.grid):
        train(params, data, options)


if __name__ == "__main__":
    main()

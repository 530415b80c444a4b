"""The callbacks of libraries that bring a whole torch along, driven by the hooks those call."""

import importlib
import sys
import types
from argparse import Namespace

import pytest

import runbench


def stand_in(monkeypatch, name, **names):
    """A module that has what a callback imports."""
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        monkeypatch.setitem(sys.modules, ".".join(parts[:end]), types.ModuleType(name))
    for each, value in names.items():
        setattr(sys.modules[name], each, value)


def load(monkeypatch, name):
    monkeypatch.delitem(sys.modules, f"runbench.integrations.{name}", raising=False)
    return importlib.import_module(f"runbench.integrations.{name}")


@pytest.fixture
def lightning(monkeypatch):
    stand_in(monkeypatch, "lightning.pytorch.loggers.logger", Logger=object)
    stand_in(monkeypatch, "lightning.pytorch.utilities.rank_zero", rank_zero_only=lambda f: f)
    return load(monkeypatch, "lightning")


@pytest.mark.parametrize("status", ["success", "failed"])
def test_lightning_s_logger_records_and_ends_as_the_trainer_does(online, lightning, status):
    logger = lightning.RunbenchLogger(experiment="lit", name="one")
    logger.log_hyperparams(Namespace(lr=0.1))
    logger.log_hyperparams({"lr": 0.2, "depth": 3})
    logger.log_metrics({"loss": 0.5, "epoch": 0}, step=4)
    assert (logger.name, logger.version) == ("lit", online.only_run()["id"])
    logger.save()
    logger.finalize(status)
    stored = online.only_run()
    assert stored["params"] == {"lr": 0.1, "depth": 3}
    assert online.series(stored["id"], "loss") == [(4, 0.5)]
    assert stored["status"] == ("succeeded" if status == "success" else "failed")


def test_lightning_s_logger_leaves_a_run_open_that_it_was_given(online, lightning):
    with runbench.init() as run:
        logger = lightning.RunbenchLogger(run)
        logger.log_metrics({"loss": 0.5}, step=1)
        logger.finalize("success")
        run.log({"loss": 0.25}, step=2)
    assert online.series(online.only_run()["id"], "loss") == [(1, 0.5), (2, 0.25)]


def test_keras_epochs_and_batches_are_recorded(online, monkeypatch):
    stand_in(monkeypatch, "keras", callbacks=types.SimpleNamespace(Callback=object))
    made = load(monkeypatch, "keras").RunbenchCallback(every_batches=2)
    made.params = {"epochs": 2, "steps": 4, "verbose": 0}
    optimizer = types.SimpleNamespace(get_config=lambda: {"name": "adam", "learning_rate": 0.5})
    made.model = types.SimpleNamespace(optimizer=optimizer)
    made.on_train_begin()
    for epoch in range(2):
        for batch in range(4):
            made.on_train_batch_end(batch, {"loss": batch})
        made.on_epoch_end(epoch, {"loss": 1.0 + epoch, "val_loss": None, "note": "text"})
    made.on_train_end()
    stored = online.only_run()
    assert stored["status"] == "succeeded"
    assert stored["params"] == {
        "epochs": 2, "steps": 4, "optimizer/name": "adam", "optimizer/learning_rate": 0.5,
    }  # fmt: skip
    assert online.series(stored["id"], "loss") == [(0, 1.0), (1, 2.0)]
    assert [step for step, _ in online.series(stored["id"], "batch/loss")] == [2, 4, 6, 8]
    assert online.series(stored["id"], "val_loss") == []


@pytest.mark.parametrize("main_process", [True, False])
def test_the_trainer_s_logs_are_recorded_by_its_main_process(online, monkeypatch, main_process):
    names = ("TrainerCallback", "TrainerControl", "TrainerState", "TrainingArguments")
    stand_in(monkeypatch, "transformers", **dict.fromkeys(names, object))
    made = load(monkeypatch, "transformers").RunbenchCallback(experiment="hf")
    args = types.SimpleNamespace(to_sanitized_dict=lambda: {"learning_rate": 0.1})
    state = types.SimpleNamespace(is_world_process_zero=main_process, global_step=5)
    config = types.SimpleNamespace(to_diff_dict=lambda: {"hidden_size": 16})
    made.on_train_begin(args, state, None, model=types.SimpleNamespace(config=config))
    made.on_log(args, state, None, logs={"loss": 0.5, "eval_loss": 0.25, "train_loss": 0.4})
    made.on_train_end(args, state, None)
    if not main_process:
        assert online.runs == {}
        return
    stored = online.only_run()
    assert stored["status"] == "succeeded"
    assert stored["params"] == {"learning_rate": 0.1, "model/hidden_size": 16}
    assert {key: online.series(stored["id"], key) for key in stored["metrics"]} == {
        "train/loss": [(5, 0.5)], "eval/loss": [(5, 0.25)], "train/train_loss": [(5, 0.4)],
    }  # fmt: skip

"""The callbacks of libraries that come with few parts, driven by the libraries themselves."""

import subprocess
import sys

import numpy as np
import pytest

import runbench

RNG = np.random.default_rng(0)
X = RNG.normal(size=(80, 3))
Y = (X[:, 0] > 0).astype(int)


def test_xgboost_s_rounds_are_recorded(online):
    xgboost = pytest.importorskip("xgboost")
    from runbench.integrations.xgboost import RunbenchCallback

    data = xgboost.DMatrix(X, Y)
    results = {}
    xgboost.train(
        {"objective": "binary:logistic", "max_depth": 2, "nthread": 1},
        data,
        num_boost_round=7,
        evals=[(data, "train")],
        evals_result=results,
        verbose_eval=False,
        callbacks=[RunbenchCallback(experiment="boost")],
    )
    stored = online.only_run()
    assert (stored["experiment_name"], stored["status"]) == ("boost", "succeeded")
    assert online.series(stored["id"], "train/logloss") == list(
        enumerate(results["train"]["logloss"])
    )
    assert stored["params"]["booster"] == "gbtree"
    assert str(stored["params"]["max_depth"]) == "2"


def test_lightgbm_s_rounds_are_recorded_into_a_run_that_stays_open(online):
    lightgbm = pytest.importorskip("lightgbm")
    from runbench.integrations.lightgbm import RunbenchCallback

    results = {}
    with runbench.init() as run:
        lightgbm.train(
            {"objective": "binary", "num_leaves": 3, "verbose": -1, "num_threads": 1},
            lightgbm.Dataset(X, Y),
            num_boost_round=5,
            valid_sets=[lightgbm.Dataset(X, Y)],
            callbacks=[RunbenchCallback(run), lightgbm.record_evaluation(results)],
        )
        run.log({"after": 1.0})
    stored = online.only_run()
    (name,) = results
    values = list(enumerate(results[name]["binary_logloss"]))
    assert online.series(stored["id"], f"{name}/binary_logloss") == values
    assert len(online.series(stored["id"], "after")) == 1
    assert stored["params"]["num_leaves"] == 3


def test_importing_an_integration_is_what_imports_its_framework():
    text = "import sys, runbench, runbench.integrations; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, check=True, timeout=60
    )
    frameworks = {"xgboost", "lightgbm", "torch", "keras", "transformers", "psutil"}
    assert not frameworks & set(done.stdout.split())


def test_a_training_that_breaks_leaves_its_run_failed(online):
    lightgbm = pytest.importorskip("lightgbm")
    from runbench.integrations.lightgbm import RunbenchCallback

    def breaks(env):
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"), runbench.init():
        lightgbm.train(
            {"objective": "binary", "verbose": -1, "num_threads": 1},
            lightgbm.Dataset(X, Y),
            num_boost_round=2,
            callbacks=[RunbenchCallback(), breaks],
        )
    assert online.only_run()["status"] == "failed"

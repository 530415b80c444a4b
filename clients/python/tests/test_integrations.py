"""Callbacks of trainers, with the real ones where they are light enough to install."""

import numpy as np
import pytest

import runbench


@pytest.fixture
def table():
    random = np.random.default_rng(1)
    x = random.normal(size=(200, 3))
    return x, (x[:, 0] + x[:, 1] > 0).astype(int)


def test_xgboost_records_params_and_every_round(online, table):
    xgboost = pytest.importorskip("xgboost")
    from runbench.integrations.xgboost import RunbenchCallback

    data = xgboost.DMatrix(table[0], label=table[1])
    result = {}
    xgboost.train(
        {"objective": "binary:logistic", "max_depth": 2},
        data,
        num_boost_round=5,
        evals=[(data, "train")],
        evals_result=result,
        verbose_eval=False,
        callbacks=[RunbenchCallback(project="bench", experiment="trees")],
    )

    stored = online.only_run()
    assert stored["status"] == "succeeded"
    assert str(stored["params"]["max_depth"]) == "2"
    points = online.series(stored["id"], "train/logloss")
    assert [step for step, _ in points] == [0, 1, 2, 3, 4]
    assert [value for _, value in points] == pytest.approx(result["train"]["logloss"])


def test_lightgbm_records_into_the_run_that_is_open(online, table):
    lightgbm = pytest.importorskip("lightgbm")
    from runbench.integrations.lightgbm import RunbenchCallback

    data = lightgbm.Dataset(table[0], label=table[1])
    with runbench.init("bench", "trees") as run:
        lightgbm.train(
            {"objective": "binary", "verbose": -1, "num_leaves": 4},
            data,
            num_boost_round=4,
            valid_sets=[data],
            valid_names=["train"],
            callbacks=[RunbenchCallback()],
        )
        assert run.status == "running"

    stored = online.only_run()
    assert stored["params"]["num_leaves"] == 4
    points = online.series(stored["id"], "train/binary_logloss")
    assert [step for step, _ in points] == [0, 1, 2, 3]


def test_importing_an_integration_is_what_imports_its_framework():
    import subprocess
    import sys

    said = subprocess.run(
        [sys.executable, "-c", "import runbench, runbench.integrations, sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert not {"xgboost", "lightgbm", "torch", "keras", "transformers", "psutil"} & set(said)

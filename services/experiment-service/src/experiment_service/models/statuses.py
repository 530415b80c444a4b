"""The states of experiments and runs, and the steps between them."""

from collections.abc import Mapping
from typing import Literal

type ExperimentStatus = Literal["draft", "running", "succeeded", "failed", "archived"]
type RunStatus = Literal["draft", "running", "succeeded", "failed", "interrupted", "archived"]

EXPERIMENT_SOURCES: Mapping[ExperimentStatus, tuple[ExperimentStatus, ...]] = {
    "draft": (),
    "running": ("draft",),
    "succeeded": ("running",),
    "failed": ("running",),
    # An experiment runs from its first run on, so it may be archived while it says so;
    # a run in it that is still running stands against it.
    "archived": ("draft", "running", "succeeded", "failed"),
}
"""Where each state of an experiment may be entered from."""

RUN_SOURCES: Mapping[RunStatus, tuple[RunStatus, ...]] = {
    "draft": (),
    "running": ("draft", "interrupted"),
    "succeeded": ("running",),
    "failed": ("running",),
    "interrupted": ("running",),
    "archived": ("draft", "succeeded", "failed", "interrupted"),
}
"""Where each state of a run may be entered from."""

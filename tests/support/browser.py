"""The Chromium of tests that look at pages as people do."""

import os

import pytest

from scripts import browser as machine


def chromium() -> str:
    """The program; a missing one is an error where CI is set, else the test is skipped."""
    if program := machine.chromium():
        return program
    missing = f"no Chromium: {machine.HOW_TO_GET}"
    if os.environ.get("CI"):
        pytest.fail(missing)
    pytest.skip(missing)

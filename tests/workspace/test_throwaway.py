"""The throw-away PostgreSQL of tests leaves nothing behind, however its test run ends."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.workspace.conftest import eventually

HOLDER = """
import time
from localpostgres import throwaway_cluster
with throwaway_cluster() as cluster:
    print(cluster.pid, cluster.datadir, flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("how", ["terminate", "kill"])
def test_the_server_of_a_killed_test_run_is_ended_and_its_folder_removed(
    how: str, gone: Callable[[int], None]
):
    run = subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    pid, folder = run.stdout.readline().split(maxsplit=1)

    getattr(run, how)()
    run.wait()

    gone(int(pid))
    eventually(lambda: not Path(folder.strip()).parent.exists(), "an empty place")

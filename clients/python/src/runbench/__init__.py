"""Record experiments from Python and the command line.

Importing this package loads nothing else: every name below is fetched when it is first used,
so that `import runbench` costs a script about a millisecond.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runbench.api import ApiError, Unreachable
    from runbench.artifacts import StoredArtifact
    from runbench.checking import Verdict, check
    from runbench.comparing import Comparison, compare
    from runbench.progress import track
    from runbench.reading import Runs, StoredRun, runs
    from runbench.run import Run, current, finish, flush, init, log, resume
    from runbench.sensor import Sensor
    from runbench.telemetry import StoredCapture, StoredSensor, sensors
    from runbench.values import NotRecordable

__all__ = [
    "ApiError",
    "Comparison",
    "NotRecordable",
    "Run",
    "Runs",
    "Sensor",
    "StoredArtifact",
    "StoredCapture",
    "StoredRun",
    "StoredSensor",
    "Unreachable",
    "Verdict",
    "check",
    "compare",
    "current",
    "finish",
    "flush",
    "init",
    "log",
    "resume",
    "runs",
    "sensors",
    "track",
]

_HOMES = {
    "ApiError": "runbench.api",
    "Comparison": "runbench.comparing",
    "NotRecordable": "runbench.values",
    "Run": "runbench.run",
    "Runs": "runbench.reading",
    "Sensor": "runbench.sensor",
    "StoredArtifact": "runbench.artifacts",
    "StoredCapture": "runbench.telemetry",
    "StoredRun": "runbench.reading",
    "StoredSensor": "runbench.telemetry",
    "Unreachable": "runbench.api",
    "Verdict": "runbench.checking",
    "check": "runbench.checking",
    "compare": "runbench.comparing",
    "current": "runbench.run",
    "finish": "runbench.run",
    "flush": "runbench.run",
    "init": "runbench.run",
    "log": "runbench.run",
    "resume": "runbench.run",
    "runs": "runbench.reading",
    "sensors": "runbench.telemetry",
    "track": "runbench.progress",
}

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'runbench' has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])

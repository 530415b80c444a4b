"""How the machine fares while a run records: CPU, memory, disk, network, this process, GPUs.

psutil and NVML are imported by the first measurement, in the background. What a machine does not
tell is left out.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from runbench import forks
from runbench.messages import logger

KEYS = "system/"


class Meter:
    """Measures the machine. Rates are per second since the measurement before, so the first one
    has none. Not for several threads at once.
    """

    def __init__(self) -> None:
        with forks.importing:
            import psutil  # noqa: PLC0415 - in the background, its cost is not felt

        self._psutil: Any = psutil
        self._process: Any = psutil.Process()
        self._gpus = _gpus()
        self._counted: dict[str, float] = {}
        self._counted_at = 0.0
        with suppress(psutil.Error, OSError):
            psutil.cpu_percent(None)
            self._process.cpu_percent(None)
            self._rates()

    def measure(self) -> dict[str, float]:
        """The metrics of now, by key. Percent is 0 to 100 (a process: 100 for each busy core)."""
        found: dict[str, float] = {}
        for part in (self._machine, self._own, self._rates, self._graphics):
            # A machine, a container or a driver may refuse any of this at any time.
            try:
                found.update(part())
            except Exception as error:
                logger.debug("not measured: %s: %r", part.__name__, error)
        return {KEYS + key: value for key, value in found.items()}

    def _machine(self) -> dict[str, float]:
        memory = self._psutil.virtual_memory()
        return {
            "cpu_percent": self._psutil.cpu_percent(None),
            "memory_percent": memory.percent,
            "memory_used_bytes": memory.total - memory.available,
            "disk_percent": self._psutil.disk_usage(".").percent,
        }

    def _own(self) -> dict[str, float]:
        with self._process.oneshot():
            return {
                "process/cpu_percent": self._process.cpu_percent(None),
                "process/memory_bytes": self._process.memory_info().rss,
                "process/threads": self._process.num_threads(),
            }

    def _rates(self) -> dict[str, float]:
        now = time.monotonic()
        counted: dict[str, float] = {}
        disk, network = self._psutil.disk_io_counters(), self._psutil.net_io_counters()
        if disk is not None:
            counted["disk_read_bytes_per_second"] = disk.read_bytes
            counted["disk_written_bytes_per_second"] = disk.write_bytes
        if network is not None:
            counted["network_received_bytes_per_second"] = network.bytes_recv
            counted["network_sent_bytes_per_second"] = network.bytes_sent
        before, passed = self._counted, now - self._counted_at
        self._counted, self._counted_at = counted, now
        return {
            key: max(0.0, (count - before[key]) / passed)
            for key, count in counted.items()
            if key in before and passed > 0
        }

    def _graphics(self) -> dict[str, float]:
        return {key: value for gpu in self._gpus for key, value in gpu().items()}


def _gpus() -> list[Callable[[], dict[str, float]]]:
    """What measures each GPU; none where NVML does not answer."""
    try:
        with forks.importing:
            import pynvml as imported  # noqa: PLC0415 # pyright: ignore[reportMissingImports]
    except ImportError:
        return []
    nvml: Any = imported
    try:
        nvml.nvmlInit()
        handles = [nvml.nvmlDeviceGetHandleByIndex(n) for n in range(nvml.nvmlDeviceGetCount())]
    except Exception as error:
        logger.debug("NVML does not answer: %r", error)
        return []
    return [_gpu(nvml, f"gpu/{number}", handle) for number, handle in enumerate(handles)]


def _gpu(nvml: Any, name: str, handle: Any) -> Callable[[], dict[str, float]]:
    def measure() -> dict[str, float]:
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
        found = {
            f"{name}/percent": nvml.nvmlDeviceGetUtilizationRates(handle).gpu,
            f"{name}/memory_used_bytes": memory.used,
            f"{name}/memory_percent": 100.0 * memory.used / memory.total,
        }
        for key, ask in (
            ("temperature_celsius", lambda: nvml.nvmlDeviceGetTemperature(handle, 0)),
            ("power_watts", lambda: nvml.nvmlDeviceGetPowerUsage(handle) / 1000.0),
        ):
            with suppress(nvml.NVMLError):
                found[f"{name}/{key}"] = ask()
        return found

    return measure


class Watch:
    """Hands a measurement to `record` every so many seconds, from a thread of its own."""

    def __init__(self, seconds: float, record: Callable[[dict[str, float]], None]) -> None:
        self._seconds = seconds
        self._record = record
        self._over = threading.Event()
        threading.Thread(target=self._run, name="runbench-system", daemon=True).start()

    def stop(self) -> None:
        """Measure no more; does not wait."""
        self._over.set()

    def _run(self) -> None:
        try:
            # Short scripts end before this, and are spared the imports.
            if self._over.wait(min(1.0, self._seconds)):
                return
            meter = Meter()
            while not self._over.wait(self._seconds):
                self._record(meter.measure())
        except Exception as error:
            logger.debug("the machine is not measured: %r", error)

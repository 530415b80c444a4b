"""Playing a simulated rig against a server: what is due is sent when it is due."""

import time
from collections.abc import Mapping
from typing import TypeAlias

from runbench import settings
from runbench.sensor import Sensor
from runbench.simulation import SECOND, Rig, deliveries

FAST_PIECES = 200

Counts: TypeAlias = dict[tuple[str, str], int]


def play(
    rig: Rig,
    sensors: Mapping[str, Sensor],
    scenario: str = "steady",
    *,
    seed: int = 0,
    start: int,
    seconds: float | None = None,
    rate: float | None = None,
    fast: bool = False,
    counts: Counts | None = None,
) -> None:
    """Send what a rig sends (see `simulation.deliveries`) through these sensors, by their names;
    what is due for another is left out. fast does not wait for what is due. counts is told how
    many readings of which sensor and signal went out, as it happens.
    """
    began = time.monotonic()
    counts = {} if counts is None else counts
    made = deliveries(rig, scenario, seed=seed, start=start, seconds=seconds, rate=rate)
    for number, delivery in enumerate(made):
        sensor = sensors.get(delivery.sensor)
        if sensor is None:
            continue
        wait = 0.0 if fast else began + delivery.due / SECOND - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        sensor.send_many(delivery.signal, delivery.t, delivery.v)
        name = (delivery.sensor, delivery.signal)
        counts[name] = counts.get(name, 0) + len(delivery.t)
        if fast and number % FAST_PIECES == 0:
            behind = sensor.unsent_bytes > settings.load().spool_limit // 2
            sensor.flush(sent=behind, timeout=600)

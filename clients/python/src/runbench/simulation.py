"""Rigs that do not exist: the sensors of `runbench simulate`, and every reading that they send.

Everything follows from the arguments, so that who knows them can work out each reading again:

    told = dict(rig=RIGS["wind-tunnel"], scenario="dropout", seed=7, start=…, seconds=60)
    deliveries(**told)   what is sent, and when
    expected(**told)     what must be stored when all of it has arrived

Times are µs since 1970, and µs since the start where they are called due. The signals are made up
here from sines and noise; no recording of anybody stands behind them.
"""

import heapq
import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

Scenario: TypeAlias = Literal["steady", "burst", "dropout", "out-of-order", "drift", "clock-skew"]
SCENARIOS: tuple[str, ...] = get_args(Scenario)

TICK = 100_000
BURST_TICKS = 20
CYCLE_TICKS = 300
LARGEST_DELAY = 1_000_000
LARGEST_SKEW = 2_000_000
LARGEST_SKEW_PPM = 200
DRIFT_SECONDS = 60.0
SECOND = 1_000_000


@dataclass(frozen=True)
class Signal:
    """One signal: a sine of this base, swing and period with noise on it. profile is how a raw
    value becomes a physical one.
    """

    name: str
    rate: float
    base: float
    swing: float
    period: float
    noise: float
    title: str = ""
    input_unit: str = ""
    display_unit: str = ""
    profile: dict[str, Any] | None = None


@dataclass(frozen=True)
class Device:
    """One sensor with its signals."""

    name: str
    type: str
    description: str
    signals: tuple[Signal, ...]
    tags: dict[str, str] = field(default_factory=dict[str, str])


Rig: TypeAlias = tuple[Device, ...]


class Delivery(NamedTuple):
    """Readings of one signal that go out together; late ones were held back by a dropout."""

    due: int
    sensor: str
    signal: str
    t: list[int]
    v: list[float]
    late: bool


def _linear(a: float, b: float) -> dict[str, Any]:
    return {"kind": "linear", "parameters": {"a": a, "b": b}}


def _axes(kind: str, names: str, base: float, swing: float, unit: str) -> tuple[Signal, ...]:
    return tuple(
        Signal(
            f"{kind}_{axis}",
            500,
            base if axis == "z" else 0.0,
            swing,
            0.11 + 0.07 * n,
            swing / 9,
            f"{kind} {axis}",
            unit,
            unit,
        )
        for n, axis in enumerate(names)
    )


RIGS: dict[str, Rig] = {
    "wind-tunnel": (
        Device(
            "tunnel-temperature",
            "thermocouple",
            "Air in the test section, two type K thermocouples behind an amplifier of 5 mV/°C.",
            (
                Signal(
                    "inlet",
                    10,
                    0.118,
                    0.006,
                    47.0,
                    0.0004,
                    "Air at the inlet",
                    "V",
                    "°C",
                    _linear(200.0, 0.0),
                ),
                Signal(
                    "outlet",
                    10,
                    0.131,
                    0.009,
                    61.0,
                    0.0004,
                    "Air at the outlet",
                    "V",
                    "°C",
                    _linear(200.0, 0.0),
                ),
            ),
        ),
        Device(
            "tunnel-pressure",
            "pressure",
            "Dynamic and static pressure by transmitters of 4 to 20 mA.",
            (
                Signal(
                    "dynamic",
                    50,
                    11.2,
                    2.4,
                    13.0,
                    0.02,
                    "Dynamic pressure",
                    "mA",
                    "Pa",
                    _linear(62.5, -250.0),
                ),
                Signal(
                    "static",
                    50,
                    12.9,
                    0.15,
                    29.0,
                    0.01,
                    "Static pressure",
                    "mA",
                    "hPa",
                    {
                        "kind": "lookup_table",
                        "parameters": {
                            "table": [[4, 900], [12, 1000], [20, 1100]],
                            "clamped": False,
                        },
                    },
                ),
            ),
        ),
        Device(
            "model-imu",
            "imu",
            "Six axes on the model at 500 Hz.",
            (*_axes("acc", "xyz", 9.81, 1.8, "m/s²"), *_axes("gyro", "xyz", 0.0, 0.4, "rad/s")),
        ),
    ),
    "pump": (
        Device(
            "pump-flow",
            "flow",
            "Volume flow of a pump by counting pulses.",
            (Signal("flow", 20, 84.0, 9.0, 17.0, 0.4, "Flow", "Hz", "l/min", _linear(0.25, 0.0)),),
        ),
        Device(
            "pump-bearing",
            "vibration",
            "Level of vibration and temperature at the bearing.",
            (
                Signal("rms", 100, 1.2, 0.3, 5.0, 0.05, "Vibration", "mm/s", "mm/s"),
                Signal("temperature", 1, 41.0, 3.0, 300.0, 0.05, "Bearing", "°C", "°C"),
            ),
        ),
    ),
}


def deliveries(
    rig: Rig,
    scenario: str = "steady",
    *,
    seed: int = 0,
    start: int,
    seconds: float | None = None,
    rate: float | None = None,
) -> Iterator[Delivery]:
    """What a rig sends, in the order in which it is due; without end where seconds is None.

    rate: readings a second of every signal, instead of its own. The scenarios:

    steady        what was read is sent every 0.1 s
    burst         it is sent every 2 s at once
    dropout       the last sensor is silent in the middle third (of every 30 s without an end), and
                  sends it late, at the end
    out-of-order  what was read is sent up to 1 s later, and shuffled
    drift         values run away by their swing a minute
    clock-skew    each sensor's clock is up to 2 s off and up to 200 ppm too quick or too slow

    Raises ValueError for a scenario that is none.
    """
    if scenario not in SCENARIOS:
        raise ValueError(f"{scenario!r} is no scenario; use one of {', '.join(SCENARIOS)}")
    if rate is not None and not 0 < rate <= SECOND:
        raise ValueError(f"a rate is above 0 and at most {SECOND} a second, not {rate}")
    last = None if seconds is None else round(seconds * SECOND)
    sources = [
        _Source(device, signal, scenario, seed, rate) for device in rig for signal in device.signals
    ]
    cycle = CYCLE_TICKS if last is None else max(3, -(-last // TICK))
    silent = rig[-1].name if scenario == "dropout" else None
    chance = random.Random(f"{seed}/order")  # noqa: S311 - repeatable, not secret
    waiting: list[tuple[int, bool, int, Delivery]] = []
    numbers = itertools.count()
    for tick in itertools.count():
        begin, end = tick * TICK, (tick + 1) * TICK
        if last is not None:
            if begin >= last:
                break
            end = min(end, last)
        for source in sources:
            readings = source.until(end)
            if not readings:
                continue
            due, late = end, False
            place = tick % cycle
            if source.device.name == silent and cycle // 3 <= place < 2 * cycle // 3:
                due, late = (tick - place + cycle) * TICK, True
            elif scenario == "burst":
                due = (tick // BURST_TICKS + 1) * BURST_TICKS * TICK
            elif scenario == "out-of-order":
                due += chance.randrange(LARGEST_DELAY)
                chance.shuffle(readings)
            made = Delivery(
                due,
                source.device.name,
                source.signal.name,
                [start + moment for moment, _ in readings],
                [value for _, value in readings],
                late,
            )
            heapq.heappush(waiting, (due, late, next(numbers), made))
        while waiting and waiting[0][0] <= end:
            yield heapq.heappop(waiting)[3]
    while waiting:
        yield heapq.heappop(waiting)[3]


def expected(
    rig: Rig,
    scenario: str = "steady",
    *,
    seed: int = 0,
    start: int,
    seconds: float,
    rate: float | None = None,
) -> dict[tuple[str, str], tuple[list[int], list[float]]]:
    """All that a rig sends, by sensor and signal: times and values, ordered by time."""
    found: dict[tuple[str, str], list[tuple[int, float]]] = {}
    told = deliveries(rig, scenario, seed=seed, start=start, seconds=seconds, rate=rate)
    for delivery in told:
        column = found.setdefault((delivery.sensor, delivery.signal), [])
        column.extend(zip(delivery.t, delivery.v, strict=True))
    return {
        name: ([moment for moment, _ in sorted(column)], [value for _, value in sorted(column)])
        for name, column in found.items()
    }


class _Source:
    """The readings of one signal, one after the other."""

    def __init__(
        self, device: Device, signal: Signal, scenario: str, seed: int, rate: float | None
    ) -> None:
        self.device = device
        self.signal = signal
        self._rate = rate or signal.rate
        self._drifts = scenario == "drift"
        chance = random.Random(f"{seed}/{device.name}")  # noqa: S311 - repeatable, not secret
        skewed = scenario == "clock-skew"
        self._offset = chance.randint(-LARGEST_SKEW, LARGEST_SKEW) if skewed else 0
        self._ppm = chance.randint(-LARGEST_SKEW_PPM, LARGEST_SKEW_PPM) if skewed else 0
        self._chance = random.Random(f"{seed}/{device.name}/{signal.name}")  # noqa: S311
        self._phase = self._chance.random()
        self._index = 0

    def until(self, end: int) -> list[tuple[int, float]]:
        """The readings up to there that were not asked for yet: µs since the start, value."""
        made: list[tuple[int, float]] = []
        signal = self.signal
        while (moment := round(self._index * SECOND / self._rate)) < end:
            self._index += 1
            seconds = moment / SECOND
            turn = math.tau * (seconds / signal.period + self._phase)
            value = signal.base + signal.swing * math.sin(turn)
            value += self._chance.gauss(0.0, signal.noise)
            if self._drifts:
                value += signal.swing * seconds / DRIFT_SECONDS
            shown = moment + self._offset + moment * self._ppm // SECOND
            made.append((shown, value))
        return made

"""`runbench simulate`: a rig that does not exist sends to a server that does."""

import time
from typing import Annotated

import typer

from runbench.cli.output import FAILED, USAGE, AsJson, Project, as_json, fail, note, table
from runbench.cli.session import connect
from runbench.playing import Counts, play
from runbench.registry import rfc3339, token_for_device
from runbench.sensor import Sensor
from runbench.simulation import RIGS, SCENARIOS, SECOND, Rig


def simulate(
    rig: Annotated[str, typer.Argument(help=f"One of {', '.join(RIGS)}.")] = "wind-tunnel",
    *,
    scenario: Annotated[
        str, typer.Option("--scenario", "-s", help=f"One of {', '.join(SCENARIOS)}.")
    ] = "steady",
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help="How long. Default: until Ctrl-C.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option(help="Readings a second of every signal, not its own.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed makes the same values.")] = 0,
    start: Annotated[
        int | None,
        typer.Option(help="Time of the first reading, µs since 1970. Default: now."),
    ] = None,
    fast: Annotated[
        bool,
        typer.Option("--fast", help="Send --seconds of readings that end now, without waiting."),
    ] = False,
    project: Project = None,
    token: Annotated[
        list[str] | None,
        typer.Option(
            "--token",
            metavar="SENSOR=TOKEN",
            help="A sensor that is registered already (repeatable); only these send.",
        ),
    ] = None,
    json: AsJson = False,
) -> None:
    """Send what a rig would: several sensors, seeded, so that every value can be worked out again
    (`runbench.simulation.expected`). Sensors are registered in the project; with --token they
    are not, and no API token is needed.
    """
    _check(rig, scenario, rate, seconds, fast=fast)
    if start is None:
        start = time.time_ns() // 1000 - (round((seconds or 0) * SECOND) if fast else 0)
    devices = RIGS[rig]
    tokens = _given(devices, token) if token else _registered(devices, project, start)
    told = {"rig": rig, "scenario": scenario, "seed": seed, "start": start, "rate": rate}
    if not json:
        note(f"{rig}, {scenario}, seed {seed}, from {rfc3339(start)} ({start})")
    sensors = {name: Sensor(secret) for name, secret in tokens.items()}
    counts: Counts = {}
    whole = True
    try:
        play(
            devices,
            sensors,
            scenario,
            seed=seed,
            start=start,
            seconds=seconds,
            rate=rate,
            fast=fast,
            counts=counts,
        )
    except KeyboardInterrupt:
        pass
    finally:
        for sensor in sensors.values():
            whole &= sensor.close()
    refused = sum(sensor.refused for sensor in sensors.values())
    dropped = sum(sensor.dropped for sensor in sensors.values())
    if json:
        sent = [{"sensor": s, "signal": n, "readings": c} for (s, n), c in counts.items()]
        lost = {"refused": refused, "dropped": dropped}
        as_json({**told, "seconds": seconds, "arrived": whole, **lost, "sent": sent})
    else:
        table(("sensor", "signal", "readings"), [(*name, n) for name, n in counts.items()])
        if refused or dropped:
            note(f"{refused} readings refused, {dropped} dropped")
    if not whole:
        raise typer.Exit(FAILED)


def _check(
    rig: str, scenario: str, rate: float | None, seconds: float | None, *, fast: bool
) -> None:
    if rig not in RIGS:
        fail(f"{rig!r} is no rig; use one of {', '.join(RIGS)}", USAGE)
    if scenario not in SCENARIOS:
        fail(f"{scenario!r} is no scenario; use one of {', '.join(SCENARIOS)}", USAGE)
    if fast and seconds is None:
        fail("--fast needs --seconds", USAGE)
    if rate is not None and not 0 < rate <= SECOND:
        fail(f"--rate is above 0 and at most {SECOND}", USAGE)


def _given(devices: Rig, given: list[str]) -> dict[str, str]:
    names = [device.name for device in devices]
    tokens: dict[str, str] = {}
    for pair in given:
        name, _, secret = pair.partition("=")
        if name not in names or not secret:
            fail(f"--token is SENSOR=TOKEN with a sensor of {', '.join(names)}", USAGE)
        tokens[name] = secret
    return tokens


def _registered(devices: Rig, project: str | None, start: int) -> dict[str, str]:
    session = connect(project)
    found = session.resolve()
    return {device.name: token_for_device(session.api, found, device, start) for device in devices}

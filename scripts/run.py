"""One line of the Procfile: `python -m scripts.run NAME`.

Waits for what the process needs, tells it its port and addresses, starts it again when a file of it
is saved or when it crashes, and never ends by itself, so that no process takes the others down.
SIGTERM and SIGINT end it, SIGHUP starts the process afresh, SIGUSR1 stops it until then.
"""

import asyncio
import os
import signal
import sys
import time
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path

from scripts import guard, ports, probe
from scripts import state as states
from scripts.child import Child, Journal
from scripts.diagnosis import ending, likely_fix
from scripts.environment import ROOT, Workspace
from scripts.foreground import READY_FILE
from scripts.leftovers import MARK
from scripts.processes import PROCESSES, Process, dependents, environment
from scripts.reload import mistake, saved_files
from scripts.state import Identity, State

QUICK_SECONDS = 10.0
QUICK_EXITS = 3
LONGEST_BACKOFF_SECONDS = 10.0
LAST_LINES = 20
CRASH_LINES = 8
DRAIN_SECONDS = 3.0
# A developer waits for this one; what was acknowledged is safe whenever a service ends.
RELOAD_SECONDS = 0.3
DEPENDENTS_SECONDS = 2.5
REMIND_SECONDS = 15.0


class Ask(Enum):
    """What somebody wants of a running wrapper."""

    QUIT = auto()
    AFRESH = auto()
    REST = auto()


class Wrapper:
    """Keeps one process running."""

    def __init__(self, process: Process, workspace: Workspace) -> None:
        self.process = process
        self.workspace = workspace
        self.port = workspace.ports[process.name]
        workspace.make_home()
        colour = workspace.given.get("RUNBENCH_COLOUR") == "1"
        self.journal = Journal(process.name, workspace.logs, colour=colour)
        self.ready_file = workspace.states / f"{process.name}.ready"
        self.asked: asyncio.Queue[Ask] = asyncio.Queue()
        self.leaving = False
        me = Identity.of(os.getpid())
        self.state = State(process.name, "waiting", me or Identity(os.getpid(), time.time()))

    async def keep(self) -> None:
        """Run until asked to quit or until nobody is left who started us."""
        loop = asyncio.get_running_loop()
        for sign, ask in (
            (signal.SIGTERM, Ask.QUIT),
            (signal.SIGINT, Ask.QUIT),
            (signal.SIGHUP, Ask.AFRESH),
            (signal.SIGUSR1, Ask.REST),
        ):
            loop.add_signal_handler(sign, self.ask, ask)
        self.tell("waiting")
        tasks = [asyncio.create_task(self.watch_starter())]
        if self.workspace.given.get("RUNBENCH_RELOAD") != "0":
            tasks.append(asyncio.create_task(self.watch_files()))
        try:
            await self.run()
        finally:
            self.tell("stopped", child=None, note="")
            for task in tasks:
                task.cancel()

    def ask(self, ask: Ask) -> None:
        """Note a wish; leaving is remembered even while another wish is carried out."""
        self.leaving |= ask is Ask.QUIT
        self.asked.put_nowait(ask)

    def tell(self, status: str, **values: object) -> None:
        """Write down what is going on, for `status`, for the summary and for dependents."""
        self.state = self.state.changed(status=status, **values)
        self.state.save(self.workspace.states)

    async def run(self) -> None:
        """Start, watch and start again, with growing pauses after quick exits."""
        quick = 0
        while not self.leaving:
            if not await self.may_start():
                continue
            child = await self.start()
            if child is None:
                await self.rest_after_crash(QUICK_EXITS)
                continue
            code = await self.live(child)
            if code is None:
                quick = 0
                continue
            quick = quick + 1 if child.seconds < QUICK_SECONDS else 1
            self.report_crash(code, child.seconds, quick)
            if await self.rest_after_crash(quick):
                quick = 0

    async def may_start(self) -> bool:
        """Wait for what the process needs and for its port; False when a wish came in between."""
        began = reminded = time.monotonic()
        while True:
            missing = [
                name
                for name in self.process.needs
                if not states.is_ready(self.workspace.states, name)
            ]
            taken = not missing and self.uses_port and not ports.is_free(self.port)
            if not missing and not taken:
                return True
            if taken:
                note = ports.in_the_way(self.process.name, self.port)
            else:
                note = f"waits for {', '.join(missing)}"
            now = time.monotonic()
            if note != self.state.note and (taken or now - began > REMIND_SECONDS / 3):
                self.journal.say(note)
                self.tell("failed" if taken else "waiting", note=note)
            elif now - reminded > REMIND_SECONDS:
                self.journal.say(f"still: {note}")
                reminded = now
            if await self.wish(0.5 if taken else 0.05) is not None:
                return False

    @property
    def uses_port(self) -> bool:
        """Whether the process itself listens (not when an existing server is used instead)."""
        given = {"postgres": self.workspace.database_server, "valkey": self.workspace.broker}
        # A killed session may have left the embedded server running: its own line takes it over.
        return not given.get(self.process.name) and self.process.name != "postgres"

    async def start(self) -> Child | None:
        """Start the process; None when it cannot even be executed."""
        self.tell("starting", note="")
        self.journal.last.clear()
        self.ready_file.unlink(missing_ok=True)
        variables = environment(self.process, self.workspace)
        variables |= {READY_FILE: str(self.ready_file), MARK: str(self.workspace.home)}
        folder, line = self.process.folder, self.journal.program
        try:
            if preparation := self.process.preparation(self.workspace):
                self.journal.say(f"preparing: {' '.join(preparation[1:])}")
                await self.finish(await Child.start(preparation, folder, variables, line))
            command = self.process.command(self.workspace)
            child = await Child.start(command, folder, variables, line)
        except (OSError, SystemExit) as error:
            fix = likely_fix(self.process.name, [str(error)], 1)
            self.journal.say(f"{self.process.name} cannot be started: {error}\nlikely fix: {fix}")
            self.tell("failed", note=fix)
            return None
        self.tell("starting", child=child.identity)
        return child

    async def finish(self, child: Child) -> None:
        """Wait for a preparation; a wish to leave ends it. What it lacks shows at the start."""
        self.tell("starting", child=child.identity)
        ended = asyncio.create_task(child.ended())
        while not ended.done():
            if self.leaving:
                await child.stop(RELOAD_SECONDS)
            await asyncio.wait({ended}, timeout=0.1)

    async def live(self, child: Child) -> int | None:
        """Until the child ends by itself (its exit code) or is ended by a wish (None)."""
        ended = asyncio.create_task(child.ended())
        readiness = asyncio.create_task(self.announce(child))
        wish = asyncio.create_task(self.asked.get())
        try:
            await asyncio.wait({ended, wish}, return_when=asyncio.FIRST_COMPLETED)
            if not wish.done():
                return ended.result()
            await self.end(child, wish.result())
            return None
        finally:
            readiness.cancel()
            wish.cancel()
            ended.cancel()

    async def end(self, child: Child, wish: Ask) -> None:
        """Stop the child as a wish says, and wait for the next one where it means a rest."""
        if wish is Ask.QUIT:
            await self.wait_for_dependents()
            await child.stop(DRAIN_SECONDS)
            return
        self.tell("restarting", restarts=self.state.restarts + (wish is Ask.AFRESH))
        await child.stop(RELOAD_SECONDS if wish is Ask.AFRESH else DRAIN_SECONDS)
        while wish is Ask.AFRESH and not self.asked.empty():  # saved again meanwhile: one is enough
            wish = self.asked.get_nowait()
        if wish is Ask.REST:
            note = f"stopped by hand: `nox -s restart -- {self.process.name}` starts it"
            self.journal.say(note)
            self.tell("stopped", child=None, note=note)
            while await self.wish(None) is Ask.REST:
                pass

    async def announce(self, child: Child) -> None:
        """Say when the process can work."""
        pause = 0.03
        while child.running:
            if self.process.ready_path is None:
                ready = self.ready_file.exists()
            else:
                ready = await probe.status_code(self.port, self.process.ready_path) == 200  # noqa: PLR2004
            if ready:
                self.tell("ready", note="")
                return
            await asyncio.sleep(pause)
            pause = min(pause * 1.2, 0.25)

    def report_crash(self, code: int, seconds: float, quick: int) -> None:
        """Name the process and its last words; after the third quick exit the likely fix too."""
        name = self.process.name
        count = LAST_LINES if quick >= QUICK_EXITS else CRASH_LINES
        last = "".join(f"\n  | {line}" for line in self.journal.ending(count))
        self.journal.say(f"{name} {ending(code)} after {seconds:.1f} s; its last lines:{last}")
        if quick >= QUICK_EXITS:
            fix = likely_fix(name, list(self.journal.last), code, self.port)
            self.journal.say(
                f"{name} ended {quick} times at once and is not started again.\n"
                f"likely fix: {fix}\nit starts again when a file of it is saved, "
                f"or with `nox -s restart -- {name}`"
            )
            self.tell("failed", child=None, note=fix)

    async def rest_after_crash(self, quick: int) -> bool:
        """Pause longer after each quick exit, after the third one without end; True for a wish."""
        if quick >= QUICK_EXITS:
            return await self.wish(None) is not None
        pause = min(0.5 * 2 ** (quick - 1), LONGEST_BACKOFF_SECONDS)
        self.tell("restarting", child=None, restarts=self.state.restarts + 1)
        return await self.wish(pause) is not None

    async def wish(self, patience: float | None) -> Ask | None:
        """The next wish, None when none comes in time."""
        with suppress(TimeoutError):
            return await asyncio.wait_for(self.asked.get(), patience)
        return None

    async def wait_for_dependents(self) -> None:
        """Let those that need this process end first, so that they can finish their work."""
        users = dependents(self.process.name)
        deadline = time.monotonic() + DEPENDENTS_SECONDS
        while time.monotonic() < deadline:
            found = [states.read(self.workspace.states, user) for user in users]
            if not any(one and one.alive and one.child and one.child.process for one in found):
                return
            await asyncio.sleep(0.05)

    async def watch_starter(self) -> None:
        """Quit when those that started us are gone."""
        await guard.until_orphaned(guard.supervisor(), os.getppid())
        self.ask(Ask.QUIT)

    async def watch_files(self) -> None:
        """Start afresh when a file is saved that parses; say so when it does not."""
        async for files in saved_files(self.process.watched, self.process.suffixes):
            if wrong := mistake(files):
                self.journal.say(f"syntax error: {wrong}\nwaiting for the next save")
                continue
            names = ", ".join(shown(file) for file in files[:3])
            more = f" and {len(files) - 3} more" if len(files) > 3 else ""  # noqa: PLR2004
            self.journal.say(f"{names}{more} saved: starting {self.process.name} again")
            self.ask(Ask.AFRESH)


def shown(file: Path) -> str:
    """A path as people know it: from the root of the workspace."""
    return str(file.relative_to(ROOT)) if file.is_relative_to(ROOT) else str(file)


def main(arguments: list[str]) -> None:
    """Keep the named process running."""
    if len(arguments) != 1 or arguments[0] not in PROCESSES:
        raise SystemExit(f"usage: python -m scripts.run {'|'.join(PROCESSES)}")
    asyncio.run(Wrapper(PROCESSES[arguments[0]], Workspace.load()).keep())


if __name__ == "__main__":
    main(sys.argv[1:])

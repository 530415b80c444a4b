# What stands in this module knows the inside of a Run.
# pyright: reportPrivateUsage=false
"""Recording a run: `init`, `log`, `finish`."""

import atexit
import os
import sys
import threading
import time
import unicodedata
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self, TypeAlias, cast

from runbench import forks, records, settings, values
from runbench.config import Config
from runbench.file_logging import FileLogging
from runbench.messages import Voice
from runbench.recorder import Points, Recorder
from runbench.settings import Settings
from runbench.spool import Spool, count_unsent, left_of, read_records

if TYPE_CHECKING:
    from runbench.captures import Capture
    from runbench.system import Watch

Status: TypeAlias = Literal["succeeded", "failed", "interrupted"]

MAX_NAME = 200
MANY_KEYS = 5000
URL_SECONDS = 3.0
# Of the time that the end waits for files, so much is kept for the end itself.
END_SECONDS = 5.0
TRACEBACK_CHARACTERS = 16_000
ERROR_TAG_CHARACTERS = 200

_RANKS = ("RANK", "SLURM_PROCID", "OMPI_COMM_WORLD_RANK", "PMI_RANK")

_active: list["Run"] = []
_hooks_set = False
_unsent_said = False


class Run(FileLogging):
    """One run that is being recorded. Made by `runbench.init`.

    As a context manager it ends the run: succeeded, or failed with the traceback in its notes when
    an exception leaves the block, or interrupted for Ctrl-C.

    Logging never raises (set RUNBENCH_STRICT=1 for that) and never waits for the network.
    """

    def __init__(
        self,
        settings: Settings,
        voice: Voice,
        *,
        manifest: dict[str, Any],
        config: object,
    ) -> None:
        self.experiment: str = manifest["experiment"]
        self.status: str = "running"
        self._settings = settings
        self._voice = voice
        self._manifest = manifest
        self._recorder: Recorder | None = None
        self._lock = threading.RLock()
        self._next_step = 0
        self._known_keys: set[str] = set()
        self._points = 0
        self._watch: Watch | None = None
        self._system_step = 0
        self.config = Config(config, self._add_params)
        manifest["body"]["params"] = self.config.params()

    def _start(self, folder: str, command: list[str] | None, *, capture: bool) -> None:
        """Begin to record: make the spool, start the threads."""
        spool = Spool.create(self._settings.spool, self._manifest, limit=self._settings.spool_limit)

        if self._manifest.get("resumed") and self._settings.mode == "online":
            self._adopt_files(spool)

        def prepare() -> None:
            if capture:
                _capture(self._manifest["body"], folder, command)
            spool.save_manifest()
            if self._manifest.get("resumed"):
                self._send_left()
            if capture and self._settings.system_seconds:
                self._watch_machine()

        self._recorder = Recorder(
            self._settings,
            spool,
            self._voice,
            prepare=prepare,
            announce=self._announce,
            keeps=self._files_left,
        )
        if spool.disk_error is not None:
            self._voice.warn(
                f"cannot write to {self._settings.spool} ({spool.disk_error}); what is logged is "
                "kept in memory and lost if this process is killed",
                once="disk",
            )

    def _watch_machine(self) -> None:
        with forks.importing:
            from runbench.system import Watch  # noqa: PLC0415 - in the background
        self._watch = Watch(self._settings.system_seconds, self._log_system)
        if self.status != "running":
            self._watch.stop()

    def _log_system(self, found: dict[str, float]) -> None:
        recorder = self._recorder
        if recorder is not None:
            step, self._system_step = self._system_step, self._system_step + 1
            recorder.log(step, time.time_ns() // 1000, list(found.items()))

    def _send_left(self) -> None:
        """Bring what a killed process left of this run to the server, before what is logged now."""
        left = left_of(self._settings.spool, self._manifest["run_id"])
        if not left or self._settings.mode != "online":
            return
        with forks.importing:
            from runbench.sync import send_before_resuming  # noqa: PLC0415 - in the background
        for folder in left:
            send_before_resuming(folder)

    # What it is

    @property
    def id(self) -> str | None:
        """The server's id of the run; None while the server has not answered."""
        self._await_created()
        return self._manifest.get("run_id")

    @property
    def name(self) -> str | None:
        """The run's name; where none was given, the server's, once it has answered."""
        return self._manifest.get("run_name") or self._manifest["body"].get("name")

    @property
    def project(self) -> str | None:
        """The project as it was named, or its slug once the server has answered."""
        return self._manifest.get("project_slug") or self._manifest.get("project")

    @property
    def url(self) -> str:
        """Where to watch the run. Waits a moment for the server to create it; while the server is
        away this is the address of the project.
        """
        self._await_created()
        return self._address()

    def _await_created(self) -> None:
        if self._recorder is not None and not self._manifest.get("run_id"):
            self._recorder.await_created(URL_SECONDS)

    def _address(self) -> str:
        base = self._settings.portal_url or self._settings.url
        if not self.project:
            return base
        run_id = self._manifest.get("run_id")
        return f"{base}/p/{self.project}" + (f"/r/{run_id}" if run_id else "/runs")

    # Recording

    def log(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Record metrics: `run.log({"loss": 0.1, "val": {"acc": 0.9}}, step=3)`.

        Nested names are joined by `/`. Values are numbers or one-element arrays; NaN and infinities
        are kept. Without a step, it is one more than the largest so far (0 at first). Steps may
        come in any order. What cannot be recorded is left out with a warning.
        """
        when = time.time_ns() // 1000
        recorder = self._recorder
        if recorder is None:
            self._not_recording()
            return
        try:
            points: Points = []
            known = self._known_keys
            for key, value in metrics.items():
                if type(value) is float and key in known:
                    points.append((key, value))
                else:
                    self._convert(key, value, points)
            if step is not None and type(step) is not int:
                step = values.step_value(step)
            with self._lock:
                if step is None:
                    step = self._next_step
                elif not -values.INT64 <= step < values.INT64:
                    step = values.step_value(step)
                if step >= self._next_step:
                    self._next_step = step + 1
                self._points += len(points)
            if points:
                recorder.log(step, when, points)
        except Exception as error:
            self._complain(error)

    def _convert(self, key: Any, value: object, points: Points) -> None:
        """Add the points of one entry, checked; complain about those that cannot be recorded."""
        if isinstance(value, Mapping):
            nested = cast("Mapping[Any, Any]", value)
            for inner, leaf in values.flatten(nested, f"{key}/"):
                self._convert(inner, leaf, points)
            return
        try:
            name = key if key in self._known_keys else values.metric_key(key)
            points.append((name, values.metric_value(name, value)))
        except values.NotRecordable as error:
            self._complain(error)
            return
        if name not in self._known_keys:
            self._known_keys.add(name)
            if len(self._known_keys) == MANY_KEYS:
                self._voice.warn(
                    f"{MANY_KEYS} different metrics in one run; is a step part of their names?"
                )

    def _go_on(
        self,
        config: object,
        tags: Mapping[str, Any] | Iterable[str] | None,
        notes: str | None,
    ) -> None:
        """Add what was given on resuming to what the run has."""
        known = self.config.params()
        for key, value in (values.params(config) if config is not None else {}).items():
            if key not in known:
                self.config.update({key: value})
            elif known[key] != value:
                self._voice.warn(f"config[{key!r}] stays {known[key]!r}: a param keeps its value")
        if tags is not None:
            self.set_tags(tags)
        if notes:
            self.add_note(notes)

    def set_tags(
        self, tags: Mapping[str, Any] | Iterable[str] | None = None, /, **named: Any
    ) -> None:
        """Set tags: a mapping, words, or `set_tags(rig="A")`. None as a value removes a tag."""
        try:
            merged = {**(values.tags(tags) if tags is not None else {}), **values.tags(named)}
        except (TypeError, ValueError) as error:
            self._complain(error)
            return
        if merged:
            self._act("tags", tags=merged)

    def add_note(self, text: str) -> None:
        """Add a paragraph (Markdown) to the run's notes, beside what others write there."""
        self._act("notes", text=values.storable(str(text)))

    def capture(
        self,
        sensors: Iterable[str] | None = None,
        *,
        name: str | None = None,
        note: str | None = None,
        pin_profiles: bool = False,
        stop_after: float | None = None,
    ) -> "Capture":
        """Start a capture session: `with run.capture(sensors=["load-cell"]) as session:`. It ends
        with its block, with `session.stop()`, after stop_after seconds, or with the run.

        sensors: names or ids (default: those attached to the run). Recording has to begin for
        certain, so this needs the server, and raises ApiError, Unreachable, LookupError for an
        unknown sensor, RuntimeError for a run that is not being recorded online.
        """
        run_id = self.id if self._settings.mode == "online" else None
        if run_id is None:
            raise RuntimeError("the server does not know this run yet, so nothing can be captured")
        from runbench.api import Api  # noqa: PLC0415 - most runs have no sensors
        from runbench.captures import start_capture  # noqa: PLC0415

        return start_capture(
            Api(self._settings.url, self._settings.token),
            {"id": run_id, "project_id": self._manifest["project_id"]},
            sensors=sensors,
            name=name,
            note=note,
            pin_profiles=pin_profiles,
            stop_after=stop_after,
            voice=self._voice,
        )

    def flush(self, *, sent: bool = False, timeout: float = 30.0) -> bool:
        """Wait until all that was logged so far is on disk (milliseconds), or with sent=True until
        the server has it, files too. False when that was not so within timeout seconds.
        """
        recorder, files, started = self._recorder, self._files, time.monotonic()
        if recorder is None:
            return True
        last = files.outbox.last if files is not None else 0
        done = recorder.flush(sent=sent, timeout=timeout)
        if not sent or files is None:
            return done
        left = timeout - (time.monotonic() - started)
        return files.wait(left, lambda: False, before=last) and done

    def should_stop(self) -> bool:
        """Whether somebody ended the run at the server (seen with the next heartbeat, ≤ 15 s)."""
        status = self._recorder.remote_status if self._recorder is not None else None
        return status in ("succeeded", "failed", "archived")

    def _add_params(self, params: dict[str, values.Scalar]) -> None:
        self._act("params", params=params)

    def _act(self, do: str, **content: object) -> None:
        if self._recorder is None:
            self._not_recording()
            return
        try:
            self._recorder.act(records.action_record(do, **content))
        except (TypeError, ValueError) as error:
            self._complain(error)

    def _not_recording(self) -> None:
        if self.status == "disabled":
            return
        if self.status == "elsewhere":
            message = (
                "this run belongs to the process that forked this one; log there, or init here"
            )
        else:
            message = f"the run is over ({self.status}); what is logged now is not recorded"
        self._complain(RuntimeError(message))

    def _complain(self, error: Exception, about: str = "") -> None:
        if self._settings.strict:
            raise error
        known = error.about if isinstance(error, values.NotRecordable) else type(error).__name__
        about = about or known
        self._voice.warn(f"not recorded: {error}", once=f"not recorded: {about}")

    # The end

    def finish(self, status: Status = "succeeded", *, timeout: float | None = None) -> None:
        """End the run and wait until the server has everything, at most timeout seconds (default:
        RUNBENCH_FINISH_TIMEOUT, 30). What is left stays on disk for `runbench sync`.
        """
        if status not in ("succeeded", "failed", "interrupted"):
            raise ValueError(f"{status!r} is no ending; use succeeded, failed or interrupted")
        with self._lock:
            recorder, self._recorder = self._recorder, None
        if self._watch is not None:
            self._watch.stop()
        if self in _active:
            _active.remove(self)
        if recorder is None:
            return
        self.status = status
        seconds = self._settings.finish_timeout if timeout is None else timeout
        files, started = self._files, time.monotonic()
        # Whoever is told of the end finds the files there.
        recorder.end_waits = files is not None and bool(files.outbox.count())
        recorder.act(records.action_record("finish", status=status))
        try:
            if files is not None:
                files.hurry()
                files.wait(
                    seconds - min(END_SECONDS, seconds / 4), lambda: recorder.gives_up(started)
                )
                files.stop()
            recorder.tell_end()
            recorder.close(max(0.0, seconds - (time.monotonic() - started)))
        finally:
            if files is not None:
                files.stop()
            self._say_goodbye(recorder)

    def _say_goodbye(self, recorder: Recorder) -> None:
        name = self.name or "the run"
        lost = f", {recorder.dropped:,} points dropped" if recorder.dropped else ""
        lost += self._told_of_files()
        if recorder.complete:
            self._voice.say(f"{name} {self.status}: {self._points:,} points recorded{lost}")
            return
        folder = recorder.spool.folder
        if folder is None:
            self._voice.warn(f"{name} {self.status}: not everything could be sent{lost}")
            return
        offline = self._settings.mode == "offline"
        where = "is on disk" if offline else "is not sent whole yet and kept"
        self._voice.say(f"{name} {self.status}{lost}; it {where} in {folder}: run `runbench sync`")

    def _announce(self) -> None:
        self._voice.say(f"view {self.name or 'the run'} at {self._address()}")
        if self._files is not None:
            self._files.wake()
        _mention_unsent(self._settings.spool, self._voice)

    def _leave_to_parent(self) -> None:
        """After a fork, in the child."""
        recorder, self._recorder = self._recorder, None
        self._files = self._outbox = None
        self._lock = threading.RLock()
        if recorder is not None:
            self.status = "elsewhere"
            recorder.abandon_in_child()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end_with(error)

    def _end_with(self, error: BaseException | None) -> None:
        if self._recorder is None:
            return
        if error is None or (isinstance(error, SystemExit) and not error.code):
            self.finish("succeeded")
        elif isinstance(error, KeyboardInterrupt):
            self.finish("interrupted")
        else:
            self._note_error(error)
            self.finish("failed")

    def _note_error(self, error: BaseException) -> None:
        import traceback  # noqa: PLC0415 - only a failure needs it

        from runbench.capture import scrub  # noqa: PLC0415

        first = scrub(f"{type(error).__name__}: {error}".strip())
        self.set_tags(error=first.replace("\n", " ")[:ERROR_TAG_CHARACTERS])
        if not isinstance(error, SystemExit):
            text = "".join(traceback.format_exception(error))
            text = scrub(text)[-TRACEBACK_CHARACTERS:].replace("```", "'''")
            self.add_note(f"The run failed:\n\n```text\n{text.rstrip()}\n```")

    def __repr__(self) -> str:
        return f"<runbench run {self.name or 'not named yet'}: {self.status}, {self._address()}>"

    def _repr_html_(self) -> str:
        """The run as a static card, with what the server has of it by now."""
        from runbench.reading import live_card  # noqa: PLC0415 - only notebooks show it

        name, run_id = self.name or "not named yet", self._manifest.get("run_id")
        return live_card(
            self._settings, run_id, name, self.status, self._address(), self.config.params()
        )


def init(
    project: str | None = None,
    experiment: str | None = None,
    config: object = None,
    *,
    name: str | None = None,
    tags: Mapping[str, Any] | Iterable[str] | None = None,
    notes: str | None = None,
    parent: str | None = None,
    capture: bool = True,
    command: list[str] | None = None,
    mode: settings.Mode | None = None,
    resume: str | None = None,
    system: float | bool | None = None,
) -> Run:
    """Start a run. Returns within milliseconds and never waits for the network.

    project: slug, name or id (default RUNBENCH_PROJECT, else the project of the token).
    experiment: its name, created when it is new (default "Default").
    config: a dict, namespace or dataclass; its leaves become params.
    tags: a mapping, or words. notes: Markdown. parent: id of the run that this one belongs to.
    capture: also record git, machine, Python and packages. command: the command line to record
    instead of this process's.
    mode: online, offline (to disk alone) or disabled (nothing), instead of RUNBENCH_MODE.
    resume: id of a run to go on with, see `resume`.
    system: measure the machine (False: not; or every so many seconds), instead of
    RUNBENCH_SYSTEM_SECONDS.

    Raises ValueError for a name that no server takes and for a RUNBENCH_… variable that means
    nothing. In a distributed job every process but rank 0 gets a run that records nothing.
    """
    current_settings = settings.load()
    if mode is not None:
        current_settings = current_settings._replace(mode=mode)
    if system is not None and system is not True:
        current_settings = current_settings._replace(system_seconds=max(0.0, float(system)))
    voice = Voice(quiet=current_settings.quiet)
    body = _described(name, tags, notes, parent)
    key = str(uuid.uuid4())
    manifest: dict[str, Any] = {
        "version": 1,
        "key": key,
        "url": current_settings.url if current_settings.mode == "online" else None,
        "project": project or current_settings.project,
        "experiment": _name(experiment or "Default", "experiment"),
        "started_at": time.time(),
        "pid": os.getpid(),
        "body": body,
    }
    other_rank = _other_rank()
    goes_on: _Before | None = None
    if resume is not None and current_settings.mode != "disabled" and not other_rank:
        goes_on = _before(resume, current_settings, voice, manifest)
    run = Run(
        current_settings, voice, manifest=manifest, config=goes_on.params if goes_on else config
    )
    if current_settings.mode == "disabled" or other_rank:
        run.status = "disabled"
        if other_rank and current_settings.mode != "disabled":
            voice.warn(f"{other_rank}: rank 0 records this run")
        return run
    _set_hooks()
    if goes_on is not None:
        run._next_step, run._system_step = goes_on.step, goes_on.system_step
    run._start(_working_directory(), command, capture=capture)
    _active.append(run)
    if goes_on is not None:
        run._go_on(config, tags, notes)
    where = " / ".join(part for part in (run.project, run.experiment) if part)
    if current_settings.mode == "offline":
        voice.say(f"recording {where} to disk: {current_settings.spool / key}")
    else:
        voice.say(f"recording {where} to {current_settings.url}")
    return run


def _described(
    name: str | None,
    tags: Mapping[str, Any] | Iterable[str] | None,
    notes: str | None,
    parent: str | None,
) -> dict[str, Any]:
    """What a new run is created with, but for its params and what is captured."""
    body: dict[str, Any] = {"status": "running"}
    if name is not None:
        body["name"] = _name(name, "name")
    if tags is not None:
        body["tags"] = {key: value or "" for key, value in values.tags(tags).items()}
    if notes:
        body["notes"] = values.storable(notes)
    parent = parent or os.environ.get("RUNBENCH_PARENT_RUN_ID") or None
    if parent:
        body["parent_run_id"] = parent
    return body


def resume(run_id: str, config: object = None, **options: Any) -> Run:
    """Go on with a recorded run: what is logged is added, steps go on after the largest one.

    An interrupted run runs again. One that succeeded or failed stays so and takes more points. Asks
    the server for the run and waits for that (seconds at most); one that is away is waited for in
    the background, and steps then go on after what this machine still has of the run.

    options: those of `init` but project and experiment. A param keeps its first value.
    Raises ValueError for what is no id and for an archived run, LookupError for a run that is not
    there, ApiError for another refusal.
    """
    return init(config=config, resume=run_id, **options)


class _Before(NamedTuple):
    """What a run that goes on had: the steps to go on with, and its params."""

    step: int
    system_step: int
    params: dict[str, Any]


def _before(
    wanted: str, current_settings: Settings, voice: Voice, manifest: dict[str, Any]
) -> _Before:
    """Ask for the run that goes on, and put what is known of it into the manifest."""
    from runbench.api import Api, ApiError, Unreachable  # noqa: PLC0415 - only resuming needs it

    run_id = str(uuid.UUID(wanted))
    manifest.update(run_id=run_id, resumed=True)
    manifest["body"] = {"status": "running"}
    step, system_step = _steps_left(current_settings.spool, run_id)
    params: dict[str, Any] = {}
    if current_settings.mode == "offline":
        return _Before(step, system_step, params)
    try:
        with Api(current_settings.url, current_settings.token, read_timeout=10.0) as api:
            data = api.get(f"/api/v1/runs/{run_id}")
            project = api.get(f"/api/v1/projects/{data['project_id']}")
            for metric in api.items(f"/api/v1/runs/{run_id}/metrics"):
                after = int(metric.get("max_step", metric["last_step"])) + 1
                if str(metric["key"]).startswith("system/"):
                    system_step = max(system_step, after)
                else:
                    step = max(step, after)
    except Unreachable as error:
        voice.warn(f"{error}; the run goes on on disk, with step {step}", once="resume")
        return _Before(step, system_step, params)
    except ApiError as error:
        if error.passing:
            voice.warn(f"{error}; the run goes on on disk, with step {step}", once="resume")
            return _Before(step, system_step, params)
        if error.status == 404:
            raise LookupError(f"there is no run {run_id} that this token may see") from None
        raise
    status = data.get("status")
    if status == "archived":
        raise ValueError(f"the run {data['name']} is archived; restore it in the portal first")
    if status in ("succeeded", "failed"):
        voice.say(f"{data['name']} has {status} and stays so; what is logged is added")
    manifest.update(
        run_name=data["name"],
        project_id=data["project_id"],
        project_slug=project["slug"],
        experiment=data.get("experiment_name") or manifest["experiment"],
        experiment_id=data.get("experiment_id"),
    )
    return _Before(step, system_step, dict(data.get("params") or {}))


def _steps_left(spool: Path, run_id: str) -> tuple[int, int]:
    """The steps after the largest that stand in this run's spools: the script's, the machine's."""
    after = [0, 0]
    for folder in left_of(spool, run_id):
        try:
            for record in read_records(folder):
                if record[:1] == records.METRICS:
                    for series in records.describe(record)["series"]:
                        place = str(series["key"]).startswith("system/")
                        after[place] = max(after[place], max(series["step"]) + 1)
        except (OSError, ValueError):
            continue
    return after[0], after[1]


def current() -> Run | None:
    """The run that was started last and is not over; None when there is none."""
    return _active[-1] if _active else None


def log(metrics: Mapping[str, Any], step: int | None = None) -> None:
    """`Run.log` of the current run; without one, a warning."""
    run = current()
    if run is not None:
        run.log(metrics, step)
        return
    if settings.flag("RUNBENCH_STRICT"):
        raise RuntimeError("there is no current run: call runbench.init() first")
    _voice_without_run.warn("there is no current run: call runbench.init() first", once="no run")


def flush(*, sent: bool = False, timeout: float = 30.0) -> bool:
    """`Run.flush` of the current run; True without one."""
    run = current()
    return run is None or run.flush(sent=sent, timeout=timeout)


def finish(status: Status = "succeeded") -> None:
    """`Run.finish` of the current run; nothing without one."""
    run = current()
    if run is not None:
        run.finish(status)


_voice_without_run = Voice(quiet=settings.flag("RUNBENCH_QUIET"))


def _name(given: object, what: str) -> str:
    text = unicodedata.normalize("NFC", str(given)).strip()
    if not 1 <= len(text) <= MAX_NAME or any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
        raise ValueError(f"{what} {text[:40]!r}: 1 to {MAX_NAME} characters, none of them control")
    return text


def _other_rank() -> str | None:
    """Which rank of a distributed job this process is, when it is not the first one."""
    for variable in _RANKS:
        rank = os.environ.get(variable, "")
        if rank.isdigit():
            return f"{variable}={rank}" if int(rank) > 0 else None
    return None


def _working_directory() -> str:
    try:
        return str(Path.cwd())
    except OSError:
        return "."


def _capture(body: dict[str, Any], folder: str, command: list[str] | None) -> None:
    with forks.importing:
        from runbench import capture  # noqa: PLC0415 - in the background, its cost is not felt

        body["environment"] = capture.environment(folder, command or list(sys.orig_argv))
    remote = capture.git_remote(folder)
    if remote:
        body["environment"]["git_remote"] = remote
    commit = capture.git_commit(folder)
    if commit is not None:
        body["git_commit"], body["git_dirty"] = commit.sha, commit.dirty
        if commit.branch:
            body["git_branch"] = values.label(commit.branch)
    source = Path(command[0]).name if command else capture.source()
    host = capture.host()
    if source:
        body["source"] = values.label(source)
    if host:
        body["host"] = values.label(host)


def _mention_unsent(spool: Path, voice: Voice) -> None:
    """Say once per process that earlier runs wait to be sent."""
    global _unsent_said  # noqa: PLW0603 - once per process
    if _unsent_said:
        return
    _unsent_said = True
    unsent = count_unsent(spool)
    if unsent:
        runs = "1 earlier run is" if unsent == 1 else f"{unsent} earlier runs are"
        voice.say(f"{runs} not sent yet: run `runbench sync`")


def _set_hooks() -> None:
    global _hooks_set  # noqa: PLW0603 - once per process
    if _hooks_set:
        return
    _hooks_set = True
    atexit.register(_at_exit)
    forks.guard(_after_fork)


def _at_exit() -> None:
    """End what the script left open, by how the script ended."""
    error = getattr(sys, "last_exc", None) or getattr(sys, "last_value", None)
    if hasattr(sys, "ps1"):
        error = None
    while _active:
        _active[-1]._end_with(error)


def _after_fork() -> None:
    runs = _active.copy()
    _active.clear()
    for run in runs:
        run._leave_to_parent()

# What stands in this module knows the inside of a Run.
# pyright: reportPrivateUsage=false
"""Files of a run that is being recorded: `run.log_artifact`, `run.log_figure`, …"""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runbench import records
from runbench.messages import Voice, logger
from runbench.settings import Settings
from runbench.spool import Spool, files_wait, left_of

if TYPE_CHECKING:
    from runbench.artifacts import StoredArtifact
    from runbench.file_sender import FileSender
    from runbench.outbox import Outbox
    from runbench.recorder import Recorder


class FileLogging(ABC):
    """What a run can do with files.

    Like `log`, these calls never raise (RUNBENCH_STRICT=1 for that) and never wait for the network:
    the content of now is held on to, and goes to the server in the background. Of several files
    with one path the last one counts.
    """

    _settings: Settings
    _voice: Voice
    _manifest: dict[str, Any]
    _recorder: "Recorder | None"
    _lock: Any
    _outbox: "Outbox | None" = None
    _files: "FileSender | None" = None

    @abstractmethod
    def _complain(self, error: Exception, about: str = "") -> None:
        """Say what went wrong, or raise it where that is asked for."""

    @abstractmethod
    def _not_recording(self) -> None:
        """Say that the run takes nothing any more."""

    # Logging

    def log_artifact(
        self,
        path: str | os.PathLike[str],
        name: str | None = None,
        *,
        ignore: Iterable[str] = (),
    ) -> None:
        """Keep a file with the run, or everything in a folder: `run.log_artifact("model.pt")`.

        name: its path in the run, such as `models/best.pt` (default: the name that it has here).
        ignore: patterns of what is left out of a folder (`*.tmp`, `cache`, `logs/*.txt`), beside
        `.git`, `__pycache__` and the like.
        """

        def keep(outbox: "Outbox") -> None:
            source = Path(path).expanduser()
            if source.is_dir():
                self._keep_folder(outbox, source, name or source.resolve().name, ignore)
                return
            if not source.is_file():
                kind = "is no file" if source.exists() else "is not there"
                raise FileNotFoundError(f"{source} {kind}")
            from runbench.paths import clean_path  # noqa: PLC0415 - only files need it

            outbox.add_file(clean_path(name or source.name), source)

        self._keep(path, keep)

    def log_artifacts(
        self,
        folder: str | os.PathLike[str],
        name: str | None = None,
        *,
        ignore: Iterable[str] = (),
    ) -> None:
        """Keep everything that is in a folder, at the top of the run's files or in the folder
        `name` of them. ignore: see `log_artifact`.
        """

        def keep(outbox: "Outbox") -> None:
            source = Path(folder).expanduser()
            if not source.is_dir():
                raise NotADirectoryError(f"{source} is no folder")
            self._keep_folder(outbox, source, name or "", ignore)

        self._keep(folder, keep)

    def log_text(self, text: str, name: str) -> None:
        """Keep text as a file: `run.log_text(report, "report.md")`."""
        self._keep_content(name, ".txt", lambda: str(text).encode("utf-8", "replace"))

    def log_json(self, value: Any, name: str) -> None:
        """Keep a value as a JSON file: dicts, lists, numbers (also of numpy), text, dataclasses."""
        from runbench.media import json_bytes  # noqa: PLC0415

        self._keep_content(name, ".json", lambda: json_bytes(value))

    def log_figure(self, figure: Any, name: str) -> None:
        """Keep a figure: `run.log_figure(plt.gcf(), "loss.png")`.

        matplotlib's become what the name ends in (.png, .svg, .pdf; .png without an end), those of
        plotly and altair the JSON that the portal draws (.html where the name says so).
        """
        self._keep_made(name, lambda given: _media().figure(figure, given))

    def log_image(self, image: Any, name: str) -> None:
        """Keep a picture as PNG: an array of numpy, torch or the like (height × width, or with 1, 3
        or 4 colours; floats from 0 to 1 or bytes), or one of PIL.
        """
        self._keep_made(name, lambda given: _media().image(image, given))

    def log_table(
        self,
        table: Any,
        name: Any,
        *,
        columns: Sequence[str] | None = None,
    ) -> None:
        """Keep a table: a data frame of pandas or polars, a pyarrow Table, columns by name
        (`{"x": [1, 2]}`), rows by name (`[{"x": 1}]`), or plain rows with the names of `columns`.

        It becomes what the name ends in: .parquet, .csv or .json; without an end Parquet, or CSV
        where pyarrow is not installed.
        """
        if isinstance(table, str):
            table, name = name, table
        self._keep_made(name, lambda given: _media().table(table, given, columns))

    # Using

    def use_artifact(
        self,
        artifact: "StoredArtifact | str",
        *,
        to: str | os.PathLike[str] | None = None,
        role: str | None = None,
    ) -> Path:
        """Download a file of another run, and record that this run used it; where it is.

        artifact: one of `StoredRun.artifacts()`, its id, or `RUN:PATH` with RUN as in the command
        line (`runbench runs show`): a name, an id, `@latest`. A path that ends in `/` means all
        files of that folder, and the answer is the folder.
        to: the folder to put it into; without one it is kept in RUNBENCH_DIR, so that the next run
        has it at once; do not write to it there. role: what it is to this run, such as `dataset`.

        The content is checked against its SHA-256. Raises ApiError, Unreachable, LookupError for
        what is not there.
        """
        from runbench.artifacts import fetch_for_use  # noqa: PLC0415 - most runs use none

        place, used = fetch_for_use(self._settings, self._manifest, artifact, to)
        for each in used:
            self._note_input(each, role)
        return place

    def artifacts(self, prefix: str = "") -> "list[StoredArtifact]":
        """The files that the server has of this run; with a prefix those of one folder. Raises
        ApiError, Unreachable.
        """
        run_id = self._manifest.get("run_id")
        if not run_id:
            return []
        from runbench.api import Api  # noqa: PLC0415 - recording needs none here
        from runbench.artifacts import list_artifacts  # noqa: PLC0415

        return list_artifacts(Api(self._settings.url, self._settings.token), run_id, prefix)

    def _note_input(self, artifact: "StoredArtifact", role: str | None) -> None:
        recorder = self._recorder
        if recorder is None or self._manifest.get("run_id") == artifact.run_id:
            return
        more = {"role": role} if role else {}
        recorder.act(records.action_record("input", artifact_id=artifact.id, **more))

    # Keeping

    def _keep_made(self, name: Any, make: Callable[[str], tuple[str, bytes]]) -> None:
        """Keep content whose name's end follows from what it is."""

        def keep(outbox: "Outbox") -> None:
            from runbench.paths import clean_path  # noqa: PLC0415 - only files need it

            chosen, content = make(clean_path(str(name)))
            outbox.add_content(chosen, content)

        self._keep(name, keep)

    def _keep_content(self, name: str, ending: str, make: Callable[[], bytes]) -> None:
        self._keep_made(
            name, lambda given: (given if Path(given).suffix else given + ending, make())
        )

    @staticmethod
    def _keep_folder(outbox: "Outbox", folder: Path, name: str, ignore: Iterable[str]) -> None:
        from runbench.paths import IGNORED, clean_path, walk  # noqa: PLC0415

        for source, path in walk(folder, (*IGNORED, *ignore)):
            outbox.add_file(clean_path(f"{name.rstrip('/')}/{path}" if name else path), source)

    def _keep(self, about: object, keep: Callable[["Outbox"], None]) -> None:
        recorder = self._recorder
        if recorder is None:
            self._not_recording()
            return
        try:
            keep(self._own_outbox(recorder.spool))
        except Exception as error:
            self._complain(error, about=f"file {about}")
        if self._files is not None:
            self._files.wake()

    def _own_outbox(self, spool: "Spool") -> "Outbox":
        """This run's outbox, made with the first file."""
        with self._lock:
            if self._outbox is None:
                from runbench.file_sender import FileSender  # noqa: PLC0415 - only files need it
                from runbench.outbox import outbox_of  # noqa: PLC0415

                self._outbox = outbox_of(spool.folder, limit=self._settings.spool_limit)
                if self._settings.mode == "online":
                    self._files = FileSender(self._settings, spool, self._outbox, self._voice)
            return self._outbox

    def _adopt_files(self, spool: "Spool") -> None:
        """Take over the files that an earlier process left of this run, before there are others."""
        from runbench.outbox import outbox_of  # noqa: PLC0415 - only resuming needs it

        for folder in left_of(self._settings.spool, self._manifest["run_id"]):
            if not files_wait(folder):
                continue
            try:
                theirs = Spool.open(folder)
                try:
                    files = outbox_of(folder, limit=0)
                    files.load()
                    self._own_outbox(spool).adopt(files)
                finally:
                    theirs.close()
            except (OSError, ValueError, RuntimeError) as error:
                logger.debug("the files of %s wait for `runbench sync`: %s", folder, error)

    def _files_left(self) -> bool:
        return self._outbox is not None and bool(self._outbox.count())

    def _told_of_files(self) -> str:
        """What is said at the end about files that are not sent."""
        left = self._outbox.left() if self._outbox is not None else []
        if not left:
            return ""
        count = "1 file" if len(left) == 1 else f"{len(left)} files"
        return f", {count} ({sum(entry.size for entry in left) / 1e6:,.1f} MB) not sent yet"


def _media() -> Any:
    from runbench import media  # noqa: PLC0415 - only figures, tables and pictures need it

    return media

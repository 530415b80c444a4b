"""The files of runs, as the server has them: listing, reading, downloading, using."""

import hashlib
import os
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from runbench import settings
from runbench.api import Api, ApiError, file_path
from runbench.downloads import WrongContent, download
from runbench.outbox import same_content
from runbench.parallel import each
from runbench.paths import clean_path, safe_target

DOWNLOADS = 4
LARGEST_READ = 1024 * 1024 * 1024


class StoredArtifact:
    """A file of a run; `data` is what the server says of it."""

    def __init__(self, api: Api, run_id: str, data: Mapping[str, Any]) -> None:
        self.data = data
        self.run_id = run_id
        self._api = api

    @property
    def path(self) -> str:
        return str(self.data["path"])

    @property
    def id(self) -> str:
        return str(self.data["id"])

    @property
    def size(self) -> int:
        return int(self.data["size"])

    @property
    def sha256(self) -> str:
        return str(self.data["sha256"])

    @property
    def media_type(self) -> str:
        return str(self.data.get("media_type") or "application/octet-stream")

    @property
    def approved(self) -> bool:
        """Whether an owner of the project has approved this very content."""
        return bool(self.data.get("approved"))

    @property
    def created_at(self) -> str | None:
        return self.data.get("created_at")

    def download(
        self,
        to: str | os.PathLike[str] = ".",
        *,
        on_bytes: Callable[[int], None] = lambda _count: None,
    ) -> Path:
        """Write the file below a folder, under its path there; where it is. One that is there
        already with the same content stays. A broken download goes on where it was.

        Raises ApiError, Unreachable, OSError, WrongContent when it does not arrive as it was
        stored, UnsafePath when its path would lead out of the folder.
        """
        target = safe_target(Path(to).expanduser(), self.path)
        self.write(target, on_bytes=on_bytes)
        return target

    def write(self, target: Path, *, on_bytes: Callable[[int], None] = lambda _count: None) -> bool:
        """Write the file to this very place; False where it is there already."""
        if not target.is_symlink() and same_content(target, self.size, self.sha256):
            on_bytes(self.size)
            return False
        download(
            self._api,
            self.run_id,
            self.path,
            target,
            size=self.size,
            sha256=self.sha256,
            on_bytes=on_bytes,
        )
        return True

    def read(self) -> bytes:
        """The content, at most a gibibyte. Raises ApiError, Unreachable, WrongContent, ValueError
        for a larger one.
        """
        if self.size > LARGEST_READ:
            raise ValueError(f"{self.path} has {self.size} bytes; download it to a file")
        content = bytearray()
        for piece in self._api.stream(file_path(self.run_id, self.path), {}):
            content += piece
            if len(content) > self.size:
                break
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise WrongContent(f"{self.path} did not arrive as the server says that it is")
        return bytes(content)

    def text(self) -> str:
        """The content as UTF-8 text. Raises what `read` does, and UnicodeDecodeError."""
        return self.read().decode()

    def __repr__(self) -> str:
        return f"<runbench artifact {self.path}: {self.size} bytes, {self.media_type}>"


def list_artifacts(
    api: Api, run_id: str, prefix: str = "", *, below: bool = True
) -> list[StoredArtifact]:
    """The files of a run in a folder (at the top without one) and, unless below is False, in the
    folders of it. Raises ApiError, Unreachable.
    """
    found: list[StoredArtifact] = []
    folders = [prefix.rstrip("/")]
    while folders:
        folder = folders.pop(0)
        for entry in list_folder(api, run_id, folder):
            if entry["kind"] == "folder":
                if below:
                    folders.append(str(entry["path"]))
            else:
                found.append(StoredArtifact(api, run_id, entry))
    return found


def list_folder(api: Api, run_id: str, prefix: str) -> Iterable[dict[str, Any]]:
    """What stands in one folder of a run's files. Raises ApiError, Unreachable."""
    return api.items(f"/api/v1/runs/{run_id}/artifacts", prefix=prefix.rstrip("/") or None)


def find_artifact(api: Api, run_id: str, path: str) -> StoredArtifact:
    """The file of a run with this path. Raises LookupError, ApiError, Unreachable."""
    wanted = clean_path(path)
    folder = wanted.rpartition("/")[0]
    for entry in list_folder(api, run_id, folder):
        if entry["path"] == wanted and entry["kind"] == "file":
            return StoredArtifact(api, run_id, entry)
    raise LookupError(f"the run has no file {wanted!r}")


def download_all(
    files: list[StoredArtifact],
    to: Path,
    *,
    on_bytes: Callable[[int], None] = lambda _count: None,
    done: Callable[[StoredArtifact, Path, bool], None] = lambda _file, _place, _brought: None,
) -> None:
    """Write files below a folder, each under its path, several at once. done is told of each file,
    where it is, and whether it had to be brought. Raises what `StoredArtifact.download` does.
    """
    said = threading.Lock()

    def bring(file: StoredArtifact) -> None:
        target = safe_target(to, file.path)
        brought = file.write(target, on_bytes=on_bytes)
        with said:
            done(file, target, brought)

    each(files, bring, threads=min(DOWNLOADS, len(files)), name="runbench-download")


def fetch_for_use(
    current: settings.Settings,
    manifest: Mapping[str, Any],
    artifact: StoredArtifact | str,
    to: str | os.PathLike[str] | None,
) -> tuple[Path, list[StoredArtifact]]:
    """Bring what a run uses; where it is, and which files these are."""
    if isinstance(artifact, StoredArtifact):
        return _fetched(artifact, to), [artifact]
    api = Api(current.url, current.token)
    reference, colon, path = artifact.partition(":")
    if reference == "@best" and colon:
        metric, colon, path = path.partition(":")
        reference = f"@best:{metric}"
    if not colon:
        found = _by_id(api, artifact)
        return _fetched(found, to), [found]
    run_id = _run_of(api, current, manifest, reference)
    if path and not path.endswith("/"):
        found = find_artifact(api, run_id, path)
        return _fetched(found, to), [found]
    files = list_artifacts(api, run_id, path)
    if not files:
        raise LookupError(f"the run has no files in {path or 'it'}")
    folder = Path(to).expanduser() if to is not None else _kept() / "runs" / run_id
    download_all(files, folder)
    return folder.joinpath(*path.strip("/").split("/")), files


def _fetched(file: StoredArtifact, to: str | os.PathLike[str] | None) -> Path:
    if to is not None:
        return file.download(to)
    folder = _kept() / file.sha256[:2] / file.sha256
    return _named(file, folder)


def _named(file: StoredArtifact, folder: Path) -> Path:
    """A file in a folder under its name, without the folders that it has in its run."""
    target = safe_target(folder, file.path.rpartition("/")[2])
    file.write(target)
    return target


def _kept() -> Path:
    """Where used files are kept, by their content."""
    return settings.home() / "artifacts"


def _by_id(api: Api, artifact_id: str) -> StoredArtifact:
    try:
        data = api.get(f"/api/v1/artifacts/{uuid.UUID(artifact_id)}")
    except ValueError:
        raise LookupError(
            f"{artifact_id!r} names no file: give its id, or RUN:PATH such as "
            "trainer-7:model/weights.pt"
        ) from None
    except ApiError as error:
        if error.status == 404:
            raise LookupError(f"there is no file {artifact_id} that this token may see") from None
        raise
    if not data.get("run_id"):
        raise LookupError(f"the file {artifact_id} belongs to no run")
    return StoredArtifact(api, data["run_id"], data)


def _run_of(
    api: Api, current: settings.Settings, manifest: Mapping[str, Any], reference: str
) -> str:
    from runbench.reading import find_run, resolve_project  # noqa: PLC0415 - imports this module

    wanted = manifest.get("project_id") or manifest.get("project") or current.project
    return find_run(resolve_project(api, wanted), api, reference, current.url).id

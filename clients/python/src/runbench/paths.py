"""Names of files: which ones a run may have, and where a downloaded one may be written."""

import fnmatch
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

MAX_PATH = 1000
MAX_SEGMENT_BYTES = 255
IGNORED = (".git", "__pycache__", ".ipynb_checkpoints", ".DS_Store")

_DRIVE = re.compile(r"[A-Za-z]:")
_FORBIDDEN = ("Cc", "Cs", "Zl", "Zp")


class UnsafePath(ValueError):
    """A name that no file of a run may have, or that leads out of the folder it is meant for."""


def clean_path(given: str | os.PathLike[str]) -> str:
    """A file's path in its run: relative, folders parted by `/`, in Unicode's form C. Raises
    UnsafePath with the reason.
    """
    text = os.fspath(given)
    if os.sep == "\\":
        text = text.replace("\\", "/")
    path = unicodedata.normalize("NFC", text).removeprefix("./")
    _check(path)
    return path


def safe_target(folder: Path, path: str, *, make: bool = True) -> Path:
    """Where a file of a run is written below a folder; with make, the folders on the way are made.
    Nothing that a server says can lead out of the folder: not by its name, and not by a link that
    stands there already. Raises UnsafePath, OSError.
    """
    _check(path)
    if make:
        folder.mkdir(parents=True, exist_ok=True)
    root = folder.resolve()
    target = root.joinpath(*PurePosixPath(path).parts)
    # Links are followed before anything is made behind them.
    for parent in reversed(target.relative_to(root).parents):
        place = root / parent
        if not place.resolve().is_relative_to(root):
            raise UnsafePath(f"{place} leads out of {root}")
        if make:
            place.mkdir(exist_ok=True)
    if target.is_dir() and not target.is_symlink():
        raise UnsafePath(f"{target} is a folder")
    return target


def walk(folder: Path, ignore: Iterable[str]) -> Iterator[tuple[Path, str]]:
    """The files below a folder with their paths in it, sorted, but for what a pattern means: the
    name of a file or folder, or a whole path (`*.tmp`, `cache`, `logs/*.txt`). Folders behind links
    are not entered.
    """
    patterns = tuple(ignore)

    def left_out(name: str, path: str) -> bool:
        return any(fnmatch.fnmatch(name, p) or fnmatch.fnmatch(path, p) for p in patterns)

    for root, folders, names in os.walk(folder):
        here = Path(root).relative_to(folder)
        folders[:] = sorted(f for f in folders if not left_out(f, (here / f).as_posix()))
        for name in sorted(names):
            path = (here / name).as_posix()
            file = Path(root) / name
            if not left_out(name, path) and file.is_file():
                yield file, path


def _check(path: str) -> None:
    said = repr(path if len(path) <= 80 else path[:79] + "…")
    if not path or len(path) > MAX_PATH:
        raise UnsafePath(f"a file's path {said}: 1 to {MAX_PATH} characters")
    if any(unicodedata.category(character) in _FORBIDDEN for character in path):
        raise UnsafePath(f"a file's path {said} holds a control character")
    if path.startswith("/") or "\\" in path or _DRIVE.match(path):
        raise UnsafePath(f"a file's path {said} has to be relative, with / between its folders")
    for part in path.split("/"):
        if part.strip() in ("", ".", ".."):
            raise UnsafePath(f"a file's path {said} has a part that is empty, . or ..")
        if len(part.encode()) > MAX_SEGMENT_BYTES:
            raise UnsafePath(f"a part of {said} has more than {MAX_SEGMENT_BYTES} bytes")

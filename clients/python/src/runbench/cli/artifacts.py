"""Files of a run: list, bring, send, remove, compare with what is here."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from runbench.api import file_path
from runbench.artifacts import StoredArtifact, download_all, list_artifacts, list_folder
from runbench.cli.output import (
    FAILED,
    USAGE,
    AsJson,
    Project,
    ago,
    as_json,
    fail,
    note,
    out,
    size,
    table,
)
from runbench.cli.runs import Reference
from runbench.cli.session import Session, connect
from runbench.file_upload import Hooks, send_file
from runbench.outbox import Outgoing, digest_of, same_content
from runbench.parallel import each
from runbench.paths import IGNORED, clean_path, safe_target, walk
from runbench.progress import Bar
from runbench.put_notes import Note
from runbench.sync import patiently

UPLOADS = 4

app = typer.Typer(help="Files of a run.", no_args_is_help=True)

Folder = Annotated[
    str | None, typer.Argument(metavar="[FOLDER]", help="A folder of the run's files.")
]


@app.command("ls")
def ls(
    run: Reference,
    folder: Folder = None,
    *,
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Also what is in the folders.")
    ] = False,
    project: Project = None,
    json: AsJson = False,
) -> None:
    """List the files of a run."""
    session = connect(project)
    run_id = session.run(run).id
    if recursive:
        listed = [file.data for file in list_artifacts(session.api, run_id, folder or "")]
    else:
        listed = list(list_folder(session.api, run_id, folder or ""))
    if json:
        as_json(listed)
        return
    if not listed:
        note("no files" + (f" in {folder}" if folder else ""))
        return
    table(("path", "size", "type", "stored", "approved", "sha256"), [_row(e) for e in listed])


def _row(entry: Any) -> tuple[object, ...]:
    if entry["kind"] == "folder":
        return entry["path"] + "/", "", "", "", "", ""
    return (
        entry["path"],
        size(entry["size"]),
        entry.get("media_type"),
        ago(entry.get("created_at")),
        "yes" if entry.get("approved") else "",
        str(entry.get("sha256"))[:12],
    )


@app.command("get")
def get(
    run: Reference,
    paths: Annotated[
        list[str] | None,
        typer.Argument(metavar="[PATH]…", help="Files or folders of the run. Default: all."),
    ] = None,
    *,
    to: Annotated[
        Path, typer.Option("--to", "-o", metavar="DIR", help="Where they go, made when missing.")
    ] = Path(),
    project: Project = None,
    json: AsJson = False,
) -> None:
    """Download files of a run, each under its path, checked against its SHA-256.

    What is here already stays; a broken download goes on where it was.
    """
    session = connect(project)
    found = session.run(run)
    files = _chosen(session, found.id, paths or [])
    if not files:
        note(f"{found.name} has no files")
    told: list[dict[str, Any]] = []
    with Bar("downloading", sum(file.size for file in files), of_bytes=True) as bar:

        def done(file: StoredArtifact, place: Path, brought: bool) -> None:  # noqa: FBT001
            known = {"path": file.path, "file": str(place), "size": file.size}
            told.append({**known, "sha256": file.sha256, "brought": brought})

        download_all(files, to, on_bytes=_counting(bar), done=done)
    if json:
        as_json(sorted(told, key=lambda entry: entry["path"]))
        return
    brought = [entry for entry in told if entry["brought"]]
    there = len(told) - len(brought)
    out.print(
        f"{len(brought)} files ({size(sum(entry['size'] for entry in brought))}) to {to}"
        + (f", {there} were there already" if there else ""),
        markup=False,
    )


@app.command("put")
def put(
    run: Reference,
    sources: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Files or folders.")],
    *,
    name: Annotated[
        str | None,
        typer.Option(
            "--as", metavar="PATH", help="The path in the run; of several files, their folder."
        ),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option("--ignore", help="Leave out of folders, such as '*.tmp' (repeatable)."),
    ] = None,
    project: Project = None,
    json: AsJson = False,
) -> None:
    """Send files to a run, in place of those of the same paths.

    What the run has already is not sent again; a large file that broke off goes on where it was.
    """
    missing = next((source for source in sources if not source.exists()), None)
    if missing is not None:
        fail(f"{missing} is not there", USAGE)
    files = list(_outgoing(sources, name, (*IGNORED, *(ignore or []))))
    session = connect(project)
    run_id = session.run(run).id
    told: list[dict[str, Any]] = []
    with Bar("sending", sum(file.size for file in files), of_bytes=True) as bar:
        count = _counting(bar)

        def send(file: Outgoing) -> None:
            known = session.api.head(file_path(run_id, file.path))
            sha256 = str((known or {}).get("etag", "")).strip('"')
            sent = not same_content(Path(file.place or ""), file.size, sha256)
            if sent:
                keeping = Note(session.api.url, run_id, file)
                hooks = Hooks(sent=count, keep=keeping.keep)
                patiently(lambda: _sent(session, run_id, file, hooks))
            else:
                count(file.size)
            told.append({"path": file.path, "size": file.size, "sent": sent})

        each(files, send, threads=min(UPLOADS, len(files)), name="runbench-put")
    if json:
        as_json(sorted(told, key=lambda entry: entry["path"]))
        return
    sent = [entry for entry in told if entry["sent"]]
    there = len(told) - len(sent)
    out.print(
        f"{len(sent)} files sent ({size(sum(entry['size'] for entry in sent))})"
        + (f", {there} were there already" if there else ""),
        markup=False,
    )


@app.command("rm")
def rm(
    run: Reference,
    paths: Annotated[list[str], typer.Argument(metavar="PATH…")],
    *,
    recursive: Annotated[
        bool, typer.Option("--recursive", "-r", help="Folders with all that is in them.")
    ] = False,
    project: Project = None,
    json: AsJson = False,
) -> None:
    """Remove files of a run."""
    session = connect(project)
    run_id = session.run(run).id
    removed: list[str] = []
    for path in paths:
        below = list_artifacts(session.api, run_id, path) if recursive else []
        for each_path in [file.path for file in below] or [clean_path(path)]:
            session.api.delete(file_path(run_id, each_path))
            removed.append(each_path)
    if json:
        as_json(removed)
        return
    out.print(f"{len(removed)} files removed", markup=False)


@app.command("verify")
def verify(
    run: Reference,
    here: Annotated[
        Path, typer.Argument(metavar="[DIR]", help="The folder to compare with.")
    ] = Path(),
    *,
    folder: Annotated[
        str | None, typer.Option("--folder", help="Only this folder of the run's files.")
    ] = None,
    project: Project = None,
    json: AsJson = False,
) -> None:
    """Compare the files of a run with those of a folder here, by SHA-256; exits with 1 where one is
    missing or another.
    """
    session = connect(project)
    files = list_artifacts(session.api, session.run(run).id, folder or "")
    told = [_compared(file, here) for file in files]
    bad = [entry for entry in told if entry["found"] != "same"]
    if json:
        as_json(told)
    else:
        for entry in bad:
            out.print(f"{entry['found']}: {entry['path']}", markup=False)
        out.print(f"{len(told) - len(bad)} of {len(told)} files are the same", markup=False)
    if bad:
        raise typer.Exit(FAILED)


def _compared(file: StoredArtifact, here: Path) -> dict[str, str]:
    found = "missing"
    place = safe_target(here, file.path, make=False)
    if place.is_file():
        found = "same" if digest_of(place) == file.sha256 else "another"
    return {"path": file.path, "found": found, "sha256": file.sha256}


def _chosen(session: Session, run_id: str, paths: list[str]) -> list[StoredArtifact]:
    """The files that are meant. Raises LookupError."""
    if not paths:
        return list_artifacts(session.api, run_id)
    chosen: dict[str, StoredArtifact] = {}
    for path in paths:
        wanted = clean_path(path.rstrip("/"))
        listed = list_folder(session.api, run_id, wanted.rpartition("/")[0])
        entry = next((e for e in listed if e["path"] == wanted), None)
        if entry is None:
            raise LookupError(f"the run has no file {path!r}; see `runbench artifacts ls`")
        files = (
            list_artifacts(session.api, run_id, wanted)
            if entry["kind"] == "folder"
            else [StoredArtifact(session.api, run_id, entry)]
        )
        chosen.update({file.path: file for file in files})
    return list(chosen.values())


def _outgoing(sources: list[Path], name: str | None, ignore: tuple[str, ...]) -> Iterator[Outgoing]:
    alone = len(sources) == 1
    for source in sources:
        own = source.resolve().name
        path = name if name and alone else f"{name.rstrip('/')}/{own}" if name else own
        if source.is_dir():
            for file, below in walk(source, ignore):
                yield Outgoing.of(clean_path(f"{path}/{below}"), file)
        else:
            yield Outgoing.of(clean_path(path), source)


def _sent(session: Session, run_id: str, file: Outgoing, hooks: Hooks) -> None:
    send_file(session.api, run_id, file, hooks)


def _counting(bar: Bar) -> Any:
    """The bar's `advance` for several threads."""
    lock = threading.Lock()

    def count(by: int) -> None:
        with lock:
            bar.advance(by)

    return count

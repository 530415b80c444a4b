"""What a saved file means for a running process: restart it, or first mend the syntax."""

import ast
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from watchfiles import Change, awatch

# Long enough for an editor to write all its files, short beside the start of a service.
DEBOUNCE_MILLISECONDS = 200
STEP_MILLISECONDS = 30


async def saved_files(
    folders: Sequence[Path], suffixes: tuple[str, ...]
) -> AsyncIterator[list[Path]]:
    """The files with one of these endings below the folders, as they are saved."""

    def counts(change: Change, path: str) -> bool:
        del change
        return path.endswith(suffixes)

    present = [folder for folder in folders if folder.exists()]
    if not present or not suffixes:
        return
    async for changes in awatch(
        *present, watch_filter=counts, debounce=DEBOUNCE_MILLISECONDS, step=STEP_MILLISECONDS
    ):
        yield sorted({Path(path) for _, path in changes})


def mistake(files: Sequence[Path]) -> str | None:
    """The first syntax error among these Python files, `file:line: what`; None when all parse."""
    for file in files:
        if file.suffix != ".py" or not file.exists():
            continue
        try:
            ast.parse(file.read_bytes(), str(file))
        except SyntaxError as error:
            return f"{file}:{error.lineno}: {error.msg}"
        except ValueError as error:
            return f"{file}: {error}"
    return None

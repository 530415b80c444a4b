"""Rows as a data frame of whichever library is there."""

from typing import Any, Literal


def frame_of(rows: list[dict[str, Any]], library: Literal["pandas", "polars"] | None) -> Any:
    """Rows as a frame of pandas or polars (default: the one that is there). Raises ImportError when
    it is not.
    """
    columns = list(dict.fromkeys(key for row in rows for key in row))
    # Params may be of different kinds in different runs; a column keeps what was recorded.
    if library != "polars":
        try:
            import pandas  # noqa: PLC0415 # pyright: ignore[reportMissingImports]
        except ImportError:
            if library == "pandas":
                raise
        else:
            made: Any = pandas
            return made.DataFrame(rows, columns=columns)
    import polars  # noqa: PLC0415 # pyright: ignore[reportMissingImports]

    frames: Any = polars
    data = {key: [row.get(key) for row in rows] for key in columns}
    return frames.DataFrame(data, strict=False)

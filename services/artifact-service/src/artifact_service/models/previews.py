"""What can be shown of a file without running anything of it."""

from typing import Literal

from pydantic import Field, JsonValue
from servicekit.fields import Answer, Query

type PreviewKind = Literal[
    "text",
    "json",
    "markdown",
    "table",
    "image",
    "svg",
    "pdf",
    "audio",
    "video",
    "plotly",
    "vega",
    "html",
    "none",
]

MAX_ROWS = 1000


class PreviewQuery(Query):
    """Which rows of a table."""

    rows: int = Field(default=100, ge=1, le=MAX_ROWS, description="Of a table, how many at most.")
    offset: int = Field(default=0, ge=0, le=10**12, description="Of a table, rows to pass over.")


class PreviewColumn(Answer):
    """A column of a table."""

    name: str
    type: str = Field(description="As the file says it, or as its values look.")


class PreviewTable(Answer):
    """Some rows of a table."""

    columns: list[PreviewColumn]
    rows: list[list[JsonValue]] = Field(
        description="Numbers, truth values and null as they are, all else as text; NaN as text."
    )
    row_count: int | None = Field(description="Of the whole table, where that is known.")


class Preview(Answer):
    """What can be shown of a file; image, svg, pdf, audio, video and html are at `/content`."""

    kind: PreviewKind
    text: str | None = None
    truncated: bool = Field(default=False, description="Whether there is more than is shown.")
    table: PreviewTable | None = None
    reason: str | None = Field(default=None, description="Why nothing, or not all, is shown.")

"""Files of readings that were recorded offline: what they may look like, and what came of one."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from servicekit.fields import Answer

from telemetry_ingest_service.models.readings import Rejected

MAX_BYTES = 256 << 20
MAX_COLUMNS = 1_100
MAX_ROWS = 50_000_000

type TimeUnit = Literal["auto", "s", "ms", "us", "ns"]


class ImportQuery(BaseModel):
    """How the file is read."""

    model_config = ConfigDict(extra="forbid")

    time_unit: Annotated[
        TimeUnit,
        Field(
            description="Of times that are numbers since 1970; `auto` tells by the first one,"
            " between 1990 and 2100. Times may be RFC 3339, too."
        ),
    ] = "auto"
    ignore_unknown: Annotated[
        bool,
        Field(description="Leave out columns that are no signal of the sensor, and go on."),
    ] = False


class Imported(Answer):
    """What became of a file."""

    sensor_id: UUID
    rows: int = Field(description="Rows of the file, its header aside.")
    accepted: int = Field(description="Readings that are stored.")
    duplicates: int = Field(description="Of these, how many an earlier import had stored.")
    signals: list[str] = Field(description="Signals that the file has readings of.")
    ignored: list[str] = Field(description="Columns that were left out.")
    rejected: list[Rejected] = Field(
        description="The first 100 readings that were not taken; the index counts rows from 0."
    )
    rejected_count: int
    set_aside: int = Field(
        description="Readings in pieces that could not be stored; they are kept with the reason."
    )

"""What is logged: batches of points, column by column."""

from typing import Annotated, Self
from uuid import UUID

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError
from servicekit.fields import Answer, Body, Key

from metrics_service.models.columns import Steps, Times, Values

MAX_POINTS = 10_000


class NewPoints(Body):
    """New points of one metric; item i of each column belongs to point i."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    key: Key
    step: Annotated[Steps, Field(description="64-bit integers.")]
    value: Annotated[Values, Field(description="Exact 64-bit floats.")]
    time: Annotated[
        Times | None,
        Field(
            description="Microseconds since 1970, from 1990 to a day ahead;"
            " when the batch arrived, if left out."
        ),
    ] = None

    @model_validator(mode="after")
    def _columns_match(self) -> Self:
        lengths = {"step": len(self.step), "value": len(self.value)}
        if self.time is not None:
            lengths["time"] = len(self.time)
        if len(set(lengths.values())) > 1:
            said = ", ".join(f"{name} has {length}" for name, length in lengths.items())
            message = "the columns must be of equal length; {said}"
            raise PydanticCustomError("column_lengths", message, {"said": said})
        if not lengths["step"]:
            raise PydanticCustomError("no_points", "must have at least one point")
        return self


class NewBatch(Body):
    """Points of one run that are stored together or not at all."""

    batch_id: UUID | None = Field(
        default=None,
        description="Makes a repeat of the same call harmless, for at least 90 days unless the"
        " installation says otherwise.",
    )
    series: Annotated[list[NewPoints], Field(min_length=1, max_length=MAX_POINTS)]

    @model_validator(mode="after")
    def _not_too_many(self) -> Self:
        if self.points > MAX_POINTS:
            message = "a batch takes at most {most} points; these are {points}"
            values = {"most": MAX_POINTS, "points": self.points}
            raise PydanticCustomError("too_many_points", message, values)
        return self

    @property
    def points(self) -> int:
        """How many points the batch holds."""
        return sum(len(series.step) for series in self.series)


class Accepted(Answer):
    """What became of a batch."""

    accepted: int = Field(description="Points that are stored now.")
    duplicate: bool = Field(description="The batch was stored by an earlier call.")

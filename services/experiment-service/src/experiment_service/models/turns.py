"""A turn: the place of one change among all changes of its project."""

from datetime import datetime

from pydantic import BaseModel


class Turn(BaseModel, frozen=True):
    """The project's count of changes with this one, and the database's time at it."""

    change: int
    at: datetime

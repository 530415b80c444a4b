"""Raw is the truth, physical is a view: converting by the profile that held at each moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from conversion import CONVERTED, NO_PROFILE, REASONS, Codes, Profile, convert, is_monotonic
from seriesstore.points import Floats, Integers

from telemetry_ingest_service.models.windows import PublishedProfile


@dataclass(frozen=True, slots=True)
class Converter:
    """The profiles of one signal, by when they begin to hold; a pinned one holds for ever."""

    profiles: Sequence[PublishedProfile] = ()
    pinned: bool = False

    def unit(self, otherwise: str) -> str:
        """That of the newest profile."""
        return (self.profiles[-1].unit if self.profiles else "") or otherwise

    def keeps_extremes(self, low: int | None, high: int | None) -> bool:
        """Whether one monotonic profile holds over the whole range."""
        if not self.profiles:
            return True
        first = self.profiles[0]
        if self.pinned:
            return is_monotonic(first.profile)
        return any(
            is_monotonic(one.profile)
            and low is not None
            and one.valid_from <= low
            and (one.valid_to is None or (high is not None and high < one.valid_to))
            for one in self.profiles
        )

    def profile_over(self, low: int, high: int) -> Profile | None:
        """The one profile that holds over all of low ≤ t ≤ high, where there is one."""
        if self.pinned:
            return self.profiles[0].profile
        return next(
            (
                one.profile
                for one in self.profiles
                if one.valid_from <= low and (one.valid_to is None or high < one.valid_to)
            ),
            None,
        )

    def used(self, t: Integers) -> list[UUID]:
        """The profiles that hold at any of the times, which are sorted."""
        if not len(t):
            return []
        return [
            one.profile_id
            for one in self.profiles
            if self.pinned
            or int(np.searchsorted(t, one.valid_from))
            < (len(t) if one.valid_to is None else int(np.searchsorted(t, one.valid_to)))
        ]

    def convert(self, t: Integers, raw: Floats) -> tuple[Floats, Codes]:
        """Physical values, and why those that are NaN are."""
        if self.pinned:
            return convert(self.profiles[0].profile, raw)
        physical, codes = np.full(len(raw), np.nan), np.full(len(raw), NO_PROFILE, np.int8)
        for one in self.profiles:
            where = t >= one.valid_from
            if one.valid_to is not None:
                where &= t < one.valid_to
            if where.any():
                physical[where], codes[where] = convert(one.profile, raw[where])
        return physical, codes


@dataclass(frozen=True, slots=True)
class Converters:
    """Those of several sensors."""

    by_signal: Mapping[tuple[UUID, str], Converter] = field(
        default_factory=dict[tuple[UUID, str], Converter]
    )

    def with_those_of(self, others: "Converters") -> "Converters":
        """These and others, which come before them."""
        return Converters({**self.by_signal, **others.by_signal})

    def of(self, sensor_id: UUID, signal: str) -> Converter:
        """That of a signal; one that has no profile converts nothing."""
        return self.by_signal.get((sensor_id, signal), Converter())


def converters(
    profiles: Sequence[PublishedProfile],
    pinned: Mapping[UUID, Mapping[str, UUID]] | None = None,
) -> Converters:
    """From all published profiles, and those that a capture session pins."""
    found: dict[tuple[UUID, str], list[PublishedProfile]] = {}
    for one in profiles:
        found.setdefault((one.sensor_id, one.signal), []).append(one)
    made = {key: Converter(some) for key, some in found.items()}
    for sensor_id, by_signal in (pinned or {}).items():
        for signal, profile_id in by_signal.items():
            for one in found.get((sensor_id, signal), []):
                if one.profile_id == profile_id:
                    made[sensor_id, signal] = Converter([one], pinned=True)
    return Converters(made)


def count_reasons(codes: Codes) -> dict[str, int]:
    """How many values were not converted, by reason."""
    counts = np.bincount(codes, minlength=len(REASONS))
    return {
        REASONS[code]: int(count)
        for code, count in enumerate(counts)
        if code != CONVERTED and count
    }


def places_of_reasons(codes: Codes) -> dict[str, list[int]]:
    """Where values were not converted, by reason."""
    found = [int(code) for code in np.unique(codes) if code != CONVERTED]
    return {REASONS[code]: np.flatnonzero(codes == code).tolist() for code in found}

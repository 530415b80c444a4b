"""What conversion profiles make of raw values, and what their parameters must be."""

from collections.abc import Mapping

import numpy as np
from conversion import REASONS, Profile, ProfileMistake, convert, parse_profile
from pydantic import JsonValue
from servicekit.problems import Invalid

from experiment_service.models.profiles import (
    Calculation,
    Converted,
    ConvertedValue,
    ProfileKind,
)


def check_parameters(kind: ProfileKind, parameters: Mapping[str, JsonValue]) -> Profile:
    """The profile that the parameters make.

    Raises:
        Invalid: they make none of that kind; every wrong part of them is named.
    """
    try:
        return parse_profile(kind, parameters)
    except ProfileMistake as exc:
        raise Invalid(
            errors=[
                {"pointer": f"#/parameters{pointer}", "detail": detail}
                for pointer, detail in exc.mistakes
            ]
        ) from exc


def convert_values(calculation: Calculation) -> Converted:
    """Each raw value with its physical one, or the reason why there is none.

    Raises:
        Invalid: the parameters make no profile of that kind.
    """
    profile = check_parameters(calculation.kind, calculation.parameters)
    physical, reasons = convert(profile, np.array(calculation.values, np.float64))
    rows = zip(calculation.values, physical.tolist(), reasons.tolist(), strict=True)
    return Converted(
        items=[
            ConvertedValue.model_validate(
                {
                    "raw": raw,
                    "physical": None if reason else value,
                    "reason": REASONS[reason] or None,
                }
            )
            for raw, value, reason in rows
        ]
    )

"""What the parameters of a conversion profile must be."""

from collections.abc import Mapping

from pydantic import BaseModel, JsonValue, ValidationError
from servicekit.problems import Invalid
from servicekit.routing import body_errors

from experiment_service.models.profiles import (
    Kind,
    LinearParameters,
    LookupParameters,
    PolynomialParameters,
)

_PARAMETERS: Mapping[Kind, type[BaseModel]] = {
    "linear": LinearParameters,
    "polynomial": PolynomialParameters,
    "lookup_table": LookupParameters,
}


def check_parameters(kind: Kind, parameters: Mapping[str, JsonValue]) -> None:
    """Check that the parameters are those of that kind.

    Raises:
        Invalid: they are not; every mistake is named.
    """
    try:
        _PARAMETERS[kind].model_validate(parameters, strict=True)
    except ValidationError as exc:
        raise Invalid(errors=body_errors(exc, under="#/parameters")) from exc

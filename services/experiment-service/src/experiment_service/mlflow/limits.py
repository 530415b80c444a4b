"""What MLflow allows of names and lengths (its `utils/validation.py`), said in its terms."""

import posixpath
import re
from collections.abc import Sequence

from pydantic import TypeAdapter, ValidationError
from servicekit.fields import Name
from servicekit.mlflow import InvalidParameter

from experiment_service.mlflow.messages import Dataset, DatasetInput, Pair

KEY_LENGTH = 250
PARAM_LENGTH = 6000
TAG_LENGTH = 8000
EXPERIMENT_TAG_LENGTH = 20_000
ENTITIES_OF_BATCH = 1000
PARAMS_OF_BATCH = 100
LOCATION_LENGTH = 2048
DATASETS = 1000
DATASET_NAME_LENGTH = 500
DATASET_DIGEST_LENGTH = 36
DATASET_SOURCE_LENGTH = 65_535
DATASET_SCHEMA_LENGTH = 1_048_575
DATASET_PROFILE_LENGTH = 16_777_215
INPUT_TAG_KEY_LENGTH = 255
INPUT_TAG_LENGTH = 500

_KEY = re.compile(r"[/\w.\- :]*")
_LOCATION = re.compile(r"(?!runs:)[a-z][a-z0-9+.-]*:/[^\s#?]*", re.IGNORECASE)
_NAME = TypeAdapter[str](Name)


def check_key(key: str, where: str = "key") -> None:
    """Refuse a key that MLflow refuses: other characters, or a path that leads elsewhere."""
    if not key:
        msg = f"Missing value for required parameter '{where}'."
        raise InvalidParameter(msg)
    if not _KEY.fullmatch(key):
        msg = (
            f"Invalid value {key[:300]!r} for parameter '{where}': letters, digits, spaces and"
            " / _ . - : only."
        )
        raise InvalidParameter(msg)
    path = posixpath.normpath(key)
    if path != key or path == "." or path.startswith(("..", "/")):
        msg = f"Invalid value {key[:300]!r} for parameter '{where}': as a path it means {path!r}."
        raise InvalidParameter(msg)
    check_length(key, KEY_LENGTH, where)


def check_length(text: str, most: int, where: str) -> None:
    """Refuse a text that is too long."""
    if len(text) > most:
        msg = f"'{where}' exceeds the maximum length of {most} characters"
        raise InvalidParameter(msg)


def params_of(pairs: Sequence[Pair]) -> dict[str, str]:
    """The params of a request by key; long values are cut, as MLflow's server does."""
    params: dict[str, str] = {}
    for index, pair in enumerate(pairs):
        check_key(pair.key, f"params[{index}].key")
        if pair.key in params:
            msg = f"Duplicate parameter keys have been submitted: {pair.key!r}."
            raise InvalidParameter(msg)
        params[pair.key] = pair.value[:PARAM_LENGTH]
    return params


def tags_of(pairs: Sequence[Pair]) -> dict[str, str]:
    """The tags of a request by key, the last of each; long values are cut."""
    for index, pair in enumerate(pairs):
        check_key(pair.key, f"tags[{index}].key")
    return {pair.key: pair.value[:TAG_LENGTH] for pair in pairs}


def experiment_tags_of(pairs: Sequence[Pair]) -> dict[str, str]:
    """The tags of an experiment by key; long values are refused."""
    for index, pair in enumerate(pairs):
        check_key(pair.key, f"tags[{index}].key")
        check_length(pair.value, EXPERIMENT_TAG_LENGTH, "value")
    return {pair.key: pair.value for pair in pairs}


def experiment_name(name: str) -> str:
    """The name, tidied as all names of experiments are."""
    try:
        return _NAME.validate_python(name)
    except ValidationError as exc:
        why = "; ".join(error["msg"].removeprefix("Value error, ") for error in exc.errors())
        msg = f"Invalid experiment name {name[:300]!r}: {why}."
        raise InvalidParameter(msg) from exc


def artifact_location(location: str) -> str:
    """An address of the client's own for the files of an experiment, which it reaches by itself."""
    check_length(location, LOCATION_LENGTH, "artifact_location")
    if location and not _LOCATION.fullmatch(location):
        msg = f"Invalid artifact_location {location[:300]!r}: it must be a URI such as s3://…"
        raise InvalidParameter(msg)
    return location.rstrip("/")


def check_batch(metrics: int, params: int, tags: int) -> None:
    """Refuse a batch of more than MLflow takes at once."""
    for what, count, most in (
        ("params", params, PARAMS_OF_BATCH),
        ("tags", tags, PARAMS_OF_BATCH),
        ("metrics, params, and tags", metrics + params + tags, ENTITIES_OF_BATCH),
    ):
        if count > most:
            msg = f"A batch logging request can contain at most {most} {what}. Got {count}."
            raise InvalidParameter(msg)


def check_datasets(inputs: Sequence[DatasetInput]) -> None:
    """Refuse datasets that MLflow refuses."""
    if len(inputs) > DATASETS:
        msg = f"A request can contain at most {DATASETS} datasets. Got {len(inputs)}."
        raise InvalidParameter(msg)
    for index, given in enumerate(inputs):
        _check_dataset(given.dataset, f"datasets[{index}].dataset")
        for number, tag in enumerate(given.tags):
            where = f"datasets[{index}].tags[{number}]"
            if not tag.key:
                msg = f"Missing value for required parameter '{where}.key'."
                raise InvalidParameter(msg)
            check_length(tag.key, INPUT_TAG_KEY_LENGTH, f"{where}.key")
            check_length(tag.value, INPUT_TAG_LENGTH, f"{where}.value")


def _check_dataset(dataset: Dataset, where: str) -> None:
    check_length(dataset.name, DATASET_NAME_LENGTH, f"{where}.name")
    check_length(dataset.digest, DATASET_DIGEST_LENGTH, f"{where}.digest")
    check_length(dataset.source, DATASET_SOURCE_LENGTH, f"{where}.source")
    check_length(dataset.schema_ or "", DATASET_SCHEMA_LENGTH, f"{where}.schema")
    check_length(dataset.profile or "", DATASET_PROFILE_LENGTH, f"{where}.profile")

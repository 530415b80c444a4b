"""The contract of events: a valid AsyncAPI 3 document, current, and what is told keeps to it."""

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from artifact_service.models.events import ARTIFACT_STORED, FileData
from auth_service.models.events import MEMBER_CHANGED, TOKEN_CREATED, MemberChangeData, TokenData
from experiment_service.models.events import RUN_STEPS, THRESHOLD_CROSSED, CrossingData, RunData
from jsonschema import Draft7Validator, Draft202012Validator, ValidationError
from servicekit.events import Event
from servicekit.identity import Role

from scripts import asyncapi
from scripts.environment import ROOT

SPECIFICATION = ROOT / "node_modules" / "@asyncapi" / "specs" / "schemas"


@pytest.fixture(scope="module")
def document() -> Any:
    return json.loads(asyncapi.TARGET.read_text())


def validator(document: Any, kind: str) -> Draft202012Validator:
    """What holds a message's payload to the document."""
    payload = document["components"]["messages"][kind]["payload"]
    return Draft202012Validator({**payload, "components": document["components"]})


def test_the_document_is_asyncapi_3(document: Any) -> None:
    schema = json.loads((SPECIFICATION / "3.0.0.json").read_text())
    checking = Draft7Validator(schema)

    assert not [error.message for error in checking.iter_errors(document)]
    broken = {**document, "channels": {"run.failed": {"address": 5}}}
    assert list(checking.iter_errors(broken))


def test_the_document_is_current(document: Any) -> None:
    assert document == asyncapi.document(asyncapi.catalogues())


def test_every_service_that_tells_others_has_a_catalogue() -> None:
    # Who tells the audit trail alone has none: nobody else is told.
    relaying = {
        path.parts[-4] for path in Path(ROOT).glob("services/*/src/*/app.py")
        if "Relay(sinks(" in path.read_text()
    }  # fmt: skip

    assert relaying == set(asyncapi.catalogues())


@pytest.mark.parametrize(
    "event",
    [
        RUN_STEPS["failed"].event(
            RunData(
                status="failed", experiment_id=uuid4(), experiment_name="e", duration_seconds=None
            ),
            project_id=uuid4(),
            subject_id=uuid4(),
            subject_name="first",
        ),
        THRESHOLD_CROSSED.event(
            CrossingData(
                watch_id=uuid4(),
                key="loss",
                direction="above",
                threshold=1,
                value=float("inf"),
                step=None,
                experiment_id=uuid4(),
                experiment_name="e",
            ),
            project_id=uuid4(),
            subject_id=uuid4(),
        ),
        ARTIFACT_STORED.event(
            FileData(
                holder="run", holder_id=uuid4(), size=1, sha256="00" * 32, media_type="text/plain"
            ),
            project_id=uuid4(),
            subject_id=uuid4(),
            subject_name="notes/a.txt",
        ),
        MEMBER_CHANGED.event(
            MemberChangeData(user_id=uuid4(), role=Role.OWNER, before=Role.VIEWER),
            project_id=uuid4(),
            subject_id=uuid4(),
            subject_name="Rig",
        ),
        TOKEN_CREATED.event(
            TokenData(user_id=uuid4(), role=Role.EDITOR, expires_at=None),
            project_id=uuid4(),
            subject_id=uuid4(),
            subject_name="nightly",
        ),
    ],
    ids=lambda event: event.type,
)
def test_what_is_told_keeps_to_the_document(document: Any, event: Event) -> None:
    told = json.loads(event.model_dump_json())
    checking = validator(document, event.type)

    checking.validate(told)
    with pytest.raises(ValidationError):
        checking.validate({**told, "data": {}})
    with pytest.raises(ValidationError):
        checking.validate({**told, "type": "run.unheard_of"})

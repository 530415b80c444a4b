"""The portal has words for everything that the audit trail can hold."""

import importlib
import importlib.util
import re
from collections.abc import Iterator
from typing import Any, get_args

from auth_service.models.audit import Action
from servicekit.denials import ACCESS_DENIED
from servicekit.events import EventKind

from scripts.environment import DATABASES, ROOT

WORDS = (ROOT / "portal" / "src" / "features" / "audit" / "actions.ts").read_text()
_NAME = re.compile(r'^ +"?([a-z][a-z_.-]*)"?: msg`', re.MULTILINE)


def told() -> Iterator[EventKind[Any]]:
    """Every kind of the services that comes to the audit trail, told to others or not.

    auth-service tells others of what it has written into the trail by other names itself.
    """
    for service in DATABASES.keys() - {"auth-service"}:
        models = f"{service.replace('-', '_')}.models"
        if importlib.util.find_spec(f"{models}.events"):
            yield from importlib.import_module(f"{models}.events").EVENTS
        if importlib.util.find_spec(f"{models}.audited"):
            kinds = vars(importlib.import_module(f"{models}.audited")).values()
            yield from (kind for kind in kinds if isinstance(kind, EventKind))
    yield ACCESS_DENIED


def test_every_action_has_words_in_the_portal_and_none_is_offered_that_never_comes() -> None:
    actions = {*get_args(Action.__value__), *(kind.name for kind in told())}
    named = set(_NAME.findall(WORDS.partition("targetNames")[0])) - {"title"}

    assert len(actions) > 50
    assert named - {name for name in named if name.endswith(".")} == actions


def test_every_thing_that_something_is_done_to_has_words() -> None:
    things = {kind.subject for kind in told()}

    assert things - set(_NAME.findall(WORDS.partition("targetNames")[2])) == set()

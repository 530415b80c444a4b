"""The portal has words for everything that the audit trail can hold."""

import importlib
import importlib.util
import re
from collections.abc import Iterator
from typing import Any, get_args

from auth_service.models.audit import Action
from servicekit.events import EventKind

from scripts.environment import DATABASES, ROOT

WORDS = (ROOT / "portal" / "src" / "features" / "audit" / "actions.ts").read_text()
_NAME = re.compile(r'^ +"?([a-z][a-z_.-]*)"?: msg`', re.MULTILINE)


def told() -> Iterator[EventKind[Any]]:
    """Every kind of the services whose events come to the audit trail, told to others or not.

    auth-service tells others of what it has written into the trail by other names itself.
    """
    for service in DATABASES.keys() - {"auth-service"}:
        models = f"{service.replace('-', '_')}.models"
        for module in (f"{models}.events", f"{models}.audited"):
            if importlib.util.find_spec(module):
                for value in vars(importlib.import_module(module)).values():
                    found = value.values() if isinstance(value, dict) else [value]
                    yield from (kind for kind in found if isinstance(kind, EventKind))


def test_every_action_has_words_in_the_portal() -> None:
    actions = {*get_args(Action.__value__), *(kind.name for kind in told())}

    assert len(actions) > 50
    assert actions - set(_NAME.findall(WORDS)) == set()


def test_every_thing_that_something_is_done_to_has_words() -> None:
    things = {kind.subject for kind in told()}

    assert things - set(_NAME.findall(WORDS.partition("targetNames")[2])) == set()

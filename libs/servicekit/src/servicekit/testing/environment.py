"""Whether a service's `.env.example` tells the truth about its settings."""

import re
from pathlib import Path

from servicekit.settings import ServiceSettings

_VARIABLE = re.compile(r"^#? ?([A-Z][A-Z0-9_]+)=", re.MULTILINE)


def differences(settings: type[ServiceSettings], example: Path) -> set[str]:
    """Variables that stand in only one of the two; empty when they agree."""
    documented = set(_VARIABLE.findall(example.read_text()))
    return documented ^ {name.upper() for name in settings.model_fields}

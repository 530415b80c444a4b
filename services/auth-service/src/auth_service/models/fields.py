"""Field types of people and projects."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from servicekit.fields import Text

from auth_service.addresses import tidy_email
from auth_service.passwords import MAX_LENGTH


def _tidy_slug(text: object) -> object:
    return text.strip() if isinstance(text, str) else text


type Email = Annotated[str, Field(max_length=320), AfterValidator(tidy_email)]
"""An e-mail address; kept in lower case and NFC, its domain in Unicode."""

type Password = Annotated[str, Field(min_length=1, max_length=MAX_LENGTH)]
"""A password as it was typed; whether a new one will do is decided when it is set."""

type Secret = Annotated[str, Field(min_length=1, max_length=200)]
"""A refresh token or the token of a link."""

type Slug = Annotated[
    str,
    BeforeValidator(_tidy_slug),
    Field(min_length=1, max_length=60, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$"),
]
"""How a project is called in an address: lower-case letters, digits and single hyphens."""

type Description = Annotated[Text, Field(max_length=10_000)]
"""Markdown; may be empty."""

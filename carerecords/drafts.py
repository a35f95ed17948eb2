"""Answers kept between a form and its check page, in the session.

So the check page has an address, "Change" brings back what was typed, and what is saved is what
was shown: each draft has an id, which the check page posts.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest


@dataclass(frozen=True)
class Draft:
    """Values that JSON can hold, as the form cleaned them."""

    id: str
    values: Mapping[str, Any]


def keep(request: HttpRequest, name: str, values: Mapping[str, Any]) -> None:
    """Replaces the draft of that name."""
    request.session[_key(name)] = {"id": uuid.uuid4().hex, "values": dict(values)}


def read(request: HttpRequest, name: str) -> Draft | None:
    """The draft of that name, if one is kept."""
    stored = request.session.get(_key(name))
    return Draft(stored["id"], stored["values"]) if stored else None


def drop(request: HttpRequest, name: str) -> None:
    """Forgets the draft, once it was saved."""
    request.session.pop(_key(name), None)


def _key(name: str) -> str:
    return f"draft:{name}"

"""What the next page says about what was just done, with at most one thing to do about it.

    flash.success(request, "Consent given recorded for ADEYEMI, Grace.",
                  action=flash.Action("Undo", reverse("…"), {"event": event.public_id}))

Texts are plain and kept in the session, so that no patient's name is stored in a cookie.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from django.contrib import messages
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest


@dataclass(frozen=True)
class Action:
    """A button beside the text: it posts `fields` to `url`, and so may change something."""

    label: str
    url: str
    fields: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Flash:
    """One message as the page draws it."""

    text: str
    is_success: bool
    action: Action | None = None


def success(request: HttpRequest, text: str, *, action: Action | None = None) -> None:
    """Something was done."""
    messages.success(request, text, extra_tags=_pack(action))


def notice(request: HttpRequest, text: str, *, action: Action | None = None) -> None:
    """Nothing was done, or something needs to be known."""
    messages.info(request, text, extra_tags=_pack(action))


def read(message: Message) -> Flash:
    """A stored message, whoever wrote it: messages without an action of ours have none."""
    try:
        stored = json.loads(message.extra_tags or "null")
    except ValueError:
        stored = None
    action = Action(**stored) if isinstance(stored, dict) else None
    return Flash(str(message.message), message.level == messages.SUCCESS, action)


def _pack(action: Action | None) -> str:
    if action is None:
        return ""
    fields = {name: str(value) for name, value in action.fields.items()}
    return json.dumps(asdict(action) | {"fields": fields})

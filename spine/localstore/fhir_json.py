"""Reading FHIR JSON without trusting it: helpers that never raise on a wrong shape."""

from __future__ import annotations

import json
from typing import Any

from spine.localstore.outcomes import bad_value

Resource = dict[str, Any]


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def parse(body: bytes, resource_type: str) -> Resource:
    """Return the resource in `body`; raise the 400 when it is not JSON or not a `resource_type`."""
    try:
        resource = json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        detail = "Content does not appear to be FHIR JSON"
        raise bad_value(f"Failed to parse JSON encoded FHIR content: {detail}") from error
    if not isinstance(resource, dict):
        raise bad_value("Failed to parse JSON encoded FHIR content: the content is not a resource")
    found = resource.get("resourceType")
    if found is None:
        detail = "Invalid JSON content detected, missing required element: 'resourceType'"
        raise bad_value(f"Failed to parse JSON encoded FHIR content: {detail}")
    if found != resource_type:
        raise bad_value(f'Incorrect resource type found, expected "{resource_type}" but found "{found}"')
    return resource


def objects(value: object) -> list[Resource]:
    """Return the objects in a JSON array; anything else in it, or no array at all, gives none."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def child(value: object, name: str) -> Resource:
    """Return the object under `name`, or an empty one."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def first(value: object, name: str) -> Resource:
    """Return the first object of the array under `name`, or an empty one."""
    found = objects(value.get(name)) if isinstance(value, dict) else []
    return found[0] if found else {}


def text(value: object, name: str) -> str:
    """Return the text under `name`, or an empty one when it is absent, blank, or not text."""
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, str) and found.strip() else ""


def storable(value: str | None, limit: int = 1000) -> str | None:
    """Return `value` as PostgreSQL can hold it: no NUL, no lone surrogate, at most `limit` characters."""
    if value is None:
        return None
    return value[:limit].encode("utf-8", "replace").decode().replace("\x00", "\ufffd")

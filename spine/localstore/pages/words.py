"""The pages' words for the ledger's codes, and how they show numbers and times."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from spine.localstore import arrivals as a
from spine.localstore.pages.queries import Line

KINDS = {
    a.UPLOAD: "Upload",
    a.PERMISSION: "Permission set",
    a.ALERT: "Privacy alert",
    a.FIND: "Search for a summary",
    a.FETCH: "Summary read",
    a.UNKNOWN: "Unknown request",
}
TARGETS = {
    "any": "Any request",
    **{kind: words for kind, words in KINDS.items() if kind != a.UNKNOWN},
    a.TOKEN: "Access token asked for",
}
OUTCOMES = {
    a.ACCEPTED: "Accepted",
    a.REFUSED: "Refused",
    a.REPLAYED: "Repeated, answered as before",
    a.READ: "Answered",
}
PERMISSIONS = {
    "No": "No: the patient has opted out",
    "Ask": "Ask: permission to view is asked each time",
    "Yes": "Yes: treated as Ask",
}

_LONDON = ZoneInfo("Europe/London")


def number(nhs_number: str | None) -> str:
    """Return an NHS number in the 3-3-4 form, parts joined by no-break spaces."""
    if nhs_number is None:
        return "None given"
    if len(nhs_number) != 10:
        return nhs_number
    return f"{nhs_number[:3]}\u00a0{nhs_number[3:6]}\u00a0{nhs_number[6:]}"


def moment(at: datetime) -> str:
    """Return a time as people in England read it: 23 Nov 2026, 8:33:59am."""
    local = at.astimezone(_LONDON)
    hour = local.hour % 12 or 12
    return f"{local.day} {local:%b %Y}, {hour}:{local:%M:%S}{'am' if local.hour < 12 else 'pm'}"


def what(line: Line) -> str:
    """Return what a line is about in a few words."""
    if line.kind == a.UPLOAD and line.is_blank:
        return "Upload of a blank summary"
    if line.kind == a.PERMISSION and line.permission:
        return f"Permission set to {line.permission}"
    return KINDS.get(line.kind, line.kind)

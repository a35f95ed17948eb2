"""Taking a step with a change: one row each, and word to those it concerns. Only under the desk."""

import datetime
from collections.abc import Iterable
from typing import Any

from boycott.actions import ChangeRefused
from boycott.change_states import Cause, ChangeState, Step, allows
from boycott.dossier import Dossier
from boycott.figures import Figures
from boycott.models import ChangeContent, ChangeStep, Notice
from carerecords.models import User

# What cannot be done in a state, to follow "This change is …, so it cannot be ".
_DONE = {
    Step.WRITTEN: "edited",
    Step.SUBMITTED: "sent for approval",
    Step.ASKED_AGAIN: "approved",
    Step.APPROVED: "approved",
    Step.SCHEDULED: "scheduled",
    Step.TOOK_EFFECT: "put into force",
    Step.REJECTED: "rejected",
    Step.CANCELLED: "cancelled",
    Step.SUSPENDED: "suspended",
}
LONGEST_COMMENT = 1000


def check_state(found: Dossier, kind: Step, at: datetime.datetime) -> None:
    """Raises `ChangeRefused` unless the change is where this step can be taken."""
    state = found.state(at)
    if not allows(state, kind):
        words = ChangeState(state).label.lower()
        raise ChangeRefused("state", f"This change is {words}, so it cannot be {_DONE[kind]}")


def check_seen(found: Dossier, seen: str) -> None:
    """Raises `ChangeRefused` unless what the person saw is what the change says."""
    if seen != found.fingerprint:
        raise ChangeRefused("seen", "This change was edited while you were working. Check it again")


def checked_comment(comment: str, missing: str = "") -> str:
    """The comment without its edges; `missing` is what to say if there is none, where there must be one."""
    comment = comment.strip()
    if missing and not comment:
        raise ChangeRefused("comment", missing)
    if len(comment) > LONGEST_COMMENT:
        raise ChangeRefused("comment", "Comment must be 1,000 characters or less")
    return comment


def take(
    found: Dossier,
    kind: Step,
    *,
    by: User | None,
    at: datetime.datetime,
    content: ChangeContent | None = None,
    comment: str = "",
    cause: Cause | None = None,
    figures: Figures | None = None,
) -> ChangeStep:
    """Appends the step if it can be taken, with the fingerprint of what it was taken about."""
    if found.steps:
        check_state(found, kind, at)
    return append(
        found,
        kind,
        by=by,
        at=at,
        content=content,
        comment=comment,
        cause=cause or "",
        figures=figures.as_json if figures else None,
    )


def append(
    found: Dossier,
    kind: Step,
    *,
    by: User | None,
    at: datetime.datetime,
    content: ChangeContent | None = None,
    **fields: Any,
) -> ChangeStep:
    """Appends the step, whatever the state."""
    step = ChangeStep(
        change=found.change,
        number=len(found.steps) + 1,
        kind=kind,
        content=content or found.content,
        made_at=at,
        made_by=by,
        **fields,
    )
    found.steps.append(step)
    step.content_hash = found.fingerprint
    step.save()
    return step


def tell(found: Dossier, users: Iterable[int], text: str, at: datetime.datetime) -> None:
    """One notice each, on the home page of those named."""
    Notice.objects.bulk_create(
        Notice(to_id=user, change=found.change, text=text, made_at=at) for user in sorted(set(users))
    )


def name_of(found: Dossier) -> str:
    """How notices name a change: what it asks, and the motion."""
    content = found.content
    return f"“{content.get_position_display()}” ({content.motion.title})"

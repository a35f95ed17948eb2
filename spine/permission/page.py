"""What the pages about the Spine's permission show: both sides, what may be done, and what was done."""

import datetime
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from carerecords.formats import nhs_datetime
from carerecords.models import Patient, Practice
from spine.models import PermissionCall, PermissionMismatch, StoreCopy
from spine.permission.differences import Difference, Ending, Offer, SpinePermission, offer
from spine.permission.mismatches import sides_of
from spine.sending.answers import AnswerKind
from spine.uploads.timeline import Line

PAGE = 50
# Older lines are of no use in deciding anything now.
SHOWN = 30


@dataclass(frozen=True)
class PermissionStanding:
    """One patient: what the Spine says in words, what differs, what may be set, and the history."""

    spine_says: str
    mismatch: PermissionMismatch | None
    offer: Offer
    history: list[Line]


def permission_standing(patient: Patient) -> PermissionStanding:
    """Four queries, of which none grows with the tables."""
    mismatches = list(
        PermissionMismatch.objects.filter(patient=patient)
        .select_related("settled_by")
        .order_by("-pk")[:SHOWN]
    )
    calls = PermissionCall.objects.filter(patient=patient).select_related("made_by", "answer")
    lines = [*_mismatch_lines(mismatches), *map(_call, calls.order_by("-pk")[:SHOWN])]
    return PermissionStanding(
        spine_words(StoreCopy.objects.filter(patient=patient).first()),
        next((one for one in mismatches if one.ended_at is None), None),
        offer(sides_of([patient.pk])[patient.pk]),
        sorted(lines, key=lambda line: line.at, reverse=True),
    )


def spine_words(copy: StoreCopy | None) -> str:
    """The permission as it was last read or set, and when."""
    if copy is None or copy.read_at is None:
        return "Not asked yet"
    when = nhs_datetime(copy.read_at)
    if not copy.permission and _is_of_the_copy(copy):
        return f"Not asked since the {'removal' if copy.is_blank else 'upload'} on {when}"
    if not copy.permission:
        return f"The Spine tells none: it holds no record (asked on {when})"
    return f"{SpinePermission(copy.permission).label} (as of {when})"


def _is_of_the_copy(copy: StoreCopy) -> bool:
    """Whether the last answer was the one that took our message: the question was before it, about what it replaced."""
    return copy.accepted_at is not None and copy.accepted_at == copy.read_at


def _mismatch_lines(mismatches: Sequence[PermissionMismatch]) -> Iterator[Line]:
    for one in mismatches:
        yield Line(one.found_at, "Found to differ", "", [f"{Difference(one.kind).label}."])
        if one.ended_at:
            who = one.settled_by.short_name if one.settled_by else ""
            yield Line(one.ended_at, "Differs no more", who, [f"{Ending(one.ending).label}."])


def _call(call: PermissionCall) -> Line:
    title = (
        "The Spine was asked" if call.act == PermissionCall.Act.READ else f"Set to {call.code} at the Spine"
    )
    return Line(call.made_at, title, call.made_by.short_name, [_came_of(call)])


def _came_of(call: PermissionCall) -> str:
    answer = getattr(call, "answer", None)
    if answer is None or answer.kind == AnswerKind.UNKNOWN:
        return "The answer was lost, so whether it was done is not known."
    if answer.permission:
        return f"It says {answer.permission}."
    if answer.kind == AnswerKind.ACCEPTED:
        return "It holds no record, and so tells no permission."
    return "The Spine did not take it."


def open_mismatches(practice: Practice) -> QuerySet[PermissionMismatch]:
    """What differs now for patients of the practice."""
    return PermissionMismatch.objects.filter(patient__practice=practice, ended_at=None)


@dataclass(frozen=True)
class MismatchPage:
    """One page of differences, newest first. `before` is the address of the next older page."""

    rows: Sequence[PermissionMismatch]
    open_total: int
    before: uuid.UUID | None


def mismatch_page(practice: Practice, *, ended: bool, before: uuid.UUID | None) -> MismatchPage:
    """Two queries: how many are open, and a page of the open or of the ended ones by keyset."""
    of_practice = PermissionMismatch.objects.filter(patient__practice=practice)
    rows = of_practice.filter(ended_at__isnull=not ended)
    if before is not None:
        rows = rows.filter(pk__lt=of_practice.filter(public_id=before).values("pk"))
    page = list(
        rows.select_related("patient__store_copy", "patient__practice", "settled_by").order_by("-pk")[
            : PAGE + 1
        ]
    )
    more = len(page) > PAGE
    return MismatchPage(
        page[:PAGE], open_mismatches(practice).count(), page[PAGE - 1].public_id if more else None
    )


def age_words(found_at: datetime.datetime, at: datetime.datetime) -> str:
    """How long it has differed, in days."""
    days = (at - found_at).days
    return "Today" if days < 1 else f"{days} day{'s' if days > 1 else ''}"

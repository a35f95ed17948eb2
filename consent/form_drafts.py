"""Answers typed into a decision form and not yet saved: kept on the server for 20 hours.

A surgery's log-out comes after 15 idle minutes, and nobody should type a note twice (WCAG 2.2.1 and
2.2.6; the service manual asks for 20 hours). A draft is its user's own, is never a decision, and goes
with the decision that it became.
"""

import datetime
import uuid
from collections.abc import Mapping

from carerecords.date_parts import DATE_PARTS
from carerecords.models import Patient, User
from consent.models import ConsentEvent, FormDraft

KEPT_FOR = datetime.timedelta(hours=20)
# Longer than any answer may be, so that what is too long is kept as well, but not a book.
LONGEST = 5_000
_TYPED = (
    "preference",
    "source",
    *(f"decided_on_{part}" for part in DATE_PARTS),
    "reference",
    "note",
    "who_decided",
    "representative_name",
    "representative_authority",
)
_CARRIED = ("seen", "form_key")


def keep(*, user: User, patient: Patient, posted: Mapping[str, str], at: datetime.datetime) -> bool:
    """Replaces the draft of this user for this patient; False where nothing was typed.

    A form that was saved meanwhile is not kept: it may arrive after the decision it became.
    """
    values = {name: str(posted[name])[:LONGEST] for name in _TYPED if posted.get(name)}
    # Which decision the page showed belongs to the answers, also where it showed none.
    values |= {name: str(posted[name])[:36] for name in _CARRIED if name in posted}
    if not any(name in values for name in _TYPED) or _was_saved(values.get("form_key")):
        return False
    FormDraft.objects.update_or_create(
        user=user, about=patient.public_id, defaults={"values": values, "saved_at": at}
    )
    return True


def read(*, user: User, patient: Patient, at: datetime.datetime) -> FormDraft | None:
    """The draft, unless it is too old."""
    found = FormDraft.objects.filter(user=user, about=patient.public_id, saved_at__gt=at - KEPT_FOR)
    return found.first()


def initial_of(draft: FormDraft) -> dict[str, object]:
    """The draft as the form's initial values."""
    values: dict[str, object] = {
        name: draft.values[name] for name in (*_TYPED, *_CARRIED) if name in draft.values
    }
    values["decided_on"] = [str(values.pop(f"decided_on_{part}", "")) for part in DATE_PARTS]
    return values


def drop(*, user: User, patient: Patient) -> None:
    """Forgets the draft: it was saved, or its user no longer wants it."""
    FormDraft.objects.filter(user=user, about=patient.public_id).delete()


def drop_old(*, at: datetime.datetime) -> int:
    """Deletes drafts past their time; returns how many."""
    return FormDraft.objects.filter(saved_at__lte=at - KEPT_FOR).delete()[0]


def _was_saved(form_key: str | None) -> bool:
    try:
        key = uuid.UUID(form_key or "")
    except ValueError:
        return False
    return ConsentEvent.objects.filter(form_key=key).exists()

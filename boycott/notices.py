"""What people have to know of what became of their changes, on their home page until they have read it."""

import datetime
import uuid

from django.db.models import QuerySet

from boycott.models import Notice, NoticeRead
from carerecords.models import User


def unread(user: User) -> QuerySet[Notice]:
    """What this person has not read yet, the newest first."""
    found = Notice.objects.filter(to=user, read__isnull=True).select_related("change")
    return found.order_by("-pk")


def note_read(*, notice: uuid.UUID, by: User, at: datetime.datetime) -> bool:
    """Takes a notice off the home page; again changes nothing. False for one that is not theirs."""
    found = Notice.objects.filter(public_id=notice, to=by).first()
    if found is None:
        return False
    NoticeRead.objects.get_or_create(notice=found, defaults={"made_at": at})
    return True

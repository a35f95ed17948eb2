"""What the trials of a change of policy share: to write it again, to look at it, to be refused."""

import datetime

import pytest
from django.utils import timezone

from boycott.actions import ChangeRefused
from boycott.dossier import dossier
from boycott.drafting import edit_change
from boycott.models import (
    ChangeContent,
    ChangeStep,
    Notice,
    PolicyChange,
    PositionRevision,
)
from boycott.positions import Position
from tests.policy_factories import (
    content_of,
)

HOUR, DAY = datetime.timedelta(hours=1), datetime.timedelta(days=1)


def later(days=3):
    return timezone.now() + datetime.timedelta(days=days)


def kinds(found):
    return [step.kind for step in dossier(found.change).steps]


def state(found, at=None):
    return dossier(found.change).state(at or timezone.now())


def told(user):
    return [notice.text for notice in Notice.objects.filter(to=user).order_by("pk")]


def edit(found, by, **fields):
    """Written again, on the same motion, with these fields other than before."""
    found = dossier(found.change)
    old = found.content
    fields = {"position": Position(old.position), "starts_at": old.starts_at, "text": old.text} | fields
    return edit_change(
        change=found.change,
        content=content_of(old.motion, **fields),
        seen=found.fingerprint,
        by=by,
        at=timezone.now(),
    )


def refused(field, call, *args, **fields):
    """That the verb is refused for that field, and that nothing was written."""
    before = written()
    with pytest.raises(ChangeRefused) as refusal:
        call(*args, **fields)
    assert refusal.value.field == field
    assert written() == before
    return str(refusal.value)


def written():
    tables = (PolicyChange, ChangeContent, ChangeStep, PositionRevision, Notice)
    return [model.objects.count() for model in tables]

"""Runs of sending as tests make them."""

from django.utils import timezone

from carerecords.models import Practice
from carerecords.permissions import Role
from spine.runs import actions, feeding
from spine.runs.codes import RunGroup, RunKind
from spine.runs.hours import SendingHours
from tests.factories import make_user


def make_run(practice, kind=RunKind.INITIAL, *, by=None, group=RunGroup.ALL, hours=None, older=None):
    """A run of a practice that is not started, made by its manager."""
    return actions.make(
        practice=practice,
        practices=Practice.objects.filter(pk=practice.pk),
        kind=kind,
        group=group,
        older_than_days=older,
        hours=hours or SendingHours(),
        by=by or make_user(Role.PRACTICE_MANAGER, practice),
        at=timezone.now(),
    )


def started(practice, kind=RunKind.INITIAL, **more):
    """A run under way, fed as far as there is room."""
    run = make_run(practice, kind, **more)
    actions.start(run, by=run.made_by, at=timezone.now())
    return fed(run)


def fed(run, clock=timezone.now):
    feeding.feed(run.public_id, clock)
    run.refresh_from_db()
    return run

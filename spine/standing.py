"""Reads how uploads stand for one practice or the nation, for the strip on every page."""

import datetime
from dataclasses import replace

from django.db.models import Q
from django.utils import timezone

from boycott.queries import place_of, stance_of, standing_revisions
from boycott.rules import everywhere, positions_for, to_come
from carerecords.models import Patient, PatientQuerySet, Practice
from consent.codes import PERMITTING
from spine.models import StopRevision
from spine.policy_strip import Here, Stopped, stops_uploads

CONSENTING = tuple(preference.value for preference in PERMITTING)


def how_it_stands(practice: Practice | None, at: datetime.datetime, policy_url: str) -> Here:
    """What the strip looks at. Four queries at most, all along an index."""
    revisions = standing_revisions()
    later = to_come(revisions, at)
    if practice is None:
        in_force, covering = everywhere(revisions, at), [one for one in later if one.is_everywhere]
    else:
        place = place_of(practice)
        in_force = positions_for(place, revisions, at)
        covering = [one for one in later if one.covers(place)]
    here = Here(
        at=at,
        policy_url=policy_url,
        in_force=tuple(in_force),
        to_come=tuple(covering),
        stance=stance_of(practice)[0] if practice else None,
        goes_live_on=practice.goes_live_on if practice else None,
        stop=_stopped(),
    )
    if practice and stops_uploads(here):
        return replace(here, patients=consenting(practice, at).count())
    return here


def consenting(practice: Practice, at: datetime.datetime) -> PatientQuerySet:
    """Living, registered patients of a practice whose own express decision asks for an upload."""
    today = timezone.localdate(at)
    return Patient.objects.of(practice).filter(
        Q(left_on__isnull=True) | Q(left_on__gt=today),
        Q(died_on__isnull=True) | Q(died_on__gt=today),
        consent_state__in=CONSENTING,
    )


def latest_stop() -> StopRevision | None:
    """The stop or resumption that stands."""
    return StopRevision.objects.select_related("made_by").order_by("-pk").first()


def _stopped() -> Stopped | None:
    latest = latest_stop()
    if latest is None or not latest.stopped:
        return None
    return Stopped(
        latest.made_at, latest.made_by.short_name if latest.made_by else "the system", latest.reason
    )

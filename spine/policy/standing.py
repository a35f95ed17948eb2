"""Reads how uploads stand for one practice or the nation, for the strip on every page.

Every change of position, stance or stop moves the fact clock in its own transaction (`carerecords.fence`).
So what a process once read is kept with the clock's number, and a page asks for that number alone
(docs/adr/0096-kept-under-the-fact-clock.md). Only what is shown rests on this: the gate reads afresh.
"""

import datetime
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from django.db import connection
from django.db.models import Q
from django.utils import timezone

from boycott import rules
from boycott.positions import DataScope, Position, Stance
from boycott.queries import place_of, stance_of, standing_revisions
from boycott.rules import Revision, everywhere, positions_for, stops_at, to_come
from carerecords.models import Patient, PatientQuerySet, Practice
from carerecords.models.fact_clock import NATIONAL
from consent.codes import PERMITTING
from spine.policy.stopping import latest_stop
from spine.policy.strip import Here, Stopped, stops_uploads

CONSENTING = tuple(preference.value for preference in PERMITTING)


def how_it_stands(practice: Practice | None, at: datetime.datetime, policy_url: str) -> Here:
    """What the strip looks at. One query; one more where a stop's patients are counted, and a few where
    a fact has changed since this process looked last."""
    nation, local = _clock(practice)
    revisions, stopped = _revisions(max(nation, local)), _stopped(nation)
    later, place = to_come(revisions, at), place_of(practice) if practice else None
    if place is None:
        in_force, covering = everywhere(revisions, at), [one for one in later if one.is_everywhere]
    else:
        in_force = positions_for(place, revisions, at)
        covering = [one for one in later if one.binds(place, one.effective_from)]
    boycotts = [one for one in in_force if one.position is Position.NON_COOPERATION]
    ends = [end for one in boycotts if (end := stops_at(one, revisions, place))]
    here = Here(
        at=at,
        policy_url=policy_url,
        in_force=tuple(in_force),
        to_come=tuple(covering),
        stance=_stance(practice.pk, local) if practice else None,
        goes_live_on=practice.goes_live_on if practice else None,
        stop=stopped,
        ends_at=max(ends) if ends and len(ends) == len(boycotts) else None,
        in_parts_since=None if place else _in_parts_since(revisions, at),
    )
    if practice and stops_uploads(here):
        return replace(here, patients=consenting(practice, at).count())
    return here


def _in_parts_since(revisions: Sequence[Revision], at: datetime.datetime) -> datetime.datetime | None:
    """Since when some practices are asked not to upload at all, where not all of England is."""
    return min(
        (
            one.effective_from
            for one in rules.in_force(revisions, at)
            if one.position is Position.NON_COOPERATION
            and one.data_scope is DataScope.ALL
            and not one.is_everywhere
        ),
        default=None,
    )


def consenting(practice: Practice, at: datetime.datetime) -> PatientQuerySet:
    """Living, registered patients of a practice whose own express decision asks for an upload."""
    today = timezone.localdate(at)
    return Patient.objects.of(practice).filter(
        Q(left_on__isnull=True) | Q(left_on__gt=today),
        Q(died_on__isnull=True) | Q(died_on__gt=today),
        consent_state__in=CONSENTING,
    )


def _clock(practice: Practice | None) -> tuple[int, int]:
    """The numbers of the last change for the nation and for a practice; 0 where nothing changed yet."""
    scopes = [NATIONAL, practice.pk if practice else NATIONAL]
    with connection.cursor() as cursor:
        cursor.execute("SELECT scope, number FROM carerecords_factclock WHERE scope = ANY(%s)", [scopes])
        numbers: dict[int, int] = dict(cursor.fetchall())
    nation, local = (numbers.get(scope, 0) for scope in scopes)
    return nation, local


@lru_cache(maxsize=1024)
def _revisions(_number: int) -> tuple[Revision, ...]:
    """As of a number of the clock; a practice's own may be later than the nation's by a dispensation."""
    return tuple(standing_revisions())


@lru_cache(maxsize=1024)
def _stance(practice_id: int, _number: int) -> Stance:
    return stance_of(Practice(pk=practice_id))[0]


@lru_cache(maxsize=2)
def _stopped(_number: int) -> Stopped | None:
    latest = latest_stop()
    if latest is None or not latest.stopped:
        return None
    return Stopped(
        latest.made_at, latest.made_by.short_name if latest.made_by else "the system", latest.reason
    )

"""Refusals of a practice as they were recorded: by month, and in bursts.

Cost: one pass over the practice's refusals by the index on practice and time of recording; a practice of
12,000 patients has a few hundred of them.
"""

import datetime
import uuid
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Count, Min, Q, QuerySet
from django.utils import timezone

from boycott.positions import DataScope, Position
from boycott.queries import history
from carerecords.models import Patient, Practice
from carerecords.models.patient import PatientQuerySet
from consent.codes import ConsentState, EventKind, Preference
from consent.models import ConsentEvent
from reports.models import Conversion
from reports.refusal_signals import FEWEST, GAP, NEAR_POLICY, Burst

_BURSTS = """
WITH refusals AS (
    SELECT event.id, event.public_id, event.recorded_at, event.recorded_by_id, event.run_id, event.source, event.reference,
        patient.consent_event_id = event.id AS stands,
        patient.family_name >= lag(patient.family_name) OVER recorded AS in_order,
        coalesce(event.recorded_at - lag(event.recorded_at) OVER recorded > %(gap)s, true) AS begins
    FROM consent_consentevent AS event JOIN carerecords_patient AS patient ON patient.id = event.patient_id
    WHERE event.practice_id = %(practice)s AND event.kind = %(decision)s AND event.preference = %(refused)s
    WINDOW recorded AS (ORDER BY event.recorded_at, event.id)
), numbered AS (
    SELECT *, count(*) FILTER (WHERE begins) OVER (ORDER BY recorded_at, id) AS burst FROM refusals
)
SELECT (array_agg(public_id ORDER BY id))[1], min(id), max(id), min(recorded_at), max(recorded_at), count(*), count(*) FILTER (WHERE stands),
    count(DISTINCT recorded_by_id), count(DISTINCT (source, reference)),
    coalesce(avg(in_order::int) FILTER (WHERE NOT begins), 0)::float, count(run_id) = count(*)
FROM numbered GROUP BY burst HAVING count(*) >= %(fewest)s ORDER BY min(recorded_at) DESC
"""

_BY_MONTH = """
SELECT date_trunc('month', recorded_at AT TIME ZONE 'Europe/London')::date AS month, count(*)
FROM consent_consentevent
WHERE practice_id = %(practice)s AND kind = %(decision)s AND preference = %(refused)s AND recorded_at >= %(since)s
GROUP BY month ORDER BY month
"""


@dataclass(frozen=True)
class Month:
    """Refusals recorded in one month."""

    first_day: datetime.date
    refusals: int


def bursts_of(practice: Practice, at: datetime.datetime) -> list[Burst]:
    """The practice's bursts of refusals, newest first. Four queries."""
    with connection.cursor() as cursor:
        cursor.execute(_BURSTS, _params(practice) | {"gap": GAP, "fewest": FEWEST})
        rows = cursor.fetchall()
    if not rows:
        return []
    told = ConsentEvent.objects.filter(_refusals(practice)).aggregate(n=Count("pk"), first=Min("recorded_at"))
    months = max((at - told["first"]).days / 30.4, 1)
    patients, starts = practice.patients.here().count(), _policy_starts()
    return [
        Burst(
            *(*row, (told["n"] - row[5]) / months, patients, _near(row[3], starts)),
        )
        for row in rows
    ]


def burst_of(practice: Practice, public_id: uuid.UUID, at: datetime.datetime) -> Burst | None:
    """The burst that begins with the refusal of this id."""
    return next((burst for burst in bursts_of(practice, at) if burst.public_id == public_id), None)


def months_of(practice: Practice, at: datetime.datetime, *, months: int = 24) -> list[Month]:
    """Refusals a month up to now, empty months included, oldest first."""
    days = _last_months(timezone.localdate(at), months)
    with connection.cursor() as cursor:
        cursor.execute(_BY_MONTH, _params(practice) | {"since": days[0]})
        found = dict(cursor.fetchall())
    return [Month(day, found.get(day, 0)) for day in days]


def events_of(practice: Practice, burst: Burst) -> QuerySet[ConsentEvent]:
    """The burst's refusals, in the order of recording."""
    return ConsentEvent.objects.filter(
        _refusals(practice),
        pk__range=(burst.first_event, burst.last_event),
        recorded_at__range=(burst.began_at, burst.ended_at),
    ).order_by("pk")


def still_refusing(practice: Practice, burst: Burst) -> PatientQuerySet:
    """The patients whose present state rests on a refusal of the burst."""
    return (
        Patient.objects.of(practice)
        .filter(
            consent_state=ConsentState.EXPRESS_DISSENT,
            consent_event_id__in=events_of(practice, burst).values("pk"),
        )
        .order_by("family_name", "given_name", "pk")
    )


def resting_on_silence(practice: Practice) -> int:
    """Patients whose silence was recorded as implied consent, and stands."""
    return practice.patients.here().filter(consent_state=ConsentState.IMPLIED_CORE).count()


def _refusals(practice: Practice) -> Q:
    return Q(practice=practice, kind=EventKind.DECISION, preference=Preference.EXPRESS_DISSENT)


def _params(practice: Practice) -> dict[str, Any]:
    return {
        "practice": practice.pk,
        "decision": EventKind.DECISION.value,
        "refused": Preference.EXPRESS_DISSENT.value,
    }


def _policy_starts() -> list[datetime.date]:
    """The days from which a position against uploads applied."""
    return [
        timezone.localdate(one.effective_from)
        for one in history()
        if one.position == Position.NON_COOPERATION and one.data_scope == DataScope.ALL
    ]


def _near(moment: datetime.datetime, starts: list[datetime.date]) -> datetime.date | None:
    day = timezone.localdate(moment)
    return min((one for one in starts if abs(one - day) <= NEAR_POLICY), default=None)


def _last_months(today: datetime.date, months: int) -> list[datetime.date]:
    number = today.year * 12 + today.month - 1
    return [datetime.date(each // 12, each % 12 + 1, 1) for each in range(number - months + 1, number + 1)]


def conversions_of(practice: Practice) -> QuerySet[Conversion]:
    """What was turned into a stance here, newest first."""
    found = Conversion.objects.filter(practice=practice)
    return found.select_related("run", "stance", "made_by").order_by("-pk")

"""What goes on after the demo was loaded: records change once their summaries were sent.

Else no copy at the store would ever be out of date. The change is one of today, and an upload is asked for: every
other one at once, as after a consultation, and the rest for the evening, when practices' systems send what changed
over the day. Until then, or while it is held, the copy is out of date.
"""

import datetime
import random
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from carerecords import doorbell
from carerecords.models import Cause, JobKind, JobState, Patient, SummaryItem, UploadJob
from carerecords.models.upload_job import BUSY_STATES, OPEN_STATES
from consent import rules
from consent.codes import ConsentState
from demo.clinical import gained
from demo.load import SEED

# One patient in so many, whoever is sent first: so 4% of copies wait for the evening.
ONE_IN = 12
# At a time, once a minute: changes go on for an hour or so, and so into a boycott that somebody starts.
MOST = 8
EVENING = datetime.time(20)


@transaction.atomic
def change_records(at: datetime.datetime) -> int:
    """The records of some patients of the demo gain an allergy or repeat medicine after their copy was sent.

    Each once. Returns how many did now. One query where there is nobody.
    """
    chosen = _chosen()
    # Who refused since has a removal on its way, or had.
    patients = [one for one in chosen if rules.permits_upload(ConsentState(one.consent_state))]
    if not patients:
        return 0
    known, evening = _terms(patients), _evening(at)
    SummaryItem.objects.bulk_create(_gained(one, known[one.pk], timezone.localdate(at)) for one in patients)
    UploadJob.objects.bulk_create(
        UploadJob(
            patient=one,
            practice_id=one.practice_id,
            kind=JobKind.UPLOAD,
            cause=Cause.UPDATE,
            requested_at=at,
            due_at=evening if one.pk // ONE_IN % 2 else at,
        )
        for one in patients
    )
    doorbell.ring_after_commit()
    return len(patients)


def _chosen() -> Iterable[Patient]:
    """The next whose summary the store holds and for whom nothing is open, locked as for any change."""
    jobs = UploadJob.objects.filter(patient=OuterRef("pk"))
    sent = jobs.filter(cause=Cause.DEMO, state=JobState.ACCEPTED)
    changed = jobs.filter(Q(cause=Cause.UPDATE) | Q(state__in=[*OPEN_STATES, *BUSY_STATES]))
    return (
        Patient.objects.here()
        .alias(turn=F("pk") % ONE_IN)
        .filter(Exists(sent), ~Exists(changed), turn=0)
        .filter(store_copy__is_blank=False, store_copy__accepted_at__isnull=False)
        .order_by("pk")
        .lock()[:MOST]
    )


def _evening(at: datetime.datetime) -> datetime.datetime:
    """The next evening."""
    local = timezone.localtime(at)
    today = timezone.make_aware(datetime.datetime.combine(local.date(), EVENING))
    return today if at < today else today + datetime.timedelta(days=1)


def _terms(patients: Sequence[Patient]) -> dict[int, set[str]]:
    terms: dict[int, set[str]] = {one.pk: set() for one in patients}
    for patient_id, term in SummaryItem.objects.filter(patient__in=patients).values_list(
        "patient_id", "term"
    ):
        terms[patient_id].add(term)
    return terms


def _gained(patient: Patient, known: set[str], today: datetime.date) -> SummaryItem:
    item = gained(random.Random(f"{SEED} later {patient.public_id}"), today, known)
    return SummaryItem(patient=patient, **vars(item))

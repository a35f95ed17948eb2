"""What goes on after the demo was loaded: records change once their summaries were sent.

Else no copy at the store would ever be out of date. The change is one of today, and an upload is asked for as
for any change: so the copy is out of date for as long as that waits its turn, or is held.
"""

import datetime
import random
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from carerecords import upload_queue
from carerecords.models import Cause, JobState, Patient, SummaryItem, UploadJob
from consent import rules
from consent.codes import ConsentState
from demo.clinical import gained
from demo.load import SEED

# One patient in so many, whoever is sent first.
ONE_IN = 25
# At a time: the patients are locked meanwhile.
MOST = 100


@transaction.atomic
def change_records(at: datetime.datetime) -> int:
    """The records of one in 25 patients of the demo gain an allergy or repeat medicine after their copy was sent.

    Each once. Returns how many did now. Two queries a call that finds nobody.
    """
    jobs = UploadJob.objects.filter(patient=OuterRef("pk"))
    sent = jobs.filter(cause=Cause.DEMO, state=JobState.ACCEPTED)
    chosen = (
        Patient.objects.here()
        .alias(turn=F("pk") % ONE_IN)
        .filter(Exists(sent), ~Exists(jobs.filter(cause=Cause.UPDATE)), turn=0)
        .filter(store_copy__is_blank=False, store_copy__accepted_at__isnull=False)
        .order_by("pk")
        .lock()[:MOST]
    )
    # Who refused since has a removal on its way, which an upload would take the place of.
    patients = [one for one in chosen if rules.permits_upload(ConsentState(one.consent_state))]
    known = _terms(patients)
    SummaryItem.objects.bulk_create(_gained(one, known[one.pk], timezone.localdate(at)) for one in patients)
    upload_queue.request_uploads(
        [one.pk for one in patients], cause=Cause.UPDATE, by=None, at=at, not_before=at
    )
    return len(patients)


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

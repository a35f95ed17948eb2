"""Uploads as an ordinary Django and Celery application does them: one task a patient, objects and `.save()`.

It asks the same rule of the same tables and sends the same message, but a job at a time, and without fence, intent
or evidence. Its tasks run where they are called, so its broker costs nothing: that flatters it.
"""

import datetime
import http.client

from celery import shared_task

HEADERS = {"Content-Type": "application/fhir+json;version=1", "Accept": "application/fhir+json"}


class Caller:
    """The store by the standard library: over one connection, or over a new one for each request."""

    def __init__(self, netloc: str, *, kept_alive: bool) -> None:
        self._netloc, self._kept_alive = netloc, kept_alive
        self._connection = http.client.HTTPConnection(netloc)

    def call(self, method: str, path: str, body: bytes | None = None) -> int:
        if not self._kept_alive:
            self._connection.close()
            self._connection = http.client.HTTPConnection(self._netloc)
        self._connection.request(method, path, body, HEADERS)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status


store: Caller | None = None


@shared_task
def upload(job_id: int) -> None:
    """One upload from the question whether it may go to its receipt."""
    from django.utils import timezone

    from carerecords.models import JobState, UploadJob
    from spine.claims import Claimed
    from spine.contents import load_outgoing
    from spine.facts import load_one
    from spine.gate import Kind, decide
    from spine.models import Receipt

    assert store is not None
    job = UploadJob.objects.select_related("patient__practice").get(pk=job_id)
    at = timezone.now()
    loaded = load_one(job.patient, at)
    decision = decide(loaded.facts)
    job.state = JobState.SENDING
    job.due_at = None
    job.lease_until = at + datetime.timedelta(minutes=1)
    job.save()
    claimed = Claimed(
        job_id=job.pk,
        attempt=1,
        patient_id=job.patient_id,
        practice_id=job.practice_id,
        kind=Kind.UPLOAD,
        failures=0,
        reasons=(),
        requested_at=job.requested_at,
        public_id=str(job.public_id),
    )
    [message], _ = load_outgoing([(claimed, decision, loaded)], at=at)
    store.call("GET", f"/DocumentReference?patient={message.nhs_number}")
    if store.call("POST", "/Bundle", message.build(None)) != 201:
        raise AssertionError("The store did not accept a message")
    Receipt.objects.create(
        job=job, attempt=1, at=timezone.now(), kind="ACCEPTED", composition_id=message.composition_id
    )
    job.state = JobState.ACCEPTED
    job.lease_until = None
    job.finished_at = timezone.now()
    job.save()

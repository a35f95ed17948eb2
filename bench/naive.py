"""Uploads as an ordinary Django and Celery application does them: one task a patient, objects, `.save()`.

It applies the same rule to the same tables and sends the same message, but a job at a time, and without fence,
intent, lease or decision. Celery and its worker have their default settings.
"""

import datetime
import http.client
import os
import urllib.parse
import urllib.request
from typing import TYPE_CHECKING, Any

from celery import Celery

if TYPE_CHECKING:
    from carerecords.models import Patient
    from spine.gate import Facts, Scope
    from spine.messages import Summary

HEADERS = {"Content-Type": "application/fhir+json;version=1", "Accept": "application/fhir+json"}

app = Celery("naive", broker=os.environ.get("CELERY_BROKER_URL", "memory://"), set_as_current=False)
_kept: list[http.client.HTTPSConnection] = []


def call(kept_alive: bool, method: str, path: str, body: bytes | None = None) -> int:
    """The store's status: over one connection, or over a new one, as `requests.post` and its like do."""
    address = os.environ["SPINE_BASE_URL"]
    if not kept_alive:
        request = urllib.request.Request(address + path, body, HEADERS, method=method)
        with urllib.request.urlopen(request) as answer:
            answer.read()
            return int(answer.status)
    if not _kept:
        _kept.append(http.client.HTTPSConnection(urllib.parse.urlsplit(address).netloc))
    _kept[0].request(method, path, body, HEADERS)
    answer = _kept[0].getresponse()
    answer.read()
    return int(answer.status)


@app.task(name="naive.upload", ignore_result=True)
def upload(job_id: int, kept_alive: bool) -> None:
    """One upload, from the question whether it may go to its receipt."""
    from django.utils import timezone

    from carerecords.models import JobState, UploadJob
    from spine.gate import Outcome, decide
    from spine.messages import build_bundle, content_hash, named_id
    from spine.models import Receipt, StoreCopy

    job = UploadJob.objects.select_related("patient__practice", "patient__usual_gp").get(pk=job_id)
    patient, at = job.patient, timezone.localtime()
    decision = decide(_facts(patient, at))
    if decision.outcome is not Outcome.SEND or decision.scope is None:
        raise AssertionError("The benchmark's uploads may all go")
    job.state = JobState.SENDING
    job.due_at = None
    job.lease_until = at + datetime.timedelta(minutes=1)
    job.save()
    summary = _summary(patient, decision.scope, at)
    said = content_hash(summary, on=at.date())
    key = named_id(job.public_id, said)
    call(kept_alive, "GET", f"/DocumentReference?patient={patient.nhs_number}")
    message = build_bundle(
        summary, message_id=named_id(job.public_id, key), composition_id=key, replaces=None, at=at
    )
    if call(kept_alive, "POST", "/Bundle", message) != 201:
        raise AssertionError("The store did not accept a message")
    now = timezone.now()
    Receipt.objects.create(job=job, attempt=1, at=now, kind="ACCEPTED", http_status=201, composition_id=key)
    StoreCopy.objects.update_or_create(
        patient=patient,
        defaults={
            "composition_id": key,
            "content_hash": said,
            "scope": decision.scope,
            "accepted_at": now,
            "read_at": now,
        },
    )
    job.state = JobState.ACCEPTED
    job.lease_until = None
    job.finished_at = now
    job.save()


def _facts(patient: "Patient", at: datetime.datetime) -> "Facts":
    from boycott.positions import GpStance
    from boycott.queries import gp_stance_of, place_of, stance_of, standing_revisions
    from boycott.rules import positions_for
    from carerecords.models import Patient
    from consent.codes import ConsentModel, ConsentState
    from consent.models import ConsentModelRevision
    from spine.gate import Facts, Kind, Letter, StorePermission
    from spine.models import StopRevision, StoreCopy

    today, live_on = at.date(), patient.practice.goes_live_on
    model = ConsentModelRevision.objects.filter(effective_from__lte=today).order_by("-effective_from").first()
    stop = StopRevision.objects.order_by("-pk").first()
    copy = StoreCopy.objects.filter(patient=patient).first()
    gp = patient.usual_gp
    in_force = positions_for(place_of(patient.practice), standing_revisions(), at)
    return Facts(
        kind=Kind.UPLOAD,
        consent=ConsentState(patient.consent_state),
        consent_model=ConsentModel(model.model) if model else ConsentModel.EXPLICIT,
        letter=Letter.WINDOW_PASSED if patient.letter_sent_on else Letter.NOT_SENT,
        undo_window_open=False,
        positions=frozenset((one.position, one.data_scope) for one in in_force),
        stance=stance_of(patient.practice)[0],
        gp_holds=bool(gp and gp_stance_of(gp)[0] is GpStance.HOLD),
        rollout_open=bool(live_on and live_on <= today),
        identity_verified=patient.identity == Patient.Identity.VERIFIED,
        sensitive=patient.is_sensitive,
        left=bool(patient.left_on and patient.left_on <= today),
        died=bool(patient.died_on and patient.died_on <= today),
        stopped=bool(stop and stop.stopped),
        store_permission=StorePermission.REFUSED
        if copy and copy.permission == "No"
        else StorePermission.ALLOWED,
        consent_is_current=patient.consent_changes_on is None or patient.consent_changes_on > today,
        complete=True,
    )


def _summary(patient: "Patient", scope: "Scope", at: datetime.datetime) -> "Summary":
    from carerecords.summary_codes import EntryKind
    from spine.messages import Author, Entry, PatientDetails, PracticeDetails, Summary

    gp, practice = patient.usual_gp, patient.practice
    assert gp is not None
    return Summary(
        patient=_fields(PatientDetails, patient),
        practice=_fields(PracticeDetails, practice),
        author=Author(gp.sds_user_id, gp.sds_role_profile_id, gp.family_name, gp.given_name, title=gp.title),
        entries=tuple(
            Entry(
                EntryKind(item.kind),
                item.code,
                item.term,
                item.recorded_on,
                item.detail,
                item.ended_on,
                item.is_sensitive,
            )
            for item in patient.summary_items.order_by("pk")
        ),
        scope=scope,
        recently_registered=patient.registered_on > at.date() - datetime.timedelta(days=60),
    )


def _fields(kind: Any, row: Any) -> Any:
    return kind(**{name: getattr(row, name) for name in kind.__dataclass_fields__})

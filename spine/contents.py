"""Loads what goes into the messages of a batch, from the record as it is now.

A query for each of these a batch, whatever its size: patients with their practice and GP, their
items, what is known of the store's copies and of earlier attempts, GPs who stand in.
"""

import datetime
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

import structlog
from django.db.models import Q
from django.utils import timezone

from carerecords.models import Patient, RoleAssignment, SummaryItem, User
from carerecords.permissions import Role
from carerecords.summary_codes import EntryKind
from spine.claims import Claimed
from spine.facts import Loaded
from spine.gate import Decision, Kind, Scope
from spine.messages import (
    Author,
    Entry,
    PatientDetails,
    PracticeDetails,
    Summary,
    build_blank,
    build_bundle,
    content_hash,
)
from spine.models import StoreCopy, UploadAttempt
from spine.outgoing import BLANK_HASH, KnownCopy, Outgoing

log = structlog.get_logger(__name__)

# What a message is called at the store follows from the job and from what it says: a repeat of the
# same content carries the same keys, and the store recognises it.
KEYS = uuid.UUID("5c120000-0000-4000-8000-0000000000ff")
NOBODY = KnownCopy()
# A practice may not know all yet of who registered lately, and the summary says so for 60 days
# (spine-interface notes 2.4).
NEW_PATIENT_DAYS = 60

Going = tuple[Claimed, Decision, Loaded]


def load_outgoing(going: Sequence[Going], *, at: datetime.datetime) -> tuple[list[Outgoing], list[Claimed]]:
    """The messages of the jobs that may go, and the jobs whose message cannot be built."""
    ids = [job.patient_id for job, _, _ in going]
    patients = Patient.objects.select_related("practice", "usual_gp").in_bulk(ids)
    items = _items(job.patient_id for job, _, _ in going if job.kind is Kind.UPLOAD)
    copies = StoreCopy.objects.in_bulk(ids)
    authored = _authored(job.job_id for job, _, _ in going if job.attempt > 1)
    stand_ins = _stand_ins(
        {
            patients[job.patient_id].practice_id
            for job, _, _ in going
            if job.kind is Kind.WITHDRAWAL and _signatory(patients[job.patient_id]) is None
        },
        at,
    )
    outgoing, unbuildable = [], []
    for job, decision, _ in going:
        assert decision.scope is not None
        try:
            patient = patients[job.patient_id]
            stand_in = stand_ins.get(patient.practice_id) if job.kind is Kind.WITHDRAWAL else None
            author = _author(_signatory(patient) or stand_in or patient.usual_gp)
            summary = _summary(patient, author, items[patient.pk], decision.scope, at)
            outgoing.append(_outgoing(job, summary, copies.get(job.patient_id), authored, at))
        except Exception as error:  # noqa: BLE001
            # One record that cannot be put into words must not stop its batch. No patient data here.
            log.error("message_not_built", job_id=job.job_id, error=type(error).__name__)
            unbuildable.append(job)
    return outgoing, unbuildable


def _outgoing(
    job: Claimed,
    summary: Summary,
    copy: StoreCopy | None,
    authored: dict[tuple[int, str], datetime.datetime],
    at: datetime.datetime,
) -> Outgoing:
    blank = summary.scope is Scope.BLANK
    digest = BLANK_HASH if blank else content_hash(summary, on=timezone.localdate(at))
    composition_id = str(uuid.uuid5(KEYS, f"{job.public_id} {digest}"))
    message_id = str(uuid.uuid5(KEYS, f"message {composition_id}"))
    authored_at = timezone.localtime(authored.get((job.job_id, composition_id), at))
    build = build_blank if blank else build_bundle

    def build_replacing(replaces: str | None) -> bytes:
        return build(
            summary, message_id=message_id, composition_id=composition_id, replaces=replaces, at=authored_at
        )

    return Outgoing(
        job_id=job.job_id,
        attempt=job.attempt,
        patient_id=job.patient_id,
        failures=job.failures,
        kind=job.kind,
        scope=summary.scope,
        nhs_number=summary.patient.nhs_number,
        composition_id=composition_id,
        request_id=str(uuid.uuid5(KEYS, f"request {composition_id}")),
        content_hash=digest,
        authored_at=authored_at,
        session_urid=summary.author.role_profile_id,
        known=KnownCopy(copy.composition_id, copy.content_hash) if copy else NOBODY,
        build=build_replacing,
    )


def _authored(job_ids: Iterable[int]) -> dict[tuple[int, str], datetime.datetime]:
    """When each message of earlier attempts was first written."""
    rows = UploadAttempt.objects.filter(job_id__in=list(job_ids)).values_list(
        "job_id", "composition_id", "authored_at"
    )
    return {(job_id, str(composition_id)): authored_at for job_id, composition_id, authored_at in rows}


def _items(patient_ids: Iterable[int]) -> dict[int, list[SummaryItem]]:
    found: dict[int, list[SummaryItem]] = defaultdict(list)
    for item in SummaryItem.objects.filter(patient_id__in=list(patient_ids)).order_by("pk"):
        found[item.patient_id].append(item)
    return found


def _signatory(patient: Patient) -> User | None:
    """The usual GP, if the Spine's directory knows them."""
    gp = patient.usual_gp
    return gp if gp and gp.sds_user_id and gp.sds_role_profile_id else None


def entries_of(patient: Patient) -> list[Entry]:
    """All that may go into a patient's summary, before anything is chosen. One query."""
    return list(map(_entry, _items([patient.pk])[patient.pk]))


def _stand_ins(practice_ids: Collection[int], at: datetime.datetime) -> dict[int, User]:
    """A GP of each practice, who signs the withdrawal of a patient whose usual GP cannot.

    Only a withdrawal: it says nothing clinical, and nothing may hold it.
    """
    if not practice_ids:
        return {}
    in_force = Q(ends_at__isnull=True) | Q(ends_at__gt=at)
    gps = RoleAssignment.objects.filter(in_force, practice__in=practice_ids, role=Role.GP, starts_at__lte=at)
    gps = gps.exclude(user__sds_user_id="").exclude(user__sds_role_profile_id="")
    return {
        one.practice_id: one.user for one in gps.select_related("user").order_by("-pk") if one.practice_id
    }


def _summary(
    patient: Patient, author: Author, items: Sequence[SummaryItem], scope: Scope, at: datetime.datetime
) -> Summary:
    practice = patient.practice
    new_since = timezone.localdate(at) - datetime.timedelta(days=NEW_PATIENT_DAYS)
    return Summary(
        patient=PatientDetails(
            nhs_number=patient.nhs_number,
            family_name=patient.family_name,
            given_name=patient.given_name,
            title=patient.title,
            born_on=patient.born_on,
            gender=patient.gender,
            address=patient.address,
            postcode=patient.postcode,
        ),
        practice=PracticeDetails(
            ods_code=practice.ods_code,
            name=practice.name,
            address=practice.address,
            postcode=practice.postcode,
        ),
        author=author,
        entries=tuple(map(_entry, items)),
        scope=scope,
        recently_registered=patient.registered_on > new_since,
    )


def _author(gp: User | None) -> Author:
    """Who the message says wrote it."""
    if gp is None:
        raise LookupError("There is no GP to be the author.")
    return Author(
        user_id=gp.sds_user_id,
        role_profile_id=gp.sds_role_profile_id,
        family_name=gp.family_name,
        given_name=gp.given_name,
        title=gp.title,
    )


def _entry(item: SummaryItem) -> Entry:
    return Entry(
        kind=EntryKind(item.kind),
        code=item.code,
        term=item.term,
        recorded_on=item.recorded_on,
        detail=item.detail,
        ended_on=item.ended_on,
        sensitive=item.is_sensitive,
    )

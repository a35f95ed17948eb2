"""Loads what goes into the messages of a batch, from the record as it is now.

A query for each of these a batch, whatever its size: patients, their practices, GPs and items, what is
known of the store's copies and of earlier attempts, GPs who stand in. Plain rows, since objects of the ORM
took as long as everything else here together.
"""

import datetime
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import structlog
from django.db.models import Min, Q, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from carerecords.many_rows import Flat
from carerecords.models import Patient, Practice, RoleAssignment, SummaryItem, User
from carerecords.permissions import Role
from carerecords.summary_codes import EntryKind
from spine.facts import Loaded
from spine.gate import Decision, Kind, Notice, Scope
from spine.messages import (
    MESSAGE,
    PRACTICE_ENDED,
    REQUEST,
    Author,
    Entry,
    PatientDetails,
    PracticeDetails,
    Summary,
    build_blank,
    build_bundle,
    build_notice,
    content_hash,
    named_id,
    patient_left,
    related_id,
)
from spine.models import StoreCopy, UploadAttempt
from spine.sending.claims import Claimed
from spine.sending.outgoing import BLANK_HASH, KnownCopy, Outgoing, notice_hash

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
    read = _read(going, at)
    authored = _authored(job.job_id for job, _, _ in going if job.attempt > 1)
    local = timezone.localtime(at)
    outgoing, unbuildable = [], []
    for job, decision, loaded in going:
        assert decision.scope is not None
        try:
            summary = read.summary(job, decision.scope)
            known = read.copies.get(job.patient_id, NOBODY)
            statement = read.statement(job, loaded.facts.notice) if job.kind is Kind.NOTICE else ""
            outgoing.append(_outgoing(job, summary, known, authored, local, statement))
        except Exception as error:  # noqa: BLE001
            # One record that cannot be put into words must not stop its batch. No patient data here.
            log.error("message_not_built", job_id=job.job_id, error=type(error).__name__)
            unbuildable.append(job)
    return outgoing, unbuildable


@dataclass(frozen=True)
class _Read:
    """What the messages of a batch draw on, by patient, practice and GP."""

    patients: dict[int, "_Record"]
    practices: dict[int, PracticeDetails]
    gps: dict[int, Author]
    # By practice: who signs what says nothing of the record where the usual GP cannot.
    stand_ins: dict[int, Author]
    entries: dict[int, list[Entry]]
    copies: dict[int, KnownCopy]
    new_since: datetime.date

    def summary(self, job: Claimed, scope: Scope) -> Summary:
        """What there is to say of a job's patient. Raises where there is nobody to say it."""
        one = self.patients[job.patient_id]
        return Summary(
            patient=PatientDetails(*one.details),
            practice=self.practices[one.practice_id],
            author=self._author(one, job.kind),
            entries=tuple(self.entries.get(job.patient_id, ())),
            scope=scope,
            recently_registered=one.registered_on > self.new_since,
        )

    def statement(self, job: Claimed, asked: Notice) -> str:
        """What a notice says on the copy of a job's patient: what was asked for, and the gate found to be so."""
        if asked is Notice.ENDED:
            return PRACTICE_ENDED
        left_on = self.patients[job.patient_id].left_on
        if left_on is None:
            raise LookupError("The patient has not left.")
        return patient_left(left_on)

    def _author(self, one: "_Record", kind: Kind) -> Author:
        author = self.gps.get(one.usual_gp_id) if one.usual_gp_id else None
        if kind is not Kind.UPLOAD and not _signs(author):
            author = self.stand_ins.get(one.practice_id, author)
        if author is None:
            raise LookupError("There is no GP to be the author.")
        return author


def _read(going: Sequence[Going], at: datetime.datetime) -> _Read:
    ids = [job.patient_id for job, _, _ in going]
    patients = {
        row[0]: _Record(row[0], row[1], row[2], row[3], row[4], row[5:]) for row in _PATIENTS.rows(ids)
    }
    gps = _gps({one.usual_gp_id for one in patients.values() if one.usual_gp_id})
    others = [patients[job.patient_id] for job, _, _ in going if job.kind is not Kind.UPLOAD]
    unsigned = {one.practice_id for one in others if not _signs(gps.get(one.usual_gp_id or 0))}
    return _Read(
        patients=patients,
        practices=_practices({one.practice_id for one in patients.values()}),
        gps=gps,
        stand_ins=_stand_ins(unsigned, at),
        entries=_entries(going),
        copies={patient_id: KnownCopy(*copy) for patient_id, *copy in _COPIES.rows(ids)},
        new_since=timezone.localdate(at) - datetime.timedelta(days=NEW_PATIENT_DAYS),
    )


def _outgoing(
    job: Claimed,
    summary: Summary,
    known: KnownCopy,
    authored: dict[tuple[int, str], datetime.datetime],
    local: datetime.datetime,
    statement: str = "",
) -> Outgoing:
    blank = summary.scope is Scope.BLANK
    digest = _digest(summary, statement, local.date())
    composition_id = named_id(KEYS, f"{job.public_id} {digest}")
    message_id = related_id(composition_id, MESSAGE)
    before = authored.get((job.job_id, composition_id))
    authored_at = timezone.localtime(before) if before else local
    build = build_blank if blank else build_bundle

    def build_replacing(replaces: str | None) -> bytes:
        return build(
            summary, message_id=message_id, composition_id=composition_id, replaces=replaces, at=authored_at
        )

    def build_notice_on(replaces: str, copy: bytes) -> bytes:
        return build_notice(
            copy,
            summary,
            statement,
            message_id=message_id,
            composition_id=composition_id,
            replaces=replaces,
            at=authored_at,
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
        request_id=related_id(composition_id, REQUEST),
        content_hash=digest,
        authored_at=authored_at,
        session_urid=summary.author.role_profile_id,
        known=known,
        build=build_replacing,
        build_on=build_notice_on if statement else None,
        says=(summary, statement),
        entries=len(summary.entries),
    )


def _digest(summary: Summary, statement: str, today: datetime.date) -> str:
    """What stands for what the message says: equal ones are not sent twice."""
    if statement:
        return notice_hash(statement)
    return BLANK_HASH if summary.scope is Scope.BLANK else content_hash(summary, on=today)


class _Record(NamedTuple):
    """Whose a patient is, and what a message says of them."""

    patient_id: int
    practice_id: int
    usual_gp_id: int | None
    registered_on: datetime.date
    left_on: datetime.date | None
    details: tuple[Any, ...]


_DETAILS = tuple(field.name for field in fields(PatientDetails))
_PATIENTS = Flat(
    lambda: Patient.objects.values_list(
        "pk", "practice_id", "usual_gp_id", "registered_on", "left_on", *_DETAILS
    )
)
_COPIES = Flat(lambda: StoreCopy.objects.values_list("pk", "composition_id", "content_hash"))


def _items() -> QuerySet[SummaryItem, tuple[Any, ...]]:
    return SummaryItem.objects.values_list(
        "patient_id", "pk", "kind", "code", "term", "recorded_on", "detail", "ended_on", "is_sensitive"
    )


_ITEMS = Flat(_items)
# What may go with consent to core alone, and what a summary says that it withholds.
_CORE = Q(kind__in=[kind for kind in EntryKind if kind.is_core])
_CORE_ITEMS = Flat(lambda: _items().filter(_CORE | Q(is_sensitive=True)))
_KINDS = {kind.value: kind for kind in EntryKind}


def _entries(going: Sequence[Going]) -> dict[int, list[Entry]]:
    """What is recorded of each patient of an upload, in the order in which it was: what their scope lets go, no more."""
    rows = []
    for flat, scope in ((_ITEMS, Scope.CORE_ADDITIONAL), (_CORE_ITEMS, Scope.CORE)):
        ids = [job.patient_id for job, decision, _ in going if decision.scope is scope]
        rows += flat.rows(ids) if ids else []
    return _by_patient(rows)


def _by_patient(rows: Iterable[tuple[Any, ...]]) -> dict[int, list[Entry]]:
    """Rows of `_ITEMS` as entries."""
    found: dict[int, list[Entry]] = defaultdict(list)
    for patient_id, _, kind, *said in sorted(rows):
        found[patient_id].append(Entry(_KINDS[kind], *said))
    return found


def entries_of(patient: Patient) -> list[Entry]:
    """All that may go into a patient's summary, before anything is chosen. One query."""
    return _by_patient(_ITEMS.rows([patient.pk])).get(patient.pk, [])


_PRACTICES = Flat(lambda: Practice.objects.values_list("pk", "ods_code", "name", "address", "postcode"))


def _practices(ids: Collection[int]) -> dict[int, PracticeDetails]:
    return {pk: PracticeDetails(*details) for pk, *details in _PRACTICES.rows(ids)}


_AUTHOR = ("sds_user_id", "sds_role_profile_id", "family_name", "given_name", "title")
_GPS = Flat(lambda: User.objects.values_list("pk", *_AUTHOR))


def _gps(ids: Collection[int]) -> dict[int, Author]:
    return {pk: Author(*details) for pk, *details in _GPS.rows(ids)}


def _signs(author: Author | None) -> bool:
    """Whether the Spine's directory knows them."""
    return author is not None and bool(author.user_id and author.role_profile_id)


_ATTEMPTS = Flat(
    lambda: UploadAttempt.objects.values_list("job_id", Cast("composition_id", TextField())).annotate(
        first=Min("authored_at")
    )
)


def _authored(job_ids: Iterable[int]) -> dict[tuple[int, str], datetime.datetime]:
    """When each message of earlier attempts was first written."""
    ids = list(job_ids)
    return {(job_id, name): authored_at for job_id, name, authored_at in _ATTEMPTS.rows(ids)} if ids else {}


def _stand_ins(practice_ids: Collection[int], at: datetime.datetime) -> dict[int, Author]:
    """A GP of each practice, who signs for a patient whose usual GP cannot what says nothing new of the record.

    So a withdrawal, and a notice: it is the practice's own sentence on a copy that stays as it was.
    """
    if not practice_ids:
        return {}
    in_force = Q(ends_at__isnull=True) | Q(ends_at__gt=at)
    gps = RoleAssignment.objects.filter(in_force, practice__in=practice_ids, role=Role.GP, starts_at__lte=at)
    gps = gps.exclude(user__sds_user_id="").exclude(user__sds_role_profile_id="")
    rows = gps.order_by("-pk").values_list("practice_id", *(f"user__{field}" for field in _AUTHOR))
    return {practice_id: Author(*details) for practice_id, *details in rows if practice_id}

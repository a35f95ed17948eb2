"""What needs doing at a practice today. Each role sees what it can do something about.

Two queries, and three more where refusals were recorded in one go.
"""

import datetime
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Case, Count, Expression, F, QuerySet, Value, When

from boycott.guidance.queries import unread
from boycott.surveys.queries import waiting_for
from boycott.surveys.vocabulary import Kind
from carerecords.models import JobState, Patient, Practice, UploadJob, User
from carerecords.permissions import Permission, Role
from consent.codes import ConsentState
from consent.imports import pages as imports
from consent.sheet import standing as sheets
from reports.cards import Card
from reports.refusal_signals import worth_asking
from reports.refusals import bursts_of
from spine.permission.page import open_mismatches
from spine.reasons import Reason
from spine.uploads.queries import not_asked_again

PATIENTS, UPLOADS, SHEETS = "/patients/", "/uploads/", "/consent/sheet/"
IMPORTS, REFUSALS = "/imports/?show=ready", "/reports/refusals/"
MISMATCHES = "/uploads/differences/"
GUIDANCE, SURVEYS = "/policy/guidance/", "/surveys/"


def todo_of_practice(role: Role, practice: Practice, user: User, at: datetime.datetime) -> list[Card]:
    """The cards of one role of a practice that count something, the riskiest first."""
    return [card for card in _cards(role, practice, user, at) if card.number]


def _cards(role: Role, practice: Practice, user: User, at: datetime.datetime) -> Iterator[Card]:
    may, counts = role.rule.permissions, _counts(practice, user, at)
    yield _card(
        counts.conflicts,
        "Patient whose decisions disagree",
        "Patients whose decisions disagree",
        _patients_url(ConsentState.CONFLICT),
    )
    yield _card(
        counts.mismatches,
        "Patient of whom the Spine holds a different decision",
        "Patients of whom the Spine holds a different decision",
        MISMATCHES,
    )
    # Those are among them, each with its patient.
    counts.held.pop(Reason.CONSENT_DIFFERS, 0)
    if Permission.SEE_CONSENT_EVIDENCE in may:
        yield _bursts(practice, at)
    if Permission.ANSWER_SURVEY in may:
        yield _card(counts.ballots, "Your ballot", "Your ballots", SURVEYS, "You have not voted")
        yield _card(counts.surveys, "Survey to answer", "Surveys to answer", SURVEYS)
    if Permission.ACKNOWLEDGE_GUIDANCE in may:
        one, many = "Page of guidance to acknowledge", "Pages of guidance to acknowledge"
        yield _card(counts.guidance, one, many, GUIDANCE)
    # What follows is done by those who record decisions; the privacy officer only sets them right.
    if Permission.RECORD_CONSENT in may:
        yield from _work(role, user, counts)


def _work(role: Role, user: User, counts: "_Counts") -> Iterator[Card]:
    failed = _uploads_url(state=JobState.FAILED, latest=True)
    yield _card(counts.failed, "Upload that failed", "Uploads that failed", failed)
    if Permission.APPLY_IMPORT in role.rule.permissions:
        yield _card(counts.imports, "Import to check", "Imports to check", IMPORTS)
    yield _card(
        counts.sheets, "Consent sheet to finish", "Consent sheets to finish", SHEETS, "Started by you"
    )
    for reason, jobs in counts.held.most_common():
        url = _uploads_url(state=JobState.HELD, reason=reason)
        yield _card(jobs, "Upload blocked", "Uploads blocked", url, reason.sentence)
    one, many = "Patient without a decision", "Patients without a decision"
    if role is Role.GP:
        mine = _patients_url(ConsentState.NONE, gp=str(user.public_id))
        yield _card(counts.own, one, many, mine, "You are their usual GP")
    whose = "Of the whole practice" if role is Role.GP else ""
    yield _card(counts.undecided, one, many, _patients_url(ConsentState.NONE), whose)


def _card(number: int, one: str, many: str, url: str, text: str = "") -> Card:
    return Card(number, one if number == 1 else many, url, text)


def _bursts(practice: Practice, at: datetime.datetime) -> Card:
    found = len(worth_asking(bursts_of(practice, at)))
    one, many = "Group of refusals that looks like policy", "Groups of refusals that look like policy"
    return _card(found, one, many, REFUSALS, "Recorded in one go. See the evidence")


@dataclass(frozen=True)
class _Counts:
    """`own`: undecided patients whose usual GP the user is. `held` by headline; `failed` and not asked
    for again; `sheets` of the user; `guidance` that the practice has not acknowledged;
    `ballots` and `surveys` that the user has not answered."""

    undecided: int
    own: int
    conflicts: int
    mismatches: int
    held: Counter[Reason]
    failed: int
    imports: int
    sheets: int
    guidance: int
    ballots: int
    surveys: int


def _counts(practice: Practice, user: User, at: datetime.datetime) -> _Counts:
    """All counts in one query: rows of what is counted, by what, and how many."""
    decisions = [ConsentState.NONE, ConsentState.CONFLICT]
    jobs = UploadJob.objects.filter(practice=practice)
    failed = not_asked_again(jobs.filter(state=JobState.FAILED))
    mine = Case(When(usual_gp=user, then=Value("own")), default=Value(""))
    found = Counter[tuple[str, str]]()
    patients = Patient.objects.of(practice).here().filter(consent_state__in=decisions)
    rows = _rows(patients, F("consent_state"), mine).union(
        _rows(jobs.filter(state=JobState.HELD) | failed, F("state"), F("reasons__0")),
        _rows(open_mismatches(practice), Value("mismatches"), Value("")),
        _rows(imports.ready(practice), Value("imports"), Value("")),
        _rows(sheets.unfinished(practice, user, at), Value("sheets"), Value("")),
        _rows(unread(practice), Value("guidance"), Value("")),
        _rows(waiting_for(user, Kind.BALLOT, at), Value("ballots"), Value("")),
        _rows(waiting_for(user, Kind.SURVEY, at), Value("surveys"), Value("")),
        all=True,
    )
    for what, by, number in rows:
        found[what, by or ""] += number
    held = {Reason.of(by): number for (what, by), number in found.items() if what == JobState.HELD and by}
    return _Counts(
        undecided=found[ConsentState.NONE, ""] + found[ConsentState.NONE, "own"],
        own=found[ConsentState.NONE, "own"],
        conflicts=found[ConsentState.CONFLICT, ""] + found[ConsentState.CONFLICT, "own"],
        mismatches=found["mismatches", ""],
        held=Counter(held),
        failed=sum(number for (what, _), number in found.items() if what == JobState.FAILED),
        imports=found["imports", ""],
        sheets=found["sheets", ""],
        guidance=found["guidance", ""],
        ballots=found["ballots", ""],
        surveys=found["surveys", ""],
    )


def _rows(found: QuerySet[Any], what: Expression | F, by: Expression | F) -> QuerySet[Any, Any]:
    grouped = found.order_by().annotate(counted=what, by=by).values_list("counted", "by")
    return grouped.annotate(number=Count("pk"))


def _patients_url(state: ConsentState, **more: str) -> str:
    return f"{PATIENTS}?{urlencode({'decision': state.value} | more)}"


def _uploads_url(*, state: JobState, reason: Reason | None = None, latest: bool = False) -> str:
    asked = {"state": state.value, "reason": reason.code if reason else "", "latest": "yes" if latest else ""}
    return f"{UPLOADS}?{urlencode({name: value for name, value in asked.items() if value})}"

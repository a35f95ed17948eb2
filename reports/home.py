"""What needs doing today, by role: counts that open the list behind them, the riskiest first.

Each role costs at most three queries, none of which grows with the rows that are in order.
"""

import datetime
from collections import Counter
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Count, Exists, OuterRef, Q

from boycott.models import StanceRevision
from boycott.positions import Position, Stance
from boycott.queries import NATIONAL_LINE, history, latest_of, practices_by_answer
from carerecords.formats import nhs_date
from carerecords.models import JobState, Patient, Practice, UploadJob, User
from carerecords.permissions import Role
from consent.codes import ConsentState
from spine.models import StopRevision
from spine.reasons import Reason
from spine.standing import latest_stop

PATIENTS, UPLOADS = "/patients/", "/uploads/"
RECENT = 10


@dataclass(frozen=True)
class Card:
    """One count, what of, and the list behind it."""

    number: int
    label: str
    url: str | None = None
    text: str = ""


@dataclass(frozen=True)
class Happened:
    """One change of policy, stance or stop, for those who watch over changes."""

    at: datetime.datetime
    title: str
    who: str
    text: str


@dataclass(frozen=True)
class Home:
    """What the page shows: things to do, how things stand, what changed."""

    todo: list[Card]
    standing_heading: str = ""
    standing: tuple[Card, ...] = ()
    statement: str = ""
    recent: tuple[Happened, ...] = ()


def home_of(role: Role, practice: Practice | None) -> Home:
    """The home page of one role."""
    if practice is not None:
        return _of_practice(role, practice)
    if role is Role.POLICY_ADMIN:
        return _of_policy_admin()
    if role is Role.NATIONAL_ADMIN:
        return _of_national_admin()
    return Home([], recent=tuple(_recent_changes()))


def _of_practice(role: Role, practice: Practice) -> Home:
    undecided, conflicts = _decisions(practice)
    held, failed, differs = _uploads(practice)
    cards = [
        Card(conflicts, "Patients whose decisions disagree", _patients(ConsentState.CONFLICT)),
        Card(
            differs,
            "Uploads where the Spine holds a different decision",
            _uploads_url(reason=Reason.CONSENT_DIFFERS),
        ),
    ]
    if role is not Role.PRIVACY_OFFICER:
        cards.append(Card(failed, "Uploads that failed", _uploads_url(state=JobState.FAILED)))
        cards += [
            Card(jobs, "Uploads held", _uploads_url(state=JobState.HELD, reason=reason), reason.sentence)
            for reason, jobs in held.most_common()
            if reason is not Reason.CONSENT_DIFFERS
        ]
        cards.append(Card(undecided, "Patients without a decision", _patients(ConsentState.NONE)))
    return Home([card for card in cards if card.number])


def _decisions(practice: Practice) -> tuple[int, int]:
    """Living, registered patients without a decision, and with decisions that disagree."""
    here = Patient.objects.of(practice).filter(left_on__isnull=True, died_on__isnull=True)
    counted = here.aggregate(
        undecided=Count("pk", filter=Q(consent_state=ConsentState.NONE)),
        conflicts=Count("pk", filter=Q(consent_state=ConsentState.CONFLICT)),
    )
    return counted["undecided"], counted["conflicts"]


def _uploads(practice: Practice) -> tuple[Counter[Reason], int, int]:
    """Held uploads by their headline, those failed and not asked for again, and differences."""
    later = UploadJob.objects.filter(patient=OuterRef("patient"), pk__gt=OuterRef("pk"))
    jobs = UploadJob.objects.filter(
        Q(state=JobState.HELD) | Q(state=JobState.FAILED) & ~Exists(later), practice=practice
    )
    held: Counter[Reason] = Counter()
    failed = differs = 0
    for state, reasons, number in jobs.values_list("state", "reasons").annotate(jobs=Count("pk")).order_by():
        if state == JobState.FAILED:
            failed += number
        elif reasons:
            held[Reason.of(reasons[0])] += number
            differs += number if Reason.CONSENT_DIFFERS.code in reasons else 0
    return held, failed, differs


def _of_policy_admin() -> Home:
    latest = latest_of(NATIONAL_LINE)
    answers = practices_by_answer()
    names = {
        None: "No answer – treated as Follow",
        Stance.FOLLOW: "Follow",
        Stance.DO_NOT_FOLLOW: "Do not follow",
        Stance.HOLD: "Hold whatever the policy",
    }
    statement = "No position is recorded."
    if latest:
        statement = f"{Position(latest.position).label}, since {nhs_date(latest.effective_from)}."
    cards = tuple(Card(number, f"{names[answer]}") for answer, number in answers.items())
    return Home(
        [],
        standing_heading="What practices answer",
        standing=cards,
        statement=f"Position in force: {statement}",
    )


def _of_national_admin() -> Home:
    stop = latest_stop()
    counted = Counter(dict(UploadJob.objects.values_list("state").annotate(jobs=Count("pk")).order_by()))
    failed = counted.pop(JobState.FAILED, 0)
    cards = tuple(Card(counted[state], state.label) for state in JobState if state is not JobState.FAILED)
    stopped = bool(stop and stop.stopped)
    return Home(
        [Card(failed, "Uploads that failed", None, "Their practices see why.")] if failed else [],
        standing_heading="Uploads by state",
        standing=cards,
        statement="All uploads are stopped." if stopped else "Uploads run.",
    )


def _recent_changes() -> list[Happened]:
    """The latest changes of policy, stances and stops, newest first; three queries."""
    stances = StanceRevision.objects.select_related("practice", "made_by").order_by("-pk")[:RECENT]
    stops = StopRevision.objects.select_related("made_by").order_by("-pk")[:RECENT]
    found = [
        *(
            Happened(one.made_at, f"BMA policy: {one.get_position_display()}", _who(one.made_by), one.reason)
            for one in history()[:RECENT]
        ),
        *(
            Happened(one.made_at, f"{one.practice}: {one.get_stance_display()}", _who(one.made_by), one.note)
            for one in stances
        ),
        *(
            Happened(
                one.made_at,
                "All uploads stopped" if one.stopped else "Uploads resumed",
                _who(one.made_by),
                one.reason,
            )
            for one in stops
        ),
    ]
    return sorted(found, key=lambda one: one.at, reverse=True)[:RECENT]


def _who(user: User | None) -> str:
    return user.short_name if user else "the system"


def _patients(state: ConsentState) -> str:
    return f"{PATIENTS}?{urlencode({'decision': state.value})}"


def _uploads_url(*, state: JobState | None = None, reason: Reason | None = None) -> str:
    asked = {"state": state.value if state else "", "reason": reason.code if reason else ""}
    return f"{UPLOADS}?{urlencode({name: value for name, value in asked.items() if value})}"

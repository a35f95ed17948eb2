"""What needs doing today, by role: counts that open the list behind them, the riskiest first.

Each role costs at most three queries, none of which grows with the rows that are in order.
"""

import datetime
from collections import Counter
from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import Count, Q

from boycott.models import StanceRevision
from boycott.positions import Position, Stance
from boycott.queries import NATIONAL_LINE, history, latest_of, practices_by_answer, standing_revisions
from boycott.rules import conflict, everywhere
from carerecords.formats import nhs_date
from carerecords.models import JobState, Patient, Practice, UploadJob, User
from carerecords.permissions import Role
from consent.codes import ConsentState
from spine.models import StopRevision
from spine.queries import not_asked_again
from spine.reasons import Reason
from spine.standing import latest_stop

PATIENTS, UPLOADS, POLICY, STOP = "/patients/", "/uploads/", "/policy/", "/policy/stop/"
RECENT = 10


@dataclass(frozen=True)
class Card:
    """One count, what of, and the list behind it."""

    number: int
    label: str
    url: str | None = None
    text: str = ""
    # A job state is named on the page, as its tag is.
    state: JobState | None = None


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


def home_of(role: Role, practice: Practice | None, at: datetime.datetime) -> Home:
    """The home page of one role."""
    if practice is not None:
        return _of_practice(role, practice)
    if role is Role.POLICY_ADMIN:
        return _of_policy_admin(at)
    if role is Role.NATIONAL_ADMIN:
        return _of_national_admin()
    return Home([], recent=tuple(_recent_changes()))


def _of_practice(role: Role, practice: Practice) -> Home:
    undecided, conflicts = _decisions(practice)
    held, failed = _uploads(practice)
    cards = [
        Card(conflicts, "Patients whose decisions disagree", _patients(ConsentState.CONFLICT)),
        Card(
            held.pop(Reason.CONSENT_DIFFERS, 0),
            "Uploads where the Spine holds a different decision",
            _uploads_url(state=JobState.HELD, reason=Reason.CONSENT_DIFFERS),
        ),
    ]
    if role is not Role.PRIVACY_OFFICER:
        cards.append(Card(failed, "Uploads that failed", _uploads_url(state=JobState.FAILED, latest=True)))
        cards += [
            Card(jobs, "Uploads blocked", _uploads_url(state=JobState.HELD, reason=reason), reason.sentence)
            for reason, jobs in held.most_common()
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


def _uploads(practice: Practice) -> tuple[Counter[Reason], int]:
    """Held uploads by their headline, and those failed that were not asked for again."""
    jobs = UploadJob.objects.filter(practice=practice)
    failed = not_asked_again(jobs.filter(state=JobState.FAILED))
    counted = (
        (jobs.filter(state=JobState.HELD) | failed)
        .values_list("state", "reasons__0")
        .annotate(jobs=Count("pk"))
    )
    held: Counter[Reason] = Counter()
    over = 0
    for state, code, number in counted.order_by():
        if state == JobState.FAILED:
            over += number
        elif code:
            held[Reason.of(code)] += number
    return held, over


def _of_policy_admin(at: datetime.datetime) -> Home:
    disagree = conflict(everywhere(standing_revisions(), at))
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
        [Card(2, "Positions in force that disagree", POLICY)] if disagree else [],
        standing_heading="What practices answer",
        standing=cards,
        statement=f"Position in force: {statement}",
    )


def _of_national_admin() -> Home:
    stop = latest_stop()
    counted = Counter(dict(UploadJob.objects.values_list("state").annotate(jobs=Count("pk")).order_by()))
    failed = counted.pop(JobState.FAILED, 0)
    cards = tuple(Card(counted[state], "", state=state) for state in JobState if state is not JobState.FAILED)
    stopped = bool(stop and stop.stopped)
    todo = [
        Card(int(stopped), "Stop in force", STOP, "Uploads resume when another national admin says so."),
        Card(failed, "Uploads that failed", None, "Their practices see why."),
    ]
    return Home(
        [card for card in todo if card.number],
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


def _uploads_url(*, state: JobState, reason: Reason | None = None, latest: bool = False) -> str:
    asked = {"state": state.value, "reason": reason.code if reason else "", "latest": "yes" if latest else ""}
    return f"{UPLOADS}?{urlencode({name: value for name, value in asked.items() if value})}"

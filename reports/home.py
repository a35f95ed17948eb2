"""What needs doing today, by role: counts that open the list behind them, the riskiest first."""

import datetime
from collections import Counter

from django.db.models import Count

from boycott.models import StanceRevision
from boycott.positions import Position, Stance
from boycott.queries import NATIONAL_LINE, history, latest_of, practices_by_answer, standing_revisions
from boycott.rules import conflict, everywhere
from carerecords.formats import nhs_date
from carerecords.models import JobState, Practice, UploadJob, User
from carerecords.permissions import Role
from reports.cards import Card, Happened, Home
from reports.practice_home import todo_of_practice
from spine.models import StopRevision
from spine.standing import latest_stop

POLICY, STOP = "/policy/", "/policy/stop/"
RECENT = 10


def home_of(role: Role, practice: Practice | None, user: User, at: datetime.datetime) -> Home:
    """The home page of one user in one role."""
    if practice is not None:
        return Home(todo_of_practice(role, practice, user, at))
    if role is Role.POLICY_ADMIN:
        return _of_policy_admin(at)
    if role is Role.NATIONAL_ADMIN:
        return _of_national_admin()
    return Home([], recent=tuple(_recent_changes()))


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

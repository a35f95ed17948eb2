"""What needs doing for the nation: changes to approve, stops to review, positions that disagree, uploads."""

import datetime
from collections import Counter
from collections.abc import Iterator

from django.db.models import Count, Expression, F, QuerySet, Value

from boycott.change_states import ChangeState
from boycott.dossier import on_the_way, places
from boycott.lattice import examine
from boycott.positions import Position, Stance
from boycott.queries import practices_by_answer, standing_revisions
from boycott.rules import Revision, conflict, everywhere, in_force
from carerecords.formats import nhs_date, nhs_datetime
from carerecords.models import JobState, UploadJob, User
from reports.cards import Card, Home
from spine.policy.stopping import Stopping, stopping
from spine.reasons import Reason
from spine.uploads.queries import not_asked_again

POLICY, CHANGES, STOP, PROBLEMS = "/policy/", "/policy/changes/", "/policy/stop/", "/uploads/problems/"
SHUT_OUT = "not let in"
_ANSWERS = {
    None: "No answer – treated as Follow",
    Stance.FOLLOW: "Follow",
    Stance.DO_NOT_FOLLOW: "Do not follow",
    Stance.HOLD: "Hold whatever the policy",
}


def of_policy_admin(user: User, at: datetime.datetime) -> Home:
    """What practices answer, and what waits for a second pair of eyes."""
    standing = standing_revisions()
    disagreeing = _disagreeing(standing, at)
    todo = [
        _to_approve(user, at),
        Card(len(disagreeing), "Positions in force that disagree", POLICY),
    ]
    cards = tuple(Card(number, _ANSWERS[answer]) for answer, number in practices_by_answer().items())
    return Home(
        [card for card in todo if card.number],
        standing_heading="What practices answer",
        standing=cards,
        statement=_statement(in_force(standing, at)),
    )


def of_national_admin(user: User, at: datetime.datetime) -> Home:
    """How uploads stand, and what a stop asks for."""
    counted = _jobs()
    cards = tuple(Card(counted[state], "", state=state) for state in JobState if state is not JobState.FAILED)
    now = stopping()
    todo = [
        *(_of_stop(now, user, at) if now else []),
        _to_approve(user, at),
        Card(
            counted[SHUT_OUT],
            "Uploads that the Spine did not let in",
            PROBLEMS,
            "Look at this service’s access",
        ),
        Card(counted[JobState.FAILED], "Uploads that failed", PROBLEMS, "By cause, to be tried again"),
    ]
    return Home(
        [card for card in todo if card.number],
        standing_heading="Uploads by state",
        standing=cards,
        statement="All uploads are stopped." if now else "Uploads run.",
    )


def _jobs() -> Counter[str]:
    """Jobs by state, and those that wait because this service's key or token was refused, which nobody at a
    practice can mend. Of failed ones those that nobody asked for again since, as on the page behind the card.
    One query."""
    jobs = UploadJob.objects.order_by()
    failed = jobs.filter(state=JobState.FAILED)
    waiting = jobs.filter(state=JobState.WAITING, due_at__isnull=False)
    rows = _by(jobs.exclude(state=JobState.FAILED), F("state")).union(
        _by(not_asked_again(failed), F("state")),
        _by(waiting.filter(reasons__0=Reason.TECH_ACCESS.code), Value(SHUT_OUT)),
        all=True,
    )
    return Counter(dict(rows))


def _by(jobs: QuerySet[UploadJob], what: Expression | F) -> QuerySet[UploadJob, tuple[str, int]]:
    return jobs.annotate(what=what).values_list("what").annotate(jobs=Count("pk"))


def _to_approve(user: User, at: datetime.datetime) -> Card:
    """Changes in review that this person wrote nothing of."""
    waiting = [found for found in on_the_way(at) if found.state(at) is ChangeState.IN_REVIEW]
    theirs = sum(user.pk not in found.authors for found in waiting)
    label = "Change of policy to approve" if theirs == 1 else "Changes of policy to approve"
    return Card(theirs, label, CHANGES, "Sent by somebody else")


def _of_stop(now: Stopping, user: User, at: datetime.datetime) -> Iterator[Card]:
    if now.may_review(user):
        due = f"by {nhs_datetime(now.review_by)}"
        label = "Stop to review, overdue" if now.is_overdue(at) else "Stop to review"
        yield Card(1, label, STOP, f"It was due {due}." if now.is_overdue(at) else f"Due {due}")
    if now.may_agree(user):
        yield Card(1, "Request to resume uploads", STOP, f"Asked by {now.asked_by}")
    yield Card(1, "Stop in force", STOP, "Resuming takes two people.")


def _disagreeing(standing: list[Revision], at: datetime.datetime) -> set[int]:
    """The positions in force that disagree about some practice, or about all England."""
    if len(standing) < 2:
        return set()
    found = {
        one.id
        for clash in examine(standing, places(), at).clashes
        if clash.start <= at
        for one in clash.revisions
    }
    nationwide = everywhere(standing, at)
    return found | ({one.id for one in nationwide} if conflict(nationwide) else set())


def _statement(held: list[Revision]) -> str:
    if not held:
        return "No position is in force."
    said = [f"{Position(one.position).label}, since {nhs_date(one.effective_from)}" for one in held]
    return f"In force: {'; '.join(said)}."

"""How the emergency stop stands, and what is still to be done about it."""

import datetime
from dataclasses import dataclass

from carerecords.models import User
from spine.models import StopRevision, StopStep

# A second person looks at a stop within this time (product page 4).
REVIEW_WITHIN = datetime.timedelta(hours=24)


@dataclass(frozen=True)
class Stopping:
    """The stop in force. `review`: what a second person found; `asked`: a request to resume, unanswered."""

    stop: StopRevision
    review: StopStep | None
    asked: StopStep | None

    @property
    def review_by(self) -> datetime.datetime:
        return self.stop.made_at + REVIEW_WITHIN

    @property
    def asked_by(self) -> str:
        return self.asked.made_by.short_name if self.asked else ""

    def is_overdue(self, at: datetime.datetime) -> bool:
        """Whether a review is due and has not come."""
        return self.review is None and at > self.review_by

    def may_review(self, user: User) -> bool:
        return self.review is None and self.stop.made_by_id != user.pk

    def may_agree(self, user: User) -> bool:
        """Resuming takes two: who asked, and another who finds that the cause is mended."""
        return self.asked is not None and self.asked.made_by_id != user.pk


def latest_stop() -> StopRevision | None:
    """The stop or resumption that stands."""
    return StopRevision.objects.select_related("made_by").order_by("-pk").first()


def stopping() -> Stopping | None:
    """The stop in force with what followed it; None while uploads run. Two queries."""
    stop = latest_stop()
    if stop is None or not stop.stopped:
        return None
    steps = list(StopStep.objects.filter(stop=stop).select_related("made_by").order_by("pk"))
    reviews = [step for step in steps if step.kind == StopStep.Kind.REVIEWED]
    answers = [step for step in steps if step.kind != StopStep.Kind.REVIEWED]
    asked = answers[-1] if answers and answers[-1].kind == StopStep.Kind.RESUME_ASKED else None
    return Stopping(stop, reviews[0] if reviews else None, asked)


@dataclass(frozen=True)
class Happened:
    """One line of the history of stops."""

    at: datetime.datetime
    title: str
    who: str
    text: str


def stop_history() -> list[Happened]:
    """Every stop, resumption and step between, newest first; each with the reason of whoever did it.

    Two queries.
    """
    steps = list(StopStep.objects.select_related("made_by"))
    # A resumption repeats the reason it was asked for with; its own is that of the agreement, made with it.
    agreed: dict[tuple[datetime.datetime, int | None], str] = {
        (one.made_at, one.made_by_id): one.note for one in steps if one.kind == StopStep.Kind.RESUME_AGREED
    }
    lines = [
        *(
            Happened(
                one.made_at,
                "All uploads stopped" if one.stopped else "Uploads resumed",
                one.made_by.short_name if one.made_by else "the system",
                one.reason if one.stopped else agreed.get((one.made_at, one.made_by_id), one.reason),
            )
            for one in StopRevision.objects.select_related("made_by")
        ),
        *(
            Happened(one.made_at, one.get_kind_display(), one.made_by.short_name, one.note)
            for one in steps
            if one.kind != StopStep.Kind.RESUME_AGREED
        ),
    ]
    return sorted(lines, key=lambda line: line.at, reverse=True)

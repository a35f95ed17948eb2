"""How old a copy at the store is, in words and in bands; pure but for one question about one patient."""

import datetime
from dataclasses import dataclass

from django.db.models import Q
from django.utils import timezone

from carerecords.formats import plural
from carerecords.models import JobKind, JobState, SummaryItem, UploadJob
from carerecords.models.upload_job import OPEN_STATES
from spine.models import StoreCopy

# The first month that no longer belongs to each band, and its name; None: for ever.
BANDS: tuple[tuple[int | None, str], ...] = (
    (1, "Under 1 month"),
    (3, "1 to 3 months"),
    (6, "3 to 6 months"),
    (12, "6 to 12 months"),
    (None, "Over 1 year"),
)


def months_before(day: datetime.date, months: int) -> datetime.date:
    """The same day so many months before, or the last of that month where it has none such."""
    number = day.year * 12 + day.month - 1 - months
    first = datetime.date(number // 12, number % 12 + 1, 1)
    last = (first + datetime.timedelta(days=31)).replace(day=1) - datetime.timedelta(days=1)
    return first.replace(day=min(day.day, last.day))


def age_words(sent: datetime.date, today: datetime.date) -> str:
    """`today`, `12 days ago`, `4 months ago`, `2 years ago`: whole ones, rounded down."""
    days = (today - sent).days
    if days < 1:
        return "today"
    months = 0
    while months_before(today, months + 1) >= sent:
        months += 1
    if months < 1:
        return f"{plural(days, 'day')} ago"
    return f"{plural(months, 'month')} ago" if months < 24 else f"{plural(months // 12, 'year')} ago"


@dataclass(frozen=True)
class CopyAge:
    """One patient's copy: when it was sent, how long ago that is, and why it is out of date, if it is."""

    sent_on: datetime.date
    today: datetime.date
    because: str = ""
    has_notice: bool = False

    @property
    def words(self) -> str:
        """`Sent 4 months ago. Out of date: …`."""
        said = f"Sent {age_words(self.sent_on, self.today)}."
        said += f" Out of date: {self.because}." if self.because else ""
        return f"{said} It says that it is kept up no more." if self.has_notice else said


def copy_age(copy: StoreCopy | None, today: datetime.date) -> CopyAge | None:
    """How old a patient's copy is; None where there is none, or a blank one. Two queries at most."""
    if copy is None or copy.accepted_at is None or copy.is_blank:
        return None
    jobs = UploadJob.objects.filter(patient=copy.patient_id, kind=JobKind.UPLOAD)
    job = jobs.filter(
        Q(state__in=OPEN_STATES) | Q(state=JobState.FAILED, finished_at__gt=copy.accepted_at)
    ).first()
    sent_on = timezone.localdate(copy.accepted_at)
    if job is not None:
        return CopyAge(sent_on, today, _WAITS[JobState(job.state)], copy.has_notice)
    newer = Q(recorded_on__gt=sent_on) | Q(ended_on__gt=sent_on, ended_on__lte=today)
    changed = SummaryItem.objects.filter(newer, patient=copy.patient_id, is_sensitive=False).exists()
    return CopyAge(sent_on, today, _CHANGED if changed else "", copy.has_notice)


_WAITS = {
    JobState.WAITING: "a newer one waits to be sent",
    JobState.HELD: "a newer one is held",
    JobState.FAILED: "sending a newer one failed",
}
_CHANGED = "the record has changed since, and no upload was asked for"

"""One practice in figures: whom it has asked, what is held and why, what is on the Spine, letters.

Counts only, so every role of the practice may read them. Five statements, each a pass over the practice's
rows by an index; a practice of 12,000 patients takes some tens of milliseconds.
"""

import datetime
from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import TruncMonth

from carerecords.models import JobKind, JobState, Patient, Practice, UploadJob
from consent.codes import ConsentState, LetterEvent
from consent.models import NoticeLetter
from spine.models import StoreCopy
from spine.reasons import Reason

MONTHS = 12
# The statutory time for patients to answer a notice letter (product page 3).
NO_REPLY = datetime.timedelta(weeks=12)
# Shown even where nobody is in it: an empty line answers a question.
_ALWAYS = {ConsentState.NONE, ConsentState.EXPRESS_CORE, ConsentState.EXPRESS_DISSENT}


@dataclass(frozen=True)
class Figure:
    """One counted thing, and the list that it counts, where there is one."""

    label: str
    number: int
    url: str = ""


@dataclass(frozen=True)
class PracticeFigures:
    """`months`: uploads that the Spine accepted in each of the last twelve months, the oldest first."""

    patients: int
    decisions: list[Figure]
    blocked: list[Figure]
    copies: list[Figure]
    letters: list[Figure]
    months: list[tuple[datetime.date, int]]

    @property
    def decided(self) -> int:
        """Patients whose decision is known, whatever it is."""
        undecided = sum(one.number for one in self.decisions if one.label == ConsentState.NONE.label)
        return self.patients - undecided


def figures_of(practice: Practice, today: datetime.date) -> PracticeFigures:
    """As they stand now."""
    here = Patient.objects.of(practice).here()
    states = Counter(dict(_counted(here, "consent_state")))
    held = UploadJob.objects.filter(practice=practice, state=JobState.HELD)
    reasons = Counter(dict(_counted(held, "reasons__0")))
    return PracticeFigures(
        patients=sum(states.values()),
        decisions=[
            Figure(state.label, states[state], f"/patients/?decision={state.value}")
            for state in ConsentState
            if states[state] or state in _ALWAYS
        ],
        blocked=[_blocked(code, number) for code, number in reasons.most_common() if code],
        copies=_copies(practice),
        letters=_letters(practice, today),
        months=_months(practice, today),
    )


def _blocked(code: str, number: int) -> Figure:
    return Figure(Reason.of(code).sentence, number, f"/uploads/?state={JobState.HELD}&reason={code}")


def _copies(practice: Practice) -> list[Figure]:
    copies = StoreCopy.objects.filter(patient__practice=practice, accepted_at__isnull=False)
    counted = copies.aggregate(
        records=Count("pk", filter=Q(is_blank=False)), blank=Count("pk", filter=Q(is_blank=True))
    )
    return [
        Figure("Summaries that were sent from here", counted["records"]),
        Figure("Blank records, because the summary was withdrawn", counted["blank"]),
    ]


def _letters(practice: Practice, today: datetime.date) -> list[Figure]:
    here = Patient.objects.of(practice).here()
    silent = Q(consent_state=ConsentState.NONE, letter_sent_on__lte=today - NO_REPLY)
    counted = here.aggregate(
        told=Count("pk", filter=Q(letter_sent_on__isnull=False)), silent=Count("pk", filter=silent)
    )
    returned = NoticeLetter.objects.filter(patient__in=here, kind=LetterEvent.RETURNED)
    return [
        Figure("Patients with a letter that counts", counted["told"]),
        Figure("No reply after 12 weeks", counted["silent"]),
        Figure("Patients with a letter that came back", returned.values("patient").distinct().count()),
    ]


def _months(practice: Practice, today: datetime.date) -> list[tuple[datetime.date, int]]:
    first = _month(today, MONTHS - 1)
    accepted = UploadJob.objects.filter(
        practice=practice, state=JobState.ACCEPTED, kind=JobKind.UPLOAD, finished_at__date__gte=first
    ).annotate(month=TruncMonth("finished_at"))
    counted = {month.date(): number for month, number in _counted(accepted, "month")}
    months = [_month(today, back) for back in reversed(range(MONTHS))]
    return [(month, counted.get(month, 0)) for month in months]


def _month(day: datetime.date, back: int) -> datetime.date:
    """The first day of the month so many months before."""
    number = day.year * 12 + day.month - 1 - back
    return datetime.date(number // 12, number % 12 + 1, 1)


def _counted(rows: QuerySet[Any], by: str) -> QuerySet[Any, Any]:
    return (
        rows.order_by()
        .annotate(by=F(by))
        .values("by")
        .annotate(number=Count("pk"))
        .values_list("by", "number")
    )

"""The columns in which PostgreSQL tells the gate's facts: for one patient, for a batch, and to group by."""

import datetime
from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

from django.db.models import (
    BooleanField,
    Case,
    CharField,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce

from boycott.models import GpStanceRevision, StanceRevision
from boycott.positions import UNANSWERED, GpStance
from carerecords.many_rows import Flat
from carerecords.models import Patient
from spine.gate import Letter

# The facts of one patient, as the query names them. All of few values, so that they group.
PATIENT_FACTS = (
    "consent_state",
    "fact_consent_current",
    "fact_letter",
    "fact_gp_holds",
    "fact_verified",
    "is_sensitive",
    "fact_left",
    "fact_died",
    "fact_permission",
)
FACT_FIELDS = (
    *PATIENT_FACTS,
    "fact_stance",
    "fact_rollout_open",
    "practice__ods_code",
    "practice__region_code",
    "practice__icb_code",
)
# What a decision cites, and what says when the answer may change by the calendar.
EVIDENCE_FIELDS = (
    "consent_event_id",
    "fact_stance_id",
    "fact_gp_stance_id",
    "practice__goes_live_on",
    "letter_sent_on",
    "consent_changes_on",
)


class Days(Protocol):
    """What the fact columns ask of the nation: nothing that may change from one batch to the next."""

    @property
    def today(self) -> datetime.date: ...
    @property
    def letter_weeks(self) -> int: ...


class _ThoseDays(NamedTuple):
    today: datetime.date
    letter_weeks: int


def annotate(
    patients: QuerySet[Patient], nation: Days, made_by: datetime.datetime | None = None
) -> QuerySet[Patient]:
    """Adds the fact columns, so that callers may read them or group by them.

    `made_by`: stances that were made later do not count.
    """
    stances = StanceRevision.objects.filter(practice=OuterRef("practice")).order_by("-pk")
    gp_stances = GpStanceRevision.objects.filter(gp=OuterRef("usual_gp")).order_by("-pk")
    if made_by is not None:
        stances = stances.filter(made_at__lte=made_by)
        gp_stances = gp_stances.filter(made_at__lte=made_by)
    answered = patients.alias(gp_stance=Subquery(gp_stances.values("stance")[:1]))
    return annotate_own(answered, nation, Q(gp_stance=GpStance.HOLD.value)).annotate(
        fact_stance=Coalesce(Subquery(stances.values("stance")[:1]), Value(UNANSWERED.value)),
        fact_stance_id=Subquery(stances.values("pk")[:1]),
        fact_gp_stance_id=Subquery(gp_stances.values("pk")[:1]),
        fact_rollout_open=_true(Q(practice__goes_live_on__lte=nation.today)),
    )


def annotate_own(patients: QuerySet[Patient], nation: Days, gp_holds: Q) -> QuerySet[Patient]:
    """Adds `PATIENT_FACTS`. `gp_holds`: how to tell that a patient's usual GP holds uploads."""
    today = nation.today
    window_start = today - datetime.timedelta(weeks=nation.letter_weeks)
    return patients.annotate(
        fact_gp_holds=_true(gp_holds),
        fact_consent_current=_true(Q(consent_changes_on__isnull=True) | Q(consent_changes_on__gt=today)),
        fact_letter=Case(
            When(letter_sent_on__lte=window_start, then=Value(Letter.WINDOW_PASSED.value)),
            When(letter_sent_on__lte=today, then=Value(Letter.WINDOW_OPEN.value)),
            default=Value(Letter.NOT_SENT.value),
            output_field=CharField(),
        ),
        fact_verified=_true(Q(identity=Patient.Identity.VERIFIED)),
        fact_left=_true(Q(left_on__lte=today)),
        fact_died=_true(Q(died_on__lte=today)),
        fact_permission=Coalesce(F("store_copy__permission"), Value("")),
    )


# What most patients of a practice have in common.
ALIKE_FIELDS = (*FACT_FIELDS, *(field for field in EVIDENCE_FIELDS if field != "consent_event_id"))


def _query(*days: Any) -> QuerySet[Patient, tuple[Any, ...]]:
    patients = annotate(Patient.objects.all(), _ThoseDays(*days))
    return patients.values_list("pk", "consent_event_id", *ALIKE_FIELDS)


_FLAT = Flat(_query)


def flat_rows(patient_ids: Iterable[int], nation: Days) -> list[tuple[Any, ...]]:
    """Of each patient: the id, the consent event's id, and the values of `ALIKE_FIELDS`."""
    return _FLAT.rows(patient_ids, nation.today, nation.letter_weeks)


def _true(condition: Q) -> Coalesce:
    """The condition as a column that is never null: unknown counts as not so."""
    return Coalesce(ExpressionWrapper(condition, output_field=BooleanField()), Value(False))

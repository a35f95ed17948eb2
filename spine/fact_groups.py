"""The facts of many patients, grouped: each distinct combination once, with how many share it.

What a patient brings is grouped in one query; what a practice brings is read once a practice and put to
it here, since a look-up a patient would be most of the cost. The columns are those of `spine.fact_columns`.

Cost: one pass over the patients asked for, joined to what is known of their copies at the store, and
three small queries. A million patients of 6,658 practices took 1.5 s on two quiet cores (`bench/impact.py`).
"""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from django.db.models import Count, FilteredRelation, OuterRef, Q, QuerySet, Subquery

from boycott.models import GpStanceRevision, StanceRevision
from boycott.positions import UNANSWERED, DataScope, GpStance, Position, Stance
from boycott.rules import Place, Revision
from carerecords.models import JobKind, JobState, Patient, Practice
from carerecords.models.upload_job import BUSY_STATES, OPEN_STATES
from spine.fact_codes import apart, code_within, facts_of
from spine.fact_columns import annotate_own
from spine.facts import Nation, asked_of, facts_where
from spine.gate import Decision, Kind, Notice, decide


@dataclass(frozen=True)
class Home:
    """A practice, as the facts of its patients see it. `answer` is None where it gave none."""

    id: int
    name: str
    region_name: str
    place: Place
    is_active: bool
    answer: Stance | None
    rollout_open: bool

    @property
    def stance(self) -> Stance:
        return self.answer or UNANSWERED


@dataclass(frozen=True)
class Group:
    """How many patients of a practice share their own facts, and what is on its way for them.

    `own` is their code (`spine.fact_codes`). Of the patients, `copies` have a summary at the store,
    `waiting` an upload that waits or is held, `in_flight` one that may be on its way.
    """

    home_id: int
    own: int
    patients: int
    copies: int
    waiting: int
    in_flight: int


class Side(NamedTuple):
    """What others than the patient bring to the gate, before a change or after it."""

    stance: Stance
    rollout_open: bool
    asked: frozenset[tuple[Position, DataScope]]
    # None: as the patient's own facts say.
    gp_holds: bool | None = None


def side_of(home: Home, nation: Nation, revisions: Sequence[Revision]) -> Side:
    """What its practice brings, if these revisions stand."""
    return Side(home.stance, home.rollout_open, asked_of(home.place, revisions, nation.at))


class Verdicts:
    """The gate's answers for one state of the nation, asked once for each distinct combination."""

    def __init__(self, nation: Nation, kind: Kind = Kind.UPLOAD, notice: Notice = Notice.LEFT) -> None:
        self._nation, self._kind, self._notice = nation, kind, notice
        self._known: dict[tuple[int, Side], Decision] = {}

    def of(self, own: int, side: Side) -> Decision:
        key = own, side
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._ask(own, side)
        return found

    def _ask(self, own: int, side: Side) -> Decision:
        row = facts_of(own) | {"fact_stance": side.stance, "fact_rollout_open": side.rollout_open}
        if side.gp_holds is not None:
            row["fact_gp_holds"] = side.gp_holds
        facts = facts_where(row, side.asked, self._nation, kind=self._kind, undo_window_open=False)
        return decide(replace(facts, notice=self._notice))


def homes(practices: QuerySet[Practice], today: datetime.date) -> dict[int, Home]:
    """The practices by id, with their answers. One query, an index look-up a practice."""
    answers = StanceRevision.objects.filter(practice=OuterRef("pk")).order_by("-pk").values("stance")[:1]
    rows = practices.annotate(answer=Subquery(answers)).values_list(
        "pk",
        "name",
        "region_name",
        "ods_code",
        "region_code",
        "icb_code",
        "status",
        "answer",
        "goes_live_on",
    )
    return {
        pk: Home(
            pk,
            name,
            region_name,
            Place(ods_code, region_code, icb_code),
            status == Practice.Status.ACTIVE,
            Stance(answer) if answer else None,
            live_on is not None and live_on <= today,
        )
        for pk, name, region_name, ods_code, region_code, icb_code, status, answer, live_on in rows
    }


def groups(patients: QuerySet[Patient], nation: Nation) -> Iterator[Group]:
    """The distinct own facts of these patients, by practice."""
    for whose, number, copies, waiting, in_flight in grouped(patients, nation):
        home_id, own = apart(whose)
        yield Group(home_id, own, number, copies, waiting, in_flight)


def grouped(patients: QuerySet[Patient], nation: Nation) -> QuerySet[Patient, tuple[Any, ...]]:
    """The one query behind `groups`."""
    return (
        annotate_own(patients, nation, Q(usual_gp__in=_holders()))
        .alias(open_upload=_upload(OPEN_STATES), busy_upload=_upload(BUSY_STATES))
        .values_list(code_within("practice_id"))
        .annotate(
            patients=Count("pk"),
            copies=Count("pk", filter=HAS_COPY),
            waiting=Count("open_upload"),
            in_flight=Count("busy_upload"),
        )
        .order_by()
    )


def _upload(states: list[JobState]) -> FilteredRelation:
    """The patient's upload in one of these states: one at most, by constraint, so the join adds no row."""
    return FilteredRelation(
        "upload_jobs", condition=Q(upload_jobs__kind=JobKind.UPLOAD, upload_jobs__state__in=states)
    )


def _holders() -> QuerySet[GpStanceRevision, Any]:
    """The GPs whose last answer holds uploads: worked out once, whatever the number of patients."""
    last = GpStanceRevision.objects.order_by("gp", "-pk").distinct("gp").values("pk")
    return GpStanceRevision.objects.filter(pk__in=last, stance=GpStance.HOLD).values("gp")


HAS_COPY = Q(store_copy__accepted_at__isnull=False, store_copy__is_blank=False)

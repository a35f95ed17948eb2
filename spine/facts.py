"""Loads what the gate looks at. One annotated query serves one patient, a batch and a count.

Cost: one query over the patients' primary keys with two index look-ups a patient (stance of the
practice, stance of the GP), and three small national reads. It grows with the patients asked for,
not with the tables.
"""

import datetime
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.utils import timezone

from boycott.positions import DataScope, Position, Stance
from boycott.queries import standing_revisions
from boycott.rules import Place, Revision, freed_by, next_change, positions_for
from carerecords.many_rows import Flat
from carerecords.models import FactClock, Patient
from carerecords.models.fact_clock import NATIONAL
from consent.codes import ConsentModel, ConsentState
from consent.models import ConsentModelRevision
from spine.fact_columns import ALIKE_FIELDS, flat_rows
from spine.gate import Facts, Kind, Letter, StorePermission
from spine.models import StopRevision

DEFAULT_LETTER_WEEKS = 12


@dataclass(frozen=True)
class Nation:
    """The facts that all patients share, read once a batch."""

    at: datetime.datetime
    revisions: tuple[Revision, ...]
    consent_model: ConsentModel
    consent_model_id: int | None
    letter_weeks: int
    stopped: bool
    stop_id: int | None

    @property
    def today(self) -> datetime.date:
        return timezone.localdate(self.at)


class Loaded(NamedTuple):
    """Facts, the ids they rest on, and when the calendar alone may change them.

    `shared` are the ids that a patient has in common with all who are alike: one object for all of them.
    """

    facts: Facts
    shared: Mapping[str, Any]
    consent_event: int | None
    changes_at: datetime.datetime | None

    @property
    def evidence(self) -> dict[str, Any]:
        return {"consent_event": self.consent_event, **self.shared}


def load_nation(at: datetime.datetime, known_at: datetime.datetime | None = None) -> Nation:
    """National facts in force at a time, as known at a time (default: now, all that is recorded)."""
    models = ConsentModelRevision.objects.filter(effective_from__lte=timezone.localdate(at))
    stops = StopRevision.objects.all()
    revisions = standing_revisions(known_at, since=at if known_at is None else None)
    if known_at is not None:
        models = models.filter(recorded_at__lte=known_at)
        # A stop holds from when it is made: what was stopped later was not stopped yet.
        stops = stops.filter(made_at__lte=min(at, known_at))
        # `Revision.begun` forgives a reader's clock that lags; one who asks about the past has no such lag.
        revisions = [one for one in revisions if one.made_at <= at or one.effective_from <= at]
    model = models.order_by("-effective_from", "-pk").first()
    stop = stops.order_by("-pk").first()
    return Nation(
        at=at,
        revisions=tuple(revisions),
        consent_model=ConsentModel(model.model) if model else ConsentModel.EXPLICIT,
        consent_model_id=model.pk if model else None,
        letter_weeks=model.letter_weeks if model else DEFAULT_LETTER_WEEKS,
        stopped=bool(stop and stop.stopped),
        stop_id=stop.pk if stop else None,
    )


_CLOCKS = Flat(lambda: FactClock.objects.values_list("scope", "number"))


def load_clocks(practice_ids: Collection[int]) -> dict[int, int]:
    """For each practice, the number of the last change of the nation's facts or of its own.

    Read under the fence, so that no change falls between the number and the facts.
    """
    numbers = dict(_CLOCKS.rows([NATIONAL, *practice_ids]))
    nation = numbers.get(NATIONAL, 0)
    return {practice_id: max(nation, numbers.get(practice_id, 0)) for practice_id in practice_ids}


def as_facts(row: Mapping[str, Any], nation: Nation, *, kind: Kind, undo_window_open: bool) -> Facts:
    """The gate's facts from one row of `annotate`, or from one group of such rows."""
    asked = asked_of(_place(row), nation.revisions, nation.at)
    return facts_where(row, asked, nation, kind=kind, undo_window_open=undo_window_open)


def asked_of(
    place: Place, revisions: Sequence[Revision], at: datetime.datetime
) -> frozenset[tuple[Position, DataScope]]:
    """What the positions in force ask of a practice, as the gate sees it."""
    return frozenset(
        (revision.position, revision.data_scope) for revision in positions_for(place, revisions, at)
    )


def facts_where(
    row: Mapping[str, Any],
    asked: frozenset[tuple[Position, DataScope]],
    nation: Nation,
    *,
    kind: Kind,
    undo_window_open: bool,
) -> Facts:
    """The gate's facts from the columns of a row, where the positions for its practice are known."""
    return Facts(
        kind=kind,
        consent=ConsentState(row["consent_state"]),
        consent_model=nation.consent_model,
        letter=Letter(row["fact_letter"]),
        undo_window_open=undo_window_open,
        positions=asked,
        stance=Stance(row["fact_stance"]),
        gp_holds=row["fact_gp_holds"],
        rollout_open=row["fact_rollout_open"],
        identity_verified=row["fact_verified"],
        sensitive=row["is_sensitive"],
        left=row["fact_left"],
        died=row["fact_died"],
        stopped=nation.stopped,
        store_permission=_permission(row["fact_permission"]),
        consent_is_current=row["fact_consent_current"],
        complete=True,
    )


def load_batch(asked: Mapping[int, tuple[Kind, bool]], nation: Nation) -> dict[int, Loaded]:
    """Facts and evidence of many patients in one query.

    `asked` maps a patient's id to what is asked for and whether its undo window is open. Patients who are
    alike in all but their consent event, as most of a practice are, share one `Facts`.
    """
    known: dict[tuple[Any, ...], Loaded] = {}
    found = {}
    for row in flat_rows(asked, nation):
        key, event, values = row[0], row[1], row[2:]
        alike = (asked[key], values)
        one = known.get(alike)
        if one is None:
            named = dict(zip(ALIKE_FIELDS, values, strict=True)) | {"consent_event_id": None}
            one = known[alike] = loaded(named, nation, *asked[key])
        found[key] = Loaded(one.facts, one.shared, event, one.changes_at)
    return found


def load_one(patient: Patient, at: datetime.datetime, *, undo_window_open: bool = False) -> Loaded:
    """Facts and evidence of one patient as they stand."""
    return load_batch({patient.pk: (Kind.UPLOAD, undo_window_open)}, load_nation(at))[patient.pk]


def loaded(row: Mapping[str, Any], nation: Nation, kind: Kind, undo_window_open: bool) -> Loaded:
    """Facts and evidence from one row of `annotate`."""
    facts = as_facts(row, nation, kind=kind, undo_window_open=undo_window_open)
    in_force = positions_for(_place(row), nation.revisions, nation.at)
    shared = {
        "stance": row["fact_stance_id"],
        "gp_stance": row["fact_gp_stance_id"],
        "positions": [revision.id for revision in in_force],
        "dispensations": [one.id for one in freed_by(_place(row), nation.revisions, nation.at)],
        "consent_model": nation.consent_model_id,
        "stop": nation.stop_id,
    }
    return Loaded(facts, shared, row["consent_event_id"], _changes_at(row, nation))


def _changes_at(row: Mapping[str, Any], nation: Nation) -> datetime.datetime | None:
    """The next moment at which the calendar alone may give another answer."""
    place = _place(row)
    days = [row["practice__goes_live_on"], row["consent_changes_on"]]
    if row["letter_sent_on"]:
        days.append(row["letter_sent_on"] + datetime.timedelta(weeks=nation.letter_weeks))
    moments = [_midnight(day) for day in days if day and day > nation.today]
    if policy := next_change(place, nation.revisions, nation.at):
        moments.append(policy)
    return min(moments, default=None)


def _midnight(day: datetime.date) -> datetime.datetime:
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time.min))


def _place(row: Mapping[str, Any]) -> Place:
    return Place(row["practice__ods_code"], row["practice__region_code"], row["practice__icb_code"])


def _permission(value: str) -> StorePermission:
    """Yes is a legacy value and counts as Ask (the API's PartPermissionCode)."""
    if value == "No":
        return StorePermission.REFUSED
    return StorePermission.ALLOWED if value in {"Ask", "Yes"} else StorePermission.NOT_READ

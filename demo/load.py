"""Loads the whole demo in one transaction: a run that dies leaves nothing behind."""

import datetime
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils import timezone

from carerecords import fence
from carerecords.management.commands.import_practices import NATIONAL_LIST
from carerecords.models import Patient, Practice, Registration, SummaryItem, UploadJob, User
from carerecords.practice_import import import_practices
from consent.models import ConsentEvent
from demo import decisions, people, policy, staffing, surveys, writing
from demo.accounts import ACCOUNTS
from demo.places import PLACES, Place

SEED = 2007
# The programme opened the three practices so long ago.
LIVE_FOR = datetime.timedelta(weeks=8)
# First key of an advisory lock of our own: two loads at once take turns.
LOCK = 0xDE30

WRITTEN = [Patient, Practice, Registration, SummaryItem, UploadJob, ConsentEvent, User]

Say = Callable[[str], object]


class PatientsAlready(Exception):
    """There are patients that the demo did not make; it is never mixed with others."""


@dataclass(frozen=True)
class Loaded:
    """What a run did; nothing where the demo was there already."""

    patients: int = 0
    items: int = 0
    events: int = 0
    jobs: int = 0


def is_loaded() -> bool:
    return User.objects.filter(email=ACCOUNTS[0].email).exists()


@transaction.atomic
def load(*, at: datetime.datetime, say: Say, seed: int = SEED, scale: float = 1) -> Loaded:
    """Loads practices, staff, patients, decisions and jobs; a second run does nothing.

    `scale` makes a smaller demo for tests. Raises `PatientsAlready`.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, 0)", [LOCK])
    if is_loaded():
        return Loaded()
    if Patient.objects.exists():
        raise PatientsAlready("There are patients already. The demo is loaded into an empty database only.")
    _import_practices(say)
    practices = [Practice.objects.get(ods_code=place.ods_code) for place in PLACES]
    rosters = staffing.hire(practices, random.Random(f"{seed} staff"))
    numbers = people.nhs_numbers()
    totals = [
        _load_practice(place, practice, roster, numbers, at=at, say=say, seed=seed, scale=scale)
        for place, practice, roster in zip(PLACES, practices, rosters, strict=True)
    ]
    _go_live(practices, at)
    surveys.run_surveys(at, random.Random(f"{seed} surveys"))
    policy.write(at)
    _analyse()
    return _sum(totals)


def _load_practice(
    place: Place,
    practice: Practice,
    roster: staffing.Roster,
    numbers: Iterator[str],
    *,
    at: datetime.datetime,
    say: Say,
    seed: int,
    scale: float,
) -> Loaded:
    today, rng = timezone.localdate(at), random.Random(f"{seed} {place.ods_code}")
    count = round(practice.list_size * scale)
    say(f"Loading {count:,} patients of {practice.name} ...")
    persons = people.people_of(place, practice.postcode, count, rng=rng, today=today, numbers=numbers)
    drafts = decisions.drafts_of(persons, place, rng=rng, today=today)
    ids = writing.patient_ids(persons)
    states = writing.settle(drafts, today)
    writing.write_patients(persons, ids, states, practice, roster, rng)
    writing.write_letters(persons, ids, practice, roster, random.Random(f"{seed} {place.ods_code} letters"))
    events = writing.write_events(drafts, ids, practice, roster)
    items = writing.write_items(persons, ids, rng, today)
    jobs = writing.write_jobs(ids, states, practice, at, rng)
    return Loaded(count, items, events, jobs)


def _import_practices(say: Say) -> None:
    if Practice.objects.filter(ods_code__in=[place.ods_code for place in PLACES]).count() == len(PLACES):
        return
    say("Loading the practices of England ...")
    with NATIONAL_LIST.open(encoding="utf-8-sig", newline="") as lines:
        import_practices(lines)


def _go_live(practices: Sequence[Practice], at: datetime.datetime) -> None:
    day = timezone.localdate(at) - LIVE_FOR
    with fence.changing():
        Practice.objects.filter(pk__in=[practice.pk for practice in practices]).update(goes_live_on=day)


def _analyse() -> None:
    """Tells the planner at once; it would learn of the rows by itself only a minute later."""
    tables = ", ".join(model._meta.db_table for model in WRITTEN)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {tables}")


def _sum(totals: Sequence[Loaded]) -> Loaded:
    return Loaded(
        patients=sum(total.patients for total in totals),
        items=sum(total.items for total in totals),
        events=sum(total.events for total in totals),
        jobs=sum(total.jobs for total in totals),
    )

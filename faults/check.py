"""The one check that every scenario ends in: I1 to I9, from outside, with the violations of each."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql

from faults import invariants, leaks, witness
from faults.site import Site, wait_until

# The longest that work may go on by itself before it is looked at: a lease, a doubt and their sweeps.
QUIET_SECONDS = 60


@dataclass
class Baseline:
    """What may only grow, as it was in the middle: for each table a digest of each row."""

    tables: dict[str, Counter[str]] = field(default_factory=dict)


def baseline(site: Site) -> Baseline:
    """Taken at any moment; what is there by then must be there unchanged at the end."""
    with psycopg.connect(site.database_url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        return Baseline({table: _rows(connection, table) for table in _grow_only(connection)})


def check(site: Site, before: Baseline) -> dict[str, list[str]]:
    """The violations of each invariant, once everything is at rest."""
    from spine.sending.pipeline import lease

    seen = witness.look(site.database_url, site.base_url, lease())
    found = invariants.check(seen)
    found["I5"] += _by_the_product()
    found["I7"] = list(_changed(site, before))
    found["I8"] = list(_reports_off(seen))
    found["I9"] = leaks.find(site)
    return found


def come_to_rest(seconds: float = QUIET_SECONDS) -> float:
    """Waits until no job is due, on its way or in doubt; returns how long that took."""
    from django.utils import timezone

    from carerecords.models import UploadJob

    def busy() -> bool:
        jobs = UploadJob.objects.filter(finished_at=None)
        return (
            jobs.filter(state__in=["SENDING", "IN_DOUBT"]).exists()
            or jobs.filter(state="WAITING", due_at__lte=timezone.now()).exists()
        )

    try:
        return wait_until(lambda: not busy(), seconds, "everything at rest", every=0.1)
    except AssertionError:
        # What is still under way is a violation of I6, which the check names.
        return seconds


def _by_the_product() -> list[str]:
    """`manage.py reconcile`, which a user would run, must find as little."""
    from django.conf import settings

    from spine.uploads.ledger import compare

    address = settings.SPINE_BASE_URL.partition("/summary-care-record")[0] + "/ledger"
    return [f"reconcile: {one.count} {one.sentence}" for one in compare(address).differences]


def _grow_only(connection: psycopg.Connection[Any]) -> list[str]:
    found = connection.execute(
        "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'append_only' ORDER BY 1"
    )
    return [table for (table,) in found.fetchall()]


def _rows(connection: psycopg.Connection[Any], table: str) -> Counter[str]:
    query = sql.SQL("SELECT md5(t::text) FROM {} AS t").format(sql.Identifier(table))
    return Counter(digest for (digest,) in connection.execute(query).fetchall())


def _changed(site: Site, before: Baseline) -> Any:
    """Rows that are not what they were, and statements that PostgreSQL should have refused."""
    with psycopg.connect(site.database_url, autocommit=True) as connection:
        for table, rows in before.tables.items():
            if gone := (rows - _rows(connection, table)).total():
                yield f"{table}: {gone} rows that were there are gone or changed"
        for table in _grow_only(connection):
            for statement in ("UPDATE {} SET id = id", "DELETE FROM {}", "TRUNCATE {} CASCADE"):
                if _is_taken(connection, sql.SQL(statement).format(sql.Identifier(table)), table):
                    yield f"{statement.format(table)} was not refused"


def _is_taken(connection: psycopg.Connection[Any], statement: sql.Composed, table: str) -> bool:
    """Whether PostgreSQL takes a statement that it must refuse; it is rolled back. Rows are needed to tell."""
    some = connection.execute(sql.SQL("SELECT 1 FROM {} LIMIT 1").format(sql.Identifier(table))).fetchone()
    if some is None:
        return False
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(statement)
    except psycopg.errors.RestrictViolation:
        return False
    return True


def _reports_off(seen: witness.Seen) -> Any:
    """What the reports say, against a count of the rows that the witness read."""
    from django.utils import timezone

    from carerecords.models import Practice
    from reports.coverage import coverage
    from reports.practice_figures import figures_of

    readable = [copy for copy in seen.copies.values() if copy.accepted_at and not copy.is_blank]
    told = coverage()
    if (told.uploaded, told.patients) != (len(readable), len(seen.patients)):
        yield f"coverage says {told.uploaded} of {told.patients}, counted {len(readable)} of {len(seen.patients)}"
    of_patient = {patient.id: patient for patient in seen.patients.values()}
    for practice in Practice.objects.filter(pk__in={one.practice_id for one in of_patient.values()}):
        here = [one for one in of_patient.values() if one.practice_id == practice.pk]
        decided = sum(invariants.has_decided(seen, one.id) for one in here)
        figures = figures_of(practice, timezone.localdate())
        if (figures.patients, figures.decided) != (len(here), decided):
            yield f"practice {practice.pk}: {figures.decided} of {figures.patients} decided, counted {decided} of {len(here)}"
        held = Counter(
            job.reasons[0]
            for job in seen.jobs.values()
            if job.state == "HELD" and job.practice_id == practice.pk
        )
        if sum(one.number for one in figures.blocked) != held.total():
            yield f"practice {practice.pk}: blocked {[one.number for one in figures.blocked]}, counted {dict(held)}"
        there = [copy for copy in readable if of_patient[copy.patient_id].practice_id == practice.pk]
        if figures.copies[0].number != len(there):
            yield f"practice {practice.pk}: {figures.copies[0].number} summaries, counted {len(there)}"
    for patient in of_patient.values():
        if patient.consent_state != invariants.state_of(seen, patient.id):
            yield f"record {patient.id}: state {patient.consent_state} is not what its decisions say"

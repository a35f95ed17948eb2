"""`python -m bench.scale [JOBS]`: a million uploads from being asked for to their receipts; about a quarter of an hour.

Prints what `docs/scale.md` tells: how fast jobs are asked for and sent from the first to the last, what they leave
in the database, what the senders' memory does, and how long a stop takes with so many waiting. No ratio and no
goal, so it is not one of the benchmarks. Exit code 1 if a job was not sent exactly once.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench import harness, serving
from bench.harness import sql

JOBS = 1_000_000
SENDERS = 2
STEPS = 20
# Nothing arrives for so long: something is wrong.
STALLED_SECONDS = 60

# Everybody consents and was told; the practices are live, follow nobody, and have their real proportions.
_PATIENTS = """
INSERT INTO carerecords_patient (public_id, practice_id, usual_gp_id, nhs_number, title, given_name, family_name,
    preferred_name, born_on, gender, address, postcode, identity, is_sensitive, registered_on,
    consent_state, consent_source, consent_decided_on)
SELECT gen_random_uuid(), practice.id, gps.ids[1 + n %% cardinality(gps.ids)],
    lpad((row_number() OVER ())::text, 10, '0'), '', 'Given', 'Family' || n, '', DATE '1950-01-01' + n %% 20000,
    'FEMALE', '', '', 'VERIFIED', false, DATE '2015-03-02', 'EXPRESS_CORE', 'FORM', DATE '2020-03-02'
FROM carerecords_practice AS practice, (SELECT array_agg(id ORDER BY id) AS ids FROM carerecords_user) AS gps,
    generate_series(1, ceil(practice.list_size * %(patients)s::float
        / (SELECT sum(list_size) FROM carerecords_practice))::int) AS n
"""
_SIZES = """
SELECT relname, pg_table_size(oid), pg_indexes_size(oid), greatest(reltuples, 0)::bigint FROM pg_class
WHERE relkind = 'r' AND relname = ANY(ARRAY['carerecords_patient', 'carerecords_uploadjob', 'spine_gatedecision',
    'spine_uploadattempt', 'spine_receipt', 'spine_storecopy']) ORDER BY relname
"""
# One receipt that says so for each job that was accepted, one decision to send and one intent before it.
_NOT_ONCE = """
SELECT count(*) FROM carerecords_uploadjob AS job
WHERE state = 'ACCEPTED' AND (SELECT count(*) FROM spine_receipt AS receipt
                              WHERE receipt.job_id = job.id AND receipt.kind = 'ACCEPTED') <> 1
   OR state = 'ACCEPTED' AND NOT EXISTS (SELECT 1 FROM spine_uploadattempt AS intent WHERE intent.job_id = job.id)
   OR state = 'ACCEPTED' AND NOT EXISTS (SELECT 1 FROM spine_gatedecision AS decision
                                         WHERE decision.job_id = job.id AND decision.outcome = 'SEND')
"""


def main() -> int:
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else JOBS
    with harness.database(), serving.slow_store(0) as address:
        from bench import population

        population.make()
        populate(jobs)
        before = _wal()
        asked = ask()
        print(
            f"asked for: {asked[0]:,} jobs in {asked[1]:.0f} s, {asked[0] / asked[1]:,.0f} a second",
            flush=True,
        )
        print(f"a stop and its end with {asked[0]:,} waiting: {_stopped() * 1e3:.0f} ms", flush=True)
        took = _drained(address, asked[0])
        sent = _accepted()
        print(f"sent: {sent:,} in {took:.0f} s, {sent / took:,.0f} a second; {serving.load()}")
        print(f"written to the log of PostgreSQL: {(_wal() - before) / sent:,.0f} bytes a job")
        _tell_sizes()
        return _checked(address, asked[0], sent)


def populate(jobs: int) -> None:
    """So many patients of all practices, whose uploads may all go, and none that waits."""
    sql(
        "UPDATE carerecords_uploadjob SET state = 'CANCELLED', due_at = NULL, finished_at = now(), lease_until = NULL "
        "WHERE finished_at IS NULL"
    )
    began = time.perf_counter()
    sql(_PATIENTS, patients=jobs)
    sql("UPDATE carerecords_practice SET goes_live_on = DATE '2020-01-06'")
    for table in ("carerecords_patient", "carerecords_uploadjob", "carerecords_practice"):
        sql(f"VACUUM ANALYZE {table}")
    print(f"made: {jobs:,} patients in {time.perf_counter() - began:.0f} s", flush=True)


def ask(most: int | None = None) -> tuple[int, float]:
    """An upload asked for of each of those patients, or of so many; how many, and the seconds."""
    from django.db import transaction
    from django.utils import timezone

    from carerecords import upload_queue
    from carerecords.models import Cause, Patient

    at, count = timezone.now(), 0
    ids = list(
        Patient.objects.filter(given_name="Given", family_name__startswith="Family")
        .order_by("pk")
        .values_list("pk", flat=True)[:most]
    )
    began = time.perf_counter()
    for start in range(0, len(ids), 10_000):
        chunk = ids[start : start + 10_000]
        with transaction.atomic():
            upload_queue.request_uploads(chunk, cause=Cause.UPDATE, by=None, at=at, not_before=at)
        count += len(chunk)
    return count, time.perf_counter() - began


def _stopped() -> float:
    """Seconds until all uploads are stopped, with nobody sending."""
    from bench.switches import Switchers

    admins = Switchers()
    stop = admins.stop()
    admins.resume()
    return float(stop.committed - stop.asked)


def _drained(address: str, jobs: int) -> float:
    """Seconds until nothing waits any more; tells on the way how fast it goes, and what the senders hold."""
    began = last = moved = time.perf_counter()
    told = before = 0
    with _senders(address) as senders:
        while True:
            time.sleep(1)
            # Cheap to ask, unlike a count of what waits.
            done, now = _messages(address), time.perf_counter()
            if done > before:
                before, moved = done, now
            if done - told >= jobs / STEPS or done >= jobs:
                rate = (done - told) / (now - last)
                memory = " and ".join(f"{_resident(each.pid) >> 20}" for each in senders)
                print(f"  {done:>9,} sent; {rate:,.0f} a second; senders hold {memory} MiB", flush=True)
                told, last = done, now
            if done >= jobs or now - moved > STALLED_SECONDS:
                break
        _until_written()
    return time.perf_counter() - began


def _until_written() -> None:
    """The last receipts are in the database a moment after the last message arrived."""
    from carerecords.models import UploadJob

    while UploadJob.objects.filter(state="SENDING").exists():
        time.sleep(0.1)


@contextmanager
def _senders(address: str) -> Iterator[Sequence["subprocess.Popen[str]"]]:
    environment = os.environ | {"SPINE_BASE_URL": address, "SPINE_REQUESTS_PER_SECOND": "0"}
    command, pipe = [sys.executable, "-m", "bench.sender"], subprocess.PIPE
    senders = [
        subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment, cwd=serving.PROJECT)
        for _ in range(SENDERS)
    ]
    try:
        for each in senders:
            assert each.stdout is not None
            each.stdout.readline()
        yield senders
        for each in senders:
            each.communicate("stop\n", timeout=120)
    finally:
        for each in senders:
            each.kill()
            each.wait()


def _messages(address: str) -> int:
    with urllib.request.urlopen(f"{address}/count") as answer:
        return int(json.load(answer))


def _resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _accepted() -> int:
    from carerecords.models import UploadJob

    return int(UploadJob.objects.filter(state="ACCEPTED", cause="UPDATE").count())


def _wal() -> int:
    return int(_one("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"))


def _tell_sizes() -> None:
    from django.db import connection

    sql("ANALYZE")
    with connection.cursor() as cursor:
        cursor.execute(_SIZES)
        for name, table, indexes, rows in cursor.fetchall():
            print(f"  {name}: {rows:,} rows, {table >> 20:,} MiB and {indexes >> 20:,} MiB of indexes")


def _checked(address: str, jobs: int, sent: int) -> int:
    wrong, messages = int(_one(_NOT_ONCE)), _messages(address)
    print(f"{jobs:,} asked for, {sent:,} accepted, {messages:,} arrived, {wrong} not exactly once")
    return 0 if jobs == sent == messages and not wrong else 1


def _one(question: str) -> Any:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(question)
        return cursor.fetchone()[0]


if __name__ == "__main__":
    sys.exit(main())

"""The queue's length and pace, read from real rows: whose turn it is, what counts, what is never read."""

import datetime
import re

import pytest
from django.db import connection
from django.utils import timezone

from boycott.positions import Stance
from carerecords.models import FactClock, JobKind, JobState, UploadJob
from spine.models import Receipt
from spine.sending import claims
from spine.uploads import backlog
from spine.uploads.outlook import Known
from tests.factories import decide, make_patient, make_practice
from tests.integration.spine.test_claim_cost import many_jobs  # noqa: F401 - a fixture
from tests.policy_factories import answer, start_boycott

pytestmark = pytest.mark.django_db
MINUTE = datetime.timedelta(minutes=1)


def due(practice, number, *, ago=MINUTE, **fields):
    """So many jobs of a practice that have been due for a time."""
    jobs = [decide(make_patient(practice)).job for _ in range(number)]
    values = {"due_at": timezone.now() - ago, "reasons": []} | fields
    UploadJob.objects.filter(pk__in=[job.pk for job in jobs]).update(**values)
    return jobs


def received(number, *, ago, kind="ACCEPTED", job=None):
    job = job or due(make_practice(), 1, state=JobState.CANCELLED, due_at=None, finished_at=timezone.now())[0]
    at = timezone.now() - ago
    Receipt.objects.bulk_create(Receipt(job=job, attempt=1, at=at, kind=kind) for _ in range(number))


class TestPlace:
    """A practice's last message goes after as many of each other practice as it has itself."""

    def test_as_the_claims_take_turns(self):
        large, mine, small = make_practice(), make_practice(), make_practice()
        due(large, 9, ago=9 * MINUTE)
        due(mine, 3)
        due(small, 1)
        [removal] = due(large, 1)
        UploadJob.objects.filter(pk=removal.pk).update(kind=JobKind.WITHDRAWAL)
        queue, _ = backlog.outlook_of(mine, timezone.now())
        assert (queue.due, queue.before) == (3, 1 + 3 + 3 + 1)
        taken = []
        while sum(job.practice_id == mine.pk for job in taken) < 3:
            taken += claims.claim(limit=1, now=timezone.now(), lease=MINUTE)
        assert queue.before - 2 <= len(taken) <= queue.before, "The others' last turn may come after mine."

    def test_what_is_not_due_is_told_apart(self, practice):
        due(practice, 2, ago=-60 * MINUTE)
        due(practice, 4, state=JobState.HELD, due_at=None)
        queue, outlook = backlog.outlook_of(practice, timezone.now())
        assert (queue.due, queue.before, queue.later, queue.held) == (0, 0, 2, 4)
        assert outlook.known is Known.LATER

    def test_what_its_paused_run_keeps(self, practice):
        due(practice, 3, due_at=None, reasons=["job.paused"])
        due(make_practice(), 2, due_at=None, reasons=["job.paused"])
        queue, outlook = backlog.outlook_of(practice, timezone.now())
        assert (queue.due, queue.later, queue.held, queue.paused) == (0, 0, 0, 3)
        assert outlook.known is Known.PAUSED
        due(practice, 1)
        queue, _ = backlog.outlook_of(practice, timezone.now())
        assert (queue.due, queue.before, queue.paused) == (1, 1, 3)
        assert backlog.outlook_of_nation(timezone.now())[0].paused == 5

    def test_the_page_tells_what_is_due_now_and_what_is_due_later(self, client, manager, practice):
        client.force_login(manager)
        due(practice, 3, ago=-60 * MINUTE)
        html = client.get("/uploads/").content.decode()
        assert "3 messages wait for the time when they are due." in html and "more message" not in html
        due(practice, 2)
        due(make_practice(), 1, ago=2 * MINUTE)
        html = client.get("/uploads/").content.decode()
        assert "2 messages are due now." in html and "3 messages leave until the last of these." in html
        assert "3 more messages are due later, the next on" in html

    def test_own_removals_go_first(self, practice):
        due(make_practice(), 2)
        due(practice, 1, kind=JobKind.WITHDRAWAL)
        queue, _ = backlog.outlook_of(practice, timezone.now())
        assert (queue.due, queue.before) == (1, 1)


class TestPace:
    def test_only_what_left_the_queue_since_something_was_due(self):
        received(50, ago=40 * MINUTE)
        received(60, ago=5 * MINUTE)
        received(30, ago=5 * MINUTE, kind="NOT_SENT")
        received(30, ago=5 * MINUTE, kind="TRANSIENT")
        received(6, ago=1 * MINUTE, kind="UNCHANGED")
        now = timezone.now()
        pace = backlog.measure(now - 12 * MINUTE, now)
        assert pace.parts == [0, 0, 0, 60, 0, 6]
        assert round(pace.a_minute, 1) == 5.5 and pace.span == "in the last 12 minutes"

    def test_never_further_back_than_an_hour(self):
        received(50, ago=61 * MINUTE)
        now = timezone.now()
        pace = backlog.measure(now - 600 * MINUTE, now)
        assert pace.done == 0 and pace.span == "in the last hour"

    def test_many_receipts_make_the_time_shorter(self, monkeypatch):
        monkeypatch.setattr(backlog, "MOST_RECEIPTS", 20)
        received(30, ago=20 * MINUTE)
        received(15, ago=4 * MINUTE)
        received(5, ago=2 * MINUTE)
        now = timezone.now()
        pace = backlog.measure(now - 60 * MINUTE, now)
        assert pace.done == 20 and round(pace.minutes) == 4

    def test_nothing_due_has_no_pace(self):
        received(50, ago=MINUTE)
        assert backlog.measure(None, timezone.now()) is None

    def test_a_stop_has_no_pace_though_removals_went(self, practice):
        FactClock.objects.update_or_create(
            scope=0, defaults={"number": 1, "changed_at": timezone.now() - 120 * MINUTE}
        )
        due(practice, 3, state=JobState.HELD, due_at=None)
        received(50, ago=MINUTE)
        assert backlog.pace_now(timezone.now()) is None

    def test_a_practice_is_told_a_range(self, practice, settings):
        settings.SPINE_REQUESTS_PER_SECOND = 5
        due(practice, 40, ago=6.5 * MINUTE)
        for part in range(6):
            received(10, ago=(part + 0.5) * MINUTE)
        _, outlook = backlog.outlook_of(practice, timezone.now())
        assert outlook.known is Known.RANGE
        assert "minutes" in outlook.sentence and "in the last 7 minutes" in outlook.sentence

    def test_not_before_the_end_of_what_held_it(self, practice, settings):
        """What was held for a month is sent from the moment when its practice let it go."""
        settings.SPINE_REQUESTS_PER_SECOND = 5
        due(practice, 40, ago=60 * 24 * 30 * MINUTE)
        received(2, ago=50 * MINUTE)
        for part in range(6):
            received(10, ago=(part + 0.5) * MINUTE)
        for scope in (0, practice.pk):
            FactClock.objects.all().delete()
            FactClock.objects.create(scope=scope, number=7, changed_at=timezone.now() - 6.5 * MINUTE)
            assert "in the last 7 minutes" in backlog.outlook_of(practice, timezone.now())[1].sentence
            assert "in the last 7 minutes" in backlog.outlook_of_nation(timezone.now())[2].sentence


class TestNation:
    def test_what_the_gate_lets_go(self):
        following, independent = make_practice(), make_practice()
        answer(independent, Stance.DO_NOT_FOLLOW)
        due(following, 3)
        due(independent, 2)
        due(independent, 4, ago=-MINUTE)
        due(following, 1, kind=JobKind.WITHDRAWAL)
        assert backlog.outlook_of_nation(timezone.now())[0].due == 6
        start_boycott()
        queue, _, outlook = backlog.outlook_of_nation(timezone.now())
        assert (queue.due, queue.later) == (3, 4), "Removals go on."
        assert outlook.known in {Known.NOT_MEASURED, Known.IDLE}

    def test_notices_count_for_the_nation_and_delay_no_practice(self, practice):
        due(practice, 2)
        due(make_practice(), 3, kind=JobKind.NOTICE)
        assert backlog.outlook_of_nation(timezone.now())[0].due == 5
        assert backlog.outlook_of(practice, timezone.now())[0].before == 2

    def test_what_was_held_before_a_change_counts(self):
        following = make_practice()
        due(following, 3, state=JobState.HELD, due_at=None, clock_seen=0)
        independent = make_practice()
        answer(independent, Stance.DO_NOT_FOLLOW)
        due(independent, 2, state=JobState.HELD, due_at=None, clock_seen=0)
        start_boycott()
        assert backlog.may_go(timezone.now()) == 2

    def test_the_page(self, client, national_admin, settings):
        settings.SPINE_REQUESTS_PER_SECOND = 5
        client.force_login(national_admin)
        due(make_practice(), 2)
        empty = client.get("/reports/sending/").content.decode()
        assert "2 messages may go now." in empty and "Nothing was sent" in empty
        assert "At most 150 messages" in empty
        assert "Waits because its run is paused" in empty
        for part in range(6):
            received(3, ago=(part * 10 + 5) * MINUTE)
        UploadJob.objects.filter(state="WAITING").update(due_at=timezone.now() - 60 * MINUTE)
        html = client.get("/reports/sending/").content.decode()
        assert "Done in about 7 minutes" in html
        assert html.count("<rect") == 6 and "Under 1 in the last hour" in html

    def test_queries(self, practice, django_assert_max_num_queries):
        for _ in range(3):
            due(make_practice(), 2)
        with django_assert_max_num_queries(9):
            backlog.outlook_of_nation(timezone.now())
        with django_assert_max_num_queries(3):
            backlog.outlook_of(practice, timezone.now())


class TestCost:
    def test_a_place_is_found_along_the_index(self, many_jobs):
        plan = plan_of(backlog._PLACE, {"own": 7, "now": timezone.now()})
        assert "Seq Scan on carerecords_uploadjob" not in plan, plan
        assert rows_read(plan) <= 7 + 3, plan

    def test_the_pace_reads_the_newest_receipts_only(self, many_jobs):
        job = UploadJob.objects.order_by("pk").first()
        now = timezone.now()
        Receipt.objects.bulk_create(
            Receipt(job=job, attempt=n, at=now - n * datetime.timedelta(seconds=1), kind="ACCEPTED")
            for n in range(12_000, 0, -1)
        )
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE spine_receipt")
        values = {
            "since": now - 60 * MINUTE,
            "until": now,
            "parts": 6,
            "done": list(backlog.DONE),
            "most": 900,
        }
        plan = plan_of(backlog._PACE, values)
        assert re.search(
            r"Index Scan Backward using spine_receipt_pkey on spine_receipt \(actual.* rows=900\b", plan
        ), plan
        assert "Seq Scan" not in plan, plan


def plan_of(query, values):
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {query}", values)
        return "\n".join(line for (line,) in cursor.fetchall())


def rows_read(plan):
    found = re.findall(
        r"using uploadjob_due\w* on carerecords_uploadjob(?: \w+)? \(actual.* rows=(\d+)\S* loops=(\d+)", plan
    )
    assert found, plan
    return sum(int(rows) * int(loops) for rows, loops in found)

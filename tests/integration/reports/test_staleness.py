"""Copies out of date: the report counts what the patient's own page says, and names no few."""

import csv
import dataclasses
import datetime
import random
import uuid

import pytest
from django.db import connection
from django.utils import timezone

from carerecords.models import AccessEvent, Patient, UploadJob
from carerecords.small_numbers import suppressed_in_column
from reports.staleness import NAMES, Tally, Why, staleness, statement
from reports.staleness_tables import lines
from spine.models import StoreCopy
from spine.reasons import Reason
from spine.sending.outgoing import NOTICE_HASH
from spine.uploads.copy_age import copy_age, months_before
from tests.factories import decide, make_item, make_list, make_patient, make_practice

pytestmark = pytest.mark.django_db
PAGE, CSV = "/reports/staleness/", "/reports/staleness.csv"
DAY = datetime.timedelta(days=1)


def copied(patient, *, days=100, **fields):
    """The patient has a copy that was sent so many days ago."""
    defaults = {"scope": "CORE", "accepted_at": timezone.now() - days * DAY}
    return StoreCopy.objects.create(patient=patient, **defaults | fields)


def item(patient, kind="ALLERGY", *, days, **fields):
    return make_item(patient, kind=kind, recorded_on=timezone.localdate() - days * DAY, **fields)


def job(patient, state, *codes, days=50):
    made = decide(patient).job
    finished = timezone.now() - days * DAY if state == "FAILED" else None
    due = timezone.now() if state == "WAITING" else None
    UploadJob.objects.filter(pk=made.pk).update(
        state=state, reasons=list(codes), finished_at=finished, due_at=due
    )


def of(practice):
    return staleness(practice, timezone.now())


class TestWhatCounts:
    """One patient each, and what their copy is."""

    def case(self, practice, **fields):
        patient = make_patient(practice)
        copied(patient, **fields)
        return patient

    def test_nothing_happened_since(self, practice):
        item(self.case(practice), days=200)
        assert of(practice).all == Tally(1, 0, 0, 0, 0)

    @pytest.mark.parametrize(
        ("state", "codes", "why"),
        [
            ("HELD", ["policy.bma", "policy.gp"], Reason.POLICY_BMA),
            ("HELD", [], Why.UNKNOWN),
            ("WAITING", ["tech.turn"], Why.WAITING),
            ("FAILED", ["tech.too_large"], Reason.TECH_TOO_LARGE),
        ],
    )
    def test_an_upload_that_would_replace_it(self, practice, state, codes, why):
        patient = self.case(practice)
        item(patient, days=200)
        item(patient, "REPEAT_MEDICATION", days=200)
        job(patient, state, *codes)
        found = of(practice)
        assert found.all == Tally(1, 1, 1, 1, 0)
        assert dict(found.whys) == {why: found.all}

    def test_one_that_says_so_itself(self, practice):
        patient = self.case(practice, content_hash=f"{NOTICE_HASH} {uuid.uuid4()}")
        job(patient, "HELD", "policy.bma")
        assert of(practice).all == Tally(1, 1, noted=1)
        said = copy_age(patient.store_copy, timezone.localdate()).words
        assert said.endswith("Out of date: a newer one is held. It says that it is kept up no more.")

    def test_what_failed_before_it_was_sent_is_over(self, practice):
        job(self.case(practice), "FAILED", "tech.failed", days=150)
        assert of(practice).all.stale == 0

    def test_an_entry_that_began_since(self, practice):
        patient = self.case(practice)
        item(patient, days=99)
        found = of(practice)
        assert found.all == Tally(1, 1, 0, 0, 1), "It carries none, and lacks the new one."
        assert list(found.whys) == [Why.NOT_ASKED]

    def test_an_entry_that_ended_since(self, practice):
        item(self.case(practice), "REPEAT_MEDICATION", days=200, ended_on=timezone.localdate() - 3 * DAY)
        assert of(practice).all == Tally(1, 1, 0, 1, 1)

    @pytest.mark.parametrize(
        "entry",
        [
            {"days": 100},
            {"days": 99, "is_sensitive": True},
            {"days": 200, "ended_on": timezone.localdate() - 150 * DAY},
            {"days": 200, "ended_on": timezone.localdate() + DAY},
        ],
        ids=["of the same day", "sensitive", "ended before", "ends later"],
    )
    def test_an_entry_that_changes_nothing(self, practice, entry):
        item(self.case(practice), **entry)
        assert of(practice).all.stale == 0

    @pytest.mark.parametrize(
        ("copy", "patient"),
        [
            ({"is_blank": True}, {}),
            ({"accepted_at": None}, {}),
            ({}, {"left_on": timezone.localdate()}),
            ({}, {"died_on": timezone.localdate()}),
        ],
        ids=["blank", "never sent", "left", "died"],
    )
    def test_what_is_no_copy_of_theirs(self, practice, copy, patient):
        one = self.case(practice, **copy)
        Patient.objects.filter(pk=one.pk).update(**patient)
        assert of(practice).all.copies == 0

    def test_bands_by_whole_months(self, practice):
        today = timezone.localdate()
        for months in (1, 3, 6, 12):
            for day in (months_before(today, months), months_before(today, months) + DAY):
                at = timezone.make_aware(datetime.datetime.combine(day, datetime.time(12)))
                copied(make_patient(practice), accepted_at=at)
        assert [tally.copies for tally in of(practice).bands.values()] == [1, 2, 2, 2, 1]


def test_the_report_counts_what_each_patients_page_says(practice):
    """A random population, one by one and in one statement."""
    chance = random.Random(20070627)
    for patient in make_list(practice, 60):
        if chance.random() < 0.8:
            copied(patient, days=chance.randrange(1, 400), is_blank=chance.random() < 0.1)
        for _ in range(chance.randrange(3)):
            kind = chance.choice(["ALLERGY", "REPEAT_MEDICATION", "DIAGNOSIS"])
            ended = timezone.localdate() - chance.randrange(-20, 300) * DAY if chance.random() < 0.3 else None
            item(patient, kind, days=chance.randrange(1, 500), ended_on=ended)
        if chance.random() < 0.3:
            job(patient, *chance.choice([("HELD", "policy.bma"), ("WAITING",), ("FAILED", "tech.failed")]))
    today = timezone.localdate()
    ages = [copy_age(copy, today) for copy in StoreCopy.objects.all()]
    one_by_one = [age for age in ages if age is not None]
    found = of(practice)
    assert (found.all.copies, found.all.stale) == (
        len(one_by_one),
        sum(bool(age.because) for age in one_by_one),
    )
    assert found.all.stale > 10
    assert sum(found.whys.values(), Tally()).stale == found.all.stale


class TestPractice:
    def test_their_own_and_every_figure(self, client, staff, practice):
        for _ in range(2):
            patient = make_patient(practice)
            copied(patient, days=400)
            item(patient, days=500)
            job(patient, "HELD", "policy.bma")
        stranger = make_patient(make_practice())
        copied(stranger)
        client.force_login(staff)
        html = client.get(PAGE).content.decode()
        assert "2 of 2 copies are out of date (100%)." in html and "Not shown" not in html
        assert "2 carry allergies" in html and "/uploads/?state=HELD&amp;reason=policy.bma" in html
        rows = list(csv.reader(_text(client.get(CSV)).splitlines()))
        assert ["Age", "Over 1 year", "2", "2", "2", "0", "0", "0"] in rows
        assert AccessEvent.objects.filter(kind=AccessEvent.Kind.EXPORTED).count() == 1

    def test_nothing_there(self, client, gp):
        client.force_login(gp)
        assert "No copy that was sent from here is on the Spine." in client.get(PAGE).content.decode()

    def test_the_patients_page_and_the_uploads_page_say_it(self, client, gp, practice):
        patient = make_patient(practice, usual_gp=gp)
        copied(patient, days=70)
        job(patient, "HELD", "policy.bma")
        client.force_login(gp)
        for address in (f"/patients/{patient.public_id}/", f"/uploads/{UploadJob.objects.get().public_id}/"):
            html = client.get(address).content.decode()
            assert "Sent 2 months ago. Out of date: a newer one is held." in html


class TestNation:
    @pytest.fixture
    def country(self):
        """Practices of two regions with 3 to 30 copies, some out of date."""
        for number, (region, copies, stale) in enumerate(
            [
                ("London", 30, 12),
                ("London", 20, 8),
                ("London", 9, 2),
                ("South West", 25, 6),
                ("South West", 3, 0),
            ]
        ):
            where = make_practice(region_name=region, name=f"=Surgery {number}", region_code=region[:3])
            for place, patient in enumerate(make_list(where, copies)):
                copied(patient)
                if place < stale:
                    item(patient, days=5)

    def test_few_are_not_told(self, client, national_admin, country):
        client.force_login(national_admin)
        html = client.get(PAGE).content.decode()
        assert "28 of 87 copies are out of date (32%)." in html
        assert "=Surgery 0" in html and "Practices with most copies out of date" in html
        rows = {row[1]: row for row in csv.reader(_text(client.get(CSV)).splitlines()) if len(row) > 3}
        assert rows["'=Surgery 0"][3:5] == ["30", "12"]
        assert rows["'=Surgery 2"][4] == "Not shown"
        assert rows["'=Surgery 4"][3] == "Not shown"
        assert "Not shown" in {rows["'=Surgery 3"][4], rows["'=Surgery 1"][4]}, "Or the total gives it away."

    def test_one_query(self, country, django_assert_num_queries):
        with django_assert_num_queries(1):
            staleness(None, timezone.now())

    def test_regions_add_up(self, country):
        found = staleness(None, timezone.now())
        assert sum(found.practices.values(), Tally()) == sum(found.cells.values(), Tally()) == found.all

    def test_the_page_costs_the_same_for_more_practices(self, client, auditor, django_assert_max_num_queries):
        client.force_login(auditor)
        for _ in range(8):
            copied(make_patient(make_practice()))
        with django_assert_max_num_queries(9):
            client.get(PAGE)


@pytest.mark.parametrize(
    ("column", "hidden"),
    [
        ({"a": (0, 9), "b": (9, 20)}, set()),
        ({"a": (3, 9), "b": (9, 20), "c": (7, 20)}, {"a", "c"}),
        ({"a": (3, 9), "b": (2, 20), "c": (7, 20)}, {"a", "b"}),
        ({"a": (1, 9), "b": (1, 20), "c": (7, 20)}, {"a", "b", "c"}),
        ({"a": (18, 20), "b": (9, 20), "c": (7, 20)}, {"a", "c"}),
        ({"a": (3, 9)}, {"a"}),
    ],
)
def test_a_column_gives_nobody_away(column, hidden):
    assert suppressed_in_column(column) == hidden


def test_of_ones_own_practice_nothing_is_left_out():
    assert lines({"a": Tally(3, 2, 1, 1, 1)}, own=True)["a"].stale == 2
    assert lines({"a": Tally(3, 2, 1, 1, 1)}, own=False)["a"].copies is None


def test_of_others_no_figure_of_a_few_is_shown():
    few = Tally(**dict.fromkeys(NAMES, 3))
    assert set(dataclasses.asdict(lines({"a": few}, own=False)["a"]).values()) == {None}


def test_one_practice_is_read_along_indexes():
    """One of 40 patients beside 20,000 others, all with copies and two entries."""
    small, _ = make_practice(), make_practice()
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO carerecords_patient (public_id, practice_id, nhs_number, title, given_name, family_name,
                preferred_name, born_on, gender, address, postcode, identity, is_sensitive, registered_on)
            SELECT gen_random_uuid(), practice.id, '8' || lpad((row_number() OVER ())::text, 9, '0'), '', 'G', 'F', '',
                DATE '1950-01-01', 'FEMALE', '', '', 'VERIFIED', false, DATE '2015-03-02'
            FROM carerecords_practice AS practice,
                generate_series(1, CASE WHEN practice.id = %s THEN 40 ELSE 20000 END)""",
            [small.pk],
        )
        cursor.execute(
            """INSERT INTO spine_storecopy (patient_id, composition_id, content_hash, scope, is_blank, permission, accepted_at)
            SELECT id, '', '', 'CORE', false, 'Ask', now() FROM carerecords_patient"""
        )
        cursor.execute(
            """INSERT INTO carerecords_summaryitem (patient_id, kind, code, term, detail, recorded_on, is_sensitive)
            SELECT id, 'ALLERGY', '', 'Penicillin', '', current_date, false
            FROM carerecords_patient, generate_series(1, 2)"""
        )
        cursor.execute(
            """INSERT INTO carerecords_uploadjob (public_id, patient_id, practice_id, kind, state, cause, headline,
                requested_at, reasons, finished_at)
            SELECT gen_random_uuid(), id, practice_id, 'UPLOAD', CASE WHEN id % 10 = 0 THEN 'HELD' ELSE 'ACCEPTED' END,
                'UPDATE', '', now(), '{}', CASE WHEN id % 10 <> 0 THEN now() END FROM carerecords_patient"""
        )
        cursor.execute(
            "ANALYZE carerecords_patient, spine_storecopy, carerecords_summaryitem, carerecords_uploadjob"
        )
        query, values = statement(small, timezone.localdate())
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {query}", values)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Seq Scan" not in plan, plan


def _text(answer):
    return b"".join(answer.streaming_content).decode("utf-8-sig")

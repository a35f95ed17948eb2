"""What the list costs the database at the size of a large practice: it reads what it shows."""

import json
import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from carerecords.models import Patient
from carerecords.search import Wanted
from consent.list_query import ListQuery
from consent.patient_list import SIZE, patient_page
from tests.factories import make_practice
from tests.integration.consent.looking import fill

pytestmark = pytest.mark.django_db


@pytest.fixture
def large(practice):
    """12,000 patients, beside a practice of 8,000 that must cost nothing."""
    fill(practice, 12_000, half_decided=True)
    fill(make_practice(), 8_000, half_decided=True)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE carerecords_patient")
    return practice


def at_depth(practice, asked, position):
    """The query for the page that begins after this position of the list."""
    query = ListQuery.of(asked)
    order = ["family_name", "given_name", "pk"]
    if asked.get("sort"):
        order.insert(0, "-consent_decided_on")
    rows = Patient.objects.of(practice).order_by(*order).filter(consent_decided_on__isnull=False)
    return query.at(2, after=rows.values_list("public_id", flat=True)[position])


def statements(practice, query):
    """The SQL of a page's query for its rows, as it was sent."""
    with CaptureQueriesContext(connection) as captured:
        page = patient_page(practice, query, gps=[])
    assert len(page.rows) == SIZE
    return [one["sql"] for one in captured if f"LIMIT {SIZE + 1}" in one["sql"]]


def plan_of(sql):
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        (found,) = cursor.fetchone()
    plan = json.loads(found) if isinstance(found, str) else found
    return list(nodes(plan[0]["Plan"]))


def nodes(node):
    """The nodes that find the page's rows; the counts beside them read the practice's part of the table."""
    yield node
    for child in node.get("Plans", []):
        if child.get("Parent Relationship") != "InitPlan" or child["Node Type"] != "Aggregate":
            yield from nodes(child)


ORDERS = [
    ({}, {"patient_list"}),
    # Every second patient consents: either index is walked for about a page.
    ({"decision": "EXPRESS_CORE"}, {"patient_list_by_state", "patient_list"}),
    ({"sort": "decided"}, {"patient_list_by_decision"}),
]


def test_each_order_walks_its_index_and_reads_one_page_at_any_depth(large):
    for asked, indexes in ORDERS:
        for query in (ListQuery.of(asked), at_depth(large, asked, 40), at_depth(large, asked, 5_500)):
            (sql,) = statements(large, query)
            plan = plan_of(sql)
            walked = [node for node in plan if node.get("Index Name") in indexes]
            assert walked, (indexes, plan)
            # Beside a patient, a job or two may be looked up and sorted; patients have to come in their order.
            kinds = {node["Node Type"] for node in plan if reads(node, "carerecords_patient")}
            assert not kinds & {"Seq Scan", "Bitmap Heap Scan", "Sort", "Incremental Sort"}, (indexes, plan)
            read = [node["Actual Rows"] + node.get("Rows Removed by Filter", 0) for node in walked]
            assert max(read) <= 3 * SIZE, (indexes, read)


_JOBS = """
INSERT INTO carerecords_uploadjob
  (public_id, patient_id, practice_id, kind, state, cause, requested_at, clock_seen, reasons, headline, finished_at)
SELECT gen_random_uuid(), id, practice_id, 'UPLOAD', CASE WHEN id % 10 = 0 THEN 'CANCELLED' ELSE 'ACCEPTED' END,
       'RUN', now(), 0, CASE WHEN id % 20 = 0 THEN ARRAY['store.same'] ELSE ARRAY['job.cancelled'] END, '', now()
FROM carerecords_patient
"""


@pytest.mark.parametrize("standing", ["NEEDLESS", "CANCELLED"])
def test_what_needed_no_sending_is_told_from_the_cancelled_by_an_index(large, standing):
    with connection.cursor() as cursor:
        cursor.execute(_JOBS)
        cursor.execute("ANALYZE carerecords_uploadjob")
    (sql,) = statements(large, ListQuery.of({"upload": standing}))
    plan = plan_of(sql)
    assert "uploadjob_practice" in {node.get("Index Name") for node in plan}


@pytest.mark.parametrize("typed", ["Fam000007", "Fam0017", "Given1 Fam000007", "Fam000007, Given1"])
def test_a_search_by_name_reads_whom_it_finds_and_not_the_practice(large, typed):
    wanted = Wanted(name=typed)
    with CaptureQueriesContext(connection) as captured:
        patient_page(large, ListQuery(), gps=[], wanted=wanted)
    plan = plan_of(captured[-1]["sql"])
    scans = [node for node in plan if node.get("Relation Name") == "carerecords_patient"]
    read = [node["Actual Rows"] + node.get("Rows Removed by Filter", 0) for node in scans]
    assert read and max(read) <= 200
    assert not [node for node in scans if node["Node Type"] in {"Seq Scan", "Index Only Scan"}]
    assert "patient_family_prefix" in {node.get("Index Name") for node in plan}


def reads(node, table):
    """Whether a node of a plan, or one below it, reads this table."""
    return node.get("Relation Name") == table or any(reads(child, table) for child in node.get("Plans", []))


def test_a_deep_page_is_the_page_it_says(large):
    """Row by row what counting from the start would give."""
    everybody = Patient.objects.of(large).order_by("family_name", "given_name", "pk")
    ids = list(everybody.values_list("public_id", flat=True)[: 11_000 + SIZE])
    page = patient_page(large, ListQuery().at(221, after=ids[10_999]), gps=[])
    assert [row.public_id for row in page.rows] == ids[11_000:]
    assert (page.number, page.pages, page.total) == (221, 240, 12_000)
    back = patient_page(large, ListQuery().at(220, before=ids[11_000]), gps=[])
    assert [row.public_id for row in back.rows] == ids[10_950:11_000]


def test_a_page_asks_the_database_six_times_whatever_it_shows(client, large, gp):
    """Session, who asks with their roles, GPs for the filter, the page, the access log, the fact clock."""
    client.force_login(gp)
    client.get("/patients/")
    for asked in (
        {},
        {"decision": "EXPRESS_CORE"},
        {"sort": "decided"},
        {"upload": "NOT_DUE"},
        {"letter": "no"},
    ):
        with CaptureQueriesContext(connection) as captured:
            client.get("/patients/", asked)
        assert len(captured) <= 6, asked


def test_a_list_of_12000_is_ready_within_its_budget(client, large, gp):
    """300 ms are allowed; up to eight tries leave out what else the machine does meanwhile."""
    client.force_login(gp)
    for asked in (
        {},
        {"decision": "EXPRESS_CORE"},
        {"sort": "decided"},
        {"upload": "NOT_DUE"},
        {"letter": "no"},
    ):
        assert any(seconds(client, asked) < 0.3 for _ in range(8)), asked


def seconds(client, asked):
    started = time.perf_counter()
    assert client.get("/patients/", asked).status_code == 200
    return time.perf_counter() - started

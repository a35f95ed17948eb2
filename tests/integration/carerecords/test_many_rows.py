"""Rows read and written in bulk are what the ORM would have read and written."""

import datetime

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carerecords.many_rows import Flat, copy_rows, integers, texts
from carerecords.models import Patient, SummaryItem
from tests.factories import make_item, make_list, make_patient, make_practice

ANYTHING = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
AT = datetime.datetime(2026, 11, 23, 14, 32, 7, 123456, tzinfo=datetime.UTC)


@pytest.mark.django_db
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(values=st.lists(st.none() | ANYTHING, max_size=6))
def test_any_texts_arrive_as_they_are(db, values):
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::text[]", [texts(values)])
        assert cursor.fetchone() == (values,)


def test_numbers_moments_and_nothing_arrive_as_they_are(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::bigint[], %s::timestamptz[]", [integers([3, -1]), texts([AT, None])])
        assert cursor.fetchone() == ([3, -1], [AT, None])
        cursor.execute("SELECT %s::bigint[], %s::text[]", [integers([]), texts([])])
        assert cursor.fetchone() == ([], [])


def test_a_flat_query_finds_its_keys_and_no_others(db):
    here, elsewhere = make_list(make_practice(), 3), make_list(make_practice(), 2)
    flat = Flat(lambda: Patient.objects.values_list("pk", "nhs_number"))
    asked = [here[0], here[2], elsewhere[1]]
    assert sorted(flat.rows(one.pk for one in asked)) == sorted((one.pk, one.nhs_number) for one in asked)
    assert flat.rows([]) == []


def test_a_flat_query_is_written_anew_when_its_figures_change(db):
    patient = make_patient(registered_on=datetime.date(2020, 1, 2))

    def registered_by(day):
        return Patient.objects.filter(registered_on__lte=day).values_list("pk")

    flat = Flat(registered_by)
    before, after = datetime.date(2020, 1, 1), datetime.date(2020, 1, 3)
    assert [flat.rows([patient.pk], day) for day in (before, after, before)] == [[], [(patient.pk,)], []]


def test_a_flat_query_looks_up_its_keys_by_index(db):
    make_list(make_practice(), 500)
    flat = Flat(lambda: Patient.objects.values_list("pk", "practice__ods_code"))
    text, params = flat._compiled()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE carerecords_patient, carerecords_practice")
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {text}", [*params, integers([1, 2])])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    # By whichever index has the columns.
    assert "on carerecords_patient " in plan and "Index Cond: (id = ANY" in plan, plan


def test_copied_rows_keep_every_constraint(db):
    patient = make_patient()
    columns = ["patient_id", "kind", "code", "term", "detail", "recorded_on", "ended_on", "is_sensitive"]
    odd = 'a\tb\nc\\d "e" \\N'
    row = [patient.pk, "ALLERGY", "", odd, "", AT.date(), None, True]
    copy_rows("carerecords_summaryitem", columns, [row])
    made = SummaryItem.objects.get(patient=patient)
    assert (made.term, made.ended_on, made.is_sensitive) == (odd, None, True)
    with pytest.raises(IntegrityError), transaction.atomic():
        copy_rows("carerecords_summaryitem", columns, [row, [*row[:5], None, None, True]])
    assert SummaryItem.objects.count() == 1
    copy_rows("carerecords_summaryitem", columns, [])
    assert make_item(patient).pk > made.pk, "both draw from the same sequence"

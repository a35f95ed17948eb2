"""What a small import costs the database, which has never looked at its rows: no row is held against each."""

import json
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from carerecords.models import Patient
from consent.codes import ImportKind
from tests.factories import nhs_number
from tests.integration.consent.importing import applied, csv_of, decision, letter, staged
from tests.integration.consent.looking import fill

pytestmark = pytest.mark.django_db
ROWS = 600


@contextmanager
def plans():
    """How each statement over the file's rows was about to be done, told before it is."""
    found = []

    def told(execute, sql, params, many, context):
        if "consent_importrow" in sql and sql.split()[0] in {"SELECT", "WITH", "CREATE"}:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
                (plan,) = cursor.fetchone()
                transaction.set_rollback(True)
            found.append((sql, json.loads(plan) if isinstance(plan, str) else plan))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(told):
        yield found


def looked_at(node):
    """How many rows a plan read and threw away."""
    thrown = node.get("Rows Removed by Join Filter", 0) + node.get("Rows Removed by Filter", 0)
    read = (node["Actual Rows"] + thrown) * node["Actual Loops"]
    return read + sum(looked_at(child) for child in node.get("Plans", []))


@pytest.mark.parametrize(
    ("kind", "row"),
    [(ImportKind.DECISIONS, decision), (ImportKind.LETTERS, letter)],
    ids=["decisions", "letters"],
)
def test_each_statement_reads_some_rows_for_each_of_the_file(practice, staff, manager, kind, row):
    fill(practice, ROWS)
    patients = list(Patient.objects.of(practice))
    for patient in patients:
        patient.nhs_number = nhs_number()
    Patient.objects.bulk_update(patients, ["nhs_number"])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE carerecords_patient")
    with plans() as found:
        made = staged(practice, staff, csv_of([row(one) for one in patients], kind), kind)
        applied(made, by=manager)
    assert len(found) >= 4
    for sql, plan in found:
        assert looked_at(plan[0]["Plan"]) <= 30 * ROWS, sql

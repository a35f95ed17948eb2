"""Files for tests of imports, and the way of one through staging, checking and applying."""

import csv
import io

import openpyxl
from django.utils import timezone

from carerecords.permissions import Role
from consent import bulk_runs
from consent.codes import ImportKind
from consent.imports import actions
from consent.imports.checking import check
from consent.imports.files import BY_BROWSER
from consent.imports.layouts import LAYOUTS
from consent.imports.registering import register
from consent.imports.staging import stage

NOW = timezone.now()
TODAY = timezone.localdate(NOW)
MAY = Role.GP.rule.permissions | Role.PRACTICE_MANAGER.rule.permissions


def decision(patient, decision="consent", **more):
    """A row of a file of decisions."""
    row = {
        "NHS_NUMBER": patient.nhs_number,
        "DATE_OF_BIRTH": f"{patient.born_on:%d/%m/%Y}",
        "DECISION": decision,
        "DECISION_DATE": "15/03/2012",
        "SOURCE": "form",
        "EVIDENCE_REF": "F 1",
    }
    return row | more


def letter(patient, **more):
    return {
        "NHS_NUMBER": patient.nhs_number,
        "DATE_OF_BIRTH": f"{patient.born_on:%Y%m%d}",
        "SENT_ON": "2012-03-15",
        "REFERENCE": "Notice 1",
    } | more


def person(nhs_number, **more):
    return {
        "NHS_NUMBER": nhs_number,
        "DATE_OF_BIRTH": "12/06/1970",
        "FAMILY_NAME": "Adeyemi",
        "GIVEN_NAME": "Grace",
        "GENDER": "female",
        "POSTCODE": "dt1  2bb",
        "REGISTERED_ON": "01/10/2020",
    } | more


def csv_of(rows, kind=ImportKind.DECISIONS, encoding="utf-8", newline="\r\n"):
    """The rows as a file; those that are lists stand as they are."""
    out = io.StringIO()
    names = [column.name for column in LAYOUTS[kind]]
    writer = csv.writer(out, lineterminator=newline)
    writer.writerow(names)
    for row in rows:
        writer.writerow(row if isinstance(row, list) else [row.get(name, "") for name in names])
    return io.BytesIO(out.getvalue().encode(encoding))


def xlsx_of(rows, kind=ImportKind.DECISIONS):
    book = openpyxl.Workbook()
    names = [column.name for column in LAYOUTS[kind]]
    book.active.append(names)
    for row in rows:
        book.active.append([row.get(name, "") for name in names])
    out = io.BytesIO()
    book.save(out)
    out.seek(0)
    return out


def staged(practice, by, file, kind=ImportKind.DECISIONS, name="file.csv", limits=BY_BROWSER):
    """An import that was checked."""
    if isinstance(file, bytes):
        file = io.BytesIO(file)
    made = stage(practice=practice, kind=kind, file=file, name=name, limits=limits, by=by, at=NOW)
    check(import_id=made.pk, at=NOW)
    made.refresh_from_db()
    return made


def applied(made, by, may=MAY, at=NOW):
    actions.approve(made=made, by=by, may=may, at=at)
    made.refresh_from_db()
    work(made, at)
    return made


def work(made, at=NOW):
    """What a worker does once the bell rings."""
    if made.kind == ImportKind.PATIENTS:
        register(import_id=made.pk, at=at)
    else:
        bulk_runs.work(made.run.public_id, lambda: at)
    made.refresh_from_db()


def taken_back(made, by, at=NOW):
    actions.undo(made=made, by=by, at=at)
    work(made, at)
    return made


def counts(made):
    names = ("new", "changed", "history", "same", "repeated", "bad")
    return {name: getattr(made, name) for name in names if getattr(made, name)}


def problems(made):
    """{row number: what is wrong with it}"""
    return dict(made.rows.exclude(problem="").order_by("number").values_list("number", "problem"))

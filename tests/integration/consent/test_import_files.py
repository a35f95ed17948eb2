"""What people send in: encodings, separators, damage, disguises and bombs, each with its plain answer."""

import codecs
import gzip
import io
import os
import re
import zipfile

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from carerecords.permissions import Role
from consent.codes import ImportKind, ImportState
from consent.imports import checking, sentences, text_rows, workbook_rows
from consent.imports.cells import Days, parse_date, read
from consent.imports.error_file import error_file
from consent.imports.files import BY_BROWSER, BY_COMMAND, FileRefused, Limits, read_rows
from consent.imports.layouts import LAYOUTS
from consent.models import Import, ImportRow
from tests.factories import make_patient, make_user, nhs_number
from tests.integration.consent.importing import (
    TODAY,
    counts,
    csv_of,
    decision,
    letter,
    person,
    problems,
    staged,
)

TYPE = "The selected file must be a CSV or XLSX"
EMPTY = "The selected file is empty"
HEADING = "NHS_NUMBER,DATE_OF_BIRTH,DECISION,DECISION_DATE,SOURCE,EVIDENCE_REF"
NAMES = HEADING.split(",")
LONG = 200 * 1024


def rows_of(content, name="file.csv", limits=BY_BROWSER):
    return list(read_rows(io.BytesIO(content), name, limits))


def text(*lines, newline="\r\n"):
    return newline.join([HEADING, *lines]) + newline


def zipped(**parts):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/"), content)
    return out.getvalue()


def book(*sheets):
    made = openpyxl.Workbook()
    made.remove(made.active)
    for number, rows in enumerate(sheets):
        sheet = made.create_sheet(f"Sheet{number}")
        for row in rows:
            sheet.append(row)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


# --- Files that are read ---------------------------------------------------------------------------

LINE = "9990000018,1970-06-12,consent,15/03/2012,form,Müller – 1"
READ = {
    "utf-8": text(LINE).encode(),
    "utf-8 with its mark": codecs.BOM_UTF8 + text(LINE).encode(),
    "utf-16 little-endian": text(LINE).encode("utf-16"),
    "utf-16 big-endian": codecs.BOM_UTF16_BE + text(LINE).encode("utf-16-be"),
    "utf-16 without its mark": text(LINE).encode("utf-16-le"),
    "utf-16 big-endian without its mark": text(LINE).encode("utf-16-be"),
    "windows-1252": text(LINE).encode("cp1252"),
    "unix lines": text(LINE, newline="\n").encode(),
    "old mac lines": text(LINE, newline="\r").encode(),
    "no last line end": text(LINE).rstrip().encode(),
    "semicolons": text(LINE).replace(",", ";").encode(),
    "tabs": text(LINE).replace(",", "\t").encode(),
    "all quoted": re.sub(r"[^,\r\n]+", lambda cell: f'"{cell[0]}"', text(LINE)).encode(),
    "spaces around": text(LINE).replace(",", " , ").encode(),
    "blank tail": (text(LINE) + ",,,,,\r\n" * 40).encode(),
    "heading in other letters": text(LINE)
    .replace("NHS_NUMBER", "NHS number")
    .replace("SOURCE", "source")
    .encode(),
    "columns of others": (text(LINE).replace("EVIDENCE_REF", "EVIDENCE_REF,COLOUR")).encode(),
    "mixed lines": (HEADING + "\n\n" + LINE + "\r\n").encode(),
}


@pytest.mark.parametrize("name", READ)
def test_files_that_are_read(name, db, practice, manager):
    patient = make_patient(practice)
    content = READ[name]
    number = "9990000018"
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        content = content.replace(number.encode(encoding), patient.nhs_number.encode(encoding))
    made = staged(practice, manager, content)
    assert counts(made) == {"new": 1}, problems(made)
    assert made.rows.get().reference == "Müller – 1"
    assert made.rows.get().number == (3 if name == "mixed lines" else 2)


def test_a_quoted_line_end_does_not_shift_the_numbers():
    found = rows_of(text('1,2,3,4,5,"two\nlines"', "6,7,8,9,10,11").encode())
    assert [number for number, _ in found] == [1, 2, 3] and found[1][1][5] == "two\nlines"


def test_a_spreadsheets_own_types():
    import datetime

    rows = [NAMES, [9990000018, datetime.datetime(1970, 6, 12), True, 20120315.0, 1.5, None]]
    assert rows_of(book(rows), "a.xlsx")[1] == (
        2,
        ["9990000018", "1970-06-12", "true", "20120315", "1.5", *[""] * 59],
    )


# --- Files that are not ------------------------------------------------------------------------------

BOMB = "xl/worksheets/sheet1.xml"
ENTITIES = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><x>&b;</x>'
REFUSED = {
    "empty": (b"", "a.csv", EMPTY),
    "only blanks": (b"\r\n , ,\r\n", "a.csv", EMPTY),
    "only its mark": (codecs.BOM_UTF8, "a.csv", EMPTY),
    "another type": (text(LINE).encode(), "a.pdf", TYPE),
    "no type": (text(LINE).encode(), "decisions", TYPE),
    "old spreadsheet": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "a.xls", TYPE),
    "old spreadsheet, renamed": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "a.xlsx", TYPE),
    "zip named csv": (zipped(a="b"), "a.csv", TYPE),
    "spreadsheet named csv": (book([NAMES]), "a.csv", TYPE),
    "gzip named csv": (gzip.compress(text(LINE).encode()), "a.csv", TYPE),
    "pdf named csv": (b"%PDF-1.7 " + b"x" * 100, "a.csv", TYPE),
    "picture named csv": (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "a.csv", TYPE),
    "text named xlsx": (text(LINE).encode(), "a.xlsx", TYPE),
    "bytes of no encoding": (HEADING.encode() + b"\r\n\x81\x8d\xff", "a.csv", TYPE),
    "half of utf-16": (text(LINE).encode("utf-16")[:-1], "a.csv", TYPE),
    "zip named xlsx": (zipped(a="b"), "a.xlsx", TYPE),
    "half a spreadsheet": (book([NAMES])[:900], "a.xlsx", TYPE),
    "entities in a spreadsheet": (
        zipped(**{"xl__workbook.xml": ENTITIES, "[Content_Types].xml": ENTITIES}),
        "a.xlsx",
        TYPE,
    ),
    "password": (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512 + "EncryptedPackage".encode("utf-16-le"),
        "a.xlsx",
        "The selected file is password protected",
    ),
    "too large": (b"x" * (5 * 1024 * 1024 + 1), "a.csv", "The selected file must be smaller than 5MB"),
    "bomb": (
        zipped(**{BOMB.replace("/", "__"): b"\0" * (51 * 1024 * 1024)}),
        "a.xlsx",
        "The selected file is too large when unpacked. Save it as CSV",
    ),
    "many parts": (
        zipped(**{f"p{number}": "" for number in range(1001)}),
        "a.xlsx",
        "The selected file is too large when unpacked. Save it as CSV",
    ),
    "two sheets with rows": (
        book([NAMES], [["x"]]),
        "a.xlsx",
        "The selected file has rows on more than one sheet. Keep one sheet",
    ),
    "one endless line": (b"x" * LONG, "a.csv", "Row 1 of the selected file is too long"),
    "a million columns": (b"A," * LONG, "a.csv", "Row 1 of the selected file is too long"),
    "one endless row": (
        text(*['x","y'] * LONG).replace("SOURCE", '"SOURCE').encode(),
        "a.csv",
        "Row 1 of the selected file is too long",
    ),
    "one endless cell": (
        (text() + '"' + "x" * 1000 + "\n" * 1).encode() + ("y" * 1000 + "\n").encode() * 200,
        "a.csv",
        "Row 2 of the selected file has a cell that is too long",
    ),
    "quotation mark that does not end": (
        text("1,2,3,4,5,6", '1,2,3,4,5,"6', "1,2,3,4,5,6").encode(),
        "a.csv",
        "Row 3 of the selected file has a quotation mark in the wrong place, or one that does not end",
    ),
    "quotation mark within": (
        text('1,2,3,4,5,"6"7').encode(),
        "a.csv",
        "Row 2 of the selected file has a quotation mark in the wrong place, or one that does not end",
    ),
    "too many rows": (
        text(*["1,2,3,4,5,6"] * 20_001).encode(),
        "a.csv",
        "The selected file must have 20,000 rows or fewer. Divide it into several",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_files_that_are_refused(name):
    content, file_name, told = REFUSED[name]
    with pytest.raises(FileRefused) as refusal:
        rows_of(content, file_name)
    assert str(refusal.value) == told


HEADINGS = {
    "another file's": (
        b"A,B,C\r\n1,2,3",
        "must use the template. Row 1 has no NHS_NUMBER, DATE_OF_BIRTH, DECISION",
    ),
    "one missing": (
        text(LINE).replace("SOURCE", "SAUCE").encode(),
        "must use the template. Row 1 has no SOURCE",
    ),
    "one twice": (text(LINE).replace("EVIDENCE_REF", "SOURCE").encode(), "must have the column SOURCE once"),
    "no rows": (text().encode(), "has no rows under its heading"),
}


@pytest.mark.parametrize("name", HEADINGS)
def test_headings_that_are_refused(name, db, practice, manager):
    content, told = HEADINGS[name]
    with pytest.raises(FileRefused, match=re.escape(told)):
        staged(practice, manager, content)
    assert not Import.objects.exists() and not ImportRow.objects.exists()


def test_a_file_refused_on_its_way_leaves_nothing(db, practice, manager):
    rows = [decision(make_patient(practice)), '1,2,3,"']
    content = csv_of(rows[:1]).getvalue() * 1 + b'1,2,3,"\r\n'
    with pytest.raises(FileRefused, match="Row 3"):
        staged(practice, manager, content)
    assert not Import.objects.exists() and not ImportRow.objects.exists()


# --- Rows ---------------------------------------------------------------------------------------------

DECISION_FAULTS = {
    "NHS_NUMBER": {
        "": "NHS_NUMBER is empty.",
        "9.99E+09": "NHS_NUMBER was changed by Excel to 9.99E+09. Format the column as text and save again.",
        "9E9": "NHS_NUMBER was changed by Excel to 9E9. Format the column as text and save again.",
        "999 000 001": "NHS number must be 10 numbers. This one is too short.",
        "99900000181": "NHS number must be 10 numbers. This one is too long.",
        "9990000019": "Check the NHS number – it is not one that can exist.",
        "9990000000": "Check the NHS number – it is not one that can exist.",
        "QQ123456C": "Enter an NHS number, not a National Insurance number.",
        "٩٩٩٠٠٠٠٠١٨": "NHS number must only include numbers.",
        "999000001\0": "This row has a character that cannot be read. NHS number must only include numbers.",
    },
    "DATE_OF_BIRTH": {
        "": "DATE_OF_BIRTH is empty.",
        "31/02/1970": "DATE_OF_BIRTH must be a real date, for example 15/03/2012.",
        "12/06/70": "DATE_OF_BIRTH must be a real date, for example 15/03/2012.",
        "06-12-1970": "DATE_OF_BIRTH must be a real date, for example 15/03/2012.",
        "01/01/1850": "DATE_OF_BIRTH must be the same as or after 1 January 1890.",
    },
    "DECISION": {
        "": "DECISION is empty.",
        "maybe": "DECISION must be consent, refuse or none, or a Read code 9Ndm, 9Ndn, 9Ndo, 93C2 or 93C3.",
        "9Ndl": "DECISION must be consent, refuse or none, or a Read code 9Ndm, 9Ndn, 9Ndo, 93C2 or 93C3.",
    },
    "SCOPE": {"all": "SCOPE must be core or additional."},
    "DECISION_DATE": {
        "": "DECISION_DATE is empty.",
        "01/01/2999": "DECISION_DATE must be today or in the past.",
        "31/03/2007": "DECISION_DATE must be the same as or after 1 April 2007.",
    },
    "SOURCE": {
        "": "SOURCE is empty.",
        "fax": "SOURCE must be in person, phone, letter, form, online or representative.",
        "representative": "REPRESENTATIVE_NAME and REPRESENTATIVE_AUTHORITY are needed when a representative decided.",
    },
    "EVIDENCE_REF": {
        "": "EVIDENCE_REF is needed for consent.",
        "x" * 51: "EVIDENCE_REF must be 50 characters or less.",
        "a\x07b": "EVIDENCE_REF has a character that cannot be shown.",
    },
    "NOTE": {"x" * 1001: "NOTE must be 1,000 characters or less."},
    "REPRESENTATIVE_NAME": {"Jo": "SOURCE must be representative if a representative is named."},
}
FAULTS = [(name, typed, told) for name, faults in DECISION_FAULTS.items() for typed, told in faults.items()]


@pytest.mark.parametrize("column, typed, told", FAULTS)
def test_a_fault_of_a_row_is_named_and_the_others_go_on(db, practice, manager, column, typed, told):
    good, bad = make_patient(practice), make_patient(practice)
    made = staged(practice, manager, csv_of([decision(good), decision(bad, **{column: typed})]))
    assert problems(made) == {3: told} and counts(made) == {"new": 1, "bad": 1}


@pytest.mark.parametrize(
    "fields, told",
    [
        ({"DECISION": "9Ndm", "SCOPE": "additional"}, "SCOPE and the Read code in DECISION disagree."),
        ({"DECISION": "refuse", "SCOPE": "core"}, "SCOPE is for consent only. Leave it empty."),
        ({"DECISION": "refuse", "EVIDENCE_REF": ""}, "EVIDENCE_REF is needed for a letter or form."),
        ({"DATE_OF_BIRTH": "12/06/2013"}, "DECISION_DATE must be the same as or after DATE_OF_BIRTH."),
    ],
)
def test_cells_that_do_not_go_together(db, practice, manager, fields, told):
    made = staged(practice, manager, csv_of([decision(make_patient(practice), **fields)]))
    assert told in problems(made)[2]


def test_a_childs_decision_needs_somebody(db, practice, manager):
    child = make_patient(practice, born_on=TODAY.replace(year=TODAY.year - 9, day=1))
    today = f"{TODAY:%d/%m/%Y}"
    alone = decision(child, DECISION_DATE=today)
    made = staged(practice, manager, csv_of([alone]))
    assert problems(made)[2].startswith("This patient is under 16.")
    whole = alone | {
        "SOURCE": "representative",
        "REPRESENTATIVE_NAME": "Jo Adeyemi",
        "REPRESENTATIVE_AUTHORITY": "Parental responsibility",
    }
    assert counts(staged(practice, manager, csv_of([whole]))) == {"new": 1}


LETTER_FAULTS = [
    ({"SENT_ON": ""}, "SENT_ON is empty."),
    ({"RETURNED": "perhaps"}, "RETURNED must be yes or no."),
]
PERSON_FAULTS = [
    ({"FAMILY_NAME": ""}, "FAMILY_NAME is empty."),
    ({"GIVEN_NAME": "x" * 36}, "GIVEN_NAME must be 35 characters or less."),
    ({"GENDER": "F"}, "GENDER must be male, female, other specific, not known or not specified."),
    ({"POSTCODE": "DT1"}, "POSTCODE must be a postcode, for example DT1 2BB."),
    ({"REGISTERED_ON": "1969-01-01"}, "REGISTERED_ON must be the same as or after DATE_OF_BIRTH."),
    ({"USUAL_GP_GMC": "12"}, "USUAL_GP_GMC must be 7 numbers."),
]


@pytest.mark.parametrize("fields, told", LETTER_FAULTS)
def test_faults_of_letters(db, practice, manager, fields, told):
    kind = ImportKind.LETTERS
    made = staged(practice, manager, csv_of([letter(make_patient(practice), **fields)], kind), kind)
    assert problems(made) == {2: told}


@pytest.mark.parametrize("fields, told", PERSON_FAULTS)
def test_faults_of_patients(db, practice, manager, fields, told):
    kind = ImportKind.PATIENTS
    made = staged(practice, manager, csv_of([person(nhs_number(), **fields)], kind), kind)
    assert problems(made) == {2: told}


def test_ragged_rows(db, practice, manager):
    short, long = make_patient(practice), make_patient(practice)
    lines = [f"{one.nhs_number},1970-06-12,refuse,2012-03-15,phone" for one in (short, long)]
    made = staged(practice, manager, text(lines[0], lines[1] + ",,,spare").encode())
    assert problems(made) == {3: "This row has more cells than the heading."}
    assert counts(made) == {"new": 1, "bad": 1}


@pytest.mark.parametrize(
    "typed", ["20120315", "2012-03-15", "15/03/2012", "15/3/2012", "2012-03-15 00:00:00"]
)
def test_dates(typed):
    assert f"{parse_date(typed)}" == "2012-03-15"


def test_sentences_of_checking_hold_no_colon():
    told = [value for name, value in vars(sentences).items() if name.isupper()]
    assert len(told) == 7 and not any(":" in one for one in told)


# --- Any text at all -----------------------------------------------------------------------------------

CELL = st.text(max_size=12) | st.sampled_from(
    ["consent", "9Ndo", "form", "15/03/2012", "'=1", '"', "\0", "\\N", "\t", "{}"]
)


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(table=st.lists(st.lists(CELL, max_size=12), min_size=1, max_size=6), kind=st.sampled_from(ImportKind))
def test_any_table_of_text_is_staged(db, practice, manager, table, kind):
    """Nothing raises, and every row that is not blank is there afterwards, with its verdict."""
    rows = [[cell.encode("utf-8", "ignore").decode() for cell in row] for row in table]
    said = sum(1 for row in rows if any(cell.strip() for cell in row))
    if not said:
        return
    made = staged(practice, manager, csv_of(rows, kind), kind)
    assert made.total == said
    assert made.state == ImportState.STOPPED or sum(counts(made).values()) == said
    ImportRow.objects.all().delete()


@settings(max_examples=200, deadline=None)
@given(content=st.binary(max_size=400), name=st.sampled_from(["a.csv", "a.xlsx"]), zip_=st.booleans())
def test_any_bytes_are_read_or_refused(content, name, zip_):
    content = b"PK\x03\x04" + content if zip_ else content
    try:
        for number, cells in read_rows(io.BytesIO(content), name, BY_BROWSER):
            assert number >= 1 and any(cells)
    except FileRefused as refusal:
        assert str(refusal).startswith(("The selected file", "Row "))


@settings(max_examples=200, deadline=None)
@given(kind=st.sampled_from(ImportKind), data=st.data())
def test_any_row_is_read(kind, data):
    cells = {column.name: data.draw(CELL) for column in LAYOUTS[kind]}
    row = read(kind, cells, Days(TODAY, TODAY))
    assert all(one.endswith(".") for one in row.problems)


# --- The file of bad rows ---------------------------------------------------------------------------------


def bad_file(made):
    rows = made.rows.filter(verdict="BAD").order_by("number").values_list("number", "cells", "problem")
    return "".join(error_file(made.heading, rows))


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_of_the_file_of_bad_rows_is_run(first):
    lines = "".join(error_file([f"{first}HEAD", "NOTE"], [(2, ["a", f'{first}cmd|"/c calc"!A1'], "Bad.")]))
    import csv

    for row in csv.reader(io.StringIO(lines.removeprefix("\ufeff"), newline="")):
        assert not [cell for cell in row if cell[:1] in "=+-@\t\r\n" and cell]


def test_mended_rows_come_back_as_they_were(db, practice, manager):
    patients = [make_patient(practice) for _ in range(3)]
    rows = [
        decision(patients[0], DECISION="maybe", NOTE="=2+2"),
        decision(patients[1]),
        decision(patients[2], DECISION="maybe", NOTE='Said "yes", and\nmeant it'),
    ]
    first = staged(practice, manager, csv_of(rows))
    told = bad_file(first)
    assert "'=2+2" in told and patients[1].nhs_number not in told.replace(" ", "")
    again = staged(practice, manager, told.replace("maybe", "refuse").encode())
    assert counts(again) == {"new": 2}, problems(again)
    assert sorted(again.rows.values_list("note", flat=True)) == ["=2+2", 'Said "yes", and\nmeant it']
    assert bad_file(staged(practice, manager, told.encode())).count("PROBLEM") == 1


# --- By command, and at any size ---------------------------------------------------------------------------


def test_the_command_keeps_the_rules_of_the_pages(
    db, practice, manager, staff, gp, tmp_path, capsys, settings
):
    from django.core.management import CommandError, call_command

    patient = make_patient(practice)
    file = tmp_path / "decisions.csv"
    file.write_bytes(csv_of([decision(patient), decision(patient, NHS_NUMBER="1")]).getvalue())
    send = ["import_decisions", str(file), "--practice", practice.ods_code.lower(), "--by"]
    call_command(*send, staff.email)
    told = capsys.readouterr().out
    assert "1 new, 0 changed, 0 for the history, 0 already the same, 1 errors" in told and "Row 3: " in told
    patient.refresh_from_db()
    assert patient.consent_state == "NONE"
    call_command(*send, staff.email, "--approved-by", manager.email)
    assert "1 recorded, 0 left alone" in capsys.readouterr().out
    stranger = make_user(Role.PRACTICE_MANAGER)
    for by, more, why in [
        (gp.email, [], "cannot upload an import"),
        (stranger.email, [], "has no role at"),
        ("nobody@test.example", [], "has no role at"),
    ]:
        with pytest.raises(CommandError, match=why):
            call_command(*send, by, *more)
    file.write_bytes(csv_of([decision(make_patient(practice))]).getvalue())
    with pytest.raises(CommandError, match="Your role cannot approve"):
        call_command(*send, staff.email, "--approved-by", staff.email)


def test_a_file_of_any_size_is_read_line_by_line(tmp_path):
    """Memory does not grow with the file: 40 MB of rows, of which one at a time is held."""
    import tracemalloc

    path = tmp_path / "large.csv"
    with path.open("w") as out:
        out.write(HEADING + "\n")
        for _ in range(600_000 // 1000):
            out.write((LINE.encode("ascii", "replace").decode() + "\n") * 1000)
    assert os.path.getsize(path) > 30_000_000
    with path.open("rb") as file:
        rows = read_rows(file, path.name, BY_COMMAND)
        next(rows)
        tracemalloc.start()
        found = sum(1 for _, _ in zip(range(20_000), rows, strict=False))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert found == 20_000 and peak < 3_000_000


def test_limits_of_a_file_are_those_of_its_way():
    content = text(*["1,2,3,4,5,6"] * 5).encode()
    assert len(rows_of(content, limits=Limits(largest=len(content), rows=5))) == 6
    with pytest.raises(FileRefused):
        rows_of(content, limits=Limits(largest=len(content), rows=4))
    with pytest.raises(FileRefused):
        rows_of(content, limits=Limits(largest=len(content) - 1, rows=5))
    assert text_rows.LONGEST_LINE < text_rows.LONGEST_ROW and 2 * len(NAMES) <= workbook_rows.LAST_COLUMN
    assert checking.FOUND_AT_LEAST == 0.9

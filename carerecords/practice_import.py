"""Loads the national list of practices from a CSV file: all of it, or nothing.

Rows are checked as they stream into a temporary table by COPY, and one statement then adds and
changes; so memory stays flat and the practices are never seen half new. The programme's date
(`goes_live_on`) is not in the file and stays as it is.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import CharField

from carerecords import fence
from carerecords.formats import place_name
from carerecords.identifiers import BadOdsCode, parse_ods_code
from carerecords.models import Practice

TEXTS = ["name", "address", "postcode", "region_code", "region_name", "icb_code", "sub_icb_code"]
COLUMNS = ["ods_code", *TEXTS, "status", "list_size"]
POSTCODE = re.compile(r"^[A-Z]{1,2}[0-9][0-9A-Z]? [0-9][A-Z]{2}$")
LARGEST_LIST = 1_000_000
# A file of the wrong kind is wrong in every row; this many show what is the matter.
PROBLEMS_NAMED = 20

_LIST = ", ".join(COLUMNS)
_CHANGED = f"""({", ".join(f"held.{column}" for column in COLUMNS)})
    IS DISTINCT FROM ({", ".join(f"excluded.{column}" for column in COLUMNS)})"""
_UPSERT = f"""
INSERT INTO carerecords_practice AS held ({_LIST}) SELECT {_LIST} FROM incoming_practice
ON CONFLICT (ods_code) DO UPDATE SET {", ".join(f"{column} = excluded.{column}" for column in COLUMNS)}
WHERE {_CHANGED}
"""
_COUNT_NEW = """
SELECT count(*), count(*) FILTER (WHERE held.id IS NULL)
FROM incoming_practice LEFT JOIN carerecords_practice held USING (ods_code)
"""


class BadPracticeFile(Exception):
    """The file was refused whole; `problems` are sentences, each naming its row."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Imported:
    """What an import did."""

    new: int
    changed: int
    same: int

    def __str__(self) -> str:
        return f"{self.new:,} new, {self.changed:,} changed, {self.same:,} the same"


@transaction.atomic
def import_practices(lines: Iterable[str]) -> Imported:
    """Adds and changes practices as the lines of a CSV file say; none is removed.

    Raises `BadPracticeFile` with nothing written. Waits for the sends in flight, because the
    region and the board of a practice decide which positions cover it.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMPORARY TABLE incoming_practice ON COMMIT DROP AS "
            f"SELECT {_LIST} FROM carerecords_practice WITH NO DATA"
        )
        _copy(cursor, lines)
        with fence.changing():
            imported = _merge(cursor)
        cursor.execute("DROP TABLE incoming_practice")
    return imported


def _copy(cursor: CursorWrapper, lines: Iterable[str]) -> None:
    problems: list[str] = []
    with cursor.copy(f"COPY incoming_practice ({_LIST}) FROM STDIN") as copy:
        for row, faults in _checked(lines):
            problems += faults
            if len(problems) >= PROBLEMS_NAMED:
                break
            if not faults:
                copy.write_row(row)
    if problems:
        raise BadPracticeFile(problems[:PROBLEMS_NAMED])


def _merge(cursor: CursorWrapper) -> Imported:
    cursor.execute(_COUNT_NEW)
    total, new = cursor.fetchone() or (0, 0)
    cursor.execute(_UPSERT)
    return Imported(new=new, changed=cursor.rowcount - new, same=total - cursor.rowcount)


def _checked(lines: Iterable[str]) -> Iterator[tuple[list[str], list[str]]]:
    """Each row in the order of `COLUMNS`, and what is wrong with it."""
    seen: dict[str, int] = {}
    try:
        reader = csv.DictReader(lines)
        if missing := [column for column in COLUMNS if column not in (reader.fieldnames or [])]:
            raise BadPracticeFile([f"Row 1: the heading lacks {', '.join(missing)}"])
        for number, fields in enumerate(reader, start=2):
            values, faults = _read(fields)
            first = seen.setdefault(values[0], number)
            if first != number:
                faults.append(f"{values[0]} stands in row {first} already")
            yield values, [f"Row {number}: {fault}" for fault in faults]
    except (csv.Error, UnicodeDecodeError) as error:
        raise BadPracticeFile([f"After row {len(seen) + 1}: not UTF-8 CSV ({error})"]) from error
    if not seen:
        raise BadPracticeFile(["The file has no practices"])


def _read(fields: dict[str, str]) -> tuple[list[str], list[str]]:
    if None in fields or None in fields.values():
        return [fields.get("ods_code") or "", *COLUMNS[1:]], ["has too few or too many fields"]
    values = {column: fields[column].strip() for column in COLUMNS}
    faults = [fault for column in TEXTS if (fault := _text_fault(column, values[column]))]
    try:
        values["ods_code"] = parse_ods_code(values["ods_code"])
    except BadOdsCode as error:
        faults.append(f"ods_code is {values['ods_code']!r}. {error}")
    if not POSTCODE.match(values["postcode"]):
        faults.append(f"postcode is {values['postcode']!r}")
    # The register writes in capitals; letters to patients and pages do not shout.
    values["name"], values["address"] = place_name(values["name"]), place_name(values["address"])
    values["status"] = values["status"].upper()
    if values["status"] not in Practice.Status.values:
        faults.append("status must be active, closed or dormant")
    if not _is_size(values["list_size"]):
        faults.append("list_size must be a whole number of patients")
    return list(values.values()), faults


def _text_fault(column: str, value: str) -> str | None:
    if not value:
        return f"{column} is empty"
    longest = _longest(column)
    if len(value) > longest:
        return f"{column} is longer than {longest} characters"
    return None if value.isprintable() else f"{column} has a character that cannot be printed"


@cache
def _longest(column: str) -> int:
    field = Practice._meta.get_field(column)
    assert isinstance(field, CharField) and field.max_length is not None
    return field.max_length


def _is_size(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) <= 7 and int(value) <= LARGEST_LIST

"""Rows of a file into the staging table, as they stream by: typed text, what it was read as, faults.

Memory stays flat whatever the file's size. Nothing is compared with patients here; `checking` does
that for all rows at once.
"""

import datetime
import hashlib
import json
from collections.abc import Iterator
from typing import BinaryIO

from django.db import connection, transaction
from django.utils import timezone

from carerecords.models import Practice, User
from consent.codes import ImportKind
from consent.forms import FIRST_DAY
from consent.imports import cells as cell_reading
from consent.imports import layouts
from consent.imports.cells import Days, Read
from consent.imports.error_file import unguarded
from consent.imports.files import FileRefused, Limits, read_rows
from consent.models import Import

COLUMNS = (
    "belongs_to_id",
    "number",
    "cells",
    "nhs_number",
    "born_on",
    "preference",
    "source",
    "day",
    "reference",
    "note",
    "representative_name",
    "representative_authority",
    "returned",
    "person",
    "verdict",
    "problem",
)
# Rows go to the server in pieces of about this many.
AT_ONCE = 500
# A cell that PostgreSQL cannot hold, or that nobody can have meant.
_UNREADABLE = "This row has a character that cannot be read."
_SHOWN_AS = "\ufffd"


@transaction.atomic
def stage(
    *,
    practice: Practice,
    kind: ImportKind,
    file: BinaryIO,
    name: str,
    limits: Limits,
    by: User,
    at: datetime.datetime,
) -> Import:
    """A stored import whose rows are staged and not yet checked. Raises `FileRefused`: nothing is kept."""
    sha256 = _fingerprint(file)
    rows = read_rows(file, name, limits)
    heading = next(rows)[1]
    try:
        places = layouts.places(kind, heading)
    except layouts.HeadingRefused as error:
        raise FileRefused(f"The selected file {error}") from error
    made = Import.objects.create(
        practice=practice,
        kind=kind,
        file_name=name[-100:],
        sha256=sha256,
        heading=[_clean(cell) for cell in _trimmed(heading)],
        uploaded_at=at,
        uploaded_by=by,
        moved_at=at,
    )
    days = Days(today=timezone.localdate(at), programme=FIRST_DAY)
    lines = _lines(made, kind, places, rows, days)
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY consent_importrow ({', '.join(COLUMNS)}) FROM STDIN") as copy:
            piece: list[str] = []
            for line in lines:
                piece.append(line)
                if len(piece) == AT_ONCE:
                    made.total += len(piece)
                    copy.write("".join(piece))
                    piece.clear()
            copy.write("".join(piece))
    made.total += len(piece)
    if not made.total:
        raise FileRefused("The selected file has no rows under its heading")
    made.save(update_fields=["total"])
    return made


def _lines(
    made: Import,
    kind: ImportKind,
    places: dict[str, int],
    rows: Iterator[tuple[int, list[str]]],
    days: Days,
) -> Iterator[str]:
    """A line of COPY's text format for each row."""
    width = len(made.heading)
    known = list(places.items())
    for number, typed in rows:
        row, kept = _row(kind, known, width, typed, days)
        yield _line(made.pk, number, kept, row)


def _row(
    kind: ImportKind, known: list[tuple[str, int]], width: int, typed: list[str], days: Days
) -> tuple[Read, list[str]]:
    text = "".join(typed)
    unreadable = not text.isprintable() and ("\0" in text or _has_surrogates(text))
    if unreadable:
        typed = [_clean(cell) for cell in typed]
    extra = len(typed) > width and any(typed[width:])
    typed = typed[:width] if not extra else typed
    if len(typed) < width:
        typed = typed + [""] * (width - len(typed))
    # What an exported file guards against spreadsheets with an apostrophe comes back without.
    cells = {name: unguarded(typed[place]) for name, place in known}
    row = cell_reading.read(kind, cells, days)
    if unreadable:
        row.problems.insert(0, _UNREADABLE)
    if extra:
        row.problems.insert(0, "This row has more cells than the heading.")
    return row, typed


def _line(import_id: int, number: int, typed: list[str], row: Read) -> str:
    """One row as COPY reads it."""
    bad = bool(row.problems)
    fields = (
        str(import_id),
        str(number),
        _escaped(_array(typed)),
        row.nhs_number,
        r"\N" if row.born_on is None else row.born_on.isoformat(),
        row.preference,
        row.source,
        r"\N" if row.day is None else row.day.isoformat(),
        "" if bad else _escaped(row.reference),
        "" if bad else _escaped(row.note),
        "" if bad else _escaped(row.representative_name),
        "" if bad else _escaped(row.representative_authority),
        "t" if row.returned else "f",
        r"\N" if row.person is None or bad else _escaped(_json(row.person)),
        "BAD" if bad else "PENDING",
        _escaped(" ".join(row.problems)) if bad else "",
    )
    return "\t".join(fields) + "\n"


def _array(texts: list[str]) -> str:
    """PostgreSQL's writing of an array of texts."""
    joined = '","'.join(texts)
    if "\\" in joined or joined.count('"') != 2 * (len(texts) - 1):
        joined = '","'.join(text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return '{"' + joined + '"}'


def _escaped(text: str) -> str:
    """A field of COPY's text format."""
    if text.isprintable() and "\\" not in text:
        return text
    text = text.replace("\\", "\\\\").replace("\t", "\\t")
    return text.replace("\n", "\\n").replace("\r", "\\r")


def _json(person: dict[str, str]) -> str:
    return json.dumps(person, ensure_ascii=False)


def _fingerprint(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    file.seek(0)
    return digest.hexdigest()


def _trimmed(heading: list[str]) -> list[str]:
    """Without the blank cells that spreadsheets leave at the end."""
    while heading and not heading[-1]:
        heading = heading[:-1]
    return heading


def _clean(text: str) -> str:
    """The text as PostgreSQL can hold it."""
    text = text.replace("\0", _SHOWN_AS)
    return text.encode("utf-8", "replace").decode("utf-8") if _has_surrogates(text) else text


def _has_surrogates(text: str) -> bool:
    return any("\ud800" <= character <= "\udfff" for character in text)

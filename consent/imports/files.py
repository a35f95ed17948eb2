"""From a file to its rows of text: what kind of file it is, and no more of it in memory than a row.

    with read_rows(file, "decisions.csv", limits) as rows: ...

Rows come with their number as a spreadsheet shows it. What is wrong with the file as a whole is a
`FileRefused`, whose message the page shows as it is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from consent.imports.text_rows import BrokenText, text_rows
from consent.imports.workbook_rows import BrokenWorkbook, workbook_rows

TYPE = "The selected file must be a CSV or XLSX"
EMPTY = "The selected file is empty"
PASSWORD = "The selected file is password protected"
MEGABYTE = 1024 * 1024
# A spreadsheet is read through its ZIP archive, so it stays small whoever sends it.
LARGEST_WORKBOOK = 5 * MEGABYTE

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# Never text, whatever the name says: archives, pictures, documents, programs.
_NOT_TEXT = (
    *(_ZIP, b"PK\x05\x06", _OLE, b"\x1f\x8b", b"BZh", b"\xfd7zXZ", b"7z\xbc\xaf", b"Rar!", b"%PDF"),
    *(b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x7fELF", b"{\\rtf", b"SQLite format 3"),
)

Numbered = tuple[int, list[str]]


class FileRefused(ValueError):
    """The file cannot be used; the message is a whole sentence without its full stop."""


@dataclass(frozen=True)
class Limits:
    """How much of a file is taken. None: any number."""

    largest: int | None
    rows: int | None


# From a browser, as the screens design has it.
BY_BROWSER = Limits(largest=5 * MEGABYTE, rows=20_000)
# By command, on the server itself.
BY_COMMAND = Limits(largest=None, rows=None)


def read_rows(file: BinaryIO, name: str, limits: Limits) -> Iterator[Numbered]:
    """Every row that is not blank, the heading first. Raises `FileRefused`, at once or on the way."""
    start = file.read(4096)
    size = file.seek(0, 2)
    file.seek(0)
    is_workbook = name.lower().endswith(".xlsx")
    if not is_workbook and not name.lower().endswith((".csv", ".txt")):
        raise FileRefused(TYPE)
    if not start:
        raise FileRefused(EMPTY)
    largest = LARGEST_WORKBOOK if is_workbook else limits.largest
    if largest is not None and size > largest:
        raise FileRefused(f"The selected file must be smaller than {largest // MEGABYTE}MB")
    if is_workbook and start.startswith(_OLE) and _is_encrypted(file):
        raise FileRefused(PASSWORD)
    if start.startswith(_ZIP) if not is_workbook else not start.startswith(_ZIP):
        raise FileRefused(TYPE)
    if not is_workbook and start.startswith(_NOT_TEXT):
        raise FileRefused(TYPE)
    rows = workbook_rows(file) if is_workbook else text_rows(file, start)
    return _sound(rows, limits)


def _sound(rows: Iterator[Numbered], limits: Limits) -> Iterator[Numbered]:
    """The rows that say something, as long as there are not too many."""
    found = 0
    try:
        for number, cells in rows:
            if not any(cells):
                continue
            found += 1
            if limits.rows is not None and found > limits.rows + 1:
                raise FileRefused(
                    f"The selected file must have {limits.rows:,} rows or fewer. Divide it into several"
                )
            yield number, cells
    except (BrokenText, BrokenWorkbook) as error:
        raise FileRefused(str(error)) from error
    if not found:
        raise FileRefused(EMPTY)


def _is_encrypted(file: BinaryIO) -> bool:
    """Whether an OLE container holds a workbook under a password (MS-OFFCRYPTO 2.3.4.4)."""
    whole = file.read(LARGEST_WORKBOOK)
    file.seek(0)
    return "EncryptedPackage".encode("utf-16-le") in whole

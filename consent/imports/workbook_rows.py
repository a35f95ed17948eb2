"""The rows of a spreadsheet file, as the text that a person would have typed.

A workbook is a ZIP archive of XML: its unpacked size is looked at before anything is unpacked, and
the XML is read with defusedxml, so that neither can be a bomb.
"""

import datetime
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.etree.ElementTree import ParseError

import openpyxl
from defusedxml.common import DefusedXmlException
from openpyxl.utils.exceptions import InvalidFileException

LARGEST_UNPACKED = 50 * 1024 * 1024
MOST_PARTS = 1000
# What a sheet can have; and more columns than any template.
LAST_ROW, LAST_COLUMN = 1_048_576, 64

if not openpyxl.DEFUSEDXML:  # pragma: no cover - a broken installation
    raise ImportError("defusedxml is needed to read spreadsheets safely.")

# Whatever a damaged or malicious archive makes the library say.
_DAMAGED = (
    zipfile.BadZipFile,
    InvalidFileException,
    DefusedXmlException,
    ParseError,
    KeyError,
    ValueError,
    TypeError,
    IndexError,
    AttributeError,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    zipfile.zlib.error,  # type: ignore[attr-defined]
)


class BrokenWorkbook(ValueError):
    """The workbook cannot be used; the message is for the page."""


def workbook_rows(file: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    """Every row of the only sheet that has any, with its number."""
    try:
        _look_inside(file)
        book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
    except _DAMAGED as error:
        raise _refusal(error) from error
    try:
        yield from _rows(book)
    except BrokenWorkbook:
        raise
    except _DAMAGED as error:
        raise _refusal(error) from error
    finally:
        book.close()


def _look_inside(file: BinaryIO) -> None:
    with zipfile.ZipFile(file) as archive:
        parts = archive.infolist()
    # What is unpacked never passes the size that the archive declares: `zipfile` stops there.
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > LARGEST_UNPACKED:
        raise BrokenWorkbook("The selected file is too large when unpacked. Save it as CSV")
    if any(part.flag_bits & 1 for part in parts):
        raise BrokenWorkbook("The selected file is password protected")
    file.seek(0)


def _rows(book: openpyxl.Workbook) -> Iterator[tuple[int, list[str]]]:
    sheets = list(book.worksheets)
    if not sheets:
        raise BrokenWorkbook("The selected file is empty")
    if any(_has_rows(sheet) for sheet in sheets[1:]):
        raise BrokenWorkbook("The selected file has rows on more than one sheet. Keep one sheet")
    yield from _numbered(sheets[0])


def _has_rows(sheet: Any) -> bool:
    return any(any(cells) for _, cells in _numbered(sheet))


def _numbered(sheet: Any) -> Iterator[tuple[int, list[str]]]:
    # The size that a sheet claims need not be true.
    sheet.reset_dimensions()
    rows = sheet.iter_rows(max_row=LAST_ROW, max_col=LAST_COLUMN, values_only=True)
    for number, values in enumerate(rows, start=1):
        yield number, [_text(value) for value in values]


def _text(value: Any) -> str:
    """A cell's value as typed: a whole number without its .0, a day without its midnight."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ", "seconds").removesuffix(" 00:00:00")
    return str(value).strip()


def _refusal(error: BaseException) -> BrokenWorkbook:
    if isinstance(error, BrokenWorkbook):
        return error
    return BrokenWorkbook("The selected file must be a CSV or XLSX")

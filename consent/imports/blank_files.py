"""Files to fill in: the heading of a kind of import, and nothing that could be taken for a patient."""

import csv
import io

import openpyxl
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from consent.codes import ImportKind
from consent.imports.layouts import LAYOUTS

CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Cells below this row have the spreadsheet's own format again.
AS_TEXT = 2000


def blank_csv(kind: ImportKind) -> bytes:
    """With a byte order mark, by which Excel knows UTF-8."""
    out = io.StringIO()
    csv.writer(out).writerow([column.name for column in LAYOUTS[kind]])
    return out.getvalue().encode("utf-8-sig")


def blank_xlsx(kind: ImportKind) -> bytes:
    """Every cell is text, so that no NHS number becomes 9.99E+09 and no date turns round."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = ImportKind(kind).label
    sheet.append([column.name for column in LAYOUTS[kind]])
    for place, column in enumerate(LAYOUTS[kind], start=1):
        sheet.cell(1, place).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(place)].width = len(column.name) + 4
        for row in range(2, AS_TEXT + 2):
            sheet.cell(row, place).number_format = "@"
    sheet.freeze_panes = "A2"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()

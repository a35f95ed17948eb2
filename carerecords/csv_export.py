"""Lists for spreadsheets, streamed row by row: no list is too long, and no cell becomes a formula."""

import csv
from collections.abc import Iterable, Iterator, Sequence

from django.http import StreamingHttpResponse

# A cell that begins with one of these would be run by a spreadsheet (CWE-1236).
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")


class _Echo:
    """Hands each written line straight back."""

    def write(self, text: str) -> str:
        return text


def safe(cell: object) -> str:
    """The cell as text; one that a spreadsheet would run gets an apostrophe before it."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(_RUNS) else text


def lines(rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """CSV lines with a byte order mark before the first, by which Excel knows UTF-8."""
    writer = csv.writer(_Echo())
    yield "\ufeff"
    for row in rows:
        yield writer.writerow([safe(cell) for cell in row])


def response(filename: str, rows: Iterable[Sequence[object]]) -> StreamingHttpResponse:
    """A download; written while it is read from the database."""
    answer = StreamingHttpResponse(lines(rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{filename}"'
    return answer

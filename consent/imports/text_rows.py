"""CSV as practices send it: any of the usual encodings, separators and line ends, one row in memory.

A quotation mark that does not end would swallow every row after it, so quoting is read strictly:
the file is refused with the number of the row, and nothing is lost in silence.
"""

import codecs
import csv
import io
from collections.abc import Iterator
from typing import BinaryIO

# One line, one cell and one row may be this long. A file without line ends must not fill the memory.
LONGEST_LINE = 64 * 1024
LONGEST_ROW = 256 * 1024
_SEPARATORS = ",;\t|"
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


class BrokenText(ValueError):
    """The text cannot be read as rows; the message says where."""


def text_rows(file: BinaryIO, start: bytes) -> Iterator[tuple[int, list[str]]]:
    """Every record with its number, blank ones too. `start`: the first bytes of the file."""
    encoding = _encoding(file, start)
    # The wrapper closes what it wraps; the file is the caller's.
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    try:
        yield from _records(text)
    except UnicodeError as error:
        raise BrokenText("The selected file must be a CSV or XLSX") from error
    finally:
        # Whoever stopped half-way may have closed the file before this generator ends.
        if not file.closed:
            text.detach()


def _records(text: io.TextIOWrapper) -> Iterator[tuple[int, list[str]]]:
    lines = _Lines(text)
    number = 0
    reader = csv.reader(lines, delimiter=lines.separator, strict=True)
    try:
        for number, cells in enumerate(reader, start=1):
            lines.taken = 0
            yield number, [cell.strip() for cell in cells]
    except csv.Error as error:
        at = f"Row {number + 1} of the selected file"
        if "field larger" in str(error):
            raise BrokenText(f"{at} has a cell that is too long") from error
        raise BrokenText(f"{at} has a quotation mark in the wrong place, or one that does not end") from error
    except _TooLong as error:
        raise BrokenText(f"Row {number + 1} of the selected file is too long") from error


class _TooLong(Exception):
    """A line, or the lines of one record, passed the limit."""


class _Lines:
    """Lines of bounded length; `taken` counts characters since the last whole record."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self.text, self.taken = text, 0
        self.first: str | None = text.readline(LONGEST_LINE)
        counts = {separator: self.first.count(separator) for separator in _SEPARATORS}
        self.separator = max(counts, key=lambda separator: counts[separator])

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self.text.readline(LONGEST_LINE) if self.first is None else self.first
        self.first = None
        if not line:
            raise StopIteration
        self.taken += len(line)
        if len(line) >= LONGEST_LINE or self.taken > LONGEST_ROW:
            raise _TooLong
        return line


def _encoding(file: BinaryIO, start: bytes) -> str:
    """By its mark, else UTF-16 by its zeros, else UTF-8 if all of it is, else what Windows writes."""
    for mark, encoding in _BOMS:
        if start.startswith(mark):
            return encoding
    if guess := _utf_16_by_zeros(start):
        return guess
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while block := file.read(1 << 20):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1252"
    finally:
        file.seek(0)
    return "utf-8"


def _utf_16_by_zeros(start: bytes) -> str | None:
    """English text in UTF-16 has a zero in every other byte."""
    if len(start) < 4:
        return None
    even, odd = start[0::2].count(0) * 2 / len(start), start[1::2].count(0) * 2 / len(start)
    if odd > 0.7 and even < 0.2:
        return "utf-16-le"
    return "utf-16-be" if even > 0.7 and odd < 0.2 else None

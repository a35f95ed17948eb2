"""The readable text of each section, in the manner of the API's own example summaries. Pure.

The service takes the text as it is and shows it to clinicians, so everything a summary says is
said here; whatever came from a record is escaped.
"""

import datetime
import re
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from json.encoder import encode_basestring as quoted

from carerecords.summary_codes import MEDICATIONS, EntryKind
from spine.messages.content import Author, Entry, PracticeDetails, Selection, Summary
from spine.messages.kept import kept

XHTML = "http://www.w3.org/1999/xhtml"
NOTHING = "No relevant information available for this category."
DISCLAIMER = (
    "Sourced from the patient's General Practice record. This summary may not include all the "
    "information pertinent to this patient."
)
WITHHELD = "One or more entries have been deliberately withheld from this GP Summary."
RECENTLY_REGISTERED = (
    "At the time this record was created, this patient had recently registered with the GP Practice. "
    "GP Summary information may not be complete."
)
WITHDRAWN = (
    "The patient does not want a Summary Care Record. The GP Summary that was held here has been "
    "withdrawn, and holds no clinical information."
)
CONSENT_TO_ADDITIONAL = "Express consent for core and additional SCR dataset upload"
# Always there, so that a reader sees that nothing is recorded rather than wonder.
CORE_KINDS = (
    EntryKind.ALLERGY,
    EntryKind.ACUTE_MEDICATION,
    EntryKind.REPEAT_MEDICATION,
    EntryKind.STOPPED_REPEAT_MEDICATION,
)


def section(title: str, code: str, body: str) -> str:
    """One section of a Composition, as JSON."""
    before, after = _frame(title, code)
    return f"{before}{inner(body)}{after}"


@lru_cache(maxsize=256)
def _frame(title: str, code: str) -> tuple[str, str]:
    """What stands before and after the body of a section, as JSON."""
    before = (
        f'{{"title":{quoted(title)},"code":{{"coding":[{{"code":{quoted(code)}}}]}},'
        f'"text":{{"status":"generated","div":"'
    )
    return before + inner(f'<div xmlns="{XHTML}">'), '</div>"}}'


def inner(text: str) -> str:
    """A text as it stands inside a JSON string: of two texts together, it is what they are one after the other."""
    return quoted(text)[1:-1]


def title_section(summary: Summary, at: datetime.datetime, *statements: tuple[str, str]) -> str:
    """The first section: what this is, when, by whom, and statements as (id, text)."""
    said = "".join(_statement(key, text) for key, text in statements)
    created = f"Summary created: {day_words(at)} {_time_words(at)}"
    author, practice = _by_author(summary.author), _of_practice(summary.practice)
    return f"{_BEFORE_TIME}{created}{_AFTER_TIME}{said}{author}{practice}{_AFTER}"


# What a title section says of an author, a practice or in general is put into JSON once, not for each message.
_BEFORE, _AFTER = _frame("General Practice Summary", "Title")
_BEFORE_TIME = _BEFORE + inner(f'<h3 id="Disclaimer">{escape(DISCLAIMER)}</h3><p id="CreateTime">')
_AFTER_TIME = inner("</p>")


@lru_cache(maxsize=16)
def _statement(key: str, text: str) -> str:
    return inner(f'<p id="{key}" class="HighlightedStatement">{_text(text)}</p>')


@kept
def _by_author(author: Author) -> str:
    name = f"{author.family_name.upper()}, {author.given_name}"
    name += f" ({author.title})" if author.title else ""
    return inner(f'<p id="Author">Created by: {_text(name)}</p>')


@kept
def _of_practice(practice: PracticeDetails) -> str:
    words = f"{practice.name}, {practice.address} {practice.postcode}"
    return inner(f'<p id="Practice">{_text(words)}</p>')


# The first kind of each section.
_BY_SECTION = {kind.section: kind for kind in reversed(EntryKind)}
_ADDITIONAL = {
    code: kind
    for code, kind in _BY_SECTION.items()
    if not kind.is_core and kind is not EntryKind.CARE_PREFERENCE
}


def clinical_sections(chosen: Selection, *, consent_to_additional: bool, at: datetime.datetime) -> list[str]:
    """Core sections always, additional ones where there is something to say."""
    by_section: dict[str, list[Entry]] = defaultdict(list)
    for entry in chosen.sent:
        by_section[entry.kind.section].append(entry)
    today = at.date()
    sections = [
        _table_section(_title(kind, today), kind, by_section[kind.section])
        if kind.section in by_section
        else _empty_section(kind, today)
        for kind in CORE_KINDS
    ]
    if consent_to_additional or not by_section.keys() <= _CORE_SECTIONS:
        sections += [
            _table_section(kind.heading, kind, by_section[code])
            for code, kind in _ADDITIONAL.items()
            if code in by_section
        ]
        sections += _preferences(by_section, consent_to_additional, at)
    return sections


_CORE_SECTIONS = {kind.section for kind in CORE_KINDS}


# Of a day, so one for each kind will do; a few more where a message of an earlier day is written again.
@lru_cache(maxsize=64)
def _title(kind: EntryKind, today: datetime.date) -> str:
    if not kind.window_days:
        return kind.heading
    months = 12 if kind is EntryKind.ACUTE_MEDICATION else 6
    start = today - datetime.timedelta(days=kind.window_days)
    return f"{kind.heading} (For the {months} month period {day_words(start)} to {day_words(today)})"


@lru_cache(maxsize=64)
def _empty_section(kind: EntryKind, today: datetime.date) -> str:
    """Most patients have nothing in most of the core sections."""
    return _table_section(_title(kind, today), kind, ())


def _preferences(by_section: dict[str, list[Entry]], consented: bool, at: datetime.datetime) -> list[str]:
    kind = EntryKind.CARE_PREFERENCE
    rows = [_row(entry) for entry in by_section.get(kind.section, [])]
    if consented:
        rows.append((day_words(at), CONSENT_TO_ADDITIONAL, ""))
    if not rows:
        return []
    table = _table(kind, ("Date", "Description", "Additional information"), rows)
    sent = f'<p id="SendTime">Summary Sent: {day_words(at)} {_time_words(at)}</p>'
    return [section(kind.heading, kind.section, table + sent)]


def _table_section(title: str, kind: EntryKind, entries: Sequence[Entry]) -> str:
    if kind in MEDICATIONS:
        heads: tuple[str, ...] = ("Type", "Date", "Medication Item", "Dosage Instructions")
        rows: list[tuple[str, ...]] = [_medication_row(entry) for entry in entries]
    else:
        heads = ("Date", "Description", "Additional information")
        rows = [_row(entry) for entry in entries]
    return section(title, kind.section, _table(kind, heads, rows))


def _row(entry: Entry) -> tuple[str, ...]:
    return (day_words(entry.recorded_on), entry.term, entry.detail)


def _medication_row(entry: Entry) -> tuple[str, ...]:
    kind, verb = _MEDICATION_WORDS[entry.kind]
    day = entry.ended_on if entry.ended_on and verb == "Ended" else entry.recorded_on
    return (kind, f"{verb}: {day_words(day)}", entry.term, entry.detail)


_MEDICATION_WORDS = {
    EntryKind.ACUTE_MEDICATION: ("Acute Medication", "Prescribed"),
    EntryKind.REPEAT_MEDICATION: ("Repeat Medication", "Last Issued"),
    EntryKind.STOPPED_REPEAT_MEDICATION: ("Repeat Medication", "Ended"),
}


def _table(kind: EntryKind, heads: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    if rows:
        body = "".join([_tr(row, _ODD_EVEN[i % 2]) for i, row in enumerate(rows)])
    else:
        body = f'<tr><td colspan="{len(heads)}">{NOTHING}</td></tr>'
    return f"{_head(kind, heads)}{body}</tbody></table>"


@lru_cache(maxsize=64)
def _head(kind: EntryKind, heads: tuple[str, ...]) -> str:
    name = kind.section.removesuffix("Header")
    head = "".join(f"<th>{text}</th>" for text in heads)
    return f'<table id="{name}"><thead><tr>{head}</tr></thead><tbody>'


_ODD_EVEN = ("oddRow", "evenRow")


def _tr(row: tuple[str, ...], style: str) -> str:
    cells = "</td><td>".join(map(_text, row))
    return f'<tr class="{style}"><td>{cells}</td></tr>'


def _text(text: str) -> str:
    """Escaped, and without the control characters that XML has no way to say."""
    return escape(_UNSAYABLE.sub("", text)) if _SPECIAL.search(text) else text


# Most texts hold neither.
_SPECIAL = re.compile("[&<>\"'\x00-\x08\x0b-\x1f\ufffe\uffff]")
_UNSAYABLE = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")


def _time_words(at: datetime.datetime) -> str:
    return f"{at.hour:02}:{at.minute:02}"


def day_words(day: datetime.date) -> str:
    return f"{day.day:02}-{_MONTHS[day.month - 1]}-{day.year}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

"""What stands for all that a summary says. Pure.

Copies that the store holds are compared by it with what would be sent, across versions of this service: so
the text that goes into it stays the same to the byte. It is what `json.dumps` with sorted keys says of the
dictionaries of a summary, put together here by hand in a fifth of the time
(tests/unit/spine/test_fingerprint.py compares the two).
"""

import datetime
import hashlib
from json.encoder import encode_basestring_ascii as quoted

from spine.messages.content import Author, Entry, PatientDetails, PracticeDetails, Summary
from spine.messages.kept import kept


def content_hash(summary: Summary, *, on: datetime.date) -> str:
    """SHA-256 over what would be said on a day, whatever ids and times the message carries.

    Equal hashes mean that a new message would tell the store nothing new.
    """
    chosen = summary.chosen(on)
    entries = ", ".join(map(_entry, chosen.sent))
    said = (
        f'{{"author": {_author(summary.author)}, "entries": [{entries}], "patient": {_patient(summary.patient)}, '
        f'"practice": {_practice(summary.practice)}, "recently_registered": {_flag(summary.recently_registered)}, '
        f'"scope": {quoted(summary.scope)}, "withheld": {_flag(chosen.withheld_as_sensitive)}}}'
    )
    return hashlib.sha256(said.encode()).hexdigest()


def _entry(entry: Entry) -> str:
    kind, code, term, recorded_on, detail, ended_on, sensitive = entry
    return (
        f'{{"code": {quoted(code)}, "detail": {quoted(detail)}, "ended_on": {_day(ended_on)}, '
        f'"kind": {quoted(kind)}, "recorded_on": {_day(recorded_on)}, "sensitive": {_flag(sensitive)}, '
        f'"term": {quoted(term)}}}'
    )


def _patient(one: PatientDetails) -> str:
    return (
        f'{{"address": {quoted(one.address)}, "born_on": {_day(one.born_on)}, '
        f'"family_name": {quoted(one.family_name)}, "gender": {quoted(one.gender)}, '
        f'"given_name": {quoted(one.given_name)}, "nhs_number": {quoted(one.nhs_number)}, '
        f'"postcode": {quoted(one.postcode)}, "title": {quoted(one.title)}}}'
    )


@kept
def _practice(one: PracticeDetails) -> str:
    return (
        f'{{"address": {quoted(one.address)}, "name": {quoted(one.name)}, '
        f'"ods_code": {quoted(one.ods_code)}, "postcode": {quoted(one.postcode)}}}'
    )


@kept
def _author(one: Author) -> str:
    return (
        f'{{"family_name": {quoted(one.family_name)}, "given_name": {quoted(one.given_name)}, '
        f'"role_profile_id": {quoted(one.role_profile_id)}, "title": {quoted(one.title)}, '
        f'"user_id": {quoted(one.user_id)}}}'
    )


def _day(day: datetime.date | None) -> str:
    return "null" if day is None else f'"{day.isoformat()}"'


def _flag(value: object) -> str:
    return "true" if value else "false"

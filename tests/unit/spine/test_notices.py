"""A notice on the store's copy: the copy as it was, a sentence above it, and nothing of the record."""

import datetime
import hashlib
import json

import pytest

from spine.gate import Scope
from spine.messages import PRACTICE_ENDED, build_bundle, build_notice, patient_left
from spine.uploads.bundle_reading import read_message
from tests.unit.spine.bundle_rules import check
from tests.unit.spine.test_messages import AT, IDS, entry, summary

BEFORE = AT - datetime.timedelta(days=90)
OLD = {
    "message_id": "00000000-0000-4000-8000-00000000000a",
    "composition_id": "00000000-0000-4000-8000-00000000000b",
}
LEFT = patient_left(datetime.date(2026, 3, 3))
# SHA-256 of the bytes that were reviewed.
DIGESTS = {
    PRACTICE_ENDED: "f44c61eefb39ddaa67e93237f70be5b190bbe945ac1546f854e13d680f953c7c",
    LEFT: "681ebb822d1f472ca614054a9f94931300e934d18ac92462682ad211942c028c",
}


def held(body):
    """What the store answers to a search for a copy."""
    sent = json.loads(body)
    return json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": sent["entry"]}).encode()


def copy(*entries, **more):
    return build_bundle(
        summary(*entries, scope=Scope.CORE_ADDITIONAL, **more), replaces=None, at=BEFORE, **OLD
    )


def noted(body, statement=PRACTICE_ENDED, replaces=OLD["composition_id"]):
    whose = summary(entry(term="Recorded since"), scope=Scope.AS_HELD)
    return build_notice(held(body), whose, statement, replaces=replaces, at=AT, **IDS)


@pytest.mark.parametrize("statement", DIGESTS)
def test_the_copy_stands_as_it_was_under_the_notice(statement):
    before = copy(entry(), recently_registered=True)
    body = noted(before, statement)
    check(body)
    was, now = read_message(before), read_message(body)
    assert now.sections[1:] == was.sections[1:] and now.replaces == OLD["composition_id"].upper()
    said = list(now.sections[0].sentences)
    assert said.pop(1) == statement and said == list(was.sections[0].sentences)
    assert b"Recorded since" not in body
    assert hashlib.sha256(body).hexdigest() == DIGESTS[statement]


def test_a_later_notice_takes_the_place_of_an_earlier():
    once = noted(copy())
    again = build_notice(held(once), summary(), LEFT, replaces=IDS["composition_id"], at=AT, **OLD)
    said = read_message(again).sections[0].sentences
    assert LEFT in said and PRACTICE_ENDED not in said


def test_what_stood_in_a_record_stays_escaped():
    body = noted(copy(entry(term="<script>&")), "Left & gone <here>")
    assert b"&lt;script&gt;&amp;" in body and b"Left &amp; gone &lt;here&gt;" in body


@pytest.mark.parametrize(
    "wrong",
    [b"", b"[]", b"null", b'{"entry": []}', b'{"entry": [{"resource": {"resourceType": "Composition"}}]}'],
)
def test_a_copy_that_cannot_be_read_is_refused(wrong):
    with pytest.raises(ValueError, match="copy"):
        build_notice(wrong, summary(), LEFT, replaces="a", at=AT, **IDS)


def test_another_copy_than_the_one_replaced_is_refused():
    with pytest.raises(ValueError, match="another"):
        noted(copy(), replaces=IDS["composition_id"])

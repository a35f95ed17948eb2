"""The very bytes of messages, and the hashes of what they say, pinned.

A message that is sent again must be the same to the byte, also by a worker of the next version; and whatever
makes the building faster must not change what is built. The digests were taken from the plainest way of
building: one dictionary, one `json.dumps`.
"""

import dataclasses
import datetime
import hashlib

import pytest

from carerecords.summary_codes import EntryKind
from spine.gate import Scope
from spine.messages import build_blank, build_bundle, content_hash
from tests.unit.spine.test_messages import AT, IDS, TODAY, entry, summary

ODD = "Ärzte & <b>\"quoted\"</b> \\ back\x00\x1f\x85\u2028\ufffe tab\t line\n 'single' 漢字 😀"
EVERY_KIND = [
    entry(kind, f"{kind.value} {number} {ODD}", days_ago=number, detail=f"Detail of {number} {ODD}")
    for number, kind in enumerate(EntryKind)
]
ENDED = entry(EntryKind.STOPPED_REPEAT_MEDICATION, "Ended", 90, ended_on=TODAY - datetime.timedelta(days=9))
REPLACED = "6d334ca8-a6e1-4bae-93b1-19a14a36ea7a"

CASES = {
    "nothing recorded": (summary(), None),
    "core": (summary(*EVERY_KIND, ENDED), None),
    "core and additional": (summary(*EVERY_KIND, ENDED, scope=Scope.CORE_ADDITIONAL), REPLACED),
    "withheld, new here": (summary(entry(sensitive=True), entry(), recently_registered=True), REPLACED),
    "odd names": (
        dataclasses.replace(
            summary(entry()),
            author=dataclasses.replace(summary().author, family_name=ODD, given_name=ODD, title=""),
            practice=dataclasses.replace(summary().practice, name=ODD, address=ODD),
            patient=dataclasses.replace(summary().patient, family_name=ODD, address=ODD),
        ),
        None,
    ),
}
DIGESTS = {
    "nothing recorded": (
        "267aca808f7a17e52b2e59089a998493904ecffcc73efa2456a82982a595b91c",
        "83a7828a6a274fc5bfc949c29b9d0c7924e007b9dca1685881ef49d4b72c33e6",
        "9a7d8ea25d3d5826fd74e45c3ec9168cc058bcd380574d3045a84694e445a235",
    ),
    "core": (
        "d268a27ef2023cc38f815d9371260c1d560d456f79fa727ff1c8b45c0e295d73",
        "83a7828a6a274fc5bfc949c29b9d0c7924e007b9dca1685881ef49d4b72c33e6",
        "bcbc7b263e40a82616e57a9d29816e640e4df183cc89fa51fb419ab04f6ba143",
    ),
    "core and additional": (
        "e3af1a54d57ebcf5c80338bc1d9fc4b174ed14b4b4eb9a76f44f1b90844f8ee7",
        "e6d4b9f0dcccf3a2d0dcdfeb936318fa73f0321236c9e2fff6a908dca5b28759",
        "1ae7edc719470f52332887c160c3469884b7d132d4bc2945fd2ae71e2f9d0d60",
    ),
    "withheld, new here": (
        "faa3d72280f9fe020f6d561b5115d357928aa2cb2b9a92ad0c144af649ba501d",
        "e6d4b9f0dcccf3a2d0dcdfeb936318fa73f0321236c9e2fff6a908dca5b28759",
        "a18c39c689583b3ae13036339c7d14fc00a6f74aa1a1ece016a6e5d1cff7a8ba",
    ),
    "odd names": (
        "1dee478222f0274323eb47c1173c55c537c9c62337bbec7e48130bf197f7c4ab",
        "4ddf708f483ebab877f50d9b9152fa90b113725b10cee697b21d74c4185c6e8d",
        "091d3f34866872e759c9c78545c54d667f5cd15fcd7e8f4124aedcbf56f1c41d",
    ),
}


def _sha256(body):
    return hashlib.sha256(body).hexdigest()


@pytest.mark.parametrize("case", CASES)
def test_what_is_built_and_what_it_is_known_by(case):
    whole, replaces = CASES[case]
    upload = build_bundle(whole, replaces=replaces, at=AT, **IDS)
    blank = build_blank(whole, replaces=replaces, at=AT, **IDS)
    assert (_sha256(upload), _sha256(blank), content_hash(whole, on=TODAY)) == DIGESTS[case]

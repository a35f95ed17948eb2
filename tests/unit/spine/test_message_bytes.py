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
        "51ecf69cf3a7b74caff26770ead306c7ed4aa48833d8799d1ef407fe4e54f146",
        "67ec84231a3ad614e3903268c72b92b7b114505b17a68fbd3144a293e825a2aa",
        "9a7d8ea25d3d5826fd74e45c3ec9168cc058bcd380574d3045a84694e445a235",
    ),
    "core": (
        "10035f149fef7a83f19a38d638385d61a3b1922e93865de958223ef327a9785f",
        "67ec84231a3ad614e3903268c72b92b7b114505b17a68fbd3144a293e825a2aa",
        "bcbc7b263e40a82616e57a9d29816e640e4df183cc89fa51fb419ab04f6ba143",
    ),
    "core and additional": (
        "2a4368cec6210ac454349c68006990d0c409793d9dc90b3c33800dbd5d41528d",
        "4dd2b3fc4f2d89fd4637b7d9f2ce18bf6806cec96ee7d5abf9cc6efbce5ef67b",
        "1ae7edc719470f52332887c160c3469884b7d132d4bc2945fd2ae71e2f9d0d60",
    ),
    "withheld, new here": (
        "a4ed94ccdc293c6ade0ffbc8733f8b9048e450a92d2389b9931a6f695f90cdbb",
        "4dd2b3fc4f2d89fd4637b7d9f2ce18bf6806cec96ee7d5abf9cc6efbce5ef67b",
        "a18c39c689583b3ae13036339c7d14fc00a6f74aa1a1ece016a6e5d1cff7a8ba",
    ),
    "odd names": (
        "b7e5071c4eb99252407bd7106a6a2b8cecaa979b882beec926915e06c38bd152",
        "51173fe095a3f766aeb508858139abd8185c0d1debd313a4ec069b8201c01c04",
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

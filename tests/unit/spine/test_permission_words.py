"""What pages say of the Spine's permission, by when it was told and when the copy was accepted."""

import datetime

import pytest

from spine.models import StoreCopy
from spine.permission.page import spine_words

BEFORE = datetime.datetime(2026, 1, 4, 12, tzinfo=datetime.UTC)
THEN = datetime.datetime(2026, 1, 5, 12, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("copy", "words"),
    [
        (None, "Not asked yet"),
        ({}, "Not asked yet"),
        ({"read_at": THEN}, "The Spine tells none: it holds no record (asked on 5 January 2026 at midday)"),
        (
            {"read_at": THEN, "permission": "No"},
            "No: the patient opted out (as of 5 January 2026 at midday)",
        ),
        (
            {"read_at": THEN, "accepted_at": THEN, "permission": "Ask"},
            "Ask: whoever treats the patient asks before looking (as of 5 January 2026 at midday)",
        ),
        # A first upload: it was asked before, when there was nothing to tell of.
        ({"read_at": THEN, "accepted_at": THEN}, "Not asked since the upload on 5 January 2026 at midday"),
        (
            {"read_at": THEN, "accepted_at": THEN, "is_blank": True},
            "Not asked since the removal on 5 January 2026 at midday",
        ),
        # Asked since, and somebody else took the record away.
        (
            {"read_at": THEN, "accepted_at": BEFORE},
            "The Spine tells none: it holds no record (asked on 5 January 2026 at midday)",
        ),
    ],
)
def test_what_is_known_of_the_permission(copy, words):
    assert spine_words(None if copy is None else StoreCopy(**copy)) == words

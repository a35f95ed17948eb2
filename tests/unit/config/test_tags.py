"""Every state has a word and a colour; an unknown one is an error."""

import pytest

from carerecords.models import JobState
from config import tags
from consent.codes import ConsentState


@pytest.mark.parametrize(
    ("state", "text", "colour"),
    [
        ("NONE", "No decision", "grey"),
        ("IMPLIED_CORE", "Implied consent", "aqua-green"),
        ("EXPRESS_CORE", "Consent given", "green"),
        ("EXPRESS_ADDITIONAL", "Consent given", "green"),
        ("EXPRESS_DISSENT", "Consent refused", "red"),
        ("CONFLICT", "Conflicting", "orange"),
        ("LATER", "Starts later", "blue"),
    ],
)
def test_consent_tags(state, text, colour):
    assert tags.consent_tag(state) == tags.Tag(text, colour)


@pytest.mark.parametrize(
    ("state", "kind", "text", "colour"),
    [
        ("", "UPLOAD", "Not due", "grey"),
        (None, "UPLOAD", "Not due", "grey"),
        ("WAITING", "UPLOAD", "Waiting", "blue"),
        ("HELD", "UPLOAD", "Blocked", "yellow"),
        ("SENDING", "UPLOAD", "Sending", "blue"),
        ("IN_DOUBT", "UPLOAD", "Being checked", "orange"),
        ("ACCEPTED", "UPLOAD", "Accepted", "green"),
        ("ACCEPTED", "WITHDRAWAL", "Withdrawn", "white"),
        ("CANCELLED", "UPLOAD", "Cancelled", "grey"),
        ("FAILED", "UPLOAD", "Failed", "red"),
        ("FAILED", "WITHDRAWAL", "Failed", "red"),
    ],
)
def test_upload_tags(state, kind, text, colour):
    assert tags.upload_tag(state, kind) == tags.Tag(text, colour)


@pytest.mark.parametrize(
    ("state", "reason", "text"),
    [
        ("CANCELLED", "store.same", "Nothing to send"),
        ("CANCELLED", "store.nothing", "Nothing to send"),
        ("CANCELLED", "store.agrees", "Nothing to send"),
        ("CANCELLED", "store.others", "Nothing to send"),
        ("CANCELLED", "job.run_cancelled", "Cancelled"),
        ("CANCELLED", "consent.refused", "Cancelled"),
        ("CANCELLED", None, "Cancelled"),
        ("ACCEPTED", "store.same", "Accepted"),
    ],
)
def test_what_the_spine_held_already_was_not_cancelled(state, reason, text):
    assert tags.upload_tag(state, "UPLOAD", reason).text == text


def test_a_state_alone_names_all_that_ended_so():
    assert tags.state_words("CANCELLED") == "Cancelled or nothing to send"
    assert all(
        tags.state_words(state) == tags.upload_tag(state).text for state in JobState if state != "CANCELLED"
    )


def test_no_state_is_left_out():
    assert all(tags.consent_tag(state) for state in ConsentState)
    assert all(tags.upload_tag(state) for state in JobState)


def test_an_unknown_state_is_an_error():
    with pytest.raises(KeyError, match="MAYBE"):
        tags.consent_tag("MAYBE")

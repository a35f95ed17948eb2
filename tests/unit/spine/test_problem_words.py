"""What the work list says comes next: only what happens by itself, and never a moment that is over."""

import datetime

import pytest

from carerecords.models import JobState
from spine.uploads.problems import CAUSES

AT = datetime.datetime(2026, 3, 2, 15, 0, tzinfo=datetime.UTC)
MINUTE = datetime.timedelta(minutes=1)
BY_ITSELF = [cause for cause in CAUSES if cause.state in (JobState.WAITING, JobState.IN_DOUBT)]


@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: f"{cause.title} {cause.kind}")
def test_only_what_happens_by_itself_has_a_next(cause):
    assert bool(cause.next_words(AT + MINUTE, AT)) is (cause in BY_ITSELF)
    assert cause.next_words(None, AT) == ""


@pytest.mark.parametrize("cause", BY_ITSELF, ids=lambda cause: cause.title)
def test_a_moment_that_is_over_is_due_now(cause):
    verb = "tried again" if cause.state is JobState.WAITING else "asked about"
    assert cause.next_words(AT + MINUTE, AT) == f"The next is due to be {verb} on 2 March 2026 at 3:01pm."
    for over in (AT, AT - MINUTE):
        assert cause.next_words(over, AT) == f"The next is due to be {verb} now."

"""The one line that says what becomes of a patient's summary: it promises nothing that waits for others."""

import datetime

import pytest

from carerecords.models import UploadJob
from spine.runs.models import SendingRow, SendingRun
from spine.uploads.heading import heading, is_promised

NOON = datetime.datetime(2026, 1, 5, 12, tzinfo=datetime.UTC)
PAUSED = "The run of uploads that it belongs to is paused"
NOT_TAKEN = "The Spine could not take it. It is tried again by itself"
SHUT_OUT = "The Spine did not let this service in. It is tried again by itself"
HOURS = "Waiting for the hours in which its run of uploads sends"


def hours(number):
    return NOON + datetime.timedelta(hours=number)


def job(state="WAITING", reasons=(), due_at=NOON, kind="UPLOAD", run=""):
    made = UploadJob(state=state, reasons=list(reasons), due_at=due_at, kind=kind, requested_at=NOON)
    if run:
        # The row names the job, and the job then knows its row.
        SendingRow(job=made, run=SendingRun(state=run))
    return made


# What the job is, the line, and whether the upload is promised.
TABLE = [
    ({"due_at": NOON}, "Will be uploaded in the next minutes", True),
    ({"reasons": ["tech.turn"]}, "Will be uploaded in the next minutes", True),
    ({"reasons": ["consent.waiting"], "due_at": hours(1)}, "Will be uploaded after 1pm", True),
    (
        {"reasons": ["consent.waiting"], "due_at": hours(12)},
        "Will be uploaded after midnight on 6 January 2026",
        True,
    ),
    ({"reasons": ["job.paused"], "due_at": None, "run": "PAUSED"}, PAUSED, False),
    # Not laid aside yet: no worker has come to it since the run was paused.
    ({"run": "PAUSED"}, PAUSED, False),
    ({"reasons": ["tech.retry"], "due_at": hours(16), "run": "PAUSED"}, PAUSED, False),
    # Its run goes on, and feeding has made it due.
    ({"reasons": ["job.paused"], "run": "RUNNING"}, "Will be uploaded in the next minutes", True),
    ({"reasons": ["tech.retry"], "due_at": hours(1)}, f"{NOT_TAKEN} after 1pm", True),
    ({"reasons": ["tech.retry"], "due_at": hours(16)}, f"{NOT_TAKEN} after 4am on 6 January 2026", True),
    ({"reasons": ["tech.retry"]}, f"{NOT_TAKEN} in the next minutes", True),
    ({"reasons": ["tech.access"], "due_at": hours(1)}, f"{SHUT_OUT} after 1pm", True),
    ({"reasons": ["job.hours"], "due_at": hours(8), "run": "RUNNING"}, f"{HOURS}, from 8pm", True),
    (
        {"reasons": ["job.hours"], "due_at": hours(20), "run": "RUNNING"},
        f"{HOURS}, from 8am on 6 January 2026",
        True,
    ),
    # The hours have come.
    ({"reasons": ["job.hours"], "run": "RUNNING"}, "Will be uploaded in the next minutes", True),
    # Nobody holds it any more: the day on which the hold would have ended by itself says nothing.
    (
        {"state": "HELD", "reasons": ["policy.bma"], "due_at": hours(480)},
        "Will be uploaded in the next minutes",
        True,
    ),
    ({"kind": "NOTICE", "due_at": None, "run": "PAUSED"}, PAUSED, False),
    (
        {"kind": "NOTICE", "reasons": ["tech.retry"], "due_at": hours(16)},
        f"{NOT_TAKEN} after 4am on 6 January 2026",
        False,
    ),
    ({"kind": "NOTICE"}, "A notice is being put on the Spine's copy: it is not kept up to date", False),
    # Nothing makes a removal wait.
    ({"kind": "WITHDRAWAL", "run": "PAUSED"}, "Removal asked for at midday", False),
    ({"state": "FAILED", "run": "PAUSED"}, "Sending failed", False),
    ({"state": "SENDING", "run": "PAUSED"}, "Being sent now", False),
]


@pytest.mark.parametrize(("fields", "words", "promised"), TABLE)
def test_what_is_said_of_an_upload_that_the_gate_lets_go(fields, words, promised):
    one = job(**fields)
    assert heading(one, True, None, NOON) == words
    assert is_promised(one) is promised


@pytest.mark.parametrize(("fields", "words", "promised"), TABLE)
def test_nothing_is_promised_of_what_the_gate_holds(fields, words, promised):
    if fields.get("kind", "UPLOAD") == "UPLOAD" and fields.get("state", "WAITING") in ("WAITING", "HELD"):
        assert heading(job(**fields), False, None, NOON) == "Will not be uploaded"


def test_a_removal_of_another_day_names_it():
    assert heading(job(kind="WITHDRAWAL"), False, None, hours(24)) == (
        "Removal asked for at midday on 5 January 2026"
    )

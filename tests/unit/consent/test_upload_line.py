"""What stands under the upload tag of the patient list."""

import datetime

import pytest

from carerecords.models import UploadJob
from consent.wording import upload_line

NOON = datetime.datetime(2026, 1, 5, 12, tzinfo=datetime.UTC)
NOT_TAKEN = "The Spine could not take it. It is tried again by itself."
PAUSED = "The run of uploads that it belongs to is paused."


@pytest.mark.parametrize(
    ("hours", "fields", "line"),
    [
        (0, {}, "Sent in the next minutes"),
        (0, {"headline": "Waiting for its turn."}, "Sent in the next minutes"),
        (0, {"kind": "WITHDRAWAL"}, "Removal in the next minutes"),
        (1, {}, "Until 1pm"),
        (16, {}, "Until 4am on 6 January 2026"),
        (1, {"headline": NOT_TAKEN}, f"Until 1pm. {NOT_TAKEN}"),
        (16, {"headline": NOT_TAKEN}, f"Until 4am on 6 January 2026. {NOT_TAKEN}"),
        (None, {"headline": PAUSED}, PAUSED),
    ],
)
def test_what_waits_says_until_when_and_why(hours, fields, line):
    due_at = None if hours is None else NOON + datetime.timedelta(hours=hours)
    job = UploadJob(**{"kind": "UPLOAD", "state": "WAITING", "due_at": due_at} | fields)
    assert upload_line(job, NOON) == line


@pytest.mark.parametrize(
    ("reason", "line"),
    [
        ("store.same", "5 January 2026. The Spine holds exactly this."),
        ("job.cancelled", "The Spine holds exactly this."),
    ],
)
def test_what_needed_no_sending_says_when_that_was(reason, line):
    """It says nothing of the record as it is since."""
    told = {"reasons": [reason], "headline": "The Spine holds exactly this.", "finished_at": NOON}
    assert upload_line(UploadJob(kind="UPLOAD", state="CANCELLED", **told), NOON) == line

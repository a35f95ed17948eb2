"""What stands for a summary's content is the same to the byte as ever: stored copies are compared with it."""

import dataclasses
import datetime
import hashlib
import json

from hypothesis import given
from hypothesis import strategies as st

from carerecords.summary_codes import EntryKind
from spine.gate import Scope
from spine.messages import Author, Entry, PatientDetails, PracticeDetails, Summary, content_hash, select
from tests.unit.spine.test_messages import TODAY, entry, summary

anything = st.text(max_size=40)
days = st.dates(datetime.date(1920, 1, 1), TODAY)
summaries = st.builds(
    Summary,
    patient=st.builds(PatientDetails, *[anything] * 4, days, *[anything] * 3),
    practice=st.builds(PracticeDetails, *[anything] * 4),
    author=st.builds(Author, *[anything] * 5),
    entries=st.lists(
        st.builds(
            Entry,
            st.sampled_from(EntryKind),
            anything,
            anything,
            days,
            anything,
            st.none() | days,
            st.booleans(),
        ),
        max_size=8,
    ).map(tuple),
    scope=st.sampled_from(Scope),
    recently_registered=st.booleans(),
)


def as_it_was_first_written(whole, on):
    """Dictionaries and `json.dumps`: the definition."""
    chosen = select(whole.entries, scope=whole.scope, on=on)
    said = {
        "patient": dataclasses.asdict(whole.patient),
        "practice": dataclasses.asdict(whole.practice),
        "author": dataclasses.asdict(whole.author),
        "scope": whole.scope,
        "entries": [one._asdict() for one in chosen.sent],
        "withheld": bool(chosen.withheld_as_sensitive),
        "recently_registered": whole.recently_registered,
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


@given(summaries, days)
def test_it_is_the_hash_of_sorted_json(whole, on):
    assert content_hash(whole, on=on) == as_it_was_first_written(whole, on)


def test_another_day_is_chosen_for_anew():
    """A summary keeps what was chosen for the day asked for last, and no other day's."""
    acute = summary(entry(EntryKind.ACUTE_MEDICATION, "Amoxicillin", days_ago=365))
    tomorrow = TODAY + datetime.timedelta(days=1)
    for on in (TODAY, tomorrow, TODAY):
        assert content_hash(acute, on=on) == as_it_was_first_written(acute, on)
    assert len(acute.chosen(TODAY).sent) == 1 and not acute.chosen(tomorrow).sent

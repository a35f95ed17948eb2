"""Ids that follow from others."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from spine.messages import named_id, related_id
from spine.messages.keys import MESSAGE, ORGANIZATION, PATIENT, PRACTITIONER, REQUEST, ROLE

NUMBERS = (MESSAGE, REQUEST, ROLE, PRACTITIONER, ORGANIZATION, PATIENT)


@given(st.uuids(), st.text())
def test_a_named_id_is_that_of_the_standard(space, name):
    assert named_id(space, name) == str(uuid.uuid5(space, name))


@given(st.uuids(version=5))
def test_related_ids_are_ids_of_the_same_version_and_all_differ(known):
    known = str(known)
    related = [related_id(known, number) for number in NUMBERS]
    assert all(str(uuid.UUID(each)) == each and uuid.UUID(each).version == 5 for each in related)
    assert len({known, *related}) == 1 + len(NUMBERS)


@given(st.uuids(version=5), st.sampled_from(NUMBERS))
def test_no_two_ids_have_the_same_related_one(known, number):
    known = str(known)
    assert related_id(related_id(known, number), number) == known, "so it can be told whose it is"

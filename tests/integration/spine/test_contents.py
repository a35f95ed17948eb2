"""What a message is made of: only what may go is read, and it says what a message made of all would say."""

import datetime
from dataclasses import replace

import pytest
from django.utils import timezone

from carerecords.summary_codes import EntryKind
from spine.facts import load_one
from spine.gate import Decision, Kind, Outcome, Scope
from spine.messages import content_hash
from spine.sending.claims import Claimed
from spine.sending.contents import entries_of, load_outgoing
from tests.factories import make_item, make_patient

NOW = timezone.now()


def outgoing_of(patients, scope):
    going = [
        (
            Claimed(number, 1, patient.pk, patient.practice_id, Kind.UPLOAD, 0, (), NOW, str(number)),
            Decision(Outcome.SEND, scope, ()),
            load_one(patient, NOW),
        )
        for number, patient in enumerate(patients, 1)
    ]
    built, unbuildable = load_outgoing(going, at=NOW)
    assert not unbuildable
    return built


@pytest.fixture
def patients(practice, gp):
    """Of each: an entry of every kind, some of them sensitive, or none."""
    found = [make_patient(practice, usual_gp=gp) for _ in range(3)]
    for patient, is_sensitive in zip(found, (False, True), strict=False):
        for number, kind in enumerate(EntryKind):
            day = NOW.date() - datetime.timedelta(days=number)
            make_item(
                patient,
                kind=kind,
                term=f"Term {number}",
                recorded_on=day,
                is_sensitive=is_sensitive and number % 5 == 0,
            )
    return found


@pytest.mark.parametrize("scope", [Scope.CORE, Scope.CORE_ADDITIONAL])
def test_what_may_not_go_is_not_read_and_changes_nothing(patients, scope):
    for patient, built in zip(patients, outgoing_of(patients, scope), strict=True):
        read, _ = built.says
        everything = replace(read, entries=tuple(entries_of(patient)))
        today = timezone.localdate(NOW)
        assert built.content_hash == content_hash(everything, on=today)
        assert read.chosen(today).sent == everything.chosen(today).sent
        assert scope is Scope.CORE_ADDITIONAL or all(
            one.kind.is_core or one.sensitive for one in read.entries
        )

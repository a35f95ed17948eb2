"""Messages that the real service would take, and what goes into them."""

import dataclasses
import datetime
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carerecords.formats import LONDON
from carerecords.summary_codes import EntryKind
from spine.gate import Scope
from spine.messages import (
    Author,
    Entry,
    PatientDetails,
    PracticeDetails,
    Summary,
    build_blank,
    build_bundle,
    content_hash,
    select,
)
from tests.unit.spine.bundle_rules import CORE, check, codes, text

TODAY = datetime.date(2026, 11, 23)
AT = datetime.datetime(2026, 11, 23, 14, 32, 7, tzinfo=LONDON)
IDS = {"message_id": str(uuid.UUID(int=1, version=4)), "composition_id": str(uuid.UUID(int=2, version=4))}


def entry(kind=EntryKind.ALLERGY, term="Allergy to penicillin", days_ago=10, **more):
    return Entry(kind, "", term, TODAY - datetime.timedelta(days=days_ago), **more)


def summary(*entries, scope=Scope.CORE, **more):
    return Summary(
        patient=PatientDetails("9990000018", "Adeyemi", "Grace", "Ms", datetime.date(1945, 5, 12), "FEMALE"),
        practice=PracticeDetails("J81012", "Orchid House", "Ferndown", "BH22 9DW"),
        author=Author("555000000001", "555021935107", "Khan", "Amina", "Dr"),
        entries=entries,
        scope=scope,
        **more,
    )


def built(*entries, replaces=None, **more):
    return check(build_bundle(summary(*entries, **more), replaces=replaces, at=AT, **IDS))[1]


def test_core_sections_are_always_there_and_say_when_nothing_is_recorded():
    composition = built()
    assert codes(composition) == CORE
    assert "No relevant information" in text(composition, "AllergiesHeader")


def test_titles_state_their_windows():
    titles = {section["title"] for section in built()["section"]}
    assert "Acute Medications (For the 12 month period 23-Nov-2025 to 23-Nov-2026)" in titles
    assert "Discontinued Repeat Medications (For the 6 month period 24-May-2026 to 23-Nov-2026)" in titles


def test_additional_information_goes_with_its_scope_only():
    asthma = entry(EntryKind.DIAGNOSIS, "Asthma")
    assert codes(built(asthma)) == CORE
    composition = built(asthma, scope=Scope.CORE_ADDITIONAL)
    assert codes(composition) == [*CORE, "DiagnosesHeader", "PreferencesHeader"]
    assert "Express consent for core and additional SCR dataset upload" in text(
        composition, "PreferencesHeader"
    )


@pytest.mark.parametrize(
    "kind, days_ago, ended_days_ago, sent",
    [
        (EntryKind.ACUTE_MEDICATION, 365, None, True),
        (EntryKind.ACUTE_MEDICATION, 366, None, False),
        (EntryKind.REPEAT_MEDICATION, 4000, None, True),
        (EntryKind.STOPPED_REPEAT_MEDICATION, 4000, 183, True),
        (EntryKind.STOPPED_REPEAT_MEDICATION, 4000, 184, False),
        (EntryKind.ALLERGY, 20000, None, True),
    ],
)
def test_windows(kind, days_ago, ended_days_ago, sent):
    ended = None if ended_days_ago is None else TODAY - datetime.timedelta(days=ended_days_ago)
    chosen = select([entry(kind, days_ago=days_ago, ended_on=ended)], scope=Scope.CORE, on=TODAY)
    assert (len(chosen.sent), len(chosen.outside_window)) == (int(sent), int(not sent))


def test_sensitive_entries_are_withheld_and_the_summary_says_so():
    composition = built(entry(term="IVF treatment", sensitive=True), entry())
    assert "IVF" not in str(composition)
    assert "deliberately withheld" in text(composition, "Title")
    assert "deliberately withheld" not in text(built(entry()), "Title")


def test_recently_registered_is_said():
    assert "recently registered" in text(built(recently_registered=True), "Title")


def test_replacement_names_the_present_copy():
    relation = built(replaces="6d334ca8-a6e1-4bae-93b1-19a14a36ea7a")["relatesTo"]
    assert relation == [
        {"code": "replaces", "targetIdentifier": {"value": "6D334CA8-A6E1-4BAE-93B1-19A14A36EA7A"}}
    ]
    assert "relatesTo" not in built()


def test_a_blank_holds_nothing_clinical_and_says_why():
    body = build_blank(summary(entry(), scope=Scope.BLANK), replaces=str(uuid.uuid4()), at=AT, **IDS)
    _, composition = check(body)
    assert codes(composition) == ["Title"]
    assert "does not want a Summary Care Record" in text(composition, "Title")
    assert b"penicillin" not in body


def test_every_kind_reaches_its_section():
    entries = [entry(kind, f"Term of {kind.value}") for kind in EntryKind]
    composition = built(*entries, scope=Scope.CORE_ADDITIONAL)
    for kind in EntryKind:
        assert f"Term of {kind.value}" in text(composition, kind.section)


def test_equal_input_gives_equal_bytes():
    one, other = (build_bundle(summary(entry()), replaces=None, at=AT, **IDS) for _ in range(2))
    assert one == other


anything = st.text(max_size=60)
entries_of_any_kind = st.builds(
    Entry,
    kind=st.sampled_from(EntryKind),
    code=st.just(""),
    term=anything,
    recorded_on=st.dates(datetime.date(1920, 1, 1), TODAY),
    detail=anything,
    sensitive=st.booleans(),
)


@given(
    st.lists(entries_of_any_kind, max_size=8), st.sampled_from([Scope.CORE, Scope.CORE_ADDITIONAL]), anything
)
def test_any_record_makes_a_message_that_is_taken(entries, scope, name):
    """Whatever a record holds: markup, control characters, any script."""
    whole = summary(*entries, scope=scope)
    whole = dataclasses.replace(whole, author=dataclasses.replace(whole.author, family_name=name))
    check(build_bundle(whole, replaces=None, at=AT, **IDS))


@given(st.lists(entries_of_any_kind, max_size=8), st.sampled_from([Scope.CORE, Scope.CORE_ADDITIONAL]))
def test_each_entry_is_in_exactly_one_group(entries, scope):
    chosen = select(entries, scope=scope, on=TODAY)
    groups = [chosen.sent, chosen.withheld_as_sensitive, chosen.only_with_additional, chosen.outside_window]
    assert sorted(map(repr, entries)) == sorted(repr(one) for group in groups for one in group)
    assert not any(one.sensitive for one in chosen.sent)
    assert scope is Scope.CORE_ADDITIONAL or all(one.kind.is_core for one in chosen.sent)


def test_the_hash_is_of_what_is_said():
    base = content_hash(summary(entry()), on=TODAY)
    assert content_hash(summary(entry()), on=TODAY) == base
    assert content_hash(summary(entry(), entry(EntryKind.DIAGNOSIS)), on=TODAY) == base, (
        "core says no diagnosis"
    )
    assert content_hash(summary(entry(term="Allergy to nuts")), on=TODAY) != base
    assert content_hash(summary(entry(), scope=Scope.CORE_ADDITIONAL), on=TODAY) != base
    assert content_hash(summary(entry(), entry(sensitive=True)), on=TODAY) != base, (
        "that something is withheld"
    )

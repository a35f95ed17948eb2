"""Searches of the patient list: by what, how wrong ones are answered, and where what was typed goes."""

import datetime

import pytest

from carerecords.models import AccessEvent, Patient
from consent.patient_list import SIZE
from tests.factories import decide, make_patient
from tests.integration.consent.looking import LIST, fill, rows_of, text

pytestmark = pytest.mark.django_db


@pytest.fixture
def names(practice):
    born = datetime.date(1945, 5, 12)
    return {
        name: make_patient(practice, family_name=family, given_name=given, **more)
        for name, family, given, more in [
            ("Grace", "Adeyemi", "Grace", {}),
            ("John", "Adeyemi-Brown", "John", {"born_on": born}),
            ("Tom", "Brown", "Tom", {"born_on": born, "postcode": "ZZ1 1ZZ"}),
            ("Mary Ann", "van der Berg", "Mary Ann", {"postcode": "ZZ1 1ZZ"}),
            ("Percy", "100%", "Percy", {}),
            ("Secret", "Hidden", "Secret", {"postcode": "ZZ1 1ZZ", "is_sensitive": True}),
        ]
    }


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("adeyemi", {"Grace", "John"}),
        ("ADEYEMI, grace", {"Grace"}),
        ("Grace Adeyemi", {"Grace"}),
        ("Adeyemi Grace", {"Grace"}),
        ("Mrs Grace Adeyemi", {"Grace"}),
        ("ade", {"Grace", "John"}),
        ("dey", set()),
        ("tom", {"Tom"}),
        ("Mary Ann van der Berg", {"Mary Ann"}),
        ("van der", {"Mary Ann"}),
        ("%", None),
        ("a_e", set()),
        ("12/5/1945", {"John", "Tom"}),
        ("brown 12 May 1945", {"Tom"}),
        ("zz1 1zz", {"Tom", "Mary Ann", "Secret"}),
        ("brown zz11zz", {"Tom"}),
        ("13/5/1945", set()),
    ],
)
def test_a_search_finds_by_each_fact_and_by_all_together(client, gp, names, typed, found):
    client.force_login(gp)
    answer = client.post(f"{LIST}search/", {"text": typed}, follow=True)
    if found is None:
        assert "Enter a name, NHS number, postcode or date of birth" in text(answer)
        return
    assert sorted(rows_of(answer)) == sorted(names[name].family_name.title() for name in found)
    body = answer.content.decode()
    assert f'value="{typed}"' in body, "What was typed stays in the box."


@pytest.mark.parametrize(("who", "found"), [("gp", 3), ("privacy_officer", 3), ("staff", 2), ("manager", 2)])
def test_a_postcode_does_not_tell_where_a_sensitive_patient_lives(client, request, names, who, found):
    client.force_login(request.getfixturevalue(who))
    assert len(rows_of(client.post(f"{LIST}search/", {"text": "ZZ1 1ZZ"}, follow=True))) == found


@pytest.mark.parametrize("gap", ["", " ", "-", "\u2009"])
def test_an_nhs_number_leads_straight_to_the_patient(client, gp, patient, gap):
    client.force_login(gp)
    number = patient.nhs_number
    typed = gap.join([number[:3], number[3:6], number[6:]])
    answer = client.post(f"{LIST}search/", {"text": f"  {typed} "})
    assert answer["Location"] == f"{LIST}{patient.public_id}/"
    look = AccessEvent.objects.get(kind="SEARCHED")
    assert (look.detail, look.rows) == ("patients by NHS number", 1)


def test_an_unknown_nhs_number_is_said_to_be_nobodys(client, gp, patient):
    number = make_patient().nhs_number
    client.force_login(gp)
    answer = client.post(f"{LIST}search/", {"text": number}, follow=True)
    assert "No patient of your practice has this NHS number." in text(answer)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Enter a name, NHS number, postcode or date of birth"),
        ("999 123 456x", "NHS number must only include numbers"),
        ("999 123 4560", "Check the NHS number – it is not one that can exist"),
        ("AB123456C", "Enter an NHS number, not a National Insurance number"),
        ("31/2/1945", "Date of birth must be a real date"),
        ("x" * 101, "Search must be 100 characters or less"),
    ],
)
def test_a_wrong_search_keeps_what_was_typed_and_says_what_to_mend(client, gp, patient, typed, sentence):
    client.force_login(gp)
    answer = client.post(f"{LIST}search/", {"text": typed})
    assert answer.status_code == 200 and text(answer).lstrip().startswith("Error: Patients")
    assert text(answer).count(sentence) == 2, "In the summary and beside the box."
    assert f'value="{typed}"' in answer.content.decode() or not typed


def test_more_than_200_matches_ask_for_another_fact(client, gp, practice):
    fill(practice, 201)
    client.force_login(gp)
    answer = client.post(f"{LIST}search/", {"text": "Fam"}, follow=True)
    assert "More than 200 patients match. Add a date of birth or postcode." in text(answer)
    assert rows_of(answer) == []
    last = Patient.objects.order_by("-pk").first()
    last.family_name = "Other"
    last.save()
    assert len(rows_of(client.post(f"{LIST}search/", {"text": "Fam"}, follow=True))) == SIZE


def test_what_was_searched_for_is_in_no_address_and_belongs_to_one_session(client, gp, staff, names):
    client.force_login(gp)
    address = client.post(f"{LIST}search/", {"text": "Grace"})["Location"]
    assert "grace" not in address.lower()
    assert rows_of(client.get(address)) == ["Adeyemi"]
    assert client.post(f"{LIST}search/", {"text": "Grace"})["Location"] == address
    assert rows_of(client.get(f"{address}&decision=EXPRESS_CORE")) == []
    client.logout()
    client.force_login(staff)
    told = client.get(address)
    assert "That search has ended, and what was typed is not kept." in text(told)
    assert set(AccessEvent.objects.exclude(detail="patients").values_list("detail", flat=True)) == {
        "patients by name",
        "patients by name, decision=EXPRESS_CORE",
    }


def test_a_search_is_narrowed_by_filters_and_sorted(client, gp, names):
    decide(names["John"], by=gp)
    client.force_login(gp)
    address = client.post(f"{LIST}search/", {"text": "adeyemi"})["Location"]
    assert rows_of(client.get(f"{address}&decision=EXPRESS_CORE")) == ["Adeyemi-Brown"]
    assert rows_of(client.get(f"{address}&sort=decided")) == ["Adeyemi-Brown", "Adeyemi"]
    assert rows_of(client.get(address)) == ["Adeyemi", "Adeyemi-Brown"]


def test_the_search_address_itself_only_leads_to_the_list(client, gp):
    client.force_login(gp)
    assert client.get(f"{LIST}search/")["Location"] == LIST

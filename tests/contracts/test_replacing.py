"""Which summary an upload may replace. The published rule: "in case of an update, the latest UUID must be
obtained using GET /DocumentReference and set inside the request body". What Spine does otherwise is not
published; the store refuses, so that a sender who forgets it finds out here."""

import pytest

from tests.contracts.calls import blank, bundle, new_id
from tests.localstore_process import fresh_nhs_number

NOT_CURRENT = (
    "Code: 430, Display: Invalid update;Composition.relatesTo does not name the patient's current summary"
)


def test_a_first_upload_of_an_unknown_patient(store):
    number, composition_id = fresh_nhs_number(), new_id()
    assert store.upload(bundle(number, composition_id)).status == 201
    assert store.current_id(number) == composition_id


def test_a_first_upload_may_name_a_summary_nobody_has(store):
    # As the acceptance pair upload_scr/not_found does.
    assert store.upload(bundle(fresh_nhs_number(), new_id(), new_id())).status == 201


def test_replacing_the_current_one_in_either_case(store):
    number, first, second, third = fresh_nhs_number(), new_id(), new_id(), new_id()
    assert store.upload(bundle(number, first)).status == 201
    assert store.upload(bundle(number, second, first)).status == 201
    assert store.upload(bundle(number, third, second.lower())).status == 201
    assert store.current_id(number) == third


@pytest.mark.parametrize("replaces", ["nothing", "an outdated one", "one of nobody"])
def test_replacing_anything_else(store, replaces):
    number, first, second = fresh_nhs_number(), new_id(), new_id()
    assert store.upload(bundle(number, first)).status == 201
    assert store.upload(bundle(number, second, first)).status == 201
    target = {"nothing": None, "an outdated one": first, "one of nobody": new_id()}[replaces]
    answer = store.upload(bundle(number, new_id(), target))
    assert (answer.status, answer.issue) == (400, ("value", NOT_CURRENT))
    assert store.current_id(number) == second


def test_a_withdrawal_then_the_permission(store):
    number, first, second = fresh_nhs_number(), new_id(), new_id()
    start = store.last_sequence()
    assert store.upload(bundle(number, first)).status == 201
    assert store.upload(blank(number, second, first)).status == 201
    assert store.current_id(number) == second
    assert store.set_permission(number, "No").status == 201
    uploads = [line for line in store.lines(start) if line["kind"] == "upload"]
    assert [(line["is_blank"], line["section_codes"]) for line in uploads] == [
        (
            False,
            ["Title", "AllergiesHeader", "AcuteMedsHeader", "RepeatMedsHeader", "DiscRepeatMedsHeader"]
            + ["PreferencesHeader"],
        ),
        (True, ["Title"]),
    ]


def test_the_permission_first_shuts_out_the_withdrawal(store):
    number, first = fresh_nhs_number(), new_id()
    assert store.upload(bundle(number, first)).status == 201
    assert store.set_permission(number, "No").status == 201
    assert store.upload(blank(number, new_id(), first)).status == 403


def test_a_clinical_resource_without_a_section_is_not_blank(store):
    number, start = fresh_nhs_number(), store.last_sequence()
    made = blank(number, new_id())
    made["entry"].insert(1, {"resource": {"resourceType": "Condition", "id": "1"}})
    assert store.upload(made).status == 201
    assert store.lines(start)[0]["is_blank"] is False


def test_any_section_but_the_title_is_not_blank(store):
    number, start = fresh_nhs_number(), store.last_sequence()
    made = blank(number, new_id())
    sections = made["entry"][0]["resource"]["section"]
    sections.append(sections[0] | {"code": {"coding": [{"code": "PreferencesHeader"}]}})
    assert store.upload(made).status == 201
    assert store.lines(start)[0]["is_blank"] is False

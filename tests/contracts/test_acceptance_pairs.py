"""The service's own acceptance pairs (uat-pairs), request by request, against the running store.

Bodies are compared as they are, save what is made for each answer (ids, the host's address). Where an
answer depends on what Spine holds, the store is brought into that state through its own interface first.
Two pairs are not met as they stand; each says why.
"""

import json
import re

import pytest

from tests.contracts.calls import ROLE, bundle, data

NUMBER = "9995000180"


def expected(path: str):
    return json.loads(data(f"uat-pairs/{path}"))


def request(path: str) -> bytes:
    return data(f"uat-pairs/{path}")


@pytest.mark.parametrize(
    "path", ["upload_scr/success/1-basic", "upload_scr/success/2-bulk", "upload_scr/not_found/1-basic"]
)
def test_uploads_accepted(new_store, path):
    # All three name a summary to replace that the store never saw; "not_found" is the patient of whom
    # Spine has no record yet.
    answer = new_store.upload(request(f"{path}.request.json"), NHSD_Session_URID=ROLE)
    assert (answer.status, answer.body) == (201, b"")


def test_upload_without_composition(store):
    answer = store.upload(request("upload_scr/bad_request/1-missingComposition.request.json"))
    assert answer.status == 400
    assert answer.json == expected("upload_scr/bad_request/1-missingComposition.response.json")


def test_upload_against_a_dissent(new_store):
    assert new_store.set_permission(NUMBER, "No").status == 201
    answer = new_store.upload(request("upload_scr/no_consent/1-dissent.request.json"))
    assert answer.status == 403
    assert answer.json == expected("upload_scr/no_consent/1-dissent.response.json")


@pytest.mark.parametrize("operation", ["get_scr_id", "get_scr"])
def test_reading_against_a_dissent(new_store, operation):
    sent = json.loads(request("upload_scr/success/1-basic.request.json"))
    assert new_store.upload(sent).status == 201
    assert new_store.set_permission(NUMBER, "No").status == 201
    composition_id = sent["entry"][0]["resource"]["identifier"]["value"]
    answer = new_store.find(NUMBER) if operation == "get_scr_id" else new_store.fetch(NUMBER, composition_id)
    assert answer.status == 403
    assert answer.json == expected(f"{operation}/no_consent/1-basic.response.json")


@pytest.mark.parametrize("operation", ["get_scr_id", "get_scr"])
def test_nothing_to_read(new_store, operation):
    answer = new_store.find(NUMBER) if operation == "get_scr_id" else new_store.fetch(NUMBER, ROLE)
    wanted = expected(f"{operation}/no_results/1-basic.response.json")
    assert answer.status == 200
    assert answer.json | {"id": None} == wanted | {"id": None}


def test_finding_the_current_summary(new_store):
    wanted = expected("get_scr_id/success/1-basic.response.json")
    composition_id = wanted["entry"][0]["resource"]["masterIdentifier"]["value"]
    assert new_store.upload(bundle(NUMBER, composition_id)).status == 201
    assert new_store.set_permission(NUMBER, "Yes").status == 201
    answer = new_store.find(NUMBER)
    assert answer.status == 200
    assert with_made_parts_named(answer.body) == with_made_parts_named(json.dumps(wanted).encode())


def with_made_parts_named(body: bytes) -> str:
    """The body with each made id replaced by its order of appearance, and without the host."""
    text = re.sub(r"https?://[^/\"]+/summary-care-record/", "base:", json.dumps(json.loads(body)))
    made: dict[str, str] = {}
    lower_case_uuid = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    return re.sub(lower_case_uuid, lambda found: made.setdefault(found[0], f"made {len(made)}"), text)


def test_fetching_a_summary(new_store):
    """Met but for three things that come from the service's detour through HL7 v3.

    It gives every resource a new id, the display text "Active" to a clinical status, and, in these two
    files, other made-up addresses to four organisations. All else is compared.
    """
    sent = request("upload_scr/success/1-basic.request.json")
    assert new_store.upload(sent).status == 201
    wanted = expected("get_scr/success/1-basic.response.json")
    found = new_store.fetch(NUMBER, "BF4180FD-C403-4EF7-A4AB-E07303AF5477").json
    for name in ("resourceType", "identifier", "type", "timestamp", "total"):
        assert found[name] == wanted[name]
    assert comparable(found) == comparable(wanted)
    for entry in found["entry"]:
        resource = entry["resource"]
        assert entry["fullUrl"].endswith(f"/R4/{resource['resourceType']}/{resource['id']}")


def comparable(found: dict) -> list[str]:
    resources = []
    for entry in found["entry"]:
        resource = entry["resource"]
        if resource["resourceType"] == "Organization":
            resource = resource | {"address": None}
        if resource["resourceType"] == "Condition":
            del resource["clinicalStatus"]["coding"][0]["code"]
            resource["clinicalStatus"]["coding"][0].pop("display", None)
        resources.append(json.dumps(plain(resource), sort_keys=True))
    return sorted(resources)


def plain(value):
    """Without ids, and with white space between tags and in texts made one."""
    if isinstance(value, dict):
        return {
            name: plain(item) for name, item in value.items() if name not in ("id", "reference", "fullUrl")
        }
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, str):
        value = re.sub(r"\s+", " ", re.sub(r">\s+<", "><", value)).replace("<td/>", "<td></td>")
    return value


@pytest.mark.skip(
    reason="get_scr/init_upload_success shows a 'General Practice Initial Summary' (196971000000103) of 2007 "
    "that was put on Spine before this interface; the interface refuses that type, so no state of the "
    "store can lead to this answer."
)
def test_fetching_an_initial_summary_of_2007():
    """Kept so that every pair is named here."""


def test_permission_set(store):
    answer = store.post(
        "/$setPermission", request("set_acs/success/1-basic.request.json"), NHSD_Session_URID=ROLE
    )
    assert (answer.status, answer.body) == (201, b"")


@pytest.mark.parametrize("path", ["bad_request/1-nhsNumberMissing", "spine_error/1-nhsNumberNotFound"])
def test_permission_refused(store, path):
    # 9995000181 has a wrong check digit, so that Spine knows nobody of that number.
    answer = store.post("/$setPermission", request(f"set_acs/{path}.request.json"), NHSD_Session_URID=ROLE)
    assert answer.status == 400
    assert answer.json == expected(f"set_acs/{path}.response.json")


def test_alert_accepted(store):
    answer = store.alert(request("send_alert/success/1-basic.request.json"))
    assert (answer.status, answer.body) == (201, b"")


def test_alert_without_number(store):
    answer = store.alert(request("send_alert/bad_request/1-missingNhsNumber.request.json"))
    assert answer.status == 400
    assert answer.json == expected("send_alert/bad_request/1-missingNhsNumber.response.json")


def test_alert_about_somebody_unknown(new_store):
    """The same request as in success: what differs is Spine, so the number is given as untraced at start.

    Met but for the value in the text: the pair's backend says XYZ whatever it is sent.
    """
    sent = request("send_alert/spine_error/1-invalidValue.request.json")
    assert sent == request("send_alert/success/1-basic.request.json")
    answer = new_store.alert(sent)
    assert answer.status == 400
    wanted = json.dumps(expected("send_alert/spine_error/1-invalidValue.response.json"))
    assert answer.json == json.loads(wanted.replace("XYZ", "9999999998"))


def test_the_published_whole_summaries_are_accepted(new_store):
    for name in (
        "no-non-core",
        "withheld-information",
        "standard_gp_summary",
        "additional_information_gp_summary_1",
    ):
        answer = new_store.upload(data(f"gp-summaries/{name}.json"))
        assert answer.status == 201, (name, answer.body)

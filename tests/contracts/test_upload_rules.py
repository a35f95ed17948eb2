"""What the store looks at in a bundle: one change each to a good one, and the answer it gets."""

import json

import pytest

from tests.contracts.calls import bundle, new_id, the
from tests.localstore_process import fresh_nhs_number

RFC4122 = "https://tools.ietf.org/html/rfc4122"


def composition(made):
    return made["entry"][0]["resource"]


def role(made):
    return the(made, "PractitionerRole")


def put(path, value):
    """A change: the item at `path` (names and positions) of the bundle becomes `value`; ... deletes it."""

    def change(made):
        *way, last = path
        place = made
        for step in way:
            place = place[step]
        if value is ...:
            del place[last]
        else:
            place[last] = value

    return change


def without_patient(made):
    made["entry"] = [e for e in made["entry"] if e["resource"]["resourceType"] != "Patient"]


COMPOSITION = ("entry", 0, "resource")
SECTION = (*COMPOSITION, "section", 1)

CASES = {
    "type collection": (put(["type"], "collection"), "Unsupported Bundle.type: COLLECTION"),
    "no type": (put(["type"], ...), "Unsupported Bundle.type: null"),
    "no timestamp": (put(["timestamp"], ...), "bundle.timestamp must not be empty"),
    "no identifier": (put(["identifier"], ...), "bundle.identifier must not be empty"),
    "other identifier system": (
        put(["identifier", "system"], "urn:ietf:rfc:3986"),
        f"bundle.identifier.system must be {RFC4122}",
    ),
    "no identifier value": (
        put(["identifier", "value"], " "),
        "bundle.identifier.value must not be empty",
    ),
    "two compositions": (
        lambda made: made["entry"].append(made["entry"][0]),
        "There is more than 1 resource of type Composition",
    ),
    "no entries": (put(["entry"], []), "Composition missing from payload"),
    "composition not first": (
        lambda made: made["entry"].append(made["entry"].pop(0)),
        "Composition must be the first entry of the Bundle",
    ),
    "no patient": (
        without_patient,
        "Patient missing from payload",
    ),
    "two patients": (
        lambda made: made["entry"].append({"resource": the(made, "Patient")}),
        "There is more than 1 resource of type Patient",
    ),
    "no author time": (
        put([*COMPOSITION, "meta"], ...),
        "Composition.meta.lastUpdated element is missing",
    ),
    "no author": (put([*COMPOSITION, "author"], []), "Composition.author reference is missing"),
    "author not there": (
        put([*COMPOSITION, "author", 0, "reference"], "PractitionerRole/1"),
        "Bundle is missing PractitionerRole PractitionerRole/1 that is linked to Composition",
    ),
    "no category": (put([*COMPOSITION, "category"], ...), "Composition.category element is missing"),
    "other category": (
        put([*COMPOSITION, "category", 0, "coding", 0, "code"], "1"),
        "Composition.category.coding.code not supported: 1",
    ),
    "category named otherwise": (
        put([*COMPOSITION, "category", 0, "coding", 0, "display"], "Care professional documentation"),
        "Composition.category.coding.display not supported: Care professional documentation",
    ),
    "no type of composition": (put([*COMPOSITION, "type"], ...), "Composition.type element is missing"),
    "initial summary": (
        put([*COMPOSITION, "type", "coding", 0, "code"], "196971000000103"),
        "Composition.type.coding.code not supported: 196971000000103",
    ),
    "type named otherwise": (
        put([*COMPOSITION, "type", "coding", 0, "display"], "General practice summary"),
        "Composition.type.coding.display not supported: General practice summary",
    ),
    "other code system": (
        put([*COMPOSITION, "type", "coding", 0, "system"], "http://loinc.org"),
        "Composition.type.coding.system not supported: http://loinc.org",
    ),
    "preliminary": (
        put([*COMPOSITION, "status"], "preliminary"),
        "Invalid composition.status: PRELIMINARY",
    ),
    "no status": (put([*COMPOSITION, "status"], ...), "Invalid composition.status: null"),
    "appends": (
        put([*COMPOSITION, "relatesTo"], [{"code": "appends", "targetIdentifier": {"value": new_id()}}]),
        "Unsupported Composition.relatesTo.code element: APPENDS",
    ),
    "replaces nothing": (
        put([*COMPOSITION, "relatesTo"], [{"code": "replaces"}]),
        "Composition.relatesTo.targetIdentifier.value element is missing",
    ),
    "no composition id": (
        put([*COMPOSITION, "identifier"], ...),
        f"Missing Composition.identifier for system: {RFC4122}",
    ),
    "empty composition id": (
        put([*COMPOSITION, "identifier", "value"], ""),
        "Missing Composition.identifier.value element",
    ),
    "composition id no uuid": (
        put([*COMPOSITION, "identifier", "value"], "1"),
        "Composition.identifier.value must be a UUID",
    ),
    "no date": (put([*COMPOSITION, "date"], ...), "Composition Date Element missing from payload"),
    "no sections": (put([*COMPOSITION, "section"], []), "Missing mandatory Composition.section"),
    "section without code": (
        put([*SECTION, "code"], ...),
        "Composition.section.code.coding.code element is missing",
    ),
    "section without title": (put([*SECTION, "title"], ...), "Composition.section.title element is missing"),
    "section without text": (put([*SECTION, "text"], ...), "Composition.section.text.div element is missing"),
    "broken text": (
        put([*SECTION, "text", "div"], "<div><p></div>"),
        "Composition.section.text.div is not well-formed XHTML",
    ),
    "text that is no div": (
        put([*SECTION, "text", "div"], "<p>Penicillin</p>"),
        "Composition.section.text.div must be one div element",
    ),
    "text that declares entities": (
        put([*SECTION, "text", "div"], '<!DOCTYPE d [<!ENTITY a "aaaa">]><div>&a;&a;</div>'),
        "Composition.section.text.div is not well-formed XHTML",
    ),
    "no NHS number": (
        lambda made: the(made, "Patient").update(identifier=[]),
        "patient.identifier[] for system https://fhir.nhs.uk/Id/nhs-number must not be empty",
    ),
    "two NHS numbers": (
        lambda made: the(made, "Patient")["identifier"].append(the(made, "Patient")["identifier"][0]),
        "Multiple Patient resource 'https://fhir.nhs.uk/Id/nhs-number' identifiers",
    ),
    "short NHS number": (
        lambda made: the(made, "Patient")["identifier"][0].update(value="999000001"),
        (
            "Code: 400, Display: Invalid Request;Code: 35160, Display: [PSIS-35160] - Invalid input message."
            " Mandatory field NHS Number is missing or incorrect"
        ),
    ),
    "subject is somebody else": (
        put([*COMPOSITION, "subject", "reference"], "Patient/1"),
        "Composition.subject reference is missing or invalid",
    ),
    "no subject": (
        put([*COMPOSITION, "subject"], ...),
        "Composition.subject reference is missing or invalid",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_refused(store, case):
    change, text = CASES[case]
    number, start = fresh_nhs_number(), store.last_sequence()
    made = bundle(number, new_id())
    change(made)
    answer = store.upload(made)
    assert answer.status == 400
    assert answer.issue == ("value", text)
    (line,) = store.lines(start)
    assert (line["outcome"], line["http_status"], line["issue_text"]) == ("refused", 400, text)
    assert store.find(number).json["total"] == 0


AUTHORS = {
    "no practitioner": (
        lambda made: role(made).pop("practitioner"),
        "Bundle is missing Practitioner  that is linked to PractitionerRole {role}",
    ),
    "no organisation": (
        lambda made: role(made).pop("organization"),
        "Bundle is missing Organization  that is linked to PractitionerRole {role}",
    ),
    "neither profile nor job": (
        lambda made: role(made).pop("code"),
        "Invalid PractitionerRole {role} identifier.system or code.coding.system",
    ),
    "new host of the profile": (
        lambda made: role(made).update(
            code=[], identifier=[{"system": "https://fhir.nhs.uk/Id/sds-role-profile-id", "value": "1"}]
        ),
        "Invalid PractitionerRole {role} identifier.system or code.coding.system",
    ),
    "profile of somebody without a user id": (
        lambda made: role(made).update(
            identifier=[{"system": "http://fhir.nhs.net/Id/sds-role-profile-id", "value": "1"}]
        ),
        "Invalid practitioner identifier system: null",
    ),
}


@pytest.mark.parametrize("case", AUTHORS)
def test_authors_refused(store, case):
    change, text = AUTHORS[case]
    made = bundle(fresh_nhs_number(), new_id())
    reference = composition(made)["author"][0]["reference"]
    change(made)
    assert store.upload(made).issue == ("value", text.format(role=reference))


def test_an_author_by_role_profile(store):
    made = bundle(fresh_nhs_number(), new_id())
    role(made)["identifier"] = [{"system": "http://fhir.nhs.net/Id/sds-role-profile-id", "value": "1"}]
    the(made, "Practitioner")["identifier"] = [{"system": "https://fhir.nhs.uk/Id/sds-user-id", "value": "2"}]
    assert store.upload(made).status == 201


def test_references_by_full_url(store):
    made = bundle(fresh_nhs_number(), new_id())
    for name, at in (("PractitionerRole", ["author", 0]), ("Patient", ["subject"])):
        entry = next(e for e in made["entry"] if e["resource"]["resourceType"] == name)
        entry["fullUrl"] = f"urn:uuid:{new_id()}"
        place = composition(made)
        for step in at:
            place = place[step]
        place["reference"] = entry["fullUrl"]
    assert store.upload(made).status == 201


def test_the_check_digit_is_not_looked_at(store):
    number = fresh_nhs_number()
    wrong = number[:9] + str((int(number[9]) + 1) % 10)
    assert store.upload(bundle(wrong, new_id())).status == 201


def test_named_characters_in_a_text(store):
    made = bundle(fresh_nhs_number(), new_id())
    composition(made)["section"][1]["text"]["div"] = "<div>None&nbsp;recorded &amp; asked</div>"
    assert store.upload(made).status == 201


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"resourceType":"Bundle","total":NaN}',
        b"[" * 100_000,
        b"<Bundle/>",
    ],
)
def test_what_is_no_fhir_json(store, body):
    answer = store.upload(body)
    assert answer.status == 400
    assert answer.issue[1].startswith("Failed to parse JSON encoded FHIR content: ")


def test_another_resource(store):
    answer = store.upload(json.dumps({"resourceType": "Patient"}).encode())
    text = 'Incorrect resource type found, expected "Bundle" but found "Patient"'
    assert (answer.status, answer.issue) == (400, ("value", text))

"""What the real service checks in a bundle, written from the rules and not from our builder.

Source: spine-interface notes 1.4, which name the service's own classes. Raises AssertionError.
"""

import json
import re
import xml.etree.ElementTree as ET

UUID = re.compile(r"^[0-9A-F]{8}-[0-9A-F]{4}-[1-5][0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}$")
INSTANT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d$")
RFC4122 = "https://tools.ietf.org/html/rfc4122"
CORE = ["Title", "AllergiesHeader", "AcuteMedsHeader", "RepeatMedsHeader", "DiscRepeatMedsHeader"]
XHTML = "{http://www.w3.org/1999/xhtml}"


def check(body):
    """The bundle and its Composition, once every rule holds."""
    bundle = json.loads(body)
    assert bundle["resourceType"] == "Bundle" and bundle["type"] == "document"
    assert bundle["identifier"]["system"] == RFC4122 and UUID.match(bundle["identifier"]["value"])
    assert INSTANT.match(bundle["timestamp"])
    by_url = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}
    resources = list(by_url.values())
    assert len(resources) == len(bundle["entry"])
    assert all(url == f"urn:uuid:{resource['id']}" for url, resource in by_url.items())
    kinds = [resource["resourceType"] for resource in resources]
    assert kinds[0] == "Composition" and kinds.count("Composition") == kinds.count("Patient") == 1
    composition = resources[0]
    _check_composition(composition)
    _check_author(by_url[composition["author"][0]["reference"]], by_url)
    patient = by_url[composition["subject"]["reference"]]
    (number,) = [i for i in patient["identifier"] if i["system"] == "https://fhir.nhs.uk/Id/nhs-number"]
    assert re.match(r"^\d{10}$", number["value"])
    return bundle, composition


def _check_composition(composition):
    assert INSTANT.match(composition["meta"]["lastUpdated"]) and INSTANT.match(composition["date"])
    assert composition["identifier"]["system"] == RFC4122 and UUID.match(composition["identifier"]["value"])
    assert composition["status"] == "final" and composition["title"]
    snomed = "http://snomed.info/sct"
    summary = {"system": snomed, "code": "196981000000101", "display": "General Practice Summary"}
    documentation = {
        "system": snomed,
        "code": "163171000000105",
        "display": "Care Professional Documentation",
    }
    assert composition["type"]["coding"] == [summary]
    assert composition["category"][0]["coding"] == [documentation]
    for relation in composition.get("relatesTo", []):
        assert relation["code"] == "replaces" and relation["targetIdentifier"]["value"]
    assert composition["section"]
    for section in composition["section"]:
        assert section["title"] and section["code"]["coding"][0]["code"]
        assert ET.fromstring(section["text"]["div"]).tag == XHTML + "div"


def _check_author(role, by_url):
    assert role["resourceType"] == "PractitionerRole"
    practitioner = by_url[role["practitioner"]["reference"]]
    profile = [i for i in role["identifier"] if i["system"] == "http://fhir.nhs.net/Id/sds-role-profile-id"]
    assert profile[0]["value"].isdigit()
    assert practitioner["identifier"][0]["system"] == "https://fhir.nhs.uk/Id/sds-user-id"
    organization = by_url[role["organization"]["reference"]]
    assert organization["identifier"][0]["system"] == "https://fhir.nhs.uk/Id/ods-organization-code"
    assert organization["address"][0]["text"]


def codes(composition):
    return [section["code"]["coding"][0]["code"] for section in composition["section"]]


def text(composition, code):
    """The readable text of one section."""
    (section,) = [s for s in composition["section"] if s["code"]["coding"][0]["code"] == code]
    return " ".join(ET.fromstring(section["text"]["div"]).itertext())

"""The document Bundle of a GP Summary, by the rules of the Summary Care Record FHIR API. Pure.

Rules: spine-interface notes 1.4, from the service's own mapping classes. Clinical content goes as
text, as in the API's bulk examples: codes of ours are not checked against SNOMED CT, and a wrong
code would be worse than none. Elements that FHIR R4 asks for beyond the service's own needs
(Composition.title, seconds in instants) are there too.
"""

import datetime
import json
import uuid

from spine.gate import Scope
from spine.messages.content import Summary, select
from spine.messages.narrative import (
    RECENTLY_REGISTERED,
    WITHDRAWN,
    WITHHELD,
    clinical_sections,
    title_section,
)

RFC4122 = "https://tools.ietf.org/html/rfc4122"
SNOMED = "http://snomed.info/sct"
# Ids of resources inside a message: the same for the same message, so that equal content is equal
# to the byte.
RESOURCES = uuid.UUID("5c120000-0000-4000-8000-00000000001d")


def build_bundle(
    summary: Summary, *, message_id: str, composition_id: str, replaces: str | None, at: datetime.datetime
) -> bytes:
    """The message that uploads a summary; `replaces` is the id of the store's present copy.

    Equal input gives equal bytes. `at` must carry a time zone.
    """
    chosen = select(summary.entries, scope=summary.scope, on=at.date())
    statements = []
    if summary.recently_registered:
        statements.append(("RegistrationStartedStatement", RECENTLY_REGISTERED))
    if chosen.withheld_as_sensitive:
        statements.append(("WithheldCREItemsHeaderStatement", WITHHELD))
    additional = summary.scope is Scope.CORE_ADDITIONAL
    sections = [
        title_section(summary, at, *statements),
        *clinical_sections(chosen, consent_to_additional=additional, at=at),
    ]
    return _bundle(summary, sections, message_id, composition_id, replaces, at)


def build_blank(
    summary: Summary, *, message_id: str, composition_id: str, replaces: str | None, at: datetime.datetime
) -> bytes:
    """The message that takes a summary back: no clinical section, and a sentence that says so."""
    sections = [title_section(summary, at, ("WithdrawnStatement", WITHDRAWN))]
    return _bundle(summary, sections, message_id, composition_id, replaces, at)


def _bundle(
    summary: Summary,
    sections: list[dict[str, object]],
    message_id: str,
    composition_id: str,
    replaces: str | None,
    at: datetime.datetime,
) -> bytes:
    ids = {
        name: str(uuid.uuid5(RESOURCES, f"{message_id} {name}"))
        for name in ("role", "practitioner", "organization", "patient")
    }
    resources = [
        _composition(sections, composition_id, replaces, ids, at),
        _role(summary, ids),
        _practitioner(summary, ids),
        _organization(summary, ids),
        _patient(summary, ids),
    ]
    bundle = {
        "resourceType": "Bundle",
        "id": message_id,
        "identifier": {"system": RFC4122, "value": message_id.upper()},
        "type": "document",
        "timestamp": _instant(at),
        "entry": [{"fullUrl": f"urn:uuid:{r['id']}", "resource": r} for r in resources],
    }
    return json.dumps(bundle, ensure_ascii=False, separators=(",", ":")).encode()


def _composition(
    sections: list[dict[str, object]],
    composition_id: str,
    replaces: str | None,
    ids: dict[str, str],
    at: datetime.datetime,
) -> dict[str, object]:
    composition: dict[str, object] = {
        "resourceType": "Composition",
        "id": composition_id,
        "meta": {"lastUpdated": _instant(at)},
        "identifier": {"system": RFC4122, "value": composition_id.upper()},
        "status": "final",
        "type": _concept("196981000000101", "General Practice Summary"),
        "category": [_concept("163171000000105", "Care Professional Documentation")],
        "subject": {"reference": f"urn:uuid:{ids['patient']}"},
        "date": _instant(at),
        "author": [{"reference": f"urn:uuid:{ids['role']}"}],
        "title": "General Practice Summary",
        "section": sections,
    }
    if replaces:
        composition["relatesTo"] = [{"code": "replaces", "targetIdentifier": {"value": replaces.upper()}}]
    return composition


def _role(summary: Summary, ids: dict[str, str]) -> dict[str, object]:
    return {
        "resourceType": "PractitionerRole",
        "id": ids["role"],
        # The service looks for the directory's old address here.
        "identifier": [
            {"system": "http://fhir.nhs.net/Id/sds-role-profile-id", "value": summary.author.role_profile_id}
        ],
        "practitioner": {"reference": f"urn:uuid:{ids['practitioner']}"},
        "organization": {"reference": f"urn:uuid:{ids['organization']}"},
        "code": [
            {
                "coding": [
                    {
                        "system": "https://fhir.nhs.uk/CodeSystem/HL7v3-SDSJobRoleName",
                        "code": "NR0260",
                        "display": "General Medical Practitioner",
                    }
                ]
            }
        ],
    }


def _practitioner(summary: Summary, ids: dict[str, str]) -> dict[str, object]:
    author = summary.author
    return {
        "resourceType": "Practitioner",
        "id": ids["practitioner"],
        "identifier": [{"system": "https://fhir.nhs.uk/Id/sds-user-id", "value": author.user_id}],
        "name": [{"text": " ".join(p for p in (author.title, author.given_name, author.family_name) if p)}],
    }


def _organization(summary: Summary, ids: dict[str, str]) -> dict[str, object]:
    practice = summary.practice
    return {
        "resourceType": "Organization",
        "id": ids["organization"],
        "identifier": [
            {"system": "https://fhir.nhs.uk/Id/ods-organization-code", "value": practice.ods_code}
        ],
        "name": practice.name,
        # The service reads the text and ignores lines.
        "address": [{"text": f"{practice.address} {practice.postcode}"}],
    }


def _patient(summary: Summary, ids: dict[str, str]) -> dict[str, object]:
    return {
        "resourceType": "Patient",
        "id": ids["patient"],
        "identifier": [{"system": "https://fhir.nhs.uk/Id/nhs-number", "value": summary.patient.nhs_number}],
    }


def _concept(code: str, display: str) -> dict[str, object]:
    return {"coding": [{"system": SNOMED, "code": code, "display": display}]}


def _instant(at: datetime.datetime) -> str:
    return at.isoformat(timespec="seconds")

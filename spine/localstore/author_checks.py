"""The checks on the author of a GP Summary.

Source: Java `mappings/from/fhir/ParticipantAgentMapper.setParticipantAgents`. The author is a
PractitionerRole that names a Practitioner and either its own role profile id (old host name), or a job
role together with an Organization.
"""

from __future__ import annotations

from spine.localstore import vocabulary as v
from spine.localstore.fhir_json import Resource, child, first, objects, text
from spine.localstore.outcomes import bad_value


def check_author(bundle: Resource, author: Resource) -> None:
    """Raise the 400 unless `author` refers to a usable PractitionerRole of `bundle`."""
    reference = text(author, "reference")
    if not reference:
        raise bad_value("Composition.author reference is missing")
    role = _resolve(bundle, reference, "PractitionerRole")
    if role is None:
        raise bad_value(f"Bundle is missing PractitionerRole {reference} that is linked to Composition")
    link = text(child(role, "practitioner"), "reference")
    practitioner = _resolve(bundle, link, "Practitioner")
    if practitioner is None:
        missing = f"Bundle is missing Practitioner {link} that is linked to PractitionerRole {reference}"
        raise bad_value(missing)
    if first(role, "identifier").get("system") == v.SDS_ROLE_PROFILE:
        _check_user(first(practitioner, "identifier"))
    elif first(first(role, "code"), "coding").get("system") == v.SDS_JOB_ROLE:
        _check_organisation(bundle, role, reference)
    else:
        raise bad_value(f"Invalid PractitionerRole {reference} identifier.system or code.coding.system")


def _check_user(identifier: Resource) -> None:
    if identifier.get("system") != v.SDS_USER:
        raise bad_value(f"Invalid practitioner identifier system: {text(identifier, 'system') or 'null'}")
    if not text(identifier, "value"):
        raise bad_value("Missing practitioner identifier value")


def _check_organisation(bundle: Resource, role: Resource, role_reference: str) -> None:
    link = text(child(role, "organization"), "reference")
    organisation = _resolve(bundle, link, "Organization")
    if organisation is None:
        raise bad_value(
            f"Bundle is missing Organization {link} that is linked to PractitionerRole {role_reference}"
        )
    identifier = first(organisation, "identifier")
    has_type = bool(text(first(first(organisation, "type"), "coding"), "code"))
    if not has_type and identifier.get("system") == v.ODS_CODE and not text(identifier, "value"):
        raise bad_value("Organization.identifier.value element is missing")


def _resolve(bundle: Resource, reference: str, resource_type: str) -> Resource | None:
    """Return the resource of that type that `reference` names, by type and id or by its full URL."""
    for entry in objects(bundle.get("entry")):
        resource = child(entry, "resource")
        names = (f"{resource_type}/{resource.get('id')}", entry.get("fullUrl"))
        if reference and resource.get("resourceType") == resource_type and reference in names:
            return resource
    return None

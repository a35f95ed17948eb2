"""The document Bundle of a GP Summary, by the rules of the Summary Care Record FHIR API. Pure.

Rules: spine-interface notes 1.4, from the service's own mapping classes. Clinical content goes as
text, as in the API's bulk examples: codes of ours are not checked against SNOMED CT, and a wrong
code would be worse than none. Elements that FHIR R4 asks for beyond the service's own needs
(Composition.title, seconds in instants) are there too.
"""

import datetime
import uuid
from json.encoder import encode_basestring as quoted

from spine.gate import Scope
from spine.messages.content import Summary, select
from spine.messages.keys import named_id
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
    return bundle_of(summary, sections, message_id, composition_id, replaces, at)


def build_blank(
    summary: Summary, *, message_id: str, composition_id: str, replaces: str | None, at: datetime.datetime
) -> bytes:
    """The message that takes a summary back: no clinical section, and a sentence that says so."""
    sections = [title_section(summary, at, ("WithdrawnStatement", WITHDRAWN))]
    return bundle_of(summary, sections, message_id, composition_id, replaces, at)


# The JSON is written as it is read, with `quoted` around whatever comes from outside. Dictionaries that
# `json.dumps` writes say the same in six times the time, which was a third of an upload's.
def bundle_of(
    summary: Summary,
    sections: list[str],
    message_id: str,
    composition_id: str,
    replaces: str | None,
    at: datetime.datetime,
) -> bytes:
    """The message around sections that are written already, each as JSON."""
    role, practitioner, organization, patient = (
        named_id(RESOURCES, f"{message_id} {name}")
        for name in ("role", "practitioner", "organization", "patient")
    )
    resources = (
        _entry(composition_id, _composition(sections, composition_id, replaces, patient, role, at)),
        _entry(role, _role(summary, role, practitioner, organization)),
        _entry(practitioner, _practitioner(summary, practitioner)),
        _entry(organization, _organization(summary, organization)),
        _entry(patient, _patient(summary, patient)),
    )
    return (
        f'{{"resourceType":"Bundle","id":{quoted(message_id)},'
        f'"identifier":{_identifier(RFC4122, message_id.upper())},"type":"document",'
        f'"timestamp":"{_instant(at)}","entry":[{",".join(resources)}]}}'
    ).encode()


def _entry(resource_id: str, resource: str) -> str:
    return f'{{"fullUrl":{_url(resource_id)},"resource":{resource}}}'


def _composition(
    sections: list[str],
    composition_id: str,
    replaces: str | None,
    patient: str,
    role: str,
    at: datetime.datetime,
) -> str:
    instant = _instant(at)
    relation = ""
    if replaces:
        target = f'{{"value":{quoted(replaces.upper())}}}'
        relation = f',"relatesTo":[{{"code":"replaces","targetIdentifier":{target}}}]'
    return (
        f'{{"resourceType":"Composition","id":{quoted(composition_id)},"meta":{{"lastUpdated":"{instant}"}},'
        f'"identifier":{_identifier(RFC4122, composition_id.upper())},"status":"final",'
        f'"type":{_SUMMARY},"category":[{_DOCUMENTATION}],"subject":{{"reference":{_url(patient)}}},'
        f'"date":"{instant}","author":[{{"reference":{_url(role)}}}],"title":"General Practice Summary",'
        f'"section":[{",".join(sections)}]{relation}}}'
    )


def _role(summary: Summary, role: str, practitioner: str, organization: str) -> str:
    # The service looks for the directory's old address here.
    profile = _identifier("http://fhir.nhs.net/Id/sds-role-profile-id", summary.author.role_profile_id)
    return (
        f'{{"resourceType":"PractitionerRole","id":"{role}","identifier":[{profile}],'
        f'"practitioner":{{"reference":{_url(practitioner)}}},'
        f'"organization":{{"reference":{_url(organization)}}},"code":[{_GENERAL_PRACTITIONER}]}}'
    )


def _practitioner(summary: Summary, practitioner: str) -> str:
    author = summary.author
    name = " ".join(part for part in (author.title, author.given_name, author.family_name) if part)
    user = _identifier("https://fhir.nhs.uk/Id/sds-user-id", author.user_id)
    return (
        f'{{"resourceType":"Practitioner","id":"{practitioner}","identifier":[{user}],'
        f'"name":[{{"text":{quoted(name)}}}]}}'
    )


def _organization(summary: Summary, organization: str) -> str:
    practice = summary.practice
    code = _identifier("https://fhir.nhs.uk/Id/ods-organization-code", practice.ods_code)
    # The service reads the text and ignores lines.
    address = quoted(f"{practice.address} {practice.postcode}")
    return (
        f'{{"resourceType":"Organization","id":"{organization}","identifier":[{code}],'
        f'"name":{quoted(practice.name)},"address":[{{"text":{address}}}]}}'
    )


def _patient(summary: Summary, patient: str) -> str:
    number = _identifier("https://fhir.nhs.uk/Id/nhs-number", summary.patient.nhs_number)
    return f'{{"resourceType":"Patient","id":"{patient}","identifier":[{number}]}}'


def _identifier(system: str, value: str) -> str:
    return f'{{"system":"{system}","value":{quoted(value)}}}'


def _url(resource_id: str) -> str:
    return quoted(f"urn:uuid:{resource_id}")


def _concept(system: str, code: str, display: str) -> str:
    return f'{{"coding":[{{"system":"{system}","code":"{code}","display":"{display}"}}]}}'


_SUMMARY = _concept(SNOMED, "196981000000101", "General Practice Summary")
_DOCUMENTATION = _concept(SNOMED, "163171000000105", "Care Professional Documentation")
_GENERAL_PRACTITIONER = _concept(
    "https://fhir.nhs.uk/CodeSystem/HL7v3-SDSJobRoleName", "NR0260", "General Medical Practitioner"
)


def _instant(at: datetime.datetime) -> str:
    return at.isoformat(timespec="seconds")

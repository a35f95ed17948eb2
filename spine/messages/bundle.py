"""The document Bundle of a GP Summary, by the rules of the Summary Care Record FHIR API. Pure.

Rules: spine-interface notes 1.4, from the service's own mapping classes. Clinical content goes as
text, as in the API's bulk examples: codes of ours are not checked against SNOMED CT, and a wrong
code would be worse than none. Elements that FHIR R4 asks for beyond the service's own needs
(Composition.title, seconds in instants) are there too.
"""

import datetime
from json.encoder import encode_basestring as quoted

from spine.gate import Scope
from spine.messages.content import Author, PatientDetails, PracticeDetails, Summary
from spine.messages.kept import kept
from spine.messages.keys import ORGANIZATION, PATIENT, PRACTITIONER, ROLE, related_id
from spine.messages.narrative import (
    RECENTLY_REGISTERED,
    WITHDRAWN,
    WITHHELD,
    clinical_sections,
    title_section,
)

RFC4122 = "https://tools.ietf.org/html/rfc4122"
SNOMED = "http://snomed.info/sct"


def build_bundle(
    summary: Summary, *, message_id: str, composition_id: str, replaces: str | None, at: datetime.datetime
) -> bytes:
    """The message that uploads a summary; `replaces` is the id of the store's present copy.

    Equal input gives equal bytes. `at` must carry a time zone.
    """
    chosen = summary.chosen(at.date())
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
# `json.dumps` writes say the same in twelve times the time, which was a third of an upload's.
def bundle_of(
    summary: Summary,
    sections: list[str],
    message_id: str,
    composition_id: str,
    replaces: str | None,
    at: datetime.datetime,
) -> bytes:
    """The message around sections that are written already, each as JSON.

    Both ids are UUIDs in lower case. Those of the resources follow from the composition's, so that equal content is
    equal to the byte.
    """
    role, practitioner = related_id(composition_id, ROLE), related_id(composition_id, PRACTITIONER)
    organization, patient = related_id(composition_id, ORGANIZATION), related_id(composition_id, PATIENT)
    instant = at.isoformat(timespec="seconds")
    composition = _composition(sections, composition_id, replaces, patient, role, instant)
    resources = (
        _resource("Composition", composition_id, composition),
        _resource("PractitionerRole", role, _role(summary.author, practitioner, organization)),
        _resource("Practitioner", practitioner, _practitioner(summary.author)),
        _resource("Organization", organization, _organization(summary.practice)),
        _resource("Patient", patient, _patient(summary.patient)),
    )
    return (
        f'{{"resourceType":"Bundle","id":"{message_id}","identifier":{_uuid_identifier(message_id)},'
        f'"type":"document","timestamp":"{instant}","entry":[{",".join(resources)}]}}'
    ).encode()


def _resource(kind: str, resource_id: str, rest: str) -> str:
    """An entry of the bundle; `rest` is what a resource says after its id."""
    return (
        f'{{"fullUrl":"urn:uuid:{resource_id}","resource":'
        f'{{"resourceType":"{kind}","id":"{resource_id}",{rest}}}}}'
    )


def _composition(
    sections: list[str], composition_id: str, replaces: str | None, patient: str, role: str, instant: str
) -> str:
    relation = ""
    if replaces:
        target = f'{{"value":{quoted(replaces.upper())}}}'
        relation = f',"relatesTo":[{{"code":"replaces","targetIdentifier":{target}}}]'
    return (
        f'"meta":{{"lastUpdated":"{instant}"}},"identifier":{_uuid_identifier(composition_id)},"status":"final",'
        f'"type":{_SUMMARY},"category":[{_DOCUMENTATION}],"subject":{_reference(patient)},'
        f'"date":"{instant}","author":[{_reference(role)}],"title":"General Practice Summary",'
        f'"section":[{",".join(sections)}]{relation}'
    )


def _role(author: Author, practitioner: str, organization: str) -> str:
    return (
        f'"identifier":[{_role_profile(author)}],"practitioner":{_reference(practitioner)},'
        f'"organization":{_reference(organization)},"code":[{_GENERAL_PRACTITIONER}]'
    )


@kept
def _role_profile(author: Author) -> str:
    # The service looks for the directory's old address here.
    return _identifier("http://fhir.nhs.net/Id/sds-role-profile-id", author.role_profile_id)


@kept
def _practitioner(author: Author) -> str:
    name = " ".join(part for part in (author.title, author.given_name, author.family_name) if part)
    user = _identifier("https://fhir.nhs.uk/Id/sds-user-id", author.user_id)
    return f'"identifier":[{user}],"name":[{{"text":{quoted(name)}}}]'


@kept
def _organization(practice: PracticeDetails) -> str:
    code = _identifier("https://fhir.nhs.uk/Id/ods-organization-code", practice.ods_code)
    # The service reads the text and ignores lines.
    address = quoted(f"{practice.address} {practice.postcode}")
    return f'"identifier":[{code}],"name":{quoted(practice.name)},"address":[{{"text":{address}}}]'


def _patient(patient: PatientDetails) -> str:
    return f'"identifier":[{_identifier("https://fhir.nhs.uk/Id/nhs-number", patient.nhs_number)}]'


def _identifier(system: str, value: str) -> str:
    return f'{{"system":"{system}","value":{quoted(value)}}}'


def _uuid_identifier(value: str) -> str:
    return f'{{"system":"{RFC4122}","value":"{value.upper()}"}}'


def _reference(resource_id: str) -> str:
    return f'{{"reference":"urn:uuid:{resource_id}"}}'


def _concept(system: str, code: str, display: str) -> str:
    return f'{{"coding":[{{"system":"{system}","code":"{code}","display":"{display}"}}]}}'


_SUMMARY = _concept(SNOMED, "196981000000101", "General Practice Summary")
_DOCUMENTATION = _concept(SNOMED, "163171000000105", "Care Professional Documentation")
_GENERAL_PRACTITIONER = _concept(
    "https://fhir.nhs.uk/CodeSystem/HL7v3-SDSJobRoleName", "NR0260", "General Medical Practitioner"
)

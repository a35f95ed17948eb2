"""The checks on an uploaded GP Summary bundle, with the texts of the service.

Sources: Java `models/GpSummary`, `mappings/from/fhir/CompositionMapper`, `PatientMapper`,
`utils/FhirHelper`. Where the service would fail by accident (a null pointer, a wrong cast) the text is ours.
The NHS number's check digit is not looked at: the service does not either.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from spine.localstore import vocabulary as v
from spine.localstore.author_checks import check_author
from spine.localstore.fhir_json import Resource, child, first, objects, text
from spine.localstore.headers import is_uuid
from spine.localstore.outcomes import Refusal, bad_value, number_missing_or_incorrect
from spine.localstore.section_checks import check_sections

_TEN_DIGITS = re.compile(r"[0-9]{10}")


@dataclass(frozen=True, slots=True)
class Upload:
    """What the store needs to know about a bundle; `refusal` says why it cannot be stored, if so."""

    nhs_number: str | None
    composition_id: str | None
    replaced_id: str | None
    section_codes: tuple[str, ...]
    is_blank: bool
    refusal: Refusal | None


def read_upload(bundle: Resource) -> Upload:
    """Return what can be read of `bundle`; it never raises, so that a refusal is still witnessed in full."""
    resources = [child(entry, "resource") for entry in objects(bundle.get("entry"))]
    composition = next((r for r in resources if r.get("resourceType") == "Composition"), {})
    patient = next((r for r in resources if r.get("resourceType") == "Patient"), {})
    refusal = None
    try:
        _check(bundle, resources)
    except Refusal as found:
        refusal = found
    codes = tuple(
        text(first(child(s, "code"), "coding"), "code") for s in objects(composition.get("section"))
    )
    clinical = any(text(r, "resourceType") not in v.NON_CLINICAL_RESOURCES for r in resources)
    return Upload(
        nhs_number=next(iter(_nhs_numbers(patient)), None),
        composition_id=text(child(composition, "identifier"), "value").upper() or None,
        replaced_id=text(child(first(composition, "relatesTo"), "targetIdentifier"), "value").upper() or None,
        section_codes=codes,
        is_blank=bool(codes) and set(codes) == {v.TITLE_SECTION} and not clinical,
        refusal=refusal,
    )


def _check(bundle: Resource, resources: list[Resource]) -> None:
    _check_envelope(bundle)
    composition = _the_only("Composition", resources)
    if resources[0] is not composition:
        # The service reads the Composition by its position.
        raise bad_value("Composition must be the first entry of the Bundle")
    if not text(child(composition, "meta"), "lastUpdated"):
        raise bad_value("Composition.meta.lastUpdated element is missing")
    check_author(bundle, first(composition, "author"))
    _check_composition(composition)
    check_sections(composition)
    patient = _the_only("Patient", resources)
    _check_patient(patient)
    _check_subject(bundle, composition, patient)


def _check_envelope(bundle: Resource) -> None:
    if bundle.get("type") != "document":
        raise bad_value(f"Unsupported Bundle.type: {_enum(bundle.get('type'))}")
    if not text(bundle, "timestamp"):
        raise bad_value("bundle.timestamp must not be empty")
    identifier = child(bundle, "identifier")
    if not identifier:
        raise bad_value("bundle.identifier must not be empty")
    if identifier.get("system") != v.RFC4122:
        raise bad_value(f"bundle.identifier.system must be {v.RFC4122}")
    if not text(identifier, "value"):
        raise bad_value("bundle.identifier.value must not be empty")


def _the_only(resource_type: str, resources: list[Resource]) -> Resource:
    found = [r for r in resources if r.get("resourceType") == resource_type]
    if len(found) > 1:
        raise bad_value(f"There is more than 1 resource of type {resource_type}")
    if not found:
        raise bad_value(f"{resource_type} missing from payload")
    return found[0]


def _check_composition(composition: Resource) -> None:
    _check_coding(
        "category",
        first(composition, "category"),
        (v.CARE_PROFESSIONAL_DOCUMENTATION, v.CARE_PROFESSIONAL_DOCUMENTATION_DISPLAY),
    )
    _check_coding("type", child(composition, "type"), (v.GP_SUMMARY, v.GP_SUMMARY_DISPLAY))
    if composition.get("status") != "final":
        raise bad_value(f"Invalid composition.status: {_enum(composition.get('status'))}")
    _check_relates_to(composition)
    identifier = child(composition, "identifier")
    if identifier.get("system") != v.RFC4122:
        raise bad_value(f"Missing Composition.identifier for system: {v.RFC4122}")
    if not text(identifier, "value"):
        raise bad_value("Missing Composition.identifier.value element")
    if not is_uuid(identifier["value"]):
        raise bad_value("Composition.identifier.value must be a UUID")
    if not text(composition, "date"):
        raise bad_value("Composition Date Element missing from payload")


def _check_coding(element: str, concept: Resource, expected: tuple[str, str]) -> None:
    if not concept:
        raise bad_value(f"Composition.{element} element is missing")
    coding = first(concept, "coding")
    for name, wanted in (("system", v.SNOMED), ("code", expected[0]), ("display", expected[1])):
        if coding.get(name) != wanted:
            raise bad_value(f"Composition.{element}.coding.{name} not supported: {_shown(coding.get(name))}")


def _check_relates_to(composition: Resource) -> None:
    if not composition.get("relatesTo"):
        return
    relation = first(composition, "relatesTo")
    if relation.get("code") != "replaces":
        raise bad_value(f"Unsupported Composition.relatesTo.code element: {_enum(relation.get('code'))}")
    if not text(child(relation, "targetIdentifier"), "value"):
        raise bad_value("Composition.relatesTo.targetIdentifier.value element is missing")


def _check_patient(patient: Resource) -> None:
    numbers = _nhs_numbers(patient)
    if len(numbers) > 1:
        raise bad_value(f"Multiple Patient resource '{v.NHS_NUMBER}' identifiers")
    if not numbers:
        raise bad_value(f"patient.identifier[] for system {v.NHS_NUMBER} must not be empty")
    if not _TEN_DIGITS.fullmatch(numbers[0]):
        raise number_missing_or_incorrect()


def _check_subject(bundle: Resource, composition: Resource, patient: Resource) -> None:
    reference = text(child(composition, "subject"), "reference")
    entry = next(e for e in objects(bundle.get("entry")) if e.get("resource") is patient)
    if not reference or reference not in (f"Patient/{patient.get('id')}", entry.get("fullUrl")):
        raise bad_value("Composition.subject reference is missing or invalid")


def _nhs_numbers(patient: Resource) -> list[str]:
    identifiers = objects(patient.get("identifier"))
    return [text(i, "value") for i in identifiers if i.get("system") == v.NHS_NUMBER and text(i, "value")]


def _enum(value: object) -> str:
    """Return a coded value as Java prints one of its own enumerations."""
    return _shown(value).upper() if isinstance(value, str) else "null"


def _shown(value: object) -> str:
    return str(value)[:100] if isinstance(value, str) else "null"
